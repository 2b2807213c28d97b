#!/usr/bin/env python3
"""The weights of a Keras model, made by fanin's rules, and a few steps of training, whatever Keras's backend is; here JAX,
unless $KERAS_BACKEND says. Those of the set `keras` have the laws of Keras' own defaults.

Needs Keras 3 and JAX; tried with 3.15.1 and 0.10.2.
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
model = keras.Sequential([keras.Input((8, 8, 3)), *layers], name="net")
weights = {weight.path: weight for weight in model.weights}  # "net/conv/kernel", ...
for path, values in fanin.arrays(weights, "keras", seed=42).items():
    weights[path].assign(values)

kernel = fanin.array((16, 10), "xavier_uniform", layout="IO", seed=42, name="net/head/kernel")
assert np.array_equal(weights["net/head/kernel"], kernel)

x = np.random.default_rng(1).normal(size=(512, 8, 8, 3)).astype("f4")
labels = x.mean(axis=(1, 2)).argmax(axis=1)
model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
losses = model.fit(x, labels, batch_size=64, epochs=10, verbose=0).history["loss"]
assert losses[-1] < losses[0] / 2, losses
print(f"Keras: the bits of {len(weights)} weights are right; loss {losses[0]:.2f}, after ten epochs {losses[-1]:.2f}")
