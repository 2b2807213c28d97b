"""Arrays in the host's memory, NumPy's and torch's, by way of a device's memory; no PyOpenCL needed."""

from __future__ import annotations

import ctypes
import sys
import weakref
from typing import Any, Optional, Protocol, Sequence, SupportsIndex, Union

import numpy as np

from . import _check
from ._device import AnyDevice, Device, device_of
from ._dtypes import DTYPES
from ._errors import bad_argument, make_error
from ._init import AnyInit, init_of
from ._key import pick_key
from ._library import lib
from ._structs import CTensor
from ._tensor import Shape, as_shape, dtype_of, dtype_of_array, make_tensor


class TorchTensor(Protocol):
    """A torch.Tensor, as type checkers tell it without torch."""

    requires_grad: bool

    def detach(self) -> Any:
        """The tensor without its history."""

    def numpy(self) -> Any:
        """The tensor's memory as an array of NumPy's."""


HostArray = Union["np.ndarray[Any, Any]", TorchTensor]


def is_host_array(target: Any) -> bool:
    """Whether it is a NumPy array or a torch tensor."""
    return isinstance(target, np.ndarray) or _is_torch(target)


def _is_torch(target: Any) -> bool:
    torch = sys.modules.get("torch")  # who has a tensor has imported it
    return torch is not None and isinstance(target, torch.Tensor)


def memory_of(argument: str, target: Any, dtype: Any) -> tuple[np.ndarray[Any, Any], int]:
    """A NumPy array over the target's own memory, and the enumerator of its elements' dtype."""
    if _is_torch(target):
        return _memory_of_torch(argument, target, dtype)
    if not isinstance(target, np.ndarray):
        _check.wrong_type(argument, target, "a NumPy array or a torch tensor")
    if isinstance(target, np.ma.MaskedArray):
        raise bad_argument(f"{argument} is a masked array; its .data is accepted")
    array = np.asarray(target)
    return array, dtype_of_array(array.dtype.newbyteorder("="), dtype)


def _memory_of_torch(argument: str, tensor: Any, dtype: Any) -> tuple[np.ndarray[Any, Any], int]:
    torch: Any = sys.modules["torch"]  # not imported here, so that type checkers need not read all of it
    if tensor.device.type != "cpu" or tensor.layout != torch.strided:
        raise bad_argument(
            f"{argument} is a torch tensor on {tensor.device} with layout {tensor.layout}; a dense one in the CPU's memory "
            "is accepted: fill that, and copy it (copy_()) to where it is needed"
        )
    plain, name = tensor.detach(), str(tensor.dtype).rpartition(".")[2]
    info = next((info for info in DTYPES if info.python == name and not hasattr(np, name)), None)
    try:
        if info is not None:  # NumPy has no bfloat16: unsigned integers of its size hold its bits
            plain = plain.view(torch.int16 if info.bytes == 2 else torch.uint8)
        array = plain.numpy()
    except (RuntimeError, TypeError) as problem:
        raise bad_argument(f"{argument} is a torch tensor whose memory cannot be reached: {problem}") from None
    if info is None:
        return array, dtype_of_array(array.dtype, dtype)
    if dtype is not None and dtype_of(dtype) != DTYPES.index(info):
        raise bad_argument(f"dtype is {DTYPES[dtype_of(dtype)].name}, and elements are {name}")
    return array.view(f"u{info.bytes}"), DTYPES.index(info)


def overlaps(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether elements of such strides, in elements, may share memory."""
    reach = 1
    for stride, extent in sorted((abs(step), n) for step, n in zip(strides, shape) if n > 1):
        if stride < reach:
            return True
        reach += stride * (extent - 1)
    return False


def _check_writable(argument: str, target: Any, array: np.ndarray[Any, Any]) -> None:
    """Refuses what cannot be filled element by element, and tells autograd that a torch tensor's values change."""
    if not array.flags.writeable:
        raise bad_argument(f"{argument} is read-only; an array that can be written is accepted")
    if array.size and overlaps(array.shape, [stride // array.itemsize for stride in array.strides]):
        raise bad_argument(
            f"{argument} has shape {array.shape} and strides {array.strides}, so that elements share memory; an array "
            "whose elements do not overlap is accepted"
        )
    if _is_torch(target):
        try:
            target.detach().unsqueeze(0)[
                :0
            ].zero_()  # no elements, yet the version counts up, as of any in-place change
        except RuntimeError as problem:
            raise bad_argument(f"{argument} is a torch tensor that cannot be written: {problem}") from None


def fill_numpy(
    array: HostArray,
    init: AnyInit,
    *,
    seed: Optional[SupportsIndex] = None,
    name: Optional[str] = None,
    stream: Optional[SupportsIndex] = None,
    layout: Optional[str] = None,
    groups: SupportsIndex = 1,
    splits: SupportsIndex = 1,
    dtype: Any = None,
    whole: Optional[Sequence[SupportsIndex]] = None,
    start: Optional[Sequence[SupportsIndex]] = None,
    first: Optional[SupportsIndex] = None,
    device: AnyDevice = None,
) -> None:
    """Initializes a NumPy array or a torch CPU tensor in place, by way of a device's memory. Blocking.

    The bits are those of `fill()`, whose arguments these are, and which takes such arrays too. Any strides and either
    byte order are right. A tensor that requires gradients is filled as under torch.no_grad(). device: a Device or a
    selector (`Device.open()`). Needs no PyOpenCL.
    """
    memory, enumerator = memory_of("array", array, dtype)
    _check_writable("array", array, memory)
    rest: dict[str, Any] = dict(layout=layout, groups=groups, splits=splits, whole=whole, start=start, first=first)
    tensor = make_tensor(enumerator, memory.shape, **rest)
    parsed = init_of(init, tensor)
    key = pick_key(parsed, seed, name, stream)
    is_dense = memory.flags.c_contiguous and memory.dtype.isnative
    dense = memory if is_dense else np.empty(memory.shape, memory.dtype.newbyteorder("="))
    with OnDevice(device_of(device), enumerator, dense.size) as there:
        tensor.buffer = there.tensor.buffer
        lib.fanin_fill(*there.where, ctypes.byref(tensor), ctypes.byref(parsed._c), key, 0, None, None)
        lib.fanin_read(*there.where, ctypes.byref(tensor), dense.ctypes.data, dense.nbytes, 1, 0, None, None)
    if dense is not memory:
        memory[...] = dense


class OnDevice:
    """Memory of a device for so many elements, while the `with` block lasts, or else as long as the object."""

    def __init__(self, device: Device, dtype: int, elements: int) -> None:
        self.where = device._handle, device._queue
        self._device = device  # kept for as long
        self.tensor = CTensor()
        shape = (ctypes.c_uint64 * 1)(max(elements, 1))
        lib.fanin_tensor_alloc(device._handle, dtype, None, 1, shape, ctypes.byref(self.tensor))
        self.free = weakref.finalize(self, lib.fanin_tensor_free, ctypes.byref(self.tensor))
        self.free.atexit = False

    def write(self, values: np.ndarray[Any, Any]) -> None:
        """Copies values there. Blocking."""
        dense = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
        if not dense.size:
            return
        # The library reads tensors and has no function that writes one; the OpenCL that it is linked with has.
        write = lib.clEnqueueWriteBuffer
        write.restype = ctypes.c_int
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        write.argtypes = [pointer, pointer, ctypes.c_uint32, size, size, pointer, ctypes.c_uint32, pointer, pointer]
        status = write(self.where[1], self.tensor.buffer, 1, 0, dense.nbytes, dense.ctypes.data, 0, None, None)
        if status != 0:
            name = lib.fanin_status_name(status).decode()
            raise make_error(status, name, f"clEnqueueWriteBuffer failed: {name}")

    def __enter__(self) -> OnDevice:
        return self

    def __exit__(self, *_: Any) -> None:
        self.free()


def array(shape: Shape, init: AnyInit, *, dtype: Any = "f32", **arguments: Any) -> np.ndarray[Any, Any]:
    """A new NumPy array, initialized as by `fill_numpy()`, which has the other arguments.

    What NumPy lacks, as bf16, comes in ml_dtypes' type where that package is installed, else as unsigned integers.
    """
    native = dtype.newbyteorder("=") if isinstance(dtype, np.dtype) else dtype
    made = numpy_dtype(dtype_of(native))
    extents = as_shape(shape)
    try:
        out = np.empty(extents, made if native is dtype or dtype.isnative else dtype)
    except ValueError as problem:
        raise bad_argument(f"shape is {extents}, which NumPy refuses: {problem}") from None
    fill_numpy(out, init, dtype=native, **arguments)
    return out


def numpy_dtype(dtype: int) -> Any:
    """The NumPy dtype for an enumerator."""
    info = DTYPES[dtype]
    if hasattr(np, info.python):
        return np.dtype(info.python)
    try:
        import ml_dtypes
    except ImportError:
        return np.dtype(f"u{info.bytes}")
    return np.dtype(getattr(ml_dtypes, info.python))
