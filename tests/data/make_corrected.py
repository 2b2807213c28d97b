"""Writes corrected.csv: the sigma for which N(mean, sigma^2) cut to the values [a, b] has a given std.

Run: python3 make_corrected.py (needs mpmath; the file in the tree comes from mpmath 1.3.0).
"""

import mpmath
from mpmath import mp, mpf

mp.dps = 40
INF = float("inf")

# a, b, mean, std
ROWS = [
    (-2.0, 2.0, 0.0, 0.02),
    (-2.0, 2.0, 0.0, 1.0),
    (-2.0, 2.0, 0.0, 1.15),
    (-0.04, 0.04, 0.0, 0.02),
    (-1.0, 3.0, 0.25, 0.9),
    (-1.0, 100.0, 0.0, 20.0),
    (0.0, INF, 0.0, 0.5),
    (1.0, INF, 0.0, 0.01),
    (1.0, INF, 0.0, 3.0),
    (-INF, -0.5, 0.1, 0.2),
    (5.0, 6.0, 0.0, 0.1),
    (5.0, 6.0, 0.0, 0.288),
    (-7.0, -6.5, 2.0, 0.05),
    (-INF, INF, 1.0, 0.3),
    (-1e-3, 2.5e-3, 1e-3, 6e-4),
]


def truncated_std(sigma, a, b, mean):
    """By quadrature, about the density's mode."""
    lo, hi = (mpf(a) - mean) / sigma, (mpf(b) - mean) / sigma
    mode = lo if lo > 0 else hi if hi < 0 else mpf(0)
    reach = 260 / (abs(mode) + mpmath.sqrt(mode**2 + 260))  # the density has fallen to e^-130
    low, high = max(lo - mode, -reach), min(hi - mode, reach)
    points = [low + (high - low) * k / 16 for k in range(17)]

    def moment(about, power):
        return mpmath.quad(lambda u: (u - about) ** power * mpmath.exp(-u * (mode + u / 2)), points)

    mass = moment(0, 0)
    about = moment(0, 1) / mass
    return sigma * mpmath.sqrt(moment(about, 2) / mass)


def solve(a, b, mean, std):
    low = high = mpf(std)
    while truncated_std(high, a, b, mean) < std:
        low, high = high, high * 2
    if low == high:
        return high
    f = lambda sigma: truncated_std(sigma, a, b, mean) - std
    return mpmath.findroot(f, (low, high), solver="anderson", tol=mpf(10) ** -50)


def main():
    with open("corrected.csv", "w") as out:
        out.write(f"# mpmath {mpmath.__version__}, {mp.dps} digits, rounded to 20; by make_corrected.py\n")
        out.write("a,b,mean,std,sigma\n")
        for a, b, mean, std in ROWS:
            sigma = solve(a, b, mpf(mean), mpf(std))
            out.write(f"{a!r},{b!r},{mean!r},{std!r},{mpmath.nstr(sigma, 20)}\n")


main()
