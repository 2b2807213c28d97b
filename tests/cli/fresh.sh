#!/usr/bin/env bash
# 'fanin inspect --rules' of public architectures as their own code initializes them (tests/data/make_fresh.py): all hold,
# and with one fault planted, of 25 kinds, the tensor that has it fails by name.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
have_python || exit 0

declare -A rules=([bert]=bert [clip]=clip [convnext]=convnext [defaults]=pytorch [gemma]=gemma [gpt2]=gpt2
  [gpt_neox]=gpt_neox [llama]=llama [mamba]=mamba [mobilenet]=efficientnet [qwen2]=llama [resnet]=resnet [t5]=t5
  [rwkv]=rwkv [rwkv-x052]=rwkv [rwkv-x060]=rwkv [rwkv-x070]=rwkv [vit]=vit [whisper]=whisper)
models=("${!rules[@]}")
files=("$SRC"/tests/data/fresh/*.safetensors)
[ ${#files[@]} = ${#models[@]} ] || die "a file without rules"

# look MODEL FILE: judged by the model's rules, which do not know of an embedding's row for padding, zeros in these five.
look() {
  local allow=()
  case $1 in bert | defaults | gemma | mamba | whisper) allow=(--allow padding) ;; esac
  "$FANIN" inspect --rules "${rules[$1]}" "${allow[@]}" "$2" >found.txt 2>&1
}

for model in "${models[@]}"; do
  look "$model" "$SRC/tests/data/fresh/$model.safetensors" || die "$model: $(cat found.txt)"
  # What is not judged is no part of the largest |z|, which is within the bound where all holds.
  tr '\n' ' ' <found.txt | grep -oE 'largest +\|z\| +[0-9.]+, +bound +[0-9.]+' | tr -d ',' |
    awk '{ found = 1; beyond = $3 > $5 } END { exit !found || beyond }' || die "$model: $(tail -3 found.txt)"
done

# Each kind in one of the files, or in all of them, which takes minutes: FANIN_TEST_FULL=1 ctest -R '^cli.fresh$'
have_python numpy || exit 0
k=0 planted=0 missed=()
for fault in $(python3 "$SRC/tests/cli/fresh.py"); do
  tried=("${models[k % ${#models[@]}]}")
  [ -z "${FANIN_TEST_FULL:-}" ] || tried=("${models[@]}")
  for model in "${tried[@]}"; do
    name=$(python3 "$SRC/tests/cli/fresh.py" "$fault" "$SRC/tests/data/fresh/$model.safetensors" bad.safetensors)
    [ "$name" ] || continue
    status=0
    look "$model" bad.safetensors || status=$?
    if [ "$status" != 1 ] || ! grep -qF "$name: " found.txt; then
      missed+=("$fault in $name of $model: status $status: $(tail -2 found.txt)")
    fi
    planted=$((planted + 1))
  done
  k=$((k + 1))
done
echo "$planted faults planted, ${#missed[@]} not named"
[ $planted -ge 20 ] || die "only $planted faults were planted"
[ ${#missed[@]} = 0 ] || die "$(printf '%s\n' "${missed[@]}")"
