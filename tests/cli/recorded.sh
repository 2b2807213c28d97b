#!/usr/bin/env bash
# What every command says and writes on fixed inputs, as it was before the tree was rebuilt: tests/data/recorded/*.txt.
# A difference means that an output has changed.
#
# FANIN_RECORD=1 in the environment writes the expected files anew ('FANIN_RECORD=1 ./run test recorded'); read what
# 'git diff' says of them, and commit them.
#
# What depends on the machine is replaced: names of devices, times, memory, the version, and what a probe measures (the
# last digits are the device's functions'). JSON numbers are rounded to 5 digits where C's library has a part in them, and what
# 'fanin inspect' measures is compared with a tolerance: see measured(). FANIN_RAW=DIR
# also writes the outputs to DIR with every digit, and digests of calibrated weights, so that two builds
# on one machine can be compared completely: 'diff -r' of their directories shows nothing.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
export LC_ALL=C

expected=$SRC/tests/data/recorded
said=${scratch:?}/said raw=$scratch/raw
mkdir "$said" "$raw"
cp "$SRC/share/models/lenet-300-100.json" "$SRC/share/data/digits.csv" .

# ---- Filters: from what is said to what is recorded --------------------------------------------------------------------

# plain: without names of devices, times and versions.
plain() {
  sed -E -e 's/, in [^,]* on .*/, in TIME on DEVICE/' -e 's/^(! )?(Measured on|Device:) .*/\1\2 DEVICE/' \
    -e 's/"device": "[^"]*"/"device": "DEVICE"/' -e 's/by index, .*/by index, DEVICES/' \
    -e 's/by fanin [0-9.]+/by fanin VERSION/' -e 's/^fanin [0-9.]+ /fanin VERSION /' \
    -e 's/("fanin\.version": ?)"[^"]*"/\1"VERSION"/'
}

# rounded: JSON, numbers to 5 digits, and 0 for what only rounding keeps from it.
rounded() {
  plain | awk '
    match($0, / -?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?,?$/) && substr($0, RSTART) ~ /[.e]/ {
      x = substr($0, RSTART + 1) + 0
      $0 = sprintf("%s %s%s", substr($0, 1, RSTART - 1), x < 1e-12 && x > -1e-12 ? "0" : sprintf("%.5g", x), /,$/ ? "," : "")
    }
    { print }'
}

# What of a probe is its configuration or theory and depends on no measurement; \1 in JSON, a title in CSV.
fixed='layer|fan_in|fan_out|batch|slope|bias_std|target|tolerance|n_tests|z_bound|[a-z_]*_expected|[a-z_]*_meanfield'

# probe_json: '#' for other numbers than those.
probe_json() {
  rounded | sed -E "/\"($fixed)\": /!s/(\"[a-z0-9_]+\": )-?[0-9][-+.e0-9]*/\\1#/"
}

# probe_csv: the same.
probe_csv() {
  awk -F, -v fixed="^($fixed)\$" '
    BEGIN { OFS = "," }
    /^init,/ { for (k = 1; k <= NF; k++) keep[k] = $k ~ fixed }
    /^"/ { for (k = 2; k <= NF; k++) if ($k != "") $k = keep[k] ? sprintf("%.5g", $k) : "#" }
    { print }'
}

# probe_text: '#' for the numbers of a table's rows, but for the layer and its fans, and for fractions in sentences that
# are not theory; blanks, which follow the numbers' widths, squeezed.
probe_text() {
  plain | sed -E 's/ +/ /g; s/ $//' | awk '
    /^ ?[0-9]+ [0-9]+ [0-9]+ / { from = 4 }
    /^(he|xavier|lecun)_[a-z_]+ (yes|no) / { from = 4 }
    from { for (k = from; k <= NF; k++) if ($k ~ /^[-+]?[0-9][-+.e0-9]*$/) $k = "#"; from = 0 }
    /^(! )?([A-Z0-9_]+, layer|DOES NOT CONFORM)/ && !/by theory/ { gsub(/-?[0-9]+\.[0-9]+(e[-+]?[0-9]+)?/, "#") }
    { print }'
}

# keys: JSON without its values, and of a list of objects the first.
keys() {
  sed -E -e '/^    \}/q' | sed -E 's/: .*[^{[,],?$/: #/'
}

# titles: a table's line of titles, and the first two words of its rows.
titles() {
  plain | sed -E 's/ +/ /g' | awk '/^(#|case) / { print; next } /^[a-z]/ { print $1, $2 }'
}

# first_line: without the devices that there are.
first_line() {
  head -1 | sed -E 's/ +/ /g'
}

# ---- Recording -----------------------------------------------------------------------------------------------------------

# chapter NAME: what follows is recorded in NAME.txt.
chapter() {
  file=$1.txt
}

# timeless: every digit, but no times.
timeless() {
  sed -E -e 's/, in [^,]* on /, in TIME on /' -e '/_seconds": /d'
}

# note FILTER TITLE COMMAND...: the title, then what the command prints, through the filter.
note() {
  local filter=$1 title=$2
  shift 2
  "$@" >"$scratch/noted"
  { echo && echo "$title" && timeless <"$scratch/noted"; } >>"$raw/$file"
  { echo && echo "$title" && "$filter" <"$scratch/noted"; } >>"$said/$file"
}

# both_outputs ARGUMENT...: what fanin says on standard output, then on standard error after '! ', then its status.
both_outputs() {
  local status=0
  "$FANIN" "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
  cat "$scratch/out"
  sed 's/^/! /' "$scratch/err"
  [ $status = 0 ] || echo "status $status"
}

# says FILTER ARGUMENT...: a run of fanin.
says() {
  local filter=$1
  shift
  note "$filter" "${COLUMNS:+COLUMNS=$COLUMNS }\$ fanin $*" both_outputs "$@"
}

# at COLUMNS FILTER ARGUMENT...: for a terminal of that width.
at() {
  COLUMNS=$1 says "${@:2}"
}

# raw_only COMMAND...: nothing of it is recorded.
raw_only() {
  local kept=$said
  said=$scratch/ignored
  mkdir -p "$said"
  "$@"
  said=$kept
}

# header FILE: a .safetensors file's JSON, a line for each entry.
header() {
  head -c $((8 + $(od -An -tu8 -N8 "$1"))) "$1" | tail -c +9 | sed -E 's/,"/,\n"/g; s/ +$//'
  echo
}

# npy_header FILE: its text.
npy_header() {
  head -1 "$1" | tail -c +11
}

# digests FILE...: of a .safetensors file, of its header (without the version) and of its data; of another file, of all.
digests() {
  local one
  for one; do
    if [[ $one = *.safetensors ]]; then
      echo "$one: header $(header "$one" | plain | sha256sum | cut -c-32)," \
        "data $(tail -c +$((9 + $(od -An -tu8 -N8 "$one"))) "$one" | sha256sum | cut -c-32)"
    else
      echo "$one: $(sha256sum <"$one" | cut -c-32)"
    fi
  done
}

# wrote FILE...: their digests. wrote_all FILE: a header as it is, too.
wrote() {
  note plain "digests" digests "$@"
}
wrote_all() {
  note plain "header of $1" header "$1"
  wrote "$1"
}

# ---- Inputs --------------------------------------------------------------------------------------------------------------

# pack OUT METADATA TENSOR...: a .safetensors file of NAME:DTYPE:SHAPE:BYTES:FILE, the last BYTES of FILE, or a hole where
# that is empty. METADATA is JSON, or empty.
pack() {
  local out=$1 json=${2:+,\"__metadata__\":$2} tensor name dtype shape bytes source end=0
  shift 2
  for tensor; do
    IFS=: read -r name dtype shape bytes source <<<"$tensor"
    json+=",\"$name\":{\"dtype\":\"$dtype\",\"shape\":[$shape],\"data_offsets\":[$end,$((end + bytes))]}"
    end=$((end + bytes))
  done
  json="{${json#,}}"
  while [ $((${#json} % 8)) != 0 ]; do json+=' '; done
  # shellcheck disable=SC2059
  printf "$(printf '\\x%02x' $((${#json} & 255)) $((${#json} >> 8 & 255)) $((${#json} >> 16)) 0 0 0 0 0)" >"$out"
  printf '%s' "$json" >>"$out"
  for tensor; do
    IFS=: read -r name dtype shape bytes source <<<"$tensor"
    if [ -n "$source" ]; then tail -c "$bytes" "$source" >>"$out"; else truncate -s "+$bytes" "$out"; fi
  done
}

# checkpoint LIST OUT [DIVISOR]: the tensors of tests/data/checkpoints/LIST.csv, their data a hole; sizes from 64 on are
# divided.
checkpoint() {
  local tensors
  mapfile -t tensors < <(awk -F, -v divisor="${3:-1}" '
    BEGIN { size["I64"] = 8; size["F32"] = 4; size["F16"] = size["BF16"] = 2; size["BOOL"] = 1 }
    NR == 1 { next }
    {
      bytes = size[$2]
      shape = ""
      n = split($3, d, "x")
      for (k = 1; k <= n; k++) {
        if (d[k] >= 64) d[k] = int(d[k] / divisor)
        bytes *= d[k]
        shape = shape (k > 1 ? "," : "") d[k]
      }
      printf "%s:%s:%s:%.0f:\n", $1, $2, shape, bytes
    }' "$SRC/tests/data/checkpoints/$1.csv")
  pack "$2" '' "${tensors[@]}"
}

# ---- Help and lists ------------------------------------------------------------------------------------------------------

chapter help
says plain --help
says plain --version
says plain
says plain help
for command in devices list init inspect probe bench selftest; do
  says plain $command --help
  says plain $command --usage
  says plain help $command
done
says plain help nothing

chapter list
says plain list
says plain list --json
at 60 plain list

# ---- Devices and bench: only what they have to say ----
chapter machine
says first_line devices
says keys devices --json
says titles bench --size 64K --runs 1 --only '^(uniform|strided_256) f32'
says keys bench --size 64K --runs 1 --only '^uniform f32' --json

# ---- init ----------------------------------------------------------------------------------------------------------------

cat >all.json <<'JSON'
{"name": "all", "defaults": {"init": "zeros"}, "tensors": [
  {"name": "zeros", "shape": [7]}, {"name": "ones", "shape": [3, 1], "init": "ones"},
  {"name": "constant", "shape": [65], "init": "constant:value=0.1"}, {"name": "scalar", "shape": [], "init": "normal"},
  {"name": "uniform", "shape": [4097], "init": "uniform:lo=-0.3,hi=0.7"},
  {"name": "normal", "shape": [40001], "init": "normal:mean=5,std=0.01"},
  {"name": "cut", "shape": [40001], "init": "trunc_normal:mean=1,std=0.02,a=-0.5,b=3"},
  {"name": "tail", "shape": [4001], "init": "trunc_normal:a=2.5,b=inf,corrected=false"},
  {"name": "xavier_uniform", "shape": [300, 77], "layout": "OI", "init": "xavier_uniform:gain=tanh"},
  {"name": "xavier_normal", "shape": [77, 300], "layout": "IO", "splits": 3, "init": "xavier_normal:distribution=trunc_normal"},
  {"name": "he_uniform", "shape": [64, 8, 3, 3], "layout": "OIHW", "groups": 4, "init": "he_uniform:mode=fan_out"},
  {"name": "transposed", "shape": [8, 6, 3, 5], "layout": "IOHW", "groups": 2, "init": "he_normal"},
  {"name": "he_normal", "shape": [5, 100, 30], "layout": "BOI", "init": "he_normal:a=0.2"},
  {"name": "lecun_uniform", "shape": [3, 3, 16, 33], "layout": "HWIO", "init": "lecun_uniform"},
  {"name": "lecun_normal", "shape": [33, 65], "layout": "OI", "init": "lecun_normal"},
  {"name": "scaling", "shape": [65, 33], "layout": "OI", "init": "variance_scaling:scale=2,mode=fan_geo,distribution=uniform"},
  {"name": "identity", "shape": [65, 33], "layout": "OI", "init": "identity:gain=0.1"},
  {"name": "dirac", "shape": [8, 4, 3, 3], "layout": "OIHW", "groups": 2, "init": "dirac"},
  {"repeat": {"i": [0, 2]}, "tensors": [
    {"name": "h.{i}.w", "shape": [33, 11], "layout": "OI", "init": "pytorch_default"},
    {"name": "h.{i}.b", "shape": [33], "dtype": "bf16"}]},
  {"name": "sparse", "shape": [500, 300], "layout": "OI", "init": "sparse:sparsity=0.9,std=0.1"},
  {"name": "martens", "shape": [4, 100, 300], "layout": "BOI", "init": "sparse:per=output,connections=15,std=1"},
  {"name": "bilinear", "shape": [6, 3, 4, 5], "layout": "OIHW", "groups": 2, "init": "bilinear:gain=2"},
  {"name": "hadamard", "shape": [65, 33], "layout": "OI", "init": "hadamard"}]}
JSON

chapter init
says plain init lenet-300-100.json -o lenet.safetensors --seed 42
wrote_all lenet.safetensors
says plain init lenet-300-100.json -o lenet.safetensors --seed 0xffffffffffffffff --dtype bf16
wrote lenet.safetensors
says plain init all.json -o all.safetensors
wrote_all all.safetensors
for dtype in f16 bf16 f64; do
  says plain init all.json -o all.safetensors --dtype $dtype
  wrote all.safetensors
done
says plain init --tensor w:f32:OI:33x65 --init he_normal -o w.npy
wrote w.npy
note plain "header of w.npy" npy_header w.npy
says plain init --tensor c:bf16:OIHW,groups=3:9x5x3x3 --init he_normal:mode=fan_out --tensor b:f16::9 --init zeros \
  --tensor s:f64::5 --init normal -o c.safetensors --seed 7
wrote_all c.safetensors
says plain init --tensor f:f16:IO,splits=3:13x33 --init xavier_uniform -o f.npy
wrote f.npy
says plain init --tensor o:f32:OI:200x90 --init orthogonal --tensor d:f64:OIHW:9x7x3x3 --init delta_orthogonal \
  -o o.safetensors
wrote o.safetensors

# ---- init --like: each set of rules, on names and shapes of real models; then their values, smaller ----
chapter like
# A model's blocks are alike, and the output is long: without the blocks' numbers, each line once and how often it is
# there. The digest is of all of it.
blocks() {
  plain | tee "$scratch/whole" | sed -E 's/\.[0-9]+\./.N./g; s/_[0-9]+\./_N./g; s/ +/ /g' |
    awk '!seen[$0]++ { order[++n] = $0 } END { for (k = 1; k <= n; k++) printf "%4d %s\n", seen[order[k]], order[k] }'
  echo "digest of all lines: $(sha256sum <"$scratch/whole" | cut -c-32)"
}
for pair in gpt2:gpt2 t5-small:t5 t5-v1_1-small:t5 resnet50:resnet vit:vit vit-torchvision:vit vit-timm:vit llama:llama \
  pytorch:pytorch; do
  list=${pair%:*} rules=${pair#*:} divisor=16
  [ "$list" != pytorch ] || divisor=1
  checkpoint "$list" "$list.safetensors"
  says blocks init --like "$list.safetensors" --rules "$rules" --explain
  checkpoint "$list" "$list.safetensors" $divisor
  says blocks init --like "$list.safetensors" --rules "$rules" -o made.safetensors --seed 5
  wrote made.safetensors
  rm "$list.safetensors"
done

# Rules of our own: integers, ties, values, conditions, schemes.
pack x.safetensors '{"format":"pt"}' a.w:F32:6,400:9600: tied.w:F32:6,400:9600: steps:I64::8: ids:I32:3:12: half.w:F16:5:10: \
  mask:BOOL:7:7: odd.w:BF16:3:6:
cat >r.json <<'JSON'
{"values": {"n": {"count": "*.w"}, "rows": {"size": ["a.*", 0]}, "c": 0.5, "given": null},
 "rules": [
  {"match": "mask", "stored_dtype": ["U8", "BOOL"], "skip": "made by the code"},
  {"match": "*", "stored_dtype": ["I64", "I32"], "init": "zeros"},
  {"match": "tied.w", "same_as": "a.w"},
  {"match": "*.w", "shape": [6, null], "layout": "OI", "init": "he_normal", "scale": ["times:factor={c}", "residual:layers={n},branches={rows}"]},
  {"match": ["half.w", "none"], "rank": 1, "init": "constant:value={given}"},
  {"match": "*.w", "rank": 1, "init": "normal:std={n}"}]}
JSON
chapter rules
says plain init --like x.safetensors --rules r.json --set given=1.5 --explain
says rounded init --like x.safetensors --rules r.json --set given=1.5 --explain --json
at 80 plain init --like x.safetensors --rules r.json --set given=1.5 --set n=9 --dtype f64 --explain
says plain init --like x.safetensors --rules r.json --set given=1.5 -o y.safetensors --seed 3
wrote_all y.safetensors
says plain init --like x.safetensors --rules r.json --explain
says plain init --like x.safetensors --explain
mkdir hub out
pack hub/model-1.safetensors '{"format":"pt"}' h.0.weight:F32:20,10:800: h.0.bias:F32:20:80:
pack hub/model-2.safetensors '{"format":"pt"}' h.1.weight:F16:10,20:400: h.1.bias:F16:10:20:
cat >hub/model.safetensors.index.json <<'JSON'
{"metadata": {"total_size": 1300}, "weight_map": {
  "h.0.weight": "model-1.safetensors", "h.0.bias": "model-1.safetensors",
  "h.1.weight": "model-2.safetensors", "h.1.bias": "model-2.safetensors"}}
JSON
says plain init --like hub/model.safetensors.index.json -o out/model.safetensors.index.json
wrote out/model-1.safetensors out/model-2.safetensors
note plain "index" cat out/model.safetensors.index.json

# ---- inspect -------------------------------------------------------------------------------------------------------------

chapter inspect
"$FANIN" init lenet-300-100.json -o lenet.safetensors --seed 42 >lenet.txt
"$FANIN" init all.json -o all.safetensors >all.txt
"$FANIN" init all.json -o all16.safetensors --dtype bf16 --seed 3 >all.txt
"$FANIN" init --tensor n:f32::40000 --init normal:std=0.02 -o n.npy >n.txt
"$FANIN" init --tensor u:f32:OI:200x120 --init pytorch_default -o u.npy >u.txt
"$FANIN" init --tensor t:f64::5000 --init trunc_normal:std=0.5 -o t.npy >t.txt
says plain inspect lenet.safetensors
for columns in 60 80 120; do
  at $columns plain inspect lenet.safetensors
done
says plain inspect all.safetensors
says plain inspect all16.safetensors
says plain inspect n.npy
says plain inspect y.safetensors
says rounded inspect n.npy --json

# Files that others wrote: no metadata, integers, an empty tensor, ties, equal rows.
pack other.safetensors '' n:F32:200,200:160000:n.npy u:F32:200,120:96000:u.npy t:F64:5000:40000:t.npy z:I32:100:400: \
  none:F16:0,5:0: bias:F32:200:800: same:F32:200,120:96000:u.npy
says plain inspect other.safetensors
says rounded inspect other.safetensors --json
pack half.npy.safetensors '' part:F32:100,120:48000:u.npy
pack rows.safetensors '' "twice:F32:200,120:96000:" # zeros where a law would be expected
says plain inspect half.npy.safetensors
says plain inspect rows.safetensors

# A file that was changed: not a number, a value out of bounds, another scale than its metadata says.
cp lenet.safetensors nan.safetensors
printf '\0\0\300\177' | dd of=nan.safetensors bs=1 seek=$(($(stat -c %s nan.safetensors) - 4)) conv=notrunc status=none
says plain inspect nan.safetensors
pack wrong.safetensors '{"fanin.init.w":"he_normal","fanin.layout.w":"IO","fanin.init.n":"normal:std=0.021","fanin.seed":"0"}' \
  w:F32:200,120:96000:u.npy n:F32:40000:160000:n.npy
says plain inspect wrong.safetensors
says rounded inspect wrong.safetensors --json

# ---- probe: structure, verdicts and theory -------------------------------------------------------------------------------

chapter probe
says probe_text probe --mlp 64,100,50,10
says probe_json probe --mlp 64,100,50,10 --json
says probe_csv probe --mlp 64,100,50,10 --csv -
says probe_text probe --mlp 64,40,40,10 --activation tanh --init he_normal --init xavier_normal
says probe_text probe --mlp 64,40,40,10 --norm layer --residual --bias-std 0.1 --dtype bf16 --seed 5
at 80 probe_text probe --mlp 64,40,40,10 --norm batch --activation leaky_relu --slope 0.2
says probe_json probe --mlp 64,40,40,10 --norm batch --activation gelu --residual --bias-std 0.1 --json
says probe_text probe --mlp 64,40,10 --input digits.csv --batch 100
says probe_text probe --mlp 8,8,8,8,8,8,8 --init zeros
says probe_text probe --mlp 64,128,128,128,128,128,10 --activation sigmoid --init xavier_normal
says probe_text probe --mlp 64,64,64,64 --init normal:std=1e15
says probe_text probe --weights lenet.safetensors --layer-names fc1.weight,fc2.weight,fc3.weight
says probe_text probe --weights lenet.safetensors --layer-names fc1.weight,fc2.weight,fc3.weight --init lecun_normal
says probe_text probe --mlp 64,40,10 --calibrate -o calibrated.safetensors
says probe_json probe --mlp 64,40,10 --calibrate -o calibrated.safetensors --json
says probe_text probe --mlp "8$(printf ',8%.0s' {1..30})" --require none
raw_only wrote calibrated.safetensors

# ---- probe --suggest: theory alone ----
chapter suggest
for activation in linear relu leaky_relu tanh sigmoid selu elu gelu gelu_tanh silu mish softplus softsign hardswish \
  relu2; do
  says plain probe --suggest $activation
done
says plain probe --suggest leaky_relu --slope 0.5 --depth 4
says plain probe --suggest tanh --bias-std 0.22360679774997896 --depth 100
at 60 plain probe --suggest gelu
says rounded probe --suggest tanh --bias-std 0.22360679774997896 --json
says rounded probe --suggest selu --json

# ---- What is refused -----------------------------------------------------------------------------------------------------

chapter errors
one=(--tensor w:f32:OI:3x5 --init he_normal)
says plain bogus
says plain init --bogus
says plain init -o
says plain init
says plain devices extra
says plain init all.json -o out.bin
says plain init missing.json -o out.safetensors
says plain init "${one[@]}" -o out.npy --seed -1
says plain init all.json -o out.safetensors --dtype f31
says plain init --tensor w:f32:OI --init zeros -o out.npy
says plain init --tensor w:f32:OI:0x5 --init zeros -o out.npy
says plain init --tensor w:f32:OI:3x5x7 --init zeros -o out.npy
says plain init --tensor w:f32:OO:3x5 --init he_normal -o out.npy
says plain init --tensor w:f32:OI,groups=2:3x5 --init he_normal -o out.npy
says plain init --tensor w:f32:OI,splits=2:3x5 --init he_normal -o out.npy
says plain init --tensor w:f32::3x5 --init he_normal -o out.npy
says plain init --tensor w:f32::1x1x1x1x1x1x1x1x1 --init zeros -o out.npy
says plain init --tensor w:f32:OI:3x5 --init he_nrmal -o out.npy
says plain init --tensor w:f32:OI:3x5 --init he_normal:mod=fan_out -o out.npy
says plain init --tensor w:f32:OI:3x5 --init he_normal:mode=fan_ou -o out.npy
says plain init --tensor w:f32:OI:3x5 --init he_normal:x -o out.npy
says plain init --tensor w:f32:OI:3x5 --init normal:std=-1 -o out.npy
says plain init --tensor w:f32:OI:3x5 --init uniform:lo=1,hi=0 -o out.npy
says plain init --tensor w:f32:OI:3x5 --init trunc_normal:a=1,b=1 -o out.npy
says plain init --tensor w:f32:OI:3x5 --init xavier_uniform:gain=tanj -o out.npy
says plain init --tensor w:f32:OI:3x5 --init sparse:sparsity=1.5 -o out.npy
says plain init --tensor w:f16:OI:3x5 --init constant:value=1e9 -o out.npy
says plain init --tensor w:f32:OI:3x5 --init delta_orthogonal -o out.npy
says plain init --tensor w:f32:OIHW:3x5x3x3 --init delta_orthogonal -o out.npy
says plain init --tensor w:f32:OI:3x5 --init bilinear -o out.npy
says plain init --tensor w:f32:OIHW:3x5x3x3 --init identity -o out.npy
says plain init "${one[@]}" "${one[@]}" -o out.safetensors
says plain init "${one[@]}" --dtype bf16 -o out.npy
says plain init "${one[@]}" -o missing/out.npy
says plain init "${one[@]}" -o out.npy --device 'no such device'
says plain init --like x.safetensors --rules none -o z.safetensors
says plain init --like x.safetensors --rules r.json --set m=2 --explain
says plain inspect
says plain inspect a.bin
says plain inspect missing.npy
head -c 100 lenet.safetensors >cut.safetensors
says plain inspect cut.safetensors
printf 'no such format' >no.npy
says plain inspect no.npy
says plain probe
says plain probe --mlp 64
says plain probe --mlp 64,3O0,10
says plain probe --mlp 2,2 --activation rleu
says plain probe --mlp 2,2 --init he_nrmal
says plain probe --mlp 2,2 --slope 0.2
says plain probe --mlp 2,2 --norm group
says plain probe --mlp 2,2 --batch 0
says plain probe --mlp 66,10 --input digits.csv
says plain probe --mlp 64,10 --dtype f64
says plain probe --suggest rellu
says plain probe --suggest relu --mlp 8,8
says plain probe --weights lenet.safetensors
says plain bench --size 63K
says plain bench --only 'no such case'
printf '{"tensors": [{"name": "w", "shape": [3, 0], "init": "zeros"}]}' >m.json
says plain init m.json -o out.safetensors
printf '{"tensors": [{"name": "w", "shape": [3], "init": "zeros", "std": 1}]}' >m.json
says plain init m.json -o out.safetensors
[ -z "$(find . -name 'out.*')" ] || die "a refused command left a file: $(find . -name 'out.*')"

# ---- Compared ------------------------------------------------------------------------------------------------------------

if [ -n "${FANIN_RAW:-}" ]; then
  mkdir -p "$FANIN_RAW"
  rm "$raw/machine.txt" # bench has nothing but times
  cp "$raw"/* "$FANIN_RAW"
fi
if [ "${FANIN_RECORD:-}" = 1 ]; then
  mkdir -p "$expected"
  rm -f "$expected"/*.txt
  cp "$said"/* "$expected"
  echo "recorded anew: $expected"
fi

# measured EXPECTED FILE: the file, with the expected lines where only measured numbers differ, by rounding: a relative 1e-4,
# or 2e-6, or the last of two digits of a z. Sums depend on how a device divides them among its cores. Widths of columns
# follow the numbers. Runs of fanin that say another number of lines stay as they are.
measured() {
  awk '
    function is_close(a, b, most) {
      if (a !~ /[.e]/ && b !~ /[.e]/) return a == b
      most = a * a > b * b ? a : b
      if (most < 0) most = -most
      return a - b <= 1e-4 * most + slack && b - a <= 1e-4 * most + slack
    }
    function is_alike(x, y, n, m, a, b) {
      gsub(/ +/, " ", x)
      gsub(/ +/, " ", y)
      while (x != y) {
        n = match(x, number) ? RSTART : 0
        a = substr(x, RSTART, RLENGTH)
        m = match(y, number) ? RSTART : 0
        b = substr(y, RSTART, RLENGTH)
        if (!n || n != m || substr(x, 1, n - 1) != substr(y, 1, n - 1)) return 0
        slack = a ~ /^[-+][0-9]+[.][0-9][0-9]$/ ? 0.011 : 2e-6
        if (!is_close(a, b)) return 0
        x = substr(x, n + length(a))
        y = substr(y, n + length(b))
      }
      return 1
    }
    function print_run(k) {
      for (k = 1; k <= lines; k++) {
        print lines == expected_lines[run] && is_alike(expected[run, k], said[k]) ? expected[run, k] : said[k]
      }
      lines = 0
    }
    BEGIN { number = "[-+]?[0-9]+([.][0-9]+)?(e[-+]?[0-9]+)?" }
    FNR == 1 { run = 0 }
    NR == FNR {
      if (/[$] fanin /) run++
      expected[run, ++expected_lines[run]] = $0
      next
    }
    /[$] fanin / {
      print_run()
      run++
    }
    { said[++lines] = $0 }
    END { print_run() }' "$1" "$2"
}

# differences: of all files, - for what was recorded.
differences() {
  local one
  diff <(ls "$expected") <(ls "$said") || true
  for one in "$said"/*; do
    one=${one##*/}
    case $one in
      inspect.txt | probe.txt) measured "$expected/$one" "$said/$one" >"$scratch/measured" ;;
      *) cp "$said/$one" "$scratch/measured" ;;
    esac
    diff -u --label "recorded/$one" --label "said/$one" "$expected/$one" "$scratch/measured" || true
  done
}
differences >"$scratch/differences"
[ ! -s "$scratch/differences" ] || die "what is said differs from $expected (- is what was recorded). If that is meant, run
'FANIN_RECORD=1 ./run test recorded', read what 'git diff' says of it, and commit it. The differences begin with
$(head -200 "$scratch/differences")"
