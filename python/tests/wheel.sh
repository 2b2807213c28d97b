#!/usr/bin/env bash
# A wheel made from BUILD, installed by pip into a fresh environment with nothing else of fanin in reach: it has the library
# and the command inside and fills a PyOpenCL array with the command's bits. With TOOLS, a virtual environment that has
# auditwheel, the wheel is a manylinux one, and PyOpenCL, with an ICD loader of its own, and NumPy come from PyPI; without, it
# is this platform's, and they are the system's. All files in WORK.
set -euo pipefail
build=$1 work=$2 tools=${3:-}
unset FANIN_LIBRARY FANIN PYTHONPATH
rm -rf "$work"
here=$SRC/python/tests
wheel=$("$SRC/tools/make-wheel" "$build" "$work/dist" ${tools:+"$tools/bin"})
if [ "$tools" ]; then
  version=$("$build/fanin" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -1)
  "$tools/bin/python" "$here/check_wheel.py" "$wheel" "$version"
  /usr/bin/python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install -q --disable-pip-version-check "${wheel}[opencl]" 'pyopencl==2026.1.4' 'numpy<3' ||
    { echo "could not install from PyPI; cmake -DFANIN_TEST_PYPI=OFF uses the system's packages"; exit 1; }
else
  case $wheel in
    */fanin-*-py3-none-linux_*.whl) echo "$wheel" ;;
    *) echo "not a wheel of this platform for every Python: $wheel" && exit 1 ;;
  esac
  /usr/bin/python3 -m venv --system-site-packages "$work/venv"
  "$work/venv/bin/pip" install -q --disable-pip-version-check --no-index --no-deps "$wheel"
fi
cd "$work"
venv/bin/python "$here/try_wheel.py"
[ ! "$tools" ] || venv/bin/python "$here/try_wheel.py" no-loader
venv/bin/python -c '
import sys, pyopencl as cl, pyopencl.array as cla, fanin
assert fanin.__file__.startswith(sys.argv[1]) and fanin.library_path.startswith(sys.argv[1]), fanin.library_path
queue = cl.CommandQueue(cl.create_some_context(interactive=False))
w = cla.empty(queue, (41, 23), "float32")
fanin.fill(w, "he_normal", seed=42, name="w", layout="OI")
w.get().tofile("w.raw")
file = fanin.init_file("own.npy", tensors={"w": ("f32", "OI", (41, 23), "he_normal")}, seed=42)
print("PyOpenCL", cl.VERSION_TEXT)
' "$work"
"$build/fanin" init --tensor w:f32:OI:41x23 --init he_normal --seed 42 -o w.npy
cmp <(tail -c $((41 * 23 * 4)) w.npy) w.raw
cmp w.npy own.npy
echo "installed, and the command's bits"
