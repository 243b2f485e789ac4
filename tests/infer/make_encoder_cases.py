#!/usr/bin/python3
"""Writes tests/infer/cases/encoders.txt: what ai.onnx.ml's encoders, com.microsoft's
Tokenizer and CDist give, against plain Python, and what is refused of them.

Expected values follow the operators' specifications; tokens are those of Python's re,
with alternatives ordered so that it finds the longest match, too. The output is
committed; run this from the root of the sources to make it anew.
"""
import math
import re

import numpy as np

from case_writer import CASES, NAMES, Writer, array_text, attribute_text, texts

ML = "ai.onnx.ml"
MS = "com.microsoft"
HEAD = "# Written by tests/infer/make_encoder_cases.py; do not edit."
NAN = float("nan")


class Tensor:
    """An attribute that is a tensor."""

    def __init__(self, array):
        self.array = array


def case(w, op, opset, inputs, wants, domain=ML, tolerance=(0, 0), **attrs):
    """As Writer.case, with attributes that are tensors: their lines come first."""
    tensors = [(n, v) for n, v in attrs.items() if isinstance(v, Tensor)]
    plain = {n: v for n, v in attrs.items() if not isinstance(v, Tensor)}
    at = len(w.lines)
    w.case(op, opset, inputs, wants, domain, tolerance, **plain)
    lines = w.lines[at:]
    for i, (_, tensor) in enumerate(tensors):
        lines.insert(2, f"tensor t{i} {array_text(tensor.array)}")
    node = next(i for i, line in enumerate(lines) if line.startswith("node "))
    for i, (name, _) in enumerate(tensors):
        lines.insert(node + 1, f"attr {name} tensor {len(tensors) - 1 - i}")
    w.lines[at:] = lines


# ---- LabelEncoder, CategoryMapper

def key_of(value):
    if isinstance(value, str):
        return value
    return "not a number" if math.isnan(value) else value + 0.0 if value == 0 else value


def relabel(x, keys, values, default, dtype):
    table = {key_of(k): v for k, v in zip(keys, values)}
    found = [table.get(key_of(v), default) for v in x.ravel().tolist()]
    if dtype == "str":
        return texts(*found, shape=x.shape)
    return np.array(found, NAMES[dtype]).reshape(x.shape)


WORDS = ["amy", "", "Sally", "\u00e9t\u00e9", "abcdefgh", "abcdefgh1", "abcdefgh10", "amy "]
SUFFIX = {"str": "strings", "i64": "int64s", "f32": "floats"}
POOLS = {
    "str": WORDS,
    "i64": [5, -3, 0, 2 ** 62, -2 ** 63, 2 ** 63 - 1, 7, 8],
    "f32": [0.0, NAN, -1.5, math.inf, -math.inf, 2.5, 3.0, 1e30],
}
DEFAULTS = {"str": ("default_string", "other"), "i64": ("default_int64", 42),
            "f32": ("default_float", 0.5)}
UNSET = {"str": "_Unused", "i64": -1, "f32": -0.0}


def elements(name, values, shape):
    if name == "str":
        return texts(*values, shape=shape)
    return np.array(values, NAMES[name]).reshape(shape)


def strangers(name):
    return {"str": ["Amy", "abcdefg", "abcdefgh2"], "i64": [6, -4, 1],
            "f32": [-0.0, 2.25, 1e-30]}[name]


def label_encoders(w, rng):
    for keys_of in SUFFIX:
        for values_of in SUFFIX:
            for opset in (2, 4):
                keys, values = POOLS[keys_of][:7], POOLS[values_of][1:8]
                given = [keys[i] for i in rng.permutation(7)] + strangers(keys_of)
                x = elements(keys_of, given, (2, 5))
                name, default = DEFAULTS[values_of]
                case(w, "LabelEncoder", opset, [x],
                     [relabel(x, keys, values, default, values_of)],
                     **{f"keys_{SUFFIX[keys_of]}": keys, f"values_{SUFFIX[values_of]}": values,
                        name: default})
        want = relabel(x, keys, values, UNSET[values_of], values_of)
        case(w, "LabelEncoder", 2, [x], [want], **{f"keys_{SUFFIX[keys_of]}": keys,
                                                  f"values_{SUFFIX[values_of]}": values})
    # of equal keys the last one counts
    x = texts("a", "b", "c")
    case(w, "LabelEncoder", 4, [x], [np.array([3, 2, -1])], keys_strings=["a", "b", "a"],
         values_int64s=[1, 2, 3])
    # many keys, many elements
    keys = [int(v) for v in rng.permutation(700) * 3 - 1000]
    x = rng.integers(-1100, 1200, 900)
    case(w, "LabelEncoder", 2, [x], [relabel(x, keys, [float(i) for i in range(700)], 0.5, "f32")],
         keys_int64s=keys, values_floats=[float(i) for i in range(700)], default_float=0.5)
    case(w, "LabelEncoder", 2, [np.zeros((0, 3), np.int64)], [texts(shape=(0, 3))],
         keys_int64s=[1], values_strings=["a"])


def label_tensors(w):
    x16 = np.array([3, -1, 7], np.int16)
    case(w, "LabelEncoder", 4, [x16], [np.array([1.5, -2.5, 9.25])],
         keys_tensor=Tensor(np.array([-1, 3], np.int16)),
         values_tensor=Tensor(np.array([-2.5, 1.5])), default_tensor=Tensor(np.array([9.25])))
    x64 = np.array([[0.1, NAN], [-0.0, 5.0]])
    case(w, "LabelEncoder", 4, [x64], [np.array([[10, 30], [20, -1]], np.int32)],
         keys_tensor=Tensor(np.array([0.1, 0.0, NAN])),
         values_tensor=Tensor(np.array([10, 20, 30], np.int32)))
    case(w, "LabelEncoder", 4, [texts("b", "z")], [np.array([-2, 77], np.int16)],
         keys_strings=["a", "b"], values_tensor=Tensor(np.array([-1, -2], np.int16)),
         default_int64=77)
    x32 = np.array([4, 5], np.int32)
    case(w, "LabelEncoder", 4, [x32], [texts("v\u00e4", "none")],
         keys_tensor=Tensor(np.array([4], np.int32)), values_tensor=Tensor(texts("v\u00e4")),
         default_tensor=Tensor(texts("none")))
    case(w, "LabelEncoder", 4, [x32], [np.array([-0.5, 0.25])],
         keys_tensor=Tensor(np.array([4], np.int32)), values_tensor=Tensor(np.array([-0.5])),
         default_float=0.25)


def older_encoders(w):
    classes = ["x", "y", "z"]
    words, places = texts("z", "no", "x"), np.array([[2, 0], [-1, 3]])
    case(w, "LabelEncoder", 1, [words], [np.array([2, -1, 0])], classes_strings=classes)
    case(w, "LabelEncoder", 1, [words], [np.array([2, 9, 0])], classes_strings=classes,
         default_int64=9)
    case(w, "LabelEncoder", 1, [places], [texts("z", "x", "?", "?", shape=(2, 2))],
         classes_strings=classes, default_string="?")
    pairs = {"cats_strings": classes, "cats_int64s": [30, 10, 20]}
    case(w, "CategoryMapper", 1, [words], [np.array([20, -1, 30])], **pairs)
    case(w, "CategoryMapper", 1, [words], [np.array([20, 5, 30])], default_int64=5, **pairs)
    case(w, "CategoryMapper", 1, [np.array([10, 11])], [texts("y", "_Unused")], **pairs)
    case(w, "CategoryMapper", 1, [np.array([10, 11])], [texts("y", "")], default_string="",
         **pairs)


# ---- OneHotEncoder

def one_hot(x, categories):
    places = {c: i for i, c in enumerate(categories)}
    out = np.zeros(x.shape + (len(categories),), np.float32)
    for at in np.ndindex(x.shape):
        value = x[at]
        if isinstance(value, str):
            place = places.get(value)
        else:
            whole = float(value) if np.isfinite(float(value)) else None
            place = None if whole is None else places.get(int(value))
        if place is not None:
            out[at + (place,)] = 1
    return out


def one_hot_encoders(w, rng):
    x = rng.integers(-2, 6, (3, 2))
    for name in ("i64", "i32", "f32", "f64"):
        case(w, "OneHotEncoder", 1, [x.astype(NAMES[name])], [one_hot(x, [3, -1, 0, 5])],
             cats_int64s=[3, -1, 0, 5])
    odd = np.array([NAN, 1e30, -1e30, 2.9, -0.9, math.inf], np.float32)
    cats = [2, 0, 2 ** 63 - 1, -2 ** 63]
    case(w, "OneHotEncoder", 1, [odd], [one_hot(odd, cats)], cats_int64s=cats)
    words = texts("b", "?", "", "a", shape=(4, 1))
    case(w, "OneHotEncoder", 1, [words], [one_hot(words, ["a", "b", ""])],
         cats_strings=["a", "b", ""])
    case(w, "OneHotEncoder", 1, [texts("a", "b")], [one_hot(texts("a", "b"), ["a", "b"])],
         cats_strings=["a", "b"], zeros=0)
    many = rng.integers(0, 9, 600)
    case(w, "OneHotEncoder", 1, [many], [one_hot(many, [0, 4])], cats_int64s=[0, 4])
    case(w, "OneHotEncoder", 1, [np.zeros((0, 2), np.int64)], [np.zeros((0, 2, 1), np.float32)],
         cats_int64s=[1])


# ---- features

def imputers(w):
    for name in ("f32", "f64"):
        x = np.array([[NAN, 1, -0.0], [2, NAN, 7]], NAMES[name])
        want = np.where(np.isnan(x), NAMES[name](9), x)
        case(w, "Imputer", 1, [x], [want], imputed_value_floats=[9.0], replaced_value_float=NAN)
        want = np.where(np.isnan(x), np.array([4, 5, 6], NAMES[name]), x)
        case(w, "Imputer", 1, [x], [want], imputed_value_floats=[4.0, 5.0, 6.0],
             replaced_value_float=NAN)
        want = np.where(x == 0, np.array([4, 5, 6], NAMES[name]), x)
        case(w, "Imputer", 1, [x], [want], imputed_value_floats=[4.0, 5.0, 6.0])
        case(w, "Imputer", 1, [x[:0]], [x[:0]], imputed_value_floats=[4.0])
    for name in ("i64", "i32"):
        x = np.array([[-1, 3], [4, -1]], NAMES[name])
        case(w, "Imputer", 1, [x], [np.array([[7, 3], [4, 8]], NAMES[name])],
             imputed_value_int64s=[7, 8], replaced_value_int64=-1)
        case(w, "Imputer", 1, [x[0]], [x[0]], imputed_value_int64s=[7])


def binarizers(w):
    values = [NAN, 0, -0.0, 2.5, 2.5000002, math.inf, -math.inf, -3]
    for name in ("f32", "f64"):
        x = np.array(values, NAMES[name])
        for threshold in (0.0, 2.5, -math.inf):
            case(w, "Binarizer", 1, [x], [(x > threshold).astype(NAMES[name])],
                 threshold=threshold)
    for name in ("i64", "i32"):
        info = np.iinfo(NAMES[name])
        x = np.array([[info.min, -3, -2, 0], [1, 2, 3, info.max]], NAMES[name])
        for threshold in (0.0, 2.5, -2.5, 1e30, -1e30, NAN, -2.0 ** 63, 2.0 ** 63):
            want = [[int(v) > threshold for v in row] for row in x]
            case(w, "Binarizer", 1, [x], [np.array(want).astype(NAMES[name])],
                 threshold=threshold)


def extractors(w):
    columns = np.array([2, 0, 2, 1])
    for name in ("f32", "f64", "i64", "i32"):
        x = np.arange(12).reshape(2, 2, 3).astype(NAMES[name])
        case(w, "ArrayFeatureExtractor", 1, [x, columns], [x[..., columns]])
        case(w, "ArrayFeatureExtractor", 1, [x[0, 0], columns.reshape(2, 2)],
             [x[0, 0][columns].reshape(1, 4)])
    words = texts("a", "\u00e9t\u00e9", "", "long enough", "b", "c", shape=(2, 3))
    case(w, "ArrayFeatureExtractor", 1, [words, columns], [words[:, columns]])
    case(w, "ArrayFeatureExtractor", 1, [words, columns[:0]], [words[:, :0]])
    case(w, "ArrayFeatureExtractor", 1, [np.zeros((0, 3), np.float32), columns],
         [np.zeros((0, 4), np.float32)])


def vectorizers(w):
    a = np.array([[1.5, NAN], [3, -0.0]], np.float32)
    case(w, "FeatureVectorizer", 1, [a, a], [np.concatenate([a, a], 1)], inputdimensions=[2, 2])
    wide = np.array([[1.5, 1.5, NAN, 0], [3, 3, -0.0, 0]], np.float32)
    case(w, "FeatureVectorizer", 1, [a, a], [wide], inputdimensions=[1, 3])
    case(w, "FeatureVectorizer", 1, [a[0], a[1]],
         [np.array([[1.5, NAN, 3, -0.0]], np.float32)], inputdimensions=[2, 2])
    for name in ("f64", "i64", "i32"):
        x = np.arange(600).reshape(2, 300).astype(NAMES[name])
        case(w, "FeatureVectorizer", 1, [x], [x.astype(np.float32)], inputdimensions=[300])
    case(w, "FeatureVectorizer", 1, [a[:0]], [a[:0]], inputdimensions=[2])


# ---- Tokenizer

LINES = ["Hello World", "a  b c d", "", "\u00e9.\u00f6 x", "x-y, z; 3 o'clock\nnew_line  end "]


def tokenize(w, lines, tokens, shape=None, mark=0, **attrs):
    most = max((len(t) for t in tokens), default=0)
    width = most + 2 * mark if most else 0
    rows = [(["\x02"] * mark + t + ["\x03"] * mark + ["#"] * width)[:width] for t in tokens]
    shape = shape or (len(lines),)
    case(w, "Tokenizer", 1, [texts(*lines, shape=shape)],
         [texts(*[v for row in rows for v in row], shape=shape + (width,))], MS, mark=mark,
         **{"pad_value": "#", "mincharnum": 1, **attrs})


def split_all(line, separators, least):
    pieces = [line]
    for separator in separators:
        pieces = [p for piece in pieces for p in re.split(separator, piece, flags=re.A)]
    return [p for p in pieces if len(p) >= max(least, 1)]


# The second is how Python must spell what RE2's longest match finds.
PATTERNS = [("[a-zA-Z0-9_]+",) * 2, (r"\b\w\w+\b",) * 2, ("[^\\n]",) * 2, ("[^ ]+",) * 2,
            ("a|ab|o W?", "ab|a|o W|o "), ("l*?o*", "l+o*|o+"), ("[a-z]{2,3}",) * 2, ("^.",) * 2,
            (r"\w$",) * 2, ("nothing",) * 2, ("(?i)H|[LW]+", "[Hh]|[LWlw]+")]


def tokenizers(w):
    for pattern, python in PATTERNS:
        for mark in (0, 1):
            tokens = [re.findall(python, line, re.A) for line in LINES]
            tokens = [[t for t in row if t] for row in tokens]
            tokenize(w, LINES, tokens, mark=mark, tokenexp=pattern)
    words = [[t for t in re.findall("[^ ]+", line) if len(t) >= 3] for line in LINES]
    tokenize(w, LINES, words, tokenexp="[^ ]+", mincharnum=3)
    for chars in ({"tokenexp": "."}, {"separators": [""]}):
        tokenize(w, LINES, [list(line) for line in LINES], mark=1, **chars)
    for separators in ([" "], [" ", "[.]", ",", ";", "\\n"], ["o|l+", "e"], ["b c", " "],
                       [r"\W"], ["^a", " +"]):
        for least in (1, 2):
            tokens = [split_all(line, separators, least) for line in LINES]
            tokenize(w, LINES, tokens, separators=separators, mincharnum=least)
    tokenize(w, ["a b", "c"], [["a", "b"], ["c"]], (1, 2), tokenexp="[a-z]+")
    tokenize(w, ["", "--"], [[], []], (2, 1), tokenexp="[a-z]+", mark=1)
    tokenize(w, [], [], (0,), tokenexp="[a-z]+")
    tokenize(w, [], [], (0, 2), separators=[" "])
    tokenize(w, ["a" * 300 + "b" + "a" * 90], [["a" * 300 + "b"]], tokenexp="a*b")


# ---- CDist

def distances(w, rng):
    for name in ("f32", "f64"):
        for rows, others, columns in ((3, 5, 2), (2, 16, 9), (4, 33, 17), (1, 1, 1), (2, 3, 0)):
            a = (rng.integers(-20, 21, (rows, columns)) / 4).astype(NAMES[name])
            b = (rng.integers(-20, 21, (others, columns)) / 4).astype(NAMES[name])
            square = ((a[:, None].astype(np.float64) - b[None]) ** 2).sum(-1)
            case(w, "CDist", 1, [a, b], [square.astype(NAMES[name])], MS, metric="sqeuclidean")
            case(w, "CDist", 1, [a, b], [np.sqrt(square).astype(NAMES[name])], MS, (1e-6, 0),
                 metric="euclidean")
        nothing = np.zeros((0, 2), NAMES[name])
        case(w, "CDist", 1, [nothing, np.ones((3, 2), NAMES[name])],
             [np.zeros((0, 3), NAMES[name])], MS)
        odd = np.array([[NAN, 0], [math.inf, 0]], NAMES[name])
        case(w, "CDist", 1, [odd, np.array([[0, 0]], NAMES[name])],
             [np.array([[NAN], [math.inf]], NAMES[name])], MS, metric="euclidean")


# ---- what is refused

X = "f32 [2] 1 2"
S = "str [2] 'a' 'b'"
TOKENS = {"mark": 0, "mincharnum": 1, "pad_value": "#"}
REFUSED = [
    ("LabelEncoder-4", [S], {"keys_strings": ["a"], "values_int64s": [1, 2]},
     "plan.attribute-value 1 keys and 2 values"),
    ("LabelEncoder-4", [S], {"values_int64s": [1]}, "plan.attribute 0 lists of keys"),
    ("LabelEncoder-2", [S], {"keys_strings": ["a"], "keys_int64s": [1], "values_int64s": [1]},
     "plan.attribute 2 lists of keys"),
    ("LabelEncoder-2", [S], {"keys_strings": ["a"], "values_int64s": [1], "values_floats": [1.0]},
     "plan.attribute 2 lists of values"),
    ("LabelEncoder-2", [X], {"keys_strings": ["a"], "values_int64s": [1]},
     "plan.mixed the keys are str, the input is f32"),
    ("LabelEncoder-2", [S], {"keys_tensor": Tensor(texts("a")), "values_int64s": [1]},
     "plan.attribute 'keys_tensor' is not known"),
    ("LabelEncoder-4", [S], {"keys_tensor": Tensor(texts("a", shape=(1, 1))), "values_int64s": [1]},
     "plan.attribute-value attribute 'keys_tensor' is str[1,1]"),
    ("LabelEncoder-4", [S], {"keys_strings": ["a"], "values_tensor": Tensor(np.array([True]))},
     "plan.attribute-value attribute 'values_tensor' is bool[1]"),
    ("LabelEncoder-4", [S], {"keys_strings": ["a"], "values_int64s": [1],
                             "default_tensor": Tensor(np.array([1, 2]))},
     "plan.attribute-value default_tensor is i64[2]"),
    ("LabelEncoder-4", [S], {"keys_strings": ["a"], "values_int64s": [1],
                             "default_tensor": Tensor(np.array([1.0]))},
     "plan.attribute-value default_tensor is f64[1]"),
    ("LabelEncoder-4", [S], {"keys_strings": ["a"], "default_int64": 40000,
                             "values_tensor": Tensor(np.array([1], np.int16))},
     "plan.attribute-value default_int64 40000 is no i16"),
    ("LabelEncoder-1", [X], {"classes_strings": ["a"]}, "plan.dtype"),
    ("CategoryMapper-1", [S], {"cats_strings": ["a"]}, "plan.attribute-value 0 values"),
    ("OneHotEncoder-1", [S], {}, "plan.attribute either ints or strings"),
    ("OneHotEncoder-1", [S], {"cats_strings": ["a"], "cats_int64s": [1]},
     "plan.attribute either ints or strings"),
    ("OneHotEncoder-1", [S], {"cats_int64s": [1]}, "plan.mixed the categories are i64"),
    ("OneHotEncoder-1", [X], {"cats_strings": ["a"]}, "plan.mixed the categories are str"),
    ("OneHotEncoder-1", [S], {"cats_strings": ["a"], "zeros": 0},
     "run.value element 1 is in no category"),
    ("OneHotEncoder-1", ["f32 [2] 1 nan"], {"cats_int64s": [1, 0], "zeros": 0},
     "run.value element 1 is in no category"),
    ("OneHotEncoder-1", ["f32 [1,1,1,1,1,1,1,1] 1"], {"cats_int64s": [1]}, "plan.rank"),
    ("Imputer-1", [X], {}, "plan.attribute no values"),
    ("Imputer-1", [X], {"imputed_value_int64s": [1]}, "plan.attribute not for an input of f32"),
    ("Imputer-1", [X], {"imputed_value_floats": [1.0], "replaced_value_int64": 1},
     "plan.attribute not for an input of f32"),
    ("Imputer-1", ["i64 [1] 1"], {"imputed_value_floats": [1.0]},
     "plan.attribute not for an input of i64"),
    ("Imputer-1", ["i32 [1] 1"], {"imputed_value_int64s": [2 ** 31]},
     "plan.attribute-value 2147483648 is no i32"),
    ("Imputer-1", [X], {"imputed_value_floats": [1.0, 2.0, 3.0]},
     "plan.shape 3 values for 2 columns"),
    ("Imputer-1", ["f32 [] 1"], {"imputed_value_floats": [1.0]}, "plan.shape"),
    ("ArrayFeatureExtractor-1", [X, "i64 [1] 2"], {}, "run.index column 2 of 2"),
    ("ArrayFeatureExtractor-1", [X, "i64 [1] -1"], {}, "run.index column -1 of 2"),
    ("ArrayFeatureExtractor-1", ["str [1,0]", "i64 [1] 0"], {}, "run.index column 0 of 0"),
    ("FeatureVectorizer-1", [X, X], {"inputdimensions": [2]},
     "plan.attribute-value 1 sizes for 2 inputs"),
    ("FeatureVectorizer-1", [X], {"inputdimensions": [-1]}, "plan.attribute-value size -1"),
    ("FeatureVectorizer-1", [X, "f32 [2,1] 1 2"], {"inputdimensions": [2, 1]}, "plan.shape"),
    ("FeatureVectorizer-1", [X, X], {"inputdimensions": [2 ** 62, 2 ** 62]},
     "plan.shape too many columns"),
    ("FeatureVectorizer-1", [X], {"inputdimensions": [2 ** 40]}, "run.memory"),
    ("Tokenizer-1", [S], TOKENS, "plan.attribute either separators or tokenexp"),
    ("Tokenizer-1", [S], {**TOKENS, "tokenexp": "a", "separators": ["b"]},
     "plan.attribute either separators or tokenexp"),
    ("Tokenizer-1", [S], {**TOKENS, "tokenexp": "(?u)\\w"},
     "plan.attribute-value pattern '(?u)\\w': a flag that is not known"),
    ("Tokenizer-1", [S], {**TOKENS, "tokenexp": "[a-"}, "plan.attribute-value pattern '[a-'"),
    ("Tokenizer-1", [S], {**TOKENS, "tokenexp": "(?=a)"}, "plan.attribute-value pattern"),
    ("Tokenizer-1", [S], {**TOKENS, "tokenexp": "(((a{99}){99}){99})"},
     "plan.attribute-value too large"),
    ("Tokenizer-1", [S], {**TOKENS, "separators": ["a", "b*"]},
     "plan.attribute-value separator 'b*' can match nothing"),
    ("Tokenizer-1", [S], {**TOKENS, "separators": ["\\b", "a"]},
     "plan.attribute-value can match nothing"),
    ("Tokenizer-1", [S], {**TOKENS, "separators": ["a", ""]},
     "plan.attribute-value can match nothing"),
    ("Tokenizer-1", [S], {**TOKENS, "separators": ["a"] * 65},
     "plan.attribute-value 65 separators, at most 64"),
    ("Tokenizer-1", [S], {**TOKENS, "tokenexp": ".", "mincharnum": 2},
     "plan.attribute-value mincharnum 2 of single characters"),
    ("Tokenizer-1", [S], {**TOKENS, "tokenexp": "a", "stopwords": ["a"]},
     "plan.attribute 'stopwords' is not known"),
    ("Tokenizer-1", ["str [1,1,1] 'a'"], {**TOKENS, "tokenexp": "a"}, "plan.shape"),
    ("CDist-1", ["f32 [1,2] 1 2", "f32 [1,3] 1 2 3"], {}, "plan.shape"),
    ("CDist-1", ["f32 [2] 1 2", "f32 [1,2] 1 2"], {}, "plan.shape"),
    ("CDist-1", ["f32 [1,1] 1", "f64 [1,1] 1"], {}, "plan.mixed"),
    ("CDist-1", ["f32 [1,1] 1", "f32 [1,1] 1"], {"metric": "cosine"},
     "plan.attribute-value metric 'cosine'"),
]
UNKNOWN_RANKS = [  # nothing is known before the run
    ("Imputer-1", ["f32 [2] 1 2"], {"imputed_value_floats": [1.0, 2.0, 3.0]},
     "run.shape 3 values for 2 columns"),
    ("Tokenizer-1", ["str [1,1,1,1,1] 'a'"], {**TOKENS, "tokenexp": "a"},
     "run.shape input 0 has rank 5"),
    ("CDist-1", ["f32 [1,2] 1 2", "f32 [1,3] 1 2 3"], {}, "run.shape"),
    ("OneHotEncoder-1", ["f32 [1,1,1,1,1,1,1,1] 1"], {"cats_int64s": [1]}, "plan.rank"),
    ("FeatureVectorizer-1", [X, "f32 [2,1] 1 2"], {"inputdimensions": [2, 1]}, "run.shape"),
]


def refusal(lines, row, number, ranks):
    op, inputs, attrs, words = row
    name, opset = op.split("-")
    domain = MS if name in ("Tokenizer", "CDist") else ML
    lines += [f"case refused: {op} {number}", f"opset {opset} {domain}"]
    tensors = [n for n, v in attrs.items() if isinstance(v, Tensor)]
    lines += [f"tensor t{i} {array_text(attrs[n].array)}" for i, n in enumerate(tensors)]
    for i, given in enumerate(inputs):
        dtype, shape = given.split()[:2]
        lines.append(f"input x{i} {dtype} {shape if ranks else '*'}")
    lines += ["output y", f"node {name}@{domain} "
              + ",".join(f"x{i}" for i in range(len(inputs))) + " -> y"]
    for key, value in attrs.items():
        is_tensor = isinstance(value, Tensor)
        lines.append(f"attr {key} tensor {tensors.index(key)}" if is_tensor
                     else attribute_text(key, value))
    if words.startswith("run") or not ranks:
        lines += [f"feed {given}" for given in inputs]
    lines.append(f"refuse {words}")


def main():
    w, rng = Writer(), np.random.default_rng(28)
    w.lines = [HEAD]
    label_encoders(w, rng)
    label_tensors(w)
    older_encoders(w)
    one_hot_encoders(w, rng)
    imputers(w)
    binarizers(w)
    extractors(w)
    vectorizers(w)
    tokenizers(w)
    distances(w, rng)
    for i, row in enumerate(REFUSED):
        refusal(w.lines, row, i, True)
    for i, row in enumerate(UNKNOWN_RANKS):
        refusal(w.lines, row, i, False)
    (CASES / "encoders.txt").write_text(w.text())


if __name__ == "__main__":
    main()
