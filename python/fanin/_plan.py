"""Plans: the tensors of a whole model, validated and described on the device once and filled again and again."""

from __future__ import annotations

import ctypes
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Optional, Sequence, SupportsIndex

from . import _check
from ._device import AnyDevice, Device, device_of, device_of_queue, refuse_to_pickle
from ._errors import bad_argument
from ._fill import event_of, tensor_of, wait_list
from ._init import AnyInit, init_of
from ._key import pick_stream
from ._library import lib, result_of
from ._numpy import numpy_dtype
from ._structs import PLAN_FACTS, CItem, CTensor, PlanFacts
from ._tensor import Shape, as_shape, dtype_of, make_tensor

if TYPE_CHECKING:
    import pyopencl as cl
    import pyopencl.array as cla

    from ._fill import Placed, WaitFor


@dataclass(frozen=True)
class Item:
    """A tensor of a plan. `target` None: the plan allocates it; then `dtype` and `shape` say what it is.

    The other fields are `fill()`'s arguments.
    """

    target: Optional[Placed]
    init: AnyInit
    name: Optional[str] = None
    stream: Optional[SupportsIndex] = None
    layout: Optional[str] = None
    groups: SupportsIndex = 1
    splits: SupportsIndex = 1
    dtype: Any = None
    shape: Optional[Shape] = None
    offset: SupportsIndex = 0
    strides: Optional[Sequence[SupportsIndex]] = None
    whole: Optional[Sequence[SupportsIndex]] = None
    start: Optional[Sequence[SupportsIndex]] = None
    first: Optional[SupportsIndex] = None

    def _tensor(self) -> CTensor:
        part: dict[str, Any] = dict(whole=self.whole, start=self.start, first=self.first)
        rest: dict[str, Any] = dict(layout=self.layout, groups=self.groups, splits=self.splits, **part)
        if self.target is not None:
            return tensor_of(self.target, self.dtype, self.shape, self.offset, self.strides, **rest)
        if self.dtype is None or self.shape is None or self.offset or self.strides is not None:
            raise bad_argument(
                "a tensor that the plan allocates is dense: say its dtype and shape, no offset or strides"
            )
        return make_tensor(dtype_of(self.dtype), self.shape, **rest)

    def _c(self) -> CItem:
        tensor = self._tensor()
        init = init_of(self.init, tensor)
        return CItem(tensor, init._c, pick_stream(init, self.name, self.stream))


def _item(argument: str, value: Any) -> Item:
    if not isinstance(value, Item):
        _check.wrong_type(argument, value, "an Item")
    return value


class Plan:
    """Many tensors that are filled together: `Plan(queue, items)`, then `plan.fill(seed)` as often as one likes.

    Tensors in one buffer go in one launch for each dtype. The bits are those of `fill()` with the
    same names. Keeps the buffers for as long as it lives.
    """

    def __init__(self, queue: Optional[cl.CommandQueue], items: Sequence[Item], device: AnyDevice = None) -> None:
        """Blocking: compiles and uploads. `queue` None: the queue and context of `device`."""
        self._items = _check.each("items", items, "Items", _item)
        self._device: Device = device_of(device) if queue is None else device_of_queue(_check.queue("queue", queue))
        self._queue = queue if queue is not None else self._device.queue
        c_items = (CItem * len(self._items))(*(item._c() for item in self._items))
        made = result_of(ctypes.c_void_p, lib.fanin_plan_create, self._device._handle, c_items, len(self._items))
        self._handle: int = made.value or 0
        weakref.finalize(self, lib.fanin_plan_release, self._handle).atexit = False

    def __reduce__(self) -> NoReturn:
        refuse_to_pickle(self, "make one of the same items where it is needed")

    def fill(
        self, seed: SupportsIndex, *, queue: Optional[cl.CommandQueue] = None, wait_for: WaitFor = None
    ) -> cl.Event:
        """Fills every tensor, asynchronously. Waits for the events of its Arrays too, and gives them the new one."""
        chosen = self._queue if queue is None else _check.queue("queue", queue)
        arrays: list[Any] = [item.target for item in self._items if hasattr(item.target, "events")]
        waits = wait_list(wait_for, *(array.events for array in arrays))
        done = event_of(lib.fanin_plan_enqueue, self._handle, chosen.int_ptr, _check.integer("seed", seed), *waits)
        for array in arrays:
            array.events[:] = [done]  # which comes after all of them
        return done

    @property
    def facts(self) -> PlanFacts:
        """Launches of one fill, elements, and device memory."""
        return PLAN_FACTS.ask(lib.fanin_plan_describe, self._handle)

    def array(self, index: SupportsIndex) -> cla.Array:
        """Item `index`'s array, in the memory that the plan allocated or as it was given."""
        import pyopencl as cl
        import pyopencl.array as cla

        number = _check.integer("index", index, below=len(self._items))
        item = self._items[number]
        if item.shape is None:
            return item.target
        tensor = result_of(CTensor, lib.fanin_plan_tensor, self._handle, number)
        return cla.Array(
            self._queue,
            as_shape(item.shape),
            numpy_dtype(tensor.dtype),
            data=cl.Buffer.from_int_ptr(tensor.buffer, True) if tensor.buffer else None,
            offset=tensor.offset,
            strides=item.strides,
        )
