#!/usr/bin/python3
"""Trees and ensembles of scikit-learn predict through the cage what scikit-learn predicts:
forests, boosting, bagging, votes and stacks, with missing values, sets of categories and
several outputs; and so do trees in every record that a version or a machine writes."""

import json
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy
import sklearn
from sklearn import ensemble, tree
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)

import starved  # noqa: E402
import tree_layouts  # noqa: E402

WEIGHLOCK = os.path.join(os.path.abspath(os.environ.get('BUILD', 'build')), 'bin', 'weighlock')
VERSION = tuple(int(part) for part in sklearn.__version__.split('.')[:2])
MSE, MAE = ('squared_error', 'absolute_error') if VERSION >= (1, 0) else ('ls', 'lad')
SAMME = {'algorithm': 'SAMME'} if VERSION < (1, 8) else {}

random = numpy.random.RandomState(0)
X, Y = load_iris(return_X_y=True)
TWO = (Y == 1).astype(int)
TEXTS = numpy.array(['setosa', 'versicolor', 'virginica'])[Y]
HOLES = X.copy()
HOLES[random.rand(*X.shape) < 0.1] = numpy.nan
WEIGHTS = random.rand(len(Y))
SEVERAL = numpy.column_stack([Y, (Y + 1) % 2])
RARE = numpy.array(['a'] * 100 + ['b'] * 47 + ['c'] * 3)
SUGAR, LEVEL = (part[:200] for part in load_diabetes(return_X_y=True))
LEVELS = numpy.column_stack([LEVEL, -2 * LEVEL])
DIGITS, DIGIT = (part[:300] for part in load_digits(return_X_y=True))
CODES = numpy.column_stack([X, random.randint(0, 12, len(X)), random.randint(0, 4, len(X))])
CODED = ((CODES[:, 4] % 3 == 0) ^ (CODES[:, 5] == 2)).astype(int)
# Categories that training did not have, missing and negative ones, and some beyond a byte.
STRANGE = CODES.copy()
STRANGE[:12, 4] = [99, -1, 300, 258, -0.5, -255, -254.5, -256, 11.5, numpy.nan, 3.25, 0]
STRANGE[:3, 5] = [numpy.nan, 7, -3]


def tree_cases():
    t = tree
    yield t.DecisionTreeClassifier(random_state=0), X, Y
    yield t.DecisionTreeClassifier(max_depth=2, class_weight='balanced'), X, TEXTS
    yield t.DecisionTreeClassifier(max_leaf_nodes=7, random_state=0), X, TEXTS
    yield t.DecisionTreeClassifier(ccp_alpha=0.02, criterion='entropy'), X, TWO.astype(bool)
    yield t.DecisionTreeClassifier(max_depth=3, random_state=0), X, SEVERAL
    yield t.DecisionTreeClassifier(max_depth=1), X, numpy.zeros(len(X))
    yield t.ExtraTreeClassifier(max_depth=4, random_state=1), X, Y * 2.0
    yield t.DecisionTreeRegressor(random_state=0), SUGAR, LEVEL
    yield t.DecisionTreeRegressor(max_depth=4), SUGAR, LEVELS
    yield t.ExtraTreeRegressor(random_state=1), SUGAR, LEVEL
    if VERSION >= (1, 3):
        yield t.DecisionTreeClassifier(max_depth=4, random_state=0), HOLES, Y
        yield t.DecisionTreeRegressor(max_depth=4, random_state=0), HOLES, X[:, 0]
    if VERSION >= (1, 4):
        yield t.DecisionTreeClassifier(monotonic_cst=[1, 0, 0, 0], random_state=0), X, TWO
        yield ensemble.RandomForestClassifier(10, random_state=0), HOLES, Y


def forest_cases():
    e = ensemble
    yield e.RandomForestClassifier(20, random_state=0), X, TEXTS
    yield e.RandomForestClassifier(20, max_depth=2, class_weight='balanced', random_state=0), X, Y
    yield e.RandomForestClassifier(10, random_state=0), X, TWO.astype(bool)
    yield e.RandomForestClassifier(10, max_depth=5, random_state=0), DIGITS, DIGIT
    yield e.RandomForestClassifier(8, max_depth=3, random_state=0), X, SEVERAL
    yield e.ExtraTreesClassifier(10, random_state=0), X, TEXTS
    yield e.RandomForestRegressor(20, random_state=0), SUGAR, LEVEL
    yield e.RandomForestRegressor(5, random_state=0), SUGAR, LEVELS
    yield e.ExtraTreesRegressor(10, random_state=0), SUGAR, LEVEL
    for options in ({}, {'max_features': 2, 'contamination': 0.1},
                    {'max_samples': 30, 'bootstrap': True, 'contamination': 0.25}):
        yield e.IsolationForest(n_estimators=20, random_state=0, **options), X[:141], None


def boosting_cases():
    classifier, regressor = ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor
    stump = tree.DecisionTreeClassifier(max_depth=2)
    common = {'n_estimators': 7, 'random_state': 0}
    yield classifier(**common), X, TWO
    yield classifier(subsample=0.7, **common), X, TEXTS
    yield classifier(loss='exponential', learning_rate=0.3, **common), X, TEXTS == 'setosa'
    yield classifier(init='zero', **common), X, Y
    yield classifier(init='zero', n_estimators=1, max_depth=1), *mirrored()
    yield classifier(init=stump, **common), X, Y
    yield classifier(init=stump, **common), X, TWO
    yield classifier(init=stump, loss='exponential', **common), X, TWO
    yield classifier(init=DummyClassifier(strategy='most_frequent'), **common), X, TWO
    for loss in (MSE, MAE, 'huber', 'quantile'):
        yield regressor(loss=loss, **common), SUGAR, LEVEL
    yield regressor(init='zero', **common), SUGAR, LEVEL
    yield regressor(init=tree.DecisionTreeRegressor(max_depth=2), **common), SUGAR, LEVEL
    yield regressor(n_estimators=50, n_iter_no_change=3), SUGAR, LEVEL


def mirrored():
    """As many of the one class as of the other, so that a raw prediction is 0."""
    return numpy.concatenate([X, X[:, ::-1]]), numpy.concatenate([TWO, 1 - TWO])


def histogram_cases():
    classifier = ensemble.HistGradientBoostingClassifier
    regressor = ensemble.HistGradientBoostingRegressor
    common = {'max_iter': 7, 'min_samples_leaf': 5, 'random_state': 0}
    holed = CODES.copy()
    holed[::7, 4] = numpy.nan
    yield classifier(**common), HOLES, TWO
    yield classifier(**common), HOLES, TEXTS
    yield classifier(categorical_features=[4, 5], **common), CODES, CODED, STRANGE
    yield regressor(categorical_features=[False] * 4 + [True] * 2, **common), holed, X[:, 0], STRANGE
    yield regressor(categorical_features=[0, 1], **common), CODES[:, 4:], X[:, 0], STRANGE[:, 4:]
    yield regressor(**common), SUGAR, LEVEL
    yield regressor(loss='poisson', **common), SUGAR, LEVEL
    if VERSION >= (1, 1):
        yield regressor(loss='absolute_error', **common), SUGAR, LEVEL
        yield regressor(loss='quantile', quantile=0.3, **common), SUGAR, LEVEL
    if VERSION >= (1, 3):
        yield regressor(loss='gamma', **common), SUGAR, LEVEL


def adaboost_cases():
    classifier, regressor = ensemble.AdaBoostClassifier, ensemble.AdaBoostRegressor
    common = {'random_state': 0}
    if VERSION < (1, 6):
        yield classifier(n_estimators=10, algorithm='SAMME.R', **common), X, TEXTS
        yield classifier(n_estimators=10, algorithm='SAMME.R', **common), X, TWO
    yield classifier(n_estimators=10, **SAMME, **common), X, TEXTS
    yield classifier(n_estimators=20, **SAMME, **common), CODES, CODED
    yield classifier(LogisticRegression(), n_estimators=4, **SAMME, **common), X, Y * 2.0
    yield classifier(tree.DecisionTreeClassifier(), **SAMME, **common), X, TWO.astype(bool)
    yield regressor(n_estimators=15, **common), SUGAR, LEVEL
    yield regressor(tree.DecisionTreeRegressor(max_depth=5), n_estimators=7, loss='square',
                    **common), SUGAR, LEVEL


def bagging_cases():
    classifier, regressor = ensemble.BaggingClassifier, ensemble.BaggingRegressor
    stump = tree.DecisionTreeClassifier(max_depth=2)
    common = {'random_state': 0}
    yield classifier(n_estimators=7, **common), X, TEXTS
    yield classifier(stump, n_estimators=7, max_features=0.5, **common), X, TEXTS
    yield classifier(n_estimators=7, max_features=3, bootstrap_features=True, **common), X, TWO
    yield classifier(LogisticRegression(max_iter=500), n_estimators=4, max_samples=0.3, **common), X, Y
    yield classifier(LinearSVC(), n_estimators=4, **common), X, TEXTS
    # Some members do not see the rare class: with probabilities, and with votes.
    yield classifier(stump, n_estimators=9, max_samples=20, **common), X, RARE
    yield classifier(make_pipeline(StandardScaler(), LinearSVC()), n_estimators=9, max_samples=20,
                     **common), X, RARE
    yield regressor(n_estimators=7, **common), SUGAR, LEVEL
    yield regressor(n_estimators=3, max_features=4, **common), SUGAR, LEVELS


def team_cases():
    e = ensemble
    three = [('tree', tree.DecisionTreeClassifier(max_depth=2, random_state=0)),
             ('bayes', GaussianNB()), ('logistic', LogisticRegression(max_iter=500))]
    numbers = [('tree', tree.DecisionTreeRegressor(max_depth=3, random_state=0)),
               ('linear', LinearRegression())]
    drop = ('no', 'drop')
    last = tree.DecisionTreeClassifier(max_depth=3, random_state=0)
    yield e.VotingClassifier(three), X, TEXTS
    yield e.VotingClassifier(three, weights=[2, 1, 1.5]), X, TEXTS
    yield e.VotingClassifier(three, voting='soft'), X, Y
    yield e.VotingClassifier([three[0], drop, three[1]], voting='soft', weights=[1, 5, 3]), X, TWO
    yield e.VotingRegressor(numbers), SUGAR, LEVEL
    yield e.VotingRegressor(numbers, weights=numpy.array([1, 2])), SUGAR, LEVEL
    yield e.StackingClassifier(three, LogisticRegression(max_iter=500), cv=3), X, TEXTS
    yield e.StackingClassifier(three[:2], last, cv=3, passthrough=True), X, TWO
    for method in ('decision_function', 'predict'):
        yield e.StackingClassifier([('svc', LinearSVC()), drop, three[2]], last, cv=3,
                                   stack_method=method), X, TEXTS
    yield e.StackingRegressor(numbers, LinearRegression(), cv=3), SUGAR, LEVEL
    yield e.StackingRegressor(numbers, tree.DecisionTreeRegressor(max_depth=4, random_state=0),
                              cv=3, passthrough=True), SUGAR, LEVEL


TEAMS = (ensemble.VotingClassifier, ensemble.VotingRegressor, ensemble.StackingClassifier,
         ensemble.StackingRegressor)
FAMILIES = [tree_cases, forest_cases, boosting_cases, histogram_cases, adaboost_cases,
            bagging_cases, team_cases]


def cases():
    """Fitted estimators and the rows to predict."""
    for family in FAMILIES:
        for estimator, x, y, *rows in family():
            weights = {}
            if isinstance(estimator, tree.DecisionTreeClassifier) and x is X:
                weights = {'sample_weight': WEIGHTS}
            yield estimator.fit(x, y, **weights), rows[0] if rows else x


def protocols(estimator):
    """0 and 1 write what a team knows by name as a class, dict, and its entries."""
    return (0, 1, 4) if isinstance(estimator, TEAMS) else (4,)


# ---- predictions

def write_rows(path, rows):
    header = ','.join(f'x{i}' for i in range(rows.shape[1]))
    numpy.savetxt(path, rows, delimiter=',', fmt='%.17g', header=header, comments='')


def predict(data, rows):
    """What comes of a pickle and rows: exit code, then the outputs or the error."""
    with tempfile.TemporaryDirectory() as folder:
        model, table = os.path.join(folder, 'model'), os.path.join(folder, 'rows.csv')
        with open(model, 'wb') as file:
            file.write(starved.keep(data))
        write_rows(table, rows)
        done = subprocess.run([WEIGHLOCK, 'predict', '--allow-unsigned', '--format', 'json',
                               '--json', model, table], capture_output=True, text=True)
    if done.returncode == 0:
        return 0, json.loads(done.stdout)['outputs']
    return done.returncode, json.loads(done.stderr or done.stdout)


def wanted(estimator, rows):
    """The outputs that there must be, and nothing else."""
    label = 'label' if hasattr(
    estimator, 'classes_') or hasattr(
        estimator, 'offset_') else 'prediction'
    want = {label: estimator.predict(rows)}
    if hasattr(estimator, 'decision_function'):
        want['scores'] = estimator.decision_function(rows)
    if hasattr(estimator, 'predict_proba'):
        p = estimator.predict_proba(rows)
        want |= ({f'probabilities_{i}': part for i, part in enumerate(p)}
                 if isinstance(p, list) else {'probabilities': p})
    return want


def differs(name, got, want):
    """None, or what is wrong with an output."""
    got = numpy.asarray(got)
    if got.shape != want.shape:
        return f'{name} has the shape {got.shape}, not {want.shape}'
    if name == 'label':
        wrong = int((got != want).sum())
        return f'{wrong} labels differ' if wrong else None
    error = numpy.abs(got - want) / numpy.maximum(1, numpy.abs(want))
    return None if error.max() <= 1e-9 else f'{name} differs by {error.max():g}'


def check(what, data, rows, want):
    code, got = predict(data, rows)
    if code:
        return [f'{what}: exit {code}: {got}']
    if set(got) != set(want):
        return [f'{what}: gives {sorted(got)}, not {sorted(want)}']
    return [f'{what}: {why}' for why in (differs(n, got[n], want[n]) for n in want) if why]


# ---- records

def layout_cases():
    """(what, pickle, rows, wanted) of the same trees in each record."""
    forest = ensemble.RandomForestClassifier(10, max_depth=4, random_state=0).fit(X, TEXTS)
    several = tree.DecisionTreeRegressor(max_depth=4).fit(SUGAR, LEVELS)
    isolation = ensemble.IsolationForest(n_estimators=10, random_state=0).fit(X)
    histogram = ensemble.HistGradientBoostingRegressor(
        max_iter=7, random_state=0).fit(HOLES, X[:, 0])
    for name, change in tree_layouts.TREE_LAYOUTS.items():
        for estimator, rows in ((forest, X), (several, SUGAR), (isolation, X)):
            yield (f'{estimator} in records {name}', tree_layouts.dumps(estimator, change), rows,
                   wanted(estimator, rows))
    for name, dtype in tree_layouts.PREDICTOR_LAYOUTS.items():
        change = tree_layouts.predictor_layout(dtype)
        yield (f'{histogram} in records {name}', tree_layouts.dumps_histogram(histogram, change),
               HOLES, wanted(histogram, HOLES))


def class_of(module, name):
    """One that this version may not have: its name is all that is read."""
    made = type(name, (), {'__module__': module})
    sys.modules.setdefault(module, type(sys)(module)).__dict__.setdefault(name, made)
    return getattr(sys.modules[module], name)


def loss_cases():
    """(what, pickle, rows, wanted) of histogram boosting whose loss is as other versions wrote
    it. The loss that it was fitted with decides, and the option where there is none."""
    logarithm = ensemble.HistGradientBoostingRegressor(loss='poisson', max_iter=5).fit(SUGAR, LEVEL)
    identity = ensemble.HistGradientBoostingRegressor(max_iter=5).fit(SUGAR, LEVEL)
    today, before = 'sklearn._loss.loss', 'sklearn.ensemble._hist_gradient_boosting.loss'
    for fitted, option, loss in ((logarithm, 'gamma', (today, 'HalfGammaLoss')),
                                 (logarithm, 'poisson', (before, 'Poisson')),
                                 (logarithm, 'squared_error', (before, 'Poisson')),
                                 (logarithm, 'poisson', None), (logarithm, 'gamma', None),
                                 (identity, 'poisson', (before, 'LeastSquares')),
                                 (identity, 'least_squares', None)):
        want = wanted(fitted, SUGAR)
        made = pickle.loads(pickle.dumps(fitted))
        made._loss = object.__new__(class_of(*loss)) if loss else None
        made.loss = option
        yield f'{option} of {loss}', pickle.dumps(made, 4), SUGAR, want


def main():
    warnings.simplefilter('ignore')
    work = [(f'{e} in protocol {protocol}', pickle.dumps(e, protocol), rows, wanted(e, rows))
            for e, rows in cases() for protocol in protocols(e)]
    work += list(layout_cases()) + list(loss_cases())
    with ThreadPoolExecutor(2) as pool:
        wrong = [why for result in pool.map(lambda w: check(*w), work) for why in result]
    wrong += starved.check()
    print('\n'.join(wrong + [f'{len(work)} estimators']))
    return 1 if wrong or len(work) < 100 else 0


if __name__ == '__main__':
    sys.exit(main())
