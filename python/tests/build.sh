#!/usr/bin/env bash
# `pip install ./python` without a wheel: builds the library and the command with CMake, says what is missing where a tool or
# the source tree is, and leaves both out where that is wanted. Offline, with the system's packages. All files in WORK.
set -euo pipefail
work=$1
unset FANIN_LIBRARY PYTHONPATH FANIN
rm -rf "$work"
mkdir -p "$work/tree"
# A copy, in which building leaves its files.
cp -r "$SRC"/{CMakeLists.txt,cmake,host,include,kernels,cli,share,python,LICENSE} "$work/tree"
[ -d "$SRC/mpi" ] && cp -r "$SRC/mpi" "$work/tree"
rm -rf "$work/tree/python/build" "$work"/tree/python/*.egg-info
/usr/bin/python3 -m venv --system-site-packages "$work/venv"
pip=("$work/venv/bin/python" -m pip install -q --disable-pip-version-check --no-index --no-deps --no-build-isolation --force-reinstall)

# refused WORDS: what the last installation printed says so.
refused() {
  grep -q "$1" "$work/log" || { echo "it does not say '$1':"; cat "$work/log"; exit 1; }
}

# A PATH with no cmake.
mkdir "$work/bin"
ln -s /usr/bin/{gcc,make,pkg-config,uname,file} "$work/bin" 2>/dev/null || true
if PATH="$work/bin" "${pip[@]}" "$work/tree/python" >"$work/log" 2>&1; then echo "it built without cmake"; exit 1; fi
refused 'cmake not found (Debian: apt install build-essential cmake pkg-config)'
refused 'FANIN_BUILD_LIBRARY=no'

# The package's folder alone.
mkdir "$work/alone"
cp -r "$work/tree/python" "$work/alone/python"
if "${pip[@]}" "$work/alone/python" >"$work/log" 2>&1; then echo "it built without the source tree"; exit 1; fi
refused "is not fanin's source tree"

# Without the library, the import says what to do.
FANIN_BUILD_LIBRARY=no "${pip[@]}" "$work/alone/python"
cd "$work"
if ! /sbin/ldconfig -p | grep libfanin >/dev/null; then # else the package would find the system's
  if venv/bin/python -c 'import fanin' >"$work/log" 2>&1; then echo "there is a library somewhere"; exit 1; fi
  refused 'pip install ./python'
  refused 'FANIN_LIBRARY=build/libfanin.so'
fi

"${pip[@]}" "$work/tree/python" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
venv/bin/python -c '
import sys, fanin
assert fanin.library_path.startswith(sys.argv[1]), fanin.library_path
fanin.array((41, 23), "he_normal", seed=42, name="w", layout="OI").tofile("w.raw")
fanin.init_file("w.npy", tensors={"w": ("f32", "OI", (41, 23), "he_normal")}, seed=42)
' "$work/venv"
cmp <(tail -c $((41 * 23 * 4)) w.npy) w.raw
echo "built and installed, and the command's bits"
