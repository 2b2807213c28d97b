"""Writes gains.csv: E[phi(z)] , E[phi(z)^2] and the gains that follow, for z ~ N(0,1), by 30-digit quadrature.

Run: python3 make_activation.py (needs mpmath; the file in the tree comes from mpmath 1.4.1).
"""

import mpmath
from mpmath import mp, mpf

mp.dps = 30
exp, log, tanh, sqrt = mpmath.exp, mpmath.log, mpmath.tanh, mpmath.sqrt


def selu(x):
    # The constants solve mean 0 and variance 1 (Klambauer et al. 2017, equation 14).
    e, pi = mpmath.e, mpmath.pi
    c = mpmath.erfc(1 / sqrt(2)) * exp(mpf(1) / 2)
    alpha = -sqrt(2 / pi) / (c - 1)
    lam = (1 - c) * sqrt(2 * pi)
    d = 2 * mpmath.erfc(sqrt(2)) * e**2 + pi * mpmath.erfc(1 / sqrt(2)) ** 2 * e
    lam /= sqrt(d - 2 * (2 + pi) * c + pi + 2)
    return lam * (x if x > 0 else alpha * mpmath.expm1(x))


def gelu_tanh(x):
    return x / 2 * (1 + tanh(sqrt(2 / mpmath.pi) * (x + mpf("0.044715") * x**3)))


ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": lambda x: max(x, mpf(0)),
    "tanh": tanh,
    "sigmoid": lambda x: 1 / (1 + exp(-x)),
    "selu": selu,
    "elu": lambda x: x if x > 0 else mpmath.expm1(x),
    "gelu": lambda x: x * mpmath.ncdf(x),
    "gelu_tanh": gelu_tanh,
    "silu": lambda x: x / (1 + exp(-x)),
    "mish": lambda x: x * tanh(mpmath.log1p(exp(x))),
    "softplus": lambda x: mpmath.log1p(exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "hardswish": lambda x: x * min(max(x + 3, mpf(0)), mpf(6)) / 6,
    "relu2": lambda x: max(x, mpf(0)) ** 2,
    "relu6": lambda x: min(max(x, mpf(0)), mpf(6)),
    "hardtanh": lambda x: min(max(x, mpf(-1)), mpf(1)),
    "sin": mpmath.sin,
    "quick_gelu": lambda x: x / (1 + exp(mpf("-1.702") * x)),
}
SLOPES = ["0.01", "0.2", "0.0", "1.0", "-0.5"]


def expectation(g):
    pieces = [-16, -12, -9, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 9, 12, 16]
    return mpmath.quad(lambda z: g(z) * mpmath.npdf(z), pieces)


def main():
    rows = [(name, "0.0", f) for name, f in ACTIVATIONS.items()]
    for text in SLOPES:
        slope = mpf(float(text))
        rows.append(("leaky_relu", text, lambda x, slope=slope: x if x > 0 else slope * x))
    with open("gains.csv", "w") as out:
        out.write(f"# mpmath {mpmath.__version__}, {mp.dps} digits, rounded to 20; by make_activation.py\n")
        out.write("activation,slope,mean,second_moment,gain_second_moment,gain_variance\n")
        for name, slope, f in rows:
            mean, second = expectation(f), expectation(lambda z: f(z) ** 2)
            variance = expectation(lambda z: (f(z) - mean) ** 2)
            mean = mpf(0) if abs(mean) < mpf(10) ** -24 else mean
            numbers = [mpmath.nstr(x, 20) for x in (mean, second, 1 / sqrt(second), 1 / sqrt(variance))]
            out.write(",".join([name, slope, *numbers]) + "\n")


if __name__ == "__main__":
    main()
