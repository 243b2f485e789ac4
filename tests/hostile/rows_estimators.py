"""Estimators whose state is hostile: graphs that are no trees, arrays that do not fit each
other, numbers that nothing can be divided by."""
import pickle
import warnings

import numpy
import pandas
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (AdaBoostClassifier, BaggingClassifier, GradientBoostingClassifier,
                              HistGradientBoostingRegressor, IsolationForest, RandomForestClassifier,
                              VotingClassifier)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (FunctionTransformer, LabelEncoder, MinMaxScaler, OneHotEncoder,
                                   OrdinalEncoder, RobustScaler, StandardScaler)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from altered import element, node, place, predictors, set_state, tree_state, with_trees, without
from assembler import code, number
from cases import ANYWHERE, NOWHERE, Table

RANDOM = numpy.random.RandomState(0)
X = RANDOM.rand(60, 3)
Y = (X[:, 0] * 3).astype(int)
CODES = numpy.array([['a', 'x'], ['b', 'y'], ['c', 'x']] * 4, dtype=object)
NAN, INFINITY = float('nan'), float('inf')


def fitted(estimator, x=X, y=Y):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return estimator.fit(x, y)


class States(Table):
    """Rows of estimators; where = (text, opcode) says where what is refused lies."""

    def state(self, name, rule, data, where=None):
        if rule is None:
            offset = NOWHERE
        else:
            offset = ANYWHERE if where is None else place(data, *where)
        self.file(name, rule, offset, data)


def trees():
    rows = States('trees')
    tree = fitted(DecisionTreeClassifier(max_depth=3, random_state=0))
    count = tree.tree_.node_count
    leaf = int(numpy.nonzero(tree.tree_.children_left < 0)[0][0])
    where = ('node_count', 'REDUCE', True)  # it makes the tree

    def change(name, rule, made):
        rows.state(name, rule, with_trees(tree, made), where)
    for name, field, value, index in [
            ('its own left child', 'left_child', 0, 0), ('its own right child', 'right_child', 0, 0),
            ('a circle', 'left_child', 0, 1), ('a shared child', 'right_child', 1, 0),
            ('child beyond the end', 'left_child', count, 0), ('child 10^9', 'right_child', 10**9, 0),
            ('child 2^62', 'right_child', 2**62, 0), ('child 2^32', 'left_child', 2**32 + 1, 0),
            ('child -2', 'left_child', -2, 0), ('child -2^63', 'left_child', -2**63, 0), ('half a leaf',
                'left_child', -1, 0),
            ('leaf with one child', 'right_child', 1, leaf), ('feature 10^9', 'feature', 10**9, 0),
            ('feature beyond the last', 'feature', 3, 0), ('feature -2 of a split', 'feature', -2, 0),
            ('feature 2^32', 'feature', 2**32, 0), ('threshold NaN', 'threshold', NAN, 0)]:
        change(name, 'sklearn.value', node(field, value, index))
    change('state of 100 entries', 'sklearn.state', lambda arguments, state: (
        arguments, {**state, **{f'x{i}': 0 for i in range(100)}}))
    for name, made in [
            ('node_count 10^9', tree_state('node_count', lambda n: 10**9)), ('node_count 0',
                tree_state('node_count', lambda n: 0)),
            ('node_count -1', tree_state('node_count', lambda n: -1)), ('node_count None',
                tree_state('node_count', lambda n: None)),
            ('a node more', tree_state('nodes', lambda n: numpy.concatenate([n, n[:1]]))),
            ('no nodes', tree_state('nodes', lambda n: n[:0])), ('values of one node', tree_state('values',
                lambda v: v[:1])),
            ('values of one dimension', tree_state('values', lambda v: v.ravel())),
            ('features 10^9', lambda a, s: ((10**9, *a[1:]), s))]:
        change(name, 'sklearn.shape', made)
    for name, made in [
            ('outputs 2^31', lambda a, s: ((*a[:2], 2**31), s)), ('outputs 0', lambda a, s: ((*a[:2], 0), s)),
            ('features -1', lambda a, s: ((-1, *a[1:]), s)),
            ('nodes of numbers', tree_state('nodes', lambda n: numpy.zeros(count))),
            ('values of float32', tree_state('values', lambda v: v.astype('f4'))),
            ('nodes without thresholds', tree_state('nodes',
                lambda n: numpy.ascontiguousarray(n[['left_child', 'right_child', 'feature']].astype(
                [('left_child', 'i8'), ('right_child', 'i8'), ('feature', 'i8')])))),
            ('nodes of one more field', tree_state('nodes', lambda n: numpy.zeros(count,
                n.dtype.descr + [('rebound', 'i8')])))]:
        change(name, 'sklearn.state', made)
    change('leaves that are NaN', 'sklearn.value', tree_state('values', lambda v: v * NAN))
    change('leaves that are infinite', 'sklearn.value', tree_state('values', lambda v: v + INFINITY))
    rows.state('all of a forest', 'sklearn.value', with_trees(fitted(RandomForestClassifier(3, max_depth=2,
        random_state=0)),
                                                             node('left_child', 0)))
    deep = chain(30000)
    rows.state('30000 nodes deep', None, with_trees(tree, deep))
    change('30000 nodes deep, and back', 'sklearn.value', lambda a, s: back_at_end(*deep(a, s)))
    rows.state('a tree', None, pickle.dumps(tree))
    return rows


def chain(count):
    """A tree that has a leaf on the left of each node."""
    def change(arguments, state):
        size = 2 * count + 1
        nodes = numpy.zeros(size, state['nodes'].dtype)
        split = numpy.arange(0, size - 1, 2)
        for field in 'left_child', 'right_child':
            nodes[field] = -1
        nodes['feature'] = -2
        nodes['left_child'][split], nodes['right_child'][split], nodes['feature'][split] = split + 1, split + 2, 0
        values = numpy.ones((size, *state['values'].shape[1:]))
        return arguments, {**state, 'nodes': nodes, 'values': values, 'node_count': size, 'max_depth': count}
    return change


def back_at_end(arguments, state):
    state['nodes']['right_child'][-3] = 0
    return arguments, state


def ensembles():
    rows = States('ensembles')
    forest = fitted(RandomForestClassifier(2, max_depth=2, random_state=0))
    boosting = fitted(GradientBoostingClassifier(n_estimators=2, max_depth=2, random_state=0))
    histogram = fitted(HistGradientBoostingRegressor(max_iter=2, min_samples_leaf=5))
    isolation = fitted(IsolationForest(n_estimators=2, max_samples=8, random_state=0))
    ada = fitted(AdaBoostClassifier(n_estimators=2, random_state=0))
    bagging = fitted(BaggingClassifier(n_estimators=2, random_state=0))
    voting = fitted(VotingClassifier([('a', GaussianNB()), ('b', LogisticRegression())]))
    for name, rule, data in [
            ('forest of none', 'sklearn.state', set_state(forest, 'estimators_', [])),
            ('forest of numbers', 'sklearn.state', set_state(forest, 'estimators_', [1, 2])),
            ('forest that holds itself', 'sklearn.state', itself(forest, 'estimators_', lambda e: [e])),
            ('forest of other classes', 'sklearn.shape', set_state(forest, 'classes_', numpy.arange(9))),
            ('forest of classes that repeat', 'sklearn.value', set_state(forest, 'classes_', numpy.zeros(3,
                'i8'))),
            ('boosting of one column', 'sklearn.shape', set_state(boosting, 'estimators_', lambda e: e[:, :1])),
            ('boosting without a beginning', 'sklearn.state', without(boosting, 'init_')),
            ('boosting of rate NaN', 'sklearn.value', set_state(boosting, 'learning_rate', NAN)),
            ('histogram child', 'sklearn.value', set_state(histogram, '_predictors', predictors('left', 0))),
            ('histogram child 10^9', 'sklearn.value', set_state(histogram, '_predictors',
                predictors('right', 10**9))),
            ('histogram feature', 'sklearn.value', set_state(histogram, '_predictors',
                predictors('feature_idx', 10**9))),
            ('histogram set', 'sklearn.value', set_state(histogram, '_predictors',
                predictors('is_categorical', 1))),
            ('histogram leaf that is none', 'sklearn.value', set_state(histogram, '_predictors',
                predictors('is_leaf', 1))),
            ('histogram threshold NaN', 'sklearn.value', set_state(histogram, '_predictors',
                predictors('num_threshold', NAN))),
            ('histogram of two columns', 'sklearn.shape', set_state(histogram, '_baseline_prediction',
                numpy.zeros((1, 2)))),
            ('isolation features', 'sklearn.value', set_state(isolation, 'estimators_features_',
                [numpy.array([0, 1, 99])] * 2)),
            ('isolation offset', None, set_state(isolation, 'offset_', NAN)),
            ('boosted weights', 'sklearn.shape', set_state(ada, 'estimator_weights_', numpy.ones(1))),
            ('boosted weight NaN', 'sklearn.value', set_state(ada, 'estimator_weights_', element(0, NAN))),
            ('bagging features', 'sklearn.value', set_state(bagging, 'estimators_features_',
                [numpy.array([0, 1, 10**9])] * 2)),
            ('bagging of fewer features', 'sklearn.shape', set_state(bagging, 'estimators_features_',
                lambda f: f[:1])),
            ('voting weights', 'sklearn.shape', set_state(voting, 'weights', [1.0])),
            ('voting weights of zero', 'sklearn.option', set_state(voting, 'weights', [0.0, 0.0])),
            ('voting that holds itself', 'limit.estimator-depth', itself(voting, 'estimators_',
                lambda e: [e, e])),
            ('forest', None, pickle.dumps(forest)), ('boosting', None, pickle.dumps(boosting)),
            ('histogram', None, pickle.dumps(histogram)), ('isolation', None, pickle.dumps(isolation)),
            ('boosted', None, pickle.dumps(ada)), ('bagging', None, pickle.dumps(bagging)),
            ('voting', None, pickle.dumps(voting))]:
        rows.state(name, rule, data)
    return rows


def itself(estimator, name, make):
    """An estimator that holds itself."""
    changed = pickle.loads(pickle.dumps(estimator))
    changed.__dict__[name] = make(changed)
    return pickle.dumps(changed, 4)


def linear():
    rows = States('linear')
    logistic = fitted(LogisticRegression())
    machine = fitted(SVC(probability=True, random_state=0))
    network = fitted(MLPClassifier((4,), max_iter=5, random_state=0))
    bayes = fitted(GaussianNB())
    line = fitted(LinearRegression())
    for name, rule, data, where in [
            ('coef of fewer columns', 'sklearn.shape', set_state(logistic, 'coef_', lambda c: c[:, :2]),
                ('coef_', 'REDUCE')),
            ('coef of more classes', 'sklearn.shape', set_state(logistic, 'coef_', lambda c: numpy.ones((5,
                3))), None),
            ('coef of texts', 'sklearn.state', set_state(logistic, 'coef_', numpy.array([['a']])), None),
            ('coef that is a number', 'sklearn.shape', set_state(logistic, 'coef_', 1.0), None),
            ('coef NaN', 'sklearn.value', set_state(logistic, 'coef_', element((0, 0), NAN)), None),
            ('coef infinite', 'sklearn.value', set_state(line, 'coef_', element(0, INFINITY)), None),
            ('intercepts', 'sklearn.shape', set_state(logistic, 'intercept_', numpy.zeros(2)), None),
            ('fewer classes', 'sklearn.shape', set_state(logistic, 'classes_', numpy.arange(2)), None),
            ('no classes', 'sklearn.value', set_state(logistic, 'classes_', numpy.arange(0)), None),
            ('classes of two kinds', 'sklearn.value', set_state(logistic, 'classes_', numpy.array([1, 'a',
                None], object)), None),
            ('features -1', 'sklearn.state', set_state(logistic, 'n_features_in_', -1), None),
            ('features 2^40', 'limit.columns', set_state(logistic, 'n_features_in_', 2**40), None),
            ('features that are not', 'sklearn.shape', set_state(logistic, 'n_features_in_', 2), None),
            ('not fitted', 'sklearn.state', pickle.dumps(LogisticRegression()), None),
            ('an option of tomorrow', 'sklearn.option', set_state(logistic, 'quantum', 1), None),
            ('an option that is none', 'sklearn.option', set_state(logistic, 'multi_class', 'exec'), None),
            ('support 10^9', 'sklearn.value', set_state(machine, '_n_support', element(0, 10**9)), None),
            ('support negative', 'sklearn.value', set_state(machine, '_n_support', element(0, -1)), None),
            ('support of two classes', 'sklearn.shape', set_state(machine, '_n_support', lambda n: n[:2]),
                None),
            ('dual of one row', 'sklearn.shape', set_state(machine, '_dual_coef_', lambda d: d[:1]), None),
            ('vectors of one column', 'sklearn.shape', set_state(machine, 'support_vectors_', lambda v: v[:,
                :1]), None),
            ('intercepts of a machine', 'sklearn.shape', set_state(machine, '_intercept_', numpy.zeros(1)),
                None),
            ('probabilities of a machine', 'sklearn.shape', set_state(machine, '_probA', numpy.zeros(7)), None),
            ('gamma NaN', 'sklearn.value', set_state(machine, '_gamma', NAN), None),
            ('degree 10^9', 'sklearn.value', set_state(fitted(SVC(kernel='poly')), 'degree', -3), None),
            ('kernel that is a name', 'sklearn.option', set_state(machine, 'kernel', lambda k: numpy.mean),
                None),
            ('layers that do not meet', 'sklearn.shape', set_state(network, 'coefs_', lambda c: [c[0],
                c[1].T]), None),
            ('a layer less', 'sklearn.shape', set_state(network, 'coefs_', lambda c: c[:1]), None),
            ('intercepts of another layer', 'sklearn.shape', set_state(network, 'intercepts_',
                lambda c: c[::-1]), None),
            ('layers 10^9', 'sklearn.shape', set_state(network, 'n_layers_', 10**9), None),
            ('weights NaN', 'sklearn.value', set_state(network, 'coefs_.0', element((0, 0), NAN)), None),
            ('activation that is none', 'sklearn.option', set_state(network, 'activation', 'eval'), None),
            ('variance zero', 'sklearn.value', set_state(bayes, 'var_', element((0, 0), 0.0)), None),
            ('variance negative', 'sklearn.value', set_state(bayes, 'var_', element((0, 0), -1.0)), None),
            ('priors of two', 'sklearn.shape', set_state(bayes, 'class_prior_', numpy.ones(2) / 2), None),
            ('logistic', None, pickle.dumps(logistic), None), ('machine', None, pickle.dumps(machine), None),
            ('network', None, pickle.dumps(network), None), ('bayes', None, pickle.dumps(bayes), None)]:
        rows.state(name, rule, data, where)
    return rows


def preparing():
    rows = States('preparing')
    scaler, minmax, robust = fitted(StandardScaler()), fitted(MinMaxScaler()), fitted(RobustScaler())
    imputer, pca, best = fitted(SimpleImputer()), fitted(PCA(2)), fitted(SelectKBest(k=2))
    one_hot, ordinal = fitted(OneHotEncoder(), CODES), fitted(OrdinalEncoder(), CODES)
    columns = fitted(ColumnTransformer([('a', StandardScaler(), [0]), ('b', 'passthrough', [1, 2])]))
    pipe = fitted(make_pipeline(StandardScaler(), LogisticRegression()))
    nameless = pickle.loads(without(columns, '_transformer_to_input_indices'))
    missing = fitted(OrdinalEncoder(), numpy.array([[1, 5], [2, 6], [NAN, NAN]]), None)
    written = pickle.dumps(missing, 3)  # without frames
    both = code(number(0), number(2), number(1), number(2), 'SETITEMS')  # {0: 2, 1: 2}
    assert written.count(both) == 1
    latest = code(number(0), number(2), number(0), number(0), 'SETITEMS')
    earlier = code(number(0), number(0), number(0), number(2), 'SETITEMS')
    truth = code('NEWFALSE', number(0), number(1), number(2), 'SETITEMS')
    for name, rule, data in [
            ('missing index twice', 'sklearn.value', written.replace(both, latest)),
            ('missing index twice, the latest right', None, written.replace(both, earlier)),
            ('missing index of False', 'sklearn.state', written.replace(both, truth)),
            ('missing indices of more columns', 'sklearn.state',
             set_state(missing, '_missing_indices', {0: 2, 1: 2, 2: 2})),
            ('missing indices in a list', 'sklearn.state', set_state(missing, '_missing_indices', [2, 2])),
            ('scale zero', 'sklearn.value', set_state(scaler, 'scale_', element(1, 0.0))),
            ('scale NaN', None, set_state(scaler, 'scale_', element(1, NAN))),
            ('scale of two columns', 'sklearn.shape', set_state(scaler, 'scale_', numpy.ones(2))),
            ('scale of texts', 'sklearn.state', set_state(scaler, 'scale_', numpy.array(['a', 'b', 'c']))),
            ('mean of a matrix', 'sklearn.shape', set_state(scaler, 'mean_', numpy.zeros((3, 1)))),
            ('minimum infinite', None, set_state(minmax, 'min_', element(0, INFINITY))),
            ('range the wrong way', 'sklearn.option', set_state(set_clip(minmax), 'feature_range', (1, 0))),
            ('robust scale zero', 'sklearn.value', set_state(robust, 'scale_', element(0, 0.0))),
            ('statistics of two', 'sklearn.shape', set_state(imputer, 'statistics_', numpy.ones(2))),
            ('components of two columns', 'sklearn.shape', set_state(pca, 'components_', lambda c: c[:, :2])),
            ('whitening by zero', 'sklearn.value', set_state(fitted(PCA(2, whiten=True)),
                'explained_variance_', numpy.zeros(2))),
            ('scores of two', 'sklearn.shape', set_state(best, 'scores_', lambda s: s[:2])),
            ('k beyond all', None, set_state(best, 'k', 10**9)),
            ('categories of one column', 'sklearn.shape', set_state(one_hot, 'categories_', lambda c: c[:1])),
            ('categories of numbers in a list', 'sklearn.state', set_state(one_hot, 'categories_', [1, 2])),
            ('categories that repeat', 'sklearn.value', set_state(ordinal, 'categories_',
                lambda c: [numpy.array(['a', 'a'], object), c[1]])),
            ('no categories', 'sklearn.value', set_state(ordinal, 'categories_', lambda c: [numpy.array([],
                object), c[1]])),
            ('category that is a list', 'sklearn.value', set_state(ordinal, 'categories_',
                lambda c: [numpy.array(['a', [1]], object), c[1]])),
            ('dropped category 10^9', 'sklearn.value', set_state(fitted(OneHotEncoder(drop='first'), CODES),
                'drop_idx_', numpy.array([10**9, 0], object))),
            ('dropped category -1', 'sklearn.value', set_state(fitted(OneHotEncoder(drop='first'), CODES),
                'drop_idx_', numpy.array([-1, 0], object))),
            ('column 10^9', 'sklearn.column', set_columns(columns, [10**9])),
            ('column -9', 'sklearn.column', set_columns(columns, [-9])),
            ('column by a name that is not there', 'sklearn.column', set_columns(nameless, ['price'])),
            ('columns that are halves', 'sklearn.column', set_columns(nameless, numpy.array([0.5]))),
            ('index of halves', 'sklearn.column', set_columns(nameless, pandas.Index([0.5], dtype=object))),
            ('index of names that are not there', 'sklearn.column', set_columns(nameless,
                pandas.Index(['price'], dtype=object))),
            ('index of lists', 'sklearn.column', set_columns(nameless, pandas.Index([[0]], dtype=object))),
            ('index as a mask of 2 columns', 'sklearn.shape', set_columns(nameless,
                pandas.Index([True, False]))),
            ('index of two levels', 'pickle.global', set_columns(nameless,
                pandas.MultiIndex.from_tuples([(0, 1)]))),
            ('an index', None, set_columns(nameless, pandas.Index([-1]))),
            ('mask of 2 columns', 'sklearn.shape', set_columns(columns, [True, False])),
            ('slice of 10^18', 'sklearn.column', set_columns(columns, slice(0, 10**18))),
            ('a slice', None, set_columns(nameless, slice(0, -2))),
            ('slice by zero', 'sklearn.column', set_columns(columns, slice(0, 3, 0))),
            ('steps that are none', 'sklearn.state', set_state(pipe, 'steps', 7)),
            ('no steps', 'sklearn.state', set_state(pipe, 'steps', [])),
            ('step that is a number', 'sklearn.state', set_state(pipe, 'steps.0', ('a', 7))),
            ('step that is no transformer', 'sklearn.method', set_state(pipe, 'steps.0', ('a',
                fitted(GaussianNB())))),
            ('step that is itself', 'limit.estimator-depth', itself(pipe, 'steps', lambda e: [('a', e),
                ('b', e)])),
            ('steps of other columns', 'sklearn.shape', set_state(pipe, 'steps.0', ('a', fitted(PCA(2))))),
            ('40 pipelines in each other', 'limit.estimator-depth', pickle.dumps(pipelines(scaler, 40))),
            ('names of two columns', 'sklearn.column', set_state(scaler, 'feature_names_in_',
                numpy.array(['a', 'b'], object))),
            ('names that are numbers', 'sklearn.column', set_state(scaler, 'feature_names_in_',
                numpy.array([1, 2, 3], object))),
            ('names that repeat', 'sklearn.value', set_state(scaler, 'feature_names_in_', numpy.array(['a',
                'a', 'b'], object))),
            ('function that is named', 'sklearn.option', pickle.dumps(FunctionTransformer(numpy.mean).fit(X))),
            ('scaler', None, pickle.dumps(scaler)), ('one hot', None, pickle.dumps(one_hot)),
            ('ordinal', None, pickle.dumps(ordinal)), ('columns', None, pickle.dumps(columns)),
            ('pipeline', None, pickle.dumps(pipe)), ('pipelines', None, pickle.dumps(pipelines(scaler, 10))),
            ('labels', None, pickle.dumps(LabelEncoder().fit(['a', 'b'])))]:
        rows.state(name, rule, data)
    return rows


def set_clip(scaler):
    return MinMaxScaler(clip=True).fit(X) if scaler else None


def set_columns(transformer, columns):
    def change(rows):
        return [(rows[0][0], rows[0][1], columns), *rows[1:]]
    return set_state(transformer, 'transformers_', change)


def pipelines(inner, levels):
    for _ in range(levels):
        outer = Pipeline([('a', inner)])
        inner = outer
    return inner


def growing():
    """Estimators that are shared, so that a small file stands for a large graph."""
    rows = States('growing')
    scaler = fitted(StandardScaler())

    def union(levels):
        inner = scaler
        for _ in range(levels):
            inner = FeatureUnion([('a', inner), ('b', inner)])
        return inner

    def votes(levels):
        inner = fitted(GaussianNB())
        for _ in range(levels):
            outer = fitted(VotingClassifier([('a', GaussianNB()), ('b', GaussianNB())]))
            outer.estimators_ = [inner, inner]
            inner = outer
        return inner
    rows.state('a union of a union, 25 times', 'limit.columns', pickle.dumps(union(25)))
    rows.state('votes of votes, 25 times', 'limit.tensors', pickle.dumps(votes(25)))
    pipe = Pipeline([(str(i), scaler) for i in range(200000)])
    rows.state('a step 200000 times', 'limit.tensors', pickle.dumps(pipe))
    wide = fitted(StandardScaler(), RANDOM.rand(4, 20000))
    rows.state('a step of 20000 columns 20000 times', 'limit.heap-bytes', pickle.dumps(Pipeline([(str(i),
        wide) for i in range(20000)])))
    for row in rows:
        row.offset = NOWHERE
    rows.state('a union of a union, 5 times', None, pickle.dumps(union(5)))
    rows.state('votes of votes, 5 times', None, pickle.dumps(votes(5)))
    return rows


def leaking():
    """What remembers its training data has no graph, and what it remembers does not come out."""
    rows = States('leaking')
    rows.state('neighbours', 'sklearn.class', pickle.dumps(fitted(KNeighborsClassifier())))
    rows.state('words', 'sklearn.class', pickle.dumps(TfidfVectorizer().fit(['a secret word', 'another word'])))
    rows.state('clusters of a secret', None, set_state(fitted(KMeans(2, n_init=1)), '_secret', SECRET))
    rows.state('pad of a tree', None, with_trees(fitted(DecisionTreeClassifier(max_depth=2)), padded))
    return rows


SECRET = 'secret!'  # as long as the pad of a node


def padded(arguments, state):
    """As scikit-learn 1.3 writes nodes: seven bytes behind each that mean nothing."""
    old = state['nodes']
    fields = [(name, kind[1:]) for name, kind in old.dtype.descr]
    of = numpy.dtype({'names': [f[0] for f in fields] + ['missing_go_to_left'],
        'formats': [f[1] for f in fields] + ['u1'],
                      'offsets': list(range(0, 57, 8)), 'itemsize': 64})
    nodes = numpy.frombuffer(bytearray(SECRET.encode().rjust(64) * len(old)), of)
    for name, _ in fields:
        nodes[name] = old[name]
    nodes['missing_go_to_left'] = 0
    return arguments, {**state, 'nodes': nodes}


def tables():
    return [trees(), ensembles(), linear(), preparing(), growing(), leaking()]
