"""Checkpoints for the tests of 'fanin init --keep', and what is to be true of the bytes that it writes.

  make OUT.safetensors SEED [KEY=TEXT...] < LIST   a file of the tensors NAME DTYPE SHAPE, a line each, with bytes that
                                                  follow from SEED; the metadata has the format pt and the texts
  shards DIR SEED < LIST                          the same in two files with an index
  same A B [PATTERN]       the tensors of A that match are in B with the same dtype, shape and bytes
  but A B NAME...          B has A's tensors, with the same bytes, but for those of these names, which it lacks
  grown OUT OLD NEW NAME DIMENSION   OUT's tensor has OLD's values up to OLD's extent, and NEW's behind it
  note FILE KEY [TEXT]     the metadata have that text, or without one do not have the key
"""
import fnmatch
import json
import math
import random
import struct
import sys

BITS = {'F64': 64, 'I64': 64, 'F32': 32, 'I32': 32, 'F16': 16, 'BF16': 16, 'F8_E4M3': 8, 'F8_E5M2': 8, 'U8': 8, 'BOOL': 8, 'F4': 4}


def read_list(file):
    for line in file:
        name, dtype, *shape = line.split()
        yield name, dtype, [int(n) for n in shape[0].split('x')] if shape else []


def write(path, tensors, seed, notes):
    """Values of F32 are small numbers, all other bytes are any."""
    source, out = random.Random(seed), []
    for name, dtype, shape in tensors:
        size = math.prod(shape) * BITS[dtype] // 8
        if dtype == 'F32':
            bytes_ = struct.pack(f'<{size // 4}f', *(source.uniform(-9, 9) for _ in range(size // 4)))
        else:
            bytes_ = source.randbytes(size)
        out.append((name, dtype, shape, bytes_))
    write_bytes(path, out, notes)


def write_bytes(path, tensors, notes):
    header, data = {'__metadata__': {'format': 'pt'} | notes}, b''
    for name, dtype, shape, bytes_ in tensors:
        header[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [len(data), len(data) + len(bytes_)]}
        data += bytes_
    text = json.dumps(header).encode()
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + data)


def read(path):
    """Metadata, and (dtype, shape, bytes) of each tensor; the data must have no hole."""
    with open(path, 'rb') as file:
        data = file.read()
    (length,) = struct.unpack_from('<Q', data)
    header, at = json.loads(data[8:8 + length]), 8 + length
    notes, out, end = header.pop('__metadata__', {}), {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]['data_offsets']):
        first, end_here = entry['data_offsets']
        assert first == end and (end_here - first) * 8 == math.prod(entry['shape']) * BITS[entry['dtype']], name
        out[name], end = (entry['dtype'], entry['shape'], data[at + first:at + end_here]), end_here
    assert at + end == len(data), path
    return notes, out


def same(a, b, pattern='*'):
    left, right = read(a)[1], read(b)[1]
    names = [name for name in left if fnmatch.fnmatchcase(name, pattern)]
    assert names, pattern
    for name in names:
        assert left[name][:2] == right[name][:2], (name, left[name][:2], right[name][:2])
        assert left[name][2] == right[name][2], name


def grown(out, old, new, name, dimension):
    out, old, new = (read(path)[1][name] for path in (out, old, new))
    d = int(dimension)
    assert out[:2] == new[:2] and out[0] == old[0] and old[1][d] < new[1][d], (out[:2], old[:2], new[:2])
    inner = math.prod(new[1][d + 1:]) * BITS[out[0]] // 8
    kept, whole = old[1][d] * inner, new[1][d] * inner
    assert any(new[2]) and old[2] != new[2][:len(old[2])]
    for k in range(math.prod(new[1][:d])):
        run = out[2][k * whole:(k + 1) * whole]
        assert run[:kept] == old[2][k * kept:(k + 1) * kept], f'kept values of row {k}'
        assert run[kept:] == new[2][k * whole + kept:(k + 1) * whole], f'new values of row {k}'


if __name__ == '__main__':
    what, arguments = sys.argv[1], sys.argv[2:]
    if what == 'make':
        write(arguments[0], read_list(sys.stdin), arguments[1], dict(text.split('=', 1) for text in arguments[2:]))
    elif what == 'shards':
        tensors, where = list(read_list(sys.stdin)), {}
        for k in range(2):
            part, shard = tensors[k::2], f'model-{k + 1:05d}-of-00002.safetensors'
            write(f'{arguments[0]}/{shard}', part, f'{arguments[1]}{k}', {})
            where |= {name: shard for name, _, _ in part}
        with open(f'{arguments[0]}/model.safetensors.index.json', 'w') as file:
            json.dump({'metadata': {}, 'weight_map': where}, file)
    elif what == 'same':
        same(*arguments)
    elif what == 'but':
        left, right = read(arguments[0])[1], read(arguments[1])[1]
        assert {name: t for name, t in left.items() if name not in arguments[2:]} == right
    elif what == 'grown':
        grown(*arguments)
    else:
        found = read(arguments[0])[0].get(arguments[1])
        assert found == (arguments[2] if len(arguments) > 2 else None), found
