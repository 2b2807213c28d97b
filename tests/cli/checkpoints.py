"""Checkpoints for the tests of 'fanin init --like', and what is to be true of what it says and writes.

  make LIST.csv OUT.safetensors [PATTERN]  a checkpoint of the list's tensors (whose names match), its data a hole
  shards LIST.csv DIR N PATTERN            the same in N files with an index
  laws LIST.csv < JSON                     'init --explain --json' gives each tensor the law of the list
  files LIST.csv FILE < JSON               so do the file's values: 'inspect --json', within 4.5 standard errors

The lists are data/checkpoints/*.csv, which data/make_checkpoints.py wrote from the reference implementations' code.
"""
import csv
import fnmatch
import json
import math
import struct
import sys

SIZES = {'I64': 8, 'F32': 4, 'BF16': 2, 'F16': 2, 'BOOL': 1}
KURTOSIS = {'normal': 3, 'trunc_normal': 3, 'uniform': 1.8}  # truncated a hundred standard deviations away


def read_list(path):
    with open(path) as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row['shape'] = [int(n) for n in row['shape'].split('x')] if row['shape'] else []
        for field in ('mean', 'std', 'lo', 'hi'):
            row[field] = float(row[field]) if row[field] else None
    return rows


def make(rows, path, pattern='*'):
    header, end = {'__metadata__': {'format': 'pt', 'trained': 'for weeks'}}, 0
    for row in sorted(rows, key=lambda row: -SIZES[row['dtype']]):
        if not fnmatch.fnmatchcase(row['name'], pattern):
            continue
        begin, end = end, end + SIZES[row['dtype']] * math.prod(row['shape'])
        header[row['name']] = {'dtype': row['dtype'], 'shape': row['shape'], 'data_offsets': [begin, end]}
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text)
        file.truncate(8 + len(text) + end)


def make_shards(rows, directory, count, pattern):
    rows = [row for row in rows if fnmatch.fnmatchcase(row['name'], pattern)]
    where = {}
    for k in range(count):
        part = rows[k * len(rows) // count:(k + 1) * len(rows) // count]
        name = f'model-{k + 1:05d}-of-{count:05d}.safetensors'
        make(part, f'{directory}/{name}')
        where |= {row['name']: name for row in part}
    with open(f'{directory}/model.safetensors.index.json', 'w') as file:
        json.dump({'metadata': {'total_size': 0}, 'weight_map': where}, file)


def close(said, wanted):
    return said is not None and abs(said - wanted) <= 1e-12 * abs(wanted)


def has_law(row, said):
    if row['law'] == 'skip' or 'skip' in said:
        return row['law'] == 'skip' and 'skip' in said
    if not close(said['mean'], row['mean']) or not close(said['std'], row['std']):
        return False
    if row['law'] == 'normal' or (row['law'] == 'trunc_normal' and said['lo'] is None):
        # A cut 30 deviations away never happens.
        return said['lo'] is None and said['hi'] is None and (row['law'] == 'normal' or 2 / row['std'] > 30)
    return close(said['lo'], row['lo']) and close(said['hi'], row['hi'])


def check_laws(rows):
    said = {t['name']: t for t in json.load(sys.stdin)['tensors']}
    assert set(said) == {row['name'] for row in rows}
    for row in rows:
        assert said[row['name']]['shape'] == row['shape'], row
        assert has_law(row, said[row['name']]), (row, said[row['name']])


def check_values(rows):
    measured = {t['name']: t for t in json.load(sys.stdin)['tensors']}
    wanted = {row['name']: row for row in rows}
    worst = 0
    for name, t in measured.items():
        row = wanted[name]
        if t['std'] is None:  # of a dtype that is not measured
            assert row['dtype'] == 'I64' and row['law'] == 'constant'
        elif row['law'] == 'constant':
            assert t['std'] == 0 and t['mean'] == row['mean'], (row, t)
        else:
            n = math.prod(row['shape'])
            errors = (t['std'] / row['std'] - 1) / math.sqrt((KURTOSIS[row['law']] - 1) / (4 * n))
            worst = max(worst, abs(errors))
            # A small sample's std is no normal deviate; 60 elements are enough for the bound to hold as it says.
            assert abs(errors) < 4.5 or n < 60, (row, t, errors)
            assert abs(t['mean'] - row['mean']) < 4.5 * row['std'] / math.sqrt(n), (row, t)
    assert worst > 0
    print(len(measured), 'tensors, worst std', round(worst, 2), 'standard errors away')


if __name__ == '__main__':
    what, listed = sys.argv[1], read_list(sys.argv[2])
    if what == 'make':
        make(listed, *sys.argv[3:])
    elif what == 'shards':
        make_shards(listed, sys.argv[3], int(sys.argv[4]), sys.argv[5])
    elif what == 'laws':
        check_laws(listed)
    else:
        check_values(listed)
