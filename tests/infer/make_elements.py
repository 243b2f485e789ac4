#!/usr/bin/python3
"""Writes tests/infer/cases/numpy_elements.txt: operators that work element by element, on
what ONNX's own tests do not have: every dtype, NaN and infinities, empty tensors, the
broadcasting of the first opsets.

Every expected value is computed here, by numpy and in float64, from the texts of ONNX's
operator specifications. The output is committed; run this from the root of the sources to
make it anew.
"""
import math

import numpy as np

from case_writer import CASES, NAMES, Dtype, Writer, array_text, texts

SIGNED = ["i64", "i32", "i16", "i8"]
UNSIGNED = ["u64", "u32", "u16", "u8"]
INTEGERS = SIGNED + UNSIGNED
FLOATS = ["f64", "f32"]
EDGES = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 2.5, -2.5, 1e-30, -1e-30, 7.25, -7.25, 30.0, -30.0,
         100.0, -100.0, np.inf, -np.inf, np.nan]
CLOSE = {"f64": (1e-12, 1e-300), "f32": (1e-6, 1e-37), "f16": (2e-3, 1e-4)}


def wide(function):
    """A function of one float, of math, with numpy's answers outside of its domain."""
    def one(x):
        try:
            return function(x)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf
    return lambda x: np.array([one(float(v)) for v in x.ravel()]).reshape(x.shape)


def logistic(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def softplus(x):
    return max(x, 0) + math.log1p(math.exp(-abs(x))) if not math.isnan(x) else x


def mish(x):
    return x * math.tanh(softplus(x)) if x != -math.inf else -math.nan


def gelu(x):
    return 0.5 * x * math.erfc(-x / math.sqrt(2)) if x != -math.inf else math.nan


def gelu_tanh(x):
    t = math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3))
    return 0.5 * x * (1 + t) if not math.isinf(x) else (x if x > 0 else math.nan)


def elu(x):
    return x if math.isnan(x) or x > 0 else math.expm1(x)


def unary(w):
    rows = [
        ("Abs", 13, np.abs), ("Neg", 13, np.negative), ("Sign", 13, np.sign),
        ("Floor", 13, np.floor), ("Ceil", 6, np.ceil), ("Round", 11, np.rint),
        ("Reciprocal", 13, lambda x: 1 / x), ("Sqrt", 13, np.sqrt), ("Exp", 13, np.exp),
        ("Log", 13, np.log), ("Sin", 7, np.sin), ("Cos", 22, np.cos), ("Tan", 7, np.tan),
        ("Asin", 7, np.arcsin), ("Acos", 7, np.arccos), ("Atan", 7, np.arctan),
        ("Sinh", 9, np.sinh), ("Cosh", 9, np.cosh), ("Asinh", 9, np.arcsinh),
        ("Acosh", 9, np.arccosh), ("Atanh", 9, np.arctanh), ("Tanh", 13, np.tanh),
        ("Erf", 13, wide(math.erf)), ("Sigmoid", 13, wide(logistic)),
        ("Relu", 14, lambda x: np.where(x < 0, 0, x)), ("Softplus", 1, wide(softplus)),
        ("Softsign", 1, lambda x: x / (1 + np.abs(x))), ("Mish", 18, wide(mish)),
        ("Gelu", 20, wide(gelu)), ("Elu", 6, wide(elu)),
        ("Selu", 6, lambda x: 1.05070102214813232421875
         * np.where(x > 0, x, 1.67326319217681884765625 * np.expm1(np.minimum(x, 0)))),
        ("Celu", 28, lambda x: np.maximum(x, 0) + np.minimum(np.expm1(np.minimum(x, 0)), 0)),
        ("HardSigmoid", 6, lambda x: np.clip(np.float32(0.2) * x + 0.5, 0, 1)),
        ("HardSwish", 14, lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
        ("LeakyRelu", 16, lambda x: np.where(x < 0, np.float32(0.01) * x, x)),
        ("ThresholdedRelu", 10, lambda x: np.where(x <= 1, 0, x)),
        ("Shrink", 9, lambda x: np.where(np.abs(x) <= 0.5, 0, x)),
        ("Swish", 24, lambda x: x * wide(logistic)(x)),
    ]
    for i, (op, opset, function) in enumerate(rows):
        for name in FLOATS + ["f16"] * (i % 3 == 0):
            x = np.array(EDGES, NAMES[name]).reshape(4, 5)
            with np.errstate(all="ignore"):
                want = function(x.astype(np.float64)).astype(NAMES[name])
            if name == "f16":  # compared bit by bit: the sign of a NaN is nobody's
                x, want = x[~np.isnan(want)], want[~np.isnan(want)]
            if op == "Gelu" and name == "f32":
                w.case(op, opset, [x], [want], tolerance=(1e-6, 2e-6))
            elif op == "Gelu":
                w.case(op, opset, [x], [want], tolerance=(1e-12, 1e-12))
            else:
                w.case(op, opset, [x], [want], tolerance=CLOSE[name])
    empty = np.zeros((2, 0), np.float32)
    for op, opset in (("Exp", 1), ("Tanh", 1), ("Abs", 6), ("Erf", 9)):
        w.case(op, opset, [empty], [empty])
    for name in FLOATS:
        x = np.array(EDGES, NAMES[name])
        wider = x.astype(np.float64)
        w.case("Gelu", 20, [x], [wide(gelu_tanh)(wider).astype(x.dtype)], approximate="tanh",
               tolerance=(1e-6, 2e-6) if name == "f32" else (1e-12, 1e-12))
        with np.errstate(all="ignore"):
            w.case("Shrink", 9, [x], [np.where(x < -2, x + 1.5, np.where(x > 2, x - 1.5, np.where(
                np.isnan(x), x, 0))).astype(x.dtype)], lambd=2.0, bias=1.5)
            w.case("Elu", 22, [x], [np.where(wider < 0, 2.5 * np.expm1(np.minimum(wider, 0)), wider)
                                    .astype(x.dtype)], alpha=2.5, tolerance=CLOSE[name])
            w.case("Swish", 24, [x], [(wider * wide(logistic)(wider * 2)).astype(x.dtype)],
                   alpha=2.0, tolerance=CLOSE[name])
    for name in INTEGERS:
        info = np.iinfo(NAMES[name])
        x = np.array([info.min, info.max, 0, 1, 3, info.max // 2], NAMES[name])
        with np.errstate(all="ignore"):
            w.case("Abs", 13, [x], [np.abs(x)])
            w.case("Sign", 9, [x], [np.sign(x)])
            w.case("BitwiseNot", 18, [x], [~x])
            if name in SIGNED:
                w.case("Neg", 6, [x], [-x])
        small = np.array([0, 1, 2, 3, 100], NAMES[name])
        w.case("Shrink", 9, [small], [np.array([0, 0, 1, 2, 99], NAMES[name])], lambd=1.5,
               bias=1.0)
        w.case("Erf", 9, [small], [np.array([0, 0, 0, 0, 1], NAMES[name])])


def exact(function, x, y, name):
    """Python's own integers, cut to the dtype's bits."""
    info = np.iinfo(NAMES[name])
    out = [function(int(a), int(b)) % 2 ** info.bits for a, b in np.broadcast(x, y)]
    shape = np.broadcast(x, y).shape
    return np.array(out, object).astype(f"u{info.bits // 8}").view(NAMES[name]).reshape(shape)


def truncated(a, b):
    return int(math.copysign(1, a)) * (abs(a) % abs(b))


def shifted_left(bits):
    return lambda a, b: a << b if 0 <= b < bits else 0


def shifted_right(bits):
    return lambda a, b: a >> b if 0 <= b < bits else (-1 if a < 0 else 0)


def binary(w):
    for name in INTEGERS:
        info = np.iinfo(NAMES[name])
        x = np.array([[info.min], [info.max], [7], [100]], NAMES[name])
        y = np.array([1, 3, info.max] + ([-1, -3, info.min] if info.min else [2]), NAMES[name])
        w.case("Mod", 13, [x, y], [exact(lambda a, b: a % b, x, y, name)])
        w.case("Mod", 28, [x, y], [exact(truncated, x, y, name)], fmod=1)
        for op, f in (("BitwiseAnd", np.bitwise_and), ("BitwiseOr", np.bitwise_or),
                      ("BitwiseXor", np.bitwise_xor)):
            w.case(op, 18, [x, y], [f(x, y)])
        shifts = np.array([0, 1, info.bits - 1, info.bits, 127] + ([-1] if info.min else []),
                          NAMES[name])
        opset = 28 if info.min else 11
        w.case("BitShift", opset, [x, shifts], [exact(shifted_left(info.bits), x, shifts, name)],
               direction="LEFT")
        w.case("BitShift", opset, [x, shifts], [exact(shifted_right(info.bits), x, shifts, name)],
               direction="RIGHT")
        w.case("Max", 13, [x, y, x], [np.maximum(x, y)])
        w.case("Min", 12, [x, y], [np.minimum(x, y)])
        low, high = np.array(2, NAMES[name]), np.array(50, NAMES[name])
        w.case("Clip", 13, [x, low, high], [np.clip(x, low, high)])
        w.case("Clip", 12, [x, None, high], [np.minimum(x, high)])
        for op, opset, f in (("Less", 9, np.less), ("Greater", 13, np.greater),
                             ("LessOrEqual", 12, np.less_equal), ("Equal", 11, np.equal),
                             ("GreaterOrEqual", 16, np.greater_equal)):
            w.case(op, opset, [x, y], [f(x, y)])
        bases = np.array([[3], [-2 if info.min else 2], [0], [1]], np.int64)
        powers = np.array([0, 1, 2, 40] + ([-1, -2] if info.min else []), NAMES[name])
        want = [[int(p(int(b), int(e))) for e in powers] for b in bases.ravel()
                for p in [lambda b, e: b ** e if e >= 0 else (b ** -e if b in (1, -1) else 0)]]
        w.case("Pow", 12, [bases, powers],
               [np.array([[v % 2 ** 64 for v in row] for row in want], np.uint64).view(np.int64)])
    inf, nan = np.inf, np.nan
    a = np.array([5.5, -5.5, 0.0, -0.0, inf, -inf, nan, 3.0, -3.0, 1e30])[:, None]
    b = np.array([2.0, -2.0, inf, -inf, nan, 0.0])
    for name in FLOATS:
        x, y = a.astype(NAMES[name]), b.astype(NAMES[name])
        with np.errstate(all="ignore"):
            w.case("Mod", 28, [x, y], [np.array([[floor_mod(p, q) for q in y.astype(float)]
                                                 for p in x.astype(float).ravel()], x.dtype)])
            w.case("Mod", 10, [x, y], [np.fmod(x, y)], fmod=1)
            w.case("Pow", 15, [x, y], [np.power(x.astype(float), y.astype(float)).astype(x.dtype)],
                   tolerance=CLOSE[name])
            for power in (2.0, 0.5):
                e = np.array(power, NAMES[name])
                w.case("Pow", 13, [x, e], [np.power(x, e)], tolerance=CLOSE[name])
            w.case("Pow", 13, [x, np.array([3, -1], np.int8)],
                   [np.power(x.astype(float), [3, -1]).astype(x.dtype)], tolerance=CLOSE[name])
            for op, f in (("Max", np.maximum), ("Min", np.minimum), ("Sum", np.add)):
                w.case(op, 13, [x, y], [f(x, y)])
            w.case("Mean", 8, [x, y, y], [((x.astype(float) + y + y) / 3).astype(x.dtype)],
                   tolerance=CLOSE[name])
            w.case("Clip", 6, [y], [np.where(np.isnan(y), y, np.clip(y, -1, 1.5))], min=-1.0,
                   max=1.5)
            w.case("Clip", 13, [y, np.array(2, y.dtype), np.array(1, y.dtype)],
                   [np.where(np.isnan(y), y, 1).astype(y.dtype)])
            w.case("Clip", 13, [y], [y])
            w.case("PRelu", 9, [x, y[:1]], [np.where(x < 0, x * y[0], x)])
            for op, f in (("Less", np.less), ("Greater", np.greater), ("Equal", np.equal),
                          ("LessOrEqual", np.less_equal), ("GreaterOrEqual", np.greater_equal)):
                w.case(op, 16, [x, y], [f(x, y)])
        w.case("IsNaN", 9, [x], [np.isnan(x)])
        for negative in (0, 1):
            for positive in (0, 1):
                want = np.isinf(x) & ((x < 0) & bool(negative) | (x > 0) & bool(positive))
                w.case("IsInf", 10, [x], [want], detect_negative=negative,
                       detect_positive=positive)
    whole = np.array([2, -3, 10], np.int32)
    w.case("Pow", 15, [whole, np.array([0.5, 3.0, 40.0], np.float32)],
           [np.array([1, -27, 2 ** 31 - 1], np.int32)])
    flags, other = np.array([[True], [False]]), np.array([True, False, True])
    for op, f in (("And", np.logical_and), ("Or", np.logical_or), ("Xor", np.logical_xor),
                  ("Equal", np.equal)):
        w.case(op, 7, [flags, other], [f(flags, other)])
    w.case("Not", 1, [flags], [~flags])
    words = texts("a", "", "long word", "a", shape=(2, 2))
    w.case("Equal", 19, [words, texts("a", "b")], [np.array([[True, False], [False, False]])])


def floor_mod(x, y):
    if math.isnan(x) or math.isnan(y) or math.isinf(x) or y == 0:
        return math.nan
    if math.isinf(y):
        return math.copysign(0, y) if x == 0 else x if (x < 0) == (y < 0) else y
    rest = math.fmod(x, y)
    if rest == 0:
        return math.copysign(0, y)
    return rest + y if (rest < 0) != (y < 0) else rest


def legacy(w, rng):
    """Opset 1 to 6: the second operand lies where `axis` says."""
    a = rng.integers(-9, 9, (2, 3, 4, 5)).astype(np.float32)
    places = [((), None, (1, 1, 1, 1)), ((5,), None, (1, 1, 1, 5)), ((4, 5), None, (1, 1, 4, 5)),
              ((3, 4), 1, (1, 3, 4, 1)), ((2,), 0, (2, 1, 1, 1)), ((1, 1), None, (1, 1, 1, 1)),
              ((5,), -1, (1, 1, 1, 5))]
    for i, (shape, axis, full) in enumerate(places):
        b = rng.integers(1, 9, shape).astype(np.float32)
        op, f = [("Add", np.add), ("Sub", np.subtract), ("Mul", np.multiply),
                 ("Div", np.divide)][i % 4]
        w.case(op, (1, 6)[i % 2], [a, np.asarray(b)], [f(a, b.reshape(full))], broadcast=1,
               axis=axis)
    b = rng.integers(0, 4, (3,)).astype(np.float64)
    x = np.abs(rng.integers(1, 5, (2, 3, 2))).astype(np.float64)
    w.case("Pow", 1, [x, b], [x ** b.reshape(1, 3, 1)], broadcast=1, axis=1)
    w.case("Less", 1, [x, b], [x < b.reshape(1, 3, 1)], broadcast=1, axis=1)
    w.case("Greater", 6, [x, x], [x > x])
    w.case("Equal", 1, [x.astype(np.int32), b.astype(np.int32)], [x == b.reshape(1, 3, 1)],
           broadcast=1, axis=1)
    w.case("And", 1, [x > 2, b > 1], [(x > 2) & (b > 1).reshape(1, 3, 1)], broadcast=1, axis=1)
    w.case("PRelu", 6, [-x, b], [-x * b.reshape(1, 3, 1)])
    w.case("PRelu", 1, [-x, b[:1]], [-x * b[0]])
    w.case("Sum", 6, [x, x, x], [x * 3])
    w.case("Add", 6, [x, x], [x + x])
    w.case("Add", 1, [x, x], [x + x], consumed_inputs=[0, 0])
    w.case("Clip", 1, [x], [np.minimum(x, 3)], max=3.0)
    w.case("Dropout", 6, [x], [x, np.ones_like(x)], is_test=1)
    w.case("Dropout", 10, [x], [x, np.ones_like(x, bool)], ratio=0.9)
    off, ratio = np.array(False), np.array(0.0)
    w.case("Dropout", 12, [x, ratio, ~off], [x, np.ones_like(x, bool)])
    w.case("Dropout", 13, [x, None, off], [x])
    w.case("Cast", 1, [x], [x.astype(np.int16)], to="INT16")


def where(w, rng):
    condition = np.array([[[True], [False]], [[False], [True]]])
    for name in ["f64", "f32", "f16", "bool"] + INTEGERS:
        x = rng.integers(0, 2, (2, 1, 3)).astype(NAMES[name])
        y = rng.integers(0, 2, (2, 3)).astype(NAMES[name])
        w.case("Where", 9, [condition, x, y], [np.where(condition, x, y)])
        w.case("Where", 16, [np.array(False), x, y], [np.broadcast_to(y, (2, 2, 3))])
    words, more = texts("a", "\u65e5\u672c"), texts("", "two words", shape=(2, 1))
    w.case("Where", 9, [np.array([True, False]), words, more],
           [texts("a", "", "a", "two words", shape=(2, 2))])
    w.case("Where", 9, [np.zeros((0, 1), bool), words, words],
           [texts(shape=(0, 2))])


# ---- floats of 8 and 4 bits, from the definitions of their fields

class Small:
    """A table of all numbers that a format has; `code` finds the nearest, ties to even."""

    def __init__(self, name, exponent, mantissa, bias, largest, infinity=None, nan=None):
        self.name, self.largest, self.infinity, self.nan = name, largest, infinity, nan
        self.sign = 1 << (exponent + mantissa)
        self.values = []
        for code in range(largest + 1):
            power, rest = code >> mantissa, code & ((1 << mantissa) - 1)
            hidden = 1 if power else 0
            self.values.append((hidden + rest / 2 ** mantissa) * 2.0 ** (max(power, 1) - bias))

    def nearest(self, x):
        """The code of a magnitude; largest + 1 if it rounds beyond the largest number."""
        last = self.values[-1]
        if x > last:
            beyond = last + (last - self.values[-2])
            return self.largest + (x >= (last + beyond) / 2 if self.largest % 2 else
                                   x > (last + beyond) / 2)
        below = max(i for i, v in enumerate(self.values) if v <= x)
        if self.values[below] == x:
            return below
        low, high = self.values[below], self.values[below + 1]
        if x == (low + high) / 2:
            return below + below % 2
        return below + (x > (low + high) / 2)

    def code(self, x, saturate):
        no_negative_zero = self.nan == self.sign
        sign = self.sign if math.copysign(1, x) < 0 else 0
        if math.isnan(x):
            return self.nan if no_negative_zero else sign | self.nan
        code = self.nearest(abs(x)) if not math.isinf(x) else self.largest + 1
        if code > self.largest:
            if saturate:
                return sign | self.largest
            code = self.infinity if self.infinity else self.nan
        if no_negative_zero and code in (0, self.nan):
            return code
        return sign | code


SMALL = [Small("f8e4m3fn", 4, 3, 7, 0x7e, nan=0x7f), Small("f8e4m3fnuz", 4, 3, 8, 0x7f, nan=0x80),
         Small("f8e5m2", 5, 2, 15, 0x7b, infinity=0x7c, nan=0x7e),
         Small("f8e5m2fnuz", 5, 2, 16, 0x7f, nan=0x80)]


def raw(w, op, opset, source, target, attributes):
    """A case of one input and one output, both already text."""
    w.lines += [f"case {op}-{opset} {w.count}", f"opset {opset}", 
                f"input x {source.split()[0]} *", "output y", f"node {op} x -> y"]
    w.lines += [f"attr {a}" for a in attributes] + [f"feed {source}", f"want {target}"]
    w.count += 1


def coded(name, codes):
    return f"{name} [{len(codes)}] " + " ".join(map(str, codes))


def small_floats(w, rng):
    x = np.concatenate([np.array([0, -0.0, np.inf, -np.inf, np.nan, 448, 464, 465, 480, 240, 248,
                                  57344, 61440, 65536, -1e6, 1e-9, 2 ** -10, 2 ** -9, 2 ** -17,
                                  2 ** -18, 3 * 2 ** -10, 3 * 2 ** -18], np.float64),
                        rng.standard_normal(20), rng.standard_normal(10) * 1e4,
                        rng.standard_normal(10) * 1e-2])
    x = x.astype(np.float32)
    for small in SMALL:
        for saturate in (1, 0):
            codes = [small.code(float(v), saturate) for v in x]
            raw(w, "Cast", 19, array_text(x), coded(small.name, codes),
                [f"to dtype {small.name}", f"saturate int {saturate}"])
        codes = list(range(small.largest + 1))
        raw(w, "Cast", 19, coded(small.name, codes), array_text(np.array(small.values, np.float64)),
            ["to dtype f64"])
        raw(w, "IsNaN", 20, coded(small.name, [0, 1, small.nan, small.largest]),
            "bool [4] 0 0 1 0", [])
    four = Small("f4e2m1", 2, 1, 1, 7, nan=15)
    x = np.array([0.25, 0.26, 0.75, 5, 5.1, 6, 7, 100, -100, -2.5, -3.5, np.inf], np.float32)
    raw(w, "Cast", 23, array_text(x), coded("f4e2m1", [four.code(float(v), 1) for v in x]),
        ["to dtype f4e2m1"])
    raw(w, "Cast", 23, coded("f4e2m1", list(range(8)) + [9, 15, 8]),
        array_text(np.array(four.values + [-0.5, -6, -0.0], np.float32)), ["to dtype f32"])
    x = np.array([0, 1, 1.25, 1.5, 1.75, 2, 3e38, 1e-45, np.inf, np.nan], np.float32)
    rows = {"up": [0, 127, 128, 128, 128, 128, 255, 0, 254, 255],
            "down": [0, 127, 127, 127, 127, 128, 254, 0, 254, 255],
            "nearest": [0, 127, 127, 128, 128, 128, 255, 0, 254, 255]}
    for mode, codes in rows.items():
        saturated = [min(c, 254) if i != 9 else c for i, c in enumerate(codes)]
        raw(w, "Cast", 24, array_text(x), coded("f8e8m0", saturated),
            ["to dtype f8e8m0", f"round_mode string '{mode}'"])
    raw(w, "Cast", 24, array_text(x), coded("f8e8m0", [255, 127, 127, 128, 128, 128, 255, 255, 255,
                                                       255]),
        ["to dtype f8e8m0", "round_mode string 'nearest'", "saturate int 0"])
    raw(w, "Cast", 24, coded("f8e8m0", [0, 127, 254, 255]),
        array_text(np.array([2.0 ** -127, 1, 2.0 ** 127, np.nan])), ["to dtype f64"])


def nibbles(w):
    x = np.array([-9, -8, -1, 0, 7, 8, 15, 16, 300], np.int32)
    raw(w, "Cast", 21, array_text(x), coded("i4", [int(v) & 15 for v in x]), ["to dtype i4"])
    raw(w, "Cast", 21, array_text(x), coded("u4", [int(v) & 15 for v in x]), ["to dtype u4"])
    raw(w, "Cast", 21, coded("i4", range(16)),
        array_text(np.array([v - 16 * (v > 7) for v in range(16)], np.float32)), ["to dtype f32"])
    raw(w, "Cast", 21, coded("u4", range(15)), array_text(np.arange(15).astype(np.int64)),
        ["to dtype i64"])
    big = np.arange(1001) % 16
    raw(w, "Cast", 21, array_text(big.astype(np.uint8)), coded("u4", big), ["to dtype u4"])
    raw(w, "Cast", 21, coded("u4", [0, 3, 15]), "str [3] '0' '3' '15'", ["to dtype str"])


def text(w):
    x = np.array([0.1, 1.5, 65504, 1e-7, np.nan], np.float16)
    w.case("Cast", 9, [x], [texts("0.1", "1.5", "65504", "1e-07", "NaN")], to=Dtype("str"))
    w.case("Cast", 9, [np.array([True, False])], [texts("1", "0")], to=Dtype("str"))
    w.case("Cast", 13, [texts("1.5", "1e9", "-inf", "0.1")],
           [np.array([1.5, np.inf, -np.inf, 0.1], np.float16)], to=Dtype("f16"))
    w.case("Cast", 13, [texts("1", "0", "nan")], [np.array([True, False, True])], to=Dtype("bool"))
    x = np.array([1e6, 16777216, 1e15, 1e16, 123456.5])
    w.case("Cast", 13, [x], [texts("1000000", "16777216", "1000000000000000", "1e+16",
                                   "123456.5")], to=Dtype("str"))
    like = np.zeros(0, np.uint8)
    w.case("CastLike", 15, [x, like], [np.array([255] * 5, np.uint8)])
    w.case("CastLike", 19, [like, texts(shape=(0,))], [texts(shape=(0,))])


def bits(w):
    x = np.array([1.0, -2.5, np.nan], np.float32)
    w.case("BitCast", 26, [x], [x.view(np.int32)], to=Dtype("i32"))
    w.case("BitCast", 26, [np.array([1, 0], np.uint8)], [np.array([True, False])],
           to=Dtype("bool"))
    raw(w, "BitCast", 26, coded("i4", range(9)), coded("u4", range(9)), ["to dtype u4"])


def main():
    w, rng = Writer(), np.random.default_rng(41)
    w.lines[0] = "# Written by tests/infer/make_elements.py; do not edit."
    unary(w)
    binary(w)
    legacy(w, rng)
    where(w, rng)
    small_floats(w, rng)
    nibbles(w)
    text(w)
    bits(w)
    (CASES / "numpy_elements.txt").write_text(w.text())
    print("numpy_elements.txt", w.count)


if __name__ == "__main__":
    main()
