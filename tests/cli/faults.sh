#!/usr/bin/env bash
# 'fanin inspect' names every fault that is planted in a file that 'fanin init' wrote, with the file's notes and without.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
have_python || exit 0

cat >good.json <<'JSON'
{"tensors": [
  {"name": "n", "shape": [200, 500], "init": "normal:std=0.1"},
  {"name": "other", "shape": [70, 100], "init": "normal"},
  {"name": "u", "shape": [300, 100], "init": "uniform:lo=-1,hi=1"},
  {"name": "cut", "shape": [100, 600], "init": "trunc_normal:std=0.02"},
  {"name": "large", "shape": [500000], "init": "normal"},
  {"name": "b", "shape": [100, 300], "dtype": "bf16", "init": "normal"}]}
JSON
"$FANIN" init good.json -o good.safetensors --seed 3 >/dev/null
"$FANIN" inspect good.safetensors >good.txt || die "good: $(cat good.txt)"
grep -q '^HOLDS: 6 of 6 tensors hold, 0 fail, 0 are not judged (' good.txt || die "good: $(cat good.txt)"

# named FAULT: status 1, and the words that name it.
named() {
  local words status=0
  words=$(python3 "$SRC/tests/cli/faults.py" "$1" good.safetensors bad.safetensors)
  "$FANIN" inspect bad.safetensors >bad.txt || status=$?
  if [ "$status" != 1 ] || ! grep -qF -e "$words" bad.txt || ! grep -q '^FAILS: ' bad.txt; then
    die "$1: status $status, no '$words' in: $(cat bad.txt)"
  fi
}
for fault in wide_std moved_mean skewed heavy_shoulders coarse_uniforms redrawn_tail outlier best_of_four clipped dropped \
  triangular tied_row tied_rows tied_column row_offsets balanced_columns echo row_echo copy transposed_copy \
  repeated_stream not_a_number few_values constant_output; do
  named $fault
done
# Without notes nothing is judged but values that are not finite. What no draw of random numbers gives is called suspicious,
# and that one tensor is another's copy is a note: nobody promised two draws.
# told BEFORE FAULT: status 0, 1 with --require where the fault is suspicious, and the words behind `before`.
told() {
  local words status=0
  words=$(python3 "$SRC/tests/cli/faults.py" "-$2" good.safetensors bad.safetensors)
  "$FANIN" inspect bad.safetensors >bad.txt || die "$2: $(cat bad.txt)"
  grep "^$1: " bad.txt | grep -F -e "$words" >/dev/null || die "$2: no '$1: ... $words' in: $(cat bad.txt)"
  grep -qE '^NOT JUDGED: 0 of [67] tensors hold, 0 fail, [67] are not judged' bad.txt || die "$2: $(cat bad.txt)"
  "$FANIN" inspect bad.safetensors --require unsuspicious >/dev/null || status=$?
  [ $status = $(($([ "$1" = note ] && echo 0 || echo 1))) ] || die "$2: status $status of --require unsuspicious"
}
for fault in redrawn_tail outlier best_of_four dropped tied_row tied_rows tied_column row_offsets balanced_columns echo \
  row_echo repeated_stream; do
  told suspicious $fault
done
for fault in copy transposed_copy; do
  told note $fault
done
named -not_a_number
for fault in few_values triangular; do
  python3 "$SRC/tests/cli/faults.py" -$fault good.safetensors bad.safetensors >words.txt
  "$FANIN" inspect bad.safetensors >bad.txt || die "$fault: $(cat bad.txt)"
  grep -qE '^Neither uniform nor log-uniform nor normal nor normal cut at 2 sigma: (b|u)$' bad.txt || die "$fault: $(cat bad.txt)"
done

# ---- Guesses, and JSON ----
python3 - <<'PYTHON'
import json, struct
data = open('good.safetensors', 'rb').read()
n = struct.unpack_from('<Q', data)[0]
h = json.loads(data[8:8 + n])
del h['__metadata__']
h['fc.weight'] = h.pop('n')
text = json.dumps(h).encode()
open('bare.safetensors', 'wb').write(struct.pack('<Q', len(text)) + text + data[8 + n:])
PYTHON
"$FANIN" inspect bare.safetensors >bare.txt || die "bare: $(cat bare.txt)"
for row in 'fc.weight .* not judged  *~normal, perhaps he (fan_out 200) or std 0.1$' 'other .* not judged  *~normal, perhaps std 1 ' \
  'u .* not judged  *~uniform$' 'cut .* not judged  *~truncated normal, perhaps std 0.02' 'b .* not judged  *~normal'; do
  grep -q "^$row" bare.txt || die "no '$row' in: $(cat bare.txt)"
done
grep -q '^NOT JUDGED: 0 of 6 tensors hold, 0 fail, 6 are not judged (' bare.txt || die "bare: $(cat bare.txt)"
"$FANIN" inspect bare.safetensors --json >bare.json
python3 - <<'PYTHON'
import json
root = json.load(open('bare.json'))
t = {entry['name']: entry for entry in root['tensors']}
assert root['holds'] is None and root['not_judged'] == 6 and root['suspicious'] == 0 and root['false_alarm_rate'] == 1e-3 and root['pairs_compared'] == 15
assert root['related'] == [] and root['shared_lines'] == [] and root['repeated_runs'] == [] and abs(root['closest_pair']['z']) < root['z_bound']
cut = t['cut']
assert cut['law']['kind'] == 'trunc_normal' and cut['law']['guess'] is True
assert abs(cut['law']['std'] / (0.02 / 0.8796256610342398) - 1) < 0.01
assert abs(t['u']['excess_kurtosis'] + 1.2) < 0.02 and t['u']['law']['lo'] < t['u']['min']
assert t['fc.weight']['rows'] == 200 and t['fc.weight']['columns'] == 500 and t['large']['rows'] is None
assert 0 < t['large']['ks_distance'] <= t['large']['ks_distance_most'] < 0.01
tests = sum(test['z'] is not None for e in t.values() for test in e['tests'].values())
# The pairs, and equal lines, repeated runs, lines and tensors with the same values.
assert root['tests'] == tests + 15 + 4, (root['tests'], tests)
assert all(test['holds'] for e in t.values() for test in e['tests'].values())
PYTHON
