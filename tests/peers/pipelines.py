"""The fitted pipelines that are compared: one row each, all from seeds.

Scales are chosen so that float32 can hold the answer: where a sum of large terms nearly
cancels, onnxruntime's own rounding is larger than the tolerance."""
from collections import namedtuple

import numpy
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import (AdaBoostClassifier, AdaBoostRegressor, BaggingClassifier,
                              ExtraTreesClassifier, ExtraTreesRegressor,
                              GradientBoostingClassifier, GradientBoostingRegressor,
                              HistGradientBoostingClassifier, HistGradientBoostingRegressor,
                              IsolationForest, RandomForestClassifier, RandomForestRegressor,
                              StackingClassifier, StackingRegressor, VotingClassifier,
                              VotingRegressor)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (BayesianRidge, ElasticNet, HuberRegressor, Lasso,
                                  LinearRegression, LogisticRegression, PoissonRegressor, Ridge,
                                  RidgeClassifier, SGDClassifier, SGDRegressor)
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (Binarizer, KBinsDiscretizer, MaxAbsScaler, MinMaxScaler,
                                   Normalizer, OneHotEncoder, OrdinalEncoder, PolynomialFeatures,
                                   PowerTransformer, RobustScaler, StandardScaler)
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR
from sklearn.discriminant_analysis import (LinearDiscriminantAnalysis,
                                           QuadraticDiscriminantAnalysis)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

ROWS = 1000
TRAINED = 600

# x, y: what it is fitted on; inputs: the 1,000 rows, one array an input of the model; types:
# of the inputs, for the export.
Data = namedtuple('Data', 'x y inputs types')

# How a label follows from the scores beside it: it is that of the largest or smallest one,
# or the sign of the only one.
LARGEST, SMALLEST, SIGN = 'largest', 'smallest', 'sign'
# opset: what the exporter is asked for where it cannot write the newest that it knows; options:
# of the exporter.
Pipeline = namedtuple('Pipeline', 'name data estimator label opset options',
                      defaults=[LARGEST, None, None])


# ---- data

def split(x, y):
    x = x.astype(numpy.float32)
    return Data(x[:TRAINED], y[:TRAINED], [x[TRAINED:]],
                [('X', FloatTensorType([None, x.shape[1]]))])


def classes(count, features=10, seed=0):
    x, y = make_classification(TRAINED + ROWS, features, n_informative=6, n_classes=count,
                               random_state=seed)
    return split(x, y)


def named_classes():
    data = classes(3)
    return data._replace(y=numpy.array(['bad', 'fair', 'good'])[data.y])


def positive_classes():
    data = classes(3)
    return data._replace(x=abs(data.x), inputs=[abs(data.inputs[0])])


def numbers(targets=1, seed=0):
    x, y = make_regression(TRAINED + ROWS, 10, n_informative=6, n_targets=targets, noise=0.1,
                           random_state=seed)
    return split(x, y / 20)


def small_numbers():
    data = numbers()
    return data._replace(y=data.y / 100)


def counts():
    data = numbers()
    return data._replace(y=numpy.round(numpy.exp(data.y / 10)))


def holes():
    data = classes(2)
    rng = numpy.random.RandomState(1)
    x, = data.inputs
    punched = [numpy.where(rng.uniform(size=a.shape) < 0.1, numpy.float32(numpy.nan), a)
               for a in (data.x, x)]
    return data._replace(x=punched[0], inputs=[punched[1]])


def whole_numbers():
    rng = numpy.random.RandomState(2)
    x = rng.randint(0, 5, (TRAINED + ROWS, 4))
    return split(x, (x[:, 0] + x[:, 1] > 4).astype(int))


COLUMNS = ['age', 'income', 'city', 'colour']


def table():
    """Two columns of numbers, one with holes, and two of text: an input each."""
    rng = numpy.random.RandomState(3)
    rows = TRAINED + ROWS
    age = numpy.where(rng.uniform(size=rows) < 0.1, numpy.nan, rng.uniform(18, 90, rows))
    columns = [age.astype(numpy.float32), rng.lognormal(1, 0.5, rows).astype(numpy.float32),
               rng.choice(['Amsterdam', 'Bern', 'Córdoba', 'Delhi'], rows).astype(object),
               rng.choice(['red', 'green', 'blue'], rows).astype(object)]
    y = ((columns[2] == 'Bern') ^ (columns[1] > 3)).astype(int)
    x = numpy.array(columns, object).T
    kinds = [FloatTensorType, FloatTensorType, StringTensorType, StringTensorType]
    return Data(x[:TRAINED], y[:TRAINED], [column[TRAINED:, None] for column in columns],
                [(name, kind([None, 1])) for name, kind in zip(COLUMNS, kinds)])


def categories():
    data = table()
    return Data(data.x[:, 2:], data.y, [numpy.hstack(data.inputs[2:])], [('X', StringTensorType([None, 2]))])


WORDS = ('lock boat canal water gate weigh tare cargo barge keel stern bow mast rope anchor tide écluse '
         'river bridge harbour quay pilot chart buoy wharf crane hull deck ballast draught').split()


def text():
    rng = numpy.random.RandomState(4)
    x, y = [], []
    for _ in range(TRAINED + ROWS):
        kind = rng.randint(2)
        pool = WORDS[:18] if kind else WORDS[12:]
        words = rng.choice(pool, rng.randint(3, 12))
        x.append(' '.join(word.upper() if rng.uniform() < 0.1 else word for word in words))
        y.append(kind)
    asked = numpy.array(x[TRAINED:], object).reshape(-1, 1)
    return Data(x[:TRAINED], y[:TRAINED], [asked], [('X', StringTensorType([None, 1]))])


# ---- pipelines

def of_table(numeric, categoric):
    return ColumnTransformer([('numbers', numeric, [0, 1]), ('names', categoric, [2, 3])])


def make_table_logistic():
    return make_pipeline(
        of_table(make_pipeline(SimpleImputer(), StandardScaler()),
                 OneHotEncoder(handle_unknown='ignore')), LogisticRegression())


def make_table_trees():
    return make_pipeline(
        of_table(SimpleImputer(strategy='median'), OrdinalEncoder()),
        GradientBoostingClassifier(n_estimators=30, random_state=0))


def logistic():
    return make_pipeline(StandardScaler(), LogisticRegression())


def forest():
    return RandomForestClassifier(30, random_state=0)


def members():
    return [('logistic', logistic()), ('forest', forest()), ('bayes', GaussianNB())]


def regressors():
    return [('ridge', Ridge()), ('tree', DecisionTreeRegressor(max_depth=5, random_state=0))]


def mlp(kind, **options):
    return make_pipeline(StandardScaler(), kind(hidden_layer_sizes=(32, 16), max_iter=150,
                                                random_state=0, **options))


def of_text(name, vectorizer, estimator):
    """onnxruntime finds no other locale on every machine."""
    return Pipeline(name, text, make_pipeline(vectorizer, estimator),
                    options={type(vectorizer): {'locale': 'C.UTF-8'}})


PIPELINES = [
    # linear
    Pipeline('logistic', lambda: classes(2), logistic()),
    Pipeline('logistic_multinomial', lambda: classes(4), logistic()),
    Pipeline('logistic_names', named_classes, logistic()),
    Pipeline('one_vs_rest', lambda: classes(3), OneVsRestClassifier(LogisticRegression())),
    Pipeline('sgd_classifier', lambda: classes(3),
             make_pipeline(StandardScaler(), SGDClassifier(loss='log_loss', random_state=0))),
    Pipeline('ridge_classifier', lambda: classes(3), RidgeClassifier()),
    Pipeline('lda', lambda: classes(3), LinearDiscriminantAnalysis()),
    Pipeline('qda', lambda: classes(3), QuadraticDiscriminantAnalysis(reg_param=0.1)),
    Pipeline('linear_regression', numbers, LinearRegression()),
    Pipeline('linear_regression_targets', lambda: numbers(3), LinearRegression()),
    Pipeline('ridge', numbers, make_pipeline(RobustScaler(), Ridge())),
    Pipeline('lasso', numbers, make_pipeline(MinMaxScaler(), Lasso(0.01))),
    Pipeline('elastic_net', numbers, make_pipeline(MaxAbsScaler(), ElasticNet(0.01))),
    Pipeline('sgd_regressor', numbers, SGDRegressor(random_state=0)),
    Pipeline('bayesian_ridge', numbers, BayesianRidge()),
    Pipeline('huber', numbers, HuberRegressor()),
    Pipeline('poisson', counts, PoissonRegressor()),
    Pipeline('polynomial', numbers, make_pipeline(PolynomialFeatures(2), Ridge())),
    # trees
    Pipeline('tree', lambda: classes(3), DecisionTreeClassifier(random_state=0)),
    Pipeline('tree_regressor', numbers, DecisionTreeRegressor(random_state=0)),
    Pipeline('forest', lambda: classes(3), forest()),
    Pipeline('forest_names', named_classes, forest()),
    Pipeline('forest_regressor', numbers, RandomForestRegressor(30, random_state=0)),
    Pipeline('extra_trees', lambda: classes(2), ExtraTreesClassifier(30, random_state=0)),
    Pipeline('extra_trees_regressor', numbers, ExtraTreesRegressor(30, random_state=0)),
    Pipeline('gradient_boosting', lambda: classes(2),
             GradientBoostingClassifier(n_estimators=50, random_state=0)),
    Pipeline('gradient_boosting_classes', lambda: classes(3),
             GradientBoostingClassifier(n_estimators=30, random_state=0)),
    Pipeline('gradient_boosting_regressor', numbers,
             GradientBoostingRegressor(n_estimators=50, random_state=0)),
    Pipeline('hist_boosting_holes', holes,
             HistGradientBoostingClassifier(max_iter=50, random_state=0)),
    Pipeline('hist_boosting_regressor', numbers,
             HistGradientBoostingRegressor(max_iter=50, random_state=0)),
    Pipeline('ada_boost', lambda: classes(3), AdaBoostClassifier(n_estimators=20, random_state=0)),
    Pipeline('ada_boost_regressor', numbers,
             AdaBoostRegressor(n_estimators=20, random_state=0)),
    Pipeline('isolation_forest', lambda: classes(2),
             IsolationForest(n_estimators=50, random_state=0), SIGN, {'': 18, 'ai.onnx.ml': 3}),
    # ensembles of others
    Pipeline('bagging', lambda: classes(3),
             BaggingClassifier(LogisticRegression(), 10, random_state=0)),
    Pipeline('voting_soft', lambda: classes(3),
             VotingClassifier(members(), voting='soft', flatten_transform=False)),
    Pipeline('voting_hard', lambda: classes(3), VotingClassifier(members(), flatten_transform=False)),
    Pipeline('voting_regressor', numbers, VotingRegressor(regressors())),
    Pipeline('stacking', lambda: classes(3), StackingClassifier(members(), cv=3)),
    Pipeline('stacking_regressor', numbers, StackingRegressor(regressors(), cv=3)),
    Pipeline('calibrated_sigmoid', lambda: classes(2),
             CalibratedClassifierCV(LinearSVC(random_state=0), cv=3)),
    Pipeline('calibrated_isotonic', lambda: classes(3),
             CalibratedClassifierCV(GaussianNB(), method='isotonic', cv=3)),
    # support vectors
    Pipeline('svc_probabilities', lambda: classes(3),
             make_pipeline(StandardScaler(), SVC(probability=True, random_state=0))),
    Pipeline('svc_two_classes', lambda: classes(2),
             make_pipeline(StandardScaler(), SVC(kernel='poly', degree=2))),
    Pipeline('nu_svc', lambda: classes(2),
             make_pipeline(StandardScaler(), NuSVC(probability=True, random_state=0))),
    Pipeline('linear_svc', lambda: classes(3), LinearSVC(random_state=0)),
    Pipeline('svr', numbers, make_pipeline(StandardScaler(), SVR())),
    Pipeline('nu_svr', numbers, make_pipeline(StandardScaler(), NuSVR())),
    Pipeline('linear_svr', numbers, LinearSVR(random_state=0)),
    # neighbours, Bayes, networks
    Pipeline('knn', lambda: classes(3), KNeighborsClassifier()),
    Pipeline('knn_weighted', lambda: classes(3), KNeighborsClassifier(7, weights='distance')),
    Pipeline('knn_regressor', numbers, KNeighborsRegressor()),
    Pipeline('gaussian_nb', lambda: classes(3), GaussianNB()),
    Pipeline('multinomial_nb', positive_classes, MultinomialNB()),
    Pipeline('complement_nb', positive_classes, ComplementNB()),
    Pipeline('bernoulli_nb', lambda: classes(3), make_pipeline(Binarizer(), BernoulliNB())),
    Pipeline('mlp', lambda: classes(3), mlp(MLPClassifier)),
    Pipeline('mlp_logistic', lambda: classes(2), mlp(MLPClassifier, activation='logistic')),
    Pipeline('mlp_regressor', numbers, mlp(MLPRegressor, activation='tanh')),
    Pipeline('gaussian_process', small_numbers,
             GaussianProcessRegressor(RBF(3.0), alpha=1.0, optimizer=None)),
    # without a target, and what prepares
    Pipeline('pca', lambda: classes(3), make_pipeline(PCA(4, whiten=True), LogisticRegression())),
    Pipeline('truncated_svd', numbers, make_pipeline(TruncatedSVD(5, random_state=0), Ridge())),
    Pipeline('kmeans', lambda: classes(3), KMeans(5, n_init=2, random_state=0), SMALLEST),
    Pipeline('mini_batch_kmeans', lambda: classes(3),
             MiniBatchKMeans(4, n_init=2, random_state=0), SMALLEST),
    Pipeline('gaussian_mixture', lambda: classes(3), GaussianMixture(3, reg_covar=1e-3, random_state=0)),
    Pipeline('union', numbers,
             make_pipeline(make_union(PCA(3), StandardScaler(), Normalizer()), Ridge())),
    Pipeline('select', lambda: classes(3), make_pipeline(SelectKBest(k=4), LogisticRegression())),
    Pipeline('bins', lambda: classes(3),
             make_pipeline(KBinsDiscretizer(4, encode='onehot-dense', strategy='uniform'),
                           LogisticRegression())),
    Pipeline('power', lambda: classes(3), make_pipeline(PowerTransformer(), LogisticRegression())),
    Pipeline('impute', holes, make_pipeline(SimpleImputer(), LogisticRegression())),
    Pipeline('one_hot_numbers', whole_numbers,
             make_pipeline(OneHotEncoder(), LogisticRegression())),
    # columns and text
    Pipeline('table_logistic', table, make_table_logistic()),
    Pipeline('table_trees', table, make_table_trees()),
    Pipeline('one_hot_names', categories, make_pipeline(OneHotEncoder(), LogisticRegression())),
    Pipeline('ordinal_names', categories,
             make_pipeline(OrdinalEncoder(), DecisionTreeClassifier(random_state=0))),
    of_text('text_counts', CountVectorizer(), MultinomialNB()),
    of_text('text_tfidf', TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression()),
    of_text('text_letters', TfidfVectorizer(analyzer='char', ngram_range=(1, 2)),
            LogisticRegression()),
]


def export(pipeline, data):
    """The fitted pipeline as bytes of an ONNX file, with the exporter's own defaults."""
    pipeline.estimator.fit(data.x, data.y)
    model = to_onnx(pipeline.estimator, initial_types=data.types, target_opset=pipeline.opset,
                    options=pipeline.options)
    return model.SerializeToString()
