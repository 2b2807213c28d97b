#!/usr/bin/env bash
# Compiles SOURCE with the headers of an older fanin, HEADERS, and runs it on the library in PREFIX: what was built before
# goes on working.
set -euo pipefail
prefix=$1 headers=$2 source=$3 work=$4
rm -rf "$work"
mkdir -p "$work"
libdir=$(dirname "$(find "$prefix" -name libfanin.so)")
${CC:-cc} -std=c11 -Wall -Wextra -Werror -DCL_TARGET_OPENCL_VERSION=120 -I"$headers" "$source" -o "$work/program" \
  -L"$libdir" -lfanin -lOpenCL -lm
LD_LIBRARY_PATH=$libdir "$work/program"
