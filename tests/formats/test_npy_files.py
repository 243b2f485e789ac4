#!/usr/bin/python3
""".npy files as models of one tensor, through the cage: what numpy saved is what extract gives
back, and what is not as numpy saves it is refused at its place."""
import io
import json
import os
import pathlib
import pickle
import struct
import subprocess
import sys
import tempfile
import unittest

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import starved  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get('BUILD', 'build') / 'bin' / 'weighlock'


def weighlock(verb, data, *options):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / 'file'
        path.write_bytes(starved.keep(data))
        return subprocess.run([PROGRAM, verb, path, *options], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)


def inspected(data, *options):
    return json.loads(weighlock('inspect', data, '--json', *options).stdout)


def extracted(data):
    done = weighlock('extract', data, '--allow-unsigned', '--tensor', 'array', '-o', '-')
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    return np.load(io.BytesIO(done.stdout))


def saved(array, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version)
    return file.getvalue()


def raw(header, body=b'', version=1):
    text = header.encode('latin1')
    return (b'\x93NUMPY' + bytes([version, 0]) +
            struct.pack('<H' if version == 1 else '<I', len(text)) + text + body)


def header(descr="'<f8'", fortran='False', shape='(2,)', end='\n'):
    return "{'descr': %s, 'fortran_order': %s, 'shape': %s, }%s" % (descr, fortran, shape, end)


class Saved(unittest.TestCase):
    def test_dtypes_and_orders(self):
        random = np.random.default_rng(7)
        for dtype in ('?', 'i1', '<i2', '>i4', '<i8', 'u1', '>u2', '<u4', '>u8', '<f2', '>f4',
                      '<f8', '>c8', '<c16'):
            array = (random.normal(0, 50, (3, 4)) > 0 if dtype == '?'
                     else np.frombuffer(random.bytes(12 * np.dtype(dtype).itemsize), dtype)
                     .reshape(3, 4))
            for form in (array, np.asfortranarray(array)):
                found = extracted(saved(form))
                self.assertEqual(found.shape, form.shape)
                self.assertEqual(found.dtype, form.dtype.newbyteorder('<'))
                self.assertEqual(found.tobytes(), form.astype(found.dtype).tobytes())

    def test_texts(self):
        for array in (np.array(['a', '', 'b\u00e9\U0001f600'], '<U5'), np.array([['x']], '>U2'),
                      np.array([b'a', b'bc'], 'S3')):
            found = extracted(saved(array))
            self.assertEqual([str(x) for x in found.flatten()],
                             [x.decode() if isinstance(x, bytes) else str(x)
                              for x in array.flatten()])

    def test_objects(self):
        for items, dtype in ((['a', 'b'], 'U'), ([1, 2], 'i'), ([1, 2.5], 'f'), ([1, None], 'f'),
                             ([True, False], 'b'), ([], 'U')):
            found = extracted(saved(np.array(items, dtype=object)))
            self.assertEqual(found.dtype.kind, dtype)
            expected = np.array([np.nan if x is None else x for x in items], found.dtype)
            np.testing.assert_array_equal(found, expected)

    def test_shapes_and_versions(self):
        for shape in ((), (0,), (1,), (2, 0, 3), (1,) * 8):
            self.assertEqual(extracted(saved(np.ones(shape))).shape, shape)
        for version in ((1, 0), (2, 0), (3, 0)):
            np.testing.assert_array_equal(extracted(saved(np.arange(3), version)), np.arange(3))

    def test_headers(self):
        """Other orders of the keys, no comma at the end, Python 2's long integers."""
        body = np.arange(2.).tobytes()
        for text in (header(), "{'shape': (2L,), 'fortran_order': False, 'descr': '<f8'}\n",
                     header(shape='(2L,)'), header(end='     \n')):
            np.testing.assert_array_equal(extracted(raw(text, body)), np.arange(2.))

    def test_byte_map(self):
        """Invariant 12; a payload is only what lies there as it is given out."""
        kinds = {'payload': np.arange(3.), 'array': np.arange(3, dtype='>i4'),
                 'opcodes': np.array(['a'], dtype=object)}
        for kind, array in kinds.items():
            data = saved(array)
            spans = inspected(data)['byte_map']
            self.assertEqual([span['kind'] for span in spans], ['header', kind])
            self.assertEqual(sum(span['length'] for span in spans), len(data))


OBJECTS = pickle.dumps(np.array([1, 'a'], dtype=object), 2)
TEXTS = pickle.dumps(np.array(['a', 'b'], dtype=object), 2)

REFUSED = [
    ('a byte is missing', raw(header(), bytes(15)), 'npy.truncated', None),
    ('a byte follows', raw(header(), bytes(17)), 'npy.trailing', 'end'),
    ('a header that goes on', b'\x93NUMPY\x01\x00\xff\xff', 'npy.truncated', None),
    ('a header of 65537 bytes', raw(header() + ' ' * 65537, b'', 2), 'npy.header', 12),
    ('version 4', raw(header(), bytes(16), 4), 'npy.version', 6),
    ('code', raw("__import__('os')"), 'npy.header', 10),
    ('2^64 elements', raw(header(shape='(4294967296, 4294967296)')), 'tensor.shape', None),
    ('2^61 elements of 8 bytes', raw(header(shape='(2305843009213693952,)')), 'npy.truncated', None),
    ('nine dimensions', raw(header(shape='(1, 1, 1, 1, 1, 1, 1, 1, 1)'), bytes(8)), 'npy.rank',
     None),
    ('a structure', raw(header("[('a', '<f8')]"), bytes(16)), 'npy.dtype', 20),
    ('long double', raw(header("'<f16'"), bytes(32)), 'npy.dtype', 21),
    ('a time', raw(header("'<M8[ns]'"), bytes(16)), 'npy.dtype', 21),
    ('objects of a long name', raw(header("'|Objects'"), TEXTS), 'npy.dtype', 21),
    ('texts of 2^32 bytes', raw(header("'|S4294967296'", shape='(0,)')), 'npy.dtype', 21),
    ('a truth value of 2', raw(header("'|b1'"), b'\1\2'), 'numpy.array', None),
    ('a character that is none', raw(header("'<U1'", shape='(1,)'), b'\xff\xff\xff\xff'),
     'numpy.text', 21),
    ('objects of two kinds', raw(header("'|O'"), OBJECTS), 'numpy.dtype-unsupported', 21),
    ('a missing text', saved(np.array(['a', None], dtype=object)), 'numpy.dtype-unsupported', 21),
    ('objects that end', raw(header("'|O'"), TEXTS[:-1]), 'pickle.truncated', None),
    ('objects and more', raw(header("'|O'"), TEXTS + b'N.'), 'npy.trailing', 'pickle'),
    ('another shape than the header says', raw(header("'|O'", shape='(3,)'), TEXTS), 'numpy.array',
     None),
    ('another rank than the header says', raw(header("'|O'", shape='(1, 2)'), TEXTS),
     'numpy.array', None),
    ('a pickle of a number', raw(header("'|O'"), b'I1\n.'), 'numpy.array', None),
    ('a pickle of numbers', raw(header("'|O'"), pickle.dumps(np.arange(2), 2)), 'numpy.array',
     None),
    ('a pickle of code', raw(header("'|O'"), b'cos\nsystem\n(S\'true\'\ntR.'), 'pickle.global',
     None),
]


class Refused(unittest.TestCase):
    def test_refused(self):
        for name, data, rule, offset in REFUSED:
            found = inspected(data)
            self.assertEqual(found.get('rule'), rule, f'{name}: {found}')
            if offset == 'end':
                offset = len(data) - 1
            elif offset == 'pickle':
                offset = len(data) - 2
            if offset is not None:
                self.assertEqual(found.get('offset'), offset, name)

    def test_cut(self):
        """Invariant 6: no beginning of a file is a file."""
        data = saved(np.arange(2, dtype='u1'))
        for size in range(7, len(data), 9):
            self.assertNotEqual(weighlock('inspect', data[:size]).returncode, 0, size)


def tearDownModule():
    """Memory that runs out on the way is said to."""
    wrong = starved.check()
    if wrong:
        raise AssertionError('\n'.join(wrong))


if __name__ == '__main__':
    unittest.main()
