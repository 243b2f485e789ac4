#!/usr/bin/python3
"""What becomes of an ONNX file's names, functions and unknown fields: inlining, renaming, the
byte map (invariant 12)."""

import struct

from onnx_wire import (attribute, f, function, functions, graph, many, model, node, opset, parse,
                       tensor, tensor_type, value)

CALL = node("F", ["x"], ["y"], domain="local")


def nodes(answer, index=0):
    return [(n["op"], n["in"], n["out"], {k: v[1] for k, v in n["attributes"].items()})
            for n in answer["graphs"][index]["nodes"]]


def called(call, *all_of_them, inputs=("x",), outputs=("y",), opsets=(opset(17),), before=()):
    calls = list(before) + (call if isinstance(call, list) else [call])
    return model(graph(calls, inputs, outputs), functions(*all_of_them), opsets)


TWO = function("F", [node("Neg", ["a"], ["t"]), node("Abs", ["t"], ["c"])], ["a"], ["c"])

# name, file, nodes of the main graph
INLINED = [
    ("names of the caller at both ends", called(CALL, TWO),
     [("Neg", ["x"], ["t"], {}), ("Abs", ["t"], ["y"], {})]),
    ("called twice", called([node("F", ["x"], ["m"], domain="local"),
                             node("F", ["m"], ["y"], domain="local")], TWO),
     [("Neg", ["x"], ["t"], {}), ("Abs", ["t"], ["m"], {}),
      ("Neg", ["m"], ["t__1"], {}), ("Abs", ["t__1"], ["y"], {})]),
    ("a name of the caller is not one of the function",
     called(CALL, TWO, before=[node("Exp", ["x"], ["t"])]),
     [("Exp", ["x"], ["t"], {}), ("Neg", ["x"], ["t__1"], {}), ("Abs", ["t__1"], ["y"], {})]),
    ("the next number is taken",
     called(CALL, TWO, before=[node("Exp", ["x"], ["t"]), node("Exp", ["x"], ["t__1"])]),
     [("Exp", ["x"], ["t"], {}), ("Exp", ["x"], ["t__1"], {}), ("Neg", ["x"], ["t__2"], {}),
      ("Abs", ["t__2"], ["y"], {})]),
    ("within each other",
     called(node("G", ["x"], ["y"], domain="local"), TWO,
            function("G", [node("F", ["a"], ["b"], domain="local"), node("Exp", ["b"], ["c"])], ["a"],
                     ["c"])),
     [("Neg", ["x"], ["t"], {}), ("Abs", ["t"], ["b"], {}), ("Exp", ["b"], ["y"], {})]),
    ("the innermost output has the outermost name",
     called(node("G", ["x"], ["y"], domain="local"), TWO,
            function("G", [node("F", ["a"], ["c"], domain="local")], ["a"], ["c"])),
     [("Neg", ["x"], ["t"], {}), ("Abs", ["t"], ["y"], {})]),
    ("an optional argument is left out",
     called(CALL, function("F", [node("Clip", ["a", "b"], ["c"])], ["a", "b"], ["c"])),
     [("Clip", ["x", ""], ["y"], {})]),
    ("an output that nobody wants",
     called(node("F", ["x"], ["", "y"], domain="local"),
            function("F", [node("Split", ["a"], ["b", "c"])], ["a"], ["b", "c"])),
     [("Split", ["x"], ["b", "y"], {})]),
    ("an input is an output", called(CALL, function("F", [], ["a"], ["a"])),
     [("Identity", ["x"], ["y"], {})]),
    ("an output twice", called(node("F", ["x"], ["y", "z"], domain="local"),
                               function("F", [node("Neg", ["a"], ["c"])], ["a"], ["c", "c"])),
     [("Neg", ["x"], ["y"], {}), ("Identity", ["y"], ["z"], {})]),
    ("an attribute of the call",
     called(node("F", ["x"], ["y"], [attribute("k", 2, f(3, 7))], "local"),
            function("F", [node("Op", ["a"], ["c"], [attribute("axis", 2, f(21, "k"))])], ["a"], ["c"],
                     ["k"])), [("Op", ["x"], ["y"], {"axis": [7]})]),
    ("an attribute of the call that says no type",
     called(node("F", ["x"], ["y"], [attribute("k", 0, f(3, 7))], "local"),
            function("F", [node("Op", ["a"], ["c"], [attribute("axis", 2, f(21, "k"))])], ["a"], ["c"],
                     ["k"])), [("Op", ["x"], ["y"], {"axis": [7]})]),
    ("an attribute that the call does not give",
     called(CALL, function("F", [node("Op", ["a"], ["c"], [attribute("axis", 2, f(21, "k"))])], ["a"],
                           ["c"], ["k"])), [("Op", ["x"], ["y"], {})]),
    ("a default", called(CALL, function(
        "F", [node("Op", ["a"], ["c"], [attribute("axis", 2, f(21, "k"))])], ["a"], ["c"], (),
        [attribute("k", 2, f(3, 5))])), [("Op", ["x"], ["y"], {"axis": [5]})]),
    ("a default that the call overrides",
     called(node("F", ["x"], ["y"], [attribute("k", 2, f(3, 7))], "local"), function(
         "F", [node("Op", ["a"], ["c"], [attribute("axis", 2, f(21, "k"))])], ["a"], ["c"], (),
         [attribute("k", 2, f(3, 5))])), [("Op", ["x"], ["y"], {"axis": [7]})]),
    ("a reference through two calls",
     called(node("G", ["x"], ["y"], [attribute("g", 2, f(3, 7))], "local"),
            function("G", [node("F", ["a"], ["c"], [attribute("k", 2, f(21, "g"))], "local")], ["a"],
                     ["c"], ["g"]),
            function("F", [node("Op", ["a"], ["c"], [attribute("axis", 2, f(21, "k"))])], ["a"], ["c"],
                     ["k"])), [("Op", ["x"], ["y"], {"axis": [7]})]),
    ("an overload", called(node("F", ["x"], ["y"], domain="local", extra=f(8, "two")),
                           function("F", [node("Neg", ["a"], ["c"])], ["a"], ["c"]),
                           function("F", [node("Abs", ["a"], ["c"])], ["a"], ["c"],
                                    extra=f(13, "two"))), [("Abs", ["x"], ["y"], {})]),
    ("an opset that only the function has",
     called(CALL, function("F", [node("Op", ["a"], ["c"], domain="more")], ["a"], ["c"],
                           opsets=(opset(17), opset(3, "more")))), [("Op", ["x"], ["y"], {})]),
    ("a function in the place of an operator",
     called(node("Neg", ["x"], ["y"]), function("Neg", [node("Abs", ["a"], ["c"])], ["a"], ["c"],
                                                domain="ai.onnx")), [("Abs", ["x"], ["y"], {})]),
]


def check_inlined():
    for (name, _, want), got in zip(INLINED, parse([row[1] for row in INLINED])):
        assert "rule" not in got, (name, got)
        assert nodes(got) == want, (name, nodes(got))
        assert [o[0] for o in got["graphs"][0]["outputs"]] == ["y"], name


def one(file):
    answer = parse([file])[0]
    assert "rule" not in answer, answer
    return answer


def check_graphs_in_functions():
    """A graph that a call gives sees the caller's names; one of the function, the function's."""
    body = graph([node("Neg", ["mine"], ["i"])], [], ["i"])
    own = graph([node("Exp", ["mine"], ["i"])], [], ["i"])
    call = node("F", ["x"], ["y"], [attribute("k", 5, f(6, body))], "local")
    use = function("F", [node("Abs", ["a"], ["mine"]),
                         node("If", ["a"], ["c"], [attribute("one", 5, f(21, "k")),
                                                   attribute("two", 5, f(6, own))])],
                   ["a"], ["c"], ["k"])
    got = one(called(call, use, before=[node("Sin", ["x"], ["mine"])]))
    assert nodes(got) == [("Sin", ["x"], ["mine"], {}), ("Abs", ["x"], ["mine__1"], {}),
                          ("If", ["x"], ["y"], {"one": [1], "two": [2]})], nodes(got)
    assert nodes(got, 1) == [("Neg", ["mine"], ["i"], {})]
    assert nodes(got, 2) == [("Exp", ["mine__1"], ["i__1"], {})]

    # within a subgraph, a call gives a graph that sees the subgraph's names
    inner = graph([node("Abs", ["x"], ["mine"]), node("F", ["x"], ["r"], [
        attribute("k", 5, f(6, body))], "local")], [], ["r"])
    got = one(called(node("If", ["x"], ["y"], [attribute("b", 5, f(6, inner))]), use))
    assert nodes(got, 1)[1] == ("Abs", ["x"], ["mine__1"], {}), nodes(got, 1)
    assert nodes(got, 2) == [("Neg", ["mine"], ["i"], {})]

    # what a call gives may be used in a graph of the function: it sees what the caller made before
    deep = function("F", [node("If", ["a"], ["c"], [attribute("g", 5, f(6, graph(
        [node("If", ["a"], ["j"], [attribute("one", 5, f(21, "k"))])], [], ["j"])))])], ["a"], ["c"],
                    ["k"])
    got = one(called(call, deep, before=[node("Sin", ["x"], ["mine"])]))
    assert nodes(got, 2) == [("Neg", ["mine"], ["i"], {})], nodes(got, 2)
    late = parse([called([call, node("Sin", ["x"], ["mine"])], deep)])[0]
    assert late.get("rule") == "onnx.undefined", late


def constant_of(name):
    return attribute(name, 4, f(5, tensor("", [2], 1, f(9, b"constant"))))


def check_tensors_once():
    """A function's constants are one tensor, however often it is called."""
    constant = attribute("value", 4, f(5, tensor("", [2], 1, f(9, b"constant"))))
    many_ints = attribute("ints", 7, f(8, bytes(range(100)) * 20))
    own = graph([], [], ["w"], [tensor("w", [2], 1, f(9, b"in graph"))])
    body = [node("Op", ["a"], ["c"], [constant, many_ints, attribute("g", 5, f(6, own))])]
    got = one(called([node("F", ["x"], [f"o{i}"], domain="local") for i in range(5)] + [
        node("F", ["x"], ["y"], domain="local")], function("F", body, ["a"], ["c"])))
    assert len(got["tensors"]) == 3, got["tensors"]
    assert len(got["graphs"]) == 7
    assert sum(kind == 5 for kind, _, _ in got["spans"]) == 3, got["spans"]

    # so is what a call or the function itself gives as an attribute
    sparse = f(1, tensor("", [1], 1, f(4, 1.5))) + f(2, tensor("", [1], 7, f(7, 3))) + f(3, 9)
    body = [node("Op", ["a"], ["c"], [attribute("own", 11, f(22, sparse)),
                                      attribute("given", 4, f(21, "k"))])]
    calls = [node("F", ["x"], [f"o{i}"], [constant_of("k")], "local") for i in range(3)]
    got = one(called(calls + [node("F", ["x"], ["y"], [constant_of("k")], "local")],
                     function("F", body, ["a"], ["c"], ["k"])))
    assert len(got["tensors"]) == 5, got["tensors"]
    assert got["tensors"][0]["shape"] in ([9], [2])


def check_names():
    """Sibling graphs may use one name; a graph's input may hide an outer name."""
    branch = graph([node("Neg", ["x"], ["r"])], [], ["r"])
    hiding = graph([node("Neg", ["x"], ["h"])], ["x"], ["h"])
    got = one(model(graph([node("If", ["x"], ["y"], [
        attribute("a", 5, f(6, branch)), attribute("b", 5, f(6, branch)),
        attribute("c", 5, f(6, hiding))])], ["x"], ["y"])))
    assert nodes(got, 1) == [("Neg", ["x"], ["r"], {})]
    assert nodes(got, 2) == [("Neg", ["x"], ["r__1"], {})]
    assert nodes(got, 3) == [("Neg", ["x__1"], ["h"], {})]
    assert got["graphs"][3]["inputs"][0][0] == "x__1"

    # what a later graph calls its tensor does not take the main graph's names
    later = graph([], [], ["y"], [tensor("y", [1])])
    got = one(model(graph([node("If", ["x"], ["y"], [attribute("a", 5, f(6, later))])], ["x"],
                          ["y"])))
    assert [t["name"] for t in got["tensors"]] == ["y__1"], got["tensors"]


def check_constants():
    """An input with an initializer is a constant; an output may be one."""
    got = one(model(graph([node("Neg", ["w"], ["y"])], ["w", "x"], ["y", "w", "x"],
                          [tensor("w", [1])])))
    assert [i[0] for i in got["graphs"][0]["inputs"]] == ["x"]
    assert [o[0] for o in got["graphs"][0]["outputs"]] == ["y", "w", "x"]


def check_lists():
    """A name may be an output twice, or one of the outer graph; a type may be said twice, or not
    at all where it follows from the graph."""
    got = one(model(graph([node("Neg", ["x"], ["y"])], ["x"], ["y", "y"], extra=f(13, value("x")))))
    assert [o[0] for o in got["graphs"][0]["outputs"]] == ["y", "y"], got["graphs"]
    branch = graph([node("Neg", ["in"], ["r"])], [f(1, "in")], ["r", "x"])
    got = one(model(graph([node("Loop", ["x"], ["y"], [attribute("body", 5, f(6, branch))])], ["x"],
                          ["y"])))
    assert got["graphs"][1]["inputs"] == [["in", None]], got["graphs"][1]
    assert [o[0] for o in got["graphs"][1]["outputs"]] == ["r", "x"]
    got = one(called(CALL, function("F", [node("Neg", ["a"], ["c"])], ["a"], ["c"],
                                    extra=f(12, value("c")))))
    assert nodes(got) == [("Neg", ["x"], ["y"], {})]
    got = one(model(graph([node("Op", [], [], domain="seven77")]), opsets=(opset(1, "seven77"),)))
    assert got["opsets"] == {"seven77": 1}


def check_sparse():
    values = tensor("sp", [2], 1, f(4, 1.5) + f(4, -2.0))
    for rows in (tensor("", [2], 7, many(7, [1, 5])),
                 tensor("", [2, 2], 7, f(7, bytes([0, 1, 1, 2])))):
        sparse = f(1, values) + f(2, rows) + f(3, bytes([2, 3]))
        dense = tensor("sp", [2, 3], 1, f(4, b"".join(
            b"\0\0\xc0\x3f" if i == 1 else b"\0\0\0\xc0" if i == 5 else bytes(4) for i in range(6))))
        got = one(model(graph(extra=f(15, sparse))))
        assert got["tensors"] == one(model(graph(initializers=[dense])))["tensors"]
        got = one(model(graph([node("Constant", [], ["y"], [attribute("sparse_value", 11,
                                                                      f(22, sparse))])])))
        assert got["tensors"][0]["shape"] == [2, 3]

    # elements as they lie in the file; more zeros than are written at a time
    raw = struct.pack("<2f", 1.5, -2.0), struct.pack("<2Q", 1, 2998)
    sparse = (f(1, tensor("sp", [2], 1, f(9, raw[0]))) + f(2, tensor("", [2], 7, f(9, raw[1]))) +
              f(3, 3000))
    dense = struct.pack("<3000f", 0, 1.5, *[0] * 2996, -2.0, 0)
    got = one(model(graph(extra=f(15, sparse))))
    assert got["tensors"] == one(model(graph(initializers=[tensor("sp", [3000], 1, f(9, dense))])))[
        "tensors"]


def check_spellings():
    """Packed, in pieces, one by one, or all of it: one list. Absent zeros are zeros."""
    pieces = f(8, bytes([1, 2])) + f(8, 3) + f(8, bytes([4])) + f(8, b"") + f(8, 5)
    got = one(model(graph([node("Op", [], [], [
        attribute("pieces", 7, pieces), attribute("tags", 7, many(8, [1, 2, 3, 4, 5])),
        attribute("none", 7), attribute("zero", 2), attribute("nought", 1), attribute("empty", 3),
        attribute("guessed", 0, f(3, 9))])])))
    attributes = got["graphs"][0]["nodes"][0]["attributes"]
    assert attributes["pieces"] == attributes["tags"] == [8, [1, 2, 3, 4, 5]]
    assert attributes["none"] == [8, []] and attributes["zero"] == [1, [0]]
    assert attributes["nought"] == [2, ["0"]] and attributes["empty"] == [3, [""]]
    assert attributes["guessed"] == [1, [9]]

    minus = f(5, -5)
    assert len(minus) == 11  # a negative number is written with its sign's 64 bits
    got = one(model(graph(initializers=[tensor("t", [3], 6, f(5, 1) + minus + f(5, 2))])))
    want = one(model(graph(initializers=[tensor("t", [3], 6, f(9, b"\1\0\0\0\xfb\xff\xff\xff\2\0\0\0"))])))
    assert got["tensors"] == want["tensors"]

    # packed in two pieces; each with its tag; nothing at all; where it lies said once more
    for dtype, field, code, tag in (1, 4, "f", b"\x25"), (11, 10, "d", b"\x51"), (14, 4, "f", b"\x25"):
        numbers = [struct.pack("<" + code, i + 0.5) for i in range(4)]
        axis = [2] if dtype == 14 else [4]
        files = [model(graph(initializers=[tensor("t", axis, dtype, data)])) for data in (
            f(9, b"".join(numbers)), f(field, b"".join(numbers)), b"".join(tag + n for n in numbers),
            f(field, b"".join(numbers[:3])) + f(field, numbers[3]),
            f(field, b"".join(numbers)) + f(14, 0))]
        tensors = [answer.get("tensors", answer) for answer in parse(files)]
        assert all(t == tensors[0] for t in tensors), tensors
    assert one(model(graph(initializers=[tensor("t", [0], 1, f(9, b""))])))["tensors"][0][
        "shape"] == [0]


def check_byte_map():
    """Unknown fields and what nobody reads are notes with their place; payloads are found."""
    unknown = f(77, "who knows") + f(78, 5)
    training = f(20, f(1, b"initialization"))
    file = (model(graph([node("Neg", ["x"], ["y"], extra=unknown)], ["x"], ["y"],
                        [tensor("w", [2], 1, f(9, b"weights!"))]), training))
    got = one(file)
    kinds = {kind: file[offset:offset + length] for kind, offset, length in got["spans"]}
    assert kinds[5] == b"weights!", kinds
    unclaimed = [file[o:o + n] for kind, o, n in got["spans"] if kind == 6]
    assert unclaimed == [unknown, training], unclaimed
    assert [(x[0], file[x[1]:x[1] + x[2]], x[3]) for x in got["findings"]] == [
        ("onnx.unknown-field", unknown[:len(f(77, "who knows"))], "field 77 of NodeProto"),
        ("onnx.not-read", training, "field 20 of ModelProto")], got["findings"]

    spread = model(graph([node("Neg", extra=f(99, i) + f(3, f"n{i}")) for i in range(200)]))
    got = one(spread)
    assert len(got["findings"]) == 64, len(got["findings"])
    assert sum(kind == 6 for kind, _, _ in got["spans"]) == 200

    unused = function("F", [node("Neg", ["a"], ["c"], extra=unknown)], ["a"], ["c"])
    got = one(called(node("Abs", ["x"], ["y"]), unused))
    assert got["findings"][-1][3] == "a function that nothing calls", got["findings"]

    unused = functions(function("F", [node("Neg", ["a"], ["c"])], ["a"], ["c"]))
    file = model(graph(initializers=[tensor("w", [2], 1, f(9, b"weights!"))]), unused)
    assert [kind for kind, _, _ in one(file)["spans"]][-2:] == [2, 6], one(file)["spans"]


def check_opsets():
    assert one(model(graph([node("Neg", ["x"], ["y"])], ["x"], ["y"]), opsets=(), ir=2))["opsets"] == {
        "": 1}
    assert one(model(graph(), opsets=(opset(17), opset(17, "ai.onnx"), opset(3, "ai.onnx.ml"))))[
        "opsets"] == {"": 17, "ai.onnx.ml": 3}


def check_types():
    """The type of an output, or what value_info says of it."""
    info = f(13, value("y"))
    got = one(model(graph([node("Neg", ["x"], ["y"])], ["x"], [f(1, "y")], extra=info)))
    assert got["graphs"][0]["outputs"] == [["y", [1, "f32", "none", None, None]]]
    said = f(6, "IMAGE") + tensor_type()
    got = one(model(graph([node("Neg", ["x"], ["y"])], [value("x", said)], ["y"])))
    assert got["graphs"][0]["inputs"] == [["x", [1, "f32", "none", None, None]]]


check_inlined()
check_graphs_in_functions()
check_tensors_once()
check_names()
check_constants()
check_lists()
check_sparse()
check_spellings()
check_byte_map()
check_opsets()
check_types()
print(len(INLINED), "calls inlined; names, tensors, types and bytes accounted for")
