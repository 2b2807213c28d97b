#!/usr/bin/env python3
"""Times fanin, the limit and the peers in turns, one round after another, and prints a table of medians and ratios.

usage: rotate.py CONTEST [MEBIBYTES [ROUNDS]]

CONTEST is build/bench/bench_contest; the peers that are installed answer through bench/peers.py. All turns of a round
share the machine's mood, so that ratios are medians of the rounds' ratios.
"""
import json
import pathlib
import statistics
import subprocess
import sys

UNIFORM, NORMAL, TRUNCATED = "uniform:lo=-0.05,hi=0.05", "normal:std=0.02", "trunc_normal:std=0.02"
# contestant, what it is asked for, dtype, initialiser, what it is compared with, the target of the ratio
CASES = [
    ("fanin", "limit", "f32", UNIFORM, None, None),
    ("fanin", "device", "f32", "zeros", None, None),
    ("fanin", "fill", "f32", UNIFORM, 0, 0.85),
    ("fanin", "fill", "f32", NORMAL, 0, 0.55),
    ("fanin", "fill", "f32", TRUNCATED, 0, 0.55),
    ("fanin", "fill", "f16", UNIFORM, 2, 0.8),
    ("fanin", "fill", "bf16", UNIFORM, 2, 0.8),
    ("fanin", "fill", "f32", "zeros", 1, 0.9),
    ("torch", "fill", "f32", "uniform", None, None),
    ("fanin", "fill", "f32", UNIFORM, 8, 10),
    ("torch", "fill", "f32", "normal", None, None),
    ("fanin", "fill", "f32", NORMAL, 10, 7),
    ("torch", "fill", "f32", "trunc_normal", None, None),
    ("fanin", "fill", "f32", TRUNCATED, 12, 60),
    ("numpy", "fill", "f32", "uniform", None, None),
    ("pyopencl", "fill", "f32", "uniform", None, None),
]


class Contestant:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hello = json.loads(self.process.stdout.readline() or '{"error": "did not start"}')
        self.works = "error" not in self.hello and "missing" not in self.hello

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline() or "{}")


def main():
    contest = sys.argv[1]
    mebibytes = int(sys.argv[2]) if len(sys.argv) > 2 else 256
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    peers = str(pathlib.Path(__file__).with_name("peers.py"))
    contestants = {"fanin": Contestant([contest, str(mebibytes << 20)])}
    for name in ("torch", "numpy", "pyopencl"):
        contestants[name] = Contestant(["/usr/bin/python3", peers, name])
    for name, contestant in contestants.items():
        print(name + ":", ", ".join(f"{k} {v}" for k, v in contestant.hello.items()))
    if contestants["fanin"].hello.get("different_bits", 1) != 0:
        sys.exit("the limit's bits differ from fanin's: nothing to compare")

    elements = mebibytes << 18
    rates = [[] for _ in CASES]  # elements a second, a round
    for _ in range(rounds):
        for k, (name, what, dtype, init, _, _) in enumerate(CASES):
            answer = contestants[name].ask(f"{what} {dtype} {elements} {init}") if contestants[name].works else {}
            seconds = answer.get("seconds")
            rates[k].append(answer.get("elements", elements) / seconds if seconds else float("nan"))
    print(f"\n{elements} elements, medians of {rounds} rounds\n")
    print(f"{'who':9} {'what':7} {'dtype':5} {'init':25} {'Gelements/s':>11}  ratio")
    for k, (name, what, dtype, init, base, target) in enumerate(CASES):
        rate = statistics.median(rates[k]) / 1e9
        line = f"{name:9} {what:7} {dtype:5} {init:25} {rate:11.3f}"
        if base is not None:
            ratio = statistics.median(a / b for a, b in zip(rates[k], rates[base]))
            verdict = "met" if ratio >= target else "not met" if ratio == ratio else "not measured"
            line += f"  {ratio:.2f} of {CASES[base][0]} {CASES[base][1]} {CASES[base][3]}; target {target}: {verdict}"
        print(line)


if __name__ == "__main__":
    main()
