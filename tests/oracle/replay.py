#!/usr/bin/env python3
"""Stream v1 in Python and NumPy, a second implementation: written from docs/stream.md, knowing neither the kernels nor the
oracle in C. It replays the digests of a file such as share/data/stream-v1.json.

    replay.py FILE [INIT]     all checks, or those of one initializer; exit status 1 where one differs
"""

import decimal
import functools
import json
import math
import sys

import numpy as np

U32, U64, I32, I64, F32, F64 = np.uint32, np.uint64, np.int32, np.int64, np.float32, np.float64
MASK = U64(0xFFFFFFFF)

# ---- Exact arithmetic: fma from operations that round ----------------------------------------------------------------


def two_sum(a, b):
    """a + b as a rounded sum and what was rounded off (Knuth)."""
    s = a + b
    part = s - a
    return s, (a - (s - part)) + (b - part)


def two_product(a, b):
    """a b as a rounded product and what was rounded off (Dekker)."""

    def split(x):
        t = x * F64(134217729.0)  # 2^27 + 1
        high = t - (t - x)
        return high, x - high

    p = a * b
    (ah, al), (bh, bl) = split(a), split(b)
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


def odd_sum(a, b):
    """a + b rounded to odd: cut off, and the last bit set if anything was. To round that again is to round once."""
    s, e = two_sum(a, b)
    bits = s.view(I64)
    step = np.where((e > 0) == (s > 0), I64(1), I64(-1))
    return np.where((e != 0) & (bits & 1 == 0), bits + step, bits).view(F64)


def fma32(a, b, c):
    """A product of floats is exact in double."""
    a, b, c = np.broadcast_arrays(a, b, c)
    return odd_sum(a.astype(F64) * b.astype(F64), c.astype(F64)).astype(F32)


def fma64(a, b, c):
    """Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums", IEEE Trans. Computers 57 (2008)."""
    a, b, c = np.broadcast_arrays(a, b, c)
    uh, ul = two_product(a, b)
    th, tl = two_sum(c, ul)
    vh, vl = two_sum(uh, th)
    return np.where((a == 0) | (b == 0), a * b + c, vh + odd_sum(tl, vl))  # which has lost the sign of a zero


def poly(fma, x, *c):
    p = np.full_like(x, c[-1])
    for coefficient in c[-2::-1]:
        p = fma(p, x, x.dtype.type(coefficient))
    return p


def numbers(real, text):
    """Numbers of a text, decimal or hexadecimal."""
    return [real(float.fromhex(t)) if "0x" in t else real(t) for t in text.replace(",", " ").split()]


# ---- Section 1: words ------------------------------------------------------------------------------------------------


def philox(seed, stream, block):
    """The four words of each block, as rows."""
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    c = [block & MASK, block >> U64(32), np.full_like(block, stream & 0xFFFFFFFF), np.full_like(block, stream >> 32)]
    for _ in range(10):
        a, b = c[0] * U64(0xD2511F53), c[2] * U64(0xCD9E8D57)
        c = [b >> U64(32) ^ c[1] ^ U64(k0), b & MASK, a >> U64(32) ^ c[3] ^ U64(k1), a & MASK]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.array(c)


def pick(rows, index):
    return np.take_along_axis(rows, (index & U64(3)).astype(I64)[None, :], 0)[0]


def words(key, index):
    return pick(philox(*key, index >> U64(2)), index).astype(U32)


def draws(key, index):
    low = philox(*key, index >> U64(2) | U64(1 << 63))
    return pick(philox(*key, index >> U64(2)), index) << U64(32) | pick(low, index)


# ---- Section 2: elementary functions, f32 ----------------------------------------------------------------------------


class Single:
    real, words, fma = F32, staticmethod(words), staticmethod(fma32)
    core_limit = F32(float.fromhex("0x1.e8b432p-1"))
    upper_mask, lower_mask = U32(0x7FFFFFFF), U32(0x80000000)
    softplus_most = F32(64)
    log2_e = F32(float.fromhex("0x1.715476p+0"))
    softplus = numbers(F32, "0x1.55554cp-5, -0x1.6bf910p-12, 0x1.64ebccp-18")

    @staticmethod
    def signed_unit(w):
        return fma32(w.view(I32).astype(F32), F32(2.0**-31), F32(2.0**-32))

    @staticmethod
    def positive_unit(w):
        return fma32(w.astype(F32), F32(2.0**-32), F32(2.0**-33))

    @staticmethod
    def split(x):
        i = x.view(I32) - I32(0x3F3504F3)
        return (i >> 23).astype(F32), ((i & I32(0x007FFFFF)) + I32(0x3F3504F3)).view(F32) - F32(1)

    @staticmethod
    def log_of(e, s):
        c = numbers(
            F32,
            "-0x1.000000p+1, 0x1.fffff8p-1, -0x1.555792p-1, 0x1.000570p-1, -0x1.98b744p-2, 0x1.5332bep-2,"
            "-0x1.323938p-2, 0x1.263b16p-2, -0x1.6541d0p-3",
        )
        return fma32(e, F32(float.fromhex("-0x1.62e430p+0")), poly(fma32, s, *c) * s)

    @classmethod
    def neg2_log(cls, x):
        return cls.log_of(*cls.split(x))

    @classmethod
    def neg2_log_unit(cls, w):
        e, s = cls.split(cls.positive_unit(w))
        near = fma32(w.view(I32).astype(F32), F32(2.0**-32), F32(2.0**-33))
        return cls.log_of(e, np.where(e == 0, near, s))

    @staticmethod
    def square_root(x):
        y = (U32(0x5F374740) - (x.view(U32) >> U32(1))).view(F32)
        r = x * y
        d = fma32(-r, y, F32(1))
        p = poly(fma32, d, *numbers(F32, "0x1.ffff92p-2, 0x1.7fff2ap-2, 0x1.41760ep-2, 0x1.19c818p-2"))
        return fma32(p, r * d, r)

    @staticmethod
    def reciprocal(x):
        y = (U32(0x7EF311C7) - x.view(U32)).view(F32)
        for _ in range(3):
            y = fma32(y, fma32(-x, y, F32(1)), y)
        return y

    @staticmethod
    def cos_sin_of(t, q):
        tt = t * t
        even = poly(fma32, tt, *numbers(F32, "1, -0x1.3bd392p-2, 0x1.03af5cp-6, -0x1.4e5ed6p-12"))
        odd = poly(fma32, tt, *numbers(F32, "0x1.921fb6p-1, -0x1.4abbbap-4, 0x1.465e92p-9, -0x1.2d9302p-15")) * t
        return turn(q, 31, even, odd)

    @classmethod
    def cos_sin(cls, w):
        t = fma32(((w << U32(2)).view(I32) >> 2).astype(F32), F32(2.0**-29), F32(2.0**-30))
        return cls.cos_sin_of(t, w + U32(0x20000000))

    @classmethod
    def cos_sin_at(cls, a):
        r = (a << U64(2)).view(I64) >> 2
        low = (r & I64(0xFFFFFFFF)).astype(U32).astype(F32) * F32(2.0**-61)
        t = fma32((r >> 32).astype(I32).astype(F32), F32(2.0**-29), low)
        return cls.cos_sin_of(t, (a + U64(1 << 61) >> U64(32)).astype(U32))

    @staticmethod
    def inverse_core(x):
        c = numbers(
            F32,
            "0x1.72659cp+0, 0x1.38b0bcp-1, 0x1.26e8c8p-1, 0x1.5d2380p-1, 0x1.bb210cp-1, 0x1.496c7ap+0, 0x1.de741ep+1,"
            "0x1.144ba6p+1, -0x1.6e9298p+5, 0x1.28606cp+4, 0x1.7d52ccp+9, -0x1.ca1f7cp+6, -0x1.9d8222p+12,"
            "0x1.defc3ep+9, 0x1.0d4412p+15, -0x1.b8c22cp+11, -0x1.79803ap+16, 0x1.b94e48p+12, 0x1.c63ec0p+16",
        )
        return poly(fma32, fma32(x, x, F32(-0.4375)), *c) * x

    @classmethod
    def inverse_tail(cls, s):
        k = cls.neg2_log(s * F32(float.fromhex("0x1.921fb6p+2"))) * F32(-0.5)
        c = numbers(F32, "0x1.4ef492p-1, -0x1.a07b58p-3, 0x1.d38ef0p-3, -0x1.58e55ep-6, 0x1.970a4ap-11")
        return cls.square_root(fma32(poly(fma32, k, *c), cls.reciprocal(s), s - k))

    @staticmethod
    def exp2(x, n):
        whole = F32(float.fromhex("0x1.8p+23"))
        b = x + whole
        c = "0x1.000000p+0, 0x1.62e430p-1, 0x1.ebfbdap-3, 0x1.c6aed4p-5, 0x1.3b2dbcp-7, 0x1.5f456cp-10, 0x1.41d314p-13"
        p = poly(fma32, x - (b - whole), *numbers(F32, c))
        return (p.view(I32) + ((b.view(I32) - I32(0x4B400000) + I32(n)) << 23)).view(F32)


# ---- Section 3: elementary functions, f64 ----------------------------------------------------------------------------


class Double:
    real, words, fma = F64, staticmethod(draws), staticmethod(fma64)
    core_limit = F64(0.85)
    upper_mask, lower_mask = U64(0x7FFFFFFFFFFFFFFF), U64(0x8000000000000000)
    softplus_most = F64(700)
    log2_e = F64(float.fromhex("0x1.71547652b82fep+0"))
    softplus = numbers(
        F64,
        "0x1.555555555554ep-5, -0x1.6c16c16c10e2ep-12, 0x1.71de3a48a9f08p-18, -0x1.bbd76c0eb0ef3p-24,"
        "0x1.1ee9ef76650bbp-29, -0x1.823bf072c38aap-35, 0x1.ed58e980f8e0ap-41",
    )
    two_pi = F64(float.fromhex("0x1.921fb54442d18p+2"))

    @staticmethod
    def signed_unit(d):
        return fma64(d.view(I64).astype(F64), F64(2.0**-63), F64(2.0**-64))

    @staticmethod
    def positive_unit(d):
        return fma64(d.astype(F64), F64(2.0**-64), F64(2.0**-65))

    @staticmethod
    def split(x):
        i = x.view(I64) - I64(0x3FE6A09E667F3BCD)
        return (i >> 52).astype(F64), ((i & I64(0x000FFFFFFFFFFFFF)) + I64(0x3FE6A09E667F3BCD)).view(F64) - 1

    @staticmethod
    def log_of(e, s):
        q = s / (2 + s)
        qq = q * q
        c = numbers(
            F64,
            "0x1.5555555555558p-1, 0x1.9999999995230p-2, 0x1.2492492e02a1ep-2, 0x1.c71c62d1cee00p-3,"
            "0x1.7462b9b6fac37p-3, 0x1.39fdc7e8bd7ebp-3, 0x1.2b5f0a311ef55p-3",
        )
        log1p = -2 * fma64(-q, fma64(-poly(fma64, qq, *c), qq, s), s)
        return fma64(e, F64(float.fromhex("-0x1.62e42fefa39efp+0")), log1p)

    @classmethod
    def neg2_log(cls, x):
        return cls.log_of(*cls.split(x))

    @classmethod
    def neg2_log_unit(cls, d):
        e, s = cls.split(cls.positive_unit(d))
        return cls.log_of(e, np.where(e == 0, fma64(d.view(I64).astype(F64), F64(2.0**-64), F64(2.0**-65)), s))

    square_root = staticmethod(np.sqrt)

    @staticmethod
    def cos_sin_of(t, q):
        tt = t * t
        even = numbers(
            F64,
            "1, -0x1.3bd3cc9be45dep-2, 0x1.03c1f081b5aacp-6, -0x1.55d3c7e3c90fdp-12, 0x1.e1f50683565a9p-19,"
            "-0x1.a6d1ec795faf9p-26, 0x1.f9cc4154b7f1bp-34, -0x1.b264cc8f5a8a1p-42",
        )
        odd = numbers(
            F64,
            "0x1.921fb54442d18p-1, -0x1.4abbce625be41p-4, 0x1.466bc67758700p-9, -0x1.32d2cce2d5418p-15,"
            "0x1.50782fca4376cp-22, -0x1.e30063a95bdb2p-30, 0x1.e3eed8c16e6f1p-38",
        )
        return turn(q, 63, poly(fma64, tt, *even), poly(fma64, tt, *odd) * t)

    @classmethod
    def cos_sin(cls, d):
        t = fma64(((d << U64(2)).view(I64) >> 2).astype(F64), F64(2.0**-61), F64(2.0**-62))
        return cls.cos_sin_of(t, d + U64(1 << 61))

    @classmethod
    def cos_sin_at(cls, a):
        return cls.cos_sin_of(((a << U64(2)).view(I64) >> 2).astype(F64) * F64(2.0**-61), a + U64(1 << 61))

    # Wichura, Algorithm AS 241 (PPND16): a0 .. a7 with b1 .. b7, c0 .. with d1 .., e0 .. with f1 ...
    SETS = [
        (
            "3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,"
            "4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3",
            "4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,"
            "3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3",
        ),
        (
            "1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,"
            "1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4",
            "2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,"
            "1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9",
        ),
        (
            "6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,"
            "2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7",
            "5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,"
            "1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15",
        ),
    ]

    @classmethod
    def rational(cls, r, which):
        above, below = (numbers(F64, text) for text in cls.SETS[which])
        return poly(fma64, r, *above) / poly(fma64, r, F64(1), *below)

    @classmethod
    def inverse_core(cls, x):
        q = x * 0.5
        return q * cls.rational(fma64(-q, q, F64(0.180625)), 0)

    @classmethod
    def inverse_far(cls, s):
        v = s - cls.neg2_log(s * cls.two_pi) * -0.5
        for _ in range(4):
            y = 1 / v
            m = poly(fma64, y, F64(-1), F64(5) / 2, F64(-37) / 3, F64(353) / 4, F64(-4081) / 5)
            v = fma64(2 * y, m, fma64(cls.neg2_log(v * cls.two_pi), F64(0.5), s))
        return np.sqrt(v)

    @classmethod
    def inverse_tail(cls, s):
        r = np.sqrt(s * 0.5)
        z = np.where(r <= 5, cls.rational(r - 1.6, 1), cls.rational(r - 5, 2))
        return np.where(r <= 27, z, cls.inverse_far(s))

    @staticmethod
    def exp2(x, n):
        whole = F64(float.fromhex("0x1.8p+52"))
        b = x + whole
        c = numbers(
            F64,
            "0x1.0000000000000p+0, 0x1.62e42fefa39efp-1, 0x1.ebfbdff82c5adp-3, 0x1.c6b08d7049fd1p-5,"
            "0x1.3b2ab6fb9f412p-7, 0x1.5d87fe78cf228p-10, 0x1.43091310bf90fp-13, 0x1.ffcbfba7c836cp-17,"
            "0x1.62bfc3c1835ecp-20, 0x1.b526787220677p-24, 0x1.e620fbd262ce0p-28, 0x1.e7aa2cb8a3888p-32",
        )
        p = poly(fma64, x - (b - whole), *c)
        return (p.view(I64) + ((b.view(I64) - I64(0x4338000000000000) + I64(n)) << 52)).view(F64)


def turn(quadrant, top, even, odd):
    """Cosine and sine from the quadrant in the two upper bits."""
    high, low = (quadrant >> quadrant.dtype.type(top)) & 1 == 1, (quadrant >> quadrant.dtype.type(top - 1)) & 1 == 1
    c, s = np.where(low, odd, even), np.where(low, even, odd)
    return np.where(high != low, -c, c), np.where(high, -s, s)


def inverse_softplus(m, y, t):
    near = m.fma(m.fma(poly(m.fma, y * y, *m.softplus), y, m.real(0.5)), y, t)
    far = m.neg2_log(m.real(1) - m.exp2(np.minimum(y, m.softplus_most) * -m.log2_e, 0))
    return np.where(y <= 1, near, m.fma(far, m.real(-0.5), y))


# ---- Section 5: dtypes -----------------------------------------------------------------------------------------------

# Digits of the significand, the exponent of the smallest number, the largest number, bytes.
DTYPES = {
    "f32": (24, -149, float.fromhex("0x1.fffffep+127"), 4),
    "f16": (11, -24, 65504.0, 2),
    "bf16": (8, -133, float.fromhex("0x1.fep+127"), 2),
    "f64": (53, -1074, sys.float_info.max, 8),
    "f8_e4m3": (4, -9, 448.0, 1),
    "f8_e5m2": (3, -16, 57344.0, 1),
}


def steps(x, dtype, rounding):
    """x, double, as a whole multiple of the dtype's steps there."""
    digits, least, _, _ = DTYPES[dtype]
    if dtype == "f64":
        return x
    step = np.maximum(np.frexp(x)[1] - digits, least)
    return np.ldexp(rounding(np.ldexp(x, -step)), step)


def most(dtype, x):
    """The dtype's largest finite number that is not above x."""
    largest = DTYPES[dtype][2]
    return float(largest if x >= largest else -largest if x <= -largest else steps(F64(x), dtype, np.floor)) + 0.0


def least(dtype, x):
    return -most(dtype, -x) + 0.0


def bits_of(dtype, x):
    """The bits of values: rounded once to nearest even, and put together from sign, exponent and fraction."""
    digits, smallest, _, size = DTYPES[dtype]
    if dtype in ("f32", "f64"):
        return x.view(U32 if size == 4 else U64).astype(U64)
    number = np.abs(steps(x.astype(F64), dtype, np.rint))
    fraction = digits - 1
    exponent = np.maximum(np.frexp(number)[1] - digits - smallest, 0)  # 0: subnormal, or the first normal ones
    exponent = np.where(number == 0, 0, exponent)
    units = np.ldexp(number, -smallest - exponent).astype(U64)
    magnitude = (exponent.astype(U64) << U64(fraction)) + units
    return magnitude | np.signbit(x).astype(U64) << U64(8 * size - 1)


# ---- Section 4: distributions ----------------------------------------------------------------------------------------


def places(tensor):
    """Coordinates in the whole of the part's elements, row-major, as a list of arrays; and their indices there."""
    shape = tensor["shape"]
    if tensor["part"] == "slab":
        axes = [np.arange(a, a + n, dtype=U64) for a, n in zip(tensor["start"], tensor["extent"])]
        at = [g.ravel() for g in np.meshgrid(*axes, indexing="ij")]
        index = np.zeros_like(at[0])
        for extent, coordinate in zip(shape, at):
            index = index * U64(extent) + coordinate
        return at, index
    first, count = (tensor["first"], tensor["count"]) if tensor["part"] == "range" else (0, int(np.prod(shape)))
    index = np.arange(first, first + count, dtype=U64)
    at, rest = [], index
    for extent in reversed(shape):
        at.insert(0, rest % U64(extent))
        rest = rest // U64(extent)
    return at, index


class Roles:
    """What the layout says of coordinates: groups divide I where it is the first letter, else O; splits divide O."""

    def __init__(self, tensor, at):
        layout, shape = tensor["layout"], tensor["shape"]
        i_first = layout[0] == "I"
        self.parts = {
            "O": tensor["splits"] * (1 if i_first else tensor["groups"]),
            "I": tensor["groups"] if i_first else 1,
        }
        by_letter = list(zip(layout, shape, at))
        extent = {letter: n // self.parts[letter] for letter, n, _ in by_letter if letter in "OI"}
        self.inside = {letter: a % U64(extent[letter]) for letter, _, a in by_letter if letter in "OI"}
        self.part = {letter: a // U64(extent[letter]) for letter, _, a in by_letter if letter in "OI"}
        self.whole = {letter: a for letter, _, a in by_letter if letter in "OI"}
        self.stack = [a for letter, _, a in by_letter if letter == "B"]
        self.taps = [(letter, n, a) for letter, n, a in by_letter if letter in "DHW"]
        self.centre = np.all([a == n // 2 for _, n, a in self.taps], axis=0) if self.taps else np.True_


def normal(m, law, key, index):
    even = index & ~U64(1)
    r = m.square_root(m.neg2_log_unit(m.words(key, even)))
    c, s = m.cos_sin(m.words(key, even + U64(1)))
    return m.fma(m.real(law["std"]), r * np.where(index == even, c, s), m.real(law["mean"]))


def truncated(m, law, w):
    r = {name: m.real(law[name]) for name in ("x_middle", "x_half", "s_reference", "low", "high", "width")}
    x = m.fma(r["x_half"], m.signed_unit(w), r["x_middle"])
    above = x > 0
    unit = m.positive_unit(w ^ np.where(above, m.upper_mask, m.lower_mask))
    tail = m.fma(r["width"], unit, np.where(above, r["high"], r["low"]))
    far = m.inverse_tail(r["s_reference"] + m.neg2_log(tail))
    z = np.where(np.abs(x) <= m.core_limit, m.inverse_core(x), np.where(above, far, -far))
    return m.fma(m.real(law["std"]), z, m.real(law["mean"]))


def log_uniform(m, law, w):
    unit = m.signed_unit(w)
    y = m.exp2(m.fma(m.real(law["octaves"]), unit, m.real(law["rest"])), int(law["whole"]))
    if law["law"] == "log_uniform":
        return y
    return inverse_softplus(m, y, m.fma(m.real(law["half"]), unit, m.real(law["middle"])))


def zeros_of(law, tensor, key):
    """Indices of the whole tensor's zeros: in each line, those of the least keys."""
    at, index = places({**tensor, "part": "whole"})
    roles = Roles(tensor, at)
    owner, other = ("I", "O") if law["per"] == "input" else ("O", "I")
    k = philox(*key, index + U64(1 << 62))
    line = [*roles.stack, roles.whole[owner], roles.part[other]]
    order = np.lexsort([k[3], k[2], k[1], k[0], *line])
    lines = np.array(line)[:, order]
    begins = np.concatenate([[True], np.any(lines[:, 1:] != lines[:, :-1], axis=0)])
    rank = np.arange(len(order)) - np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    return index[order[rank < law["zeros"]]]


def bilinear(m, law, roles):
    weight, whole = np.full(len(roles.inside["O"]), m.real(1)), m.real(8)
    taps = {letter: (n, a) for letter, n, a in roles.taps}
    for letter in "DHW":
        n, a = taps.get(letter, (1, U64(0)))
        f = (n + 1) // 2
        weight = weight * (2 * f - np.abs(2 * np.asarray(a, dtype=I64) - (n - 1))).astype(m.real)
        whole *= m.real(f)
    return np.where(roles.inside["O"] == roles.inside["I"], m.real(law["value"]) * (weight / whole), m.real(0))


def odd_ones(x):
    for shift in (32, 16, 8, 4, 2, 1):
        x = x ^ x >> U64(shift)
    return x & U64(1) == 1


@functools.lru_cache(maxsize=None)
def ratio(base, j, steps):
    """base^(-2^j / steps) as (m, e), by decimals of 80 digits."""
    with decimal.localcontext() as context:
        context.prec = 80
        x = (-decimal.Decimal(base).ln() * (1 << j) / steps).exp()
        e = 0
        while x * (1 << e) < 1:
            e += 1
        m = int((x * (1 << e + 63)).to_integral_value(decimal.ROUND_HALF_EVEN))
    return (m // 2, e - 1) if m == 1 << 64 else (m, e)


def times(a, b):
    product, e = a[0] * b[0], a[1] + b[1]
    return (product >> 64, e - 1) if product >> 127 else (product >> 63, e)


def power(base, k, steps):
    p = (1 << 63, 0)
    for j in range(k.bit_length()):
        if k >> j & 1:
            p = times(p, ratio(base, j, steps))
    return p


def number(m, p):
    """m 2^(-63 - e) rounded once to real."""
    cut = 40 if m is Single else 11
    whole, rest = divmod(p[0], 1 << cut)
    whole += rest > 1 << cut - 1 or (rest == 1 << cut - 1 and whole & 1 == 1)
    return m.real(np.ldexp(float(whole), cut - 63 - p[1]))


def log2_digits(x):
    """log2(x) 2^59, cut off."""
    y = x.bit_length() - 1
    m = x << 63 - y
    for _ in range(59):
        m, e = times((m, 0), (m, 0))
        y = y << 1 | (e == -1)
    return y


def exp2_digits(y):
    """2^(-y 2^-55) as (m, e)"""
    whole, f = y >> 55, (y << 9) % (1 << 64)
    if f == 0:
        return 1 << 63, whole
    with decimal.localcontext() as context:
        context.prec = 80
        ln2 = decimal.Decimal(2).ln()
        c = [int((ln2**k / math.factorial(k) * (1 << 64)).to_integral_value()) for k in range(1, 19)]
    h = 0
    for of in reversed(c):
        h = of - (f * h >> 64)
    return (1 << 64) - (f * h >> 64), whole + 1


@functools.lru_cache(maxsize=None)
def bent(m, a, b, exponent):
    """(a / b)^exponent"""
    if a == 0:
        return m.real(0)
    p = exp2_digits((log2_digits(b) - log2_digits(a)) * int(exponent * 2**60) >> 64)
    return m.real(0) if p[1] > 100 else number(m, p)


def ramp(m, law, tensor, at):
    count, n = math.prod(tensor["shape"]), np.zeros(len(at[0]), U64)
    for extent, a in zip(tensor["shape"], at):
        n = n * U64(extent) + a
    steps = count if law["half_open"] or count == 1 else count - 1
    t = np.array([bent(m, k, steps, law["exponent"]) for k in n.tolist()])
    twice, most = 2 * ((n.astype(I64) + law["shift"]) % law["period"]), law["period"] - 1
    s = np.array([bent(m, k, most, law["zigzag_exponent"]) for k in np.abs(twice - most).tolist()])
    x = m.fma(m.real(law["hi"] - law["lo"]), t, m.real(law["lo"]))
    return m.fma(m.real(law["zigzag"]), np.where(twice < most, -s, s), x) if law["zigzag"] else x


def table(m, law, tensor, at):
    if law["kind"] == "ramp":
        return m.real(law["value"]) * ramp(m, law, tensor, at)

    columns, base, n = tensor["shape"][-1], law["base"], at[-1].astype(I64)
    if law["kind"] == "s4d_real":
        x = m.neg2_log((n + 1).astype(m.real)) * m.real(-0.5)
    elif law["kind"] == "inv_freq":
        x = np.array([number(m, power(base, k, columns)) for k in range(columns)])[n]
    elif law["kind"] == "alibi":
        d = 1 << columns.bit_length() - 1
        steps = [2 * k + 2 if k < d else 2 * (k - d) + 1 for k in range(columns)]
        x = np.array([number(m, power(16.0, k, d)) for k in steps])[n]
    else:
        half = columns // 2
        interleaved, d = law["form"] == "interleaved", max(half - 1, 1) if law["form"] == "tensor2tensor" else half
        turns = [times(power(base, i, d), (0xA2F9836E4E44152A, 3)) for i in range(half)]
        per_position = np.array([0 if e - 1 > 63 else f >> e - 1 for f, e in turns], dtype=U64)
        i, is_cosine = (n >> 1, n & 1 == 1) if interleaved else (n % half, n >= half)
        c, s = m.cos_sin_at(at[-2] * per_position[i])
        x = np.where(is_cosine, c, s)
    return m.real(law["value"]) * x


# ---- Section 8: orthogonal matrices ----------------------------------------------------------------------------------

BLOCK, CHUNK = 128, 64


def add(total, low, x):
    t, lost = two_sum(total, x)
    return t, low + lost


def squares(m, a, first):
    """Of each column of `a`, the sum of squares from row first[column] on."""
    total = total_low = np.zeros(a.shape[1], m.real)
    for chunk in range(0, len(a), CHUNK):
        s = low = np.zeros(a.shape[1], m.real)
        for l in range(chunk, min(chunk + CHUNK, len(a))):
            h = a[l] * a[l]
            s_next, low_next = add(s, low + m.fma(a[l], a[l], -h), h)
            s, low = np.where(l >= first, s_next, s), np.where(l >= first, low_next, low)
        total, total_low = add(total, total_low, s + low)
    return total + total_low


def product(m, a, b):
    """All products of columns of `a` with columns of `b`."""
    total = np.zeros((a.shape[1], b.shape[1]), m.real)
    for chunk in range(0, len(a), CHUNK):
        s = np.zeros_like(total)
        for l in range(chunk, min(chunk + CHUNK, len(a))):
            s = m.fma(a[l][:, None], b[l][None, :], s)
        total = total + s
    return total


def reflectors(m, x):
    """Vectors, as columns, tau and d."""
    rows, s = np.arange(len(x))[:, None], np.arange(x.shape[1])
    diagonal = x[s, s]
    square = squares(m, x, s)
    assert np.all((square > 0) & np.isfinite(square))  # draws of the stream are nothing else
    side = np.where(diagonal < 0, m.real(-1), m.real(1))
    norm = np.sqrt(square)
    scale = m.real(1) / np.sqrt(norm * (norm + np.abs(diagonal)))
    v = np.where(rows > s, x * scale, m.real(0))
    v[s, s] = np.where(s == len(x) - 1, m.real(1), (diagonal + side * norm) * scale)
    first = v[s, s]
    return v, m.real(2) / m.fma(first, first, squares(m, v, s + 1)), -side


def orthonormal(m, x):
    """The matrix that is made of normals; its vectors are columns of x."""
    v, tau, d = reflectors(m, x)
    y = np.zeros_like(x)
    y[np.arange(len(d)), np.arange(len(d))] = d
    for f in reversed(range(0, len(d), BLOCK)):
        of = v[:, f : f + BLOCK]
        s, z = product(m, of, of), product(m, of, y)
        for k in reversed(range(of.shape[1])):
            for j in reversed(range(k + 1, of.shape[1])):
                z[k] = m.fma(-s[k, j], z[j], z[k])
            z[k] = z[k] * tau[f + k]
        total = np.zeros_like(y)
        for k in range(of.shape[1]):
            total = m.fma(of[:, k][:, None], z[k][None, :], total)
        y = y - total
    return y


@functools.lru_cache(maxsize=None)
def orthogonal(m, centre, tensor, key):
    """q of every element of a whole tensor."""
    tensor = json.loads(tensor)
    at, index = places({**tensor, "part": "whole"})
    roles = Roles(tensor, at)
    x, q = normal(m, {"std": 1, "mean": 0}, key, index), np.zeros(len(index), m.real)
    taps = {letter: a for letter, _, a in roles.taps}
    columns = [roles.inside["I"], *(taps[letter] for letter in "DHW" if letter in taps)]
    members = np.broadcast_to(roles.centre if centre else np.True_, index.shape)
    matrices = np.array([*roles.stack, roles.part["O"], roles.part["I"]])
    for matrix in np.unique(matrices[:, members], axis=1).T:
        inside = np.flatnonzero(members & np.all(matrices == matrix[:, None], axis=0))
        inside = inside[np.lexsort([a[inside] for a in reversed([roles.inside["O"], *columns])])]
        rows = len(np.unique(roles.inside["O"][inside]))
        values_of = x[inside].reshape(rows, -1)
        wide = values_of.shape[1] >= rows
        made = orthonormal(m, np.ascontiguousarray(values_of.T if wide else values_of))
        q[inside] = (made.T if wide else made).ravel()
    return q


def values(m, law, tensor, key, dtype):
    """The values of the part's elements, in real."""
    at, index = places(tensor)
    kind = law["law"]
    if kind == "constant":
        return np.full(len(index), m.real(law["value"]))
    if kind in ("normal", "sparse"):
        x = normal(m, law, key, index)
        return x if kind == "normal" else np.where(np.isin(index, zeros_of(law, tensor, key)), m.real(0), x)
    if kind == "orthogonal":
        whole = {name: tensor[name] for name in ("layout", "groups", "splits", "shape")}
        return m.real(law["value"]) * orthogonal(m, law["taps"] == "centre", json.dumps(whole), key)[index]
    if kind == "table":
        return table(m, law, tensor, at)
    if kind in ("ones", "bilinear", "hadamard"):
        roles = Roles(tensor, at)
        o, i = roles.inside["O"], roles.inside["I"]
        if kind == "bilinear":
            return bilinear(m, law, roles)
        one = m.real(law["value"])
        if kind == "ones":
            return np.where((o == i) & roles.centre, one, m.real(0))
        return np.where(roles.centre, np.where(odd_ones(o & i), -one, one), m.real(0))
    w = m.words(key, index)
    if kind == "uniform":
        x = m.fma(m.real(law["half"]), m.signed_unit(w), m.real(law["middle"]))
    else:
        x = truncated(m, law, w) if kind == "trunc_normal" else log_uniform(m, law, w)
    return np.minimum(np.maximum(x, m.real(least(dtype, law["lo"]))), m.real(most(dtype, law["hi"])))


# ---- Section 7: digests ----------------------------------------------------------------------------------------------


def fnv1a(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


def law_of(texts):
    return {
        k: float.fromhex(v) if isinstance(v, str) and k not in ("law", "per", "taps", "kind", "form") else v
        for k, v in texts.items()
    }


def replay(path, only=None):
    """The number of checks, and a sentence for each that differs."""
    with open(path, encoding="ascii") as file:
        root = json.load(file)
    assert root["stream_version"] == 1
    laws, wrong, count = [law_of(law) for law in root["laws"]], [], 0
    for check in root["checks"]:
        if only and check["init"].split(":")[0] != only:
            continue
        tensor, size = root["tensors"][check["tensor"]], DTYPES[check["dtype"]][3]
        key = int(root["seed"], 16), int(tensor["stream"], 16)
        m = Double if check["dtype"] == "f64" else Single
        with np.errstate(all="ignore"):  # integers wrap, and what np.where() leaves out may be anything
            bits = bits_of(check["dtype"], values(m, laws[check["law"]], tensor, key, check["dtype"]))
        first = " ".join(f"{b:0{2 * size}x}" for b in bits[:8].tolist())
        digest = f"{fnv1a(bits.astype(f'<u{size}').tobytes()):016x}"
        count += 1
        if (len(bits), first, digest) != (check["count"], check["values"], check["digest"]):
            wrong.append(
                f"{check['init']} {check['dtype']} tensor {check['tensor']}: {first} and {digest}, not "
                f"{check['values']} and {check['digest']}"
            )
    return count, wrong


def main():
    count, wrong = replay(*sys.argv[1:3])
    for sentence in wrong:
        print(sentence)
    print(f"{count - len(wrong)} of {count} checks are stream v1")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
