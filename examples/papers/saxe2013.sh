#!/usr/bin/env bash
# Saxe et al. 2013, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", section 3 and
# figure 6: products of L Gaussian matrices keep the mean of their squared singular values at 1, but spread them: variance
# L, and most directions vanish. Products of orthogonal matrices keep every one: variance 0, dynamical isometry.
# shellcheck disable=SC1091,SC2154
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

# spectrum NAME INIT LAYERS: the mean and variance of the squared singular values, the share below 0.1, least and most.
spectrum() {
  "$build/examples/papers/saxe_spectrum" "$2" "$3" 500 >"$work/$1.dat"
  awk '{ m += $2 ^ 2; v += $2 ^ 4; small += $2 < 0.1 } NR == 1 { most = $2 } END {
    m /= NR; v = v / NR - m * m; printf "%.4g %.4g %.3g %.6f %.6f\n", m, v, small / NR, $2, most }' \
    "$work/$1.dat"
}

head_row "Saxe et al. 2013, 500 x 500"
for layers in 1 2 5 20; do
  read -r mean variance small _ < <(spectrum "gaussian$layers" lecun_normal $layers)
  row "Gaussian, L = $layers: mean of the squared singular values" 1 1 "$mean"
  [ $layers -gt 5 ] || row "Gaussian, L = $layers: their variance" $layers $layers "$variance"
  row "Gaussian, L = $layers: share of singular values below 0.1" "" "" "$small"
done
for layers in 1 20 100; do
  read -r mean variance _ least most < <(spectrum "orthogonal$layers" orthogonal $layers)
  row "orthogonal, L = $layers: mean of the squared singular values" 1 1 "$mean"
  row "orthogonal, L = $layers: their variance" 0 0 "$variance"
  row "orthogonal, L = $layers: least and largest singular value" "1, 1" "1, 1" "$least, $most"
done

draw saxe2013.svg 620 400 <<PLOT
set title 'singular values of a product of L matrices, 500 x 500'
set logscale y; set format y '10^{%T}'; set yrange [1e-8:10]; set xrange [0:500]; set xlabel 'rank'; set key bottom left
plot '$work/orthogonal100.dat' u 1:2 w l lw 2 lc rgb 'black' title 'orthogonal, L = 100', \
  '$work/gaussian1.dat' u 1:2 w l lw 2 lc rgb blue title 'Gaussian, L = 1', \
  '$work/gaussian2.dat' u 1:2 w l lw 2 lc rgb green title '2', \
  '$work/gaussian5.dat' u 1:2 w l lw 2 lc rgb red title '5', \
  '$work/gaussian20.dat' u 1:2 w l lw 2 lc rgb purple title '20'
PLOT
