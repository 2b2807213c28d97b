"""Probing and calibrating networks on a device, and measuring tensors; reports as data."""

from __future__ import annotations

import ctypes
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Callable, Optional, Sequence

from ._device import AnyDevice, Device, device_of, device_of_queue
from ._dtypes import DTYPES
from ._errors import bad_argument
from ._fill import queue_of, tensor_of, wait_list
from ._init import AnyInit, init_of
from ._library import lib, result_of
from ._mirror import Mirror, Size, Text
from ._structs import (
    CALIBRATED_LAYER,
    CRITERIA,
    NORMS,
    PROBE_LAYER,
    PROGRESS,
    STATS,
    VERDICTS,
    CalibratedLayer,
    CCalibrateOptions,
    CProbeConfig,
    CProbeSummary,
    CTensor,
    ProbeLayer,
    Stats,
)
from ._tensor import choice, dtype_of, not_zero, unsigned

if TYPE_CHECKING:
    import pyopencl as cl
    import pyopencl.array as cla

    from ._fill import Placed, WaitFor


@dataclass(frozen=True)
class Finding:
    """A diagnosis for the layers first .. last, from 1. verdict: "health", "conformity", "cause" or "warning"."""

    diagnosis: Annotated[str, ctypes.c_int]
    verdict: str
    first: Size
    last: Size
    what: Annotated[str, ctypes.c_char * 256]
    remedy: Text


_FINDING = Mirror(Finding)


@dataclass(frozen=True)
class ProbeReport:
    """What a probe found. `conforms`: the device does what theory says; `healthy`: theory finds no fault in the network.
    `judged` and `predicted` say whether these two could be judged at all; they are False where not."""

    layers: list[ProbeLayer]
    findings: list[Finding]
    conforms: bool
    healthy: bool
    n_tests: int
    z_bound: float
    overflow_layer: int
    sd_ln_q: float
    gemm_seconds: float
    other_seconds: float
    startup_seconds: float
    device_bytes: int
    judged: bool
    predicted: bool

    def columns(self) -> dict[str, list[Any]]:
        """The layers as columns, beginning with their number: `pandas.DataFrame(report.columns())`."""
        names = [field.name for field in fields(ProbeLayer)]
        columns = {name: [getattr(layer, name) for layer in self.layers] for name in names}
        return {"layer": list(range(1, len(self.layers) + 1)), **columns}

    def to_dict(self) -> dict[str, Any]:
        """Everything as dicts and lists, for json.dumps()."""
        return asdict(self)


class _Config:
    """A CProbeConfig with all that it points to, which must live as long."""

    def __init__(
        self,
        widths: Sequence[int],
        weights: Optional[Sequence[Optional[Placed]]],
        input: Any,
        batch: Optional[int],
        progress: Optional[Callable[[str], None]],
        activation: str,
        init: AnyInit,
        dtype: Any,
        **values: Any,
    ) -> None:
        self.layers = len(widths) - 1
        values.update(norm=choice("norm", values["norm"], NORMS), seed=unsigned("seed", values["seed"]))
        values.update(activation=activation.encode(), init=init_of(init)._c, dtype=dtype_of(dtype))
        self.c = CProbeConfig(n_widths=len(widths), widths=(ctypes.c_uint64 * len(widths))(*widths), **values)
        self._raised: Optional[BaseException] = None
        if progress is not None:
            self.c.progress = PROGRESS(self._telling(progress))
        self._set_input(widths, input, batch)
        if weights is not None:
            self._set_weights(widths, weights)

    def _telling(self, progress: Callable[[str], None]) -> Callable[[Any, bytes], None]:
        def tell(_user: Any, what: bytes) -> None:
            try:
                if self._raised is None:
                    progress(what.decode())
            except BaseException as raised:  # C cannot pass it on
                self._raised = raised

        return tell

    def reraise(self) -> None:
        """Raises what the callback raised."""
        if self._raised is not None:
            raise self._raised

    def _set_input(self, widths: Sequence[int], input: Any, batch: Optional[int]) -> None:
        self.c.batch = 256 if batch is None else unsigned("batch", batch)
        if input is None:
            return
        import numpy as np

        self._input = np.ascontiguousarray(input, np.float32)
        if self._input.ndim != 2 or self._input.shape[1] != widths[0]:
            raise bad_argument(f"input has shape {self._input.shape}; accepted are samples x {widths[0]}")
        if batch is not None and batch != len(self._input):
            raise bad_argument(f"batch is {batch}, and input has {len(self._input)} samples")
        self.c.batch = len(self._input)
        self.c.input = self._input.ctypes.data

    def _set_weights(self, widths: Sequence[int], weights: Sequence[Optional[Placed]]) -> None:
        if len(weights) != self.layers:
            raise bad_argument(f"there are {len(weights)} weights for {self.layers} layers")
        self._weights = (CTensor * self.layers)()
        for l, weight in enumerate(weights):
            if weight is None:
                continue
            is_array = hasattr(weight, "base_data")
            dtype = None if is_array and weight.dtype.kind != "u" else DTYPES[self.c.dtype].name
            shape = None if is_array else (widths[l + 1], widths[l])
            self._weights[l] = tensor_of(weight, dtype, shape, 0, None, layout="OI")
        self.c.weights = ctypes.cast(self._weights, ctypes.POINTER(CTensor))


def _place(queue: Optional[cl.CommandQueue], device: AnyDevice) -> tuple[Device, Optional[int]]:
    return (device_of(device), None) if queue is None else (device_of_queue(queue), queue.int_ptr)


def probe(
    widths: Sequence[int],
    activation: str = "relu",
    init: AnyInit = "he_normal",
    *,
    slope: float = 0.01,
    dtype: Any = "f32",
    bias_std: float = 0.0,
    norm: str = "none",
    residual: bool = False,
    batch: Optional[int] = None,
    input: Any = None,
    seed: int = 0,
    weights: Optional[Sequence[Optional[Placed]]] = None,
    weight_factors: Optional[Sequence[float]] = None,
    progress: Optional[Callable[[str], None]] = None,
    queue: Optional[cl.CommandQueue] = None,
    device: AnyDevice = None,
) -> ProbeReport:
    """Runs a multilayer perceptron forward and backward on the device and puts each layer beside theory. Blocking.

    widths: input features, then each layer's. input: samples x widths[0]; None: N(0,1), `batch` samples (256).
    weights: a matrix fan_out x fan_in a layer, which is judged by what `init` makes one expect; None: from `init`.
    norm: "none", "layer" or "batch". progress: told what step begins.
    queue or device: where; neither: the default device. Needs a library that was built with CLBlast.
    """
    network: dict[str, Any] = dict(slope=slope, bias_std=bias_std, norm=norm, residual=residual, seed=seed)
    config = _Config(widths, weights, input, batch, progress, activation, init, dtype, **network)
    if weight_factors is not None:
        if len(weight_factors) != config.layers:
            raise bad_argument(f"there are {len(weight_factors)} weight_factors for {config.layers} layers")
        config.c.weight_factors = (ctypes.c_double * config.layers)(*weight_factors)
    where, queue_handle = _place(queue, device)
    report = result_of(ctypes.c_void_p, lib.fanin_probe, where._handle, queue_handle, ctypes.byref(config.c))
    try:
        config.reraise()
        return _report(report)
    finally:
        lib.fanin_probe_report_release(report)


def _report(report: ctypes.c_void_p) -> ProbeReport:
    c, finding = CProbeSummary(), _FINDING.struct()
    findings = []
    lib.fanin_probe_report_summary(report, ctypes.byref(c), ctypes.sizeof(c))
    layers = [PROBE_LAYER.ask(lib.fanin_probe_report_layer, report, i) for i in range(c.n_layers)]
    for i in range(c.n_findings):
        lib.fanin_probe_report_finding(report, i, ctypes.byref(finding), ctypes.sizeof(finding))
        findings.append(_finding(finding))
    whole = {field.name: getattr(c, field.name) for field in fields(ProbeReport)[4:]}
    whole.update(judged=bool(c.judged), predicted=bool(c.predicted))
    return ProbeReport(layers, findings, bool(c.conforms), bool(c.healthy), **whole)


def _finding(c: Any) -> Finding:
    verdict = result_of(ctypes.c_int, lib.fanin_diagnosis_verdict, c.diagnosis)
    name = lib.fanin_diagnosis_name(c.diagnosis).decode()
    return _FINDING.read(c, diagnosis=name, verdict=VERDICTS[verdict.value])


def calibrate(
    weights: Sequence[cla.Array],
    activation: str = "relu",
    *,
    slope: float = 0.01,
    bias_std: float = 0.0,
    norm: str = "none",
    residual: bool = False,
    batch: Optional[int] = None,
    input: Any = None,
    seed: int = 0,
    criterion: str = "variance",
    target: float = 1.0,
    tolerance: float = 0.01,
    max_iterations: int = 10,
    queue: Optional[cl.CommandQueue] = None,
) -> list[CalibratedLayer]:
    """Layer-sequential unit variance (Mishkin & Matas 2016): rescales the weights in place. Blocking.

    weights: a matrix fan_out x fan_in a layer, filled. input: samples x features, or N(0,1). Where it fails, every
    tensor is as it was.
    """
    if not weights:
        raise bad_argument("there are no weights")
    widths = [weights[0].shape[-1], *(weight.shape[0] for weight in weights)]
    network: dict[str, Any] = dict(slope=slope, bias_std=bias_std, norm=norm, residual=residual, seed=seed)
    config = _Config(widths, weights, input, batch, None, activation, "he_normal", weights[0].dtype, **network)
    options = CCalibrateOptions(criterion=choice("criterion", criterion, CRITERIA), target=not_zero("target", target))
    options.tolerance = not_zero("tolerance", tolerance)
    options.max_iterations = int(not_zero("max_iterations", max_iterations))
    chosen = queue_of(weights[0], queue)
    layers, stride = (CALIBRATED_LAYER.struct * len(weights))(), ctypes.sizeof(CALIBRATED_LAYER.struct)
    for event in (event for weight in weights for event in getattr(weight, "events", ())):
        event.wait()
    device = device_of_queue(chosen)
    lib.fanin_calibrate(device._handle, chosen.int_ptr, ctypes.byref(config.c), ctypes.byref(options), layers, stride)
    return [CALIBRATED_LAYER.read(layer) for layer in layers]


def measure(
    target: Placed,
    *,
    dtype: Any = None,
    shape: Optional[Sequence[int]] = None,
    offset: int = 0,
    queue: Optional[cl.CommandQueue] = None,
    wait_for: WaitFor = None,
) -> Stats:
    """Mean, std, extremes and what is not finite of a dense array or buffer, measured on the device. Blocking."""
    chosen = queue_of(target, queue)
    tensor = tensor_of(target, dtype, shape, offset, None)
    waits = wait_list(wait_for, getattr(target, "events", None))
    device = device_of_queue(chosen)
    return STATS.ask(lib.fanin_measure, device._handle, chosen.int_ptr, ctypes.byref(tensor), *waits)
