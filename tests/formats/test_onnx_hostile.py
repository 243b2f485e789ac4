#!/usr/bin/python3
"""ONNX models that mean harm, from end to end: parsed, planned, run. Each is refused with its
rule, within small limits (invariants 7, 9 and 11); what the parser refuses has a place in the
file, what plan and run refuse has none.

Classes: graphs that run in circles or nest; trees with cycles, shared and missing children;
attributes of another type; sizes that nothing in the file backs, asked for by every operator
that makes its own size; work without end; indices outside, of constants and of inputs; shapes
that do not fit. What the parser alone refuses is in test_onnx_refuse.py."""

import os
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '../../fuzz/seeds'))

from make_onnx import (BOOL, FOREVER, GOOD, HOSTILE, INT64, X, a_float, a_floats,  # noqa: E402
                       a_graph, a_int, a_ints, a_tensor, a_text, a_texts, bare,
                       flag, floats, forest, graph, ints, many, ml, node, small,
                       tensor, typed)

TOOL = os.path.join(os.environ.get('BUILD', 'build'), 'tests/fuzz/tool_onnx_run')


def one(op, inputs, constants=(), attributes=(), more=(), version=17):
    return small([node(op, inputs, ['y'], attributes)], constants, [X, *more], version=version)


def scalar(name, number):
    return tensor(name, [], INT64, many(7, [number]))


def wrong_type(op, name, attribute, inputs=('x',)):
    return one(op, inputs, [floats('w', [1] * 9, [3, 3])], [attribute(name)])


def as_text(name):
    return a_text(name, 'text')


def as_float(name):
    return a_float(name, 1)


def as_ints(name):
    return a_ints(name, [1])


def as_graph(name):
    return a_graph(name, graph([node('Neg', ['x'], ['inner'])], [], [bare('inner')]))


def as_tensor(name):
    return a_tensor(name, floats('', [1]))


INDEX = typed('i', INT64, ['m'])
LOW = ints('i', [-4])

ROWS = [
    ("a cycle of nodes", HOSTILE["cycle"], "parse onnx.undefined"),
    ("graphs nested beyond the limit", HOSTILE["deep-graphs"], "parse limit.graph-depth"),
    ("a function that calls itself", HOSTILE["recursive-function"], "parse onnx.recursion"),
    ("a body that reads its own output", small([node("Loop", ["count", "go0", "x"], ["y"], [a_graph("body", graph([node("Neg", ["v2"], ["v2"])], [typed("i", INT64, []), typed("go", BOOL, []), bare("v")], [bare("go"), bare("v2")]))])], FOREVER), "parse onnx.undefined"),
    ("a body without its condition", small([node("Loop", ["count", "go0", "x"], ["y"], [a_graph("body", graph([], [bare("v")], [bare("v")]))])], FOREVER), "plan plan.arity"),
    ("a condition that is a float", small([node("If", ["x"], ["y"], [as_graph("then_branch"), as_graph("else_branch")])]), "plan plan.dtype"),
    ("two outputs of a name", HOSTILE["name-twice"], "parse onnx.name-twice"),
    ("an operator that nobody has", HOSTILE["operator-of-nobody"], "plan plan.operator"),
    ("a tree that is a cycle", HOSTILE["forest-cycle"], "plan plan.attribute-value"),
    ("a tree whose root is its own far descendant", forest(nodes_falsenodeids=[0, 0, 0]), "plan plan.attribute-value"),
    ("a child of two nodes", HOSTILE["forest-shared-child"], "plan plan.attribute-value"),
    ("a child outside", HOSTILE["forest-child-outside"], "plan plan.attribute-value"),
    ("a negative child", forest(nodes_truenodeids=[-1, 0, 0]), "plan plan.attribute-value"),
    ("a feature outside", HOSTILE["forest-feature-outside"], "plan plan.attribute-value"),
    ("a feature that the rows do not have", forest(nodes_featureids=[3, 0, 0]), "plan plan.shape"),
    ("a negative feature", forest(nodes_featureids=[-1, 0, 0]), "plan plan.attribute-value"),
    ("a node id twice", forest(nodes_nodeids=[0, 1, 1]), "plan plan.attribute-value"),
    ("a target outside", forest(target_ids=[0, 1]), "plan plan.attribute-value"),
    ("a weight of a node that is not there", forest(target_nodeids=[1, 9]), "plan plan.attribute-value"),
    ("a weight of a tree that is not there", forest(target_treeids=[0, 7]), "plan plan.attribute-value"),
    ("lists of other lengths", HOSTILE["forest-lists-of-other-lengths"], "plan plan.attribute-value"),
    ("an int that is a text", wrong_type("Softmax", "axis", as_text), "plan plan.attribute"),
    ("an int that is a float", wrong_type("Softmax", "axis", as_float), "plan plan.attribute"),
    ("an int that is a list", wrong_type("Concat", "axis", as_ints), "plan plan.attribute"),
    ("an int that is a graph", wrong_type("Flatten", "axis", as_graph), "plan plan.attribute"),
    ("a float that is a text", wrong_type("Elu", "alpha", as_text), "plan plan.attribute"),
    ("a float that is a tensor", wrong_type("LeakyRelu", "alpha", as_tensor), "plan plan.attribute"),
    ("a list that is a float", wrong_type("Transpose", "perm", as_float), "plan plan.attribute"),
    ("a list that is a text", wrong_type("ReduceMean", "axes", as_text), "plan plan.attribute"),
    ("a text that is a list", wrong_type("Einsum", "equation", as_ints), "plan plan.attribute"),
    ("a dtype that is a text", wrong_type("Cast", "to", as_text), "plan plan.attribute"),
    ("a graph that is a tensor", small([node("If", ["c"], ["y"], [as_tensor("then_branch"), as_graph("else_branch")])], [flag("c", 1)]), "plan plan.attribute"),
    ("a tensor that is a graph", one("ConstantOfShape", ["d"], [ints("d", [2])], [as_graph("value")]), "plan plan.attribute"),
    ("an attribute that the operator has not", wrong_type("Relu", "axis", as_float), "plan plan.attribute"),
    ("a terabyte of ConstantOfShape", HOSTILE["constant-of-shape"], "run run.memory"),
    ("a ConstantOfShape that wraps", HOSTILE["constant-that-wraps"], "run run.memory"),
    ("a negative ConstantOfShape", HOSTILE["negative-shape"], "plan plan.value"),
    ("100 GB of Expand", HOSTILE["expand"], "run run.memory"),
    ("a terabyte of Tile", HOSTILE["tile"], "run run.memory"),
    ("a negative Tile", one("Tile", ["x", "d"], [ints("d", [-1, 1])]), "plan plan.value"),
    ("a Range of 2^64", HOSTILE["range"], "run run.memory"),
    ("a Range of 2^40", small([node("Range", ["a", "b", "c"], ["y"])], [scalar("a", 0), scalar("b", 1 << 40), scalar("c", 1)]), "run run.memory"),
    ("a Range of steps of 0", small([node("Range", ["a", "b", "c"], ["y"])], [scalar("a", 0), scalar("b", 9), scalar("c", 0)]), "plan plan.value"),
    ("a Pad of 2^63", HOSTILE["pad"], "plan plan.value"),
    ("a Pad of a terabyte", one("Pad", ["x", "d"], [ints("d", [0, 1 << 38, 0, 1])]), "run run.memory"),
    ("a Pad that takes more than there is", one("Pad", ["x", "d"], [ints("d", [0, -4, 0, 0])]), "plan plan.shape"),
    ("a Resize of 2^62", HOSTILE["resize"], "run run.memory"),
    ("a Resize by infinity", one("Resize", ["x", "", "d"], [floats("d", [float("inf"), 1])]), "plan plan.value"),
    ("a Resize by nothing that is a number", one("Resize", ["x", "", "d"], [floats("d", [float("nan"), 1])]), "plan plan.value"),
    ("a OneHot of 2^50", small([node("OneHot", ["i", "d", "v"], ["y"])], [ints("i", [1]), scalar("d", 1 << 50), floats("v", [0, 1])]), "run run.memory"),
    ("a Loop without end", HOSTILE["loop-forever"], "run run.operations"),
    ("a Loop whose value doubles", HOSTILE["loop-that-grows"], "run run.operations"),
    ("a Loop that inserts into a sequence", HOSTILE["loop-that-inserts"], "run run.operations"),
    ("a Gather outside", HOSTILE["gather-outside"], "run run.index"),
    ("a Gather below", one("Gather", ["x", "i"], [LOW], [a_int("axis", 1)]), "run run.index"),
    ("a Gather at the smallest number", one("Gather", ["x", "i"], [ints("i", [-1 << 63])]), "run run.index"),
    ("a GatherElements outside", one("GatherElements", ["x", "i"], [ints("i", [3], [1, 1])], [a_int("axis", 1)]), "run run.index"),
    ("a GatherND outside", one("GatherND", ["x", "i"], [ints("i", [0, 3], [1, 2])]), "run run.index"),
    ("a ScatterND outside", HOSTILE["scatter-outside"], "run run.index"),
    ("a ScatterElements outside", one("ScatterElements", ["x", "i", "u"], [ints("i", [9], [1, 1]), floats("u", [1], [1, 1])]), "run run.index"),
    ("a Scatter below", one("ScatterElements", ["x", "i", "u"], [ints("i", [-9], [1, 1]), floats("u", [1], [1, 1])]), "run run.index"),
    ("a TopK of more than there are", small([node("TopK", ["x", "k"], ["y", "z"])], [ints("k", [4])]), "plan plan.value"),
    ("a negative TopK", small([node("TopK", ["x", "k"], ["y", "z"])], [ints("k", [-1])]), "plan plan.value"),
    ("a Gather outside, by an input", small([node("Gather", ["c", "i"], ["y"], [a_int("axis", 0)])], [floats("c", [1])], [INDEX]), "run run.index"),
    ("a ScatterND outside, by an input", small([node("ScatterND", ["c", "i", "u"], ["y"])], [floats("c", [1]), floats("u", [1, 1])], [typed("i", INT64, [2, 1])]), "run run.index"),
    ("a TopK of more than there are, by an input", small([node("TopK", ["c", "i"], ["y", "z"])], [floats("c", [])], [typed("i", INT64, [1])]), "run run.value"),
    ("a Reshape by an input", small([node("Reshape", ["c", "i"], ["y"])], [floats("c", [1, 2])], [typed("i", INT64, [2])]), "run run.shape"),
    ("a Slice along an axis that is not there", one("Slice", ["x", "a", "b", "ax"], [ints("a", [0]), ints("b", [1]), ints("ax", [2])]), "plan plan.value"),
    ("a Slice by steps of 0", one("Slice", ["x", "a", "b", "ax", "st"], [ints("a", [0]), ints("b", [1]), ints("ax", [0]), ints("st", [0])]), "plan plan.value"),
    ("a Softmax along the smallest number", HOSTILE["axis-minimum"], "plan plan.attribute-value"),
    ("a Transpose of one axis twice", one("Transpose", ["x"], [], [a_ints("perm", [0, 0])]), "plan plan.attribute-value"),
    ("a Squeeze of what is not 1", one("Squeeze", ["x", "ax"], [ints("ax", [1])]), "plan plan.shape"),
    ("an Unsqueeze to nine axes", one("Unsqueeze", ["x", "ax"], [ints("ax", list(range(7)))]), "plan plan.rank"),
    ("a Reshape to another size", one("Reshape", ["x", "d"], [ints("d", [5, 7])]), "run run.shape"),
    ("a Reshape with two open axes", one("Reshape", ["x", "d"], [ints("d", [-1, -1])]), "plan plan.shape"),
    ("a Split that adds up to something else", small([node("Split", ["x", "s"], ["y", "z"], [a_int("axis", 1)])], [ints("s", [1, 1])]), "plan plan.shape"),
    ("a SequenceAt of nothing", small([node("SequenceEmpty", [], ["s"]), node("SequenceAt", ["s", "i"], ["y"])], [scalar("i", 0)]), "run run.index"),
    ("a SequenceErase outside", small([node("SequenceConstruct", ["x"], ["s"]), node("SequenceErase", ["s", "i"], ["t"]), node("SequenceLength", ["t"], ["y"])], [scalar("i", 5)]), "run run.index"),
    ("a SequenceAt before the first", small([node("SequenceConstruct", ["x"], ["s"]), node("SequenceAt", ["s", "i"], ["y"])], [scalar("i", -2)]), "run run.index"),
    ("a NonMaxSuppression of two axes", one("NonMaxSuppression", ["x", "x"]), "plan plan.shape"),
    ("an Einsum of other letters", one("Einsum", ["x"], [], [a_text("equation", "ijk->i")]), "plan plan.shape"),
    ("a Conv of more groups than channels", one("Conv", ["x", "w"], [floats("w", [1] * 9, [3, 3])], [a_int("group", 9)]), "plan plan.shape"),
    ("a product of other shapes", one("MatMul", ["x", "w"], [floats("w", [1] * 4, [2, 2])]), "plan plan.shape"),
    ("a broadcast of 3 and 2", one("Add", ["x", "w"], [floats("w", [1, 2])]), "plan plan.shape"),
    ("a scale that is no list of the columns", ml([node("Scaler", ["x"], ["y"], [a_floats("offset", [1, 2]), a_floats("scale", [1])], "ai.onnx.ml")]), "plan plan.shape"),
    ("coefficients that do not fit the classes", ml([node("LinearClassifier", ["x"], ["y", "z"], [a_texts("classlabels_strings", ["a", "b"]), a_floats("coefficients", range(5)), a_floats("intercepts", [0, 1])], "ai.onnx.ml")]), "plan plan.attribute-value"),
    ("an integer divided by nothing", small([node("Div", ["a", "b"], ["y"])], [ints("a", [1]), ints("b", [0])]), "plan run.divide"),
]


def look(files):
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i, data in enumerate(files):
            paths.append(os.path.join(folder, f'{i:04}.onnx'))
            with open(paths[-1], 'wb') as out:
                out.write(data)
        said = subprocess.run([TOOL, *paths], check=True, stdout=subprocess.PIPE, text=True).stdout
        return [line.split() for line in said.splitlines()]


def main():
    wrong = 0
    for (name, file, rule), (step, found, offset) in zip(ROWS, look([row[1] for row in ROWS])):
        placed = 0 <= int(offset) <= len(file) if step == 'parse' else int(offset) == -1
        if f'{step} {found}' != rule or not placed:
            print(f'{name}: {step} {found} at {offset}, not {rule}')
            wrong += 1
    for name, (step, found, _) in zip(GOOD, look(GOOD.values())):
        if step in ('parse', 'plan'):
            print(f'{name}: {step} {found}, though nothing is wrong with it')
            wrong += 1
    print(f'{len(ROWS)} hostile models are refused as they should')
    sys.exit(wrong > 0)


main()
