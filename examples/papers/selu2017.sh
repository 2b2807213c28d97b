#!/usr/bin/env bash
# Klambauer et al. 2017, "Self-normalizing neural networks": with LeCun's initialization, mean 0 and variance 1 are SELU's
# fixed point forward. Backward there is none: gradients grow by 1.0716 a layer, 29.6 over 50 layers.
# shellcheck disable=SC1091,SC2154
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

network=(--mlp "$(repeat 51 512)" --activation selu --init lecun_normal --batch 512)
probe selu "${network[@]}"
"$fanin" probe "${network[@]}" --require none --plot "$here/selu2017.svg" >/dev/null

head_row "SELU with LeCun, 50 layers"
for layer in 2 10 50; do
  row "second moment q of layer $layer" 1 "$(calculate "$(column selu q_meanfield $layer)")" \
    "$(calculate "$(column selu q_measured $layer)")"
done
row "mean of the activations of layer 49" 0 "$(calculate "$(column selu mean_predicted 49)")" \
  "$(calculate "$(column selu mean_measured 49)")"
row "G of layer 1 / G of layer 50" 29.6 "$(calculate "$(column selu g_meanfield 1) / $(column selu g_meanfield 50)")" \
  "$(calculate "$(column selu g_measured 1) / $(column selu g_measured 50)")"
