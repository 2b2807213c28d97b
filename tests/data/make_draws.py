#!/usr/bin/env python3
"""Writes draws.csv: numbers that Keras and Flax draw by their own initializers, and how far fanin's are from them, by the
texts of share/rules/keras.json and flax.json, and of others that both have. Keras 3.15, Flax 0.12.8, JAX 0.10.2 (from PyPI).

  PYTHONPATH=../cli KERAS_BACKEND=jax python3 make_draws.py FANIN draws.csv

A row has N, the distance (cli/draws.py has its bound), and the framework's quantiles k / 256 for k from 1 to 255. From these the
test cli.draws sees without the framework how far away fanin's numbers are.
"""

import csv
import sys

import flax
import jax
import keras
import numpy as np
from draws import bound, distance, of_initializers, quantiles_of
from flax.linen.linear import default_embed_init, default_kernel_init

N = 1 << 18
MATRIX, VECTOR = (1024, 256), (N,)
I, J = keras.initializers, jax.nn.initializers


def scaled(*parameters):
    return I.VarianceScaling(*parameters, seed=7)


# The package, what it calls the initializer, the initializer, fanin's text, layout and shape.
CASES = [
    ("keras", "GlorotUniform", I.GlorotUniform(1), "xavier_uniform", "IO", MATRIX),
    ("keras", "GlorotUniform", I.GlorotUniform(2), "uniform:lo={-sqrt(3/shape[0])},hi={sqrt(3/shape[0])}", "", VECTOR),
    ("keras", "RandomUniform", I.RandomUniform(seed=3), "uniform:lo=-0.05,hi=0.05", "", MATRIX),
    ("keras", "HeUniform", I.HeUniform(4), "he_uniform", "IO", MATRIX),
    ("keras", "OrthogonalInitializer", I.OrthogonalInitializer(seed=5), "orthogonal", "IO", MATRIX),
    (
        "keras",
        "TruncatedNormal(stddev=0.02)",
        I.TruncatedNormal(0.0, 0.02, 6),
        "trunc_normal:std=0.02,a=-2,b=2,corrected=false",
        "",
        MATRIX,
    ),
    (
        "keras",
        "VarianceScaling(2, 'fan_out', 'truncated_normal')",
        scaled(2.0, "fan_out", "truncated_normal"),
        "variance_scaling:scale=2,mode=fan_out,distribution=trunc_normal",
        "IO",
        MATRIX,
    ),
    (
        "keras",
        "VarianceScaling(1 / 3, 'fan_out', 'uniform')",
        scaled(1 / 3, "fan_out", "uniform"),
        "variance_scaling:scale={1/3},mode=fan_out,distribution=uniform",
        "IO",
        MATRIX,
    ),
    ("keras", "HeNormal", I.HeNormal(8), "he_normal:distribution=trunc_normal", "IO", MATRIX),
    ("keras", "LecunNormal", I.LecunNormal(9), "lecun_normal:distribution=trunc_normal", "IO", MATRIX),
    ("keras", "GlorotNormal", I.GlorotNormal(10), "xavier_normal:distribution=trunc_normal", "IO", MATRIX),
    ("keras", "RandomNormal", I.RandomNormal(seed=11), "normal:std=0.05", "", MATRIX),
    ("flax", "linear.default_kernel_init", default_kernel_init, "lecun_normal:distribution=trunc_normal", "IO", MATRIX),
    ("flax", "linear.default_embed_init", default_embed_init, "lecun_normal", "OI", MATRIX),
    ("flax", "initializers.orthogonal()", J.orthogonal(), "orthogonal", "IO", MATRIX),
    ("flax", "initializers.he_uniform()", J.he_uniform(), "he_uniform", "IO", MATRIX),
    ("flax", "initializers.he_normal()", J.he_normal(), "he_normal:distribution=trunc_normal", "IO", MATRIX),
    ("flax", "initializers.normal()", J.normal(), "normal:std=0.01", "", MATRIX),
]


def main(command, path):
    versions = {"keras": keras.__version__, "flax": flax.__version__}
    columns = ["package", "version", "initializer", "init", "layout", "shape"]
    rows = [
        dict(zip(columns, [package, versions[package], text, *rest, "x".join(map(str, shape))]))
        for package, text, _, *rest, shape in CASES
    ]
    with open(path, "w") as file:
        writer = csv.DictWriter(file, [*columns, "n", "distance", "quantiles"], lineterminator="\n")
        writer.writeheader()
        for i, (case, row, ours) in enumerate(zip(CASES, rows, of_initializers(command, rows))):
            package, _, init, *_, shape = case
            values = init(shape) if package == "keras" else init(jax.random.key(i), shape)
            theirs = np.sort(np.asarray(values), axis=None)
            far = distance(theirs, np.sort(ours))
            assert len(theirs) == len(ours) == N
            row |= {"n": N, "distance": f"{far:.6f}"}
            print(*row.values(), "" if far < bound(N, len(CASES)) else "TOO FAR", flush=True)
            writer.writerow(row | {"quantiles": " ".join(f"{x:.9g}" for x in quantiles_of(theirs, 256))})


main(*sys.argv[1:])
