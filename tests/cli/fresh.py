"""fresh.py FAULT FROM TO: plants a fault in a checkpoint of tests/data/fresh, and prints the name of the tensor that must be
named for it. Without arguments, the names of the faults.

Each function below changes x, the largest matrix of the file, as one row for each output; `z` has its values in units of
their standard deviation. Those whose names begin with "norm" or "bias" get a norm's weight or a bias instead."""

import json
import struct
import sys

import numpy as np

draw = np.random.default_rng(1)


def wide(x, z):
    return 1.25 * x


def narrow(x, z):
    return x / 1.25


def ten_times(x, z):
    return 10 * x


def other_fan(x, z):
    """The std of fan_out in place of that of fan_in."""
    return x * np.sqrt(x.shape[1] / x.shape[0])


def moved_mean(x, z):
    return x + 0.2 * x.std()


def all_zeros(x, z):
    return 0 * x


def all_the_same(x, z):
    return 0 * x + 0.01


def all_positive(x, z):
    return np.abs(x)


def dead_row(x, z):
    x[1] = 0
    return x


def dead_column(x, z):
    x[:, 1] = 0
    return x


def loud_row(x, z):
    x[2] *= 4
    return x


def tied_rows(x, z):
    x[5] = x[2]
    return x


def low_rank(x, z):
    a, b = draw.normal(size=(x.shape[0], 4)), draw.normal(size=(4, x.shape[1]))
    return a @ b * (x.std() / 2)


def outlier(x, z):
    x[1, 1] = 30 * x.std()
    return x


def not_a_number(x, z):
    x[3, 3] = np.nan
    return x


def infinite(x, z):
    x[0, 0] = np.inf
    return x


def clipped(x, z):
    return np.clip(x, -x.std(), x.std())


def two_points(x, z):
    return np.sign(x) * x.std()


def heavy_tails(x, z):
    return z**3 * x.std() / np.sqrt(15)


def few_values(x, z):
    return np.round(z) * x.std()


def in_order(x, z):
    return np.sort(x, axis=None).reshape(x.shape)


def echo(x, z):
    """Each element is correlated with the one before."""
    flat = x.ravel()
    return (np.sqrt(0.75) * flat + 0.5 * np.roll(flat, 1)).reshape(x.shape)


def half_trained(x, z):
    """A direction that training has found, as strong as the noise."""
    return x + np.outer(np.ones(x.shape[0]), draw.normal(size=x.shape[1])) * x.std()


def norm_of_zeros(x, z):
    return 0 * x if (x != 0).all() else x + 1


def bias_that_moved(x, z):
    return x + draw.uniform(-0.5, 0.5, size=x.shape)


FAULTS = [
    f
    for name, f in list(globals().items())
    if getattr(f, "__code__", None) and f.__code__.co_varnames[:2] == ("x", "z")
]


def read(path):
    data = open(path, "rb").read()
    size = struct.unpack_from("<Q", data)[0]
    header, data = json.loads(data[8 : 8 + size]), bytearray(data[8 + size :])
    return header, data


def values(header, data, name):
    begin, end = header[name]["data_offsets"]
    return np.frombuffer(data, "<f4", (end - begin) // 4, begin).reshape(header[name]["shape"]).astype(float)


def victim(fault, header, data):
    floats = {n: e for n, e in header.items() if n != "__metadata__" and e["dtype"] == "F32"}
    size = lambda n: np.prod(floats[n]["shape"])
    if fault.__name__.startswith("norm"):
        norms = ("norm", "ln_", "bn")
        return next(
            n
            for n in floats
            if n.endswith("weight") and len(floats[n]["shape"]) == 1 and any(a in n.lower() for a in norms)
        )
    if fault.__name__.startswith("bias"):
        return next((n for n in floats if n.endswith("bias") and not values(header, data, n).any()), None)
    apart = ("embed", "wte", "wpe", "shared", "lm_head", "decoder.weight")  # tables, some of which have a padding row
    return max((n for n in floats if len(floats[n]["shape"]) >= 2 and not any(a in n for a in apart)), key=size)


def main():
    if len(sys.argv) == 1:
        print(*[f.__name__ for f in FAULTS])
        return
    fault = next(f for f in FAULTS if f.__name__ == sys.argv[1])
    header, data = read(sys.argv[2])
    name = victim(fault, header, data)
    if name is None:
        return  # there is no such tensor
    x = values(header, data, name)
    rows = x.reshape(len(x), -1)
    with np.errstate(all="ignore"):
        changed = fault(rows.copy(), (rows - rows.mean()) / rows.std())
    begin, end = header[name]["data_offsets"]
    data[begin:end] = changed.astype("<f4").tobytes()
    text = json.dumps(header).encode()
    with open(sys.argv[3], "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)
    print(name)


main()
