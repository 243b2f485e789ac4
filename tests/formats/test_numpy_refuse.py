#!/usr/bin/python3
"""Dtypes, arrays, scalars and joblib's wrappers that no writer gives, or that hold what is not
read: each is refused by its rule, nothing crashes and nothing is believed (invariants 7
and 9)."""
import pickle
import unittest

import joblib
import numpy as np
from joblib.numpy_pickle import NumpyArrayWrapper
from joblib.numpy_pickle_compat import NDArrayWrapper, ZNDArrayWrapper
from numpy.core.multiarray import _reconstruct, scalar
from numpy.core.numeric import _frombuffer
from numpy.ma.core import MaskedArray, _mareconstruct

import pickled_values as values

DTYPE, UNSUPPORTED = 'numpy.dtype', 'numpy.dtype-unsupported'
ARRAY, SIZE, WRAPPER = 'numpy.array', 'numpy.size', 'joblib.wrapper'


class Made:
    """Pickled as a call of a function, and a state."""
    def __init__(self, function, arguments, state=None):
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.call


class Again:
    """Pickled as a value that is given a state once more."""
    def __init__(self, value, state):
        self.value, self.state = value, state


def again(value, state):
    """A value, then BUILD with the state."""
    return pickle.dumps(value, 2)[:-1] + pickle.dumps(state, 2)[2:-1] + b'b.'


NUMBER = (3, '<', None, None, None, -1, -1, 0)
F8 = np.dtype('<f8')


def dtype(name='f8', state=NUMBER, align=False, copy=True):
    return Made(np.dtype, (name, align, copy), state)


def number(**changes):
    """The state of a float64, with some parts changed."""
    names = ('version', 'order', 'subarray', 'names', 'fields', 'size', 'alignment', 'flags')
    return tuple(changes.get(name, value) for name, value in zip(names, NUMBER))


def structure(names, fields, size=16, **changes):
    return dtype('V%d' % size, number(order='|', names=names, fields=fields, size=size,
                                      alignment=1, flags=16, **changes))


I4 = np.dtype('<i4')
TWO = {'a': (I4, 0), 'b': (I4, 4)}

DTYPES = [
    ('too few arguments', Made(np.dtype, ('f8', False)), DTYPE),
    ('too many arguments', Made(np.dtype, ('f8', False, True, 1)), DTYPE),
    ('aligned', dtype(align=True), DTYPE),
    ('copy is a text', dtype(copy='yes'), DTYPE),
    ('align is 2', dtype(align=2), DTYPE),
    ('a number for a name', dtype(8), DTYPE),
    ('no size', dtype('f'), DTYPE),
    ('no name', dtype(''), DTYPE),
    ('not a size', dtype('fx'), DTYPE),
    ('a size of 11 digits', dtype('S00000000001'), DTYPE),
    ('an unknown kind', dtype('q8'), DTYPE),
    ('a size that is none', dtype('f3'), DTYPE),
    ('an integer of 16 bytes', dtype('i16'), DTYPE),
    ('a size of 64', dtype('f64'), DTYPE),
    ('a byte order in the name', dtype('<f8'), DTYPE),
    ('2^30 + 1 bytes', dtype('S1073741825'), UNSUPPORTED),
    ('2^28 + 1 characters', dtype('U268435457'), UNSUPPORTED),
    ('long double', dtype('f16'), UNSUPPORTED),
    ('complex long double', dtype('c32'), UNSUPPORTED),
    ('record', np.dtype((np.record, [('a', 'i4')])), 'pickle.global'),
    ('a class for a name', Made(np.dtype, (np.float64, False, True)), UNSUPPORTED),
    ('a subarray', np.dtype(('f8', (2,))), UNSUPPORTED),
    ('titles', np.dtype({'names': ['a'], 'formats': ['i4'], 'titles': ['T']}), UNSUPPORTED),
    ('objects in a structure', np.dtype([('a', 'O')]), UNSUPPORTED),
    ('65 fields', np.dtype([('f%d' % i, 'i1') for i in range(65)]), UNSUPPORTED),
    ('state is a list', dtype(state=list(NUMBER)), DTYPE),
    ('7 parts', dtype(state=NUMBER[:7]), DTYPE),
    ('10 parts', dtype(state=NUMBER + (None, None)), DTYPE),
    ('version 2', dtype(state=number(version=2)), DTYPE),
    ('version 4 without metadata', dtype(state=number(version=4)), DTYPE),
    ('version 3 with metadata', dtype(state=NUMBER + ({},)), DTYPE),
    ('metadata that is a list', dtype(state=number(version=4) + ([],)), DTYPE),
    ('order of two letters', dtype(state=number(order='<>')), DTYPE),
    ('order X', dtype(state=number(order='X')), DTYPE),
    ('order is a number', dtype(state=number(order=1)), DTYPE),
    ('no order', dtype(state=number(order='|')), DTYPE),
    ('bytes with an order', dtype('S4', number(size=4, alignment=1)), DTYPE),
    ('a truth value with an order', dtype('b1'), DTYPE),
    ('another size', dtype(state=number(size=4)), DTYPE),
    ('another size of a text', dtype('U3', number(size=3, alignment=4, flags=8)), DTYPE),
    ('a text without a size', dtype('U3', number(flags=8)), DTYPE),
    ('a negative size', dtype('S5', number(order='|', size=-5, alignment=1)), DTYPE),
    ('alignment 3', dtype(state=number(alignment=3)), DTYPE),
    ('alignment is a text', dtype(state=number(alignment='1')), DTYPE),
    ('flags of objects', dtype(state=number(flags=63)), DTYPE),
    ('objects without their flags', dtype('O8', number(order='|')), DTYPE),
    ('flags of two bytes', dtype(state=number(flags=256)), DTYPE),
    ('flags below a byte', dtype(state=number(flags=-129)), DTYPE),
    ('a time without a unit', dtype('M8', number(version=4) + ({},)), DTYPE),
    ('a time with three parts', dtype('M8', number(version=4) + ((1, 2, 3),)), DTYPE),
    ('a time whose unit is a list', dtype('M8', number(version=4) + ((None, []),)), DTYPE),
    ('fields of a number', dtype(state=number(names=('a',), fields={'a': (I4, 0)})), DTYPE),
    ('names without fields', structure(('a',), None), DTYPE),
    ('fields without names', structure(None, {'a': (I4, 0)}), DTYPE),
    ('names in a list', structure(['a', 'b'], TWO), DTYPE),
    ('fewer fields than names', structure(('a', 'b'), {'a': (I4, 0)}), DTYPE),
    ('more fields than names', structure(('a',), TWO), UNSUPPORTED),
    ('a name that is no field', structure(('a', 'c'), TWO), DTYPE),
    ('a name twice', structure(('a', 'a'), TWO), DTYPE),
    ('a name that is a number', structure((1, 'b'), TWO), DTYPE),
    ('a field that is no tuple', structure(('a',), {'a': [I4, 0]}), DTYPE),
    ('a field of one part', structure(('a',), {'a': (I4,)}), DTYPE),
    ('a field of three parts', structure(('a',), {'a': (I4, 0, 'T')}), UNSUPPORTED),
    ('a field of no dtype', structure(('a',), {'a': ('i4', 0)}), DTYPE),
    ('a field of an unfinished dtype',
     structure(('a',), {'a': (Made(np.dtype, ('i4', False, True)), 0)}), DTYPE),
    ('a field beyond the end', structure(('a',), {'a': (I4, 13)}), DTYPE),
    ('a field of its size beyond the end', structure(('a',), {'a': (F8, 0)}, 4), DTYPE),
    ('a field at a negative place', structure(('a',), {'a': (I4, -1)}), DTYPE),
    ('a field at a place that is a text', structure(('a',), {'a': (I4, '0')}), DTYPE),
    ('built twice', again(F8, NUMBER), DTYPE),
]


def state(shape=(2,), kind=F8, fortran=False, raw=bytes(16), version=1):
    return (version, shape, kind, fortran, raw)


def array(state, cls=np.ndarray, shape=(0,), letter=b'b', more=()):
    return Made(_reconstruct, (cls, shape, letter, *more), state)


def masked(state, cls=MaskedArray, more=()):
    return Made(_mareconstruct, (cls, np.ndarray, (0,), 'b', *more), state)


def buffer(raw=bytes(16), kind=F8, shape=(2,), *order):
    return Made(_frombuffer, (raw, kind, shape, *(order or ('C',))))


OBJECTS = np.dtype('O')

ARRAYS = [
    ('of no arguments', Made(_reconstruct, ()), ARRAY),
    ('of four arguments', array(state(), more=(1,)), ARRAY),
    ('of another class', array(state(), cls=np.dtype), ARRAY),
    ('of a text', array(state(), cls='ndarray'), ARRAY),
    ('made with elements', array(state(), shape=(5,)), ARRAY),
    ('made with two dimensions', array(state(), shape=(0, 0)), ARRAY),
    ('made with a list', array(state(), shape=[0]), ARRAY),
    ('of another letter', array(state(), letter=b'f'), ARRAY),
    ('of two letters', array(state(), letter=b'bb'), ARRAY),
    ('of a letter that is a number', array(state(), letter=98), ARRAY),
    ('state of 4 parts', array(state()[1:]), ARRAY),
    ('state that is a list', array([*state()]), ARRAY),
    ('version 0', array(state(version=0)), ARRAY),
    ('a shape that is a list', array(state(shape=[2])), ARRAY),
    ('a shape of a text', array(state(shape=('2',))), ARRAY),
    ('a shape of truth', array(state(shape=(True,), raw=bytes(8))), ARRAY),
    ('a negative shape', array(state(shape=(-2,))), ARRAY),
    ('2^64 elements', array(state(shape=(2**32, 2**32), raw=b'')), ARRAY),
    ('2^80 elements and none', array(state(shape=(2**40, 2**40, 0), raw=b'')), ARRAY),
    ('2^63 elements', array(state(shape=(2**62, 2), raw=b'')), ARRAY),
    ('33 dimensions', array(state(shape=(1,) * 33, raw=bytes(8))), ARRAY),
    ('no dtype', array(state(kind='f8')), DTYPE),
    ('an unfinished dtype', array(state(kind=Made(np.dtype, ('f8', False, True)))), DTYPE),
    ('an order that is a text', array(state(fortran='F')), ARRAY),
    ('an order that is 2', array(state(fortran=2)), ARRAY),
    ('elements that are a number', array(state(raw=16)), ARRAY),
    ('elements that are a list', array(state(raw=[0., 0.])), ARRAY),
    ('elements beyond Latin-1', array(state(raw='\u0100' * 16)), ARRAY),
    ('a byte too few', array(state(raw=bytes(15))), SIZE),
    ('a byte too many', array(state(raw=bytes(17))), SIZE),
    ('2^62 elements of 8 bytes', array(state(shape=(2**62,), raw=b'')), SIZE),
    ('elements of no bytes', array(state(shape=(2**62,), kind=np.dtype('S0'), raw=b'')), SIZE),
    ('truth values of 2', array(state(kind=np.dtype('?'), raw=b'\x01\x02')), ARRAY),
    ('objects in bytes', array(state(kind=OBJECTS)), ARRAY),
    ('fewer objects', array(state(kind=OBJECTS, raw=[1])), SIZE),
    ('more objects', array(state(kind=OBJECTS, raw=[1, 2, 3])), SIZE),
    ('2^62 objects', array(state(shape=(2**62,), kind=OBJECTS, raw=[])), SIZE),
    ('built twice', again(np.arange(2.), state()), ARRAY),
    ('a mask without one', array(state() + (b'\0\0', None)), ARRAY),
    ('masked without a mask', masked(state()), ARRAY),
    ('masked of another class', masked(state() + (b'\0\0', None), cls=np.ndarray), ARRAY),
    ('masked of a text', masked(state() + (b'\0\0', None), cls='MaskedArray'), ARRAY),
    ('masked of five arguments', masked(state() + (b'\0\0', None), more=(1,)), ARRAY),
    ('a mask of another size', masked(state() + (b'\0', None)), SIZE),
    ('a mask of twos', masked(state() + (b'\2\2', None)), ARRAY),
    ('a mask that is a list', masked(state() + ([0, 0], None)), ARRAY),
    ('a buffer of three arguments', Made(_frombuffer, (bytes(16), F8, (2,))), ARRAY),
    ('a buffer of six arguments', buffer(bytes(16), F8, (2,), 'C', None, None), ARRAY),
    ('a buffer of a number', buffer(16), ARRAY),
    ('a buffer of objects', buffer(bytes(16), OBJECTS), ARRAY),
    ('a buffer of another size', buffer(bytes(8)), SIZE),
    ('a buffer with a bad shape', buffer(bytes(16), F8, 2), ARRAY),
    ('a buffer of order X', buffer(bytes(16), F8, (2,), 'X'), ARRAY),
    ('a buffer of order K alone', buffer(bytes(16), F8, (2,), 'K'), ARRAY),
    ('a buffer of order C with axes', buffer(bytes(16), F8, (2,), 'C', (0,)), ARRAY),
    ('axes in a list', buffer(bytes(16), F8, (2,), 'K', [0]), ARRAY),
    ('too few axes', buffer(bytes(16), F8, (2, 1), 'K', (0,)), ARRAY),
    ('an axis twice', buffer(bytes(16), F8, (2, 1), 'K', (0, 0)), ARRAY),
    ('an axis that is none', buffer(bytes(16), F8, (2, 1), 'K', (0, 2)), ARRAY),
    ('a scalar of one argument', Made(scalar, (F8,)), ARRAY),
    ('a scalar of a text', Made(scalar, ('f8', bytes(8))), DTYPE),
    ('a scalar of objects', Made(scalar, (OBJECTS, bytes(8))), ARRAY),
    ('a scalar of another size', Made(scalar, (F8, bytes(4))), SIZE),
    ('a scalar of two elements', Made(scalar, (F8, bytes(16))), SIZE),
    ('a text of no size', Made(scalar, (np.dtype('U0'), bytes(4))), SIZE),
    ('a scalar of a number', Made(scalar, (F8, 1.5)), ARRAY),
    ('a truth value of 2', Made(scalar, (np.dtype('?'), b'\x02')), ARRAY),
    ('a time', np.datetime64('2024-01-01'), UNSUPPORTED),
    ('a structure', np.zeros(1, [('a', 'i4')])[0], UNSUPPORTED),
    ('a text that is none', Made(scalar, (np.dtype('<U1'), b'\xff\xff\xff\xff')), 'numpy.text'),
]


def wrapper(raw=b'', cls=NumpyArrayWrapper, drop=(), **changes):
    """A wrapper's opcodes, and what follows them."""
    made = cls.__new__(cls)
    made.__dict__ = {'subclass': np.ndarray, 'shape': (2,), 'order': 'C', 'dtype': F8,
                     'allow_mmap': True, 'numpy_array_alignment_bytes': 16, **changes}
    for name in drop:
        del made.__dict__[name]
    return pickle.dumps(made, 2)[:-1] + raw + b'.'


RAW = b'\x01\xff' + bytes(16)
OLD = {'drop': ['numpy_array_alignment_bytes']}
NESTED = pickle.dumps(np.array([1, 'a'], dtype=object))

WRAPPERS = [
    ('no dtype', wrapper(RAW, drop=['dtype']), WRAPPER),
    ('no dtype and no alignment', wrapper(RAW, drop=['dtype', 'numpy_array_alignment_bytes']),
     WRAPPER),
    ('another key', wrapper(RAW, more=1), WRAPPER),
    ('another class', wrapper(RAW, subclass=np.dtype), WRAPPER),
    ('a class that is a text', wrapper(RAW, subclass='ndarray'), WRAPPER),
    ('order X', wrapper(RAW, order='X'), WRAPPER),
    ('order of bytes', wrapper(RAW, order=None), WRAPPER),
    ('mapping is a text', wrapper(RAW, allow_mmap='yes'), WRAPPER),
    ('alignment 0', wrapper(RAW, numpy_array_alignment_bytes=0), WRAPPER),
    ('alignment 256', wrapper(RAW, numpy_array_alignment_bytes=256), WRAPPER),
    ('alignment is a text', wrapper(RAW, numpy_array_alignment_bytes='16'), WRAPPER),
    ('a shape that is a number', wrapper(RAW, shape=2), ARRAY),
    ('a negative shape', wrapper(RAW, shape=(-2,)), ARRAY),
    ('a dtype that is a text', wrapper(RAW, dtype='f8'), DTYPE),
    ('a pad byte that is another', wrapper(b'\x02\xff\xfe' + bytes(16)), WRAPPER),
    ('no pad length', wrapper()[:-1], 'pickle.truncated'),
    ('a pad that goes on', wrapper(b'\x09\xff'), 'pickle.truncated'),
    ('elements that are not there', wrapper(RAW[:-2]), 'pickle.truncated'),
    ('2^60 elements', wrapper(RAW, shape=(2**60,)), 'pickle.truncated'),
    ('2^62 elements', wrapper(RAW, shape=(2**62,)), 'pickle.truncated'),
    ('elements of no bytes', wrapper(RAW, shape=(2**62,), dtype=np.dtype('S0')), SIZE),
    ('truth values of 3', wrapper(b'\x03\3', shape=(1,), dtype=np.dtype('?'), **OLD), ARRAY),
    ('a nested number', wrapper(pickle.dumps(1), dtype=OBJECTS), WRAPPER),
    ('a nested array of numbers', wrapper(pickle.dumps(np.arange(2)), dtype=OBJECTS), WRAPPER),
    ('a nested array of another shape', wrapper(NESTED, dtype=OBJECTS, shape=(3,)), WRAPPER),
    ('a nested array of another rank', wrapper(NESTED, dtype=OBJECTS, shape=(2, 1)), WRAPPER),
    ('a nested class', wrapper(b'cos\nsystem\n.', dtype=OBJECTS), 'pickle.global'),
    ('a nested stream that ends', wrapper(dtype=OBJECTS)[:-1], 'pickle.truncated'),
    ('a file of an array', wrapper(cls=NDArrayWrapper, filename='x_01.npy'), 'joblib.companion'),
    ('a compressed file', wrapper(cls=ZNDArrayWrapper, filename='../x'), 'joblib.companion'),
]


def nested(depth):
    data = NESTED
    for _ in range(depth):
        data = wrapper(data, dtype=OBJECTS)
    return data


class Refused(unittest.TestCase):
    def check(self, rows):
        files = [value if isinstance(value, bytes) else pickle.dumps([value], 2)
                 for _, value, _ in rows]
        for (name, _, rule), data, found in zip(rows, files, values.read(files)):
            self.assertEqual(found.get('error'), rule, f'{name}: {str(found)[:500]}')
            if found['offset'] != -1:
                self.assertLessEqual(found['offset'], len(data), name)

    def test_dtypes(self):
        self.check(DTYPES)

    def test_arrays(self):
        self.check(ARRAYS)

    def test_wrappers(self):
        self.check(WRAPPERS)

    def test_what_is_taken(self):
        """The wrapper of the table, with each way to align it."""
        good = [wrapper(RAW), wrapper(RAW[2:], **OLD),
                wrapper(RAW[2:], numpy_array_alignment_bytes=None),
                wrapper(b'\0' + RAW[2:]), wrapper(b'\xff' + b'\xff' * 255 + RAW[2:]),
                wrapper(NESTED, dtype=OBJECTS, **OLD), wrapper(RAW, subclass=np.memmap),
                wrapper(b'\x01\xff' + bytes(16), shape=(2,), dtype=np.dtype('>f8'), order='F')]
        for found in values.read(good):
            self.assertIn('value', found, found)

    def test_wrapper_within(self):
        """The pickle of an array of objects holds no array of joblib's own: to Python, which
        reads it without joblib, the elements would be opcodes."""
        taken, refused = values.read([nested(1), nested(2)])
        self.assertIn('value', taken)
        self.assertEqual(refused['error'], WRAPPER)

    def test_taken_again(self):
        """The memo still has the wrapper, which is no array."""
        data = wrapper(RAW)[:-1] + b'h\x01\x86.'
        self.assertEqual(values.read([data])[0].get('error'), 'pickle.type')

    def test_elements_again(self):
        """Invariant 7: a hundred arrays of the same bytes are more than the file holds."""
        raw = bytes(4096)
        rows = [(raw, ARRAY), (np.arange(2.).tobytes().decode('latin1') * 300, ARRAY)]
        for shared, rule in rows:
            arrays = [array(state(shape=(len(shared) // 8,), raw=shared)) for _ in range(100)]
            found = values.read([pickle.dumps(arrays, 4), pickle.dumps(arrays[:1], 4)])
            self.assertEqual(found[0].get('error'), rule)
            self.assertIn('value', found[1])

    def test_transposed(self):
        """Axes as numpy since 2.3 writes them."""
        raw = np.arange(24.).tobytes()
        found = values.read([pickle.dumps(buffer(raw, F8, (2, 3, 4), 'K', (1, 0, 2)), 2)])[0]
        turned = np.arange(24.).reshape(2, 3, 4).transpose(1, 0, 2)
        self.assertTrue(values.agrees(values.plain(turned), found['value']), found)
        empty = values.read([pickle.dumps(buffer(b'', F8, (2, 0, 4), 'K', (2, 0, 1)), 2)])[0]
        self.assertEqual(empty['value']['array']['shape'], [4, 2, 0])


if __name__ == '__main__':
    unittest.main()
