#!/usr/bin/python3
"""Writes tests/infer/cases/numpy_*.txt: operators against numpy.

Every expected value is computed here, by numpy and in float64, from the texts of
ONNX's operator specifications. The output is committed; run this from the root
of the sources to make it anew.
"""
from fractions import Fraction

import numpy as np

from case_writer import (CASES, FLOATS, NAMES, NARROW, WIDE, Bits, Dtype, Writer, random, softmax,
                         texts, tight)
from ml_cases import ml, weighlock

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
            plain = "e+" in text and abs(value) < 1e16
            return f"{float(value):.0f}" if plain else text
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


FILES = {"elementwise": elementwise, "activation": activation, "shape": shape_cases, "cast": cast,
         "matrix": matrix, "reduce": reduce_cases, "ml": ml, "weighlock": weighlock}


def main():
    for seed, (name, write) in enumerate(FILES.items()):
        writer = Writer()
        write(writer, np.random.default_rng(seed))
        (CASES / f"numpy_{name}.txt").write_text(writer.text())
        print(f"numpy_{name}.txt", writer.count)


if __name__ == "__main__":
    main()
