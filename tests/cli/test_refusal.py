"""A refusal names the file, whatever its name does and however long it is (invariant 9)."""
import unittest

from kit import CliTest, one_object

SYSTEM = 8

# A file's name as it is handed in, and as it stands in the line that people read.
NAMES = [
    ('none.wlk', 'none.wlk'),
    ('ä€😀.wlk', 'ä€😀.wlk'),
    ('a\x1b[2J\nb', 'a?[2J?b'),
    ('a\u202egpj.exe', 'a???gpj.exe'),
    (b'\xff\xfe', '??'),
    ('/'.join(['d' * 200] * 5), '/'.join(['d' * 200] * 5)),
    ('/'.join(['€' * 80] * 4), '/'.join(['€' * 80] * 4)),
    ('x' * 253 + '😀', 'x' * 253 + '😀'),
]


class RefusalTest(CliTest):
    def test_one_line_names_the_file(self):
        for name, shown in NAMES:
            with self.subTest(name=name[:20]):
                result = self.call('inspect', name)
                line = result.stderr.decode()
                self.assertEqual((result.returncode, result.stdout), (SYSTEM, b''), line)
                self.assertTrue(line.startswith(f'weighlock: {shown}: gate: '), line)
                self.assertEqual(line.count('\n'), 1)
                self.assertTrue(line[:-1].isprintable(), line)

    def test_json_gives_the_name_back(self):
        for name, _ in NAMES:
            with self.subTest(name=name[:20]):
                result = self.call('inspect', '--json', name)
                found = one_object(result.stdout)
                want = name if isinstance(name, str) else '\ufffd' * len(name)
                self.assertEqual(found['file'], want)
                self.assertTrue(result.stdout.isascii())


if __name__ == '__main__':
    unittest.main()
