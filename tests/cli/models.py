"""'fanin init --like ... --explain' of every model of data/models with every set of rules: what is said of a tensor is what
the model's own code does (of pytorch: what its module does), or the whole is refused. data/models/expected.txt says which
must not be refused, and with which words others must be.

usage: models.py FANIN DATA
"""

import csv
import json
import math
import os
import struct
import subprocess
import sys

SIZES = {"I64": 8, "I32": 4, "U32": 4, "F32": 4, "BOOL": 1}
TOLERANCE = 1e-6  # the lists have nine digits of float32


def read_list(path):
    with open(path) as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["shape"] = [int(n) for n in row["shape"].split("x")] if row["shape"] else []
    return rows


def make(rows, path):
    """A checkpoint of the list's tensors, its data a hole."""
    header, end = {}, 0
    for row in rows:
        begin, end = end, end + SIZES[row["dtype"]] * math.prod(row["shape"])
        header[row["name"]] = {"dtype": row["dtype"], "shape": row["shape"], "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)


def close(said, wanted):
    return said is not None and abs(said - wanted) <= TOLERANCE * abs(wanted)


def has_law(said, law):
    """Whether the numbers of 'explain' are those of 'normal:0:0.02' and the like."""
    kind, *numbers = law.split(":")
    if kind == "norm":
        return said.get("norm_of") == numbers[0]
    numbers = [float(x) for x in numbers]
    if kind == "other":  # copied from a computation: left out, or what the values of are judged by cli.fresh
        made = "log_uniform:floor=0.0001,inverse_softplus=true", "s4d_real", "sinusoidal:form=tensor2tensor"
        return "skip" in said or said.get("init", "").startswith(made)
    if "skip" in said or "norm_of" in said:
        return False
    if kind == "blocks":  # equal ones along the first dimension, each of one number
        size = said["shape"][0] // len(numbers)
        made = []
        for part in said.get("parts", []):
            first, end = map(int, part["range"].split(".."))
            made += [{"zeros": 0, "ones": 1}[part["init"]]] * (end - first)
        return made == [number for number in numbers for _ in range(size)]
    if "parts" in said:
        return False
    if kind == "orthogonal":
        name, _, gain = said["init"].partition(":gain=")
        return (
            name == "orthogonal"
            and said["layout"].replace("I", "").endswith("O")
            and close(float(gain or 1), numbers[0])
        )
    if (
        kind == "values"
    ):  # computed from indices: mean, std, least and most of f32 numbers, against bounds where some add up
        size = max(abs(numbers[2]), abs(numbers[3]))
        near = all(abs(said[what] - x) <= TOLERANCE * size for what, x in zip(("mean", "std"), numbers))
        return near and said["lo"] <= numbers[2] + TOLERANCE * size and said["hi"] >= numbers[3] - TOLERANCE * size
    if kind == "constant":
        return said["std"] == 0 and close(said["mean"], numbers[0])
    if kind == "uniform":
        return (
            close(said["lo"], numbers[0])
            and close(said["hi"], numbers[1])
            and close(said["std"], (numbers[1] - numbers[0]) / math.sqrt(12))
        )
    mean, std = numbers[:2]
    if not close(said["mean"], mean) or said["init"].split(":")[0] == "uniform":
        return False
    # A cut 30 standard deviations away never happens, and both ways of saying so are right.
    cut = (numbers[3] - mean) / std if len(numbers) > 2 else math.inf
    assert cut == math.inf or close(mean - numbers[2], numbers[3] - mean), law
    if cut > 30:
        return close(said["std"], std) and (said["lo"] is None or said["hi"] - mean > 30 * std)
    std *= math.sqrt(1 - cut * math.sqrt(2 / math.pi) * math.exp(-(cut**2) / 2) / math.erf(cut / math.sqrt(2)))
    return close(said["lo"], numbers[2]) and close(said["hi"], numbers[3]) and close(said["std"], std)


def wrong_rows(rows, said, rules):
    """Rows whose tensor gets something else than is prescribed. Of pytorch, modules that are not torch's prescribe
    nothing but what is constant, as the weights of their norms."""
    for row in rows:
        wanted = row["own"]
        if rules == "pytorch":
            wanted = row["module"] or (row["own"] if len(row["shape"]) < 2 else None)
        elif "skip" in said[row["name"]] and wanted != "other":
            yield row["name"], "skipped", wanted
            continue
        if wanted and not has_law(said[row["name"]], wanted):
            yield row["name"], said[row["name"]].get("init"), wanted


def read_expected(path):
    """{(model, rules): [(options, words of the refusal or None)]}"""
    expected = {}
    with open(path) as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                continue
            head, _, words = line.rstrip("\n").partition(" | ")
            model, rules, *options = head.split()
            expected.setdefault((model, rules), []).append((options, words or None))
    return expected


def main(fanin, data):
    expected = read_expected(f"{data}/expected.txt")
    models = sorted(name[:-4] for name in os.listdir(data) if name.endswith(".csv"))
    sets = [s["name"] for s in json.loads(subprocess.check_output([fanin, "list", "--json"]))["rules"]]
    assert {m for m, _ in expected} == set(models), {m for m, _ in expected} ^ set(models)
    assert {s for _, s in expected} == set(sets)
    failures, made, refused = [], 0, 0
    for model in models:
        rows = read_list(f"{data}/{model}.csv")
        make(rows, "x.safetensors")
        for rules in sets:
            for options, words in expected.get((model, rules), [([], "")]):
                run = subprocess.run(
                    [fanin, "init", "--like", "x.safetensors", "--rules", rules, "--explain", "--json", *options],
                    capture_output=True,
                    text=True,
                )
                where = " ".join([model, rules, *options])
                if run.returncode == 0:
                    made += 1
                    said = {t["name"]: t for t in json.loads(run.stdout)["tensors"]}
                    wrong = list(wrong_rows(rows, said, rules))
                    if wrong and words != "cannot be told":
                        failures.append(f"{where}: {len(wrong)} wrong, such as {wrong[:3]}")
                    elif words and words != "cannot be told":
                        failures.append(f'{where}: accepted, not refused with "{words}"')
                else:
                    refused += 1
                    if words is None or run.returncode != 2 or words not in run.stderr:
                        failures.append(f"{where}: {run.stderr.strip()[:300]}")
    print(*failures, sep="\n")
    print(
        f"{len(models)} models, {len(sets)} sets: {made} made as prescribed, {refused} refused, {len(failures)} failures"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
