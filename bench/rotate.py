#!/usr/bin/env python3
"""Times fanin, the limit and the peers in turns, one round after another; prints a table of medians and of the ratios
that fanin aims for, and draws rates over sizes.

usage: rotate.py BUILD [--mebibytes N] [--rounds N] [--json FILE] [--plot FILE.svg]

BUILD has bench_contest and bench_start; the peers that are installed answer through bench/peers.py. All turns of a round
share the machine's mood, so that ratios are medians of the rounds' ratios. Without --plot no sizes are measured.
"""
import argparse
import collections
import json
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
UNIFORM, NORMAL, TRUNCATED = "uniform:lo=-0.05,hi=0.05", "normal:std=0.02", "trunc_normal:std=0.02"
GPT2 = 124439808
SIZES = [1 << k for k in range(10, 31, 2)]  # bytes of the plot
CURVES = ("limit", "fanin", "torch", "numpy", "numpy-philox", "pyopencl")

# A turn: who, what it is asked for, dtype, elements (0: --mebibytes as f32), initializer.
Turn = collections.namedtuple("Turn", "who what dtype elements init")
TURNS = {
    "limit": Turn("fanin", "limit", "f32", 0, UNIFORM),
    "device fill": Turn("fanin", "device", "f32", 0, "0"),
    "uniform f32": Turn("fanin", "fill", "f32", 0, UNIFORM),
    "normal f32": Turn("fanin", "fill", "f32", 0, NORMAL),
    "trunc_normal f32": Turn("fanin", "fill", "f32", 0, TRUNCATED),
    "uniform f16": Turn("fanin", "fill", "f16", 0, UNIFORM),
    "uniform bf16": Turn("fanin", "fill", "bf16", 0, UNIFORM),
    "normal f16": Turn("fanin", "fill", "f16", 0, NORMAL),
    "normal bf16": Turn("fanin", "fill", "bf16", 0, NORMAL),
    "zeros f32": Turn("fanin", "fill", "f32", 0, "zeros"),
    "constant f32": Turn("fanin", "fill", "f32", 0, "constant:value=0.5"),
    "slab, rows of 256": Turn("fanin", "slab", "f32", 0, UNIFORM),
    "slab from an odd column": Turn("fanin", "odd-slab", "f32", 0, UNIFORM),
    "strided, rows of 256": Turn("fanin", "pitched", "f32", 0, UNIFORM),
    "limit, 16 MiB": Turn("fanin", "limit", "f32", 1 << 22, UNIFORM),
    "uniform f32, 16 MiB": Turn("fanin", "fill", "f32", 1 << 22, UNIFORM),
    "normal f32, 16 MiB": Turn("fanin", "fill", "f32", 1 << 22, NORMAL),
    "trunc_normal f32, 16 MiB": Turn("fanin", "fill", "f32", 1 << 22, TRUNCATED),
    "slab from an odd column, 16 MiB": Turn("fanin", "odd-slab", "f32", 1 << 22, UNIFORM),
    "strided, rows of 256, 16 MiB": Turn("fanin", "pitched", "f32", 1 << 22, UNIFORM),
    "GPT-2 124M by plan": Turn("fanin", "gpt2", "f32", GPT2, "-"),
    "one tensor as large": Turn("fanin", "fill", "f32", GPT2, NORMAL),
    "1000 x 1000 by plan": Turn("fanin", "1000-plan", "f32", 1000000, NORMAL),
    "1000 x 1000 by fills": Turn("fanin", "1000-fills", "f32", 1000000, NORMAL),
    "PyTorch uniform": Turn("torch", "fill", "f32", 0, UNIFORM),
    "PyTorch normal": Turn("torch", "fill", "f32", 0, NORMAL),
    "PyTorch trunc_normal": Turn("torch", "fill", "f32", 0, TRUNCATED),
    "NumPy SFC64 uniform": Turn("numpy", "fill", "f32", 0, UNIFORM),
    "NumPy SFC64 normal": Turn("numpy", "fill", "f32", 0, NORMAL),
    "NumPy Philox uniform": Turn("numpy-philox", "fill", "f32", 0, UNIFORM),
    "PyOpenCL Philox uniform": Turn("pyopencl", "fill", "f32", 0, UNIFORM),
    "PyOpenCL Philox normal": Turn("pyopencl", "fill", "f32", 0, NORMAL),
    "process, empty OpenCL": Turn("process", "opencl", "f32", 1 << 20, "-"),
    "process, fanin": Turn("process", "fanin", "f32", 1 << 20, "-"),
}
# What is compared with what, in elements a second, and the ratio that fanin aims for.
RATIOS = [
    ("uniform f32", "limit", 0.85),
    ("normal f32", "limit", 0.55),
    ("trunc_normal f32", "limit", 0.55),
    ("uniform f32, 16 MiB", "limit, 16 MiB", 0.85),
    ("normal f32, 16 MiB", "limit, 16 MiB", 0.55),
    ("trunc_normal f32, 16 MiB", "limit, 16 MiB", 0.55),
    ("uniform f16", "uniform f32", 0.8),
    ("uniform bf16", "uniform f32", 0.8),
    ("normal f16", "normal f32", 0.8),
    ("normal bf16", "normal f32", 0.8),
    ("zeros f32", "device fill", 0.9),
    ("constant f32", "device fill", 0.9),
    ("uniform f32", "PyTorch uniform", 10),
    ("normal f32", "PyTorch normal", 7),
    ("trunc_normal f32", "PyTorch trunc_normal", 60),
    ("GPT-2 124M by plan", "one tensor as large", 0.85),
    ("1000 x 1000 by plan", "1000 x 1000 by fills", 10),
    ("slab, rows of 256", "uniform f32", 0.7),
    ("slab from an odd column", "uniform f32", 0.7),
    ("strided, rows of 256", "uniform f32", 0.7),
    ("slab from an odd column, 16 MiB", "uniform f32, 16 MiB", 0.7),
    ("strided, rows of 256, 16 MiB", "uniform f32, 16 MiB", 0.7),
    ("process, fanin", "process, empty OpenCL", 0.5),
]


class Contestant:
    """A process that answers a line with a line of JSON."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hello = json.loads(self.process.stdout.readline() or '{"error": "did not start"}')
        self.works = "error" not in self.hello and "missing" not in self.hello

    def seconds(self, turn):
        if not self.works:
            return None
        self.process.stdin.write(f"{turn.what} {turn.dtype} {turn.elements} {turn.init}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline() or "{}").get("seconds")


class Processes:
    """Times processes from outside, from their start to their end; once for nothing, to fill the driver's cache."""

    def __init__(self, program):
        self.program, self.seen, self.hello = program, set(), {"name": "processes, with a warm kernel cache"}

    def seconds(self, turn):
        if turn not in self.seen:
            self.seen.add(turn)
            self.seconds(turn)
        begin = time.perf_counter()
        done = subprocess.run([self.program, turn.what], check=False)
        return time.perf_counter() - begin if done.returncode == 0 else None


def open_contestants(build, most_bytes):
    contestants = {"fanin": Contestant([build / "bench_contest", str(most_bytes)])}
    for peer in ("torch", "numpy", "numpy-philox", "pyopencl"):
        contestants[peer] = Contestant(["/usr/bin/python3", HERE / "peers.py", peer])
    contestants["process"] = Processes(build / "bench_start")
    for name, contestant in contestants.items():
        print(name + ":", ", ".join(f"{k} {v}" for k, v in contestant.hello.items()))
    if contestants["fanin"].hello.get("different_bits", 1) != 0:
        sys.exit("the limit's bits differ from fanin's: nothing to compare")
    return contestants


def measure(contestants, turns, rounds):
    """By name, a list of elements a second, NaN where there is no answer."""
    rates = {name: [] for name in turns}
    for number in range(rounds):
        for name, turn in turns.items():
            if sys.stderr.isatty():
                print(f"\r\033[Kround {number + 1} of {rounds}: {name}", end="", file=sys.stderr, flush=True)
            seconds = contestants[turn.who].seconds(turn)
            rates[name].append(turn.elements / seconds if seconds else float("nan"))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return rates


def ratio(rates, a, b):
    return statistics.median(x / y for x, y in zip(rates[a], rates[b]))


def print_tables(turns, rates):
    width = max(map(len, turns))
    print(f"\n{'':{width}} {'elements':>11} {'G elem/s':>9} {'min':>8} {'max':>8} {'GB/s':>7}")
    for name, turn in turns.items():
        rate = [r / 1e9 for r in rates[name]]
        size = {"f32": 4, "f16": 2, "bf16": 2}[turn.dtype]
        middle = statistics.median(rate)
        print(f"{name:{width}} {turn.elements:11,} {middle:9.3f} {min(rate):8.3f} {max(rate):8.3f} {middle * size:7.2f}")
    print(f"\n{'':{width}} {'ratio':>8} {'target':>7}")
    for a, b, target in RATIOS:
        value = ratio(rates, a, b)
        verdict = "met" if value >= target else "not met" if value == value else "not measured"
        print(f"{a:{width}} {value:8.2f} {target:7}  {verdict:12} of {b}")


def write_json(path, turns, rates):
    results = [
        {
            "name": name,
            "elements": turn.elements,
            "dtype": turn.dtype,
            "elements_per_s": [r if r == r else None for r in rates[name]],
        }
        for name, turn in turns.items()
    ]
    ratios = [{"name": a, "of": b, "target": target, "ratio": ratio(rates, a, b)} for a, b, target in RATIOS]
    for r in ratios:
        r["ratio"] = r["ratio"] if r["ratio"] == r["ratio"] else None
    path.write_text(json.dumps({"results": results, "ratios": ratios}, indent=1) + "\n")


def plot(contestants, most_bytes, rounds, path):
    """Rates over sizes: FILE.csv beside FILE.svg, and the picture by gnuplot."""
    turns = {}
    for size in SIZES:
        for who in CURVES:
            if size <= most_bytes:
                what = "limit" if who == "limit" else "fill"
                turns[who, size] = Turn("fanin" if who == "limit" else who, what, "f32", size // 4, UNIFORM)
    rates = measure(contestants, {f"{who} {size}": turn for (who, size), turn in turns.items()}, rounds)
    table = path.with_suffix(".csv")
    with table.open("w") as out:
        print("bytes," + ",".join(CURVES), file=out)
        for size in SIZES:
            cells = [statistics.median(rates.get(f"{who} {size}", [float("nan")])) * 4 / 1e9 for who in CURVES]
            print(f"{size}," + ",".join(f"{c:.4g}" for c in cells), file=out)
    subprocess.run(["gnuplot", "-e", f"data='{table}'; out='{path}'", HERE / "rate.gp"], check=True)
    print(f"\n{path} and {table}: GB/s over sizes")


def main():
    parser = argparse.ArgumentParser(description="fanin, the limit and the peers, in turns")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--mebibytes", type=int, default=256, help="of a tensor in f32 (default: 256)")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--json", type=pathlib.Path, help="every round's rates, to this file")
    parser.add_argument("--plot", type=pathlib.Path, help="rates over sizes, to this .svg file and a .csv beside it")
    o = parser.parse_args()
    elements = o.mebibytes << 18
    turns = {name: t if t.elements else t._replace(elements=elements) for name, t in TURNS.items()}
    most_bytes = max(5 * elements, 4 * GPT2, SIZES[-1] if o.plot else 0)
    contestants = open_contestants(o.build, most_bytes)
    rates = measure(contestants, turns, o.rounds)
    print(f"\nMedians of {o.rounds} rounds")
    print_tables(turns, rates)
    if o.json:
        write_json(o.json, turns, rates)
    if o.plot:
        plot(contestants, most_bytes, o.rounds, o.plot)


if __name__ == "__main__":
    main()
