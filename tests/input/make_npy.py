"""Writes .npy files with NumPy itself, for test_npy.c to read.

For each array NAME: NAME.npy; NAME.raw, the elements in C order as the format
of a .wlk file has them; and a line of the list: NAME dtype rank dims same, where
`same` says that numpy.save writes these very bytes for a C-ordered array."""

import struct
import sys

import numpy as np

FOLDER = sys.argv[1]
DTYPES = {
    "f8": "f64", "f4": "f32", "f2": "f16", "i8": "i64", "i4": "i32", "i2": "i16", "i1": "i8",
    "u8": "u64", "u4": "u32", "u2": "u16", "u1": "u8", "b1": "bool", "c8": "c64", "c16": "c128",
}
SHAPES = [(), (0,), (1,), (7,), (2, 3), (3, 0, 2), (2, 3, 4), (1, 2, 1, 2, 1, 2, 1, 2), (1000, 3)]
lines = []


def strings_payload(array):
    """n + 1 offsets, then UTF-8."""
    texts = []
    for item in array.ravel(order="C"):
        texts.append(item if isinstance(item, bytes) else item.encode("utf-8"))
    ends = [0]
    for text in texts:
        ends.append(ends[-1] + len(text))
    return struct.pack("<%dQ" % len(ends), *ends) + b"".join(texts)


def emit(name, array, dtype, version=(1, 0), same=False):
    with open(f"{FOLDER}/{name}.npy", "wb") as file:
        np.lib.format.write_array(file, array, version=version, allow_pickle=False)
    if dtype == "str":
        raw = strings_payload(array)
    else:
        raw = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
    with open(f"{FOLDER}/{name}.raw", "wb") as file:
        file.write(raw)
    dims = " ".join(str(dim) for dim in array.shape)
    lines.append(f"{name} {dtype} {int(same)} {array.ndim} {dims}")


def sample(code, shape):
    count = int(np.prod(shape, dtype=np.int64))
    if code == "b1":
        return (np.arange(count) % 3 == 0).reshape(shape)
    if code[0] == "c":
        values = np.arange(count) * (1.5 - 0.25j)
    elif code[0] == "f":
        values = np.arange(count) * 0.3 - 1
    else:
        values = (np.arange(count) * 37) % 100
    return values.astype(code).reshape(shape)


def numbers():
    for code, dtype in DTYPES.items():
        for i, shape in enumerate(SHAPES):
            array = sample(code, shape)
            emit(f"{code}_c_{i}", array, dtype, same=True)
            if array.ndim > 1:
                emit(f"{code}_f_{i}", np.asfortranarray(array), dtype)
        array = sample(code, (2, 3))
        emit(f"{code}_v2", array, dtype, version=(2, 0))
        emit(f"{code}_v3", np.asfortranarray(array), dtype, version=(3, 0))
        if array.dtype.itemsize > 1:
            big = array.astype(array.dtype.newbyteorder(">"))
            emit(f"{code}_big", big, dtype)
            emit(f"{code}_bigf", np.asfortranarray(big), dtype)


def texts():
    words = np.array([["", "a"], ["straße", "日本"], ["🚢 lock", "x\x00y"]])
    emit("u_c", words, "str", same=True)
    emit("u_f", np.asfortranarray(words), "str")
    emit("u_big", words.astype(words.dtype.newbyteorder(">")), "str")
    emit("u_v3", words, "str", version=(3, 0))
    emit("u_empty", np.array([], dtype="U3"), "str")
    emit("u_blank", np.array(["", ""]), "str", same=True)
    emit("u_scalar", np.array("one"), "str", same=True)
    emit("s_c", np.array([b"", b"ab", "é".encode(), b"a\x00b"]), "str")
    emit("s_f", np.asfortranarray(np.array([[b"a", b"bb"], [b"ccc", b""]])), "str")


def refused():
    """What NumPy writes and nobody should read."""
    np.save(f"{FOLDER}/object.npy", np.array([1, "x", None], dtype=object), allow_pickle=True)
    np.save(f"{FOLDER}/structured.npy", np.zeros(2, dtype=[("a", "f4"), ("b", "i8")]))
    np.save(f"{FOLDER}/datetime.npy", np.array(["2020-01-01"], dtype="M8[D]"))
    np.save(f"{FOLDER}/void.npy", np.zeros(2, dtype="V3"))
    np.save(f"{FOLDER}/longdouble.npy", np.zeros(2, dtype=np.longdouble))
    np.save(f"{FOLDER}/rank9.npy", np.zeros((1,) * 9))
    np.save(f"{FOLDER}/latin1.npy", np.array([b"\xe9"]))
    bad = np.zeros(3, dtype="u1")
    bad[1] = 2
    np.save(f"{FOLDER}/bool2.npy", bad.view("b1"))


numbers()
texts()
refused()
with open(f"{FOLDER}/list", "w", encoding="ascii") as out:
    out.write("\n".join(lines) + "\n")
