"""'fanin init' beside the random numbers of the packages whose initializers it has. From data/draws.csv, by the initializers'
own texts, for the sets keras and flax; from data/model_draws.json, by the sets' rules and from the names and shapes of whole
models, for all other sets. fanin's numbers are no further from the quantiles of a package's own than two samples of one law
are, nor further than when they were recorded. All random initializers of the sets are in these lists.

  python3 draws.py FANIN DRAWS MODEL_DRAWS RULES

data/make_draws.py and data/make_model_draws.py, which record the packages' numbers, use this module for fanin's. NumPy is needed.

n numbers of each initializer are compared by Kolmogorov and Smirnov's distance of two samples. Two samples of one continuous
law are further apart than sqrt(log(2 / a) / n) with a probability of at most a (Wei & Dudley 2012; n is 458 or more), which is
FALSE_ALARM divided by the number of all comparisons. At some of the places, the quantiles, they are not further apart than
everywhere. Entries of an orthogonal matrix depend on each other: along its vectors their squares add up to a fixed number,
which brings samples closer together, so that the bound holds for them too.
"""

import csv
import fnmatch
import json
import math
import subprocess
import sys
import tempfile

import numpy as np
import read_safetensors
from models import make

FALSE_ALARM = 1e-6  # of all comparisons together
MOST = 1 << 18  # numbers that are compared
FIXED = ("zeros", "ones", "constant:", "s4d_real", "sinusoidal:", "ramp:")  # initializers that draw nothing
LAW = ("init", "layout", "fans_of", "scale")  # of a rule

read_safetensors.SIZES |= {"I64": 8}


def made_by(command, folder):
    """{name: values} of the tensors of f32 that the command makes."""
    path = f"{folder}/made.safetensors"
    subprocess.run([*command, "-o", path, "--seed", "1"], check=True, stdout=subprocess.DEVNULL)
    tensors = read_safetensors.read(path)[1].items()
    return {name: np.frombuffer(x["data"], "<f4") for name, x in tensors if x["dtype"] == "F32"}


def of_initializers(fanin, rows):
    """fanin's values of each row, a dictionary of init, layout and shape, in order."""
    tensors = []
    for i, row in enumerate(rows):
        shape = [int(n) for n in row["shape"].split("x")]
        layout = {"layout": row["layout"]} if row["layout"] else {}
        tensors.append({"name": f"{i}", "shape": shape, "init": row["init"], **layout})
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/x.json", "w") as file:
            json.dump({"name": "draws", "tensors": tensors}, file)
        made = made_by([fanin, "init", f"{folder}/x.json"], folder)
    return [made[f"{i}"] for i in range(len(rows))]


def tensors_of(model):
    """The rows that make() wants, of a list where {} in a name stands for the numbers from 0 up."""
    for name, count, dtype, shape in model["tensors"]:
        for i in range(count):
            yield {"name": name.replace("{}", str(i)), "dtype": dtype, "shape": shape}


def of_model(fanin, model):
    """By the model's set of rules: fanin's values, {name: values}, and which rules they are by, {name: number}."""
    with tempfile.TemporaryDirectory() as folder:
        make(list(tensors_of(model)), f"{folder}/x.safetensors")
        command = [fanin, "init", "--like", f"{folder}/x.safetensors", "--rules", model["rules"]]
        for setting in model["set"]:
            command += ["--set", setting]
        said = json.loads(subprocess.check_output([*command, "--explain", "--json"]))
        return made_by(command, folder), {tensor["name"]: tensor["rule"] for tensor in said["tensors"]}


def those_of(patterns, names):
    return sorted(name for name in names if any(fnmatch.fnmatchcase(name, p) for p in patterns.split()))


def pooled(values, patterns):
    """The values of all tensors with such names, the first MOST of them, sorted."""
    return np.sort(np.concatenate([np.ravel(values[name]) for name in those_of(patterns, values)])[:MOST])


def bound(n, comparisons):
    return math.sqrt(math.log(2 * comparisons / FALSE_ALARM) / n)


def distance(one, other):
    """Kolmogorov and Smirnov's, of sorted values."""
    both = np.concatenate([one, other])
    below = [np.searchsorted(values, both, "right") / len(values) for values in (one, other)]
    return np.abs(below[0] - below[1]).max()


def quantiles_of(values, parts):
    """Those of sorted values at k / parts, or just below: as many as floor(n k / parts) values are not above it."""
    return [values[len(values) * k // parts - 1] for k in range(1, parts)]


def distance_at(quantiles, values):
    """The same at another sample's quantiles, of which there are as many values."""
    n, parts = len(values), len(quantiles) + 1
    below = np.searchsorted(values, np.array(quantiles, "f4"), "right")
    return max(abs(int(b) - n * (k + 1) // parts) for k, b in enumerate(below)) / n


def laws_of(path, keys=LAW):
    """What decides the law of each of a set's own rules: a text, or None of a rule that draws nothing."""
    with open(path) as file:
        rules = json.load(file)["rules"]
    drawing = ["init" in rule and not rule["init"].startswith(FIXED) for rule in rules]
    return [" ".join(f"{k}={r[k]}" for k in keys if k in r) if draws else None for r, draws in zip(rules, drawing)]


def main(fanin, draws, model_draws, rules):
    failures, compared, used = [], [], {}
    with open(draws) as file:
        rows = list(csv.DictReader(file))
    for row, values in zip(rows, of_initializers(fanin, rows)):
        used.setdefault(row["package"], set()).add(f"init={row['init']}")
        row["quantiles"] = [float(x) for x in row["quantiles"].split()]
        compared.append((f"{row['package']} {row['init']}", row, np.sort(values)))
    with open(model_draws) as file:
        models = json.load(file)["models"]
    for model in models:
        values, numbers = of_model(fanin, model)
        laws = dict(enumerate(laws_of(f"{rules}/{model['rules']}.json")))
        for row in model["draws"]:
            names = those_of(row["tensors"], values)
            used.setdefault(model["rules"], set()).update(laws.get(numbers[name]) for name in names)
            compared.append((f"{model['model']} {row['tensors']}", row, pooled(values, row["tensors"])))
    for what, row, values in compared:
        n, recorded, most = int(row["n"]), float(row["distance"]), bound(int(row["n"]), len(compared))
        far = distance_at(row["quantiles"], values)
        if len(values) != n or n < 1 << 16 or not far < most or far > recorded + 1e-5 or recorded > most:
            failures.append(f"{what}: {far:.6f}, recorded {recorded}, bound {most:.6f}")
    for name in (s["name"] for s in json.loads(subprocess.check_output([fanin, "list", "--json"]))["rules"]):
        drawn = laws_of(f"{rules}/{name}.json", ("init",) if name in ("keras", "flax") else LAW)
        missing = {law for law in drawn if law} - used.get(name, set())
        failures += [f"{name}: {law} is in no list" for law in sorted(missing)]
    print(*failures, sep="\n")
    print(f"{len(compared)} initializers, {len(models)} models, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
