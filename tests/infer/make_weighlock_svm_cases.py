#!/usr/bin/python3
"""Writes tests/infer/cases/weighlock_svm.txt: support vector machines of org.weighlock against
numpy, and what is refused of them.

Expected values are computed here in float64, from the definitions in docs/operators.md; the
coupling of probabilities by libsvm's steps. The output is committed; run this from the root of
the sources to make it anew.
"""
import numpy as np

from case_writer import CASES, array_text, attribute_text, element_text
from make_svm_cases import pair_scores

DOMAIN = "org.weighlock"
KERNELS = ["LINEAR", "POLY", "RBF", "SIGMOID"]
NEAR = "tolerance 1e-10 1e-11"


def normal(rng, size=None):
    """Numbers that are short to write."""
    return np.round(rng.normal(size=size), 3) if size is not None \
        else float(round(rng.normal(), 3))


def kernel_values(kind, gamma, coef0, degree, x, vectors):
    if kind == "RBF":
        return np.exp(-gamma * ((x[:, None] - vectors[None]) ** 2).sum(-1))
    dots = x @ vectors.T
    if kind == "POLY":
        return (gamma * dots + coef0) ** degree
    return np.tanh(gamma * dots + coef0) if kind == "SIGMOID" else dots


def coupled(pairs, a, b, classes):
    """Wu, Lin and Weng's second method, from equal probabilities, until the error is small."""
    r = np.zeros((classes, classes))
    pair = 0
    for i in range(classes):
        for j in range(i + 1, classes):
            r[i, j] = np.clip(1 / (1 + np.exp(pairs[pair] * a[pair] + b[pair])), 1e-7, 1 - 1e-7)
            r[j, i] = 1 - r[i, j]
            pair += 1
    q = -r.T * r
    np.fill_diagonal(q, (r ** 2).sum(0))
    p = np.full(classes, 1 / classes)
    for _ in range(max(100, classes)):
        qp = q @ p
        pqp = p @ qp
        if np.abs(qp - pqp).max() < 0.005 / classes:
            break
        for t in range(classes):
            by = (pqp - qp[t]) / q[t, t]
            p[t] += by
            pqp = (pqp + by * (by * q[t, t] + 2 * qp[t])) / (1 + by) / (1 + by)
            qp = (qp + by * q[t]) / (1 + by)
            p /= 1 + by
    return p


def one_vs_rest(pairs, classes):
    if classes == 2:
        return -pairs
    votes, sums = np.zeros((2, len(pairs), classes))
    pair = 0
    for i in range(classes):
        for j in range(i + 1, classes):
            s = pairs[:, pair]
            sums[:, i] += s
            sums[:, j] -= s
            votes[np.arange(len(s)), np.where(s < 0, j, i)] += 1
            pair += 1
    return votes + sums / (3 * (np.abs(sums) + 1))


class Cases:
    def __init__(self):
        self.lines = ["# Written by tests/infer/make_weighlock_svm_cases.py; do not edit."]
        self.count = 0

    def begin(self, name, op, x, outputs, tensors, attributes):
        flavour = (f"[{x.shape[0]},{x.shape[1]}]", "[?,?]", "*")[self.count % 3]
        self.count += 1
        self.lines += [f"case {op}: {name}", f"opset 1 {DOMAIN}"]
        self.lines += [f"tensor {n} {array_text(np.asarray(t))}" for n, t in tensors.items()]
        self.lines += [f"input x f64 {flavour}"] + [f"output {y}" for y in outputs if y != "_"]
        self.lines.append(f"node {op}@{DOMAIN} x -> {','.join(outputs)}")
        self.lines += [f"attr {n} tensor {i}" for i, n in enumerate(tensors)]
        self.lines += [attribute_text(n, v) for n, v in attributes.items() if v is not None]

    def run(self, x, wants):
        self.lines += [NEAR, f"feed {array_text(x)}"]
        self.lines += [f"want {array_text(w)}" for w in wants]

    def refuse(self, rule, words):
        self.lines.append(f"refuse {rule} {words}")


def classifiers(c, rng):
    for i in range(24):
        kind, classes = KERNELS[i % 4], (2, 3, 2, 5, 4, 7)[i // 4]
        columns = int(rng.integers(1, 12))
        counts = [int(v) for v in rng.integers(0 if i == 9 else 1, 5, classes)]
        gamma, coef0, degree = round(rng.uniform(0.05, 0.4), 3), normal(rng), i % 5
        pairs = classes * (classes - 1) // 2
        vectors = normal(rng, size=(sum(counts), columns))
        dual = normal(rng, size=(classes - 1, sum(counts)))
        intercepts, a, b = normal(rng, size=(3, pairs))
        x = normal(rng, size=((1, 4, 0, 70)[i % 4 if i else 3], columns))
        values = kernel_values(kind, gamma, coef0, degree, x, vectors)
        scores, votes = pair_scores(values, dual, intercepts, counts)
        rest = one_vs_rest(scores, classes)
        break_ties = i % 5 == 4
        best = np.argmax(rest if break_ties and classes > 2 else votes, axis=1)
        wants = {"index": best.astype(np.int64), "scores": rest, "decisions": scores}
        tensors = {"support": vectors, "dual": dual, "intercepts": intercepts}
        if i % 2 == 0:
            tensors.update(prob_a=a, prob_b=b)
            wants["probabilities"] = np.array(
                [coupled(s, a, b, classes) for s in scores]).reshape(-1, classes)
        outputs = list(wants)
        for omitted in (("scores",), ("scores", "decisions"), ())[i % 3]:
            outputs[outputs.index(omitted)] = "_"
            del wants[omitted]
        while outputs[-1] == "_":
            outputs.pop()
        c.begin(f"{kind} {i}", "SVMClassifier", x, outputs, tensors,
                {"kernel": kind, "gamma": gamma, "coef0": coef0, "degree": degree,
                 "counts": counts, "break_ties": int(break_ties) or None})
        c.run(x, wants.values())


def regressors(c, rng):
    for i in range(12):
        kind, columns, count = KERNELS[i % 4], int(rng.integers(1, 14)), int(rng.integers(0, 9))
        gamma, coef0, degree = round(rng.uniform(0.05, 0.4), 3), normal(rng), (3, 0, 1, 7)[i // 4]
        vectors, dual = normal(rng, size=(count, columns)), normal(rng, size=count)
        intercept, x = normal(rng, size=1), normal(rng, size=((5, 1, 300)[i % 3], columns))
        want = kernel_values(kind, gamma, coef0, degree, x, vectors) @ dual + intercept[0]
        c.begin(f"{kind} {i}", "SVMRegressor", x, ["y"],
                {"support": vectors, "dual": dual, "intercepts": intercept},
                {"kernel": kind, "gamma": gamma, "coef0": coef0, "degree": degree})
        c.run(x, [want.reshape(-1, 1)])


def corners(c):
    """Scores of exactly 0: no vote for the first class by libsvm, one by scikit-learn. And rows
    far from 0 whose distance is small."""
    zeros = {"support": np.zeros((3, 1)), "dual": np.zeros((2, 3)), "intercepts": np.zeros(3)}
    c.begin("ties", "SVMClassifier", np.ones((1, 1)), ["index", "scores", "decisions"], zeros,
            {"kernel": "LINEAR", "counts": [1, 1, 1]})
    c.run(np.ones((1, 1)), [np.array([2]), np.array([[2.0, 1.0, 0.0]]), np.zeros((1, 3))])
    c.begin("broken ties", "SVMClassifier", np.ones((1, 1)), ["index"], zeros,
            {"kernel": "LINEAR", "counts": [1, 1, 1], "break_ties": 1})
    c.run(np.ones((1, 1)), [np.array([0])])
    far = np.array([[1e8, -1e8]])
    c.begin("far rows", "SVMRegressor", far, ["y"],
            {"support": far + 0.5, "dual": np.ones(1), "intercepts": np.zeros(1)},
            {"kernel": "RBF", "gamma": 1.0})
    c.run(far, [np.array([[np.exp(-0.5)]])])
    odd = np.array([[np.nan], [np.inf], [-np.inf]])
    c.begin("no numbers", "SVMClassifier", odd, ["index"],
            {"support": np.ones((2, 1)), "dual": np.array([[1.0, -1.0]]),
             "intercepts": np.zeros(1)}, {"kernel": "POLY", "counts": [1, 1]})
    c.run(odd, [np.array([1, 1, 1])])


# ---- refusals

TENSORS = {"support": np.ones((3, 2)), "dual": np.ones((1, 3)), "intercepts": np.ones(1)}
ATTRIBUTES = {"kernel": "RBF", "counts": [1, 2]}
SIGMOID = {"prob_a": np.ones(1), "prob_b": np.ones(1)}
CLASSIFIER_FAULTS = [
    ("an unknown kernel", {}, {"kernel": "rbf"}, "kernel 'rbf'"),
    ("no kernel", {}, {"kernel": None}, "kernel", "plan.attribute"),
    ("a negative degree", {}, {"degree": -1}, "degree is -1"),
    ("a large degree", {}, {"degree": 2 ** 31}, "degree is 2147483648"),
    ("vectors of one axis", {"support": np.ones(6)}, {}, "support is f64[6]"),
    ("narrow vectors", {"support": np.ones((3, 2), np.float32)}, {}, "support is f32[3,2]"),
    ("no vectors", {"support": None}, {}, "support", "plan.attribute"),
    ("one class", {}, {"counts": [3]}, "counts has 1 values"),
    ("a negative count", {}, {"counts": [4, -1]}, "counts[0] is 4 of 3 vectors"),
    ("a negative first count", {}, {"counts": [-1, 4]}, "counts[0] is -1 of 3 vectors"),
    ("too few counts", {}, {"counts": [1, 1]}, "counts has 2 of 3 vectors"),
    ("counts that overflow", {}, {"counts": [1, 2 ** 62]}, "counts[1] is 4611686018427387904"),
    ("many classes", {"counts": np.zeros(32769, np.int64)}, {"counts": None},
     "counts has 32769 values"),
    ("coefficients of another shape", {"dual": np.ones((1, 2))}, {}, "dual is f64[1,2]"),
    ("coefficients of more classes", {"dual": np.ones((2, 3))}, {}, "dual is f64[2,3]"),
    ("narrow coefficients", {"dual": np.ones((1, 3), np.float32)}, {}, "dual is f32[1,3]"),
    ("more intercepts than pairs", {"intercepts": np.ones(2)}, {}, "intercepts is f64[2]"),
    ("half of the probabilities", {"prob_a": np.ones(1)}, {}, "one of prob_a and prob_b alone"),
    ("the other half", {"prob_b": np.ones(1)}, {}, "one of prob_a and prob_b alone"),
    ("too many prob_a", {**SIGMOID, "prob_a": np.ones(2)}, {}, "prob_a is f64[2]"),
    ("too many prob_b", {**SIGMOID, "prob_b": np.ones(2)}, {}, "prob_b is f64[2]"),
]
REGRESSOR_FAULTS = [
    ("an unknown kernel", {}, {"kernel": "PRECOMPUTED"}, "kernel 'PRECOMPUTED'"),
    ("coefficients of two axes", {"dual": np.ones((1, 3))}, {}, "dual is f64[1,3]"),
    ("two intercepts", {"intercepts": np.ones(2)}, {}, "intercepts is f64[2]"),
]


def changed(old, change):
    return {n: v for n, v in {**old, **change}.items() if v is not None}


def refusals(c):
    x = np.ones((1, 2))
    for name, tensors, attributes, words, *rule in CLASSIFIER_FAULTS:
        c.begin(name, "SVMClassifier", x, ["y"], changed(TENSORS, tensors),
                changed(ATTRIBUTES, attributes))
        c.refuse(*(rule or ["plan.attribute-value"]), words)
    regressor = {**TENSORS, "dual": np.ones(3)}
    for name, tensors, attributes, words in REGRESSOR_FAULTS:
        c.begin(name, "SVMRegressor", x, ["y"], changed(regressor, tensors),
                changed({"kernel": "RBF"}, attributes))
        c.refuse("plan.attribute-value", words)
    c.begin("probabilities that it has not", "SVMClassifier", x, ["y", "_", "_", "p"], TENSORS,
            ATTRIBUTES)
    c.refuse("plan.attribute-value", "probabilities without prob_a")
    for tensors, op, attributes in ((TENSORS, "SVMClassifier", ATTRIBUTES),
                                    (regressor, "SVMRegressor", {"kernel": "RBF"})):
        c.count = 0
        c.begin("columns", op, np.ones((1, 3)), ["y"], tensors, attributes)
        c.refuse("plan.shape", "the model has 2 columns, input 0 has 3")
        c.count = 2
        c.begin("columns of a run", op, np.ones((1, 3)), ["y"], tensors, attributes)
        c.lines.append("feed f64 [1,3] " + " ".join(element_text(1, "f64") for _ in range(3)))
        c.refuse("run.shape", "the model has 2 columns, input 0 has 3")


def main():
    c, rng = Cases(), np.random.default_rng(22)
    classifiers(c, rng)
    regressors(c, rng)
    corners(c)
    refusals(c)
    (CASES / "weighlock_svm.txt").write_text("\n".join(c.lines) + "\n")


if __name__ == "__main__":
    main()
