#!/usr/bin/env python3
"""What the reference implementation says of the files of tests/cli/test_safetensors.c.

usage: FANIN_VARIANTS=DIR build/tests/test_cli_safetensors
       tests/data/make_safetensors_verdicts.py DIR >tests/data/safetensors_verdicts.txt      (needs the package safetensors)

+: accepted. -: refused. !: accepted by it, refused by fanin on purpose (docs/decisions/command.md).
"""
import json
import pathlib
import struct
import sys

import safetensors


def stricter(data):
    """Whether fanin refuses what the reference takes: a name twice, U+0000 in a text, a rank above 64, blanks first."""
    length = struct.unpack_from("<Q", data)[0]
    twice = []

    def check(items):
        if len({name for name, _ in items}) < len(items):
            twice.append(items)
        return dict(items)

    text = data[8 : 8 + length].decode()
    header = json.loads(text, object_pairs_hook=check)
    tensors = (entry for name, entry in header.items() if name != "__metadata__")
    return bool(twice) or text[0] != "{" or "\\u0000" in text or any(len(t["shape"]) > 64 for t in tensors)


def verdict(path):
    data = path.read_bytes()
    try:
        safetensors.deserialize(data)
    except safetensors.SafetensorError:
        return "-"
    return "!" if stricter(data) else "+"


files = sorted(pathlib.Path(sys.argv[1]).glob("*.safetensors"))
print(f"The verdicts of safetensors {safetensors.__version__}, by tests/data/make_safetensors_verdicts.py")
print("".join(map(verdict, files)))
