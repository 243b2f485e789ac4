"""What tests/formats/tool_values finds in files, as plain data that Python's own values can be
turned into as well (`plain`)."""
import json
import os
import pathlib
import struct
import subprocess
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / os.environ.get('BUILD', 'build') / 'tests' / 'formats' / 'tool_values'
AT_ONCE = 200


def read(files):
    """For each of the files (bytes) the line that the tool prints."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for first in range(0, len(files), AT_ONCE):
            paths = []
            for i, data in enumerate(files[first:first + AT_ONCE]):
                path = pathlib.Path(folder) / str(i)
                path.write_bytes(data)
                paths.append(path)
            found += read_paths(paths)
    return found


def read_paths(paths):
    done = subprocess.run([TOOL, *paths], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def bits(number):
    return struct.pack('>d', number).hex()


def hexed(text):
    return text.encode('utf-8', 'surrogatepass').hex()


def plain_dtype(dtype):
    big = dtype.str[0] == '>' and dtype.kind not in 'SVO' and dtype.itemsize > 1
    fields = [[hexed(name), dtype.fields[name][1], plain_dtype(dtype.fields[name][0])]
              for name in dtype.names or ()]
    return {'kind': dtype.kind, 'size': dtype.itemsize, 'big': big, 'fields': fields}


def whole(number):
    """As a whole number of 64 bits, None if it is none."""
    if isinstance(number, str) or number is None or number != number:
        return None
    if isinstance(number, (float, np.floating)) and not float(number).is_integer():
        return None
    number = int(number)
    return number if -2**63 <= number < 2**63 else None


def numbers(array):
    """(reals, ints, the element that is no int)"""
    if array.dtype.kind not in 'biuf':
        return None, None, 0
    flat = array.flatten()
    reals = [bits(float(x)) for x in flat.astype('f8')]
    ints = [None if np.isinf(x) else whole(x.item()) for x in flat]
    bad = next((i for i, x in enumerate(ints) if x is None), None)
    return reals, (ints if bad is None else None), bad


def plain_array(array):
    data = array.data if isinstance(array, np.ma.MaskedArray) else array
    reals, ints, bad = numbers(np.asarray(data))
    kind = data.dtype.kind
    result = {'dtype': plain_dtype(data.dtype), 'shape': list(data.shape)}
    if kind == 'O':
        result['objects'] = [plain(x) for x in data.flatten()]
        return {'array': result}
    result['reals'], result['ints'] = reals, ints
    if reals is not None and bad is not None:
        result['bad_int'] = bad
    if kind == 'U':
        result['texts'] = [hexed(str(x)) for x in data.flatten()]
    if kind == 'S':
        result['texts'] = [bytes(x).hex() for x in data.flatten()]
    result['bytes'] = np.asarray(data).tobytes('C').hex()
    if isinstance(array, np.ma.MaskedArray):
        result['mask'] = ''.join(str(int(x)) for x in np.ma.getmaskarray(array).flatten())
    return {'array': result}


def plain(value):
    if isinstance(value, np.ndarray):
        return plain_array(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, (complex, np.complexfloating)):
        return {'complex': bits(value.real) + bits(value.imag)}
    if isinstance(value, (float, np.floating)):
        return {'float': bits(float(value))}
    if isinstance(value, (int, np.integer)):
        if not -2**63 <= int(value) < 2**63:
            return {'long': int(value).to_bytes(9, 'little', signed=True).hex()}
        return int(value)
    if isinstance(value, str):
        return {'str': hexed(value)}
    if isinstance(value, bytes):
        return {'bytes': value.hex()}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [plain(x) for x in value]}
    if isinstance(value, dict):
        return {'dict': [plain(x) for entry in value.items() for x in entry]}
    if isinstance(value, np.dtype):
        return {'dtype': plain_dtype(value)}
    raise TypeError(type(value))


def entries(plain_dict):
    flat = plain_dict.get('dict', [])
    return sorted(([key, value] for key, value in zip(flat[::2], flat[1::2])), key=repr)


def agrees(expected, found):
    """Is all that is expected there? The tool may say more of an array."""
    if isinstance(expected, dict) and expected.keys() == {'dict'}:
        # Python before 3.6 writes the entries in any order.
        return isinstance(found, dict) and agrees(entries(expected), entries(found))
    if isinstance(expected, dict) and isinstance(found, dict):
        return all(key in found and agrees(expected[key], found[key]) for key in expected)
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(agrees, expected, found))
    return expected == found and type(expected) is type(found)
