#!/usr/bin/env bash
# 'fanin init --resize ...:around_mean': new rows have the bits that docs/stream.md says, the mean of the kept rows and a
# multiple of their covariance; and what has no such rows is refused.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
# shellcheck disable=SC1091
. "$SRC/tests/cli/init.bash"
have_python numpy || exit 0

helper() {
  PYTHONDONTWRITEBYTECODE=1 python3 "$SRC/tests/cli/around_mean.py" "$@"
}

# ---- Every dtype, to the bit; rows that are no whole vectors; no rule is asked ----
printf '%s\n' 'a.weight F32 33x47' 'b.weight F16 33x16' 'c.weight BF16 33x21' 'd.weight F64 33x5' 'e.weight F8_E4M3 33x9' \
  'f.weight F8_E5M2 33x9' 'g.bias F32 33' 'h.weight BF16 1x7' 'mystery F32 3' | helper make old.safetensors old
echo '{"rules": [{"match": "none", "init": "zeros"}]}' >none.json
like=(--like old.safetensors --rules none.json --keep old.safetensors)
for law in around_mean around_mean:scale=1 around_mean:scale=0 around_mean:scale=3e-5; do
  scale=${law#around_mean}
  scale=${scale#:scale=}
  init "${like[@]}" --resize "?.*:0:33->40:$law" --resize "h.*:0:1->3:$law" -o out.safetensors
  said '^kept: [0-9.]+ kB; 1 tensor copied, 8 resized, 0 drawn; 770 elements drawn$' # 7 (47 + 16 + 21 + 5 + 9 + 9 + 1) + 14
  for name in a.weight b.weight c.weight d.weight e.weight f.weight g.bias h.weight; do
    helper bits out.safetensors old.safetensors $name 0 "${scale:-1e-9}" 5
  done
  kept same old.safetensors out.safetensors mystery
done
# Other dimensions: what is new lies between what is kept, and the same normals are in each block.
printf '%s\n' 'a F32 5x33x3' 'b BF16 4x6x33' 'c F16 2x3x2x5' | helper make old3.safetensors old3
init --like old3.safetensors --keep old3.safetensors --resize '[ab]:1:33->40:around_mean:scale=0.5' --resize 'b:2:33->34:around_mean:scale=2' \
  --resize 'c:2:2->9:around_mean:scale=1' -o out3.safetensors
helper bits out3.safetensors old3.safetensors a 1 0.5 5
helper bits out3.safetensors old3.safetensors b 2 2 5
helper bits out3.safetensors old3.safetensors c 2 1 5

# ---- The law: 4,096 new rows, around 50 old ones ----
printf 'emb F32 50x8\n' | helper make law-old.safetensors law
init --like law-old.safetensors --keep law-old.safetensors --resize 'emb:0:50->4146:around_mean:scale=1' -o law.safetensors
helper law law.safetensors law-old.safetensors emb 1
init --like law-old.safetensors --keep law-old.safetensors --resize 'emb:0:50->4146:around_mean:scale=0.01' -o law.safetensors
helper law law.safetensors law-old.safetensors emb 0.01
# More new rows, and another number of others: the first ones are the same. Another seed: they are not.
init --like law-old.safetensors --keep law-old.safetensors --resize 'emb:0:50->55:around_mean:scale=0.01' -o few.safetensors
helper bits few.safetensors law-old.safetensors emb 0 0.01 5
"$FANIN" init --like law-old.safetensors --keep law-old.safetensors --resize 'emb:0:50->55:around_mean:scale=0.01' --seed 6 -o few6.safetensors >said.txt
helper bits few6.safetensors law-old.safetensors emb 0 0.01 6

# ---- More than memory has at once: rows, rows of sums, and normals ----
printf '%s\n' 'wide BF16 30x40000' 'long F32 2x2100x2' | helper make large-old.safetensors large
init --like large-old.safetensors --keep large-old.safetensors --resize 'wide:0:30->150:around_mean:scale=1' \
  --resize 'long:1:2100->4200:around_mean:scale=1' -o large.safetensors
helper bits large.safetensors large-old.safetensors wide 0 1 5
helper bits large.safetensors large-old.safetensors long 1 1 5

# ---- What is kept has the dtype of --dtype, not that of the list ----
printf '%s\n' 'c.weight F32 33x21' 'new F32 3' | helper make list.safetensors list
init --like list.safetensors --rule new=ones --keep old.safetensors --dtype bf16 --resize 'c*:0:33->40:around_mean' -o dtype.safetensors
helper bits dtype.safetensors old.safetensors c.weight 0 1e-9 5

# ---- Beside what is drawn and what grows by an initializer ----
printf '%s\n' 'emb.weight F32 33x48' 'h.weight F32 48x48' 'head.weight F32 33x48' | helper make base.safetensors base
printf '%s\n' 'emb.weight F32 33x48' 'head.weight F32 33x48' | helper make two.safetensors two
echo '{"rules": [{"match": "*", "layout": "OI", "init": "he_normal"}]}' >he.json
init --like base.safetensors --rules he.json -o plain.safetensors
init --like base.safetensors --rules he.json --keep two.safetensors --resize 'e*:0:33->40:around_mean:scale=1' --resize 'head*:0:33->40' -o mixed.safetensors
said '^kept: [0-9.]+ kB; 0 tensors copied, 2 resized, 1 drawn; 2,976 elements drawn$' # 2 x 7 x 48 + 48 x 48
said '^ +0 +2 +2,640 +he_normal'                                                     # of which 7 x 48 are of no rule
helper bits mixed.safetensors two.safetensors emb.weight 0 1 5
kept same plain.safetensors mixed.safetensors h.weight
printf 'head.weight F32 40x48\n' | helper make larger.safetensors larger
init --like larger.safetensors --rules he.json -o plain-larger.safetensors
kept grown mixed.safetensors two.safetensors plain-larger.safetensors head.weight 0

# ---- What is said ----
kept note mixed.safetensors fanin.kept.emb.weight two.safetensors
kept note mixed.safetensors fanin.resized.emb.weight '0:33->40 around_mean:scale=1'
kept note mixed.safetensors fanin.resized.head.weight '0:33->40 he_normal'
kept note mixed.safetensors fanin.layout.emb.weight OI
kept note mixed.safetensors fanin.init.emb.weight
init "${like[@]}" --resize '*.weight:0:33->40:around_mean' -o noted.safetensors
kept note noted.safetensors fanin.resized.a.weight '0:33->40 around_mean:scale=1e-09'
init "${like[@]}" --resize 'a*:0:33->40:around_mean:scale=0.1' --explain
said '^a\.weight +40x47 +f32 +- +- +kept: old\.safetensors, but 0:33->40 around_mean:scale=0\.1$'
init "${like[@]}" --resize 'a*:0:33->40:around_mean:scale=0.1' --explain --json
python3 - <<'PYTHON'
import json
t = {entry['name']: entry for entry in json.load(open('said.txt'))['tensors']}
assert t['a.weight'] == {'name': 'a.weight', 'dtype': 'f32', 'shape': [40, 47], 'kept': 'old.safetensors', 'resized': '0:33->40',
                         'init': 'around_mean:scale=0.1'}, t['a.weight']
PYTHON
"$FANIN" inspect mixed.safetensors >said.txt || die "$(cat said.txt)"
said '^note: emb\.weight: not judged: kept from two\.safetensors, but resized: 0:33->40 around_mean:scale=1 \(what is new follows from what was kept\)$'
said '^head\.weight\[33\.\.40\] .* holds +he_normal$'

# ---- By a model file, whose initializer and parts are not asked; files in and out; a list that has the new shape ----
cat >m.json <<'JSON'
{"tensors": [{"name": "emb.weight", "shape": [33, 48], "init": "normal", "parts": [{"range": "-1", "init": "zeros"}]},
             {"name": "b", "shape": [9], "init": "zeros"}]}
JSON
init m.json --keep two.safetensors --resize 'e*:0:33->40:around_mean:scale=1' -o m.safetensors
helper bits m.safetensors two.safetensors emb.weight 0 1 5
init m.json --keep two.safetensors --resize 'e*:0:33->40:around_mean:scale=1' --explain
said '^emb\.weight +40x48 +f32 +- +kept: two\.safetensors, but 0:33->40 around_mean:scale=1$'
init --tensor emb.weight:f32::40x48 --init normal --keep two.safetensors --resize 'e*:0:33->40:around_mean' -o t.safetensors
helper bits t.safetensors two.safetensors emb.weight 0 1e-9 5
mkdir in old out
index=model.safetensors.index.json
printf '%s\n' 'emb.weight F32 33x48' 'h.weight F32 48x48' 'head.weight F32 33x48' | kept shards in base
printf '%s\n' 'emb.weight F32 33x48' 'head.weight F32 33x48' | kept shards old old
init --like in/$index --rules he.json --keep old/$index --resize '*:0:33->40:around_mean:scale=1' -o out/$index
init --like in/$index --rules he.json --keep old/$index --resize '*:0:33->40:around_mean:scale=1' -o one.safetensors
for k in 1 2; do
  kept same out/model-0000$k-of-00002.safetensors one.safetensors
done
helper bits one.safetensors old/model-00002-of-00002.safetensors head.weight 0 1 5

# ---- Ties: the same new rows, whether a file has both tensors or one ----
cat >tied.json <<'JSON'
{"rules": [{"match": "head.weight", "same_as": "emb.weight"}, {"match": "*", "init": "normal"}]}
JSON
printf '%s\n' 'emb.weight F32 33x48' | helper make emb.safetensors emb
tied=(--like two.safetensors --rules tied.json --resize '*:0:33->40:around_mean:scale=1')
init "${tied[@]}" --keep emb.safetensors -o tied.safetensors
helper bits tied.safetensors emb.safetensors emb.weight 0 1 5
helper tied tied.safetensors emb.weight head.weight
kept note tied.safetensors fanin.key.head.weight emb.weight
init "${tied[@]}" --keep two.safetensors -o tied2.safetensors # both are there, and differ: the normals are the same
helper bits tied2.safetensors two.safetensors head.weight 0 1 5 emb.weight

# ---- Blocks that a layout says, and layouts that stay ----
printf 'qkv.weight F32 12x8\n' | kept make noted.safetensors noted fanin.layout.qkv.weight=OI,splits=3
refuse 2 "which its layout OI,splits=3 in noted.safetensors divides into 3 blocks" \
  init --like noted.safetensors --rules none.json --keep noted.safetensors --resize 'q*:0:12->15:around_mean' -o z.safetensors
refuse 2 "tensor 'qkv.weight' grows in dimension 0, which its layout OI,splits=2 divides into 2 blocks" \
  init --like noted.safetensors --rule 'q*=OI,splits=2:zeros' --keep noted.safetensors --resize 'q*:0:12->14:around_mean' -o z.safetensors
init --like noted.safetensors --rules none.json --keep noted.safetensors --resize 'q*:1:8->9:around_mean' -o noted-out.safetensors
kept note noted-out.safetensors fanin.layout.qkv.weight OI,splits=3
printf '{"rules": [{"match": "*", "skip": "no"}]}' >skip.json
init --like two.safetensors --rules skip.json --keep two.safetensors --resize 'e*:0:33->34:around_mean' -o skipped.safetensors
helper bits skipped.safetensors two.safetensors emb.weight 0 1e-9 5

# ---- Refused ----
for text in :around :around_mea :around_mean: :around_means :normal : :around_mean:scale :around_mean:scale= :around_mean:scale=x \
  :around_mean:scale=-1 :around_mean:scale=nan :around_mean:scale=inf :around_mean:scale=1,scale=1 :around_mean:std=1; do
  refuse 2 "--resize 'a:0:1->2$text': '$text' says nothing of what is new; behind TO, ':around_mean' and ':around_mean:scale=S' are accepted, S a finite number of at least 0" \
    init "${like[@]}" --resize "a:0:1->2$text" -o z.safetensors
done
refuse 2 "--resize 'h*:0:48->50:around_mean': no file of --keep has tensor 'h.weight', so that there are no rows" \
  init --like base.safetensors --rules he.json --keep two.safetensors --resize 'h*:0:48->50:around_mean' -o z.safetensors
refuse 2 "no file of --keep has tensor 'h.weight'" init --like base.safetensors --rules he.json --keep two.safetensors \
  --resize 'e*:0:33->40:around_mean' --resize 'h*:0:48->50:around_mean' --explain
printf 'b F32 9\n' | helper make b.safetensors b
refuse 2 "no file of --keep has tensor 'emb.weight'" init m.json --keep b.safetensors --resize 'e*:0:33->40:around_mean' -o z.safetensors
printf '%s\n' 'ids I32 9x3' 'mask BOOL 9' 'deep F32 9x1x1x1x1x1x1x1x1' "wide F8_E5M2 2x$(((1 << 22) + 1))" | helper make odd.safetensors odd
odd() { # odd WORDS RESIZE
  refuse 2 "$1" init --like odd.safetensors --rules none.json --keep odd.safetensors --resize "$2" -o z.safetensors
  refuse 2 "$1" init --like odd.safetensors --rules none.json --keep odd.safetensors --resize "$2" --explain
}
odd "tensor 'ids' is I32 in odd.safetensors; rows of f32, f16, bf16, f64, f8_e4m3, f8_e5m2 are drawn around their mean" 'ids:0:9->10:around_mean'
odd "tensor 'mask' is BOOL in odd.safetensors" 'mask:0:9->10:around_mean'
odd "tensor 'deep' has 9 dimensions; of at most 8, rows are drawn around their mean" 'deep:0:9->10:around_mean'
odd "tensor 'wide' has rows of 4194305 elements behind dimension 0; of at most 4194304" 'wide:0:2->3:around_mean'
# spoiled DTYPE PLACE=VALUE: one number of 33 x 5 that is not finite
spoiled() {
  printf 'a F32 3\nw %s 33x5 %s\n' "$1" "$2" | helper make spoiled.safetensors spoiled
  refuse 2 "tensor 'w' of spoiled.safetensors: row $3 of dimension 0 has a number that is not finite" \
    init --like spoiled.safetensors --rules none.json --keep spoiled.safetensors --resize 'w:0:33->34:around_mean:scale=0' -o z.safetensors
}
spoiled F32 0=nan 0
spoiled F32 164=inf 32
spoiled F16 24=-inf 4
spoiled BF16 7=inf 1
spoiled F64 25=nan 5
for dtype in F16:1e12 F32:1e90 BF16:1e90 F8_E5M2:1e12 F64:1e308; do
  printf 'w %s 33x5 0=1 1=-1\n' "${dtype%:*}" | helper make over.safetensors over
  [ "$dtype" != F64:1e308 ] || printf 'w F64 33x5 0=1e308 5=1e308\n' | helper make over.safetensors over
  refuse 2 "tensor 'w': new row 33 would have the number " \
    init --like over.safetensors --keep over.safetensors --resize "w:0:33->34:around_mean:scale=${dtype#*:}" -o z.safetensors
done

# ---- Whole or not at all ----
SHIM_BUFFER=100 FANIN=$SHIMMED refuse 3 clCreateBuffer init "${like[@]}" --resize 'a*:0:33->40:around_mean' -o z.safetensors
SHIM_DISK=3000000 FANIN=$SHIMMED refuse 2 "No space left on device" init --like large-old.safetensors --keep large-old.safetensors \
  --resize 'wide:0:30->150:around_mean' -o z.safetensors # 2.4 MB are copied, and the rest is new

[ ! -e z.safetensors ] || die "z.safetensors was written"
[ -z "$(find . -name '*.fanin-*')" ] || die "left: $(find . -name '*.fanin-*')"
