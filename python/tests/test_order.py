"""Events, wait lists, out-of-order queues and threads."""

import threading

import numpy as np
import pyopencl as cl
import pyopencl.array as cla
from conftest import same_bits

import fanin

HOW = dict(seed=5, name="w")


def complete(event):
    return event.command_execution_status == cl.command_execution_status.COMPLETE


def test_waits_for_events(unordered, context):
    gate = cl.UserEvent(context)
    array = cla.zeros(unordered, 1000, "f4")
    array.finish()
    event = fanin.fill(array, "ones", wait_for=[gate])
    plan_array = cla.zeros(unordered, 1000, "f4")
    plan_event = fanin.Plan(unordered, [fanin.Item(plan_array, "ones")]).fill(1, wait_for=[gate])
    unordered.flush()
    out = np.empty(1000, "f4")
    cl.enqueue_copy(cl.CommandQueue(context), out, array.base_data)
    assert not out.any() and not complete(event) and not complete(plan_event)
    gate.set_status(cl.command_execution_status.COMPLETE)
    cl.wait_for_events([event, plan_event])
    assert (array.get() == 1).all() and (plan_array.get() == 1).all()


def test_waits_for_an_array_s_events(unordered, context):
    """By fill(), a plan and measure(); and both of the first leave their own."""
    gate = cl.UserEvent(context)
    arrays = [cla.zeros(unordered, 1000, "f4") for _ in range(3)]
    plan = fanin.Plan(unordered, [fanin.Item(arrays[1], "ones")])
    for array in arrays:
        array.finish()
        array.add_event(gate)
    events = [fanin.fill(arrays[0], "ones"), plan.fill(1)]
    unordered.flush()
    opening = threading.Timer(0.2, lambda: gate.set_status(cl.command_execution_status.COMPLETE))
    assert not any(map(complete, events))
    opening.start()
    fanin.measure(arrays[2])
    assert complete(gate)
    for event, array in zip(events, arrays):
        assert event in array.events
        event.wait()
    opening.join()


def test_many_fills_do_not_block(queue, context):
    gate, array = cl.UserEvent(context), cla.zeros(queue, 1000, "f4")
    plan = fanin.Plan(queue, [fanin.Item(array, "normal", "w")])
    fanin.fill(array, "zeros", wait_for=[gate])
    for seed in range(20):
        fanin.fill(array, "normal", seed=seed, name="w")
        plan.fill(seed)
    assert not complete(array.events[-1]) and len(array.events) == 1
    gate.set_status(cl.command_execution_status.COMPLETE)
    assert same_bits(array.get(), fanin.array((1000,), "normal", seed=19, name="w"))


def test_array_s_own_events(unordered):
    """What PyOpenCL enqueued on an array comes before, what it enqueues next after."""
    for value in range(20):
        array = cla.empty(unordered, 100_000, "f4")
        array.fill(np.float32(7))
        event = fanin.fill(array, "constant", **HOW) if value < 0 else fanin.fill(array, f"constant:value={value}")
        assert event in array.events
        assert (array + 1).get().min() == value + 1


def test_buffer_may_go_first(queue, context):
    gate = cl.UserEvent(context)
    array = cla.empty(queue, 1000, "f4")
    event = fanin.fill(array, "normal", wait_for=[gate], **HOW)
    del array
    gate.set_status(cl.command_execution_status.COMPLETE)
    event.wait()


def test_threads(context):
    """Sixteen threads on one context, each its queue; and one queue for all."""
    shared, wrong = cl.CommandQueue(context), []
    expected = {k: fanin.array((2000,), "normal", seed=k, name="t") for k in range(16)}
    fanin.clear_cache()

    def work(k):
        for queue in (cl.CommandQueue(context), shared):
            for _ in range(10):
                array = cla.empty(queue, 2000, "f4")
                fanin.fill(array, "normal", seed=k, name="t")
                if not same_bits(array.get(), expected[k]):
                    wrong.append(k)
        try:
            fanin.fill(array, f"normal:std=-{k + 1}", seed=k, name="t")
        except fanin.ArgumentError as problem:
            if f"-{k + 1}" not in str(problem):  # another thread's sentence
                wrong.append(str(problem))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
