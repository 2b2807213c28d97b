"""What 'fanin init --resize ...:around_mean' should write, by docs/stream.md, section 9, in NumPy; knows nothing of fanin but
replay.py, which is written from the same page.

  make OUT.safetensors SEED [KEY=TEXT...] < LIST   a file of the tensors NAME DTYPE SHAPE, a line each: rows of dependent
                                                  numbers around a mean that is not 0; SHAPE may be followed by what to put
                                                  at one place, as in "5=nan"
  bits OUT OLD NAME DIMENSION SCALE SEED [STREAM]  OUT's tensor has OLD's numbers, and then the new ones, to the bit. The
                                                  stream is that of the name STREAM, else of NAME
  law OUT OLD NAME SCALE           the new rows of a matrix have the mean of the old ones and SCALE times their covariance
  tied OUT A B                     two tensors of a file have the same bytes
"""

import math
import os

import sys

import numpy as np

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.dirname(__file__), os.path.join(os.path.dirname(__file__), "..", "oracle")]
import keep
import replay

NAMES = {"F32": "f32", "F16": "f16", "BF16": "bf16", "F64": "f64", "F8_E4M3": "f8_e4m3", "F8_E5M2": "f8_e5m2"}
PLAIN = {"F32": np.float32, "F16": np.float16, "F64": np.float64}


def to_bytes(dtype, x):
    if dtype in PLAIN:
        return x.astype(PLAIN[dtype]).tobytes()
    bits = replay.bits_of(NAMES[dtype], np.where(np.isfinite(x), x, 0))
    if dtype == "BF16":
        bits = np.where(np.isfinite(x), bits, x.astype(np.float32).view(np.uint32) >> 16)
    return bits.astype(f"<u{keep.BITS[dtype] // 8}").tobytes()


def to_numbers(dtype, data):
    """As doubles. Narrow dtypes: by a table that is made by rounding each number of them."""
    if dtype in PLAIN:
        return np.frombuffer(data, PLAIN[dtype]).astype(np.float64)
    digits, smallest, largest, size = replay.DTYPES[NAMES[dtype]]
    table = np.full(1 << 8 * size, np.nan)
    steps = [k * 2.0**e for e in range(smallest, 128) for k in range(1 << digits) if k * 2.0**e <= largest]
    numbers = np.unique(np.array(steps))
    numbers = np.concatenate([numbers, -numbers])
    table[replay.bits_of(NAMES[dtype], numbers)] = numbers
    return table[np.frombuffer(data, f"<u{size}")]


def make(path, lines, seed, notes):
    tensors = []
    for line in lines:
        name, dtype, shape, *places = line.split()
        shape = [int(n) for n in shape.split("x")]
        source = np.random.default_rng([ord(c) for c in seed + name])
        x = source.normal(size=shape)
        x = 0.7 * np.roll(x, 1, -1) - 0.4 * x + 0.5 * x[:1] + source.normal(size=shape[1:])  # dependent, with a mean
        for place in places:
            index, value = place.split("=")
            x.flat[int(index)] = float(value)
        if dtype in ("I32", "BOOL"):
            data = bytes(math.prod(shape) * keep.BITS[dtype] // 8)
        elif dtype in PLAIN:
            data = x.astype(PLAIN[dtype]).tobytes()
        else:
            data = to_bytes(dtype, x)
        tensors.append((name, dtype, shape, data))
    keep.write_bytes(path, tensors, notes)


def blocks(shape, dimension, x):
    """(blocks, rows, width)"""
    return x.reshape(math.prod(shape[:dimension]), shape[dimension], math.prod(shape[dimension + 1 :]))


def new_rows(x, added, scale, seed, name):
    """Of kept rows (blocks, rows, width): as section 9 says it, each operation rounded once."""
    n = x.shape[1]
    key = seed, replay.fnv1a(name.encode() + b"\xffaround_mean")
    with np.errstate(all="ignore"):
        z = replay.normal(replay.Single, {"mean": 0, "std": 1}, key, np.arange(added * n, dtype=np.uint64))
    z = z.astype(np.float64).reshape(added, n)
    total = np.zeros((x.shape[0], x.shape[2]))
    for i in range(n):
        total = total + x[:, i]
    mean = total / n
    sums = np.zeros((x.shape[0], added, x.shape[2]))
    for i in range(n):
        sums = sums + z[:, i][None, :, None] * (x[:, i] - mean)[:, None, :]
    return mean[:, None, :] + np.sqrt(scale / n) * sums


def check_bits(out, old, name, dimension, scale, seed, stream=None):
    (dtype, shape, data), (_, kept, kept_data) = keep.read(out)[1][name], keep.read(old)[1][name]
    d = int(dimension)
    assert shape[d] > kept[d] and shape[:d] + shape[d + 1 :] == kept[:d] + kept[d + 1 :], (shape, kept)
    x = blocks(kept, d, to_numbers(dtype, kept_data))
    new = new_rows(x, shape[d] - kept[d], float(scale), int(seed), stream or name)
    old_bits = blocks(kept, d, np.frombuffer(kept_data, f"<u{keep.BITS[dtype] // 8}"))
    new_bits = np.frombuffer(to_bytes(dtype, new.ravel()), old_bits.dtype).reshape(new.shape)
    wanted = np.concatenate([old_bits, new_bits], 1)
    found = np.frombuffer(data, old_bits.dtype).reshape(wanted.shape)
    wrong = np.argwhere(found != wanted)
    assert (
        len(wrong) == 0
    ), f"{name}: {len(wrong)} of {wanted.size} differ, the first at {wrong[0]} (block, row, column)"
    if float(scale) > 0 and kept[d] > 1:
        assert len(np.unique(new[0], axis=0)) == len(new[0])


def check_law(out, old, name, scale):
    """The mean and the covariance of m new rows, given the n old ones, of which n divides the covariance S.

    sqrt(m) (mean - mu) / sd is standard normal; it is not so if the scale is 0. The covariance C of normals around a known
    mean has entries of variance (S_ii S_jj + S_ij^2) / m, nearly normal for m = 4,096. There are 8 + 36 of them, and each
    may be 5.2 standard errors off: by Gauss's law 2e-7 each, 1e-5 all together; the seed is fixed, so that it holds or
    not for ever.
    """
    (_, shape, data), (_, kept, kept_data) = keep.read(out)[1][name], keep.read(old)[1][name]
    x = to_numbers("F32", kept_data).reshape(kept)
    new, s = to_numbers("F32", data).reshape(shape)[kept[0] :], float(scale)
    mu, m = x.mean(0), shape[0] - kept[0]
    covariance = s * (x - mu).T @ (x - mu) / kept[0]
    z = math.sqrt(m) * (new.mean(0) - mu) / np.sqrt(np.diag(covariance))
    assert np.abs(z).max() < 5.2, f"mean: {z}"
    found = (new - mu).T @ (new - mu) / m
    error = np.sqrt((np.outer(np.diag(covariance), np.diag(covariance)) + covariance**2) / m)
    z = (found - covariance) / error
    assert np.abs(z).max() < 5.2, f"covariance: {z}"
    off = ~np.eye(len(mu), dtype=bool)
    assert np.abs(covariance / error)[off].max() > 15  # so that what is not on the diagonal counts


if __name__ == "__main__":
    what, arguments = sys.argv[1], sys.argv[2:]
    if what == "make":
        make(arguments[0], list(sys.stdin), arguments[1], dict(text.split("=", 1) for text in arguments[2:]))
    elif what == "bits":
        check_bits(*arguments)
    elif what == "law":
        check_law(*arguments)
    else:
        tensors = keep.read(arguments[0])[1]
        assert tensors[arguments[1]] == tensors[arguments[2]]
