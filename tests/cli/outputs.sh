#!/usr/bin/env bash
# Every output that is a file appears whole or not at all: on a full disk, in a place that cannot be written to, when the
# writer is killed; and what is said names the path and the reason.
set -euo pipefail
self=$(realpath "$0")
part=${1:-all} # "file-systems": the tests that mount some, which go with the process
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

mlp=(probe --mlp '8,16,4' --batch 8)
init=(init --tensor w:f32:OI:3000x1000 --init he_normal) # 12 MB
have_gnuplot=
command -v gnuplot >/dev/null && have_gnuplot=1

"$FANIN" init --tensor fc.weight:f32:OI:30x10 --init zeros -o "${scratch:?}/like.safetensors" >/dev/null

# each_output ACTION PLACE: ACTION OUTPUT ARGUMENT... for every way to write a file, the output in PLACE.
each_output() {
  "$1" "$2/o.npy" "${init[@]}" -o "$2/o.npy"
  "$1" "$2/o.safetensors" "${init[@]}" -o "$2/o.safetensors"
  "$1" "$2/l.safetensors" init --like "$scratch/like.safetensors" -o "$2/l.safetensors"
  "$1" "$2/o.csv" "${mlp[@]}" --csv "$2/o.csv"
  "$1" "$2/c.safetensors" "${mlp[@]}" --calibrate -o "$2/c.safetensors"
  if [ -n "$have_gnuplot" ]; then "$1" "$2/o.svg" "${mlp[@]}" --plot "$2/o.svg"; fi
}

# refused REASON OUTPUT ARGUMENT...: status 2, the path and the reason, and the same files as before.
refused() {
  local before after
  before=$(ls -A "$(dirname "$2")" 2>/dev/null || true)
  refuse 2 "$1" "${@:3}"
  grep -qF -e "$2: " "$scratch/err" || die "${*:3}: does not name $2: $(cat "$scratch/err")"
  after=$(ls -A "$(dirname "$2")" 2>/dev/null || true)
  [ "$before" = "$after" ] || die "${*:3}: there was '$before', there is '$after'"
}

full() { refused "cannot write: No space left on device" "$@"; }
# What fanin init and fanin probe --calibrate are to write, they compare with the room before they begin.
full_disk() {
  if [ "$2" = init ] || [[ " $* " == *" --calibrate "* ]]; then refused "are to be written, and the disk has " "$@"; else full "$@"; fi
}
read_only() { refused "Read-only file system" "$@"; }

# ---- A disk that is full, and then one that is read-only ----
if [ "$part" = file-systems ]; then
  mkdir disk
  mount -t tmpfs -o size=2m tmpfs disk
  trap 'umount disk; rm -rf "$scratch"' EXIT
  echo precious >disk/o.npy
  full_disk disk/o.npy "${init[@]}" -o disk/o.npy
  head -c 2M /dev/zero >disk/zeros 2>/dev/null || true
  each_output full_disk disk
  rm disk/zeros
  mount -o remount,bind,ro disk
  each_output read_only disk
  [ "$(cat disk/o.npy)" = precious ] || die "a failure touched the file that was there"
  exit
fi
# By real file systems, where root or whoever may act as root in a namespace may mount them; and everywhere by a shim that
# has writing and creating fail as these do.
namespace=(unshare --mount)
[ "$(id -u)" = 0 ] || namespace+=(--map-root-user)
# shellcheck disable=SC2016 # the inner shell expands it
if "${namespace[@]}" bash -c 'mount -t tmpfs tmpfs "$1"' - "$PWD" 2>/dev/null; then
  "${namespace[@]}" bash "$self" file-systems
else
  echo "no file systems may be mounted: only the shim's failures"
fi
mkdir shimmed
echo precious >shimmed/o.npy
full_by_shim() { SHIM_DISK=50 FANIN=$SHIMMED full "$@"; } # the smallest output has more bytes
read_only_by_shim() { SHIM_CREATE=$erofs FANIN=$SHIMMED read_only "$@"; }
denied() { refused "cannot create a file there: Permission denied" "$@"; }
denied_by_shim() { SHIM_CREATE=$eacces FANIN=$SHIMMED denied "$@"; }
erofs=30 eacces=13 # Linux's numbers
each_output full_by_shim shimmed
each_output read_only_by_shim shimmed
each_output denied_by_shim shimmed
[ "$(cat shimmed/o.npy)" = precious ] || die "a failure touched the file that was there"

# ---- Places that are none ----
missing() { refused "No such file or directory" "$@"; }
each_output missing missing

directory() {
  mkdir "$1"
  refused "is a directory" "$@"
}
mkdir directories
each_output directory directories

nowhere() {
  ln -s nothing "$1"
  refused "leads nowhere" "$@"
}
mkdir links
each_output nowhere links

loop() {
  ln -s "$(basename "$1")" "$1"
  refused "symbolic links" "$@"
}
mkdir loops
each_output loop loops

long=$(printf 'x%.0s' {1..255})
refused "File name too long" "$long.npy" "${init[@]}" -o "$long.npy"
deep=$(printf 'x/%.0s' {1..2100})
refuse 2 "x/o.npy: cannot create a file there: File name too long" "${init[@]}" -o "${deep}o.npy"

# ---- A directory that one may not write to: root may write anywhere, so that nobody tries for root ----
if [ "$(id -u)" != 0 ]; then
  mkdir --mode=555 theirs
  each_output denied theirs
elif command -v setpriv >/dev/null; then
  mkdir theirs cache
  chmod 755 "$scratch" . theirs
  chmod 777 cache
  other() {
    local got=0
    POCL_CACHE_DIR=$PWD/cache setpriv --reuid 65534 --regid 65534 --clear-groups "$FANIN" "${@:2}" >out.txt 2>err.txt || got=$?
    [ "$got" = 2 ] || die "${*:2}: status $got: $(cat err.txt)"
    grep -qF "$1: cannot create a file there: Permission denied" err.txt || die "${*:2}: $(cat err.txt)"
    [ -z "$(ls -A theirs)" ] || die "${*:2}: there is $(ls -A theirs)"
  }
  if setpriv --reuid 65534 --regid 65534 --clear-groups "$FANIN" --version >/dev/null 2>&1; then
    each_output other theirs
  else
    echo "nobody cannot run $FANIN: only the shim's failures"
  fi
  rm -rf theirs cache
fi

# ---- A device that is full ----
full_device() { # written in place: there is no file to be half
  ln -s /dev/full "$1"
  refuse 2 "/dev/full: cannot write: No space left on device" "${@:2}"
}
mkdir full
each_output full_device full

# ---- Killed in the middle: no file under the name, and nothing else unless nobody could clean up ----
mkdir killed
for signal in INT QUIT KILL; do
  start_and_write_half "${init[@]}" -o killed/w.npy
  [ -n "$(find killed -size +4M)" ] || die "nothing is written: $(ls -lA killed)"
  end_by $signal
  [ ! -e killed/w.npy ] || die "after SIG$signal there is a file of that name"
  left=$(ls -A killed)
  if [ $signal = KILL ]; then
    [[ $left = w.npy.fanin-?????? ]] || die "after SIGKILL there is '$left'"
  else
    [ -z "$left" ] || die "after SIG$signal there is $left"
  fi
done

# ---- Standard output ----
# told ARGUMENT...: to a full device.
told() {
  local got=0
  "$FANIN" "$@" >/dev/full 2>err.txt || got=$?
  [ "$got" = 2 ] || die "$*: status $got on a full device"
  grep -q "cannot write to standard output: No space left on device" err.txt || die "$*: $(cat err.txt)"
}
"$FANIN" init --tensor w:f32:OI:30x10 --init he_normal -o w.npy >/dev/null
"$FANIN" init --tensor w:f32::3000 --init uniform -o w.safetensors >/dev/null
cp w.safetensors bad.safetensors
printf '\0\0\200\177' | dd of=bad.safetensors bs=1 seek=$(($(stat -c %s bad.safetensors) - 4)) conv=notrunc status=none
told --help
told --version
told devices --json
told inspect w.npy
told inspect w.npy --json
told inspect bad.safetensors # which does not hold: status 1 elsewhere
told "${mlp[@]}" --csv -
told "${mlp[@]}" --json
told "${mlp[@]}"
told probe --suggest tanh
