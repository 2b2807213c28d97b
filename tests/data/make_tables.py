#!/usr/bin/env python3
"""Writes tables.csv: tables as the code that introduced them makes them, in doubles.

Rows `init,positions,columns,position,values`: the columns of one position, with ; for , in `init`, for
  s4d_real     mamba_ssm 2.2, modules/mamba_simple.py: log(arange(1, d_state + 1))
  sinusoidal   Vaswani et al. 2017, section 3.5; Hugging Face transformers, modeling_marian.py and modeling_whisper.py
  inv_freq     transformers, modeling_llama.py: 1 / theta^(arange(0, dim, 2) / dim)
  ramp         BlinkDL/RWKV-LM (commit 524481d): RWKV_Tmix_x060 and CMix_x060 of RWKV-v5/src/model.py, RWKV_Tmix_x070 and
               CMix_x070 of RWKV-v7/train_temp/src/model.py; transformers, modeling_rwkv.py
  alibi        Press et al. 2022, fairseq/models/transformer.py of their repository: get_slopes()

Run: python3 make_tables.py
"""

import math


def alibi(n):
    def power_of_2(n):
        start = 2 ** (-(2 ** -(math.log2(n) - 3)))
        return [start * start**i for i in range(n)]

    if math.log2(n).is_integer():
        return power_of_2(n)
    closest = 2 ** math.floor(math.log2(n))
    return power_of_2(closest) + alibi(2 * closest)[0::2][: n - closest]


def vaswani(positions, d, base):
    def channel(pos, k):
        angle = pos / base ** (2 * (k // 2) / d)
        return math.sin(angle) if k % 2 == 0 else math.cos(angle)

    return [channel(pos, k) for pos in range(positions) for k in range(d)]


def marian(positions, d, base):
    angles = [[pos / base ** (2 * (j // 2) / d) for j in range(d)] for pos in range(positions)]
    rows = [[math.sin(a) for a in row[0::2]] + [math.cos(a) for a in row[1::2]] for row in angles]
    return [x for row in rows for x in row]


def whisper(positions, d, base):
    increment = math.log(base) / (d // 2 - 1)
    inverse = [math.exp(-increment * i) for i in range(d // 2)]
    rows = [[math.sin(p * w) for w in inverse] + [math.cos(p * w) for w in inverse] for p in range(positions)]
    return [x for row in rows for x in row]


def rwkv(layer, layers, c, head):
    """What is made of a layer with c channels: (an initializer that says the same, the values)."""
    up, down = layer / (layers - 1), 1 - layer / layers
    share, place, n = [i / c for i in range(c)], [i / (c - 1) for i in range(c)], range(c)
    third = [(i + 1) % 3 - 1 for i in n]
    saw = [((i % head) - (head - 1) / 2) / ((head - 1) / 2) for i in n]
    square = [x * abs(x) for x in saw]

    def init(lo, hi, exponent=1.0, **more):
        more = "".join(f",{key}={value}" for key, value in more.items())
        return f"ramp:lo={lo!r},hi={hi!r},exponent={exponent!r}{more}"

    in_head = {"period": head, "zigzag_exponent": 2}
    yield init(-5, 3, 0.7 + 1.3 * up), [-5 + 8 * x ** (0.7 + 1.3 * up) for x in place]  # RWKV-4
    yield init(0.3 * up, 1 + 0.3 * up, down, half_open="true"), [x**down + 0.3 * up for x in share]
    yield init(math.log(0.3), math.log(0.3), zigzag=0.5, shift=1), [math.log(0.3) + z * 0.5 for z in third]
    yield init(1 - 0.3 * up, -0.3 * up, down, half_open="true"), [1 - (x**down + 0.3 * up) for x in share]  # RWKV-6
    yield init(1, 0, down**3, half_open="true"), [1 - x ** (down**3) for x in share]
    yield init(up, 0, zigzag=0.1, shift=1), [up * (1 - x) + z * 0.1 for x, z in zip(place, third)]
    yield init(1, 0, 0.2 * down, half_open="true"), [1 - x ** (0.2 * down) for x in share]  # RWKV-7
    decay = [-6 + 6 * x ** (1 + up**0.3) + 0.5 + 2.5 * z for x, z in zip(place, square)]
    yield init(-5.5, 0.5, 1 + up**0.3, zigzag=2.5, **in_head), decay
    rate = [-0.19 + 0.3 * z + 0.4 * (x - 0.5) for x, z in zip(place, square)]
    yield init(-0.39, 0.01, zigzag=0.3, **in_head), rate
    yield init(0.93, 0.53), [0.73 - 0.4 * (x - 0.5) for x in place]


def main():
    rows = [("s4d_real", 1, n, [math.log(k) for k in range(1, n + 1)]) for n in (1, 16, 37)]
    rows += [("sinusoidal", 30, 12, vaswani(30, 12, 1e4)), ("sinusoidal:base=50", 7, 2, vaswani(7, 2, 50))]
    rows += [("sinusoidal:form=halves", 30, 12, marian(30, 12, 1e4))]
    rows += [("sinusoidal:form=tensor2tensor", 30, 12, whisper(30, 12, 1e4))]
    rows += [("inv_freq", 1, 32, [1 / 1e4 ** (k / 64) for k in range(0, 64, 2)])]
    rows += [("inv_freq:base=500000", 1, 21, [1 / 5e5 ** (k / 42) for k in range(0, 42, 2)])]
    rows += [("alibi", 1, n, alibi(n)) for n in (1, 2, 3, 8, 12, 16, 25, 40)]
    for layer, layers, c, head in ((0, 3, 24, 8), (1, 3, 26, 13), (2, 3, 24, 8), (11, 12, 32, 16)):
        rows += [(init.replace(",", ";"), 1, c, values) for init, values in rwkv(layer, layers, c, head)]
    with open("tables.csv", "w", encoding="ascii") as file:
        file.write("init,positions,columns,position,values\n")
        for init, positions, columns, values in rows:
            for p in range(positions):
                text = " ".join(repr(x) for x in values[p * columns : (p + 1) * columns])
                file.write(f"{init},{positions},{columns},{p},{text}\n")


if __name__ == "__main__":
    main()
