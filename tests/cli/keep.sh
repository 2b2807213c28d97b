#!/usr/bin/env bash
# 'fanin init --keep' and '--resize': what files have is copied to the bit, what is missing is drawn as it always is, and
# what cannot be kept is refused.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
# shellcheck disable=SC1091
. "$SRC/tests/cli/init.bash"
have_python || exit 0


# ---- A checkpoint, an older one that lacks a layer and has something else, and rules that go by fans ----
layer() {
  printf '%s\n' "h.$1.attn.weight F32 48x65" "h.$1.attn.bias F32 48" "h.$1.norm.weight F32 48"
}
whole() {
  layer 0
  layer 1
  layer 2
  printf '%s\n' 'emb.weight F32 33x48' 'head.weight F32 33x48' 'conv.weight F32 5x7x3' 'steps I64'
}
whole | kept make base.safetensors base
{
  layer 0
  layer 1
  printf '%s\n' 'emb.weight F32 33x48' 'conv.weight F32 5x7x3' 'steps I64' 'extra.a F32 3' 'extra.b F32 3'
} | kept make old.safetensors older fanin.seed=77 fanin.init.emb.weight=normal fanin.layout.emb.weight=IO fanin.key.emb.weight=x
cat >r.json <<'JSON'
{"values": {"layers": {"count": "*.attn.weight"}},
 "rules": [
  {"match": "head.weight", "layout": "OI", "init": "orthogonal"},
  {"match": "*.attn.weight", "layout": "OI", "init": "he_normal", "scale": "residual:layers={layers}"},
  {"match": "conv.weight", "layout": "OIW", "init": "he_uniform:mode=fan_out"},
  {"match": "emb.weight", "layout": "OI", "init": "xavier_normal"},
  {"match": "*.bias", "fans_of": ["bias", "weight"], "init": "uniform:lo=-1,hi=1", "scale": "fan_in"},
  {"match": "*norm.weight", "init": "ones"}, {"match": "steps", "init": "zeros"}]}
JSON
like=(--like base.safetensors --rules r.json)
init "${like[@]}" -o plain.safetensors
init "${like[@]}" --keep old.safetensors -o out.safetensors
[ "$(cat err.txt)" = "fanin: init: note: 2 tensors of --keep are not in the output: 'extra.a', 'extra.b'" ] || die "$(cat err.txt)"
said '^kept: [0-9.]+ kB; 9 tensors copied, 0 resized, 4 drawn; 4,800 elements drawn$' # 48 x 65 + 48 + 48 + 33 x 48
said '^ +1 +1 +3,120 +variance_scaling.* h\.2\.attn\.weight +\*\.attn\.weight$'
kept same out.safetensors old.safetensors 'h.[01].*'
kept same out.safetensors old.safetensors '[ces][mot]*'
kept same out.safetensors plain.safetensors 'h.2.*' # counted among all the layers
kept same out.safetensors plain.safetensors head.weight
kept but out.safetensors out.safetensors

# ---- What the metadata say, and what inspect makes of it ----
kept note out.safetensors format pt
kept note out.safetensors fanin.seed 5
kept note out.safetensors fanin.kept.emb.weight old.safetensors
kept note out.safetensors fanin.layout.emb.weight IO
kept note out.safetensors fanin.init.emb.weight
kept note out.safetensors fanin.key.emb.weight
kept note out.safetensors fanin.kept.head.weight
kept note out.safetensors fanin.init.head.weight orthogonal
for option in '' '--rules r.json' '--init normal'; do
  # shellcheck disable=SC2086
  "$FANIN" inspect out.safetensors $option >said.txt || die "$option: $(cat said.txt)"
  said '^note: steps: not judged: dtype I64'
  said '^note: h\.0\.attn\.weight: not judged: kept from old\.safetensors \(so of 7 others\)$'
  said '^HOLDS AS FAR AS JUDGED: 4 of 13 tensors hold, 0 fail, 9 are not judged \('
done
"$FANIN" inspect out.safetensors --init emb.weight=normal >said.txt && die "what the user names is not judged"

# ---- Explained ----
init "${like[@]}" --keep old.safetensors --resize 'e*:0:33->40' --explain
said '^h\.0\.attn\.weight +48x65 +f32 +- +- +kept: old\.safetensors$'
said '^emb\.weight +40x48 +f32 +3 +OI +[0-9.]+ +kept: old\.safetensors, but 0:33->40 xavier_normal'
said '^head\.weight +33x48 +f32 +0 +OI +[0-9.]+ +orthogonal'
init "${like[@]}" --keep old.safetensors --resize 'e*:0:33->40' --explain --json
python3 - <<'PYTHON'
import json
root = json.load(open('said.txt'))
t = {entry['name']: entry for entry in root['tensors']}
assert root['not_in_output'] == ['extra.a', 'extra.b'] and root['unused_rules'] == []
assert t['steps'] == {'name': 'steps', 'dtype': 'I64', 'shape': [], 'kept': 'old.safetensors'}, t['steps']
assert t['emb.weight']['kept'] == 'old.safetensors' and t['emb.weight']['resized'] == '0:33->40' and t['emb.weight']['rule'] == 3
assert t['emb.weight']['shape'] == [40, 48] and 'kept' not in t['head.weight'] and 'resized' not in t['head.weight']
PYTHON
ls ./*.safetensors >list.txt
[ "$(wc -l <list.txt)" = 4 ] || die "--explain wrote: $(cat list.txt)"

# ---- Tensors that grow, in any dimension: new values are those that the whole new tensor would have there ----
resized=(--resize 'EMB*:0:33->40' --resize 'conv.*:1:7->9' --resize 'h.?.attn.weight:1:65->70')
whole | sed -e 's/\(emb.*\) 33x/\1 40x/' -e 's/5x7x3/5x9x3/' -e 's/48x65/48x70/' >larger.txt
kept make larger.safetensors larger <larger.txt
init --like larger.safetensors --rules r.json -o plain-larger.safetensors
init "${like[@]}" --keep old.safetensors "${resized[@]}" -o grown.safetensors
said '^kept: [0-9.]+ kB; 5 tensors copied, 4 resized, 4 drawn; 5,886 elements drawn$' # 336 + 30 + 480, and h.2 and head
# Of tensors that grow, only what is new counts: 2 x 48 x 5 of weights that are there, and a whole one.
said '^ +1 +3 +3,840 +variance_scaling.* +\*\.attn\.weight$'
said '^ +3 +1 +336 +xavier_normal +emb\.weight +emb\.weight$'
check_grown() {
  kept grown "$1" old.safetensors plain-larger.safetensors emb.weight 0
  kept grown "$1" old.safetensors plain-larger.safetensors conv.weight 1
  kept grown "$1" old.safetensors plain-larger.safetensors h.0.attn.weight 1
  kept same "$1" old.safetensors 'h.1.norm.weight'
  kept same "$1" plain-larger.safetensors 'h.2.*' # it grows too: its extent is that of the others
}
check_grown grown.safetensors
kept note grown.safetensors fanin.kept.conv.weight old.safetensors
python3 - <<'PYTHON'
import json, struct
data = open('grown.safetensors', 'rb').read()
notes = json.loads(data[8:8 + struct.unpack_from('<Q', data)[0]])['__metadata__']
assert notes['fanin.resized.conv.weight'] == '1:7->9 he_uniform:mode=fan_out', notes
assert notes['fanin.layout.conv.weight'] == 'OIW' and 'fanin.init.conv.weight' not in notes
PYTHON
"$FANIN" inspect grown.safetensors >said.txt || die "$(cat said.txt)"
said '^Tensors and parts whose initializer is named: 8 by the metadata, 9 by nothing \(13 tensors, of which 4 in parts\)$'
said '^conv\.weight\[:,0\.\.7\] .* not judged +~'
said '^conv\.weight\[:,7\.\.9\] .* holds +he_uniform:mode=fan_out$'
said '^emb\.weight\[33\.\.40\] .* holds +xavier_normal$'
said '^note: .*: not judged: kept from old\.safetensors \(so of 7 others\)$'
# spoiled NAME FIRST COUNT: the file with these of the tensor's numbers twice as large
spoiled() {
  python3 - "$@" <<'PYTHON'
import json, struct, sys
data = bytearray(open('grown.safetensors', 'rb').read())
length, = struct.unpack_from('<Q', data)
at = 8 + length + json.loads(data[8:8 + length])[sys.argv[1]]['data_offsets'][0] + 4 * int(sys.argv[2])
count = int(sys.argv[3])
struct.pack_into(f'<{count}f', data, at, *(2 * x for x in struct.unpack_from(f'<{count}f', data, at)))
open('spoiled.safetensors', 'wb').write(data)
PYTHON
}
spoiled emb.weight $((33 * 48)) $((7 * 48)) # what is new
"$FANIN" inspect spoiled.safetensors >said.txt && die "new rows of twice the std hold: $(cat said.txt)"
said '^emb\.weight\[33\.\.40\] .* fails: std'
spoiled emb.weight 0 $((33 * 48)) # what is kept
"$FANIN" inspect spoiled.safetensors >said.txt || die "$(cat said.txt)"
# A note that is none of this tensor: all of it is not judged.
for note in '0:33->41 normal' '1:33->40 normal' '0:40->40 normal' '0:0->40 normal' '0:33->40 norm' '0:33->40' '9:33->40 normal' x; do
  whole | sed -n 's/\(emb.*\) 33x/\1 40x/p' | kept make noted.safetensors noted fanin.kept.emb.weight=old.safetensors "fanin.resized.emb.weight=$note"
  "$FANIN" inspect noted.safetensors >said.txt || die "$(cat said.txt)"
  said "^note: emb\\.weight: not judged: kept from old\\.safetensors, but resized: $note$"
done
# The same where the list has the new shapes already, and of an orthogonal matrix, whose elements are made together.
init --like larger.safetensors --rules r.json --keep old.safetensors "${resized[@]}" -o grown2.safetensors
cmp grown.safetensors grown2.safetensors || die "another file where the list has the new shapes"
printf 'head.weight F32 20x48\n' | kept make head.safetensors head
init "${like[@]}" --keep head.safetensors --resize '*:0:20->33' -o grown3.safetensors
kept grown grown3.safetensors head.safetensors plain.safetensors head.weight 0
"$FANIN" inspect grown3.safetensors >said.txt || die "$(cat said.txt)"
said '^note: head\.weight\[20\.\.33\]: not judged: it is a part of matrices or lines that orthogonal makes as wholes'

# ---- By a model file; the files may be several, and one of them the base itself ----
cat >m.json <<'JSON'
{"tensors": [{"name": "head.weight", "shape": [33, 48], "layout": "OI", "init": "he_normal"},
             {"name": "emb.weight", "shape": [33, 48], "init": "normal"},
             {"name": "steps", "shape": [], "dtype": "f64", "init": "zeros"}]}
JSON
printf 'steps F64\n' | kept make steps.safetensors steps
printf 'emb.weight F32 33x48\n' | kept make emb.safetensors emb
init m.json -o m-plain.safetensors
init m.json --keep steps.safetensors --keep emb.safetensors --resize '*emb*:0:33->35' -o m.safetensors
said 'kept: 6.3 kB; 1 tensor copied, 1 resized, 1 drawn; 1,680 elements drawn$' # 33 x 48 + 2 x 48
kept same steps.safetensors m.safetensors
kept same m.safetensors m-plain.safetensors head.weight
kept note m.safetensors format pt
sed 's/33, 48\], "init/35, 48], "init/' m.json >m-larger.json
init m-larger.json -o m-larger.safetensors
kept grown m.safetensors emb.safetensors m-larger.safetensors emb.weight 0
init m-larger.json --keep steps.safetensors --keep emb.safetensors --resize '*emb*:0:33->35' -o m2.safetensors
cmp m.safetensors m2.safetensors || die "a model that has the new shape makes another file"
init --tensor emb.weight:f32::33x48 --init normal --tensor b:f32::9 --init ones --keep emb.safetensors -o t.safetensors
kept same emb.safetensors t.safetensors
init "${like[@]}" --keep base.safetensors -o copy.safetensors # everything is there
kept but base.safetensors copy.safetensors

# ---- Several files in and out ----
mkdir in out
whole | kept shards in base
whole | grep -v '^h\.1' | { mkdir old && kept shards old old; }
index=model.safetensors.index.json
init --like in/$index --rules r.json --keep old/$index -o out/$index
init --like in/$index --rules r.json --keep old/$index -o one.safetensors
[ "$(ls out)" = "$(ls in)" ] || die "not the same files: $(ls out)"
for k in 1 2; do
  kept same out/model-0000$k-of-00002.safetensors one.safetensors
  kept same old/model-0000$k-of-00002.safetensors one.safetensors
done
kept same one.safetensors plain.safetensors 'h.1.*'
kept note out/model-00001-of-00002.safetensors fanin.kept.h.0.attn.weight model-00001-of-00002.safetensors

# ---- Dtypes and shapes that fanin does not write, and tensors without elements ----
{
  printf '%s\n' 'half.weight F16 9' 'mask BOOL 7' 'packed F4 6' 'deep U8 1x2x1x2x1x2x1x2x1x3' 'w F64 5x3'
  printf '%s\n' 'empty F32 0x3' 'marker BOOL 2x0' 'deeper I32 1x1x1x1x1x1x1x1x0'
} | kept make odd.safetensors odd
cat >none.json <<'JSON'
{"rules": [{"match": "w", "layout": "OI", "init": "he_normal"}]}
JSON
printf '%s\n' 'half.weight F16 9' 'mask BOOL 7' 'packed F4 6' 'deep U8 1x2x1x2x1x2x1x2x1x3' | kept make odd-old.safetensors odd-old
init --like odd.safetensors --rules none.json --keep odd-old.safetensors -o odd-out.safetensors
kept same odd-old.safetensors odd-out.safetensors
kept same odd.safetensors odd-out.safetensors 'm*er'
kept same odd.safetensors odd-out.safetensors 'deeper'
kept note odd-out.safetensors fanin.kept.empty
"$FANIN" inspect odd-out.safetensors >said.txt || die "$(cat said.txt)"
printf '%s\n' 'w F64 5x3' 'empty F32 0x3' 'deeper I32 1x1x1x1x1x1x1x1x0' | kept make zero.safetensors zero
init --like zero.safetensors --rules none.json -o zero-out.safetensors # without --keep too
kept same zero.safetensors zero-out.safetensors '?[!x]*'
init --like zero.safetensors --rules none.json --explain
said '^empty +0x3 +f32 +- +- +nothing: it is empty'
refuse 2 "z.npy': a tensor that is copied goes to a .safetensors file" init --keep emb.safetensors -o z.npy --tensor emb.weight:f32::33x48 --init normal

# ---- Ties: the twin of what is kept gets its bytes; fans of what no rule takes ----
cat >tied.json <<'JSON'
{"rules": [{"match": "head.weight", "same_as": "emb.weight"}, {"match": "emb.weight", "init": "normal"},
           {"match": "b", "init": "zeros"}]}
JSON
printf '%s\n' 'emb.weight F32 33x48' 'head.weight F32 33x48' 'b F32 3' | kept make tied.safetensors tied
init --like tied.safetensors --rules tied.json --keep emb.safetensors -o tied-out.safetensors
kept same emb.safetensors tied-out.safetensors
python3 - "$SRC" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1] + '/tests/cli')
sys.dont_write_bytecode = True
import keep
notes, t = keep.read('tied-out.safetensors')
assert t['emb.weight'] == t['head.weight'] and notes['fanin.kept.head.weight'] == 'emb.safetensors'
PYTHON
init --like tied.safetensors --rules tied.json --keep emb.safetensors --resize '*:0:33->34' -o tied-grown.safetensors
"$FANIN" inspect tied-grown.safetensors >said.txt || die "$(cat said.txt)"
said '^head\.weight\[33\.\.34\] .* holds +normal$'
python3 - "$SRC" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1] + '/tests/cli')
sys.dont_write_bytecode = True
import keep
t = keep.read('tied-grown.safetensors')[1]
assert t['emb.weight'] == t['head.weight'] and t['emb.weight'][1] == [34, 48] and any(t['emb.weight'][2][-48 * 4:])
PYTHON
printf '%s\n' 'emb.weight BF16 33x48' | kept make emb16.safetensors emb
printf '%s\n' 'emb.weight BF16 33x48' 'head.weight F32 33x48' 'b F32 3' | kept make mixed.safetensors mixed
refuse 2 "same_as 'emb.weight', which is BF16 in emb16.safetensors, and would be F32" init --like mixed.safetensors --rules tied.json --keep emb16.safetensors -o z.safetensors
cat >fans.json <<'JSON'
{"rules": [{"match": "*.bias", "fans_of": ["bias", "weight"], "init": "uniform:lo=-1,hi=1", "scale": "fan_in"}]}
JSON
printf '%s\n' 'fc.weight F32 3x4' 'fc.bias F32 3' | kept make fc.safetensors fc
printf '%s\n' 'fc.weight F32 3x4' | kept make fc-old.safetensors fc
refuse 2 "tensor 'fc.bias': follows the fans of 'fc.weight', to which no rule gives a layout" init --like fc.safetensors --rules fans.json --keep fc-old.safetensors -o z.safetensors

# ---- Calibrated, values are no more those of the file that they were kept from ----
printf '%s\n' 'fc1.weight F32 16x16' 'fc2.weight F32 16x16' 'fc3.weight F32 16x16' | kept make mlp.safetensors mlp
printf '%s\n' 'fc1.weight F32 16x16' 'fc2.weight F32 16x16' | kept make mlp-old.safetensors mlp-old
init --like mlp.safetensors --keep mlp-old.safetensors -o mlp-kept.safetensors
kept note mlp-kept.safetensors fanin.kept.fc1.weight mlp-old.safetensors
"$FANIN" probe --weights mlp-kept.safetensors --activation tanh --calibrate -o mlp-calibrated.safetensors >said.txt
kept note mlp-calibrated.safetensors fanin.kept.fc1.weight

# ---- Larger than what passes through memory at once ----
printf '%s\n' 'a F16 6000001' 'b F16 1400x5000' 'c F16 5000000' | kept make large.safetensors large
printf '%s\n' 'a F16 6000001' 'b F16 600x5000' | kept make large-old.safetensors large-old
printf '{"rules": [{"match": "*", "init": "normal"}]}' >normal.json
init --like large.safetensors --rules normal.json -o large-plain.safetensors
init --like large.safetensors --rules normal.json --keep large-old.safetensors --resize 'b:0:600->1400' -o large-out.safetensors
kept same large-old.safetensors large-out.safetensors a
kept same large-plain.safetensors large-out.safetensors c
kept grown large-out.safetensors large-old.safetensors large-plain.safetensors b 0

# ---- Whole or not at all, and never onto an input ----
cp old.safetensors before.safetensors
large=(--like large.safetensors --rules normal.json --keep large-old.safetensors --resize 'b:0:600->1400')
SHIM_DISK=15000000 FANIN=$SHIMMED refuse 2 "No space left on device" init "${large[@]}" -o z.safetensors # in what is copied
SHIM_DISK=24000000 FANIN=$SHIMMED refuse 2 "No space left on device" init "${large[@]}" -o z.safetensors # in what is drawn
SHIM_FREE=35999999 FANIN=$SHIMMED refuse 2 "36.0 MB are to be written, and the disk has 36.0 MB free (36000002 and 35999999 bytes)" init "${large[@]}" -o z.safetensors
ln old.safetensors hard.safetensors
ln -s old.safetensors link.safetensors
for place in old.safetensors ./old.safetensors "$PWD/old.safetensors" hard.safetensors link.safetensors; do
  refuse 2 "-o '$place' would overwrite a file of --keep; write it elsewhere" init "${like[@]}" --keep old.safetensors -o "$place"
done
cmp old.safetensors before.safetensors || die "an input was changed"
refuse 2 "would overwrite the checkpoint of --like" init "${like[@]}" --keep old.safetensors -o base.safetensors
refuse 2 "would overwrite a file of --keep" init --like in/$index --rules r.json --keep old/$index -o old/$index
refuse 2 "would overwrite a file of --keep" init --like in/$index --rules r.json --keep old/$index -o old/model-00001-of-00002.safetensors
ln -s "$PWD/m.json" model.safetensors
refuse 2 "would overwrite the model file" init m.json -o model.safetensors
ln -s "$PWD/r.json" rules.safetensors
refuse 2 "would overwrite the file of --rules" init "${like[@]}" -o rules.safetensors

# ---- Refused ----
# wrong WORDS LIST OPTION...: files to be kept that do not fit.
wrong() {
  printf '%s\n' "$2" | kept make wrong.safetensors wrong
  refuse 2 "$1" init "${like[@]}" --keep wrong.safetensors -o z.safetensors "${@:3}"
}
wrong "tensor 'emb.weight' is F32 30x48 in wrong.safetensors, but F32 33x48 in the output; --resize 'emb.weight:0:30->33' keeps what is there and draws the rest" 'emb.weight F32 30x48'
wrong "tensor 'emb.weight' is F32 34x48 in wrong.safetensors, but F32 33x48 in the output; only whole tensors are kept" 'emb.weight F32 34x48'
wrong "only whole tensors are kept" 'emb.weight F32 30x40'
wrong "tensor 'emb.weight' is F32 33 in wrong.safetensors, but" 'emb.weight F32 33'
wrong "tensor 'emb.weight' is F16 33x48 in wrong.safetensors, but F32 33x48 in the output; nothing is converted" 'emb.weight F16 33x48'
wrong "tensor 'emb.weight' is F32 33x48 in wrong.safetensors, but BF16 33x48 in the output" 'emb.weight F32 33x48' --dtype bf16
wrong "--keep wrong.safetensors: the output has none of its tensors, 'model.emb.weight'; the names must be the same" 'model.emb.weight F32 33x48'
wrong "--resize 'head*:0:32->40': no tensor that matches has 32 in dimension 0" 'emb.weight F32 33x48' --resize 'head*:0:32->40'
wrong "--resize 'e*:0:33->40' and '*:0:33->41' both take tensor 'emb.weight'" 'emb.weight F32 33x48' --resize 'e*:0:33->40' --resize '*:0:33->41'
wrong "would be too large" 'emb.weight F32 33x48' --resize 'e*:0:33->9223372036854775807'
refuse 2 "base.safetensors and old.safetensors both have a tensor" init "${like[@]}" --keep base.safetensors --keep old.safetensors -o z.safetensors
refuse 2 "none.safetensors: cannot open it" init "${like[@]}" --keep none.safetensors -o z.safetensors
refuse 2 "--keep 'w.npy': the name must end in .safetensors or" init "${like[@]}" --keep w.npy -o z.safetensors
refuse 2 "--resize '*:0:1->2': goes with --keep FILE" init "${like[@]}" --resize '*:0:1->2' -o z.safetensors
for text in '' x 0:1-\>2 :0:1-\>2 'x:1->2' 'x:0:1' 'x:0:12' 'x:8:1->2' 'x:-1:1->2' 'x:0:0->2' 'x:0:1->' 'x:0:a->2' 'x:0:1->2->3'; do
  refuse 2 "--resize '$text': write PATTERN:DIMENSION:FROM->TO" init "${like[@]}" --keep old.safetensors --resize "$text" -o z.safetensors
done
refuse 2 "--resize 'x:0:5->4': 4 is not more than 5; tensors only grow" init "${like[@]}" --keep old.safetensors --resize 'x:0:5->4' -o z.safetensors
refuse 2 "--resize 'x:0:5->5': 5 is not more than 5" init "${like[@]}" --keep old.safetensors --resize 'x:0:5->5' -o z.safetensors
printf '{"rules": [{"match": "emb.weight", "skip": "no"}, {"match": "*", "init": "zeros"}]}' >skip.json
refuse 2 "tensor 'emb.weight': grows, and the rule skips it" init --like base.safetensors --rules skip.json --keep emb.safetensors --resize 'e*:0:33->34' -o z.safetensors
printf '{"rules": [{"match": "emb.weight", "dtype": "bf16", "init": "normal"}, {"match": "*", "init": "zeros"}]}' >bf16.json
refuse 2 "tensor 'emb.weight': is F32 in emb.safetensors, and its new part would be BF16" init --like base.safetensors --rules bf16.json --keep emb.safetensors --resize 'e*:0:33->34' -o z.safetensors
printf '{"rules": [{"match": "h*", "init": "zeros"}, {"match": "none", "init": "ones"}]}' >few.json
refuse 2 "no rule of few.json takes 1 of its 13 tensors: 'emb.weight'" init --like base.safetensors --rules few.json --keep old.safetensors --resize 'e*:0:33->34' -o z.safetensors
init --like base.safetensors --rules few.json --keep old.safetensors -o few.safetensors # skip and no rule matter only to what is drawn
said 'rules\[1\] \(none\) takes nothing'
kept same old.safetensors few.safetensors 'emb*'
init --like base.safetensors --rules skip.json --keep emb.safetensors -o skip.safetensors
kept same emb.safetensors skip.safetensors
# On the command line, --skip leaves out what is kept too, and a --rule that has nothing to draw is reported.
init "${like[@]}" --keep old.safetensors --skip 'conv.*' --rule 'emb*=zeros' --rule 'h*.bias=ones' -o out2.safetensors
said "note: 3 tensors of --keep are not in the output: ('conv.weight'|'extra.[ab]'|, )+$"
said "warning: --rule 'emb\*=zeros' takes nothing: what it matches is kept\$"
kept but out2.safetensors out2.safetensors
kept same out2.safetensors old.safetensors '[es][mt]*'
python3 -c 'assert b"conv.weight" not in open("out2.safetensors", "rb").read()'

# ---- Tensors whose parts have initializers of their own: parts that lie in what is kept say nothing of what is new ----
parts() { # parts PARTS: rules that give emb.weight these
  echo '{"rules": [{"match": "emb*", "init": "normal", "parts": ['"$1"']}, {"match": "*", "init": "zeros"}]}' >parts.json
}
grow=(--like base.safetensors --rules parts.json --keep old.safetensors --resize 'e*:0:33->40')
echo '{"rules": [{"match": "emb*", "init": "normal"}, {"match": "*", "init": "zeros"}]}' >no-parts.json
init --like larger.safetensors --rules no-parts.json -o plain-emb.safetensors
for range in 0 3..9 30..33; do
  parts '{"range": "'$range'", "init": "ones"}'
  init "${grow[@]}" -o parts.safetensors
  kept grown parts.safetensors old.safetensors plain-emb.safetensors emb.weight 0
  kept note parts.safetensors fanin.resized.emb.weight '0:33->40 normal'
  kept note parts.safetensors fanin.parts.emb.weight
  init "${grow[@]}" --explain
  said '^emb\.weight +40x48 +f32 +0 +1 +kept: old\.safetensors, but 0:33->40 normal$'
done
init "${grow[@]}" --explain --json
python3 -c 'import json; t = {e["name"]: e for e in json.load(open("said.txt"))["tensors"]}["emb.weight"]
assert "parts" not in t and t["init"] == "normal" and t["std"] == 1, t'
for range in 30..34 -1 39..; do
  parts '{"range": "0", "init": "zeros"}, {"range": "'$range'", "init": "ones"}'
  refuse 2 "of dimension 0 reaches into what is new; the new end has one initializer: parts of dimension 0 up to 33 are" init "${grow[@]}" -o z.safetensors
done
parts '{"range": "0", "dimension": 1, "init": "zeros"}'
refuse 2 "tensor 'emb.weight' grows in dimension 0, and its part 0..1 of dimension 1 reaches into what is new" init "${grow[@]}" -o z.safetensors

# ---- Blocks that a layout says: new elements would go behind the last one ----
printf '%s\n' 'qkv.weight F32 12x8' 'conv.weight F32 6x4x3' 'deconv.weight F32 6x4x3' | kept make fused.safetensors fused
blocks() { # blocks PATTERN LAYOUT RESIZE [FILE]: they grow by that rule
  init --like fused.safetensors --rule "$1=${2:+$2:}normal" --rule '*=zeros' --keep "${4:-fused.safetensors}" --resize "$3" -o blocks.safetensors
}
moved() { # moved WORDS PATTERN LAYOUT RESIZE [FILE]: they would not stay in their places
  refuse 2 "$1" init --like fused.safetensors --rule "$2=${3:+$3:}normal" --rule '*=zeros' --keep "${5:-fused.safetensors}" --resize "$4" -o z.safetensors
}
moved "tensor 'qkv.weight' grows in dimension 0, which its layout OI,splits=3 divides into 3 blocks" qkv.weight OI,splits=3 '*:0:12->24'
moved "grows in dimension 1, which its layout IO,splits=2 divides into 2 blocks" qkv.weight IO,splits=2 'qkv*:1:8->10'
moved "grows in dimension 0, which its layout OIW,groups=2 divides into 2 blocks" conv.weight OIW,groups=2 'conv*:0:6->8'
moved "divides into 6 blocks" conv.weight OIW,groups=2,splits=3 'conv*:0:6->12'
moved "grows in dimension 0, which its layout IOW,groups=3 divides into 3 blocks" deconv.weight IOW,groups=3 'deconv*:0:6->9'
blocks qkv.weight OI,splits=3 'qkv*:1:8->9'
blocks conv.weight OIW,groups=2 'conv*:1:4->5'
blocks deconv.weight IOW,groups=3 'deconv*:1:4->5'
for dimension in 0 1 2; do # each channel is a group of its own, and keeps its filters
  n=$(cut -d x -f $((dimension + 1)) <<<6x4x3)
  blocks deconv.weight WGO "deconv*:$dimension:$n->9"
done
blocks qkv.weight OI 'qkv*:0:12->24' # nobody says that it is fused
printf 'qkv.weight F32 12x8\n' | kept make noted.safetensors noted fanin.layout.qkv.weight=OI,splits=3
moved "which its layout OI,splits=3 in noted.safetensors divides into 3 blocks" qkv.weight '' '*:0:12->24' noted.safetensors
blocks qkv.weight '' 'qkv*:1:8->9' noted.safetensors
printf 'qkv.weight F32 12x8\n' | kept make noted.safetensors noted fanin.layout.qkv.weight=nonsense
blocks qkv.weight '' 'qkv*:0:12->24' noted.safetensors
printf 'w F32 12x8\n' | kept make w.safetensors w
refuse 2 "tensor 'w' grows in dimension 0, which its layout OI,splits=3 divides into 3 blocks" \
  init --tensor w:f32:OI,splits=3:24x8 --init normal --keep w.safetensors --resize 'w:0:12->24' -o z.safetensors

[ ! -e z.safetensors ] || die "z.safetensors was written"
[ -z "$(find . -name '*.fanin-*')" ] || die "left: $(find . -name '*.fanin-*')"
