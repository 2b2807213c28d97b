#!/usr/bin/env bash
# fanin's headers, before and after OpenCL's, in C and in C++, with every combination of version macros that OpenCL's own
# header compiles with: they must compile too. HEADERS is the directory that fanin.h is in.
set -euo pipefail
headers=$1 work=$2
rm -rf "$work"
mkdir -p "$work"
tried=0

# compiles LANGUAGE INCLUDES MACRO...: a translation unit of these includes, in this order. The user's own warnings must
# not come from fanin, so each is an error; OpenCL's headers only say which version they assume, which is no warning.
compiles() {
  local language=$1 includes=$2 unit
  shift 2
  unit=$work/unit.$language
  # shellcheck disable=SC2086 # words are meant
  printf '#include <%s>\n' $includes >"$unit"
  local compiler=(gcc -std=c11)
  [ "$language" = c ] || compiler=(g++ -std=c++11)
  "${compiler[@]}" -Wall -Wextra -Werror -Wno-deprecated-declarations -fsyntax-only -I"$headers" "${@/#/-D}" "$unit" >"$work/said" 2>&1
}

# check LANGUAGE ALONE ORDERS MACRO...: if `alone` compiles, each of the orders (separated by ;) must.
check() {
  local language=$1 alone=$2 orders=$3 order
  shift 3
  compiles "$language" "$alone" "$@" || return 0
  while IFS= read -r order; do
    tried=$((tried + 1))
    compiles "$language" "$order" "$@" && continue
    echo "'$alone' compiles with '$*' as $language, and '$order' does not:"
    head -20 "$work/said"
    exit 1
  done < <(tr ';' '\n' <<<"$orders")
}

experimental="fanin/foreign.h fanin/inspect.h fanin/probe.h fanin/scheme.h fanin/selftest.h fanin/theory.h"
for version in "" 100 110 120 200 210 220 300; do
  # shellcheck disable=SC2206 # no macro at all is none
  macros=(${version:+CL_TARGET_OPENCL_VERSION=$version})
  check c CL/cl.h "fanin.h CL/cl.h;CL/cl.h fanin.h;$experimental CL/opencl.h" ${macros[@]+"${macros[@]}"}
done

orders="fanin.hpp;fanin.h CL/opencl.hpp;CL/opencl.hpp fanin.h $experimental"
for target in "" 120 200 300; do
  for minimum in "" 120 200; do
    # shellcheck disable=SC2206
    macros=(${target:+CL_HPP_TARGET_OPENCL_VERSION=$target} ${minimum:+CL_HPP_MINIMUM_OPENCL_VERSION=$minimum})
    check cpp CL/opencl.hpp "$orders" ${macros[@]+"${macros[@]}"}
  done
done
for version in 120 200 300; do # opencl.hpp takes C's macro too
  check cpp CL/opencl.hpp "$orders" "CL_TARGET_OPENCL_VERSION=$version" "CL_HPP_TARGET_OPENCL_VERSION=$version"
done
[ "$tried" -ge 40 ] || { echo "only $tried combinations were tried"; exit 1; }
echo "$tried combinations compile"
