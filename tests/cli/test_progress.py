"""What a person at a terminal sees of a file that takes its time, and nobody else."""
import fcntl
import os
import re
import shutil
import struct
import termios
import unittest

from kit import LIMIT, OK, ROOT, WEIGHLOCK, CliTest, Terminal

CASES = re.findall(r'^    X\((\w+)\)', (ROOT / 'tests' / 'gate' / 'hostile_cases.h').read_text(),
                   re.M)
SILENT = ('--limit', f'columns={CASES.index("silent_at_once")}')


def screen(said):
    """The lines that are left to see, of text in which \\r goes back to the first column."""
    lines = []
    for line in said.decode().replace('\r\n', '\n').split('\n'):
        columns = []
        for part in line.split('\r'):
            columns[:len(part)] = part
        lines.append(''.join(columns).rstrip())
    return lines


class Progress(CliTest):
    """A child that says nothing until the deadline makes any file slow."""

    def setUp(self):
        super().setUp()
        self.iris()
        self.slow = self.folder / 'bin' / 'weighlock'
        self.slow.parent.mkdir()
        shutil.copy(WEIGHLOCK, self.slow)
        shutil.copy(WEIGHLOCK.parents[1] / 'tests' / 'gate' / 'child_hostile',
                    self.slow.parent / 'weighlock-child')

    def command(self, *more, seconds=1.5, name='model.wlk'):
        return (self.slow, 'inspect', name, '--trust', self.trust, *SILENT,
                '--limit', f'deadline_ms={int(seconds * 1000)}', *more)

    def at_terminal(self, command, **environment):
        environment = {'TERM': 'xterm', **environment}
        terminal = Terminal(command, self.environment(**environment), self.folder)
        return terminal.end()

    def assert_refused(self, said, code):
        self.assertEqual(code, LIMIT)
        lines = screen(said)
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[0], r'^weighlock: model\.wlk: limit: the deadline passed')

    def test_seconds_at_a_terminal(self):
        said, code = self.at_terminal(self.command(seconds=2.5))
        self.assert_refused(said, code)
        self.assertEqual(re.findall(rb'\rweighlock: model\.wlk (\d) s', said), [b'1', b'2'])
        self.assertNotIn(b'\x1b', said)

    def test_standard_output_may_be_a_pipe(self):
        said, _ = self.at_terminal(('/bin/sh', '-c', '"$@" | cat', 'sh', *self.command()))
        self.assertIn(b'\rweighlock: model.wlk 1 s', said)

    def test_not_in_a_pipe(self):
        result = self.call(*self.command()[1:], program=self.slow)
        self.assertEqual((result.returncode, result.stdout), (LIMIT, b''))
        self.assertRegex(result.stderr, rb'\Aweighlock: model\.wlk: limit: [^\n\r]*\n\Z')

    def test_not_for_programs_and_terminals_that_cannot(self):
        said, code = self.at_terminal(self.command('--json'))
        self.assertEqual(code, LIMIT)
        self.assertTrue(said.startswith(b'{'), said)
        for kind in ('dumb', ''):
            said, code = self.at_terminal(self.command(), TERM=kind)
            self.assert_refused(said, code)
            self.assertNotIn(b' 1 s', said)

    def test_not_from_the_background(self):
        said, _ = self.at_terminal(('/bin/sh', '-mc', '"$@" & wait', 'sh', *self.command()))
        self.assertIn(b'the deadline passed', said)
        self.assertNotIn(b' 1 s', said)

    def test_not_within_a_second(self):
        said, code = self.at_terminal((WEIGHLOCK.resolve(), 'verify', 'model.wlk', '--trust',
                                       self.trust))
        self.assertEqual((code, said.replace(b'\r\n', b'').count(b'\r')), (OK, 0))

    def test_long_and_evil_names_in_a_narrow_terminal(self):
        name = 'x\x1b[31m\u202e' + 'ä' * 100 + '.wlk'
        shutil.copy(self.folder / 'model.wlk', self.folder / name)
        terminal = Terminal(('/bin/sh', '-c', 'read go; "$@"', 'sh', *self.command(name=name)),
                            self.environment(TERM='xterm'), self.folder)
        fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack('4H', 24, 60, 0, 0))
        os.write(terminal.master, b'\n')
        said, code = terminal.end()
        self.assertEqual(code, LIMIT)
        shown = re.search(r'\rweighlock: ([^\r]*) 1 s', said.decode())
        self.assertTrue(shown[1].startswith('x?[31m???ä') and shown[1].endswith('ä...'), shown)
        self.assertLessEqual(len(shown[0]), 60)
        self.assertNotIn(b'\x1b', said)


if __name__ == '__main__':
    unittest.main()
