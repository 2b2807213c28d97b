# What the tests of fanin-mpi share. $MPIRUN starts it, $MPI is it, $SHIMMED the same with cli/shim.c before its libraries,
# $FANIN the command. Sourced, after set -euo pipefail.
: "${MPIRUN:?mpirun}" "${MPI:?fanin-mpi}" "${SHIMMED:?fanin-mpi with a shim}" "${FANIN:?the command}" "${SRC:?the source tree}"
# OpenMPI asks before it lets root, or more ranks than cores; MPICH does not know these.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/work"
cd "$scratch/work" || exit

die() {
  echo "FAILED: $*" >&2
  exit 1
}

# on RANKS ARGUMENT...: runs it; what it says goes to out and err beside the working directory.
on() {
  local ranks=$1
  shift
  "$MPIRUN" -n "$ranks" "$MPI" init "$@" >"$scratch/out" 2>"$scratch/err"
}

# refuse STATUS WORD COMMAND...: it must end with that status, say the word once, print nothing on stdout, leave no file.
refuse() {
  local status=$1 word=$2 got=0 before
  shift 2
  before=$(find . | sort)
  "$@" || got=$?
  [ "$got" = "$status" ] || die "$*: status $got, not $status: $(cat "$scratch/err")"
  [ "$(grep -cF -e "$word" "$scratch/err")" = 1 ] || die "$*: not once '$word' in: $(cat "$scratch/err")"
  [ ! -s "$scratch/out" ] || die "$*: wrote to stdout: $(cat "$scratch/out")"
  [ "$before" = "$(find . | sort)" ] || die "$*: files before: $before, after: $(find . | sort)"
}
