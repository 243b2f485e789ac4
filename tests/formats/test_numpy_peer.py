#!/usr/bin/python3
"""Arrays and scalars of every dtype, order, shape and protocol, as numpy and joblib write
them: what is read is what numpy has."""
import io
import itertools
import pickle
import unittest
import warnings

import joblib
import numpy as np

import pickled_values as values

SEED = 20240607
NUMBERS = ['b1', 'i1', 'u1'] + [order + kind for order in '<>' for kind in
                                ('i2', 'i4', 'i8', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8', 'c8', 'c16')]
TEXTS = ['S1', 'S7', '<U1', '>U5', '<U12']
STRUCTURES = [
    [('a', '<i4'), ('b', '<f8')],
    np.dtype([('left', 'i1'), ('value', '<f8'), ('flag', '?')], align=True),
    [('inner', [('x', '>u2'), ('y', 'S3')]), ('z', '<f4')],
    np.dtype({'names': ['late', 'early'], 'formats': ['<f8', '<i2'], 'offsets': [8, 0],
              'itemsize': 24}),
    'V5',
]
SHAPES = [(), (1,), (7,), (0,), (3, 4), (1, 5), (2, 3, 4), (2, 0, 3), (3, 1, 2, 2)]
ALPHABET = 'aZ0 \u00e9\u0416\u4e2d\U0001f600'


def elements(dtype, count, random):
    dtype = np.dtype(dtype)
    if dtype.kind == 'b':
        return random.integers(0, 2, count).astype(dtype)
    if dtype.kind == 'U':
        size = dtype.itemsize // 4
        return np.array([''.join(random.choice(list(ALPHABET), random.integers(0, size + 1)))
                         for _ in range(count)], dtype=dtype)
    if dtype.kind == 'S':
        return np.array([bytes(random.integers(32, 127, random.integers(0, dtype.itemsize + 1),
                                               dtype='u1')) for _ in range(count)], dtype=dtype)
    if dtype.kind in 'fc':
        some = random.normal(0, 100, count)
        some[random.random(count) < .3] = np.round(some[random.random(count) < .3].sum())
        array = some.astype(dtype)
        special = np.array([np.nan, np.inf, -np.inf, -0.0, 6e-8], dtype=dtype)
        if count and random.random() < .5:
            array[random.integers(count)] = special[random.integers(5)]
        return array
    return np.frombuffer(random.bytes(count * dtype.itemsize), dtype=dtype)


def forms(array):
    """The same elements in other orders in memory."""
    yield array
    yield np.asfortranarray(array)
    if array.ndim > 1:
        yield array[::-1]
    if array.ndim > 2:
        yield array.transpose(1, 0, *range(2, array.ndim))
        yield array.transpose(*range(1, array.ndim), 0)


def dumped(value):
    for protocol in range(6):
        yield f'pickle {protocol}', pickle.dumps(value, protocol)
    for compress in (0, 3):
        file = io.BytesIO()
        joblib.dump(value, file, compress=compress)
        yield f'joblib {compress}', file.getvalue()


class Peer(unittest.TestCase):
    def check(self, cases):
        """Each a pair of a value and its name."""
        files = [(name, how, value, data) for value, name in cases for how, data in dumped(value)]
        found = values.read([file[3] for file in files])
        self.assertEqual(len(found), len(files))
        for (name, how, value, data), got in zip(files, found):
            expected = {'left': 0, 'value': values.plain(value)}
            if not values.agrees(expected, got):
                self.fail(f'{name}, {how}: {got}, not {expected}\n{data!r}'[:3000])

    def arrays(self, dtypes, orders=4):
        random = np.random.default_rng(SEED)
        for dtype in dtypes:
            for shape in SHAPES:
                count = int(np.prod(shape, dtype=int))
                array = elements(dtype, count, random).reshape(shape)
                for form in itertools.islice(forms(array), orders):
                    yield form, f'{dtype} {form.shape} {form.strides}'

    def test_numbers(self):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            self.check(self.arrays(NUMBERS))

    def test_texts(self):
        self.check(self.arrays(TEXTS))

    def test_structures(self):
        # A copy in another order leaves pad bytes as they are.
        self.check(self.arrays(STRUCTURES, orders=1))
        self.check(self.arrays([STRUCTURES[0], STRUCTURES[2]]))

    def test_large(self):
        random = np.random.default_rng(SEED)
        array = random.normal(size=(301, 257))
        self.check([(array, 'C'), (np.asfortranarray(array), 'F'), (array.astype('>f4'), 'big')])

    def test_objects(self):
        mixed = np.array([[1, 'text', None], [2.5, True, b'bytes']], dtype=object)
        inner = np.empty(2, dtype=object)
        inner[:] = [np.arange(3.), {'key': [1, (2, 'x')]}]
        self.check([(mixed, 'mixed'), (np.asfortranarray(mixed), 'Fortran'), (mixed.T, 'turned'),
                    (inner, 'arrays'), (np.array([], dtype=object), 'none'),
                    (np.array(['a', 'b'], dtype=object), 'texts'),
                    ([mixed, mixed, np.arange(3)], 'three')])

    def test_classes(self):
        masked = np.ma.array([[1., 2.], [3., 4.]], mask=[[0, 1], [0, 0]])
        words = np.ma.array(['a', None, 3], mask=[0, 1, 0], dtype=object)
        warnings.simplefilter('ignore', PendingDeprecationWarning)
        self.check([(np.matrix([[1, 2], [3, 4]]), 'matrix'), (masked, 'masked'),
                    (np.ma.asarray(np.asfortranarray(masked)), 'masked, Fortran'),
                    (words, 'masked objects'), (np.ma.array([1, 2]), 'nothing masked')])

    def test_shared(self):
        array, dtype = np.arange(6, dtype='>i4'), np.dtype([('f', '<f4')])
        self.check([([array, array, {'again': array}], 'an array'),
                    ([dtype, dtype, np.zeros(2, dtype), np.dtype('U4')], 'a dtype'),
                    ([np.dtype('M8[ns]'), np.dtype('m8'), np.dtype('O')], 'dtypes of no array')])

    def test_scalars(self):
        scalars = [np.bool_(True), np.bool_(False), np.int8(-3), np.uint8(200), np.int16(-300),
                   np.int64(-2**63), np.uint64(2**64 - 1), np.uint64(5), np.float16(1.5),
                   np.float32(-2.25), np.float64(np.pi), np.complex64(1 - 2j), np.complex128(3j),
                   np.str_(''), np.str_('text \u00e9\U0001f600'), np.bytes_(b''), np.bytes_(b'ab\0c'),
                   np.array([3], '>i4')[0], np.array([7.5], '>f8')[0]]
        self.check([(scalar, f'{type(scalar).__name__} {scalar!r}') for scalar in scalars])

    def test_metadata(self):
        self.check([(np.zeros(3, np.dtype('f8', metadata={'unit': 'm'})), 'metadata')])


class Texts(unittest.TestCase):
    """Which elements count as text, and which are missing."""

    def test_objects(self):
        rows = [(['a', None, float('nan')], ['61', None, None], True),
                (['a', 1], ['61'], False),
                ([b'a'], [], False)]
        arrays = [np.array(row[0], dtype=object) for row in rows]
        for row, found in zip(rows, values.read([pickle.dumps(a) for a in arrays])):
            array = found['value']['array']
            self.assertEqual((array['texts'], array['all_texts']), row[1:])

    def test_what_is_none(self):
        arrays = [np.array([b'\xff'], 'S1'), np.array([0xd800, 65], '<u4').view('<U1'),
                  np.array([0x110000], '>u4').view('>U1'), np.arange(2)]
        for found in values.read([pickle.dumps(a) for a in arrays]):
            self.assertFalse(found['value']['array']['all_texts'])

    def test_objects_as_numbers(self):
        array = np.array([None, True, 7, 2.5], dtype=object)
        found = values.read([pickle.dumps(array)])[0]['value']['array']
        self.assertEqual(found['reals'][1:], [values.bits(x) for x in (1, 7, 2.5)])
        self.assertEqual((found['ints'], found['bad_int']), (None, 0))
        wholes = values.read([pickle.dumps(np.array([True, 7, 2.0], dtype=object))])[0]
        self.assertEqual(wholes['value']['array']['ints'], [1, 7, 2])
        words = values.read([pickle.dumps(np.array([1, 'a'], dtype=object))])[0]
        self.assertEqual(words['value']['array']['bad_real'], 1)


if __name__ == '__main__':
    unittest.main()
