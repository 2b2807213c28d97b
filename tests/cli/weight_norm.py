"""What 'fanin init' should write where a tensor has the norms of another one, by docs/stream.md, section 10, in NumPy; knows
nothing of fanin but the roundings of replay.py.

  norms OUT G V [FILE]     OUT's tensor G has the norms of V, of OUT or FILE, to the bit, and a note says so
  normed OUT [SHAPE...] < LIST   a file of NAME DTYPE SHAPE lines: NAME_v with small numbers, and NAME_g of SHAPE with their
                           norms as a sum of squares in f32 gives them
  flip FILE OUT NAME       the same file, but for the last bit of the tensor's last element
  times FILE OUT NAME X    but for its numbers of f32, which are multiplied
"""

import math
import sys

import numpy as np

import around_mean
import keep


def norms(shape, x):
    """Of x, by squares that are summed up in the order of the elements; each operation is rounded once."""
    if len(shape) == 1 < x.ndim:  # a vector: of the first dimension
        shape = (*shape, *(1,) * (x.ndim - 1))
    kept = [d for d in range(x.ndim) if shape and shape[d] > 1]
    summed = [d for d in range(x.ndim) if d not in kept]
    slices = x.transpose(kept + summed).reshape(math.prod(x.shape[d] for d in kept), -1)
    squares = slices * slices
    return np.sqrt(np.add.accumulate(squares, axis=1)[:, -1])


def check(out, g, v, other=None):
    notes, tensors = keep.read(out)
    dtype, shape, data = tensors[g]
    v_dtype, v_shape, v_data = (keep.read(other)[1] if other else tensors)[v]
    x = around_mean.to_numbers(v_dtype, v_data).reshape(v_shape)
    with np.errstate(all="ignore"):
        wanted = around_mean.to_bytes(dtype, norms(shape, x))
    assert data == wanted, (g, data[:16].hex(), wanted[:16].hex())
    assert len(set(data)) > 1
    assert notes[f"fanin.norm_of.{g}"] == v and f"fanin.init.{g}" not in notes, notes


def make(path, shapes):
    tensors = []
    for line, g_shape in zip(sys.stdin, shapes):
        name, dtype, shape = line.split()
        shape, g_shape = ([int(n) for n in text.split("x")] if text else [] for text in (shape, g_shape))
        x = np.random.default_rng([ord(c) for c in name]).normal(size=shape).astype(np.float32)
        summed = tuple(d for d in range(len(shape)) if not g_shape or g_shape[d] == 1)
        g = np.sqrt(np.square(x).sum(summed, dtype=np.float32)).reshape(g_shape)
        tensors += [(f"{name}_g", dtype, g_shape, around_mean.to_bytes(dtype, g.astype(np.float64)))]
        tensors += [(f"{name}_v", dtype, shape, around_mean.to_bytes(dtype, x.astype(np.float64)))]
    keep.write_bytes(path, tensors, {})


def change(path, out, name, change_bytes):
    notes, tensors = keep.read(path)
    list_ = [(n, *t[:2], change_bytes(t[2]) if n == name else t[2]) for n, t in tensors.items()]
    keep.write_bytes(out, list_, notes)


def flipped(data):
    size = 4
    return data[:-size] + bytes([data[-size] ^ 1]) + data[-size + 1 :]


if __name__ == "__main__":
    what, arguments = sys.argv[1], sys.argv[2:]
    if what == "norms":
        check(*arguments)
    elif what == "normed":
        make(arguments[0], arguments[1:])
    elif what == "flip":
        change(*arguments, flipped)
    else:
        change(*arguments[:3], lambda data: (np.frombuffer(data, "<f4") * np.float32(arguments[3])).tobytes())
