#!/usr/bin/env bash
# The shells' completion as a user meets it, and the manual page: every option of --help is in both, and no other.
# $PAGES is the directory that they were written to.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
: "${PAGES:?}"
export HOME=$PWD # of the shells: not the user's own start-up files
touch model.json w.safetensors w.npy x.csv other.txt

options_of() { # of fanin COMMAND --help
  "$FANIN" "$1" --help | grep -oE '^ +(-[a-z], )?--[a-z0-9-]+' | grep -oE -- '--.*' | sort -u
}
commands=$("$FANIN" --help | sed -nE 's/^  ([a-z]+) .*/\1/p' | grep -v fanin)
[ "$(wc -w <<<"$commands")" -ge 6 ] || die "--help lists $commands"

# ---- Manual page ----
if command -v mandoc >/dev/null; then
  mandoc -T lint "$PAGES/fanin.1" || die "mandoc complains"
else
  echo "skipped: no mandoc"
fi
for command in $commands; do
  in_page=$(sed -n "/^\.Ss fanin $command\$/,/^\.S[sh] /p" "$PAGES/fanin.1" | sed -nE 's/^\.It .*Fl -([a-z0-9-]+).*/--\1/p')
  diff <(options_of "$command") <(printf '%s\n--help\n' "$in_page" | sort -u) ||
    die "fanin(1) has other options of $command than --help"
done

# ---- bash ----
# Readline's part: the line as words, cut at COMP_WORDBREAKS too, the last of them the one to complete.
candidates() {
  local line=$1 rest word
  COMP_LINE=$line COMP_POINT=${#line} COMP_WORDS=() COMP_TYPE=9 COMP_KEY=9 COMPREPLY=()
  rest=$line
  while [[ $rest =~ ^[[:blank:]]*([:=]+|[^[:blank:]:=]+)(.*)$ ]]; do
    COMP_WORDS+=("${BASH_REMATCH[1]}")
    rest=${BASH_REMATCH[2]}
  done
  [[ $line == *[[:blank:]] ]] && COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  word=${COMP_WORDS[COMP_CWORD]}
  # A break that the word ends with is the whole of readline's word, or nothing of it.
  _fanin fanin "$word" "${COMP_WORDS[COMP_CWORD - 1]}" || true
  printf '%s\n' "${COMPREPLY[@]}" | sed '/^$/d' | sort -u | paste -sd' '
}
expect() { # LINE CANDIDATES
  local got
  got=$(candidates "$1")
  [ "$got" = "$2" ] || die "'$1' completes to '$got', not '$2'"
}
if [ -e /usr/share/bash-completion/bash_completion ]; then
  set +eu
  # shellcheck disable=SC1091
  . /usr/share/bash-completion/bash_completion
  compopt() { :; } # only where readline completes
  # shellcheck disable=SC1091
  . "$PAGES/completion/fanin"
  for command in $commands; do
    [ "$(candidates "fanin $command --")" = "$(options_of "$command" | sort -u | paste -sd' ')" ] ||
      die "bash has other options of $command than --help: $(candidates "fanin $command --")"
  done
  expect 'fanin pr' probe
  expect 'fanin --v' --version
  expect 'fanin init --see' --seed
  expect 'fanin init mo' model.json
  expect 'fanin init -o ' 'w.npy w.safetensors'
  expect 'fanin init --output=w.s' w.safetensors
  expect 'fanin init --dtype ' 'bf16 f16 f32 f64 f8_e4m3 f8_e5m2'
  expect 'fanin init --dtype=b' bf16
  expect 'fanin init --init he_' 'he_normal he_uniform'
  expect 'fanin init --init=xavier_u' xavier_uniform
  expect 'fanin init --init he_normal:' 'a= distribution= mode='
  expect 'fanin init --init he_normal:m' mode=
  expect 'fanin init --init he_normal:mode=' 'fan_avg fan_geo fan_in fan_out'
  expect 'fanin init --init he_normal:mode=fan_o' fan_out
  expect 'fanin init --init=he_normal:mode=fan_o' fan_out
  expect 'fanin init --init he_normal:distribution=' 'normal trunc_normal'
  expect 'fanin init --init he_normal:mode=fan_in,a' fan_in,a=
  expect 'fanin init --init xavier_normal:gain=gelu' 'gelu gelu_tanh'
  expect 'fanin probe --activation so' 'softplus softsign'
  expect 'fanin probe --suggest ta' tanh
  expect 'fanin probe --norm ' 'batch layer'
  expect 'fanin probe --input ' 'normal w.npy x.csv'
  expect 'fanin probe --require h' healthy
  expect 'fanin probe --device ' 'cpu gpu'
  expect 'fanin inspect ' 'model.json w.npy w.safetensors'
  expect 'fanin init --rules gpt2' gpt2
  expect 'fanin init --rules mo' 'model.json modernbert'
  expect 'fanin init --like w' w.safetensors
  expect 'fanin help in' 'init inspect'
  expect 'fanin bogus ' ''
  set -eu
else
  echo "skipped: no bash-completion"
fi

# ---- fish and zsh ----
if command -v fish >/dev/null; then
  fish_says() { fish --no-config -c "source $PAGES/completion/fanin.fish; complete -C '$1'" | cut -f1 | sort -u | paste -sd' '; }
  for command in $commands; do
    [ "$(fish_says "fanin $command --")" = "$(options_of "$command" | paste -sd' ')" ] ||
      die "fish has other options of $command than --help: $(fish_says "fanin $command --")"
  done
  [ "$(fish_says 'fanin init --init he_')" = 'he_normal he_uniform' ] || die "fish: initializers"
  [ "$(fish_says 'fanin probe --norm ')" = 'batch layer' ] || die "fish: words"
  [ "$(fish_says 'fanin init --rules gpt2')" = gpt2 ] || die "fish: sets of rules: $(fish_says 'fanin init --rules gpt2')"
  [[ "$(fish_says 'fanin init ')" == model.json* ]] || die "fish: model files: $(fish_says 'fanin init ')"
else
  echo "skipped: no fish"
fi
if command -v zsh >/dev/null; then
  zsh -n "$PAGES/completion/_fanin" || die "zsh: syntax"
  for command in $commands; do
    in_zsh=$(sed -n "/^ *$command)\$/,/;;/p" "$PAGES/completion/_fanin" | grep -oE "(^ *(\\\\\*)?'|,)--[a-z0-9-]+" |
      grep -oE -- '--.*' | sort -u)
    diff <(options_of "$command") <(printf '%s\n--help\n' "$in_zsh" | sort -u) ||
      die "zsh has other options of $command than --help"
  done
else
  echo "skipped: no zsh"
fi
