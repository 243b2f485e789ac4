#!/usr/bin/python3
"""Transformers of scikit-learn predict through the cage what scikit-learn transforms: scalers,
imputers, encoders, projections, selectors and clusters, with each of their options; and what
cannot be honoured is refused, with the rule and the option."""

import csv
import json
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import sklearn
from sklearn.base import clone
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.ensemble import (ExtraTreesRegressor, GradientBoostingClassifier,
                              RandomForestClassifier)
from sklearn.feature_selection import (RFE, GenericUnivariateSelect, SelectFdr, SelectFpr,
                                       SelectFromModel, SelectFwe, SelectKBest, SelectPercentile,
                                       SequentialFeatureSelector, VarianceThreshold, f_regression)
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import (ElasticNet, ElasticNetCV, Lasso, LinearRegression,
                                  LogisticRegression, LogisticRegressionCV)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (Binarizer, FunctionTransformer, KBinsDiscretizer, LabelBinarizer,
                                   LabelEncoder, MaxAbsScaler, MinMaxScaler, Normalizer,
                                   OneHotEncoder, OrdinalEncoder, PolynomialFeatures,
                                   PowerTransformer, QuantileTransformer, RobustScaler,
                                   StandardScaler)
from sklearn.random_projection import GaussianRandomProjection
from sklearn.tree import DecisionTreeClassifier

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import starved  # noqa: E402

WEIGHLOCK = os.path.join(os.path.abspath(os.environ.get('BUILD', 'build')), 'bin', 'weighlock')
VERSION = tuple(int(part) for part in sklearn.__version__.split('.')[:2])
NAN = float('nan')
# Before 1.2 a FunctionTransformer counted the columns only when it was to validate them.
VALIDATE = VERSION < (1, 2)

random = np.random.RandomState(7)
X = random.normal(size=(60, 5)) * [1, 10, 0.1, 3, 1] + [0, 5, 0, -2, 1]
LABELS = (X[:, 0] + X[:, 3] > -2).astype(int) + (X[:, 1] > 10)
TARGET = X @ [1, 0, 3, -2, 0.5] + random.normal(size=60) * 0.1
ROWS = np.vstack([X[:12], random.normal(size=(12, 5)) * 9, np.zeros((1, 5)), X.max(0)[None],
                  X.min(0)[None], [[1e-9, -1e-9, 0.5, -0.5, -0.0]]])
HOLES = X.copy()
HOLES[random.uniform(size=X.shape) < 0.25] = NAN
HOLES[:, 4] = np.where(np.isnan(HOLES[:, 4]), 2.0, np.round(HOLES[:, 4]))
EMPTY = HOLES.copy()
EMPTY[:, 1] = NAN
HOLED_ROWS = np.vstack([HOLES[:20], np.full((1, 5), NAN), X[:3]])
WHOLE = np.floor(np.abs(X[:, :3]) * 2) % 4
WHOLE_ROWS = WHOLE[:25]
WHOLE_NAN = WHOLE.copy()
WHOLE_NAN[::6, 0] = NAN
CITIES = np.array([[c, s] for c, s in zip(
    random.choice(['Rome', 'Oslo', 'Köln', 'Bern', 'x, "y"'], 60, p=[.5, .3, .1, .06, .04]),
    random.choice(['s', 'm', 'l'], 60))], dtype=object)
CITIES[:5, 0] = ['Rome', 'Oslo', 'Köln', 'Bern', 'x, "y"']
CITY_ROWS = CITIES[:30]
HOLED_CITIES = CITIES.copy()
HOLED_CITIES[3::7, 0] = None
HOLED_CITIES[2::9, 1] = None
NAN_CITIES = np.where(HOLED_CITIES == None, NAN, HOLED_CITIES)  # noqa: E711
UNKNOWN_CITIES = np.vstack([CITY_ROWS[:4], [['Paris', 'm'], ['Oslo', 'xl']]])
CASES = []
REFUSED = []
AGED = []


def case(estimator, data, rows=None, target=None, since=(0, 24), change=None):
    """change(state) is made after fitting, and scikit-learn transforms with it too."""
    if VERSION >= since:
        CASES.append((estimator, data, data if rows is None else rows, target, change))


def refused(rule, words, estimator, data, rows=None, target=None, change=None):
    """It is refused; change(state) is made after fitting."""
    REFUSED.append((rule, words, estimator, data, data if rows is None else rows, target, change))


# ---- columns of numbers

case(StandardScaler(), X, ROWS)
case(StandardScaler(with_mean=False), X, ROWS)
case(StandardScaler(with_std=False), X, ROWS)
case(StandardScaler(with_mean=False, with_std=False), X, ROWS)
case(StandardScaler(), HOLES, HOLED_ROWS)
case(StandardScaler(), X.astype('f'), ROWS)
case(MinMaxScaler(), X, ROWS)
case(MinMaxScaler(feature_range=(-2, 3)), X, ROWS)
case(MinMaxScaler(feature_range=(-2, 0.5), clip=True), HOLES, HOLED_ROWS)
case(MaxAbsScaler(), X, ROWS)
case(RobustScaler(), X, ROWS)
case(RobustScaler(with_centering=False, quantile_range=(10, 60)), X, ROWS)
case(RobustScaler(with_scaling=False), X, ROWS)
case(RobustScaler(unit_variance=True), HOLES, HOLED_ROWS)
for norm in ('l1', 'l2', 'max'):
    case(Normalizer(norm), X, np.vstack([ROWS, np.full((1, 5), 1e-17)]))
case(Binarizer(), X, ROWS)
case(Binarizer(threshold=-1.5), X, ROWS)
for name in ('absolute arccos arccosh arcsin arcsinh arctan arctanh cbrt ceil cos cosh deg2rad '
             'degrees exp exp2 expm1 fabs floor log log10 log1p log2 negative positive rad2deg '
             'radians reciprocal rint sign sin sinh sqrt square tan tanh trunc').split():
    with np.errstate(all='ignore'):
        case(FunctionTransformer(getattr(np, name), validate=VALIDATE), X, ROWS)
case(FunctionTransformer(np.log1p, inverse_func=np.expm1, validate=True, kw_args={}),
     np.abs(X), np.abs(ROWS))
case(FunctionTransformer(validate=VALIDATE), X, ROWS)
for options in ({}, {'include_bias': False}, {'interaction_only': True},
                {'interaction_only': True, 'degree': 5}, {'degree': 3}, {'degree': 1},
                {'degree': 0}, {'degree': 4, 'include_bias': False, 'interaction_only': True},
                {'degree': 2, 'order': 'F'}):
    case(PolynomialFeatures(**options), X, ROWS)
for options in ({'degree': (2, 3)}, {'degree': (2, 2), 'include_bias': False},
                {'degree': (3, 3), 'interaction_only': True}, {'degree': (0, 2)}):
    case(PolynomialFeatures(**options), X, ROWS, since=(1, 0))
case(PolynomialFeatures(5, interaction_only=True), X[:, :3], ROWS[:, :3])
case(PowerTransformer(), X, ROWS)
case(PowerTransformer(standardize=False), HOLES, HOLED_ROWS)
case(PowerTransformer(standardize=False), X, ROWS,
     change=lambda state: state.update(lambdas_=np.array([0.0, 2.0, 1.0, 1e-17, 2 - 1e-16])))
case(PowerTransformer('box-cox', standardize=False), np.abs(X) + 0.1, np.abs(ROWS) + 0.01,
     change=lambda state: state.update(lambdas_=np.array([0.0, 2.0, -1.0, 1e-20, 0.5])))
case(PowerTransformer('box-cox'), np.abs(X) + 0.1, np.abs(ROWS) + 0.01)
case(PowerTransformer('box-cox', standardize=False), np.exp(X / 20), np.abs(ROWS) + 0.01)
case(QuantileTransformer(n_quantiles=20), X, ROWS)
case(QuantileTransformer(n_quantiles=60), np.round(HOLES), HOLED_ROWS)
case(QuantileTransformer(n_quantiles=9), np.round(X), np.round(ROWS))
case(QuantileTransformer(n_quantiles=20), X, ROWS, change=lambda state: state['quantiles_'].__setitem__(
    (7, 0), np.nextafter(state['quantiles_'][6, 0], -99)))
for strategy in ('uniform', 'quantile', 'kmeans'):
    case(KBinsDiscretizer(4, encode='ordinal', strategy=strategy), X, ROWS)
case(KBinsDiscretizer([2, 3, 4, 5, 6], encode='onehot-dense'), X, ROWS)
case(KBinsDiscretizer(3), np.column_stack([X[:, 0], np.ones(60)]), ROWS[:, :2])

# ---- missing values

for strategy in ('mean', 'median', 'most_frequent', 'constant'):
    case(SimpleImputer(strategy=strategy), HOLES, HOLED_ROWS)
    case(SimpleImputer(strategy=strategy, add_indicator=True), EMPTY, HOLED_ROWS)
case(SimpleImputer(strategy='constant', fill_value=-7.25), HOLES, HOLED_ROWS)
case(SimpleImputer(missing_values=0, add_indicator=True), WHOLE, WHOLE_ROWS)
case(SimpleImputer(missing_values=-1, strategy='most_frequent'), WHOLE.astype(int) - 1, WHOLE_ROWS)
case(SimpleImputer(strategy='median'), HOLES.astype('f'), HOLED_ROWS.astype('f').astype('d'))
if VERSION >= (1, 2):
    for strategy in ('mean', 'median', 'most_frequent', 'constant'):
        case(SimpleImputer(strategy=strategy, keep_empty_features=True), EMPTY, HOLED_ROWS)
MIXED = np.array([[1.0, 'a', NAN], [2.0, NAN, 5.0], [NAN, 'b', 5.0], [2.0, 'b', NAN]], dtype=object)
case(make_pipeline(SimpleImputer(strategy='most_frequent', add_indicator=True), OneHotEncoder()),
     MIXED)
case(make_pipeline(SimpleImputer(strategy='most_frequent'),
                   OneHotEncoder(handle_unknown='ignore')), MIXED)
case(MissingIndicator(error_on_new=False), HOLES, HOLED_ROWS)
case(MissingIndicator(features='all'), HOLES, HOLED_ROWS)
case(MissingIndicator(), HOLES, HOLES)

# ---- categories

for missing, data in ((None, HOLED_CITIES), (NAN, NAN_CITIES)):
    for strategy in ('most_frequent', 'constant'):
        case(SimpleImputer(missing_values=missing, strategy=strategy), data)
case(OneHotEncoder(), CITIES, CITY_ROWS)
case(OneHotEncoder(), CITIES.astype(str), CITY_ROWS)
case(OneHotEncoder(handle_unknown='ignore'), CITIES, UNKNOWN_CITIES)
case(OneHotEncoder(handle_unknown='ignore', dtype=np.float32), WHOLE, np.vstack([WHOLE_ROWS, X[:3, :3]]))
case(OneHotEncoder(dtype=int), WHOLE.astype(int), WHOLE_ROWS)
case(OneHotEncoder(drop='first'), CITIES, CITY_ROWS)
case(OneHotEncoder(drop='if_binary'), CITIES[np.isin(CITIES[:, 0], ['Rome', 'Oslo'])])
case(OneHotEncoder(drop=['Oslo', 'm']), CITIES, CITY_ROWS)
case(OneHotEncoder(drop='first'), np.column_stack([WHOLE[:, 0], np.ones(60)]))
case(OneHotEncoder(drop='first'), np.column_stack([np.ones(60), WHOLE[:, 0], np.zeros(60)]))
case(OneHotEncoder(drop='first', handle_unknown='ignore'),
     np.column_stack([WHOLE[:, 0], np.ones(60)]), since=(1, 0))
case(OneHotEncoder(drop='first', handle_unknown='ignore'), CITIES, UNKNOWN_CITIES, since=(1, 0))
case(OneHotEncoder(handle_unknown='ignore'), HOLED_CITIES)
case(OneHotEncoder(), NAN_CITIES)
case(OneHotEncoder(drop='first'), WHOLE_NAN)
case(OneHotEncoder(categories=[['Bern', 'Rome', 'Oslo', 'Köln', 'x, "y"', 'Nice'], ['s', 'l', 'm']]),
     CITIES, CITY_ROWS)
if VERSION >= (1, 1):
    for unknown in ('infrequent_if_exist', 'ignore') + (('warn',) if VERSION >= (1, 6) else ()):
        for options in ({'min_frequency': 5}, {'max_categories': 3}, {'min_frequency': 0.2},
                        {'min_frequency': 7, 'drop': 'first'}, {'max_categories': 2, 'drop': 'if_binary'}):
            case(OneHotEncoder(handle_unknown=unknown, **options), CITIES, UNKNOWN_CITIES)
    case(OneHotEncoder(min_frequency=7, handle_unknown='infrequent_if_exist'), WHOLE_NAN)
case(OrdinalEncoder(), CITIES, CITY_ROWS)
case(OrdinalEncoder(dtype=np.int32), WHOLE, WHOLE_ROWS)
case(OrdinalEncoder(dtype=np.dtype('f4'), handle_unknown='use_encoded_value', unknown_value=-7),
     CITIES, UNKNOWN_CITIES)
case(OrdinalEncoder(dtype=np.dtype('u1')), CITIES, CITY_ROWS)
case(OrdinalEncoder(dtype=float), CITIES, CITY_ROWS)
case(OrdinalEncoder(handle_unknown='use_encoded_value', unknown_value=-1), CITIES, UNKNOWN_CITIES)
case(OrdinalEncoder(handle_unknown='use_encoded_value', unknown_value=NAN), CITIES, UNKNOWN_CITIES)
case(OrdinalEncoder(), NAN_CITIES, since=(1, 0))
case(OrdinalEncoder(), HOLED_CITIES, since=(1, 0))
case(OrdinalEncoder(), WHOLE_NAN, since=(1, 0))
if VERSION >= (1, 1):
    case(OrdinalEncoder(encoded_missing_value=-5), NAN_CITIES)
if VERSION >= (1, 3):
    case(OrdinalEncoder(min_frequency=5, handle_unknown='use_encoded_value', unknown_value=99),
         CITIES, UNKNOWN_CITIES)
    case(OrdinalEncoder(max_categories=3, encoded_missing_value=-2), NAN_CITIES)
    from sklearn.preprocessing import TargetEncoder
    case(TargetEncoder(random_state=0), CITIES, UNKNOWN_CITIES, TARGET)
    case(TargetEncoder(random_state=0), WHOLE_NAN, WHOLE_NAN, LABELS > 0)
    if VERSION >= (1, 4):
        case(TargetEncoder(random_state=0), CITIES, UNKNOWN_CITIES, LABELS)
case(LabelEncoder(), CITIES[:, 0])
case(LabelEncoder(), WHOLE[:, 0].astype(int))
case(LabelBinarizer(), CITIES[:, 0].astype(str), np.append(CITIES[:, 0], ['Paris']).astype(str))
case(LabelBinarizer(neg_label=-1, pos_label=3), WHOLE[:, 0].astype(int))
case(LabelBinarizer(neg_label=-2), LABELS > 0, (LABELS > 0).astype(int))

# The empty text is the empty field of a CSV file: a category if nothing takes it for a missing one.
EMPTIES = np.array([['a', 's'], ['', 's'], ['b', 'm'], ['a', '']], dtype=object)
EMPTIES_OR_NAN = np.array([['a'], [''], ['b'], [NAN]], dtype=object)
A_QUERY = np.array([['a'], [''], ['b'], ['?']], dtype=object)
FILL = {'strategy': 'constant', 'fill_value': 'x'}
case(OneHotEncoder(), EMPTIES)
case(OrdinalEncoder(), EMPTIES)
case(LabelEncoder(), EMPTIES[:, 0])
case(make_pipeline(SimpleImputer(strategy='constant', fill_value=''), OneHotEncoder()), EMPTIES_OR_NAN)
case(make_pipeline(SimpleImputer(missing_values='', **FILL), OneHotEncoder()), EMPTIES)
case(make_pipeline(SimpleImputer(missing_values='?', **FILL), OneHotEncoder()), A_QUERY)
case(make_pipeline(SimpleImputer(missing_values='?', add_indicator=True, **FILL),
                   OneHotEncoder()), A_QUERY)
case(FeatureUnion([('e', OneHotEncoder()), ('m', MissingIndicator(missing_values='?'))]), A_QUERY)
case(ColumnTransformer([('i', make_pipeline(SimpleImputer(**FILL), OneHotEncoder()), [1]),
                        ('e', OneHotEncoder(), [0])]), EMPTIES[:3])

# ---- projections, selection, clusters

case(PCA(3), X, ROWS)
case(PCA(0.9, whiten=True), X, ROWS)
case(PCA(2, whiten=True, svd_solver='full'), X.astype('f'), ROWS)
case(IncrementalPCA(2, whiten=True, batch_size=20), X, ROWS)
case(TruncatedSVD(2, random_state=0), X, ROWS)
case(TruncatedSVD(3, algorithm='arpack', random_state=0), X, ROWS)
case(GaussianRandomProjection(3, random_state=0), X, ROWS)
case(SelectKBest(k=2), X, ROWS, LABELS)
case(SelectKBest(k=2), np.column_stack([X[:, 0], X[:, 0], X[:, 3], X[:, 0]]), ROWS[:, :4], LABELS)
case(SelectKBest(f_regression, k='all'), X, ROWS, TARGET)
case(SelectKBest(k=1), np.column_stack([np.ones(60), X[:, 3]]), ROWS[:, :2], LABELS)
for percentile in (1, 20, 33, 50, 61.5, 100):
    case(SelectPercentile(percentile=percentile), X, ROWS, LABELS)
case(SelectPercentile(percentile=50), np.column_stack([X[:, 3]] * 4), ROWS[:, :4], LABELS)
case(SelectFpr(alpha=0.3), X, ROWS, LABELS)
case(SelectFdr(alpha=0.9), np.column_stack([np.ones(60), X[:, 3]]), ROWS[:, :2], LABELS)
case(SelectFdr(alpha=0.3), X, ROWS, LABELS)
case(SelectFwe(alpha=0.3), X, ROWS, LABELS)
for mode, param in (('percentile', 40), ('k_best', 3), ('k_best', 'all'), ('fpr', 0.2),
                    ('fdr', 0.2), ('fwe', 0.5)):
    case(GenericUnivariateSelect(mode=mode, param=param), X, ROWS, LABELS)
case(VarianceThreshold(), np.column_stack([X[:, 0], np.ones(60)]), ROWS[:, :2])
case(VarianceThreshold(0.5), HOLES, HOLED_ROWS)
for threshold in (None, 'mean', 'median', '1.25*mean', ' 0.5 * median', 0.1):
    case(SelectFromModel(LinearRegression(), threshold=threshold), X, ROWS, TARGET)
case(SelectFromModel(Lasso(alpha=0.3)), X, ROWS, TARGET)
case(SelectFromModel(ElasticNet(alpha=0.3, l1_ratio=1)), X, ROWS, TARGET)
case(SelectFromModel(ElasticNet(alpha=0.3)), X, ROWS, TARGET)
case(SelectFromModel(ElasticNetCV(l1_ratio=1)), X, ROWS, TARGET)
# From 1.8 on scikit-learn itself fails without a threshold.
case(SelectFromModel(LogisticRegressionCV(Cs=2), threshold='mean' if VERSION >= (1, 8) else None),
     X, ROWS, LABELS)
case(SelectFromModel(LinearRegression(), importance_getter='coef_', threshold='.5*median'),
     X[:, :4], ROWS[:, :4], TARGET)
case(SelectFromModel(DecisionTreeClassifier(), importance_getter='feature_importances_'),
     X, ROWS, LABELS)
case(SelectFromModel(RandomForestClassifier(2)), X, ROWS, np.ones(60))
case(SelectFromModel(LogisticRegression(max_iter=999), max_features=2), X, ROWS, LABELS)
case(SelectFromModel(LogisticRegression(max_iter=999), norm_order=np.inf), X, ROWS, LABELS)
case(SelectFromModel(LogisticRegression(penalty='l1', solver='liblinear', C=0.1)), X, ROWS, LABELS > 0)
case(SelectFromModel(DecisionTreeClassifier(max_depth=3)), X, ROWS, LABELS)
case(SelectFromModel(RandomForestClassifier(8, random_state=0)), X, ROWS, LABELS)
case(SelectFromModel(ExtraTreesRegressor(8, random_state=0), threshold='median'), X, ROWS, TARGET)
case(SelectFromModel(GradientBoostingClassifier(n_estimators=5)), X, ROWS, LABELS)
case(SelectFromModel(LinearRegression().fit(X, TARGET), prefit=True), X, ROWS, TARGET)
case(RFE(LinearRegression(), n_features_to_select=2), X, ROWS, TARGET)
case(SequentialFeatureSelector(LinearRegression(), n_features_to_select=2), X, ROWS, TARGET)
case(KMeans(3, n_init=1, random_state=0), X, ROWS)
case(KMeans(4, n_init=2, random_state=0, algorithm='elkan'), X, ROWS)
case(MiniBatchKMeans(3, n_init=1, random_state=0), X, ROWS)
if VERSION >= (1, 8):
    case(MaxAbsScaler(clip=True), X, ROWS)

# ---- what is refused

refused('run.index', '', OneHotEncoder(), CITIES, UNKNOWN_CITIES)
refused('run.index', '', OneHotEncoder(drop='first'),
        np.column_stack([WHOLE[:, 0], np.ones(60)]), np.array([[0, 2.0]]))
refused('run.index', '', OrdinalEncoder(), CITIES, UNKNOWN_CITIES)
refused('run.index', '', LabelEncoder(), WHOLE[:, 0], np.array([17.0]))
refused('run.index', '', LabelBinarizer(), LABELS > 0, np.array([2]))
refused('run.index', '', PowerTransformer('box-cox'), np.abs(X) + 0.1, -np.ones((1, 5)))
refused('run.index', '', Binarizer(), X, HOLED_ROWS)
refused('run.index', '', KBinsDiscretizer(3), X, HOLED_ROWS)
refused('run.index', '', KMeans(3, n_init=1), X, HOLED_ROWS)
refused('run.index', '', MissingIndicator(), EMPTY[:, 1:], np.full((1, 4), NAN))
for encoder in (OneHotEncoder(), OneHotEncoder(handle_unknown='ignore'), OrdinalEncoder()):
    refused('sklearn.value', 'column 0: the empty text is one of its values', make_pipeline(
        SimpleImputer(**FILL), clone(encoder)), EMPTIES_OR_NAN)
    refused('sklearn.value', 'column 0: the empty text is one of its values', make_pipeline(
        SimpleImputer(strategy='most_frequent'), 'passthrough', clone(encoder)), EMPTIES)
refused('sklearn.value', 'column 0: the empty text', make_pipeline(
    ColumnTransformer([('i', SimpleImputer(**FILL), [1, 0])]), OneHotEncoder()), EMPTIES)
refused('sklearn.value', "transformer 'i', SimpleImputer: column 0: the empty text", make_pipeline(
    ColumnTransformer([('i', SimpleImputer(**FILL), [0])], remainder='passthrough'),
    ColumnTransformer([('e', OneHotEncoder(), [1]), ('i', SimpleImputer(**FILL), [1])])), EMPTIES[[0, 2, 3]])
refused('sklearn.value', "transformer 'm', MissingIndicator: column 0: the empty text", FeatureUnion(
    [('e', OneHotEncoder()), ('m', MissingIndicator(features='all'))]), EMPTIES)
refused('sklearn.value', 'column 0: the empty text', FeatureUnion(
    [('i', SimpleImputer(strategy='constant', fill_value='', add_indicator=True)),
     ('e', OneHotEncoder(categories=[['', 'a', 'b']], handle_unknown='ignore'))]), EMPTIES_OR_NAN)
refused('sklearn.value', 'column 0: the empty text', FeatureUnion(
    [('a', OneHotEncoder(categories=[['', 'a', 'b']])),
     ('b', OneHotEncoder(categories=[['a', 'b', NAN]], handle_unknown='ignore'))]), EMPTIES[:3, :1])
refused('sklearn.value', 'column 0: the empty text', FeatureUnion(
    [('a', make_pipeline(SimpleImputer(missing_values='', **FILL), OneHotEncoder())),
     ('b', make_pipeline(SimpleImputer(**FILL), OneHotEncoder(handle_unknown='ignore')))]), EMPTIES)
refused('sklearn.column', 'holds numbers, not texts', make_pipeline(SimpleImputer(), OneHotEncoder()),
        WHOLE, change=lambda state: state['steps'][1][1].__dict__.update(
            categories_=[np.array(['', 'a'], dtype=object)] * 3))
refused('sklearn.option', 'kw_args', FunctionTransformer(
    np.log1p, kw_args={'where': True}, validate=VALIDATE), X)
refused('sklearn.option', 'isnan', FunctionTransformer(np.isnan, validate=VALIDATE), X)
refused('sklearn.option', "output_distribution", QuantileTransformer(
    n_quantiles=9, output_distribution='normal'), X)
refused('sklearn.option', 'norm_order', SelectFromModel(LogisticRegression(), norm_order=2), X,
        ROWS, LABELS)
refused('sklearn.option', 'dtype int8', OrdinalEncoder(
    dtype=np.int8, categories=[list(range(200))]), np.arange(200.0)[:, None])
refused('sklearn.option', 'copies', StandardScaler(), X,
        change=lambda state: state.update(copies=True))
refused('sklearn.value', 'zero', StandardScaler(), X,
        change=lambda state: state['scale_'].__setitem__(0, 0))
refused('sklearn.shape', 'mean_', StandardScaler(), X,
        change=lambda state: state.update(mean_=np.ones(3)))
refused('sklearn.option', 'whiten', PCA(2), X,
        change=lambda state: state.update(whiten='yes'))
refused('sklearn.shape', 'components_', PCA(2), X,
        change=lambda state: state.update(components_=np.ones((2, 3))))
refused('sklearn.value', 'mean_', PCA(2), X,
        change=lambda state: state['mean_'].__setitem__(0, NAN))
refused('sklearn.shape', 'statistics_', SimpleImputer(), HOLES,
        change=lambda state: state.update(statistics_=np.ones(9)))
refused('sklearn.value', 'element 1', SimpleImputer(), HOLES, change=lambda state: state.update(
    statistics_=np.array([1, 2j, 3, 4, 5], dtype=object)))
refused('sklearn.option', 'missing_values', SimpleImputer(), HOLES,
        change=lambda state: state.update(missing_values=[1]))
refused('sklearn.option', 'missing_values is a text', SimpleImputer(), HOLES,
        change=lambda state: state.update(missing_values='x'))
refused('sklearn.option', 'missing_values is a number', SimpleImputer(
    strategy='most_frequent'), NAN_CITIES, change=lambda state: state.update(missing_values=3))
refused('sklearn.option', 'degree', PolynomialFeatures(), X,
        change=lambda state: state.update(degree=65))
refused('sklearn.option', 'degree', PolynomialFeatures(), X,
        change=lambda state: state.update(degree=(2, 1)))
refused('sklearn.option', 'degree', PolynomialFeatures(), X,
        change=lambda state: state.update(degree=(2, 1.5)))
for degree in ((1, 2, 3), ('a', 2), (-1, 2), -1):
    refused('sklearn.option', 'degree', PolynomialFeatures(), X,
            change=lambda state, degree=degree: state.update(degree=degree))
refused('sklearn.option', 'no column', PolynomialFeatures(), X,
        change=lambda state: state.update(degree=0, include_bias=False))
refused('sklearn.shape', 'more than', PolynomialFeatures(), X,
        change=lambda state: state.update(degree=64))
refused('sklearn.shape', 'n_output', PolynomialFeatures(), X,
        change=lambda state: state.update(n_output_features_=20))
refused('sklearn.shape', 'bin_edges_', KBinsDiscretizer(3), X,
        change=lambda state: state.update(bin_edges_=state['bin_edges_'][:3]))
refused('sklearn.shape', 'fewer', KBinsDiscretizer(3), X,
        change=lambda state: state['bin_edges_'].__setitem__(0, np.ones(1)))
refused('sklearn.value', 'ascending', KBinsDiscretizer(3), X,
        change=lambda state: state['bin_edges_'].__setitem__(0, np.array([1.0, 2, 1, 3])))
refused('sklearn.value', 'ascending', QuantileTransformer(n_quantiles=9), X,
        change=lambda state: state['quantiles_'].__setitem__((3, 0), 99))
refused('sklearn.value', 'ascending', QuantileTransformer(n_quantiles=9), X,
        change=lambda state: state['references_'].__setitem__(3, 0))
refused('sklearn.value', 'ascending', QuantileTransformer(n_quantiles=9), X,
        change=lambda state: state['quantiles_'].__setitem__((8, 0), float('inf')))
refused('sklearn.shape', 'references_', QuantileTransformer(n_quantiles=9), X,
        change=lambda state: state.update(references_=np.zeros(1)))
refused('sklearn.shape', 'categories_', OneHotEncoder(), CITIES,
        change=lambda state: state.update(categories_=state['categories_'][:1]))
refused('sklearn.value', 'empty', OneHotEncoder(), CITIES,
        change=lambda state: state['categories_'].__setitem__(0, np.array([], dtype=object)))
refused('sklearn.value', '2^53', OneHotEncoder(), WHOLE,
        change=lambda state: state['categories_'].__setitem__(0, np.array([2 ** 60])))
refused('sklearn.value', 'drop_idx_', OneHotEncoder(drop='first'), CITIES,
        change=lambda state: [state.update({key: np.array([9, 0], dtype=object)}) for key in (
            'drop_idx_', '_drop_idx_after_grouping') if key in state])
refused('sklearn.shape', 'drop_idx_', OneHotEncoder(drop='first'), CITIES,
        change=lambda state: [state.update({key: np.array([0], dtype=object)}) for key in (
            'drop_idx_', '_drop_idx_after_grouping') if key in state])
refused('sklearn.value', '_missing_indices', OrdinalEncoder(), NAN_CITIES,
        change=lambda state: state.update(_missing_indices={0: 0}))
refused('sklearn.state', 'no dict of columns', OrdinalEncoder(), NAN_CITIES,
        change=lambda state: state.update(_missing_indices={i: 0 for i in range(3)}))
refused('sklearn.value', 'single', LabelBinarizer(), LABELS > 0,
        change=lambda state: state.update(classes_=np.array([1])))
refused('sklearn.option', 'y_type_', LabelBinarizer(), LABELS > 0,
        change=lambda state: state.update(y_type_='multilabel-indicator'))
refused('sklearn.shape', 'no columns', SelectPercentile(percentile=0), X, ROWS, LABELS)
refused('sklearn.option', 'k is', SelectKBest(k=2), X, ROWS, LABELS,
        change=lambda state: state.update(k=-1))
refused('sklearn.option', 'percentile', SelectPercentile(), X, ROWS, LABELS,
        change=lambda state: state.update(percentile=101))
refused('sklearn.option', 'float32', SelectPercentile(percentile=40), X, ROWS, LABELS,
        change=lambda state: state.update(scores_=state['scores_'].astype('f')))
refused('sklearn.option', 'SVR', SelectFromModel(LinearRegression()), X, ROWS, TARGET,
        change=lambda state: state.update(estimator_=__import__('sklearn.svm').svm.SVR().fit(X, TARGET)))
refused('sklearn.option', 'threshold', SelectFromModel(LinearRegression()), X, ROWS, TARGET,
        change=lambda state: state.update(threshold='best'))
refused('sklearn.option', 'threshold', SelectFromModel(LinearRegression()), X, ROWS, TARGET,
        change=lambda state: state.update(threshold='x*mean'))
refused('sklearn.option', 'max_features', SelectFromModel(LinearRegression()), X, ROWS, TARGET,
        change=lambda state: state.update(max_features=-1))
refused('sklearn.shape', 'coef_', SelectFromModel(LinearRegression()), X, ROWS, TARGET,
        change=lambda state: state['estimator_'].__dict__.update(coef_=np.ones(3)))
refused('sklearn.option', 'float32', SelectFromModel(LinearRegression()), X, ROWS, TARGET,
        change=lambda state: state['estimator_'].__dict__.update(coef_=np.ones(5, 'f')))
refused('sklearn.state', 'estimator_', SelectFromModel(LinearRegression()), X, ROWS, TARGET,
        change=lambda state: state.update(estimator_=3, n_features_in_=5))
refused('sklearn.shape', 'cluster_centers_', KMeans(3, n_init=1), X,
        change=lambda state: state.update(cluster_centers_=np.ones((3, 2))))
for feature_range in ((1,), ('a', 1), (1, 'b')):
    refused('sklearn.option', 'feature_range', MinMaxScaler(clip=True), X,
            change=lambda state, value=feature_range: state.update(feature_range=value))
refused('sklearn.option', 'kw_args', FunctionTransformer(np.log1p, validate=VALIDATE), X,
        change=lambda state: state.update(kw_args=3))
refused('sklearn.option', 'func', FunctionTransformer(np.log1p, validate=VALIDATE), X,
        change=lambda state: state.update(func='log'))
refused('sklearn.option', 'func', FunctionTransformer(np.log1p, validate=VALIDATE), X,
        change=lambda state: state.update(func=LinearRegression()))
refused('sklearn.option', 'Binarizer', FunctionTransformer(np.log1p, validate=VALIDATE), X,
        change=lambda state: state.update(func=Binarizer))
refused('sklearn.shape', 'no column', OneHotEncoder(drop='first'), np.ones((9, 1)))
refused('sklearn.shape', 'one column', LabelEncoder(), LABELS,
        change=lambda state: state.update(classes_=np.array([], dtype=int)))
for centers in (np.ones((0, 5)), np.ones(5)):
    refused('sklearn.shape', 'cluster_centers_', KMeans(3, n_init=1), X,
            change=lambda state, centers=centers: state.update(cluster_centers_=centers))
    refused('sklearn.shape', 'components_', PCA(2), X,
            change=lambda state, centers=centers: state.update(components_=centers))
refused('sklearn.option', 'feature_range', MinMaxScaler(clip=True), X,
        change=lambda state: state.update(feature_range=(1, 0)))


# ---- how earlier versions computed it: a file of today that says it is older

def aged(version, estimator, data, rows, want, change=None):
    AGED.append((version, estimator, data, np.array(rows), np.array(want), change))


# Rows of a norm near zero; numbers close below an edge; a constant where nothing was found.
aged('0.9.9', Normalizer('l1'), X, [[1e-17, 0, 0, 0, 0]], [[1.0, 0, 0, 0, 0]])
aged('9.9.9', Normalizer('l1'), X, [[1e-17, 0, 0, 0, 0]], [[1e-17, 0, 0, 0, 0]])
aged('0.9.9', KBinsDiscretizer(4, encode='ordinal', strategy='uniform'), [[0.0], [4.0]],
     [[1.99999], [9], [-3]], [[2.0], [3], [0]])
aged('9.9.9', KBinsDiscretizer(4, encode='ordinal', strategy='uniform'), [[0.0], [4.0]],
     [[1.99999], [9], [-3]], [[1.0], [3], [0]])
aged('1.7.9', SimpleImputer(strategy='constant', fill_value=NAN), X[:, :2], [[1, NAN]], [[1, NAN]])
aged('9.9.9', SimpleImputer(strategy='constant', fill_value=NAN), X[:, :2], [[1, NAN]], None)
for version in ('1.4.9', '1.5.0'):
    aged(version, PCA(2, whiten=True), X, X[:5], PCA(2, whiten=True).fit(X).transform(X[:5]))
aged('9.9.9', PowerTransformer(standardize=False), X, X[:5],
     PowerTransformer(standardize=False).fit(X).transform(X[:5]))
aged('0.9.9', PowerTransformer(standardize=False), X, X[:5],
     PowerTransformer(standardize=False).fit(X).transform(X[:5]))
aged('1.8.0', SelectFromModel(LogisticRegression().fit(X[:, :2], LABELS), prefit=True), X[:, :2],
     X[:5, :2], X[:5, :2], lambda state: state['estimator_'].__dict__.update(
         coef_=np.array([[1e-4, 3.0]]), l1_ratio=1.0))
aged('1.7.0', SelectFromModel(LogisticRegression().fit(X[:, :2], LABELS), prefit=True), X[:, :2],
     X[:5, :2], X[:5, 1:2], lambda state: state['estimator_'].__dict__.update(
         coef_=np.array([[1e-4, 3.0]]), l1_ratio=1.0))
# A constant becomes a number of the type that was fitted.
for dtype, filled in (('f4', float(np.float32(0.1))), ('f8', 0.1), ('i8', 0.0), ('O', 0.1)):
    aged('1.9.0', SimpleImputer(strategy='constant', fill_value=0.1), X[:, :2], [[1, NAN]],
         [[1, filled]], lambda state, dtype=dtype: state.update(_fill_dtype=np.dtype(dtype)))


class Reconstructed:
    """A function of numpy as its versions before 1.20 wrote them."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return old_reconstruct, self.arguments


def old_reconstruct():
    """Stands for numpy.core._ufunc_reconstruct."""


old_reconstruct.__module__, old_reconstruct.__qualname__ = 'numpy.core', '_ufunc_reconstruct'
old_reconstruct.__name__ = '_ufunc_reconstruct'
np.core._ufunc_reconstruct = old_reconstruct
for arguments, want in ((('numpy.core.umath', 'sqrt'), np.sqrt(np.abs(X[:3]))),
                        (('numpy.core.umath', 'isnan'), None), (('sqrt',), None)):
    aged('1.2.0', FunctionTransformer(np.sqrt, validate=True), np.abs(X), np.abs(X[:3]), want,
         lambda state, arguments=arguments: state.update(func=Reconstructed(*arguments)))


if VERSION < (1, 3):
    # A class of that name: its state is all that is read.
    TargetEncoder = type('TargetEncoder', (), {'__module__': 'sklearn.preprocessing._target_encoder'})
    stand_in = sys.modules['sklearn.preprocessing._target_encoder'] = type(sys)('stand_in')
    stand_in.TargetEncoder = TargetEncoder


def target_encoder(**changes):
    encoder = object.__new__(TargetEncoder)
    encoder.__dict__.update({
        'categories': 'auto', 'smooth': 'auto', 'cv': 5, 'shuffle': True, 'random_state': 0,
        'target_type': 'auto', 'n_features_in_': 2, '_infrequent_enabled': False,
        'categories_': [np.array([1.0, 2.0]), np.array([0.0, NAN])], 'target_type_': 'continuous',
        'encodings_': [np.array([0.25, 0.5]), np.array([7.0, 8.0])], 'target_mean_': 3.5,
        **changes})
    return encoder


TARGETS = [[1.0, NAN], [2, 0], [9, 9]]
aged('1.3.0', target_encoder(), None, TARGETS, [[0.25, 8], [0.5, 7], [3.5, 3.5]])
aged('1.4.0', target_encoder(
    target_type_='multiclass', target_mean_=np.array([0.1, 0.9]),
    encodings_=[np.array([1.0, 2.0]), np.array([3.0, 4]), np.array([5.0, 6]), np.array([7.0, 8])]),
     None, TARGETS, [[1, 3, 6, 8], [2, 4, 5, 7], [0.1, 0.9, 0.1, 0.9]])
for wrong in ({'target_mean_': np.ones(2)}, {'target_mean_': np.ones(0), 'encodings_': []},
              {'encodings_': [np.ones(2)]}, {'encodings_': [np.ones(2), np.ones(3)]},
              {'target_type_': 'multiclass', 'target_mean_': np.ones((2, 1))}):
    aged('1.3.0', target_encoder(**wrong), None, TARGETS, None)
aged('none', Normalizer('l1'), X, X[:1], None)
aged('1.x.1', Normalizer('l1'), X, X[:1], None)


# ---- running

def write_rows(folder, rows):
    rows = np.asarray(rows)
    if rows.dtype.kind in 'fiub' and rows.ndim == 2:
        path = folder / 'rows.npy'
        np.save(path, rows.astype(float))
        return path
    path = folder / 'rows.csv'
    columns = rows if rows.ndim == 2 else rows[:, None]
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow([f'x{i}' for i in range(columns.shape[1])])
        writer.writerows([['' if v is None or v != v else v for v in row] for row in columns])
    return path


def predict(estimator, rows, version=None):
    data = pickle.dumps(estimator, 4)
    if version:
        mine = sklearn.__version__.encode()
        data = data.replace(b'\x8c%c%s' % (len(mine), mine),
                            b'\x8c%c%s' % (len(version), version.encode()))
        # In one frame, whose length is another now.
        data = data[:3] + (len(data) - 11).to_bytes(8, 'little') + data[11:]
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / 'model.pkl'
        model.write_bytes(starved.keep(data))
        table = write_rows(Path(folder), rows)
        return subprocess.run([WEIGHLOCK, 'predict', '--allow-unsigned', '--format', 'json',
                               '--json', str(model), str(table)], capture_output=True, text=True,
                              check=False)


def flat(values):
    values = values.toarray() if hasattr(values, 'toarray') else np.asarray(values)
    return values.astype(float).reshape(len(values), -1)


def compare(got, want, tolerance):
    got = np.array([[NAN if v is None else float(v) for v in row]
                    for row in (r if isinstance(r, list) else [r] for r in got)])
    want = flat(want)
    if want.shape[1] == 0 or got.shape != want.shape:
        return None if got.size == want.size else f'shape {got.shape}, not {want.shape}'
    with np.errstate(invalid='ignore'):
        error = np.abs(got - want) / np.maximum(1, np.abs(want))
    error[(got == want) | (np.isnan(got) & np.isnan(want))] = 0
    worst = np.unravel_index(np.argmax(np.nan_to_num(error, nan=1e300)), error.shape)
    return None if (error <= tolerance).all() else f'at {worst}: {got[worst]!r}, not {want[worst]!r}'


def run_case(work):
    estimator, data, rows, _, _ = work
    done = predict(estimator, rows)
    if done.returncode != 0:
        return f'exit {done.returncode}: {done.stdout[:300]}{done.stderr[:300]}'
    outputs = json.loads(done.stdout)['outputs']
    with np.errstate(all='ignore'):
        want = estimator.transform(rows)
    if 'distances' in outputs:
        if outputs['label'] != estimator.predict(rows).tolist():
            return 'labels differ'
        return compare(outputs['distances'], want, 1e-9)
    if getattr(want, 'dtype', None) == object:
        want = [['' if v is None or v != v else v for v in row] for row in want]
        return None if outputs['transformed'] == want else 'texts differ'
    # What was fitted in float32 is in part computed in it.
    return compare(outputs['transformed'], want, 1e-6 if data.dtype == np.float32 else 1e-9)


def run_aged(work):
    version, estimator, _, rows, want, _ = work
    done = predict(estimator, rows, version)
    if want.dtype == object:
        return None if done.returncode else f'{version} is not refused'
    if done.returncode != 0:
        return f'exit {done.returncode}: {done.stdout[:300]}{done.stderr[:300]}'
    return compare(json.loads(done.stdout)['outputs']['transformed'], want, 1e-9)


def run_refused(work):
    rule, words, estimator, _, rows, _, change = work
    if change:
        change(estimator.__dict__)
    done = predict(estimator, rows)
    said = done.stdout + done.stderr
    if done.returncode == 0 or f'"{rule}"' not in said or words not in said:
        return f'{rule} with {words!r} expected, exit {done.returncode}: {said[:400]}'
    return None


def fit(estimator, data, target):
    with np.errstate(all='ignore'):
        return estimator.fit(data) if target is None else estimator.fit(data, target)


def main():
    warnings.simplefilter('ignore')
    chosen = sys.argv[1:]
    works = [(run_case, w, str(w[0])) for w in CASES]
    works += [(run_refused, w, f'refused {w[2]}') for w in REFUSED]
    works += [(run_aged, w, f'{w[0]} {w[1]}') for w in AGED]
    works = [w for w in works if not chosen or any(c in w[2] for c in chosen)]
    for run, work, _ in works:
        if run is run_case:
            fit(work[0], work[1], work[3])
            if work[4]:
                work[4](work[0].__dict__)
        elif run is run_refused:
            fit(work[2], work[3], work[5])
        else:
            if work[2] is not None:
                fit(work[1], work[2], None)
            if work[5]:
                work[5](work[1].__dict__)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda w: w[0](w[1]), works))
    failed = [(name, why) for (_, _, name), why in zip(works, results) if why]
    for name, why in failed:
        print(f'{name}: {why}'.replace('\n', ' '))
    print(f'{len(works) - len(failed)} of {len(works)}')
    starving = starved.check()
    print('\n'.join(starving))
    return 1 if failed or starving or not works else 0


if __name__ == '__main__':
    sys.exit(main())
