"""Finds and loads libfanin, checks its version, and gives its functions the types that they have in C."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import re
from pathlib import Path
from typing import Any, Optional

from . import _fork
from ._errors import make_error
from ._structs import CKey
from ._version import __version__

# The functions that the package calls, as C declares them; python/tests/test_abi.py lets a compiler compare.
DECLARATIONS = """
const char *fanin_version(void);
const char *fanin_status_name(fanin_status status);
const char *fanin_last_error(void);
fanin_status fanin_devices(fanin_device_info *list, size_t capacity, size_t stride, size_t *count);
fanin_status fanin_drivers(fanin_driver_info *list, size_t capacity, size_t stride, size_t *count);
fanin_status fanin_open(const char *selector, fanin **out);
fanin_status fanin_create(cl_context context, cl_device_id device, fanin **out);
void fanin_release(fanin *f);
fanin_status fanin_context(const fanin *f, cl_context *out);
fanin_status fanin_device(const fanin *f, cl_device_id *out);
fanin_status fanin_queue(fanin *f, cl_command_queue *out);
fanin_status fanin_dtype_describe(fanin_dtype dtype, fanin_dtype_info *out, size_t size);
fanin_status fanin_dtype_parse(const char *text, fanin_dtype *out);
fanin_status fanin_tensor_alloc(fanin *f, fanin_dtype dtype, const char *layout, int rank, const uint64_t *shape, fanin_tensor *out);
void fanin_tensor_free(fanin_tensor *t);
fanin_status fanin_tensor_size(const fanin_tensor *t, uint64_t *elements, uint64_t *bytes);
fanin_status fanin_fans(const fanin_tensor *t, uint64_t *fan_in, uint64_t *fan_out);
fanin_status fanin_gain(const char *activation, double slope, fanin_criterion criterion, double *gain);
fanin_status fanin_init_format(const fanin_init *init, char *text, size_t capacity, size_t *length);
fanin_status fanin_describe(fanin_kind kind, fanin_description *out, size_t size);
int fanin_scheme_count(void);
fanin_status fanin_describe_scheme(int scheme, fanin_scheme_description *out, size_t size);
fanin_status fanin_scheme_factor(const char *text, const fanin_tensor *t, double *factor);
fanin_status fanin_init_parse_for(const char *text, const fanin_tensor *t, fanin_init *out);
fanin_status fanin_init_scaled(const fanin_init *init, double factor, fanin_init *out);
fanin_status fanin_tensor_split(const fanin_tensor *t, int dimension, uint64_t index, uint64_t count, fanin_tensor *out);
fanin_status fanin_tensor_split_range(const fanin_tensor *t, uint64_t index, uint64_t count, fanin_tensor *out);
fanin_status fanin_expect(const fanin_tensor *t, const fanin_init *init, fanin_moments *out, size_t size);
fanin_status fanin_key_named(uint64_t seed, const char *name, fanin_key *out);
fanin_status fanin_fill(fanin *f, cl_command_queue queue, const fanin_tensor *t, const fanin_init *init, fanin_key key, cl_uint n_wait, const cl_event *wait_list, cl_event *event);
fanin_status fanin_read(fanin *f, cl_command_queue queue, const fanin_tensor *t, void *host, size_t bytes, int blocking, cl_uint n_wait, const cl_event *wait_list, cl_event *event);
fanin_status fanin_plan_create(fanin *f, const fanin_item *items, size_t n, fanin_plan **out);
void fanin_plan_release(fanin_plan *plan);
fanin_status fanin_plan_enqueue(fanin_plan *plan, cl_command_queue queue, uint64_t seed, cl_uint n_wait, const cl_event *wait_list, cl_event *event);
fanin_status fanin_plan_tensor(const fanin_plan *plan, size_t i, fanin_tensor *out);
fanin_status fanin_plan_describe(const fanin_plan *plan, fanin_plan_facts *out, size_t size);
fanin_status fanin_measure(fanin *f, cl_command_queue queue, const fanin_tensor *t, cl_uint n_wait, const cl_event *wait_list, fanin_stats *out, size_t size);
const char *fanin_diagnosis_name(fanin_diagnosis diagnosis);
fanin_status fanin_diagnosis_verdict(fanin_diagnosis diagnosis, fanin_verdict *out);
fanin_status fanin_probe(fanin *f, cl_command_queue queue, const fanin_probe_config *config, fanin_probe_report **out);
fanin_status fanin_probe_rows(const fanin_probe_config *config, size_t l, uint64_t *rows);
fanin_status fanin_probe_report_summary(const fanin_probe_report *report, fanin_probe_summary *out, size_t size);
fanin_status fanin_probe_report_layer(const fanin_probe_report *report, size_t i, fanin_probe_layer *out, size_t size);
fanin_status fanin_probe_report_finding(const fanin_probe_report *report, size_t i, fanin_finding *out, size_t size);
void fanin_probe_report_release(fanin_probe_report *report);
fanin_status fanin_calibrate(fanin *f, cl_command_queue queue, const fanin_probe_config *config, const fanin_calibrate_options *options, fanin_calibrated_layer *layers, size_t stride);
fanin_status fanin_theory(const fanin_theory_config *config, fanin_theory_layer *layers, size_t stride);
fanin_status fanin_fixed_points(const char *activation, double slope, double sigma_w2, double sigma_b2, fanin_fixed_point *list, size_t capacity, size_t stride, size_t *count);
fanin_status fanin_edge_of_chaos(const char *activation, double slope, double sigma_b2, double *sigma_w2, fanin_fixed_point *at, size_t size);
const char *fanin_aim_name(fanin_aim aim);
fanin_status fanin_suggest(const fanin_suggest_config *config, fanin_suggestion *list, size_t capacity, size_t stride, size_t *count);
fanin_status fanin_suggestion_format(const fanin_suggestion *suggestion, size_t size, char *text, size_t capacity, size_t *length);
"""

_SCALARS: dict[str, Any] = {
    "void": None,
    "int": ctypes.c_int,
    "double": ctypes.c_double,
    "size_t": ctypes.c_size_t,
    "uint64_t": ctypes.c_uint64,
    "cl_uint": ctypes.c_uint32,
    "const char *": ctypes.c_char_p,
    "fanin_key": CKey,
    **{enum: ctypes.c_int for enum in ("fanin_status", "fanin_dtype", "fanin_criterion", "fanin_kind")},
    **{enum: ctypes.c_int for enum in ("fanin_diagnosis", "fanin_verdict", "fanin_aim")},
    **{handle: ctypes.c_void_p for handle in ("cl_context", "cl_device_id", "cl_command_queue")},
}


def _type(text: str) -> Any:
    """The ctypes type of a declared type: scalars and keys by value, every pointer but texts as an address."""
    text = text.strip()
    if text in _SCALARS:
        return _SCALARS[text]
    if text.endswith("*"):
        return ctypes.c_void_p
    raise AssertionError(f"no type for {text!r}")


def _parameter(text: str) -> Any:
    match = re.fullmatch(r"(.*?)\w+", text.strip())
    assert match
    return _type(match[1])


def _candidates() -> list[str]:
    """Where the library may be, best first: $FANIN_LIBRARY alone, or the package's own and then the system's."""
    named = os.environ.get("FANIN_LIBRARY")
    if named:
        return [named]
    own = Path(__file__).parent
    found = [
        str(own / name)
        for name in ("libfanin.so.0", "libfanin.so", "libfanin.dylib", "fanin.dll")
        if (own / name).exists()
    ]
    found += filter(None, [ctypes.util.find_library("fanin")])
    return found or ["libfanin.so.0"]


def _load_loader() -> Optional[Path]:
    """Loads OpenCL's loader, libOpenCL.so.1, which the library needs: the system's wherever there is one. Only where there is
    none is it the wheel's own, which looks for drivers where the system's would: in /etc/OpenCL/vendors and $OCL_ICD_VENDORS. The
    library finds it loaded under its name. Returns the folder of the wheel's own if that is used."""
    own = Path(__file__).parent / "loader/libOpenCL.so.1"
    if not own.exists():
        return None
    try:
        ctypes.CDLL(own.name)
        return None
    except OSError:
        ctypes.CDLL(str(own))
        return own.parent


def _same_abi(version: str) -> bool:
    """Before 1.0 a minor version may change structs, from 1.0 on only a major one."""
    ours, theirs = __version__.split("."), version.split(".")
    return theirs[: 2 if ours[0] == "0" else 1] == ours[: 2 if ours[0] == "0" else 1]


def load(path: str) -> Any:
    """Loads the library at `path` and types its functions; ImportError says what is wrong with it."""
    try:
        library = ctypes.CDLL(path)
        library.fanin_version.restype = ctypes.c_char_p
        version = library.fanin_version().decode()
    except (OSError, AttributeError) as problem:
        raise ImportError(
            f"{path}: {problem}; fanin looks for its library in $FANIN_LIBRARY, in the package, and where the system "
            "keeps libraries. Install a wheel, or the package from fanin's source tree (pip install ./python), which builds "
            "the library; or build it (./run build) and set FANIN_LIBRARY=build/libfanin.so. The library itself needs "
            "libOpenCL.so.1 (Debian: ocl-icd-libopencl1)"
        ) from None
    if not _same_abi(version):
        raise ImportError(f"{path} is version {version} of the library, which this package {__version__} cannot use")
    for returned, name, parameters in re.findall(r"^(.*?)(fanin_\w+)\((.*)\);$", DECLARATIONS, re.MULTILINE):
        function = getattr(library, name)
        function.argtypes = [] if parameters == "void" else [_parameter(one) for one in parameters.split(",")]
        function.restype = _type(returned)
        if returned.strip() == "fanin_status":
            function.errcheck = _raise_unless_ok
        if _REACHES_OPENCL.search(f"{name}({parameters})"):
            setattr(library, name, _guarded(function))
    return library


# A function with a handle, and those that release memory of a device or look for one.
_REACHES_OPENCL = re.compile(r"\bfanin \*|\bfanin_plan \*|^fanin_devices|^fanin_tensor_free")


def _guarded(function: Any) -> Any:
    """The function, for processes that were forked too: there it fails, and releases nothing."""

    def call(*arguments: Any) -> Any:
        if function.restype is None and _fork.is_forked():
            return None
        _fork.before_a_device_is_used()
        return function(*arguments)

    return call


def result_of(kind: Any, function: Any, *arguments: Any) -> Any:
    """What a function writes whose last parameter points to a `kind` of ctypes."""
    out = kind()
    function(*arguments, ctypes.byref(out))
    return out


def _raise_unless_ok(status: int, _function: Any, _arguments: Any) -> int:
    if status != 0:
        # errcheck runs on the thread that called, and the sentence is that thread's.
        raise make_error(status, lib.fanin_status_name(status).decode(), lib.fanin_last_error().decode())
    return status


loader = _load_loader()
path = _candidates()[0]
lib = load(path)
