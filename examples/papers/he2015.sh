#!/usr/bin/env bash
# He et al. 2015, "Delving deep into rectifiers", equations 8 to 10 and section 2.2: ReLU halves q a layer under Xavier,
# so that 22 and 30 layers lose 2^-22 and 2^-30; He's initialization keeps it.
# shellcheck disable=SC1091,SC2154
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

width=512
network=(--mlp "$(repeat 32 $width)" --activation relu --batch 256) # 31 layers: 30 steps through a ReLU
for init in xavier_normal he_normal; do
  probe $init "${network[@]}" --init $init
done
"$fanin" probe "${network[@]}" --init xavier_normal --init he_normal --require none --plot "$here/he2015.svg" >/dev/null

head_row "He et al. 2015"
for init in xavier_normal he_normal; do
  for steps in 22 30; do
    paper=1
    [ $init = he_normal ] || paper=$(calculate "2 ^ -$steps")
    row "$init: q after $steps layers of ReLU" "$paper" \
      "$(calculate "$(column $init q_meanfield $((steps + 1))) / $(column $init q_meanfield 1)")" \
      "$(calculate "$(column $init q_measured $((steps + 1))) / $(column $init q_measured 1)")"
  done
done
echo
echo "At width $width, the standard deviation of ln q over seeds is $(calculate "$(column he_normal q_sd 31)") by then."
