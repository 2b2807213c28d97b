#!/usr/bin/env bash
# GELU and SiLU: the gain that keeps q = 1 exists, but q = 1 is unstable. A deviation is multiplied by d ln V / d ln q =
# 1.14 and 1.17 a layer; ReLU's is 1, tanh's 0.46. So deep networks leave it, up or down, however exact the gain.
# shellcheck disable=SC1091,SC2154
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

head_row "Stability of q = 1"
paper() { case $1 in gelu) echo 1.14 ;; silu) echo 1.17 ;; relu) echo 1 ;; *) echo "" ;; esac; }
for activation in gelu silu relu tanh; do
  "$fanin" probe --suggest $activation --json >"$work/$activation.json"
  sensitivity=$(sed -nE 's/.*"sensitivity": ([-0-9.e+]+),?/\1/p' "$work/$activation.json" | head -1)
  row "$activation: d ln V / d ln q at q = 1" "$(paper $activation)" "$(calculate "$sensitivity")" ""
done

# GELU over 50 layers: at its gain, and with less variance. Inputs have mean square 1, so that q begins at the scale.
gelu=$(sed -nE 's/.*"gain": ([-0-9.e+]+),?/\1 ^ 2/p' "$work/gelu.json" | head -1)
inits=()
for factor in 0.7 0.85 1; do
  scale=$(awk "BEGIN { printf \"%.4f\", $gelu * $factor }")
  inits+=(--init "variance_scaling:scale=$scale")
  probe "gelu-$factor" --mlp "$(repeat 51 512)" --activation gelu --init "variance_scaling:scale=$scale"
  row "gelu at $factor of that variance: q of layer 50 / layer 1" "" \
    "$(calculate "$(column "gelu-$factor" q_meanfield 50) / $(column "gelu-$factor" q_meanfield 1)")" \
    "$(calculate "$(column "gelu-$factor" q_measured 50) / $(column "gelu-$factor" q_measured 1)")"
done
"$fanin" probe --mlp "$(repeat 51 512)" --activation gelu "${inits[@]}" --require none --plot "$here/gelu_silu.svg" \
  >/dev/null
