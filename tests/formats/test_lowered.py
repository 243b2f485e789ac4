#!/usr/bin/python3
"""Pickles at the edge of what is read, each with its rule or none; then each of them, and a few
files of every kind, without memory at any place and under each limit from 0 up to where it is
no matter: what a limit refuses is refused by its rule, and nothing is left (invariant 7)."""
import json
import os
import pickle
import subprocess
import sys
import tempfile
import unittest
import zlib

import joblib
import numpy as np
from numpy.core.multiarray import scalar

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import starved  # noqa: E402
import test_numpy_refuse as numpys  # noqa: E402
from test_numpy_refuse import Made, array, buffer, dtype, number, state, structure, wrapper  # noqa: E402
from test_pickle_refuse import (CHECK, ENCODE, MAKE, OBJECT, PARTIAL, SET, TREE,  # noqa: E402
                                WRAPPER, framed, text)

TOOL = starved.ROOT / os.environ.get('BUILD', 'build') / 'tests' / 'formats' / 'tool_onnx'
BUNCH = b'csklearn.utils._bunch\nBunch\n'
NEWOBJ = b'ccopyreg\n__newobj__\n'
FACTORY = b'ccollections\ndefaultdict\n'
LATIN1 = text('latin1')
F8 = np.dtype('<f8')


def key(name):
    return text(name) + b'K\1'


def npy(descr, shape, body):
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b'\x93NUMPY\1\0' + len(head).to_bytes(2, 'little') + head + body


# Each: the stream behind PROTO 2, and how it ends.
STREAMS = [
    # containers, called
    (SET + b')R.', None), (SET + b')\x85R.', None), (b'cbuiltins\ndict\n)R.', None),
    (b'cbuiltins\ndict\n(NNtR.', 'pickle.call'), (b'cbuiltins\ndict\nK\1\x85R.', 'pickle.call'),
    (b'cbuiltins\ndict\n](' + text('a') + b'N\x86]' + text('b') + b'aNae\x85R.', None),
    (FACTORY + b')R.', None), (FACTORY + b'N\x85R.', None), (FACTORY + FACTORY + b'\x85R.', None),
    (b'cbuiltins\nlist\n](]}e\x85R.', None),
    (SET + b'](\x8fe\x85R.', 'pickle.call'), (SET + b'](}e\x85R.', 'pickle.call'),
    (SET + b'](\x96' + bytes(8) + b'e\x85R.', 'pickle.call'), (b'}\x8fNs.', 'pickle.type'),
    (b'}\x96' + bytes(8) + b'Ns.', 'pickle.type'), (b'}(Nt' + b'Ns.', 'pickle.value'),
    # bytes
    (b'cbuiltins\nbytes\n)R.', None), (b'cbuiltins\nbytearray\n)R.', None),
    (b'cbuiltins\nbytearray\nC\1a\x85R.', None),
    (b'cbuiltins\nbytearray\n' + text('a\xff') + text('latin-1') + b'\x86R.', None),
    (b'cbuiltins\nbytearray\n' + text('a\u0100') + LATIN1 + b'\x86R.', 'pickle.call'),
    (b'cbuiltins\nbytearray\nC\1a' + LATIN1 + b'\x86R.', 'pickle.call'),
    (b'cbuiltins\nbytearray\n' + text('a') + b'N\x86R.', 'pickle.call'),
    (ENCODE + text('a') + text('latin-1') + b'\x86R.', None),
    # objects of the first protocols
    (MAKE + b'(' + TREE + OBJECT + b'NNtR.', 'pickle.call'),
    (MAKE + b'N' + OBJECT + b'N\x87R.', 'pickle.call'),
    (NEWOBJ + TREE + b'\x85R.', None), (NEWOBJ + TREE + b'K\1K\2\x87R.', None),
    (NEWOBJ + SET + b'\x85R.', 'pickle.call'), (b'(' + TREE + b'K\1K\2o.', None),
    (b'(K\1isklearn.tree._tree\nTree\n.', None), (b'o.', 'pickle.stack'),
    (b'isklearn.tree._tree\nTree\n.', 'pickle.stack'), (PARTIAL + CHECK + b'\x85R.', 'pickle.value'),
    (PARTIAL + CHECK + b'\x85R}b.', 'pickle.value'),
    # state
    (TREE + b')\x81Nb.', None), (TREE + b')\x81}bNNs.', 'pickle.type'),
    (BUNCH + b')\x81}bNNsNNs.', 'sklearn.class'),
    (BUNCH + b')\x81' + text('a') + b'NsNNs}b.', 'sklearn.class'),
    (b'(' + TREE + b')\x81tb.', 'pickle.stack'),
    (WRAPPER + b')\x81q\0h\0.', 'pickle.value'), (b'b.', 'pickle.stack'),
    (b'c' + b'a' * 200 + b'\n' + b'b' * 200 + b'\n.', 'pickle.global'),
    # numbers and texts
    (b'Fnan\n.', None), (b'F-nan\n.', None), (b'Finf\n.', None), (b'F-inf\n.', None),
    (b'Fnaf\n.', 'pickle.argument'), (b'L12+\n.', 'pickle.argument'), (b"S'\\1 \\18'\n.", None),
    (b'X\3\0\0\0\xed\xc0\x80.', 'pickle.argument'), (b'X\3\0\0\0\xed\x90\x80.', None),
    (b'F1\n.', None), (b'F1.\n.', None),
    # the memo, out of order
    (b'Nr\0\0\0\x80r\0\0\0\xc0r\1\0\0\x80r\1\0\0\x80K\1r\1\0\0\x80j\1\0\0\x80j\0\0\0\xc0\x87.', None),
    (b'Nr\0\0\0\x80j\2\0\0\xc0.', 'pickle.memo'), (b'Nq\1g2000\n.', 'pickle.memo'),
    # keys
    (b'}(K\1NX\1\0\0\0' + b'1Nu.', 'pickle.value'), (b'}(\x88N\x89NJ\xff\xff\xff\xffNNNu.', None),
    (b'}(' + key('b') + key('a') + key('c') + b'u.', None),
    # streams behind
    (b'N.' * 70, None),
]

WHOLE = [
    (zlib.compress(b'\x80\2N.N.'), None), (zlib.compress(b'\x80\2N.cos\nsystem\n.'), 'pickle.global'),
    (framed(b'N.') + b'N.', None),
    # headers of arrays
    (npy('x' * 100, '(2,)', b''), 'npy.dtype'), (npy('<f8', '(%d,)' % 10 ** 30, b''), 'npy.header'),
    (npy('>i1', '(2,)', b'ab'), None), (npy('>S2', '(1,)', b'ab'), None), (npy('>u2', '(1,)', b'ab'), None),
]

F8_FIELDS = ('a', ''), {'a': (F8, 0), '': (F8, 8)}
VALUES = [
    # dtypes
    (dtype(b'f8'), None), (dtype(state=number(order='=')), None), (dtype(state=number(order=b'<')), None),
    (dtype('f '), 'numpy.dtype'), (dtype('f:'), 'numpy.dtype'),
    (dtype(state=number(version=4) + (None,)), None),
    (dtype(state=number(version=4) + ({},)), None), (dtype(state=number(version=4) + (1,)), 'numpy.dtype'),
    (dtype('U0', number(size=0, alignment=4, flags=8)), None),
    (structure(*F8_FIELDS), None), (structure(('', ''), F8_FIELDS[1]), 'numpy.dtype'),
    (structure(('a', 'b'), {1: (F8, 0), 'b': (F8, 8)}), 'numpy.dtype'),
    (structure(('b', 'a'), {'a': (F8, 0), 'b': (F8, 8)}), None),
    # arrays
    (array(state(fortran=True)), None), (array(state(shape=(2, 3, 0), fortran=True, raw=b'')), None),
    (array(state(shape=(2, 1, 2), fortran=1, raw=bytes(32))), None),
    (array(state(shape=(0,), kind=np.dtype('S0'), raw=b'')), None),
    (array(state(raw='\0\x7f\x80\xff' * 4)), None), (array(state(raw='\u0100' + '\0' * 15)), 'numpy.array'),
    (buffer(bytes(16), F8, (2,), 'C', None), None), (buffer(bytes(16), F8, (2,), 'F', None), None),
    (buffer(bytes(48), F8, (2, 3), 'K', (1, 0)), None), (buffer(bytes(16), F8, (2,), 'K', None), 'numpy.array'),
    (buffer(bytes(16), F8, (2,), 1), 'numpy.array'),
    # scalars
    (Made(scalar, (np.dtype('>u8'), b'\xff' * 8)), None), (Made(scalar, (np.dtype('<u8'), b'\xff' * 8)), None),
    (Made(scalar, (np.dtype('>c16'), bytes(16))), None), (Made(scalar, (np.dtype('U0'), b'')), None),
    # objects
    (np.array([Made(scalar, (np.dtype('U0'), b'')), 'a'], object), None), (Made(set, ([np.zeros(2)],)), 'pickle.call'),
    (np.array(['a', 1.5], object), None), (np.array(['a', None], object), None),
    (np.array([1, 2.5, None, True], object), None), (np.array([2 ** 70, 1], object), 'pickle.value'),
    (np.zeros((2, 0), object), None), (np.array(['x', 'y' * 3000], object), None),
    # one value many times, and many values
    (['long' * 100] * 20, None), ([np.zeros(100)] * 20, None), ([bytes([i] * 20) for i in range(40)], None),
    ([np.full(20, i) for i in range(40)], None),
]



def parsed(files):
    """The rule that refuses each, or None."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i, data in enumerate(files):
            paths.append(os.path.join(folder, str(i)))
            with open(paths[-1], 'wb') as file:
                file.write(data)
        done = subprocess.run([TOOL, *paths], stdout=subprocess.PIPE, check=True)
    return [json.loads(line).get('rule') for line in done.stdout.splitlines()]


def twice_built():
    """A wrapper that is given a state again once its array has been read."""
    raw = b'\x01\xff' + bytes(16)
    data = wrapper(raw).replace(b'\x81q\x01', b'\x812', 1)
    return data[:-1] + b'0}b.'


def wrapped(count):
    """Arrays of joblib in one file."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'x')
        joblib.dump([np.full(4, i) for i in range(count)], path)
        with open(path, 'rb') as file:
            return file.read()


def within_frame():
    made = wrapper(b'\x01\xff' + bytes(16))[2:]
    body = made[:-19]
    return [framed(body) + made[-19:], framed(made)]


class Lowered(unittest.TestCase):
    def expect(self, rows):
        for (data, rule), got in zip(rows, parsed([starved.keep(data) for data, _ in rows]), strict=True):
            with self.subTest(data=data[:90]):
                if rule is None:
                    self.assertTrue(got is None or got.startswith('sklearn.'), got)
                else:
                    self.assertEqual(got, rule)

    def test_streams(self):
        self.expect([(b'\x80\2' + body, rule) for body, rule in STREAMS] + WHOLE)

    def test_values(self):
        dtypes = [value for value, _ in VALUES[:13]]
        rows = [(pickle.dumps(value, 2), rule) for value, rule in VALUES[13:]]
        for made, (_, rule) in zip(dtypes, VALUES):
            rows.append((pickle.dumps(made, 2), rule or 'pickle.value'))
        self.expect(rows)

    def test_wrappers(self):
        outside, inside = within_frame()
        self.expect([(twice_built(), 'pickle.type'), (wrapped(40), None), (outside, None),
                     (inside, 'pickle.frame'), (numpys.nested(1), None)])

    @classmethod
    def tearDownClass(cls):
        wrong = starved.check('--limits')
        assert not wrong, '\n'.join(wrong)


if __name__ == '__main__':
    unittest.main()
