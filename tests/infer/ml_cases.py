"""ai.onnx.ml and org.weighlock against numpy: see make_cases.py."""
import numpy as np

from case_writer import random, softmax, texts


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
