#!/usr/bin/python3
"""The files that joblib keeps to test that it still reads them (0.8.4 to 0.11): those that hold
everything themselves are read as what was dumped, those with companions are refused."""
import pathlib
import unittest
import warnings

import joblib
import numpy as np

import pickled_values as values

FOLDER = pathlib.Path(joblib.__file__).parent / 'test' / 'data'
PARTS = ('.npy', '.z', '.py')
# What create_numpy_pickle.py of that folder dumps.
DUMPED = [np.arange(5, dtype='<i8'), np.arange(5, dtype='<f8'),
          np.array([1, 'abc', {'a': 1, 'b': 2}], dtype='O'), np.arange(256, dtype='u1').tobytes(),
          None, "C'est l'\xe9t\xe9 !"]


def with_companions(path):
    return any(path.parent.glob(path.name + '_*.npy*'))


def matrix_as_array():
    dumped = list(DUMPED)
    dumped[4] = np.array([[0, 1, 2]], dtype='<i8')
    return dumped


def loaded(path):
    """What joblib gives; None where it says that this Python cannot read what Python 2 wrote."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            return joblib.load(path)
        except ValueError:
            return None


class Files(unittest.TestCase):
    def setUp(self):
        self.files = sorted(path for path in FOLDER.iterdir()
                            if path.is_file() and path.suffix not in PARTS)
        self.found = dict(zip(self.files, values.read_paths(self.files)))

    def test_how_many(self):
        self.assertEqual(len(self.files), 42)
        self.assertEqual(sum(map(with_companions, self.files)), 6)

    def test_what_was_dumped(self):
        expected = {'left': 0, 'value': values.plain(matrix_as_array())}
        for path, found in self.found.items():
            if not with_companions(path):
                self.assertTrue(values.agrees(expected, found), f'{path.name}: {found}')

    def test_what_joblib_gives(self):
        compared = 0
        for path, found in self.found.items():
            if with_companions(path):
                continue
            value = loaded(path)
            if value is not None:
                compared += 1
                expected = values.plain(value)
                self.assertTrue(values.agrees(expected, found['value']), f'{path.name}: {found}')
        self.assertGreaterEqual(compared, 20)

    def test_companions(self):
        for path, found in self.found.items():
            if with_companions(path):
                self.assertEqual(found.get('error'), 'joblib.companion', path.name)


if __name__ == '__main__':
    unittest.main()
