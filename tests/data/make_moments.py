"""Writes what mean-field theory takes from an activation phi, by other means than fanin's:
  slopes.csv        phi'(x), numerical derivatives at 40 digits
  moments.csv       E[phi], E[phi^2], E[phi'^2], E[phi'^4] of z ~ N(0, q), by 30-digit quadrature
  correlations.csv  E[phi(u) phi(v)] and E[phi'(u) phi'(v)], by SciPy's functions in double on a Cartesian grid that is
                    split where phi bends

Run: python3 make_moments.py (needs mpmath, NumPy and SciPy; the files in the tree come from 1.4.1, 2.4 and 1.17).
"""

import io

import mpmath
import numpy as np
import scipy
from mpmath import mp, mpf
from numpy.polynomial.legendre import leggauss
from scipy import special

import make_activation as activations

SLOPE = "0.2"
FUNCTIONS = dict(activations.ACTIVATIONS)
FUNCTIONS["leaky_relu"] = lambda x: x if x > 0 else mpf(float(SLOPE)) * x
KINKS = {"relu": [0], "leaky_relu": [0], "selu": [0], "elu": [0], "softsign": [0], "hardswish": [-3, 0, 3], "relu2": [0]}
KINKS |= {"relu6": [0, 6], "hardtanh": [-1, 1]}


def slope_of(name):
    return SLOPE if name == "leaky_relu" else "0.0"


def text(x, digits=20):
    return mpmath.nstr(x, digits)


# ---- Derivatives, one-sided so that the quadrature may come close to a kink ------------------------------------------


def sech2(x):
    return 1 / mpmath.cosh(x) ** 2


def logistic(x):
    return 1 / (1 + mpmath.exp(-x))


def gelu_tanh_slope(x):
    k = mpmath.sqrt(2 / mpmath.pi)
    u = k * (x + mpf("0.044715") * x**3)
    return (1 + mpmath.tanh(u)) / 2 + x / 2 * sech2(u) * k * (1 + 3 * mpf("0.044715") * x**2)


def mish_slope(x):
    s = mpmath.log1p(mpmath.exp(x))
    return mpmath.tanh(s) + x * sech2(s) * logistic(x)


def selu_slope(x):
    scale = activations.selu(mpf(1))
    return scale if x > 0 else (-activations.selu(mpf(-1)) / (1 - mpmath.exp(-1))) * mpmath.exp(x)


SLOPES = {
    "linear": lambda x: mpf(1),
    "relu": lambda x: mpf(x > 0),
    "leaky_relu": lambda x: mpf(1) if x > 0 else mpf(float(SLOPE)),
    "tanh": sech2,
    "sigmoid": lambda x: logistic(x) * logistic(-x),
    "selu": selu_slope,
    "elu": lambda x: mpf(1) if x > 0 else mpmath.exp(x),
    "gelu": lambda x: mpmath.ncdf(x) + x * mpmath.npdf(x),
    "gelu_tanh": gelu_tanh_slope,
    "silu": lambda x: logistic(x) * (1 + x * logistic(-x)),
    "mish": mish_slope,
    "softplus": logistic,
    "softsign": lambda x: 1 / (1 + abs(x)) ** 2,
    "hardswish": lambda x: mpf(0) if x < -3 else mpf(1) if x > 3 else (2 * x + 3) / 6,
    "relu2": lambda x: 2 * x if x > 0 else mpf(0),
    "relu6": lambda x: mpf(0 < x <= 6),
    "hardtanh": lambda x: mpf(-1 < x <= 1),
    "sin": mpmath.cos,
    "quick_gelu": lambda x: logistic(mpf("1.702") * x) * (1 + mpf("1.702") * x * logistic(mpf("-1.702") * x)),
}


def write_slopes(out):
    out.write("activation,slope,x,value\n")
    mp.dps = 40
    for name, f in FUNCTIONS.items():
        for x in ["-30", "-7.5", "-3.5", "-2", "-0.75", "-1e-3", "1e-3", "0.3", "1", "2.5", "4.25", "9", "20"]:
            if float(x) in KINKS.get(name, []):
                continue
            value = mpmath.diff(f, mpf(float(x)), h=mpf(10) ** -15)
            assert abs(value - SLOPES[name](mpf(float(x)))) < mpf(10) ** -24, (name, x)
            value = mpf(0) if abs(value) < mpf(10) ** -24 else value
            out.write(f"{name},{slope_of(name)},{x},{text(value, 17)}\n")


# ---- One normal ------------------------------------------------------------------------------------------------------


def expectation(g, root):
    bends = [k / root * s for k in (mpf("0.1"), mpf("0.5"), 1, 2, 3, 5, 6, 8, 14) for s in (1, -1)]
    ends = [x for x in bends if abs(x) < 14] + [mpf(x) for x in (-14, -8, -5, -3, -1, 0, 1, 3, 5, 8, 14)]
    return mpmath.quad(lambda x: g(root * x) * mpmath.npdf(x), sorted(set(ends)), maxdegree=5)


def write_moments(out):
    out.write("activation,slope,q,mean,second_moment,slope_second,slope_fourth\n")
    mp.dps = 22
    for name, f in FUNCTIONS.items():
        for q in ["0.04", "1", "3", "50"]:
            root = mpmath.sqrt(mpf(float(q)))
            slope = SLOPES[name]
            numbers = [expectation(g, root) for g in (f, lambda x: f(x) ** 2, lambda x: slope(x) ** 2, lambda x: slope(x) ** 4)]
            numbers[0] = mpf(0) if abs(numbers[0]) < mpf(10) ** -16 else numbers[0]
            out.write(",".join([name, slope_of(name), q] + [text(x, 16) for x in numbers]) + "\n")


# ---- Two normals -----------------------------------------------------------------------------------------------------

LAMBDA, ALPHA = 1.0507009873554804934, 1.6732632423543772848
GELU = np.sqrt(2 / np.pi)
expit, slope_value = special.expit, float(SLOPE)


def numpy_sech2(x):
    return 4 * expit(2 * x) * expit(-2 * x)


def gelu_argument(x):
    return GELU * (x + 0.044715 * x**3)


NUMPY = {  # phi, phi'
    "linear": (lambda x: x, lambda x: 1 + 0 * x),
    "relu": (lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0)),
    "leaky_relu": (lambda x: np.where(x > 0, x, slope_value * x), lambda x: np.where(x > 0, 1, slope_value)),
    "tanh": (np.tanh, numpy_sech2),
    "sigmoid": (expit, lambda x: expit(x) * expit(-x)),
    "selu": (
        lambda x: LAMBDA * np.where(x > 0, x, ALPHA * np.expm1(np.minimum(x, 0))),
        lambda x: LAMBDA * np.where(x > 0, 1, ALPHA * np.exp(np.minimum(x, 0))),
    ),
    "elu": (
        lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
        lambda x: np.where(x > 0, 1, np.exp(np.minimum(x, 0))),
    ),
    "gelu": (
        lambda x: x * special.ndtr(x),
        lambda x: special.ndtr(x) + x * np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi),
    ),
    "gelu_tanh": (
        lambda x: x * expit(2 * gelu_argument(x)),
        lambda x: expit(2 * gelu_argument(x))
        + x / 2 * numpy_sech2(gelu_argument(x)) * GELU * (1 + 3 * 0.044715 * x**2),
    ),
    "silu": (lambda x: x * expit(x), lambda x: expit(x) * (1 + x * expit(-x))),
    "mish": (
        lambda x: x * np.tanh(np.logaddexp(0, x)),
        lambda x: np.tanh(np.logaddexp(0, x)) + x * numpy_sech2(np.logaddexp(0, x)) * expit(x),
    ),
    "softplus": (lambda x: np.logaddexp(0, x), expit),
    "softsign": (lambda x: x / (1 + np.abs(x)), lambda x: (1 + np.abs(x)) ** -2.0),
    "hardswish": (
        lambda x: x * np.clip(x + 3, 0, 6) / 6,
        lambda x: np.where(x < -3, 0, np.where(x > 3, 1, (2 * x + 3) / 6)),
    ),
    "relu2": (lambda x: np.maximum(x, 0) ** 2, lambda x: 2 * np.maximum(x, 0)),
    "relu6": (lambda x: np.clip(x, 0, 6), lambda x: 1.0 * ((x > 0) & (x <= 6))),
    "hardtanh": (lambda x: np.clip(x, -1, 1), lambda x: 1.0 * ((x > -1) & (x <= 1))),
    "sin": (np.sin, np.cos),
    "quick_gelu": (lambda x: x * expit(1.702 * x), lambda x: expit(1.702 * x) * (1 + 1.702 * x * expit(-1.702 * x))),
}


def nodes(ends):
    x, w = leggauss(20)
    ends = np.unique(ends)
    half, middle = np.diff(ends) / 2, (ends[1:] + ends[:-1]) / 2
    return (middle[:, None] + half[:, None] * x).ravel(), (half[:, None] * w).ravel()


def around(point, scale):
    steps = scale * np.concatenate([[0], 2.0 ** np.arange(-1, 30)])
    return np.concatenate([point + steps, point - steps])


def grid(points, scale):
    ends = np.concatenate([around(p, scale) for p in points] + [np.arange(-11, 12)])
    return nodes(np.clip(ends, -11, 11))


def correlation(name, q_a, q_b, c):
    """The outer integral over x, the inner over w, y = c x + rho w; both split where u or v bends."""
    rho = np.sqrt((1 - c) * (1 + c))
    root_a, root_b = np.sqrt(q_a), np.sqrt(q_b)
    kinks = np.array(KINKS.get(name, [0]), dtype=float)
    crossings = np.concatenate([kinks / root_a, kinks / root_b / c])
    sums = np.zeros(2)
    density = lambda x: np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)
    for x, weight in zip(*grid(crossings, min(1 / root_a, 1 / root_b, rho / abs(c), 1) / 2)):
        w, weights = grid((kinks / root_b - c * x) / rho, min(1 / (root_b * rho), 1) / 2)
        inner = weights * density(w)
        for k, g in enumerate(NUMPY[name]):
            sums[k] += weight * density(x) * g(np.array(root_a * x)) * (inner @ g(root_b * (c * x + rho * w)))
    return sums


def write_correlations(out):
    out.write("activation,slope,q_a,q_b,c,phi,slope_product\n")
    for name in FUNCTIONS:
        for q_a, q_b in [(1, 1), (0.3, 4), (20, 20)]:
            for c in [-0.7, 0.2, 0.95, 0.99999]:
                numbers = correlation(name, q_a, q_b, c)
                out.write(f"{name},{slope_of(name)},{q_a},{q_b},{c}," + ",".join(f"{x:.14g}" for x in numbers) + "\n")


def main():
    versions = f"mpmath {mpmath.__version__}, NumPy {np.__version__}, SciPy {scipy.__version__}; by make_moments.py"
    for name, write in [
        ("slopes.csv", write_slopes),
        ("moments.csv", write_moments),
        ("correlations.csv", write_correlations),
    ]:
        out = io.StringIO()  # the file appears when all of it is there
        write(out)
        with open(name, "w", encoding="utf-8") as file:
            file.write(f"# {versions}\n{out.getvalue()}")


if __name__ == "__main__":
    main()
