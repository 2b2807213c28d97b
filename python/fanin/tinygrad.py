"""tinygrad's tensors on its OpenCL device (DEV=CL), filled in place on its own queue. Works with tinygrad 0.13 and 0.14.

from fanin.tinygrad import fill, init_
fill(layer.weight, "he_normal", seed=42, name="layer.weight", layout="OI")
init_(model, "pytorch", seed=42)  # every tensor of get_state_dict(model), by rules, on any device of tinygrad's
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Hashable, Mapping, Optional, Sequence, SupportsFloat

from ._tinygrad_version import check_version

check_version()

from tinygrad import Device as Devices  # noqa: E402
from tinygrad import Tensor, dtypes  # noqa: E402
from tinygrad.engine.realize import capturing  # noqa: E402
from tinygrad.nn.state import get_state_dict  # noqa: E402

from ._by_rules import STORED_DTYPES, AnyRules, ByRules, InitReport, Place, Stored, check_name, check_overlaps
from ._command import Selector
from ._device import device_of_handles
from ._dtypes import DTYPES
from ._errors import bad_argument
from ._init import AnyInit, init_of
from ._key import pick_key
from ._library import lib
from ._tensor import dtype_of, make_tensor

if TYPE_CHECKING:
    from tinygrad.device import Buffer

_DTYPES = {getattr(dtypes, d.python): d.name for d in DTYPES if hasattr(dtypes, d.python)}
_STORED = {getattr(dtypes, name): dtype for name, dtype in STORED_DTYPES.items() if hasattr(dtypes, name)}


def fill(
    tensor: Tensor,
    init: AnyInit,
    *,
    seed: Optional[int] = None,
    name: Optional[str] = None,
    stream: Optional[int] = None,
    layout: Optional[str] = None,
    groups: int = 1,
    splits: int = 1,
    whole: Optional[Sequence[int]] = None,
    start: Optional[Sequence[int]] = None,
    first: Optional[int] = None,
) -> Tensor:
    """Initializes a tensor and returns it; the arguments are those of `fanin.fill()`.

    A tensor that has memory, as a layer's or an optimiser's parameter after its first step, is filled in place. One that
    is still to be computed is not: it gets memory of its own, and what would have been computed is dropped. A view of
    another tensor that is not just a reshaped one is refused, since in tinygrad it is a value. Work goes to tinygrad's
    queue, which is in-order: what it computes next comes after. Not inside TinyJit, which would replay everything else.
    """
    part: dict[str, Any] = dict(whole=whole, start=start, first=first)
    described = _describe(tensor, layout=layout, groups=groups, splits=splits, **part)
    parsed = init_of(init, described)
    key = pick_key(parsed, seed, name, stream)
    _refuse_capturing()
    buffer = _memory(tensor)
    if buffer is None:
        return tensor
    device = Devices[tensor.device]
    described.buffer, described.offset = _address(buffer.base._buf), buffer.offset
    own = device_of_handles(_address(device.context), _cl_device(device))
    c_tensor, c_init = ctypes.byref(described), ctypes.byref(parsed._c)
    lib.fanin_fill(own._handle, _address(device.queue), c_tensor, c_init, key, 0, None, None)
    return tensor


def init_(
    model: Any,
    rules: AnyRules = "pytorch",
    *,
    seed: int,
    device: Selector = None,
    **values: SupportsFloat,
) -> InitReport:
    """Initializes the tensors of a model by rules, with the bits that `fanin init --like` writes for a checkpoint with the
    tensors of `get_state_dict(model)`, and returns what each of them got. The arguments are those of `fanin.torch.init_()`.

    Values are made on an OpenCL device and copied to where each tensor is, in place as by `fill()`, on any device of
    tinygrad's. Every value is made before the first tensor is written.
    """
    tensors = _tensors_of(model)
    _refuse_capturing()
    with _described(model, tensors, rules, values) as described:
        report = described.report
        for name in report.made:
            _check_target(name, tensors[name], report)
        _check_skipped(tensors, report)
        for name, data in described.values(seed, device).items():
            _write(tensors[name], data)
        return described.report


def state_dict(
    model: Any,
    rules: AnyRules = "pytorch",
    *,
    seed: int,
    device: Selector = None,
    **values: SupportsFloat,
) -> dict[str, Tensor]:
    """New tensors for `load_state_dict(model, ...)`, with the values that `init_()` would give, each on the device of the
    model's own. What a rule skips is left out."""
    tensors = _tensors_of(model)
    with _described(model, tensors, rules, values) as described:
        made: dict[str, Tensor] = {}
        for name, data in described.values(seed, device).items():
            old, dtype = tensors[name], described.report.dtype(name)
            new = next(known for known, stored in _STORED.items() if stored == dtype)
            made[name] = Tensor.empty(*old.shape, dtype=new, device=old.device)
            _write(made[name], data)
        report = described.report
    names = {name: report[name].get("tied", name) for name in tensors}
    return {name: made[of] for name, of in names.items() if of in made}


def _tensors_of(model: Any) -> dict[str, Tensor]:
    """The tensors of a model by their names, each of which can be described."""
    tensors = {check_name("get_state_dict()", name): one for name, one in get_state_dict(model).items()}
    for name, one in tensors.items():
        if (
            one.dtype not in _STORED
            or not isinstance(one.device, str)
            or not all(isinstance(n, int) for n in one.shape)
        ):
            raise bad_argument(
                f"'{name}' is a tensor of {one.dtype} and shape {one.shape} on {one.device}; accepted are tensors on one "
                f"device whose shapes are whole numbers, of {', '.join(str(dtype) for dtype in _STORED)}"
            )
    return tensors


def _described(
    model: Any, tensors: Mapping[str, Tensor], rules: AnyRules, values: Mapping[str, SupportsFloat]
) -> ByRules:
    stored = {name: Stored(_STORED[one.dtype], tuple(one.shape), _identity(one)) for name, one in tensors.items()}
    check_overlaps(stored, {name: _place(one) for name, one in tensors.items()})
    return ByRules(type(model).__name__, stored, rules, values)


def _check_target(name: str, tensor: Tensor, report: InitReport) -> None:
    if _STORED[tensor.dtype] != report.dtype(name):
        raise bad_argument(
            f"'{name}' is a tensor of {tensor.dtype}, and rules[{report[name]['rule']}] makes it {report.dtype(name)}; "
            "convert it, or take rules without this dtype"
        )
    if _is_view(tensor):
        raise bad_argument(
            f"'{name}' is a view of another tensor's memory; a copy (.contiguous().realize()) is accepted"
        )


def _check_skipped(tensors: Mapping[str, Tensor], report: InitReport) -> None:
    """Refuses to skip what would not stay as it is: a view of a tensor that is filled, or what is yet to be computed of it."""
    filled = {place.where: name for name in report.made for place in [_place(tensors[name])] if place}
    for name, one in tensors.items():
        of = [filled[where] for where in _reads(one) if where in filled] if "skip" in report[name] else []
        if of:
            raise bad_argument(
                f"'{name}' is a view of '{of[0]}' or is still to be computed from it, and cannot stay as it is; a copy "
                "(.clone().realize()) is accepted"
            )


def _reads(tensor: Tensor) -> list[str]:
    """The memory that a tensor is computed from, as places name it."""
    buffers = [one.buffer for one in tensor.uop.toposort() if one is one.base and one.has_buffer_identity()]
    return [
        str(id(part.base)) for one in buffers for part in getattr(one, "bufs", [one])
    ]  # several of a sharded tensor


def _write(tensor: Tensor, data: Any) -> None:
    """Copies bytes into a tensor's memory."""
    buffer = _memory(tensor)
    if buffer is None:
        return
    if hasattr(buffer, "copyin"):  # 0.13
        buffer.copyin(memoryview(data))
    else:
        buffer.copy_from(type(buffer)("PYTHON", buffer.size, buffer.dtype, opaque=memoryview(data)))


def _refuse_capturing() -> None:
    if capturing:
        raise bad_argument("TinyJit is capturing, and would not fill again when it replays")


def _identity(tensor: Tensor) -> Hashable:
    """What tensors have in common that are one tensor."""
    place = _place(tensor)
    return id(tensor) if place is None else (*place, tensor.dtype, tuple(tensor.shape))


def _place(tensor: Tensor) -> Optional[Place]:
    """Where a tensor's elements lie; None where it gets memory of its own when it is filled."""
    if 0 in tensor.shape or not tensor.uop.has_buffer_identity():
        return None
    buffer = tensor.uop.buffer
    return Place(str(id(buffer.base)), buffer.offset, buffer.offset + buffer.nbytes)


def _is_view(tensor: Tensor) -> bool:
    return bool(not tensor.uop.has_buffer_identity() and tensor.uop.is_realized)


def _describe(tensor: Tensor, **rest: Any) -> Any:
    if not isinstance(tensor.device, str) or tensor.device.split(":")[0] != "CL":
        raise bad_argument(f"the tensor is on {tensor.device}; accepted is one device of kind CL")
    if tensor.dtype not in _DTYPES:
        raise bad_argument(f"elements are {tensor.dtype}; accepted are {', '.join(d.name for d in _DTYPES)}")
    if not all(isinstance(extent, int) for extent in tensor.shape):
        raise bad_argument(f"shape is {tensor.shape}; accepted are whole numbers, not symbols")
    return make_tensor(dtype_of(_DTYPES[tensor.dtype]), tensor.shape, **rest)


def _memory(tensor: Tensor) -> Optional[Buffer]:
    """The tensor's buffer, which it has from now on; None of a tensor of no elements."""
    if 0 in tensor.shape:
        return None
    if _is_view(tensor):
        raise bad_argument(
            "the tensor is a view of another one's memory: fill that, or a copy (.contiguous().realize())"
        )
    if not tensor.uop.has_buffer_identity():
        # Computing it first would be wasted, and tensors of one expression, as two of zeros, may share the result.
        tensor.replace(Tensor.empty(*tensor.shape, dtype=tensor.dtype, device=tensor.device))
    return tensor.uop.buffer.ensure_allocated()


def _cl_device(device: Any) -> int:
    """The cl_device_id of a device of tinygrad's, which 0.13 has under another name than 0.14."""
    return _address(device.cl_dev if hasattr(device, "cl_dev") else device.device_id)


def _address(handle: Any) -> int:
    """A handle of tinygrad's, a pointer of ctypes, as a number."""
    return ctypes.cast(handle, ctypes.c_void_p).value or 0
