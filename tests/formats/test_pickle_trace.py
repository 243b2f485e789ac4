#!/usr/bin/python3
"""The parser's opcodes, arguments and positions are those that Python's own pickletools.genops
sees, over 10,000 streams; where one of them refuses a stream the other does too, but for texts
that Python's own readers understand differently, each counted by its reason."""

import collections
import os
import pickle
import pickletools
import random
import re
import struct
import subprocess
import sys
import warnings

import pickle_streams

TOOL = os.path.join(os.environ.get("BUILD", "build"), "tests/formats/tool_pickle_trace")
STREAMS = 10000
warnings.simplefilter("ignore")

NUMBER = re.compile(rb"-?(0|[1-9][0-9]*)L?")
PLACE = re.compile(rb"0|[1-9][0-9]*")
FLOAT = re.compile(rb"-?([0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?|inf|nan)")


def hexed(data):
    return "x" + bytes(data).hex()


def number_text(number):
    if -2**63 <= number < 2**63:
        return "i%d" % number
    shortest = (number if number >= 0 else ~number).bit_length() // 8 + 1
    data = number.to_bytes(shortest, "little", signed=True)
    return "l" + hexed(data)


def text_bytes(name, text):
    if name in ("BINSTRING", "SHORT_BINSTRING"):
        return text.encode("latin1")
    if name == "STRING":
        return text.encode("ascii")
    return text.encode("utf-8", "surrogatepass")


def expected(op, argument, position):
    """The tool's word for an opcode."""
    word = f"{op.name}@{position}"
    if op.arg is None:
        return word
    if isinstance(argument, bool):
        return f"{word}=i{argument:d}"
    if isinstance(argument, int):
        return f"{word}={number_text(argument) if op.name != 'FRAME' else 'i%d' % argument}"
    if isinstance(argument, float):
        return f"{word}=f{struct.pack('>d', argument).hex()}"
    if isinstance(argument, (bytes, bytearray)):
        return f"{word}={hexed(argument)}"
    return f"{word}={hexed(text_bytes(op.name, argument))}"


def joined(word):
    """Two names as pickletools has them: in one text."""
    if "." not in word:
        return word
    head, first, second = re.fullmatch(r"(.*=)(x\w*)\.(x\w*)", word).groups()
    return f"{head}{first}20{second[1:]}"


def genops(stream):
    """The words, and whether all is right up to STOP."""
    words = []
    try:
        for op, argument, position in pickletools.genops(stream):
            words.append(expected(op, argument, position))
    except (ValueError, OverflowError, UnicodeError):
        return words, False
    return words, True


def line_at(stream, position):
    end = stream.find(b"\n", position + 1)
    return stream[position + 1:end if end >= 0 else len(stream)]


def is_odd_number(line):
    return not NUMBER.fullmatch(line)


def is_odd_float(line):
    try:
        return not FLOAT.fullmatch(line) or len(line) > 64 or (
            line[-1:].isdigit() and abs(float(line)) == float("inf"))
    except ValueError:
        return False


def is_other_string(line):
    try:
        data = pickletools.codecs.escape_decode(line)[0]
    except ValueError:
        return False
    return not data.isascii() or len(line) < 2


def is_escaped_name(line):
    return b"\\" in line or not line.isascii()


REASONS = {
    b"I": ("a number that is not in plain decimal digits", is_odd_number),
    b"L": ("a number that is not in plain decimal digits", is_odd_number),
    b"g": ("a place that is not in plain decimal digits",
           lambda line: not PLACE.fullmatch(line) or int(line) >= 2**63),
    b"p": ("a place that is not in plain decimal digits",
           lambda line: not PLACE.fullmatch(line) or int(line) >= 2**63),
    b"F": ("a float that is not as repr writes it", is_odd_float),
    b"S": ("a text of Python 2 that is not ASCII, or a lone quote", is_other_string),
    b"c": ("a name in which pickletools, but not pickle, sees escapes", is_escaped_name),
    b"i": ("a name in which pickletools, but not pickle, sees escapes", is_escaped_name),
    b"P": ("a name in which pickletools, but not pickle, sees escapes", is_escaped_name),
}


def position_of(words, index, stream):
    """Where the opcode of that number begins: what both readers agree on tells."""
    for theirs in words:
        if index < len(theirs):
            return int(re.search(r"@(\d+)", theirs[index]).group(1))
    return None


def reason(stream, position):
    code = stream[position:position + 1]
    if code not in REASONS:
        return None
    text, applies = REASONS[code]
    line = line_at(stream, position)
    if code in b"ci":
        line += line_at(stream, position + len(line) + 1)
    return text if applies(line) else None


def compare(stream, line, reasons):
    words, right = genops(stream)
    own, _, rule = line.partition("!")
    mine = [joined(word) for word in own.split()]
    if mine == words and right == (not rule):
        return None
    first = 0
    while first < min(len(mine), len(words)) and mine[first] == words[first]:
        first += 1
    position = position_of((mine, words), first, stream)
    why = reason(stream, position) if position is not None else None
    if why:
        reasons[why] += 1
        return None
    return f"{stream!r}\n  pickletools {words[first:first + 2]} {right}\n  weighlock   " \
           f"{mine[first:first + 2]} {rule}"


def real_pickles():
    shared = ["a", 1.5]
    data = {"weights": [shared, shared, (1, 2, 3), 2**70, -1], "s": {1, 2}, "f": frozenset("ab"),
            "t": (), "b": b"\0\xff", "ba": bytearray(b"xyz"), "u": "h\u00e9\u20ac\n\\", None: True,
            "c": 1 + 2j, "cls": collections.OrderedDict([(1, 2)])}
    return [pickle.dumps(data, protocol) for protocol in range(6)]


def streams():
    real = real_pickles()
    every = real + [pickle_streams.generate(i) for i in range(STREAMS // 2 - len(real))]
    rng = random.Random(7)
    while len(every) < STREAMS:
        every.append(pickle_streams.mutate(rng.choice(every[:STREAMS // 2]), len(every)))
    return every


def main():
    every = streams()
    sent = b"".join(struct.pack("<I", len(s)) + s for s in every)
    done = subprocess.run([TOOL], input=sent, stdout=subprocess.PIPE, check=True)
    lines = done.stdout.decode().splitlines()
    assert len(lines) == len(every), (len(lines), len(every))
    reasons, refused = collections.Counter(), 0
    wrong = []
    for i, (stream, line) in enumerate(zip(every, lines)):
        refused += "!" in line
        difference = compare(stream, line, reasons)
        if difference or (i < STREAMS // 2 and "!" in line):
            wrong.append(difference or f"{stream!r}: {line}")
    seen = {word.split("@")[0] for line in lines for word in line.split() if "@" in word}
    for text, count in sorted(reasons.items()):
        print(f"{count:5d} differ: {text}")
    for text in wrong[:10]:
        print(text)
    missing = {o.name for o in pickletools.opcodes} - seen
    print(f"{len(every)} streams, {refused} refused, {len(wrong)} wrong, missing {sorted(missing)}")
    # Mutations reach what generated streams do not hold.
    sys.exit(bool(wrong) or bool(missing) or refused < 1000)


if __name__ == "__main__":
    main()
