#!/usr/bin/env python3
"""The peers as contestants of bench/rotate.py.

usage: peers.py torch|lapack|numpy|numpy-philox|pyopencl|jax|mkl-philox|mkl-sfmt|mkl-ars5

Answers each line "WHAT ELEMENTS INIT" on its input with a line of JSON: the seconds that the peer takes to fill
memory that it already has, as bench/limit_main.c does it. Begins with a line that says what runs here, or that it is
not installed. WHAT is a distribution, a key of LAWS, with the parameters that the peer's call takes here: all
write the same distributions, not the same numbers. A time counts only if what was written has the distribution's mean,
standard deviation and range. Where WHAT is "orthogonal", INIT is the shape, as in 1000x64x64: a stack is filled matrix
by matrix, which is all that the peers offer.
"""
import concurrent.futures
import ctypes
import functools
import importlib.metadata
import itertools
import json
import math
import os
import statistics
import sys
import time

ENOUGH = 0.05  # seconds that a measurement lasts at least
STD, BOUND = 0.02, 0.05
SAMPLE = 1 << 16  # about as many values of a tensor are checked

# The standard deviation and the largest magnitude of what is written. All means are 0.
LAWS = {
    "uniform": (BOUND / math.sqrt(3), BOUND),
    "normal": (STD, math.inf),
    "normal_box_muller": (STD, math.inf),
    "trunc_normal": (STD * math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2))), 2 * STD),
}


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
        tensor = self.array = self.torch.zeros(elements)
        return {
            "uniform": lambda: tensor.uniform_(-BOUND, BOUND),
            "normal": lambda: tensor.normal_(0.0, STD),
            "trunc_normal": lambda: self.torch.nn.init.trunc_normal_(tensor, 0.0, STD, -2 * STD, 2 * STD),
        }[init]

    def written(self):
        return self.array


class Lapack:
    """The same by hand: sgeqrf, sorgqr and the signs, in C by way of NumPy, beside normals that are NumPy's fastest."""

    def __init__(self):
        import numpy

        self.numpy = numpy
        self.generator = numpy.random.Generator(numpy.random.SFC64(1))
        self.hello = {
            "name": "LAPACK",
            "version": "by NumPy " + numpy.__version__,
            "libraries": libraries_in_use("blas", "lapack", "mkl"),
        }

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
        array = self.array = numpy.zeros(elements, numpy.float32)

        def uniform():
            generator.random(out=array, dtype=numpy.float32)
            numpy.multiply(array, numpy.float32(2 * BOUND), out=array)
            numpy.subtract(array, numpy.float32(BOUND), out=array)

        def normal():
            generator.standard_normal(out=array, dtype=numpy.float32)
            numpy.multiply(array, numpy.float32(STD), out=array)

        return {"uniform": uniform, "normal": normal}[init]

    def written(self):
        return self.array


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
        array = self.array = self.cl.array.zeros(self.queue, elements, "float32")

        def uniform():
            self.generator.fill_uniform(array, a=-BOUND, b=BOUND)
            self.queue.finish()

        def normal():
            self.generator.fill_normal(array, mu=0.0, sigma=STD)
            self.queue.finish()

        return {"uniform": uniform, "normal": normal}[init]

    def written(self):
        return self.array.get()


class Jax:
    """JAX makes a new array with each call. Here the last one is donated to it, and it takes over the memory."""

    def __init__(self):
        os.environ["JAX_PLATFORMS"] = "cpu"
        import jax
        import numpy

        self.jax, self.numpy = jax, numpy
        self.seeds = itertools.count()
        self.fills = {
            "uniform": self.jitted(lambda key, shape: jax.random.uniform(key, shape, minval=-BOUND, maxval=BOUND)),
            "normal": self.jitted(lambda key, shape: STD * jax.random.normal(key, shape)),
            "trunc_normal": self.jitted(lambda key, shape: STD * jax.random.truncated_normal(key, -2.0, 2.0, shape)),
        }
        self.hello = {"name": "JAX", "version": jax.__version__, "threads": os.cpu_count() or 1}

    def jitted(self, draw):
        @functools.partial(self.jax.jit, donate_argnums=0, keep_unused=True)
        def fill(array, seed):
            return draw(self.jax.random.key(seed), array.shape)

        return fill

    def work(self, init, elements):
        fill_next = self.fills[init]
        self.array = self.jax.numpy.zeros(elements, "float32")

        def fill():
            self.array = fill_next(self.array, next(self.seeds)).block_until_ready()

        return fill

    def written(self):
        return self.numpy.asarray(self.array)


class MKL:
    """oneMKL's vector statistics (VSL) from the package mkl of PyPI, in C: one stream and one thread for each processor.

    The streams are parts of one sequence, 2^40 numbers apart. VSL has no truncated normal distribution.
    """

    GENERATORS = {"ARS-5": 15 << 20, "Philox": 16 << 20, "SFMT": 13 << 20}  # VSL_BRNG_... of mkl_vsl_defines.h
    BOX_MULLER2, ICDF = 1, 2  # VSL_RNG_METHOD_GAUSSIAN_...

    def __init__(self, generator):
        os.environ.update(MKL_INTERFACE_LAYER="LP64", MKL_THREADING_LAYER="SEQUENTIAL")
        import numpy

        self.numpy = numpy
        files = [file for file in importlib.metadata.files("mkl") or [] if file.name.startswith("libmkl_rt.so")]
        self.library = ctypes.CDLL(str(files[0].locate().resolve()))
        pointer, real, whole = ctypes.c_void_p, ctypes.c_float, ctypes.c_int
        self.library.vslNewStream.argtypes = [ctypes.POINTER(pointer), whole, ctypes.c_uint]
        self.library.vslSkipAheadStream.argtypes = [pointer, ctypes.c_longlong]
        self.library.vsRngUniform.argtypes = [whole, pointer, whole, pointer, real, real]
        self.library.vsRngGaussian.argtypes = [whole, pointer, whole, pointer, real, real]
        threads = os.cpu_count() or 1
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.streams = [pointer() for _ in range(threads)]
        for number, stream in enumerate(self.streams):
            self.call("vslNewStream", ctypes.byref(stream), self.GENERATORS[generator], 1)
            self.call("vslSkipAheadStream", stream, number << 40)
        self.hello = {
            "name": "oneMKL " + generator,
            "version": importlib.metadata.version("mkl"),
            "threads": threads,
            "libraries": libraries_in_use("mkl_vml"),  # its name says for which processors
        }

    def call(self, name, *arguments):
        status = getattr(self.library, name)(*arguments)
        if status != 0:
            raise RuntimeError(f"{name} answered {status}")

    def work(self, init, elements):
        array = self.array = self.numpy.zeros(elements, self.numpy.float32)
        name, method, first, second = {
            "uniform": ("vsRngUniform", 0, -BOUND, BOUND),
            "normal": ("vsRngGaussian", self.ICDF, 0.0, STD),
            "normal_box_muller": ("vsRngGaussian", self.BOX_MULLER2, 0.0, STD),
        }[init]
        parts = []
        for number, stream in enumerate(self.streams):
            begin, end = (elements * n // len(self.streams) for n in (number, number + 1))
            parts.append((name, method, stream, end - begin, array[begin:].ctypes.data, first, second))

        def fill():
            for done in [self.pool.submit(self.call, *part) for part in parts]:
                done.result()

        return fill

    def written(self):
        return self.array


PEERS = {
    "torch": Torch,
    "lapack": Lapack,
    "numpy": lambda: NumPy(philox=False),
    "numpy-philox": lambda: NumPy(philox=True),
    "pyopencl": PyOpenCL,
    "jax": Jax,
    "mkl-philox": lambda: MKL("Philox"),
    "mkl-sfmt": lambda: MKL("SFMT"),
    "mkl-ars5": lambda: MKL("ARS-5"),
}


def libraries_in_use(*words):
    """The shared libraries of this process whose names have one of the words, as far as the system tells."""
    try:
        with open("/proc/self/maps") as maps:
            paths = {line.split()[-1] for line in maps}
    except OSError:
        return "unknown"
    names = map(os.path.basename, paths)
    return " ".join(sorted({name for name in names if any(word in name for word in words)}))


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


def check(init, array):
    """Raises an exception unless values from all over the array have the mean, the standard deviation and the range of
    their law. A deviation of 6 standard errors, the limit, happens once in 5 * 10^8 times."""
    std, largest = LAWS[init]
    values = array[:: len(array) // SAMPLE | 1].tolist()
    mean = math.fsum(values) / len(values)
    found = math.sqrt(math.fsum(v * v for v in values) / len(values))
    error = std / math.sqrt(len(values))
    far = max(map(abs, values)) > largest * (1 + 1e-6)  # the bounds themselves are rounded to f32
    if far or not abs(mean) < 6 * error or not abs(found - std) < 6 * error / math.sqrt(2):
        raise ValueError(f"{init} of mean {mean:g}, std {found:g}, range {min(values):g}..{max(values):g} was written")


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
            if last != line:
                peer.array = work = None  # what the last one filled is freed first
                orthogonal = what == "orthogonal"
                made = peer.orthogonal([int(n) for n in init.split("x")]) if orthogonal else None
                last, work = line, made or peer.work(what, int(elements))
            seconds = measure(work)
            if what in LAWS:
                check(what, peer.written())
            put({"seconds": seconds})
        except Exception as reason:
            last, work = None, None
            print(f"{sys.argv[1]}: {type(reason).__name__}: {reason}", file=sys.stderr)
            put({"error": f"{type(reason).__name__}: {reason}"})


main()
