"""Filling arrays and buffers in place."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Optional, Sequence, Union

from ._device import device_of_queue
from ._errors import bad_argument
from ._init import AnyInit, Init, init_of
from ._library import lib, result_of
from ._structs import CKey, CTensor
from ._tensor import dtype_of_array, make_tensor, unsigned

if TYPE_CHECKING:
    import pyopencl as cl
    import pyopencl.array as cla

    WaitFor = Optional[Sequence[cl.Event]]
    Placed = Union[cla.Array, cl.Buffer]


def stream_of(name: str) -> int:
    """The 64-bit stream of a named tensor: FNV-1a-64 of the name, as the command and model files have it."""
    return int(result_of(CKey, lib.fanin_key_named, 0, name.encode()).stream)


def pick_stream(init: Init, name: Optional[str], stream: Optional[int]) -> int:
    """The stream that a call means. None would give every tensor the same numbers."""
    if name is not None and stream is not None:
        raise bad_argument(f"name is {name!r} and stream {stream}: say one of them")
    if name is not None:
        return stream_of(name)
    if stream is None and init.draws:
        raise bad_argument(f"{init} draws numbers: say name= (the tensor's) or stream= (a number of its own)")
    return unsigned("stream", stream or 0)


def pick_key(init: Init, seed: Optional[int], name: Optional[str], stream: Optional[int]) -> CKey:
    """The key that a call means."""
    if seed is None and init.draws:
        raise bad_argument(f"{init} draws numbers: say seed=")
    return CKey(unsigned("seed", seed or 0), pick_stream(init, name, stream))


def tensor_of(
    target: Placed, dtype: Any, shape: Optional[Sequence[int]], offset: int, strides: Any, **rest: Any
) -> CTensor:
    """The fanin_tensor of a PyOpenCL Array, or of a Buffer with dtype and shape."""
    if hasattr(target, "base_data"):  # pyopencl.array.Array
        if shape is not None or offset or strides is not None:
            raise bad_argument("an Array has its own shape, offset and strides: those are for Buffers")
        return make_tensor(
            dtype_of_array(target.dtype, dtype),
            target.shape,
            buffer=_handle(target.base_data) if target.size else None,
            offset=target.offset,
            strides=target.strides,
            **rest,
        )
    if dtype is None or shape is None:
        raise bad_argument("a Buffer has neither dtype nor shape: say both")
    return make_tensor(dtype, shape, buffer=_handle(target), offset=offset, strides=strides, **rest)


def _handle(buffer: Any) -> int:
    handle = getattr(buffer, "int_ptr", None)
    if not isinstance(handle, int) or not hasattr(buffer, "get_host_array"):
        raise TypeError(f"{type(buffer).__name__} is no OpenCL buffer (SVM is not supported)")
    return handle


def queue_of(target: Any, queue: Optional[cl.CommandQueue]) -> cl.CommandQueue:
    """The queue that was said, or the array's."""
    chosen = queue if queue is not None else getattr(target, "queue", None)
    if chosen is None:
        raise bad_argument("there is no queue: say queue=, or give the array one (with_queue)")
    return chosen


def wait_list(*lists: Optional[Sequence[cl.Event]]) -> tuple[int, Any]:
    """Events as a count and an array for C."""
    events = [event.int_ptr for some in lists if some is not None for event in some]
    return len(events), (ctypes.c_void_p * len(events))(*events) if events else None


def event_of(function: Any, *arguments: Any) -> cl.Event:
    """The event that a function of the library writes last, which Python then owns."""
    import pyopencl as cl

    return cl.Event.from_int_ptr(result_of(ctypes.c_void_p, function, *arguments).value, False)


def fill(
    target: Placed,
    init: AnyInit,
    *,
    seed: Optional[int] = None,
    name: Optional[str] = None,
    stream: Optional[int] = None,
    layout: Optional[str] = None,
    groups: int = 1,
    splits: int = 1,
    dtype: Any = None,
    shape: Optional[Sequence[int]] = None,
    offset: int = 0,
    strides: Optional[Sequence[int]] = None,
    whole: Optional[Sequence[int]] = None,
    start: Optional[Sequence[int]] = None,
    first: Optional[int] = None,
    queue: Optional[cl.CommandQueue] = None,
    wait_for: WaitFor = None,
) -> cl.Event:
    """Initializes an array or buffer in place, asynchronously; returns the event.

    The values depend on seed, name or stream, initializer and the element's place in the whole tensor, and on nothing
    else. Nothing beside the array's own elements is written: views, offsets and strides are followed.

    target: a pyopencl.array.Array, or a Buffer (then `dtype` and `shape`, and perhaps `offset` and `strides` in bytes).
    init: "he_normal", "he_normal:mode=fan_out", ..., or an Init.
    seed, name, stream: the model's seed; the tensor's name, or a 64-bit number of its own. Constants need none.
    layout, groups, splits: as of `fans()`; needed by initializers that have fans.
    dtype: of a Buffer; of an Array of unsigned integers, whose bits it is to hold: "bf16" in uint16.
    whole, start: the target is the slab at `start` of a tensor of the shape `whole`.
    whole, first: the target is a range of its elements in row-major order, from number `first` on.
    queue: where an Array has none or another is to be used. In a context of fanin's choosing: `Device.queue`.
    wait_for: events to wait for; an Array's own are waited for as well, and it has the new one in their place.

    The buffer lives until the work is done, because OpenCL sees to that; it is not kept for longer.
    """
    chosen = queue_of(target, queue)
    parsed = init_of(init)
    key = pick_key(parsed, seed, name, stream)
    rest: dict[str, Any] = dict(layout=layout, groups=groups, splits=splits, whole=whole, start=start, first=first)
    tensor = tensor_of(target, dtype, shape, offset, strides, **rest)
    own_events = getattr(target, "events", None)
    if tensor.buffer is None:  # an Array of no elements, which has no memory at all
        import pyopencl as cl

        lib.fanin_tensor_size(ctypes.byref(tensor), ctypes.byref(ctypes.c_uint64()), ctypes.byref(ctypes.c_uint64()))
        return cl.enqueue_marker(chosen, [*(wait_for or ()), *(own_events or ())])
    waits = wait_list(wait_for, own_events)
    device = device_of_queue(chosen)  # kept for the call: another thread may clear the cache
    c_tensor, c_init = ctypes.byref(tensor), ctypes.byref(parsed._c)
    done = event_of(lib.fanin_fill, device._handle, chosen.int_ptr, c_tensor, c_init, key, *waits)
    if own_events is not None:
        own_events[:] = [done]  # add_event() would keep those that it comes after, and block when they get too many
    return done
