"""What make_keras_models.py and make_flax_models.py share: laws, how values are compared with them, and the lists in
models/. Nothing of fanin is used. NumPy and SciPy are needed.

A law is a tuple of a name and numbers, as models/*.csv have it, joined by colons (make_models.py), and two more:
`orthogonal:GAIN`, and `blocks:A:B:...`, equal blocks along the first dimension, each of which holds one number.
"""

import csv
import math

import numpy as np
from scipy.special import ndtr

FALSE_ALARM = 1e-9  # of one tensor: some thousands of them are compared


def distribution(law):
    """The law's distribution function."""
    kind, *numbers = law
    if kind == "uniform":
        lo, hi = numbers
        return lambda x: np.clip((x - lo) / (hi - lo), 0, 1)
    mean, std = numbers[:2]
    if kind == "normal":
        return lambda x: ndtr((x - mean) / std)
    low, high = (ndtr((cut - mean) / std) for cut in numbers[2:])
    return lambda x: np.clip((ndtr((x - mean) / std) - low) / (high - low), 0, 1)


def is_orthogonal(x, gain):
    """Whether the last dimension and all others together make a matrix whose rows or columns, whichever are fewer, are
    orthogonal and as long as the gain."""
    x = x.reshape(-1, x.shape[-1]).astype(float) / gain
    x = x if x.shape[0] >= x.shape[1] else x.T
    return np.abs(x.T @ x - np.eye(x.shape[1])).max() < 1e-5


def has_law(x, law):
    """Whether values have the law: by Kolmogorov and Smirnov's distance, with the bound of Massart (1990)."""
    if law[0] == "orthogonal":
        return is_orthogonal(x, law[1])
    values = np.sort(x, axis=None).astype(float)
    at, n = distribution(law)(values), values.size
    distance = max((np.arange(1, n + 1) / n - at).max(), (at - np.arange(n) / n).max())
    edge = 1e-6 * np.abs(values).max()
    inside = law[0] == "normal" or (values[0] >= law[-2] - edge and values[-1] <= law[-1] + edge)
    return inside and distance < math.sqrt(math.log(2 / FALSE_ALARM) / (2 * n))


def of_constants(x):
    """The law of values that were not drawn, or `other`, which the state of a random generator is too."""
    if x.dtype.kind == "u":
        return ("other",)
    if (x == x.flat[0]).all():
        return "constant", float(x.flat[0])
    for count in (2, 3, 4):
        if x.shape[0] % count == 0:
            blocks = x.reshape(count, -1)
            if (blocks == blocks[:, :1]).all():
                return "blocks", *map(float, blocks[:, 0])
    return ("other",)


def checked(x, asked):
    """The law that was asked for, if the values have it; without one, what the values say."""
    if asked is None:
        return of_constants(x)
    return asked if has_law(x, asked) else ("other",)


def text_of(law):
    return ":".join([law[0]] + [f"{number:.9g}" for number in law[1:]])


DTYPES = {"float32": "F32", "int32": "I32", "int64": "I64", "uint32": "U32", "bool": "BOOL"}


def write_list(path, tensors):
    """tensors: {name: (values, the law that was asked for or None)}"""
    rows = [
        [name, DTYPES[str(x.dtype)], "x".join(map(str, x.shape)), text_of(checked(x, law)), ""]
        for name, (x, law) in tensors.items()
    ]
    with open(path, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "dtype", "shape", "own", "module"])
        writer.writerows(rows)
    print(path, len(rows), [row[0] for row in rows if row[3] == "other"], flush=True)


def models_of(package):
    """A dictionary of models, and a decorator that adds the function that makes one, by its name."""
    models = {}

    def add(make):
        models[f"{package}-" + make.__name__.replace("_", "-")] = make
        return make

    return models, add
