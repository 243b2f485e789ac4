"""Trains the models that demo and tests use, on the data inside scikit-learn, and on made up ones.

    train.py FOLDER           writes FOLDER/iris, FOLDER/digits, FOLDER/forest and FOLDER/people
    train.py --check FOLDER   trains again and compares with what lies there

See README.md for what each file is. Nothing here depends on time, place or the
order of files; another BLAS changes the last bits of the arrays, which --check allows.
"""
import argparse
import csv
import io
import json
import os
import pathlib
import sys
import tempfile

os.environ['OPENBLAS_NUM_THREADS'] = '1'  # one order of summation

import joblib  # noqa: E402
import numpy as np  # noqa: E402
import pandas  # noqa: E402
import sklearn  # noqa: E402
import onnx_bytes  # noqa: E402
from sklearn.compose import make_column_transformer  # noqa: E402
from sklearn.datasets import load_digits, load_iris  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402

TOLERANCE = 1e-9
HELD_OUT = 0.25
SEED = 0


class Trained:
    """A fitted pipeline, the data it came from, and scikit-learn's own answers."""

    def __init__(self, name, data, classifier):
        self.name, self.data = name, data
        parts = train_test_split(data.data, data.target, test_size=HELD_OUT, random_state=SEED,
                                 stratify=data.target)
        fit_rows, self.test_rows, fit_labels, self.test_labels = parts
        self.pipeline = make_pipeline(StandardScaler(), classifier)
        self.pipeline.fit(fit_rows, fit_labels)
        self.scaler, self.classifier = self.pipeline[0], self.pipeline[1]
        self.fit_count = len(fit_rows)
        self.rows = data.data
        self.probabilities = self.pipeline.predict_proba(self.rows)
        self.predicted = self.pipeline.predict(self.rows)

    def golden_rows(self):
        """The first row that is predicted as each class."""
        return np.array([np.flatnonzero(self.predicted == c)[0] for c in self.classifier.classes_])

    def metadata(self):
        accuracy = self.pipeline.score(self.test_rows, self.test_labels)
        return {
            'hyperparameters': plain(self.classifier.get_params()),
            'libraries': {'numpy': np.__version__, 'scikit-learn': sklearn.__version__},
            'metrics': {'accuracy': float(accuracy)},
            'source': {
                'dataset': f'sklearn.datasets.load_{self.name}',
                'estimator': f'StandardScaler + {type(self.classifier).__name__}',
                'feature_names': list(self.data.feature_names),
                'target_names': [str(name) for name in self.data.target_names],
            },
            'tags': ['example', self.name],
            'training': {
                'iterations': int(np.max(self.classifier.n_iter_)),
                'rows': self.fit_count,
                'seed': SEED,
                'test_rows': len(self.test_rows),
            },
        }


def plain(value):
    """What JSON can hold of an estimator's parameters."""
    if isinstance(value, dict):
        return {key: plain(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


# ---- files

def npy(array):
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()


def table(header, rows):
    stream = io.StringIO()
    csv.writer(stream, lineterminator='\n').writerows([header, *rows])
    return stream.getvalue().encode()


def specification(trained, arrays, strings, nodes, opset):
    """The JSON description that `weighlock pack` reads."""
    tensors = [{'name': name, 'file': name + '.npy'} for name in arrays]
    tensors += [{'name': name, 'strings': values} for name, values in strings.items()]
    features = {'tensor': {'dtype': 'f64', 'shape': ['batch', trained.rows.shape[1]]}}
    spec = {
        'kind': 'classifier', 'name': trained.name, 'version': '1.0',
        'metadata': trained.metadata(), 'opset': opset, 'tensors': tensors,
        'graph': {'inputs': [{'name': 'X', 'type': features}],
                  'outputs': [{'name': 'label'}, {'name': 'probabilities'}], 'nodes': nodes},
        'selftest': [{'inputs': ['st_x'], 'outputs': ['st_label', 'st_prob'],
                      'rtol': 1e-9, 'atol': 1e-12}],
    }
    return (json.dumps(spec, indent=1) + '\n').encode()


def scale_node(output):
    return {'op': 'Scaler', 'domain': 'org.weighlock', 'in': ['X', 'mean', 'scale'],
            'out': [output]}


def iris():
    trained = Trained('iris', load_iris(), LogisticRegression(random_state=SEED))
    names = [str(name) for name in trained.data.target_names]
    golden = trained.golden_rows()
    arrays = {
        'mean': trained.scaler.mean_, 'scale': trained.scaler.scale_,
        'coefficients': trained.classifier.coef_, 'intercepts': trained.classifier.intercept_,
        'st_x': trained.rows[golden], 'st_prob': trained.probabilities[golden],
    }
    strings = {'st_label': [names[c] for c in trained.predicted[golden]]}
    nodes = [
        scale_node('scaled'),
        {'op': 'LinearClassifier', 'domain': 'org.weighlock',
         'in': ['scaled', 'coefficients', 'intercepts'], 'out': ['label', 'probabilities'],
         'attr': {'classlabels_strings': {'strings': names}, 'post_transform': 'SOFTMAX'}},
    ]
    opset = {'': 13, 'ai.onnx.ml': 3, 'org.weighlock': 1}
    return {
        'spec.json': specification(trained, arrays, strings, nodes, opset),
        'rows.csv': table(trained.data.feature_names, trained.rows.tolist()),
        'rows.npy': npy(trained.rows),
        'labels.csv': table(['label'], [[names[c]] for c in trained.predicted]),
        'probabilities.npy': npy(trained.probabilities),
        **{name + '.npy': npy(array) for name, array in arrays.items()},
    }


def digits():
    classifier = MLPClassifier(hidden_layer_sizes=(32, 32), learning_rate_init=0.01,
                               random_state=SEED)
    trained = Trained('digits', load_digits(), classifier)
    golden = trained.golden_rows()
    arrays = {'mean': trained.scaler.mean_, 'scale': trained.scaler.scale_}
    for i, (weight, bias) in enumerate(zip(classifier.coefs_, classifier.intercepts_)):
        arrays.update({f'weight{i}': weight, f'bias{i}': bias})
    arrays.update({'st_x': trained.rows[golden], 'st_label': trained.predicted[golden],
                   'st_prob': trained.probabilities[golden]})
    nodes = [
        scale_node('scaled'),
        {'op': 'Gemm', 'in': ['scaled', 'weight0', 'bias0'], 'out': ['sum0']},
        {'op': 'Relu', 'in': ['sum0'], 'out': ['hidden0']},
        {'op': 'Gemm', 'in': ['hidden0', 'weight1', 'bias1'], 'out': ['sum1']},
        {'op': 'Relu', 'in': ['sum1'], 'out': ['hidden1']},
        {'op': 'Gemm', 'in': ['hidden1', 'weight2', 'bias2'], 'out': ['scores']},
        {'op': 'Softmax', 'in': ['scores'], 'out': ['probabilities'], 'attr': {'axis': -1}},
        {'op': 'ArgMax', 'in': ['scores'], 'out': ['label'], 'attr': {'axis': 1, 'keepdims': 0}},
    ]
    opset = {'': 13, 'org.weighlock': 1}
    half = (len(trained.rows) + 1) // 2
    return {
        'spec.json': specification(trained, arrays, {}, nodes, opset),
        'rows-1.npy': npy(trained.rows[:half].astype('u1')),
        'rows-2.npy': npy(trained.rows[half:].astype('u1')),
        'labels.csv': table(['label'], trained.predicted[:, None].tolist()),
        'probabilities-1.npy': npy(trained.probabilities[:half]),
        'probabilities-2.npy': npy(trained.probabilities[half:]),
        **{name + '.npy': npy(array) for name, array in arrays.items()},
    }


# ---- an ONNX file, as somebody would upload it

def f32_below(threshold):
    """The largest f32 that is not above it: so x <= threshold says the same of every f32."""
    rounded = np.float32(threshold)
    return float(rounded if rounded <= threshold else np.nextafter(rounded, np.float32(-np.inf)))


def tree_lists(forest):
    """The attributes of TreeEnsembleClassifier: one entry a node, and one a leaf and class."""
    lists = {name: [] for name in (
        'nodes_treeids', 'nodes_nodeids', 'nodes_featureids', 'nodes_values', 'nodes_modes',
        'nodes_truenodeids', 'nodes_falsenodeids', 'class_treeids', 'class_nodeids', 'class_ids',
        'class_weights')}
    for number, estimator in enumerate(forest.estimators_):
        tree = estimator.tree_
        for i in range(tree.node_count):
            leaf = tree.children_left[i] < 0
            lists['nodes_treeids'].append(number)
            lists['nodes_nodeids'].append(i)
            lists['nodes_featureids'].append(0 if leaf else int(tree.feature[i]))
            lists['nodes_values'].append(0.0 if leaf else f32_below(tree.threshold[i]))
            lists['nodes_modes'].append('LEAF' if leaf else 'BRANCH_LEQ')
            lists['nodes_truenodeids'].append(0 if leaf else int(tree.children_left[i]))
            lists['nodes_falsenodeids'].append(0 if leaf else int(tree.children_right[i]))
            if not leaf:
                continue
            shares = tree.value[i, 0] / tree.value[i, 0].sum() / len(forest.estimators_)
            for c, share in enumerate(shares):
                lists['class_treeids'].append(number)
                lists['class_nodeids'].append(i)
                lists['class_ids'].append(c)
                lists['class_weights'].append(float(share))
    return lists


def forest():
    data = load_iris()
    classifier = RandomForestClassifier(n_estimators=20, max_depth=4, random_state=SEED)
    rows = data.data.astype('f4')
    classifier.fit(rows, data.target)
    names = [str(name) for name in data.target_names]
    nodes = [
        onnx_bytes.node('TreeEnsembleClassifier', 'ai.onnx.ml', ['X'], ['label', 'scores'],
                        {**tree_lists(classifier), 'classlabels_strings': names,
                         'post_transform': 'NONE'}),
        onnx_bytes.node('ZipMap', 'ai.onnx.ml', ['scores'], ['probabilities'],
                        {'classlabels_strings': names}),
    ]
    inputs = [onnx_bytes.value('X', onnx_bytes.tensor_type(onnx_bytes.FLOAT, ('batch', 4)))]
    outputs = [
        onnx_bytes.value('label', onnx_bytes.tensor_type(onnx_bytes.STRING, ('batch',))),
        onnx_bytes.value('probabilities',
                         onnx_bytes.maps_type(onnx_bytes.STRING, onnx_bytes.FLOAT)),
    ]
    upload = onnx_bytes.model('forest', nodes, inputs, outputs, {'': 17, 'ai.onnx.ml': 3},
                              'tests/models/train.py', {'dataset': 'sklearn.datasets.load_iris'})
    predicted = classifier.predict(rows)
    return {
        'upload.onnx': upload,
        'labels.csv': table(['label'], [[names[c]] for c in predicted]),
        'probabilities.npy': npy(classifier.predict_proba(rows)),
    }


# ---- a joblib file, as somebody would upload it: texts, numbers, and holes in both

TOWNS = ['Århus', 'Bergen', 'Gdańsk', 'Kiel', 'Oslo', 'Turku', 'Visby']
PEOPLE = 400


def people_table():
    """Made up people, and whether they took the ferry last year."""
    random = np.random.RandomState(SEED)
    town, pet = random.randint(7, size=PEOPLE), random.randint(3, size=PEOPLE)
    age = random.randint(16, 90, size=PEOPLE).astype(float)
    income = random.randint(12, 160, size=PEOPLE) * 500.0
    liking = town - 3 + (45 - age) / 20 + (pet == 0) + income / 40_000 + random.normal(0, 1, PEOPLE)
    frame = pandas.DataFrame({'town': np.array(TOWNS, dtype=object)[town],
                              'pet': np.array(['cat', 'dog', 'none'], dtype=object)[pet],
                              'age': age, 'income': income})
    for name, hole in ('pet', None), ('age', np.nan), ('income', np.nan):
        frame.loc[random.rand(PEOPLE) < 0.08, name] = hole
    return frame, np.where(liking > 0.5, 'ferry', 'stayed')


def people():
    rows, label = people_table()
    numbers = make_pipeline(SimpleImputer(strategy='median'), StandardScaler())
    table_maker = make_column_transformer(
        (OneHotEncoder(handle_unknown='ignore'), ['town', 'pet']), (numbers, ['age', 'income']))
    model = make_pipeline(table_maker, RandomForestClassifier(30, max_depth=6, random_state=SEED))
    model.fit(rows[:300], label[:300])
    upload = io.BytesIO()
    joblib.dump(model, upload, compress=('zlib', 9))
    rows = rows[300:]
    return {
        'upload.joblib': upload.getvalue(),
        'rows.csv': rows.to_csv(index=False).encode(),
        'labels.csv': table(['label'], [[name] for name in model.predict(rows)]),
        'probabilities.npy': npy(model.predict_proba(rows)),
    }


MODELS = {'iris': iris, 'digits': digits, 'forest': forest, 'people': people}


def write_models(folder):
    for name, train in MODELS.items():
        place = pathlib.Path(folder, name)
        place.mkdir(parents=True, exist_ok=True)
        for file, content in train().items():
            (place / file).write_bytes(content)


# ---- comparison

def same_json(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= TOLERANCE
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same_json(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same_json, a, b))
    return a == b


def same_file(a, b):
    """Equal, but for the last bits of floats."""
    if a.suffix == '.npy':
        left, right = np.load(a), np.load(b)
        return (left.dtype == right.dtype and left.shape == right.shape and
                np.allclose(left, right, rtol=0, atol=TOLERANCE if left.dtype.kind == 'f' else 0))
    if a.suffix == '.json':
        return same_json(json.loads(a.read_text()), json.loads(b.read_text()))
    return a.read_bytes() == b.read_bytes()


def differences(committed, trained):
    """One line for each file that is missing, left over, or different."""
    for name in MODELS:
        files = {folder: {path.name for path in pathlib.Path(folder, name).glob('*')}
                 for folder in (committed, trained)}
        for file in sorted(files[committed] ^ files[trained]):
            yield f'{name}/{file}: ' + ('not made by this script' if file in files[committed]
                                        else 'missing')
        for file in sorted(files[committed] & files[trained]):
            if not same_file(pathlib.Path(committed, name, file),
                             pathlib.Path(trained, name, file)):
                yield f'{name}/{file}: different'


def main():
    parser = argparse.ArgumentParser(description='Train the example models.')
    parser.add_argument('--check', action='store_true', help='compare, write nothing')
    parser.add_argument('folder')
    arguments = parser.parse_args()
    if not arguments.check:
        write_models(arguments.folder)
        return 0
    with tempfile.TemporaryDirectory() as trained:
        write_models(trained)
        found = list(differences(arguments.folder, trained))
    print('\n'.join(found) or 'as committed')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
