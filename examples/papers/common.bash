# What the scripts of this directory share. Each runs 'fanin' on the default device, draws a figure beside itself and
# prints a table of the paper's numbers and ours. Sourced, after set -euo pipefail.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${BUILD:-$here/../../build}
fanin=$build/fanin
[ -x "$fanin" ] || { echo "no $fanin: ./run build" >&2 && exit 2; }
export POCL_CACHE_DIR=${POCL_CACHE_DIR:-$build/pocl-cache}
mkdir -p "$POCL_CACHE_DIR"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# repeat N TEXT: "TEXT,TEXT,...", N times.
repeat() {
  local list
  list=$(printf ",$2%.0s" $(seq "$1"))
  echo "${list#,}"
}

# probe NAME ARGUMENT...: a probe's layers to $work/NAME.csv; its verdict is not asked for.
probe() {
  local name=$1
  shift
  "$fanin" probe "$@" --require none --csv "$work/$name.csv" >"$work/$name.txt"
}

# column NAME FIELD LAYER: one number of $work/NAME.csv. Fields are counted from the end: the first may hold commas.
column() {
  tr -d '\r' <"$work/$1.csv" | awk -F, -v field="$2" -v layer="$3" '
    NR == 1 { for (i = 1; i <= NF; ++i) if ($i == field) back = NF - i; next }
    NR == layer + 1 { print $(NF - back) }'
}

# calculate EXPRESSION: to four digits.
calculate() {
  awk "BEGIN { printf \"%.4g\n\", $1 }"
}

# row QUANTITY PAPER THEORY MEASURED
row() {
  printf '| %-58s | %-8s | %-9s | %-9s |\n' "$@"
}
head_row() {
  row "$1" paper theory measured
  printf '|%s|%s|%s|%s|\n' ---------- ---- ---- ----
}

# draw FILE WIDTH HEIGHT <script: by gnuplot, in the colours that everybody tells apart
draw() {
  {
    echo "set terminal svg size $2,$3 font 'sans-serif,13' background rgb 'white'"
    echo "set output '$here/$1'"
    echo "set encoding utf8; set tics scale 0.6"
    echo "set grid lc rgb '#dddddd' lt 1; set border 3 lc rgb '#444444'; set tics nomirror"
    echo "blue='#0072B2'; red='#D55E00'; green='#009E73'; purple='#CC79A7'"
    cat
  } | gnuplot -d
}
