"""Arrays as they come: views, offsets, strides, buffers, dtypes; not a byte beside them changes."""

import numpy as np
import pyopencl as cl
import pyopencl.array as cla
import pytest
from conftest import Guarded, same_bits

import fanin

HOW = dict(seed=5, name="w")
VIEWS = [
    lambda m: m.reshape(30, 41)[3:20],
    lambda m: m.reshape(30, 41)[:, 5:13],
    lambda m: m.reshape(30, 41)[1:29:3, 2:40:5],
    lambda m: m.reshape(30, 41)[4],
    lambda m: m.reshape(30, 41)[:, 7],
    lambda m: m.reshape(30, 41)[2:3, 40:41],
    lambda m: m.reshape(30, 41).T,
    lambda m: m.reshape(5, 6, 41)[1:4, 2, ::4],
    lambda m: m[7:1000],
    lambda m: m[3:3],
]


@pytest.mark.parametrize("dtype", ["f4", "f2", "f8"])
@pytest.mark.parametrize("take", VIEWS)
def test_views(queue, take, dtype):
    memory = Guarded(queue, 30 * 41, dtype)
    view = take(memory.array)
    event = fanin.fill(view, "normal", **HOW)
    assert isinstance(event, cl.Event)
    dense = fanin.array(view.shape, "normal", dtype=np.dtype(dtype).name, **HOW) if view.size else 0
    memory.expect(take, dense)


def test_buffer_with_offset_and_strides(queue):
    memory = Guarded(queue, 1000, "f4")
    how = dict(dtype="f32", shape=(7, 9), offset=44, strides=(400, 8), queue=queue)
    fanin.fill(memory.array.base_data, "uniform", **how, **HOW)
    memory.expect(
        lambda m: np.lib.stride_tricks.as_strided(m[11:], (7, 9), (400, 8)), fanin.array((7, 9), "uniform", **HOW)
    )


@pytest.mark.parametrize("strides", [(0, 4), (-4, 4), (3, 4)])
def test_strides_of_one_element_do_not_count(queue, strides):
    memory = Guarded(queue, 9, "f4")
    how = dict(dtype="f32", shape=(1, 5), offset=8, strides=strides, queue=queue)
    fanin.fill(memory.array.base_data, "normal", **how, **HOW)
    memory.expect(lambda m: m[2:7], fanin.array((5,), "normal", **HOW))


def test_buffer_of_a_pool_and_sub_buffer(queue, context):
    dense = fanin.array((50,), "normal", **HOW)
    pool = cl.tools.MemoryPool(cl.tools.ImmediateAllocator(queue))
    array = cla.empty(queue, 50, "f4", allocator=pool)
    fanin.fill(array, "normal", **HOW)
    assert same_bits(array.get(), dense)
    buffer = cl.Buffer(context, cl.mem_flags.READ_WRITE, 4096)
    fanin.fill(buffer[1024:2048], "normal", dtype="f32", shape=50, queue=queue, **HOW)
    out = np.empty(50, "f4")
    cl.enqueue_copy(queue, out, buffer, src_offset=1024)
    assert same_bits(out, dense)


def test_empty_and_scalar(queue):
    fanin.fill(cla.empty(queue, (0, 5), "f4"), "he_normal", layout="OI", **HOW).wait()
    scalar = cla.empty(queue, (), "f4")
    fanin.fill(scalar, "normal", **HOW)
    assert scalar.get() == fanin.array((1,), "normal", **HOW)[0]


def test_bf16(queue):
    """The 32-bit numbers rounded once, to nearest even."""
    words = fanin.array((999,), "normal", **HOW).view("u4")
    expected = ((words + 0x7FFF + (words >> 16 & 1)) >> 16).astype("u2")
    array = cla.empty(queue, 999, "u2")
    fanin.fill(array, "normal", dtype="bf16", **HOW)
    assert same_bits(array.get(), expected)
    assert same_bits(fanin.array((999,), "normal", dtype="bf16", **HOW).view("u2"), expected)


def test_bf16_of_ml_dtypes():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    array = np.zeros(999, ml_dtypes.bfloat16)
    fanin.fill_numpy(array, "normal", **HOW)
    assert (array.astype("f4") == fanin.array((999,), "normal", **HOW).astype(ml_dtypes.bfloat16)).all()
    assert fanin.array((3,), "normal", dtype="bf16", **HOW).dtype == ml_dtypes.bfloat16


@pytest.mark.parametrize("take", VIEWS + [lambda m: m[::-1], lambda m: m.reshape(30, 41)[::-2, ::-1]])
def test_numpy_views(take):
    memory = np.full(30 * 41, 7, "f4")
    expected = memory.copy()
    fanin.fill_numpy(take(memory), "normal", **HOW)
    shape = take(expected).shape
    take(expected)[...] = fanin.array(shape, "normal", **HOW) if 0 not in shape else 0
    assert same_bits(memory, expected)


def test_plan_of_views(queue):
    memory = Guarded(queue, 30 * 41, "f4")
    left, right = memory.array.reshape(30, 41)[:, :11], memory.array.reshape(30, 41)[:, 20:]
    plan = fanin.Plan(queue, [fanin.Item(left, "normal", "l"), fanin.Item(right, "he_normal", "r", layout="OI")])
    for seed in (1, 2):
        plan.fill(seed)

    def both(values):
        values.reshape(30, 41)[:, :11] = fanin.array((30, 11), "normal", seed=2, name="l")
        values.reshape(30, 41)[:, 20:] = fanin.array((30, 21), "he_normal", seed=2, name="r", layout="OI")
        return values

    memory.expect(lambda m: m, both(memory.before.copy()))
    assert plan.array(0) is left and plan.facts.elements == 30 * 32


def test_plan_s_own_arrays(queue):
    plan = fanin.Plan(queue, [fanin.Item(None, "normal", n, dtype="f16", shape=(3, 5)) for n in ("a", "b")])
    assert plan.facts.launches == 1
    plan.fill(9)
    arrays = [plan.array(k) for k in (0, 1)]
    del plan  # its memory lives in the arrays
    for array, name in zip(arrays, "ab"):
        assert same_bits(array.get(), fanin.array((3, 5), "normal", dtype="f16", seed=9, name=name))


def test_measure(queue):
    array = cla.to_device(queue, np.array([1, 2, 3, np.inf, 6], "f4"))
    stats = fanin.measure(array)
    assert (stats.count, stats.nonfinite, stats.mean, stats.min, stats.max) == (5, 1, 3, 1, 6)
    assert stats.second == pytest.approx(12.5) and stats.std == pytest.approx(3.5**0.5)
