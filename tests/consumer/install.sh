#!/usr/bin/env bash
# Installs BUILD, moves the tree to PREFIX (nothing inside may know where it was installed), and checks what it exports.
set -euo pipefail
build=$1 prefix=$2
rm -rf "$prefix" "$prefix.installed"
cmake --install "$build" --prefix "$prefix.installed" >/dev/null
mv "$prefix.installed" "$prefix"

library=$(find "$prefix" -name libfanin.so)
foreign=$(nm -D --defined-only "$library" | awk '{ print $3 }' | grep -vE '^fanin_[a-z]' || true)
[ -z "$foreign" ] || { echo "libfanin.so exports names that are not the API's: $foreign"; exit 1; }
newer=$(nm -D --undefined-only "$library" | grep -E '@OPENCL_([2-9]|1\.[3-9])' || true)
[ -z "$newer" ] || { echo "libfanin.so needs a loader beyond OpenCL 1.2: $newer"; exit 1; }
if grep -rIl "$prefix.installed" "$prefix"; then
  echo "the files above hold the path that they were installed to"
  exit 1
fi
"$prefix/bin/fanin" --version
