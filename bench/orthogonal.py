#!/usr/bin/env python3
"""Times orthogonal matrices, fanin and the peers in turns as bench/rotate.py does, and prints a table of medians.

usage: orthogonal.py BUILD [--rounds N] [SHAPE...]

SHAPE is 768x3072, or a stack as 1000x64x64. PyTorch and LAPACK are as fast as the BLAS that they find: which one that
is, the first lines say.
"""
import argparse
import math
import pathlib
import statistics

from rotate import HERE, Contestant, Turn, measure

SHAPES = ("512x512", "1024x1024", "2048x2048", "4096x4096", "768x3072", "1000x64x64")
PEERS = ("torch", "lapack")


def main():
    parser = argparse.ArgumentParser(description="orthogonal matrices: fanin and the peers, in turns")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("shapes", nargs="*", default=SHAPES)
    o = parser.parse_intermixed_args()
    elements = {shape: math.prod(int(n) for n in shape.split("x")) for shape in o.shapes}
    contestants = {"fanin": Contestant([o.build / "bench_contest", str(4 * max(elements.values()))])}
    for peer in PEERS:
        contestants[peer] = Contestant(["/usr/bin/python3", HERE / "peers.py", peer])
    for name, contestant in contestants.items():
        print(name + ":", ", ".join(f"{k} {v}" for k, v in contestant.hello.items()))
    turns = {
        f"{who} {shape}": Turn(who, "orthogonal", "f32", elements[shape], shape)
        for shape in o.shapes
        for who in contestants
    }
    rates = measure(contestants, turns, o.rounds)
    width = max(map(len, o.shapes))
    print(f"\n{'milliseconds':{width}} " + " ".join(f"{who:>9}" for who in contestants) + "  ratios")
    for shape in o.shapes:
        seconds = {who: [elements[shape] / r for r in rates[f"{who} {shape}"]] for who in contestants}
        ratios = [statistics.median(b / a for a, b in zip(seconds["fanin"], seconds[peer])) for peer in PEERS]
        cells = " ".join(f"{statistics.median(s) * 1e3:9.2f}" for s in seconds.values())
        print(f"{shape:{width}} {cells}  " + ", ".join(f"{r:.1f}" for r in ratios))


if __name__ == "__main__":
    main()
