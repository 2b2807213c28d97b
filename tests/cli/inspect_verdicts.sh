#!/usr/bin/env bash
# 'fanin inspect' says "holds" of what was tested against an expectation, "fails" of what did not pass, and "not judged" of
# the rest, where it names what is suspicious. Expectations are the metadata's, --rules', --like's and --init's.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
have_python || exit 0

make() { python3 "$SRC/tests/cli/inspect_verdicts.py" "$@"; }

# says STATUS WORDS ARGUMENT...: how inspect ends, and a line that it prints; an extended regular expression. The line is
# also in $said, for more().
# shellcheck disable=SC2154
said=$scratch/said.txt
says() {
  local expected=$1 words=$2 status=0
  shift 2
  "$FANIN" inspect "$@" >"$said" 2>&1 || status=$?
  [ "$status" = "$expected" ] || die "inspect $*: status $status: $(cat "$said")"
  more "$words"
}
more() { grep -qE -e "$1" "$said" || die "no '$1' in: $(cat "$said")"; }
not() { if grep -qE -e "$1" "$said"; then die "'$1' in: $(cat "$said")"; fi; }

# ---- A layer as PyTorch makes it, with one fault each: named by what is expected, suspicious by its looks alone ----
make fresh fresh.safetensors
says 0 '^HOLDS: 2 of 2 tensors hold, 0 fail, 0 are not judged \([0-9]+ tests, largest \|z\| [0-3]\.[0-9]+, bound 4\.[0-9]+\)$' \
  --rules pytorch fresh.safetensors
says 0 '^NOT JUDGED: 0 of 2 tensors hold, 0 fail, 2 are not judged \(' fresh.safetensors
not '^suspicious'
not 'HOLDS|finite'
more "^fc\.weight .*  not judged  ~uniform, perhaps PyTorch's default \(fan_in 300\)"
says 1 '^NOT JUDGED' --require judged fresh.safetensors
says 0 '^NOT JUDGED' --require unsuspicious fresh.safetensors
says 0 '^HOLDS' --require judged,unsuspicious --rules pytorch fresh.safetensors

# fault CASE RULED LOOKS: what a wrong weight is called with --rules pytorch, and without; "" where its looks are innocent.
fault() {
  make "$1" "$1.safetensors"
  says 1 "^fc\.weight: $2" --rules pytorch "$1.safetensors"
  more '^FAILS: 1 of 2 tensors holds, 1 fails, 0 are not judged'
  says 0 '^NOT JUDGED: 0 of 2 tensors hold, 0 fail, 2 are not judged' "$1.safetensors"
  if [ "$3" ]; then more "^suspicious: fc\.weight: $3"; fi
  if [ "$3" ]; then says 1 ', 1 is suspicious' --require unsuspicious "$1.safetensors"; fi
}
fault zeros 'std: 0, expected 0\.033333, z = -' 'every element is 0$'
fault constant 'std: 0, expected 0\.033333, z = -.*mean' 'every element is 0\.01$'
fault ten_times 'std: 0\.33.*, expected 0\.033333, z = \+.*maximum' ''
fault dead_row 'count of rows that are all zeros: 1, expected 0 \(row 7\)' 'count of rows that are all zeros: 1, expected 0 \(row 7\)'
fault dead_column 'count of columns that are all zeros: 1, expected 0 \(column 11\)' 'count of columns that are all zeros: 1'
fault outlier 'std: .*; also maximum' '1 value is far out, up to 5, while half of all lie within'
fault rank_4 '.*also .*rank' 'rank of a block of the matrix: 4, expected 200'
fault rank_40 '.*also .*rank' 'excess kurtosis: .*; also rank, dependence'
fault fan_out 'std: 0\.040.*, expected 0\.033333' "its std fits PyTorch's default \(fan_in 200\): the fan of the other"
fault repeated_row 'count of rows that repeat another: 1, expected 0 \(row 2 is row 0\)' 'count of rows that repeat another: 1'
fault equal_elements 'count of the most frequent value: 300' '300 of its elements are 0\.01$'
fault negative_zeros 'count of exact zeros: 300, expected' '300 of its elements are -0$'

# ---- Notes: nothing random was promised ----
make padding padding.safetensors
says 0 '^note: embed\.weight: row 0 is all zeros, as a row for padding is$' padding.safetensors
more '^embed\.weight .*~normal, perhaps std 0\.02'
not '^suspicious'
says 1 '^embed\.weight: count of rows that are all zeros: 1, expected 0 \(row 0\)' --init normal:std=0.02 padding.safetensors
says 0 '^HOLDS: 1 of 1 tensor holds' --init normal:std=0.02 --allow padding padding.safetensors
more '^note: embed\.weight: row 0 is all zeros'
make tables tables.safetensors
says 0 '^note: a\.A_log: count of rows that repeat another: 255' --require unsuspicious tables.safetensors
more '^note: b\.A_log: is a copy of a\.A_log, bit for bit; so are c\.A_log$'
make buffers buffers.safetensors
says 0 '^note: b\.inv_freq: is a copy of a\.inv_freq, bit for bit$' --require unsuspicious buffers.safetensors
make tied tied.safetensors
says 0 '^note: lm_emb\.weight: is a copy of embed\.weight, bit for bit$' --require unsuspicious tied.safetensors
not correlation # one fact, one line
says 1 '^lm_emb\.weight: is a copy of embed\.weight, bit for bit$' --rules pytorch tied.safetensors
more '^FAILS: 1 of 2 tensors holds, 1 fails'
says 0 '^HOLDS: 2 of 2 tensors hold.* largest \|z\| [0-3]\.' --rules pytorch --allow tied tied.safetensors # of what counts

# ---- Guesses: called so, with the runner-up ----
make lstm lstm.safetensors
says 0 "^rnn\.weight_ih_l0 .*~uniform, perhaps PyTorch's default of recurrent layers \(hidden 128\) or xavier \(fans 256 and 512\)" \
  lstm.safetensors
says 0 '^HOLDS: 2 of 2' --rules pytorch lstm.safetensors
make mobilenet mobilenet.safetensors
says 0 '^c\.weight .*~normal, perhaps he \(fan_out 240\)' mobilenet.safetensors
not "PyTorch's default"

# ---- Dtypes of 8 bits ----
make fp8_nan nan.safetensors
says 1 '^w: 64 of its 64 values are not finite$' nan.safetensors
more '^v: 64 of its 64 values are not finite$'
more '^FAILS: 0 of 2 tensors hold, 2 fail, 0 are not judged'
make fp8_other other.safetensors
says 0 '^NOT JUDGED: 0 of 1 tensor hold, 0 fail, 1 is not judged \(1 of them not measured\)' other.safetensors
more '^note: w: not judged: dtype F8_E8M0 is not measured$'
not 'finite'

# ---- Expectations ----
says 1 '^fc\.weight .*fails: std *he_normal \(init\)' --init he_normal --init fc.bias=uniform:lo=-0.0577350269,hi=0.0577350269 \
  fresh.safetensors
more '^fc\.bias .*holds *uniform:lo=-0\.057735,hi=0\.057735 \(init\)'
more '^Tensors whose initializer is named: 2 by --init$'
says 0 "^note: fc\.bias: not judged: " --init pytorch_default fresh.safetensors # a bias alone has no fans
more '^HOLDS AS FAR AS JUDGED: 1 of 2 tensors holds, 0 fail, 1 is not judged'
says 1 '^HOLDS AS FAR' --init pytorch_default --require judged fresh.safetensors
refuse 2 "there is no tensor 'nothing'" inspect --init nothing=zeros fresh.safetensors
refuse 2 "--init fc.bias=he_normal: " inspect --init fc.bias=he_normal fresh.safetensors
refuse 2 "no initializer is called 'he'" inspect --init he fresh.safetensors
refuse 2 "no initializer is called 'he'" inspect --init fc.bias=he fresh.safetensors # and not "fc.bias=he"
refuse 2 'a second one for all tensors' inspect --init zeros --init ones fresh.safetensors
refuse 2 '--set goes with --rules or --like' inspect --set layers=2 fresh.safetensors
refuse 2 "no set of rules is called 'pytroch', did you mean pytorch?" inspect --rules pytroch fresh.safetensors
refuse 2 "--allow 'tied,all': 'all' is not accepted; accepted are tied, padding" inspect --allow tied,all fresh.safetensors
refuse 2 "--require 'jugded': 'jugded' is not accepted, did you mean judged?" inspect --require jugded fresh.safetensors
cat >model.json <<'JSON'
{"tensors": [{"name": "fc.weight", "shape": [200, 300], "layout": "OI", "init": "pytorch_default"},
             {"name": "fc.extra", "shape": [3], "init": "zeros"}]}
JSON
says 1 '^fc\.extra is in model\.json and not here$' --like model.json fresh.safetensors
more '^FAILS: 1 of 2 tensors holds, 0 fail, 1 is not judged, 1 is missing'
more '^fc\.weight .*holds *he_uniform:a=2\.2361 \(like\)'
sed -i 's/200, 300/300, 200/' model.json
refuse 2 "tensor 'fc.weight' has the shape 300x200 there, and 200x300 in fresh.safetensors" inspect --like model.json fresh.safetensors

# Schemes stand before an initializer, and see each tensor: PyTorch's default is a uniform of 1 / sqrt(fan_in). What the
# tensor cannot have is a reason not to judge it; a scheme that there is not, or that is told too little, is an error.
says 0 '^note: fc\.bias: not judged: fan_in needs a layout with O and I' --init 'fan_in uniform:lo=-1,hi=1' fresh.safetensors
more '^fc\.weight .*holds *fan_in uniform:lo=-1,hi=1 \(init\)'
says 1 '^fc\.weight: std: ' --init 'times:factor=1.05 fan_in uniform:lo=-1,hi=1' fresh.safetensors
says 1 '^fc\.weight: std: ' --init 'fan_in uniform:lo=-1,hi=1' \
  --init 'fc.weight=residual:layers=2 fan_in uniform:lo=-1,hi=1' fresh.safetensors
more '^fc\.weight .*fails: std *residual:layers=2 fan_in uniform:lo=-1,hi=1 \(init\)'
says 0 '^HOLDS: 2 of 2 tensors hold' --init 'fc.weight=power:of=9 times:factor=3 fan_in uniform:lo=-1,hi=1' \
  --init 'uniform:lo=-0.0577350269,hi=0.0577350269' fresh.safetensors
refuse 2 "--init: no scheme is called 'fanin', did you mean fan_in?" inspect --init 'fanin normal' fresh.safetensors
refuse 2 "--init: no scheme is called 'fanin', did you mean fan_in?" inspect --init 'fc.weight=fanin normal' fresh.safetensors
refuse 2 "--init: residual needs layers, as in residual:layers=12" inspect --init 'residual normal' fresh.safetensors
refuse 2 "--init fc.bias=fan_in normal: fan_in needs a layout with O and I" inspect --init 'fc.bias=fan_in normal' \
  fresh.safetensors

# JSON has the condition that the last line has.
condition() {
  "$FANIN" inspect --json "$@" >found.json || true
  python3 -c 'import json; found = json.load(open("found.json")); print(found["answer"], found["condition"], found["holds"])'
}
[ "$(condition --init pytorch_default fresh.safetensors)" = "holds as far as judged True" ] || die "$(cat found.json)"
[ "$(condition --rules pytorch fresh.safetensors)" = "holds None True" ] || die "$(cat found.json)"
[ "$(condition fresh.safetensors)" = "not judged None None" ] || die "$(cat found.json)"
[ "$(condition --init fc.weight=ones fresh.safetensors)" = "fails None False" ] || die "$(cat found.json)"

# The file's metadata go before rules, and where these say something else the reader learns it. Metadata that cannot be
# understood promise nothing.
make zeros noted.safetensors '{"fanin.init.fc.weight": "zeros", "fanin.layout.fc.weight": "OI"}'
says 0 '^HOLDS AS FAR AS JUDGED: 1 of 2 tensors holds, 0 fail, 1 is not judged' noted.safetensors
says 0 '^suspicious: fc\.weight: its metadata say zeros, and rules pytorch say he_uniform:a=2\.2361: it is judged by the metadata$' \
  --rules pytorch noted.safetensors
more '^HOLDS: 2 of 2 tensors hold, 0 fail, 0 are not judged, 1 is suspicious'
says 1 '^HOLDS: ' --rules pytorch --require unsuspicious noted.safetensors
says 1 '^fc\.weight: std: 0, expected' --init fc.weight=pytorch_default noted.safetensors
for note in '"fanin.init.fc.weight": "he_normal"' '"fanin.init.fc.weight": "magic"' \
  '"fanin.init.fc.weight": "zeros", "fanin.layout.fc.weight": "QQ"' '"fanin.calibrated.fc.weight": "zeros"' \
  '"fanin.calibrated.fc.weight": "zeros", "fanin.factor.fc.weight": "-2"'; do
  make zeros noted.safetensors "{$note}"
  says 0 '^note: fc\.weight: not judged: ' noted.safetensors
  more '^NOT JUDGED: 0 of 2'
done

# What rules decline is not judged; rules that are not well formed are an error.
for rule in '"init": "he_nrmal"' '"init": "normal:std={n}"' '"refuse": "ask somebody"'; do
  echo "{\"rules\": [{\"match\": \"fc.weight\", $rule}]}" >rules.json
  case $rule in
  *refuse*)
    says 0 '^note: fc\.weight: not judged: the rules decline it: ask somebody$' --rules rules.json fresh.safetensors
    says 1 '^NOT JUDGED' --require judged --rules rules.json fresh.safetensors
    ;;
  *) refuse 2 'rules.json' inspect --rules rules.json fresh.safetensors ;;
  esac
done

# ---- What moments and bounds do not see: values that follow from their place, and orthogonal matrices ----
make permuted permuted.safetensors '{"fanin.init.w": "identity", "fanin.layout.w": "OI"}'
says 1 '^w: count of elements that are not what they should be: 16, expected 0' permuted.safetensors
make orthogonalised orthogonalised.safetensors
says 1 '^w: largest product of two lines, which should be orthogonal: 0\.' --init orthogonal orthogonalised.safetensors
make tied tied.safetensors '{"fanin.init.embed.weight": "normal", "fanin.init.lm_emb.weight": "normal", "fanin.key.lm_emb.weight": "embed.weight"}'
says 0 '^HOLDS: 2 of 2 tensors hold' tied.safetensors
make untied tied.safetensors '{"fanin.init.embed.weight": "normal", "fanin.init.lm_emb.weight": "normal", "fanin.key.lm_emb.weight": "embed.weight"}'
says 1 '^lm_emb\.weight: count of elements that are not what they should be: 1, expected 0' tied.safetensors

make copied lost.safetensors '{"fanin.init.a": "normal", "fanin.init.b": "normal", "fanin.key.b": "gone"}'
says 1 '^b: is a copy of a, bit for bit$' lost.safetensors # what it is tied to is not there
make scalars scalars.safetensors
says 1 '^far: mean: 1e\+30, expected 0' --init normal scalars.safetensors
more '^near .*  holds  '
more '^none .*  not judged  '
make doubled doubled.safetensors
says 0 '^suspicious: b: correlation \+1\.0000 with a' doubled.safetensors

# ---- Calibrated weights: initializer times factor ----
cat >mlp.json <<'JSON'
{"tensors": [{"name": "layer1.weight", "shape": [100, 64], "layout": "OI", "init": "he_normal"},
             {"name": "layer2.weight", "shape": [40, 100], "layout": "OI", "init": "he_normal"}]}
JSON
for dtype in f32 bf16; do
  "$FANIN" init mlp.json --dtype $dtype -o mlp.safetensors >/dev/null
  "$FANIN" probe --weights mlp.safetensors --calibrate -o calibrated.safetensors >/dev/null
  says 0 '^HOLDS: 2 of 2' calibrated.safetensors
  more '^layer1\.weight .*holds *he_normal times 0\.'
  says 1 '^layer1\.weight: std: ' --init layer1.weight=he_normal calibrated.safetensors
done

# ---- Several files ----
cat >hub.json <<'JSON'
{"tensors": [{"name": "a", "shape": [64, 64], "init": "normal"}, {"name": "b", "shape": [64, 64], "init": "normal"}]}
JSON
"$FANIN" init hub.json -o both.safetensors >/dev/null
"$FANIN" init --tensor a:f32::64x64 --init normal -o part-1.safetensors >/dev/null
"$FANIN" init --tensor b:f32::64x64 --init normal -o part-2.safetensors >/dev/null
echo '{"weight_map": {"a": "part-1.safetensors", "b": "part-2.safetensors"}}' >m.safetensors.index.json
says 0 '^m\.safetensors\.index\.json: 2 files, 2 tensors, 8,192 elements, 32\.8 kB$' m.safetensors.index.json
more '^HOLDS: 2 of 2 tensors hold'
tail -1 "$said" >index.txt
for files in 'both.safetensors' 'part-1.safetensors part-2.safetensors'; do
  # shellcheck disable=SC2086
  says 0 '^HOLDS: 2 of 2 tensors hold' $files
  tail -1 "$said" | cmp - index.txt || die "$files: $(tail -1 "$said")" # the same tests, whatever the files
done
python3 - <<'PYTHON'
data = open('part-1.safetensors', 'rb').read().replace(b'"a"', b'"c"').replace(b'init.a', b'init.c')
open('copy.safetensors', 'wb').write(data)
PYTHON
says 1 '^c: is a copy of a, bit for bit$' both.safetensors copy.safetensors
says 1 '^c .*fails: copy' --failures both.safetensors copy.safetensors
not '^[ab] '
"$FANIN" inspect --failures --json both.safetensors copy.safetensors >failures.json && die 'a copy passes'
python3 - <<'PYTHON'
import json
root = json.load(open('failures.json'))
assert root['answer'] == 'fails' and root['holds'] is False and root['files'] == ['both.safetensors', 'copy.safetensors']
assert (root['hold'], root['fail'], root['not_judged'], root['missing']) == (2, 1, 0, 0), root
assert [t['name'] for t in root['tensors']] == ['c'] and root['tensors'][0]['file'] == 'copy.safetensors'
assert root['tensors'][0]['by'] == 'file' and root['tensors'][0]['failed'] == 'copy'
assert root['findings'] == [{'kind': 'failure', 'tensor': 'c', 'text': 'is a copy of a, bit for bit'}], root['findings']
PYTHON
refuse 2 "both have a tensor 'a'" inspect both.safetensors part-1.safetensors
refuse 2 'is the index of several files; give it alone' inspect both.safetensors m.safetensors.index.json
refuse 2 'missing.safetensors: cannot open it' inspect both.safetensors missing.safetensors
"$FANIN" init --tensor a:f32::64x64 --init normal -o x.npy >/dev/null
"$FANIN" init --tensor b:f32::64x64 --init normal -o y.npy >/dev/null
says 0 '^y\.npy .*holds *normal \(init\)' --init normal x.npy y.npy

# ---- What one reads on a narrow terminal: the answer last, columns of dashes first, prose wrapped ----
# The device's name is as long as it is.
for columns in 40 60 80 100; do
  COLUMNS=$columns says 0 '^name ' fresh.safetensors
  [ "$(awk '!/^Measured on / { if (length($0) > most) most = length($0) } END { print most }' "$said")" -le $columns ] ||
    [ $columns -lt 60 ] || die "wider than $columns: $(cat "$said")"
  more '^fc\.weight .*not judged'
done
more 'too narrow to show: .*expected'
more "~uniform, perhaps PyTorch's default$"
more '^ +\(fan_in 300\)$'
