#!/usr/bin/env python3
"""OpenCV's cv2.UMat, filled on OpenCV's queue by way of PyOpenCL's types."""

import os

os.environ.setdefault("OPENCV_OPENCL_DEVICE", ":CPU:")  # OpenCV takes a GPU alone unless it is told otherwise

import cv2
import numpy as np
import pyopencl as cl

import fanin


cv2.ocl.setUseOpenCL(True)
assert cv2.ocl.useOpenCL(), "OpenCV finds no OpenCL device; see OPENCV_OPENCL_DEVICE"
w = cv2.UMat(300, 784, cv2.CV_32F)
assert w.isContinuous()  # cv2 does not tell the step of a region
queue = cl.CommandQueue.from_int_ptr(cv2.UMat.queue())
buffer = cl.Buffer.from_int_ptr(w.handle(cv2.ACCESS_WRITE))  # a copy on the host is out of date now
fanin.fill(buffer, "he_normal", seed=42, name="fc1.weight", layout="OI", queue=queue, dtype="f32", shape=(300, 784))

expected = fanin.array((300, 784), "he_normal", seed=42, name="fc1.weight", layout="OI")
assert np.array_equal(w.get(), expected)
assert np.array_equal(cv2.add(w, w).get(), expected + expected)
print("cv2.UMat: the bits are right, and those of w + w")
