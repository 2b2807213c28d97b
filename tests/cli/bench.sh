#!/usr/bin/env bash
# 'fanin bench' measures every case that it promises and says so in JSON; how long something takes is never tested.
# shellcheck disable=SC2154 # pid is common.bash's
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
caches=${PWD%/*}/caches # of the processes that start cold
mkdir "$caches"
export TMPDIR=$caches

# nothing_left: neither a file here nor a cache there.
nothing_left() {
  [ -z "$(ls -A "$caches")" ] || die "bench left: $(ls -A "$caches")"
}

"$FANIN" bench --help >help.txt
grep -q '^Usage: fanin bench ' help.txt || die "--help has no usage line"
[ "$(wc -L <help.txt)" -le 80 ] || die "--help is wider than 80 columns"
grep -q start-process help.txt && die "--help shows a hidden option"

# ---- Wrong command lines ----
refuse 2 "'extra' is not expected" bench extra
for size in '' 0 -1 1 64 63K 65537 65540 1.5M 1T 64KB M 1MM 18446744073709551616 17179869184G; do
  refuse 2 "--size '$size': give a multiple of 8" bench --size "$size"
done
for runs in '' 0 -1 1001 1.5 x; do
  refuse 2 "--runs '$runs': give a whole number from 1 to 1000" bench --runs "$runs"
done
refuse 2 "not an extended regular expression" bench --only '('
refuse 2 "'b|a' is both" bench --only b --only a
refuse 2 "'no such case' fits no case" bench --only 'no such case'
refuse 2 "give fanin or empty" bench --start-process bogus
refuse 3 "no device" bench --device 'no such device' --only uniform
refuse 2 "bytes at once" bench --size 1000000000G --only uniform

# The same from a process that was started, which alone says it.
refuse 3 "no device" bench --device 'no such device'
[ "$(wc -l <"${caches%/*}/err")" = 1 ] || die "said twice: $(cat "${caches%/*}/err")"
refuse 2 "bytes at once" bench --size 1000000000G
[ "$(wc -l <"${caches%/*}/err")" = 1 ] || die "said twice: $(cat "${caches%/*}/err")"
nothing_left
TMPDIR=$caches/none refuse 2 "cannot create a directory $caches/none/" bench

# ---- A signal between two processes removes their caches ----
start "$FANIN" bench --runs 1000 --only cold_start # which does not end before the signal
until [ -n "$(ls -A "$caches")" ]; do
  kill -0 "$pid" 2>/dev/null || die "bench ended by itself"
  sleep 0.05
done
end_by TERM
nothing_left

# ---- Every case, in small ----
"$FANIN" bench --size 1M --runs 1 --json >all.json 2>err.txt
[ ! -s err.txt ] || die "stderr in a pipe: $(cat err.txt)"
nothing_left
if have_python; then
  "$FANIN" devices --json >devices.json
  python3 - <<'PYTHON'
import json
bench = json.load(open('all.json'))
assert bench['device'] and bench['driver'] and bench['size'] == 1 << 20 and bench['runs'] == 1, bench
results = {(r['name'], r['dtype']): r for r in bench['results']}
assert len(results) == len(bench['results']), 'a case is there twice'

device = next(d for d in json.load(open('devices.json'))['devices'] if d['name'] == bench['device'])
sizes = {'f32': 4, 'f16': 2, 'bf16': 2, 'f8_e4m3': 1, 'f8_e5m2': 1, **({'f64': 8} if device['f64'] else {})}
families = ['zeros', 'constant', 'uniform', 'normal', 'trunc_normal', 'trunc_normal_wide']
rows = ['strided_256', 'strided_1024', 'slab_256', 'slab_1024', 'slab_odd_256', 'slab_odd_1024']
many = {f'{way}_{n}x1000': n for way in ('plan', 'fills') for n in (1, 10, 100, 1000, 10000)}
model = ['plan_gpt2', 'one_tensor_gpt2']
linear = {f'linear_{k}': 2**k for k in (8, 10, 12, 14, 16, 18)}
fill_of = {**dict.fromkeys(families + rows, 'device_fill'), **{name: f'device_fill_{n}x1000' for name, n in many.items()},
           **dict.fromkeys(model, 'device_fill_gpt2'), **{name: 'device_fill_' + name for name in linear}}
fill_of.update({fill: fill for fill in fill_of.values()})
too_large = [name for name in fill_of if name.endswith('gpt2') and device['max_alloc_bytes'] < 4 * 124439808]
assert sorted(bench['left_out']) == sorted(too_large), bench['left_out']
fill_of = {name: fill for name, fill in fill_of.items() if name not in too_large}
starts = {('cold_start', 'f32'), ('cold_start_empty', None), ('warm_start', 'f32'), ('warm_start_empty', None)}
matrices = {('orthogonal_512x512', 'f32')} # larger ones are larger than --size
expected = starts | matrices | {(name, 'f32') for name in fill_of} | {(name, dtype) for name in families for dtype in sizes}
assert set(results) == expected, set(results) ^ expected

for (name, dtype), r in results.items():
    assert 0 < r['seconds_min'] <= r['seconds_median'] <= r['seconds_max'], r
    assert r['bytes'] == r['elements'] * sizes.get(dtype, 0), r
    if (name, dtype) in starts:
        assert r['elements'] == (2**20 if dtype else 0), r
        assert r['gb_per_s'] is None and r['elements_per_s'] is None and r['ratio_to_fill'] is None, r
    elif (name, dtype) in matrices:
        assert r['elements'] == 512 * 512 and r['ratio_to_fill'] is None, r
    else: # one round: a ratio is that of the rates
        fill = results[fill_of[name], 'f32']
        assert abs(r['gb_per_s'] * 1e9 * r['seconds_median'] / r['bytes'] - 1) < 1e-9, r
        assert abs(r['elements_per_s'] * r['seconds_median'] / r['elements'] - 1) < 1e-9, r
        assert abs(r['ratio_to_fill'] * fill['gb_per_s'] / r['gb_per_s'] - 1) < 1e-9, (r, fill)
        if name in families + ['device_fill']:
            assert r['bytes'] == 1 << 20, r

def elements(name):
    return results[name, 'f32']['elements']
assert all(elements(name) == 1000 * n for name, n in many.items())
assert all(elements(name) == 124439808 for name in model if name not in too_large)
assert [elements(name) for name in rows] == [2**18 // 272 * 256, 2**18 // 1040 * 1024] + 4 * [2**18]
assert all(elements(name) == n for name, n in linear.items())
assert all(elements(name) == elements(fill) for name, fill in fill_of.items() if not name.startswith('strided'))

compared = {**{(f'plan_{n}x1000', 'f32'): (f'fills_{n}x1000', 'f32') for n in many.values()},
            ('plan_gpt2', 'f32'): ('one_tensor_gpt2', 'f32'),
            ('cold_start', 'f32'): ('cold_start_empty', None), ('warm_start', 'f32'): ('warm_start_empty', None),
            **{(name, 'f32'): ('uniform', 'f32') for name in rows},
            **{(name, dtype): (name, 'f32') for name in families for dtype in sizes if dtype != 'f32'}}
for key, r in results.items():
    if key not in compared:
        assert r['ratio'] is None and r['ratio_of'] is None, r
        continue
    other = results[compared[key]]
    done = r['elements'] / other['elements'] if key not in starts else 1
    assert r['ratio_of'] == ' '.join(filter(None, compared[key])), r
    assert abs(r['ratio'] * r['seconds_median'] / other['seconds_median'] / done - 1) < 1e-9, (r, other)
PYTHON
fi

# ---- A choice of cases brings what they are compared with; rounds, sizes, and text ----
SHIM_CLOCK=1 "$SHIMMED" bench --size 64K --runs 4 --only '^(strided_256|normal bf16)' --json >some.json
if have_python; then
  python3 - <<'PYTHON'
import json
results = json.load(open('some.json'))['results']
names = [(r['name'], r['dtype']) for r in results]
assert sorted(names) == [('device_fill', 'f32'), ('normal', 'bf16'), ('normal', 'f32'), ('strided_256', 'f32'),
                         ('uniform', 'f32')], names
# By the shim's clock, each reading is later than the one before by more: four times that all differ.
assert all(0 < r['seconds_min'] < r['seconds_median'] < r['seconds_max'] for r in results), results
PYTHON
fi
"$FANIN" bench --size 65536 --runs 2 --only 'plan_1000x1000' >text.txt
grep -qE '^plan_1000x1000 +f32 +1,000,000 .* x fills_1000x1000$' text.txt || die "$(cat text.txt)"
grep -q '^device_fill' text.txt && die "a fill that only stands beside others has a row: $(cat text.txt)"
script -qec "stty cols 80; '$FANIN' bench --size 64K --runs 2 --only '^uniform f32'" tty.txt </dev/null >/dev/null
grep -q 'round 2 of 2: ' tty.txt || die "no progress on a terminal: $(cat tty.txt)"
