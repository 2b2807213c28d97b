#!/usr/bin/env python3
"""Writes f8.csv: numbers of f32 and what ml_dtypes (0.6.0) rounds them to, all as bits in hexadecimal.

usage: make_f8.py >f8.csv

Every exponent of f32 with the least, the next and the last fraction; where f8_e4m3 or f8_e5m2 have numbers, or might
round to some, every fraction at which either could change, and its neighbours. None is negative.
"""
import ml_dtypes
import numpy as np

bits = set()
for exponent in range(255):
    fractions = {0, 1, 0x7FFFFF}
    if 108 <= exponent <= 144:  # 2^-19 .. 2^18
        fractions |= {(k << 19) + d for k in range(17) for d in (-1, 0, 1)}
    bits |= {(exponent << 23) + f for f in fractions if 0 <= f < 1 << 23}
f32 = np.array(sorted(bits), np.uint32)
with np.errstate(over="ignore"):
    e4m3 = f32.view(np.float32).astype(ml_dtypes.float8_e4m3fn).view(np.uint8)
    e5m2 = f32.view(np.float32).astype(ml_dtypes.float8_e5m2).view(np.uint8)
print("f32,e4m3,e5m2")
for row in zip(f32, e4m3, e5m2):
    print("%08x,%02x,%02x" % row)
