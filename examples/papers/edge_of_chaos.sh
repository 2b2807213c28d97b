#!/usr/bin/env bash
# Poole et al. 2016 and Schoenholz et al. 2017, "Deep information propagation": tanh with biases of variance 0.05 has its
# edge of chaos at sigma_w^2 = 1.76. Below, two inputs become one and gradients vanish; above, inputs part and gradients
# explode; on the edge, gradients keep their size.
# shellcheck disable=SC1091,SC2154
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

bias_std=0.22360679774997896
edge=$("$fanin" probe --suggest tanh --bias-std $bias_std | sed -nE 's/^edge +variance_scaling:scale=([0-9.]+) .*/\1/p')
sigmas=(1.3 "$edge" 2.5)
inits=()
for sigma in "${sigmas[@]}"; do
  inits+=(--init "variance_scaling:scale=$sigma")
  probe "$sigma" --mlp "$(repeat 51 512)" --activation tanh --bias-std $bias_std --batch 256 \
    --init "variance_scaling:scale=$sigma"
  for layer in $(seq 49); do
    echo "$layer $(column "$sigma" correlation_measured "$layer") $(column "$sigma" correlation_predicted "$layer")" \
      "$(column "$sigma" g_measured "$layer") $(column "$sigma" g_meanfield "$layer")"
  done >"$work/$sigma.dat"
done

head_row "Edge of chaos of tanh, sigma_b^2 = 0.05"
row "sigma_w^2 of the edge" 1.76 "$(calculate "$edge")" ""
for sigma in "${sigmas[@]}"; do
  row "sigma_w^2 = $(calculate "$sigma"): factor of G a layer, layers 20 to 40" "" \
    "$(calculate "($(column "$sigma" g_meanfield 20) / $(column "$sigma" g_meanfield 40)) ^ 0.05")" \
    "$(calculate "($(column "$sigma" g_measured 20) / $(column "$sigma" g_measured 40)) ^ 0.05")"
done
for sigma in "${sigmas[@]}"; do
  row "sigma_w^2 = $(calculate "$sigma"): cosine of two samples in layer 49" "" \
    "$(calculate "$(column "$sigma" correlation_predicted 49)")" \
    "$(calculate "$(column "$sigma" correlation_measured 49)")"
done

draw edge_of_chaos.svg 860 380 <<PLOT
set multiplot layout 1,2 title 'tanh, biases of variance 0.05, 50 layers of 512'
a='$work/1.3.dat'; b='$work/$edge.dat'; c='$work/2.5.dat'
set xrange [0:50]; set xlabel 'layer'
set title 'cosine of two samples'; set yrange [0:1.02]; set key bottom right
plot a u 1:3 w l lw 2 lc rgb red notitle, b u 1:3 w l lw 2 lc rgb blue notitle, c u 1:3 w l lw 2 lc rgb green notitle, \
  a u 1:2 w p pt 5 ps 0.5 lc rgb red title 'σ_w^2 = 1.3', \
  b u 1:2 w p pt 7 ps 0.5 lc rgb blue title '1.76, the edge', c u 1:2 w p pt 9 ps 0.6 lc rgb green title '2.5'
set title 'mean square of gradients'; set autoscale y; set logscale y; set format y '10^{%T}'; unset key
plot a u 1:5 w l lw 2 lc rgb red, b u 1:5 w l lw 2 lc rgb blue, c u 1:5 w l lw 2 lc rgb green, \
  a u 1:4 w p pt 5 ps 0.5 lc rgb red, b u 1:4 w p pt 7 ps 0.5 lc rgb blue, c u 1:4 w p pt 9 ps 0.6 lc rgb green
PLOT
