"""Writes patterns.csv: matrices of ZerO, and taps of bilinear upsampling.

Rows `hadamard,O,I,c,signs`: algorithm 1 of Zhao, Schaefer & Anandkumar 2022 as it stands, partial identity times
Hadamard matrix (built by recursion) times partial identity; row-major, `+`, `-` and `0` times c. Rows `bilinear,D,H,W,
weights`: the filter of Long, Shelhamer & Darrell 2015 as the outer product of interpolation weights, row-major.

Run: python3 make_patterns.py (needs NumPy; the file in the tree comes from 1.24.2).
"""

import math

import numpy as np

SHAPES = [(1, 1), (2, 1), (3, 1), (3, 2), (4, 3), (5, 3), (8, 4), (9, 8), (17, 9), (32, 16), (33, 20), (5, 5), (3, 7)]
TAPS = [(1, 1, 1), (1, 1, 2), (1, 1, 3), (1, 1, 16), (1, 2, 2), (1, 3, 3), (1, 4, 4), (1, 5, 4), (3, 4, 2), (2, 3, 5)]


def hadamard(m):
    """Of 2^m rows (equation 3)."""
    if m == 0:
        return np.ones((1, 1))
    h = hadamard(m - 1)
    return np.block([[h, h], [h, -h]])


def partial_identity(rows, columns):
    """Definition 1."""
    out = np.zeros((rows, columns))
    k = min(rows, columns)
    out[:k, :k] = np.eye(k)
    return out


def zero(outputs, inputs):
    """The matrix, and its factor c."""
    if outputs <= inputs:
        return partial_identity(outputs, inputs), 1.0
    m = math.ceil(math.log2(outputs))
    size = 2**m
    signs = partial_identity(outputs, size) @ hadamard(m) @ partial_identity(size, inputs)
    return signs, 2.0 ** (-(m - 1) / 2)


def interpolation(k):
    """Weights of an upsampled unit impulse, as FCN's programs compute them: centre and slope by parity."""
    factor = (k + 1) // 2
    centre = factor - 1 if k % 2 == 1 else factor - 0.5
    return 1 - np.abs(np.arange(k) - centre) / factor


with open("patterns.csv", "w") as file:
    file.write("# Made by make_patterns.py.\nkind,a,b,c,values\n")
    for outputs, inputs in SHAPES:
        signs, c = zero(outputs, inputs)
        text = "".join({1: "+", -1: "-", 0: "0"}[int(s)] for s in signs.ravel())
        file.write(f"hadamard,{outputs},{inputs},{c!r},{text}\n")
    for d, h, w in TAPS:
        weights = np.einsum("i,j,k->ijk", interpolation(d), interpolation(h), interpolation(w)).ravel()
        file.write(f"bilinear,{d},{h},{w},{' '.join(repr(float(x)) for x in weights)}\n")
