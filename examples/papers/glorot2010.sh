#!/usr/bin/env bash
# Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks": five layers of 1000
# tanh, standard initialization U(-1/sqrt(n), 1/sqrt(n)) against normalised (Xavier): figures 6 and 7, equations 15 and
# 16, section 4.2.1.
# shellcheck disable=SC1091,SC2154
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

for init in pytorch_default xavier_uniform; do # PyTorch's default is U(-1/sqrt(n), 1/sqrt(n))
  probe $init --mlp "$(repeat 6 1000),10" --activation tanh --init $init --batch 1000
  "$build/examples/papers/glorot_jacobian" $init 5 1000 >"$work/$init.jacobian"
done

jacobian() { # INIT COLUMN: mean over layers 2 to 5, which follow an activation
  awk -v c="$2" 'NR > 2 { s += $c; ++n } END { printf "%.3f\n", s / n }' "$work/$1.jacobian"
}
ratio() { # NAME FIELD LAYER LAYER
  calculate "$(column "$1" "$2" "$3") / $(column "$1" "$2" "$4")"
}
head_row "Glorot & Bengio 2010"
row "mean singular value of a layer's Jacobian at 0, standard" 0.5 "$(calculate '8 / (3 * 3.14159265) / sqrt(3)')" \
  "$(jacobian pytorch_default 2)"
row "the same at an input of N(0,1)" 0.5 "" "$(jacobian pytorch_default 3)"
row "mean singular value of a layer's Jacobian at 0, normalised" 0.8 "$(calculate '8 / (3 * 3.14159265)')" \
  "$(jacobian xavier_uniform 2)"
row "the same at an input of N(0,1)" 0.8 "" "$(jacobian xavier_uniform 3)"
row "standard: q of layer 5 / layer 4 (1/3 where tanh is linear)" 1/3 "$(ratio pytorch_default q_meanfield 5 4)" \
  "$(ratio pytorch_default q_measured 5 4)"
row "standard: G of layer 4 / layer 5" 1/3 "$(ratio pytorch_default g_meanfield 4 5)" \
  "$(ratio pytorch_default g_measured 4 5)"
row "standard: G of layer 1 / layer 5, shrinking" "" "$(ratio pytorch_default g_meanfield 1 5)" \
  "$(ratio pytorch_default g_measured 1 5)"
row "standard: weight gradient of layer 2 / layer 5, flat" 1 \
  "$(ratio pytorch_default weight_gradient_predicted 2 5)" "$(ratio pytorch_default weight_gradient_measured 2 5)"
row "normalised: G of layer 1 / layer 5" "" "$(ratio xavier_uniform g_meanfield 1 5)" \
  "$(ratio xavier_uniform g_measured 1 5)"
row "normalised: weight gradient of layer 2 / layer 5" 1 \
  "$(ratio xavier_uniform weight_gradient_predicted 2 5)" "$(ratio xavier_uniform weight_gradient_measured 2 5)"

for init in pytorch_default xavier_uniform; do # activations of layer l feed layer l + 1
  for layer in 1 2 3 4 5; do
    echo "$layer $(column $init q_measured $layer) $(column $init q_meanfield $layer)" \
      "$(column $init g_measured $layer) $(column $init g_meanfield $layer)" \
      "$(column $init weight_gradient_measured $layer) $(column $init weight_gradient_predicted $layer)"
  done >"$work/$init.dat"
done
draw glorot2010.svg 900 330 <<PLOT
set multiplot layout 1,3 title 'Glorot and Bengio 2010: five layers of 1000 tanh'
set logscale y; set format y '10^{%T}'; set xrange [0.7:5.3]; set xtics 1; set xlabel 'layer'
s='$work/pytorch_default.dat'; n='$work/xavier_uniform.dat'
unset key
set title 'preactivations, mean square'
plot s u 1:3 w l lw 2 lc rgb red, n u 1:3 w l lw 2 lc rgb blue, s u 1:2 w p pt 5 lc rgb red, n u 1:2 w p pt 7 lc rgb blue
set title 'their gradients'
plot s u 1:5 w l lw 2 lc rgb red, n u 1:5 w l lw 2 lc rgb blue, s u 1:4 w p pt 5 lc rgb red, n u 1:4 w p pt 7 lc rgb blue
set title 'gradients of the weights'; set key center
plot s u 1:7 w l lw 2 lc rgb red notitle, n u 1:7 w l lw 2 lc rgb blue notitle, \
  s u 1:6 w p pt 5 lc rgb red title 'standard', n u 1:6 w p pt 7 lc rgb blue title 'normalised'
PLOT
