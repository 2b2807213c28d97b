#!/usr/bin/env python3
"""Weights that pyclblast, CLBlast's Python package, multiplies on the same queue: y = x w^T."""

import numpy as np
import pyclblast
import pyopencl as cl
import pyopencl.array as cla

import fanin

queue = cl.CommandQueue(cl.create_some_context(interactive=False))
x = cla.to_device(queue, np.ones((8, 784), "float32"))
w = cla.empty(queue, (300, 784), "float32")
y = cla.zeros(queue, (8, 300), "float32")
fanin.fill(w, "he_normal", seed=42, name="fc1.weight", layout="OI")
pyclblast.gemm(queue, 8, 300, 784, x, w, y, a_ld=784, b_ld=784, c_ld=300, b_transp=True)

expected = fanin.array((300, 784), "he_normal", seed=42, name="fc1.weight", layout="OI")
assert np.array_equal(w.get(), expected)
bound = 784 * 2.0**-24 * np.abs(expected).sum(axis=1)  # of any order of additions in float
assert (np.abs(y.get() - expected.sum(axis=1, dtype="float64")) <= bound).all()
print("pyclblast.gemm: the sums are right")
