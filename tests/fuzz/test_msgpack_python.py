"""The scan of a .wlk header against Python's msgpack: what the scan accepts, Python unpacks
and packs again as the same bytes; what Python cannot unpack, or would write otherwise, the
scan refuses. So two readers that share no code agree on every value (invariant 12)."""
import os
import pathlib
import random
import struct
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests' / 'format'))

import msgpack  # noqa: E402
import hostile  # noqa: E402
import mutations  # noqa: E402
import samples  # noqa: E402
import wlk  # noqa: E402
import wlk_header  # noqa: E402

TOOL = ROOT / os.environ.get('BUILD', 'build') / 'tests' / 'fuzz' / 'tool_scan'
CHANGES = 4000


def scan(inputs):
    """The tool's answers: None where the header is well-formed, else its words."""
    asked = b''.join(struct.pack('<I', len(data)) + data for data in inputs)
    result = subprocess.run([TOOL], input=asked, capture_output=True, timeout=50)
    if result.returncode != 0:
        raise AssertionError(f'{TOOL}: exit {result.returncode}: {result.stderr.decode()}')
    lines = result.stdout.decode().splitlines()
    assert len(lines) == len(inputs), (len(lines), len(inputs))
    return [None if line == 'ok' else line for line in lines]


def well_formed(data):
    """docs/format.md, section 3, by Python's own reader and writer."""
    try:
        value = wlk_header.unpack(data)
        wlk_header.check_values(value)
        return wlk_header.encode(value) == data
    except (wlk_header.WlkError, wlk_header.Fault, msgpack.exceptions.ExtraData,
            msgpack.exceptions.StackError):
        return False


# ---- every type in every width

INTEGERS = sorted({edge + near for bits in (5, 7, 8, 15, 16, 31, 32, 63, 64)
                   for edge in (2**bits, -2**bits) for near in (-1, 0, 1)
                   if -2**63 <= edge + near < 2**64} | {0, 1, -1})
LENGTHS = [0, 1, 15, 16, 17, 31, 32, 33, 255, 256, 257, 65535, 65536]


def integer_forms(value):
    """The value in each head that holds it."""
    for head, form in zip(range(0xcc, 0xd4), '>B >H >I >Q >b >h >i >q'.split()):
        try:
            yield bytes([head]) + struct.pack(form, value)
        except struct.error:
            pass
    if -32 <= value < 128:
        yield struct.pack('b', value)


def lengths_forms(heads, fix, most, length):
    """A length in each head that holds it: heads are those of 1, 2 and 4 bytes, or None."""
    for head, form in zip(heads, ('>B', '>H', '>I')):
        if head is not None and length < 256 ** struct.calcsize(form):
            yield bytes([head]) + struct.pack(form, length)
    if fix is not None and length <= most:
        yield bytes([fix + length])


def text_forms(length):
    for head in lengths_forms((0xd9, 0xda, 0xdb), 0xa0, 31, length):
        yield head + b'a' * length


def array_forms(length):
    for head in lengths_forms((None, 0xdc, 0xdd), 0x90, 15, length):
        yield head + b'\xc0' * length


def map_forms(length):
    entries = b''.join(msgpack.packb(f'{i:06}') + b'\x01' for i in range(length))
    for head in lengths_forms((None, 0xde, 0xdf), 0x80, 15, length):
        yield head + entries


def others():
    """Leaves of the other types, those that the format has not among them."""
    yield from (b'\xc0', b'\xc1', b'\xc2', b'\xc3')
    for value in (0.0, -0.0, 1.5, 1e308, 5e-324, float('inf'), float('-inf'), float('nan')):
        yield b'\xcb' + struct.pack('>d', value)
    yield b'\xcb\x7f\xf0\0\0\0\0\0\1'
    yield b'\xca' + struct.pack('>f', 1.5)
    for length in (0, 1, 255, 256):
        for head in lengths_forms((0xc4, 0xc5, 0xc6), None, 0, length):
            yield head + bytes(length)
        for head in lengths_forms((0xc7, 0xc8, 0xc9), None, 0, length):
            yield head + b'\x05' + bytes(length)
    for log in range(5):
        yield bytes([0xd4 + log, 5]) + bytes(1 << log)
    yield b'\xd6\xff' + bytes(4)  # an ext that means a time
    yield from (b'\xa1\0', b'\xa1\x80', b'\xa2\xc0\x80', b'\xa3\xed\xa0\x80', b'\xa3\xef\xbf\xbf',
                b'\xa4\xf4\x8f\xbf\xbf', b'\xa4\xf4\x90\x80\x80', b'\xa2\xc3\xa9', b'\xa2a\0')


def alone():
    for value in INTEGERS:
        yield from integer_forms(value)
    for length in LENGTHS:
        yield from text_forms(length)
        yield from array_forms(length)
        yield from map_forms(length)
    yield from others()


def placed(leaf):
    """A value where others may stand: by itself, in an array, a map, as a key."""
    yield leaf
    yield b'\x93\x01' + leaf + b'\xc2'
    yield b'\x81\xa1a' + leaf
    yield b'\x81' + leaf + b'\xc0'


def nested(depth):
    return b'\x91' * depth + b'\x01', b'\x81\xa1a' * depth + b'\x01', b'\x91' * depth + b'\x90'


def maps_of_two_keys():
    keys = [b'', b'a', b'b', b'aa', b'ab', 'é'.encode(), b'\x7f', b'a' * 40]
    for first in keys:
        for second in keys:
            yield b'\x82' + msgpack.packb(first.decode()) + b'\1' + \
                msgpack.packb(second.decode()) + b'\2'


# ---- headers, and changes of them

def headers():
    for make in samples.ALL:
        model = make()
        entries, _ = wlk.lay_out(model.tensors)
        yield wlk_header.encode({**model.header, 'tensors': entries})
    for _, _, _, file in hostile.HOSTILE:
        size = struct.unpack_from('<Q', file, 14)[0] if len(file) > 22 else 0
        if 0 < size <= len(file) - 256:
            yield file[256:256 + size]


def seeds():
    for folder in sorted((ROOT / 'fuzz' / 'seeds' / 'header', ROOT / 'fuzz' / 'regressions' / 'header')):
        for path in sorted(folder.glob('*')):
            yield path.read_bytes()


HEADS = list(range(0xc0, 0xe0)) + [0x80, 0x81, 0x8f, 0x90, 0x91, 0x9f, 0xa0, 0xa1, 0xbf, 0xff, 0x7f]


def changed(rng, data):
    """A header with a byte that is another head, a piece gone, or twice, or changed anyhow."""
    data, at = bytearray(data), rng.randrange(len(data))
    kind = rng.randrange(4)
    if kind == 0:
        data[at] = rng.choice(HEADS)
    elif kind == 1:
        del data[at:at + rng.randrange(1, 9)]
    elif kind == 2:
        data[at:at] = data[at:at + rng.randrange(1, 17)]
    else:
        return mutations.changed_bytes(rng, data)
    return bytes(data)


def tree_changed(rng, header):
    try:
        value = wlk_header.unpack(header)
        mutations.change_once(rng, value)
        return wlk_header.encode(value)
    except (ValueError, IndexError, TypeError, AttributeError, OverflowError, RecursionError,
            wlk_header.WlkError):
        return changed(rng, header)


class Agreement(unittest.TestCase):
    def check(self, inputs):
        """Both say the same of each; returns how many are well-formed."""
        inputs = list(inputs)
        accepted = 0
        for data, refusal in zip(inputs, scan(inputs)):
            with self.subTest(data[:100].hex()):
                self.assertEqual(refusal is None, well_formed(data), refusal)
            accepted += refusal is None
        return accepted

    def test_every_type_in_every_width_and_place(self):
        leaves = list(alone())
        self.assertGreater(len(leaves), 200)
        accepted = self.check(case for leaf in leaves for case in placed(leaf))
        # One form of each integer and of each length, by itself and in the two containers.
        self.assertGreaterEqual(accepted, 3 * (len(INTEGERS) + 3 * len(LENGTHS)))

    def test_a_value_that_is_cut_or_has_something_behind_it(self):
        leaves = [leaf for leaf in alone() if 0 < len(leaf) < 600]
        self.check(leaf[:cut] for leaf in leaves for cut in range(0, len(leaf), 1 + len(leaf) // 12))
        self.assertEqual(self.check(leaf + b'\xc0' for leaf in leaves), 0)

    def test_depth(self):
        inputs = [case for depth in range(1, 40) for case in nested(depth)]
        self.assertEqual(self.check(inputs), 16 + 16 + 15)

    def test_keys_ascend(self):
        self.assertEqual(self.check(maps_of_two_keys()), 8 * 7 // 2)

    def test_all_pairs_of_bytes(self):
        self.check(struct.pack('>H', pair) for pair in range(1 << 16))

    def test_headers(self):
        inputs = list(headers()) + list(seeds())
        self.assertGreaterEqual(self.check(inputs), len(samples.ALL))

    def test_changed_headers(self):
        rng = random.Random(20)
        good = [data for data in list(headers()) + list(seeds()) if 0 < len(data) < 8192]
        bytewise = [changed(rng, rng.choice(good)) for _ in range(CHANGES)]
        treewise = [tree_changed(rng, rng.choice(good)) for _ in range(CHANGES // 4)]
        accepted = self.check(bytewise + treewise)
        self.assertGreater(accepted, CHANGES // 8)
        self.assertLess(accepted, CHANGES)


if __name__ == '__main__':
    unittest.main()
