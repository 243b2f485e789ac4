"""Seeded streams of pickle opcodes for tests: whatever is taken from the stack or the memo is
there, so that every reader gets to the end of them; and mutations of them, which need not hold."""

import pickletools
import random
import struct

OPCODES = {o.name: o for o in pickletools.opcodes}
CODE = {o.name: o.code.encode("latin1") for o in pickletools.opcodes}

TEXTS = ["", "a", "weights", "h\u00e9", "\u20ac uro", "\U0001f600", "tab\tnew\nline", "back\\slash",
         "\ud800 lone", "nul\0", "x" * 300]
BYTES = [b"", b"\0", b"\xff\xfe", b"abc", bytes(range(256)), b"y" * 300]
INTS = [0, 1, -1, 255, 256, 65535, 65536, 2**31 - 1, -2**31, 2**31, 2**63 - 1, -2**63, 2**63,
        -2**63 - 1, 2**64, 3**200, -3**200]
FLOATS = [0.0, -0.0, 1.5, -2.25, 1e300, 5e-324, 1e-05, float("inf"), float("-inf"), 0.1]
NAMES = [("builtins", "set"), ("collections", "OrderedDict"), ("os", "system"), ("a.b", "c.d")]


def long_bytes(number):
    return number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True) if number else b""


def quoted(data):
    return repr(data)[1:].encode("ascii")


def raw_unicode(text):
    for special in "\\\0\n\r\x1a":
        text = text.replace(special, "\\u%04x" % ord(special))
    return text.encode("raw-unicode-escape")


def fits(low, high):
    return lambda n: low <= n <= high


def sized(fmt, data):
    return struct.pack(fmt, len(data)) + data


def literals(rng):
    """One encoding of one value: (opcode, argument)."""
    text, data, number, real = (rng.choice(TEXTS), rng.choice(BYTES), rng.choice(INTS),
                                rng.choice(FLOATS))
    utf8 = text.encode("utf-8", "surrogatepass")
    small = rng.choice([n for n in INTS if 0 <= n < 256])
    int32 = rng.choice([n for n in INTS if -2**31 <= n < 2**31])
    ascii_text = rng.choice([b"", b"abc", b"it's", b'"', b"\\", b"\t\n\r", b"\x7f"])
    return rng.choice([
        ("NONE", b""), ("NEWTRUE", b""), ("NEWFALSE", b""), ("INT", b"00\n"), ("INT", b"01\n"),
        ("INT", b"%d\n" % number), ("LONG", b"%dL\n" % number), ("LONG", b"%d\n" % number),
        ("BININT", struct.pack("<i", int32)), ("BININT1", bytes([small])),
        ("BININT2", struct.pack("<H", rng.randrange(65536))),
        ("LONG1", sized("<B", long_bytes(number))), ("LONG4", sized("<i", long_bytes(number))),
        ("LONG1", sized("<B", b"\xff" * rng.randrange(12))),
        ("FLOAT", repr(real).encode() + b"\n"), ("BINFLOAT", struct.pack(">d", real)),
        ("STRING", quoted(ascii_text) + b"\n"),
        ("STRING", rng.choice([b"'\\x41\\101\\0'", b'"\\q\\a\\v"', b"'\\7\\1234'"]) + b"\n"),
        ("BINSTRING", sized("<i", data)),
        ("SHORT_BINSTRING", sized("<B", data[:255])), ("UNICODE", raw_unicode(text) + b"\n"),
        ("UNICODE", rng.choice([b"\\U0001f600", b"\\\\u0041", b"a\\b", b"\\ud83d\\ude00", b"\\"])
         + b"\n"),
        ("BINUNICODE", sized("<I", utf8)), ("BINUNICODE8", sized("<Q", utf8)),
        ("SHORT_BINUNICODE", sized("<B", utf8) if len(utf8) < 256 else b"\1a"),
        ("BINBYTES", sized("<I", data)), ("BINBYTES8", sized("<Q", data)),
        ("SHORT_BINBYTES", sized("<B", data[:255])), ("BYTEARRAY8", sized("<Q", data))])


class Writer:
    """A stream, with the stack and the memo that it leads to. A stack's item is None for any
    value, "list", "dict", "set", "tuple", "object" or "global" for those that opcodes need."""

    def __init__(self, rng):
        self.rng, self.out, self.stack, self.marks, self.memo = rng, bytearray(), [], [], {}

    def put(self, name, argument=b""):
        self.out += CODE[name] + argument

    def above(self):
        return len(self.stack) - (self.marks[-1] if self.marks else 0)

    def top(self, below=0):
        return self.stack[-1 - below] if self.above() > below else "nothing"

    def push(self, kind=None):
        self.stack.append(kind)

    def pop(self, count):
        del self.stack[len(self.stack) - count:]

    def literal(self):
        self.put(*literals(self.rng))
        self.push()

    def empty(self):
        kind = self.rng.choice(["list", "dict", "tuple", "set"])
        self.put("EMPTY_" + kind.upper())
        self.push(kind)

    def mark(self):
        self.put("MARK")
        self.marks.append(len(self.stack))

    def collect(self):
        first = self.marks[-1]
        count = len(self.stack) - first
        below = self.stack[first - 1] if first > (self.marks[-2] if len(self.marks) > 1 else 0) \
            else "nothing"
        choices = ["LIST", "TUPLE", "FROZENSET", "POP_MARK"]
        if count % 2 == 0:
            choices.append("DICT")
        choices += {"list": ["APPENDS"], "set": ["ADDITEMS"]}.get(below, [])
        if below == "dict" and count % 2 == 0:
            choices.append("SETITEMS")
        name = self.rng.choice(choices)
        self.put(name)
        self.marks.pop()
        self.pop(count)
        if name in ("LIST", "TUPLE", "FROZENSET", "DICT"):
            self.push(name.lower())

    def tuple(self):
        count = self.rng.randint(1, min(3, self.above()))
        self.put("TUPLE%d" % count)
        self.pop(count)
        self.push("tuple")

    def remember(self):
        place = self.rng.choice([len(self.memo), self.rng.randrange(256), self.rng.randrange(2**32),
                                 2**31])
        form = self.rng.choice(["MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"])
        if form == "BINPUT":
            place %= 256
        self.put(form, {"MEMOIZE": b"", "PUT": b"%d\n" % place, "BINPUT": bytes([place % 256]),
                        "LONG_BINPUT": struct.pack("<I", place)}[form])
        self.memo[len(self.memo) if form == "MEMOIZE" else place] = self.top()

    def recall(self):
        place = self.rng.choice(list(self.memo))
        forms = ["GET", "LONG_BINGET"] + (["BINGET"] if place < 256 else [])
        form = self.rng.choice(forms)
        self.put(form, {"GET": b"%d\n" % place, "BINGET": bytes([place % 256]),
                        "LONG_BINGET": struct.pack("<I", place)}[form])
        self.push(self.memo[place])

    def name(self):
        module, name = self.rng.choice(NAMES)
        if self.rng.random() < 0.5:
            self.put("GLOBAL", f"{module}\n{name}\n".encode())
        else:
            for text in (module, name):
                self.put("SHORT_BINUNICODE", sized("<B", text.encode()))
            self.put("STACK_GLOBAL")
        self.push("global")

    def step(self):
        choices = [self.literal] * 4 + [self.empty, self.mark, self.name]
        if self.marks:
            choices += [self.collect] * 3
        if self.above():
            choices += [self.tuple, self.remember, self.remember, self.drop, self.dup]
        if self.memo:
            choices.append(self.recall)
        choices += self.pairs()
        self.rng.choice(choices)()

    def drop(self):
        self.put("POP")
        self.pop(1)

    def dup(self):
        self.put("DUP")
        self.push(self.top())

    def pairs(self):
        """What two or three values on top allow."""
        def run(name, pops, pushes=()):
            def go():
                self.put(name)
                self.pop(pops)
                for kind in pushes:
                    self.push(kind)
            return go
        choices = []
        if self.top(1) == "list":
            choices.append(run("APPEND", 1))
        if self.top(2) == "dict" and self.top() != "nothing":
            choices.append(run("SETITEM", 2))
        if self.top() == "tuple" and self.top(1) == "global":
            choices += [run("REDUCE", 2, ["object"]), run("NEWOBJ", 2, ["object"])]
        if self.top() == "dict" and self.top(1) == "object":
            choices.append(run("BUILD", 1))
        return choices

    def finish(self):
        while self.marks:
            self.put("TUPLE")
            self.pop(len(self.stack) - self.marks.pop())
            self.push("tuple")
        if not self.stack:
            self.literal()
        self.put("STOP")
        return bytes(self.out)


def generate(seed):
    rng = random.Random(seed)
    writer = Writer(rng)
    protocol = rng.randrange(6)
    if protocol > 1:
        writer.put("PROTO", bytes([protocol]))
    for _ in range(rng.randint(1, 40)):
        writer.step()
    stream = writer.finish()
    if protocol > 3:
        head, body = stream[:2], stream[2:]
        stream = head + CODE["FRAME"] + struct.pack("<Q", len(body)) + body
    return stream


def mutate(stream, seed):
    """Some bytes changed, taken out, put in, doubled, or the end cut off."""
    rng = random.Random(seed)
    out = bytearray(stream)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(out) + 1)
        kind = rng.randrange(5)
        if kind == 0 and at < len(out):
            out[at] = rng.randrange(256)
        elif kind == 1:
            out[at:at] = rng.choice(list(CODE.values()))
        elif kind == 2:
            del out[at:at + rng.randint(1, 4)]
        elif kind == 3:
            out[at:at] = out[at:at + rng.randint(1, 16)]
        elif at > 1:
            del out[at:]
        if not out:
            out += b"."
    return bytes(out)
