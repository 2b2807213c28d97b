"""Writes where q and c settle and the edge of chaos, by SciPy's root finders on make_moments.py's double functions:
  edges.csv         sigma_w^2 with chi(q*) = 1 for a given sigma_b^2, and q*
  fixed_points.csv  all fixed points q* of sigma_w^2 V(q) + sigma_b^2, with chi and the stable c* in [0, 1]

Run: python3 make_fixed_points.py (needs what make_moments.py does).
"""

import numpy as np
import scipy
from scipy.optimize import brentq

import make_moments as moments

SETTINGS = [(1.5, 0.0), (1.5, 0.1), (2.5, 0.05), (4.0, 0.5), (0.3, 1.0)]


def mean_square(name, k, q):
    kinks = np.array(moments.KINKS.get(name, [0]), dtype=float)
    x, w = moments.grid(kinks / np.sqrt(q), min(1 / np.sqrt(q), 1) / 4)
    return w @ (moments.NUMPY[name][k](np.sqrt(q) * x) ** 2 * np.exp(-0.5 * x * x)) / np.sqrt(2 * np.pi)


def roots(f):
    q = np.logspace(-9, 9, 361)
    y = np.array([f(x) for x in q])
    y[np.abs(y) < 1e-11] = 0
    signs = [(x, np.sign(v)) for x, v in zip(q, y) if v != 0]
    return [brentq(f, a[0], b[0], xtol=1e-15, rtol=1e-13) for a, b in zip(signs, signs[1:]) if a[1] != b[1]]


def stable_c(name, q, sigma_w2, sigma_b2):
    f = lambda c: (sigma_w2 * moments.correlation(name, q, q, c)[0] + sigma_b2) / q - c
    return brentq(f, 1e-9, 1 - 1e-5, xtol=1e-11, rtol=1e-11)


def main():
    versions = f"# NumPy {np.__version__}, SciPy {scipy.__version__}; by make_fixed_points.py\n"
    names = [name for name in moments.FUNCTIONS if name not in ("linear", "relu", "leaky_relu")]
    with open("edges.csv", "w") as out:
        out.write(versions + "activation,sigma_b2,sigma_w2,q\n")
        for name in names:
            for sigma_b2 in [0.01, 0.05, 0.3]:
                excess = lambda q: 1 - sigma_b2 / q - mean_square(name, 0, q) / mean_square(name, 1, q) / q
                for q in roots(excess):
                    out.write(f"{name},{sigma_b2},{1 / mean_square(name, 1, q):.12g},{q:.12g}\n")
    with open("fixed_points.csv", "w") as out:
        out.write(versions + "activation,sigma_w2,sigma_b2,q,chi,c\n")
        for name in names:
            for sigma_w2, sigma_b2 in SETTINGS:
                for q in roots(lambda q: (sigma_w2 * mean_square(name, 0, q) + sigma_b2) / q - 1):
                    chi = sigma_w2 * mean_square(name, 1, q)
                    odd = name in ("tanh", "softsign") and sigma_b2 == 0
                    c = 0.0 if odd and chi > 1 else stable_c(name, q, sigma_w2, sigma_b2) if chi > 1 + 1e-4 else 1.0
                    out.write(f"{name},{sigma_w2},{sigma_b2},{q:.12g},{chi:.12g},{c:.9g}\n")


main()
