#!/usr/bin/python3
"""Writes tests/infer/cases/numpy_{reduction,softmax,quantize,recurrent,einsum,signal}.txt:
operators against numpy, as make_cases.py does for others. Run it from the root of the
sources to make them anew."""
import numpy as np

from case_writer import CASES, FLOATS, NAMES, WIDE, Writer, random, softmax, tight

HEAD = "# Written by tests/infer/make_numeric_cases.py; do not edit."


def loose(name):
    return (2e-5, 2e-6) if name == "f32" else (1e-12, 1e-13)


# ---- reductions

def log_sum_exp(x, axis, keepdims):
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore", over="ignore"):
        out = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return out if keepdims else out.reshape(out.sum(axis=axis).shape)


FLOAT_REDUCTIONS = {
    "ReduceSum": lambda x, **k: x.sum(**k),
    "ReduceMean": lambda x, **k: x.mean(**k),
    "ReduceMax": lambda x, **k: x.max(initial=-np.inf, **k),
    "ReduceMin": lambda x, **k: x.min(initial=np.inf, **k),
    "ReduceProd": lambda x, **k: x.prod(**k),
    "ReduceSumSquare": lambda x, **k: (x * x).sum(**k),
    "ReduceL1": lambda x, **k: np.abs(x).sum(**k),
    "ReduceL2": lambda x, **k: np.sqrt((x * x).sum(**k)),
    "ReduceLogSum": lambda x, **k: np.log(x.sum(**k)),
    "ReduceLogSumExp": log_sum_exp,
}
REDUCE_SHAPES = [((), ()), ((5,), (0,)), ((3, 4), (0,)), ((3, 4), (1,)), ((2, 3, 4), (0, 2)),
                 ((2, 3, 4), (1,)), ((2, 1, 3), (1, 2)), ((2, 2, 2, 3), (1, 3)), ((0, 3), (0,)),
                 ((3, 0), (0,)), ((2, 11), (1,)), ((17, 3), (0,))]


def reduced(w, rng, op, name, shape, axes, turn):
    x = random(rng, name, shape)
    if op == "ReduceLogSum" or name not in FLOATS and op in ("ReduceL2", "ReduceLogSumExp"):
        x = np.abs(x) + NAMES[name](1)
    keep = turn % 2
    axis = axes or None
    with np.errstate(all="ignore"):
        wide = x.astype(np.float64 if name in FLOATS else object)
        if name in FLOATS:
            want = np.asarray(FLOAT_REDUCTIONS[op](wide, axis=axis, keepdims=bool(keep)))
        else:
            want = integer_reduction(op, x, axis, bool(keep))
        want = want.astype(x.dtype)
    tolerance = loose(name) if name in FLOATS else (0, 0)
    old = turn % 3 == 0
    signed = [a - len(shape) if turn % 2 else a for a in axes]
    if old and not (op == "ReduceSum" and turn % 4):
        w.case(op, (7, 11)[turn % 2] if op != "ReduceSum" else 11, [x], [want],
               tolerance=tolerance, axes=signed or None, keepdims=keep)
    else:
        inputs = [x] if not axes else [x, np.array(signed, np.int64)]
        w.case(op, 18 if op != "ReduceSum" else 13, inputs, [want], tolerance=tolerance,
               constants=(1,) if turn % 4 else (), keepdims=keep)


def integer_reduction(op, x, axis, keep):
    k = {"axis": axis, "keepdims": keep}
    with np.errstate(all="ignore"):
        if op == "ReduceMean":
            total = x.astype(object).sum(**k)
            count = x.size // max(np.asarray(total).size, 1)
            quotient = np.vectorize(lambda t: int(abs(t) // count) * (1 if t >= 0 else -1),
                                    otypes=[object])
            return quotient(np.asarray(total, object))
        if op in ("ReduceL2", "ReduceLogSum", "ReduceLogSumExp"):
            return np.asarray(np.trunc(FLOAT_REDUCTIONS[op](x.astype(np.float64), **k)))
        if op in ("ReduceMax", "ReduceMin"):
            return np.asarray(getattr(x, op[6:].lower())(**k))
        plain = {"ReduceSum": lambda v: v.sum(**k), "ReduceProd": lambda v: v.prod(**k),
                 "ReduceSumSquare": lambda v: np.asarray(v * v, object).sum(**k),
                 "ReduceL1": lambda v: np.asarray(np.abs(v), object).sum(**k)}
        bits = x.dtype.itemsize * 8
        wide = np.asarray(plain[op](x.astype(object)), object)
        wrap = np.vectorize(lambda t: int(t) % 2 ** bits, otypes=[object])
        return wrap(wide).astype(f"u{bits // 8}").view(x.dtype)


def reduction(w, rng):
    turn = 0
    for op in FLOAT_REDUCTIONS:
        for name in FLOATS + WIDE:
            for shape, axes in REDUCE_SHAPES:
                turn += 1
                empty = 0 in shape
                if name not in FLOATS and (empty or turn % 11):
                    continue
                if name == "f64" and turn % 7 or name == "f32" and turn % 3:
                    continue
                reduced(w, rng, op, name, shape, axes, turn)
    for name in FLOATS:
        nan, inf = np.nan, np.inf
        x = np.array([[1, nan, 3], [inf, -inf, 0], [-inf, -inf, -inf], [inf, 1, 2]], NAMES[name])
        axes = np.array([1])
        wants = {"ReduceMax": [nan, inf, -inf, inf], "ReduceMin": [nan, -inf, -inf, 1],
                 "ReduceSum": [nan, nan, -inf, inf], "ReduceLogSumExp": [nan, inf, -inf, inf]}
        for op, want in wants.items():
            w.case(op, 18, [x, axes], [np.array(want, NAMES[name])], keepdims=0, constants=(1,))
        y = np.array([[1, -2], [3, 4]], NAMES[name])
        for op, want in (("ReduceSum", y), ("ReduceSumSquare", y * y), ("ReduceL1", np.abs(y))):
            w.case(op, 18, [y], [want], noop_with_empty_axes=1)
            w.case(op, 18, [y, np.zeros(0, np.int64)], [want], noop_with_empty_axes=1)
        w.case("ReduceSum", 13, [y, np.zeros(0, np.int64)], [np.full((1, 1), 6, NAMES[name])])
    flags = np.array([[True, False], [False, False], [True, True]])
    w.case("ReduceMax", 20, [flags, np.array([1])], [flags.any(1)], keepdims=0)
    w.case("ReduceMin", 20, [flags, np.array([1])], [flags.all(1)], keepdims=0)
    w.case("ReduceMin", 20, [np.zeros((0, 2), bool), np.array([0])], [np.ones((1, 2), bool)])
    for name in ("i8", "u8"):
        x = random(rng, name, (2, 3, 5))
        w.case("ReduceMax", 12, [x], [x.max((0, 2), keepdims=True)], axes=[0, 2])
        w.case("ReduceMin", 18, [x, np.array([-2])], [x.min(1)], keepdims=0)
    for name in ("f32", "i64", "u8"):
        for axis in (0, 1, 2):
            x = random(rng, name, (2, 3, 4))
            w.case("ArgMin", 13, [x], [np.argmin(x, axis)], axis=axis - 3, keepdims=0)
    x = np.array([[1, np.nan, -np.inf, np.nan], [3, 1, 1, 2]], np.float32)
    w.case("ArgMin", 12, [x], [np.array([[1], [1]])], axis=1)
    w.case("ArgMin", 12, [x], [np.array([[3], [2]])], axis=1, select_last_index=1)
    cumulative(w, rng)


def cumulative(w, rng):
    for op, function, opset in (("CumSum", np.cumsum, 14), ("CumProd", np.cumprod, 26)):
        for turn, name in enumerate(FLOATS + WIDE):
            for axis in (0, 1, 2):
                for exclusive in (0, 1):
                    for reverse in (0, 1):
                        if (axis + exclusive + 2 * reverse + turn) % 5:
                            continue
                        x = random(rng, name, (2, 3, 2))
                        y = np.flip(x, axis) if reverse else x
                        got = function(y, axis, dtype=x.dtype)
                        if exclusive:
                            first = np.full_like(np.take(got, [0], axis), op == "CumProd")
                            rest = np.take(got, range(x.shape[axis] - 1), axis)
                            got = np.concatenate([first, rest], axis)
                        got = np.flip(got, axis) if reverse else got
                        at = np.array(axis if turn % 2 else [axis - 3], np.int32 if exclusive
                                      else np.int64)
                        w.case(op, opset, [x, at], [np.ascontiguousarray(got)],
                               constants=(1,) if axis else (), exclusive=exclusive,
                               reverse=reverse)


# ---- softmax, losses, norms

def soft(w, rng):
    for name in FLOATS:
        for shape in [(4,), (2, 3, 2), (1, 19), (0, 2)]:
            x = random(rng, name, shape)
            for axis in range(len(shape)):
                if shape[axis] == 0:
                    continue
                soft_x = softmax(x, axis)
                w.case("LogSoftmax", 13, [x], [np.log(soft_x).astype(x.dtype)],
                       tolerance=loose(name), axis=axis)
                hard = np.zeros_like(x)
                if x.size:
                    np.put_along_axis(hard, np.expand_dims(np.argmax(x, axis), axis), 1, axis)
                w.case("Hardmax", 13, [x], [hard], axis=axis - len(shape))
                if name == "f32":
                    w.case("Softmax", 13, [x], [soft_x.astype(x.dtype)], tolerance=tight(name),
                           axis=axis)
        x = random(rng, name, (2, 3, 4))
        flat = softmax(x.reshape(2, 12), 1)
        w.case("LogSoftmax", 11, [x], [np.log(flat).reshape(x.shape).astype(x.dtype)],
               tolerance=loose(name))
        w.case("Hardmax", 1, [x], [np.eye(12, dtype=x.dtype)[x.reshape(2, 12).argmax(1)]
                                   .reshape(x.shape)])
        big = np.array([[1000, 0, -1000], [-1e30, -1e30, -1e30]], NAMES[name])
        w.case("LogSoftmax", 13, [big], [np.array([[0, -1000, -2000], [-np.log(3)] * 3],
                                                  NAMES[name])], tolerance=tight(name))
        losses(w, rng, name)
        norms(w, rng, name)


def losses(w, rng, name):
    for turn, shape in enumerate([(3, 4), (2, 3, 2), (2, 2, 2, 2), (0, 3), (1, 1)]):
        for reduction_name in ("none", "sum", "mean"):
            for weighted in (False, True):
                x = random(rng, name, shape)
                classes = shape[1]
                target = rng.integers(0, classes, (shape[0],) + shape[2:])
                ignored = 7 if turn % 2 else None
                if ignored is not None:
                    target = np.where(rng.random(target.shape) < 0.3, ignored, target)
                weight = (rng.integers(1, 9, classes) / 8).astype(x.dtype)
                if reduction_name == "mean" and (0 in shape or np.all(target == 7)):
                    continue
                if (turn + len(reduction_name) + weighted + len(name)) % 3 or name == "f64" and turn:
                    continue
                logs = np.log(softmax(x, 1))
                for op, scores in (("NegativeLogLikelihoodLoss", x.astype(np.float64)),
                                   ("SoftmaxCrossEntropyLoss", logs)):
                    want = loss(scores, target, weight if weighted else None, ignored,
                                reduction_name)
                    wants = [np.asarray(want, x.dtype)]
                    if op[0] == "S" and turn % 2:
                        wants.append(logs.astype(x.dtype))
                    kind = np.int32 if weighted else np.int64
                    inputs = [x, target.astype(kind)] + ([weight] if weighted else [])
                    w.case(op, 13, inputs, wants, tolerance=loose(name), ignore_index=ignored,
                           reduction=reduction_name)


def loss(scores, target, weight, ignored, how):
    kept = np.ones(target.shape) if ignored is None else (target != ignored).astype(float)
    safe = np.where(kept > 0, target, 0)
    share = kept * (1 if weight is None else weight.astype(np.float64)[safe])
    each = -np.take_along_axis(scores, np.expand_dims(safe, 1), 1).squeeze(1) * share
    return {"none": each, "sum": each.sum(), "mean": each.sum() / max(share.sum(), 1e-300)}[how]


def norms(w, rng, name):
    for shape in [(4,), (3, 4), (2, 3, 2)]:
        for axis in range(len(shape)):
            x = random(rng, name, shape)
            x[0] = 0
            for p in (1, 2):
                with np.errstate(all="ignore"):
                    wide = x.astype(np.float64)
                    norm = np.linalg.norm(wide, p, axis, keepdims=True)
                    want = np.where(norm == 0, 0, wide / norm)
                w.case("LpNormalization", (1, 22)[p - 1], [x], [want.astype(x.dtype)],
                       tolerance=tight(name), axis=axis, p=p)
    for shape, axes in [((2, 3, 2, 2), None), ((3, 4), [0]), ((3, 4), [-1]), ((2, 3, 4), [0, 2]),
                        ((2, 3, 4), [1])]:
        x = random(rng, name, shape)
        over = tuple(axes or (0, 2, 3))
        wide = x.astype(np.float64)
        want = (wide - wide.mean(over, keepdims=True)) / (wide.std(over, keepdims=True) + 1e-9)
        w.case("MeanVarianceNormalization", 13, [x], [want.astype(x.dtype)],
               tolerance=loose(name), axes=axes)
    for shape in [(0, 0), (1, 1), (2, 2), (5, 5), (2, 3, 3), (0, 2, 2)]:
        x = random(rng, name, shape)
        w.case("Det", 11, [x], [np.asarray(np.linalg.det(x.astype(np.float64)), x.dtype)],
               tolerance=(1e-5, 1e-5))
    singular = np.array([[1, 2, 3], [2, 4, 6], [0, 0, 1]], NAMES[name])
    w.case("Det", 11, [singular], [np.array(0, NAMES[name])])


# ---- quantised numbers

RANGES = {"i8": (-128, 127), "u8": (0, 255), "i16": (-32768, 32767), "u16": (0, 65535)}


def spread(values, shape, axis, block):
    """The value that each element of `shape` goes by."""
    if values.size == 1:
        return np.broadcast_to(values.reshape(()), shape)
    if block:
        return np.take(np.repeat(values, block, axis), range(shape[axis]), axis)
    along = [1] * len(shape)
    along[axis] = -1
    return np.broadcast_to(values.reshape(along), shape)


def quantize(w, rng):
    shapes = [((7,), 0, 0, ()), ((2, 3, 4), 1, 0, (3,)), ((2, 5), 1, 0, (5,)),
              ((2, 5, 3), 1, 2, (2, 3, 3)), ((4, 3), 0, 2, (2, 3)), ((0, 3), 1, 0, (3,)),
              ((3, 2), 0, 0, (3,)), ((3, 2), 1, 0, (1,)),
              ((2, 2, 9), 1, 0, (2,))]
    for name, (low, high) in RANGES.items():
        for turn, (shape, axis, block, scales) in enumerate(shapes):
            if (turn + len(name) + low) % 2 == 0 and name not in ("i8",):
                continue
            x = (random(rng, "f32", shape) * 60).astype(np.float32)
            scale = (2.0 ** rng.integers(-3, 4, scales)).astype(np.float32)
            zero = rng.integers(max(low, -9), 10, scales).astype(NAMES[name])
            by, off = (spread(v, shape, axis, block) for v in (scale, zero))
            want = np.clip(np.rint(x / by) + off.astype(np.float64), low, high)
            opset = 21 if block or name[1:] == "16" else 13
            w.case("QuantizeLinear", opset, [x, np.asarray(scale), np.asarray(zero)],
                   [want.astype(NAMES[name])], axis=axis, block_size=block or None)
            q = rng.integers(low, high + 1, shape).astype(NAMES[name])
            back = (q.astype(np.float32) - off.astype(np.float32)) * by
            w.case("DequantizeLinear", opset, [q, np.asarray(scale), np.asarray(zero)], [back],
                   axis=axis - len(shape), block_size=block or None)
    odd = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 0.5, 1.5, 2.5, -0.5, -1.5], np.float32)
    one = np.array(1, np.float32)
    w.case("QuantizeLinear", 10, [odd, one, np.array(3, np.int8)],
           [np.array([3, 127, -128, 127, -128, 3, 5, 5, 3, 1], np.int8)])
    w.case("QuantizeLinear", 10, [odd, one], [np.array([0, 255, 0, 255, 0, 0, 2, 2, 0, 0],
                                                       np.uint8)])
    w.case("QuantizeLinear", 10, [odd, np.array(0, np.float32)],
           [np.array([0, 255, 0, 255, 0, 255, 255, 255, 0, 0], np.uint8)])
    whole = np.array([-5, 7, 2 ** 31 - 1], np.int32)
    w.case("DequantizeLinear", 10, [whole, np.array(0.5, np.float32)],
           [(whole * 0.5).astype(np.float32)])
    for x in (np.array([], np.float32), np.zeros(3, np.float32)):
        w.case("DynamicQuantizeLinear", 11, [x], [np.zeros(x.shape, np.uint8), one,
                                                  np.array(0, np.uint8)])
    products(w, rng)


def products(w, rng):
    shapes = [((3, 4), (4, 2)), ((4,), (4, 2)), ((3, 4), (4,)), ((2, 3, 4), (4, 5)),
              ((2, 1, 3, 4), (3, 4, 2)), ((1, 258), (258, 1)), ((0, 4), (4, 2)), ((3, 0), (0, 2))]
    for turn, (a_shape, b_shape) in enumerate(shapes):
        kinds = [(np.int8, np.uint8), (np.uint8, np.int8), (np.uint8, np.uint8)][turn % 3]
        infos = [np.iinfo(k) for k in kinds]
        a, b = (rng.integers(i.min, i.max + 1, s).astype(k)
                for i, s, k in zip(infos, (a_shape, b_shape), kinds))
        for how in ("none", "one", "each"):
            inputs, off = [a, b], [0, 0]
            if how != "none":
                rows = () if how == "one" or len(a_shape) != 2 else (a_shape[0],)
                columns = () if how == "one" or len(b_shape) < 2 else (b_shape[-1],)
                if how == "each" and len(b_shape) > 2:
                    columns = b_shape[:-2] + (1, b_shape[-1])
                zeros = [rng.integers(i.min, i.max + 1, s).astype(k)
                         for i, s, k in zip(infos, (rows, columns), kinds)]
                inputs += [np.asarray(z) for z in zeros]
                off = [zeros[0].astype(np.int64).reshape(-1, 1) if rows else int(zeros[0]),
                       zeros[1].astype(np.int64)]
            want = np.matmul(a.astype(np.int64) - off[0], b.astype(np.int64) - off[1])
            w.case("MatMulInteger", 10, inputs, [np.asarray(want, np.int32)])
            if how == "none" or np.ndim(off[1]) > 1:
                continue
            scales = [np.full(np.shape(z), s, np.float32) for z, s in zip(inputs[2:], (0.5, 0.25))]
            real = np.rint(want * 0.125 / 256)
            linear = np.clip(real + 5, -128, 127).astype(np.int8)
            w.case("QLinearMatMul", 10, [a, scales[0], inputs[2], b, scales[1], inputs[3],
                                         np.array(256, np.float32), np.array(5, np.int8)],
                   [np.asarray(linear)])


# ---- RNN, GRU, LSTM: the equations of their specification, one number at a time

FUNCTIONS = {
    "Relu": lambda x, a, b: np.maximum(x, 0), "Tanh": lambda x, a, b: np.tanh(x),
    "Sigmoid": lambda x, a, b: 1 / (1 + np.exp(-x)), "Affine": lambda x, a, b: a * x + b,
    "LeakyRelu": lambda x, a, b: np.where(x < 0, a * x, x),
    "ThresholdedRelu": lambda x, a, b: np.where(x >= a, x, 0),
    "ScaledTanh": lambda x, a, b: a * np.tanh(b * x),
    "HardSigmoid": lambda x, a, b: np.clip(a * x + b, 0, 1),
    "Elu": lambda x, a, b: np.where(x < 0, a * (np.exp(np.minimum(x, 0)) - 1), x),
    "Softsign": lambda x, a, b: x / (1 + np.abs(x)), "Softplus": lambda x, a, b: np.log1p(np.exp(x)),
}
DEFAULTS = {"Affine": (1, 0), "LeakyRelu": (0.01, 0), "ThresholdedRelu": (1, 0),
            "ScaledTanh": (1, 1), "HardSigmoid": (0.2, 0.5), "Elu": (1, 0)}
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
STANDARD = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}


def step(op, x, h, c, weights, f, options):
    W, R, Wb, Rb, P = weights
    gates, recurrent = np.split(W @ x + Wb, GATES[op]), np.split(R @ h + Rb, GATES[op])
    if op == "RNN":
        return f[0](gates[0] + recurrent[0]), c
    if op == "GRU":
        z, r = (f[0](gates[i] + recurrent[i]) for i in (0, 1))
        inner = (r * recurrent[2] if options.get("linear_before_reset")
                 else np.split(R, 3)[2] @ (r * h) + np.split(Rb, 3)[2])
        return (1 - z) * f[1](gates[2] + inner) + z * h, c
    i, o, g, k = (a + b for a, b in zip(gates, recurrent))
    p = np.split(P, 3)
    i = f[0](i + p[0] * c)
    g = 1 - i if options.get("input_forget") else f[0](g + p[2] * c)
    c = g * c + i * f[1](k)
    return f[0](o + p[1] * c) * f[2](c, np.inf), c


def bind(names, alphas, betas, clip):
    out = []
    for name in names:
        a, b = DEFAULTS.get(name, (0, 0))
        if name in DEFAULTS and alphas:
            a = alphas.pop(0)
        if name in ("Affine", "ScaledTanh", "HardSigmoid") and betas:
            b = betas.pop(0)
        limit = np.inf if clip is None else clip
        out.append(lambda x, limit=limit, n=name, a=a, b=b:
                   FUNCTIONS[n](np.clip(x, -limit, limit), a, b))
    return out


def recurrent_case(w, rng, op, name, sizes, given=(), direction="forward", layout=0,
                   activations=None, alphas=None, betas=None, clip=None, **options):
    steps, batch, inputs, hidden = sizes
    D, G = (2 if direction == "bidirectional" else 1), GATES[op]
    draw = lambda *shape: (rng.integers(-8, 9, shape) / 8).astype(NAMES[name])
    x, W, R = draw(steps, batch, inputs), draw(D, G * hidden, inputs), draw(D, G * hidden, hidden)
    B, h0, c0, P = (draw(D, 2 * G * hidden), draw(D, batch, hidden), draw(D, batch, hidden),
                    draw(D, 3 * hidden))
    lengths = rng.integers(0, steps + 1, batch).astype(np.int32)
    have = lambda key, value: value if key in given else np.zeros_like(value)
    per = len(STANDARD[op])
    names = activations or STANDARD[op] * D
    f = bind(names, list(alphas or []), list(betas or []), clip)
    Y = np.zeros((steps, D, batch, hidden))
    H, C = have("h", h0).astype(np.float64), have("c", c0).astype(np.float64)
    for d in range(D):
        Wb, Rb = np.split(have("B", B)[d].astype(np.float64), 2)
        weights = (W[d].astype(np.float64), R[d].astype(np.float64), Wb, Rb, have("P", P)[d])
        for b in range(batch):
            length = lengths[b] if "lengths" in given else steps
            order = range(length)
            if direction == "reverse" or d == 1:
                order = reversed(order)
            for t in order:
                H[d, b], C[d, b] = step(op, x[t, b].astype(np.float64), H[d, b], C[d, b], weights,
                                        f[d * per:d * per + per], options)
                Y[t, d, b] = H[d, b]
    feed = [x, W, R, B if "B" in given else None, lengths if "lengths" in given else None,
            h0 if "h" in given else None]
    wants = [Y, H]
    if op == "LSTM":
        feed += [c0 if "c" in given else None, P if "P" in given else None]
        wants.append(C)
    if layout:
        swap = lambda v: v if v is None else np.ascontiguousarray(np.swapaxes(v, 0, 1))
        feed[0], feed[5] = swap(x), swap(feed[5])
        if op == "LSTM":
            feed[6] = swap(feed[6])
        wants = [np.ascontiguousarray(Y.transpose(2, 0, 1, 3))] + [swap(v) for v in wants[1:]]
    while feed[-1] is None:
        feed.pop()
    w.case(op, 14 if layout else 7, feed, [v.astype(NAMES[name]) for v in wants],
           tolerance=(1e-4, 1e-5) if name == "f32" else (1e-11, 1e-12), direction=direction,
           hidden_size=hidden, layout=1 if layout else None, activations=activations,
           activation_alpha=alphas, activation_beta=betas, clip=clip, **options)


def recurrent(w, rng):
    everything = ("B", "lengths", "h", "c", "P")
    for op in GATES:
        for name in FLOATS[::-1][:1 if op != "GRU" else 2]:
            sizes = (3, 2, 2, 2)
            recurrent_case(w, rng, op, name, sizes)
            for direction in ("forward", "reverse", "bidirectional"):
                for layout in (0, 1):
                    if layout and direction == "reverse":
                        continue
                    recurrent_case(w, rng, op, name, sizes, everything, direction, layout)
            recurrent_case(w, rng, op, name, sizes, everything, clip=0.5)
            recurrent_case(w, rng, op, name, sizes, everything, "bidirectional",
                           linear_before_reset=1 if op == "GRU" else None,
                           input_forget=1 if op == "LSTM" else None)
        recurrent_case(w, rng, op, "f32", (0, 2, 3, 2), ("h", "c"))
        recurrent_case(w, rng, op, "f32", (3, 0, 3, 2))
        recurrent_case(w, rng, op, "f32", (3, 2, 0, 2), ("B",))
        recurrent_case(w, rng, op, "f64", (2, 9, 3, 2), ("B", "lengths"))
    recurrent_case(w, rng, "GRU", "f64", (3, 2, 2, 3), ("B",), linear_before_reset=1)
    for function in FUNCTIONS:
        for alphas, betas in ((None, None), ([0.75], [0.25])):
            if alphas and function not in DEFAULTS:
                continue
            recurrent_case(w, rng, "RNN", "f32" if alphas else "f64", (2, 1, 1, 3),
                           activations=[function], alphas=alphas, betas=betas)
    recurrent_case(w, rng, "LSTM", "f64", (2, 1, 2, 2), everything, "bidirectional",
                   activations=["HardSigmoid", "LeakyRelu", "Softsign", "Sigmoid", "Affine",
                                "ScaledTanh"], alphas=[0.25, 0.125, 0.5, 0.875], betas=[0.375, -0.125, 0.75])


# ---- Einsum

EQUATIONS = [
    ("ij,jk->ik", (3, 4), (4, 2)), ("ij,jk", (3, 4), (4, 2)), ("ji,jk->ki", (4, 3), (4, 2)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)), ("bij,kj->bki", (2, 3, 4), (5, 4)),
    ("bhqd,bhkd->bhqk", (2, 2, 3, 2), (2, 2, 1, 2)), ("bqhd,bkhd->bhqk", (2, 3, 2, 2), (2, 2, 2, 2)),
    ("i,i->", (5,), (5,)), ("i,j->ij", (3,), (4,)), ("i,j->", (3,), (4,)), ("ij->ji", (2, 3)),
    ("ij->", (2, 3)), ("ii->i", (3, 3)), ("ii", (3, 3)), ("iij->j", (2, 2, 3)),
    ("...ij,...jk->...ik", (2, 3, 4), (4, 2)), ("...i,...i->...", (2, 3), (3,)),
    ("b...->...b", (2, 3, 4)), ("a,b,c->cab", (2,), (3,), (2,)), ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("ijk,ik->j", (2, 3, 4), (2, 4)), ("ij,ik->j", (2, 3), (2, 4)), ("ii,jj->ij", (2, 2), (3, 3)),
    (" a b , b -> a ", (2, 3), (3,)), ("ij,ij->ij", (2, 1), (2, 3)), ("Aa,aA->", (2, 3), (3, 2)),
    ("bA->Ab", (2, 3)), ("bA", (2, 3)), ("...,...->...", (), ()), ("ij,jk->ik", (0, 4), (4, 2)),
    ("ij,jk->ik", (3, 0), (0, 2)), ("abc,cd->abd", (2, 1, 9), (9, 3)), ("i...->...", (2, 3)),
]


def einsum(w, rng):
    for turn, (equation, *shapes) in enumerate(EQUATIONS):
        for name in FLOATS + ["i64", "i32", "u16", "i8"]:
            if (turn + len(name) + ord(name[0])) % 3:
                continue
            arrays = [random(rng, name, s) for s in shapes]
            exact = np.float64 if name in FLOATS else np.int64
            want = np.einsum(equation.replace(" ", ""), *[a.astype(exact) for a in arrays])
            w.case("Einsum", 12, arrays, [np.asarray(want).astype(NAMES[name])],
                   tolerance=loose(name) if name in FLOATS else (0, 0), equation=equation)


# ---- signals

def parts(x):
    return np.stack([x.real, x.imag], -1)


def signal(w, rng):
    for turn, length in enumerate((1, 2, 3, 4, 5, 7, 8, 12)):
        for name in FLOATS[turn % 2:turn % 2 + 1]:
            real = random(rng, name, (1, length, 1))
            both = random(rng, name, (1, length, 2))
            whole = both[..., 0] + 1j * both[..., 1].astype(np.float64)
            close = (1e-4, 2e-4) if name == "f32" else (1e-10, 1e-10)
            give = lambda v: [np.ascontiguousarray(v).astype(NAMES[name])]
            case = lambda inputs, want, **k: w.case("DFT", k.pop("opset", 17), inputs, give(want),
                                                    tolerance=close, **k)
            case([real], parts(np.fft.fft(real[..., 0], axis=1)))
            case([both], parts(np.fft.fft(whole, axis=1)), axis=-2)
            case([both], parts(np.fft.ifft(whole, axis=1)), inverse=1)
            case([real], parts(np.fft.rfft(real[..., 0], axis=1)), onesided=1)
            wanted = np.array(length + 2, np.int64)
            case([both, wanted], parts(np.fft.fft(whole, length + 2, axis=1)), opset=20)
            half = both[:, :length // 2 + 1]
            case([half, np.array(length, np.int32), np.array(1)],
                 np.fft.irfft(whole[:, :length // 2 + 1], length, axis=1)[..., None], opset=20,
                 inverse=1, onesided=1)
    x = random(rng, "f32", (3, 4, 2, 1))
    for axis in (0, 1, 2):
        w.case("DFT", 20, [x, None, np.array(axis)],
               [parts(np.fft.fft(x[..., 0], axis=axis)).astype(np.float32)],
               tolerance=(1e-4, 1e-4))
    for length, hop in ((4, 1), (5, 3), (8, 8)):
        x, window = random(rng, "f64", (2, 16, 1)), random(rng, "f64", (length,))
        frames = [x[:, s:s + length, 0] for s in range(0, 16 - length + 1, hop)]
        sides = {1: np.fft.rfft, 0: np.fft.fft}
        for onesided, function in sides.items():
            plain = np.stack([parts(function(f, axis=1)) for f in frames], 1)
            shaped = np.stack([parts(function(f * window, axis=1)) for f in frames], 1)
            w.case("STFT", 17, [x, np.array(hop), None, np.array(length)], [plain],
                   tolerance=(1e-10, 1e-10), onesided=onesided)
            w.case("STFT", 17, [x, np.array(hop), window], [shaped], tolerance=(1e-10, 1e-10),
                   onesided=onesided)
    for op, f in {"HannWindow": np.hanning, "HammingWindow": None, "BlackmanWindow": np.blackman
                  }.items():
        f = f or (lambda n: 25 / 46 - 21 / 46 * np.cos(2 * np.pi * np.arange(n) / max(n - 1, 1)))
        for size in (2, 5, 8):
            at = np.array(size, np.int32)
            w.case(op, 17, [at], [f(size).astype(np.float32)], tolerance=(1e-6, 1e-7), periodic=0)
            w.case(op, 17, [at], [f(size + 1)[:-1]], tolerance=(1e-12, 1e-12), output_datatype=11)
        w.case(op, 17, [np.array(0)], [np.zeros(0, np.float32)])
        w.case(op, 17, [np.array(1)], [np.ones(1, np.float32)], periodic=0, tolerance=(1e-6, 0))


FILES = {"reduction": reduction, "softmax": soft, "quantize": quantize, "recurrent": recurrent,
         "einsum": einsum, "signal": signal}


def main():
    for seed, (name, write) in enumerate(FILES.items()):
        writer = Writer()
        writer.lines[0] = HEAD
        write(writer, np.random.default_rng(100 + seed))
        (CASES / f"numpy_{name}.txt").write_text(writer.text())
        print(f"numpy_{name}.txt", writer.count)


if __name__ == "__main__":
    main()
