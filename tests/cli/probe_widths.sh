#!/usr/bin/env bash
# 'fanin probe --widths': exponents of q and G beside theory's, their standard errors, and what is said of them.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

refuse 2 "--mlp '8,{w}': nothing stands for what is in braces; give --widths" probe --mlp '8,{w}'
refuse 2 "--widths needs a network with {w}" probe --mlp 8,8 --widths 8,16
refuse 2 "--widths needs a network with {w}" probe --widths 8,16
refuse 2 "--widths 8: give at least two widths" probe --mlp '8,{w}' --widths 8
refuse 2 "8 comes after 16; give each once, from the smallest on" probe --mlp '8,{w}' --widths 16,8
refuse 2 "8 and 9 make the same network of --mlp '8,{max(w,16)}'" probe --mlp '8,{max(w,16)}' --widths 8,9
refuse 2 "'v': the only name in it is w" probe --mlp '8,{v}' --widths 8,16
refuse 2 "must be a whole number" probe --mlp '8,{w/2}' --widths 9,16
refuse 2 "'0' is not a whole number of at least 1" probe --mlp '8,{w-8}' --widths 8,16
refuse 2 "has the same columns at every width, but --mlp '{w},8' begins with w" probe --mlp '{w},8' --widths 8,16 --input x.csv
refuse 2 "leave --weights and --calibrate out" probe --mlp '8,{w}' --widths 8,16 --weights x.safetensors
refuse 2 "leave --weights and --calibrate out" probe --mlp '8,{w}' --widths 8,16 --calibrate -o x.safetensors
refuse 2 "takes one --init" probe --mlp '8,{w}' --widths 8,16 --init he_normal --init zeros
refuse 2 "neither --csv nor --plot" probe --mlp '8,{w}' --widths 8,16 --csv -
refuse 2 "neither --csv nor --plot" probe --mlp '8,{w}' --widths 8,16 --plot x.svg
refuse 2 "--require healthy is about one network" probe --mlp '8,{w}' --widths 8,16 --require healthy
refuse 2 "--require stable belongs to --widths" probe --mlp 8,8 --require stable
refuse 2 "--require mup belongs to --widths" probe --mlp 8,8 --require mup
refuse 2 "--suggest runs no network" probe --suggest relu --widths 8,16
# The widest network's initializer is checked before anything runs.
refuse 2 "--init: normal: std is '-" probe --mlp '8,{w}' --widths 8,16,32 --init 'normal:std={24-shape[0]}'

# ---- What is told apart at initialization, and what is not ----
# scales STATUS WORDS ARGUMENT...: the status, and a line that begins so.
scales() {
  local want=$1 words=$2 got=0
  shift 2
  "$FANIN" probe --widths 64,256,1024 "$@" >scales.txt || got=$?
  [ "$got" = "$want" ] || die "--widths $*: status $got, not $want: $(cat scales.txt)"
  grep -q "^$words" scales.txt || die "--widths $*: not '$words': $(cat scales.txt)"
  grep -q '^No training step was taken: ' scales.txt || die "--widths $*: $(cat scales.txt)"
}
network=(--mlp '64,{w},{w},40')
mup=(--init 'normal:std={sqrt(2/64)}' --layer-init '2=mup_hidden:base=64 normal:std={sqrt(2/64)}'
  --layer-init '3=mup_output:base=64 normal:std={sqrt(2/64)}')
scales 0 "The output's exponent is -1 and not 0, as in muP at initialization" "${network[@]}" "${mup[@]}" --require mup
scales 0 'STABLE: at initialization' "${network[@]}" "${mup[@]}"
for init in he_normal pytorch_default; do # which keep q too: only the output tells them from muP
  scales 1 "The output's exponent is 0 and not -1, as in the standard" "${network[@]}" --init $init --require mup
  scales 0 'STABLE: at initialization' "${network[@]}" --init $init
done
scales 0 'An output of 0 fits muP and the standard' "${network[@]}" --layer-init last=zeros --require stable
scales 1 '  layer 3, the output: q is 0 at every width' "${network[@]}" --layer-init last=zeros --require mup
scales 1 'NOT STABLE: ' "${network[@]}" --init normal:std=0.1
grep -qE '^  layer 2: q grows as width\^(0\.9|1\.0)[0-9], within 0\.[0-9]+, and a preactivation as width\^0\.[45]' scales.txt || die "$(cat scales.txt)"
scales 0 'CONFORMS: every network does' "${network[@]}" --init normal:std=0.1 --require conforms
# Hidden layers that shrink are not muP, whatever the output does.
scales 1 '  layer 2: q shrinks as width' "${network[@]}" "${mup[@]:0:2}" --layer-init '2..3=mup_output:base=64 normal:std=0.2' --require mup
# One feature says too little, by its standard error.
scales 1 'NOT TOLD: ' --mlp '64,{w},{w},1' --batch 4
grep -q '^  layer 3, the output: cannot be told: the exponent is known within [0-9.]* only' scales.txt || die "$(cat scales.txt)"
# Patterns have no law.
scales 1 'NOT JUDGED: ' --mlp '64,{w},{w},64' --init hadamard --require conforms
grep -q '^NOT TOLD' scales.txt || die "$(cat scales.txt)"
scales 0 'NOT JUDGED: ' --mlp '64,{w},{w},64' --init hadamard --require none
# Values that overflow.
scales 1 'DOES NOT CONFORM: 3 of 3 networks' "${network[@]}" --init normal:std=1e18 --require conforms
grep -q '^  the network of width 256 does not: probe it alone, with --seed 1$' scales.txt || die "$(cat scales.txt)"
# A bias that takes over: no single power.
scales 1 '  layer 2: q shrinks as .*; by theory it is no single power of the width here$' "${network[@]}" \
  --init 'normal:std={4/fan_in}' --bias-std 0.1
# Deep networks: rows in the middle are left out.
"$FANIN" probe --mlp "16$(printf ',{w}%.0s' {1..40}),8" --widths 16,32 --require none >deep.txt
[ "$(grep -cE '^ +[0-9]+ .* (keeps|shrinks|grows|untold)$' deep.txt)" = 48 ] || die "$(cat deep.txt)"
grep -q '^(24 of 41 layers; --all' deep.txt || die "$(cat deep.txt)"

have_python || exit 0

# ---- The numbers ----
FANIN=$FANIN python3 - <<'PYTHON'
import json, math, os, subprocess

def probe(*arguments):
    r = subprocess.run([os.environ['FANIN'], 'probe', '--require', 'none', '--json', *arguments], stdout=subprocess.PIPE)
    assert r.returncode == 0, arguments
    return json.loads(r.stdout)

def slope(widths, values):
    x = [math.log(w) for w in widths]
    mean = sum(x) / len(x)
    return sum((a - mean) * b for a, b in zip(x, values)) / sum((a - mean) ** 2 for a in x)

def slope_error(widths, sds):
    """By what each number moves the slope."""
    unit = [slope(widths, [k == i for k in range(len(widths))]) for i in range(len(widths))]
    return math.sqrt(sum((u * sd) ** 2 for u, sd in zip(unit, sds)))

def check(report, widths, exponents_q, exponents_g):
    assert report['w'] == widths and len(report['layers']) == len(exponents_q)
    for l, y in enumerate(report['layers']):
        for m, theory in ('q', exponents_q[l]), ('g', exponents_g[l]):
            of = [n['layers'][l] for n in report['networks']]
            e = slope(widths, [math.log(one[m + '_measured']) for one in of])
            se = slope_error(widths, [math.hypot(one[m + '_sd'], 1e-5) for one in of])  # and f32's rounding
            assert abs(y[m]['exponent'] - e) < 1e-9 and abs(y[m]['error'] / se - 1) < 1e-3, (l, m, y[m], e, se)
            # 0.01: the input is a sample; in layer 1, its mean square differs from seed to seed by 1 % at most
            assert abs(y[m]['theory'] - theory) < 0.01, (l, m, y[m], theory)
            # below 4.5 in all of fewer than 50 exponents of 9,996 of 10,000 seeds
            assert abs(y[m]['z']) < 4.5 and abs(y[m]['exponent'] - theory) < 4.5 * se + 0.02, (l, m, y[m], theory)

widths = [64, 128, 512]
# Each network is what a probe of it alone makes of its seed.
report = probe('--mlp', '64,{w},{2*w},10', '--widths', '64,128,512', '--seed', '7')
for k, w in enumerate(widths):
    alone = probe('--mlp', f'64,{w},{2 * w},10', '--seed', str(7 + k))
    for one in alone, report['networks'][k]:
        for key in 'gemm_seconds', 'other_seconds', 'startup_seconds':
            del one[key]
    assert alone == report['networks'][k], w
# ReLU keeps q; G falls with the number of features that share the output's.
check(report, widths, [0, 0, 0], [-1, -1, 0])
# Powers that follow from fan_in and std: q of layer l gains width times the variance.
check(probe('--mlp', '64,{w},{w},{w},10', '--widths', '64,128,512', '--init', 'normal:std=0.1'), widths, [0, 1, 2, 3],
      [2, 1, 0, 0])
check(probe('--mlp', '64,{w},{w},10', '--widths', '64,128,512', '--init', 'normal:std={2/fan_in}'), widths, [0, -1, -2],
      [-3, -2, 0])
# Where the input has the width too, and the law is that of orthogonal weights.
check(probe('--mlp', '{w},{w},{w},10', '--widths', '64,128,512', '--init', 'orthogonal', '--activation', 'linear'), widths,
      [0, 0, 0], [-1, -1, 0])
# Residual connections and batch norm have no law of G.
for option in ['--residual'], ['--norm', 'batch']:
    report = probe('--mlp', '64,{w},{w},{w},10', '--widths', '64,128', *option)
    assert all(y['q']['z'] is not None for y in report['layers']), report
    assert report['layers'][0]['g']['z'] is None and report['conforms'], report

# Over seeds, z is a standard normal: the mean square of 24 of them, which is chi^2 / 24, is outside 0.23 .. 2.55 for one of
# 10,000 sets. (Seeds of a run are its first one and those after it.)
z = {('q', 4): [], ('g', 0): []}
for seed in range(24):
    report = probe('--mlp', '32,{w},{w},{w},{w},16', '--widths', '32,64,128', '--batch', '64', '--activation', 'tanh',
                   '--init', 'variance_scaling:scale=1.7', '--bias-std', '0.2', '--seed', str(3 * seed))
    for m, l in z:
        z[m, l].append(report['layers'][l][m]['z'])
for key, values in z.items():
    square = sum(v * v for v in values) / len(values)
    assert 0.23 < square < 2.55, (key, square)
PYTHON
