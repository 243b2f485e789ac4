#!/usr/bin/python3
"""Trees of scikit-learn in records that no version at hand writes: those of 32-bit and of
big-endian machines, of versions before 1.3 and after 1.9, with the nodes in another order.
SYNTHESISED: each is a real estimator of the installed version, whose trees are written in
another form.

    tree_layouts.py FOLDER    writes a random forest and a histogram boosting in each of them
"""

import io
import os
import pickle
import sys

import numpy
from sklearn.tree._tree import Tree

TREE = ['left_child', 'right_child', 'feature', 'threshold', 'impurity', 'n_node_samples',
        'weighted_n_node_samples']
REALS = {'threshold', 'impurity', 'weighted_n_node_samples'}


class Pickler(pickle.Pickler):
    """Writes trees with what `change` makes of their arguments and their state."""

    def __init__(self, file, change):
        super().__init__(file, 4)
        self.change = change

    def reducer_override(self, value):
        if not isinstance(value, Tree):
            return NotImplemented
        callable_, arguments, state = value.__reduce__()
        arguments, state = self.change(arguments, dict(state))
        return callable_, arguments, state


def dumps(estimator, change):
    """The estimator's pickle, where change(arguments, state) of each Tree gives what is written
    for it."""
    file = io.BytesIO()
    Pickler(file, change).dump(estimator)
    return file.getvalue()


def record(fields, itemsize=None):
    """A dtype of (name, type, offset)."""
    names, formats, offsets = zip(*fields)
    layout = {'names': names, 'formats': formats, 'offsets': offsets}
    if itemsize:
        layout['itemsize'] = itemsize
    return numpy.dtype(layout)


def tree_record(order, integer, align, more=()):
    """A Tree's node in a byte order, with integers of a size, numbers aligned to at most
    `align` bytes, and more fields behind them."""
    fields = []
    at = 0
    for name, kind in [(name, 'f8' if name in REALS else integer) for name in TREE] + list(more):
        size = int(kind[1:])
        step = min(size, align)
        at = -(-at // step) * step
        fields.append((name, order + kind, at))
        at += size
    return record(fields, -(-at // align) * align)


def rewritten(nodes, dtype):
    """The nodes in another record: fields that it does not have are dropped, new ones are 0."""
    made = numpy.zeros(len(nodes), dtype)
    for name in set(dtype.names) & set(nodes.dtype.names):
        made[name] = nodes[name]
    return made


def layout(dtype, values='<f8'):
    def change(arguments, state):
        state['nodes'] = rewritten(state['nodes'], dtype)
        state['values'] = state['values'].astype(values)
        return arguments, state
    return change


def shuffled(arguments, state):
    """The root stays, all others change places, as if the best node were always split first."""
    nodes, values = state['nodes'], state['values']
    place = numpy.arange(len(nodes))
    numpy.random.RandomState(0).shuffle(place[1:])
    moved = numpy.zeros_like(nodes)
    moved[place] = nodes
    inner = moved['left_child'] >= 0
    for name in ('left_child', 'right_child'):
        moved[name][inner] = place[moved[name][inner]]
    state['nodes'] = moved
    state['values'] = numpy.zeros_like(values)
    state['values'][place] = values
    return arguments, state


MISSING = [('missing_go_to_left', 'u1')]
CATEGORIES = [('missing_go_to_left', 'u1'), ('split_kind', 'u1'), ('left_cat_bitset', 'u8')]

TREE_LAYOUTS = {
    'as before 1.3': layout(tree_record('<', 'i8', 8)),
    'as from 1.3 on': layout(tree_record('<', 'i8', 8, MISSING)),
    'as after 1.9': layout(tree_record('<', 'i8', 8, CATEGORIES)),
    '32-bit, aligned to 4': layout(tree_record('<', 'i4', 4)),
    '32-bit, aligned to 8': layout(tree_record('<', 'i4', 8, MISSING)),
    'big-endian': layout(tree_record('>', 'i8', 8), '>f8'),
    'big-endian, 32-bit': layout(tree_record('>', 'i4', 8, MISSING), '>f8'),
    'packed': layout(tree_record('<', 'i8', 1, MISSING)),
    'shuffled': shuffled,
}

PREDICTOR = [('value', 'f8'), ('count', 'u4'), ('feature_idx', 'u4'), ('num_threshold', 'f8'),
             ('missing_go_to_left', 'u1'), ('left', 'u4'), ('right', 'u4'), ('gain', 'f8'),
             ('depth', 'u4'), ('is_leaf', 'u1'), ('bin_threshold', 'u1'),
             ('is_categorical', 'u1'), ('bitset_idx', 'u4')]


def predictor_record(order, feature):
    return numpy.dtype([(name, order + (feature if name == 'feature_idx' else kind))
                        for name, kind in PREDICTOR])


PREDICTOR_LAYOUTS = {
    'as before 1.3': predictor_record('<', 'u4'),
    'as from 1.3 on': predictor_record('<', 'i8'),
    '32-bit': predictor_record('<', 'i4'),
    'big-endian': predictor_record('>', 'i8'),
}


def dumps_histogram(estimator, change):
    """The pickle of a histogram boosting, where change(predictor) has changed a copy of each of
    its trees."""
    copy = pickle.loads(pickle.dumps(estimator))
    for iteration in copy._predictors:
        for predictor in iteration:
            change(predictor)
    return pickle.dumps(copy, 4)


def predictor_layout(dtype):
    order = '>' if dtype['value'].str[0] == '>' else '<'

    def change(predictor):
        predictor.nodes = rewritten(predictor.nodes, dtype)
        predictor.raw_left_cat_bitsets = predictor.raw_left_cat_bitsets.astype(order + 'u4')
    return change


def main(folder):
    from sklearn.datasets import load_iris
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    x, y = load_iris(return_X_y=True)
    forest = RandomForestClassifier(10, random_state=0).fit(x, y)
    histogram = HistGradientBoostingClassifier(max_iter=10, random_state=0).fit(x, y)
    files = {f'forest, {name}': dumps(forest, change) for name, change in TREE_LAYOUTS.items()}
    files |= {f'histogram, {name}': dumps_histogram(histogram, predictor_layout(dtype))
              for name, dtype in PREDICTOR_LAYOUTS.items()}
    for name, data in files.items():
        with open(os.path.join(folder, name.replace(', ', '-').replace(' ', '_') + '.pkl'),
                  'wb') as file:
            file.write(data)


if __name__ == '__main__':
    main(sys.argv[1])
