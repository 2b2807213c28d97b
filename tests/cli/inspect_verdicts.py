"""inspect_verdicts.py CASE OUT: writes a file for tests/cli/inspect_verdicts.sh, without metadata but for `note`."""

import json
import math
import random
import struct
import sys

draw = random.Random(12)


def uniform(n, bound):
    return [draw.uniform(-bound, bound) for _ in range(n)]


def normal(n, std):
    return [draw.gauss(0, std) for _ in range(n)]


def linear(change=None, rows=200, columns=300):
    """A fresh nn.Linear(300, 200), whose weight is then changed in place."""
    w, b = uniform(rows * columns, columns**-0.5), uniform(rows, columns**-0.5)
    if change:
        w = change(w) or w
    return {"fc.weight": ([rows, columns], w), "fc.bias": ([rows], b)}


def put(at, values):
    def change(w):
        w[at : at + len(values)] = values

    return change


def product(rank):
    def change(w):
        a, b = normal(200 * rank, 1), normal(300 * rank, 1)
        scale = 300**-0.5 / math.sqrt(3 * rank)
        dot = lambda r, c: sum(a[r * rank + k] * b[c * rank + k] for k in range(rank))
        return [scale * dot(r, c) for r in range(200) for c in range(300)]

    return change


def orthogonalised():
    """What is as long as an orthogonal matrix, and not orthogonal."""
    w = normal(64 * 64, 1)
    rms = math.sqrt(sum(x * x for x in w) / len(w)) * 8
    return {"w": ([64, 64], [x / rms for x in w])}


EMBEDDING = lambda: [0.0] * 64 + normal(999 * 64, 0.02)
TABLE = [math.log(k + 1) for _ in range(256) for k in range(16)]
INV_FREQ = [10000 ** (-k / 64) for k in range(64)]

CASES = {
    "fresh": linear,
    "zeros": lambda: linear(lambda w: [0.0] * len(w)),
    "constant": lambda: linear(lambda w: [0.01] * len(w)),
    "ten_times": lambda: linear(lambda w: [10 * x for x in w]),
    "dead_row": lambda: linear(put(300 * 7, [0.0] * 300)),
    "dead_column": lambda: linear(lambda w: [0.0 if k % 300 == 11 else x for k, x in enumerate(w)]),
    "outlier": lambda: linear(put(3 * 300 + 4, [5.0])),
    "rank_4": lambda: linear(product(4)),
    "rank_40": lambda: linear(product(40)),
    "fan_out": lambda: linear(lambda w: uniform(len(w), 200**-0.5)),
    "repeated_row": lambda: linear(lambda w: w[:600] + w[:300] + w[900:]),
    "equal_elements": lambda: linear(put(300 * 9, [0.01] * 300)),
    "negative_zeros": lambda: linear(put(300 * 5, [-0.0] * 300)),
    "copied": lambda: (lambda w: {"a": ([50, 40], w), "b": ([50, 40], w)})(normal(2000, 1)),
    "doubled": lambda: (lambda w: {"a": ([50, 40], w), "b": ([50, 40], [2 * x for x in w])})(normal(2000, 1)),
    "scalars": lambda: {"far": ([], [1e30]), "near": ([], [0.7]), "none": ([0, 4], [])},
    "padding": lambda: {"embed.weight": ([1000, 64], EMBEDDING())},
    "tables": lambda: {"a.A_log": ([256, 16], TABLE), "b.A_log": ([256, 16], TABLE), "c.A_log": ([256, 16], TABLE)},
    "buffers": lambda: {"a.inv_freq": ([64], INV_FREQ), "b.inv_freq": ([64], INV_FREQ)},
    "tied": lambda: (lambda w: {"embed.weight": ([300, 40], w), "lm_emb.weight": ([300, 40], w)})(normal(12000, 1)),
    "untied": lambda: (lambda w: {"embed.weight": ([300, 40], w), "lm_emb.weight": ([300, 40], w[:-1] + [0.5])})(
        normal(12000, 1)
    ),
    "lstm": lambda: {
        "rnn.weight_ih_l0": ([512, 256], uniform(512 * 256, 128**-0.5)),
        "rnn.weight_hh_l0": ([512, 128], uniform(512 * 128, 128**-0.5)),
    },
    "mobilenet": lambda: {"c.weight": ([240, 960, 1, 1], normal(240 * 960, (2 / 240) ** 0.5))},
    "orthogonalised": orthogonalised,
    "permuted": lambda: {"w": ([8, 8], [float(c == (r + 1) % 8) for r in range(8) for c in range(8)])},
    "fp8_nan": lambda: {"w": ([8, 8], bytes([0x7F]) * 64, "F8_E4M3"), "v": ([8, 8], bytes([0x7E]) * 64, "F8_E5M2")},
    "fp8_other": lambda: {"w": ([8, 8], bytes([0xFF]) * 64, "F8_E8M0")},
}


def main():
    case, path = sys.argv[1:3]
    header, data = {}, b""
    if len(sys.argv) > 3:
        header["__metadata__"] = json.loads(sys.argv[3])
    for name, (shape, values, *dtype) in CASES[case]().items():
        own = values if dtype else struct.pack(f"<{len(values)}f", *values)
        header[name] = {
            "dtype": (dtype or ["F32"])[0],
            "shape": shape,
            "data_offsets": [len(data), len(data) + len(own)],
        }
        data += own
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)


main()
