#!/usr/bin/python3
"""Pickles of data come out as what Python's own unpickler reads: numbers and texts as metadata,
arrays and bytes as tensors, in every protocol, by pickle, joblib and with compression; and the
byte map tiles the file (invariant 12)."""

import binascii
import collections
import json
import os
import pickle
import subprocess
import sys
import tempfile

import joblib
import numpy as np

TOOL = os.path.join(os.environ.get("BUILD", "build"), "tests/formats/tool_onnx")
OPCODES, ARRAY, PAYLOAD, COMPRESSED = 7, 8, 5, 9


def value():
    shared = np.arange(3.0)
    return {
        "weights": [{"w": np.arange(6.0).reshape(2, 3), "b": np.array([1, -2], dtype=">i4")},
                    (shared, shared)],
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)), "flags": np.array([True, False]),
        "texts": np.array(["a", "bcd", ""]), "objects": np.array(["x", "y"], dtype=object),
        "complex": 1 + 2j, "single": np.array([1.5], dtype="f4"), "none": np.zeros((0, 4)),
        "scalar": np.float64(2.5), "count": 3, "big": 2**63, "low": -2**63, "real": -0.0,
        "text": "h\u00e9\u20ac\n\\u0041", "bytes": b"\0\xff'", "array": bytearray(b"xyz"),
        "hidden": np.ma.array([[1., 2.], [3., 4.]], mask=[[0, 1], [0, 0]]),
        "hidden, Fortran": np.ma.array(np.asfortranarray([[1, 2, 3], [4, 5, 6]]),
                                       mask=[[0, 1, 1], [0, 0, 1]]),
        "hidden texts": np.ma.array(["a", "b"], mask=[0, 1]), "not hidden": np.ma.array([1., 2.]),
        "none hidden": np.ma.array([1., 2.], mask=[0, 0]), "empty": b"", "nothing": None, "yes": True, "no": False, "set": {5},
        "frozen": frozenset(["f"]), "ordered": collections.OrderedDict([("a", 1), ("b", [])]),
        "default": collections.defaultdict(list, {"k": 1}), 7: "seven", None: 0, "a/b~c": 1,
        True: "true", "long": list(range(1200)), "tuples": ((), (1,), (1, 2), (1, 2, 3, 4)),
    }


def pointer(key):
    return str(key).replace("~", "~0").replace("/", "~1")


class Expected:
    def __init__(self):
        self.metadata, self.tensors = {}, {}

    def tensor(self, path, array):
        name = path[len("/x-value/"):] or "array"
        hidden = np.ma.getmaskarray(array)
        self.metadata[path] = 1 + bool(hidden.any())
        self.metadata[path + "/tensor"] = name
        if hidden.any():
            self.tensor(path + "/mask", hidden)
        array = np.asarray(array)
        if array.dtype.kind in "UO":
            texts = [t.encode() for t in array.ravel()]
            ends = np.cumsum([0] + [len(t) for t in texts]).astype("<u8")
            dtype, data = "str", ends.tobytes() + b"".join(texts)
        else:
            dtype = "bool" if array.dtype.kind == "b" else \
                f"{array.dtype.kind}{8 * array.dtype.itemsize}"
            data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        self.tensors[name] = (dtype, list(array.shape), [len(data), binascii.crc32(data)])

    def put(self, path, item):
        if isinstance(item, (bytes, bytearray)):
            self.tensor(path, np.frombuffer(item, "u1"))
        elif isinstance(item, (np.ndarray, complex)):
            self.tensor(path, item)
        elif isinstance(item, dict):
            self.metadata[path] = len(item)
            for key, below in item.items():
                self.put(f"{path}/{pointer(key)}", below)
        elif isinstance(item, (list, tuple, set, frozenset)):
            self.metadata[path] = len(item)
            for i, below in enumerate(item):
                self.put(f"{path}/{i}", below)
        elif isinstance(item, float):
            self.metadata[path] = "%.17g" % item
        elif item is None:
            self.metadata[path] = 0
        elif isinstance(item, str):
            self.metadata[path] = item
        else:
            number = int(item)
            self.metadata[path] = number - 2**64 if number >= 2**63 else number


def files(folder):
    def name(text):
        return os.path.join(folder, text)

    for protocol in range(6):
        with open(name(f"pickle {protocol}"), "wb") as file:
            pickle.dump(value(), file, protocol)
    joblib.dump(value(), name("joblib raw"))
    joblib.dump(value(), name("joblib 2"), protocol=2)
    for method in ("zlib", "gzip", "bz2", "xz", "lzma"):
        joblib.dump(value(), name(f"joblib {method}"), compress=(method, 3))
    return [name(text) for text in sorted(os.listdir(folder))]


def check_spans(answer, size):
    at = 0
    for _, offset, length in answer["spans"]:
        assert offset == at and length > 0, answer["spans"]
        at += length
    assert at == size
    kinds = {kind for kind, _, _ in answer["spans"]}
    assert kinds <= {OPCODES, ARRAY, PAYLOAD} or kinds == {COMPRESSED}, kinds
    return kinds


def check(answer, expected):
    path = answer["path"]
    assert "rule" not in answer, answer
    got = {t["name"]: (t["dtype"], t["shape"], t["data"]) for t in answer["tensors"]}
    assert got == expected.tensors, (path, got, expected.tensors)
    metadata = {k: v for k, v in answer["metadata"].items() if k.startswith("/x-value")}
    assert metadata == expected.metadata, \
        (path, set(metadata.items()) ^ set(expected.metadata.items()))
    source = answer["metadata"]
    words = os.path.basename(path).split()
    assert source["/metadata/source/serializer"] == words[0], path
    if words[1].isdigit():
        # Protocols 0 and 1 do not say what they are.
        assert source["/metadata/source/protocol"] in (int(words[1]), 0), path
    squeezed = words[1] in ("zlib", "gzip", "bz2", "xz", "lzma")
    assert source.get("/metadata/source/compression") == (words[1] if squeezed else None), path
    kinds = check_spans(answer, os.path.getsize(path))
    assert (kinds == {COMPRESSED}) == squeezed, path
    if words == ["joblib", "raw"]:
        assert kinds == {OPCODES, ARRAY, PAYLOAD}, kinds


def main():
    with tempfile.TemporaryDirectory() as folder:
        paths = files(folder)
        done = subprocess.run([TOOL, *paths], stdout=subprocess.PIPE, check=True)
        answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
        expected = Expected()
        expected.put("/x-value", value())
        for answer in answers:
            check(answer, expected)
    print(f"{len(answers)} files")
    sys.exit(len(answers) != 13)


if __name__ == "__main__":
    main()
