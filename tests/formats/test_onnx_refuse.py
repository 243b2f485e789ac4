#!/usr/bin/python3
"""ONNX files that are refused, each with its rule and the offset of what is wrong
(invariants 7 and 9), and files that are not ONNX."""

import struct
import sys

from onnx_wire import (attribute, f, function, functions, graph, many, model, node, opset, parse,
                       tensor, tensor_type, value, varint)

IDENTITY = node("Identity", ["x"], ["y"])
GOOD = graph([IDENTITY], ["x"], ["y"])
CALL = node("F", ["x"], ["y"], domain="local")


def with_tensor(data):
    return model(graph([IDENTITY], ["x"], ["y"], [data]))


def double(number):
    """One element of double_data, with its own tag."""
    return b"\x51" + struct.pack("<d", number)


def with_attribute(*attributes):
    return model(graph([node("Op", ["x"], ["y"], attributes)], ["x"], ["y"]))


def with_functions(*all_of_them, call=CALL):
    return model(graph([call], ["x"], ["y"]), functions(*all_of_them))


def with_input(kind):
    return model(graph([IDENTITY], [value("x", kind)], ["y"]))


def nested_types(depth):
    kind = tensor_type()
    for _ in range(depth):
        kind = f(4, f(1, kind))
    return kind


def nested_graphs(depth):
    g = graph([], [], [])
    for i in range(depth):
        g = graph([node("If", ["x"], [f"o{i}"], [attribute("b", 5, f(6, g))])])
    return model(graph([IDENTITY], ["x"], ["y"], extra=many(1, [
        node("If", ["x"], ["o"], [attribute("b", 5, f(6, g))])])))


def sparse(values, indices, dims):
    return f(1, values) + f(2, indices) + many(3, dims)


def with_sparse(values, indices, dims):
    return model(graph([IDENTITY], ["x"], ["y"], extra=f(15, sparse(values, indices, dims))))


def indices(numbers, dims=None):
    return tensor("", dims or [len(numbers)], 7, many(7, numbers))


def values(count):
    return tensor("sp", [count], 1, many(4, [1.0] * count))


DOUBLING = [function(f"F{i}", [node(f"F{i + 1}", ["a"], ["b"], domain="local"),
                               node(f"F{i + 1}", ["b"], ["c"], domain="local")], ["a"], ["c"])
            for i in range(40)] + [function("F40", [node("Neg", ["a"], ["c"])], ["a"], ["c"])]
EMPTY_DOUBLING = [function(f"F{i}", [node(f"F{i + 1}", domain="local")] * 4) for i in range(12)] + [
    function("F12", [])]
CHAIN = [function(f"F{i}", [node(f"F{i + 1}", ["a"], ["c"], domain="local")], ["a"], ["c"])
         for i in range(20)] + [function("F20", [node("Neg", ["a"], ["c"])], ["a"], ["c"])]

# name, file, rule, offset: a number, a marker in the file, (marker, distance), or None
ROWS = [
    # ---- the wire
    ("no graph", f(1, 8) + many(8, [opset(17)]) + f(2, "x"), "format.unknown", 0),
    ("cut in the middle", model(GOOD)[:-3], "format.unknown", 0),
    ("a message's length beyond its parent", model(graph(extra=f(1, b"\x0a\x7fxx"))),
     "onnx.truncated", None),
    ("a varint of eleven bytes", model(graph(extra=f(5, b"\x08" + b"\x80" * 10 + b"\0"))),
     "onnx.varint", b"\x08\x80\x80"),
    ("a varint of 65 bits", model(graph(extra=f(5, b"\x08" + b"\xff" * 9 + b"\x02"))),
     "onnx.varint", b"\x08\xff\xff"),
    ("a varint that does not end", model(graph(extra=f(5, b"\x08\x80"))), "onnx.truncated", None),
    ("a fixed32 of three bytes", with_attribute(attribute("a", 1) + b"\x15abc"), "onnx.truncated",
     b"\x15abc"),
    ("a float cut behind one with the same tag",
     with_tensor(tensor("t", [2], 1, f(4, 1.0) + b"\x25\xab\xcd")), "onnx.truncated", b"\x25\xab\xcd"),
    ("a double cut behind one with the same tag",
     with_tensor(tensor("t", [2], 11, double(1.0) + b"\x51\xab\xcd")), "onnx.truncated",
     b"\x51\xab\xcd"),
    ("field number 0", model(graph(extra=f(1, b"\x02\x00"))), "onnx.tag", None),
    ("a tag of 33 bits", model(graph(extra=f(1, varint(1 << 32 | 0x0a) + b"\0"))), "onnx.tag",
     None),
    ("a group", model(graph(extra=f(1, b"\x0b\x0c"))), "onnx.group", b"\x0b\x0c"),
    ("the end of a group", model(graph(extra=f(1, b"\x0c"))), "onnx.group", None),
    ("wire type 6", model(graph(extra=f(1, b"\x0e"))), "onnx.group", None),
    ("wire type 7", model(graph(extra=f(1, b"\x0f"))), "onnx.group", None),
    ("a text as a number", model(graph(extra=f(1, f(4, 5)))), "onnx.wire-type", b"\x20\x05"),
    ("a number as a text", model(graph(extra=f(5, f(2, "text")))), "onnx.wire-type", b"\x12\x04text"),
    ("a message as fixed32", model(graph(extra=f(1, f(5, 1.0)))), "onnx.wire-type", None),
    ("floats as ints", with_tensor(tensor("t", (1,), 1, f(4, 1))), "onnx.wire-type", None),
    ("two names of a graph", model(graph(extra=f(2, "again"))), "onnx.field-twice", (b"again", -2)),
    ("two graphs", model(GOOD, f(7, GOOD)), "onnx.field-twice", None),
    ("two types of a tensor", with_tensor(tensor("t") + f(2, 7)), "onnx.field-twice", None),
    ("a value of two types", with_input(tensor_type() + f(4, f(1, tensor_type()))),
     "onnx.field-twice", None),
    ("a dimension with number and name", with_input(f(1, f(1, 1) + f(2, f(1, f(1, 3) + f(2, "n"))))),
     "onnx.field-twice", (b"\x08\x03\x12\x01n", 2)),
    ("types nested too deep", with_input(nested_types(16)), "limit.header-depth", None),
    ("types nested very deep", with_input(nested_types(3000)), "limit.header-depth", None),
    ("graphs nested too deep", nested_graphs(16), "limit.graph-depth", None),
    ("graphs nested very deep", nested_graphs(500), "limit.graph-depth", None),

    # ---- names
    ("a node without operator", model(graph([many(1, ["x"])], ["x"])), "onnx.name-empty", None),
    ("an input without name", model(graph([], [f(2, tensor_type())])), "onnx.name-empty", None),
    ("an initializer without name", with_tensor(tensor("")), "onnx.name-empty", None),
    ("an attribute without name", with_attribute(f(3, 1) + f(20, 2)), "onnx.name-empty", None),
    ("a function without name", model(GOOD, functions(f(10, "d"))), "onnx.name-empty", None),
    ("an output without name", model(graph([IDENTITY], ["x"], [b""])), "onnx.name-empty", None),
    ("a domain that is not UTF-8", model(graph([node("Op", domain=b"d\xff")])), "string.utf8",
     b"d\xff"),
    ("a name that is not UTF-8", model(graph([IDENTITY], [f(1, b"x\xff") + f(2, tensor_type())])),
     "string.utf8", b"x\xff"),
    ("a name with NUL", model(graph([IDENTITY], [f(1, b"x\0y") + f(2, tensor_type())])),
     "string.utf8", b"x\0y"),
    ("a name of 1025 bytes", model(graph([IDENTITY], ["n" * 1025])), "limit.name-bytes", b"nnnn"),
    ("two inputs of a name", model(graph([IDENTITY], ["x", "x"], ["y"])), "onnx.name-twice", None),
    ("two initializers of a name", model(graph([IDENTITY], ["x"], ["y"], [tensor("t"), tensor("t")])),
     "onnx.name-twice", None),
    ("an output with the name of an input", model(graph([node("Op", ["x"], ["x"])], ["x"])),
     "onnx.name-twice", None),
    ("an output with the name of an initializer",
     model(graph([node("Op", [], ["ttt"])], [], [], [tensor("ttt")])), "onnx.name-twice", b"ttt"),
    ("two outputs of a name", model(graph([node("Op", [], ["same", "same"])])), "onnx.name-twice",
     (b"same\x12\x04same", 6)),
    ("a subgraph's node makes a name of the outer graph",
     model(graph([IDENTITY, node("If", ["x"], ["z"], [attribute("b", 5, f(6, graph(
         [node("Neg", ["x"], ["y"])], [], ["y"])))])], ["x"], ["y"])), "onnx.name-twice", None),
    ("a name that nothing defines", model(graph([node("Op", ["nowhere"], ["y"])])),
     "onnx.undefined", b"nowhere"),
    ("a name before its node", model(graph([node("Op", ["later"], ["y"]), node("Op", [], ["later"])])),
     "onnx.undefined", b"later"),
    ("a node that reads itself", model(graph([node("Op", ["self"], ["self"])])), "onnx.undefined",
     b"self"),
    ("two nodes that read each other", model(graph([node("Op", ["bb"], ["aa"]),
                                                    node("Op", ["aa"], ["bb"])])),
     "onnx.undefined", b"bb"),
    ("an output that no node makes", model(graph([], [], ["never"])), "onnx.undefined", None),
    ("a subgraph that reads its own node's output",
     model(graph([node("If", ["x"], ["own"], [attribute("b", 5, f(6, graph(
         [node("Neg", ["own"], ["i"])], [], ["i"])))])], ["x"])), "onnx.undefined", None),
    ("a value of another subgraph",
     model(graph([node("If", ["x"], ["z"], [
         attribute("b", 5, f(6, graph([node("Neg", ["x"], ["i"])], [], ["i"]))),
         attribute("c", 5, f(6, graph([node("Neg", ["i"], ["j"])], [], ["j"])))])], ["x"])),
     "onnx.undefined", None),
    ("an inner value outside", model(graph([node("If", ["x"], ["z"], [attribute("b", 5, f(6, graph(
        [node("Neg", ["x"], ["inner"])], [], ["inner"])))]), node("Neg", ["inner"], ["o"])], ["x"])),
     "onnx.undefined", None),

    # ---- types
    ("an input without type", model(graph([], [f(1, "x")])), "onnx.input-type", None),
    ("an input of element type 0", with_input(f(1, b"")), "onnx.input-type", None),
    ("an input of an unknown element type", with_input(tensor_type(99)), "tensor.dtype", None),
    ("an input of 2 bits", with_input(tensor_type(25)), "onnx.dtype", None),
    ("an input of rank 9", with_input(tensor_type(1, [1] * 9)), "limit.rank", None),
    ("a sparse input", with_input(f(8, f(1, 1))), "onnx.type-kind", None),
    ("an opaque input", with_input(f(7, f(1, "d"))), "onnx.type-kind", None),
    ("a sequence of nothing", with_input(f(4, b"")), "type.form", None),
    ("a map with keys of floats", with_input(f(5, f(1, 1) + f(2, tensor_type()))), "type.form", None),
    ("a map without keys", with_input(f(5, f(2, tensor_type()))), "type.form", None),

    # ---- tensors
    ("element type 0", with_tensor(tensor("t", (), 0)), "tensor.dtype", None),
    ("element type 29", with_tensor(tensor("t", (), 29)), "tensor.dtype", None),
    ("element type -1", with_tensor(tensor("t", (), -1)), "tensor.dtype", None),
    ("2 bits", with_tensor(tensor("t", (4,), 26, f(9, b"\0"))), "onnx.dtype", None),
    ("nine axes", with_tensor(tensor("t", [1] * 9)), "limit.rank", None),
    ("a million axes", with_tensor(f(1, b"\1" * 1000000) + f(2, 1) + f(8, "t")), "limit.rank", None),
    ("a negative dimension", with_tensor(tensor("t", [-1])), "onnx.dimension", None),
    ("a dimension that does not end", with_tensor(f(1, b"\x80") + f(2, 1) + f(8, "t")),
     "onnx.truncated", None),
    ("a dimension of eleven bytes",
     with_tensor(f(1, b"\x80" * 10 + b"\1") + f(2, 1) + f(8, "t")), "onnx.varint", b"\x80\x80"),
    ("a product above 64 bits", with_tensor(tensor("t", [1 << 40, 1 << 40])), "tensor.shape", None),
    ("a product above 64 bits, and a zero", with_tensor(tensor("t", [1 << 40, 1 << 40, 0], 1, b"")),
     "tensor.shape", None),
    ("2^61 elements of 8 bytes", with_tensor(tensor("t", [1 << 61], 7, f(9, b""))),
     "onnx.data-count", None),
    ("2^61 typed elements of 8 bytes", with_tensor(tensor("t", [1 << 61], 7, b"")),
     "onnx.data-count", None),
    ("a terabyte without data", with_tensor(tensor("t", [1 << 40], 1, b"")), "onnx.data-count", None),
    ("raw data too short", with_tensor(tensor("t", [2], 1, f(9, b"rawr"))), "onnx.data-count",
     b"rawr"),
    ("raw data too long", with_tensor(tensor("t", [2], 1, f(9, b"rawrawraw"))), "onnx.data-count",
     b"rawraw"),
    ("typed data too short", with_tensor(tensor("t", [3], 1, many(4, [1.0, 2.0]))),
     "onnx.data-count", None),
    ("typed data too long", with_tensor(tensor("t", [1], 1, many(4, [1.0, 2.0]))), "onnx.data-count",
     None),
    ("a complex number's half", with_tensor(tensor("t", [1], 14, f(4, 1.0))), "onnx.data-count", None),
    ("strings too few", with_tensor(tensor("t", [2], 8, f(6, "a"))), "onnx.data-count", None),
    ("raw and typed", with_tensor(tensor("t", [1], 1, f(9, b"\0" * 4) + f(4, 1.0))),
     "onnx.data-twice", None),
    ("empty raw and typed", with_tensor(tensor("t", [1], 1, f(9, b"") + f(4, 1.0))),
     "onnx.data-twice", None),
    ("floats in int32_data", with_tensor(tensor("t", [1], 1, f(5, 1))), "onnx.data-field", None),
    ("two typed fields", with_tensor(tensor("t", [1], 1, f(4, 1.0) + f(7, 1))), "onnx.data-field",
     None),
    ("raw strings", with_tensor(tensor("t", [1], 8, f(9, b"text"))), "onnx.data-field", b"text"),
    ("packed floats of 6 bytes", with_tensor(tensor("t", [1], 1, f(4, b"sixsix"))), "onnx.truncated",
     (b"sixsix", 6)),
    ("packed ints that do not end", with_tensor(tensor("t", [1], 7, f(7, b"\1\x80"))),
     "onnx.truncated", None),
    ("packed ints, nothing but a beginning", with_tensor(tensor("t", [0], 7, f(7, b"\x80\x80"))),
     "onnx.truncated", None),
    ("a packed varint of eleven bytes", with_tensor(tensor("t", [1], 7, f(7, b"\x80" * 10 + b"\1"))),
     "onnx.varint", b"\x80\x80"),
    ("bool 2", with_tensor(tensor("t", [1], 9, f(5, 2))), "onnx.number", None),
    ("packed bool 2", with_tensor(tensor("t", [2], 9, f(5, b"\1\2"))), "onnx.number", (b"\1\2\x5a", 1)),
    ("raw bool 2", with_tensor(tensor("t", [2], 9, f(9, b"\1\2"))), "tensor.payload", None),
    ("i8 128", with_tensor(tensor("t", [1], 3, f(5, 128))), "onnx.number", None),
    ("i8 -129", with_tensor(tensor("t", [1], 3, f(5, -129))), "onnx.number", None),
    ("u8 256", with_tensor(tensor("t", [1], 2, f(5, 256))), "onnx.number", None),
    ("u8 -1", with_tensor(tensor("t", [1], 2, f(5, -1))), "onnx.number", None),
    ("i32 2^31", with_tensor(tensor("t", [1], 6, f(5, 1 << 31))), "onnx.number", None),
    ("u32 2^32", with_tensor(tensor("t", [1], 12, f(11, 1 << 32))), "onnx.number", None),
    ("f16 65536", with_tensor(tensor("t", [1], 10, f(5, 65536))), "onnx.number", None),
    ("f6 64", with_tensor(tensor("t", [1], 27, f(5, 64))), "onnx.number", None),
    ("i4 padding", with_tensor(tensor("t", [1], 22, f(9, b"\x10"))), "tensor.payload", None),
    ("i4 padding, typed", with_tensor(tensor("t", [1], 22, f(5, 0x10))), "tensor.payload", None),
    ("an i4 of eleven bytes", with_tensor(tensor("t", [1], 22, f(5, b"\x80" * 10 + b"\1"))),
     "onnx.varint", b"\x80\x80"),
    ("f6 padding", with_tensor(tensor("t", [1], 28, f(9, b"\x40"))), "tensor.payload", None),
    ("a string that is not UTF-8", with_tensor(tensor("t", [1], 8, f(6, b"a\xff"))), "string.utf8",
     b"a\xff"),
    ("a segment", with_tensor(tensor("t") + f(3, f(1, 0))), "onnx.segment", None),
    ("external data", with_tensor(tensor("t", (), 1, b"") + f(13, f(1, "location") + f(2, "../../x")) +
                                  f(14, 1)), "onnx.external-data", (b"\x0a\x08location", -2)),
    ("external data without the location's flag",
     with_tensor(tensor("t", (), 1, b"") + f(13, f(1, "location") + f(2, "/etc/passwd"))),
     "onnx.external-data", None),
    ("external data without a path", with_tensor(tensor("t") + f(14, 1)), "onnx.external-data", None),
    ("external data of an attribute",
     with_attribute(attribute("t", 4, f(5, tensor("", (), 1, b"") + f(14, 1)))),
     "onnx.external-data", None),

    # ---- sparse tensors
    ("a sparse index outside", with_sparse(values(1), indices([6]), [2, 3]), "onnx.sparse", None),
    ("a negative sparse index", with_sparse(values(1), indices([-1]), [2, 3]), "onnx.sparse", None),
    ("sparse indices that do not ascend", with_sparse(values(2), indices([3, 1]), [6]), "onnx.sparse",
     None),
    ("a sparse index twice", with_sparse(values(2), indices([1, 1]), [6]), "onnx.sparse", None),
    ("more sparse values than indices", with_sparse(values(2), indices([1]), [6]), "onnx.sparse", None),
    ("a sparse index pair outside", with_sparse(values(1), indices([0, 3], [1, 2]), [2, 3]),
     "onnx.sparse", None),
    ("pairs for three axes", with_sparse(values(1), indices([0, 0], [1, 2]), [2, 3, 4]), "onnx.sparse",
     None),
    ("a sparse terabyte", with_sparse(values(1), indices([0]), [1 << 38]), "onnx.sparse-size", None),
    ("a sparse product above 64 bits", with_sparse(values(1), indices([0]), [1 << 40, 1 << 40]),
     "tensor.shape", None),
    ("a sparse tensor of 2^64 bytes", with_sparse(values(1), indices([0]), [1 << 62]),
     "onnx.sparse", None),
    ("sparse tensors of 2^64 bytes together",
     model(graph([IDENTITY], ["x"], ["y"], extra=f(15, sparse(values(1), indices([0]), [2])) + f(
         15, sparse(tensor("s2", [1], 1, f(4, 1.0)), indices([0]), [(1 << 62) - 1])))),
     "onnx.sparse-size", None),
    ("sparse values in two axes",
     with_sparse(tensor("sp", [1, 1], 1, f(4, 1.0)), indices([0]), [6]), "onnx.sparse", None),
    ("sparse indices of 32 bits",
     with_sparse(values(1), tensor("", [1], 6, f(5, 0)), [6]), "onnx.sparse", None),
    ("a sparse index without axis",
     with_sparse(values(1), tensor("", [], 7, f(7, 0)), [6]), "onnx.sparse", None),
    ("sparse indices in three axes", with_sparse(values(1), indices([0], [1, 1, 1]), [6]),
     "onnx.sparse", None),
    ("a sparse tensor of nine axes", with_sparse(values(1), indices([0]), [1] * 9), "limit.rank", None),
    ("a sparse i8 of 300",
     with_sparse(tensor("sp", [1], 3, f(5, 300)), indices([0]), [6]), "onnx.number", None),
    ("a sparse attribute's index outside",
     with_attribute(attribute("a", 11, f(22, sparse(tensor("", [1], 1, f(4, 1.0)), indices([6]),
                                                    [6])))), "onnx.sparse", None),
    ("sparse strings", with_sparse(tensor("sp", [1], 8, f(6, "a")), indices([0]), [1]), "onnx.sparse",
     None),
    ("sparse without values", with_sparse(b"", indices([0]), [1]), "onnx.name-empty", None),
    ("sparse without indices", with_sparse(values(1), b"", [1]), "tensor.dtype", None),

    # ---- attributes
    ("an int that has a float", with_attribute(attribute("a", 2, f(2, 1.0))), "onnx.attribute-type",
     None),
    ("an int and a text", with_attribute(attribute("a", 2, f(3, 1), f(4, "s"))), "onnx.attribute-type",
     None),
    ("no type and no value", with_attribute(attribute("a", 0)), "onnx.attribute-type", None),
    ("no type and two values", with_attribute(attribute("a", 0, f(3, 1), f(2, 1.0))),
     "onnx.attribute-type", None),
    ("an unknown type", with_attribute(attribute("a", 15, f(3, 1))), "onnx.attribute-type", None),
    ("a tensor that is not there", with_attribute(attribute("a", 4)), "onnx.attribute-type", None),
    ("a graph that is not there", with_attribute(attribute("a", 5)), "onnx.attribute-type", None),
    ("a list of types", with_attribute(attribute("a", 14, f(15, tensor_type()))),
     "onnx.attribute-kind", None),
    ("a list of sparse tensors", with_attribute(attribute("a", 12, f(23, b""))),
     "onnx.attribute-kind", None),
    ("an empty type", with_attribute(attribute("a", 13, f(14, b""))), "onnx.type-kind", None),
    ("an int of eleven bytes", with_attribute(attribute("a", 7, f(8, b"\x80" * 10 + b"\1"))),
     "onnx.varint", b"\x80\x80"),
    ("a text that is not UTF-8", with_attribute(attribute("a", 3, f(4, b"s\xfe"))), "string.utf8",
     b"s\xfe"),
    ("a long list of texts, one with NUL",
     with_attribute(attribute("a", 8, many(9, ["t"] * 2000 + ["n\0l"]))), "string.utf8", b"n\0l"),
    ("a text above 1 MiB", with_attribute(attribute("a", 3, f(4, b"s" * (1 << 20 | 1)))),
     "limit.string-bytes", b"ssss"),
    ("two attributes of a name", with_attribute(attribute("twin", 2, f(3, 1)),
                                                attribute("twin", 2, f(3, 1))),
     "onnx.attribute-twice", None),
    ("a reference outside of a function", with_attribute(attribute("a", 2, f(21, "other"))),
     "onnx.reference", b"other"),

    # ---- opsets
    ("a domain without opset", model(graph([node("Op", domain="org.nobody")])), "graph.opset", None),
    ("no opset at all", model(GOOD, opsets=()), "graph.opset", None),
    ("opset version 0", model(GOOD, opsets=(f(1, "d"),)), "opset.version", None),
    ("opset version -1", model(GOOD, opsets=(opset(-1),)), "opset.version", None),
    ("opset version 2^32", model(GOOD, opsets=(opset(1 << 32),)), "opset.version", None),
    ("two versions of a domain", model(GOOD, opsets=(opset(17), opset(18, "ai.onnx"))),
     "onnx.opset-twice", None),

    # ---- functions
    ("two functions of a name", with_functions(function("F", []), function("F", [])),
     "onnx.function-twice", None),
    ("a function that calls itself",
     with_functions(function("F", [node("F", ["a"], ["c"], domain="local")], ["a"], ["c"])),
     "onnx.recursion", None),
    ("two functions that call each other",
     with_functions(function("F", [node("G", ["a"], ["c"], domain="local")], ["a"], ["c"]),
                    function("G", [node("F", ["a"], ["c"], domain="local")], ["a"], ["c"])),
     "onnx.recursion", None),
    ("a function that calls itself in a subgraph",
     with_functions(function("F", [node("If", ["a"], ["c"], [attribute("b", 5, f(6, graph(
         [node("F", ["a"], ["i"], domain="local")], [], ["i"])))])], ["a"], ["c"])),
     "onnx.recursion", None),
    ("two to the 40 nodes", with_functions(*DOUBLING, call=node("F0", ["x"], ["y"], domain="local")),
     "limit.graph-depth", None),
    ("four to the twelve calls of nothing",
     with_functions(*EMPTY_DOUBLING, call=node("F0", domain="local")), "limit.nodes", None),
    ("functions nested too deep",
     with_functions(*CHAIN, call=node("F0", ["x"], ["y"], domain="local")), "limit.graph-depth", None),
    ("a large function called often",
     with_functions(function("F", [node("Neg", ["a"], ["c"], [attribute(
         "d", 3, f(4, "s" * 1000000))])], ["a"], ["c"]),
                    call=b"".join([]) or node("G", ["x"], ["y"], domain="local")) +
     functions(function("G", [node("F", ["a"], [f"o{i}"], domain="local") for i in range(200)] +
                        [node("Neg", ["a"], ["c"])], ["a"], ["c"])), "onnx.expansion", None),
    ("more inputs than the function has",
     with_functions(function("F", [], ["a"], ["a"]), call=node("F", ["x", "x"], ["y"], domain="local")),
     "onnx.arguments", None),
    ("more outputs than the function has",
     with_functions(function("F", [], ["a"], ["a"]), call=node("F", ["x"], ["y", "z"], domain="local")),
     "onnx.arguments", None),
    ("an output that the function never makes", with_functions(function("F", [], ["a"], ["never"])),
     "onnx.undefined", b"never"),
    ("a function that reads the model's names",
     with_functions(function("F", [node("Neg", ["x"], ["c"])], ["a"], ["c"])), "onnx.undefined", None),
    ("the model reads the function's names",
     model(graph([CALL, node("Neg", ["hidden"], ["z"])], ["x"], ["y"]),
           functions(function("F", [node("Neg", ["a"], ["hidden"]), node("Neg", ["hidden"], ["c"])],
                              ["a"], ["c"]))), "onnx.undefined", b"hidden"),
    ("two formal inputs of a name", with_functions(function("F", [], ["same", "same"], ["same"])),
     "onnx.name-twice", None),
    ("an empty formal input", with_functions(function("F", [], [""], [])), "onnx.name-empty", None),
    ("an empty formal output", with_functions(function("F", [], ["a"], [""])), "onnx.name-empty",
     None),
    ("a type of no value",
     with_functions(function("F", [], ["a"], ["a"], extra=f(12, f(2, tensor_type())))),
     "onnx.name-empty", None),
    ("an input that is an output, without the standard's operators",
     model(graph([CALL], ["x"], ["y"]), functions(function("F", [], ["a"], ["a"], opsets=())),
           opsets=(opset(1, "local"),)), "graph.opset", None),
    ("an output with the name of the call's input",
     model(graph([node("F", ["same"], ["same"], domain="local")], ["same"]),
           functions(function("F", [], ["a"], ["a"]))), "onnx.name-twice", None),
    ("an omitted argument that a subgraph gives out",
     with_functions(function("F", [node("If", ["a"], ["c"], [attribute("g", 5, f(6, graph(
         [], [], ["b"])))])], ["a", "b"], ["c"])), "onnx.undefined", None),
    ("a default that is a reference",
     with_functions(function("F", [node("Op", ["a"], ["c"], [attribute("k", 2, f(21, "k"))])], ["a"],
                             ["c"], (), [attribute("k", 2, f(21, "other"))])), "onnx.reference",
     None),
    ("an omitted argument that is given out",
     with_functions(function("F", [], ["a", "b"], ["b"])), "onnx.undefined", None),
    ("a reference to what the function does not have",
     with_functions(function("F", [node("Op", ["a"], ["c"], [attribute("k", 2, f(21, "absent"))])],
                             ["a"], ["c"], ["present"])), "onnx.reference", b"absent"),
    ("a reference and a value",
     with_functions(function("F", [node("Op", ["a"], ["c"], [attribute("k", 2, f(3, 1), f(21, "k"))])],
                             ["a"], ["c"], ["k"])), "onnx.attribute-type", None),
    ("a reference of another type",
     with_functions(function("F", [node("Op", ["a"], ["c"], [attribute("k", 2, f(21, "k"))])],
                             ["a"], ["c"], ["k"]),
                    call=node("F", ["x"], ["y"], [attribute("k", 3, f(4, "s"))], "local")),
     "onnx.attribute-type", None),
    ("two attributes of a call",
     with_functions(function("F", [], ["a"], ["a"]),
                    call=node("F", ["x"], ["y"], [attribute("k", 2, f(3, 1))] * 2, "local")),
     "onnx.attribute-twice", None),
    ("a function of another version",
     with_functions(function("F", [], ["a"], ["a"], opsets=(opset(18),))), "onnx.function-opset", None),

    # ---- metadata
    ("a key twice", model(GOOD, many(14, [f(1, "k") + f(2, "1"), f(1, "k") + f(2, "2")])),
     "onnx.metadata-twice", None),
    ("a producer that is not UTF-8", model(GOOD, f(2, b"\xff")), "string.utf8", None),

    # ---- limits
    ("too many subgraphs",
     model(graph([node("Op", [], [f"o{i}"], [attribute("g", 10, many(11, [b""] * 600))])
                  for i in range(2)])), "limit.graphs", None),
    ("too many edges of a node", model(graph([node("Op", [""] * 65537)])), "limit.node-edges", None),
    ("too many tensors", model(graph(initializers=[tensor(str(i)) for i in range(65537)])),
     "limit.tensors", None),
]

NOT_ONNX = [
    b"\xc4\xfe\x89WLK\r\n\x1a\n" + bytes(300), b"\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94.",
    b"PK\x03\x04" + bytes(40), b"GGUF" + struct.pack("<IQQ", 3, 0, 0), b"\x93NUMPY\x01\0v\0{}",
    struct.pack("<Q", 2) + b"{}", b"plain text\n", b":\x03abc", b"BB", b"{\"a\": 1}", b"\0" * 64,
    b"\x08\x08", f(1, 8) + f(8, opset(17)), f(7, GOOD), f(1, 8) + f(7, b"text"),
    model(GOOD) + b"\0", model(GOOD) + f(99, "unknown"), model(GOOD)[1:], b"\x08", b"\x3a",
]
# Other formats that are read have rules of their own.
OTHERS = {0xc4: "envelope.", 0x80: "pickle.", 0x93: "npy."}


def place(file, offset):
    if isinstance(offset, int):
        return offset
    marker, distance = offset if isinstance(offset, tuple) else (offset, 0)
    return file.find(marker) + distance


def main():
    wrong = 0
    answers = parse([row[1] for row in ROWS] + NOT_ONNX + [model(GOOD)])
    for (name, file, rule, offset), got in zip(ROWS, answers):
        fits = got.get("rule") == rule and 0 <= got["offset"] <= len(file) or (
            got.get("rule") == rule and rule.startswith("limit."))
        if fits and offset is not None:
            fits = got["offset"] == place(file, offset)
        if not fits:
            said = {k: got[k] for k in ("rule", "offset") if k in got}
            want = None if offset is None else place(file, offset)
            print(f"{name}: {said or 'accepted'}, not {rule} at {want}")
            wrong += 1
    for file, got in zip(NOT_ONNX, answers[len(ROWS):]):
        rule = got.get("rule", "accepted")
        if rule.startswith(OTHERS.get(file[0], "format.unknown")):
            continue
        print(f"not ONNX, but {rule}: {file[:20]!r}")
        wrong += 1
    assert "rule" not in answers[-1], answers[-1]
    print(f"{len(ROWS)} files are refused as they should, {len(NOT_ONNX)} are not ONNX")
    sys.exit(wrong > 0)


main()
