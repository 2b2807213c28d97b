"""What the package's tests share. tests/CMakeLists.txt says by FANIN_LIBRARY, FANIN, SRC and PYTHONPATH what is tested."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pyopencl as cl
import pyopencl.array as cla
import pytest


@pytest.fixture(scope="session")
def source():
    """The source tree."""
    return Path(os.environ.get("SRC", Path(__file__).parents[2]))


@pytest.fixture(scope="session")
def command(source):
    """Runs the fanin command."""
    path = os.environ.get("FANIN", str(source / "build/fanin"))

    def run(*arguments, **options):
        return subprocess.run(
            [path, *map(str, arguments)], check=True, capture_output=True, text=True, **options
        ).stdout

    return run


@pytest.fixture(scope="session")
def context():
    return cl.create_some_context(interactive=False)


@pytest.fixture
def queue(context):
    return cl.CommandQueue(context)


@pytest.fixture
def unordered(context):
    """An out-of-order queue."""
    return cl.CommandQueue(context, properties=cl.command_queue_properties.OUT_OF_ORDER_EXEC_MODE_ENABLE)


def bits(array):
    """An array's elements as unsigned integers, so that comparing is of bits."""
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


def same_bits(one, other):
    return one.shape == other.shape and np.array_equal(bits(one), bits(other))


GUARD = 0xA5


class Guarded:
    """Device memory of guard bytes; after work on a part of it, what was written and where."""

    def __init__(self, queue, elements, dtype):
        self.queue = queue
        self.array = cla.to_device(queue, np.full(elements * np.dtype(dtype).itemsize, GUARD, "u1").view(dtype))
        self.before = self.read()
        assert (self.before.view("u1") == GUARD).all()

    def read(self):
        out = np.empty(self.array.shape, self.array.dtype)
        cl.enqueue_copy(self.queue, out, self.array.base_data, is_blocking=True)
        return out

    def expect(self, take, values):
        """`take(memory)`, a NumPy view, has these values, and every other byte is as it was."""
        after, wanted = self.read(), self.before.copy()
        take(wanted)[...] = values
        assert same_bits(after, wanted)
