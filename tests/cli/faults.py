"""faults.py FAULT FROM TO: plants a fault in a file that 'fanin init' wrote, and prints the words that must name it.

Each function below changes `t`, arrays of numbers by tensor (f32 as numbers, 16-bit types as their bits), or `h`, the
header, and returns the words. With '-' before its name, the file also loses its metadata, as if others had written it.
"""

import array
import json
import math
import random
import struct
import sys

SIGMA = 0.1  # of 'n', 200 x 500 from normal:std=0.1
draw = random.Random(1)


def wide_std(h, t):
    t["n"] = [x * 1.03 for x in t["n"]]
    return "n: std: "


def moved_mean(h, t):
    t["n"] = [x + 0.02 * SIGMA for x in t["n"]]
    return "n: mean: "


def skewed(h, t):
    t["n"] = [SIGMA * (z + 0.02 * (z * z - 1)) for z in (x / SIGMA for x in t["n"])]
    return "n: skewness: "


def heavy_shoulders(h, t):
    t["n"] = [SIGMA * (z + 0.01 * (z * z * z - 3 * z)) for z in (x / SIGMA for x in t["n"])]
    return "n: excess kurtosis: "


def coarse_uniforms(h, t):
    """Box-Muller from 11-bit uniforms stops at 3.9 sigma; beyond are 9 in 10^5."""
    u = lambda: (draw.randrange(2048) + 1) / 2048
    t["large"] = [math.sqrt(-2 * math.log(u())) * math.cos(2 * math.pi * u()) for _ in t["large"]]
    return "large: minimum: -3.905, the tail stops too early"


def redrawn_tail(h, t):
    t["large"] = [x if abs(x) < 4 else draw.gauss(0, 1) for x in t["large"]]
    return "the tail stops too early"


def outlier(h, t):
    t["n"][77] = 8 * SIGMA
    return "n: maximum: 0.8, too far out"


def best_of_four(h, t):
    """Redraws that give up after four leave 4.3e-6 of the values outside of 2 sigma."""
    std = max(t["cut"]) / 2
    for k in (17, 40000):
        t["cut"][k] = 2.4 * std
    return "cut: maximum: "


def clipped(h, t):
    t["n"] = [min(max(x, -2 * SIGMA), 2 * SIGMA) for x in t["n"]]
    return "also minimum, maximum, mode, kurtosis, distribution"


def dropped(h, t):
    t["n"] = [0 if draw.random() < 1e-3 else x for x in t["n"]]
    return "n: count of exact zeros: "


def triangular(h, t):
    """The same mean and variance, another shape."""
    t["u"] = [(draw.random() - draw.random()) / math.sqrt(2) for _ in t["u"]]
    return "kurtosis, distribution"


def tied_row(h, t):
    t["n"][500 * 7 : 500 * 8] = t["n"][500 * 3 : 500 * 4]
    return "n: count of rows that repeat another: 1, expected 0 (row 7 is row 3)"


def tied_rows(h, t):
    t["n"][50000:] = t["n"][:50000]
    return "n: count of rows that repeat another: 100, expected 0"


def tied_column(h, t):
    t["n"][9::500] = t["n"][2::500]
    return "n: count of columns that repeat another: 1, expected 0 (column 9 is column 2)"


def row_offsets(h, t):
    for r in range(200):
        offset = draw.gauss(0, 0.1 * SIGMA)
        t["n"][500 * r : 500 * r + 500] = [x + offset for x in t["n"][500 * r : 500 * r + 500]]
    return "n: chi-square of the row sums: "


def balanced_columns(h, t):
    for c in range(500):
        mean = sum(t["n"][c::500]) / 200
        t["n"][c::500] = [x - mean for x in t["n"][c::500]]
    return "n: chi-square of the column sums: "


def echo(h, t):
    for apart in (1,):
        t["n"] = [a + 0.05 * b for a, b in zip(t["n"], t["n"][apart:] + t["n"][:apart])]
    return "n: correlation of elements 1 apart: 0.05"


def row_echo(h, t):
    t["n"] = [a + 0.05 * b for a, b in zip(t["n"], t["n"][500:] + t["n"][:500])]
    return "n: correlation of elements one row apart: 0.05"


def copy(h, t):
    h["copy"], t["copy"] = h["n"], t["n"]
    for key in ("init", "layout"):
        if f"fanin.{key}.n" in h["__metadata__"]:
            h["__metadata__"][f"fanin.{key}.copy"] = h["__metadata__"][f"fanin.{key}.n"]
    return "copy: is a copy of n, bit for bit"


def transposed_copy(h, t):
    copy(h, t)
    h["copy"] = dict(h["n"], shape=[500, 200])
    t["copy"] = [t["n"][500 * r + c] for c in range(500) for r in range(200)]
    return "copy: is a transposed copy of n, bit for bit"


def repeated_stream(h, t):
    """A narrower tensor of another size from the same stream, sign flipped."""
    t["other"] = [-x / SIGMA for x in t["n"][: len(t["other"])]]
    return "other: correlation -1.0000 with n, of their first 4096 elements"


def not_a_number(h, t):
    t["n"][99999] = math.nan
    return "n: 1 of its 100000 values is not finite"


def few_values(h, t):
    """bf16 normals from 7-bit uniforms: 128 radii and angles."""
    bits = lambda x: struct.unpack("<I", struct.pack("<f", x))[0] + 0x8000 >> 16
    radii = [math.sqrt(-2 * math.log((k + 0.5) / 128)) for k in range(128)]
    t["b"] = [bits(draw.choice(radii) * math.cos(2 * math.pi * draw.randrange(128) / 128)) for _ in t["b"]]
    return "b: "


def constant_output(h, t):
    t["n"] = [0.05] * len(t["n"])
    return "n: std: 0, "


TYPES = {"F32": "f", "BF16": "H"}


def read(path):
    data = open(path, "rb").read()
    size = struct.unpack_from("<Q", data)[0]
    h, data = json.loads(data[8 : 8 + size]), data[8 + size :]
    names = [name for name in h if name != "__metadata__"]
    part = lambda e: array.array(TYPES[e["dtype"]], data[e["data_offsets"][0] : e["data_offsets"][1]]).tolist()
    return h, {name: part(h[name]) for name in names}


def write(path, h, t):
    header, data = {}, b""
    if "__metadata__" in h:
        header["__metadata__"] = h["__metadata__"]
    for name in t:
        own = array.array(TYPES[h[name]["dtype"]], t[name]).tobytes()
        header[name] = dict(h[name], data_offsets=[len(data), len(data) + len(own)])
        data += own
    text = json.dumps(header).encode()
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)


def main():
    fault, source, target = sys.argv[1:]
    h, t = read(source)
    words = globals()[fault.lstrip("-")](h, t)
    if fault.startswith("-"):
        del h["__metadata__"]
    write(target, h, t)
    print(words)


main()
