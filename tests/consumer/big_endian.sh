#!/usr/bin/env bash
# A big-endian host is refused when SOURCE is compiled, by a sentence: its numbers would be turned around in device memory.
set -euo pipefail
compile=(cc -std=c11 -fsyntax-only -D_POSIX_C_SOURCE=200809L -I"$1/host" "$1/host/core/system.c")
"${compile[@]}"
if said=$("${compile[@]}" -U__BYTE_ORDER__ -D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__ 2>&1); then
  echo "a big-endian host compiles it" && exit 1
fi
grep -q 'fanin needs a little-endian host' <<<"$said" || { echo "$said" && exit 1; }
