#!/usr/bin/env bash
# Builds clhpp.cpp against the package in PREFIX by each C++ compiler there is, with exceptions and without, as the oldest
# and as a recent C++, every warning an error; runs what it built.
set -euo pipefail
prefix=$1 source=$2 work=$3
rm -rf "$work"
mkdir -p "$work"
pc=$(find "$prefix" -name fanin.pc)
export PKG_CONFIG_PATH=${pc%/*}
LD_LIBRARY_PATH=$(pkg-config --variable=libdir fanin)
export LD_LIBRARY_PATH
read -ra cflags <<<"$(pkg-config --cflags fanin)"
read -ra libs <<<"$(pkg-config --libs fanin)"
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Werror)

# build COMPILER STANDARD OPTION...
build() {
  echo "$*"
  "$1" "-std=$2" "${warnings[@]}" "${cflags[@]}" "$source/clhpp.cpp" "${@:3}"
}

tried=0
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || continue
  build "$compiler" c++11 -DCL_HPP_ENABLE_EXCEPTIONS -o "$work/throws" "${libs[@]}"
  "$work/throws"
  build "$compiler" c++11 -fno-exceptions -o "$work/returns" "${libs[@]}"
  "$work/returns"
  build "$compiler" c++17 -DCL_HPP_ENABLE_EXCEPTIONS -fsyntax-only
  tried=$((tried + 1))
done
[ "$tried" -gt 0 ] || { echo "neither g++ nor clang++ is there"; exit 1; }
