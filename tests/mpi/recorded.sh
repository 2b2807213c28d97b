#!/usr/bin/env bash
# What fanin-mpi says without a device, as it was before the tree was rebuilt: tests/data/recorded_mpi.txt. That its files
# are those of 'fanin init' is same.sh's to test. FANIN_RECORD=1 in the environment writes the expected file anew.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/mpi/common.bash"
export LC_ALL=C

expected=$SRC/tests/data/recorded_mpi.txt
said=${scratch:?}/said
cp "$SRC/share/models/lenet-300-100.json" .

# says ARGUMENT...: standard output, standard error after '! ', and the status.
says() {
  local status=0
  "$MPI" "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
  {
    printf '\n$ fanin-mpi %s\n' "$*"
    sed -E 's/^fanin-mpi [0-9.]+ /fanin-mpi VERSION /' "$scratch/out"
    sed 's/^/! /' "$scratch/err"
    [ $status = 0 ] || echo "status $status"
  } >>"$said"
}

plan=(init lenet-300-100.json -o out.safetensors --plan)
says
says --help
says --version
says init --help
for how in model range dimension dimension:I; do
  says "${plan[@]}" 3 --shard $how
done
says "${plan[@]}" 1024
says "${plan[@]}" 7 --dtype bf16
says bogus
says init
says "${plan[@]}" 0
says "${plan[@]}" 3 --shard columns
says init missing.json -o out.safetensors
says init --tensor w:f32:OI:3x5 --init he_nrmal -o out.npy

[ "${FANIN_RECORD:-}" != 1 ] || cp "$said" "$expected"
diff -u "$expected" "$said" || die "what is said differs from $expected (- is what was recorded). If that is meant, run
'FANIN_RECORD=1 ./run test recorded', read what 'git diff' says of it, and commit it"
