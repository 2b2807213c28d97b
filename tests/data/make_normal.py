"""Writes normal.csv and truncated.csv: the normal distribution in 50 digits, rounded to 25.

Run: python3 make_normal.py (needs mpmath; the files in the tree come from mpmath 1.3.0).
"""

import random

import mpmath
from mpmath import mp, mpf

mp.dps = 50


def tail(z):
    return mpmath.erfc(z / mpmath.sqrt(2)) / 2


def log_tail(z):
    if z < 0:
        return mpmath.log1p(-tail(-z))
    if z < 1000:
        return mpmath.log(tail(z))
    # The asymptotic series' first term left out is below 1e-50 here.
    series, term = mpf(0), mpf(1)
    for n in range(20):
        series += term
        term *= -(2 * n + 1) / z**2
    return -z * z / 2 - mpmath.log(mpmath.sqrt(2 * mpmath.pi) * z) + mpmath.log(series)


def pdf(z):
    return mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi)


def truncated(a, b):
    """Mean, variance and fourth central moment by quadrature about the mode; a and b are doubles."""
    a, b = mpf(a), mpf(b)
    mode = a if a > 0 else b if b < 0 else mpf(0)
    reach = 400 / (abs(mode) + mpmath.sqrt(mode**2 + 400))  # the density has fallen to e^-200
    lo, hi = max(a - mode, -reach), min(b - mode, reach)
    points = [lo + (hi - lo) * k / 32 for k in range(33)]
    scale = hi - lo

    def moment(about, power):
        f = lambda u: ((u - about) / scale) ** power * mpmath.exp(-u * (mode + u / 2)) / scale
        return mpmath.quad(f, points) * scale**power

    mass = moment(0, 0)
    about = moment(0, 1) / mass
    return mode + about, moment(about, 2) / mass, moment(about, 4) / mass


def digits(x):
    return mpmath.nstr(x, 25, strip_zeros=False) if mpmath.isfinite(x) else str(x)


def points():
    """(function, its exact value, arguments): grids over the range and random points, all of them doubles."""
    draw = random.Random(20240229)
    uniform = lambda n, lo, hi: [draw.uniform(lo, hi) for _ in range(n)]
    powers = lambda n, lo, hi: [10 ** draw.uniform(lo, hi) for _ in range(n)]
    centre = uniform(60, -1.6, 1.6) + [-1.5, -0.75, 0.75, 1.0, 1.5]
    yield "exp", mpmath.exp, uniform(150, -708, 709.7) + uniform(100, -1, 1) + [1e-300, 0.34657359, -0.34657359]
    near_one = [1 - 2.0**-53, 1 + 2.0**-52, 0.7071067811865475, 0.7071067811865476, 1.4142135623730951]
    yield "log", mpmath.log, powers(150, -307, 308) + uniform(100, 0.5, 2) + [5e-324, 1e-310] + near_one
    yield "pdf", pdf, uniform(120, -37.5, 37.5) + centre
    yield "tail", tail, uniform(60, -8, 8) + uniform(120, 0, 37.5) + centre
    yield "log_tail", log_tail, uniform(60, -37, 37) + powers(100, -3, 15) + centre + [1e15, -20.0, 1e3, 38.0]


def main():
    provenance = f"# mpmath {mpmath.__version__}, {mp.dps} digits, rounded to 25; by make_normal.py\n"
    with open("normal.csv", "w") as out:
        out.write(provenance + "function,argument,value\n")
        for name, f, arguments in points():
            for x in arguments:
                out.write(f"{name},{x!r},{digits(f(mpf(x)))}\n")

    inf = float("inf")
    pairs = [(-k, k) for k in (0.5, 1.0, 2.0, 2.5, 3.0, 5.0, 10.0, 30.0)]
    pairs += [(-inf, inf), (0.0, inf), (-inf, 0.0), (30.0, inf), (-inf, -30.0), (40.0, 50.0), (-50.0, -40.0)]
    pairs += [(1.0, 1.0 + 1e-9), (-1e-8, 1e-8), (5.0, 5.1), (-1.0, 8.0), (-12.0, -1.0), (-inf, 3.0), (-0.1, 25.0)]
    pairs += [(1000.0, inf), (1e6, inf), (1e8, 1e8 + 1), (1e15, inf), (-1e308, 1e308), (1e-9, inf), (0.0, 1e-20)]
    draw = random.Random(7)
    for _ in range(20):
        a = draw.uniform(-20, 20)
        pairs.append((a, a + 10 ** draw.uniform(-6, 1.5)))
    with open("truncated.csv", "w") as out:
        out.write(provenance + "a,b,mean,variance,fourth_central\n")
        for a, b in pairs:
            mean, variance, fourth = truncated(a, b)
            mean = mpf(0) if a == -b else mean
            out.write(f"{a!r},{b!r},{digits(mean)},{digits(variance)},{digits(fourth)}\n")


main()
