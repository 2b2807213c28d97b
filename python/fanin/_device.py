"""A device to work on: one (context, device) pair with its compiled kernels, and a cache of them."""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Callable, NoReturn, Optional, SupportsIndex, Union

from . import _check, _fork
from ._library import lib, result_of
from ._structs import DEVICE_INFO, DRIVER_INFO, DeviceInfo, DriverInfo

if TYPE_CHECKING:
    import pyopencl as cl

# (context, device) pairs and selectors whose kernels are kept. A pair that is kept keeps its context alive.
CACHE_SIZE = 16


class Device:
    """One OpenCL context and device, with the kernels that fanin has compiled for them.

    Functions that take arrays find theirs by the queue; only NumPy arrays, probes and plans need one, and take a
    selector as well. Safe to use from several threads. Everything is released when the last reference goes.
    """

    def __init__(self, context: cl.Context, device: Optional[cl.Device] = None) -> None:
        """Works in the caller's PyOpenCL context, on `device` or on the context's first."""
        devices = _check.context("context", context).devices
        chosen = devices[0] if device is None else _check.cl_device("device", device)
        self._own(lib.fanin_create, context.int_ptr, chosen.int_ptr)

    @classmethod
    def open(cls, selector: Union[str, SupportsIndex, None] = None) -> Device:
        """Picks a device and makes a context for it.

        selector: "gpu", "cpu", an index into `devices()`, or a part of a name; None: $FANIN_DEVICE, else the best GPU,
        else a CPU.
        """
        self = cls.__new__(cls)
        self._own(lib.fanin_open, _selector("selector", selector))
        return self

    @classmethod
    def _of_handles(cls, context: int, device: int) -> Device:
        self = cls.__new__(cls)
        self._own(lib.fanin_create, context, device)
        return self

    def _own(self, make: Any, *arguments: Any) -> None:
        self._handle = result_of(ctypes.c_void_p, make, *arguments).value
        # Not at exit: other threads may still be at work, and drivers may be gone.
        weakref.finalize(self, lib.fanin_release, self._handle).atexit = False

    def __reduce__(self) -> NoReturn:
        refuse_to_pickle(self, "say Device.open() or Device(context) where it is needed")

    def _ask(self, function: Any) -> int:
        """What a function of the handle hands out."""
        return int(result_of(ctypes.c_void_p, function, self._handle).value or 0)

    @property
    def context(self) -> cl.Context:
        """The context, as PyOpenCL's."""
        import pyopencl as cl

        return cl.Context.from_int_ptr(self._ask(lib.fanin_context), True)

    @property
    def device(self) -> cl.Device:
        """The device, as PyOpenCL's."""
        import pyopencl as cl

        return cl.Device.from_int_ptr(self._ask(lib.fanin_device), True)

    @property
    def queue(self) -> cl.CommandQueue:
        """fanin's own in-order queue, as PyOpenCL's."""
        import pyopencl as cl

        return cl.CommandQueue.from_int_ptr(self._queue, True)

    @property
    def _queue(self) -> int:
        return self._ask(lib.fanin_queue)


def refuse_to_pickle(what: object, instead: str) -> NoReturn:
    """What pickle and copy are told of objects that hold something of a driver's."""
    name = type(what).__name__
    raise TypeError(f"a {name} cannot be pickled or copied: what it holds exists in this process alone; {instead}")


def _selector(argument: str, value: Any) -> Optional[bytes]:
    """A selector for C: a text, an index, or none."""
    if value is None:
        return None
    if not isinstance(value, str) and hasattr(value, "__index__"):
        return str(_check.integer(argument, value, below=1 << 31)).encode()
    if not isinstance(value, str):
        _check.wrong_type(argument, value, "a Device, a selector, an index into devices() or None")
    return _check.text(argument, value)


AnyDevice = Union[Device, str, SupportsIndex, None]

_cache: OrderedDict[Any, Device] = OrderedDict()
_cache_lock = threading.Lock()


def _cached(key: Any, make: Callable[[], Device]) -> Device:
    _fork.before_a_device_is_used()  # a forked child may find the lock taken for ever
    with _cache_lock:
        device = _cache.pop(key, None) or make()
        _cache[key] = device
        dropped = _cache.popitem(last=False)[1] if len(_cache) > CACHE_SIZE else None
    del dropped  # released, if nobody uses it, outside the lock
    return device


def device_of_handles(context: int, device: int) -> Device:
    """The cached Device of a cl_context and a cl_device_id."""
    # A pair in the cache holds its context, so no other context can have its address.
    return _cached((context, device), lambda: Device._of_handles(context, device))


def device_of_queue(queue: cl.CommandQueue) -> Device:
    """The cached Device of a PyOpenCL queue's context and device."""
    return device_of_handles(queue.context.int_ptr, queue.device.int_ptr)


def device_of(device: AnyDevice) -> Device:
    """A Device as it is, or the cached one of a selector."""
    if isinstance(device, Device):
        return device
    selector = _selector("device", device)
    return _cached(selector, lambda: Device.open(None if selector is None else selector.decode()))


def clear_cache() -> None:
    """Forgets the kernels of all contexts, and with them the contexts that only fanin still keeps.

    The last 16 (context, device) pairs and selectors are kept otherwise. What is in use elsewhere, and what is enqueued,
    is not disturbed.
    """
    _fork.before_a_device_is_used()
    with _cache_lock:
        devices = list(_cache.values())
        _cache.clear()
    del devices


def devices() -> list[DeviceInfo]:
    """Every OpenCL device of the machine, in the order of the selector's indices."""
    return [DEVICE_INFO.read(info) for info in DEVICE_INFO.structs(lib.fanin_devices)]


def drivers() -> list[DriverInfo]:
    """Every driver that is registered with the machine's OpenCL loader, with the reason if one gives no device."""
    return [DRIVER_INFO.read(info) for info in DRIVER_INFO.structs(lib.fanin_drivers)]
