#!/usr/bin/env bash
# Files made to fool 'fanin inspect' (adversary.py): each has one right answer, and one line that must say what is wrong. Prints the
# log: name, what was done, answer.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
have_python numpy || exit 0

python3 "$SRC/tests/cli/adversary.py" .
wrong=() n=0
while IFS=$'\t' read -r name what options answer line; do
  status=0
  [ "$options" != - ] || options=
  # shellcheck disable=SC2086
  "$FANIN" inspect $options "$name.safetensors" >found.txt 2>&1 || status=$?
  last=$(tail -1 found.txt)
  case $answer in FAILS*) expected=1 ;; *) expected=0 ;; esac
  said=yes
  if [ "$line" = - ]; then
    if grep -qE '^suspicious: |^[a-z.]+: ' <(grep -v '^note: \|safetensors: ' found.txt); then said=no; fi
  else
    # "~" stands for a number
    # shellcheck disable=SC2016
    pattern=$(printf '%s' "$line" | sed 's/[][\.*^$(){}?+|/]/\\&/g; s/~/[0-9]+/g')
    grep -qE "^$pattern" found.txt || said=no
  fi
  # Nothing is said twice; and what is right by its kind has no copies in another order.
  if sort found.txt | uniq -d | grep . >/dev/null; then said=twice; fi
  case $name in right_*) if grep -qE 'in another order| down are' found.txt; then said=no; fi ;; esac
  printf '%-20s %-75s %s\n' "$name" "$what" "${last%%(*}"
  if [ $status != $expected ] || [[ "$last" != "$answer"* ]] || [ $said != yes ]; then
    wrong+=("$name: status $status, not $expected, or not '$answer', or not '$line': $(cat found.txt)")
  fi
  n=$((n + 1))
done <cases.tsv
# JSON lists tensors with the same values in another order, and no plain copies.
for name in orthogonal_copy shuffled; do
  "$FANIN" inspect --json $name.safetensors >$name.json || [ $? = 1 ]
done
python3 - <<'PYTHON' || wrong+=("JSON: 'shuffled' is wrong")
import json
assert json.load(open('orthogonal_copy.json'))['shuffled'] == []
assert json.load(open('shuffled.json'))['shuffled'] == [{'a': 'a', 'b': 'b'}]
PYTHON
echo "$n files, ${#wrong[@]} wrong"
[ $n -ge 70 ] || die "only $n files"
[ ${#wrong[@]} = 0 ] || die "$(printf '%s\n\n' "${wrong[@]}")"
