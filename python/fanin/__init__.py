"""fanin: initializes neural-network weights where they live, with the same bits on every device.

    import fanin
    fanin.fill(array, "he_normal", seed=42, name="layer1.weight", layout="OI")  # a pyopencl.array.Array, in place
    fanin.init.kaiming_normal_(array, seed=42, name="layer1.weight")  # the same, as torch.nn.init has it
    fanin.array((256, 128), "xavier_uniform", layout="OI", seed=42, name="w")  # a new NumPy array
    fanin.torch.init_(module, "pytorch", seed=42)  # a PyTorch module by rules (import fanin.torch); fanin.arrays() for NumPy

docs/python.md of the project has the rest. Errors are `fanin.Error`; those of arguments are ValueErrors too.
"""

from . import init
from ._by_rules import InitReport, arrays
from ._command import Answer, init_file, inspect, rules
from ._device import Device, clear_cache, devices, drivers
from ._errors import ArgumentError, Error
from ._fill import fill
from ._init import Init, expect, fans, gain, initializers, scheme, schemes, std
from ._key import stream_of
from ._library import lib as _lib
from ._library import path as library_path
from ._numpy import array, fill_numpy
from ._plan import Item, Plan
from ._probe import Finding, ProbeConfig, ProbeReport, calibrate, measure, probe
from ._shards import Shard, split
from ._structs import (
    CalibratedLayer,
    Description,
    DeviceInfo,
    DriverInfo,
    Fans,
    FixedPoint,
    Moments,
    PlanFacts,
    ProbeLayer,
    SchemeDescription,
    Stats,
    TheoryLayer,
)
from ._theory import Edge, Suggestion, TheoryConfig, TheoryReport, edge_of_chaos, fixed_points, suggest, theory
from ._version import __version__

library_version: str = _lib.fanin_version().decode()

__all__ = [
    "Answer",
    "ArgumentError",
    "CalibratedLayer",
    "Description",
    "Device",
    "DeviceInfo",
    "DriverInfo",
    "Edge",
    "Error",
    "Fans",
    "Finding",
    "FixedPoint",
    "Init",
    "InitReport",
    "Item",
    "Moments",
    "Plan",
    "PlanFacts",
    "ProbeConfig",
    "ProbeLayer",
    "ProbeReport",
    "SchemeDescription",
    "Shard",
    "Stats",
    "Suggestion",
    "TheoryConfig",
    "TheoryLayer",
    "TheoryReport",
    "__version__",
    "array",
    "arrays",
    "calibrate",
    "clear_cache",
    "devices",
    "drivers",
    "edge_of_chaos",
    "expect",
    "fans",
    "fill",
    "fill_numpy",
    "fixed_points",
    "gain",
    "init",
    "init_file",
    "initializers",
    "inspect",
    "library_path",
    "library_version",
    "measure",
    "probe",
    "rules",
    "scheme",
    "schemes",
    "split",
    "std",
    "stream_of",
    "suggest",
    "theory",
]
