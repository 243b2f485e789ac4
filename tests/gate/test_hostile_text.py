"""What the command line shows of a model that a captured child made up to play with the
terminal: control, escape and bidirectional characters in every name, in metadata and in
the evidence of findings. Text that people read has none of them, and JSON spells them."""
import json
import os
import pathlib
import re
import shutil
import sys
import unicodedata
import unittest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / 'cli'))

from kit import ROOT, CliTest, one_object, samples, wlk  # noqa: E402

BUILD = ROOT / os.environ.get('BUILD', 'build')
BIDI = set('\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')


def hostile_numbers():
    """The numbers of the cases and forgeries of hostile_cases.h, by name."""
    source = (HERE / 'hostile_cases.h').read_text()
    table = source[source.index('#define HOSTILE_CASES'):source.index('#define HOSTILE_LARGE')]
    cases = re.findall(r'\bX\((\w+)\)', table)
    forgeries = re.findall(r'\bFORGE_(\w+)', source)
    return ({name: i for i, name in enumerate(cases)},
            {name: i for i, name in enumerate(forgeries)})


CASES, FORGERIES = hostile_numbers()
RULES = {name: 1 + i for i, name in enumerate(
    re.findall(r'^([a-z]+\.[a-z0-9-]+) *\|', (ROOT / 'policy' / 'rules.policy').read_text(), re.M))}


def harmful(text):
    """The characters that are not for the eye, in the order in which they stand."""
    return [c for c in text if c != '\n' and (unicodedata.category(c) in ('Cc', 'Cf') or c in BIDI)]


class HostileText(CliTest):
    """The command line with the hostile child beside it."""

    def setUp(self):
        super().setUp()
        self.program = self.folder / 'bin' / 'weighlock'
        self.program.parent.mkdir(mode=0o755)
        shutil.copy(BUILD / 'bin' / 'weighlock', self.program)
        shutil.copy(BUILD / 'tests' / 'gate' / 'child_hostile',
                    self.program.parent / 'weighlock-child')
        (self.program.parent / 'weighlock-child').chmod(0o755)
        tensors = [wlk.Tensor(name, 'f32', (4,), [1, 2, 3, 4]) for name in 'ab']
        self.file = self.put('model.wlk', wlk.write(wlk.Model({'kind': 'model'}, tensors),
                                                    samples.EXAMPLE_KEY))

    def by_child(self, case, parameter, *arguments):
        """The finished process of a call whose child misbehaves so."""
        return self.call(*arguments, '--trust', self.trust, '--limit', f'columns={CASES[case]}',
                         '--limit', f'json_bytes={parameter}', program=self.program)

    def forged(self, *arguments):
        return self.by_child('forges', FORGERIES['hostile_text'], *arguments)

    def assert_harmless(self, result):
        for stream in (result.stdout, result.stderr):
            self.assertEqual(harmful(stream.decode()), [], stream)

    def test_the_model_is_hostile(self):
        found = one_object(self.forged('inspect', '--json', self.file).stdout)
        text = json.dumps(found, ensure_ascii=False)
        names = [t['name'] for t in found['tensors']]
        for name in names:
            self.assertNotEqual(harmful(name), [], names)
        for kind in ('\\u001b', '\\u0007', '\u202e', '\u009b', '\\r', '\u0085', '\u2066', '\u200f'):
            self.assertIn(kind, text)
        self.assertIn('evidence', text)

    def test_text(self):
        result = self.forged('inspect', self.file)
        self.assertEqual((result.returncode, result.stderr), (0, b''))
        self.assertIn(b'findings   1', result.stdout)
        self.assert_harmless(result)

    def test_no_line_is_made_up(self):
        """A line end in a value is not one in the output."""
        result = self.forged('inspect', self.file)
        self.assertIn(b'weighlock: good', result.stdout)
        for line in result.stdout.decode().splitlines():
            self.assertFalse(line.startswith('weighlock:'), line)

    def test_json_is_ascii(self):
        for verb in ('inspect', 'meta get'):
            result = self.forged(verb, '--json', self.file)
            self.assertEqual(result.returncode, 0, result)
            self.assertIsNotNone(one_object(result.stdout))  # decodes ASCII
            self.assert_harmless(result)

    def test_metadata(self):
        result = self.forged('meta get', self.file)
        self.assertEqual(result.returncode, 0, result)
        self.assert_harmless(result)

    def test_refusals_that_name_what_the_child_says(self):
        rows = self.put('rows.csv', b'1\n2\n')
        for more in ((), ('--json',)):
            for call in (('predict', self.file, rows), ('predict', '--selftest', self.file),
                         ('extract', self.file, '-o', self.folder / 'out.npz'),
                         ('extract', self.file, '--tensor', 'nobody', '-o',
                          self.folder / 'out.npy')):
                result = self.forged(*call, *more)
                with self.subTest(call=call, more=more):
                    self.assertNotEqual(result.stdout + result.stderr, b'')
                    self.assert_harmless(result)

    def test_an_operator_is_named_without_harm(self):
        rows = self.put('rows.csv', b'1\n2\n')
        result = self.forged('predict', self.file, rows)
        self.assertNotEqual(result.returncode, 0)
        self.assertRegex(result.stderr.decode(), r'\Aweighlock: [^\n]+\n\Z')
        self.assertIn('Ad', result.stderr.decode())

    def test_violations(self):
        """What the parent itself says of a child that lies."""
        for case in ('image_garbage', 'hello_build', 'refuse_rule_unknown', 'crashes', 'magic'):
            result = self.by_child(case, 0, 'inspect', self.file)
            with self.subTest(case):
                self.assertEqual((result.returncode, result.stdout), (5, b''))
                self.assertRegex(result.stderr.decode(), r'\Aweighlock: [^\n]+\n\Z')
                self.assert_harmless(result)

    def test_a_captured_child_does_not_pass_for_the_parent(self):
        """It has a say in what the file is like, and none in keys, disks and users."""
        rows = {'header.trailing': 1, 'trust.signature': 5, 'gate.open': 5, 'cli.usage': 5,
                'cage.killed': 5, 'write.failed': 5}
        for rule, code in rows.items():
            result = self.by_child('refuses_with', RULES[rule], 'inspect', '--json', self.file)
            with self.subTest(rule):
                self.assertEqual(result.returncode, code, result)
                seen = rule if code == 1 else 'wire.refuse'
                self.assertEqual(one_object(result.stdout)['rule'], seen)


    def test_the_text_of_a_refusal(self):
        """It is shown as the child's word about the file, on the one line of that refusal."""
        result = self.by_child('refuses_with', RULES['header.trailing'], 'inspect', self.file)
        self.assertEqual((result.returncode, result.stdout), (1, b''))
        self.assertRegex(result.stderr.decode(), r'\Aweighlock: [^\n]+\n\Z')
        self.assertIn('said ?[2J?weighlock: good', result.stderr.decode())
        self.assert_harmless(result)


if __name__ == '__main__':
    unittest.main()
