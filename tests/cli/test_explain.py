"""--explain: the call that a child was killed for, in words and as JSON. The child is one
that makes such calls, beside a copy of the program."""
import json
import platform
import re
import subprocess

import jsonschema

from bad_input import PROGRAMS, BadInputTest, copy_programs, files_below, main
from kit import CAGE, HERE, LIMIT, MODELS, OK, ROOT, WEIGHLOCK, one_object, samples, wlk

CALLER = WEIGHLOCK.parents[1] / 'tests' / 'gate' / 'child_caller'
HEADER = (HERE.parent / 'gate' / 'caller_cases.h').read_text()
CASES = re.findall(r'^ +X\((\w+)[,)]', HEADER, re.M)
ARGUMENTS = [0x7fffff01, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006]
NATIVE = {'x86_64': 'x86-64', 'aarch64': 'aarch64'}[platform.machine()]

# name and number of each call on this machine; None: another architecture's names
X86 = NATIVE == 'x86-64'
CALLS = [
    ('opens', 'openat', 257 if X86 else 56, NATIVE, {}),
    ('connects', 'socket', 41 if X86 else 198, NATIVE, {}),
    ('executes', 'execve', 59 if X86 else 221, NATIVE, {}),
    ('kills', 'kill', 62 if X86 else 129, NATIVE, {}),
    ('maps', 'mmap', 9 if X86 else 222, NATIVE, {}),
    ('forks', 'clone', 56 if X86 else 220, NATIVE, {}),
    ('reads_elsewhere', 'read', 0 if X86 else 63, NATIVE, {0: 3}),
    ('writes_above', 'write', 1 if X86 else 64, NATIVE, {0: 1 << 32 | 1}),
    ('calls_1023', None, 1023, NATIVE, {}),
    ('calls_minus_1', None, -1, NATIVE, {}),
]
if X86:
    CALLS += [('opens_as_i386', None, 5, 'i386', {}),
              ('opens_as_x32', None, 0x40000000 | 257, 'x32', {})]

SCHEMA = json.loads((ROOT / 'docs' / 'schema' / 'refusal.json').read_text())


class ExplainTest(BadInputTest):
    def setUp(self):
        super().setUp()
        self.put('m.wlk', wlk.write(samples.classifier(), samples.EXAMPLE_KEY))

    def limits(self, case, **more):
        words = ['--limit', f'columns={CASES.index(case)}', '--trust', self.trust]
        for name, value in more.items():
            words += ['--limit', f'{name}={value}']
        return words

    def call(self, *arguments, **options):
        return super().call(*arguments, program=PROGRAMS / 'caller' / 'weighlock', **options)

    def explained(self, case, verb='inspect', *more, operands=('m.wlk',), **limits):
        """The lines on standard error of a call whose child breaks the cage's rules."""
        before = files_below(self.folder)
        result = self.call(*verb.split(), *operands, '--explain', *self.limits(case, **limits),
                           *more)
        self.assertEqual(result.stdout, b'', result.stderr)
        self.assert_nothing_left(before)
        return result.returncode, result.stderr.decode().splitlines()

    def as_json(self, case, *more, code=CAGE, **limits):
        result = self.call('inspect', 'm.wlk', '--explain', '--json', *self.limits(case, **limits),
                           *more)
        self.assertEqual((result.returncode, result.stderr), (code, b''), result.stdout)
        found = one_object(result.stdout)
        check = jsonschema.Draft202012Validator(SCHEMA)
        check.validate(found)
        for key in ('violation', 'second_run') if 'violation' in found else ():
            self.assertFalse(check.is_valid({k: v for k, v in found.items() if k != key}))
            if found[key]:
                self.assertFalse(check.is_valid({**found, key: {**found[key], 'surprise': 1}}))
        return found


class Calls(ExplainTest):
    def test_each_call_in_words(self):
        for case, name, number, architecture, changed in CALLS:
            values = [changed.get(i, value) for i, value in enumerate(ARGUMENTS)]
            called = f'{name} ({number})' if name else f'number {number} of {architecture}'
            with self.subTest(case):
                code, lines = self.explained(case)
                self.assertEqual(code, CAGE)
                self.assertEqual(lines, [
                    'weighlock: m.wlk: cage: the child was killed for a system call that it may '
                    'not make (treat the file as hostile and report it)',
                    f'weighlock: m.wlk: the child called {called}: arguments '
                    + ', '.join(map(hex, values))])

    def test_each_call_as_json(self):
        for case, name, number, architecture, changed in CALLS:
            with self.subTest(case):
                found = self.as_json(case)
                self.assertEqual(found['rule'], 'cage.syscall')
                violation = found['violation']
                self.assertNotEqual(int(violation.pop('instruction'), 16), 0)
                values = [changed.get(i, value) for i, value in enumerate(ARGUMENTS)]
                self.assertEqual(violation, {'call': name, 'number': number,
                                             'architecture': architecture,
                                             'arguments': list(map(hex, values))})
                self.assertEqual(found['second_run'],
                                 {'verdict': 'cage', 'rule': 'cage.syscall', 'detail': ''})

    def test_every_verb_that_loads(self):
        rows = MODELS / 'iris' / 'rows.csv'
        for verb, operands, more in (
                ('inspect', ('m.wlk',), ()),
                ('predict', ('m.wlk', rows), ('-o', 'out.csv')),
                ('extract', ('m.wlk',), ('-o', 'out.npz')),
                ('sign', ('m.wlk',), ('-s', self.secret, '-o', 'out.wlk')),
                ('meta get', ('m.wlk',), ()),
                ('meta set', ('m.wlk', '/version=2'), ('-s', self.secret)),
                ('meta set', ('m.wlk', '/version=2'), ('-s', self.secret, '-o', 'out.wlk'))):
            with self.subTest((verb, *more)):
                code, lines = self.explained('connects', verb, *more, operands=operands)
                self.assertEqual(code, CAGE)
                self.assertEqual(len(lines), 2)
                self.assertIn(': m.wlk: the child called socket (', lines[1])

    def test_each_file_of_a_batch(self):
        result = self.call('inspect', '--stdin0', '--explain', *self.limits('maps'),
                           input=b'm.wlk\0nowhere\0m.wlk\0')
        first, nowhere, last = map(one_object, result.stdout.splitlines())
        self.assertEqual(first['violation']['call'], 'mmap')
        self.assertEqual(last['violation']['call'], 'mmap')
        self.assertNotIn('violation', nowhere)

    def test_a_name_that_plays_with_terminals(self):
        name = 'm\x1b[2J\n.wlk'
        self.put(name, (self.folder / 'm.wlk').read_bytes())
        _, lines = self.explained('opens', operands=(name,))
        self.assertEqual(len(lines), 2)
        self.assertTrue(lines[1].startswith('weighlock: m?[2J?.wlk: the child called openat ('))

    def test_an_unsigned_file_where_that_is_allowed(self):
        self.put('u.wlk', wlk.write(samples.classifier()))
        _, lines = self.explained('opens', operands=('u.wlk',))
        self.assertIn('the child called openat (', lines[1])
        _, lines = self.explained('opens', 'predict', '--allow-unsigned',
                                  operands=('u.wlk', MODELS / 'iris' / 'rows.csv'))
        self.assertIn('the child called openat (', lines[1])


class NoCalls(ExplainTest):
    """What is not a call is not told as one."""

    def test_without_the_option_nothing_is_told(self):
        result = self.call('inspect', 'm.wlk', *self.limits('opens'))
        self.assertEqual((result.returncode, result.stderr.count(b'\n')), (CAGE, 1))
        result = self.call('inspect', 'm.wlk', '--json', *self.limits('opens'))
        self.assertNotIn('violation', one_object(result.stdout))

    def test_a_good_load_is_none_to_explain(self):
        plain = self.call('inspect', 'm.wlk', *self.limits('answers'))
        explained = self.call('inspect', 'm.wlk', '--explain', *self.limits('answers'))
        self.assertEqual((explained.returncode, explained.stderr), (OK, b''))
        self.assertEqual(explained.stdout, plain.stdout)

    def test_other_ends_are_none_to_explain(self):
        for case, code, limits in (('crashes', CAGE, {}), ('exits_7', CAGE, {}),
                                   ('spins', LIMIT, {'deadline_ms': 300})):
            with self.subTest(case):
                self.assertEqual((self.explained(case, **limits)[0],
                                  len(self.explained(case, **limits)[1])), (code, 1))
                self.assertNotIn('violation', self.as_json(case, code=code, **limits))

    def test_a_child_that_claims_a_violation(self):
        code, lines = self.explained('claims_violation')
        self.assertEqual((code, len(lines)), (CAGE, 1))
        self.assertNotIn('violation', self.as_json('claims_violation'))

    def test_a_call_that_cannot_be_seen(self):
        """It goes through a page of old, which only x86-64 has."""
        for case in ('uses_vsyscall', 'hides_behind_write') if X86 else ():
            code, lines = self.explained(case)
            self.assertEqual(code, CAGE)
            if 'cage: the child crashed' in lines[0]:  # there is no such page here
                continue
            self.assertIn('the child was seen to make no such call, but ended as if', lines[1])
            found = self.as_json(case)
            self.assertIsNone(found['violation'])
            self.assertEqual(found['second_run']['rule'], 'cage.syscall')

    def test_a_child_that_behaves_when_it_is_watched(self):
        code, lines = self.explained('opens_unwatched')
        self.assertEqual((code, len(lines)), (CAGE, 2))
        self.assertIn('watched the second time, the child made no such call', lines[1])
        found = self.as_json('opens_unwatched')
        self.assertIsNone(found['violation'])
        self.assertEqual(found['second_run'], {'verdict': 'ok', 'rule': None, 'detail': ''})

    def test_where_the_child_cannot_be_watched(self):
        """It has a tracer already, and there is only one for each process."""
        traced = ('strace', '-f', '-o', '/dev/null', '-e', 'trace=none')
        words = [*traced, PROGRAMS / 'caller' / 'weighlock', 'inspect', 'm.wlk', '--explain',
                 *self.limits('opens')]
        for more in ((), ('--json',)):
            result = subprocess.run([*map(str, words), *more], cwd=self.folder,
                                    env=self.environment(ASAN_OPTIONS='detect_leaks=0'),
                                    capture_output=True, timeout=60)
            self.assertEqual(result.returncode, CAGE)
            if more:
                found = one_object(result.stdout)
                self.assertEqual((found['violation'], found['rule']), (None, 'cage.syscall'))
                self.assertEqual(found['second_run']['rule'], 'cage.explain')
                self.assertIn('Operation not permitted', found['second_run']['detail'])
            else:
                self.assertRegex(result.stderr.decode(), r'\n'
                                 r'weighlock: m\.wlk: not explained: cage: the child cannot be '
                                 r'watched: [^\n]*Operation not permitted \([^\n]*\)\n\Z')


if __name__ == '__main__':
    copy_programs(PROGRAMS / 'caller', CALLER)
    main()
