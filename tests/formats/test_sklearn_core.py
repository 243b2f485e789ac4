#!/usr/bin/python3
"""Estimators that are made of others predict through the cage what scikit-learn predicts:
pipelines, unions, ColumnTransformer with every way to name columns, searches, transformed
targets, several targets. What inputs, outputs and metadata such a model has; and what is
refused, with its rule and the place in the model (invariant 9)."""

import json
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
from pandas._libs import arrays
from pandas.core.indexes.base import _new_Index
import sklearn
from sklearn.base import clone, is_regressor
from sklearn.cluster import KMeans
from sklearn.compose import (ColumnTransformer, TransformedTargetRegressor, make_column_selector)
from sklearn.decomposition import PCA
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron
from sklearn.model_selection import (GridSearchCV, HalvingGridSearchCV, HalvingRandomSearchCV,
                                     RandomizedSearchCV)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (FunctionTransformer, MaxAbsScaler, MinMaxScaler, OneHotEncoder,
                                   PowerTransformer, RobustScaler, StandardScaler)
from sklearn.tree import DecisionTreeClassifier

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import starved  # noqa: E402

WEIGHLOCK = os.path.join(os.path.abspath(os.environ.get('BUILD', 'build')), 'bin', 'weighlock')

random = np.random.RandomState(5)
N = 90
X = random.normal(size=(N, 5))
TWO = (X[:, 0] + X[:, 1] > 0).astype(int)
THREE = np.digitize(X[:, 0], [-.5, .5])
LETTERS = np.array(list('abc'))[THREE]
ONE = X @ [1, 2, 3, 4, 5] + random.normal(size=N)
MANY = np.c_[ONE, ONE * 2 + X[:, 0], X[:, 1]]
FRAME = pd.DataFrame({
    'age': random.randint(18, 80, N).astype(float), 'income': random.normal(5e4, 1e4, N),
    'city': random.choice(['Oslo', 'Bergen', 'Tromsø'], N), 'kind': random.choice(['a', 'b'], N),
    'id': [f'id{i}' for i in range(N)]})
HOLES = FRAME.copy()
HOLES.loc[::7, 'age'] = np.nan
HOLES.loc[::5, 'city'] = np.nan
ANSWER = np.where(FRAME.age > 40, 'yes', 'no')
KNOWN = FRAME.drop(columns='id')
NUMBERS = FRAME[['age', 'income']]


def logistic():
    return LogisticRegression(max_iter=500)


def columns(numbers, texts, remainder='drop', weights=None):
    return make_pipeline(ColumnTransformer(
        [('n', make_pipeline(SimpleImputer(), StandardScaler()), numbers),
         ('t', make_pipeline(SimpleImputer(strategy='most_frequent'),
                             OneHotEncoder(handle_unknown='ignore')), texts)],
        remainder=remainder, transformer_weights=weights), logistic())


NAMES = columns(['age', 'income'], ['city', 'kind'])
LINEAR = {'linearregression__fit_intercept': [True, False]}


def target(**options):
    return TransformedTargetRegressor(LinearRegression(), **options)


# name, estimator, rows, target (None: it is a transformer)
CASES = [
    ('pipeline', make_pipeline(StandardScaler(), logistic()), X, TWO),
    ('pipeline in pipeline', make_pipeline(make_pipeline(StandardScaler(), PCA(3)), logistic()), X,
     LETTERS),
    ('passthrough first', Pipeline([('a', 'passthrough'), ('b', logistic())]), X, TWO),
    ('None between', Pipeline([('a', StandardScaler()), ('n', None), ('b', logistic())]), X, TWO),
    ('transformer', make_pipeline(StandardScaler(), MinMaxScaler()), X, None),
    ('ends with passthrough', Pipeline([('a', StandardScaler()), ('b', 'passthrough')]), X, None),
    ('clusters as columns', make_pipeline(KMeans(3, n_init=1, random_state=0), logistic()), X,
     TWO),
    ('names known', make_pipeline(StandardScaler(), logistic()), NUMBERS, ANSWER),
    ('selected of names', make_pipeline(SelectKBest(k=1), logistic()), NUMBERS, ANSWER),
    ('selected', make_pipeline(SelectKBest(k=2), logistic()), X, TWO),
    ('function first', make_pipeline(FunctionTransformer(np.abs), LinearRegression()), X, ONE),

    ('union', make_pipeline(FeatureUnion(
        [('s', StandardScaler()), ('p', PCA(2)), ('d', 'drop')],
        transformer_weights={'p': 2.5}), logistic()), X, TWO),
    ('union passthrough', FeatureUnion([('s', StandardScaler()), ('p', 'passthrough')]), X, None),

    ('columns by name', NAMES, HOLES, ANSWER),
    ('columns weighted', columns(['age'], ['city'], 'drop', {'n': .5, 't': 3}), HOLES, ANSWER),
    ('columns by number', columns([0, 1], [2, -2]), HOLES, ANSWER),
    ('columns by slice', columns(slice(0, 2), slice(2, -1)), HOLES, ANSWER),
    ('columns by slice of names', columns(slice('age', 'income'), slice('city', 'kind')), HOLES,
     ANSWER),
    ('columns by mask', columns([True, False, False, False, False],
                                np.array([False, False, True, True, False])), HOLES, ANSWER),
    ('columns by one name in an array', columns(np.array(['age']), ['city']), HOLES, ANSWER),
    ('columns by selector', make_pipeline(ColumnTransformer(
        [('n', SimpleImputer(), make_column_selector(dtype_include=float))]), logistic()), HOLES,
     ANSWER),
    ('columns of a data frame', columns(NUMBERS.columns, KNOWN.columns[2:]), HOLES, ANSWER),
    ('columns by array', columns(np.array([0, 1]), np.array([2, -2])), HOLES, ANSWER),
    ('columns by array, unsigned', columns(np.array([0, 1], 'u1'), np.array([2], 'u8')), HOLES,
     ANSWER),
    ('columns in another order', columns(['income', 'age'], ['kind', 'city']), HOLES, ANSWER),
    ('columns twice', make_pipeline(ColumnTransformer(
        [('a', StandardScaler(), ['age']), ('b', MinMaxScaler(), ['income', 'age'])]),
        logistic()), FRAME, ANSWER),
    ('an empty list', make_pipeline(ColumnTransformer(
        [('a', StandardScaler(), ['age']), ('e', MinMaxScaler(), [])]), logistic()), FRAME,
     ANSWER),
    ('the rest as it is', columns([0], ['city', 'kind'], 'passthrough'), KNOWN, ANSWER),
    ('the rest scaled', columns(['age'], ['city', 'kind'], StandardScaler()), KNOWN, ANSWER),
    ('all dropped but passthrough', ColumnTransformer(
        [('a', 'passthrough', ['income']), ('b', 'drop', ['age'])]), FRAME, None),
    ('of an array', make_pipeline(ColumnTransformer(
        [('a', StandardScaler(), [3, 0]), ('b', 'passthrough', slice(1, 2))]), logistic()), X,
     TWO),
    ('columns of columns', make_pipeline(ColumnTransformer(
        [('a', StandardScaler(), [3, 0]), ('b', 'passthrough', [1])]), ColumnTransformer(
            [('c', MinMaxScaler(), [2, 1])], remainder='passthrough'), logistic()), X, TWO),

    ('grid', GridSearchCV(NAMES, {'logisticregression__C': [.1, 1]}, cv=2), HOLES, ANSWER),
    ('random', RandomizedSearchCV(make_pipeline(LinearRegression()), LINEAR, n_iter=2, cv=2), X,
     ONE),
    ('halving grid', HalvingGridSearchCV(make_pipeline(LinearRegression()), LINEAR, cv=2), X, ONE),
    ('halving random', HalvingRandomSearchCV(make_pipeline(LinearRegression()), LINEAR, cv=2), X,
     ONE),
    ('a search that transforms', GridSearchCV(make_pipeline(StandardScaler(), PCA()),
                                              {'pca__n_components': [1, 2]}, cv=2), X, None),

    ('target as it is', target(), X, ONE),
    ('target standard', target(transformer=StandardScaler()), X, ONE),
    ('target not centred', target(transformer=StandardScaler(with_mean=False)), X, ONE),
    ('target minmax', target(transformer=MinMaxScaler()), X, ONE),
    ('target robust', target(transformer=RobustScaler()), X, ONE),
    ('target maxabs', target(transformer=MaxAbsScaler()), X, ONE),
    ('target log', target(func=np.log1p, inverse_func=np.expm1), X, np.abs(ONE)),
    ('target function', target(transformer=FunctionTransformer(np.cbrt, np.square),
                               check_inverse=False), X, ONE),
    ('targets', target(transformer=StandardScaler()), X, MANY),

    ('several regressors', MultiOutputRegressor(LinearRegression()), X, MANY),
    ('several classifiers', MultiOutputClassifier(logistic()), X, np.c_[TWO, THREE]),
    ('several without probabilities', MultiOutputClassifier(Perceptron()), X,
     np.c_[TWO, THREE]),
    ('chain', RegressorChain(LinearRegression(), order=[2, 0, 1]), X, MANY),
    ('one against the rest', OneVsRestClassifier(logistic()), X, LETTERS),
    ('one against the other', OneVsRestClassifier(logistic()), X, TWO),
    ('rest without probabilities', OneVsRestClassifier(Perceptron()), X, LETTERS),
    ('rest of trees', OneVsRestClassifier(DecisionTreeClassifier(max_depth=2)), X, LETTERS),
    ('classes of bool', logistic(), X, TWO.astype(bool)),
    ('classes of float', logistic(), X, TWO * 2.0),
]


# ---- what scikit-learn gives, by the names of the outputs

def wanted(estimator, rows):
    if not hasattr(estimator, 'predict'):
        given = estimator.transform(rows)
        given = given.toarray() if hasattr(given, 'toarray') else given
        return {'transformed': np.asarray(given, dtype=float)}
    label = np.asarray(estimator.predict(rows))
    if is_regressor(estimator):
        return {'prediction': label}
    outputs = {'label': label}
    if hasattr(estimator, 'predict_proba'):
        given = estimator.predict_proba(rows)
        outputs.update({f'probabilities_{i}': p for i, p in enumerate(given)}
                       if isinstance(given, list) else {'probabilities': given})
    if hasattr(estimator, 'decision_function'):
        outputs['scores'] = estimator.decision_function(rows)
    return outputs


def run(*arguments):
    done = subprocess.run([WEIGHLOCK, *arguments], capture_output=True, text=True, timeout=50)
    return done.returncode, json.loads(done.stdout or '{}'), done.stderr


def predict(estimator, rows):
    with tempfile.TemporaryDirectory() as folder:
        model, table = os.path.join(folder, 'model'), os.path.join(folder, 'rows')
        with open(model, 'wb') as file:
            file.write(starved.keep(pickle.dumps(estimator)))
        if isinstance(rows, pd.DataFrame):
            table += '.csv'
            rows.to_csv(table, index=False)
        else:
            table += '.npy'
            np.save(table, rows)
        return run('predict', '--allow-unsigned', '--format', 'json', '--json', model, table)


def inspect(estimator):
    with tempfile.NamedTemporaryFile() as file:
        file.write(starved.keep(pickle.dumps(estimator)))
        file.flush()
        return run('inspect', '--json', file.name)


def differs(name, got, want):
    if name == 'label':
        return got != want.tolist()
    got = np.array(got, dtype=float)
    return got.shape != want.shape or not np.allclose(got, want, rtol=1e-9, atol=1e-9)


def check_case(case):
    name, estimator, rows, labels = case
    fitted = estimator.fit(rows, labels)
    code, result, text = predict(fitted, rows)
    want = wanted(fitted, rows)
    if code != 0:
        return f'{name}: exit {code}: {result} {text}'
    got = result['outputs']
    if set(got) != set(want):
        return f'{name}: outputs {sorted(got)}, not {sorted(want)}'
    wrong = [output for output, values in want.items() if differs(output, got[output], values)]
    return f'{name}: {wrong} differ' if wrong else None


# ---- what is refused: how a fitted model is changed, the rule, and what the text names

def fitted():
    return Pipeline([('scale', StandardScaler()), ('model', logistic())]).fit(X, TWO)


def chosen():
    return clone(NAMES).fit(HOLES, ANSWER)


def change(make, *path_and_value):
    """An estimator of which one attribute was changed: make, attributes and indices, value."""
    *path, last, value = path_and_value
    model = pickle.loads(pickle.dumps(make()))
    at = model
    for step in path:
        at = getattr(at, step) if isinstance(step, str) else at[step]
    if value is None and hasattr(at, last):
        delattr(at, last)
    else:
        setattr(at, last, value)
    return model


def holds_itself():
    model = fitted()
    model.steps.append(('again', model))
    return model


def searches_itself():
    model = GridSearchCV(make_pipeline(LinearRegression()), LINEAR, cv=2).fit(X, ONE)
    model.best_estimator_ = model
    model.__dict__['n_features_in_'] = 5
    return model


def without_refit():
    model = GridSearchCV(make_pipeline(LinearRegression()), LINEAR, cv=2, refit=False).fit(X, ONE)
    model.__dict__['n_features_in_'] = 5
    return model


def both_ways():
    """The same column as numbers and as texts."""
    model = ColumnTransformer([('a', StandardScaler(), ['age']),
                               ('b', OneHotEncoder(), ['city'])]).fit(FRAME)
    model._transformer_to_input_indices['a'] = [2]
    return model


def deep(levels):
    model = StandardScaler()
    for _ in range(levels):
        model = Pipeline([('in', model)])
    return model.fit(X)


def asks_for(columns):
    """The columns that the fitted transformer says it was asked for are others."""
    model = ColumnTransformer([('a', StandardScaler(), [0])]).fit(X)
    model.transformers_[0] = ('a', model.transformers_[0][1], columns)
    return model


class Texts:
    """pandas' own array of texts, as its index has held names since pandas 3."""

    def __init__(self, *state):
        self.state = state

    def __reduce__(self):
        return (getattr(arrays, '__pyx_unpickle_NDArrayBacked'), (pd.arrays.StringArray, 82904607, None),
                *self.state)


class Index:
    def __init__(self, *state):
        self.texts = Texts(*state)

    def __reduce__(self):
        return _new_Index, (pd.Index, {'data': self.texts, 'name': None})


class MadeWith:
    """An estimator that is called with arguments: its state does not say which."""

    def __reduce__(self):
        return FunctionTransformer, (np.log1p,), {'n_features_in_': 2}


def names(values):
    model = StandardScaler().fit(NUMBERS)
    model.feature_names_in_ = np.array(values, dtype=object)
    return model


def chain(order):
    model = RegressorChain(LinearRegression()).fit(X, MANY)
    model.order_ = order
    return model


def several(change_it):
    model = MultiOutputRegressor(LinearRegression()).fit(X, MANY)
    change_it(model)
    return model


def rest(key, value):
    model = OneVsRestClassifier(logistic()).fit(X, LETTERS)
    setattr(model.label_binarizer_, key, value)
    return model


def targets(**options):
    return target(**options).fit(X, ONE)


TOO_FAR = {'n': [0, 9], 't': [2]}

REFUSED = [
    ('a class that is not known', lambda: make_pipeline(
        StandardScaler(), KNeighborsClassifier()).fit(X, TWO), 'sklearn.class',
     "pipeline step 'kneighborsclassifier', KNeighborsClassifier"),
    ('numbers of which one is masked', lambda: change(
        fitted, 0, 'mean_', np.ma.array(np.ones(5), mask=[0, 1, 0, 0, 0])), 'sklearn.state', "'mean_'"),
    ('not fitted', lambda: make_pipeline(StandardScaler(), logistic()), 'sklearn.state',
     'how many columns'),
    ('an option of a later version', lambda: change(fitted, 1, 'novelty', 3), 'sklearn.option',
     "pipeline step 'model', LogisticRegression: option 'novelty' is not known"),
    ('transform_input', lambda: change(fitted, 'transform_input', ['x']), 'sklearn.option',
     'transform_input'),
    ('no steps', lambda: change(fitted, 'steps', []), 'sklearn.state', 'columns'),
    ('steps that are no list', lambda: change(fitted, 'steps', 5), 'sklearn.state', 'columns'),
    ('a step without a name', lambda: change(chosen, 0, 'transformers_', [(1, 'drop', [0])]),
     'sklearn.state', 'tuple of 3'),
    ('it holds itself', holds_itself, 'limit.estimator-depth', '32 levels'),
    ('a search that holds itself', searches_itself, 'limit.estimator-depth', '32 levels'),
    ('too deep', lambda: deep(40), 'limit.estimator-depth', ''),
    ('a search without refit', without_refit, 'sklearn.state', "'best_estimator_'"),
    ('ends with no predict', lambda: change(
        lambda: OneVsRestClassifier(logistic()).fit(X, LETTERS), 'estimators_',
        [StandardScaler().fit(X)] * 3), 'sklearn.method', 'no predict'),
    ('a column both ways', both_ways, 'sklearn.column', "'city'"),
    ('columns out of range', lambda: change(chosen, 0, '_transformer_to_input_indices', TOO_FAR),
     'sklearn.value', 'within 0 to 4'),
    ('a column of an array beyond the end', lambda: asks_for(np.array([5])), 'sklearn.column',
     'there is no column'),
    ('a column of an array before the first', lambda: asks_for(np.array([-6])), 'sklearn.column',
     'there is no column'),
    ('an index of texts that holds another number', lambda: asks_for(Index(
        (pd.StringDtype(), np.array([1])))), 'sklearn.column',
     'others than in _transformer_to_input_indices'),
    ('an index of texts without a state', lambda: asks_for(Index()), 'sklearn.state', ''),
    ('an index of texts in a list', lambda: asks_for(Index([1])), 'sklearn.state', ''),
    ('an index of texts without an array', lambda: asks_for(Index((1, 2))), 'sklearn.state', ''),
    ('columns that are reals', lambda: asks_for(np.array([0.0])), 'sklearn.column',
     'there is no column'),
    ('other columns than were fitted', lambda: asks_for(np.array([1])), 'sklearn.column',
     'others than in _transformer_to_input_indices'),
    ('made with arguments', MadeWith, 'sklearn.state', 'made with arguments'),
    ('columns of another number', lambda: change(chosen, 0, 'n_features_in_', 4),
     'sklearn.column', ''),
    ('more columns than the limit', lambda: change(lambda: StandardScaler().fit(X),
                                                   'n_features_in_', 1 << 40),
     'limit.columns', ''),
    ('no columns', lambda: change(lambda: StandardScaler().fit(X), 'n_features_in_', 0),
     'sklearn.state', ''),
    ('a name that is empty', lambda: names(['', 'b']), 'sklearn.column', 'column 0'),
    ('a name twice', lambda: names(['a', 'a']), 'sklearn.value', 'twice'),
    ('a name with a NUL', lambda: names(['a', 'b\0']), 'sklearn.column', 'column 1'),
    ('names of numbers', lambda: names([1, 2]), 'sklearn.column', ''),
    ('too few names', lambda: names(['a']), 'sklearn.column', ''),
    ('classes of two kinds', lambda: change(fitted, 1, 'classes_',
                                            np.array(['a', 1], dtype=object)),
     'sklearn.value', 'neither only numbers nor only texts'),
    ('a class twice', lambda: change(fitted, 1, 'classes_', np.array([1, 1])), 'sklearn.value',
     'twice'),
    ('a class that is missing', lambda: change(fitted, 1, 'classes_', np.array([1., np.nan])),
     'sklearn.value', 'missing'),
    ('classes in two dimensions', lambda: change(fitted, 1, 'classes_', np.array([[0, 1]])),
     'sklearn.shape', 'dimensions'),
    ('classes that are a number', lambda: change(fitted, 1, 'classes_', 3), 'sklearn.state', ''),
    ('an order that repeats', lambda: chain([0, 0, 1]), 'sklearn.value', 'once'),
    ('an order that is too short', lambda: chain([0, 1]), 'sklearn.value', 'once'),
    ('no estimators', lambda: several(lambda m: m.estimators_.clear()), 'sklearn.state', ''),
    ('a classifier among regressors', lambda: several(
        lambda m: m.estimators_.__setitem__(1, logistic().fit(X, TWO))), 'sklearn.method', '1'),
    ('a regressor among classifiers', lambda: change(
        lambda: MultiOutputClassifier(logistic()).fit(X, np.c_[TWO, THREE]), 'estimators_',
        [LinearRegression().fit(X, ONE)]), 'sklearn.method', ''),
    ('more than one label a row', lambda: rest('y_type_', 'multilabel-indicator'),
     'sklearn.option', 'multilabel-indicator'),
    ('classes for other estimators', lambda: change(
        lambda: OneVsRestClassifier(logistic()).fit(X, LETTERS), 'classes_', np.array(['a', 'b'])),
     'sklearn.shape', ''),
    ("a function that is not numpy's", lambda: change(targets, 'transformer_', 'inverse_func', len),
     'pickle.global', 'len'),
    ('a target without an inverse', lambda: targets(transformer=PowerTransformer()),
     'sklearn.method', 'transformer of the target'),
    ('a target scaled by zero', lambda: change(lambda: targets(transformer=MinMaxScaler()),
                                               'transformer_', 'scale_', np.zeros(1)),
     'sklearn.value', 'scale_'),
]


def check_refused(row):
    name, make, rule, text = row
    code, result, error = inspect(make())
    if code == 0 or result.get('rule') != rule or text not in result.get('detail', ''):
        return f'{name}: {code} {result} {error}, not {rule}: {text}'
    return None


# ---- inputs, outputs, metadata

def ports(result, key):
    return {p['name']: p['type'] if 'type' in p else p for p in result['graphs'][0][key]}


def check_layout():
    """One input where all columns are numbers; else one a column, also for those dropped."""
    _, whole, _ = inspect(make_pipeline(StandardScaler(), logistic()).fit(NUMBERS, ANSWER))
    _, apart, _ = inspect(chosen())
    metadata = whole['metadata']
    assert list(ports(whole, 'inputs')) == ['X'], whole
    assert list(ports(apart, 'inputs')) == list(FRAME.columns), apart
    assert [metadata[f'/metadata/source/feature_names/{i}'] for i in range(2)] == ['age', 'income']
    assert [metadata[f'/metadata/source/target_names/{i}'] for i in range(2)] == ['no', 'yes']
    assert metadata['/kind'] == 'classifier'
    assert metadata['/producer'] == f'scikit-learn {sklearn.__version__}'
    assert metadata['/metadata/libraries/scikit-learn'] == sklearn.__version__
    assert metadata['/metadata/source/serializer'] == 'pickle'
    options = '/metadata/hyperparameters/steps/'
    assert metadata[options + 'logisticregression/class'] == 'LogisticRegression'
    assert metadata[options + 'logisticregression/max_iter'] == 500


def check_set_again():
    """Of an option that a state has twice the latest counts, for the metadata as for the graph."""
    model = StandardScaler().fit(NUMBERS)
    data = pickle.dumps(model, 2)[:-1] + b'}X\x08\0\0\0with_std\x89sb.'
    with tempfile.NamedTemporaryFile() as file:
        file.write(starved.keep(data))
        file.flush()
        _, result, _ = run('inspect', '--json', file.name)
    assert result['metadata']['/metadata/hyperparameters/with_std'] is False, result
    assert 'Div' not in [node['op'] for node in result['graphs'][0]['nodes']], result


def check_names_collide():
    """A column may have the name of an output."""
    frame = FRAME.rename(columns={'city': 'label', 'kind': 'scores'})
    model = make_pipeline(ColumnTransformer(
        [('a', OneHotEncoder(), ['label']), ('b', StandardScaler(), ['age'])]), logistic())
    model.fit(frame, ANSWER)
    code, result, text = predict(model, frame)
    assert code == 0, (result, text)
    assert result['outputs']['label_'] == model.predict(frame).tolist(), result


def check_column_order():
    """The columns of a table are found by their names, in whatever order they stand."""
    model = make_pipeline(StandardScaler(), logistic()).fit(NUMBERS, ANSWER)
    code, result, text = predict(model, NUMBERS[['income', 'age']])
    assert code == 0, (result, text)
    assert result['outputs']['label'] == model.predict(NUMBERS).tolist(), result


def main():
    warnings.simplefilter('ignore')
    np.seterr(all='ignore')
    with ThreadPoolExecutor(2) as pool:
        wrong = [w for w in [*pool.map(check_case, CASES), *pool.map(check_refused, REFUSED)] if w]
    check_layout()
    check_set_again()
    check_names_collide()
    check_column_order()
    wrong += starved.check()
    for line in wrong:
        print(line)
    print(f'{len(CASES) + len(REFUSED) - len(wrong)} of {len(CASES) + len(REFUSED)}')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
