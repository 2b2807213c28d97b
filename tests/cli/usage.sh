#!/usr/bin/env bash
# Help, versions and lists; every wrong command line has its status and its sentence, and leaves nothing behind.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

# ---- Help ----
"$FANIN" --help >help.txt
for command in devices list init inspect probe; do
  grep -q "^  $command " help.txt || die "--help does not list $command"
  "$FANIN" "$command" --help >"$command.txt"
  grep -q "^Usage: fanin $command " "$command.txt" || die "$command --help has no usage line"
  grep -q '^Examples\?:' "$command.txt" || die "$command --help has no example"
  [ "$(wc -L <"$command.txt")" -le 80 ] || die "$command --help is wider than 80 columns"
done
[ "$(wc -L <help.txt)" -le 80 ] || die "--help is wider than 80 columns"
diff <("$FANIN" help init) <("$FANIN" init --help) || die "help init"
"$FANIN" --version | grep -E '^fanin [0-9]+\.[0-9]+\.[0-9]+ \(stream version 1\)$' >/dev/null || die --version
status=0
"$FANIN" >out.txt 2>err.txt || status=$?
if [ "$status" != 2 ] || [ -s out.txt ] || ! grep -q ^Usage err.txt; then die "without a command: status $status"; fi

# ---- Lists ----
"$FANIN" list >list.txt
for name in zeros ones constant uniform normal trunc_normal xavier_uniform xavier_normal he_uniform he_normal \
  lecun_uniform lecun_normal variance_scaling identity dirac orthogonal delta_orthogonal \
  sparse bilinear hadamard log_uniform s4d_real sinusoidal inv_freq alibi ramp; do
  grep -qE "^$name(,|$)" list.txt || die "list has no $name"
done
# names FANIN list NAME: the entries that are listed.
names() { "$FANIN" list "$1" | grep -oE '^[a-z0-9_]+' | tr '\n' ' '; }
[ "$(names he_normal)" = "he_normal " ] || die "list he_normal: $(names he_normal)"
[ "$(names KAIMING_NORMAL)" = "he_normal " ] || die "an alias: $(names KAIMING_NORMAL)"
[ "$(names pytorch_default)" = "he_uniform " ] || die "a preset: $(names pytorch_default)"
[ "$(names mup_hidden)" = "mup_hidden " ] || die "a scheme: $(names mup_hidden)"
[ "$(names t5)" = "t5 " ] || die "a set of rules: $(names t5)"
refuse 2 "nothing is called 'he_nrmal', did you mean he_normal? There are zeros" list he_nrmal
refuse 2 "nothing is called 'a'; there are zeros" list a # of a parameter, no name
refuse 2 "nothing is called ''" list ''
refuse 2 "'zero_init'" list zero_init
refuse 2 "a name is given already" list zeros ones
"$FANIN" devices | grep '^0  ' >/dev/null || die "devices shows none"
if have_python; then
  "$FANIN" list --json | python3 -c '
import json, sys
entries = json.load(sys.stdin)["initializers"]
by_name = {e["name"]: e for e in entries}
assert len(by_name) == 26, len(by_name)
assert "kaiming_normal" in by_name["he_normal"]["aliases"]
assert by_name["he_normal"]["needs_fans"] and not by_name["normal"]["needs_fans"]
assert "mode=fan_in" in by_name["he_normal"]["parameters"]
assert all(e["formula"] and e["source"] for e in entries)'
  "$FANIN" devices --json | python3 -c '
import json, sys
d = json.load(sys.stdin)["devices"][0]
assert d["index"] == 0 and d["name"] and d["memory_bytes"] > 0 and d["usable"] is True, d'
fi

# ---- Wrong command lines ----
refuse 2 "'bogus' is not a command; the commands are devices, list, init, inspect, probe, bench" bogus
refuse 2 "'inpsect' is not a command, did you mean inspect? The commands are devices, list" inpsect
refuse 2 "unrecognized option" init --bogus
refuse 2 "requires an argument" init -o
refuse 2 "'extra' is not expected" devices extra
refuse 2 "nothing is called 'extra'" list extra
refuse 2 "'extra' is not expected" probe --mlp 2,2 extra
refuse 2 "Try 'fanin init --help'" init
refuse 2 "give -o FILE" init m.json
refuse 2 "a model file is given already; give one at a time" init a.json b.json
refuse 2 "must end in .safetensors or .npy" init m.json -o out.bin
refuse 2 "give a model file" init -o out.npy
for seed in -1 +1 ' 1' 1.0 1e3 18446744073709551616 0x 0xg '' 0x10000000000000000; do
  refuse 2 --seed init m.json -o out.npy --seed "$seed"
done
refuse 2 'f31' init m.json -o out.safetensors --dtype f31
one=(--tensor w:f32:OI:3x5 --init he_normal)
refuse 2 "not more than one of them" init m.json "${one[@]}" -o out.npy
refuse 2 "write NAME:DTYPE:LAYOUT:SHAPE" init --tensor w:f32:OI --init zeros -o out.npy
refuse 2 "f31" init --tensor w:f31:OI:3x5 --init zeros -o out.npy
refuse 2 "'0' is not a whole number" init --tensor w:f32:OI:0x5 --init zeros -o out.npy
refuse 2 "'' is not a whole number" init --tensor w:f32:OI:3x --init zeros -o out.npy
refuse 2 "at most 8" init --tensor w:f32::1x1x1x1x1x1x1x1x1 --init zeros -o out.npy
refuse 2 "layout" init --tensor w:f32:OI:3x5x7 --init zeros -o out.npy
refuse 2 "layout" init --tensor w:f32:OI,group=2:3x5 --init zeros -o out.npy
refuse 2 "layout" init --tensor w:f32:OI,groups=0:3x5 --init zeros -o out.npy
refuse 2 "groups" init --tensor w:f32:OI,groups=2:3x5 --init he_normal -o out.npy
refuse 2 "layout" init --tensor w:f32::3x5 --init he_normal -o out.npy
refuse 2 "name is empty" init --tensor :f32:OI:3x5 --init zeros -o out.npy
refuse 2 "__metadata__" init --tensor __metadata__:f32:OI:3x5 --init zeros -o out.npy
refuse 2 "UTF-8" init --tensor $'\xff:f32:OI:3x5' --init zeros -o out.safetensors
refuse 2 "there must be a --tensor before it" init --init zeros -o out.npy
refuse 2 "--init must follow" init --tensor w:f32:OI:3x5 -o out.npy
refuse 2 "--init must follow" init --tensor w:f32:OI:3x5 "${one[@]}" -o out.npy
refuse 2 "did you mean he_normal" init --tensor w:f32:OI:3x5 --init he_nrmal -o out.npy
refuse 2 "std" init --tensor w:f32:OI:3x5 --init normal:std=-1 -o out.npy
refuse 2 "two tensors have the name 'w'" init "${one[@]}" "${one[@]}" -o out.safetensors
refuse 2 "holds one tensor" init "${one[@]}" --tensor b:f32::3 --init zeros -o out.npy
refuse 2 "npy files have no bf16" init "${one[@]}" --dtype bf16 -o out.npy
refuse 2 "more than a file can have" init -o out.safetensors --tensor a:f64::500000000000000000 --init zeros \
  --tensor b:f64::500000000000000000 --init zeros
refuse 2 "No such file" init missing.json -o out.safetensors
refuse 2 "directory" init . -o out.safetensors
refuse 2 "No such file" init "${one[@]}" -o missing/out.npy
mkdir dir.npy
refuse 2 "is a directory" init "${one[@]}" -o dir.npy
refuse 3 "no device" init "${one[@]}" -o out.npy --device 'no such device'
FANIN_DEVICE='no such device' refuse 3 "no device" init "${one[@]}" -o out.npy
refuse 2 "no file is given" inspect
refuse 2 "must end in .safetensors or .npy" inspect a.bin
refuse 2 "No such file" inspect a.npy
refuse 2 "is not a regular file" inspect dir.npy
mkfifo pipe.npy pipe.safetensors # nobody writes to them, and nobody waits for that
refuse 2 "is not a regular file" inspect pipe.npy
refuse 2 "is not a regular file" inspect pipe.safetensors
refuse 2 "is not a regular file" probe --mlp 2,2 --input pipe.npy
printf '1,2\0,3\n' >zero.csv
refuse 2 "line 1 has a byte 0" probe --mlp 2,2 --input zero.csv
refuse 2 "no network is given" probe
refuse 2 "at least two widths" probe --mlp 64
refuse 2 "'3O0' is not a whole number" probe --mlp 64,3O0,10
refuse 2 "'' is not a whole number" probe --mlp 64,,10
refuse 2 "--activation" probe --mlp 2,2 --activation rleu
refuse 2 "--init" probe --mlp 2,2 --init he_nrmal
refuse 2 "--slope" probe --mlp 2,2 --slope 0.2
refuse 2 "--slope" probe --mlp 2,2 --activation leaky_relu --slope x
refuse 2 "--bias-std" probe --mlp 2,2 --bias-std -1
refuse 2 "--bias-std" probe --mlp 2,2 --bias-std nan
refuse 2 "--batch 0" probe --mlp 2,2 --batch 0
refuse 2 "must end in .csv or .npy" probe --mlp 2,2 --input x.txt
refuse 2 "No such file" probe --mlp 2,2 --input x.csv
refuse 3 "no device" probe --mlp 2,2 --device 'no such device'

# ---- Options that have one value ----
refuse 2 "--mlp '4,5': the option is given already; give it once" probe --mlp 2,2 --mlp 4,5
refuse 2 "--output 'b.npy': the option is given already; give it once" init --tensor w:f32::4 --init ones -o a.npy --output b.npy
refuse 2 "--like 'b.safetensors': the option is given already" init --like a.safetensors --like b.safetensors --explain

# ---- Output that cannot be written ----
status=0
"$FANIN" list >/dev/full 2>err.txt || status=$?
if [ "$status" != 2 ] || ! grep -q "standard output" err.txt; then die "list to a full device: status $status"; fi
