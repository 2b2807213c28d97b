#!/usr/bin/env python3
"""Finds the polynomials of docs/stream.md, minimax fits by Remez's exchange in 50 digits, rounded to f32 or f64; and that
of host/math/normal.c, a series of Chebyshev polynomials.

Needs mpmath (pip install mpmath). Prints each polynomial's relative error and its coefficients; the stream is frozen, so
this documents where its numbers come from and is not part of any build.
"""
import mpmath as mp

mp.mp.dps = 50
SQRT2 = mp.sqrt(2)


def remez(f, lo, hi, degree, weight, rounds=10):
    """The polynomial p of the degree with the least max |weight (p - f)| on [lo, hi], and that maximum."""
    lo, hi, n = mp.mpf(lo), mp.mpf(hi), degree + 2
    middle, half = (lo + hi) / 2, (hi - lo) / 2
    points = [middle - half * mp.cos(mp.pi * k / (n - 1)) for k in range(n)]
    grid = [middle - half * mp.cos(mp.pi * k / (40 * n)) for k in range(40 * n + 1)]
    targets = [f(x) for x in grid]
    for _ in range(rounds):
        a, b = mp.matrix(n, n), mp.matrix(n, 1)
        for i, x in enumerate(points):
            for k in range(degree + 1):
                a[i, k] = x**k
            a[i, degree + 1] = (-1) ** i / weight(x)
            b[i] = f(x)
        c = list(mp.lu_solve(a, b))[: degree + 1]
        errors = [weight(x) * (mp.polyval(c[::-1], x) - y) for x, y in zip(grid, targets)]
        worst = max(abs(e) for e in errors)
        runs = [[0]]
        for i in range(1, len(grid)):
            if errors[i] * errors[i - 1] < 0:
                runs.append([])
            runs[-1].append(i)
        peaks = [max(run, key=lambda i: abs(errors[i])) for run in runs]
        if len(peaks) < n:
            break
        while len(peaks) > n:
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        points = [grid[i] for i in peaks]
    return c, worst


def chebyshev(f, degree):
    """The Chebyshev series of f on [-1, 1] up to the degree, as a polynomial, and the next coefficient."""
    n = 64
    nodes = [mp.cos(mp.pi * (j + mp.mpf(0.5)) / n) for j in range(n)]
    values = [f(x) for x in nodes]
    series = [mp.mpf(2 if k else 1) / n * sum(v * mp.chebyt(k, x) for x, v in zip(nodes, values)) for k in range(degree + 2)]
    before, now, c = [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)], [mp.mpf(0)] * (degree + 1)
    c[0], c[1] = series[0], series[1]
    for k in range(2, degree + 1):  # T_k = 2 x T_{k-1} - T_{k-2}
        doubled = [mp.mpf(0)] + [2 * a for a in now]
        before, now = now, [a - b for a, b in zip(doubled, before + [mp.mpf(0)] * 2)]
        for power, a in enumerate(now):
            c[power] += series[k] * a
    return c, abs(series[degree + 1])


def show(name, fit, digits):
    coefficients, error = fit
    print(f"{name}: error {mp.nstr(error, 3)}")
    for c in coefficients:
        with mp.workprec(digits):
            print("   ", float(+c).hex())


def relative(f):
    return lambda x: 1 / f(x)


def log_tail(z):
    return mp.log(mp.erfc(z / SQRT2) / 2)


def square_of_quantile(s):
    """z^2 with s = -2 ln P(Z > z), by Newton's method."""
    v = max(s - mp.log(2 * mp.pi * s), mp.mpf(0.5))
    for _ in range(60):
        z = mp.sqrt(v)
        if z > 1e4:  # the asymptotic series of the tail is exact here
            excess = v + mp.log(2 * mp.pi * v) - 2 * mp.log(1 - 1 / v + 3 / v**2 - 15 / v**3 + 105 / v**4) - s
            slope = 1 + 1 / v
        else:
            excess = -2 * log_tail(z) - s
            slope = mp.exp(-v / 2 - log_tail(z)) / mp.sqrt(2 * mp.pi) / z
        v -= excess / slope
        if abs(excess / slope) < mp.mpf(10) ** -40 * v:
            break
    return v


def main():
    log_ratio = lambda s: -2 * mp.log1p(s) / s if s else mp.mpf(-2)
    show("f32 -2 ln(1 + s) / s", remez(log_ratio, SQRT2 / 2 - 1, SQRT2 - 1, 8, relative(log_ratio)), 24)

    quarter = mp.pi / 4
    sine = lambda tt: mp.sin(quarter * mp.sqrt(tt)) / mp.sqrt(tt) if tt else quarter
    cosine = lambda tt: mp.cos(quarter * mp.sqrt(tt))
    show("f32 sin(pi t / 4) / t in t^2", remez(sine, 0, 1, 3, relative(sine)), 24)
    show("f32 cos(pi t / 4) in t^2", remez(cosine, 0, 1, 3, lambda x: mp.mpf(1)), 24)
    show("f64 sin(pi t / 4) / t in t^2", remez(sine, 0, 1, 6, relative(sine)), 53)
    show("f64 cos(pi t / 4) in t^2", remez(cosine, 0, 1, 7, lambda x: mp.mpf(1)), 53)

    # The integer estimate of 1 / sqrt(x) leaves 1 - x y^2 within +-0.06814.
    root = lambda d: ((1 - d) ** mp.mpf(-0.5) - 1) / d if abs(d) > mp.mpf(10) ** -20 else mp.mpf(0.5)
    bound = mp.mpf("0.06817")
    show("f32 ((1 - d)^-1/2 - 1) / d", remez(root, -bound, bound, 3, lambda d: abs(d) + mp.mpf("1e-6")), 24)

    centre = mp.mpf("0.4375")
    quantile = lambda u: (SQRT2 * mp.erfinv(mp.sqrt(u + centre)) / mp.sqrt(u + centre) if u + centre > 0 else mp.sqrt(mp.pi / 2))
    end = (mp.erf(SQRT2) * mp.mpf("1.000001")) ** 2
    show("f32 inverse normal / x in x^2 - 7/16", remez(quantile, -centre, end - centre, 18, relative(quantile), 8), 24)

    def remainder(k):
        s = mp.e**k / (2 * mp.pi)
        return (square_of_quantile(s) - s + k) * s

    def remainder_weight(k):
        s = mp.e**k / (2 * mp.pi)
        return 1 / (2 * square_of_quantile(s) * s)

    first = mp.log(2 * mp.pi * -2 * log_tail(mp.mpf(2))) * mp.mpf("0.9995")
    show("f32 tail remainder in ln(2 pi s)", remez(remainder, first, 20, 4, remainder_weight, 12), 24)

    artanh = lambda qq: (mp.log((1 + mp.sqrt(qq)) / (1 - mp.sqrt(qq))) / mp.sqrt(qq) - 2) / qq if qq else mp.mpf(2) / 3
    show("f64 (ln((1 + q) / (1 - q)) / q - 2) / q^2 in q^2", remez(artanh, 0, ((SQRT2 - 1) / (SQRT2 + 1)) ** 2, 6, lambda x: mp.mpf(1), 8), 53)

    def scaled_tail(t):
        z = mp.mpf(4.5) * (1 + t) / (1 - t)
        if z < 60:
            return (1 + SQRT2 * z) * mp.exp(z * z / 2 + log_tail(z))
        terms = [(-1) ** k * mp.fac2(2 * k - 1) / z ** (2 * k) for k in range(10)]  # the asymptotic series
        return (1 + SQRT2 * z) / z * sum(terms) / mp.sqrt(2 * mp.pi)

    show("f64 Q(z) e^(z^2/2) (1 + sqrt(2) z) in (z - 4.5) / (z + 4.5)", chebyshev(scaled_tail, 24), 53)


if __name__ == "__main__":
    main()
