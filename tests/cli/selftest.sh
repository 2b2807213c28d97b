#!/usr/bin/env bash
# 'fanin selftest': on PoCL everything holds; on a device that lies, the difference is named or the dtype is refused.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

# ---- The truth ---------------------------------------------------------------------------------------------------------

"$FANIN" selftest --json >all.json
python3 - all.json "$SRC/share/data/stream-v1.json" <<'END'
import json, sys
said, digests = (json.load(open(path)) for path in sys.argv[1:3])
assert said["holds"] and said["wrong"] == 0 and said["refused_dtypes"] == 0 and not said["full"], said
ways = {"plan", "gaps", "pieces", "out of order"}
ones = [r for r in said["results"] if r["check"] not in ways]
assert sum(r["fills"] for r in ones) == len(digests["checks"])  # every digest, once
assert {r["check"] for r in ones} == {c["init"].split(":")[0] for c in digests["checks"]}
assert sum(r["fills"] for r in said["results"] if r["check"] == "plan") == len(digests["checks"])
assert all(r["fills"] > 0 for r in said["results"]), [r for r in said["results"] if r["fills"] == 0]
assert said["fills"] == sum(r["fills"] for r in said["results"])
assert {r["name"] for r in said["rates"]} >= {"device's fill", "device's copy", "normal f32"}
assert all(r["gb_per_s"] > 0 and r["ratio_to_fill"] > 0 and r["ratio_to_copy"] > 0 for r in said["rates"])
END

COLUMNS=80 "$FANIN" selftest --only constant >text
[ "$(wc -L <text)" -le 80 ]
grep -q '^HOLDS: .* stream v1' text
grep -q '^constant  *5  *5  *5  *5  *5  *5$' text
! grep -q 'too narrow' text || die 'a column is left out at 80 columns'

# ---- Lies --------------------------------------------------------------------------------------------------------------

# A coefficient is wrong: the first element that shows it is named, and what the kernel was built with.
status=0
SHIM_FROM='0x1.62e430p+0f' SHIM_TO='0x1.72e430p+0f' "$SHIMMED" selftest --only normal >text 2>said || status=$?
[ "$status" = 1 ]
grep -Eq '^First difference: normal, f32, .*: element [0-7] is [0-9a-f]{8} and must be [0-9a-f]{8}' text
tr '\n' ' ' <text | grep -E 'built with  *-cl-std=CL1.2  *-D  *LANES=[0-9]+  *-D  *NORMAL  *-D  *F32' >/dev/null
grep -Eq '^normal  *12 wrong  *12 wrong  *12 wrong  *12 ' text # f64 has another logarithm
grep -q '^FAILS: ' text
[ ! -s said ]

# Kernels that the driver's compiler does not take: what it says is in the report, which has no rates.
status=0
SHIM_FROM='#pragma OPENCL FP_CONTRACT OFF' SHIM_TO='#error no such compiler' "$SHIMMED" selftest --only constant >text 2>said || status=$?
[ "$status" = 1 ] || die "status $status: $(cat text said)"
grep -q '^FAILS: ' text
tr '\n' ' ' <text | grep -E 'CL_BUILD_PROGRAM_FAILURE.*no  *such  *compiler' >/dev/null || die "$(cat text)"
! grep -q '^Rates' text || die 'wrong numbers have rates'

# A write outside of the tensor, which no digest shows.
status=0
SHIM_FROM='const ulong q = get_group_id(0)' SHIM_TO='buffer[0] = 0; const ulong q = get_group_id(0)' \
  "$SHIMMED" selftest --only ones >text || status=$?
[ "$status" = 1 ]
tr '\n' ' ' <text | grep -E 'byte  *0  *of  *the  *buffer  *was  *written' >/dev/null

# A double fma that is a product and a sum: f64 is refused, and everything else holds.
status=0
SHIM_FROM='#pragma OPENCL FP_CONTRACT OFF' \
  SHIM_TO=$'#pragma OPENCL FP_CONTRACT OFF\n#if defined(F64)\n#define fma(a, b, c) ((a) * (b) + (c))\n#endif' \
  "$SHIMMED" selftest --only constant >text 2>said || status=$?
[ "$status" = 3 ]
grep -q 'f64 tensors cannot be filled on device .*: its double fma rounds twice' said
grep -q '^Refused: f64 tensors' text
grep -q '^constant  *5  *5  *5  *refused  *5  *5$' text
grep -q '^HOLDS: .* but for what is refused' text

# ---- Usage -------------------------------------------------------------------------------------------------------------

refuse 2 'give --quick or --full, not both' selftest --quick --full
refuse 2 'there are digests of no initializer of that name' selftest --only fixup
refuse 3 'no device' selftest --device 'no such device'
"$FANIN" selftest --help | grep -- '--full' >/dev/null
