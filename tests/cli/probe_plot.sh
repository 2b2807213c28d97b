#!/usr/bin/env bash
# 'fanin probe --plot': a picture that is one, for ranges from one layer to deep, zero to exploding.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

refuse 2 "must end in .svg or .png" probe --mlp 8,8 --plot picture.pdf
mkdir empty
status=0
PATH=$PWD/empty "$FANIN" probe --mlp 8,8 --plot picture.svg >out.txt 2>err.txt || status=$?
if [ "$status" != 2 ] || [ -s out.txt ] || ! grep -q 'gnuplot is not installed.*gnuplot-nox' err.txt; then
  die "without gnuplot: $status: $(cat out.txt err.txt)"
fi
[ ! -e picture.svg ] || die "without gnuplot: a picture"
command -v gnuplot >/dev/null || { echo "skipped: no gnuplot" && exit 0; }

deep=16$(printf ',16%.0s' {1..30})
for name in one.svg one.png; do
  "$FANIN" probe --mlp 16,16 --plot $name >/dev/null || die "$name"
done
"$FANIN" probe --mlp "$deep" --init xavier_normal --init normal:std=3 --init zeros --init "normal:std=1e15" \
  --require none --plot deep.svg >/dev/null || die "deep.svg"
"$FANIN" probe --mlp 8,8,8 --init zeros --require none --plot zeros.svg >/dev/null || die "zeros.svg"
"$FANIN" probe --mlp 8,8,8 --init "normal:std=1e30" --require none --plot nothing.svg >/dev/null || die "nothing.svg"
[ "$(head -c 4 one.png | od -An -tx1 | tr -d ' ')" = 89504e47 ] || die "one.png is no PNG"
for name in one deep zeros nothing; do
  tail -2 $name.svg | grep '</svg>' >/dev/null || die "$name.svg is not whole"
done
for text in 'MLP 31x16, relu' xavier_normal 'normal:std=3' 'rgb(  0, 114, 178)' 'rgb(213,  94,   0)' 'Forward: q' 'Backward: G'; do
  grep -qiF "$text" deep.svg || die "deep.svg has no '$text'"
done
grep -q 'nothing above 0' zeros.svg || die "zeros.svg says nothing"

# What gnuplot says is told, and an older picture stays.
printf '#!/bin/sh\ncat >/dev/null\necho "line 1: boom" >&2\n[ -e drew ] || exit 0\nexit 1\n' >empty/gnuplot
chmod +x empty/gnuplot
cp one.svg kept.svg
PATH=$PWD/empty:$PATH refuse 2 "drew nothing" probe --mlp 8,8 --plot kept.svg
touch drew
PATH=$PWD/empty:$PATH refuse 2 "gnuplot failed: line 1: boom" probe --mlp 8,8 --plot kept.svg
cmp one.svg kept.svg || die "a failed plot changed the old one"
