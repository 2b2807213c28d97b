#!/usr/bin/env python3
"""Writes draws.csv: numbers that Keras and Flax draw by their own initializers beside fanin's by the texts of
share/rules/keras.json and flax.json, and of others that both have. Keras 3.15, Flax 0.12.8, JAX 0.10.2 (from PyPI).

  KERAS_BACKEND=jax python3 make_draws.py FANIN draws.csv

Of each initializer N numbers are compared by Kolmogorov and Smirnov's distance of two samples. Two samples of one continuous
law are further apart than sqrt(log(2 / a) / N) with a probability of at most a (Wei & Dudley 2012), which is FALSE_ALARM
divided by the number of rows. Entries of an orthogonal matrix depend on each other: along its vectors their squares add
up to a fixed number, which brings samples closer together, so that the bound holds for them too.

A row has N, the distance, the bound, and the framework's quantiles k / 256 for k from 1 to 255. From these the test cli.draws
sees without the framework how far away fanin's numbers are.
"""

import csv
import json
import math
import struct
import subprocess
import sys
import tempfile

import flax
import jax
import keras
import numpy as np
from flax.linen.linear import default_embed_init, default_kernel_init

N, FALSE_ALARM = 1 << 18, 1e-6
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


def by_fanin(command, rows):
    """The values of fanin's initializers, as the test makes them."""
    tensors = [
        {"name": f"{i}", "shape": shape, "layout": layout, "init": init} for i, (init, layout, shape) in enumerate(rows)
    ]
    for tensor in tensors:
        if not tensor["layout"]:
            del tensor["layout"]
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/draws.json", "w") as file:
            json.dump({"name": "draws", "tensors": tensors}, file)
        subprocess.run(
            [command, "init", f"{folder}/draws.json", "-o", f"{folder}/draws.safetensors", "--seed", "1"], check=True
        )
        with open(f"{folder}/draws.safetensors", "rb") as file:
            data = file.read()
    size = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8 : 8 + size])
    for i in range(len(rows)):
        begin, end = header[f"{i}"]["data_offsets"]
        yield np.frombuffer(data, "<f4", (end - begin) // 4, 8 + size + begin)


def distance(one, other):
    """Kolmogorov and Smirnov's, of sorted values."""
    both = np.concatenate([one, other])
    below = [np.searchsorted(values, both, "right") / len(values) for values in (one, other)]
    return np.abs(below[0] - below[1]).max()


def main(command, path):
    bound = math.sqrt(math.log(2 * len(CASES) / FALSE_ALARM) / N)
    versions = {"keras": keras.__version__, "flax": flax.__version__}
    with open(path, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["package", "version", "initializer", "init", "layout", "shape", "n", "distance", "bound", "quantiles"]
        )
        for i, (case, ours) in enumerate(zip(CASES, by_fanin(command, [case[3:] for case in CASES]))):
            package, text, init, *rest, shape = case
            values = init(shape) if package == "keras" else init(jax.random.key(i), shape)
            theirs = np.sort(np.asarray(values), axis=None)
            far = distance(theirs, np.sort(ours))
            quantiles = theirs[N // 256 - 1 : N - 1 : N // 256]
            assert len(theirs) == len(ours) == N and len(quantiles) == 255
            row = [package, versions[package], text, *rest, "x".join(map(str, shape)), N, f"{far:.6f}", f"{bound:.6f}"]
            writer.writerow([*row, " ".join(f"{x:.9g}" for x in quantiles)])
            print(*row, "" if far < bound else "TOO FAR", flush=True)


main(*sys.argv[1:])
