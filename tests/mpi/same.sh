#!/usr/bin/env bash
# Whatever the ranks and the shares, fanin-mpi writes the file of 'fanin init'.
# shellcheck disable=SC2154 # scratch is common.bash's
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/mpi/common.bash"

cat >odd.json <<'JSON'
{"name": "odd", "tensors": [
  {"name": "scalar", "shape": [], "init": "normal:std=2"},
  {"name": "rows", "shape": [3, 41], "layout": "OI", "init": "he_normal"},
  {"name": "keras", "shape": [37, 13], "layout": "IO", "dtype": "f16", "init": "xavier_uniform"},
  {"name": "conv", "shape": [17, 5, 3, 3], "layout": "OIHW", "dtype": "bf16", "init": "he_uniform"},
  {"name": "hwio", "shape": [3, 3, 6, 11], "layout": "HWIO", "init": "lecun_normal"},
  {"name": "transposed", "shape": [12, 4, 3, 3], "layout": "IOHW", "groups": 2, "dtype": "f64", "init": "trunc_normal:std=0.02"},
  {"name": "stack", "shape": [5, 7, 9], "layout": "BOI", "init": "identity"},
  {"name": "dirac", "shape": [6, 3, 3], "layout": "OIW", "init": "dirac"},
  {"name": "bias", "shape": [1], "dtype": "f16", "init": "zeros"},
  {"name": "q", "shape": [19, 23], "layout": "OI", "init": "orthogonal"},
  {"name": "q.stack", "shape": [11, 6, 5], "layout": "BOI", "dtype": "bf16", "init": "orthogonal:gain=2"},
  {"name": "q.kv", "shape": [8, 30], "layout": "IO", "splits": 3, "init": "orthogonal"},
  {"name": "q.group", "shape": [12, 3, 3, 3], "layout": "OIHW", "groups": 4, "init": "orthogonal"},
  {"name": "depthwise", "shape": [3, 3, 23, 2], "layout": "HWGO", "init": "he_normal"},
  {"name": "q.depthwise", "shape": [3, 5, 11, 4], "layout": "HWGO", "init": "orthogonal"},
  {"name": "delta", "shape": [3, 3, 4, 8], "layout": "HWIO", "init": "delta_orthogonal"},
  {"name": "sparse", "shape": [31, 17], "layout": "OI", "init": "sparse:sparsity=0.5"},
  {"name": "hadamard", "shape": [7, 8], "layout": "OI", "init": "hadamard"},
  {"name": "gates", "shape": [148], "init": "normal", "parts": [{"range": "1/4..2/4", "init": "ones"}]},
  {"name": "pad", "shape": [29, 6], "dtype": "bf16", "init": "normal", "parts": [{"range": "0", "init": "zeros"}, {"range": "-2..", "init": "ones"}]},
  {"name": "columns", "shape": [3, 3, 6, 11], "layout": "HWIO", "init": "he_normal", "parts": [
    {"range": "3..7", "dimension": 3, "init": "he_uniform"}]},
  {"name": "q.half", "shape": [12, 10], "layout": "OI", "init": "orthogonal", "parts": [{"range": "1/2..", "init": "zeros"}]},
  {"name": "q.inside", "shape": [5, 6, 8], "layout": "BOI", "init": "normal", "parts": [
    {"range": "2..4", "dimension": 1, "init": "orthogonal"}]},
  {"name": "positions", "shape": [101, 34], "dtype": "bf16", "init": "sinusoidal"},
  {"name": "last", "shape": [1001], "init": "uniform:lo=-1,hi=1"}]}
JSON
"$FANIN" init odd.json -o one.safetensors --seed 7 >/dev/null

# same RANKS ARGUMENT...
same() {
  on "$@" || die "$*: $(cat "$scratch/err")"
  cmp one.safetensors shared.safetensors || die "$*: another file than fanin init's"
  rm shared.safetensors
}
odd=(odd.json -o shared.safetensors --seed 7)
for ranks in 1 2 3 5 8; do
  same $ranks "${odd[@]}"
  same $ranks "${odd[@]}" --shard dimension
done
same 3 "${odd[@]}" --shard range
same 8 "${odd[@]}" --shard range
same 5 "${odd[@]}" --shard dimension:I
same 3 "${odd[@]}" --shard dimension:W
same 4 "${odd[@]}" --shard dimension:G
[ "$(ls)" = $'odd.json\none.safetensors' ] || die "left: $(ls)"

# What it says of itself; --dtype, --tensor and npy; an old file's mode; a link.
"$FANIN" init --tensor w:f32:OI:30x70 --init he_normal --dtype f16 -o w.npy >/dev/null
touch old.npy
chmod 640 old.npy
ln -s old.npy link.npy
on 3 --tensor w:f32:OI:30x70 --init he_normal --dtype f16 -o link.npy || die "$(cat "$scratch/err")"
cmp w.npy old.npy || die "npy: another file"
if [ ! -L link.npy ] || [ "$(stat -c %a old.npy)" != 640 ]; then die "a link, or a mode, is lost: $(ls -l)"; fi
grep -qE '^link\.npy: 1 tensor, 2,100 parameters, 4\.2 kB, seed 0, in [0-9.]+ s on .' "$scratch/out" || die "$(cat "$scratch/out")"
grep -qE '^3 ranks on 1 node and 1 device, by range of the model; of rank 0.s programs 2 took a copy' "$scratch/out" ||
  die "$(cat "$scratch/out")"

# A checkpoint's tensors by rules.
echo '{"name": "all", "rules": [{"match": "*", "init": "normal:std=0.02"}]}' >rules.json
"$FANIN" init --like one.safetensors --rules rules.json -o like.safetensors >/dev/null
on 3 --like one.safetensors --rules rules.json -o shared.safetensors || die "--like: $(cat "$scratch/err")"
cmp like.safetensors shared.safetensors || die "--like: another file"

# Tensors without elements, which are written as they are, among others.
empty='{"a":{"dtype":"I64","shape":[0,3],"data_offsets":[0,0]},"b":{"dtype":"F32","shape":[7],"data_offsets":[0,28]},"c":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,0],"data_offsets":[28,28]}}'
{
  printf '%b' "$(printf '\\x%02x' $((${#empty} & 255)) $((${#empty} >> 8)) 0 0 0 0 0 0)"
  printf '%s' "$empty"
  head -c 28 /dev/zero
} >empty.safetensors
"$FANIN" init --like empty.safetensors --rules rules.json -o like.safetensors >/dev/null
for shard in model range dimension; do
  on 3 --like empty.safetensors --rules rules.json -o shared.safetensors --shard $shard || die "$shard: $(cat "$scratch/err")"
  cmp like.safetensors shared.safetensors || die "empty tensors, $shard: another file"
done

# Devices in turn, and ranks that have different ones.
export POCL_DEVICES="basic pthread"
on 3 --tensor w:f32:OI:30x70 --init he_normal --dtype f16 -o two.npy --device cpu || die "$(cat "$scratch/err")"
grep -q '^3 ranks on 1 node and 2 devices' "$scratch/out" || die "two devices: $(cat "$scratch/out")"
cmp w.npy two.npy || die "two devices: another file"
unset POCL_DEVICES

# A share of several pieces, by rows and by columns; a matrix with more stretches in the file than a piece may have.
cat >large.json <<'JSON'
{"tensors": [
  {"name": "w", "shape": [5003, 6007], "layout": "OI", "init": "he_normal"},
  {"name": "m", "shape": [17000, 12], "layout": "IO", "splits": 3, "init": "orthogonal"}]}
JSON
"$FANIN" init large.json -o one.safetensors >/dev/null
for shard in model dimension dimension:I; do
  same 2 large.json -o shared.safetensors --shard $shard
done
