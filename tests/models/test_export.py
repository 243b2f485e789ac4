"""A scikit-learn model leaves as ONNX: the standard's own checker takes the file, none of its
nodes is of org.weighlock, and it predicts what scikit-learn does, within float32."""
import csv
import io
import pathlib
import sys
import unittest
import warnings

import joblib
import numpy as np
import onnx
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (GradientBoostingClassifier, RandomForestClassifier,
                              RandomForestRegressor)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'format'))

from command import CommandTest  # noqa: E402

TOLERANCE = 1e-5
X, Y = make_classification(120, 6, n_informative=4, n_classes=3, random_state=0)
REGRESSION_X, REGRESSION_Y = make_regression(120, 6, random_state=0)


class Export(CommandTest):
    def export(self, estimator, name):
        """The file, as path and as python3-onnx reads it."""
        source, out = self.folder / f'{name}.joblib', self.folder / f'{name}.onnx'
        joblib.dump(estimator, source)
        self.weighlock('convert', '--allow-unsigned', source, '-o', out)
        model = onnx.load(out)
        self.assertNotIn('org.weighlock', [node.domain for node in model.graph.node])
        self.check(model)
        return out

    def check(self, model):
        """What is used has not changed since the newest version that the checker knows."""
        known = {'': onnx.defs.onnx_opset_version(), 'ai.onnx.ml': 3}
        model.ir_version = min(model.ir_version, onnx.IR_VERSION)
        for opset in model.opset_import:
            opset.version = min(opset.version, known[opset.domain])
        onnx.checker.check_model(model)

    def predict(self, model, x):
        rows = self.folder / 'rows.npy'
        np.save(rows, x)
        text = self.weighlock('predict', '--allow-unsigned', model, rows, '--format', 'csv')
        return list(csv.DictReader(io.StringIO(text.decode())))

    def assert_classifies(self, estimator, name):
        got = self.predict(self.export(estimator.fit(X, Y), name), X)
        wanted = estimator.predict_proba(X)
        columns = [key for key in got[0] if key.startswith('probabilities')]
        probabilities = np.array([[float(row[key]) for key in columns] for row in got])
        self.assertLessEqual(np.abs(probabilities - wanted).max(), TOLERANCE)
        self.assertEqual([int(row['label']) for row in got], estimator.predict(X).tolist())

    def test_forest(self):
        self.assert_classifies(RandomForestClassifier(20, random_state=0), 'forest')

    def test_boosting(self):
        self.assert_classifies(GradientBoostingClassifier(n_estimators=10), 'boosting')

    def test_pipeline(self):
        self.assert_classifies(make_pipeline(StandardScaler(), LogisticRegression()), 'pipeline')

    def test_regression(self):
        estimator = RandomForestRegressor(20, random_state=0).fit(REGRESSION_X, REGRESSION_Y)
        got = self.predict(self.export(estimator, 'regression'), REGRESSION_X)
        wanted = estimator.predict(REGRESSION_X)
        values = np.array([float(row['prediction']) for row in got])
        self.assertLessEqual(np.abs(values / wanted - 1).max(), TOLERANCE)


if __name__ == '__main__':
    warnings.filterwarnings('ignore')
    unittest.main()
