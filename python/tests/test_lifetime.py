"""Nothing of OpenCL's is kept that is no longer needed."""

import gc
import threading
import time

import pyopencl as cl
import pyopencl.array as cla
import pytest

import fanin
from fanin import _device, _probe

HOW = dict(seed=5, name="w")


def settles(count, expected):
    """Whether count() becomes what is expected: a driver's threads let go a little after a command is done."""
    deadline = time.monotonic() + 600
    while count() != expected and time.monotonic() < deadline:
        time.sleep(0.001)
    return count() == expected


def test_contexts_are_let_go(context):
    fresh = cl.Context(context.devices)
    before = fresh.reference_count
    queue = cl.CommandQueue(fresh)
    array = cla.empty(queue, 10, "f4")
    fanin.fill(array, "normal", **HOW)
    plan = fanin.Plan(queue, [fanin.Item(array, "normal", "a"), fanin.Item(None, "normal", "b", dtype="f32", shape=5)])
    plan.fill(1)
    other = plan.array(1)
    fanin.measure(array)
    queue.finish()
    assert fresh.reference_count > before
    del array, plan, other, queue
    fanin.clear_cache()
    gc.collect()
    assert settles(lambda: fresh.reference_count, before)


def test_events_and_buffers_are_let_go(queue, context):
    buffer = cl.Buffer(context, cl.mem_flags.READ_WRITE, 400)
    event = fanin.fill(buffer, "normal", dtype="f32", shape=100, queue=queue, **HOW)
    plan = fanin.Plan(queue, [fanin.Item(buffer, "normal", "a", dtype="f32", shape=100)])
    plan.fill(1).wait()
    del plan
    queue.finish()
    assert settles(lambda: (event.reference_count, buffer.reference_count), (1, 1))


def test_cache_is_bounded_and_shared(context):
    fanin.clear_cache()
    contexts = [cl.Context(context.devices) for _ in range(_device.CACHE_SIZE + 4)]
    counts = [fresh.reference_count for fresh in contexts]
    for fresh in contexts:
        for queue in (cl.CommandQueue(fresh), cl.CommandQueue(fresh)):
            assert _device.device_of_queue(queue) is _device.device_of_queue(queue)
    assert len(_device._cache) == _device.CACHE_SIZE
    del queue
    gc.collect()
    assert [c.reference_count for c in contexts[:4]] == counts[:4]
    assert all(c.reference_count > before for c, before in zip(contexts[4:], counts[4:]))
    fanin.clear_cache()
    assert [c.reference_count for c in contexts] == counts


def test_memory_for_numpy_is_let_go():
    device = fanin.Device.open()
    fanin.array((100,), "normal", device=device, **HOW)
    before = device.context.reference_count  # PoCL's buffers count, perhaps that of this array still
    for _ in range(5):
        fanin.array((100,), "normal", device=device, **HOW)
    assert settles(lambda: device.context.reference_count <= before, True)


def test_reports_are_freed(monkeypatch):
    freed = []

    class Library:
        lib = _probe.lib

        def __getattr__(self, name):
            function = getattr(self.lib, name)
            return (
                function if name != "fanin_probe_report_release" else lambda report: (freed.append(1), function(report))
            )

    monkeypatch.setattr(_probe, "lib", Library())
    fanin.probe([3, 3])
    with pytest.raises(KeyError):
        fanin.probe([3, 3], progress=lambda what: {}[what])
    assert len(freed) == 2


def test_threads_share_one_device(monkeypatch, context):
    """Sixteen threads that come at once for a pair that nobody had: it is made once."""
    fanin.clear_cache()
    make, made = _device.Device._of_handles, []

    def slowly(*handles):
        time.sleep(0.05)
        made.append(make(*handles))
        return made[-1]

    monkeypatch.setattr(_device.Device, "_of_handles", slowly)
    queue = cl.CommandQueue(context)
    threads = [threading.Thread(target=_device.device_of_queue, args=(queue,)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_cache_cleared_while_in_use(context):
    """Clearing takes nothing away from threads that are at work."""
    stop = threading.Event()

    def clear():
        while not stop.wait(0.001):
            fanin.clear_cache()

    clearing = threading.Thread(target=clear)
    clearing.start()
    try:
        queue = cl.CommandQueue(context)
        array = cla.empty(queue, 100, "f4")
        for _ in range(30):
            fanin.fill(array, "zeros")
    finally:
        stop.set()
        clearing.join()


def test_own_device_and_queue():
    device = fanin.Device.open()
    array = cla.empty(device.queue, 10, "f4")
    fanin.fill(array, "ones")
    assert (array.get() == 1).all() and device.device in device.context.devices
    assert fanin.array((3,), "ones", device=device).tolist() == [1, 1, 1]
    assert any(info.device == device.device.int_ptr and info.usable for info in fanin.devices())
