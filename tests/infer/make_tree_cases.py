#!/usr/bin/python3
"""Writes tests/infer/cases/tree.txt: ensembles of trees against a plain walk in numpy;
and tree_refuse.txt: what is wrong with a tree.

The expected values follow the texts of the operators' specifications, in float64; for
the one score of a binary classifier the rule is onnxruntime's. The output is committed;
run this from the root of the sources to make it anew.
"""
import numpy as np

from case_writer import CASES, Writer, array_text, attribute_text, dtype_name, texts
from ml_cases import TRANSFORMS

DOMAIN = "ai.onnx.ml"
COMPARE = {
    "BRANCH_LEQ": np.less_equal, "BRANCH_LT": np.less, "BRANCH_GTE": np.greater_equal,
    "BRANCH_GT": np.greater, "BRANCH_EQ": np.equal, "BRANCH_NEQ": np.not_equal,
    "BRANCH_MEMBER": lambda x, values: x in values,
}
MODES = list(COMPARE)
LABELS = {2: [7, -3], 3: [7, -3, 10 ** 12], 4: [7, -3, 10 ** 12, 0]}
WORDS = {2: ["no", "yes"], 3: ["a", "\u00e9t\u00e9", ""], 4: list("wxyz")}


# ---- trees: None is a leaf until it gets votes

def random_tree(rng, depth, columns, modes):
    if depth == 0 or rng.random() < 0.2:
        return {"votes": []}
    return {"feature": int(rng.integers(columns)), "value": float(rng.integers(-4, 5)) / 2,
            "mode": str(rng.choice(modes)), "missing": int(rng.integers(2)),
            "members": [float(v) for v in rng.integers(-4, 5, rng.integers(1, 4)) / 2],
            True: random_tree(rng, depth - 1, columns, modes),
            False: random_tree(rng, depth - 1, columns, modes)}


def leaves(tree):
    if "votes" in tree:
        return [tree]
    return leaves(tree[True]) + leaves(tree[False])


def vote(rng, trees, targets, dense=False, positive=False):
    for leaf in [leaf for tree in trees for leaf in leaves(tree)]:
        chosen = range(targets) if dense else [int(rng.integers(targets))]
        weights = rng.integers(-16, 17, len(chosen)) / 16
        leaf["votes"] = [(t, float(abs(w) if positive else w)) for t, w in zip(chosen, weights)]


def find_leaf(tree, row):
    while "votes" not in tree:
        x = row[tree["feature"]]
        value = tree["members"] if tree["mode"] == "BRANCH_MEMBER" else tree["value"]
        goes = bool(COMPARE[tree["mode"]](x, value)) or bool(np.isnan(x) and tree["missing"])
        tree = tree[goes]
    return tree


def aggregate(trees, x, targets, how="SUM"):
    """Scores, and where there was a vote."""
    scores = np.zeros((len(x), targets))
    voted = np.zeros((len(x), targets), bool)
    for row, score, seen in zip(x, scores, voted):
        for tree in trees:
            for target, weight in find_leaf(tree, row)["votes"]:
                if how in ("SUM", "AVERAGE"):
                    score[target] += weight
                elif not seen[target]:
                    score[target] = weight
                else:
                    score[target] = (min if how == "MIN" else max)(score[target], weight)
                seen[target] = True
    return (scores / len(trees) if how == "AVERAGE" else scores), voted


# ---- attributes

def node_lists(trees, prefix):
    lists = {name: [] for name in ("treeids", "nodeids", "truenodeids", "falsenodeids",
                                   "featureids", "values", "modes",
                                   "missing_value_tracks_true")}
    votes = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    for number, tree in enumerate(trees):
        order = [tree]
        for node in order:
            if "votes" not in node:
                order += [node[True], node[False]]
        ids = {id(node): i for i, node in enumerate(order)}
        for i, node in enumerate(order):
            inner = "votes" not in node
            entry = {"treeids": number, "nodeids": i,
                     "truenodeids": ids[id(node[True])] if inner else 0,
                     "falsenodeids": ids[id(node[False])] if inner else 0,
                     "featureids": node["feature"] if inner else 0,
                     "values": node["value"] if inner else 0.0,
                     "modes": node["mode"] if inner else "LEAF",
                     "missing_value_tracks_true": node["missing"] if inner else 0}
            for name, value in entry.items():
                lists[name].append(value)
            for target, weight in node.get("votes", []):
                for name, value in (("treeids", number), ("nodeids", i), ("ids", target),
                                    ("weights", weight)):
                    votes[name].append(value)
    return {**{f"nodes_{k}": v for k, v in lists.items()},
            **{f"{prefix}_{k}": v for k, v in votes.items()}}


def root_lists(trees):
    lists = {name: [] for name in ("nodes_trueleafs", "nodes_falseleafs", "nodes_truenodeids",
                                   "nodes_falsenodeids", "nodes_featureids",
                                   "nodes_missing_value_tracks_true", "leaf_targetids",
                                   "tree_roots")}
    splits, modes, members, weights = [], [], [], []

    def add_leaf(leaf):
        (target, weight), = leaf["votes"]
        lists["leaf_targetids"].append(target)
        weights.append(weight)
        return len(weights) - 1

    def add_node(node):
        at = len(splits)
        splits.append(node["value"])
        modes.append(MODES.index(node["mode"]))
        if node["mode"] == "BRANCH_MEMBER":
            members.extend(node["members"] + [np.nan])
        lists["nodes_featureids"].append(node["feature"])
        lists["nodes_missing_value_tracks_true"].append(node["missing"])
        for name in ("nodes_trueleafs", "nodes_falseleafs", "nodes_truenodeids",
                     "nodes_falsenodeids"):
            lists[name].append(0)
        for side, word in ((True, "true"), (False, "false")):
            child = node[side]
            is_leaf = "votes" in child
            lists[f"nodes_{word}leafs"][at] = int(is_leaf)
            lists[f"nodes_{word}nodeids"][at] = add_leaf(child) if is_leaf else add_node(child)
        return at

    for tree in trees:
        if "votes" in tree:  # a node whose branches lead to the same leaf
            at, leaf = len(splits), add_leaf(tree)
            splits.append(0.0)
            modes.append(0)
            for name, value in (("nodes_trueleafs", 1), ("nodes_falseleafs", 1),
                                ("nodes_truenodeids", leaf), ("nodes_falsenodeids", leaf),
                                ("nodes_featureids", 0),
                                ("nodes_missing_value_tracks_true", 0)):
                lists[name].append(value)
        else:
            at = add_node(tree)
        lists["tree_roots"].append(at)
    return lists, splits, modes, members, weights


# ---- cases

class TreeWriter(Writer):
    def tensors(self, tensors, op, version, x, wants, tolerance, **attrs):
        """A case whose tensor attributes are {name: array}."""
        out = self.lines
        out += [f"case {op}-{version} {self.count} tensors", f"opset {version} {DOMAIN}"]
        self.count += 1
        out += [f"tensor {name} {array_text(array)}" for name, array in tensors.items()]
        out.append(f"input x {dtype_name(x)} *")
        out += [f"output y{i}" for i in range(len(wants))]
        out.append(f"node {op}@{DOMAIN} x -> " + ",".join(f"y{i}" for i in range(len(wants))))
        out += [attribute_text(n, v) for n, v in attrs.items() if v]
        out += [f"attr {name} tensor {i}" for i, name in enumerate(tensors)]
        out.append(f"tolerance {tolerance[0]} {tolerance[1]}")
        out.append(f"feed {array_text(x)}")
        out += [f"want {array_text(w)}" for w in wants]


def random_rows(rng, name, rows, columns):
    x = rng.integers(-5, 6, (rows, columns)) / 2
    if name in ("i64", "i32"):
        return np.floor(x).astype({"i64": np.int64, "i32": np.int32}[name])
    if rng.random() < 0.6:
        x[rng.random(x.shape) < 0.2] = np.nan
        x[rng.random(x.shape) < 0.05] = np.inf
    return x.astype({"f32": np.float32, "f64": np.float64, "f16": np.float16}[name])


def forest(rng, columns, modes, count=None):
    count = count or int(rng.integers(1, 6))
    return [random_tree(rng, int(rng.integers(0, 5)), columns, modes) for _ in range(count)]


def transformed(name, scores):
    with np.errstate(invalid="ignore", divide="ignore"):
        return TRANSFORMS[name](scores)


NEAR = (2e-5, 2e-6)


def regressors(w, rng):
    for i in range(17):
        name = ("f32", "f64", "i64", "i32")[i % 4]
        version = (1, 3, 5)[i % 3]
        columns, targets = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        modes = MODES[:6] if i % 2 else [MODES[i // 2 % 6]]
        trees = forest(rng, columns, modes, 19 if i % 12 == 5 else None)
        vote(rng, trees, targets, dense=i % 5 == 0)
        x = random_rows(rng, name, (1, 5, 18)[i % 3], columns)
        how = ("SUM", "AVERAGE", "MIN", "MAX")[i // 2 % 4]
        text = ("NONE", "NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO")[i % 5]
        base = [float(v) for v in rng.integers(-8, 9, targets) / 8] if i % 2 else None
        scores = aggregate(trees, x, targets, how)[0] + (base or 0)
        w.case("TreeEnsembleRegressor", version, [x],
               [transformed(text, scores).astype(np.float32)], DOMAIN, NEAR,
               **node_lists(trees, "target"), n_targets=targets, base_values=base,
               post_transform=text, aggregate_function=how if how != "SUM" else None)


def classify(trees, x, classes, text, base):
    """Numbers of labels, and scores."""
    scores, voted = aggregate(trees, x, classes)
    votes = [v for tree in trees for leaf in leaves(tree) for v in leaf["votes"]]
    only = {target for target, _ in votes}
    if classes > 2 or len(only) > 1:
        scores = scores + (base or 0)
        seen = np.where(voted | bool(base), scores, -np.inf)
        return np.argmax(seen, axis=1), transformed(text, scores)
    voted_class, = only
    positive = all(weight >= 0 for _, weight in votes)
    s = scores[:, voted_class] + (base[0] if base and voted_class == 0 else 0)
    label = (s > (0.5 if positive else 0)).astype(int)
    if voted_class == 1:
        return label, transformed(text, np.stack([0 * s, s], 1))
    if text == "LOGISTIC":
        return label, transformed(text, np.stack([-s, s], 1))
    return label, np.stack([1 - s if positive else -s, s], 1)


def classifiers(w, rng):
    for i in range(19):
        name = ("f32", "f32", "f64", "i64", "i32")[i % 5]
        columns, classes = int(rng.integers(1, 4)), (2, 2, 3, 4)[i % 4]
        trees = forest(rng, columns, MODES[:6] if i % 3 else ["BRANCH_LEQ"])
        positive = bool(i // 2 % 2)
        vote(rng, trees, classes, dense=i % 3 == 0 and classes > 2, positive=positive)
        if classes == 2 and i % 8 < 6:
            for leaf in [leaf for tree in trees for leaf in leaves(tree)]:
                leaf["votes"] = [(int(i % 8 == 5), weight) for _, weight in leaf["votes"]]
        x = random_rows(rng, name, (3, 1, 17)[i % 3], columns)
        text = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "NONE")[i // 4 % 5]
        base = None
        if i % 7 == 3:
            base = [float(v) for v in rng.integers(-4, 5, classes) / 8]
            base = base[:1] if classes == 2 else base
        numbers, scores = classify(trees, x, classes, text,
                                   base if classes > 2 or not base else base + [0.0])
        strings = i % 2 == 0
        words = WORDS[classes] if strings else LABELS[classes]
        labels = [words[n] for n in numbers]
        w.case("TreeEnsembleClassifier", (1, 3, 5)[i % 3], [x],
               [texts(*labels) if strings else np.array(labels, np.int64),
                scores.astype(np.float32)], DOMAIN, NEAR, **node_lists(trees, "class"),
               post_transform=text, base_values=base,
               **{"classlabels_strings" if strings else "classlabels_int64s": words})


def doubles(w, rng):
    """Thresholds and weights that float32 does not have."""
    for name in ("f32", "f64", "i64"):
        trees = forest(rng, 2, MODES[:6], 3)
        vote(rng, trees, 2)
        nudge = 1 + 2.0 ** -40
        for leaf in [leaf for tree in trees for leaf in leaves(tree)]:
            leaf["votes"] = [(t, v * nudge) for t, v in leaf["votes"]]
        lists = node_lists(trees, "target")
        lists["nodes_values"] = [v * nudge for v in lists["nodes_values"]]
        stack = list(trees)
        for node in stack:
            if "votes" not in node:
                node["value"] *= nudge
                stack += [node[True], node[False]]
        x = random_rows(rng, name, 17, 2)
        base = np.array([0.25, -3])
        want = aggregate(trees, x, 2)[0] + base
        tensors = {"nodes_values_as_tensor": np.array(lists.pop("nodes_values")),
                   "target_weights_as_tensor": np.array(lists.pop("target_weights")),
                   "base_values_as_tensor": base}
        for version in (3, 5):
            w.tensors(tensors, "TreeEnsembleRegressor", version, x, [want.astype(np.float32)],
                      NEAR, **lists, n_targets=2)


def ensembles(w, rng):
    for i in range(15):
        name = ("f32", "f64", "f32")[i % 3]
        dtype = {"f32": np.float32, "f64": np.float64}[name]
        columns, targets = int(rng.integers(1, 4)), (1, 1, 3)[i % 3]
        modes = (MODES, ["BRANCH_LEQ"], ["BRANCH_MEMBER"], MODES[:4])[i % 4]
        trees = forest(rng, columns, modes, 17 if i == 7 else None)
        vote(rng, trees, targets)
        x = random_rows(rng, name, (4, 1, 19)[i % 3], columns)
        how = i // 2 % 4
        text = (0, 0, 2, 1)[i // 3 % 4]
        scores = aggregate(trees, x, targets, ("AVERAGE", "SUM", "MIN", "MAX")[how])[0]
        want = transformed(("NONE", "SOFTMAX", "LOGISTIC")[text], scores).astype(dtype)
        lists, splits, modes, members, weights = root_lists(trees)
        tensors = {"nodes_splits": np.array(splits, dtype),
                   "nodes_modes": np.array(modes, np.uint8),
                   "leaf_weights": np.array(weights, dtype)}
        if members:
            tensors["membership_values"] = np.array(members, dtype)
        w.tensors(tensors, "TreeEnsemble", 5, x, [want], NEAR, **lists,
                  aggregate_function=[how], post_transform=[text], n_targets=[targets])


# ---- refusals: one thing is wrong with an ensemble that is well otherwise

STUMP = {"nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_truenodeids": [1, 0, 0],
         "nodes_falsenodeids": [2, 0, 0], "nodes_featureids": [1, 0, 0],
         "nodes_values": [0.5, 0.0, 0.0], "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"]}
REGRESSOR = {**STUMP, "target_treeids": [0, 0], "target_nodeids": [1, 2], "target_ids": [0, 0],
             "target_weights": [1.0, 2.0], "n_targets": [1]}
CLASSIFIER = {**STUMP, "class_treeids": [0, 0], "class_nodeids": [1, 2], "class_ids": [0, 1],
              "class_weights": [1.0, 2.0], "classlabels_int64s": [5, 6]}
TWO = {"nodes_treeids": [0] * 5, "nodes_nodeids": [0, 1, 2, 3, 4],
       "nodes_truenodeids": [1, 3, 0, 0, 0], "nodes_falsenodeids": [2, 4, 0, 0, 0],
       "nodes_featureids": [0] * 5, "nodes_values": [0.0] * 5,
       "nodes_modes": ["BRANCH_LEQ"] * 2 + ["LEAF"] * 3, "target_treeids": [0] * 3,
       "target_nodeids": [2, 3, 4], "target_ids": [0] * 3, "target_weights": [1.0] * 3,
       "n_targets": [1]}
LIST_FAULTS = [
    ("a child that is not there", STUMP, {"nodes_truenodeids": [7, 0, 0]}, "tree 0 has no node 7"),
    ("a child with a negative id", STUMP, {"nodes_falsenodeids": [-1, 0, 0]}, "no node -1"),
    ("a node that is its own child", STUMP, {"nodes_truenodeids": [0, 0, 0]}, "is reached twice"),
    ("both branches lead to one leaf", STUMP, {"nodes_falsenodeids": [1, 0, 0]},
     "node 1 is reached twice"),
    ("a cycle of two nodes", TWO, {"nodes_truenodeids": [1, 0, 0, 0, 0]}, "node 0 is reached twice"),
    ("two parents", TWO, {"nodes_falsenodeids": [2, 2, 0, 0, 0]}, "node 2 is reached twice"),
    ("a leaf that nothing leads to", STUMP,
     {"nodes_modes": ["LEAF", "LEAF", "LEAF"], "target_nodeids": [0, 1]}, "node 1 is in no tree"),
    ("a cycle beside the tree", TWO,
     {"nodes_modes": ["LEAF"] + ["BRANCH_LEQ"] * 2 + ["LEAF"] * 2,
      "nodes_truenodeids": [0, 2, 1, 0, 0], "nodes_falsenodeids": [0, 3, 4, 0, 0],
      "target_nodeids": [0, 3, 4]}, "node 1 is in no tree"),
    ("the first node is not the root", TWO,
     {"nodes_nodeids": [1, 0, 2, 3, 4], "nodes_truenodeids": [3, 1, 0, 0, 0],
      "nodes_falsenodeids": [4, 2, 0, 0, 0]}, "node 1 is in no tree"),
    ("an id twice in a tree", STUMP, {"nodes_nodeids": [0, 1, 1]},
     "node 1 of tree 0 is there twice"),
    ("a child in another tree", STUMP, {"nodes_treeids": [0, 1, 0]}, "tree 0 has no node 1"),
    ("a negative feature", STUMP, {"nodes_featureids": [-1, 0, 0]}, "nodes_featureids[0] is -1"),
    ("a feature beyond all columns", STUMP, {"nodes_featureids": [2 ** 40, 0, 0]},
     "nodes_featureids[0]"),
    ("an unknown mode", STUMP, {"nodes_modes": ["BRANCH", "LEAF", "LEAF"]},
     "nodes_modes[0] is 'BRANCH'"),
    ("a mode of TreeEnsemble", STUMP, {"nodes_modes": ["BRANCH_MEMBER", "LEAF", "LEAF"]},
     "nodes_modes[0]"),
    ("a list that is too short", STUMP, {"nodes_values": [0.5, 0.0]},
     "'nodes_values' has 2 values, not 3"),
    ("a list that is too long", STUMP, {"nodes_modes": ["LEAF"] * 4},
     "'nodes_modes' has 4 values, not 3"),
    ("missing tracks for some", STUMP, {"nodes_missing_value_tracks_true": [1]}, "1 values, not 3"),
    ("a missing track of 2", STUMP, {"nodes_missing_value_tracks_true": [2, 0, 0]},
     "nodes_missing_value_tracks_true[0]"),
    ("hit rates for some", STUMP, {"nodes_hitrates": [0.5]}, "'nodes_hitrates' has 1 values"),
    ("no nodes", {k: [] for k in STUMP}, {}, ""),
]
REGRESSOR_FAULTS = [
    ("a target that is not there", {"target_ids": [0, 1]}, "weight 1 is for target 1 of 1"),
    ("a negative target", {"target_ids": [-1, 0]}, "weight 0 is for target -1"),
    ("a weight for no node", {"target_nodeids": [1, 3]}, "weight 1 is for node 3 of tree 0"),
    ("a weight for no tree", {"target_treeids": [0, 9]}, "weight 1 is for node 2 of tree 9"),
    ("weights without nodes", {"target_nodeids": [1]}, "'target_nodeids' has 1 values, not 2"),
    ("too many base values", {"base_values": [1.0, 2.0]}, "2 base values for 1 targets"),
    ("no targets", {"n_targets": [0]}, "n_targets is 0"),
    ("many targets", {"n_targets": [2 ** 60]}, "n_targets"),
    ("an unknown aggregate", {"aggregate_function": "MEDIAN"}, "aggregate_function 'MEDIAN'"),
    ("an unknown transform", {"post_transform": "TANH"}, "post_transform 'TANH'"),
]
CLASSIFIER_FAULTS = [
    ("a class that is not there", {"class_ids": [0, 2]}, "weight 1 is for target 2 of 2"),
    ("no labels", {"classlabels_int64s": []}, "exactly one of"),
    ("labels of both kinds", {"classlabels_strings": ["a", "b"]}, "exactly one of"),
    ("three base values", {"base_values": [1.0, 2.0, 3.0]}, "3 base values for 2 targets"),
]
ENSEMBLE = {"nodes_featureids": [0], "nodes_trueleafs": [1], "nodes_falseleafs": [1],
            "nodes_truenodeids": [0], "nodes_falsenodeids": [1], "leaf_targetids": [0, 0],
            "tree_roots": [0], "n_targets": [1]}
ENSEMBLE_TENSORS = {"nodes_splits": np.array([0.5], np.float32),
                    "nodes_modes": np.array([0], np.uint8),
                    "leaf_weights": np.array([1, 2], np.float32)}
ENSEMBLE_FAULTS = [
    ("a leaf that is not there", {"nodes_truenodeids": [2]}, "a branch to leaf 2 of 2"),
    ("a node that is not there", {"nodes_trueleafs": [0], "nodes_truenodeids": [1]},
     "a branch to node 1 of 1"),
    ("a negative branch", {"nodes_falsenodeids": [-1]}, "a branch to leaf -1"),
    ("neither leaf nor node", {"nodes_trueleafs": [2]}, "a branch to leaf 0"),
    ("a node that is its own child", {"nodes_trueleafs": [0]}, "node 0 is reached twice"),
    ("two roots that are one", {"tree_roots": [0, 0]}, "node 0 is reached twice"),
    ("no roots", {"tree_roots": []}, "0 trees"),
    ("a root that is not there", {"tree_roots": [1]}, "a branch to node 1"),
    ("a leaf that nothing leads to", {"nodes_falsenodeids": [0]}, "leaf 1 is in no tree"),
    ("a target that is not there", {"leaf_targetids": [0, 1]}, "weight 1 is for target 1 of 1"),
    ("an unknown aggregate", {"aggregate_function": [4]}, "aggregate_function 4"),
    ("an unknown transform", {"post_transform": [-1]}, "post_transform -1"),
    ("an unknown mode", {"nodes_modes": np.array([7], np.uint8)}, "nodes_modes[0] is 7"),
    ("modes of another dtype", {"nodes_modes": np.array([0], np.int32)}, "nodes_modes must be u8"),
    ("splits that are integers", {"nodes_splits": np.array([0], np.int64)}, "tensor of floats"),
    ("splits for more nodes", {"nodes_splits": np.zeros(2, np.float32)}, "2 values, not 1"),
    ("splits of two axes", {"nodes_splits": np.zeros((1, 1), np.float32)}, "with one axis"),
    ("a set that is missing", {"nodes_modes": np.array([6], np.uint8)}, "has no set for 0"),
    ("a set for no node", {"membership_values": np.array([1, np.nan], np.float32)},
     "more sets than nodes"),
]


def refusal(lines, name, op, version, attrs, tensors, words, rule="plan.attribute-value"):
    lines += [f"case {name}", f"opset {version} {DOMAIN}"]
    lines += [f"tensor {n} {array_text(a)}" for n, a in tensors.items()]
    lines.append("input x f32 [?,2]")
    outputs = "y,z" if op == "TreeEnsembleClassifier" else "y"
    lines += [f"output {y}" for y in outputs.split(",")]
    lines.append(f"node {op}@{DOMAIN} x -> {outputs}")
    lines += [attribute_text(n, v) for n, v in attrs.items() if v]
    lines += [f"attr {n} tensor {i}" for i, n in enumerate(tensors)]
    lines.append(f"refuse {rule} {words}".rstrip())


def refusals():
    lines = ["# Written by tests/infer/make_tree_cases.py; do not edit."]
    for name, start, change, words in LIST_FAULTS:
        attrs = {**REGRESSOR, **start, **change}
        refusal(lines, name, "TreeEnsembleRegressor", 3, attrs, {}, words)
    for name, change, words in REGRESSOR_FAULTS:
        refusal(lines, name, "TreeEnsembleRegressor", 1, {**REGRESSOR, **change}, {}, words)
    for name, change, words in CLASSIFIER_FAULTS:
        refusal(lines, name, "TreeEnsembleClassifier", 5, {**CLASSIFIER, **change}, {}, words)
    for name, change, words in ENSEMBLE_FAULTS:
        tensors = {**ENSEMBLE_TENSORS,
                   **{n: v for n, v in change.items() if isinstance(v, np.ndarray)}}
        lists = {**ENSEMBLE, **{n: v for n, v in change.items() if isinstance(v, list)}}
        required = [n for n, v in lists.items() if not v]
        refusal(lines, name, "TreeEnsemble", 5, lists, tensors,
                "is missing" if required else words,
                "plan.attribute" if required else "plan.attribute-value")
    both = {**REGRESSOR}
    tensors = {"nodes_values_as_tensor": np.zeros(3)}
    refusal(lines, "values twice", "TreeEnsembleRegressor", 3, both, tensors, "alone")
    refusal(lines, "a tensor before there were any", "TreeEnsembleRegressor", 1, both, tensors,
            "'nodes_values_as_tensor' is not known", "plan.attribute")
    wide = {**REGRESSOR, "nodes_featureids": [2, 0, 0]}
    refusal(lines, "a feature beyond the columns", "TreeEnsembleRegressor", 3, wide, {},
            "the trees read 3 columns, input 0 has 2", "plan.shape")
    refusal(lines, "the same when the run shows it", "TreeEnsembleRegressor", 3, wide, {},
            "the trees read 3 columns, input 0 has 2", "run.shape")
    lines[lines.index("case the same when the run shows it"):] = [
        "feed f32 [1,2] 0 0" if line.startswith("refuse") else
        line.replace("[?,2]", "*") for line in
        lines[lines.index("case the same when the run shows it"):]] + [lines[-1]]
    return lines


def one_element_ints(lines):
    """aggregate_function and its like are ints, not lists of one."""
    names = ("aggregate_function", "post_transform", "n_targets")
    return [line.replace(" ints ", " int ", 1)
            if line.startswith(tuple(f"attr {n} ints" for n in names)) else line
            for line in lines]


def main():
    w, rng = TreeWriter(), np.random.default_rng(20)
    w.lines = ["# Written by tests/infer/make_tree_cases.py; do not edit."]
    regressors(w, rng)
    classifiers(w, rng)
    doubles(w, rng)
    ensembles(w, rng)
    w.lines = one_element_ints(w.lines)
    (CASES / "tree.txt").write_text(w.text())
    (CASES / "tree_refuse.txt").write_text("\n".join(one_element_ints(refusals())) + "\n")


if __name__ == "__main__":
    main()
