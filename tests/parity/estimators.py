"""What tests/parity/options.py walks: one example of each class, the values of options that
scikit-learn's own constraints do not name, and data of other kinds."""
import inspect
from collections import namedtuple

import numpy
import pandas
import sklearn
from scipy import stats
from sklearn import (cluster, compose, covariance, decomposition, discriminant_analysis, dummy,
                     ensemble, feature_selection, impute, linear_model, metrics, model_selection,
                     multiclass, multioutput, naive_bayes, neighbors, neural_network, pipeline,
                     preprocessing, random_projection, svm, tree)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401

import data
import run

TRAIN, ROWS = 160, 40
SINGLE = 1e-6  # what may differ where scikit-learn computes in float32
# Trials in which it does so although the rows are float64, by their name and output: sums of
# products whose order a BLAS chooses, and logarithms and powers of which the last bit is the
# processor's.
NOT_DOUBLE = {
    # The state is float32, and what depends on it alone is computed so.
    r'(QuadraticDiscriminantAnalysis|PCA|PowerTransformer|GaussianNB|FeatureUnion) '
    r'\(x float32\): .*': SINGLE,
    # Scores are the difference of sums that are larger than they are.
    r'QuadraticDiscriminantAnalysis \(x and rows float32\): scores': 2e-6,
    # The first guess is of rows that are made float32, and so is all of it that such rows lead to:
    # in linear models, and since 1.9 in GaussianNB. Scores are log(p / (1 - p)) of a p of float32,
    # of which the last bit, 6e-8, is 3e-5 of the score where p is 0.998.
    r'GradientBoostingRegressor.* init=Ridge\(\).*: .*': SINGLE,
    r'GradientBoostingClassifier.* init=GaussianNB\(\).*: probabilities': SINGLE,
    r'GradientBoostingClassifier.* init=GaussianNB\(\).*: scores': 1e-4,
    # A power of 1e9 is taken from its equal: its last bit, 1.2e-7, may be left.
    r'PowerTransformer \(x one constant column\): .*': 2e-7,
}
VERSION = tuple(int(part) for part in sklearn.__version__.split('.')[:2])
CLASSES = {name: value for module in
           (cluster, compose, decomposition, discriminant_analysis, dummy, ensemble,
            feature_selection, impute, linear_model, model_selection, multiclass, multioutput,
            naive_bayes, neighbors, neural_network, pipeline, preprocessing, random_projection,
            svm, tree) for name, value in vars(module).items() if inspect.isclass(value)}
try:
    from sklearn.frozen import FrozenEstimator
    CLASSES['FrozenEstimator'] = FrozenEstimator
except ImportError:
    pass

Fitted = namedtuple('Fitted', 'estimator rows want tolerance')


# ---- data

def cut(d):
    """Less of it, all columns of one scale, and none the sum of others."""
    rng = numpy.random.RandomState(8)
    x, rows = d.x[:TRAIN], d.rows[:ROWS]
    scale = numpy.nanstd(x, axis=0)
    return data.Data(x / scale + 0.2 * rng.randn(*x.shape), None if d.y is None else d.y[:TRAIN],
                     rows / scale + 0.2 * rng.randn(*rows.shape))


def three():
    return cut(data.numbers(3, 5))


def two():
    return cut(data.numbers(2, 5))


def words():
    d = cut(data.numbers(3, 5, seed=2))
    d.y = numpy.array(['grøn', 'rød', 'sort'])[d.y]
    return d


def target():
    return cut(data.target(5))


def targets():
    return cut(data.target(5, 2))


def positive():
    d = target()
    d.y = numpy.exp(d.y / 4)
    return d


def positive_rows():
    d = three()
    return data.Data(numpy.exp(d.x), d.y, numpy.exp(d.rows))


def rare():
    """Rows with categories that nobody has seen."""
    d = small_integers()
    d.rows = d.rows.copy()
    d.rows[:3, 1] = 17
    d.rows[2:5, 3] = -4
    return d


def rare_texts():
    d = rare()
    words = numpy.vectorize(lambda v: f'n{v:.0f}', otypes=[object])
    return data.Data(frame(words(d.x)), d.y, frame(words(d.rows)))


def unlike():
    """Whole numbers that are categories."""
    d = small_integers()
    d.y = (d.y > 0) * 1.0
    return d


def counts():
    d = data.counts()
    return data.Data(d.x[:TRAIN], d.y[:TRAIN], d.rows[:ROWS])


def small_integers():
    d = data.categories(3)
    return data.Data(d.x[:TRAIN], d.y[:TRAIN], d.rows[:ROWS])


def holes():
    d = data.holes(three())
    d.x[:5, 0] = numpy.nan
    return d


def several():
    d = targets()
    d.y = (d.y > 0).astype(int)
    return d


def people():
    d = data.people(missing=False)
    return data.Data(d.x[:TRAIN], d.y[:TRAIN], d.rows[:ROWS])


def labels_only():
    d = words()
    return data.Data(d.y, None, d.y[:ROWS])


# ---- data of other kinds: what is fitted and predicted

def as_x(change):
    def apply(d):
        return data.Data(change(d.x), d.y, change(d.rows))
    return apply


def wide(change):
    """What is fitted is of less precision than the rows, whose numbers are the same."""
    def apply(d):
        return data.Data(change(d.x), d.y, change(d.rows).astype(float))
    return apply


def as_y(change):
    def apply(d):
        return data.Data(d.x, change(d.y), d.rows)
    return apply


def frame(x):
    return pandas.DataFrame(x, columns=[f'c{i}' for i in range(x.shape[1])])


def mixed_numbers(x):
    """A data frame with a column of each kind of number."""
    f = frame(numpy.round(x * 10))
    for name, dtype in zip(f.columns, ('int64', 'float32', 'bool', 'Int64', 'uint8')):
        values = f[name] > 0 if dtype == 'bool' else numpy.abs(f[name]) % 100
        f[name] = values.astype(dtype)
    return f


def indexed(x):
    f = frame(x)
    f.index = [f'row {i}' for i in range(len(f))]
    return f


X_KINDS = {
    'x float32': wide(lambda x: x.astype(numpy.float32)),
    'x and rows float32': as_x(lambda x: x.astype(numpy.float32)),
    'x float16': wide(lambda x: x.astype(numpy.float16)),
    'x int64': as_x(lambda x: numpy.round(x * 10).astype(numpy.int64)),
    'x int8': wide(lambda x: numpy.clip(numpy.round(x * 10), -99, 99).astype(numpy.int8)),
    'x bool': wide(lambda x: x > 0),
    'x big-endian': as_x(lambda x: x.astype('>f8')),
    'x Fortran order': as_x(numpy.asfortranarray),
    'x object': as_x(lambda x: x.astype(object)),
    'x frame': as_x(frame),
    'x frame with index': as_x(indexed),
    'x frame of mixed numbers': as_x(mixed_numbers),
    'x of one column': as_x(lambda x: x[:, :1]),
    'x one constant column': as_x(lambda x: numpy.column_stack([x, numpy.ones(len(x))])),
    'x huge': as_x(lambda x: x * 1e12),
    'x tiny': as_x(lambda x: x * 1e-12),
}
TEXTS = numpy.array(['æble', 'pære', 'blomme'])
CLASS_KINDS = {
    'y texts': as_y(lambda y: TEXTS[y]),
    'y object texts': as_y(lambda y: TEXTS[y].astype(object)),
    'y bool': as_y(lambda y: y > 0),
    'y float64': as_y(lambda y: y * 1.5),
    'y float32': as_y(lambda y: (y * 0.1).astype(numpy.float32)),
    'y negative': as_y(lambda y: y * 7 - 9),
    'y int8': as_y(lambda y: (y * 100 - 100).astype(numpy.int8)),
    'y uint8': as_y(lambda y: (y + 253).astype(numpy.uint8)),
    'y uint64': as_y(lambda y: y.astype(numpy.uint64)),
    'y big-endian': as_y(lambda y: y.astype('>i8')),
    'y series of categories': as_y(lambda y: pandas.Series(TEXTS[y]).astype('category')),
    'y list of texts': as_y(lambda y: [str(v) for v in TEXTS[y]]),
    'y a column': as_y(lambda y: y[:, None]),
    'y bytes': as_y(lambda y: numpy.array([b'a', b'b', b'c'])[y]),
    'y of two classes': as_y(lambda y: (y > 0).astype(int)),
    'y of one class': as_y(numpy.zeros_like),
    'y two columns': as_y(lambda y: numpy.column_stack([y, (y + 1) % 3])),
    'y indicators': as_y(lambda y: numpy.column_stack([y > 0, y < 2]).astype(int)),
}
TARGET_KINDS = {
    'y int64': as_y(lambda y: numpy.round(y * 10).astype(numpy.int64)),
    'y float32': as_y(lambda y: y.astype(numpy.float32)),
    'y a column': as_y(lambda y: y[:, None]),
    'y two columns': as_y(lambda y: numpy.column_stack([y, y[::-1]])),
    'y constant': as_y(numpy.ones_like),
    'y frame': as_y(lambda y: pandas.DataFrame({'a': y})),
}


def people_kind(**dtypes):
    def change(x):
        return x.astype(dtypes)
    return as_x(change)


PEOPLE_KINDS = {
    'x of categories': people_kind(city='category', sex='category'),
    'x of string dtype': people_kind(city='string', sex='string'),
    'x with int64': people_kind(rooms='int64'),
    'x with float32': people_kind(age='float32', income='float32'),
    'x with bool': as_x(lambda x: x.assign(rooms=x.rooms > 3)),
    'x as objects': as_x(lambda x: x.astype(object)),
}
WEIGHTS = 'sample weights'
SINGLES = ('x and rows float32', 'x with float32')


# ---- examples

class Base:
    """An example: make(**options) gives the estimator to fit; kind is the class walked."""

    def __init__(self, kind, source, label=None, make=None, kinds=(), want=None, values=None,
                 **fixed):
        self.kind, self.source, self.fixed = kind, source, fixed
        self.label = label or kind.__name__
        self.maker, self.wanted = make or kind, want or run.wanted
        self.kinds, self.values = kinds, values or {}

    def make(self, **options):
        known = inspect.signature(self.kind).parameters
        fixed = {name: value() if callable(value) and getattr(value, 'late', False) else value
                 for name, value in self.fixed.items() if name in known}
        return self.maker(**{**fixed, **options})

    def fit(self, options, kind):
        d = self.source()
        more = {}
        if kind == WEIGHTS:
            more['sample_weight'] = numpy.linspace(0.1, 3, len(d.x))
        elif kind:
            d = {**X_KINDS, **CLASS_KINDS, **TARGET_KINDS, **PEOPLE_KINDS,
                 **LABEL_KINDS}[kind](d)
        estimator = self.make(**options)
        estimator.fit(*([d.x] if d.y is None else [d.x, d.y]), **more)
        rows = ROWS_OF.setdefault((self.source, kind if kind in CHANGES_ROWS else None), d.rows)
        return Fitted(estimator, file_rows(rows), self.wanted(estimator, rows.copy()),
                      SINGLE if kind in SINGLES else 1e-9)


# The same rows are written once.
ROWS_OF = {}
FILE_ROWS = {}


def file_rows(rows):
    """As a file has them: texts and data frames as CSV, numbers as .npy."""
    if id(rows) not in FILE_ROWS:
        made = rows[:, None] if rows.ndim == 1 else rows
        if isinstance(made, pandas.DataFrame):
            made = made.astype({c: int for c in made.columns[made.dtypes == bool]})
        elif made.dtype.kind == 'O' and not isinstance(made[0, 0], str):
            made = made.astype(float)
        elif made.dtype.kind in 'OU':
            made = pandas.DataFrame(made, columns=['x0'])
        FILE_ROWS[id(rows)] = (made, rows)
    return FILE_ROWS[id(rows)][0]


LABEL_KINDS = {
    'labels int64': lambda d: data.Data(numpy.arange(TRAIN) % 4 - 2, None, numpy.arange(9) % 4 - 2),
    'labels float64': lambda d: data.Data(numpy.arange(TRAIN) % 4 * 1.5, None,
                                          numpy.arange(9) % 4 * 1.5),
    'labels bool': lambda d: data.Data(numpy.arange(TRAIN) % 2 > 0, None, numpy.arange(9) % 2 > 0),
    'labels object': lambda d: data.Data(d.x.astype(object), None, d.rows.astype(object)),
    'labels of two': lambda d: data.Data(d.x == 'sort', None, d.rows == 'sort'),
}
CHANGES_ROWS = {*X_KINDS, *PEOPLE_KINDS, *LABEL_KINDS}
BASES = []


def base(name, source, *more, **fixed):
    """An example of a class that this version has."""
    if name not in CLASSES:
        return
    BASES.append(Base(CLASSES[name], source, *more, **fixed))


def taking(name, kinds):
    """These kinds of data, and weights where the class takes them."""
    weighed = 'sample_weight' in inspect.signature(getattr(CLASSES[name], 'fit', print)).parameters
    return [*kinds, *([WEIGHTS] if weighed else [])]


def transformers(names, source, kinds=X_KINDS, **fixed):
    for name in names.split():
        if name in CLASSES:
            base(name, source, kinds=taking(name, kinds), want=transformed, **fixed)


def classifiers(names, source=three, **fixed):
    for name in names.split():
        if name not in CLASSES:
            continue
        base(name, source, kinds=taking(name, [*X_KINDS, *CLASS_KINDS]), **fixed)
        base(name, two if source is three else source, f'{name} of two classes',
             make=CLASSES[name], **fixed)


def regressors(names, source=target, **fixed):
    for name in names.split():
        if name in CLASSES:
            base(name, source, kinds=taking(name, [*X_KINDS, *TARGET_KINDS]), **fixed)


def transformed(estimator, rows):
    given = estimator.transform(rows)
    given = given.toarray() if hasattr(given, 'toarray') else numpy.asarray(given)
    if given.ndim == 1:
        given = given[:, None]
    return {'transformed': given if given.dtype.kind in 'OUS' else given.astype(float)}


def also_transforms(name, source, **fixed):
    """The transform of a class that also has predict."""
    base(name, source, f'{name} in a union', want=transformed,
         make=lambda **o: pipeline.FeatureUnion([('all', CLASSES[name](**o))]), **fixed)


def variant(name, label, source, want=None, **fixed):
    """One class once more, with other options or data."""
    if name in CLASSES:
        base(name, source, f'{name} {label}', want=want, make=CLASSES[name], **fixed)


def logistic(**more):
    return linear_model.LogisticRegression(max_iter=300, **more)


def stump(depth=2):
    return tree.DecisionTreeClassifier(max_depth=depth, random_state=0)


def ridge():
    return linear_model.Ridge()


def branch():
    return tree.DecisionTreeRegressor(max_depth=3, random_state=0)


# Named anew in 1.7.
CHAINED = ('estimator' if 'estimator' in inspect.signature(CLASSES['RegressorChain']).parameters
           else 'base_estimator')


# preparation
transformers('StandardScaler MinMaxScaler MaxAbsScaler RobustScaler Normalizer Binarizer '
             'PolynomialFeatures KBinsDiscretizer '
             'VarianceThreshold PCA IncrementalPCA TruncatedSVD', three)
# Before 1.2 it counts its columns only if it looks at them.
transformers('FunctionTransformer', three, validate=True,
             values={} if VERSION >= (1, 2) else {'validate': [True]})
# Of 1 + 1e-12 a power less 1 is all noise.
transformers('PowerTransformer', three, [kind for kind in X_KINDS if kind != 'x tiny'])
variant('PowerTransformer', 'of positive numbers', positive_rows, want=transformed,
        method='box-cox')
transformers('QuantileTransformer', three, n_quantiles=40)
transformers('GaussianRandomProjection', three, n_components=3, random_state=0)
transformers('SimpleImputer MissingIndicator', holes)
for name in ('SimpleImputer', 'MissingIndicator'):
    variant(name, 'of zeros', small_integers, want=transformed, missing_values=0)
transformers('OneHotEncoder OrdinalEncoder', small_integers)
variant('OneHotEncoder', 'of rare ones', rare, want=transformed, min_frequency=20,
        handle_unknown='infrequent_if_exist')
variant('OneHotEncoder', 'of unknown ones', rare, want=transformed, handle_unknown='ignore')
TEXT_CATEGORIES = {'categories': ['auto', [[f'n{i}' for i in (5, 0, 1, 2, 3, 4, 9)]] * 5],
                   'drop': [None, 'first', 'if_binary', ['n1', 'n0', 'n2', 'n3', 'n5']]}
variant('OneHotEncoder', 'of texts', rare_texts, want=transformed, handle_unknown='ignore',
        values=TEXT_CATEGORIES)
variant('OrdinalEncoder', 'of texts', rare_texts, want=transformed, unknown_value=-5,
        handle_unknown='use_encoded_value', values=TEXT_CATEGORIES)
variant('OrdinalEncoder', 'of unknown ones', rare, want=transformed, unknown_value=-5,
        handle_unknown='use_encoded_value')
transformers('TargetEncoder', small_integers if VERSION >= (1, 4) else unlike)
transformers('SelectKBest', three, k=2)
transformers('SelectPercentile SelectFpr SelectFdr SelectFwe', three)
transformers('GenericUnivariateSelect', three, mode='k_best', param=2)
transformers('SelectFromModel RFE', three, estimator=logistic())
transformers('RFECV', three, estimator=logistic(), cv=3)
transformers('SequentialFeatureSelector', three, estimator=naive_bayes.GaussianNB(), cv=2,
             n_features_to_select=2)
transformers('LabelEncoder LabelBinarizer', labels_only, LABEL_KINDS)
base('KMeans', three, kinds=taking('KMeans', X_KINDS), n_clusters=3, n_init=2, random_state=0)
base('MiniBatchKMeans', three, kinds=taking('MiniBatchKMeans', X_KINDS), n_clusters=3, n_init=2,
     random_state=0)
also_transforms('KMeans', three, n_clusters=3, n_init=2, random_state=0)

# linear models
regressors('LinearRegression Ridge RidgeCV Lasso LassoCV LassoLars LassoLarsCV LassoLarsIC Lars '
           'LarsCV ElasticNet ElasticNetCV BayesianRidge ARDRegression HuberRegressor '
           'OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV SGDRegressor LinearSVR '
           'PassiveAggressiveRegressor', random_state=0)
regressors('TheilSenRegressor', random_state=0, max_subpopulation=200)
regressors('QuantileRegressor', solver='highs')
regressors('PoissonRegressor GammaRegressor TweedieRegressor', positive)
regressors('MultiTaskLasso MultiTaskElasticNet MultiTaskLassoCV MultiTaskElasticNetCV', targets)
classifiers('LogisticRegression', max_iter=300)
classifiers('LogisticRegressionCV', Cs=2, cv=2, max_iter=200)
classifiers('RidgeClassifier RidgeClassifierCV SGDClassifier Perceptron LinearSVC '
            'PassiveAggressiveClassifier', random_state=0)
base('SGDOneClassSVM', three, kinds=taking('SGDOneClassSVM', X_KINDS), random_state=0)

# trees and ensembles
classifiers('DecisionTreeClassifier ExtraTreeClassifier', random_state=0)
regressors('DecisionTreeRegressor ExtraTreeRegressor', random_state=0)
classifiers('RandomForestClassifier ExtraTreesClassifier', n_estimators=4, random_state=0)
regressors('RandomForestRegressor ExtraTreesRegressor', n_estimators=4, random_state=0)
classifiers('GradientBoostingClassifier', n_estimators=4, random_state=0)
regressors('GradientBoostingRegressor', n_estimators=4, random_state=0)
classifiers('HistGradientBoostingClassifier', max_iter=4, random_state=0)
regressors('HistGradientBoostingRegressor', positive, max_iter=4, random_state=0)
classifiers('AdaBoostClassifier', n_estimators=4, random_state=0)
regressors('AdaBoostRegressor', n_estimators=4, random_state=0)
classifiers('BaggingClassifier', n_estimators=3, random_state=0)
regressors('BaggingRegressor', n_estimators=3, random_state=0)
base('IsolationForest', three, kinds=taking('IsolationForest', X_KINDS), n_estimators=5,
     random_state=0)
classifiers('VotingClassifier', estimators=[('a', logistic()), ('b', stump())])
base('VotingClassifier', three, 'VotingClassifier, soft', estimators=[('a', logistic()), ('b', stump())],
     voting='soft', make=CLASSES['VotingClassifier'])
regressors('VotingRegressor', estimators=[('a', ridge()), ('b', branch())])
classifiers('StackingClassifier', estimators=[('a', logistic()), ('b', stump())], cv=2)
regressors('StackingRegressor', estimators=[('a', ridge()), ('b', branch())], cv=2)

# the same with other options, which others need
for solver in ('liblinear', 'saga', 'newton-cg'):
    classes = two if solver == 'liblinear' and VERSION >= (1, 8) else three
    variant('LogisticRegression', f'by {solver}', classes, solver=solver, max_iter=100, C=0.5)
    variant('LogisticRegressionCV', f'by {solver}', classes, solver=solver, max_iter=50, Cs=2,
            cv=2)
variant('LogisticRegression', 'with elastic net', two, solver='saga', penalty='elasticnet',
        l1_ratio=0.3)
for loss in ('log_loss', 'modified_huber'):
    variant('SGDClassifier', f'of {loss}', three, loss=loss, random_state=0, eta0=0.05)
    variant('SGDClassifier', f'of {loss}, two classes', two, loss=loss, random_state=0, eta0=0.05)
for name in ('RandomForestClassifier', 'ExtraTreesClassifier'):
    variant(name, 'of samples', three, bootstrap=True, n_estimators=4, random_state=0)
    variant(name, 'of indicators', several, n_estimators=3, random_state=0)
variant('DecisionTreeClassifier', 'of indicators', several, random_state=0)
variant('MLPClassifier', 'of indicators', several, hidden_layer_sizes=(4,), max_iter=5,
        random_state=0)
variant('RidgeClassifier', 'of indicators', several)
variant('DecisionTreeRegressor', 'of counts', positive, criterion='poisson', random_state=0)
for loss in ('exponential', 'log_loss'):
    variant('GradientBoostingClassifier', f'of {loss}', two, loss=loss, n_estimators=4,
            random_state=0)
variant('GradientBoostingRegressor', 'of quantiles', target, loss='quantile', n_estimators=4,
        random_state=0)
for name in ('HistGradientBoostingClassifier', 'HistGradientBoostingRegressor'):
    variant(name, 'of categories', unlike, categorical_features=[0, 3], max_iter=4, random_state=0)
variant('HistGradientBoostingRegressor', 'of quantiles', target, loss='quantile', quantile=0.2,
        max_iter=4, random_state=0)
variant('LinearDiscriminantAnalysis', 'by lsqr', three, solver='lsqr')
variant('LinearDiscriminantAnalysis', 'by eigen', three, solver='eigen')
for kernel in ('linear', 'poly', 'sigmoid'):
    variant('SVC', f'of {kernel}', three, kernel=kernel, probability=True, random_state=0)
    variant('SVR', f'of {kernel}', target, kernel=kernel)
variant('SVC', 'one against one', three, decision_function_shape='ovo')
variant('StackingClassifier', 'of machines', three, cv=2, estimators=[
    ('a', svm.SVC(probability=True, random_state=0)), ('b', svm.LinearSVC())])
variant('KBinsDiscretizer', 'as numbers', three, want=transformed, encode='ordinal')
variant('DummyClassifier', 'of a constant', words, strategy='constant', constant='sort')
variant('RegressorChain', 'of trees', targets, **{CHAINED: branch()})

# networks, support vectors, the simple ones
classifiers('MLPClassifier', hidden_layer_sizes=(6,), max_iter=10, random_state=0)
regressors('MLPRegressor', hidden_layer_sizes=(6,), max_iter=10, random_state=0)
classifiers('SVC NuSVC', random_state=0)
regressors('SVR NuSVR')
base('OneClassSVM', three, kinds=taking('OneClassSVM', X_KINDS))
classifiers('GaussianNB LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis NearestCentroid')
classifiers('BernoulliNB')
classifiers('MultinomialNB ComplementNB', counts)
classifiers('DummyClassifier', constant=1)
regressors('DummyRegressor', constant=1.5, quantile=0.3)
also_transforms('LinearDiscriminantAnalysis', three)

# composition
def steps(last=None):
    return [('scale', preprocessing.StandardScaler()), ('model', last or logistic())]


base('Pipeline', three, kinds=[*X_KINDS, *CLASS_KINDS], steps=steps())
base('FeatureUnion', three, kinds=X_KINDS, want=transformed,
     transformer_list=[('a', preprocessing.StandardScaler()), ('b', decomposition.PCA(2))])
CHOSEN = [('texts', preprocessing.OneHotEncoder(handle_unknown='ignore'), ['city', 'sex']),
          ('numbers', preprocessing.StandardScaler(), ['age', 'income'])]
base('ColumnTransformer', people, kinds=PEOPLE_KINDS, want=transformed, transformers=CHOSEN)
base('ColumnTransformer', people, 'ColumnTransformer and a model', kinds=PEOPLE_KINDS,
     make=lambda **o: pipeline.make_pipeline(compose.ColumnTransformer(**o), logistic()),
     transformers=CHOSEN)
for kind in ('GridSearchCV', 'HalvingGridSearchCV'):
    base(kind, three, kinds=[*X_KINDS, *CLASS_KINDS], estimator=logistic(),
         param_grid={'C': [0.1, 1]}, cv=2)
for kind in ('RandomizedSearchCV', 'HalvingRandomSearchCV'):
    base(kind, three, kinds=[*X_KINDS, *CLASS_KINDS], estimator=logistic(), random_state=0,
         param_distributions={'C': [0.1, 1, 5]}, n_iter=2, cv=2)
base('FrozenEstimator', three, estimator=logistic().fit(three().x, three().y))
regressors('TransformedTargetRegressor', positive, regressor=ridge())
classifiers('MultiOutputClassifier', several, estimator=logistic())
regressors('MultiOutputRegressor', targets, estimator=ridge())
regressors('RegressorChain', targets, **{CHAINED: ridge()})
classifiers('OneVsRestClassifier', estimator=logistic())


# ---- values

def own_function(x):
    return x * 2


def take_all(x):
    return list(x.columns)


def accuracy(estimator, x, y):
    return estimator.score(x, y)


def largest(results):
    return int(numpy.argmax(results['mean_test_score']))


# Options of these names are tried with the values below and no others: what constraints say
# of them is too slow, or says nothing.
ONLY = {'n_jobs', 'verbose', 'cv', 'scoring', 'random_state', 'memory', 'Cs', 'n_alphas',
        'class_weight', 'max_n_alphas', 'n_iter', 'cache_size', 'max_fun', 'pre_dispatch',
        'refit', 'priors', 'class_prior', 'estimator', 'base_estimator', 'n_estimators'}
VALUES = {
    '*': {
        'n_jobs': [None, 1],
        'verbose': [0, 1, True],
        'cv': [None, 2, model_selection.KFold(3), model_selection.StratifiedKFold(2)],
        'scoring': [None, accuracy],
        'random_state': [None, 1, numpy.random.RandomState(3)],
        'memory': [None, '/nonexistent'],
        'Cs': [2, [0.1, 1.0]],
        'alphas': [None, 3, numpy.array([0.1, 1.0, 3.0]), [0.5, 1.0]],
        'l1_ratios': [None, [0.2, 0.8], (0.0,)],
        'n_alphas': [3, 10],
        'max_n_alphas': [3, 100],
        'n_iter': [1, 3, 50],
        'class_weight': [None, 'balanced', {0: 1, 1: 2, 2: 0.5}, {0: 1, 1: 2}],
        'eta0': [0.01, 0.5],
        'cache_size': [10, 200.0],
        'max_fun': [5, 100],
        'pre_dispatch': [1, '2*n_jobs', 'all'],
        'priors': [None, [0.2, 0.5, 0.3], numpy.array([0.3, 0.7])],
        'class_prior': [None, [0.2, 0.5, 0.3], [0.3, 0.7]],
        'copy': [True, False],
        'copy_X': [True, False],
        'n_estimators': [1, 3, 6],
        'max_features': [1, 2, 0.5, 1.0],
        'max_samples': [0.5, 20, None],
        'max_iter': [1, 5, 50],
        'threshold': [0.0, 0.5, 2.0],
        'epsilon': [0.0, 0.1],
        'return_train_score': [True, False],
        'aggressive_elimination': [True, False],
        'score_func': [feature_selection.f_classif, feature_selection.mutual_info_classif,
                       own_function],
        'monotonic_cst': [None, [1, 0, -1, 0, 0]],
        'dtype': [numpy.float64, numpy.float32],
        'learning_rate': [0.1, 1.0, 2.5],
        'estimator': [],
        'base_estimator': [],
    },
    'MinMaxScaler': {'feature_range': [(0, 1), (-3, 5.5), [0, 2]]},
    'RobustScaler': {'quantile_range': [(25.0, 75.0), (5, 60)]},
    'FunctionTransformer': {
        'func': [None, numpy.exp, numpy.abs, numpy.tanh, numpy.square, own_function, numpy.cumsum],
        'inverse_func': [None, numpy.log, own_function],
        'feature_names_out': [None, 'one-to-one', own_function],
        'kw_args': [None, {}, {'where': True}], 'inv_kw_args': [None, {}, {'where': True}]},
    'PolynomialFeatures': {'degree': [0, 1, 2, 4, (0, 2), (2, 3), (1, 1)]},
    'PowerTransformer': {'method': ['yeo-johnson', 'box-cox']},
    'QuantileTransformer': {'n_quantiles': [2, 20], 'subsample': [50, 1000, None],
                            'output_distribution': ['uniform', 'normal']},
    'KBinsDiscretizer': {'n_bins': [2, 4, [2, 3, 4, 5, 6]], 'dtype': [None, numpy.float32,
                                                                     numpy.float64],
                         'subsample': [None, 'warn', 100]},
    'SimpleImputer': {
        'missing_values': [numpy.nan, 0, -1.5, None, 'x'], 'fill_value': [None, 3, -1.5],
        'strategy': ['mean', 'median', 'most_frequent', 'constant', numpy.nanmax]},
    'MissingIndicator': {'missing_values': [numpy.nan, 0, 1.5, None],
                         'sparse': [False, True, 'auto']},
    'OneHotEncoder': {
        'categories': ['auto', [list(range(6))] * 5, [[0, 1, 2, 3, 4, 5, 9]] * 5],
        'drop': [None, 'first', 'if_binary', [0, 1, 2, 3, 4]],
        'dtype': [float, numpy.float32, int, bool], 'sparse': [True, False],
        'handle_unknown': ['error', 'ignore', 'infrequent_if_exist', 'warn'],
        'min_frequency': [None, 20, 0.15, 30], 'max_categories': [None, 3, 1],
        'feature_name_combiner': ['concat', own_function]},
    'LogisticRegression': {
        'solver': ['lbfgs', 'liblinear', 'newton-cg', 'newton-cholesky', 'sag', 'saga'],
        'penalty': ['l1', 'l2', 'elasticnet', 'none', None], 'l1_ratio': [0.0, 0.3, 1.0, None],
        'multi_class': ['auto', 'ovr', 'multinomial', 'deprecated']},
    'OrdinalEncoder': {
        'handle_unknown': ['error', 'use_encoded_value'],
        'categories': ['auto', [[3, 2, 1, 0, 5, 4]] * 5, [[0, 1, 2, 3, 4, 5, 9]] * 5],
        'dtype': [float, numpy.float32, int, numpy.int64, numpy.int8],
        'unknown_value': [None, -1, numpy.nan],
        'encoded_missing_value': [numpy.nan, -2, 9],
        'min_frequency': [None, 20, 0.15], 'max_categories': [None, 3]},
    'TargetEncoder': {'categories': ['auto', [list(range(6))] * 5], 'smooth': ['auto', 1.0, 30.0],
                      'target_type': ['auto', 'multiclass', 'continuous', 'binary'], 'cv': [2, 3]},
    'LabelBinarizer': {'neg_label': [0, -1, -3], 'pos_label': [1, 5]},
    'PCA': {'n_components': [None, 2, 0.7, 'mle'], 'iterated_power': ['auto', 3],
            'n_oversamples': [5, 10]},
    'IncrementalPCA': {'n_components': [None, 2], 'batch_size': [None, 40]},
    'TruncatedSVD': {'n_components': [1, 3], 'n_oversamples': [5, 10], 'n_iter': [2, 5]},
    'GaussianRandomProjection': {'n_components': [2, 4], 'eps': [0.1, 0.5]},
    'SelectPercentile': {'percentile': [0, 30, 100]},
    'HuberRegressor': {'epsilon': [1.1, 2.0]},
    'SelectKBest': {'k': [0, 1, 3, 'all']},
    'GenericUnivariateSelect': {'param': [1, 2, 3]},
    'SelectFromModel': {
        'estimator': [logistic(), stump(), linear_model.Lasso(0.01), svm.LinearSVC(dual=False),
                      ensemble.RandomForestClassifier(3), decomposition.PCA(2)],
        'threshold': [None, 'mean', 'median', '0.8*mean', 0.3], 'prefit': [False],
        'norm_order': [1, 2, numpy.inf], 'max_features': [None, 2, len, own_function],
        'importance_getter': ['auto', 'coef_', own_function]},
    'RFE': {'estimator': [logistic(), stump()], 'n_features_to_select': [None, 2, 0.5],
            'step': [1, 2, 0.3], 'importance_getter': ['auto', 'coef_', own_function]},
    'RFECV': {'estimator': [logistic(), stump()], 'step': [1, 2], 'cv': [2, 3],
              'min_features_to_select': [1, 3], 'importance_getter': ['auto', 'coef_']},
    'SequentialFeatureSelector': {'estimator': [logistic(), naive_bayes.GaussianNB()],
                                  'n_features_to_select': ['auto', 'warn', 2, 0.5],
                                  'tol': [None, 0.1], 'cv': [2, 3]},
    'KMeans': {'n_clusters': [1, 2, 4], 'init': ['k-means++', 'random', three().x[:3]],
               'n_init': [1, 2, 'auto'], 'algorithm': ['lloyd', 'elkan', 'auto', 'full']},
    'MiniBatchKMeans': {'n_clusters': [1, 2, 4], 'init': ['k-means++', 'random', three().x[:3]],
                        'n_init': [1, 2, 'auto'], 'batch_size': [50, 1024],
                        'init_size': [None, 50], 'max_no_improvement': [None, 3],
                        'reassignment_ratio': [0.01, 0.5]},
    'Ridge': {'alpha': [0.0, 2.0, numpy.array(3.0)]},
    'RidgeCV': {'alphas': [(0.1, 1.0), numpy.array([0.5, 3.0])]},
    'RidgeClassifierCV': {'alphas': [(0.1, 1.0), numpy.array([0.5, 3.0])]},
    'BayesianRidge': {'alpha_init': [None, 2.0], 'lambda_init': [None, 2.0], 'n_iter': [3, 50]},
    'ARDRegression': {'n_iter': [3, 50]},
    'Lars': {'precompute': ['auto', True, False], 'n_nonzero_coefs': [1, 3], 'jitter': [None, 0.1]},
    'LassoLars': {'precompute': ['auto', True, False], 'alpha': [0.01, 1.0],
                  'jitter': [None, 0.1]},
    'LarsCV': {'precompute': ['auto', True, False]},
    'LassoLarsCV': {'precompute': ['auto', True, False]},
    'LassoLarsIC': {'precompute': ['auto', True, False], 'noise_variance': [None, 2.0]},
    'Lasso': {'alpha': [0.01, 1.0]},
    'ElasticNetCV': {'l1_ratio': [0.3, [0.2, 0.9]]},
    'MultiTaskElasticNetCV': {'l1_ratio': [0.3, [0.2, 0.9]]},
    'OrthogonalMatchingPursuit': {'n_nonzero_coefs': [None, 2], 'tol': [None, 1.0]},
    'OrthogonalMatchingPursuitCV': {'max_iter': [None, 3]},
    'QuantileRegressor': {'solver_options': [None, {}]},
    'TheilSenRegressor': {'max_subpopulation': [50, 200], 'n_subsamples': [None, 20]},
    'TweedieRegressor': {'power': [0, 1, 1.5, 2, 3, -1]},
    'SGDClassifier': {'eta0': [0.1, 1.0], 'learning_rate': ['optimal', 'constant', 'invscaling',
                                                            'adaptive', 'pa1', 'pa2']},
    'SGDRegressor': {'learning_rate': ['constant', 'invscaling', 'adaptive', 'optimal']},
    'SGDOneClassSVM': {'eta0': [0.1, 1.0], 'learning_rate': ['optimal', 'constant', 'invscaling',
                                                             'adaptive']},
    'LogisticRegressionCV': {'l1_ratios': [None, (0.0,), [0.2, 0.8]], 'refit': [True, False]},
    'GradientBoostingClassifier': {'init': [None, 'zero', naive_bayes.GaussianNB(),
                                            dummy.DummyClassifier(), stump()]},
    'GradientBoostingRegressor': {'init': [None, 'zero', ridge(), dummy.DummyRegressor()]},
    'HistGradientBoostingClassifier': {
        'categorical_features': [None, [0], [True, False, False, False, False], 'from_dtype',
                                 'warn'],
        'interaction_cst': [None, 'pairwise', 'no_interactions', [{0, 1}, {2, 3, 4}]],
        'max_bins': [2, 10, 255], 'scoring': ['loss', None, 'accuracy'],
        'class_weight': [None, 'balanced', {0: 1, 1: 2, 2: 0.5}, {0: 1, 1: 2}],
        'early_stopping': [True, False, 'auto'], 'max_features': [0.4, 1.0]},
    'HistGradientBoostingRegressor': {
        'categorical_features': [None, [0], [True, False, False, False, False], 'from_dtype',
                                 'warn'],
        'interaction_cst': [None, 'pairwise', 'no_interactions'], 'quantile': [None, 0.3],
        'max_bins': [2, 10, 255], 'scoring': ['loss', None, 'r2'],
        'early_stopping': [True, False, 'auto'], 'max_features': [0.4, 1.0]},
    'AdaBoostClassifier': {'estimator': [None, stump(), logistic(), naive_bayes.GaussianNB()],
                           'base_estimator': ['deprecated', stump()]},
    'AdaBoostRegressor': {'estimator': [None, branch(), ridge()],
                          'base_estimator': ['deprecated', branch()]},
    'BaggingClassifier': {'estimator': [None, stump(), logistic(), svm.SVC(), svm.LinearSVC(),
                                        neighbors.KNeighborsClassifier()],
                          'base_estimator': ['deprecated', stump()]},
    'BaggingRegressor': {'estimator': [None, branch(), ridge()],
                         'base_estimator': ['deprecated', branch()]},
    'IsolationForest': {'contamination': ['auto', 0.1], 'max_samples': ['auto', 30, 0.5]},
    'VotingClassifier': {
        'estimators': [[('a', logistic()), ('b', stump()), ('c', naive_bayes.GaussianNB())],
                       [('a', logistic()), ('b', 'drop')],
                       [('a', logistic()), ('k', neighbors.KNeighborsClassifier())]],
        'weights': [None, [1, 2], numpy.array([0.5, 1.5])]},
    'VotingRegressor': {
        'estimators': [[('a', ridge()), ('b', branch()), ('c', linear_model.Lasso())],
                       [('a', ridge()), ('b', 'drop')]],
        'weights': [None, [1, 2], numpy.array([0.5, 1.5])]},
    'StackingClassifier': {
        'estimators': [[('a', logistic()), ('b', stump())], [('a', logistic()), ('b', 'drop')],
                       [('a', svm.LinearSVC()), ('b', linear_model.RidgeClassifier())]],
        'final_estimator': [None, stump(), linear_model.RidgeClassifier()], 'cv': [2, 3]},
    'StackingRegressor': {
        'estimators': [[('a', ridge()), ('b', branch())], [('a', ridge()), ('b', 'drop')]],
        'final_estimator': [None, branch()], 'cv': [2, 3]},
    'MLPClassifier': {'hidden_layer_sizes': [(), (3,), 4, [3, 2]],
                      'batch_size': ['auto', 20], 'max_iter': [1, 5],
                      'learning_rate': ['constant', 'invscaling', 'adaptive']},
    'MLPRegressor': {'hidden_layer_sizes': [(), (3,), 4, [3, 2]],
                     'batch_size': ['auto', 20], 'max_iter': [1, 5],
                     'learning_rate': ['constant', 'invscaling', 'adaptive']},
    'SVC': {'kernel': ['linear', 'poly', 'rbf', 'sigmoid', own_function],
            'gamma': ['scale', 'auto', 0.3], 'degree': [0, 1, 5], 'max_iter': [-1, 5]},
    'NuSVC': {'kernel': ['linear', 'poly', 'rbf', 'sigmoid'], 'gamma': ['scale', 'auto', 0.3],
              'degree': [0, 1, 5], 'max_iter': [-1, 5], 'nu': [0.1, 0.3]},
    'SVR': {'kernel': ['linear', 'poly', 'rbf', 'sigmoid'], 'gamma': ['scale', 'auto', 0.3],
            'degree': [0, 1, 5], 'max_iter': [-1, 5]},
    'NuSVR': {'kernel': ['linear', 'poly', 'rbf', 'sigmoid'], 'gamma': ['scale', 'auto', 0.3],
              'degree': [0, 1, 5], 'max_iter': [-1, 5]},
    'OneClassSVM': {'kernel': ['linear', 'poly', 'rbf', 'sigmoid'], 'gamma': ['scale', 0.3],
                    'degree': [0, 1, 5], 'max_iter': [-1, 5]},
    'LinearDiscriminantAnalysis': {'shrinkage': [None, 'auto', 0.3], 'n_components': [None, 1],
                                   'covariance_estimator': [None, covariance.LedoitWolf()]},
    'QuadraticDiscriminantAnalysis': {'tol': [1e-6, 1e-4],
                                      'covariance_estimator': [None, covariance.LedoitWolf()],
                                      'shrinkage': [None, 'auto', 0.3]},
    'NearestCentroid': {'metric': ['euclidean', 'manhattan', 'cosine'],
                        'shrink_threshold': [None, 0.2],
                        'priors': ['uniform', 'empirical', [0.2, 0.5, 0.3]]},
    'MultinomialNB': {'alpha': [0.0, 0.5, numpy.ones(6)]},
    'ComplementNB': {'alpha': [0.5, 2.0]},
    'BernoulliNB': {'binarize': [0.0, 0.5, None], 'alpha': [0.5, 2.0]},
    'DummyClassifier': {'constant': [0, 1, 'rød'], 'strategy': ['most_frequent', 'prior', 'stratified',
                                                         'uniform', 'constant']},
    'DummyRegressor': {'constant': [1.5, numpy.array([2.5])],
                       'strategy': ['mean', 'median', 'quantile', 'constant'],
                       'quantile': [0.0, 0.5, 1.0]},
    'Pipeline': {'steps': [steps(), steps(stump()), [('no', 'passthrough'), ('m', logistic())],
                           [('none', None), ('m', logistic())],
                           [('s', preprocessing.StandardScaler())],
                           [('s', preprocessing.StandardScaler()), ('p', 'passthrough')]],
                 'transform_input': [None, ['sample_weight']]},
    'FeatureUnion': {
        'transformer_list': [[('a', preprocessing.StandardScaler()), ('p', 'passthrough')],
                             [('a', preprocessing.StandardScaler()), ('d', 'drop')]],
        'transformer_weights': [None, {'a': 2.0}, {'a': 0.5, 'b': 3}],
        'verbose_feature_names_out': [True, False]},
    'ColumnTransformer': {
        'transformers': [CHOSEN, CHOSEN[1:], [CHOSEN[0], ('p', 'passthrough', ['age'])],
                         [('i', preprocessing.StandardScaler(), [2, 3])],
                         [('s', preprocessing.StandardScaler(), slice('age', 'rooms'))],
                         [('m', preprocessing.StandardScaler(), [False, False, True, True, False])],
                         [('one', preprocessing.OneHotEncoder(), ['sex']), ('e', 'drop', ['age'])],
                         [('f', preprocessing.StandardScaler(),
                           compose.make_column_selector(dtype_include=float))],
                         [('t', CHOSEN[0][1], compose.make_column_selector(
                             dtype_include=object))],
                         [('f', preprocessing.MinMaxScaler(), take_all)],
                         [*CHOSEN, ('empty', preprocessing.StandardScaler(), [])]],
        'remainder': ['drop', 'passthrough', preprocessing.OneHotEncoder(),
                      preprocessing.MinMaxScaler()],
        'sparse_threshold': [0, 0.3, 1.0],
        'transformer_weights': [None, {'texts': 2, 'numbers': 0.5}],
        'verbose_feature_names_out': [True, False, '{feature_name}+{transformer_name}',
                                      own_function]},
    'TransformedTargetRegressor': {
        'regressor': [None, ridge(), branch()],
        'transformer': [None, preprocessing.StandardScaler(), preprocessing.MinMaxScaler(),
                        preprocessing.QuantileTransformer(n_quantiles=20),
                        preprocessing.PowerTransformer()],
        'func': [None, numpy.log, own_function], 'inverse_func': [None, numpy.exp, own_function]},
    'MultiOutputClassifier': {'estimator': [logistic(), stump(), svm.LinearSVC(),
                                            linear_model.RidgeClassifier()]},
    'MultiOutputRegressor': {'estimator': [ridge(), branch()]},
    'RegressorChain': {'base_estimator': ([ridge(), branch()] if CHAINED == 'base_estimator'
                                          else ['deprecated']),
                       'estimator': [ridge(), branch()],
                       'order': [None, [1, 0], 'random'], 'cv': [None, 2]},
    'OneVsRestClassifier': {'estimator': [logistic(), stump(), svm.LinearSVC(),
                                          svm.SVC(probability=True), naive_bayes.GaussianNB()]},
    'FrozenEstimator': {'estimator': [logistic().fit(three().x, three().y),
                                      stump().fit(three().x, three().y)]},
}
SEARCHES = {
    'estimator': [logistic(), stump()],
    'param_grid': [{'random_state': [0, 1]}, [{'random_state': [0]}, {'random_state': [1]}]],
    'param_distributions': [{'random_state': [0, 1, 2]}, [{'random_state': [0]}],
                            {'random_state': stats.randint(0, 9)}],
    'scoring': [None, 'accuracy', metrics.make_scorer(metrics.f1_score, average='macro'), accuracy],
    'refit': [True, largest], 'error_score': ['raise', 0.0], 'cv': [2, 3],
    'n_iter': [1, 2], 'n_candidates': ['exhaust', 2], 'factor': [2, 3],
    'resource': ['n_samples', 'max_iter'], 'max_resources': ['auto', 100],
    'min_resources': ['exhaust', 'smallest', 40], 'random_state': [0, 1],
}
for kind in ('GridSearchCV', 'RandomizedSearchCV', 'HalvingGridSearchCV', 'HalvingRandomSearchCV'):
    VALUES[kind] = SEARCHES
