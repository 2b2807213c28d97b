#!/usr/bin/env python3
"""The peers as contestants of bench/rotate.py.

usage: peers.py torch|lapack|numpy|numpy-philox|pyopencl

Answers each line "WHAT ELEMENTS INIT" on its input with a line of JSON: the seconds that the peer takes to fill
memory that it already has, as bench/limit_main.c does it. Begins with a line that says what runs here, or that it is
not installed. WHAT is one of uniform, normal and trunc_normal, with the parameters that the peer's call takes here: all
write the same distributions, not the same numbers. Where it is "orthogonal", INIT is the shape, as in 1000x64x64: a
stack is filled matrix by matrix, which is all that the peers offer.
"""
import json
import os
import statistics
import sys
import time

ENOUGH = 0.05  # seconds that a measurement lasts at least
STD, BOUND = 0.02, 0.05


class Torch:
    def __init__(self):
        import torch

        self.torch = torch
        torch.set_num_threads(os.cpu_count() or 1)
        self.hello = {"name": "PyTorch", "version": torch.__version__, "threads": torch.get_num_threads()}

    def orthogonal(self, shape):
        stack = self.torch.zeros([1] * (3 - len(shape)) + shape)

        def fill():
            for matrix in stack:
                self.torch.nn.init.orthogonal_(matrix)

        return fill

    def work(self, init, elements):
        tensor = self.torch.zeros(elements)
        return {
            "uniform": lambda: tensor.uniform_(-BOUND, BOUND),
            "normal": lambda: tensor.normal_(0.0, STD),
            "trunc_normal": lambda: self.torch.nn.init.trunc_normal_(tensor, 0.0, STD, -2 * STD, 2 * STD),
        }[init]


class Lapack:
    """The same by hand: sgeqrf, sorgqr and the signs, in C by way of NumPy, beside normals that are NumPy's fastest."""

    def __init__(self):
        import numpy

        self.numpy = numpy
        self.generator = numpy.random.Generator(numpy.random.SFC64(1))
        self.hello = {"name": "LAPACK", "version": "by NumPy " + numpy.__version__, "libraries": blas_in_use()}

    def orthogonal(self, shape):
        numpy, (rows, columns) = self.numpy, shape[-2:]
        count = shape[0] if len(shape) == 3 else 1
        tall = (max(rows, columns), min(rows, columns))

        def fill():
            for _ in range(count):
                q, r = numpy.linalg.qr(self.generator.standard_normal(tall, dtype=numpy.float32))
                q *= numpy.sign(numpy.diag(r))

        return fill


class NumPy:
    """NumPy has no parameters for f32: the affine map is the caller's second pass over memory, and counts."""

    def __init__(self, philox):
        import numpy

        self.numpy = numpy
        bits = numpy.random.Philox if philox else numpy.random.SFC64
        self.generator = numpy.random.Generator(bits(1))
        self.hello = {"name": "NumPy " + bits.__name__, "version": numpy.__version__, "threads": 1}

    def work(self, init, elements):
        numpy, generator = self.numpy, self.generator
        array = numpy.zeros(elements, numpy.float32)

        def uniform():
            generator.random(out=array, dtype=numpy.float32)
            numpy.multiply(array, numpy.float32(2 * BOUND), out=array)
            numpy.subtract(array, numpy.float32(BOUND), out=array)

        def normal():
            generator.standard_normal(out=array, dtype=numpy.float32)
            numpy.multiply(array, numpy.float32(STD), out=array)

        return {"uniform": uniform, "normal": normal}[init]


class PyOpenCL:
    def __init__(self):
        import pyopencl
        import pyopencl.array
        import pyopencl.clrandom

        self.cl = pyopencl
        context = pyopencl.create_some_context(interactive=False)
        self.queue = pyopencl.CommandQueue(context)
        self.generator = pyopencl.clrandom.PhiloxGenerator(context, seed=1)
        self.hello = {
            "name": "PyOpenCL",
            "version": pyopencl.VERSION_TEXT,
            "threads": context.devices[0].max_compute_units,
        }

    def work(self, init, elements):
        array = self.cl.array.zeros(self.queue, elements, "float32")

        def uniform():
            self.generator.fill_uniform(array, a=-BOUND, b=BOUND)
            self.queue.finish()

        def normal():
            self.generator.fill_normal(array, mu=0.0, sigma=STD)
            self.queue.finish()

        return {"uniform": uniform, "normal": normal}[init]


PEERS = {
    "torch": Torch,
    "lapack": Lapack,
    "numpy": lambda: NumPy(philox=False),
    "numpy-philox": lambda: NumPy(philox=True),
    "pyopencl": PyOpenCL,
}


def blas_in_use():
    """Which shared libraries this process does its linear algebra with, as far as the system tells."""
    try:
        with open("/proc/self/maps") as maps:
            paths = {line.split()[-1] for line in maps}
    except OSError:
        return "unknown"
    return " ".join(sorted({os.path.basename(p) for p in paths if "blas" in p or "lapack" in p or "mkl" in p}))


def measure(work):
    """The median of as many runs as fit into ENOUGH, at least one, after one that is not counted."""
    work()
    runs, past = [], 0.0
    while past < ENOUGH and len(runs) < 4000:
        begin = time.perf_counter()
        work()
        runs.append(time.perf_counter() - begin)
        past += runs[-1]
    return statistics.median(runs)


def put(message):
    print(json.dumps(message), flush=True)


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in PEERS:
        sys.exit("usage: peers.py " + "|".join(PEERS))
    try:
        peer = PEERS[sys.argv[1]]()
    except Exception as reason:  # not installed, or no device: said, and the contest goes on without it
        put({"missing": f"{type(reason).__name__}: {reason}"})
        return
    put(peer.hello)
    last, work = None, None
    for line in sys.stdin:
        what, elements, init = line.split()
        try:
            if last != line:  # what the last one filled is freed first
                work = None
                orthogonal = what == "orthogonal"
                made = peer.orthogonal([int(n) for n in init.split("x")]) if orthogonal else None
                last, work = line, made or peer.work(what, int(elements))
            put({"seconds": measure(work)})
        except Exception as reason:
            last, work = None, None
            put({"error": f"{type(reason).__name__}: {reason}"})


main()
