"""A model of scikit-learn leaves pickle: from a .joblib and a CSV to predictions, and out as
.wlk, .npz and ONNX. Hints are pasted as they stand."""
import csv
import hashlib
import io
import unittest

import joblib
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from kit import OK, REFUSED, TRUST, USAGE, CliTest, samples, wlk

NAMES = ['length', 'width', 'depth']



class Convert(CliTest):
    def setUp(self):
        super().setUp()
        random = np.random.RandomState(7)
        self.rows = random.randn(60, 3)
        self.model = make_pipeline(StandardScaler(), RandomForestClassifier(
            20, random_state=0)).fit(self.rows, (self.rows[:, 0] > self.rows[:, 1]) + 0)
        self.name_features()
        joblib.dump(self.model, self.folder / 'model.joblib')
        self.write_rows('rows.csv', NAMES, self.rows)

    def name_features(self):
        for step in (self.model, self.model.steps[0][1]):
            if not isinstance(step, type(self.model)):
                step.feature_names_in_ = np.array(NAMES, dtype=object)

    def write_rows(self, name, header, rows):
        with open(self.folder / name, 'w', newline='') as out:
            csv.writer(out).writerows([header, *rows])

    def run_here(self, *words):
        return self.call(*words)

    def said(self, *words, code=OK):
        result = self.run_here(*words)
        self.assertEqual(result.returncode, code, (result.stdout, result.stderr))
        return (result.stdout if code == OK else result.stderr).decode()

    def predicted(self, model, *more):
        text = self.said('predict', model, 'rows.csv', '--allow-unsigned', *more)
        return list(csv.reader(io.StringIO(text)))[1:]

    def test_the_file_itself_predicts(self):
        found = self.predicted('model.joblib')
        self.assertEqual([int(row[0]) for row in found], list(self.model.predict(self.rows)))
        given = np.array([row[1:] for row in found], dtype='f8')
        self.assertLessEqual(np.abs(given - self.model.predict_proba(self.rows)).max(), 1e-9)

    def test_without_being_allowed(self):
        text = self.said('predict', 'model.joblib', 'rows.csv', code=TRUST)
        self.assertIn('--allow-unsigned', text)

    def test_to_wlk(self):
        """Raw, compressed, with golden rows: the same predictions, and what it came from."""
        wanted = self.predicted('model.joblib')
        digest = hashlib.sha256((self.folder / 'model.joblib').read_bytes()).hexdigest()
        for options in ((), ('--compress',), ('--selftest', 'rows.csv', '--compress')):
            with self.subTest(options):
                self.said('convert', 'model.joblib', '--allow-unsigned', '-o', 'out.wlk', *options)
                self.assertEqual(self.predicted('out.wlk'), wanted)
                model = wlk.read((self.folder / 'out.wlk').read_bytes())
                source = model.header['metadata']['source']
                self.assertEqual((source['file'], source['sha256']), ('model.joblib', digest))
                self.assertNotIn('signer', source)
                self.assertEqual('selftest' in model.header, '--selftest' in options)
        size = (self.folder / 'out.wlk').stat().st_size
        self.said('convert', 'out.wlk', '--allow-unsigned', '-o', 'raw.wlk')
        self.assertLess(size, (self.folder / 'raw.wlk').stat().st_size)

    def test_golden_rows(self):
        self.said('convert', 'model.joblib', '--allow-unsigned', '-o', 'out.wlk', '--selftest',
                  'rows.csv')
        self.assertEqual(self.said('predict', 'out.wlk', '--selftest', '--allow-unsigned'),
                         'out.wlk: ok: 1 set of golden rows holds\n')
        model = wlk.read((self.folder / 'out.wlk').read_bytes())
        rows = model.header['selftest'][0]
        self.assertEqual((rows['rtol'], rows['atol']), (1e-9, 1e-9))
        self.assertTrue((model.tensor(rows['inputs'][0]).array() == self.rows).all())
        self.assertEqual(list(model.tensor(rows['outputs'][0]).data),
                         list(self.model.predict(self.rows)))
        model.tensor(rows['outputs'][0]).data = 1 - model.tensor(rows['outputs'][0]).data
        self.put('changed.wlk', wlk.write(model))
        self.said('predict', 'changed.wlk', '--selftest', '--allow-unsigned', code=REFUSED)

    def test_golden_rows_are_added_to_others(self):
        for i in range(2):
            self.said('convert', 'out.wlk' if i else 'model.joblib', '--allow-unsigned', '-o',
                      'out.wlk', '--selftest', 'rows.csv')
        self.assertIn('2 sets', self.said('predict', 'out.wlk', '--selftest', '--allow-unsigned'))

    def test_the_signer_is_noted(self):
        self.said('sign', 'model.joblib', '--detached', '-s', self.secret, '--trust', self.trust)
        self.said('convert', 'model.joblib', '--trust', self.trust, '-o', 'out.wlk')
        source = wlk.read((self.folder / 'out.wlk').read_bytes()).header['metadata']['source']
        self.assertEqual(source['signer'], samples.EXAMPLE_KEY.number[::-1].hex().upper())

    def test_to_npz(self):
        self.said('convert', 'model.joblib', '--allow-unsigned', '-o', 'out.wlk')
        for out, more in (('a.npz', ()), ('b', ('--to', 'npz'))):
            said = self.said('convert', 'model.joblib', '--allow-unsigned', '-o', out, *more)
            self.assertRegex(said, rf'^{out}: wrote \d+ bytes\n$')
            found = np.load(self.folder / out)
            for tensor in wlk.read((self.folder / 'out.wlk').read_bytes()).tensors:
                self.assertTrue((found[tensor.name] == tensor.array()).all(), tensor.name)

    def test_to_onnx(self):
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(
            self.rows, self.rows[:, 0] > 0)
        joblib.dump(model, self.folder / 'model.joblib')
        wanted = self.predicted('model.joblib')
        self.said('convert', 'model.joblib', '--allow-unsigned', '-o', 'out.onnx')
        found = self.predicted('out.onnx')
        self.assertEqual([row[0] for row in found], [row[0] for row in wanted])
        self.assertLessEqual(np.abs(np.array([row[1:] for row in found], 'f8') -
                                    np.array([row[1:] for row in wanted], 'f8')).max(), 1e-9)

    def test_what_only_a_wlk_file_holds(self):
        for out in ('a.npz', 'a.onnx'):
            for option in (('--compress',), ('--sign', self.secret), ('--selftest', 'rows.csv')):
                text = self.said('convert', 'model.joblib', '--allow-unsigned', '-o', out, *option,
                                 code=USAGE)
                self.assertIn(option[0], text)
                self.assertFalse((self.folder / out).exists())

    def test_columns_that_the_model_does_not_know(self):
        """The answer is still in the table: the hint says what to do, and it works."""
        wanted = self.predicted('model.joblib')
        self.write_rows('rows.csv', ['', *reversed(NAMES), 'answer'],
                        [[i, *reversed(row), 'x'] for i, row in enumerate(self.rows)])
        text = self.said('predict', 'model.joblib', 'rows.csv', '--allow-unsigned', code=REFUSED)
        self.assertIn('--ignore-unknown', text)
        self.assertEqual(self.predicted('model.joblib', '--ignore-unknown'), wanted)

    def test_columns_that_are_missing(self):
        self.write_rows('rows.csv', ['length', 'Width', 'depth'], self.rows)
        text = self.said('predict', 'model.joblib', 'rows.csv', '--allow-unsigned', code=REFUSED)
        self.assertIn('"Width"; the nearest that the model has is "width"', text)
        text = self.said('predict', 'model.joblib', 'rows.csv', '--allow-unsigned',
                         '--ignore-unknown', code=REFUSED)
        self.assertIn('"width"; the nearest that the table has is "Width"', text)

    def test_texts_and_missing_values(self):
        """One input a column: numbers and texts mixed, an empty field is missing."""
        table = np.array([['a', 1.5], ['b', 2.5], ['', 0.5], ['a', 4.0]], dtype=object)
        model = make_pipeline(
            ColumnTransformer([('word', OneHotEncoder(handle_unknown='ignore'), [0]),
                               ('number', StandardScaler(), [1])]),
            LogisticRegression()).fit(table, [0, 1, 1, 0])
        joblib.dump(model, self.folder / 'model.joblib', compress=3)
        self.write_rows('rows.csv', ['x0', 'x1'], table)
        found = np.array([row[1:3] for row in self.predicted('model.joblib')], dtype='f8')
        self.assertLessEqual(np.abs(found - model.predict_proba(table)).max(), 1e-9)

    def test_a_policy_lets_a_class_in_as_nothing(self):
        """The refusal of a class names the policy, and a row there is enough."""
        self.model.steps[0][1].mark_ = Marker()
        joblib.dump(self.model, self.folder / 'marked.joblib')
        text = self.said('inspect', 'marked.joblib', code=REFUSED)
        name = f'{Marker.__module__}.Marker'
        self.assertIn(name, text)
        policy = self.put('policy.conf', f'[pickle]\n{name} = opaque\n'.encode())
        policy.chmod(0o600)
        self.assertEqual(self.predicted('marked.joblib', '--policy', 'policy.conf'),
                         self.predicted('model.joblib'))
        shown = self.said('policy', '--policy', 'policy.conf')
        self.assertIn(f'{name} = opaque', shown)


class Marker:
    """A class that no allowlist has."""

    def __init__(self):
        self.note = 'x'


if __name__ == '__main__':
    unittest.main()
