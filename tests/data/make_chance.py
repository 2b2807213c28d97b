"""Writes chance.csv: tails of the gamma, chi-square, Poisson, Pearson III and correlation laws as normal deviates.

Run: python3 make_chance.py (needs SciPy and mpmath; the file in the tree comes from SciPy 1.15.3 and mpmath 1.3.0).
Rows: function, a, b, value. Logarithms are mpmath's where SciPy's probability would underflow.
"""

import random

import mpmath
import scipy
from scipy import special, stats

mpmath.mp.dps = 60
draw = random.Random(20251125)


def deviate(lower, upper):
    """The normal deviate of two tails, from the smaller one."""
    return stats.norm.isf(upper) if upper <= lower else -stats.norm.isf(lower)


def tails(shape, x):
    """SciPy's gammainc(1e8, .) is 30 % off six standard deviations out: there, the density integrated in mpmath."""
    if shape < 1e4:
        return special.gammainc(shape, x), special.gammaincc(shape, x)
    a, root = mpmath.mpf(shape), mpmath.sqrt(shape)
    density = lambda z: mpmath.exp((a - 1) * mpmath.log(a + root * z) - a - root * z - mpmath.loggamma(a)) * root
    z = (mpmath.mpf(x) - a) / root
    if z < -root / 2:
        return 0.0, 1.0
    upper = mpmath.quad(density, [z + k for k in range(0, 42, 2)])
    lower = mpmath.quad(density, [max(z - k, -root) for k in range(40, -1, -2)])
    return float(lower), float(upper)


def gammas():
    for shape in (0.5, 1.0, 1.5, 3.0, 10.0, 49.5, 127.5, 1000.0, 9999.0, 10000.0, 123456.0, 1e8):
        for z in (-6, -4.5, -2, -0.5, -0.001, 0, 0.01, 0.7, 2, 4.5, 6, 9):
            x = max(shape + z * shape**0.5, shape * 10 ** draw.uniform(-4, -1))
            yield shape, x


def main():
    with open("chance.csv", "w") as out:
        out.write(f"# SciPy {scipy.__version__}, mpmath {mpmath.__version__}; by make_chance.py\n")
        out.write("function,a,b,value\n")
        row = lambda name, a, b, value: out.write(f"{name},{a!r},{b!r},{float(value)!r}\n")
        for shape, x in gammas():
            lower, upper = tails(shape, x)
            if min(lower, upper) < 1e-290:
                continue
            row("gamma", shape, x, deviate(lower, upper))
            if shape < 1e4:
                row("log_lower", shape, x, mpmath.log(mpmath.gammainc(shape, 0, x, regularized=True)))
                row("log_upper", shape, x, mpmath.log(mpmath.gammainc(shape, x, regularized=True)))
        for degrees, x in ((1, 0.01), (1, 20), (4, 0.2), (9, 40), (255, 180), (255, 255), (255, 380), (1e6, 1.006e6)):
            row("chi_square", float(x), float(degrees), deviate(stats.chi2.cdf(x, degrees), stats.chi2.sf(x, degrees)))
        for count, mean in ((1, 1e-9), (1, 0.3), (2, 1e-4), (7, 0.5), (50, 20), (643, 403.74), (20000, 19000)):
            p = mpmath.gammainc(count, 0, mean, regularized=True)
            row("log_poisson", float(count), float(mean), mpmath.log(p))
        for z, skewness in ((-3, 0.1), (4, 0.1), (4.7, 0.6), (-1.9, 1), (6, 0.01), (3, -0.5), (-5, -0.3)):
            row("skewed", float(z), skewness, deviate(stats.pearson3.cdf(z, skewness), stats.pearson3.sf(z, skewness)))
        for r, n in ((0.3, 100), (-0.35, 256), (0.09, 4096), (0.002, 1e7), (0.9, 256), (0.01, 300)):
            t = r * ((n - 1) / (1 - r * r)) ** 0.5
            row("correlation", r, float(n), deviate(stats.t.cdf(t, n - 1), stats.t.sf(t, n - 1)))
        for z in (-30, -8, -3.1, -2.9, 0, 0.5, 3, 8, 24.9, 25.1, 37, 100, 900):
            tail = mpmath.erfc(abs(z) / mpmath.sqrt(2)) / 2
            log_tail = mpmath.log(tail) if z > 0 else mpmath.log1p(-tail)
            row("log_tail", float(z), 0.0, log_tail)


main()
