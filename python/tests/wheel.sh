#!/usr/bin/env bash
# A wheel made from BUILD, installed into a fresh environment by pip, with nothing else of fanin in reach: it has the
# library inside and fills a PyOpenCL array with the source tree's bits. All files in WORK.
set -euo pipefail
build=$1 work=$2
unset FANIN_LIBRARY PYTHONPATH
rm -rf "$work"
wheel=$("$SRC/tools/make-wheel" "$build" "$work/dist")
case $wheel in
  */fanin-*-py3-none-linux_*.whl) echo "$wheel" ;;
  *) echo "not a wheel of this platform for every Python: $wheel" && exit 1 ;;
esac
/usr/bin/python3 -m venv --system-site-packages "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check --no-index --no-deps "$wheel"
cd "$work"
venv/bin/python -c '
import sys, pyopencl as cl, pyopencl.array as cla, fanin
assert fanin.__file__.startswith(sys.argv[1]) and fanin.library_path.startswith(sys.argv[1]), fanin.library_path
queue = cl.CommandQueue(cl.create_some_context(interactive=False))
w = cla.empty(queue, (41, 23), "float32")
fanin.fill(w, "he_normal", seed=42, name="w", layout="OI")
w.get().tofile("w.raw")
' "$work"
"$build/fanin" init --tensor w:f32:OI:41x23 --init he_normal --seed 42 -o w.npy
cmp <(tail -c $((41 * 23 * 4)) w.npy) w.raw
echo "installed, and the command's bits"
