#!/usr/bin/env bash
# What 'fanin init' writes: the same bits however it is asked, files that appear whole or not at all.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

lenet=$SRC/share/models/lenet-300-100.json
w=(--tensor fc1.weight:f32:OI:300x784 --init he_normal)

# ---- The same model and seed make the same file; another seed, another ----
"$FANIN" init "$lenet" -o a.safetensors --seed 42 >said.txt
grep -qE '^a\.safetensors: 6 tensors, 266,610 parameters, 1\.1 MB, seed 42, in [0-9.]+ s on .' said.txt || die "$(cat said.txt)"
[ "$(ls -A)" = $'a.safetensors\nsaid.txt' ] || die "init left: $(ls -A)"
"$FANIN" init "$lenet" -o b.safetensors --seed 0x2a >/dev/null
cmp a.safetensors b.safetensors || die "two runs differ"
"$FANIN" init "$lenet" -o b.safetensors --seed 43 >/dev/null
cmp -s a.safetensors b.safetensors && die "the seed changes nothing"

# ---- A tensor's bits follow from its name, whatever is around it and whatever file it goes to ----
"$FANIN" init "${w[@]}" -o w.npy --seed 42 >/dev/null
"$FANIN" init --tensor other:f32:OI:77x33 --init xavier_uniform "${w[@]}" -o c.safetensors --seed 42 >/dev/null
"$FANIN" init --tensor fc1.weight:f16:OI:300x784 --init he_normal --dtype f32 -o again.npy --seed 42 >/dev/null
cmp w.npy again.npy || die "--dtype f32 is not f32"
"$FANIN" init --tensor fc2.weight:f32:OI:300x784 --init he_normal -o named.npy --seed 42 >/dev/null
cmp -s w.npy named.npy && die "the name changes nothing"
data=$((4 * 300 * 784))
tail -c $data w.npy >w.bin
tail -c $data c.safetensors | cmp - w.bin || die "another tensor before it changes a tensor"
begin=$((8 + $(od -An -tu8 -N8 a.safetensors)))
cmp -n $data -i "$begin:0" a.safetensors w.bin || die "a model's tensor differs from the same tensor alone"

# ---- More than one piece: f16 pieces end elsewhere than f32's ----
big=(--tensor big:f32:OI:5000x3600 --init he_normal)
"$FANIN" init "${big[@]}" -o big32.npy >/dev/null
"$FANIN" init "${big[@]}" --dtype f16 -o big16.npy >/dev/null
"$FANIN" init "${big[@]}" --dtype f64 -o big64.npy >/dev/null
[ "$(stat -c %s big32.npy)" = $((128 + 4 * 5000 * 3600)) ] || die "big32.npy has $(stat -c %s big32.npy) bytes"
if have_python numpy; then
  python3 - <<'PYTHON'
import numpy
w, f32, f16, f64 = (numpy.load(f'{name}.npy') for name in ('w', 'big32', 'big16', 'big64'))
assert w.shape == (300, 784) and w.dtype == numpy.float32 and w.flags.c_contiguous
assert f16.dtype == numpy.float16 and f64.dtype == numpy.float64 and f64.shape == (5000, 3600)
assert numpy.array_equal(f32.astype(numpy.float16), f16), 'f16 is not f32 rounded once'
difference = f64 - f32  # f64 draws have more bits, which shows where a uniform is next to 0
assert difference.std() / f32.std() < 1e-6, difference.std() / f32.std()
# Nothing repeats: a piece that began anew would show as equal rows.
assert len(numpy.unique(f32[:, :4], axis=0)) == 5000
PYTHON
fi
if have_python; then
  for dtype in f32 f16 bf16 f64; do
    "$FANIN" init "$lenet" --dtype $dtype -o d.safetensors --seed 42 >/dev/null
    python3 "$SRC/tests/cli/read_safetensors.py" d.safetensors >d.txt
    [ "$(grep -c " ${dtype^^} " d.txt)" = 6 ] || die "--dtype $dtype: $(cat d.txt)"
  done
  # bf16 is f32 rounded once, to nearest even.
  "$FANIN" init "$lenet" --dtype bf16 -o d.safetensors --seed 42 >/dev/null
  PYTHONPATH=$SRC/tests/cli PYTHONDONTWRITEBYTECODE=1 python3 - <<'PYTHON'
import array
import read_safetensors
_, f32 = read_safetensors.read('a.safetensors')
_, bf16 = read_safetensors.read('d.safetensors')
words, halves = (array.array(code, file['fc3.weight']['data']) for code, file in (('I', f32), ('H', bf16)))
assert len(words) == len(halves) == 1000
assert [(x + 0x7fff + (x >> 16 & 1)) >> 16 for x in words] == list(halves)
PYTHON
fi
if have_python safetensors.numpy; then
  python3 -c 'import safetensors.numpy as s; assert len(s.load_file("a.safetensors")) == 6'
fi
rm big*.npy

# ---- Whole or not at all ----
echo precious >old.npy
chmod 640 old.npy
refuse 3 "no device" init "${w[@]}" -o old.npy --device 'no such device'
large=(--tensor w:f32:OI:5000x2500 --init he_normal) # 50 MB, where 20 are allowed: more than OpenCL's own files need
(ulimit -f 20000 && refuse 2 "File too large" init "${large[@]}" -o old.npy)
(ulimit -f 20000 && refuse 2 "File too large" init "${large[@]}" -o new.npy)
[ "$(cat old.npy)" = precious ] || die "a failure touched the file that was there"
ln -s old.npy link.npy
"$FANIN" init "${w[@]}" -o link.npy --seed 42 >/dev/null
if [ ! -L link.npy ] || ! cmp old.npy w.npy; then die "a link was not followed"; fi
[ "$(stat -c %a old.npy)" = 640 ] || die "the mode of the file that was there is lost"
(umask 027 && "$FANIN" init "${w[@]}" -o mode.npy >/dev/null)
[ "$(stat -c %a mode.npy)" = 640 ] || die "umask: mode $(stat -c %a mode.npy)"
ln -s /dev/full full.npy
refuse 2 "No space left" init "${w[@]}" -o full.npy
if [ ! -L full.npy ] || [ ! -c /dev/full ]; then die "a device was replaced"; fi
mkfifo pipe.npy
cat pipe.npy >piped.npy &
"$FANIN" init "${w[@]}" -o pipe.npy --seed 42 >/dev/null
wait
cmp piped.npy w.npy || die "a pipe does not get the same"

# A signal removes the temporary file, of which half is written.
mkdir signalled
for signal in TERM HUP; do
  start_and_write_half init "${large[@]}" -o signalled/w.npy
  [ -n "$(find signalled -size +2M)" ] || die "nothing is written: $(ls -lA signalled)"
  [ ! -e signalled/w.npy ] || die "the file has its name before it is whole"
  end_by $signal
  [ -z "$(ls -A signalled)" ] || die "after SIG$signal there is $(ls -A signalled)"
done

# ---- Progress on a terminal, silence in a pipe ----
"$FANIN" init "$lenet" -o p.safetensors >/dev/null 2>err.txt
[ ! -s err.txt ] || die "stderr in a pipe: $(cat err.txt)"
script -qec "stty cols 60; '$FANIN' init '$lenet' -o p.safetensors" tty.txt </dev/null >/dev/null
grep -q 'tensor 1 of 6: fc1.weight' tty.txt || die "no progress on a terminal"
grep -q 'compiling kernels for f32 (slow the first time only)' tty.txt || die "nothing says why the first run waits"
# With its rate and the time that is left, once there is something to go by: the command's clock advances when it is read.
ln -s /dev/null null.safetensors
SHIM_CLOCK=10000 script -qec "stty cols 100; '$SHIMMED' init --tensor w:f32::100000000 --init zeros -o null.safetensors" tty.txt </dev/null >/dev/null
grep -Eq ' of 400.0 MB  [0-9.]+ [kMGTPE]?B/s, [0-9]+ (s|min [0-9]+ s|h [0-9]+ min) left  tensor 1 of 1: w' tty.txt || die "no rate: $(cat tty.txt)"
