"""Pickles of fitted estimators whose state no training has made, and where in them it lies."""
import copy
import io
import pickle
import pickletools

import numpy
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.tree._tree import Tree


class Writer(pickle.Pickler):
    """Writes each tree as change(arguments, state) has it."""

    def __init__(self, out, change):
        super().__init__(out, 4)
        self.change = change

    def reducer_override(self, value):
        if not isinstance(value, Tree):
            return NotImplemented
        callee, arguments, state = value.__reduce__()
        arguments, state = self.change(arguments, {**state, 'nodes': state['nodes'].copy(),
                                                   'values': state['values'].copy()})
        return callee, arguments, state


def with_trees(estimator, change):
    out = io.BytesIO()
    Writer(out, change).dump(estimator)
    return out.getvalue()


def node(field, value, index=0):
    """One field of one node of each tree."""
    def change(arguments, state):
        state['nodes'][field][index] = value
        return arguments, state
    return change


def tree_state(key, make):
    def change(arguments, state):
        return arguments, {**state, key: make(state[key])}
    return change


def follow(estimator, path):
    """(what holds the last part, the last part)"""
    *way, last = path.split('.')
    for name in way:
        estimator = estimator[int(name)] if name.isdigit() else getattr(estimator, name)
    return estimator, last


def set_state(estimator, path, value):
    """The pickle with "estimators_.0.coef_" set to value, or to what value(old) gives."""
    changed = copy.deepcopy(estimator)
    holder, last = follow(changed, path)
    if last.isdigit():
        holder[int(last)] = value(holder[int(last)]) if callable(value) else value
    else:
        state = holder.__dict__
        state[last] = value(state[last]) if callable(value) else value
    return pickle.dumps(changed, 4)


def without(estimator, path):
    changed = copy.deepcopy(estimator)
    holder, last = follow(changed, path)
    del holder.__dict__[last]
    return pickle.dumps(changed, 4)


def element(index, value):
    """An array with one element changed, and of another type if need be."""
    def change(array):
        array = numpy.array(array)
        array[index] = value
        return array
    return change


def predictors(field, value, index=0):
    """A node's field in each tree of histogram-based boosting."""
    def change(iterations):
        for trees in iterations:
            for predictor in trees:
                assert isinstance(predictor, TreePredictor)
                predictor.nodes[field][index] = value
        return iterations
    return change


def place(data, text, name, before=False):
    """Where the first opcode of that name behind a text lies, or the last before it."""
    last, seen = None, False
    for opcode, argument, offset in pickletools.genops(data):
        seen = seen or argument == text
        if seen and before:
            return last
        if opcode.name == name:
            last = offset
            if seen:
                return offset
    raise ValueError(f'no {name} beside {text}')
