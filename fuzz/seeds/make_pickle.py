"""Makes fuzz/seeds/sklearn, joblib, inflate and npy_model: /usr/bin/python3 make_pickle.py

Estimators that were fitted to a few rows, of every family, small: fuzzers copy what they change."""
import bz2
import gzip
import io
import lzma
import pickle
import shutil
import sys
import zlib
from pathlib import Path

import joblib
import numpy
from sklearn import (cluster, compose, decomposition, dummy, ensemble, feature_selection, impute,
                     linear_model, model_selection, multioutput, naive_bayes, neural_network, pipeline,
                     preprocessing, svm, tree)

HERE = Path(__file__).resolve().parent
MOST_BYTES = 104_000  # of all files together
ROWS = numpy.round(numpy.random.RandomState(0).randn(24, 3), 2)
NUMBERS = (ROWS[:, 0] + 2 * ROWS[:, 1]).round(1)
CLASSES = (NUMBERS > 0).astype(int)
WORDS = numpy.array(['a', 'b', 'c'])[(NUMBERS > -1).astype(int) + (NUMBERS > 1)]
CITIES = numpy.array([['x', 'p'], ['y', 'q'], ['z', 'p']] * 8, object)
HOLES = numpy.where(ROWS > 1, numpy.nan, ROWS)
BOTH = numpy.concatenate([CITIES, ROWS.astype(object)], axis=1)


def several(*estimators):
    return pipeline.make_pipeline(*estimators)


# Name, estimator, rows, targets.
ESTIMATORS = [
    ('scalers', several(preprocessing.StandardScaler(), preprocessing.MinMaxScaler(clip=True),
                        preprocessing.MaxAbsScaler(), preprocessing.RobustScaler(),
                        preprocessing.Normalizer()), ROWS, None),
    ('imputer', impute.SimpleImputer(add_indicator=True), HOLES, None),
    ('one-hot', preprocessing.OneHotEncoder(handle_unknown='infrequent_if_exist', min_frequency=9,
                                            sparse_output=False), CITIES, None),
    ('ordinal', preprocessing.OrdinalEncoder(handle_unknown='use_encoded_value', unknown_value=-1),
     CITIES, None),
    ('label', preprocessing.LabelEncoder(), None, WORDS),
    ('label-binarizer', preprocessing.LabelBinarizer(), None, WORDS),
    ('columns', several(compose.ColumnTransformer([
        ('texts', preprocessing.OneHotEncoder(), [0, 1]), ('numbers', 'passthrough', slice(2, 4))],
        remainder=preprocessing.StandardScaler()), linear_model.LogisticRegression()), BOTH, CLASSES),
    ('polynomial', several(preprocessing.PolynomialFeatures(2), linear_model.Ridge()), ROWS, NUMBERS),
    ('function', preprocessing.FunctionTransformer(numpy.log1p, validate=True), abs(ROWS), None),
    ('bins', preprocessing.KBinsDiscretizer(3, encode='onehot-dense'), ROWS, None),
    ('power', preprocessing.PowerTransformer(), ROWS, None),
    ('quantile', preprocessing.QuantileTransformer(n_quantiles=5), ROWS, None),
    ('union', pipeline.make_union(decomposition.PCA(2, whiten=True), decomposition.TruncatedSVD(2)), ROWS, None),
    ('select', several(feature_selection.VarianceThreshold(0.01), feature_selection.SelectKBest(k=2),
                       linear_model.LinearRegression()), ROWS, NUMBERS),
    ('select-from-model', feature_selection.SelectFromModel(linear_model.Lasso(0.1)), ROWS, NUMBERS),
    ('k-means', cluster.KMeans(3, n_init=1, random_state=0), ROWS, None),
    ('logistic', linear_model.LogisticRegression(), ROWS, WORDS),
    ('logistic-ovr', linear_model.LogisticRegression(multi_class='ovr'), ROWS, WORDS),
    ('elastic-net', linear_model.ElasticNet(0.1), ROWS, NUMBERS),
    ('ridge-classifier', linear_model.RidgeClassifier(), ROWS, WORDS),
    ('sgd', linear_model.SGDClassifier(loss='modified_huber', random_state=0), ROWS, WORDS),
    ('poisson', linear_model.PoissonRegressor(), ROWS, abs(NUMBERS)),
    ('tree', tree.DecisionTreeClassifier(max_depth=3, random_state=0), ROWS, WORDS),
    ('tree-of-several', tree.DecisionTreeClassifier(max_depth=2, random_state=0), ROWS,
     numpy.stack([CLASSES, 1 - CLASSES], 1)),
    ('tree-regressor', tree.DecisionTreeRegressor(max_depth=3, random_state=0), ROWS, NUMBERS),
    ('forest', ensemble.RandomForestClassifier(2, max_depth=1, random_state=0), ROWS, CLASSES),
    ('boosting', ensemble.GradientBoostingClassifier(n_estimators=1, max_depth=1, random_state=0),
     ROWS, CLASSES),
    ('histogram', ensemble.HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=3, max_bins=8),
     HOLES, CLASSES),
    ('histogram-categories', ensemble.HistGradientBoostingRegressor(
        max_iter=2, min_samples_leaf=3, max_bins=8, categorical_features=[0]),
     numpy.concatenate([CLASSES[:, None], ROWS], 1), NUMBERS),
    ('ada-boost', ensemble.AdaBoostClassifier(n_estimators=2, algorithm='SAMME', random_state=0),
     ROWS, CLASSES),
    ('bagging', ensemble.BaggingClassifier(naive_bayes.GaussianNB(), 2, max_features=2, random_state=0),
     ROWS, CLASSES),
    ('voting', ensemble.VotingClassifier([('a', naive_bayes.GaussianNB()), ('b', dummy.DummyClassifier())],
                                         voting='soft', weights=[1, 2]), ROWS, WORDS),
    ('stacking', ensemble.StackingRegressor([('a', linear_model.Ridge())], linear_model.Ridge(), cv=2),
     ROWS, NUMBERS),
    ('isolation-forest', ensemble.IsolationForest(n_estimators=2, max_samples=8, random_state=0), ROWS, None),
    ('network', neural_network.MLPClassifier((3,), max_iter=5, random_state=0), ROWS, WORDS),
    ('svc', svm.SVC(probability=True, random_state=0), ROWS, CLASSES),
    ('svc-linear', svm.SVC(kernel='linear', decision_function_shape='ovo'), ROWS[:9], WORDS[:9]),
    ('svr', svm.SVR(kernel='poly', degree=2), ROWS[:8], NUMBERS[:8]),
    ('linear-svc', svm.LinearSVC(random_state=0), ROWS, WORDS),
    ('bayes', naive_bayes.GaussianNB(), ROWS, WORDS),
    ('dummy', dummy.DummyClassifier(), ROWS, WORDS),
    ('search', model_selection.GridSearchCV(linear_model.Ridge(), {'alpha': [1, 2]}, cv=2), ROWS, NUMBERS),
    ('target', compose.TransformedTargetRegressor(linear_model.Ridge(), func=numpy.log, inverse_func=numpy.exp),
     ROWS, abs(NUMBERS) + 1),
    ('outputs', multioutput.MultiOutputRegressor(linear_model.Ridge()), ROWS, numpy.stack([NUMBERS, -NUMBERS], 1)),
]


def without_generators(value, seen):
    """What was for fitting, and is large."""
    if id(value) in seen or isinstance(value, (str, bytes, numpy.ndarray)):
        return
    seen.add(id(value))
    for key, held in list(getattr(value, '__dict__', {}).items()):
        if isinstance(held, numpy.random.RandomState) or key in ('_optimizer', 'loss_curve_'):
            delattr(value, key)
        else:
            without_generators(held, seen)
    if isinstance(value, (list, tuple)):
        for held in value:
            without_generators(held, seen)


def raw(value):
    out = io.BytesIO()
    joblib.dump(value, out)
    return out.getvalue()


WRITERS = [('joblib', raw)] + [(f'pickle-{p}', lambda value, p=p: pickle.dumps(value, p)) for p in (4, 2, 5)]


def npy(array, version=None):
    out = io.BytesIO()
    numpy.lib.format.write_array(out, array, version)
    return out.getvalue()


def alone(data):
    return lzma.compress(data, lzma.FORMAT_ALONE, preset=0)


def zf(data):
    return b'ZF' + hex(len(data)).encode().ljust(19) + zlib.compress(data)


def lz4(value):
    out = io.BytesIO()
    joblib.dump(value, out, compress='lz4')
    return out.getvalue()


def fitted(estimator, targets):
    estimator.fit(ROWS, targets)
    without_generators(estimator, set())
    return estimator


def changed(estimator, **state):
    """What nobody has fitted."""
    for name, value in state.items():
        setattr(estimator, name, value)
    return pickle.dumps(estimator, 4)


def bent_tree(field, value):
    """The first node of a tree is another."""
    whole = fitted(tree.DecisionTreeRegressor(max_depth=2, random_state=0), NUMBERS)
    data, nodes = pickle.dumps(whole, 4), whole.tree_.__getstate__()['nodes']
    bent = nodes.copy()
    bent[field][0] = value
    return data.replace(nodes.tobytes(), bent.tobytes())


def hostile():
    for name, field, value in (('cycle', 'left_child', 0), ('child-outside', 'right_child', 1000), ('child-far-outside', 'left_child', 1 << 40),
                               ('child-before', 'left_child', -2), ('child-twice', 'right_child', 1),
                               ('feature-outside', 'feature', 3), ('threshold-nan', 'threshold', numpy.nan)):
        yield f'tree-{name}', bent_tree(field, value)
    linear, scaler = linear_model.Ridge(), preprocessing.StandardScaler()
    yield 'coefficients-of-more', changed(fitted(linear, NUMBERS), coef_=numpy.ones(4))
    yield 'coefficients-of-texts', changed(linear, coef_=numpy.array(['a', 'b', 'c']))
    yield 'coefficients-nan', changed(linear, coef_=numpy.full(3, numpy.nan))
    yield 'features-many', changed(linear, coef_=numpy.ones(3), n_features_in_=1 << 40)
    yield 'features-negative', changed(linear, n_features_in_=-1)
    yield 'scale-zero', changed(fitted(scaler, None), scale_=numpy.zeros(3))
    yield 'scale-none', changed(scaler, scale_=None)
    yield 'option-unknown', changed(scaler, nobody_knows=True)
    yield 'classes-of-more', changed(fitted(linear_model.LogisticRegression(), CLASSES), classes_=numpy.arange(5))
    yield 'classes-twice', changed(fitted(naive_bayes.GaussianNB(), CLASSES), classes_=numpy.array([1, 1]))
    machine = fitted(svm.SVC(), CLASSES)
    yield 'svc-counts', changed(machine, _n_support=numpy.array([1 << 30, 1], numpy.int32))
    forest = fitted(ensemble.RandomForestClassifier(2, max_depth=1, random_state=0), CLASSES)
    yield 'forest-in-itself', changed(forest, estimators_=[forest, forest])
    yield 'pipeline-in-itself', in_itself()
    yield 'system', pickle.dumps(several(scaler), 4).replace(b'StandardScaler', b'StandardScalex')


def in_itself():
    inner = several(preprocessing.StandardScaler())
    inner.steps.append(('again', inner))
    return pickle.dumps(inner, 4)


def files():
    for name, data in hostile():
        yield 'sklearn', f'hostile-{name}', data
    for i, (name, estimator, rows, targets) in enumerate(ESTIMATORS):
        estimator.fit(targets) if rows is None else estimator.fit(rows, targets)
        without_generators(estimator, set())
        how, write = WRITERS[i % len(WRITERS)]
        yield 'sklearn', f'{name}-{how}', write(estimator)
    value = {'a': numpy.arange(6.0).reshape(2, 3), 'b': [numpy.array(['x', None], object), 'text']}
    some = raw(value)
    packed = [('zlib', zlib.compress(some)), ('gzip', gzip.compress(some, mtime=0)), ('bz2', bz2.compress(some)),
              ('xz', lzma.compress(some, preset=0)), ('lzma', alone(some)), ('lz4', lz4(value)), ('zf', zf(some)),
              ('gzip-twice', gzip.compress(some[:9], mtime=0) + gzip.compress(some[9:], mtime=0)),
              ('hostile-bomb', zlib.compress(bytes(1 << 19))), ('hostile-bomb-bz2', bz2.compress(bytes(1 << 19))),
              ('hostile-cut', zlib.compress(some)[:-5]), ('hostile-cut-xz', lzma.compress(some, preset=0)[:-9]),
              ('hostile-behind', gzip.compress(some, mtime=0) + b'x'), ('hostile-no-data', b'\x78\x9c'),
              ('hostile-dictionary', alone(some)[:1] + b'\xff\xff\xff\xff' + alone(some)[5:]),
              ('hostile-zf-length', b'ZF0xffffffffffffffff'.ljust(21) + zlib.compress(some))]
    for name, data in packed:
        yield 'joblib', name, data
        yield 'inflate', name, data
    yield 'pickle', 'good-joblib', some
    yield 'pickle', 'good-arrays', pickle.dumps([numpy.arange(3, dtype='>i2'), numpy.eye(2), numpy.float32(2),
                                                 numpy.zeros((2, 0)), numpy.array(['a', 'bc'])], 2)
    yield 'pickle', 'good-arrays-5', pickle.dumps([numpy.eye(3), numpy.asfortranarray(numpy.ones((2, 3)))], 5)
    yield 'pickle', 'good-structure', pickle.dumps(numpy.zeros(2, [('a', '<f8'), ('b', '<i4')]), 4)
    yield 'pickle', 'good-masked', pickle.dumps(numpy.ma.array([1., 2.], mask=[0, 1]), 4)
    yield 'pickle', 'good-values', pickle.dumps([None, True, 1 << 70, -2.5, 'é', b'\0', {'k': (1, 2)}, {3}, 1j], 4)
    yield 'pickle', 'good-values-0', pickle.dumps([None, True, 1 << 70, -2.5, 'é', {'k': (1, 2)}], 0)
    yield 'npy_model', 'good', npy(numpy.arange(6.0).reshape(2, 3))
    yield 'npy_model', 'good-2', npy(numpy.array([1, 2], '>i2'), (2, 0))
    yield 'npy_model', 'good-texts', npy(numpy.array(['a', 'bc']))
    yield 'npy_model', 'good-objects', npy(numpy.array(['a', None, 'c'], object))
    yield 'npy_model', 'hostile-cut', npy(numpy.arange(6.0))[:-3]
    yield 'npy_model', 'hostile-structure', npy(numpy.zeros(2, [('a', '<f8'), ('b', '<i4')]))
    yield 'npy_model', 'hostile-shape', npy(numpy.arange(6.0)).replace(b'(6,)', b'(9,)')
    yield 'npy_model', 'hostile-objects', npy(numpy.array([None], object)).replace(b'_reconstruct', b'_reconstruxt')
    yield 'npy_model', 'hostile-behind', npy(numpy.arange(2)) + b'x'


def main():
    made = list(files())
    for folder in {folder for folder, _, _ in made}:
        shutil.rmtree(HERE / folder, ignore_errors=True)
        (HERE / folder).mkdir()
    for folder, name, data in made:
        (HERE / folder / name).write_bytes(data)
    whole = sum(len(data) for _, _, data in made)
    print(f'{len(made)} files, {whole} bytes; the largest:',
          sorted(((len(data), name) for _, name, data in made), reverse=True)[:12])
    return whole > MOST_BYTES


if __name__ == '__main__':
    sys.exit(main())
