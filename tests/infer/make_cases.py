#!/usr/bin/python3
"""Writes tests/infer/cases/numpy_*.txt: operators against numpy.

Every expected value is computed here, by numpy and in float64, from the texts of
ONNX's operator specifications. The output is committed; run this from the root
of the sources to make it anew. With --check it only says whether it would differ.
"""
import sys
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


# ---- elementwise

BROADCASTS = [
    ((3,), (3,)), ((), ()), ((), (2, 3)), ((2, 3), ()), ((2, 3), (3,)), ((2, 3), (2, 1)),
    ((2, 1), (1, 3)), ((4, 1, 2), (3, 1)), ((1, 3, 1), (2, 1, 4)), ((2, 3, 4), (3, 1)),
    ((2, 1, 2, 1, 2), (1, 3, 1, 2, 1)), ((0, 3), (3,)), ((2, 0), (1, 1)), ((1,), (0,)),
    ((1, 2, 1, 2, 1, 2, 1, 2), (2,)),
]


def divide(a, b):
    if a.dtype.kind == "f":
        return a / b
    quotient = np.abs(a.astype(object)) // np.abs(b.astype(object))
    sign = np.sign(a.astype(object)) * np.sign(b.astype(object))
    return np.asarray(quotient * sign).astype(a.dtype)


def elementwise(w, rng):
    operators = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": divide}
    for op, function in operators.items():
        for i, (a_shape, b_shape) in enumerate(BROADCASTS):
            names = FLOATS + WIDE
            name = names[i % len(names)]
            a, b = random(rng, name, a_shape), random(rng, name, b_shape)
            if op == "Div":
                b = np.where(b == 0, 3, b).astype(b.dtype)
            w.case(op, (7, 13, 14)[i % 3], [a, b], [np.asarray(function(a, b), a.dtype)],
                   constants=(1,) if i % 4 == 1 else ())
        for name in FLOATS + WIDE + NARROW:
            a, b = random(rng, name, (2, 5)), random(rng, name, (5,))
            b = np.where(b == 0, 7, b).astype(b.dtype)
            w.case(op, 14, [a, b], [function(a, b).astype(a.dtype)])
    for name in WIDE + NARROW:  # integers wrap around
        info = np.iinfo(NAMES[name])
        a = np.array([info.max, info.min, info.max, info.min, info.max], NAMES[name])
        b = np.array([1, 1, info.max, info.max, info.min], NAMES[name])
        wide = [int(v) for v in a], [int(v) for v in b]
        for op, f in (("Add", lambda x, y: x + y), ("Sub", lambda x, y: x - y),
                      ("Mul", lambda x, y: x * y)):
            exact = np.array([f(x, y) % 2 ** info.bits for x, y in zip(*wide)], object)
            w.case(op, 14, [a, b], [exact.astype(f"u{info.bits // 8}").view(NAMES[name])])
        if info.min < 0:  # the minimum divided by -1 wraps too
            a = np.array([info.min, info.max, -7, 7, -7], NAMES[name])
            b = np.array([-1, -1, 2, -2, -2], NAMES[name])
            want = np.array([info.min, -info.max, -3, -3, 3], NAMES[name])
            w.case("Div", 14, [a, b], [want])
    inf, nan = np.inf, np.nan
    a = np.array([inf, -inf, nan, 1, 0, 1, -0.0, 1e308])
    b = np.array([inf, inf, 1, 0, 0, -inf, 5, -1e308])
    for op, function in (("Add", np.add), ("Sub", np.subtract), ("Mul", np.multiply),
                         ("Div", np.divide)):
        with np.errstate(all="ignore"):
            w.case(op, 13, [a, b], [function(a, b)])


# ---- activations

def softmax(x, axis):
    x = x.astype(np.float64)
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_flat(x, axis):
    rows = int(np.prod(x.shape[:axis], dtype=np.int64))
    return softmax(x.reshape(rows, -1), 1).reshape(x.shape)


def activation(w, rng):
    edges = [0.0, -0.0, 1e-300, 30, -30, 700, -700, 1e308, -1e308, np.inf, -np.inf, np.nan]
    for name in FLOATS:
        with np.errstate(over="ignore"):
            x = np.concatenate([random(rng, name, (20,)), np.array(edges, NAMES[name])])
        wide = x.astype(np.float64)
        sigmoid = np.where(wide < 0, np.exp(np.minimum(wide, 0)) / (1 + np.exp(np.minimum(wide, 0))),
                           1 / (1 + np.exp(-np.maximum(wide, 0))))
        sigmoid[np.isnan(wide)] = np.nan
        for opset in (7, 13, 14, 21):
            w.case("Relu", opset, [x], [np.where(np.isnan(x), x, np.maximum(x, 0))])
        for opset in (7, 13):
            w.case("Sigmoid", opset, [x], [sigmoid.astype(x.dtype)], tolerance=tight(name))
            w.case("Tanh", opset, [x], [np.tanh(wide).astype(x.dtype)], tolerance=tight(name))
        for shape in [(4,), (2, 3), (2, 3, 4), (3, 1, 2, 2), (2, 0), (0, 2), (1, 1)]:
            x = random(rng, name, shape)
            for axis in range(len(shape)):
                if shape[axis] > 0:
                    for signed in (axis, axis - len(shape)):
                        w.case("Softmax", 13, [x], [softmax(x, axis).astype(x.dtype)],
                               tolerance=tight(name), axis=signed)
                if 0 not in shape:
                    want = softmax_flat(x, axis).astype(x.dtype)
                    w.case("Softmax", 7, [x], [want], tolerance=tight(name), axis=axis)
                    w.case("Softmax", 11, [x], [want], tolerance=tight(name),
                           axis=axis - len(shape))
        x = random(rng, name, (2, 3, 4))
        w.case("Softmax", 12, [x], [softmax_flat(x, 1).astype(x.dtype)], tolerance=tight(name))
        w.case("Softmax", 13, [x], [softmax(x, 2).astype(x.dtype)], tolerance=tight(name))
        big = np.array([[1000, 1000.5, 0], [-1000, -1001, -5000], [3e38, 0, -3e38]], NAMES[name])
        w.case("Softmax", 13, [big], [softmax(big, 1).astype(big.dtype)], tolerance=tight(name))
    for name in ("i64", "i32", "i16", "i8"):
        info = np.iinfo(NAMES[name])
        x = np.array([[info.min, -1, 0], [1, info.max, 5]], NAMES[name])
        w.case("Relu", 14, [x], [np.maximum(x, 0)])


# ---- moving elements

def moved(rng, name, shape):
    count = int(np.prod(shape, dtype=np.int64))
    if name == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if name == "str":
        words = ["", "a", "h\u00e9llo", "two words", "x" * 40, "\u65e5\u672c", "'quoted'", "\\"]
        return texts(*[words[i] for i in rng.integers(0, len(words), count)], shape=shape)
    if name == "bf16":
        return Bits(rng.integers(0, 2 ** 16, shape))
    return random(rng, name, shape)


def reshaped(array, shape):
    if isinstance(array, Bits):
        return Bits(array.bits.reshape(shape))
    return array.reshape(shape)


def shape_cases(w, rng):
    every = ["f64", "f32", "f16", "i64", "i32", "i16", "i8", "u64", "u32", "u16", "u8", "bool",
             "str"]
    for i, name in enumerate(every + ["bf16"]):
        opsets = (13, 14, 16, 19, 21) if name == "bf16" else (7, 13, 14, 16, 19, 21)
        for shape in [(2, 3), (), (0, 2)]:
            x = moved(rng, name, shape)
            w.case("Identity", opsets[i % len(opsets)], [x], [x])
        x = moved(rng, name, (2, 3, 4) if name in ("f32", "str") else (2, 1, 4))
        for opset in opsets[i % 2::2]:
            for wanted in [(-1, 4), (-1,), (0, -1), (0, 0, 2, 2), (1, x.shape[1] * 8, 1)]:
                got = tuple(x.shape[j] if d == 0 else d for j, d in enumerate(wanted))
                got = tuple(-x.shape[0] * x.shape[1] * 4 // int(np.prod(got)) if d == -1 else d
                            for d in got)
                w.case("Reshape", opset, [x, np.array(wanted, np.int64)], [reshaped(x, got)],
                       constants=(1,) if opset % 2 else ())
    one = np.array([5.0])
    nothing = np.zeros(0, np.int64)
    w.case("Reshape", 13, [one, nothing], [one.reshape(())])
    w.case("Reshape", 13, [one, nothing], [one.reshape(())], constants=(1,))
    w.case("Reshape", 13, [one.reshape(()), np.array([1, -1])], [one.reshape(1, 1)])
    empty = np.zeros((0, 3, 4), np.float32)
    w.case("Reshape", 13, [empty, np.array([0, -1])], [np.zeros((0, 12), np.float32)])
    w.case("Reshape", 14, [empty, np.array([3, 0, 7])], [np.zeros((3, 0, 7), np.float32)],
           allowzero=1)
    w.case("Reshape", 14, [empty, np.array([0, 3, 4])], [empty], allowzero=1)
    for i, name in enumerate(every + ["bf16"]):
        for axis, shapes in [(0, [(2,), (3,), (1,)]), (1, [(2, 1), (2, 3)]),
                             (0, [(0, 2), (2, 2)]), (2, [(2, 3, 1), (2, 3, 0), (2, 3, 2)]),
                             (1, [(2, 2, 2)]), (1, [(2, 0), (2, 0)])]:
            arrays = [moved(rng, name, shape) for shape in shapes]
            if name == "bf16":
                want = Bits(np.concatenate([a.bits for a in arrays], axis))
            else:
                want = np.concatenate(arrays, axis)
            opset = (13, 21) if name == "bf16" else (7, 11, 13, 21)
            opset = opset[(i + axis) % len(opset)]
            signed = axis - len(shapes[0]) if opset >= 11 and i % 2 else axis
            w.case("Concat", opset, arrays, [want], axis=signed,
                   constants=(0,) if i % 3 == 0 and len(arrays) > 1 else ())


# ---- Cast

def saturate(values, name):
    info = np.iinfo(NAMES[name])
    out = []
    for v in values.astype(np.float64).ravel():
        if np.isnan(v):
            out.append(0)
        elif np.isinf(v):
            out.append(info.max if v > 0 else info.min)
        else:
            out.append(min(max(int(v), info.min), info.max))
    return np.array(out, object).astype(NAMES[name]).reshape(values.shape)


def bfloat(values):
    """Rounds float64 to bf16 by exact arithmetic on the value's own fraction."""
    from fractions import Fraction
    out = []
    for v in values.astype(np.float64).ravel():
        sign = 0x8000 if np.signbit(v) else 0
        if np.isnan(v):
            out.append(sign | 0x7fc0)
            continue
        if np.isinf(v):
            out.append(sign | 0x7f80)
            continue
        x = abs(Fraction(float(v)))
        low = 0
        high = 0x7f80
        while low < high:  # the largest pattern whose value is <= x
            middle = (low + high + 1) // 2
            if pattern(middle) <= x:
                low = middle
            else:
                high = middle - 1
        if low < 0x7f80:
            down, up = x - pattern(low), pattern(low + 1) - x
            low += up < down or (up == down and low % 2 == 1)
        out.append(sign | low)
    return Bits(np.array(out, np.uint16).reshape(values.shape))


def pattern(bits):
    from fractions import Fraction
    exponent, mantissa = bits >> 7, bits & 127
    if exponent == 0:
        return Fraction(mantissa, 1) * Fraction(2) ** (-133)
    return Fraction(128 + mantissa) * Fraction(2) ** (exponent - 134)


def float_text(value, name):
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "INF" if value > 0 else "-INF"
    low, high = (6, 9) if name == "f32" else (14, 17)
    for digits in range(low, high + 1):
        text = f"{float(value):.{digits}g}"
        if NAMES[name](text) == value:
            return text
    raise AssertionError(value)


def cast(w, rng):
    interesting = [0.0, -0.0, 0.5, -0.5, 1.5, -1.5, 2.5, 127.9, 128.0, -128.9, -129.0, 255.9, 256.0,
                   65504.0, 65519.9, 65520.0, 65535.5, 65536.0, 2147483647.0, 2147483648.0,
                   -2147483648.9, -2147483649.0, 4294967295.0, 4294967296.0, 9.3e18, -9.3e18,
                   1.9e19, 1e300, -1e300, 6e-8, 2.9e-8, 1e-40, 1e-45, np.inf, -np.inf, np.nan,
                   3.3895e38, 3.4e38, 0.1, 1.0009765625, 1.00048828125, 1.00146484375]
    integers = WIDE + NARROW
    for source in FLOATS + ["f16"]:
        with np.errstate(over="ignore"):
            x = np.array(interesting, np.float64).astype(NAMES[source])
        wide = x.astype(np.float64)
        for to in integers:
            w.case("Cast", 13, [x], [saturate(wide, to)], to=Dtype(to))
        with np.errstate(over="ignore"):
            for to in FLOATS + ["f16"]:
                w.case("Cast", 9, [x], [x.astype(NAMES[to])], to=Dtype(to))
        w.case("Cast", 19, [x], [bfloat(wide)], to=Dtype("bf16"))
        w.case("Cast", 7, [x], [np.isnan(wide) | (wide != 0)], to=Dtype("bool"))
    for source in integers:
        info = np.iinfo(NAMES[source])
        x = np.array([0, 1, info.max, info.min, info.max // 3, 100, info.max - 1], NAMES[source])
        for to in integers:
            w.case("Cast", 21, [x], [x.astype(NAMES[to])], to=Dtype(to))
        for to in FLOATS:
            w.case("Cast", 13, [x], [x.astype(NAMES[to])], to=Dtype(to))
        w.case("Cast", 9, [x], [x != 0], to=Dtype("bool"))
        w.case("Cast", 13, [x], [texts(*[str(int(v)) for v in x])], to=Dtype("str"))
        back = texts(*[str(int(v)) for v in x])
        w.case("Cast", 13, [back], [x], to=Dtype(source))
    flags = np.array([True, False, True])
    for to in integers + FLOATS + ["f16"]:
        w.case("Cast", 9, [flags], [flags.astype(NAMES[to])], to=Dtype(to))
    halves = Bits([0x3f80, 0xbf80, 0x7f80, 0x0001, 0x7fc0, 0x4049])
    as_double = (halves.bits.astype(np.uint32) << 16).view(np.float32)
    for to in FLOATS:
        w.case("Cast", 13, [halves], [as_double.astype(NAMES[to])], to=Dtype(to))
    for name in FLOATS:
        x = np.concatenate([random(rng, name, (30,)), np.array(
            [0.1, 1 / 3, 1e-5, 123456789, 1e20, np.nan, np.inf, -np.inf, -0.0, 5e-39], NAMES[name])])
        spelled = texts(*[float_text(v, name) for v in x])
        w.case("Cast", 9, [x], [spelled], to=Dtype("str"))
        w.case("Cast", 13, [spelled], [x], to=Dtype(name))
        odd = ["1e3", "1E-2", "+5", "-.5", "5.", "nan", "NAN", "inf", "+INF", "-Inf", "007", "1e400",
               "-1e400", "1e-400", "0.1000000000000000055511151231257827", "16777217",
               "9007199254740993"]
        with np.errstate(over="ignore"):
            values = [NAMES[name](v) for v in odd]
        w.case("Cast", 9, [texts(*odd)], [np.array(values, NAMES[name])], to=Dtype(name))
    w.case("Cast", 13, [texts("100.5", "-1e2", "1e30", "nan", "-inf", "9223372036854775808")],
           [np.array([100, -100, 2 ** 63 - 1, 0, -2 ** 63, -2 ** 63], np.int64)], to=Dtype("i64"))
    words = texts("a", "", "b c")
    w.case("Cast", 9, [words], [words], to=Dtype("str"))


# ---- matrices

def matrix(w, rng):
    shapes = [((3, 4), (4, 2)), ((4,), (4,)), ((4,), (4, 2)), ((3, 4), (4,)), ((2, 3, 4), (4, 5)),
              ((2, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (3, 4, 2)), ((5, 1, 4), (1, 4, 2)),
              ((4,), (2, 4, 3)), ((2, 3, 4), (4,)), ((0, 4), (4, 2)), ((3, 0), (0, 2)),
              ((3, 4), (4, 0)), ((0, 3, 4), (4, 2)), ((2, 3, 0), (2, 0, 4)), ((1, 1), (1, 1)),
              ((9, 33), (33, 17)), ((2, 1, 2, 1, 2, 3), (3, 3))]
    for a_shape, b_shape in shapes:
        for i, name in enumerate(FLOATS + WIDE):
            if a_shape == (9, 33) and name not in ("f32", "f64", "i32"):
                continue
            a, b = random(rng, name, a_shape), random(rng, name, b_shape)
            with np.errstate(over="ignore"):
                exact = a.dtype if name in WIDE else np.float64
                want = np.matmul(a.astype(exact), b.astype(exact)).astype(a.dtype)
            tolerance = (0, 0) if name in WIDE else (1e-5, 1e-5) if name == "f32" else (1e-13, 1e-13)
            opset = (9, 13, 21)[i % 3] if name in WIDE else (7, 9, 13)[i % 3]
            w.case("MatMul", opset, [a, b], [np.asarray(want)], tolerance=tolerance,
                   constants=(1,) if i % 2 else ())
    big = np.array([[2 ** 62, 3], [-2 ** 63, 2 ** 63 - 1]], np.int64)
    with np.errstate(over="ignore"):
        w.case("MatMul", 13, [big, big], [np.matmul(big, big)])
    for name in FLOATS:
        tolerance = (1e-5, 1e-5) if name == "f32" else (1e-13, 1e-13)
        for trans_a in (0, 1):
            for trans_b in (0, 1):
                for m, k, n in [(3, 4, 2), (1, 5, 1), (0, 4, 2), (3, 0, 2), (3, 4, 0), (9, 14, 10)]:
                    a = random(rng, name, (k, m) if trans_a else (m, k))
                    b = random(rng, name, (n, k) if trans_b else (k, n))
                    product = ((a.T if trans_a else a).astype(np.float64)
                               @ (b.T if trans_b else b).astype(np.float64))
                    bias = {3: (n,), 1: (), 0: (1, n), 9: (m, 1)}[m]
                    c = random(rng, name, bias)
                    want = 0.5 * product + 0.25 * c.astype(np.float64)
                    w.case("Gemm", (7, 9, 11, 13)[(m + trans_a) % 4], [a, b, c],
                           [np.broadcast_to(want, product.shape).astype(a.dtype)],
                           tolerance=tolerance, constants=(1, 2), transA=trans_a, transB=trans_b,
                           alpha=0.5, beta=0.25)
                    w.case("Gemm", 13, [a, b, random(rng, name, (m, n))][:2],
                           [product.astype(a.dtype)], tolerance=tolerance,
                           transA=trans_a, transB=trans_b)
        a, b, c = (random(rng, name, s) for s in ((2, 3), (3, 2), (2, 2)))
        full = a.astype(np.float64) @ b.astype(np.float64)
        w.case("Gemm", 11, [a, b, c], [(full + c).astype(a.dtype)], tolerance=tolerance)
        w.case("Gemm", 11, [a, b, None], [full.astype(a.dtype)], tolerance=tolerance)
        poison = np.full((2, 2), np.nan, NAMES[name])
        w.case("Gemm", 11, [a, b, poison], [full.astype(a.dtype)], tolerance=tolerance, beta=0.0)


# ---- ArgMax

def reduce_cases(w, rng):
    for name in FLOATS + WIDE + NARROW:
        for shape in [(5,), (3, 4), (2, 3, 4), (2, 1, 3), (0, 3)]:
            if name not in ("f32", "i64") and shape != (3, 4):
                continue
            x = random(rng, name, shape)
            for axis in range(len(shape)):
                if shape[axis] == 0:
                    continue
                for keep in (0, 1):
                    first = np.argmax(x, axis)
                    last = shape[axis] - 1 - np.argmax(np.flip(x, axis), axis)
                    first, last = (np.asarray(np.expand_dims(v, axis) if keep else v, np.int64)
                                   for v in (first, last))
                    w.case("ArgMax", 7, [x], [first], axis=axis, keepdims=keep)
                    w.case("ArgMax", 13, [x], [last], axis=axis - len(shape), keepdims=keep,
                           select_last_index=1)
                    w.case("ArgMax", 12, [x], [first], axis=axis, keepdims=keep,
                           select_last_index=0)
        w.case("ArgMax", 11, [random(rng, name, (1, 4))], [np.zeros((1, 4), np.int64)])
    for name in FLOATS:
        nan, inf = np.nan, np.inf
        x = np.array([[1, nan, inf, nan], [nan, nan, 0, 1], [-inf, -inf, -inf, -inf],
                      [0.0, -0.0, 0.0, -1]], NAMES[name])
        w.case("ArgMax", 13, [x], [np.array([[1], [0], [0], [0]])], axis=1)
        w.case("ArgMax", 13, [x], [np.array([[3], [1], [3], [2]])], axis=1, select_last_index=1)


# ---- ai.onnx.ml and org.weighlock

def logistic(x):
    with np.errstate(over="ignore"):
        return np.where(x < 0, np.exp(x) / (1 + np.exp(x)), 1 / (1 + np.exp(-x)))


def softmax_zero(x):
    out = []
    for row in x:
        top = row.max()
        e = np.where(np.abs(row) > 1e-7, np.exp(row - top), row * np.exp(-top))
        out.append(e / e.sum() if e.sum() != 0 else np.full(len(e), 0.5))
    return np.array(out).reshape(x.shape)


def probit(x):
    y = 2 * x - 1
    rest = (1 - y) * (1 + y)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(rest)
        v = 2 / (np.pi * 0.147) + 0.5 * log
        root = np.sqrt(-v + np.sqrt(v * v - log / 0.147))
    return 1.41421356 * np.where(rest == 0, 0, np.sign(y) * root)


def one_vs_rest(x):
    p = logistic(x)
    return p / p.sum(axis=1, keepdims=True)


TRANSFORMS = {"NONE": lambda x: x, "SOFTMAX": lambda x: softmax(x, 1), "LOGISTIC": logistic,
              "SOFTMAX_ZERO": softmax_zero, "PROBIT": probit}


def classify(x, weights, bias, labels, transform):
    """Labels and scores as the specification has them."""
    raw = np.atleast_2d(x).astype(np.float64) @ weights.T + (0 if bias is None else bias)
    if raw.shape[1] == 1 and len(labels) == 2:
        raw = np.concatenate([-raw, raw], 1)
    scores = transform(raw)
    return [labels[i] for i in np.argmax(raw, axis=1)], scores


def eighths(rng, shape):
    return rng.integers(-6, 7, shape) / 8


def ml(w, rng):
    domain = "ai.onnx.ml"
    loose = (2e-6, 1e-6)
    for name in ("f32", "f64", "i64", "i32"):
        for shape in [(4, 3), (3,), (0, 3), (2, 0)]:
            x = random(rng, name, shape)
            k = shape[-1]
            columns = rng.normal(0, 1, k).astype(np.float32)
            scales = rng.uniform(0.5, 2, k).astype(np.float32)
            lists = [float(v) for v in columns] or None, [float(v) for v in scales] or None
            want = ((x - columns.astype(np.float64)) * scales.astype(np.float64)).astype(np.float32)
            w.case("Scaler", 1, [x], [want], domain, loose, offset=lists[0], scale=lists[1])
            w.case("Scaler", 3, [x], [((x - 1.5) * 0.25).astype(np.float32)], domain, loose,
                   offset=[1.5], scale=[0.25])
            w.case("Scaler", 1, [x], [(x - 1.5).astype(np.float32)], domain, loose, offset=[1.5])
            w.case("Scaler", 1, [x], [x.astype(np.float32)], domain, loose)
        x = random(rng, name, (4, 3))
        x[1] = 0
        wide = x.astype(np.float64)
        norms = {"MAX": np.abs(wide).max(1), "L1": np.abs(wide).sum(1),
                 "L2": np.sqrt((wide ** 2).sum(1))}
        for norm, values in norms.items():
            values = np.where(values == 0, 1, values)[:, None]
            want = (wide / values).astype(np.float32)
            w.case("Normalizer", 1, [x], [want], domain, loose, norm=norm)
            w.case("Normalizer", 1, [x[2]], [want[2]], domain, loose, norm=norm)
        w.case("Normalizer", 1, [x], [(wide / np.where(norms["MAX"] == 0, 1, norms["MAX"])[:, None])
                                      .astype(np.float32)], domain, loose)
    huge = np.array([[1e200, -1e200], [1e-200, 1e-200]])
    w.case("Normalizer", 1, [huge], [np.array([[1, -1], [1, 1]] / np.sqrt(2)).astype(np.float32)],
           domain, loose, norm="L2")
    words = {2: ["no", "yes"], 3: ["a", "\u00e9t\u00e9", ""], 4: list("wxyz")}
    for name in ("f32", "f64", "i64", "i32"):
        for classes in (2, 3, 4):
            for scores in {classes, 1 if classes == 2 else classes}:
                for text, transform in TRANSFORMS.items():
                    if name != "f32" and text not in ("NONE", "SOFTMAX"):
                        continue
                    x = random(rng, name, (4, 3))
                    weights, bias = eighths(rng, (scores, 3)), eighths(rng, scores)
                    with np.errstate(invalid="ignore"):
                        labels, want = classify(x, weights, bias, words[classes], transform)
                        numbers, _ = classify(x, weights, bias, [7, -3, 10 ** 12, 0][:classes],
                                              transform)
                        _, free = classify(x, weights, None, words[classes], transform)
                    arguments = dict(coefficients=[float(v) for v in weights.ravel()],
                                     post_transform=text)
                    near = (5e-5, 5e-5) if text == "PROBIT" else (1e-5, 1e-5)
                    bias = [float(v) for v in bias]
                    w.case("LinearClassifier", 1, [x], [texts(*labels), want.astype(np.float32)],
                           domain, near, classlabels_strings=words[classes], intercepts=bias,
                           multi_class=1, **arguments)
                    w.case("LinearClassifier", 2, [x],
                           [np.array(numbers, np.int64), want.astype(np.float32)], domain, near,
                           classlabels_ints=[7, -3, 10 ** 12, 0][:classes], intercepts=bias,
                           **arguments)
                    labels, _ = classify(x, weights, None, words[classes], transform)
                    w.case("LinearClassifier", 1, [x], [texts(*labels), free.astype(np.float32)],
                           domain, near, classlabels_strings=words[classes], **arguments)
        x = random(rng, name, (4, 2))
        weights = np.array([[0.5, -0.25]])
        raw = x.astype(np.float64) @ weights.T
        reached = raw[:, 0] >= 0
        w.case("LinearClassifier", 1, [x], [np.where(reached, 9, 0), raw.astype(np.float32)],
               domain, loose, classlabels_ints=[9], coefficients=[0.5, -0.25])
        w.case("LinearClassifier", 1, [x],
               [texts(*["only" if r else "" for r in logistic(raw)[:, 0] >= 0.5]),
                logistic(raw).astype(np.float32)], domain, loose, classlabels_strings=["only"],
               coefficients=[0.5, -0.25], post_transform="LOGISTIC")
        for targets in (1, 3):
            for text, transform in TRANSFORMS.items():
                if name != "f32" and text not in ("NONE", "LOGISTIC"):
                    continue
                x = random(rng, name, (5, 2))
                weights, bias = eighths(rng, (targets, 2)), eighths(rng, targets)
                raw = x.astype(np.float64) @ weights.T
                near = (5e-5, 5e-5) if text == "PROBIT" else (1e-5, 1e-5)
                with np.errstate(invalid="ignore"):
                    w.case("LinearRegressor", 1, [x], [transform(raw + bias).astype(np.float32)],
                           domain, near, coefficients=[float(v) for v in weights.ravel()],
                           intercepts=[float(v) for v in bias],
                           targets=targets if targets > 1 else None, post_transform=text)
                    w.case("LinearRegressor", 1, [x[0]], [transform(raw[:1]).astype(np.float32)],
                           domain, near, coefficients=[float(v) for v in weights.ravel()],
                           targets=targets, post_transform=text)


def weighlock(w, rng):
    domain = "org.weighlock"
    exact = (1e-13, 1e-14)
    for shape in [(5, 3), (3,), (2, 2, 3), (0, 3), (2, 0)]:
        x = random(rng, "f64", shape)
        mean, scale = rng.normal(0, 3, shape[-1]), rng.uniform(0.1, 5, shape[-1])
        w.case("Scaler", 1, [x, mean, scale], [(x - mean) / scale], domain, constants=(1, 2))
        w.case("Scaler", 1, [x, mean, scale], [(x - mean) / scale], domain)
        w.case("Scaler", 1, [x, mean], [x - mean], domain, constants=(1,))
        w.case("Scaler", 1, [x, None, scale], [x / scale], domain, constants=(2,))
        w.case("Scaler", 1, [x], [x], domain)
    transforms = dict(TRANSFORMS, OVR=one_vs_rest)
    words = {2: ["no", "yes"], 3: ["a", "b", "c"]}
    for classes in (2, 3):
        for scores in {classes, 1 if classes == 2 else classes}:
            for text, transform in transforms.items():
                x = random(rng, "f64", (6, 4))
                weights, bias = rng.normal(0, 0.3, (scores, 4)), rng.normal(0, 0.3, scores)
                with np.errstate(invalid="ignore"):
                    labels, want = classify(x, weights, bias, words[classes], transform)
                    plain, free = classify(x, weights, None, [5, -6, 7][:classes], transform)
                near = (1e-10, 1e-10) if text == "PROBIT" else exact
                w.case("LinearClassifier", 1, [x, weights, bias], [texts(*labels), want], domain,
                       near, constants=(1, 2), classlabels_strings=words[classes],
                       post_transform=text)
                w.case("LinearClassifier", 1, [x, weights], [np.array(plain, np.int64), free],
                       domain, near, classlabels_ints=[5, -6, 7][:classes], post_transform=text)
    for targets in (1, 2):
        x, weights = random(rng, "f64", (4, 3)), rng.normal(0, 1, (targets, 3))
        bias = rng.normal(0, 1, targets)
        w.case("LinearRegressor", 1, [x, weights, bias], [x @ weights.T + bias], domain, exact,
               constants=(1, 2))
        w.case("LinearRegressor", 1, [x, weights], [x @ weights.T], domain, exact)
        w.case("LinearRegressor", 1, [np.zeros((0, 3)), weights, bias], [np.zeros((0, targets))],
               domain, exact)
        w.case("LinearRegressor", 1, [np.zeros((2, 0)), np.zeros((targets, 0)), bias],
               [np.broadcast_to(bias, (2, targets))], domain, exact)


FILES = {"elementwise": elementwise, "activation": activation, "shape": shape_cases, "cast": cast,
         "matrix": matrix, "reduce": reduce_cases, "ml": ml, "weighlock": weighlock}


def main():
    differ = []
    for seed, (name, write) in enumerate(FILES.items()):
        writer = Writer()
        write(writer, np.random.default_rng(seed))
        path = CASES / f"numpy_{name}.txt"
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != writer.text():
                differ.append(path.name)
        else:
            path.write_text(writer.text())
            print(path.name, writer.count)
    if differ:
        sys.exit("not what make_cases.py writes: " + ", ".join(differ))


if __name__ == "__main__":
    main()
