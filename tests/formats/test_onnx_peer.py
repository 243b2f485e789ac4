#!/usr/bin/python3
"""Holds the ONNX parser against python3-onnx, which reads the same files with another
protobuf implementation: every graph, node, attribute, type and every tensor's bytes.

With files as arguments those are compared; without, models that are built here.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib

import onnx
from onnx import AttributeProto, TensorProto, helper

TOOL = os.path.join(os.environ.get("BUILD", "build"), "tests/formats/tool_onnx")
LONG_LIST = 1024

# number -> name, field, struct code of a number in the payload
DTYPES = {
    1: ("f32", "float_data", "f"), 2: ("u8", "int32_data", "B"), 3: ("i8", "int32_data", "b"),
    4: ("u16", "int32_data", "H"), 5: ("i16", "int32_data", "h"), 6: ("i32", "int32_data", "i"),
    7: ("i64", "int64_data", "q"), 8: ("str", "string_data", ""), 9: ("bool", "int32_data", "B"),
    10: ("f16", "int32_data", "H"), 11: ("f64", "double_data", "d"),
    12: ("u32", "uint64_data", "I"), 13: ("u64", "uint64_data", "Q"),
    14: ("c64", "float_data", "f"), 15: ("c128", "double_data", "d"),
    16: ("bf16", "int32_data", "H"), 17: ("f8e4m3fn", "int32_data", "B"),
    18: ("f8e4m3fnuz", "int32_data", "B"), 19: ("f8e5m2", "int32_data", "B"),
    20: ("f8e5m2fnuz", "int32_data", "B"), 21: ("u4", "int32_data", "B"),
    22: ("i4", "int32_data", "B"), 23: ("f4e2m1", "int32_data", "B"),
    24: ("f8e8m0", "int32_data", "B"), 27: ("f6e2m3", "int32_data", "six"),
    28: ("f6e3m2", "int32_data", "six"),
}


def text_payload(texts):
    offsets = [0]
    for text in texts:
        offsets.append(offsets[-1] + len(text))
    return struct.pack(f"<{len(offsets)}Q", *offsets) + b"".join(texts)


def sixes(codes):
    bits = 0
    for i, code in enumerate(codes):
        bits |= code << (6 * i)
    return bits.to_bytes((6 * len(codes) + 7) // 8, "little")


def payload(t):
    name, field, code = DTYPES[t.data_type]
    if t.HasField("raw_data"):
        return t.raw_data
    values = getattr(t, field)
    if name == "str":
        return text_payload(values)
    if code == "six":
        return sixes(values)
    return struct.pack(f"<{len(values)}{code}", *values)


def tensor_json(t, name=None):
    data = payload(t)
    return {"name": t.name if name is None else name, "dtype": DTYPES[t.data_type][0],
            "shape": list(t.dims), "data": [len(data), zlib.crc32(data)]}


def type_json(t):
    kind = t.WhichOneof("value")
    if kind == "tensor_type":
        tensor = t.tensor_type
        if not tensor.elem_type:
            return None
        dims = None
        if tensor.HasField("shape"):
            dims = [d.dim_param if d.dim_param else
                    (d.dim_value if d.HasField("dim_value") and d.dim_value >= 0 else -1)
                    for d in tensor.shape.dim]
        return [1, DTYPES[tensor.elem_type][0], "none", dims, None]
    if kind == "sequence_type":
        return [2, "none", "none", None, type_json(t.sequence_type.elem_type)]
    if kind == "map_type":
        return [3, "none", DTYPES[t.map_type.key_type][0], None, type_json(t.map_type.value_type)]
    if kind == "optional_type":
        return [4, "none", "none", None, type_json(t.optional_type.elem_type)]
    return None


def number(value):
    return "%.17g" % value


def list_tensor(dtype, values):
    if dtype == "str":
        data = text_payload(values)
    else:
        data = struct.pack(f"<{len(values)}{'q' if dtype == 'i64' else 'f'}", *values)
    return [4, [{"name": "", "dtype": dtype, "shape": [len(values)],
                 "data": [len(data), zlib.crc32(data)]}]]


class Walk:
    """Graphs in the order in which attributes hold them."""

    def __init__(self, model):
        self.queue = [model.graph]

    def graph_number(self, graph):
        self.queue.append(graph)
        return len(self.queue) - 1

    def attribute(self, a):
        kind = a.type
        if kind == AttributeProto.FLOAT:
            return [2, [number(a.f)]]
        if kind == AttributeProto.INT:
            return [1, [a.i]]
        if kind == AttributeProto.STRING:
            return [3, [a.s.decode()]]
        if kind == AttributeProto.TENSOR:
            return [4, [tensor_json(a.t, "")]]
        if kind == AttributeProto.GRAPH:
            return [5, [self.graph_number(a.g)]]
        if kind == AttributeProto.FLOATS:
            if len(a.floats) >= LONG_LIST:
                return list_tensor("f32", a.floats)
            return [9, [number(v) for v in a.floats]]
        if kind == AttributeProto.INTS:
            return list_tensor("i64", a.ints) if len(a.ints) >= LONG_LIST else [8, list(a.ints)]
        if kind == AttributeProto.STRINGS:
            if len(a.strings) >= LONG_LIST:
                return list_tensor("str", a.strings)
            return [10, [s.decode() for s in a.strings]]
        if kind == AttributeProto.TENSORS:
            return [11, [tensor_json(t, "") for t in a.tensors]]
        if kind == AttributeProto.GRAPHS:
            return [12, [self.graph_number(g) for g in a.graphs]]
        if kind == AttributeProto.TYPE_PROTO:
            return [7, [type_json(a.tp)]]
        raise ValueError(kind)

    def node(self, n):
        return {"op": n.op_type, "domain": domain(n.domain), "name": n.name, "in": list(n.input),
                "out": list(n.output),
                "attributes": {a.name: self.attribute(a) for a in n.attribute}}

    def graph(self, g):
        constants = {t.name for t in g.initializer}
        inputs = [[i.name, type_json(i.type)] for i in g.input if i.name not in constants]
        typed = {name: kind for name, kind in inputs}
        types = {v.name: type_json(v.type) for v in reversed(g.value_info)}
        outputs, first = [], {}
        for o in g.output:
            kind = type_json(o.type)
            if o.name in constants:
                kind = None
            elif o.name in typed:
                kind = typed[o.name]
            elif kind is None:
                kind = types.get(o.name)
            outputs.append([o.name, first.setdefault(o.name, kind)])
        return {"name": g.name, "inputs": inputs, "outputs": outputs,
                "nodes": [self.node(n) for n in g.node]}

    def all(self):
        graphs, tensors = [], []
        for graph in self.queue:  # grows
            graphs.append(self.graph(graph))
            tensors += [tensor_json(t) for t in graph.initializer]
        return graphs, tensors


def domain(name):
    return "" if name == "ai.onnx" else name


def expected(model):
    graphs, tensors = Walk(model).all()
    opsets = {domain(o.domain): o.version for o in model.opset_import} or {"": 1}
    return {"graphs": graphs, "tensors": tensors, "opsets": opsets}


def check_spans(path, got):
    at = 0
    for _kind, offset, length in got["spans"]:
        assert offset == at and length > 0, path
        at += length
    assert at == os.path.getsize(path), path


def compare(path, got):
    with open(path, "rb") as file:
        model = onnx.load_model_from_string(file.read())
    want = expected(model)
    named = [t for t in got["tensors"] if t["name"]]
    assert "rule" not in got, (path, got)
    assert got["graphs"] == want["graphs"], difference(path, got["graphs"], want["graphs"])
    assert named == want["tensors"], difference(path, named, want["tensors"])
    assert got["opsets"] == want["opsets"], path
    check_spans(path, got)


def difference(path, got, want):
    return f"{path}\n got {json.dumps(got)[:2000]}\nwant {json.dumps(want)[:2000]}"


def compare_all(paths):
    done = 0
    for start in range(0, len(paths), 200):
        output = subprocess.run([TOOL, *paths[start:start + 200]], check=True,
                                stdout=subprocess.PIPE).stdout
        for line in output.splitlines():
            got = json.loads(line)
            if got.get("verdict") == 3 and len(sys.argv) > 1:
                continue
            compare(got["path"], got)
            done += 1
    return done


# ---- models that are built here


def tensors_of_all_types():
    made = []
    for kind, (name, field, code) in DTYPES.items():
        for raw in (False, True):
            if name == "str" and raw:
                continue
            t = TensorProto(name=f"{name}_{'raw' if raw else 'typed'}", data_type=kind)
            t.dims.extend([2, 3])
            bits = {"u4": 4, "i4": 4, "f4e2m1": 4, "f6e2m3": 6, "f6e3m2": 6}.get(name)
            count = 3 if bits == 4 else 12 if name in ("c64", "c128") else 6
            if name == "str":
                t.string_data.extend([b"", "ä".encode(), b"x" * 5000, b"\0", b"y", b"z" * 4096])
            elif name == "bool":
                getattr(t, field).extend([0, 1, 1, 0, 1, 0])
            elif bits == 6:
                t.int32_data.extend([0, 63, 1, 32, 7, 9])
            elif code in "fd":
                getattr(t, field).extend([1.5, float("nan"), float("-inf"), -0.0, 1e-30, 7] * 2)
                del getattr(t, field)[count:]
            else:
                most = struct.calcsize(code) * 8
                low = -(1 << (most - 1)) if code.islower() else 0
                values = [low, low + (1 << most) - 1, 0, 1, 2, 3][:count]
                getattr(t, field).extend(values)
            if raw:
                data = payload(t)
                t.ClearField(field)
                t.raw_data = data
            made.append(t)
    empty = TensorProto(name="empty", data_type=1)
    empty.dims.extend([0, 4])
    return made + [empty, TensorProto(name="scalar", data_type=1, float_data=[2.0])]


def value(name, kind=TensorProto.FLOAT, shape=(None, "n", 3)):
    return helper.make_tensor_value_info(name, kind, shape)


def attributes_model():
    inner = helper.make_graph([helper.make_node("Neg", ["x"], ["inner"])], "inner", [],
                              [helper.make_tensor_value_info("inner", 1, None)])
    inner.initializer.append(TensorProto(name="k", data_type=7, int64_data=[]))
    inner.initializer[0].dims.append(0)
    many = list(range(-600, 700))
    node = helper.make_node(
        "Anything", ["x", "", "x"], ["", "y"], name="a node", domain="ai.onnx", f=0.1, i=-1 << 63,
        s="text ä", floats=[1.0, -2.5], ints=[1, -1], strings=["a", ""], g=inner,
        t=TensorProto(data_type=1, float_data=[1.0]), many=many, many_f=[float(v) for v in many],
        many_s=[str(v) for v in many])
    node.attribute.append(AttributeProto(name="none", type=AttributeProto.INTS))
    node.attribute.append(AttributeProto(name="ts", type=AttributeProto.TENSORS, tensors=[
        TensorProto(data_type=6, int32_data=[5]), TensorProto(data_type=6, int32_data=[6])]))
    sequence = helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, [2, "k"]))
    node.attribute.append(AttributeProto(name="tp", type=AttributeProto.TYPE_PROTO, tp=sequence))
    graph = helper.make_graph([node], "g", [value("x")], [value("y"), value("x")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("ai.onnx", 17)])


def loop_model():
    """Subgraphs within subgraphs; values of all kinds of types."""
    deepest = helper.make_graph([helper.make_node("Add", ["x", "a"], ["b"])], "deepest", [],
                                [value("b")])
    middle = helper.make_graph(
        [helper.make_node("If", ["c"], ["a2"], then_branch=deepest,
                          else_branch=helper.make_graph(
                              [helper.make_node("Identity", ["a"], ["e"])], "else", [],
                              [value("e")]))],
        "middle", [value("i", 7, []), value("go", 9, []), value("a")], [value("a2")])
    graph = helper.make_graph([helper.make_node("Loop", ["", "c", "x"], ["z"], body=middle)], "g",
                              [value("x"), value("c", 9, [])], [value("z")])
    types = [helper.make_sequence_type_proto(helper.make_tensor_type_proto(8, None)),
             helper.make_optional_type_proto(helper.make_sequence_type_proto(
                 helper.make_tensor_type_proto(11, [])))]
    for i, kind in enumerate(types):
        graph.input.append(onnx.ValueInfoProto(name=f"t{i}", type=kind))
    m = onnx.ValueInfoProto(name="m")
    m.type.map_type.key_type = 8
    m.type.map_type.value_type.CopyFrom(helper.make_tensor_type_proto(1, [-1]))
    graph.input.append(m)
    return helper.make_model(graph)


def initializers_model():
    tensors = tensors_of_all_types()
    graph = helper.make_graph([], "all types", [value("x")], [value("f32_raw"), value("x")],
                              tensors)
    graph.input.append(value("f64_raw", 11, (2, 3)))
    model = helper.make_model(graph)
    model.ir_version = 2
    del model.opset_import[:]
    return model


def check_metadata(folder):
    model = attributes_model()
    model.producer_name, model.producer_version, model.model_version = "maker", "1.2", -7
    model.domain, model.doc_string = "org.example", "about\nit"
    for key, text in (("z", "1"), ("a/b~c", "2"), ("", "3")):
        model.metadata_props.add(key=key, value=text)
    path = os.path.join(folder, "metadata.onnx")
    onnx.save(model, path)
    output = subprocess.run([TOOL, path], check=True, stdout=subprocess.PIPE).stdout
    got = json.loads(output)["metadata"]
    source = "/metadata/source"
    assert got == {
        "/kind": "model", "/name": "g", "/producer": "maker 1.2", "/version": "-7",
        "/metadata": 1, source: 5, source + "/doc_string": "about\nit",
        source + "/domain": "org.example", source + "/format": "onnx",
        source + "/ir_version": model.ir_version, source + "/metadata_props": 3,
        source + "/metadata_props/": "3", source + "/metadata_props/a~1b~0c": "2",
        source + "/metadata_props/z": "1"}, got


def main():
    if len(sys.argv) > 1:
        print(compare_all(sys.argv[1:]), "models read alike")
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for make in (attributes_model, loop_model, initializers_model):
            paths.append(os.path.join(folder, make.__name__ + ".onnx"))
            onnx.save(make(), paths[-1])
        assert compare_all(paths) == len(paths)
        check_metadata(folder)
    print("the parser and python3-onnx read the same in", len(paths), "models")


main()
