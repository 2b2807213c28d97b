"""The library's structs and enumerators. python/tests/test_abi.py compiles them against the headers.

What the library fills and users see are dataclasses (Mirror makes the struct); what it takes are plain ctypes structs.
Findings and suggestions stand beside the functions that return them.
"""

from __future__ import annotations

import ctypes as c
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from ._mirror import F64, U32, U64, Enum, Flag, Handle, Mirror, Size, Struct, Text, declared

MAX_RANK = 8
WHOLE, SLAB, RANGE = 0, 1, 2
CRITERIA = ("second_moment", "variance", "pytorch")
NORMS = ("none", "layer", "batch")
BLOCKS = ("none", "pre_norm", "post_norm")
VERDICTS = ("health", "conformity", "cause", "warning")
MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo")


class CTensor(Struct):
    _fields_ = declared(
        "pointer buffer, size offset, int dtype rank, u64 shape[8] strides[8], char layout[9], u32 groups splits, "
        "int part, u64 start[8] extent[8] first count reserved[4]"
    )


class CInit(Struct):
    """Its kind, and 184 bytes that only the library looks at. A value of the API keeps its size for ever."""

    _fields_ = declared("int kind, f64 _rest[23]")


class CKey(Struct):
    _fields_ = declared("u64 seed stream")


class CItem(Struct):
    _fields_ = declared("fanin_tensor tensor, fanin_init init, u64 stream reserved[3]")


PROGRESS = c.CFUNCTYPE(None, c.c_void_p, c.c_char_p)


class CProbeConfig(Struct):
    _fields_ = declared(
        "size size, u64* widths, size n_widths, text activation, f64 slope, fanin_init init, int dtype, f64 bias_std, "
        "int norm residual, u64 batch, pointer input, u64 seed, fanin_tensor* weights, f64* weight_factors, "
        "function progress, pointer user inits biases, int block",
        function=PROGRESS,
    )


class CCalibrateOptions(Struct):
    _fields_ = declared("size size, int criterion, f64 target tolerance, int max_iterations")


class CTheoryConfig(Struct):
    _fields_ = declared(
        "size size, u64* widths, size n_widths, text activation, f64 slope, int activate_last, f64* sigma_w2, "
        "fanin_init init, f64 sigma_b2, int norm residual, f64 second_moment correlation gradient"
    )


class CSuggestConfig(Struct):
    _fields_ = declared("size size, text activation, f64 slope fan_ratio, size depth, f64 sigma_b2")


class CProbeSummary(Struct):
    _fields_ = declared(
        "size n_layers n_findings, int conforms healthy, size n_tests, f64 z_bound, size overflow_layer, "
        "f64 sd_ln_q gemm_seconds other_seconds startup_seconds, u64 device_bytes, int judged predicted, "
        "text conforms_condition healthy_condition"
    )


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
    shares_memory: Flag


@dataclass(frozen=True)
class DriverInfo:
    """A driver that is registered with the OpenCL loader; `usable` False: it gives no device, and `reason` says why."""

    icd: Annotated[str, c.c_char * 256]
    library: Annotated[str, c.c_char * 256]
    usable: Flag
    reason: Annotated[str, c.c_char * 700]


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
    presets: Text


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
    stream_measured: F64
    stream_meanfield: F64


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


DEVICE_INFO = Mirror(DeviceInfo)
DRIVER_INFO = Mirror(DriverInfo)
DTYPE_INFO = Mirror(DtypeInfo)
MOMENTS = Mirror(Moments)
DESCRIPTION = Mirror(Description)
SCHEME_DESCRIPTION = Mirror(SchemeDescription)
STATS = Mirror(Stats)
PLAN_FACTS = Mirror(PlanFacts)
PROBE_LAYER = Mirror(ProbeLayer)
CALIBRATED_LAYER = Mirror(CalibratedLayer)
THEORY_LAYER = Mirror(TheoryLayer)
FIXED_POINT = Mirror(FixedPoint)

# Enumerators that Python has as the index of a text: prefix in C, names from 0 on.
ENUMERATORS: list[tuple[str, tuple[str, ...]]] = [
    ("FANIN_PART_", ("whole", "slab", "range")),
    ("FANIN_CRITERION_", CRITERIA),
    ("FANIN_MODE_", MODES),
    ("FANIN_NORM_", NORMS),
    ("FANIN_BLOCK_", BLOCKS),
    ("FANIN_VERDICT_", VERDICTS),
]
