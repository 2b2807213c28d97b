#!/usr/bin/env bash
# Builds consumer.c against the package in PREFIX by pkg-config, shared and static, and runs both.
set -euo pipefail
prefix=$1 source=$2 work=$3
rm -rf "$work"
mkdir -p "$work"
pc=$(find "$prefix" -name fanin.pc)
export PKG_CONFIG_PATH=${pc%/*}
libdir=$(pkg-config --variable=libdir fanin)
compile() { # OUTPUT, then the linker's words
  local output=$1
  shift
  # shellcheck disable=SC2046 # words are meant
  ${CC:-cc} -std=c11 $(pkg-config --cflags fanin) "$source/consumer.c" -o "$output" "$@"
}

read -ra shared <<<"$(pkg-config --libs fanin)"
compile "$work/shared" "${shared[@]}"
LD_LIBRARY_PATH=$libdir "$work/shared"

# Only fanin itself is linked statically: OpenCL's loader is a shared library everywhere.
read -ra static <<<"$(pkg-config --static --libs fanin)"
compile "$work/static" "${static[@]/#-lfanin/-l:libfanin.a}"
if readelf -d "$work/static" | grep libfanin; then
  echo "the static program needs the shared library"
  exit 1
fi
"$work/static"
