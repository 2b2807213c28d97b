#!/usr/bin/env bash
# Files that stand where another should be, a Git LFS pointer, a page of HTML, a zip archive, are called what they are by every
# reader.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

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
stands '<!DOCTYPE html>\n<html lang="en">' 'is an HTML page, probably a login or error page that was downloaded in place of the file'
stands '\n \t<HTML><body>Sign in</body></HTML>' 'is an HTML page, probably'
stands '\xef\xbb\xbf<!doctype HTML>' 'is an HTML page, probably'
stands 'PK\003\004\024' 'is a zip archive, as torch.save() and numpy.savez() write: save its tensors with'
for wanted in 'x.safetensors -o' '--like x.safetensors --rules x.json -o'; do
  cp x.safetensors x.json
  # shellcheck disable=SC2086
  refuse 2 "is a safetensors file, and JSON is wanted here; 'fanin init' takes a checkpoint by --like" init $wanted z.safetensors
done
printf '<htm' >s.json
refuse 2 "s.json: line 1, column 1:" init s.json -o z.safetensors
