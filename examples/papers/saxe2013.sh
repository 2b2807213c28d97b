#!/usr/bin/env bash
# Saxe et al. 2013, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", section 3 and
# figure 6: products of L Gaussian matrices keep the mean of their squared singular values at 1, but spread them: variance
# L, and most directions vanish. (Orthogonal matrices, the paper's remedy, are not in this version of fanin.)
# shellcheck disable=SC1091,SC2154
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

head_row "Saxe et al. 2013, Gaussian matrices"
for layers in 1 2 5 20; do
  "$build/examples/papers/saxe_spectrum" $layers 500 >"$work/$layers.dat"
  read -r mean variance small < <(awk '{ m += $2 ^ 2; v += $2 ^ 4; small += $2 < 0.1 } END {
    m /= NR; printf "%.4g %.4g %.3g\n", m, v / NR - m * m, small / NR }' "$work/$layers.dat")
  row "L = $layers: mean of the squared singular values" 1 1 "$mean"
  [ $layers -gt 5 ] || row "L = $layers: their variance" $layers $layers "$variance"
  row "L = $layers: share of singular values below 0.1" "" "" "$small"
done

draw saxe2013.svg 620 400 <<PLOT
set title 'singular values of a product of L Gaussian matrices, 500 x 500'
set logscale y; set format y '10^{%T}'; set yrange [1e-8:10]; set xrange [0:500]; set xlabel 'rank'; set key bottom left
plot '$work/1.dat' u 1:2 w l lw 2 lc rgb blue title 'L = 1', '$work/2.dat' u 1:2 w l lw 2 lc rgb green title '2', \
  '$work/5.dat' u 1:2 w l lw 2 lc rgb red title '5', '$work/20.dat' u 1:2 w l lw 2 lc rgb purple title '20'
PLOT
