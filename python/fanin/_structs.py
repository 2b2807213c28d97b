"""The library's structs and enumerators. python/tests/test_abi.py compiles them against the headers.

What the library fills and users see are dataclasses (Mirror makes the struct); what it takes are plain ctypes structs.
"""

from __future__ import annotations

import ctypes as c
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from ._mirror import F64, U32, U64, Enum, Flag, Handle, Mirror, Size, Text

MAX_RANK = 8
WHOLE, SLAB, RANGE = 0, 1, 2
CRITERIA = ("second_moment", "variance", "pytorch")
NORMS = ("none", "layer", "batch")
VERDICTS = ("health", "conformity", "cause")
MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo")


class CTensor(c.Structure):
    """fanin_tensor."""

    _fields_ = [
        ("buffer", c.c_void_p),
        ("offset", c.c_size_t),
        ("dtype", c.c_int),
        ("rank", c.c_int),
        ("shape", c.c_uint64 * MAX_RANK),
        ("strides", c.c_uint64 * MAX_RANK),
        ("layout", c.c_char * (MAX_RANK + 1)),
        ("groups", c.c_uint32),
        ("splits", c.c_uint32),
        ("part", c.c_int),
        ("start", c.c_uint64 * MAX_RANK),
        ("extent", c.c_uint64 * MAX_RANK),
        ("first", c.c_uint64),
        ("count", c.c_uint64),
        ("reserved", c.c_uint64 * 4),
    ]


class CInit(c.Structure):
    """fanin_init: its kind, and 136 bytes that only the library looks at. A value of the API keeps its size for ever."""

    _fields_ = [("kind", c.c_int), ("_rest", c.c_double * 17)]


class CKey(c.Structure):
    """fanin_key."""

    _fields_ = [("seed", c.c_uint64), ("stream", c.c_uint64)]


class CItem(c.Structure):
    """fanin_item."""

    _fields_ = [("tensor", CTensor), ("init", CInit), ("stream", c.c_uint64), ("reserved", c.c_uint64 * 3)]


PROGRESS = c.CFUNCTYPE(None, c.c_void_p, c.c_char_p)


class CProbeConfig(c.Structure):
    """fanin_probe_config."""

    _fields_ = [
        ("size", c.c_size_t),
        ("widths", c.POINTER(c.c_uint64)),
        ("n_widths", c.c_size_t),
        ("activation", c.c_char_p),
        ("slope", c.c_double),
        ("init", CInit),
        ("dtype", c.c_int),
        ("bias_std", c.c_double),
        ("norm", c.c_int),
        ("residual", c.c_int),
        ("batch", c.c_uint64),
        ("input", c.c_void_p),
        ("seed", c.c_uint64),
        ("weights", c.POINTER(CTensor)),
        ("weight_factors", c.POINTER(c.c_double)),
        ("progress", PROGRESS),
        ("user", c.c_void_p),
    ]


class CCalibrateOptions(c.Structure):
    """fanin_calibrate_options."""

    _fields_ = [
        ("size", c.c_size_t),
        ("criterion", c.c_int),
        ("target", c.c_double),
        ("tolerance", c.c_double),
        ("max_iterations", c.c_int),
    ]


class CTheoryConfig(c.Structure):
    """fanin_theory_config."""

    _fields_ = [
        ("size", c.c_size_t),
        ("widths", c.POINTER(c.c_uint64)),
        ("n_widths", c.c_size_t),
        ("activation", c.c_char_p),
        ("slope", c.c_double),
        ("activate_last", c.c_int),
        ("sigma_w2", c.POINTER(c.c_double)),
        ("init", CInit),
        ("sigma_b2", c.c_double),
        ("norm", c.c_int),
        ("residual", c.c_int),
        ("second_moment", c.c_double),
        ("correlation", c.c_double),
        ("gradient", c.c_double),
    ]


class Fans(NamedTuple):
    """fan_in and fan_out of a whole tensor."""

    fan_in: int
    fan_out: int


@dataclass(frozen=True)
class DeviceInfo:
    """A device of the machine, as `fanin devices` lists it; `usable` False: `reason` says why fanin refuses it."""

    platform: Handle
    device: Handle
    platform_name: Annotated[str, c.c_char * 128]
    name: Annotated[str, c.c_char * 256]
    driver: Annotated[str, c.c_char * 128]
    version: Annotated[str, c.c_char * 128]
    type: U64
    compute_units: U32
    memory_bytes: U64
    max_alloc_bytes: U64
    native_float_width: U32
    has_f64: Flag
    has_f16: Flag
    usable: Flag
    reason: Annotated[str, c.c_char * 192]


@dataclass(frozen=True)
class DtypeInfo:
    """A dtype's names and numbers; `npy` is None where npy files have no such dtype."""

    name: Text
    safetensors: Text
    npy: Text
    python: Text
    bytes: Size
    dlpack_code: Enum
    digits: Enum
    least: Enum
    largest: F64
    has_infinities: Flag
    needs_fp64: Flag


@dataclass(frozen=True)
class Moments:
    """What an initializer's values have on a tensor; `lo` and `hi` are infinite for a plain normal."""

    mean: F64
    std: F64
    kurtosis: F64
    lo: F64
    hi: F64


@dataclass(frozen=True)
class Description:
    """What there is to say about an initializer."""

    name: Text
    aliases: Text
    formula: Text
    parameters: Text
    source: Text
    needs_fans: Flag
    draws: Flag


@dataclass(frozen=True)
class SchemeDescription:
    """What there is to say about a scheme: a factor in front of an initializer."""

    name: Text
    formula: Text
    parameters: Text
    goes_with: Text
    source: Text
    needs_fans: Flag


@dataclass(frozen=True)
class Stats:
    """Moments of a tensor, measured on the device; `second` is the mean of squares."""

    count: U64
    nonfinite: U64
    mean: F64
    std: F64
    second: F64
    min: F64
    max: F64


@dataclass(frozen=True)
class PlanFacts:
    """What a plan does and takes: launches of one fill, elements that it writes, device memory."""

    items: Size
    launches: Size
    elements: U64
    arena_bytes: U64
    table_bytes: U64


@dataclass(frozen=True)
class ProbeLayer:
    """One layer of a probe, field by field as include/fanin/probe.h describes fanin_probe_layer."""

    fan_in: U64
    fan_out: U64
    weight_mean: F64
    weight_mean_expected: F64
    weight_mean_z: F64
    weight_std: F64
    weight_std_expected: F64
    weight_z: F64
    overlap: F64
    q_measured: F64
    q_predicted: F64
    q_meanfield: F64
    q_z: F64
    g_measured: F64
    g_predicted: F64
    g_meanfield: F64
    g_z: F64
    q_sd: F64
    g_sd: F64
    spread_measured: F64
    spread_predicted: F64
    weight_gradient_measured: F64
    weight_gradient_predicted: F64
    mean_measured: F64
    mean_predicted: F64
    correlation_measured: F64
    correlation_predicted: F64
    saturated_measured: F64
    saturated_predicted: F64
    dead_measured: F64
    dead_predicted: F64
    f16_overflow: F64
    f16_underflow: F64
    f16_gradient_overflow: F64
    f16_gradient_underflow: F64
    tied_rows: U64
    tied_columns: U64
    conforms: Flag


class CFinding(c.Structure):
    """fanin_finding."""

    _fields_ = [
        ("diagnosis", c.c_int),
        ("first", c.c_size_t),
        ("last", c.c_size_t),
        ("what", c.c_char * 256),
        ("remedy", c.c_char_p),
    ]


PROBE_LAYER = Mirror("fanin_probe_layer", ProbeLayer)


class CProbeSummary(c.Structure):
    """fanin_probe_summary."""

    _fields_ = [
        ("n_layers", c.c_size_t),
        ("n_findings", c.c_size_t),
        ("conforms", c.c_int),
        ("healthy", c.c_int),
        ("n_tests", c.c_size_t),
        ("z_bound", c.c_double),
        ("overflow_layer", c.c_size_t),
        ("sd_ln_q", c.c_double),
        ("gemm_seconds", c.c_double),
        ("other_seconds", c.c_double),
        ("startup_seconds", c.c_double),
        ("device_bytes", c.c_uint64),
    ]


@dataclass(frozen=True)
class CalibratedLayer:
    """What calibrating did to a layer: its variance (or second moment) before and after, and the weights' factor."""

    before: F64
    after: F64
    factor: F64
    iterations: Enum


@dataclass(frozen=True)
class TheoryLayer:
    """A layer at infinite width, field by field as include/fanin/theory.h describes fanin_theory_layer."""

    fan_in: U64
    fan_out: U64
    sigma_w2: F64
    q: F64
    correlation: F64
    mean: F64
    v: F64
    second_moment: F64
    h_correlation: F64
    slope_second: F64
    chi: F64
    chi_c: F64
    g: F64
    weight_gradient: F64
    saturated: F64
    zero: F64


@dataclass(frozen=True)
class FixedPoint:
    """A fixed point of q, as include/fanin/theory.h describes fanin_fixed_point."""

    q: F64
    every: Flag
    q_slope: F64
    stable: Flag
    chi: F64
    c: F64
    chi_c: F64
    xi_q: F64
    xi_c: F64


class CSuggestConfig(c.Structure):
    """fanin_suggest_config."""

    _fields_ = [
        ("size", c.c_size_t),
        ("activation", c.c_char_p),
        ("slope", c.c_double),
        ("fan_ratio", c.c_double),
        ("depth", c.c_size_t),
        ("sigma_b2", c.c_double),
    ]


class CSuggestion(c.Structure):
    """fanin_suggestion."""

    _fields_ = [
        ("aim", c.c_int),
        ("init", CInit),
        ("gain", c.c_double),
        ("sigma_b2", c.c_double),
        ("depth", c.c_size_t),
        ("q_growth", c.c_double),
        ("q_total", c.c_double),
        ("g_growth", c.c_double),
        ("g_total", c.c_double),
        ("q_limit", c.c_double),
        ("chi_limit", c.c_double),
        ("sensitivity", c.c_double),
    ]


DEVICE_INFO = Mirror("fanin_device_info", DeviceInfo)
DTYPE_INFO = Mirror("fanin_dtype_info", DtypeInfo)
MOMENTS = Mirror("fanin_moments", Moments)
DESCRIPTION = Mirror("fanin_description", Description)
SCHEME_DESCRIPTION = Mirror("fanin_scheme_description", SchemeDescription)
STATS = Mirror("fanin_stats", Stats)
PLAN_FACTS = Mirror("fanin_plan_facts", PlanFacts)
CALIBRATED_LAYER = Mirror("fanin_calibrated_layer", CalibratedLayer)
THEORY_LAYER = Mirror("fanin_theory_layer", TheoryLayer)
FIXED_POINT = Mirror("fanin_fixed_point", FixedPoint)

_MIRRORS: list[Mirror[Any]] = [
    DEVICE_INFO,
    DTYPE_INFO,
    MOMENTS,
    DESCRIPTION,
    STATS,
    PLAN_FACTS,
    PROBE_LAYER,
    CALIBRATED_LAYER,
]
_MIRRORS += [THEORY_LAYER, FIXED_POINT, SCHEME_DESCRIPTION]

# Every struct by its name in C.
STRUCTS: dict[str, Any] = {
    "fanin_tensor": CTensor,
    "fanin_init": CInit,
    "fanin_key": CKey,
    "fanin_item": CItem,
    "fanin_probe_config": CProbeConfig,
    "fanin_calibrate_options": CCalibrateOptions,
    "fanin_theory_config": CTheoryConfig,
    "fanin_finding": CFinding,
    "fanin_probe_summary": CProbeSummary,
    "fanin_suggest_config": CSuggestConfig,
    "fanin_suggestion": CSuggestion,
    **{mirror.struct.__name__: mirror.struct for mirror in _MIRRORS},
}

# Enumerators that Python has as the index of a text: prefix in C, names from 0 on.
ENUMERATORS: list[tuple[str, tuple[str, ...]]] = [
    ("FANIN_PART_", ("whole", "slab", "range")),
    ("FANIN_CRITERION_", CRITERIA),
    ("FANIN_MODE_", MODES),
    ("FANIN_NORM_", NORMS),
    ("FANIN_VERDICT_", VERDICTS),
]
