"""Probing and calibrating networks on a device, and measuring tensors; reports as data."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, fields
from html import escape
from typing import TYPE_CHECKING, Annotated, Any, Callable, Optional, Sequence, SupportsFloat, SupportsIndex, Union

from . import _check
from ._device import AnyDevice, Device, device_of, device_of_queue
from ._dtypes import DTYPES
from ._errors import bad_argument
from ._fill import queue_of, tensor_of, wait_list
from ._init import AnyInit, Init, init_of
from ._library import lib, result_of
from ._mirror import Mirror, Size, Text
from ._numpy import HostArray, OnDevice, is_host_array, memory_of
from ._report import architecture, columns_of, plain, plot, table
from ._structs import (
    BLOCKS,
    CALIBRATED_LAYER,
    CRITERIA,
    NORMS,
    PROBE_LAYER,
    PROGRESS,
    STATS,
    VERDICTS,
    CalibratedLayer,
    CCalibrateOptions,
    CInit,
    CProbeConfig,
    CProbeSummary,
    CTensor,
    ProbeLayer,
    Stats,
)
from ._tensor import Shape, dtype_of, dtype_of_array, make_tensor

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
class ProbeConfig:
    """What was probed: `probe()`'s arguments with their defaults filled in.

    input is "N(0,1)" or "given", weights "init" or "given", biases "drawn" or "given". dtype has the library's name for
    it. inits: each layer's initializer, where they are not all the same; `init` is then the first one's.
    """

    widths: list[int]
    activation: str
    init: Init
    slope: float
    dtype: str
    bias_std: float
    norm: str
    residual: bool
    batch: int
    input: str
    seed: int
    weights: str
    weight_factors: Optional[list[float]]
    inits: Optional[list[Init]]
    biases: str
    block: str

    def __str__(self) -> str:
        extras = [self.norm + " norm"] * (self.norm != "none") + ["residual"] * self.residual
        extras += [self.block + " blocks"] * (self.block != "none")
        extras += [f"bias_std {self.bias_std:g}"] * (self.bias_std != 0) + ["given weights"] * (self.weights == "given")
        extras += ["given biases"] * (self.biases == "given")
        init = "several initializers" if self.inits else str(self.init)
        parts = [architecture(self.widths), self.activation, init, *extras, self.dtype, f"seed {self.seed}"]
        return ", ".join(parts)


def _verdict(given: bool, condition: Optional[str]) -> str:
    """ "True", or "True (in mean, std, q and G)"."""
    return f"{given} ({condition})" if condition else str(given)


@dataclass(frozen=True, repr=False)
class ProbeReport:
    """What a probe found. `conforms`: the device does what theory says; `healthy`: by theory, it has
    none of the known faults.

    `judged` and `predicted` say whether these two could be judged at all; they are False where not. Of given weights
    both are said with their condition, `conforms_condition` and `healthy_condition`; None: there is none, or the verdict
    is False. `config` says what was probed. A notebook shows a table and a plot.
    """

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
    conforms_condition: Optional[str]
    healthy_condition: Optional[str]
    config: ProbeConfig

    def __repr__(self) -> str:
        found = ", ".join(dict.fromkeys(finding.diagnosis for finding in self.findings)) or "none"
        conforms = _verdict(self.conforms, self.conforms_condition) if self.judged else "not judged"
        healthy = _verdict(self.healthy, self.healthy_condition) if self.predicted else "not predicted"
        verdicts = f"conforms={conforms}, healthy={healthy}"
        return f"<ProbeReport of {self.config}: {verdicts}, findings: {found}>"

    def _repr_html_(self) -> str:
        """A table and a plot, for notebooks."""
        columns = self.columns()
        shown = {name: columns[name] for name in _SHOWN}
        series = {_LABELS[name]: columns[name] for name in _LABELS}
        dots = [label for name, label in _LABELS.items() if name.endswith("measured")]
        found = "".join(
            f"<li><b>{escape(f.diagnosis)}</b>, layers {f.first} to {f.last}: {escape(f.what)}; {escape(f.remedy)}</li>"
            for f in self.findings
        )
        return (
            f"<p>{escape(repr(self)[1:-1])}</p>{plot('Second moments of preactivations and gradients', series, dots)}"
            f"<ul>{found}</ul>{table(shown)}"
        )

    def columns(self) -> dict[str, list[Any]]:
        """The layers as columns, beginning with their number: `pandas.DataFrame(report.columns())`."""
        return columns_of(ProbeLayer, self.layers)

    def to_dict(self) -> dict[str, Any]:
        """Everything as dicts and lists, for json.dumps(); None for numbers that are not finite."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}


# What a notebook shows of a layer; columns() has the rest.
_SHOWN = ["layer", "fan_in", "fan_out", "weight_std", "weight_std_expected", "weight_z"]
_SHOWN += ["q_measured", "q_predicted", "q_z", "g_measured", "g_predicted", "g_z", "conforms"]
_LABELS = {
    "q_measured": "q, measured",
    "q_meanfield": "q, infinite width",
    "g_measured": "g, measured",
    "g_meanfield": "g, infinite width",
}

Weight = Union["Placed", HostArray]


class _Config:
    """A CProbeConfig with all that it points to, which must live as long."""

    def __init__(
        self,
        where: Device,
        widths: Any,
        weights: Any,
        input: Any,
        batch: Any,
        activation: Any,
        init: AnyInit,
        dtype: int,
        inits: Any = None,
        biases: Any = None,
        *,
        norm: Any,
        block: Any,
        seed: Any,
        residual: Any,
        **numbers: Any,
    ) -> None:
        self._where = where
        self.widths = _check.integers("widths", widths)
        self.layers = max(len(self.widths) - 1, 0)
        values = {name: _check.number(name, value) for name, value in numbers.items()}
        self.c = CProbeConfig(
            n_widths=len(self.widths),
            widths=(ctypes.c_uint64 * len(self.widths))(*self.widths),
            activation=_check.text("activation", activation),
            dtype=dtype,
            norm=_check.choice("norm", norm, NORMS),
            block=_check.choice("block", block, BLOCKS),
            seed=_check.integer("seed", seed),
            residual=_check.flag("residual", residual),
            **values,
        )
        self.rows = [self._rows_of(l) for l in range(self.layers)]
        self.inits = self._inits_of(init, inits, dtype)
        self._c_inits = (CInit * self.layers)(*(one._c for one in self.inits))
        self.c.inits = ctypes.addressof(self._c_inits)
        self._raised: Optional[BaseException] = None
        self._uploaded: list[OnDevice] = []
        self._set_input(input, batch)
        if weights is not None:
            self._set_weights(_check.elements("weights", weights, "arrays"))
        if biases is not None:
            self._set_biases(_check.elements("biases", biases, "arrays"))

    def _rows_of(self, l: int) -> int:
        """Of the weights of layer l, from 0."""
        return int(result_of(ctypes.c_uint64, lib.fanin_probe_rows, ctypes.byref(self.c), l + 1).value)

    def as_config(self) -> ProbeConfig:
        """What was asked for, to keep with the report."""
        c = self.c
        same = all(one == self.inits[0] for one in self.inits)
        factors = [float(c.weight_factors[l]) for l in range(self.layers)] if c.weight_factors else None
        return ProbeConfig(
            widths=self.widths,
            activation=c.activation.decode(),
            init=self.inits[0],
            slope=c.slope,
            dtype=DTYPES[c.dtype].name,
            bias_std=c.bias_std,
            norm=NORMS[c.norm],
            residual=bool(c.residual),
            batch=c.batch,
            input="given" if c.input else "N(0,1)",
            seed=c.seed,
            weights="given" if c.weights else "init",
            weight_factors=factors,
            inits=None if same else self.inits,
            biases="given" if c.biases else "drawn",
            block=BLOCKS[c.block],
        )

    def release(self) -> None:
        """Frees the device's memory that held weights of the host's."""
        for one in self._uploaded:
            one.free()

    def tell(self, progress: Optional[Callable[[str], None]]) -> None:
        """Has the probe tell a function what step begins."""
        if _check.function("progress", progress) is not None:
            self.c.progress = PROGRESS(self._telling(progress))  # type: ignore[arg-type]

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

    def _set_input(self, input: Any, batch: Any) -> None:
        samples = 256 if batch is None else _check.integer("batch", batch)
        self.c.batch = samples
        if input is None:
            return
        import numpy as np

        given = memory_of("input", input, None)[0] if is_host_array(input) else input
        try:
            self._input = np.ascontiguousarray(given, np.float32)
        except (TypeError, ValueError):
            _check.wrong_type("input", input, "a matrix of numbers, samples x features,")
        if self._input.ndim != 2 or self._input.shape[1:] != tuple(self.widths[:1]):
            features = self.widths[0] if self.widths else "widths[0]"
            raise bad_argument(f"input has shape {self._input.shape}; accepted are samples x {features}")
        if batch is not None and samples != len(self._input):
            raise bad_argument(f"batch is {batch}, and input has {len(self._input)} samples")
        self.c.batch = len(self._input)
        self.c.input = self._input.ctypes.data

    def _inits_of(self, init: AnyInit, inits: Any, dtype: int) -> list[Init]:
        """Each layer's initializer; schemes before it see the layer's fans."""
        each = [init] * self.layers if inits is None else _check.elements("inits", inits, "initializers")
        if len(each) != self.layers:
            raise bad_argument(f"there are {len(each)} inits for {self.layers} layers")
        shapes = zip(self.rows, self.widths)
        return [init_of(one, make_tensor(dtype, shape, layout="OI")) for one, shape in zip(each, shapes)]

    def _set_biases(self, biases: list[Any]) -> None:
        import numpy as np

        if len(biases) != self.layers:
            raise bad_argument(f"there are {len(biases)} biases for {self.layers} layers")
        self._biases: list[Any] = []
        for l, bias in enumerate(biases):
            if bias is None:
                self._biases.append(None)
                continue
            given = memory_of(f"biases[{l}]", bias, None)[0] if is_host_array(bias) else bias
            try:
                values = np.ascontiguousarray(given, np.float32)
            except (TypeError, ValueError):
                _check.wrong_type(f"biases[{l}]", bias, "numbers, one for each feature of the layer,")
            if values.shape != (self.rows[l],):
                raise bad_argument(f"biases[{l}] has shape {values.shape}; accepted is ({self.rows[l]},)")
            self._biases.append(values)
        pointers = [None if bias is None else bias.ctypes.data for bias in self._biases]
        self._bias_pointers = (ctypes.c_void_p * self.layers)(*pointers)
        self.c.biases = ctypes.cast(self._bias_pointers, ctypes.c_void_p)

    def _set_weights(self, weights: list[Any]) -> None:
        if len(weights) != self.layers:
            raise bad_argument(f"there are {len(weights)} weights for {self.layers} layers")
        self._weights = (CTensor * self.layers)()
        for l, weight in enumerate(weights):
            if weight is not None:
                self._weights[l] = self._upload(l, weight) if is_host_array(weight) else self._placed(l, weight)
        self.c.weights = ctypes.cast(self._weights, ctypes.POINTER(CTensor))

    def _placed(self, l: int, weight: Any) -> CTensor:
        """The tensor of an OpenCL array or buffer, whose values are there when this returns."""
        is_array = hasattr(weight, "base_data")
        dtype = None if is_array and weight.dtype.kind != "u" else DTYPES[self.c.dtype].name
        shape = None if is_array else (self.rows[l], self.widths[l])
        for event in getattr(weight, "events", ()):
            event.wait()
        return tensor_of(weight, dtype, shape, 0, None, layout="OI")

    def _upload(self, l: int, weight: Any) -> CTensor:
        """A tensor in memory of the device with the values of an array in the host's."""
        stated = DTYPES[self.c.dtype].name if getattr(getattr(weight, "dtype", None), "kind", "") == "u" else None
        memory, dtype = memory_of(f"weights[{l}]", weight, stated)
        tensor = make_tensor(dtype, memory.shape, layout="OI")
        there = OnDevice(self._where, dtype, memory.size)
        self._uploaded.append(there)
        there.write(memory)
        tensor.buffer = there.tensor.buffer
        return tensor


def _place(queue: Optional[cl.CommandQueue], device: AnyDevice, weights: Any = None) -> tuple[Device, Optional[int]]:
    """Where to work: on the queue or the device that was said, else where the first of the weights is."""
    if queue is None and device is None and isinstance(weights, (list, tuple)):
        queue = next((w.queue for w in weights if hasattr(w, "base_data") and w.queue is not None), None)
    if queue is None:
        return device_of(device), None
    return device_of_queue(_check.queue("queue", queue)), queue.int_ptr


def probe(
    widths: Sequence[SupportsIndex],
    activation: str = "relu",
    init: AnyInit = "he_normal",
    *,
    slope: SupportsFloat = 0.01,
    dtype: Any = "f32",
    bias_std: SupportsFloat = 0.0,
    norm: str = "none",
    residual: bool = False,
    block: str = "none",
    batch: Optional[SupportsIndex] = None,
    input: Any = None,
    seed: SupportsIndex = 0,
    weights: Optional[Sequence[Optional[Weight]]] = None,
    weight_factors: Optional[Sequence[SupportsFloat]] = None,
    inits: Optional[Sequence[AnyInit]] = None,
    biases: Optional[Sequence[Optional[HostArray]]] = None,
    progress: Optional[Callable[[str], None]] = None,
    queue: Optional[cl.CommandQueue] = None,
    device: AnyDevice = None,
) -> ProbeReport:
    """Runs a multilayer perceptron forward and backward on the device and puts each layer beside theory. Blocking.

    widths: input features, then each layer's. input: samples x widths[0]; None: N(0,1), `batch` samples (256).
    weights: a matrix fan_out x fan_in a layer, which is judged by what `init` makes one expect; None: from `init`. OpenCL
        arrays or buffers, NumPy arrays, torch tensors.
    inits: an initializer a layer; None: `init` is every layer's. Schemes before one see the layer's fans.
    biases: a vector a layer, used as it is; None, also for single layers: N(0, bias_std^2).
    activation: a gated unit's, as "swiglu", has twice as many rows of weights, the gate's first.
    norm: "none", "layer" or "batch". block: "pre_norm" or "post_norm" joins layers two by two to residual blocks with RMS
        norm: widths D, N, D, N, D, ..., last. progress: told what step begins.
    queue or device: where; neither: the default device.
    """
    network: dict[str, Any] = dict(slope=slope, bias_std=bias_std, norm=norm, residual=residual, block=block, seed=seed)
    where, queue_handle = _place(queue, device, weights)
    config = _Config(where, widths, weights, input, batch, activation, init, dtype_of(dtype), inits, biases, **network)
    config.tell(progress)
    if weight_factors is not None:
        factors = _check.numbers("weight_factors", weight_factors)
        if len(factors) != config.layers:
            raise bad_argument(f"there are {len(factors)} weight_factors for {config.layers} layers")
        config.c.weight_factors = (ctypes.c_double * config.layers)(*factors)
    try:
        report = result_of(ctypes.c_void_p, lib.fanin_probe, where._handle, queue_handle, ctypes.byref(config.c))
    finally:
        config.release()
    try:
        config.reraise()
        return _report(report, config.as_config())
    finally:
        lib.fanin_probe_report_release(report)


def _report(report: ctypes.c_void_p, config: ProbeConfig) -> ProbeReport:
    c, finding = CProbeSummary(), _FINDING.struct()
    findings = []
    lib.fanin_probe_report_summary(report, ctypes.byref(c), ctypes.sizeof(c))
    layers = [PROBE_LAYER.ask(lib.fanin_probe_report_layer, report, i) for i in range(c.n_layers)]
    for i in range(c.n_findings):
        lib.fanin_probe_report_finding(report, i, ctypes.byref(finding), ctypes.sizeof(finding))
        findings.append(_finding(finding))
    whole = {field.name: getattr(c, field.name) for field in fields(ProbeReport)[4:-1]}
    whole.update(judged=bool(c.judged), predicted=bool(c.predicted))
    for name in ("conforms_condition", "healthy_condition"):
        text = getattr(c, name)
        whole[name] = text.decode() if text is not None else None
    return ProbeReport(layers, findings, bool(c.conforms), bool(c.healthy), **whole, config=config)


def _finding(c: Any) -> Finding:
    verdict = result_of(ctypes.c_int, lib.fanin_diagnosis_verdict, c.diagnosis)
    name = lib.fanin_diagnosis_name(c.diagnosis).decode()
    return _FINDING.read(c, diagnosis=name, verdict=VERDICTS[verdict.value])


def calibrate(
    weights: Sequence[cla.Array],
    activation: str = "relu",
    *,
    slope: SupportsFloat = 0.01,
    bias_std: SupportsFloat = 0.0,
    norm: str = "none",
    residual: bool = False,
    block: str = "none",
    batch: Optional[SupportsIndex] = None,
    input: Any = None,
    seed: SupportsIndex = 0,
    criterion: str = "variance",
    target: SupportsFloat = 1.0,
    tolerance: SupportsFloat = 0.01,
    max_iterations: SupportsIndex = 10,
    queue: Optional[cl.CommandQueue] = None,
) -> list[CalibratedLayer]:
    """Layer-sequential unit variance (Mishkin & Matas 2016): rescales the weights in place. Blocking.

    weights: a matrix fan_out x fan_in a layer, filled. input: samples x features, or N(0,1). Where it fails, every
    tensor is as it was.
    """
    tensors: list[Any] = _check.elements("weights", weights, "pyopencl.array.Array")
    if not tensors:
        raise bad_argument("weights is empty; an array for each layer is accepted")
    for l, weight in enumerate(tensors):
        if not hasattr(weight, "base_data") or len(weight.shape) != 2:
            _check.wrong_type(f"weights[{l}]", weight, "a pyopencl.array.Array of 2 dimensions")
    widths = [*(weight.shape[1] for weight in tensors), tensors[-1].shape[0]]
    options = CCalibrateOptions(criterion=_check.choice("criterion", criterion, CRITERIA))
    options.target, options.tolerance = _check.not_zero("target", target), _check.not_zero("tolerance", tolerance)
    options.max_iterations = _check.integer("max_iterations", max_iterations, 1, 1 << 31)
    chosen = queue_of(tensors[0], queue)
    device, dtype = device_of_queue(chosen), dtype_of_array(tensors[0].dtype, None)
    network: dict[str, Any] = dict(slope=slope, bias_std=bias_std, norm=norm, residual=residual, block=block, seed=seed)
    config = _Config(device, widths, tensors, input, batch, activation, "he_normal", dtype, **network)
    layers, stride = (CALIBRATED_LAYER.struct * len(tensors))(), ctypes.sizeof(CALIBRATED_LAYER.struct)
    lib.fanin_calibrate(device._handle, chosen.int_ptr, ctypes.byref(config.c), ctypes.byref(options), layers, stride)
    return [CALIBRATED_LAYER.read(layer) for layer in layers]


def measure(
    target: Placed,
    *,
    dtype: Any = None,
    shape: Optional[Shape] = None,
    offset: SupportsIndex = 0,
    queue: Optional[cl.CommandQueue] = None,
    wait_for: WaitFor = None,
) -> Stats:
    """Mean, std, extremes and what is not finite of a dense array or buffer, measured on the device. Blocking."""
    chosen = queue_of(target, queue)
    tensor = tensor_of(target, dtype, shape, offset, None)
    waits = wait_list(wait_for, getattr(target, "events", None))
    device = device_of_queue(chosen)
    return STATS.ask(lib.fanin_measure, device._handle, chosen.int_ptr, ctypes.byref(tensor), *waits)
