#!/usr/bin/env bash
# What goes wrong on one rank ends all of them with one sentence, the command's exit status and no file.
# shellcheck disable=SC2154 # scratch is common.bash's
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/mpi/common.bash"
w=(--tensor w:f32:OI:300x200 --init he_normal)

# ---- Usage and input: every rank sees it, one speaks ----
refuse 2 "unrecognized option '--bogus'" on 3 "${w[@]}" -o a.npy --bogus
refuse 2 "fanin-mpi: init: --shard 'columns': give model, range" on 3 "${w[@]}" -o a.npy --shard columns
refuse 2 "--shard 'dimension:X'" on 2 "${w[@]}" -o a.npy --shard dimension:X
refuse 2 "--plan '0': give a number of ranks from 1 to" on 2 "${w[@]}" --plan 0
refuse 2 "fanin-mpi: init: no output is given; give -o FILE" on 2 "${w[@]}"
refuse 2 "fanin-mpi: init: none.json: cannot open it" on 3 none.json -o a.safetensors
refuse 2 "cannot create a file there: No such file or directory" on 3 "${w[@]}" -o nowhere/a.npy
"$FANIN" init "${w[@]}" -o kept.safetensors >/dev/null
refuse 2 "fanin-mpi: init: --keep 'kept.safetensors': ranks draw every tensor and copy none; use 'fanin init'" on 3 "${w[@]}" --keep kept.safetensors -o a.safetensors
echo '{"tensors": [{"name": "g", "shape": [4, 1], "norm_of": "v"}, {"name": "v", "shape": [4, 3], "init": "normal"}]}' >norm.json
refuse 2 "fanin-mpi: init: tensor 'g': norm_of 'v': ranks make no norms; use 'fanin init'" on 3 norm.json -o a.safetensors
mkdir d.npy
refuse 2 "d.npy: is a directory" on 3 "${w[@]}" -o d.npy
ln -s /dev/full full.npy
refuse 2 "full.npy: is not a regular file" on 2 "${w[@]}" -o full.npy
[ -c /dev/full ] || die "a device was replaced"
on 3 --help || die "--help: $(cat "$scratch/err")"
[ "$(grep -c '^Usage: fanin-mpi init' "$scratch/out")" = 1 ] || die "--help: $(cat "$scratch/out")"

# ---- A device that one rank does not get; all of them ----
one_refused() {
  "$MPIRUN" -n 1 "$MPI" init "${w[@]}" -o a.npy : -n 1 env FANIN_DEVICE=nobody "$MPI" init "${w[@]}" -o a.npy : \
    -n 1 "$MPI" init "${w[@]}" -o a.npy >"$scratch/out" 2>"$scratch/err"
}
# shellcheck disable=SC2016
refuse 3 'fanin-mpi: init: rank 1: no device answers the selector $FANIN_DEVICE "nobody"' one_refused
refuse 3 'fanin-mpi: init: no device answers the selector "nobody"' on 3 "${w[@]}" -o a.npy --device nobody

# ---- A disk that becomes full ----
echo precious >old.npy
large=(--tensor w:f32:OI:5000x2500 --init he_normal) # 50 MB, where 20 are allowed: more than OpenCL's own files need
for shard in model dimension:I; do
  (ulimit -f 20000 && refuse 2 "cannot reserve 50000128 bytes: File too large" on 2 "${large[@]}" -o old.npy --shard $shard)
done
# Not at the beginning, but on one rank, in the middle.
one_limited() {
  "$MPIRUN" -n 2 "$MPI" init "${large[@]}" -o a.npy "$@" : -n 1 bash -c 'ulimit -f 20000; exec "$@"' - \
    "$MPI" init "${large[@]}" -o a.npy "$@" >"$scratch/out" 2>"$scratch/err"
}
refuse 2 "rank 2: a.npy: cannot write: File too large" one_limited
refuse 2 "rank 2: a.npy: cannot write: File too large" one_limited --shard dimension:I
export SHIM_DISK=8000000
MPI=$SHIMMED refuse 2 "cannot reserve 50000128 bytes: No space left on device" on 3 "${large[@]}" -o old.npy
unset SHIM_DISK
[ "$(cat old.npy)" = precious ] || die "a failure touched the file that was there"

# ---- A rank that is killed, and a run that is ----
mkdir killed
# kill_while_writing SIGNAL WHOM: WHOM (a rank, or "run") gets the signal, and neither a file comes of it nor the line
# that a success prints. One rank stays in the middle of its first write, however long that takes to come: ctest has a
# limit.
kill_while_writing() {
  local run whom
  rm -f "$scratch/paused"
  SHIM_PAUSE=$scratch/paused env --default-signal=HUP,INT,QUIT,TERM "$MPIRUN" -n 2 "$SHIMMED" init "${large[@]}" \
    -o killed/w.npy >"$scratch/out" 2>"$scratch/err" &
  run=$!
  until [ -s "$scratch/paused" ]; do
    kill -0 $run 2>/dev/null || die "ended before half was written: $(cat "$scratch/err")"
    sleep 0.05
  done
  [ -n "$(find killed -type f)" ] || die "nothing is being written: $(cat "$scratch/err")"
  whom=$run
  [ "$2" = run ] || whom=$(cat "$scratch/paused")
  kill -s "$1" "$whom"
  wait $run || true
  [ ! -e killed/w.npy ] || die "killed by $1: there is a file"
  if grep 'w.npy: 1 tensor' "$scratch/out"; then die "killed by $1: it says that it has succeeded"; fi
}
# mpirun's own status is nobody's promise: MPICH 4.0's is 0 when it gets to the ranks before they end, and once in a few
# times 4.2's is when a rank is killed.
kill_while_writing KILL rank
rm -f killed/*
kill_while_writing TERM run
