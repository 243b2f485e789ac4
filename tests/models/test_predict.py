"""What a user gets: packed, signed, verified, parsed in the cage, predicted. Every
row's probabilities equal scikit-learn's within 1e-6, and golden rows refuse a model
that was changed, whoever signed it."""
import csv
import io
import json
import pathlib
import sys
import unittest

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / 'format'))

import samples  # noqa: E402
import wlk  # noqa: E402
from command import CommandTest  # noqa: E402

TOLERANCE = 1e-6
REFUSED = 1


def halves(name):
    """The parts of an array that is committed in one file or in two."""
    whole = HERE / f'{name}.npy'
    paths = [whole] if whole.exists() else [HERE / f'{name}-{i}.npy' for i in (1, 2)]
    return [np.load(path) for path in paths]


def expected_labels(name):
    with open(HERE / name / 'labels.csv', newline='') as file:
        return [row[0] for row in csv.reader(file)][1:]


def as_csv(rows):
    stream = io.StringIO()
    csv.writer(stream, lineterminator='\n').writerows(rows.tolist())
    return stream.getvalue().encode()


class PackedModel(CommandTest):
    def pack(self, name):
        out = self.folder / f'{name}.wlk'
        self.weighlock('pack', HERE / name / 'spec.json', '-o', out, '--sign', self.secret)
        return out

    def predict(self, model, rows, *options):
        """Labels and probabilities, by position, from CSV output."""
        text = self.weighlock('predict', model, rows, '--trust', self.trust, '--format', 'csv',
                              *options).decode()
        lines = list(csv.reader(io.StringIO(text)))[1:]
        return [line[0] for line in lines], np.array([line[1:] for line in lines], dtype='f8')


class Predict(PackedModel):
    def assert_equals_sklearn(self, name, labels, probabilities):
        wanted = np.concatenate(halves(f'{name}/probabilities'))
        self.assertEqual(probabilities.shape, wanted.shape)
        self.assertLessEqual(np.abs(probabilities - wanted).max(), TOLERANCE)
        self.assertEqual(labels, expected_labels(name))

    def test_iris_csv(self):
        model = self.pack('iris')
        labels, probabilities = self.predict(model, HERE / 'iris' / 'rows.csv')
        self.assertEqual(len(labels), 150)
        self.assert_equals_sklearn('iris', labels, probabilities)

    def test_iris_npy(self):
        labels, probabilities = self.predict(self.pack('iris'), HERE / 'iris' / 'rows.npy')
        self.assert_equals_sklearn('iris', labels, probabilities)

    def test_iris_columns_in_another_order(self):
        with open(HERE / 'iris' / 'rows.csv', newline='') as file:
            rows = [row[::-1] for row in csv.reader(file)]
        path = self.put('reversed.csv', '\n'.join(map(','.join, rows)).encode())
        labels, probabilities = self.predict(self.pack('iris'), path)
        self.assert_equals_sklearn('iris', labels, probabilities)

    def test_digits_npy(self):
        model = self.pack('digits')
        parts = [self.predict(model, HERE / 'digits' / f'rows-{i}.npy') for i in (1, 2)]
        labels = parts[0][0] + parts[1][0]
        self.assertEqual(len(labels), 1797)
        self.assert_equals_sklearn('digits', labels, np.concatenate([p for _, p in parts]))

    def test_digits_csv(self):
        rows = np.concatenate(halves('digits/rows'))
        path = self.put('rows.csv', as_csv(rows))
        labels, probabilities = self.predict(self.pack('digits'), path, '--header', 'no')
        self.assert_equals_sklearn('digits', labels, probabilities)

    def test_golden_rows_hold(self):
        for name, rows in (('iris', 'rows.csv'), ('digits', 'rows-1.npy')):
            self.predict(self.pack(name), HERE / name / rows, '--selftest')

    def test_packed_model_says_where_it_came_from(self):
        for name in ('iris', 'digits'):
            spec = json.loads((HERE / name / 'spec.json').read_text())
            model = wlk.read(self.pack(name).read_bytes(), [samples.EXAMPLE_KEY.public()])
            self.assertTrue(model.trusted)
            self.assertEqual(model.header['metadata'], spec['metadata'])


class Altered(PackedModel):
    """Golden rows refuse a model whose weights were changed and signed again."""

    def assert_mismatch(self, model, rows):
        result = self.run_weighlock('predict', model, rows, '--trust', self.trust, '--selftest')
        self.assertEqual(result.returncode, REFUSED, result.stderr)
        self.assertIn(b'selftest', result.stderr)
        self.assertEqual(result.stdout, b'')

    def alter(self, name, tensor):
        path = self.pack(name)
        model = wlk.read(path.read_bytes(), [samples.EXAMPLE_KEY.public()])
        changed = model.tensor(tensor).data.copy()
        changed[0] += 1e-3
        model.tensor(tensor).data = changed
        path.write_bytes(wlk.write(model, samples.EXAMPLE_KEY))
        return path

    def test_iris_coefficient(self):
        model = self.alter('iris', 'coefficients')
        self.assert_mismatch(model, HERE / 'iris' / 'rows.csv')
        self.predict(model, HERE / 'iris' / 'rows.csv')  # its signature is good

    def test_digits_bias(self):
        self.assert_mismatch(self.alter('digits', 'bias2'), HERE / 'digits' / 'rows-1.npy')

    def test_iris_label(self):
        path = self.pack('iris')
        model = wlk.read(path.read_bytes())
        attributes = model.header['graphs'][0]['nodes'][1]['attr']
        attributes['classlabels_strings']['strings'].reverse()
        path.write_bytes(wlk.write(model, samples.EXAMPLE_KEY))
        self.assert_mismatch(path, HERE / 'iris' / 'rows.csv')


if __name__ == '__main__':
    unittest.main()
