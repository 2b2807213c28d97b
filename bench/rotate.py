#!/usr/bin/env python3
"""Times fanin, the limit and the peers in turns, one round after another; prints a table of medians, the ratios that
fanin aims for, and orthogonal matrices beside the peers', and draws rates over sizes.

usage: rotate.py BUILD [--mebibytes N] [--rounds N] [--no-peers | --python PYTHON] [--json FILE] [--plot FILE.svg]

BUILD has the command fanin and bench/bench_limit. fanin's own numbers are those of `fanin bench --json`, which is
started once for each size in every round; the limit and the peers that are installed (bench/peers.py) have their turns
between. All turns of a round share the machine's mood, so that ratios are medians of the rounds' ratios. Without --plot
no sizes are measured. The system's Python runs the system's peers. With --python, another Python runs those that are
installed there, such as a virtual environment with packages from PyPI. With --no-peers only fanin and the limit
run, and no matrices and no sizes are measured.

On one core, which is steadier in a shared machine: POCL_MAX_PTHREAD_COUNT=1 taskset -c 1 rotate.py BUILD --no-peers
"""
import argparse
import collections
import json
import math
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
UNIFORM, NORMAL, TRUNCATED = "uniform:lo=-0.05,hi=0.05", "normal:std=0.02", "trunc_normal:std=0.02"
BOX_MULLER = "normal_box_muller:std=0.02"  # oneMKL has it as a second method; NORMAL is its inversion (ICDF)
SMALL = 16 << 20  # bytes that stay in a processor's cache
SIZES = [1 << k for k in range(10, 31, 2)]  # bytes of the plot
CURVES = ("limit", "fanin", "torch", "numpy", "numpy-philox", "pyopencl")
PEERS = ("torch", "lapack", "numpy", "numpy-philox", "pyopencl")
OTHER_PEERS = {  # what --python runs: the contestant's name here, and in bench/peers.py
    "torch (--python)": "torch",
    "numpy (--python)": "numpy",
    "numpy-philox (--python)": "numpy-philox",
    "jax": "jax",
    "mkl-philox": "mkl-philox",
    "mkl-sfmt": "mkl-sfmt",
    "mkl-ars5": "mkl-ars5",
}
MATRICES = ("512x512", "1024x1024", "2048x2048", "4096x4096", "768x3072", "1000x64x64")

# A row of the table: who has the turn, what it is asked for, and for how many bytes (0: --mebibytes). "fanin" is asked
# for a case by its name and dtype, the others for an initializer.
Turn = collections.namedtuple("Turn", "who what bytes")
TURNS = {
    "device fill": Turn("fanin", "device_fill f32", 0),
    "uniform f32": Turn("fanin", "uniform f32", 0),
    "normal f32": Turn("fanin", "normal f32", 0),
    "trunc_normal f32": Turn("fanin", "trunc_normal f32", 0),
    "uniform f16": Turn("fanin", "uniform f16", 0),
    "uniform bf16": Turn("fanin", "uniform bf16", 0),
    "normal f16": Turn("fanin", "normal f16", 0),
    "normal bf16": Turn("fanin", "normal bf16", 0),
    "zeros f32": Turn("fanin", "zeros f32", 0),
    "constant f32": Turn("fanin", "constant f32", 0),
    "slab, rows of 256": Turn("fanin", "slab_256 f32", 0),
    "slab from an odd column": Turn("fanin", "slab_odd_256 f32", 0),
    "strided, rows of 256": Turn("fanin", "strided_256 f32", 0),
    "GPT-2 124M by plan": Turn("fanin", "plan_gpt2 f32", 0),
    "one tensor as large": Turn("fanin", "one_tensor_gpt2 f32", 0),
    "1000 x 1000 by plan": Turn("fanin", "plan_1000x1000 f32", 0),
    "1000 x 1000 by fills": Turn("fanin", "fills_1000x1000 f32", 0),
    "process, empty OpenCL": Turn("fanin", "warm_start_empty", 0),
    "process, fanin": Turn("fanin", "warm_start f32", 0),
    "limit uniform": Turn("limit", UNIFORM, 0),
    "limit normal": Turn("limit", NORMAL, 0),
    "limit trunc_normal": Turn("limit", TRUNCATED, 0),
    "PyTorch uniform": Turn("torch", UNIFORM, 0),
    "PyTorch normal": Turn("torch", NORMAL, 0),
    "PyTorch trunc_normal": Turn("torch", TRUNCATED, 0),
    "NumPy SFC64 uniform": Turn("numpy", UNIFORM, 0),
    "NumPy SFC64 normal": Turn("numpy", NORMAL, 0),
    "NumPy Philox uniform": Turn("numpy-philox", UNIFORM, 0),
    "PyOpenCL Philox uniform": Turn("pyopencl", UNIFORM, 0),
    "PyOpenCL Philox normal": Turn("pyopencl", NORMAL, 0),
    "uniform f32, 16 MiB": Turn("fanin", "uniform f32", SMALL),
    "normal f32, 16 MiB": Turn("fanin", "normal f32", SMALL),
    "trunc_normal f32, 16 MiB": Turn("fanin", "trunc_normal f32", SMALL),
    "slab from an odd column, 16 MiB": Turn("fanin", "slab_odd_256 f32", SMALL),
    "strided, rows of 256, 16 MiB": Turn("fanin", "strided_256 f32", SMALL),
    "limit uniform, 16 MiB": Turn("limit", UNIFORM, SMALL),
    "limit normal, 16 MiB": Turn("limit", NORMAL, SMALL),
    "limit trunc_normal, 16 MiB": Turn("limit", TRUNCATED, SMALL),
}
# Rows of OTHER_PEERS. As in TURNS, a row of a peer or of the limit that ends with a distribution's name is a cell of
# print_peers().
OTHER_TURNS = {
    "PyTorch (--python) uniform": Turn("torch (--python)", UNIFORM, 0),
    "PyTorch (--python) normal": Turn("torch (--python)", NORMAL, 0),
    "PyTorch (--python) trunc_normal": Turn("torch (--python)", TRUNCATED, 0),
    "NumPy SFC64 (--python) uniform": Turn("numpy (--python)", UNIFORM, 0),
    "NumPy SFC64 (--python) normal": Turn("numpy (--python)", NORMAL, 0),
    "NumPy Philox (--python) uniform": Turn("numpy-philox (--python)", UNIFORM, 0),
    "NumPy Philox (--python) normal": Turn("numpy-philox (--python)", NORMAL, 0),
    "JAX uniform": Turn("jax", UNIFORM, 0),
    "JAX normal": Turn("jax", NORMAL, 0),
    "JAX trunc_normal": Turn("jax", TRUNCATED, 0),
    "oneMKL Philox uniform": Turn("mkl-philox", UNIFORM, 0),
    "oneMKL Philox normal": Turn("mkl-philox", NORMAL, 0),
    "oneMKL Philox Box-Muller normal": Turn("mkl-philox", BOX_MULLER, 0),
    "oneMKL SFMT uniform": Turn("mkl-sfmt", UNIFORM, 0),
    "oneMKL SFMT normal": Turn("mkl-sfmt", NORMAL, 0),
    "oneMKL SFMT Box-Muller normal": Turn("mkl-sfmt", BOX_MULLER, 0),
    "oneMKL ARS-5 uniform": Turn("mkl-ars5", UNIFORM, 0),
    "oneMKL ARS-5 normal": Turn("mkl-ars5", NORMAL, 0),
    "oneMKL ARS-5 Box-Muller normal": Turn("mkl-ars5", BOX_MULLER, 0),
}
# What is compared with what, in elements a second, and the ratio that fanin aims for.
RATIOS = [
    ("uniform f32", "limit uniform", 0.9),
    ("normal f32", "limit normal", 0.9),
    ("trunc_normal f32", "limit trunc_normal", 0.9),
    ("uniform f32, 16 MiB", "limit uniform, 16 MiB", 0.9),
    ("normal f32, 16 MiB", "limit normal, 16 MiB", 0.9),
    ("trunc_normal f32, 16 MiB", "limit trunc_normal, 16 MiB", 0.9),
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

# What a turn brings: NaN where there is no answer. The limit also says which of its kinds of stores was faster.
Answer = collections.namedtuple("Answer", "seconds elements bytes stores", defaults=(math.nan, 0, 0, ""))


class Bench:
    """`fanin bench`, asked for all cases of a size at once."""

    def __init__(self, build):
        self.program = build / "fanin"
        told = self.run(1 << 16, ["device_fill f32"])
        self.hello = {key: told.get(key) for key in ("fanin", "device", "driver", "compute_units")}

    def run(self, size, labels):
        runs = "15" if size <= SMALL else "3"
        only = "^(" + "|".join(labels) + ")$"
        command = [self.program, "bench", "--json", "--size", str(size), "--runs", runs, "--only", only]
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else {"results": []}

    def answers(self, size, labels):
        found = {
            " ".join(filter(None, (r["name"], r["dtype"]))): Answer(r["seconds_median"], r["elements"], r["bytes"])
            for r in self.run(size, labels)["results"]
        }
        return [found.get(label, Answer()) for label in labels]


class Contestant:
    """A process that answers a line with a line of JSON."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hello = json.loads(self.process.stdout.readline() or '{"missing": "did not start"}')

    def ask(self, what, elements, init):
        if "missing" in self.hello:
            return Answer()
        self.process.stdin.write(f"{what} {elements} {init}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or "{}")
        return Answer(answer.get("seconds", math.nan), elements, 4 * elements, answer.get("stores", ""))

    def answers(self, size, inits):
        """Of f32 tensors; an initializer "orthogonal" has its shape after a blank."""
        for init in inits:
            name, _, shape = init.partition(" ")
            elements = math.prod(map(int, shape.split("x"))) if shape else size // 4
            yield self.ask(name.partition(":")[0], elements, shape or init)


def open_contestants(build, peers, other_python):
    contestants = {"fanin": Bench(build), "limit": Contestant([build / "bench" / "bench_limit"])}
    for peer in peers:
        contestants[peer] = Contestant(["/usr/bin/python3", HERE / "peers.py", peer])
    for name, peer in OTHER_PEERS.items() if other_python else ():
        contestants[name] = Contestant([other_python, HERE / "peers.py", peer])
    for name, contestant in contestants.items():
        print(name + ":", ", ".join(f"{k} {v}" for k, v in contestant.hello.items()))
    if contestants["limit"].hello.get("different_bits", 1) != 0:
        sys.exit("the limit's bits differ from fanin's: nothing to compare")
    return contestants


def measure(contestants, turns, rounds):
    """By name, the answers of all rounds. Turns of one size and contestant are asked for together."""
    answers = {name: [] for name in turns}
    together = collections.defaultdict(list)
    for name, turn in turns.items():
        together[turn.bytes, turn.who].append(name)
    for number in range(rounds):
        for (size, who), names in together.items():
            if sys.stderr.isatty():
                print(f"\r\033[Kround {number + 1} of {rounds}: {who}", end="", file=sys.stderr, flush=True)
            asked = [turns[name].what for name in names]
            for name, answer in zip(names, contestants[who].answers(size, asked)):
                answers[name].append(answer)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return answers


def rates(answers):
    """Elements a second; of a process that writes none, processes a second as its peer's elements count."""
    return [(a.elements or 1 << 20) / a.seconds for a in answers]


def ratio(answers, a, b):
    return statistics.median(x / y for x, y in zip(rates(answers[a]), rates(answers[b])))


def stores_of(answers):
    """How often each kind of stores was the faster one, in words; "" of those who do not say."""
    counts = collections.Counter(a.stores for a in answers if a.stores)
    return ", ".join(f"{kind} stores {times} of {len(answers)}" for kind, times in counts.most_common())


def print_tables(answers):
    width = max(map(len, answers))
    print(f"\n{'':{width}} {'elements':>11} {'G elem/s':>9} {'min':>8} {'max':>8} {'GB/s':>7}")
    for name, all_rounds in answers.items():
        rate = [r / 1e9 for r in rates(all_rounds)]
        middle, one = statistics.median(rate), all_rounds[0]
        gigabytes = middle * one.bytes / (one.elements or 1)
        line = f"{name:{width}} {one.elements:11,} {middle:9.3f} {min(rate):8.3f} {max(rate):8.3f} {gigabytes:7.2f}"
        print(f"{line}  {stores_of(all_rounds)}".rstrip())
    print(f"\n{'':{width}} {'ratio':>8} {'target':>7}")
    for a, b, target in RATIOS:
        if a not in answers or b not in answers:
            continue
        value = ratio(answers, a, b)
        verdict = "met" if value >= target else "not met" if value == value else "not measured"
        print(f"{a:{width}} {value:8.2f} {target:7}  {verdict:12} of {b}")


def print_peers(answers):
    """One line for the limit and for each peer: G elem/s of the three distributions, and fanin's rate divided by it."""
    distributions = ("uniform", "normal", "trunc_normal")
    table = collections.defaultdict(dict)
    for name in answers:
        peer, _, distribution = name.rpartition(" ")
        if distribution in distributions:
            table[peer][distribution] = name

    def line(peer, names):
        for distribution in distributions:
            own, name = distribution + " f32", names.get(distribution)
            rate = statistics.median(rates(answers[name])) / 1e9 if name else math.nan
            over = f"{ratio(answers, own, name):7.2f}" if name and name != own else ""
            peer += f"{rate:9.3f} {over:7}" if rate == rate else f"{'-':>9} {'':7}"
        return peer.rstrip()

    width = max(map(len, table))
    print(f"\n{'G elem/s, and fanin / peer':{width}} " + " ".join(f"{d:>16}" for d in distributions))
    print(line(f"{'fanin':{width}}", {d: d + " f32" for d in distributions}))
    for peer, names in table.items():
        print(line(f"{peer:{width}}", names))


def print_matrices(contestants, rounds):
    who = ("fanin", "torch", "lapack")
    turns = {}
    for shape in MATRICES:
        turns["fanin", shape] = Turn("fanin", f"orthogonal_{shape} f32", 64 << 20)
        for peer in who[1:]:
            turns[peer, shape] = Turn(peer, f"orthogonal {shape}", 64 << 20)
    seconds = {name: [a.seconds for a in found] for name, found in measure(contestants, turns, rounds).items()}
    width = max(map(len, MATRICES))
    print(f"\n{'milliseconds':{width}} " + " ".join(f"{name:>9}" for name in who) + "  the peers' over fanin's")
    for shape in MATRICES:
        own = seconds["fanin", shape]
        ratios = [statistics.median(b / a for a, b in zip(own, seconds[peer, shape])) for peer in who[1:]]
        cells = " ".join(f"{statistics.median(seconds[name, shape]) * 1e3:9.2f}" for name in who)
        print(f"{shape:{width}} {cells}  " + ", ".join(f"{r:.1f}" for r in ratios))


def write_json(path, answers):
    def known(number):
        return number if number == number else None

    results = [
        {
            "name": name,
            "elements": found[0].elements,
            "elements_per_s": [known(r) for r in rates(found)],
            "stores": [a.stores for a in found if a.stores],
        }
        for name, found in answers.items()
    ]
    ratios = [
        {"name": a, "of": b, "target": t, "ratio": known(ratio(answers, a, b))}
        for a, b, t in RATIOS
        if a in answers and b in answers
    ]
    path.write_text(json.dumps({"results": results, "ratios": ratios}, indent=1) + "\n")


def plot(contestants, rounds, path):
    """Rates over sizes: FILE.csv beside FILE.svg, and the picture by gnuplot."""
    turns = {}
    for size in SIZES:
        for who in CURVES:
            linear = Turn(who, f"linear_{(size // 4).bit_length() - 1} f32", SIZES[-1])
            turns[who, size] = linear if who == "fanin" else Turn(who, UNIFORM, size)
    answers = measure(contestants, turns, rounds)
    table = path.with_suffix(".csv")
    with table.open("w") as out:
        print("bytes," + ",".join(CURVES), file=out)
        for size in SIZES:
            cells = [statistics.median(rates(answers[who, size])) * 4 / 1e9 for who in CURVES]
            print(f"{size}," + ",".join(f"{c:.4g}" for c in cells), file=out)
    subprocess.run(["gnuplot", "-e", f"data='{table}'; out='{path}'", HERE / "rate.gp"], check=True)
    print(f"\n{path} and {table}: GB/s over sizes")


def main():
    parser = argparse.ArgumentParser(description="fanin, the limit and the peers, in turns")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--mebibytes", type=int, default=256, help="of a tensor (default: 256)")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    peers = parser.add_mutually_exclusive_group()
    peers.add_argument("--no-peers", action="store_true", help="fanin and the limit alone; no matrices, no picture")
    peers.add_argument("--python", help="another Python, with peers of its own, such as VENV/bin/python")
    parser.add_argument("--json", type=pathlib.Path, help="every round's rates, to this file")
    parser.add_argument("--plot", type=pathlib.Path, help="rates over sizes, to this .svg file and a .csv beside it")
    o = parser.parse_args()
    if o.python and not shutil.which(o.python):
        parser.error(f"--python is '{o.python}', which cannot be run; expected a Python, such as VENV/bin/python")
    rows = TURNS | OTHER_TURNS if o.python else TURNS
    turns = {name: t if t.bytes else t._replace(bytes=o.mebibytes << 20) for name, t in rows.items()}
    contestants = open_contestants(o.build, () if o.no_peers else PEERS, o.python)
    turns = {name: t for name, t in turns.items() if t.who in contestants}
    answers = measure(contestants, turns, o.rounds)
    print(f"\nMedians of {o.rounds} round{'' if o.rounds == 1 else 's'}")
    print_tables(answers)
    print_peers(answers)
    if o.json:
        write_json(o.json, answers)
    if not o.no_peers:
        print_matrices(contestants, o.rounds)
        if o.plot:
            plot(contestants, o.rounds, o.plot)


if __name__ == "__main__":
    main()
