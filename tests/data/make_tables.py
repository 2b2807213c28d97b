#!/usr/bin/env python3
"""Writes tables.csv: tables as the code that introduced them makes them, in doubles.

Rows `init,positions,columns,position,values`: the columns of one position, for
  s4d_real     mamba_ssm 2.2, modules/mamba_simple.py: log(arange(1, d_state + 1))
  sinusoidal   Vaswani et al. 2017, section 3.5; Hugging Face transformers, modeling_marian.py and modeling_whisper.py
  inv_freq     transformers, modeling_llama.py: 1 / theta^(arange(0, dim, 2) / dim)
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


def main():
    rows = [("s4d_real", 1, n, [math.log(k) for k in range(1, n + 1)]) for n in (1, 16, 37)]
    rows += [("sinusoidal", 30, 12, vaswani(30, 12, 1e4)), ("sinusoidal:base=50", 7, 2, vaswani(7, 2, 50))]
    rows += [("sinusoidal:form=halves", 30, 12, marian(30, 12, 1e4))]
    rows += [("sinusoidal:form=tensor2tensor", 30, 12, whisper(30, 12, 1e4))]
    rows += [("inv_freq", 1, 32, [1 / 1e4 ** (k / 64) for k in range(0, 64, 2)])]
    rows += [("inv_freq:base=500000", 1, 21, [1 / 5e5 ** (k / 42) for k in range(0, 42, 2)])]
    rows += [("alibi", 1, n, alibi(n)) for n in (1, 2, 3, 8, 12, 16, 25, 40)]
    with open("tables.csv", "w", encoding="ascii") as file:
        file.write("init,positions,columns,position,values\n")
        for init, positions, columns, values in rows:
            for p in range(positions):
                text = " ".join(repr(x) for x in values[p * columns : (p + 1) * columns])
                file.write(f"{init},{positions},{columns},{p},{text}\n")


if __name__ == "__main__":
    main()
