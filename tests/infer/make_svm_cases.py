#!/usr/bin/python3
"""Writes tests/infer/cases/svm.txt: support vector machines against numpy, and what is
refused of them.

Expected values are computed here in float64, from the operators' specifications and,
where those are silent, from libsvm's papers. The output is committed; run this from the
root of the sources to make it anew.
"""
import numpy as np

from case_writer import CASES, Writer, attribute_text, texts
from ml_cases import TRANSFORMS

DOMAIN = "ai.onnx.ml"
WORDS = ["no", "yes", "\u00e9t\u00e9", "", "x"]
NUMBERS = [7, -3, 10 ** 12, 0, 4]
KERNELS = ["LINEAR", "POLY", "RBF", "SIGMOID"]


def floats(array):
    return [float(np.float32(v)) for v in np.asarray(array).ravel()]


def kernel_values(kind, parameters, x, vectors):
    gamma, coef0, degree = parameters
    if kind == "RBF":
        return np.exp(-gamma * ((x[:, None] - vectors[None]) ** 2).sum(-1))
    dots = x @ vectors.T
    if kind == "POLY":
        return (gamma * dots + coef0) ** degree
    return np.tanh(gamma * dots + coef0) if kind == "SIGMOID" else dots


def pair_scores(values, coefficients, rho, counts):
    """Scores of pairs, and votes."""
    first = np.concatenate([[0], np.cumsum(counts)])
    scores, votes = [], np.zeros((len(values), len(counts)), int)
    for i in range(len(counts)):
        for j in range(i + 1, len(counts)):
            at_i, at_j = slice(first[i], first[i + 1]), slice(first[j], first[j + 1])
            s = (values[:, at_i] @ coefficients[j - 1, at_i]
                 + values[:, at_j] @ coefficients[i, at_j] + rho[len(scores)])
            votes[np.arange(len(s)), np.where(s > 0, i, j)] += 1
            scores.append(s)
    return np.stack(scores, 1), votes


def coupled(scores, a, b, classes):
    """The optimum that the coupling approaches, by solving its linear equations."""
    out = []
    for row in scores:
        r, pair = np.zeros((classes, classes)), 0
        for i in range(classes):
            for j in range(i + 1, classes):
                r[i, j] = np.clip(1 / (1 + np.exp(row[pair] * a[pair] + b[pair])), 1e-7, 1 - 1e-7)
                r[j, i] = 1 - r[i, j]
                pair += 1
        q = np.array([[(r[:, i] ** 2).sum() if i == j else -r[j, i] * r[i, j]
                       for j in range(classes)] for i in range(classes)])
        equations = np.block([[q, np.ones((classes, 1))], [np.ones((1, classes)), np.zeros((1, 1))]])
        out.append(np.linalg.solve(equations, [0] * classes + [1])[:classes])
    return np.array(out)


def labelled(numbers, strings):
    if strings:
        return texts(*[WORDS[n] for n in numbers])
    return np.array([NUMBERS[n] for n in numbers], np.int64)


def random_rows(rng, i, columns):
    x = rng.integers(-12, 13, ((1, 4, 0, 3)[i % 4], columns)) / 4
    name = (np.float32, np.float32, np.float64, np.int64, np.int32)[i % 5]
    return (np.floor(x) if i % 5 > 2 else x).astype(name)


def classifiers(w, rng):
    for i in range(22):
        kind, classes = KERNELS[i % 4], (2, 3, 2, 5)[i // 4 % 4]
        columns = int(rng.integers(1, 8))
        counts = [int(v) for v in rng.integers(0 if i == 9 else 1, 4, classes)]
        parameters = floats([rng.uniform(0.05, 0.3), rng.normal(), (2, 3, 1)[i % 3]])
        pairs = classes * (classes - 1) // 2
        vectors = np.array(floats(rng.normal(size=(sum(counts), columns)))).reshape(-1, columns)
        coefficients = np.array(floats(rng.normal(size=(classes - 1, sum(counts)))))
        coefficients = coefficients.reshape(classes - 1, -1)
        rho, a, b = (floats(rng.normal(size=pairs)) for _ in range(3))
        text = ("NONE", "NONE", "LOGISTIC", "SOFTMAX")[i // 2 % 4]
        x = random_rows(rng, i, columns)
        values = kernel_values(kind, parameters, x.astype(float), vectors)
        scores, votes = pair_scores(values, coefficients, rho, counts)
        has_probabilities = i % 3 == 0
        near = (2e-4, 2e-5)
        if has_probabilities:
            want = coupled(scores, a, b, classes).reshape(-1, classes)
            near = (0, 0.006)  # the coupling stops at an error of 0.005
        elif classes == 2:
            s = scores[:, :1]
            want = np.concatenate([-s if text in ("NONE", "LOGISTIC") else 1 - s, s], 1)
        else:
            want = scores
        if has_probabilities or classes > 2 or text == "LOGISTIC":
            want = TRANSFORMS[text](want)
        strings = i % 2 == 0
        w.case("SVMClassifier", 1, [x],
               [labelled(np.argmax(votes, axis=1), strings), want.astype(np.float32)], DOMAIN, near,
               kernel_type=kind if kind != "LINEAR" else None, kernel_params=parameters,
               coefficients=floats(coefficients), rho=rho, support_vectors=floats(vectors),
               vectors_per_class=counts, post_transform=text,
               prob_a=a if has_probabilities else None, prob_b=b if has_probabilities else None,
               classlabels_strings=WORDS[:classes] if strings else None,
               classlabels_ints=None if strings else NUMBERS[:classes])


def linear_classifiers(w, rng):
    for i in range(8):
        classes, columns = (2, 3, 1, 2)[i % 4], int(rng.integers(1, 5))
        coefficients = np.array(floats(rng.normal(size=(classes, columns)))).reshape(classes, -1)
        coefficients = np.abs(coefficients) if i > 3 else coefficients
        rho = floats(rng.normal(size=1))
        x = random_rows(rng, 2 * i + 1, columns)
        scores = x.astype(float) @ coefficients.T + rho[0]
        best = np.argmax(scores, axis=1)
        if classes == 2:
            top = scores.max(axis=1)
            best = np.where(top >= 0.5 if i > 3 else top > 0, 1, best)
        text = ("NONE", "SOFTMAX")[i % 2]
        w.case("SVMClassifier", 1, [x],
               [labelled(best, False), TRANSFORMS[text](scores).astype(np.float32)], DOMAIN,
               (1e-4, 1e-5), coefficients=floats(coefficients), rho=rho, post_transform=text,
               classlabels_ints=NUMBERS[:classes])


def regressors(w, rng):
    for i in range(11):
        kind, columns, count = KERNELS[i % 4], int(rng.integers(1, 14)), int(rng.integers(0, 7))
        parameters = floats([rng.uniform(0.05, 0.3), rng.normal(), (2, 3, 1)[i % 3]])
        rows = max(count, 1)
        vectors = np.array(floats(rng.normal(size=(rows, columns)))).reshape(rows, -1)
        coefficients = floats(rng.normal(size=count or columns))
        rho = floats(rng.normal(size=1))
        x = random_rows(rng, i, columns)
        if count:
            values = kernel_values(kind, parameters, x.astype(float), vectors)
        else:
            values = x.astype(float)
        want = values @ np.array(coefficients) + rho[0]
        one_class = i % 5 == 4
        want = np.where(want > 0, 1, -1) if one_class else want
        w.case("SVMRegressor", 1, [x], [want.reshape(-1, 1).astype(np.float32)], DOMAIN,
               (2e-4, 2e-5), kernel_type=kind, kernel_params=parameters,
               coefficients=coefficients, rho=rho, n_supports=count or None,
               support_vectors=floats(vectors) if count else None,
               one_class=int(one_class) or None)


# ---- refusals

CLASSIFIER = {"kernel_type": "RBF", "kernel_params": [0.5, 0.0, 0.0], "coefficients": [1.0, -1.0],
              "rho": [0.5], "support_vectors": [1.0, 2.0, 3.0, 4.0], "vectors_per_class": [1, 1],
              "classlabels_ints": [0, 1]}
CLASSIFIER_FAULTS = [
    ("an unknown kernel", {"kernel_type": "COSINE"}, "kernel_type 'COSINE'"),
    ("two kernel parameters", {"kernel_params": [0.5, 0.0]}, "kernel_params has 2 values, not 3"),
    ("an unknown transform", {"post_transform": "TANH"}, "post_transform 'TANH'"),
    ("no labels", {"classlabels_ints": None}, "exactly one of"),
    ("more labels than classes", {"classlabels_ints": [0, 1, 2]},
     "vectors_per_class has 2 values, 3 labels"),
    ("one class", {"classlabels_ints": [0], "vectors_per_class": [2]}, "1 values, 1 labels"),
    ("a negative number of vectors", {"vectors_per_class": [-1, 3]}, "vectors_per_class[0] is -1"),
    ("many vectors", {"vectors_per_class": [1, 2 ** 62]}, "vectors_per_class[1]"),
    ("numbers of vectors that overflow", {"vectors_per_class": [2 ** 31 - 1, 2 ** 31 - 1]},
     "vectors_per_class[1]"),
    ("vectors that do not divide", {"vectors_per_class": [1, 2], "coefficients": [1.0] * 3},
     "4 support_vectors in 3 rows"),
    ("more vectors than numbers", {"vectors_per_class": [3, 4], "coefficients": [1.0] * 7},
     "4 support_vectors in 7 rows"),
    ("too few coefficients", {"coefficients": [1.0]}, "coefficients has 1 values, less than 2"),
    ("no rho", {"rho": None}, "rho has 0 values, less than 1"),
    ("half of the probabilities", {"prob_a": [1.0]}, "prob_a has 1 values, prob_b 0"),
    ("too few probabilities", {"vectors_per_class": [1, 1, 0], "classlabels_ints": [0, 1, 2],
                               "coefficients": [1.0] * 4, "rho": [0.0] * 3,
                               "prob_a": [1.0] * 2, "prob_b": [1.0] * 2},
     "prob_a has 2 values, less than 3"),
    ("a linear model that does not divide", {"vectors_per_class": None, "coefficients": [1.0] * 3},
     "3 coefficients in 2 rows"),
]
REGRESSOR = {"coefficients": [1.0, 2.0], "rho": [0.5], "n_supports": 2,
             "support_vectors": [1.0, 2.0, 3.0, 4.0]}
REGRESSOR_FAULTS = [
    ("a negative number of supports", {"n_supports": -1}, "n_supports is -1"),
    ("many supports", {"n_supports": 2 ** 62}, "n_supports"),
    ("supports that do not divide", {"n_supports": 3, "coefficients": [1.0] * 3},
     "4 support_vectors in 3 rows"),
    ("too few coefficients", {"coefficients": [1.0]}, "coefficients has 1 values, less than 2"),
    ("no rho", {"rho": None}, "rho has 0 values"),
    ("no coefficients", {"coefficients": None, "n_supports": None}, "0 coefficients in 1 rows"),
]


def refusal(lines, name, op, attrs, words, rule="plan.attribute-value", shape="[?,2]"):
    outputs = "y,z" if op == "SVMClassifier" else "y"
    lines += [f"case {op}: {name}", f"opset 1 {DOMAIN}", f"input x f32 {shape}"]
    lines += [f"output {y}" for y in outputs.split(",")]
    lines.append(f"node {op}@{DOMAIN} x -> {outputs}")
    lines += [attribute_text(n, v) for n, v in attrs.items() if v is not None]
    if rule.startswith("run"):
        lines.append("feed f32 [1,3] 0 0 0")
    lines.append(f"refuse {rule} {words}")


def refusals(lines):
    for name, change, words in CLASSIFIER_FAULTS:
        refusal(lines, name, "SVMClassifier", {**CLASSIFIER, **change}, words)
    for name, change, words in REGRESSOR_FAULTS:
        refusal(lines, name, "SVMRegressor", {**REGRESSOR, **change}, words)
    for shape, rule in (("[?,3]", "plan.shape"), ("*", "run.shape")):
        for op, attrs in (("SVMClassifier", CLASSIFIER), ("SVMRegressor", REGRESSOR)):
            refusal(lines, "columns", op, attrs, "the model has 2 columns, input 0 has 3", rule,
                    shape)


def main():
    w, rng = Writer(), np.random.default_rng(21)
    w.lines = ["# Written by tests/infer/make_svm_cases.py; do not edit."]
    classifiers(w, rng)
    linear_classifiers(w, rng)
    regressors(w, rng)
    refusals(w.lines)
    (CASES / "svm.txt").write_text(w.text())


if __name__ == "__main__":
    main()
