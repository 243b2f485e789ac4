#!/usr/bin/python3
"""Memory that runs out at any place while arrays and plain values are read, from pickle,
joblib, .npy and the compressed tensors of a .wlk, is said to, and nothing is left; and a file
that is changed in one byte is a model or is refused, and ends so each time (invariant 7)."""
import collections
import io
import os
import pickle
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import joblib
import numpy as np
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import starved  # noqa: E402

WEIGHLOCK = starved.ROOT / os.environ.get('BUILD', 'build') / 'bin' / 'weighlock'
RANDOM = np.random.RandomState(0)

TEXTS = np.array(['a', 'b\u00e9', ''], dtype=object)
ARRAYS = [np.array(1.5), np.zeros(0), np.arange(6.).reshape(2, 3), np.arange(6, dtype='>i4'),
          np.asfortranarray(np.arange(6, dtype='i2').reshape(2, 3)), np.array([True, False]),
          np.array(['a', 'bc']), np.array([b'a', b'bc']), TEXTS, np.array([1, 2], dtype=object),
          np.array([True, False], dtype=object), np.array([1.5, 2], dtype=object),
          np.array([1, None, 'a'], dtype=object), np.array([2 ** 70], dtype=object),
          np.array([None, [1]], dtype=object), np.array([TEXTS, 1.5], dtype=object),
          np.arange(3) * 1j, np.array([1 + 2j], '>c8'), np.array([0.5], 'f2'), np.array([0.5], 'g'),
          np.zeros((2, 0), '>f4'), np.asfortranarray(TEXTS[[0, 1, 2, 0]].reshape(2, 2)),
          np.array(['x' * 70000, 'y']), np.zeros(20000, '>f8'), np.zeros((1,) * 12),
          np.array([(1, 2.5)], [('a', '<i8'), ('b', '<f8')]), np.array(['2001-01-01'], 'M8[D]'),
          np.array([1], 'm8[s]'), np.ma.MaskedArray([1., 2.], [True, False]),
          np.asfortranarray(np.array([[1, 'a'], [2, 'b']], dtype=object))]


def built(*states):
    """An object to which states are given one after the other."""
    data = b'\x80\x04' + b'csklearn.preprocessing._data\nStandardScaler\n)\x81'
    for state in states:
        data += pickle.dumps(state, 4)[11:-1].replace(b'\x94', b'') + b'b'
    return data + b'.'


VALUES = [None, True, 3, -1, 2 ** 40, 2 ** 200, -2 ** 90, 0.5, 1 + 2j, 'text', 'h\u00e9\n\\', b'', b'x\xff',
          bytearray(b'xyz'), [], [1, [2]], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {}, {'a': 1},
          {1: 2, None: 3, (1,): 4, 2.5: 5, True: 6, -7: 8}, {'': np.zeros(2)}, {'a': {'b': [np.zeros(2)]}},
          {1, 2}, frozenset('ab'), collections.OrderedDict([('a', 1), ('b', [2])]),
          collections.defaultdict(list, a=[1]), collections.defaultdict(None, {1: 2}),
          np.float64(1.5), np.int8(3), np.str_('x'), np.bytes_(b'x'), np.bool_(True), np.dtype('f4'),
          slice(1, 2), range(3), 'long' * 5000, [0.5] * 3000, {str(i): i for i in range(3000)},
          [np.arange(3.)] * 3, float, np.sqrt, StandardScaler, [[[[[[1]]]]]], {'a': b'\xff' * 300},
          np.random.RandomState(0), ['a\udc80']]


def npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def joblib_made(value, compress):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'x')
        joblib.dump(value, path, compress=compress)
        return Path(path).read_bytes()


def wlk_made(value, *options):
    with tempfile.TemporaryDirectory() as folder:
        model, out = os.path.join(folder, 'x'), os.path.join(folder, 'x.wlk')
        Path(model).write_bytes(pickle.dumps(value))
        subprocess.run([WEIGHLOCK, 'convert', model, '-o', out, *options], check=True,
                       stdout=subprocess.DEVNULL)
        return Path(out).read_bytes()


PACKED = {'texts': np.array(['word'] * 2000), 'single': np.arange(3000, dtype='f4'),
          'double': np.linspace(0, 1, 2000), 'bytes': np.zeros(5000, 'u1'), 'whole': np.arange(4000),
          'random': RANDOM.rand(40), 'none': np.zeros(0)}


def files():
    for value in VALUES + ARRAYS:
        for protocol in range(6):
            try:
                yield pickle.dumps(value, protocol)
                yield pickle.dumps([value, value], protocol)
            except (UnicodeEncodeError, ValueError):
                pass
    for array in ARRAYS:
        yield npy(array)
    for value in ARRAYS + [ARRAYS, VALUES[:30]]:
        yield joblib_made(value, 0)
    for compress in (('zlib', 1), ('gzip', 3), ('bz2', 3), ('xz', 1), ('lzma', 1)):
        yield joblib_made({'a': np.arange(3000.), 'b': TEXTS}, compress)
        yield joblib_made(1, compress)
        yield joblib_made(1, compress)[:-3]
    for states in ([({'a': 1}, {'b': 2})], [({'a': 1}, None)], [(None, {'b': 2})], [(None, None)],
                   [{'a': 1}, {'a': 2, 'b': 3}], [{'a': 1}, (None, {'b': 2})], [None], [3], [(1, 2)],
                   [({}, {}, {})], [3, {'a': 1}], [{'a': 1}, 3], [{'a': 1}, None], [({'a': 1}, 3)],
                   [3, ({'a': 1}, None)], [{1: 2}], [[1]], [[('a', 1)]]):
        yield built(*states)


class Starved(unittest.TestCase):
    def test_each_place(self):
        count = sum(1 for data in files() if starved.keep(data))
        self.assertGreater(count, 400)
        self.assertEqual(starved.check(), [])

    def test_packed(self):
        starved.keep(wlk_made(PACKED, '--compress', '--allow-unsigned'))
        starved.keep(wlk_made(PACKED, '--allow-unsigned'))
        self.assertEqual(starved.check(), [])

    def test_changed(self):
        """Bytes of packed tensors, of .npy headers and of pickles."""
        bases = [wlk_made(PACKED, '--compress', '--allow-unsigned'), npy(np.arange(3.)), npy(TEXTS), built({'a': 1}),
                 joblib_made(np.arange(3.), 0), pickle.dumps(ARRAYS[2:7], 2)]
        random = np.random.RandomState(1)
        for base in bases:
            for at in random.randint(len(base), size=150):
                data = bytearray(base)
                data[at] = random.randint(256)
                starved.keep(bytes(data))
        self.assertEqual(starved.check(), [])


if __name__ == '__main__':
    unittest.main()
