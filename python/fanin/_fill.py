"""Filling arrays and buffers in place."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Optional, Sequence, SupportsIndex, Union, overload

from . import _check
from ._device import AnyDevice, device_of_queue
from ._errors import bad_argument
from ._init import AnyInit, init_of
from ._key import pick_key
from ._library import lib, result_of
from ._numpy import HostArray, fill_numpy, is_host_array
from ._structs import CTensor
from ._tensor import Shape, dtype_of, dtype_of_array, make_tensor

if TYPE_CHECKING:
    import pyopencl as cl
    import pyopencl.array as cla

    WaitFor = Optional[Sequence[cl.Event]]
    Placed = Union[cla.Array, cl.Buffer]


def tensor_of(
    target: Placed, dtype: Any, shape: Optional[Shape], offset: SupportsIndex, strides: Any, **rest: Any
) -> CTensor:
    """The fanin_tensor of a PyOpenCL Array, or of a Buffer with dtype and shape."""
    if hasattr(target, "base_data"):  # pyopencl.array.Array
        if shape is not None or _check.integer("offset", offset) or strides is not None:
            raise bad_argument("an Array has its own shape, offset and strides: those are for Buffers")
        return make_tensor(
            dtype_of_array(target.dtype, dtype),
            target.shape,
            buffer=_handle(target.base_data) if target.size else None,
            offset=target.offset,
            strides=target.strides,
            **rest,
        )
    handle = _handle(target)
    if dtype is None or shape is None:
        raise bad_argument("a Buffer has neither dtype nor shape: say both")
    return make_tensor(dtype_of(dtype), shape, buffer=handle, offset=offset, strides=strides, **rest)


# What takes it instead: an array in the host's memory, or a tensor of tinygrad's.
_OTHERS = {
    (True, False): "; fanin.fill() and fanin.fill_numpy() take arrays in the host's memory",
    (False, True): "; fanin.tinygrad.fill() takes tinygrad's tensors",
    (False, False): "",
}


def _handle(buffer: Any) -> int:
    handle = getattr(buffer, "int_ptr", None)
    if not isinstance(handle, int) or not hasattr(buffer, "get_host_array"):
        raise TypeError(
            f"{_check.shown(buffer)} of type {type(buffer).__name__} is no OpenCL array or buffer (SVM is not supported)"
            + _OTHERS[is_host_array(buffer), hasattr(buffer, "uop")]
        )
    return handle


def queue_of(target: Any, queue: Optional[cl.CommandQueue]) -> cl.CommandQueue:
    """The queue that was said, or the array's."""
    if queue is not None:
        return _check.queue("queue", queue)
    own = getattr(target, "queue", None)
    if own is None:
        _handle(getattr(target, "base_data", target))  # what is no OpenCL array at all
        raise bad_argument("there is no queue: say queue=, or give the array one (with_queue)")
    return own


def wait_list(wait_for: Any, *own: Optional[Sequence[cl.Event]]) -> tuple[int, Any]:
    """Events, the caller's and those of arrays, as a count and an array for C."""
    events = _check.events("wait_for", wait_for)
    events += [event.int_ptr for some in own if some is not None for event in some]
    return len(events), (ctypes.c_void_p * len(events))(*events) if events else None


def event_of(function: Any, *arguments: Any) -> cl.Event:
    """The event that a function of the library writes last, which Python then owns."""
    import pyopencl as cl

    return cl.Event.from_int_ptr(result_of(ctypes.c_void_p, function, *arguments).value, False)


@overload
def fill(
    target: HostArray,
    init: AnyInit,
    *,
    seed: Optional[SupportsIndex] = ...,
    name: Optional[str] = ...,
    stream: Optional[SupportsIndex] = ...,
    layout: Optional[str] = ...,
    groups: SupportsIndex = ...,
    splits: SupportsIndex = ...,
    dtype: Any = ...,
    whole: Optional[Sequence[SupportsIndex]] = ...,
    start: Optional[Sequence[SupportsIndex]] = ...,
    first: Optional[SupportsIndex] = ...,
    device: AnyDevice = ...,
) -> None:
    ...


@overload
def fill(
    target: Placed,
    init: AnyInit,
    *,
    seed: Optional[SupportsIndex] = ...,
    name: Optional[str] = ...,
    stream: Optional[SupportsIndex] = ...,
    layout: Optional[str] = ...,
    groups: SupportsIndex = ...,
    splits: SupportsIndex = ...,
    dtype: Any = ...,
    shape: Optional[Shape] = ...,
    offset: SupportsIndex = ...,
    strides: Optional[Sequence[SupportsIndex]] = ...,
    whole: Optional[Sequence[SupportsIndex]] = ...,
    start: Optional[Sequence[SupportsIndex]] = ...,
    first: Optional[SupportsIndex] = ...,
    queue: Optional[cl.CommandQueue] = ...,
    wait_for: WaitFor = ...,
) -> cl.Event:
    ...


def fill(
    target: Union[Placed, HostArray],
    init: AnyInit,
    *,
    seed: Optional[SupportsIndex] = None,
    name: Optional[str] = None,
    stream: Optional[SupportsIndex] = None,
    layout: Optional[str] = None,
    groups: SupportsIndex = 1,
    splits: SupportsIndex = 1,
    dtype: Any = None,
    shape: Optional[Shape] = None,
    offset: SupportsIndex = 0,
    strides: Optional[Sequence[SupportsIndex]] = None,
    whole: Optional[Sequence[SupportsIndex]] = None,
    start: Optional[Sequence[SupportsIndex]] = None,
    first: Optional[SupportsIndex] = None,
    queue: Optional[cl.CommandQueue] = None,
    wait_for: WaitFor = None,
    device: AnyDevice = None,
) -> Optional[cl.Event]:
    """Initializes an array or buffer in place, asynchronously; returns the event.

    The values depend on seed, name or stream, initializer and the element's place in the whole tensor, and on nothing
    else. Nothing beside the array's own elements is written: views, offsets and strides are followed.

    target: a pyopencl.array.Array, or a Buffer (then `dtype` and `shape`, and perhaps `offset` and `strides` in bytes); or
        a NumPy array or a torch CPU tensor, for which this is `fill_numpy()`: it blocks, and returns None.
    init: "he_normal", "he_normal:mode=fan_out", ..., or an Init.
    seed, name, stream: the model's seed; the tensor's name, or a 64-bit number of its own. Constants need none.
    layout, groups, splits: as of `fans()`; needed by initializers that have fans.
    dtype: of a Buffer; of an Array of unsigned integers, whose bits it is to hold: "bf16" in uint16.
    whole, start: the target is the slab at `start` of a tensor of the shape `whole`.
    whole, first: the target is a range of its elements in row-major order, from number `first` on.
    queue: where an Array has none or another is to be used. In a context of fanin's choosing: `Device.queue`.
    wait_for: events to wait for; an Array's own are waited for as well, and it has the new one in their place.
    device: a Device or a selector, for arrays in the host's memory.

    The buffer lives until the work is done, because OpenCL sees to that; it is not kept for longer.
    """
    key_and_fans: dict[str, Any] = dict(
        seed=seed, name=name, stream=stream, layout=layout, groups=groups, splits=splits
    )
    part: dict[str, Any] = dict(whole=whole, start=start, first=first)
    if is_host_array(target):
        _refuse(target, "OpenCL arrays and buffers", shape=shape, strides=strides, queue=queue, wait_for=wait_for)
        _refuse(target, "OpenCL buffers", offset=offset or None)
        fill_numpy(target, init, dtype=dtype, device=device, **key_and_fans, **part)
        return None
    _refuse(target, "arrays in the host's memory: say queue=", device=device)
    where: dict[str, Any] = dict(dtype=dtype, shape=shape, offset=offset, strides=strides)
    return _enqueue(target, init, queue, wait_for, where, **key_and_fans, **part)


def _refuse(target: Any, of: str, **arguments: Any) -> None:
    """Refuses arguments that are not for this kind of target."""
    for argument, value in arguments.items():
        if value is not None:
            raise bad_argument(
                f"{argument} is {_check.shown(value)}, and the target a {type(target).__name__}; {argument} is for {of}"
            )


def _enqueue(
    target: Any,
    init: AnyInit,
    queue: Optional[cl.CommandQueue],
    wait_for: WaitFor,
    where: dict[str, Any],
    *,
    seed: Any,
    name: Any,
    stream: Any,
    **rest: Any,
) -> cl.Event:
    """The fill of an OpenCL array or buffer."""
    chosen = queue_of(target, queue)
    tensor = tensor_of(target, **where, **rest)
    parsed = init_of(init, tensor)
    key = pick_key(parsed, seed, name, stream)
    own_events = getattr(target, "events", None)
    waits = wait_list(wait_for, own_events)
    if tensor.buffer is None:  # an Array of no elements, which has no memory at all
        import pyopencl as cl

        lib.fanin_tensor_size(ctypes.byref(tensor), ctypes.byref(ctypes.c_uint64()), ctypes.byref(ctypes.c_uint64()))
        return cl.enqueue_marker(chosen, [*(wait_for or ()), *(own_events or ())])
    device = device_of_queue(chosen)  # kept for the call: another thread may clear the cache
    c_tensor, c_init = ctypes.byref(tensor), ctypes.byref(parsed._c)
    done = event_of(lib.fanin_fill, device._handle, chosen.int_ptr, c_tensor, c_init, key, *waits)
    if own_events is not None:
        own_events[:] = [done]  # add_event() would keep those that it comes after, and block when they get too many
    return done
