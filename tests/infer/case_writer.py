"""Cases as tests/infer/case_file.h reads them."""
from pathlib import Path

import numpy as np

CASES = Path(__file__).parent / "cases"
NAMES = {
    "f64": np.float64, "f32": np.float32, "f16": np.float16,
    "i64": np.int64, "i32": np.int32, "i16": np.int16, "i8": np.int8,
    "u64": np.uint64, "u32": np.uint32, "u16": np.uint16, "u8": np.uint8,
    "bool": np.bool_,
}
FLOATS = ["f64", "f32"]
WIDE = ["i64", "i32", "u64", "u32"]
NARROW = ["i16", "i8", "u16", "u8"]


class Bits:
    """An array of bf16, which numpy lacks: its bits as u16."""

    def __init__(self, bits):
        self.bits = np.asarray(bits, np.uint16)
        self.shape = self.bits.shape


def dtype_name(array):
    if isinstance(array, Bits):
        return "bf16"
    if array.dtype == object:
        return "str"
    return next(name for name, dtype in NAMES.items() if array.dtype == dtype)


def element_text(value, name):
    if name == "f64":
        return repr(float(value))
    if name == "f32":
        return str(np.float32(value))
    if name == "f16":
        return hex(int(np.float16(value).view(np.uint16)))
    if name == "str":
        return "'" + "".join(
            chr(b) if 32 <= b < 127 and chr(b) not in "\\'" else f"\\x{b:02x}"
            for b in value.encode()) + "'"
    return str(int(value))


def array_text(array):
    name = dtype_name(array)
    shape = "[" + ",".join(map(str, array.shape)) + "]"
    flat = array.bits.ravel() if isinstance(array, Bits) else array.ravel()
    return " ".join([name, shape] + [element_text(v, name) for v in flat])


def port_text(array, flavour):
    name = dtype_name(array)
    if flavour == "rank":
        return f"{name} *"
    dims = ["?" if flavour == "dims" else str(d) for d in array.shape]
    return f"{name} [{','.join(dims)}]"


def attribute_text(name, value):
    if isinstance(value, Dtype):
        return f"attr {name} dtype {value.name}"
    values = value if isinstance(value, list) else [value]
    kind = {int: "int", float: "float", str: "string"}[type(values[0])]
    if isinstance(value, list):
        kind += "s"
    texts = [element_text(v, "str") if isinstance(v, str) else repr(v) for v in values]
    return " ".join(["attr", name, kind] + texts)


class Dtype:
    def __init__(self, name):
        self.name = name


class Writer:
    """One file of cases. Ports are declared with known dims, unknown dims and
    unknown rank in turn: what is given in the run must not depend on it."""

    FLAVOURS = ("known", "dims", "rank")

    def __init__(self):
        self.lines = ["# Written by tests/infer/make_cases.py; do not edit."]
        self.count = 0

    def case(self, op, opset, inputs, wants, domain="", tolerance=(0, 0), constants=(), **attrs):
        flavour = self.FLAVOURS[self.count % 3]
        name = f"{op}-{opset} {self.count} {flavour}"
        self.count += 1
        out = self.lines
        out.append(f"case {name}")
        out.append(f"opset {opset} {domain}".rstrip())
        for i, array in enumerate(inputs):
            if array is not None and i in constants:
                out.append(f"tensor c{i} {array_text(array)}")
        for i, array in enumerate(inputs):
            if array is not None and i not in constants:
                out.append(f"input x{i} {port_text(array, flavour)}")
        out += [f"output y{i}" for i in range(len(wants))]
        names = ["_" if a is None else ("c" if i in constants else "x") + str(i)
                 for i, a in enumerate(inputs)]
        at = f"@{domain}" if domain else ""
        out.append(f"node {op}{at} {','.join(names)} -> "
                   + ",".join(f"y{i}" for i in range(len(wants))))
        out += [attribute_text(n, v) for n, v in attrs.items() if v is not None]
        if tolerance != (0, 0):
            out.append(f"tolerance {tolerance[0]} {tolerance[1]}")
        out += [f"feed {array_text(a)}" for i, a in enumerate(inputs)
                if a is not None and i not in constants]
        out += [f"want {array_text(a)}" for a in wants]
        if not [a for i, a in enumerate(inputs) if a is not None and i not in constants]:
            out.append("run")

    def text(self):
        return "\n".join(self.lines) + "\n"


def texts(*values, shape=None):
    out = np.empty(len(values), object)
    out[:] = values
    return out.reshape(shape if shape is not None else (len(values),))


def random(rng, name, shape):
    dtype = NAMES[name]
    if name in FLOATS or name == "f16":
        return (rng.integers(-40, 41, shape) / 8).astype(dtype)
    info = np.iinfo(dtype)
    low = -20 if info.min < 0 else 0
    return rng.integers(low, 21, shape).astype(dtype)


def tight(name):
    return (2e-6, 1e-7) if name == "f32" else (1e-14, 1e-15)


def softmax(x, axis):
    x = x.astype(np.float64)
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
