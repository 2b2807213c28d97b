#!/usr/bin/env bash
# PyTorch's default for Linear, he_uniform with a = sqrt(5): n Var = 1/3. With ReLU, q is divided by 6 a layer.
# shellcheck disable=SC1091,SC2154
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

network=(--mlp "$(repeat 12 1024)" --activation relu --batch 256)
probe default "${network[@]}" --init pytorch_default
"$fanin" probe "${network[@]}" --init pytorch_default --init he_uniform --require none \
  --plot "$here/pytorch_linear.svg" >/dev/null

head_row "PyTorch's Linear with ReLU"
for field in q_meanfield q_measured; do # a layer, over ten
  printf -v "$field" %s "$(calculate "($(column default $field 1) / $(column default $field 11)) ^ 0.1")"
done
row "q of a layer / q of the next, mean over ten layers" 6 "$q_meanfield" "$q_measured"
for field in g_meanfield g_measured; do
  printf -v "$field" %s "$(calculate "($(column default $field 11) / $(column default $field 1)) ^ 0.1")"
done
row "G of a layer / G of the one before, mean over ten layers" 6 "$g_meanfield" "$g_measured"
