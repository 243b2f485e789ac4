"""Seeded data sets for estimators: numbers, categories, missing values."""
import numpy
import pandas
from sklearn.datasets import make_classification, make_regression

TRAIN, ROWS = 300, 120
CITIES = ['Århus', 'Bergen', 'Gdańsk', 'Kiel', 'Oslo', 'Turku', 'Visby']


class Data:
    """Training data x, y, and rows to predict, of the same form as x."""

    def __init__(self, x, y, rows):
        self.x, self.y, self.rows = x, y, rows


def split(x, y):
    return Data(x[:TRAIN], None if y is None else y[:TRAIN], x[TRAIN:])


def numbers(classes=2, columns=8, seed=1):
    x, y = make_classification(TRAIN + ROWS, columns, n_informative=columns - 2, n_classes=classes,
                               flip_y=0.15, random_state=seed)
    return split(x * numpy.linspace(0.2, 30, columns), y)


def words(classes=3):
    """Classes that are texts."""
    data = numbers(classes, seed=2)
    data.y = numpy.array(['grøn', 'rød', 'sort', 'hvid'])[data.y]
    return data


def target(columns=8, targets=1):
    x, y = make_regression(TRAIN + ROWS, columns, n_informative=columns - 2, n_targets=targets,
                           noise=4, random_state=3)
    return split(x, y / 50)


def positive():
    data = target()
    data.y = numpy.exp(data.y / 4)
    return data


def counts(classes=3):
    rng = numpy.random.RandomState(4)
    y = rng.randint(classes, size=TRAIN + ROWS)
    return split(rng.poisson(2 + y[:, None] * numpy.arange(1, 7) % 5).astype(float), y)


def holes(data, share=0.1):
    """Some numbers are missing, in the training data and in the rows."""
    rng = numpy.random.RandomState(5)
    for name in ('x', 'rows'):
        x = getattr(data, name).copy()
        x[rng.rand(*x.shape) < share] = numpy.nan
        setattr(data, name, x)
    return data


def single(data):
    data.x = data.x.astype(numpy.float32)
    data.rows = data.rows.astype(numpy.float32)
    return data


def named(data):
    """As a data frame, whose columns have names."""
    names = [f'måling {i}' if i % 3 == 0 else f'm{i}' for i in range(data.x.shape[1])]
    data.x = pandas.DataFrame(data.x, columns=names)
    data.rows = pandas.DataFrame(data.rows, columns=names)
    return data


def people(missing=True, classes=2, texts_missing=None):
    """A table as people have them: texts and numbers, some of both missing."""
    rng = numpy.random.RandomState(6)
    n = TRAIN + ROWS
    city = rng.randint(len(CITIES), size=n)
    sex = rng.randint(2, size=n)
    age = rng.normal(45, 15, n).round(1)
    income = numpy.exp(rng.normal(10, 1, n)).round(2)
    rooms = rng.randint(1, 6, size=n).astype(float)
    score = city - 3 + (age - 45) / 10 + sex * 2 + numpy.log(income) - 10 + rng.normal(0, 1, n)
    y = numpy.digitize(score, numpy.quantile(score, numpy.arange(1, classes) / classes))
    frame = pandas.DataFrame({'city': numpy.array(CITIES, dtype=object)[city],
                              'sex': numpy.array(['f', 'm'], dtype=object)[sex],
                              'age': age, 'income': income, 'rooms': rooms})
    if missing:
        for name in ('age', 'income', 'rooms'):
            frame.loc[rng.rand(n) < 0.1, name] = numpy.nan
    if texts_missing is not None:
        for name in ('city', 'sex'):
            column = frame[name].to_numpy(dtype=object)
            column[rng.rand(n) < 0.1] = texts_missing
            frame[name] = pandas.Series(column, dtype=object)
    return Data(frame[:TRAIN], y[:TRAIN], frame[TRAIN:])


def categories(classes=2):
    """Columns of small whole numbers as categories."""
    rng = numpy.random.RandomState(7)
    x = rng.randint(0, 6, size=(TRAIN + ROWS, 5)).astype(float)
    y = ((x[:, 0] * 3 + x[:, 1] ** 2 + rng.normal(0, 6, len(x))) / 9).astype(int) % classes
    return split(x, y)


def several(kind='classes'):
    """More than one thing to predict."""
    data = target(targets=3)
    if kind == 'classes':
        data.y = numpy.digitize(data.y, [-1, 1])
    return data


def labels_of(data):
    """Several of three labels may hold."""
    data = several()
    data.y = (data.y > 1).astype(int)
    return data
