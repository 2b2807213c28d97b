#!/usr/bin/env bash
# Files that stand where another should be, a Git LFS pointer, a page of HTML, a zip archive, are called what they are by every
# reader.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

have_python || exit 0
"$FANIN" init --tensor x.weight:f32:OI:3x2 --init he_normal -o x.safetensors >/dev/null

# stands BYTES SENTENCE: files of these bytes under every name, and what is to be said of them.
stands() {
  local name
  for name in s.safetensors s.safetensors.index.json s.json s.npy; do
    # shellcheck disable=SC2059
    printf "$1" >$name
  done
  refuse 2 "s.safetensors: $2" init --like s.safetensors -o z.safetensors
  refuse 2 "s.safetensors.index.json: $2" init --like s.safetensors.index.json -o z.safetensors
  refuse 2 "s.safetensors: $2" init --like x.safetensors --keep s.safetensors -o z.safetensors
  refuse 2 "s.json: $2" init s.json -o z.safetensors
  refuse 2 "s.json: $2" init --like x.safetensors --rules s.json -o z.safetensors
  refuse 2 "s.safetensors: $2" inspect s.safetensors
  refuse 2 "s.npy: $2" inspect s.npy
  rm s.*
}
stands 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n' 'is a Git LFS pointer, not the file itself: run git lfs pull'
stands '<!DOCTYPE html>\n<html lang="en">' 'is an HTML or XML page, probably a login or error page that was downloaded in place of the file'
stands '\n \t<HTML><body>Sign in</body></HTML>' 'is an HTML or XML page, probably'
stands '\xef\xbb\xbf<!doctype HTML>' 'is an HTML or XML page, probably'
stands 'PK\003\004\024' 'is a zip archive, as torch.save() and numpy.savez() write: save its tensors with'
for wanted in 'x.safetensors -o' '--like x.safetensors --rules x.json -o'; do
  cp x.safetensors x.json
  # shellcheck disable=SC2086
  refuse 2 "is a safetensors file, and JSON is wanted here; 'fanin init' takes a checkpoint by --like" init $wanted z.safetensors
done
stands '<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>' 'is an HTML or XML page, probably'
stands '<!-- saved page --><html>' 'is an HTML or XML page, probably'
printf '|htm' >s.json
refuse 2 "s.json: line 1, column 1:" init s.json -o z.safetensors
# A header may have any length: 60 + 256 * 4 bytes of it begin as a tag does, and the file is right.
python3 - <<'PYTHON'
import json, struct
text = json.dumps({'x.weight': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]}}).encode().ljust(60 + 4 * 256)
open('tag.safetensors', 'wb').write(struct.pack('<Q', len(text)) + text + bytes(4))
assert open('tag.safetensors', 'rb').read(1) == b'<'
PYTHON
"$FANIN" inspect tag.safetensors >said.txt || die "$(cat said.txt)"
