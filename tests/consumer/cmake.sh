#!/usr/bin/env bash
# Builds the project in SOURCE against the package in PREFIX by find_package(), and runs all of its executables.
set -euo pipefail
prefix=$1 source=$2 work=$3
rm -rf "$work"
cmake -S "$source" -B "$work" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$work"
programs=$(find "$work" -maxdepth 1 -type f -executable)
[ -n "$programs" ] || { echo "$source built no program"; exit 1; }
for program in $programs; do
  echo "$program"
  "$program"
done
