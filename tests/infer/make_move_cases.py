#!/usr/bin/python3
"""Writes tests/infer/cases/numpy_{move,slice,gather,select,resize}.txt: operators that move
or choose elements against numpy, as make_cases.py does for others. Run it from the root of
the sources to make them anew."""
import itertools
import math
from fractions import Fraction

import numpy as np

from case_writer import CASES, NAMES, Bits, Dtype, Writer, random, texts

HEAD = "# Written by tests/infer/make_move_cases.py; do not edit."
EVERY = ["f64", "f32", "f16", "i32", "u8", "bool", "str"]
NUMBERS = ["f64", "f32", "i64", "i32", "i16", "i8", "u64", "u32", "u16", "u8"]
WORDS = ["", "a", "h\u00e9llo", "two words", "x" * 20, "\u65e5\u672c", "'", "\\"]


class Thin(Writer):
    """Of what loops over every dtype, a part, so that the files stay small: which one is
    left out goes round, and the latest cases of a function are all kept."""

    def __init__(self):
        super().__init__()
        self.seen = 0
        self.every = 1

    def case(self, *args, **kwargs):
        self.seen += 1
        if self.seen % self.every == 0:
            super().case(*args, **kwargs)


def made(rng, name, shape):
    count = int(np.prod(shape, dtype=np.int64))
    if name == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if name == "str":
        return texts(*[WORDS[i] for i in rng.integers(0, len(WORDS), count)], shape=shape)
    return random(rng, name, shape)


def ints(*values):
    return np.array(values, np.int64)


# ---- whole tensors: Transpose, Expand, Tile, Concat, Split, blocks

def transposes(w, rng):
    shapes = [(2, 3), (3, 4, 5), (2, 1, 3, 2), (0, 3), (), (5,)]
    w.every = 3
    for i, name in enumerate(EVERY):
        for j, shape in enumerate(shapes):
            x = made(rng, name, shape)
            perm = list(rng.permutation(len(shape))) if len(shape) > 1 else None
            perm = [int(p) for p in perm] if perm else None
            w.case("Transpose", (7, 13, 21, 25)[(i + j) % 4], [x], [np.transpose(x, perm)],
                   perm=perm)
    w.every = 1
    for name, shape in [("u8", (17, 18)), ("u16", (18, 17)), ("f32", (18, 22)), ("f64", (17, 16)),
                        ("str", (17, 2))]:  # squares, and what is left
        x = made(rng, name, shape)
        w.case("Transpose", 13, [x], [x.swapaxes(-1, -2)],
               perm=[*range(len(shape) - 2), len(shape) - 1, len(shape) - 2])
    x = made(rng, "u8", (3, 5, 4))  # four of one byte are moved as one
    w.case("Transpose", 13, [x], [x.transpose(1, 0, 2)], perm=[1, 0, 2])
    x = made(rng, "f32", (1, 2, 1, 2, 1, 3, 1, 2))
    w.case("Transpose", 13, [x], [x.transpose(7, 5, 3, 1, 0, 2, 4, 6)],
           perm=[7, 5, 3, 1, 0, 2, 4, 6])


def stretches(w, rng):
    w.every = 4
    for i, name in enumerate(EVERY):
        for j, (shape, to) in enumerate([((3, 1), (2, 1, 4)), ((1,), (0, 2)), ((), (2, 2)),
                                         ((2, 3), (1, 1)), ((2, 1), ())]):
            x = made(rng, name, shape)
            want = np.broadcast_to(x, np.broadcast_shapes(shape, to))
            w.case("Expand", (8, 13)[i % 2], [x, ints(*to)], [want],
                   constants=(1,) if j % 2 else ())
        for j, (shape, times) in enumerate([((2, 3), (2, 2)), ((2, 1, 2), (1, 3, 1)), ((2,), (0,)),
                                            ((1, 2), (3, 1))]):
            x = made(rng, name, shape)
            w.case("Tile", (6, 13)[i % 2], [x, ints(*times)], [np.tile(x, times)],
                   constants=(1,) if j % 2 else ())
    w.every = 1
    x = made(rng, "f32", (2, 3))
    for axis in (0, 1):
        w.case("Tile", 1, [x, np.float32(2).reshape(()), np.float32(axis).reshape(())],
               [np.tile(x, (2, 1) if axis == 0 else (1, 2))])


def joins(w, rng):
    w.every = 2
    for i, name in enumerate(EVERY):
        x = made(rng, name, (4, 5))
        for j, (axis, lengths) in enumerate([(0, (1, 3)), (1, (2, 0, 3)), (-1, (5,))]):
            at = np.cumsum(lengths)[:-1]
            wants = np.split(x, at, axis)
            if i % 2:
                w.case("Split", (2, 11)[j % 2], [x], wants, axis=axis, split=list(lengths))
            else:
                w.case("Split", (13, 18)[j % 2], [x, ints(*lengths)], wants, axis=axis,
                       constants=(1,) if j % 2 else ())
    w.every = 1
    x = made(rng, "f32", (6, 2))
    w.case("Split", 1, [x], np.split(x, 3, 0), axis=0)
    w.case("Split", 13, [x], np.split(x, 2, 1), axis=1)
    w.case("Split", 18, [x], [x[:2], x[2:4], x[4:6]], num_outputs=3)
    w.case("Split", 18, [x], [x[:2], x[2:4], x[4:6], x[:0]], num_outputs=4)
    x = made(rng, "i64", (7,))
    w.case("Split", 18, [x], [x[:3], x[3:6], x[6:]], num_outputs=3)
    a, b = made(rng, "f32", (2, 1)), made(rng, "f32", (2, 2))
    w.case("Concat", 1, [a, b], [np.concatenate([a, b], 1)])


def blocks(w, rng):
    w.every = 2
    for i, name in enumerate(("f32", "f64", "u8", "str", "i16")):
        for block in (1, 2, 3):
            x = made(rng, name, (1, 2 * block * block, 2, 2))
            n, c, h, v = x.shape
            deep = c // block ** 2
            dcr = x.reshape(n, block, block, deep, h, v).transpose(0, 3, 4, 1, 5, 2)
            crd = x.reshape(n, deep, block, block, h, v).transpose(0, 1, 4, 2, 5, 3)
            shape = (n, deep, h * block, v * block)
            dcr, crd = dcr.reshape(shape), crd.reshape(shape)
            w.case("DepthToSpace", (1, 13)[i % 2], [x], [dcr], blocksize=block)
            w.case("DepthToSpace", (11, 28)[i % 2], [x], [crd], blocksize=block, mode="CRD")
            w.case("SpaceToDepth", (1, 13)[i % 2], [dcr], [x], blocksize=block)
            w.case("SpaceToDepth", 28, [crd], [x], blocksize=block, mode="CRD")


def shapes(w, rng):
    w.every = 1
    x = made(rng, "f32", (2, 3, 1, 4))
    w.case("Flatten", 1, [x], [x.reshape(2, 12)])
    for axis in range(-4, 5):
        at = axis if axis >= 0 else axis + 4
        w.case("Flatten", (11, 13, 25)[axis % 3], [x],
               [x.reshape(int(np.prod(x.shape[:at], dtype=int)), -1)], axis=axis)
    empty = made(rng, "f32", (0, 3))
    w.case("Flatten", 13, [empty], [empty.reshape(1, 0)], axis=0)
    w.case("Squeeze", 1, [x], [x.reshape(2, 3, 4)], axes=[2])
    w.case("Squeeze", 11, [x], [x.reshape(2, 3, 4)])
    w.case("Squeeze", 13, [x, ints(-2)], [x.reshape(2, 3, 4)])
    w.case("Squeeze", 13, [x, ints()], [x], constants=(1,))
    w.case("Unsqueeze", 1, [x], [x.reshape(1, 2, 3, 1, 1, 4)], axes=[0, 3])
    w.case("Unsqueeze", 11, [x], [x.reshape(2, 3, 1, 1, 4, 1)], axes=[-1, 2])
    w.case("Unsqueeze", 25, [x, ints(5, 0)], [x.reshape(1, 2, 3, 1, 4, 1)])
    w.case("Reshape", 1, [x], [x.reshape(2, 12)], shape=[0, -1])
    for start, end in ((None, 2), (0, -1), (1, None), (-1, 9), (-9, -9), (9, 2), (1, 2)):
        want = x.shape[slice(start or 0, end)] if start != 9 else ()
        w.case("Shape", 15, [x], [ints(*want)], start=start, end=end)
    w.case("Shape", 1, [x], [ints(*x.shape)])
    w.case("Shape", 13, [made(rng, "str", ())], [ints()])
    w.case("Size", 1, [x], [np.array(24)])
    w.case("Size", 19, [empty], [np.array(0)])
    for k in (-3, -1, 0, 1, 5, 2 ** 63 - 1, -2 ** 63):
        for name in ("f32", "bool"):
            want = np.eye(3, 4, max(-9, min(9, k)), dtype=NAMES[name])
            w.case("EyeLike", (9, 22)[k % 2], [made(rng, name, (3, 4))], [want], k=k)
    w.case("EyeLike", 9, [made(rng, "f32", (2, 2))], [np.eye(2, dtype=np.int16)],
           dtype=Dtype("i16"))
    w.case("ConstantOfShape", 9, [ints(2, 3)], [np.zeros((2, 3), np.float32)])
    w.case("ConstantOfShape", 9, [ints()], [np.zeros((), np.float32)], constants=(0,))
    w.case("ConstantOfShape", 25, [ints(2, 0)], [np.zeros((2, 0), np.float32)])
    for name, values in [("i64", (1, 10, 3)), ("i64", (10, 1, -3)), ("i32", (1, 1, 1)),
                         ("i16", (5, -32768, -9000)), ("f64", (0.5, 2.6, 0.5)),
                         ("f32", (1, 0, 1)), ("f32", (1, 0, -0.25)),
                         ("i64", (-2 ** 63, 2 ** 63 - 1, 2 ** 62))]:
        start, end, step = (np.array(v, NAMES[name]) for v in values)
        count = max(0, math.ceil(Fraction(values[1] - values[0]) / Fraction(values[2])))
        want = np.array([values[0] + i * values[2] for i in range(count)], NAMES[name])
        w.case("Range", (11, 27)[values[0] == 1], [start, end, step], [want])


# ---- parts of tensors: Slice, Pad, ReverseSequence

def slice_one(start, end, step, dim):
    """As the specification clamps, which differs from numpy in front of the start."""
    low, high = (0, dim) if step > 0 else (0, dim - 1)
    start = min(max(start + dim if start < 0 else start, low), high)
    low, high = (0, dim) if step > 0 else (-1, dim - 1)
    end = min(max(end + dim if end < 0 else end, low), high)
    return list(range(start, end, step)) if dim > 0 else []


def slices(w, rng):
    most, least = 2 ** 63 - 1, -2 ** 63
    runs = [((1,), (3,), (0,), (1,)), ((0, 1), (9, -1), (0, 1), (1, 2)),
            ((-1, most), (least, least), (1, 0), (-1, -2)), ((3,), (1,), (1,), (1,)),
            ((0,), (most,), (-1,), (most,)), ((most,), (least,), (0,), (least,)),
            ((-9, 2), (9, 0), (0, 2), (1, -1)), ((2,), (2,), (0,), (-1,))]
    for i, (starts, ends, axes, steps) in enumerate(runs * 2):
        name = EVERY[i % len(EVERY)]
        x = made(rng, name, (4, 5, 3))
        want = x
        for s, e, a, t in zip(starts, ends, axes, steps):
            want = want.take(slice_one(s, e, t, x.shape[a]), axis=a)
        dtype = np.int32 if i % 3 == 1 and max(map(abs, starts + ends + steps)) < 100 else np.int64
        lists = [np.array(v, dtype) for v in (starts, ends, axes, steps)]
        w.case("Slice", (10, 11, 13)[i % 3], [x] + lists, [want],
               constants=(1, 2, 3, 4) if i % 2 else (3,) if i % 4 == 0 else ())
        if all(t == 1 for t in steps) and all(a >= 0 for a in axes):
            w.case("Slice", 1, [x], [want], starts=list(starts), ends=list(ends), axes=list(axes))
    x = made(rng, "f32", (0, 4))
    w.case("Slice", 13, [x, ints(-1), ints(-9), ints(0), ints(-1)], [x])
    w.case("Slice", 13, [x, ints(0, 1), ints(1, 3)], [x[:, 1:3]])
    for i, name in enumerate(("f32", "u8", "str", "f64")):
        for batch in (0, 1):
            x = made(rng, name, (3, 3, 2) if i % 2 else (3, 3))
            lengths = [0, 2, 3]
            want = x.copy()
            for b, n in enumerate(lengths):
                if batch == 0:
                    want[b, :n] = x[b, :n][::-1]
                else:
                    want[:n, b] = x[:n, b][::-1]
            w.case("ReverseSequence", (10, 28)[i % 2], [x, ints(*lengths)], [want],
                   batch_axis=batch, time_axis=1 - batch)


def pads(w, rng):
    runs = [((3, 4), (1, 2, 2, 0)), ((3, 4), (0, 0, 0, 0)), ((3, 2), (4, 5, 6, 3)),
            ((4, 3), (-1, 1, 2, -1)), ((1, 2), (2, 0, 3, 1)), ((2, 3, 2), (0, 1, 0, 1, 0, 2))]
    w.every = 2
    for i, (mode, (shape, pad)) in enumerate(itertools.product(
            ("constant", "reflect", "edge", "wrap"), runs)):
        for name in (("f32", "u8") if i % 2 else ("f64", "str")):
            x = made(rng, name, shape)
            n = len(shape)
            cut = x[tuple(slice(max(0, -pad[a]), shape[a] + min(0, pad[n + a])) for a in range(n))]
            grow = [(max(0, pad[a]), max(0, pad[n + a])) for a in range(n)]
            if mode == "constant":
                value = made(rng, name, ())
                want = np.pad(cut.astype(object), grow, constant_values=value.item())
                want = want.astype(x.dtype)
                w.case("Pad", (13, 18, 25)[i % 3], [x, ints(*pad), value], [want],
                       constants=(1,) if i % 2 else ())
            else:
                index = np.pad(np.arange(cut.size).reshape(cut.shape), grow, mode=mode)
                w.case("Pad", (19, 21)[i % 2] if mode == "wrap" else (13, 19)[i % 2],
                       [x, ints(*pad)], [cut.ravel()[index]], mode=mode,
                       constants=(1,) if i % 2 else ())
    w.every = 1
    x = made(rng, "f32", (2, 3))
    want = np.pad(x, ((0, 1), (2, 0)), constant_values=1.5)
    w.case("Pad", 1, [x], [want], paddings=[0, 2, 1, 0], value=1.5)
    w.case("Pad", 2, [x], [want], pads=[0, 2, 1, 0], value=1.5)
    w.case("Pad", 18, [x, ints(2, 0), None, ints(-1)], [np.pad(x, ((0, 0), (2, 0)))])
    x = made(rng, "str", (2,))
    w.case("Pad", 13, [x, ints(1, 1)], [texts("", *x, "")])
    for name in ("f32", "str"):
        x = made(rng, name, (3, 6))
        at = np.full((6, 3), "" if name == "str" else 0, x.dtype)
        at[1:4] = x[:, 1:4]
        w.case("CenterCropPad", 18, [x, ints(6, 3)], [at])
        w.case("CenterCropPad", 18, [x, np.array([3], np.int32)], [x[:, 1:4]], axes=[-1])


# ---- indices: Gather and Scatter

def gathers(w, rng):
    w.every = 4
    for i, name in enumerate(EVERY):
        x = made(rng, name, (3, 4, 2))
        for j, (axis, shape) in enumerate([(0, (2, 2)), (1, ()), (-1, (3,)), (1, (0,)), (-2, (2,))]):
            at = rng.integers(-x.shape[axis], x.shape[axis], shape)
            at = np.asarray(at, (np.int64, np.int32)[j % 2])
            w.case("Gather", (1, 11, 13)[j % 3], [x, at], [np.asarray(np.take(x, at, axis), x.dtype)],
                   axis=axis, constants=(1,) if j % 2 else ())
        for j, (axis, shape) in enumerate([(0, (5, 2, 1)), (-1, (3, 4, 3)), (1, (2, 1, 2))]):
            at = rng.integers(-x.shape[axis], x.shape[axis], shape)
            part = x[tuple(slice(None) if a == axis % 3 else slice(shape[a]) for a in range(3))]
            w.case("GatherElements", (11, 13)[j % 2], [x, at],
                   [np.take_along_axis(part, at % x.shape[axis], axis)], axis=axis)
        at = np.stack([rng.integers(-3, 3, (2, 2)), rng.integers(-4, 4, (2, 2))], -1)
        w.case("GatherND", (11, 12, 13)[i % 3], [x, at], [x[at[..., 0], at[..., 1]]])
        at = rng.integers(-4, 4, (3, 1))
        w.case("GatherND", 12, [x, at], [np.stack([x[b, at[b, 0]] for b in range(3)])],
               batch_dims=1)
    w.every = 1
    empty = made(rng, "f32", (0, 3))
    w.case("Gather", 13, [empty, np.zeros((2, 0), np.int64)], [np.zeros((2, 0, 3), np.float32)])
    w.case("Gather", 13, [empty, ints(2, 0)], [np.zeros((0, 2), np.float32)], axis=1)
    w.case("GatherND", 13, [empty, np.zeros((0, 1), np.int64)], [empty])


REDUCTIONS = {"none": lambda a, b: b, "add": lambda a, b: a + b, "mul": lambda a, b: a * b,
              "max": np.maximum, "min": np.minimum}


def scatters(w, rng):
    numbers = NUMBERS
    w.every = 4
    for i, name in enumerate(EVERY):
        x = made(rng, name, (3, 4))
        for j, axis in enumerate((0, 1, -1)):
            at = rng.integers(-x.shape[axis], x.shape[axis], (2, 3))
            updates = made(rng, name, (2, 3))
            want = x.copy()
            for p in np.ndindex(2, 3):
                to = list(p)
                to[axis] = at[p]
                want[tuple(to)] = updates[p]
            op, opset = (("Scatter", 9), ("ScatterElements", 11), ("ScatterElements", 13))[j]
            w.case(op, opset, [x, at.astype((np.int64, np.int32)[j % 2]), updates], [want],
                   axis=axis)
        at = rng.integers(-3, 3, (2, 1))
        updates = made(rng, name, (2, 4))
        want = x.copy()
        for k in range(2):
            want[at[k, 0]] = updates[k]
        w.case("ScatterND", (11, 13, 16)[i % 3], [x, at, updates], [want])
    for i, name in enumerate(numbers):
        for reduction in REDUCTIONS:
            x, updates = made(rng, name, (3, 2)), made(rng, name, (4, 2))
            at = rng.integers(-3, 3, (4, 2))
            elements, rows = x.copy(), x.copy()
            with np.errstate(over="ignore"):
                for p in np.ndindex(4, 2):
                    to = (at[p], p[1])
                    elements[to] = REDUCTIONS[reduction](elements[to], updates[p])
                for k in range(4):
                    rows[at[k, 0]] = REDUCTIONS[reduction](rows[at[k, 0]], updates[k])
            opset = 18 if reduction in ("max", "min") or i % 2 else 16
            w.case("ScatterElements", opset, [x, at, updates], [elements], reduction=reduction)
            w.case("ScatterND", opset, [x, at[:, :1], updates], [rows], reduction=reduction)
    w.every = 1
    nan = np.array([np.nan, 1, 2], np.float32)
    for reduction in ("max", "min"):
        w.case("ScatterElements", 18, [nan, ints(0, 1), np.array([5, np.nan], np.float32)],
               [np.array([np.nan, np.nan, 2], np.float32)], reduction=reduction)
    for name in ("f32", "u8", "str"):
        past, update = made(rng, name, (2, 2, 4, 2)), made(rng, name, (2, 2, 2, 2))
        for mode, places in (("linear", (0, 2)), ("circular", (3, -6))):
            want = past.copy()
            for b, s in itertools.product(range(2), range(2)):
                want[b, :, (places[b] + s) % 4] = update[b, :, s]
            w.case("TensorScatter", 24, [past, update, ints(*places)], [want], mode=mode)
        want = past.copy()
        want[:, :, :2] = update
        w.case("TensorScatter", 24, [past, update], [want])


# ---- choice: NonZero, Compress, OneHot, Trilu, TopK, Unique

def top(x, k, axis, largest):
    """NaN is the largest; among equals the one in front comes first."""
    rank = np.where(np.isnan(x), np.inf, x) if x.dtype.kind == "f" else x.astype(object)
    rank = rank.astype(object)
    if x.dtype.kind == "f":
        rank[np.isnan(x)] = 2 ** 2000
    order = np.argsort(-rank if largest else rank, axis=axis, kind="stable")
    order = order.take(range(k), axis=axis)
    return np.take_along_axis(x, order, axis), order.astype(np.int64)


def choices(w, rng):
    odd = np.array([0.0, -0.0, np.nan, 5e-324, np.inf, 1], np.float64).reshape(2, 3)
    w.case("NonZero", 13, [odd], [np.array(np.nonzero(odd))])
    w.every = 4
    for name in EVERY:
        x = made(rng, name, (3, 4))
        found = np.array(np.nonzero(np.array([[bool(v) for v in row] for row in x])), np.int64)
        w.case("NonZero", (9, 13)[len(name) % 2], [x], [found])
        for axis in (None, 0, -1):
            flags = rng.integers(0, 2, 3 if axis == 0 else 4).astype(bool)[:None if axis else 2]
            want = np.compress(flags, x, axis)
            w.case("Compress", (9, 11, 28)[len(want) % 3] if axis != -1 else 11, [x, flags], [want],
                   axis=axis, constants=(1,) if axis == 0 else ())
        for upper, k in itertools.product((0, 1), (None, 0, 2, -2, 2 ** 63 - 1, -2 ** 63)):
            if (len(name) + upper) % 2 and k is not None and abs(k) > 9:
                continue
            mask = (np.triu if upper else np.tril)(np.ones((3, 4)), max(-9, min(9, k or 0)))
            zero = "" if name == "str" else np.zeros((), x.dtype)
            w.case("Trilu", 14, [x] + ([] if k is None else [np.array(k)]),
                   [np.where(mask > 0, x, zero).astype(x.dtype)], upper=upper)
    w.every = 1
    w.case("NonZero", 13, [np.array(3.0)], [np.zeros((0, 1), np.int64)])
    w.case("NonZero", 13, [np.zeros((2, 0))], [np.zeros((2, 0), np.int64)])
    w.case("Trilu", 14, [np.zeros((2, 0, 3), np.float32)], [np.zeros((2, 0, 3), np.float32)])
    for i, name in enumerate(("f32", "i64", "str", "u8", "bool")):
        for axis in (-1, 0, 1):
            kind = (np.int64, np.float32, np.int8)[i % 3]
            at = np.array([[0, -1, 3], [7, -4, -5]], kind)
            values = made(rng, name, (2,))
            want = np.empty((2, 3, 4), values.dtype)
            for p in np.ndindex(2, 3, 4):
                want[p] = values[int(at[p[:2]] == p[2] or at[p[:2]] + 4 == p[2])]
            want = np.moveaxis(want, 2, axis)
            w.case("OneHot", (9, 11)[i % 2], [at, np.array([4.5][:1] if i == 1 else [4],
                   np.float32 if i == 1 else np.int32), values], [want], axis=axis)
    w.case("OneHot", 11, [ints(0, 1), np.array(0), np.array([1.0, 2.0])], [np.zeros((2, 0))])


def tops(w, rng):
    w.every = 3
    for i, name in enumerate(NUMBERS):
        for axis, k in ((0, 2), (-1, 0), (1, 7), (2, 3)):
            x = rng.integers(0, 5, (3, 7, 4)).astype(NAMES[name])
            if name in ("f32", "f64"):
                x.ravel()[::9] = np.nan
                x.ravel()[4::11] = -np.inf
            for largest in ((1,) if i % 2 else (0, 1)):
                w.case("TopK", (11, 24)[axis % 2], [x, ints(k)], list(top(x, k, axis, largest)),
                       axis=axis, largest=largest, constants=(1,) if k == 3 else ())
    w.every = 1
    x = rng.integers(0, 9, (2, 6)).astype(np.float32)
    w.case("TopK", 1, [x], list(top(x, 3, -1, True)), k=3)
    w.case("TopK", 10, [x, ints(3)], list(top(x, 3, 0 - 1, True)))


def unique(x, axis, in_order):
    rows = [x.ravel()[i] for i in range(x.size)] if axis is None else list(np.moveaxis(x, axis, 0))
    keys = [tuple(np.ravel(r).tolist()) if axis is not None else (r.item()
            if hasattr(r, "item") else r,) for r in rows]
    keys = [tuple((1, 0) if isinstance(v, float) and np.isnan(v) else (0, v) for v in k)
            for k in keys]
    distinct = sorted(set(keys), key=lambda k: [
        (t, v.encode() if isinstance(v, str) else v) for t, v in k])
    if not in_order:
        distinct = sorted(set(keys), key=keys.index)
    first = [keys.index(k) for k in distinct]
    values = np.take(x if axis is not None else x.ravel(), first, axis or 0)
    return [values, ints(*first), ints(*[distinct.index(k) for k in keys]),
            ints(*[keys.count(k) for k in distinct])]


def uniques(w, rng):
    w.every = 3
    for i, name in enumerate([n for n in EVERY if n != "f16"]):
        for axis, in_order in itertools.product((None, 0, -1), (0, 1)):
            x = made(rng, name, (4, 3))
            if name not in ("bool", "str"):
                x = (x.astype(np.float64) % 2).astype(x.dtype)
            if name in ("f32", "f64"):
                x[0, 1] = x[2, 2] = np.nan
            w.case("Unique", (11, 28)[i % 2], [x], unique(x, axis, in_order), axis=axis,
                   sorted=in_order)
    w.every = 1
    w.case("Unique", 11, [np.zeros(0, np.int64)], [ints()] * 4)
    w.case("Unique", 11, [np.zeros((3, 0), np.float32)],
           [np.zeros((1, 0), np.float32), ints(0), ints(0, 0, 0), ints(3)], axis=0)


# ---- Resize of integers and strings, and what its axes mean

def nearest(x, scales):
    at = [np.minimum(np.floor(np.arange(int(d * s)) / s), d - 1).astype(int)
          for d, s in zip(x.shape, scales)]
    return x[np.ix_(*at)]


def resizes(w, rng):
    w.every = 4
    for i, name in enumerate(EVERY):
        x = made(rng, name, (2, 3))
        for scales in ((2, 1), (1, 3), (2, 1.5)):
            want = nearest(x, scales)
            at = np.array(scales, np.float32)
            w.case("Upsample", 9, [x, at], [want])
            w.case("Upsample", 7, [x], [want], scales=[float(s) for s in scales])
            w.case("Resize", 13, [x, None, at], [want], nearest_mode="floor",
                   coordinate_transformation_mode="asymmetric", constants=(2,) if i % 2 else ())
            w.case("Resize", 18, [x, None, at[::-1].copy()], [want], nearest_mode="floor", axes=[1, 0],
                   coordinate_transformation_mode="asymmetric")
    w.every = 1
    x = made(rng, "f32", (1, 1, 2, 2))
    w.case("Upsample", 1, [x], [nearest(x, (1, 1, 2, 3))], height_scale=2.0, width_scale=3.0)
    x = np.array([[0, 10], [20, 31]])
    ends = np.array([[0, 5, 10], [10, 15.25, 20.5], [20, 25.5, 31]])
    for name in ("u8", "i32", "f64", "f32"):
        want = ends if name[0] == "f" else np.rint(ends)
        w.case("Resize", 13, [x.astype(NAMES[name]), None, None, ints(3, 3)],
               [want.astype(NAMES[name])], mode="linear",
               coordinate_transformation_mode="align_corners")
    x = np.arange(4, dtype=np.float32)
    w.case("Resize", 13, [x, np.array([-1, 2], np.float32), None, ints(4)],
           [np.array([9, 0, 3, 9], np.float32)], mode="linear", extrapolation_value=9.0,
           coordinate_transformation_mode="tf_crop_and_resize")
    w.case("Resize", 13, [x, np.array([np.nan, 2], np.float32), None, ints(2)],
           [np.array([9, 9], np.float32)], extrapolation_value=9.0,
           coordinate_transformation_mode="tf_crop_and_resize")
    empty = np.zeros((0, 2), np.float32)
    w.case("Resize", 19, [empty, None, np.array([2, 2], np.float32)],
           [np.zeros((0, 4), np.float32)], mode="linear")
    x = np.arange(8, dtype=np.float32)
    w.case("Resize", 18, [x, None, None, ints(4)], [x.reshape(4, 2).mean(1)], mode="linear",
           coordinate_transformation_mode="half_pixel")
    picture = np.arange(6, dtype=np.float64).reshape(1, 1, 2, 3)
    w.case("GridSample", 20, [picture, np.array([[[[-1, -1], [1, 1], [0, 0], [9, 0]]]], np.float64)],
           [np.array([[[[0, 5, 2.5, 0]]]])], align_corners=1)
    w.case("GridSample", 20, [picture, np.full((1, 1, 1, 2), np.nan)], [np.zeros((1, 1, 1, 1))])
    image = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    w.case("MaxRoiPool", 1, [image, np.array([[0, 0, 0, 3, 3], [0, 1, 1, 1, 1],
                                              [0, np.nan, -np.inf, np.inf, 2]], np.float32)],
           [np.array([[[[5, 7], [13, 15]]], [[[5, 5], [5, 5]]], [[[0, 0], [0, 0]]]], np.float32)],
           pooled_shape=[2, 2])
    w.case("RoiAlign", 16, [image, np.array([[0, 0, 4, 4], [np.nan, 0, 4, np.inf],
                                             [-1e30, -1e30, 1e30, 1e30]], np.float32),
                            ints(0, 0, 0)],
           [np.array([7.5, 0, 0], np.float32).reshape(3, 1, 1, 1)])
    columns = np.ones((1, 4, 9), np.int32)
    overlap = np.array([[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]], np.int32)
    w.case("Col2Im", 18, [columns, ints(4, 4), ints(2, 2)], [overlap.reshape(1, 1, 4, 4)])


def main():
    files = [("numpy_move", (transposes, stretches, joins, blocks, shapes)),
             ("numpy_slice", (slices, pads)), ("numpy_gather", (gathers, scatters)),
             ("numpy_select", (choices, tops, uniques)), ("numpy_resize", (resizes,))]
    rng = np.random.default_rng(20)
    for name, makers in files:
        w = Thin()
        w.lines = [HEAD]
        for make in makers:
            make(w, rng)
        (CASES / f"{name}.txt").write_text(w.text())
        print(name, w.count)


if __name__ == "__main__":
    main()
