#!/usr/bin/python3
"""Each part of a fitted estimator's state in turn is something else: another type, another
shape, another number, or gone. None of it crashes the converter or makes it give an image
that is none (invariant 7): it is refused by a rule of what is wrong, or it is a model; and
memory that runs out on the way is said to (tool_starve)."""
import collections
import copy
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import warnings
from zlib import crc32

import numpy as np
import scipy.sparse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import starved  # noqa: E402
import test_sklearn_core  # noqa: E402
import test_sklearn_linear  # noqa: E402
import test_sklearn_prep  # noqa: E402
import test_sklearn_trees  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402
from sklearn.linear_model import LinearRegression  # noqa: E402
from sklearn.preprocessing import (FunctionTransformer, OrdinalEncoder,  # noqa: E402
                                   StandardScaler)

NAN, INF = float('nan'), float('inf')
GONE = object()
# What refuses a state, and what refuses a value that no estimator holds.
REFUSE = ('sklearn.', 'pickle.', 'numpy.', 'joblib.', 'limit.')
DEEPEST, MOST_ITEMS, LARGEST = 5, 3, 6000

ODD = [GONE, None, True, False, 0, 1, -1, 2, 7, 2 ** 31, 2 ** 40, 2 ** 70, 0.5, -2.5, 1e300, NAN, INF,
       1j, '', 'x', 'auto', 'long' * 40, 'h\u00e9', b'x', (), [], [0], [1, 2], (0, 9), [1, 'a'],
       ['a', 'b'], [[0], [1]], [True, False], {}, {'a': 1}, {0: 1}, {'a', 'b'}, slice(0, 2),
       slice('a', None), slice(-1, 99, -1), slice(None, None, 2), np.float32(2), np.int64(1),
       np.array([]), np.array(1.5), np.array('x'), np.array([[1.0]]), np.zeros((2, 1, 1)),
       np.arange(3), np.array([True, False]), np.array(['a', 'b']),
       np.array([None, 'a'], dtype=object), np.array([1, 1.5, NAN], dtype=object),
       np.array([[1, 2], [3, 4]], dtype=object, order='F'), np.array([1j]), float, int, np.float64,
       np.dtype('f4'), np.dtype('O'), np.sqrt, np.add, StandardScaler, StandardScaler(),
       LinearRegression(), collections.OrderedDict(a=1)]


def firsts_changed(array):
    for value in (NAN, INF, -1, 0, 2 ** 31 - 1, 99) if array.size else ():
        try:
            changed = array.copy()
            changed.flat[0] = value
            yield changed
        except (TypeError, ValueError, OverflowError):
            pass


def like(array):
    """Arrays that are nearly the same."""
    if array.dtype.names or isinstance(array, np.ma.MaskedArray):
        yield from (array[:-1], array[[0]], array[:0], array[None])
        return
    yield from (array[:-1], array[:0], np.concatenate([array, array]), array[None], array[..., None],
                array[..., :1], array[..., :-1], array.ravel(), array[::-1].copy(),
                np.asfortranarray(array), array.astype(object), array.tolist(), tuple(array.tolist()))
    if array.dtype.kind in 'fiub':
        yield from (array.astype(kind) for kind in ('f4', 'f2', 'i4', '>f8', 'c16', '?', 'U', 'i8'))
        yield from (array * 0, -array.astype(float), array * NAN)
        yield from firsts_changed(array)
    elif array.size:
        yield np.full(array.shape, array.flat[0], array.dtype)
        yield from firsts_changed(array.astype(object))


def others(name, value):
    """Most for what was fitted; an option is mostly of no consequence."""
    fitted = name.endswith(('_', ']')) or '._' in name
    step = 2 if fitted else 15
    yield from ODD[crc32(name.encode()) % step::step]
    if not fitted:
        return
    if isinstance(value, np.ndarray) and value.ndim:
        yield from like(value)
    elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        yield from (value + 1, value - 1, float(value), np.array(value))
    elif isinstance(value, (list, tuple)):
        kind = type(value)
        yield from (kind(value[:-1]), kind(value) + kind(value), kind(value[::-1]))
        if value:
            yield kind([value[0]] * len(value))


# ---- the places of a state: how something else is put there, and put back

def is_estimator(value):
    return hasattr(value, '__dict__') and type(value).__module__.startswith('sklearn')


class Items:
    """A list or a dict."""

    def __init__(self, held):
        self.held = held

    def put(self, key, value):
        kept = dict(self.held) if isinstance(self.held, dict) else list(self.held)
        if value is GONE:
            del self.held[key]
        else:
            self.held[key] = value
        return kept

    def restore(self, kept):
        self.held.clear()
        (self.held.update if isinstance(self.held, dict) else self.held.extend)(kept)


class ItemOfTuple(Items):
    """What a tuple holds that a list or a dict holds."""

    def __init__(self, held, key):
        super().__init__(held)
        self.key = key

    def put(self, key, value):
        items = list(self.held[self.key])
        items[key:key + 1] = [] if value is GONE else [value]
        return super().put(self.key, tuple(items))


def is_list_of_objects(value):
    return isinstance(value, np.ndarray) and value.dtype == object and value.ndim == 1


def places(value, name='', depth=0):
    """(name, what holds it, key, value)"""
    if depth > DEEPEST:
        return
    if is_estimator(value) or scipy.sparse.issparse(value):
        name, value = type(value).__name__, value.__dict__
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list) or is_list_of_objects(value):
        keys = range(min(len(value), MOST_ITEMS))
    elif isinstance(value, tuple):
        for item in value:
            yield from places(item, name, depth + 1)
        return
    else:
        return
    for key in keys:
        within = f'{name}.{key}' if isinstance(key, str) else f'{name}[]'
        if isinstance(value, np.ndarray):
            pass
        elif isinstance(value[key], tuple):
            for i, item in enumerate(value[key]):
                yield f'{within}[{i}]', ItemOfTuple(value, key), i, item
            yield within, Items(value), key, value[key]
        else:
            yield within, Items(value), key, value[key]
        yield from places(value[key], within, depth + 1)


# ---- estimators, fitted; of each kind of place those that came first are changed

def estimators():
    for estimator, data, _, target, change in test_sklearn_prep.CASES:
        test_sklearn_prep.fit(estimator, data, target)
        if change:
            change(estimator.__dict__)
        yield estimator
    for _, estimator, rows, labels in test_sklearn_core.CASES:
        yield estimator.fit(rows, labels)
    for add in ('linear', 'descent', 'machine', 'network', 'simple', 'dummy', 'sparse', 'transform'):
        getattr(test_sklearn_linear, add + '_cases')()
    for _, make, data in test_sklearn_linear.CASES:
        yield make().fit(*data)
    for estimator, _ in test_sklearn_trees.cases():
        yield estimator


COLUMNS = ['age', 0, -1, 9, 'none', slice(0, 2), slice(None, None, -1), slice('age', 'income'),
           slice('income', None), slice('none', 1), slice(-9, 9), slice(5, 1, 2), slice(0, 2, 0),
           slice(1.5, 2), slice(2 ** 40), [0, 'income'], [True, False], ['none'], [2.5], [-1],
           np.array(['age']), np.array(['none']), np.array([-1, 0]), np.array([7.0]),
           np.array([True, False]), np.array([b'age']), np.array(['age', 0], dtype=object)]


def class_of(module, name):
    """One that this version does not have: its state is all that is read."""
    made = type(name, (), {'__module__': module})
    sys.modules.setdefault(module, type(sys)(module)).__dict__.setdefault(name, made)
    return getattr(sys.modules[module], name)


def choosers():
    """As versions wrote them that kept columns as they were asked for."""
    fitted = ColumnTransformer([('a', StandardScaler(), ['age']), ('b', 'passthrough', [1])]).fit(
        test_sklearn_core.NUMBERS)
    del fitted._transformer_to_input_indices
    listed = object.__new__(class_of('sklearn.compose._column_transformer', '_RemainderColsList'))
    for columns in COLUMNS:
        fitted.transformers_[1] = ('b', 'passthrough', columns)
        yield f'ColumnTransformer of {columns!r}', fitted
    for state in ({'data': [1]}, {'data': ['age']}, {'data': 3}, {}):
        listed.__dict__ = state
        fitted.transformers_[1] = ('b', 'passthrough', listed)
        yield f'ColumnTransformer of {state!r}', fitted


def encoding():
    """Histogram boosting as 1.4 and later write it, with an encoder of the categories."""
    rng = np.random.RandomState(0)
    x = np.column_stack([rng.randint(4, size=200), rng.rand(200, 2)])
    chosen = np.array([True, False, False])
    fitted = HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]).fit(
        x, x[:, 0] + x[:, 1] > 2)
    encoder = OrdinalEncoder(categories=[np.arange(4.0)], handle_unknown='use_encoded_value',
                             unknown_value=NAN).fit(x[:, :1])
    for remainder in ([('numerical', FunctionTransformer(), ~chosen)], []):
        for places in (chosen, [0], np.array([0]), [0, 1], [], 'x0', [True] * 3, [7]):
            fitted._preprocessor = ColumnTransformer([('encoder', encoder, chosen)])
            fitted._preprocessor.transformers_ = [('encoder', encoder, places), *remainder]
            yield f'an encoder of {places!r}', fitted
    fitted._preprocessor.transformers_ = [('encoder', encoder, chosen)]
    for mask in ([False] * 3, [True] * 3, [True, True, False], [True], None, 3, [0, 1]):
        fitted.is_categorical_ = np.array(mask)
        yield f'a mask of {mask}', fitted
    fitted.is_categorical_ = chosen
    for parts in ([], ['x'], [('encoder', encoder)], [('other', encoder, chosen)],
                  [('encoder', StandardScaler(), chosen)], 3,
                  [('encoder', StandardScaler().fit(x[:, :2]), [0, 1])]):
        fitted._preprocessor.transformers_ = parts
        yield f'a preprocessor of {parts!r}', fitted


def made():
    for given in (choosers, encoding):
        for name, estimator in given():
            yield name, pickle.dumps(estimator, 4)


def states():
    yield from made()
    seen = collections.Counter()
    for estimator in estimators():
        if len(pickle.dumps(estimator, 4)) > LARGEST:
            continue
        estimator = copy.deepcopy(estimator)
        for name, holder, key, value in list(places(estimator)):
            seen[name, type(value)] += 1
            if seen[name, type(value)] > 1:
                continue
            for other in others(name, value):
                kept = holder.put(key, other)
                try:
                    data = pickle.dumps(estimator, 4)
                except Exception:  # Python itself cannot write it
                    data = None
                holder.restore(kept)
                if data:
                    yield f'{name} = {other!r:.80}', data


def main():
    warnings.simplefilter('ignore')
    np.seterr(all='ignore')
    names, wrong = [], []
    with tempfile.TemporaryFile() as given:
        for name, data in states():
            names.append(name)
            given.write(struct.pack('<I', len(data)) + data)
        given.seek(0)
        done = subprocess.run([starved.TOOL, '-'], stdin=given, stdout=subprocess.PIPE, check=False,
                              text=True)
    lines = done.stdout.splitlines()
    rules = collections.Counter(lines)
    for name, rule in zip(names, (line for line in lines if not line.startswith('-:'))):
        if rule != '-' and not rule.startswith(REFUSE):
            wrong.append(f'{name}: {rule}')
    wrong += [line for line in lines if line.startswith('-:')]
    print('\n'.join(wrong[:200]))
    print(f'{len(names)} states: {dict(rules.most_common(12))}')
    return 1 if wrong or done.returncode or len(lines) != len(names) or len(names) < 5000 else 0


if __name__ == '__main__':
    sys.exit(main())
