"""Other processes: errors and reports travel to them, devices and plans do not, and a forked child fails with a sentence
where it would wait for ever."""

import copy
import os
import pickle
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import fanin


def fail(how):
    """What a worker of a pool runs."""
    if how == "argument":
        fanin.gain("no activation")
    if how == "own":
        fanin.fans((3, 3), "OI", groups=-1)
    fanin.Device.open("no such device")


ERRORS = {
    "argument": ("FANIN_STATUS_BAD_ARGUMENT", fanin.ArgumentError, "no activation"),
    "own": ("FANIN_STATUS_BAD_ARGUMENT", fanin.ArgumentError, "groups is -1"),
    "device": ("FANIN_STATUS_NO_DEVICE", fanin.Error, "no such device"),
}


@pytest.mark.parametrize("copied", [lambda x: pickle.loads(pickle.dumps(x)), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("how", ERRORS)
def test_errors_are_values(how, copied):
    name, kind, words = ERRORS[how]
    with pytest.raises(kind) as caught:
        fail(how)
    caught.value.seen = [1]
    again = copied(caught.value)
    assert type(again) is kind and again.name == name and words in str(again) and again.seen == [1]
    assert (again.status, again.args) == (caught.value.status, caught.value.args)


def run(code, seconds=120):
    """Runs a program in an interpreter that has not used a device; fails if it does not end. Python 3.12 and pytools warn on
    stderr of what is tried here."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=os.path.dirname(__file__),
        start_new_session=True,
    ) as program:
        try:
            printed, _ = program.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            raise AssertionError("the program waits for ever: " + str(program.communicate()[0]))
    assert program.returncode == 0, printed
    return printed


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_a_worker_that_fails_answers(method):
    printed = run(
        f"""
        import multiprocessing, fanin, test_processes
        if __name__ == "__main__":
            with multiprocessing.get_context("{method}").Pool(1) as pool:
                for how in ("argument", "own", "device"):
                    try:
                        pool.apply(test_processes.fail, (how,))
                    except fanin.Error as error:
                        print(type(error).__name__, error.name, error.status, error)
        """
    )
    lines = printed.splitlines()
    assert len(lines) == 3, printed
    for line, (name, kind, words) in zip(lines, ERRORS.values()):
        assert line.startswith(f"{kind.__name__} {name} ") and words in line


USES = {
    "array": 'fanin.array(3, "ones")',
    "devices": "fanin.devices()",
    "plan": "plan.fill(1)",
    "facts": "plan.facts",
    "device": "device.queue",
    "open": "fanin.Device.open()",
    "probe": "fanin.probe([3, 3])",
    "cache": "fanin.clear_cache()",
}


@pytest.mark.parametrize("before", ['fanin.array(3, "ones")', "fanin.devices()"])
def test_fork_after_use(before):
    """Every use of a device in a child is an error; what needs none works, and nothing is torn down."""
    printed = run(
        f"""
        import gc, os, fanin
        {before}
        device = plan = None
        if "array" in {before!r}:
            device = fanin.Device.open()
            plan = fanin.Plan(None, [fanin.Item(None, "ones", dtype="f32", shape=3)], device)
        child = os.fork()
        if child == 0:
            for use in {list(USES.values())!r}:
                if device is None and ("plan" in use or "device." in use):
                    continue
                try:
                    eval(use)
                    print("no error", use)
                except fanin.Error as error:
                    assert "was forked" in str(error) and "spawn" in str(error) and error.status == 7, error
            assert fanin.fans((3, 4), "OI") == (4, 3) and fanin.theory([3, 3])
            del device, plan
            fanin._device._cache.clear()
            gc.collect()
            grandchild = os.fork()
            if grandchild == 0:
                try:
                    fanin.array(3, "ones")
                except fanin.Error:
                    os._exit(0)
                os._exit(1)
            assert os.waitpid(grandchild, 0)[1] == 0
            print("child ends", flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        if plan is not None:
            plan.fill(1).wait() if plan else None
            assert plan.array(0).get().tolist() == [1, 1, 1]
        print("parent ends")
        """
    )
    assert printed == "child ends\nparent ends\n"


def test_fork_before_use():
    """A child of a process that has not used a device has all its own."""
    printed = run(
        """
        import os, fanin
        child = os.fork()
        if child == 0:
            print(fanin.array(3, "ones").tolist(), flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print(fanin.array(3, "ones").tolist())
        """
    )
    assert printed == "[1.0, 1.0, 1.0]\n" * 2


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_what_is_of_one_process(copied):
    device = fanin.Device.open()
    plan = fanin.Plan(None, [fanin.Item(None, "ones", dtype="f32", shape=3)], device)
    for thing, words in [(device, "a Device cannot be pickled.*Device.open"), (plan, "a Plan cannot be .* same items")]:
        with pytest.raises(TypeError, match=words):
            copied(thing)


def test_values_travel():
    shard = fanin.split((9, 3), 2, 0)[1]
    item = fanin.Item(None, "he_normal", "w", dtype="f32", shape=(3, 3))
    init = fanin.Init("trunc_normal", std=0.1, a=-3).scaled(1 / 3)
    things = [
        init,
        shard,
        item,
        fanin.gain,
        fanin.expect(3, init),
        fanin.edge_of_chaos("tanh"),
        fanin.initializers()[0],
    ]
    report = fanin.probe([20, 20, 20], batch=16)
    things += [fanin.theory([3, 3]), fanin.suggest("gelu", 9), report.findings, report.config]
    for thing in things:
        assert pickle.loads(pickle.dumps(thing)) == thing
    assert np.array_equal(
        fanin.array(9, pickle.loads(pickle.dumps(init)), seed=1, name="w"), fanin.array(9, init, seed=1, name="w")
    )
    again = pickle.loads(pickle.dumps(report))
    assert again.to_dict() == report.to_dict() and repr(again) == repr(report)
