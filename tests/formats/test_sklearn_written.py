#!/usr/bin/python3
"""Estimators as other versions of scikit-learn write them, with the state that only those have,
and estimators whose state is odd in one place: each is a model, or is refused by its rule, and
says so when memory runs out at any place (invariant 7).
SYNTHESISED: fitted by the installed version, and written with another's state."""
import copy
import copyreg
import gzip
import io
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import scipy.sparse
from sklearn import (cluster, compose, decomposition, discriminant_analysis, dummy, ensemble,
                     feature_selection, impute, linear_model, model_selection, multiclass,
                     multioutput, naive_bayes, neighbors, neural_network, pipeline, preprocessing,
                     svm, tree)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import starved  # noqa: E402
import test_sklearn_odd_states as odd  # noqa: E402
import tree_layouts  # noqa: E402

NAN, INF = float('nan'), float('inf')
RANDOM = np.random.RandomState(0)
X = RANDOM.rand(60, 4)
Y = (X[:, 0] > 0.5).astype(int)
Y3 = (X[:, 0] * 3).astype(int)
GONE = odd.GONE
CASES = []  # name, pickle, rule or '-', limits


class Pickler(pickle.Pickler):
    """Writes each estimator as that version would, and what is in `bare` with no state, or
    with another one."""

    def __init__(self, file, version, bare):
        super().__init__(file, 4)
        self.version, self.bare = version, bare

    def reducer_override(self, value):
        kind = type(value)
        if id(value) in self.bare:
            return copyreg.__newobj__, (kind,), self.bare[id(value)]
        if not odd.is_estimator(value):
            return NotImplemented
        state = dict(vars(value))
        if self.version is not GONE:
            state['_sklearn_version'] = self.version
        return copyreg.__newobj__, (kind,), state


def written(estimator, version='1.2.1', bare=None):
    file = io.BytesIO()
    Pickler(file, version, bare or {}).dump(estimator)
    return file.getvalue()


def show(value):
    if odd.is_estimator(value) or scipy.sparse.issparse(value):
        return type(value).__name__
    if isinstance(value, (list, tuple)):
        return '[' + ', '.join(show(item) for item in value[:4]) + ']'
    if isinstance(value, dict):
        return ', '.join(f'{key} = {show(item)}' for key, item in list(value.items())[:4])
    return 'gone' if value is GONE else repr(value)[:60]


def case(name, fitted, rule, version='1.2.1', limits=(), bare=None, **state):
    """rule: what refuses it; '-': it is a model. state: attributes that are others."""
    if not isinstance(fitted, bytes):
        estimator = copy.copy(fitted)
        for key, value in state.items():
            if value is GONE:
                vars(estimator).pop(key, None)
            else:
                vars(estimator)[key] = value
        name = f'{name} {type(estimator).__name__} of {version}: {show(state)}'
        fitted = written(estimator, version, bare)
    CASES.append((name, fitted, rule, tuple(limits)))


# ---- discriminants

def discriminants():
    centroid = neighbors.NearestCentroid().fit(X, Y3)
    manhattan = neighbors.NearestCentroid(metric='manhattan').fit(X, Y3)
    two = neighbors.NearestCentroid().fit(X, Y)
    thirds, uneven = np.full(3, 1 / 3), np.array([0.2, 0.3, 0.5])
    deviations = np.array([0.5, 0, 2, 1])
    for fitted in (centroid, manhattan):
        for priors in (thirds, uneven):
            case('priors', fitted, '-', '1.8.0', class_prior_=priors, within_class_std_dev_=deviations)
    case('priors', two, '-', '1.8.0', class_prior_=np.array([0.9, 0.1]), within_class_std_dev_=deviations)
    for values, rule in (([0.5, 0, NAN, 1], 'value'), ([1, 2], 'shape'), (3, 'shape'), ('x', 'state')):
        case('deviations', centroid, 'sklearn.' + rule, class_prior_=thirds,
             within_class_std_dev_=np.array(values) if isinstance(values, list) else values)
    for values, rule in (([0.5, NAN, 1], 'value'), ([1, 2], 'shape'), ([0.5, -1, 1], 'value')):
        case('priors', centroid, 'sklearn.' + rule, class_prior_=np.array(values),
             within_class_std_dev_=deviations)
    lda = discriminant_analysis.LinearDiscriminantAnalysis().fit(X, Y3)
    transform = pipeline.make_pipeline(lda, preprocessing.StandardScaler())
    transform.steps[1][1].fit(lda.transform(X))
    case('a transformer', transform, '-')
    for key, value, rule in (('_max_components', 'x', 'option'), ('xbar_', np.full(4, NAN), 'value'),
                             ('_max_components', 0, 'value'), ('xbar_', np.ones(3), 'shape')):
        changed = copy.deepcopy(transform)
        setattr(changed.steps[0][1], key, value)
        case(f'{key} {value}', changed, 'sklearn.' + rule)


# ---- what is said of the options, and of the classes

def nested(value, levels):
    for _ in range(levels):
        value = [value]
    return value


def long_keys(value, levels, length=250):
    for _ in range(levels):
        value = {'k' * length: value}
    return value


def options():
    fitted = linear_model.LinearRegression().fit(X, Y)
    other = preprocessing.StandardScaler()
    values = [bytearray(b'x'), b'x', {1, 2}, frozenset((1, 2)), 1j, np.dtype('f4'), np.zeros(3),
              2 ** 90, np.random.RandomState(0), nested(1, 14), 'long' * 100, ['a'] * 100, 1e300, -1e300,
              0.1, NAN, INF, {'': 1, 'long' * 100: 2, 'a\udc80': 3, 4: 5, 'a': None, '_b_': 6},
              {str(i): i for i in range(100)}, [[1] * 64] * 64, [[[1] * 64] * 64] * 3, float, np.sqrt, None, True, 3,
              [('a', other), ('a', other)], [('a', other), ('', other)], [('a', other), (1, other)],
              [('long' * 100, other)], [('a', 1)], [('a',)], [('a', None), ['b']], [('a', 'drop')], [],
              other, linear_model.LinearRegression, collections_like(), [None, b'x', 1], ['a\udc80'],
              'a\udc80', 'a\x01', {'a\x01': 1}, {'a/b': 1, 'a': {'b': 2}}]
    values += [long_keys(inner, levels, length) for inner in ([1], other, {'b': 1})
               for levels in (2, 4) for length in range(236, 250)]
    values += [long_keys(1, 12, 1), long_keys(other, 2, 1), long_keys(1, 12, 200)]
    for value in values:
        try:
            case('an option', fitted, '-', n_jobs=value)
        except UnicodeEncodeError:
            pass
    for state in (None, 3, [1], {}, (None, None), {1: 2}):
        inner = linear_model.LinearRegression()
        case(f'a bare one inside, {state}', fitted, None, bare={id(inner): state}, n_jobs=[inner])
    for version in (GONE, None, 3, b'1.2', '1.2' * 200, '', '1.2\udc80', 'x', '1', '1.', '.2', '1.x', '99999.1'):
        try:
            case('a version', fitted, '-', version)
        except UnicodeEncodeError:
            pass


def collections_like():
    return odd.collections.OrderedDict([('a', 1), ('b', [2])])


def classes():
    fitted = dummy.DummyClassifier(strategy='prior').fit(X, Y)
    for values, rule in (([0.5, 1e20], '-'), ([-1e20, 0.1 + 0.2], '-'), ([1 / 3, 2.0], '-'),
                         ([1e15, 123456789.125], '-'), ([5e-324, 1e300], '-'), ([0.1, INF], '-'),
                         (['a', 'a\x01'], None), (['a', 'a\x00b'], None), ([True, False], '-')):
        case('classes', fitted, rule, classes_=np.array(values))
    for values in (np.array([1, 2], 'u1'), np.array([1, 2 ** 64 - 1], 'u8'), np.array([b'a', b'\xff']),
                   np.array([2 ** 70, 1], object), np.array([1, True], object), np.array([True, None], object),
                   np.array(['a', True], object), np.array(['a', 1], object), np.array([1, None], object),
                   np.array(['a', None], object), np.array([1.5, 2], object), np.array([1, 2.5], 'f2'),
                   np.array([1, 2], '>i2'), np.array([True, NAN], object), np.array([True, False], object),
                   np.array([b'a', b'b'], object), np.array([None, NAN], object), (1, 2), ['a', 'b'], [[1], [2]]):
        case('classes', fitted, None, classes_=values)
    many = 5000
    case('classes', fitted, '-', classes_=np.arange(many), n_classes_=many,
         class_prior_=np.full(many, 1 / many))
    encoder = preprocessing.OrdinalEncoder().fit([['a'], ['b'], ['c']])
    hot = preprocessing.OneHotEncoder().fit([['a'], ['b'], ['c']])
    for values in (['a', None, ''], ['a', None, 'b'], [None, None, 'a'], [NAN, None, 'a'], [1, NAN, 2], [1, None, 2],
                   [1.5, NAN, 2], [NAN, 1.5, NAN], [True, False, None], [1, 2, 2 ** 70], ['', 'a', 'b'],
                   [1, 2, 1e300], [2 ** 60, 1, 2], [-2 ** 60, 1, 2], [b'a', b'b', b'\xff']):
        for fitted in (encoder, hot):
            case('categories', fitted, None, categories_=[np.array(values, object)], _n_features_outs=[3])
    for values in (np.array([1, 2, 3], 'u2'), np.array([1, 2, NAN]), np.array([2 ** 60, 1, 3]),
                   np.array([-1e300, 1, 3]), np.array([b'a', b'b', b'c']), np.array([1, NAN, NAN])):
        for fitted in (encoder, hot):
            case('categories', fitted, None, categories_=[values], _n_features_outs=[3])


# ---- SelectFromModel

def chooser(estimator, x=X, **options):
    return feature_selection.SelectFromModel(estimator, **options).fit(x, Y)


def choosers():
    regression = linear_model.LinearRegression()
    for text in ('mean', 'median', '1.25*mean', ' 1.25  *  median  ', '*mean', '  *  ', '1..2*mean', '1a*mean',
                 '/*mean', '1234567890123456*mean', '', 'meanx', '1.*mean', '.*mean', '-1*mean', '1*'):
        case('a threshold', chooser(regression), None, threshold=text)
    for columns in (3, 8, 20, 136, 300):
        wide = RANDOM.rand(60, columns)
        for text in ('mean', 'median'):
            case(f'{columns} columns', chooser(regression, wide, threshold=text), '-')
    case('no name', chooser(regression), 'sklearn.option', threshold='none')
    for version in ('1.7', '1.8.2', '1.9.dev0', '2.0', 'x', '99999.1', '1', '.1', '1.', GONE, 3, '1.2.3', '1x'):
        for fitted in (linear_model.LogisticRegression(),
                       linear_model.LogisticRegressionCV(cv=2), linear_model.Lasso(0.01),
                       linear_model.ElasticNet(0.01), linear_model.ElasticNetCV(cv=2)):
            case('no threshold', chooser(fitted), None, version)
    chosen = chooser(linear_model.LogisticRegression())
    for ratio in (1, 1.0, 0.5, None, 1 + 1e-6, 'x', [1, 1], [1, 0]):
        inner = copy.copy(chosen.estimator_)
        inner.l1_ratio = inner.l1_ratio_ = ratio
        case(f'a ratio of {ratio}', chosen, None, '1.8.0', estimator_=inner)
        inner.__class__ = linear_model.LogisticRegressionCV
        case(f'a ratio of {ratio}', chosen, None, '1.8.0', estimator_=inner)
        inner.__class__ = linear_model.ElasticNet
        case(f'a ratio of {ratio}', chosen, None, '1.8.0', estimator_=inner)
    fitted = linear_model.LinearRegression().fit(X, Y)
    case("prefit", chosen, "-", "1.2.1", estimator=fitted, estimator_=GONE, prefit=True)
    case('nothing', chosen, 'sklearn.state', estimator=GONE, estimator_=GONE)
    case('nothing', chosen, 'sklearn.state', estimator='x', estimator_=GONE)
    for getter in ('auto', 'coef_', 'feature_importances_', 'x', 3):
        for inner in (fitted, tree.DecisionTreeClassifier(max_depth=2).fit(X, Y),
                      neighbors.KNeighborsClassifier().fit(X, Y)):
            case('a getter', chosen, None, importance_getter=getter, estimator_=inner)
    for coefficients in (np.ones(4), np.ones((2, 4)), np.ones((2, 2, 2)), np.ones(3), 3, np.full(4, NAN),
                         np.ones(4, 'f4'), np.zeros((0, 4)), np.ones((1,) * 12)):
        for order in (1, 2, INF, -INF, 'x'):
            inner = copy.copy(fitted)
            inner.coef_ = coefficients
            case(f'coefficients {show(coefficients)}', chosen, None, estimator_=inner, norm_order=order)


def node_record(change):
    """change(fields by name: (type, offset))"""
    def of(arguments, state):
        dtype = state['nodes'].dtype
        fields = {name: (dtype.fields[name][0].str, dtype.fields[name][1]) for name in dtype.names}
        change(fields)
        record = tree_layouts.record([(name, *rest) for name, rest in fields.items()], dtype.itemsize)
        nodes = np.zeros(state['nodes'].shape, record)
        for name in set(record.names) & set(dtype.names):
            nodes[name] = state['nodes'][name]
        return arguments, {**state, 'nodes': nodes}
    return of


def node_value(field, value, index=0):
    def of(arguments, state):
        state['nodes'] = state['nodes'].copy()
        state['nodes'][field][index] = value
        return arguments, state
    return of


def replaced(**more):
    return lambda arguments, state: (arguments, {**state, **more})


def trees_chosen():
    one = chooser(tree.DecisionTreeClassifier(max_depth=2, random_state=0))
    forest = chooser(ensemble.RandomForestClassifier(3, max_depth=2, random_state=0))
    boosted = chooser(ensemble.GradientBoostingClassifier(n_estimators=2, max_depth=2))
    changes = [
        ('as it is', lambda *given: given, '-'),
        ('no impurity', node_record(lambda fields: fields.pop('impurity')), 'sklearn.state'),
        ('no weights', node_record(lambda fields: fields.pop('weighted_n_node_samples')), 'sklearn.state'),
        ('whole impurity', node_record(lambda f: f.update(impurity=('<i8', f['impurity'][1]))), 'sklearn.state'),
        ('single impurity', node_record(lambda f: f.update(impurity=('<f4', f['impurity'][1]))), 'sklearn.state'),
        ('left behind', node_value('left_child', 99), 'sklearn.value'),
        ('right behind', node_value('right_child', 99), 'sklearn.value'),
        ('right before', node_value('right_child', -3), 'sklearn.value'),
        ('left before', node_value('left_child', -3), 'sklearn.value'),
        ('feature behind', node_value('feature', 9), 'sklearn.value'),
        ('feature before', node_value('feature', -7), 'sklearn.value'),
        ('nothing gained', node_value('impurity', 0, slice(None)), None),
        ('lost', node_value('impurity', 100, slice(1, None)), None),
    ]
    for name, change, rule in changes:
        for fitted in (one, forest, boosted):
            case(f'{name} {show(fitted.estimator)}', tree_layouts.dumps(fitted, change), rule)
    for fitted in (one, forest):
        for version in ('1.8.0', 'x'):
            case('trees', fitted, None, version)
    inner = copy.copy(forest.estimator_)
    inner.estimators_ = [copy.copy(member) for member in inner.estimators_]
    for member in inner.estimators_:
        member.tree_ = tree.DecisionTreeClassifier(max_depth=1).fit(X, np.zeros(60)).tree_
    case('trees that do not split', forest, None, estimator_=inner)
    for key, value in (('tree_', GONE), ('tree_', 3), ('estimators_', GONE), ('estimators_', 3), ('estimators_', [])):
        for fitted in (one, forest):
            inner = copy.copy(fitted.estimator_)
            vars(inner).pop(key, None)
            if value is not GONE:
                setattr(inner, key, value)
            case(f'{key} {value}', fitted, None, estimator_=inner)


# ---- trees

def trees():
    one = tree.DecisionTreeClassifier(max_depth=2).fit(X, Y)
    several = tree.DecisionTreeClassifier(max_depth=2).fit(X, np.column_stack([Y, Y3]))
    real = tree.DecisionTreeRegressor(max_depth=2).fit(X, Y)

    def argued(*given):
        return lambda arguments, state: (given, state)
    changes = [replaced(nodes=3), replaced(nodes=np.zeros(3)), replaced(nodes=None), replaced(node_count='x'),
               replaced(values=None), replaced(values=np.zeros((7, 1, 2), 'f4')), replaced(values=np.zeros((7, 2))),
               replaced(node_count=3), argued(4, np.array([2]), 1, 9), argued(4, np.array([2])),
               argued(4, np.array([2]), 0), argued(-4, np.array([2]), 1), argued('x', np.array([2]), 1),
               lambda arguments, state: (arguments, {key: state[key] for key in ('max_depth', 'nodes')}),
               lambda arguments, state: (arguments, {key: state[key] for key in ('max_depth', 'node_count')}),
               node_record(lambda fields: fields.update({'k' * 70: ('<f4', 0)})),
               node_record(lambda fields: fields.update(left_cat_bitset=('<u8', 0), split_kind=('<u1', 0)))]
    scaled = [(name, lambda a, s, by=by: (a, {**s, 'values': s['values'] * by}))
              for name, by in (('shares', 0.25), ('zero', 0), ('doubled', 2), ('less', -1), ('nan', NAN))]

    def shares(arguments, state):
        values = state['values']
        return arguments, {**state, 'values': values / values.sum(axis=2, keepdims=True)}
    changes += [change for _, change in scaled] + [shares]
    for version in ('1.2.1', '1.3.2', '1.9', '1', 'x', '1x3', '12345.1', '1.99999'):
        for fitted in (one, several, real):
            named = copy.copy(fitted)
            for change in changes:
                data = tree_layouts.dumps(named, change)
                data = data.replace(b'\x8c\x051.2.1', b'\x8c' + bytes([len(version)]) + version.encode())
                case(f'a tree of {version}', data.replace(b'\x95', b'\x95', 1), None)


# ---- histograms

def histograms():
    rng = np.random.RandomState(0)
    x = np.column_stack([rng.randint(4, size=200), rng.rand(200, 2)])
    y = x[:, 0] + x[:, 1] > 2
    chosen = np.array([True, False, False])
    fitted = ensemble.HistGradientBoostingClassifier(max_iter=2, max_leaf_nodes=4, categorical_features=[0]).fit(x, y)
    values = ensemble.HistGradientBoostingRegressor(max_iter=2, max_leaf_nodes=4).fit(x, x[:, 1])
    for version in ('0.24.2', '1.1.3', '1.2.1', '1.4.0', '1.5.0', '1.9.0', 'x', GONE, 3):
        case('a histogram', fitted, None, version)
        case('a histogram', values, None, version)
    for key in ('_predictors', 'classes_', '_bin_mapper', '_baseline_prediction'):
        for value in (GONE, 3, [], [3], [[]], [[3]], np.zeros(2), np.array([NAN])):
            case('a histogram', fitted, None, **{key: value})
            case('a histogram', values, None, **{key: value})
    mapper = fitted._bin_mapper
    for key in ('bin_thresholds_', 'is_categorical_'):
        for value in (GONE, 3, [], [3, 3, 3], mapper.bin_thresholds_[:2], [np.array([NAN])] * 3, [np.array([300.])] * 3,
                      np.array([1, 1, 1]), np.array(['x'] * 3)):
            other = copy.copy(mapper)
            vars(other).pop(key, None)
            if value is not GONE:
                setattr(other, key, value)
            case(f'a mapper of {key} {show(value)}', fitted, None, _bin_mapper=other)
    encoder = preprocessing.OrdinalEncoder(categories=[np.arange(4.0)], handle_unknown='use_encoded_value',
                                           unknown_value=NAN).fit(x[:, :1])
    three = preprocessing.OrdinalEncoder(handle_unknown='use_encoded_value', unknown_value=NAN).fit(x.round())
    hot = preprocessing.OneHotEncoder(handle_unknown='ignore').fit(x[:, :1])
    processor = compose.ColumnTransformer([])
    for parts, mask in (([('encoder', encoder, chosen)], chosen), ([('encoder', hot, chosen)], chosen),
                        ([('encoder', three, [True] * 3)], np.ones(3, bool)), (3, chosen), (GONE, chosen),
                        ([('encoder', encoder, chosen)], None), ([('encoder', encoder, chosen)], 3),
                        ([('encoder', encoder, chosen)], GONE), ([('encoder', 3, chosen)], chosen),
                        ([], chosen), ([3], chosen), ([('encoder', three, chosen)], chosen)):
        other = copy.copy(processor)
        if parts is not GONE:
            other.transformers_ = parts
        case(f'an encoder {show(parts)} {mask}', fitted, None, '1.5.0', _preprocessor=other, is_categorical_=mask)
    many = ensemble.HistGradientBoostingClassifier(max_iter=1, max_leaf_nodes=4).fit(x, x[:, 0])
    case('three classes', many, '-')
    case('one class', many, 'sklearn.value', classes_=np.array([1]))
    sets = lambda kind, shape, order='C': np.zeros(shape, kind, order)  # noqa: E731
    predictor = fitted._predictors[0][0]
    for value in (sets('u8', (1, 8)), sets('i4', (1, 8)), sets('u4', 8), sets('u4', (1, 7)), sets('u4', (99, 8)),
                  sets('>u4', (1, 8)), sets('u4', (2, 8), 'F'), predictor.raw_left_cat_bitsets.astype('>u4'), 3, None):
        other = copy.copy(predictor)
        other.raw_left_cat_bitsets = value
        case(f'sets {show(value)}', fitted, None, _predictors=[[other]])
    for value in (None, 3, np.zeros(3), predictor.nodes[:0]):
        other = copy.copy(predictor)
        other.nodes = value
        case(f'nodes {value!r:.80}', fitted, None, _predictors=[[other]])
    nodes = predictor.nodes
    for field, value in (('is_leaf', 2), ('left', 99), ('right', 0), ('bitset_idx', 7), ('is_categorical', 1),
                         ('feature_idx', 9), ('count', 0), ('num_threshold', NAN), ('value', INF), ('left', 2 ** 31)):
        other = copy.copy(predictor)
        other.nodes = nodes.copy()
        other.nodes[field] = value
        case(f'nodes whose {field} is {value}', fitted, None, _predictors=[[other]])


# ---- tables of columns

def named(estimator, names):
    estimator = copy.copy(estimator)
    estimator.feature_names_in_ = np.array(names, dtype=object)
    return estimator


def parts(*triples, names=('a', 'b', 'c', 'd'), remainder='drop'):
    """A ColumnTransformer as if it were fitted."""
    made = compose.ColumnTransformer(list(triples), remainder=remainder)
    made.transformers_ = list(triples)
    made._columns = [columns for _, _, columns in triples]
    made._n_features = made.n_features_in_ = len(names)
    made.sparse_output_ = False
    return named(made, names) if names else made


def scaler(columns):
    return preprocessing.StandardScaler().fit(X[:, :columns])


def tables():
    texts = preprocessing.OrdinalEncoder().fit([['a'], ['b']])
    hot = preprocessing.OneHotEncoder().fit([['a'], ['b']])
    constant = impute.SimpleImputer(strategy='constant', fill_value='x').fit(np.array([['a'], ['b']], object))
    frequent = impute.SimpleImputer(strategy='most_frequent').fit(np.array([['a'], ['b']], object))
    numbers = impute.SimpleImputer().fit(X[:, :1])
    numeric = preprocessing.OneHotEncoder(handle_unknown='ignore').fit(X[:4, :1].round())
    filled = pipeline.make_pipeline(constant, texts)
    missing = impute.MissingIndicator(features='all').fit(X[:, :1])
    function = preprocessing.FunctionTransformer()
    single = [texts, hot, constant, frequent, numbers, scaler(1), numeric, filled, missing, function,
              'passthrough', preprocessing.KBinsDiscretizer(2, encode='ordinal').fit(X[:, :1]),
              preprocessing.LabelBinarizer().fit(['a', 'b', 'c']),
              preprocessing.LabelEncoder().fit(['a', 'b', 'c']), preprocessing.LabelBinarizer().fit([1, 2, 3])]
    for first in single:
        for second in single:
            case(f'{show(first)}, {show(second)} of one column', parts(('p', first, ['a']), ('q', second, ['a'])),
                 None)
            if first is not second and 'passthrough' not in (first, second):
                for given in (None, ('a',)):
                    line = pipeline.make_pipeline(first, second)
                    line.steps[0] = (line.steps[0][0], copy.copy(first))
                    if given and not isinstance(first, pipeline.Pipeline):
                        line.steps[0][1].feature_names_in_ = np.array(given, object)
                    case(f'{show(first)} then {show(second)} {given}', line, None)
    for columns in (['d', 'a'], ['a', 'b'], ['b', 'c'], [], ['a'], ['e'], ['x' * 1100], ['a\x00'], [1, 0], ['a', 'a']):
        for inner in (['a'], ['d'], ['b', 'a'], ['c'], ['x' * 1100], ['a\x00b'], [''], [0], [-1], slice('a', 'b')):
            inside = parts(('r', 'passthrough', inner))
            vars(inside).pop('n_features_in_')
            vars(inside).pop('_n_features')
            case(f'{show(inner)} of {show(columns)}', parts(('p', inside, columns)), None)
            case(f'{show(inner)} of {show(columns)}, without names', parts(('p', inside, columns), names=()), None,
                 n_features_in_=4, _n_features=4)
            line = pipeline.make_pipeline(parts(('p', 'passthrough', columns), ('q', scaler(1), ['b'])), inside)
            case(f'{show(inner)} behind {show(columns)}', line, None)
    case('names that are too long', parts(('p', 'passthrough', ['a']), names=('a', 'b' * 2000)), 'sklearn.column')
    case('a name of no length', parts(('p', 'passthrough', ['a']), names=('a', '')), 'sklearn.column')
    union = pipeline.FeatureUnion([(f'p{i}', preprocessing.StandardScaler()) for i in range(1100)])
    case('many that do not know', union, None)
    deep = preprocessing.StandardScaler()
    for _ in range(40):
        deep = pipeline.Pipeline([('a', deep)])
    case('levels', deep, 'limit.estimator-depth')
    weighed = parts(('p', 'passthrough', ['a']), ('q', texts, ['b']))
    for weights in ({'p': 2}, {'p': 'x'}, {'q': 0.5}, 3, {'z': 1}):
        case('weights', weighed, None, transformer_weights=weights)


def several():
    both = np.column_stack([Y, Y3])
    bayes = naive_bayes.GaussianNB()
    words = np.array(['a', 'b', 'c'])
    multi = multioutput.MultiOutputClassifier(bayes).fit(X, both)
    kinds = [np.array([0.5, 1.5, 2.5]), words, np.array([1, 2, 3]), np.array([True, False])]
    for first in kinds:
        for second in kinds:
            members = [naive_bayes.GaussianNB().fit(X, np.minimum(Y3, len(of) - 1)) for of in (first, second)]
            members[0].classes_, members[1].classes_ = first, second
            case(f'classes {first} and {second}', multi, None, estimators_=members, classes_=[first, second])
    rest = multiclass.OneVsRestClassifier(bayes).fit(X, Y3)
    two = multiclass.OneVsRestClassifier(bayes).fit(X, Y)
    logistic = linear_model.LogisticRegression().fit(X, Y)
    regression = linear_model.LinearRegression().fit(X, Y)
    members = [bayes.fit(X, Y), logistic, regression, naive_bayes.GaussianNB().fit(X, Y3),
               linear_model.LogisticRegression().fit(X, Y3), linear_model.Perceptron().fit(X, Y),
               linear_model.Perceptron().fit(X, Y3), multi, linear_model.LinearRegression().fit(X, X[:, :2]),
               preprocessing.StandardScaler().fit(X), 3,
               neighbors.KNeighborsClassifier().fit(X, Y), neighbors.NearestCentroid().fit(X, Y),
               neighbors.NearestCentroid().fit(X, Y3), discriminant_analysis.LinearDiscriminantAnalysis().fit(X, Y),
               multioutput.MultiOutputRegressor(regression).fit(X, X[:, :2]),
               linear_model.LinearRegression().fit(X, X[:, :1]), tree.DecisionTreeClassifier(max_depth=1).fit(X, both)]
    holders = [rest, two, multi, multioutput.MultiOutputRegressor(regression).fit(X, X[:, :2]),
               multioutput.RegressorChain(linear_model.LinearRegression()).fit(X, X[:, :2]),
               ensemble.BaggingClassifier(bayes, 2).fit(X, Y), ensemble.BaggingRegressor(regression, 2).fit(X, Y),
               ensemble.VotingClassifier([('a', bayes), ('b', logistic)]).fit(X, Y),
               ensemble.VotingClassifier([('a', bayes), ('b', logistic)], voting='soft').fit(X, Y),
               ensemble.VotingRegressor([('a', regression), ('b', regression)]).fit(X, Y),
               ensemble.AdaBoostClassifier(n_estimators=2).fit(X, Y), ensemble.AdaBoostRegressor(n_estimators=2).fit(X, Y),
               ensemble.StackingClassifier([('a', bayes), ('b', logistic)], cv=2).fit(X, Y),
               ensemble.StackingRegressor([('a', regression), ('b', regression)], cv=2).fit(X, Y)]
    for holder in holders:
        count = len(holder.estimators_)
        for first in members[:3] + members[-2:]:
            for second in members:
                given = [first, second] + [second] * (count - 2)
                case(f'{show(holder)} of {show(first)}, {show(second)}', holder, None, estimators_=given)
        for value in (GONE, 3, [], np.array([], object), np.zeros(3), [None] * count):
            case(f'{show(holder)}', holder, None, estimators_=value)
        for version in ('1.1.0', '1.4.0', '1.6.0', '1.9.0', 'x', GONE, 4):
            case(f'{show(holder)}', holder, None, version)
    target = compose.TransformedTargetRegressor(regression, transformer=preprocessing.StandardScaler()).fit(X, Y)
    for member in members:
        case(f'targets of {show(member)}', target, None, regressor_=member)
    for transformer in (preprocessing.StandardScaler(), preprocessing.MinMaxScaler(),
                        preprocessing.RobustScaler(), preprocessing.StandardScaler(with_std=False)):
        transformer.fit(X[:, :1])
        for key, value in (('scale_', GONE), ('n_features_in_', 3), ('with_mean', 'x'), ('with_std', 'x'),
                           ('with_centering', 3), ('mean_', np.zeros(2)), ('scale_', np.array([NAN]))):
            other = copy.copy(transformer)
            vars(other).pop(key, None)
            if value is not GONE:
                setattr(other, key, value)
            case(f'targets scaled {key}', target, None, transformer_=other)
    for dimensions in (1, 2, 3, 'x'):
        for member in (regression, members[8], members[16]):
            case('targets', target, None, _training_dim=dimensions, regressor_=member)
    case('no regressor', target, 'sklearn.state', regressor_=GONE)
    forest = ensemble.IsolationForest(n_estimators=2, max_samples=8).fit(X)
    for key in ('estimators_features_', 'estimators_', '_max_samples', 'max_samples_', 'offset_'):
        for value in (GONE, 3, [], 'x', [3, 3], np.zeros(2), [np.arange(4)], NAN, -1):
            for version in ('1.2.1', '1.4.0'):
                case('isolation', forest, None, version, **{key: value})


# ---- one attribute that is another

def each(fitted, versions=('1.2.1',), **states):
    """Each of the values of each attribute in turn."""
    for version in versions:
        for key, values in states.items():
            for value in values:
                case('changed', fitted, None, version, **{key: value})


def behind(fitted, **states):
    """The same as the second step of a pipeline, whose first one says how many columns there are."""
    for key, values in states.items():
        for value in values:
            second = copy.copy(fitted)
            vars(second).pop(key, None)
            if value is not GONE:
                setattr(second, key, value)
            case(f'{key} {show(value)} behind another', pipeline.Pipeline([('a', scaler(4)), ('b', second)]), None)


class Slice:
    """With as many arguments as are given."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return slice, self.arguments


def scalers():
    each(preprocessing.MaxAbsScaler().fit(X), ('1.2.1', '1.9.0'), clip=(True, False, 'x', None))
    each(preprocessing.MinMaxScaler().fit(X), clip=(True, 'x'), feature_range=(GONE, 3, (0,), (0, 'x'), [0, 1]))
    each(preprocessing.PolynomialFeatures(2).fit(X), degree=(GONE, [1, 2], [1], 'x', (0, 1), 3000))
    each(preprocessing.PolynomialFeatures(2).fit(X[:, :3]), n_features_in_=(3, 3000, -1), degree=((2, 3), [3, 3]))
    each(preprocessing.QuantileTransformer(n_quantiles=5).fit(X), quantiles_=(
        np.array([[-1e308] * 4, [1e308] * 4] * 2 + [[1e308] * 4]), np.array([[-1e308] * 4] + [[1e308] * 4] * 4)))
    each(preprocessing.PowerTransformer().fit(X), ('1.9.0', 'x', GONE), method=('yeo-johnson', 'box-cox', 'x'))
    each(preprocessing.KBinsDiscretizer(2).fit(X), ('0.24.2', 'x', GONE), n_bins=(2,))
    each(feature_selection.GenericUnivariateSelect(param=2, mode='k_best').fit(X, Y), param=(GONE, 2, 'x', 'all'),
         n_features_in_=(0, 4))
    percent = feature_selection.SelectPercentile(percentile=50).fit(X, Y)
    each(percent, percentile=(-1, 101, NAN, 50, 0, 100),
         scores_=(np.ones(4), np.array([1, 1, 2, NAN]), np.array([3, 2, 1, 1.]), np.zeros(0)))
    each(naive_bayes.BernoulliNB().fit(X, Y), binarize=(GONE, None, 0.5, 'x'))
    hot = preprocessing.OneHotEncoder(handle_unknown='ignore').fit(X[:4, :2].round())
    each(hot, ('1.2.1', '1.7.0', '1.8.0', 'x'), handle_unknown=('warn', 'x', 'ignore', 'error'))
    each(hot, _infrequent_enabled=('x', True, False), drop_idx_=(GONE, None, [0, 0], 3, np.array([0, None], object)),
         _drop_idx_after_grouping=(None, [0, 0], 3), n_features_in_=(0, -1))
    ordinal = preprocessing.OrdinalEncoder().fit(X[:4, :2].round())
    each(ordinal, dtype=(np.dtype('c16'), np.dtype('u1'), np.dtype('O'), np.int8, np.float16, 3),
         encoded_missing_value=(-1e300, 300, NAN), unknown_value=(-1e300, 300, NAN, -200))
    narrow = preprocessing.OrdinalEncoder(handle_unknown='use_encoded_value', unknown_value=-1).fit(X[:4, :2].round())
    for kind in (np.int8, np.uint8, np.int16, np.int64):
        each(narrow, dtype=(kind,), unknown_value=(-1e300, 300, NAN, -200, -1))
        case('a kind', narrow, None, dtype=kind, unknown_value=-200)
    for changes in ({}, {'target_type_': 'x'}, {'target_type_': 'continuous'}, {'encodings_': 3}, {'encodings_': []},
                    {'encodings_': [3]}, {'encodings_': None}):
        try:
            each(odd.test_sklearn_prep.target_encoder(**changes), ('1.3.0', '1.6.0', 'x'), encodings_=(GONE, 3))
            case('target encoder', odd.test_sklearn_prep.target_encoder(**changes), None, '1.4.0')
        except (TypeError, KeyError, AttributeError):
            pass


def imputers():
    holes = np.where(RANDOM.rand(60, 4) < 0.2, NAN, X)
    indicator = impute.MissingIndicator().fit(holes)
    each(indicator, missing_values=(slice(1, 2), 'x', GONE, None, 1.5, NAN), features=('x', 'all'),
         error_on_new=('x', False), features_=(GONE, 3, [], np.array([0]), np.arange(4), [9]))
    each(impute.MissingIndicator(features='all').fit(X), features_=(np.arange(4),), error_on_new=(False,))
    words = impute.MissingIndicator(missing_values='a', features='all').fit(np.array([['a'], ['b']], object))
    each(words, missing_values=('a', NAN), features=('missing-only',), features_=([], [0]))
    filling = impute.SimpleImputer().fit(holes)
    each(filling, missing_values=(GONE, None, 'x', 1j, 3), statistics_=(
        np.arange(4, dtype='u8'), np.array([b'a'] * 4), np.array([None, 1, 2.5, True], object), np.array(['a'] * 4),
        np.array([1, 'a', None, 2], object), np.array([1j] * 4), np.full(4, 1e300), np.full(4, -1e300), np.full(4, NAN)))
    for kind in ('i8', 'u8', 'f4', 'f2', '?', 'O', 'c16', 'U1'):
        for number in (1e300, -1e300, 1.5, NAN):
            case('a kind', filling, None, _fit_dtype=np.dtype(kind), statistics_=np.full(4, number))
            for version in ('1.2.1', '1.9.0', 'x'):
                constant = copy.copy(filling)
                constant.strategy, constant.fill_value = 'constant', number
                case('a kind', constant, None, version, _fit_dtype=np.dtype(kind), statistics_=np.full(4, number))


def linears():

    logistic = linear_model.LogisticRegression().fit(X, Y3)
    versions = (GONE, 3, '', '1', '1.', '1x', '1.x', '12345.7', '1.12345', '.5', '1.5.0', '1.6.0', '1.7.0', '1.8.0',
                '1.9.0', '1.:', '1:2', '1/2')
    for fitted in (logistic, linear_model.LogisticRegression().fit(X, Y)):
        for solver in ('lbfgs', 'newton-cholesky', 'newton-cg', 'liblinear'):
            for choice in ('auto', 'deprecated', 'warn', 'ovr', 'multinomial', 'x', GONE):
                for version in versions if choice == 'auto' else ('1.5.0', '1.7.0'):
                    case('logistic', fitted, None, version, solver=solver, multi_class=choice)
    for fitted in (linear_model.SGDClassifier(loss='modified_huber').fit(X, Y3), linear_model.Perceptron().fit(X, Y),
                   linear_model.RidgeClassifier().fit(X, Y3), tree.DecisionTreeClassifier(max_depth=1).fit(X, Y),
                   preprocessing.StandardScaler().fit(X), preprocessing.KBinsDiscretizer(2).fit(X)):
        for version in versions:
            case('versions', fitted, None, version)
    sparse = scipy.sparse.csr_array(np.diag(np.ones(4))[:3])
    for key in ('indices', 'indptr', 'data', '_shape', GONE):
        for values in (sparse, scipy.sparse.csr_matrix(sparse)):
            other = copy.copy(values)
            vars(other).pop(key, None)
            case(f'sparse without {key}', logistic, None, coef_=other)
    machine = svm.SVC(probability=True).fit(X, Y3)
    each(machine, ('1.2.1', '1.9.0'), probability=('deprecated', False, True, 'x'), _gamma=(INF, 1e300, -INF, NAN),
         coef0=(INF, -INF), _probA=(np.zeros((1, 3)), np.zeros(2), GONE), _probB=(np.zeros((3, 1)), 3),
         support_vectors_=(np.zeros((2, 4)), np.zeros(4), np.zeros((0, 4))))
    network = neural_network.MLPClassifier((2,), max_iter=2).fit(X, Y3)
    each(network, coefs_=([np.zeros((4, 0)), np.zeros((0, 3))], [np.zeros(4)], []),
         intercepts_=([np.zeros(0), np.zeros(3)], [np.zeros((1, 2)), np.zeros(3)]))
    for mean in (True, False):
        principal = decomposition.PCA(2, whiten=mean).fit(X)
        each(principal, ('1.2.1', '1.5.0', 'x'), mean_=(GONE, np.zeros(3)), components_=(np.zeros(4), np.zeros((0, 4))),
             explained_variance_=(np.zeros(2), np.ones(2, 'f4'), np.array([1, NAN])))
    each(cluster.KMeans(2, n_init=1).fit(X), cluster_centers_=(np.zeros((0, 4)), np.zeros(4), np.zeros((2, 3))))


def boosted():
    for target in (Y, Y3):
        for init in (None, 'zero', dummy.DummyClassifier(strategy='prior'), naive_bayes.GaussianNB(),
                     linear_model.LogisticRegression()):
            fitted = ensemble.GradientBoostingClassifier(n_estimators=1, max_depth=1, init=init).fit(X, target)
            for version in ('0.24.2', '1.1.0', '1.3.0', '1.4.0', '1.5.0', '1.8.0', '1.9.0', 'x', GONE, 3):
                case('boosting', fitted, None, version)
    guess = ensemble.GradientBoostingRegressor(n_estimators=1, max_depth=1).fit(X, Y)
    for value in (GONE, 3, 'x', np.zeros((1, 1)), NAN):
        init = copy.copy(guess.init_)
        vars(init).pop('constant_', None)
        if value is not GONE:
            init.constant_ = value
        case(f'a first guess of {value}', guess, None, init_=init)
    one = ensemble.GradientBoostingClassifier(n_estimators=1, max_depth=1, loss='exponential').fit(X, Y)
    for version in ('1.1.0', '1.4.0', GONE):
        case('boosting', one, None, version)


def holders():
    scaled = preprocessing.StandardScaler().fit(X)
    frozen = odd.class_of('sklearn.frozen._frozen', 'FrozenEstimator')
    for inside in (scaled, linear_model.LinearRegression().fit(X, Y), GONE, 3):
        made = object.__new__(frozen)
        made.__dict__ = {} if inside is GONE else {'estimator': inside}
        case('frozen', made, None, '1.6.0')
        case('frozen', pipeline.Pipeline([('a', made)]), None, '1.6.0')
        for kind in (model_selection.GridSearchCV(linear_model.Ridge(), {}, cv=2).fit(X, Y),):
            case('a search', kind, None, best_estimator_=inside)
            case('a search in a pipeline', pipeline.Pipeline([('b', scaled), ('a', kind)]), None)
    search = model_selection.GridSearchCV(linear_model.Ridge(), {'alpha': [1]}, cv=2).fit(X, Y)
    lost = copy.copy(search)
    vars(lost).pop('best_estimator_')
    passing = pipeline.Pipeline([('a', 'passthrough')])
    empty = pipeline.Pipeline([('a', scaled)])
    empty.steps = []
    voting = ensemble.VotingRegressor([('a', search), ('b', search)]).fit(X, Y)
    for members in ([lost, lost], [passing, passing], [empty, empty], [search, search],
                    [pipeline.Pipeline([('a', scaled), ('b', 'passthrough')])] * 2):
        case(f'a vote of {show(members)}', voting, None, estimators_=members)
    each(voting, estimators=(GONE, 3, [('a', search)], [['a', search], ['b', search]], [3, 3], [('a',), ('b',)]),
         weights=([1e301, 1], [-1, 1], [0, 0], [1], [NAN, 1], 3, [1, 2]), estimators_=(GONE, 3))
    case('nothing in it', empty, None, n_features_in_=4)
    case('an estimator', pipeline.Pipeline([('a', passing), ('b', scaled)]), None)
    bagged = ensemble.BaggingClassifier(naive_bayes.GaussianNB(), 2).fit(X, Y3)
    for fitted in (naive_bayes.GaussianNB().fit(X, Y), linear_model.Perceptron().fit(X, Y),
                   linear_model.LogisticRegression().fit(X, Y)):
        for labels in ([0, 2], [0.0, 2.0], [0.5, 1.5], [True, False], [False, True], [0, 7], ['a', 'b'], [2, 0]):
            member = copy.copy(fitted)
            member.classes_ = np.array(labels)
            case(f'a member of {labels}', bagged, None, estimators_=[member, member])
            case(f'a member of {labels}', bagged, None, estimators_=[bagged.estimators_[0], member])
    boxes = np.empty((2, 2), object, order='F')
    boxes[:] = [[bagged.estimators_[0]] * 2] * 2
    case('members in two columns', bagged, None, estimators_=boxes,
         estimators_features_=[np.arange(4)] * 4, n_estimators=4)
    for several_of in (voting, bagged, ensemble.VotingClassifier([('a', naive_bayes.GaussianNB())]).fit(X, Y),
                       ensemble.StackingClassifier([('a', naive_bayes.GaussianNB())], cv=2).fit(X, Y),
                       ensemble.StackingRegressor([('a', linear_model.Ridge())], cv=2).fit(X, Y),
                       ensemble.RandomForestClassifier(1, max_depth=1).fit(X, Y)):
        behind(several_of, estimators_=(GONE, 3, [], boxes), estimators=(GONE, 3, [['a', search], ['b', search]], []))
    target = compose.TransformedTargetRegressor(linear_model.Ridge(), transformer=preprocessing.StandardScaler())
    behind(target.fit(X, Y), regressor_=(GONE, 3, scaled, bagged), transformer_=(GONE, 3, scaled), _training_dim=(2, 1))
    lost_scale = preprocessing.StandardScaler().fit(X[:, :1])
    for key in ('scale_', 'mean_', 'with_std', 'with_mean', 'n_features_in_'):
        changed = copy.copy(lost_scale)
        vars(changed).pop(key)
        behind(target, transformer_=[changed])
    for kind in (preprocessing.PowerTransformer(), preprocessing.QuantileTransformer(n_quantiles=3),
                 preprocessing.MinMaxScaler(), preprocessing.FunctionTransformer(np.log1p, inverse_func=np.expm1)):
        inverse = compose.TransformedTargetRegressor(linear_model.Ridge(), transformer=kind).fit(X, Y)
        for key in ('inverse_func', 'lambdas_', 'quantiles_', 'scale_', 'min_', 'func', 'kw_args', 'inv_kw_args'):
            changed = copy.copy(inverse.transformer_)
            vars(changed).pop(key, None)
            behind(inverse, transformer_=[changed])
    behind(search, best_estimator_=(GONE, 3, scaled))
    behind(multiclass.OneVsRestClassifier(naive_bayes.GaussianNB()).fit(X, Y3), estimators_=(GONE, 3, []),
           label_binarizer_=(GONE, 3, scaled, preprocessing.LabelBinarizer()))
    behind(chooser(linear_model.Ridge()), estimator_=(GONE, 3), estimator=(GONE, 3))
    nameless = chooser(linear_model.Ridge())
    vars(nameless).pop('estimator')
    behind(nameless, estimator_=(GONE, 3))
    union = pipeline.FeatureUnion([('a', preprocessing.StandardScaler()), ('b', preprocessing.MinMaxScaler())]).fit(X)
    each(union, transformer_weights=({'a': 2}, {'a': 'x'}, 3), transformer_list=(GONE, [], 3, [('a', 'drop')]))
    case('two columns of nothing', pipeline.make_pipeline(
        parts(('p', 'drop', ['a'])), preprocessing.StandardScaler().fit(X)), None)
    for second in (preprocessing.OneHotEncoder(), preprocessing.LabelBinarizer(), preprocessing.LabelEncoder(),
                   preprocessing.KBinsDiscretizer(), union, scaled, preprocessing.FunctionTransformer(),
                   parts(('q', 'passthrough', []), names=()), feature_selection.SelectKBest()):
        second = copy.copy(second)
        vars(second).pop('n_features_in_', None)
        second.categories_ = []
        second.classes_ = np.arange(3)
        second.scores_ = np.zeros(0)
        case(f'nothing for {show(second)}', pipeline.make_pipeline(parts(('p', 'drop', ['a'])), second), None)
        case(f'nothing for {show(second)}', parts(('p', pipeline.make_pipeline(
            parts(('p', 'drop', ['a'])), second), ['a'])), None, transformer_weights={'p': 2})


def bare():
    scaled = preprocessing.StandardScaler().fit(X)
    plain = dict(vars(scaled), _sklearn_version='1.2.1')
    for state in (None, 3, [1], {}, (None, None), {**plain, 1: 2}, {**plain, '': 2}, {**plain, 'heard': 2},
                  {**plain, **{f'_{i}': i for i in range(6000)}}):
        CASES.append((f'bare {show(state)}', written(scaled, bare={id(scaled): state}), None, ()))
        line = pipeline.Pipeline([('a', preprocessing.MinMaxScaler().fit(X)), ('b', scaled)])
        CASES.append((f'bare {show(state)}', written(line, bare={id(scaled): state}), None, ()))
    deep = preprocessing.StandardScaler().fit(X)
    deep.scale_ = 'x' * 100
    for length in (3, 40, 60):
        made = deep
        for _ in range(25):
            made = pipeline.Pipeline([('n' * length, made)])
        case('deep inside', made, None)
    chosen = parts(('a', 'passthrough', [0]), ('b', scaler(2), ['a', 'b']))
    for columns in (['a'], np.array(['a']), np.array([b'a']), np.array(['a', 0], object), np.array([0]), [0], 'a', 0,
                    np.array([], object), [], slice('a', 'b'), slice(0, 1), Slice(1), Slice(None, 2), Slice(0, 1, 2),
                    Slice(0, 1, 2 ** 40), Slice(0, 4, 'x'), Slice('a', 'c', 2), Slice(0, 4, -1), -9, [-9], (), ('a',),
                    np.array([[0]]), np.array([True, False, False, False])):
        for known in (GONE, {'a': [0]}, {'a': [0, 1]}, {'a': []}, {'b': [0, 1]}, 3, {'a': 'x'}):
            case('columns', chosen, None, transformers_=[('a', 'passthrough', columns)],
                 _transformer_to_input_indices=known)
    listed = object.__new__(odd.class_of('sklearn.compose._column_transformer', '_RemainderColsList'))
    for data in (['a'], [0], [1], []):
        listed.__dict__ = {'data': data}
        case(f'columns listed {data}', chosen, None, transformers_=[('a', 'passthrough', listed)],
             _transformer_to_input_indices={'a': [0]})
    stump = tree.DecisionTreeRegressor(max_depth=1).fit(X, Y)

    def widened(arguments, state):
        state['nodes'] = state['nodes'].copy()
        state['nodes']['feature'][0] = 69000
        return (70000, *arguments[1:]), state
    stump.n_features_in_ = 70000
    CASES.append(('a wide tree', tree_layouts.dumps(stump, widened), '-', ('columns=100000',)))
    CASES.append(('a wide tree', tree_layouts.dumps(stump, widened), 'limit.columns', ()))


def fortran():
    boosted = ensemble.GradientBoostingClassifier(n_estimators=2, max_depth=1).fit(X, Y3)
    case('trees in columns', boosted, '-', estimators_=np.asfortranarray(boosted.estimators_))
    single = linear_model.LinearRegression().fit(X, Y)
    case('dimensions', single, 'sklearn.shape', coef_=np.zeros((1,) * 12))
    case('dimensions', single, None, coef_=np.asfortranarray(np.ones((2, 4))), intercept_=np.zeros(2))
    for key in ('coef_', 'intercept_'):
        for value in (bytearray(b'x'), frozenset((1,)), {1}, 2 ** 90, np.random.RandomState(0), odd.class_of(
                'sklearn.linear_model._base', 'Unheard'), np.dtype('f4'), slice(1, 2), float):
            case('what it is', single, None, **{key: value})
            case('what it is', single, None, fit_intercept=value)


def limited():
    data = written(pipeline.make_pipeline(scaler(4), linear_model.LogisticRegression()).fit(X, Y3))
    scaled = written(scaler(4))
    columns = parts(('p', scaler(2), ['a', 'b']), ('q', scaler(2), ['c', 'd']), ('r', scaler(1), ['a']))
    wide = written(columns)
    forest = written(ensemble.RandomForestClassifier(2, max_depth=1).fit(X, Y3))
    for limit, sizes in (('nodes', range(0, 14, 2)), ('values', range(0, 14, 2)), ('tensors', range(0, 12, 2)),
                         ('attributes', range(0, 8)), ('columns', range(0, 7)), ('name_bytes', range(1, 12, 3)),
                         ('estimator_depth', range(0, 3)), ('metadata_entries', (1, 3, 9)),
                         ('heap_bytes', (100, 1000, 2000, 3000, 4000, 5000, 7000, 9000, 20000, 40000))):
        for size in sizes:
            for name, made in (('a pipeline', data), ('a scaler', scaled), ('columns', wide), ('a forest', forest)):
                case(f'{name} within {limit} {size}', made, None, limits=[f'{limit}={size}'])
    case('too many columns', wide, 'limit.columns', limits=['columns=4'])


def old_and_new():
    """Estimators of each kind as other versions write them."""
    seen = set()
    for estimator in odd.estimators():
        key = type(estimator).__name__, repr(estimator)
        if key in seen or len(pickle.dumps(estimator, 4)) > 20000:
            continue
        seen.add(key)
        for version in ('0.24.2', '1.0', '1.4.2', '1.6.1', '1.8.0', '1.9.1', 'x'):
            try:
                case('of a version', written(estimator, version), None)
            except Exception:  # Python itself cannot write it
                pass


def run(limits, cases):
    with tempfile.TemporaryFile() as given:
        for _, data, _, _ in cases:
            given.write(struct.pack('<I', len(data)) + data)
        given.seek(0)
        done = subprocess.run([starved.TOOL, *limits, '-'], stdin=given, stdout=subprocess.PIPE, check=False,
                              text=True)
    lines = done.stdout.splitlines()
    found = [line for line in lines if line.startswith('-:')]
    rules = [line for line in lines if not line.startswith('-:')]
    wrong = [f'{limits}: {line}' for line in found]
    if done.returncode or len(rules) != len(cases):
        wrong.append(f'{limits}: exit {done.returncode}, {len(rules)} of {len(cases)} answers')
    for (name, _, rule, _), got in zip(cases, rules):
        fits = got == rule if rule else got == '-' or got.startswith(odd.REFUSE)
        if not fits:
            wrong.append(f'{name}: {got}, not {rule or "a model or a refusal"}')
    return wrong, rules


def made():
    for make in (discriminants, options, classes, choosers, trees_chosen, trees, histograms, tables, several,
                 scalers, imputers, linears, boosted, holders, bare, fortran, limited, old_and_new):
        make()


def main():
    warnings.simplefilter('ignore')
    np.seterr(all='ignore')
    for make in (discriminants, options, classes, choosers, trees_chosen, trees, histograms, tables, several,
                 scalers, imputers, linears, boosted, holders, bare, fortran, limited, old_and_new):
        make()
    wrong, models = [], 0
    for limits in sorted({row[3] for row in CASES}):
        cases = [row for row in CASES if row[3] == limits]
        complaints, rules = run(limits, cases)
        wrong += complaints
        models += rules.count('-')
        if not limits:
            for (name, data, _, _), rule in zip(cases, rules):
                if rule == '-':
                    starved.keep(data, name)
    starved.keep(gzip.compress(written(linear_model.LinearRegression().fit(X, Y))), 'compressed')
    wrong += starved.check()
    print('\n'.join(wrong[:200]))
    print(f'{len(CASES)} states, {models} models')
    return 1 if wrong or models < 300 else 0


if __name__ == '__main__':
    sys.exit(main())
