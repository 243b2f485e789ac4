#!/usr/bin/python3
"""Writes tests/infer/cases/numpy_network.txt: convolutions, pools, normalisation and
attention against numpy.

Every expected value is computed here, by numpy and in float64, one window after the other
from the texts of ONNX's operator specifications. The output is committed; run this from the
root of the sources to make it anew.
"""
import itertools

import numpy as np

from case_writer import CASES, NAMES, Writer, random

HEAD = "# Written by tests/infer/make_network_cases.py; do not edit."
CLOSE = {"f64": (1e-12, 1e-13), "f32": (2e-5, 2e-6), "f16": (2e-3, 1e-3)}


def windows(size, out, kernel, stride, dilation, before):
    """For each position of the output the taps that lie within the image: (tap, place)."""
    for at in itertools.product(*map(range, out)):
        taps = []
        for tap in itertools.product(*map(range, kernel)):
            place = tuple(a * s + t * d - b
                          for a, s, t, d, b in zip(at, stride, tap, dilation, before))
            if all(0 <= p < n for p, n in zip(place, size)):
                taps.append((tap, place))
        yield at, taps


def slid(size, kernel, stride, dilation, pads, ceil=False):
    """How many windows fit, by the formulas of the pooling operators."""
    axes, out = len(size), []
    for i in range(axes):
        room = size[i] + pads[i] + pads[axes + i] - ((kernel[i] - 1) * dilation[i] + 1)
        count = (-(-room // stride[i]) if ceil else room // stride[i]) + 1
        if ceil and (count - 1) * stride[i] >= size[i] + pads[i]:
            count -= 1
        out.append(count)
    return out


# ---- pools

def pool(x, kernel, stride, dilation, pads, ceil, reduce):
    size = x.shape[2:]
    out = slid(size, kernel, stride, dilation, pads, ceil)
    y = np.zeros(x.shape[:2] + tuple(out))
    for n, c in itertools.product(range(x.shape[0]), range(x.shape[1])):
        for at, taps in windows(size, out, kernel, stride, dilation, pads[:len(size)]):
            y[(n, c) + at] = reduce(n, c, at, [p for _, p in taps])
    return y


POOLS = [  # spatial shape, kernel, strides, dilations, pads, ceil
    ((9,), [3], [2], [1], [1, 1], 0),
    ((9,), [2], [3], [1], [0, 1], 1),
    ((5, 4), [3, 2], [2, 1], [1, 2], [1, 0, 1, 1], 0),
    ((5, 6), [3, 3], [3, 2], [1, 1], [1, 1, 0, 1], 1),
    ((1, 30), [1, 5], [1, 3], [1, 4], [0, 2, 0, 2], 0),
    ((3, 2, 4), [2, 2, 3], [2, 1, 2], [1, 1, 1], [0, 1, 1, 1, 0, 1], 1),
    ((2, 2, 2, 2), [2, 1, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], [0] * 8, 0),
]


def pools(w, rng):
    for i, (size, kernel, stride, dilation, pads, ceil) in enumerate(POOLS):
        shape = (1 + i % 2, 2) + size
        keys = dict(kernel_shape=kernel, strides=stride, pads=pads, ceil_mode=ceil)
        axes = len(size)
        for name in ("f32", "f64", "i8", "u8", "f16"):
            if name in ("f64", "i8", "f16") and i % 4 or name == "u8" and i % 2:
                continue
            x = random(rng, name, shape)
            if i == 0 and name in ("f32", "f64"):
                x[0, 0, 3] = np.nan  # larger than everything
                x[0, 1, 2] = np.inf
            for order in (0, 1)[:2 if name == "f32" else 1]:
                count = int(np.prod(size))
                steps = [int(np.prod(size[a + 1:])) for a in range(axes)]
                if order:
                    steps = [int(np.prod(size[:a])) for a in range(axes)]

                def index(n, c, at, places):
                    best = places[0]
                    for p in places:
                        a, b = x[(n, c) + p], x[(n, c) + best]
                        if a > b or (a != a and b == b):
                            best = p
                    return (n * 2 + c) * count + sum(s * p for s, p in zip(steps, best))

                largest = pool(x, kernel, stride, dilation, pads, ceil,
                               lambda n, c, at, ps: np.max([x[(n, c) + p] for p in ps]))
                which = pool(x, kernel, stride, dilation, pads, ceil, index)
                w.case("MaxPool", 22 if name == "f16" else 12,
                       [x], [largest.astype(x.dtype), which.astype(np.int64)],
                       dilations=dilation, storage_order=order, **keys)
        for name in ("f32", "f64")[:2 if i == 1 else 1]:
            x = random(rng, name, shape)
            wide = x.astype(np.float64)
            for include in (0, 1):
                def mean(n, c, at, places):
                    taps = len(places)
                    if include:
                        taps = 1
                        for a in range(axes):
                            start = at[a] * stride[a] - pads[a]
                            taps *= sum(start + t * dilation[a] < size[a] + pads[axes + a]
                                        for t in range(kernel[a]))
                    return sum(wide[(n, c) + p] for p in places) / taps
                want = pool(x, kernel, stride, dilation, pads, ceil, mean)
                w.case("AveragePool", 19, [x], [want.astype(x.dtype)], tolerance=CLOSE[name],
                       dilations=dilation, count_include_pad=include, **keys)
            for p in (1, 2, 3)[i % 3:i % 3 + 2]:
                want = pool(x, kernel, stride, dilation, pads, ceil,
                            lambda n, c, at, ps: sum(abs(wide[(n, c) + q]) ** p for q in ps) ** (1 / p))
                w.case("LpPool", 18, [x], [want.astype(x.dtype)], tolerance=CLOSE[name],
                       dilations=dilation, p=p, **keys)
    x = random(rng, "f32", (2, 3, 5))
    w.case("LpPool", 1, [x[..., :4]], [np.sqrt((x[..., :4] ** 2).reshape(2, 3, 2, 2).sum(-1))],
           tolerance=CLOSE["f32"], kernel_shape=[2], strides=[2], p=2.0)
    w.case("MaxPool", 1, [x], [x.max(-1, keepdims=True)], kernel_shape=[5])
    w.case("MaxPool", 8, [x], [x, np.arange(30).reshape(2, 3, 5)], kernel_shape=[1])
    w.case("AveragePool", 7, [x], [x], kernel_shape=[1], auto_pad="SAME_LOWER")
    # windows in padding alone: nothing is there
    w.case("MaxPool", 12, [x[:1, :1]], [np.array([[[-np.inf, *x[0, 0], -np.inf]]], np.float32),
                                        np.array([[[-1, 0, 1, 2, 3, 4, -1]]])],
           kernel_shape=[1], pads=[1, 1])
    w.case("AveragePool", 7, [x[:1, :1]], [np.array([[[0, *x[0, 0], 0]]], np.float32)],
           kernel_shape=[1], pads=[1, 1])
    w.case("MaxPool", 12, [np.zeros((0, 2, 4), np.float32)],
           [np.zeros((0, 2, 3), np.float32), np.zeros((0, 2, 3), np.int64)], kernel_shape=[2])
    for name in ("f32", "f64"):
        x = random(rng, name, (1, 3, 3, 7))
        wide = x.astype(np.float64)
        axes = dict(axis=(2, 3), keepdims=True)
        w.case("GlobalMaxPool", 1, [x], [x.max(**axes)])
        w.case("GlobalAveragePool", 22, [x], [wide.mean(**axes).astype(x.dtype)], tolerance=CLOSE[name])
        w.case("GlobalLpPool", 2, [x], [((np.abs(wide) ** 3).sum(**axes) ** (1 / 3)).astype(x.dtype)],
               tolerance=CLOSE[name], p=3)
        w.case("GlobalLpPool", 1, [x], [np.abs(wide).sum(**axes).astype(x.dtype)],
               tolerance=CLOSE[name], p=1.0)
        poisoned = x.copy()
        poisoned[0, 0, 2, 2] = np.nan
        w.case("GlobalMaxPool", 1, [poisoned], [poisoned.max(**axes)])
        w.case("GlobalMaxPool", 22, [x[:, :, 0, 0]], [x[:, :, 0, 0]])


def unpool(w, rng):
    x = random(rng, "f64", (1, 2, 2, 2))
    places = np.array([[[[0, 3], [9, 10]], [[17, 19], [27, 31]]]])
    y = np.zeros(32)
    y[places.ravel()] = x.ravel()
    y = y.reshape(1, 2, 4, 4)
    w.case("MaxUnpool", 9, [x, places], [y], kernel_shape=[2, 2], strides=[2, 2])
    larger = np.zeros((1, 2, 5, 6))
    larger[:, :, :4, :4] = y
    w.case("MaxUnpool", 11, [x, places, np.array([1, 2, 5, 6])], [larger],
           kernel_shape=[2, 2], strides=[2, 2], constants=(2,))
    w.case("MaxUnpool", 22, [x, places, np.array([1, 2, 5, 6])], [larger],
           kernel_shape=[2, 2], strides=[2, 2])


# ---- convolutions

def conv(x, weights, bias, group, stride, dilation, pads):
    size, kernel = x.shape[2:], weights.shape[2:]
    out = slid(size, kernel, stride, dilation, pads)
    y = np.zeros((x.shape[0], weights.shape[0]) + tuple(out))
    each, per = weights.shape[1], weights.shape[0] // group
    for at, taps in windows(size, out, kernel, stride, dilation, pads[:len(size)]):
        for tap, place in taps:
            for m in range(weights.shape[0]):
                first = m // per * each
                a = x[(slice(None), slice(first, first + each)) + place]
                y[(slice(None), m) + at] += a @ weights[(m, slice(None)) + tap]
    if bias is not None:
        y += bias.reshape((1, -1) + (1,) * len(size))
    return y


CONVS = [  # images, channels, spatial, outputs, kernel, group, strides, dilations, pads
    (2, 3, (9,), 4, (3,), 1, [2], [1], [1, 0]),
    (1, 4, (5, 4), 6, (3, 2), 2, [2, 1], [1, 2], [1, 0, 2, 1]),
    (1, 3, (4, 4), 3, (3, 3), 3, [1, 1], [1, 1], [1, 1, 1, 1]),
    (1, 2, (3, 2, 5), 3, (2, 1, 3), 1, [1, 1, 2], [1, 1, 1], [0, 0, 1, 1, 0, 1]),
    (1, 1, (2, 2, 2, 3), 2, (2, 1, 1, 2), 1, [1] * 4, [1] * 4, [0] * 8),
]


def convs(w, rng):
    for i, (n, c, size, m, kernel, group, stride, dilation, pads) in enumerate(CONVS):
        for name in ("f32", "f64", "f16")[:3 if i < 2 else 1]:
            x = random(rng, name, (n, c) + size)
            weights = random(rng, name, (m, c // group) + kernel)
            bias = random(rng, name, (m,)) if i % 2 else None
            wide = [a if a is None else a.astype(np.float64) for a in (x, weights, bias)]
            want = conv(*wide, group, stride, dilation, pads)
            w.case("Conv", (1, 11, 22)[i % 3], [x, weights, bias][:2 + i % 2], [want.astype(x.dtype)],
                   tolerance=CLOSE[name], constants=(1,) if i % 2 else (), group=group,
                   strides=stride, dilations=dilation, pads=pads,
                   kernel_shape=list(kernel) if i % 3 else None)
            if name == "f16" or name == "f64" and i > 1:
                continue
            # transposed: every element spreads its window
            weights = random(rng, name, (c, m // group) + kernel)
            bias = random(rng, name, (m,))
            out = [s * (a - 1) + (k - 1) * d + 1
                   for a, k, s, d in zip(size, kernel, stride, dilation)]
            whole = np.zeros((n, m) + tuple(out))
            for at in np.ndindex(size):
                for tap in np.ndindex(kernel):
                    to = tuple(a * s + t * d for a, s, t, d in zip(at, stride, tap, dilation))
                    for g in range(group):
                        chans = slice(g * c // group, (g + 1) * c // group)
                        outs = slice(g * m // group, (g + 1) * m // group)
                        a = x[(slice(None), chans) + at].astype(np.float64)
                        whole[(slice(None), outs) + to] += a @ weights[(chans, slice(None)) + tap]
            axes = len(size)
            pads = [min(p, 1) for p in pads]
            cut = tuple(slice(pads[a], out[a] - pads[axes + a]) for a in range(axes))
            want = whole[(slice(None), slice(None)) + cut] + bias.reshape((1, -1) + (1,) * axes)
            w.case("ConvTranspose", (1, 11, 22)[i % 3], [x, weights, bias], [want.astype(x.dtype)],
                   tolerance=CLOSE[name], group=group, strides=stride, dilations=dilation, pads=pads)
    x = random(rng, "f32", (1, 2, 6))
    weights = random(rng, "f32", (2, 2, 3))
    for pad, pads in (("SAME_UPPER", [0, 1]), ("SAME_LOWER", [1, 0]), ("VALID", [0, 0])):
        want = conv(x.astype(np.float64), weights.astype(np.float64), None, 1, [2], [1], pads)
        w.case("Conv", 11, [x, weights], [want.astype(np.float32)], tolerance=CLOSE["f32"],
               auto_pad=pad, strides=[2])
    w.case("Conv", 11, [np.zeros((0, 2, 6), np.float32), weights], [np.zeros((0, 2, 4), np.float32)])
    w.case("Conv", 11, [np.zeros((1, 0, 6), np.float32), np.zeros((2, 0, 3), np.float32),
                        np.array([1, 2], np.float32)],
           [np.array([[[1] * 4, [2] * 4]], np.float32)])
    quantised(w, rng)


def quantised(w, rng):
    for x_name, w_name, y_name in (("u8", "u8", "u8"), ("u8", "i8", "u8"), ("i8", "i8", "i8"),
                                   ("i8", "u8", "u8")):
        limits = [np.iinfo(NAMES[n]) for n in (x_name, w_name, y_name)]
        x = rng.integers(limits[0].min, limits[0].max + 1, (1, 4, 3, 4)).astype(NAMES[x_name])
        k = rng.integers(limits[1].min, limits[1].max + 1, (6, 2, 3, 3)).astype(NAMES[w_name])
        x_zero = np.array(rng.integers(limits[0].min, limits[0].max + 1), NAMES[x_name])
        k_zero = rng.integers(limits[1].min, limits[1].max + 1, 6).astype(NAMES[w_name])
        place = (2, [1, 2], [1, 1], [1, 0, 1, 1])
        keys = dict(group=2, strides=[1, 2], pads=[1, 0, 1, 1])
        exact = conv(x.astype(np.float64) - float(x_zero),
                     k.astype(np.float64) - k_zero.astype(np.float64).reshape(-1, 1, 1, 1), None, *place)
        w.case("ConvInteger", 10, [x, k, x_zero, k_zero], [exact.astype(np.int32)], **keys)
        one = conv(x.astype(np.float64), k.astype(np.float64) - float(k_zero[0]), None, *place)
        w.case("ConvInteger", 10, [x, k, None, k_zero[:1].reshape(())], [one.astype(np.int32)], **keys)
        bias = rng.integers(-5000, 5001, 6).astype(np.int32)
        scale = (rng.integers(1, 9, 6) / 1024).astype(np.float32)
        y_zero = np.array(rng.integers(limits[2].min, limits[2].max + 1), NAMES[y_name])
        real = (exact + bias.reshape(-1, 1, 1)) * (0.5 * scale.astype(np.float64) / 4).reshape(-1, 1, 1)
        want = np.clip(np.rint(real) + float(y_zero), limits[2].min, limits[2].max)
        w.case("QLinearConv", 10, [x, np.array(0.5, np.float32), x_zero, k, scale, k_zero,
                                   np.array(4, np.float32), y_zero, bias],
               [want.astype(NAMES[y_name])], constants=(3, 4, 5, 8), **keys)


# ---- normalisation

def norms(w, rng):
    for name in ("f32", "f64"):
        x = random(rng, name, (2, 4, 2, 1))
        wide = x.astype(np.float64)
        close = dict(tolerance=CLOSE[name])

        def channel(a):
            return np.asarray(a, np.float64).reshape(1, -1, 1, 1)

        scale, bias, mean = (random(rng, name, (4,)) for _ in range(3))
        var = np.abs(random(rng, name, (4,))) + 1
        want = (wide - channel(mean)) / np.sqrt(channel(var) + 1e-3) * channel(scale) + channel(bias)
        for opset, keys in ((1, dict(is_test=1, consumed_inputs=[0, 0, 0, 1, 1])), (6, dict(is_test=1)),
                            (7, {}), (9, {}), (14, {}), (15, {}))[:6 if name == "f32" else 1]:
            w.case("BatchNormalization", opset, [x, scale, bias, mean, var], [want.astype(x.dtype)],
                   epsilon=1e-3, constants=(1, 2, 3, 4) if opset % 2 else (), **close, **keys)
        m, v = wide.mean((0, 2, 3)), wide.var((0, 2, 3))
        want = (wide - channel(m)) / np.sqrt(channel(v) + 1e-3) * channel(scale) + channel(bias)
        kept = [0.75 * a.astype(np.float64) + 0.25 * b for a, b in ((mean, m), (var, v))]
        kept = [want] + kept
        w.case("BatchNormalization", 15, [x, scale, bias, mean, var], [a.astype(x.dtype) for a in kept],
               epsilon=1e-3, momentum=0.75, training_mode=1, **close)
        w.case("BatchNormalization", 9, [x, scale, bias, mean, var],
               [a.astype(x.dtype) for a in kept + [m, v]], epsilon=1e-3, momentum=0.75, **close)
        each = [random(rng, name, (4, 2, 1)) for _ in range(3)] + [np.abs(random(rng, name, (4, 2, 1))) + 1]
        s, b, m, v = (a.astype(np.float64) for a in each)
        w.case("BatchNormalization", 7, [x] + each,
               [((wide - m) / np.sqrt(v + 1e-3) * s + b).astype(x.dtype)], epsilon=1e-3, spatial=0, **close)
        own = dict(axis=(2, 3), keepdims=True)
        plain = (wide - wide.mean(**own)) / np.sqrt(wide.var(**own) + 1e-3)
        want = plain * channel(scale) + channel(bias)
        w.case("InstanceNormalization", 1, [x, scale, bias], [want.astype(x.dtype)], epsilon=1e-3,
               consumed_inputs=[0, 0, 0], **close)
        w.case("InstanceNormalization", 22, [x, scale, bias], [want.astype(x.dtype)], epsilon=1e-3, **close)
        parts = wide.reshape(2, 2, 4)
        parts = (parts - parts.mean(2, keepdims=True)) / np.sqrt(parts.var(2, keepdims=True) + 1e-3)
        parts = parts.reshape(x.shape)
        want = parts * channel(scale) + channel(bias)
        w.case("GroupNormalization", 21, [x, scale, bias], [want.astype(x.dtype)], num_groups=2,
               epsilon=1e-3, **close)
        want = parts * channel(np.repeat(scale[:2], 2)) + channel(np.repeat(bias[:2], 2))
        w.case("GroupNormalization", 18, [x, scale[:2], bias[:2]], [want.astype(x.dtype)], num_groups=2,
               epsilon=1e-3, **close)
        for shape in ((2, 1), (1,), (4, 1, 1), ()):
            s, b = random(rng, name, shape), random(rng, name, shape)
            mean = wide.mean(axis=(2, 3), keepdims=True)
            inverse = 1 / np.sqrt(wide.var(axis=(2, 3), keepdims=True) + 1e-3)
            want = (wide - mean) * inverse * s + b
            w.case("LayerNormalization", 17, [x, s, b],
                   [want.astype(x.dtype), mean.astype(np.float32), inverse.astype(np.float32)],
                   axis=2, epsilon=1e-3, tolerance=CLOSE["f32"])
            want = wide / np.sqrt((wide ** 2).mean(axis=(2, 3), keepdims=True) + 1e-3) * s
            w.case("RMSNormalization", 23, [x, s], [want.astype(x.dtype)], axis=-2, epsilon=1e-3, **close)
        for size in (1, 2, 3, 40):
            sums = np.zeros(x.shape)
            for c in range(4):
                low, high = max(0, c - (size - 1) // 2), min(4, c + size // 2 + 1)
                sums[:, c] = (wide[:, low:high] ** 2).sum(1)
            w.case("LRN", 1 if size == 2 else 13, [x],
                   [(wide / (1.5 + 0.25 / size * sums) ** 0.5).astype(x.dtype)], size=size, alpha=0.25,
                   beta=0.5, bias=1.5, **close)
    empty = np.zeros((2, 0), np.float32)
    w.case("LayerNormalization", 17, [empty, np.zeros(0, np.float32)],
           [empty, np.full((2, 1), np.nan, np.float32)])


# ---- attention

def attention(q, k, v, bias, scale, cap=0.0):
    k, v = (np.repeat(a, q.shape[1] // a.shape[1], axis=1) for a in (k, v))
    scores = q @ k.swapaxes(2, 3) * scale
    if cap:
        scores = cap * np.tanh(scores / cap)
    scores = scores + bias
    top = scores.max(-1, keepdims=True)
    e = np.where(np.isneginf(scores), 0, np.exp(scores - np.where(np.isneginf(top), 0, top)))
    weights = e / np.where(e.sum(-1, keepdims=True) == 0, 1, e.sum(-1, keepdims=True))
    return weights @ v


def attentions(w, rng):
    for name in ("f32", "f64"):
        for length, keys in ((3, 5), (8, 8), (1, 4))[:3 if name == "f32" else 1]:
            q, k, v = (random(rng, name, s) / 2 for s in
                       ((2, 2, length, 2), (2, 1, keys, 2), (2, 1, keys, 1)))
            q, k, v = (a.astype(NAMES[name]) for a in (q, k, v))
            wide = [a.astype(np.float64) for a in (q, k, v)]
            close = dict(tolerance=CLOSE[name])
            want = attention(*wide, 0, 0.5)
            w.case("Attention", 23, [q, k, v], [want.astype(q.dtype)], scale=0.5, **close)
            flat = [a.transpose(0, 2, 1, 3).reshape(2, a.shape[2], -1) for a in (q, k, v)]
            w.case("Attention", 24, flat, [want.transpose(0, 2, 1, 3).reshape(2, length, -1).astype(q.dtype)],
                   scale=0.5, q_num_heads=2, kv_num_heads=1, **close)
            i, j = np.arange(length).reshape(-1, 1), np.arange(keys)
            causal = np.where(j <= i, 0, -np.inf)
            w.case("Attention", 23, [q, k, v], [attention(*wide, causal, 0.5).astype(q.dtype)],
                   scale=0.5, is_causal=1, **close)
            near = np.where((j >= i - 1) & (j <= i + 2), 0, -np.inf)
            w.case("Attention", 25, [q, k, v], [attention(*wide, near, 0.5).astype(q.dtype)],
                   scale=0.5, left_window_size=1, right_window_size=2, **close)
            mask = rng.integers(0, 2, (2, 1, length, keys)).astype(bool)
            mask[0, 0, 0] = False  # nothing to see: a row of 0
            bias = np.where(mask, 0, -np.inf)
            w.case("Attention", 23, [q, k, v, mask], [attention(*wide, bias, 0.5, 2.0).astype(q.dtype)],
                   scale=0.5, softcap=2.0, **close)
            past = [random(rng, name, (2, 1, 2, d)) / 2 for d in (2, 1)]
            past = [a.astype(NAMES[name]) for a in past]
            both = [np.concatenate(p, 2) for p in ((past[0], k), (past[1], v))]
            causal = np.where(np.arange(keys + 2) <= i + 2, 0, -np.inf)
            want = attention(wide[0], *(a.astype(np.float64) for a in both), causal, 0.5)
            w.case("Attention", 23, [q, k, v, None] + past, [want.astype(q.dtype)] + both,
                   scale=0.5, is_causal=1, **close)
            lengths = np.array([keys, 1], np.int64)
            bias = np.where(np.arange(keys) < lengths.reshape(2, 1, 1, 1), 0, -np.inf)
            w.case("Attention", 24, [q, k, v, None, None, None, lengths],
                   [attention(*wide, bias, 0.5).astype(q.dtype)], scale=0.5, **close)


def write(groups, name, start):
    w = Writer()
    w.lines[0] = HEAD
    for group in groups:
        group(w, np.random.default_rng(start))
    (CASES / f"numpy_{name}.txt").write_text(w.text())


if __name__ == "__main__":
    write([pools, unpool], "pool", 1)
    write([convs], "conv", 2)
    write([norms, attentions], "norm", 3)
