#!/usr/bin/env bash
# Installed drivers that give no device: which, and why, wherever a device is needed. $DRIVER is a library that acts as a
# driver whose only call answers $FAKE_DRIVER, as a number of OpenCL.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
: "${DRIVER:?a library that acts as a driver}"
loader=${OCL_ICD_VENDORS:-/etc/OpenCL/vendors}
unset OCL_ICD_FILENAMES OPENCL_VENDOR_PATH

# ---- No driver works ----
mkdir none fake
export OCL_ICD_VENDORS=$PWD/none
refuse 3 "there is no OpenCL device and no driver; Debian's package pocl-opencl-icd adds" devices
refuse 3 "there is no OpenCL device and no driver" init --tensor w:f32:OI:2x2 --init zeros -o w.npy
status=0
"$FANIN" devices --json >out.json 2>err.txt || status=$?
if [ "$status" != 3 ] || ! grep -q 'no OpenCL device and no driver' err.txt; then die "--json: status $status: $(cat err.txt)"; fi

export OCL_ICD_VENDORS=$PWD/fake
echo libnobody-has-it.so.7 >fake/a.icd
refuse 3 "no OpenCL device; driver $PWD/fake/a.icd (libnobody-has-it.so.7) gives no device: libnobody-has-it.so.7: " devices
refuse 3 "(libnobody-has-it.so.7) gives no device: " init --tensor w:f32:OI:2x2 --init zeros -o w.npy --device gpu
# Behind it, one that starts and has no platform; each has its own reason.
printf '%s\r\n' "$DRIVER" >fake/b.icd
export FAKE_DRIVER=-1001
refuse 3 "b.icd ($DRIVER) gives no device: it has no platform: clIcdGetPlatformIDsKHR() answers CL_PLATFORM_NOT_FOUND_KHR (-1001)" devices
refuse 3 "a.icd (libnobody-has-it.so.7) gives no device" devices
FAKE_DRIVER=-6 refuse 3 "answers CL_OUT_OF_HOST_MEMORY (-6)" devices
FAKE_DRIVER=0 refuse 3 "gives no device: it has no platform" devices
# A library that is no driver, and files that are none: an empty one, and one of another name.
rm fake/*
echo libm.so.6 >fake/c.icd
: >fake/d.icd
echo libnobody-has-it.so.7 >fake/note.txt
refuse 3 "c.icd (libm.so.6) gives no device: it is no OpenCL driver" devices
if "$FANIN" devices 2>&1 | grep -e 'd\.icd' -e libnobody; then die "more drivers than c.icd"; fi
# The variable may name one file.
OCL_ICD_VENDORS=$PWD/fake/c.icd refuse 3 "c.icd (libm.so.6)" devices

# ---- One works, by the side of others: it is used, and the others are named where they may have been meant ----
if [ ! -e "$loader" ]; then
  echo "skipped: the rest needs a driver in $loader"
  exit 0
fi
if [ -d "$loader" ]; then cp "$loader"/*.icd fake/; else cp "$loader" fake/; fi
echo libnobody-has-it.so.7 >fake/a.icd
"$FANIN" devices >out.txt 2>err.txt || die "devices: $(cat err.txt)"
grep -q '^0  ' out.txt || die "no device: $(cat out.txt)"
grep -qE '^Device [0-9]+ is the default: .' out.txt || die "no default: $(cat out.txt)"
grep -q '^Driver .*/a.icd: libnobody-has-it.so.7 gives no device: libnobody' out.txt || die "a.icd: $(cat out.txt)"
grep -q '^Driver .*/c.icd: libm.so.6 gives no device: it is no' out.txt || die "c.icd: $(cat out.txt)"
refuse 3 "no device answers the selector \"nobody\"; by index, 0 is " init --tensor w:f32:OI:2x2 --init zeros -o w.npy --device nobody
refuse 3 "; driver $PWD/fake/a.icd (libnobody-has-it.so.7) gives" init --tensor w:f32:OI:2x2 --init zeros -o w.npy --device nobody
"$FANIN" init --tensor w:f32:OI:2x2 --init zeros -o w.npy >out.txt || die "init beside broken drivers"
rm w.npy
FANIN_DEVICE=nobody "$FANIN" devices >out.txt || die "devices with a selector of nobody"
grep -q '^No device is the default: no device answers the selector [$]FANIN_DEVICE "nobody"' out.txt || die "$(cat out.txt)"
FANIN_DEVICE=0 "$FANIN" devices >out.txt || die "devices with a selector"
grep -q '^Device 0 is the default by [$]FANIN_DEVICE=0: .*no other device' out.txt || die "$(cat out.txt)"
if have_python; then
  "$FANIN" devices --json >out.json
  python3 -c '
import json
found = json.load(open("out.json"))
drivers = {d["icd"].rpartition("/")[2]: d for d in found["drivers"]}
assert list(drivers)[0] == "a.icd" and "d.icd" not in drivers, list(drivers)
assert not drivers["a.icd"]["usable"] and "libnobody" in drivers["a.icd"]["reason"], drivers
good = [d for d in drivers.values() if d["usable"]]
assert good and all(d["reason"] is None and d["library"] for d in good), drivers
default = found["default"]
assert 0 <= default["index"] < len(found["devices"]) and default["reason"], default'
fi

# ---- PoCL, where its kernel cache cannot be written: a directory below a file ----
if ! "$FANIN" devices | grep 'Portable Computing Language' >/dev/null; then
  echo "skipped: the rest needs PoCL"
  exit 0
fi
rm fake/a.icd fake/c.icd
: >file
# with_cache CACHE VARIABLE=VALUE: PoCL's cache is to be there, which cannot be.
with_cache() {
  local status=0
  env -u POCL_CACHE_DIR -u XDG_CACHE_HOME "$2" \
    "$FANIN" init --tensor w:f32:OI:2x2 --init he_normal -o w.npy >out.txt 2>err.txt || status=$?
  [ "$status" = 3 ] || die "$2: status $status: $(cat err.txt)"
  grep -qF "; PoCL's kernel cache $1 cannot be written: Not a directory; \$POCL_CACHE_DIR names another place" err.txt ||
    die "$2: $(cat err.txt)"
}
with_cache "$PWD/file/cache" "POCL_CACHE_DIR=$PWD/file/cache"
with_cache "$PWD/file/pocl/kcache" "XDG_CACHE_HOME=$PWD/file"
with_cache "$PWD/file/.cache/pocl/kcache" "HOME=$PWD/file"
