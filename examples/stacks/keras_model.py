#!/usr/bin/env python3
"""The weights of a Keras model, made by fanin's rules, whatever Keras's backend is; here JAX, unless $KERAS_BACKEND says.

Keras stores (inputs, outputs), which the rules' layouts say. Needs Keras 3 and JAX; tried with 3.15.1 and 0.10.2.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras  # noqa: E402
import numpy as np  # noqa: E402

import fanin  # noqa: E402

layers = [
    keras.layers.Conv2D(16, 3, activation="relu", name="conv"),
    keras.layers.BatchNormalization(name="norm"),
    keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dropout(0.1),
    keras.layers.Dense(10, name="head"),
]
RULES = {
    "rules": [
        {"match": "*/kernel", "rank": 2, "layout": "IO", "init": "xavier_uniform"},
        {"match": "*/kernel", "rank": 4, "layout": "HWIO", "init": "he_normal"},
        {"match": ["*/gamma", "*/moving_variance"], "rank": 1, "init": "ones"},
        {"match": ["*/beta", "*/bias", "*/moving_mean"], "rank": 1, "init": "zeros"},
    ]
}
model = keras.Sequential([keras.Input((8, 8, 3)), *layers], name="net")
weights = {weight.path: weight for weight in model.weights}  # "net/conv/kernel", ...
for path, values in fanin.arrays(weights, RULES, seed=42).items():
    weights[path].assign(values)

kernel = fanin.array((16, 10), "xavier_uniform", layout="IO", seed=42, name="net/head/kernel")
assert np.array_equal(weights["net/head/kernel"], kernel)
assert np.isfinite(model(np.ones((2, 8, 8, 3), "f4"))).all()
print(f"Keras: the bits of {len(weights)} weights are right")
