"""The Python reader and writer of .wlk by itself: what it writes it reads back, what
is hostile it refuses, and it agrees with the examples and the dump of docs/format.md."""
import pathlib
import re
import unittest

import numpy as np

import samples
import wlk
import wlk_header
from hostile import HOSTILE

FORMAT_MD = pathlib.Path(__file__).parents[2] / 'docs' / 'format.md'


def same_tensors(test, a, b):
    test.assertEqual([(t.name, t.dtype, list(t.shape), t.block) for t in a],
                     [(t.name, t.dtype, list(t.shape), t.block) for t in b])
    for left, right in zip(a, b):
        test.assertEqual(wlk.payload_of(left), wlk.payload_of(right), left.name)


class RoundTrip(unittest.TestCase):
    def test_models_come_back_whole(self):
        for make in samples.ALL:
            with self.subTest(make.__name__):
                model = make()
                file = wlk.write(model, samples.EXAMPLE_KEY)
                back = wlk.read(file, [samples.EXAMPLE_KEY.public()])
                self.assertEqual(wlk_header.encode(back.header), wlk_header.encode(model.header))
                same_tensors(self, back.tensors, model.tensors)
                self.assertTrue(back.trusted)
                self.assertEqual(back.key_id, samples.EXAMPLE_KEY.number)
                self.assertEqual(wlk.write(back, samples.EXAMPLE_KEY), file)

    def test_rich_model_has_every_dtype(self):
        self.assertEqual({t.dtype for t in samples.rich().tensors}, set(wlk_header.DTYPE_BITS))

    def test_no_tensors_at_all(self):
        file = wlk.write(wlk.Model({'kind': ''}))
        self.assertEqual(len(file), 4096)
        self.assertEqual(wlk.read(file).tensors, [])

    def test_unsigned_and_stranger(self):
        file = wlk.write(samples.example())
        self.assertEqual(file[110:182], bytes(72))
        self.assertFalse(wlk.read(file, [samples.EXAMPLE_KEY.public()]).trusted)
        file = wlk.write(samples.example(), samples.STRANGER_KEY)
        self.assertFalse(wlk.read(file, [samples.EXAMPLE_KEY.public()]).trusted)

    def test_chunk_sizes_and_slack_do_not_change_the_model(self):
        model = wlk.Model({'kind': 'weights'}, [
            wlk.Tensor('big', 'u32', [50000], np.arange(50000, dtype='u4')),
            wlk.Tensor('small', 'i8', [1], np.array([-1], dtype='i1'))])
        whole = wlk.read(wlk.write(model))
        entries, data = wlk.lay_out(model.tensors)
        header = wlk_header.encode({**model.header, 'tensors': entries})
        for chunk_log2 in (16, 17, 24):
            for slack in (0, 4096, 61440):
                file = wlk.assemble(header, data, chunk_log2=chunk_log2, slack=slack)
                back = wlk.read(file)
                self.assertEqual(back.chunk_log2, chunk_log2)
                same_tensors(self, back.tensors, whole.tensors)

    def test_keys_are_minisigns(self):
        key = samples.EXAMPLE_KEY
        self.assertEqual(wlk.public_key(key.public().text()), key.public())
        self.assertEqual(wlk.secret_key(key.text()), key)
        for text in ('', 'untrusted comment: x\nAAAA\n', key.text().replace('AQID', 'AQIE')):
            with self.assertRaises(ValueError):
                wlk.secret_key(text)


class Payloads(unittest.TestCase):
    """The examples of section 4."""

    def test_less_than_a_byte(self):
        self.assertEqual(wlk.pack_bits([1, 2, 3], 4).hex(' '), '21 03')
        self.assertEqual(wlk.pack_bits([1, 2, 3, 0x3f], 6).hex(' '), '81 30 fc')

    def test_strings(self):
        expected = bytes(8) + b'\1' + bytes(7) + b'\1' + bytes(7) + b'\3' + bytes(7) + b'abc'
        self.assertEqual(wlk.pack_strings(['a', '', 'bc']), expected)

    def test_arrays_have_their_shape(self):
        model = wlk.read(wlk.write(samples.rich()))
        self.assertEqual(model.tensor('t_f64').array().shape, (2, 3))
        self.assertEqual(model.tensor('t_str').array()[1, 0], 'größe\0')
        self.assertEqual(model.tensor('t_f4e2m1').array()[2].tolist(), [10, 11, 12, 13, 14])
        self.assertEqual(model.tensor('t_bool').array().tolist(), [[True, False], [False, True]])


class Hostile(unittest.TestCase):
    def test_each_is_refused_by_its_check(self):
        for name, check, _, file in HOSTILE:
            with self.subTest(name):
                with self.assertRaises(wlk.WlkError) as caught:
                    wlk.read(file, [samples.EXAMPLE_KEY.public()])
                self.assertEqual(caught.exception.check, check, caught.exception)
                self.assertLessEqual(caught.exception.offset, len(file))

    def test_names_are_distinct(self):
        self.assertEqual(len({row[0] for row in HOSTILE}), len(HOSTILE))

    def test_offset_of_a_schema_fault(self):
        """The offset is that of the value, not of the header."""
        header = {'kind': 'a', 'tensors': [], 'x-a': [1, 'b\0']}
        file = wlk.assemble(wlk_header.encode(header), b'')
        with self.assertRaises(wlk.WlkError) as caught:
            wlk.read(file)
        self.assertEqual(file[caught.exception.offset:][:3], b'\xa2b\0')

    def test_every_altered_byte_is_seen(self):
        """Invariant 12: every byte of a file is covered."""
        file = wlk.write(samples.example(), samples.EXAMPLE_KEY)
        for offset in range(len(file)):
            altered = bytearray(file)
            altered[offset] ^= 1 << offset % 8
            with self.assertRaises(wlk.WlkError, msg=offset):
                back = wlk.read(altered, [samples.EXAMPLE_KEY.public()])
                if not back.trusted:  # the key's number: now nobody's
                    raise wlk.WlkError('D0', 'nobody signed this', 110)


def dump_bytes(text):
    """The bytes of an annotated dump: `OFFSET  HEX HEX ..  note`; `*` repeats zeros."""
    data = bytearray()
    for line in text:
        if line.strip() == '*':
            continue
        offset = int(line[4:8], 16)
        data += bytes(offset - len(data))
        data += bytes.fromhex(line[10:57])
    return bytes(data)


class Document(unittest.TestCase):
    """docs/format.md itself."""

    def setUp(self):
        self.text = FORMAT_MD.read_text()
        self.section = self.text.split('\n## 7.')[1].split('\n## 8.')[0]

    def test_dump_is_the_file(self):
        lines = [line for line in self.section.splitlines()
                 if re.match(r'    (\*$|[0-9a-f]{4}($|  ))', line)]
        written = wlk.write(samples.example(), samples.EXAMPLE_KEY)
        self.assertEqual(dump_bytes(lines).hex(), written.hex())
        self.assertEqual(int(lines[-1], 16), len(written))

    def test_public_key_is_the_signers(self):
        lines = [line[4:] for line in self.section.splitlines()
                 if line.startswith(('    untrusted', '    RW'))]
        self.assertEqual(wlk.public_key('\n'.join(lines)), samples.EXAMPLE_KEY.public())

    def test_dtype_table_is_complete(self):
        rows = self.text.split('\n| dtype | bits |')[1].split('\n### 4.1')[0].splitlines()
        listed = {}
        for row in rows:
            cells = [cell.strip() for cell in row.split('|')]
            if len(cells) > 2 and cells[1].startswith('`'):
                names = re.findall('`([a-z0-9]+)`', cells[1])
                bits = [int(number) for number in cells[2].split()] or [0]
                listed.update(zip(names, bits))
        self.assertEqual(listed, wlk_header.DTYPE_BITS)

    def test_every_check_has_a_hostile_file(self):
        checks = set(re.findall(r'^\| ([EDHSTGP]\d) \|', self.text, re.MULTILINE))
        self.assertGreater(len(checks), 30)
        self.assertEqual({check for _, check, _, _ in HOSTILE}, checks)


if __name__ == '__main__':
    unittest.main()
