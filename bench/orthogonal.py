"""orthogonal.py: fanin's orthogonal matrices beside torch.nn.init.orthogonal_, of whichever PyTorch this Python has.

    PYTHONPATH=python FANIN_LIBRARY=build/libfanin.so python3 bench/orthogonal.py

Wall clock in turns, medians of seven; fanin's includes the copy to a NumPy array.
"""

import statistics
import time

import fanin
import torch

TURNS = 7


def seconds(make):
    time.sleep(0.3)  # until the other's threads, which wait busily for a while, are asleep
    start = time.perf_counter()
    make()
    return time.perf_counter() - start


def each(matrices):
    for matrix in matrices:
        torch.nn.init.orthogonal_(matrix)


print(f"{'':15} {'fanin':>9} {'torch':>9} {'ratio':>6}   milliseconds, torch {torch.__version__}")
for shape in (1024, 1024), (2048, 2048), (4096, 4096), (768, 3072), (1000, 64, 64):
    layout = "OI" if len(shape) == 2 else "BOI"
    matrices = torch.empty(shape if len(shape) == 3 else (1, *shape))
    turns = [
        lambda: fanin.array(shape, "orthogonal", seed=42, name="w", layout=layout),
        lambda: each(matrices),
    ]
    for turn in turns:  # the first compiles kernels
        turn()
    times = [[seconds(turn) for turn in turns] for _ in range(TURNS)]
    ours, theirs = (1e3 * statistics.median(column) for column in zip(*times))
    name = " x ".join(map(str, shape))
    print(f"{name:15} {ours:9.1f} {theirs:9.1f} {theirs / ours:6.2f}", flush=True)
