"""Reads a safetensors file from the format's description alone, and prints its metadata, tensors and counts: an
independent reader of what 'fanin init' writes."""
import json
import struct
import sys

SIZES = {'F64': 8, 'F32': 4, 'F16': 2, 'BF16': 2}


def read(path):
    with open(path, 'rb') as file:
        data = file.read()
    (length,) = struct.unpack_from('<Q', data)
    text = data[8:8 + length]
    assert len(text) == length and text[:1] == b'{' and length % 8 == 0
    header = json.loads(text.decode('utf-8'))
    metadata = header.pop('__metadata__')
    assert all(isinstance(value, str) for value in metadata.values())
    body, end = data[8 + length:], 0
    for name, entry in header.items():
        assert set(entry) == {'dtype', 'shape', 'data_offsets'}, name
        count = 1
        for extent in entry['shape']:
            count *= extent
        begin, stop = entry['data_offsets']
        assert begin == end and stop - begin == count * SIZES[entry['dtype']], name
        entry['count'], entry['data'] = count, body[begin:stop]
        end = stop
    assert end == len(body)
    return metadata, header


if __name__ == '__main__':
    notes, tensors = read(sys.argv[1])
    for key in sorted(notes):
        if key != 'fanin.version':
            print(key, notes[key])
    for name, entry in tensors.items():
        short = ' ' + entry['data'].hex() if len(entry['data']) <= 8 else ''
        print(name, entry['dtype'], entry['shape'], end=short + '\n')
    print('tensors', len(tensors), 'parameters', sum(entry['count'] for entry in tensors.values()))
