"""'fanin init' of the initializers of data/draws.csv: its numbers are no further from the quantiles of the package's own than
two samples of one law are (data/make_draws.py has the bound), nor further than when they were recorded. Every random
initializer of the sets keras and flax is in that list.

usage: draws.py FANIN DRAWS RULES
"""

import array
import bisect
import csv
import json
import math
import struct
import subprocess
import sys

FALSE_ALARM = 1e-6  # of all rows together


def made(fanin, rows):
    """The values of each row's initializer, sorted, as make_draws.py made them."""
    tensors = []
    for i, row in enumerate(rows):
        shape = [int(n) for n in row["shape"].split("x")]
        layout = {"layout": row["layout"]} if row["layout"] else {}
        tensors.append({"name": f"{i}", "shape": shape, "init": row["init"], **layout})
    with open("draws.json", "w") as file:
        json.dump({"name": "draws", "tensors": tensors}, file)
    subprocess.run([fanin, "init", "draws.json", "-o", "draws.safetensors", "--seed", "1"], check=True)
    with open("draws.safetensors", "rb") as file:
        data = file.read()
    size = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8 : 8 + size])
    for i in range(len(rows)):
        begin, end = header[f"{i}"]["data_offsets"]
        yield sorted(array.array("f", data[8 + size + begin : 8 + size + end]))


def main(fanin, draws, rules):
    with open(draws) as file:
        rows = list(csv.DictReader(file))
    failures = []
    for row, values in zip(rows, made(fanin, rows)):
        n, recorded = int(row["n"]), float(row["distance"])
        bound = math.sqrt(math.log(2 * len(rows) / FALSE_ALARM) / n)
        quantiles = [float(x) for x in row["quantiles"].split()]
        far = max(abs(bisect.bisect_right(values, x) / n - (k + 1) / 256) for k, x in enumerate(quantiles))
        if len(values) != n or len(quantiles) != 255 or not far < bound or far > recorded + 1e-5 or recorded > bound:
            failures.append(f"{row['package']} {row['init']}: {far:.6f}, recorded {recorded}, bound {bound:.6f}")
    for package in ("keras", "flax"):
        with open(f"{rules}/{package}.json") as file:
            drawn = {rule["init"] for rule in json.load(file)["rules"] if "init" in rule}
        drawn -= {init for init in drawn if init in ("zeros", "ones") or init.startswith("constant:")}
        missing = drawn - {row["init"] for row in rows if row["package"] == package}
        failures += [f"{package}: {init} is in no row" for init in missing]
    print(*failures, sep="\n")
    print(f"{len(rows)} initializers, {len(failures)} failures")
    return 1 if failures else 0


sys.exit(main(*sys.argv[1:]))
