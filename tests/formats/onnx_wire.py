"""Protobuf by hand: messages that no library would write, and what the parser says of them."""

import json
import os
import struct
import subprocess
import tempfile

TOOL = os.path.join(os.environ.get("BUILD", "build"), "tests/formats/tool_onnx")


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def f(number, content):
    """A field: an int as varint, a float as fixed32, bytes and text with their length."""
    if isinstance(content, str):
        content = content.encode()
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    if isinstance(content, float):
        return varint(number << 3 | 5) + struct.pack("<f", content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def many(number, contents):
    return b"".join(f(number, c) for c in contents)


def tensor_type(dtype=1, shape=None):
    dims = b"" if shape is None else f(2, b"".join(
        f(1, f(2, d) if isinstance(d, str) else f(1, d)) for d in shape))
    return f(1, f(1, dtype) + dims)


def value(name, kind=None):
    return f(1, name) + f(2, tensor_type() if kind is None else kind)


def tensor(name, dims=(), dtype=1, data=None):
    """data: encoded fields; b"" for none."""
    return (many(1, dims) + f(2, dtype) + (f(8, name) if name else b"") +
            (f(9, b"\0" * 4) if data is None else data))


def attribute(name, kind, *fields):
    return f(1, name) + b"".join(fields) + (f(20, kind) if kind else b"")


def node(op, inputs=(), outputs=(), attributes=(), domain="", extra=b""):
    return (many(1, inputs) + many(2, outputs) + f(4, op) + many(5, attributes) +
            (f(7, domain) if domain else b"") + extra)


def graph(nodes=(), inputs=(), outputs=(), initializers=(), extra=b""):
    return (many(1, nodes) + f(2, "g") + many(5, initializers) + extra +
            many(11, [i if isinstance(i, bytes) else value(i) for i in inputs]) +
            many(12, [o if isinstance(o, bytes) else value(o) for o in outputs]))


def opset(version, domain=""):
    return (f(1, domain) if domain else b"") + f(2, version)


def model(g, extra=b"", opsets=(opset(17),), ir=8):
    return f(1, ir) + many(8, opsets) + f(7, g) + extra


def function(name, nodes, inputs=(), outputs=(), attributes=(), defaults=(), opsets=(opset(17),),
             domain="local", extra=b""):
    return (f(1, name) + many(4, inputs) + many(5, outputs) + many(6, attributes) +
            many(7, nodes) + many(9, opsets) + f(10, domain) + many(11, defaults) + extra)


def functions(*all_of_them):
    return many(25, all_of_them)


def parse(files):
    """What the parser says of each of these files."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i, data in enumerate(files):
            paths.append(os.path.join(folder, f"{i:04}.onnx"))
            with open(paths[-1], "wb") as out:
                out.write(data)
        said = subprocess.run([TOOL, *paths], check=True, stdout=subprocess.PIPE).stdout
        answers = [json.loads(line) for line in said.splitlines()]
        assert [a["path"] for a in answers] == paths
        return answers
