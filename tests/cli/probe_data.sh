#!/usr/bin/env bash
# 'fanin probe --json' and '--csv': the library's numbers by their names, in both alike, and what theory says of them.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

network=(--mlp '64,300,100,10')
"$FANIN" probe "${network[@]}" --json >one.json
"$FANIN" probe "${network[@]}" --csv - >one.csv
"$FANIN" probe "${network[@]}" --csv file.csv >one.txt
grep -q '^CONFORMS' one.txt || die "--csv FILE without the table: $(cat one.txt)"
cmp one.csv file.csv || die "--csv FILE is not --csv -"
"$FANIN" probe "${network[@]}" --init he_normal --init variance_scaling:scale=2,mode=fan_out --json >two.json
"$FANIN" probe "${network[@]}" --init he_normal --init variance_scaling:scale=2,mode=fan_out --csv - >two.csv
"$FANIN" probe "${network[@]}" --init he_normal --init zeros --require none >compare.txt
grep -qE '^he_normal +yes +yes +' compare.txt || die "no row of he_normal: $(cat compare.txt)"
grep -qE '^zeros +yes +NO +.* SYMMETRY' compare.txt || die "no row of zeros: $(cat compare.txt)"
[ "$(grep -c '^CONFORMS' compare.txt)" = 2 ] || die "not two verdicts: $(cat compare.txt)"
"$FANIN" probe --mlp 8,8 --init zeros --json --require none >zeros.json

refuse 2 "both want standard output" probe "${network[@]}" --json --csv -
refuse 2 "cannot create a file there" probe "${network[@]}" --csv nowhere/x.csv
inits=()
for i in {1..9}; do inits+=(--init "normal:std=0.$i"); done
refuse 2 "at most 8 initializers" probe "${network[@]}" "${inits[@]}"

have_python || exit 0
python3 - <<'PYTHON'
import csv, json, math
one, two = json.load(open('one.json')), json.load(open('two.json'))
assert one['conforms'] is True and one['healthy'] is True and one['diagnoses'] == [] and one['n_tests'] == 12
assert 3.9 < one['z_bound'] < 3.95 and one['widths'] == [64, 300, 100, 10] and one['overflow_layer'] is None
assert isinstance(two, list) and two[0]['layers'] == one['layers'] and two[1]['init'].endswith('mode=fan_out')
names = {'layer', 'fan_in', 'fan_out', 'conforms', 'weight_std', 'weight_std_expected', 'weight_z', 'mean_measured',
         'correlation_measured', 'saturated_measured', 'dead_measured', 'f16_overflow', 'f16_gradient_underflow',
         'weight_gradient_measured', 'q_sd', 'g_sd'}
for a in 'qg':
    names |= {f'{a}_{b}' for b in ('measured', 'predicted', 'meanfield', 'z')}
for layer, y in enumerate(one['layers']):
    assert names <= set(y), names - set(y)
    assert y['layer'] == layer + 1 and [y['fan_in'], y['fan_out']] == one['widths'][layer:layer + 2]
    assert abs(y['weight_std_expected'] - math.sqrt(2 / y['fan_in'])) < 1e-9
    z = (y['weight_std'] / y['weight_std_expected'] - 1) * math.sqrt(2 * y['fan_in'] * y['fan_out'])
    assert abs(z - y['weight_z']) < 0.01, (z, y)  # of a sample std of normals: 1 / sqrt(2 N)
    assert y['conforms'] is True and all(abs(y[k]) < one['z_bound'] for k in ('weight_z', 'q_z', 'g_z'))
# He's fixed point: a ReLU network keeps q, here 2 from an input of mean square 1, apart from the sampled input.
assert all(abs(y['q_meanfield'] - one['layers'][0]['q_meanfield']) < 1e-6 for y in one['layers'])
# Backward, chi = 1 times the ratio of the widths: 10 / 100 / 300 of the output's mean square, 1.
for y, g in zip(one['layers'], (10 / 300, 10 / 100, 1)):
    assert abs(y['g_meanfield'] / g - 1) < 1e-6, (y['g_meanfield'], g)

# The same numbers as CSV, one table for all initializers; RFC 4180: CRLF, quoted texts.
text = open('two.csv', newline='').read()
assert text.endswith('\r\n') and text.count('\r\n') == text.count('\n') == 7, text
rows = list(csv.DictReader(open('two.csv', newline='')))
both = [(r['init'], y) for r in two for y in r['layers']]
assert len(rows) == len(both) == 6
for row, (init, y) in zip(rows, both):
    assert row.pop('init') == init == y.pop('init') and set(row) == set(y), set(row) ^ set(y)
    for k, value in y.items():
        assert (row[k] == '' and value is None) or float(row[k]) == float(value), (k, row[k], value)

zeros = json.load(open('zeros.json'))
found = {d['name']: d for d in zeros['diagnoses']}
assert zeros['healthy'] is False and found['SYMMETRY']['verdict'] == 'healthy', zeros['diagnoses']
d = found['SYMMETRY']
assert d['first'] == d['last'] == 1 and 'weights are 0' in d['what'] and d['remedy'], d
PYTHON
