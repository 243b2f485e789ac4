"""The fitted estimators that the parity test compares: one row each. Every version of
scikit-learn from 1.1 on can make them; what is new in one is left out where it is not there."""
import inspect

import numpy
import pandas
import sklearn
from scipy import stats
from sklearn import (compose, decomposition, dummy, ensemble, feature_selection, impute, linear_model,
                     model_selection, multiclass, multioutput, naive_bayes, neural_network,
                     pipeline, preprocessing, svm, tree, cluster)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401

import data

VERSION = tuple(int(part) for part in sklearn.__version__.split('.')[:2])
CASES = []


class Case:
    def __init__(self, name, estimator, source, tolerance, later):
        self.name, self.estimator, self.source, self.tolerance = name, estimator, source, tolerance
        self.later = later

    def fitted(self):
        """The estimator, fitted, and the rows to predict."""
        d = self.source()
        estimator = self.estimator().fit(d.x, d.y)
        for attribute, value in self.later.items():
            setattr(estimator, attribute, value)
        return estimator, d.rows


def case(name, estimator, source, tolerance=1e-9, since=(0, 0), before=(99, 0), **later):
    """estimator and source are functions; `later` is set when the estimator is fitted."""
    if since <= VERSION < before:
        CASES.append(Case(name, estimator, source, tolerance, later))


def options(make, **wanted):
    """Only those options that this version's constructor has."""
    known = inspect.signature(make).parameters
    return make(**{name: value for name, value in wanted.items() if name in known})


def one_hot(**more):
    dense = {'sparse_output': False} if VERSION >= (1, 2) else {'sparse': False}
    return preprocessing.OneHotEncoder(**dense, **more)


def people_table(encoder=None, scaler=None):
    return compose.ColumnTransformer([
        ('texts', encoder or preprocessing.OneHotEncoder(handle_unknown='ignore'),
         ['city', 'sex']),
        ('numbers', pipeline.make_pipeline(impute.SimpleImputer(strategy='median'),
                                           scaler or preprocessing.StandardScaler()),
         ['age', 'income', 'rooms'])])


def after(*steps):
    return lambda: pipeline.make_pipeline(*[step() for step in steps])


# ---- preprocessing alone: what transform gives
case('standard scaler', preprocessing.StandardScaler, data.numbers)
case('standard scaler, no mean', lambda: preprocessing.StandardScaler(with_mean=False), data.numbers)
case('min-max scaler, clipped', lambda: preprocessing.MinMaxScaler((-1, 2), clip=True), data.numbers)
case('max-abs scaler', preprocessing.MaxAbsScaler, data.numbers)
case('robust scaler', lambda: preprocessing.RobustScaler(quantile_range=(10, 85)), data.numbers)
case('normalizer l2', preprocessing.Normalizer, data.numbers)
case('normalizer l1', lambda: preprocessing.Normalizer('l1'), data.numbers)
case('normalizer max', lambda: preprocessing.Normalizer('max'), data.numbers)
case('imputer, mean and indicator', lambda: impute.SimpleImputer(add_indicator=True),
     lambda: data.holes(data.numbers()))
case('imputer, constant', lambda: impute.SimpleImputer(strategy='constant', fill_value=-1),
     lambda: data.holes(data.numbers()))
case('imputer of texts', lambda: pipeline.make_pipeline(
    compose.make_column_transformer((impute.SimpleImputer(strategy='most_frequent'),
                                     ['city', 'sex'])),
    one_hot()), lambda: data.people(texts_missing=numpy.nan))
case('one-hot, numbers', lambda: one_hot(), data.categories)
case('one-hot, first dropped', lambda: one_hot(drop='first'), data.categories)
case('one-hot, infrequent', lambda: one_hot(min_frequency=60,
                                            handle_unknown='infrequent_if_exist'), data.categories)
case('ordinal encoder', lambda: preprocessing.OrdinalEncoder(
    handle_unknown='use_encoded_value', unknown_value=-1), data.categories)
case('ordinal encoder, texts missing', lambda: compose.make_column_transformer(
    (preprocessing.OrdinalEncoder(), ['city', 'sex']), remainder='passthrough'),
    lambda: data.people(texts_missing=None))
case('polynomials', lambda: preprocessing.PolynomialFeatures(3), data.numbers)
case('polynomials, interactions', lambda: preprocessing.PolynomialFeatures(
    2, interaction_only=True, include_bias=False), data.numbers)
# Before 1.2 it counts its columns only if it looks at them.
case('log of positive numbers', lambda: preprocessing.FunctionTransformer(
    numpy.log1p, validate=True), data.counts)
case('pca', lambda: decomposition.PCA(4), data.numbers)
case('pca, whitened', lambda: decomposition.PCA(3, whiten=True), data.numbers)
case('truncated svd', lambda: decomposition.TruncatedSVD(3, random_state=0), data.numbers)
case('select k best', lambda: feature_selection.SelectKBest(k=3), data.numbers)
case('select percentile', lambda: feature_selection.SelectPercentile(percentile=40), data.numbers)
case('variance threshold', lambda: feature_selection.VarianceThreshold(5.0), data.numbers)
case('select from model', lambda: feature_selection.SelectFromModel(
    linear_model.LogisticRegression(max_iter=2000)), data.numbers)
case('feature union', lambda: pipeline.make_union(decomposition.PCA(2),
                                                  preprocessing.StandardScaler()), data.numbers)
case('k-means', lambda: options(cluster.KMeans, n_clusters=4, n_init=3, random_state=0),
     data.numbers)

# ---- linear models
case('logistic, binary', lambda: linear_model.LogisticRegression(max_iter=3000), data.numbers)
case('logistic, texts', lambda: linear_model.LogisticRegression(max_iter=3000), data.words)
case('logistic, liblinear', lambda: linear_model.LogisticRegression(solver='liblinear'),
     data.numbers)
case('logistic, one-versus-rest', lambda: options(linear_model.LogisticRegression, max_iter=3000,
                                                  multi_class='ovr'),
     lambda: data.numbers(4), before=(1, 8))
case('logistic, cross-validated', lambda: linear_model.LogisticRegressionCV(Cs=3, cv=3, max_iter=3000),
     lambda: data.numbers(3))
case('linear regression', linear_model.LinearRegression, data.target)
case('linear regression, several', linear_model.LinearRegression,
     lambda: data.several('numbers'))
case('ridge', lambda: linear_model.Ridge(2.0), data.target)
case('ridge, cross-validated', lambda: linear_model.RidgeCV(), data.target)
case('lasso', lambda: linear_model.Lasso(0.1), data.target)
case('elastic net, cross-validated', lambda: linear_model.ElasticNetCV(cv=3), data.target)
case('ridge classifier', linear_model.RidgeClassifier, lambda: data.numbers(3))
case('sgd, log loss', lambda: linear_model.SGDClassifier(loss='log_loss', random_state=0),
     lambda: data.numbers(3))
case('sgd, hinge', lambda: linear_model.SGDClassifier(random_state=0), data.numbers)
case('sgd, modified huber', lambda: linear_model.SGDClassifier(loss='modified_huber',
                                                               random_state=0),
     lambda: data.numbers(3))
case('sgd regressor', after(preprocessing.StandardScaler,
                            lambda: linear_model.SGDRegressor(random_state=0)), data.target)
case('perceptron', lambda: linear_model.Perceptron(random_state=0), lambda: data.words(4))
case('linear svc', lambda: options(svm.LinearSVC, dual=False, random_state=0),
     lambda: data.numbers(3))
case('linear svr', lambda: options(svm.LinearSVR, max_iter=5000, random_state=0), data.target)
case('poisson', lambda: linear_model.PoissonRegressor(), data.positive)
case('gamma', lambda: linear_model.GammaRegressor(), data.positive)
case('tweedie', lambda: linear_model.TweedieRegressor(power=1.5), data.positive)

# ---- trees
case('tree classifier', lambda: tree.DecisionTreeClassifier(random_state=0), lambda: data.words(4))
case('tree regressor', lambda: tree.DecisionTreeRegressor(max_leaf_nodes=40, random_state=0),
     data.target)
case('tree, missing', lambda: tree.DecisionTreeClassifier(max_depth=6, random_state=0),
     lambda: data.holes(data.numbers()), since=(1, 3))
case('random forest', lambda: ensemble.RandomForestClassifier(30, random_state=0),
     lambda: data.numbers(3))
case('random forest, max leaves', lambda: ensemble.RandomForestClassifier(
    20, max_leaf_nodes=25, class_weight='balanced', random_state=0), data.words)
case('random forest, several', lambda: ensemble.RandomForestClassifier(15, random_state=0),
     data.several)
case('random forest regressor', lambda: ensemble.RandomForestRegressor(25, random_state=0),
     data.target)
case('forest regressor, several', lambda: ensemble.RandomForestRegressor(15, random_state=0),
     lambda: data.several('numbers'))
case('extra trees', lambda: ensemble.ExtraTreesClassifier(20, random_state=0),
     lambda: data.numbers(3))
case('extra trees regressor', lambda: ensemble.ExtraTreesRegressor(20, random_state=0), data.target)
case('gradient boosting', lambda: ensemble.GradientBoostingClassifier(n_estimators=30,
                                                                      random_state=0), data.numbers)
case('gradient boosting, classes', lambda: ensemble.GradientBoostingClassifier(
    n_estimators=20, subsample=0.7, random_state=0), lambda: data.words(4))
case('gradient boosting, exponential', lambda: ensemble.GradientBoostingClassifier(
    loss='exponential', n_estimators=20, random_state=0), data.numbers)
case('gradient boosting, from zero', lambda: ensemble.GradientBoostingClassifier(
    init='zero', n_estimators=20, random_state=0), lambda: data.numbers(3))
case('gradient boosting regressor', lambda: ensemble.GradientBoostingRegressor(
    n_estimators=40, random_state=0), data.target)
case('gradient boosting, huber', lambda: ensemble.GradientBoostingRegressor(
    loss='huber', n_estimators=25, random_state=0), data.target)
case('gradient boosting, quantile', lambda: ensemble.GradientBoostingRegressor(
    loss='quantile', alpha=0.8, n_estimators=25, random_state=0), data.target)
case('histogram boosting', lambda: ensemble.HistGradientBoostingClassifier(max_iter=25),
     lambda: data.holes(data.numbers()))
case('histogram boosting, classes', lambda: ensemble.HistGradientBoostingClassifier(max_iter=15),
     lambda: data.words(4))
case('histogram boosting, categories', lambda: ensemble.HistGradientBoostingClassifier(
    max_iter=25, categorical_features=[0, 2, 4]), lambda: data.holes(data.categories()))
case('histogram boosting regressor', lambda: ensemble.HistGradientBoostingRegressor(max_iter=30),
     lambda: data.holes(data.target()))
case('histogram boosting, poisson', lambda: ensemble.HistGradientBoostingRegressor(
    loss='poisson', max_iter=25), data.positive)
case('ada boost', lambda: options(ensemble.AdaBoostClassifier, n_estimators=15, algorithm='SAMME',
                                  random_state=0), lambda: data.numbers(3))
case('ada boost, SAMME.R', lambda: ensemble.AdaBoostClassifier(
    n_estimators=10, algorithm='SAMME.R', random_state=0), data.numbers, before=(1, 6))
case('ada boost regressor', lambda: ensemble.AdaBoostRegressor(n_estimators=12, random_state=0),
     data.target)
case('bagging', lambda: ensemble.BaggingClassifier(n_estimators=8, max_features=0.6,
                                                   random_state=0), lambda: data.words(3))
case('bagging regressor', lambda: ensemble.BaggingRegressor(n_estimators=8, max_features=0.6,
                                                            random_state=0), data.target)
case('voting, soft', lambda: ensemble.VotingClassifier(
    [('a', linear_model.LogisticRegression(max_iter=3000)),
     ('b', tree.DecisionTreeClassifier(max_depth=4, random_state=0)), ('c', naive_bayes.GaussianNB())],
    voting='soft', weights=[1, 2, 1.5]), data.words)
case('voting, hard', lambda: ensemble.VotingClassifier(
    [('a', linear_model.LogisticRegression(max_iter=3000)),
     ('b', tree.DecisionTreeClassifier(max_depth=4, random_state=0)), ('c', naive_bayes.GaussianNB())]),
    data.words)
case('voting regressor', lambda: ensemble.VotingRegressor(
    [('a', linear_model.Ridge()), ('b', tree.DecisionTreeRegressor(max_depth=4, random_state=0))]),
    data.target)
case('isolation forest', lambda: ensemble.IsolationForest(n_estimators=25, random_state=0),
     data.numbers)
case('isolation forest, some columns', lambda: ensemble.IsolationForest(
    n_estimators=15, max_features=0.5, max_samples=64, contamination=0.1, random_state=0),
    data.numbers)

# ---- networks, support vectors, the simple ones
case('network', lambda: neural_network.MLPClassifier((12, 6), max_iter=60, random_state=0),
     lambda: data.numbers(3))
case('network, tanh, two classes', after(
    preprocessing.StandardScaler,
    lambda: neural_network.MLPClassifier((10,), activation='tanh', max_iter=60, random_state=0)), data.numbers)
case('network regressor', after(
    preprocessing.StandardScaler,
    lambda: neural_network.MLPRegressor(hidden_layer_sizes=(12,), activation='logistic', max_iter=60, random_state=0)),
    lambda: data.several('numbers'))
case('network in single precision', lambda: neural_network.MLPClassifier(
    (12,), max_iter=60, random_state=0), lambda: data.single(data.numbers(3)), 1e-6)
case('svc, rbf', after(preprocessing.StandardScaler, svm.SVC), lambda: data.words(4))
case('svc, probabilities', after(preprocessing.StandardScaler,
                                 lambda: svm.SVC(probability=True, random_state=0)),
     lambda: data.numbers(3))
case('svc, poly, two classes', after(preprocessing.StandardScaler,
                                     lambda: svm.SVC(kernel='poly', coef0=1.0, probability=True,
                                                     random_state=0)), data.numbers)
case('svc, linear, one-versus-one', after(
    preprocessing.StandardScaler,
    lambda: svm.SVC(kernel='linear', decision_function_shape='ovo')), lambda: data.numbers(4))
case('svc, sigmoid', after(preprocessing.StandardScaler, lambda: svm.SVC(kernel='sigmoid')),
     data.numbers)
case('svr', after(preprocessing.StandardScaler, lambda: svm.SVR(C=5)), data.target)
case('naive bayes', naive_bayes.GaussianNB, data.words)
case('dummy, prior', dummy.DummyClassifier, data.words)
case('dummy, median', lambda: dummy.DummyRegressor(strategy='median'), data.target)

# ---- put together
case('people, logistic', lambda: pipeline.make_pipeline(
    people_table(), linear_model.LogisticRegression(max_iter=3000)), data.people)
case('people, forest', lambda: pipeline.make_pipeline(
    people_table(preprocessing.OrdinalEncoder(handle_unknown='use_encoded_value',
                                              unknown_value=numpy.nan,
                                              encoded_missing_value=-1)
                 if VERSION >= (1, 1) else None),
    ensemble.HistGradientBoostingClassifier(max_iter=20)),
    lambda: data.people(classes=3, texts_missing=numpy.nan))
case('people, one-hot with missing', lambda: pipeline.make_pipeline(
    people_table(preprocessing.OneHotEncoder(handle_unknown='ignore', drop='if_binary')),
    svm.LinearSVC(dual=False)), lambda: data.people(texts_missing=None))
case('people, boosting on a frame', lambda: pipeline.make_pipeline(
    compose.make_column_transformer((preprocessing.OrdinalEncoder(), ['city', 'sex']),
                                    remainder='passthrough'),
    ensemble.HistGradientBoostingClassifier(max_iter=20, categorical_features=[0, 1])), data.people)
case('named columns', lambda: pipeline.make_pipeline(
    preprocessing.RobustScaler(), linear_model.LogisticRegression(max_iter=3000)),
    lambda: data.named(data.numbers(3)))
case('named columns, slices and masks', lambda: pipeline.make_pipeline(
    compose.ColumnTransformer([
        ('first', preprocessing.StandardScaler(), slice(0, 3)),
        ('mask', 'passthrough', [False] * 6 + [True, False]),
        ('last', preprocessing.MinMaxScaler(), [-1, 4]), ('none', 'drop', [3])],
        remainder=preprocessing.MaxAbsScaler(), transformer_weights={'first': 2.0}),
    tree.DecisionTreeRegressor(max_depth=5, random_state=0)), lambda: data.named(data.target()))
case('grid search', lambda: model_selection.GridSearchCV(
    pipeline.Pipeline([('scale', preprocessing.StandardScaler()), ('no', 'passthrough'),
                       ('svc', svm.SVC())]), {'svc__C': [0.5, 2]}, cv=3), data.words)
case('random search', lambda: model_selection.RandomizedSearchCV(
    ensemble.RandomForestRegressor(10, random_state=0), {'max_depth': [3, 6, 9]}, n_iter=2, cv=3,
    random_state=0), data.target)
case('random search of distributions', lambda: model_selection.RandomizedSearchCV(
    ensemble.RandomForestRegressor(10, random_state=0),
    {'max_depth': stats.randint(3, 9), 'min_samples_split': stats.uniform(0.02, 0.1),
     'ccp_alpha': stats.loguniform(1e-6, 1e-3)}, n_iter=2, cv=3, random_state=0), data.target)
case('halving search', lambda: model_selection.HalvingGridSearchCV(
    linear_model.LogisticRegression(max_iter=3000), {'C': [0.1, 1, 10]}, cv=3, random_state=0),
    data.numbers)
case('transformed target', lambda: compose.TransformedTargetRegressor(
    linear_model.Ridge(), func=numpy.log, inverse_func=numpy.exp), data.positive)
case('transformed target, scaled', lambda: compose.TransformedTargetRegressor(
    linear_model.LinearRegression(), transformer=preprocessing.StandardScaler()), data.target)
case('several outputs', lambda: multioutput.MultiOutputClassifier(
    linear_model.LogisticRegression(max_iter=3000)), data.several)
case('several targets', lambda: multioutput.MultiOutputRegressor(
    ensemble.GradientBoostingRegressor(n_estimators=15, random_state=0)),
    lambda: data.several('numbers'))
case('polynomial ridge', after(lambda: preprocessing.PolynomialFeatures(2),
                               preprocessing.StandardScaler, linear_model.Ridge), data.target)
case('reduced and chosen', after(preprocessing.StandardScaler, lambda: decomposition.PCA(6),
                                 lambda: feature_selection.SelectKBest(k=4),
                                 lambda: linear_model.LogisticRegression(max_iter=3000)),
     lambda: data.numbers(3))
case('columns of an index', lambda: pipeline.make_pipeline(
    compose.make_column_transformer(
        (preprocessing.OneHotEncoder(handle_unknown='ignore'),
         pandas.Index(['city', 'sex'], dtype=object)),
        (impute.SimpleImputer(), pandas.Index([-1, 2, 3]))),
    linear_model.LogisticRegression(max_iter=3000)), data.people)
case('columns of an index of texts', lambda: pipeline.make_pipeline(
    compose.make_column_transformer(
        (preprocessing.OneHotEncoder(handle_unknown='ignore'),
         pandas.Index(['city', 'sex'])),  # since pandas 3 an array of its own
        (impute.SimpleImputer(), [-1, 2, 3])),
    linear_model.LogisticRegression(max_iter=3000)), data.people, since=(1, 7))
case('one against the rest, ties', lambda: multiclass.OneVsRestClassifier(
    tree.DecisionTreeClassifier(random_state=0)), lambda: data.words(4))

# ---- set after the fit: what was fitted goes on to count, here as there
case('tweedie, power later', linear_model.TweedieRegressor, data.positive, power=1.5)
case('dummy, strategy later', lambda: dummy.DummyClassifier(strategy='prior'), data.words,
     strategy='uniform')
case('gradient boosting, loss later', lambda: ensemble.GradientBoostingClassifier(
    n_estimators=10, random_state=0), data.numbers, loss='exponential')
case('histogram boosting, loss later', lambda: ensemble.HistGradientBoostingRegressor(
    loss='poisson', max_iter=10), data.positive, loss='squared_error')
case('voting, classes later', lambda: ensemble.VotingClassifier(
    [('a', linear_model.LogisticRegression(max_iter=3000)), ('b', naive_bayes.GaussianNB())]),
    data.words, classes_=numpy.array(['a', 'b', 'c']))
case('stacking, classes later', lambda: ensemble.StackingClassifier(
    [('a', linear_model.LogisticRegression(max_iter=3000)), ('b', naive_bayes.GaussianNB())], cv=2),
    data.words, classes_=numpy.array(['a', 'b', 'c']))
case('one against the rest, classes later', lambda: multiclass.OneVsRestClassifier(
    linear_model.LogisticRegression(max_iter=3000)), data.words,
    classes_=numpy.array(['a', 'b', 'c']))
case('ridge classifier, classes later', linear_model.RidgeClassifier, data.words, since=(1, 8),
     classes_=numpy.array(['a', 'b', 'c']))
