"""Rows of bad input: what a call must say, and that it leaves nothing behind."""
import ctypes
import io
import os
import pathlib
import shutil
import stat
import sys
import tempfile
import unittest

import numpy as np

from kit import ROOT, WEIGHLOCK, CliTest, one_object

ORDINARY_USER = 1234
PR_SET_CHILD_SUBREAPER = 36
VERDICTS = ('ok', 'refused', 'undecided', 'unsupported', 'usage', 'cage', 'limit', 'trust',
            'system')


def rule_verdicts():
    """The verdict of each rule, by the rules' own table."""
    verdicts = {}
    for line in (ROOT / 'policy' / 'rules.policy').read_text().splitlines():
        cells = [cell.strip() for cell in line.split('|')]
        if len(cells) == 4 and not line.startswith('#'):
            verdicts[cells[0]] = VERDICTS.index(cells[1])
    return verdicts


RULES = rule_verdicts()
PROGRAMS = pathlib.Path(tempfile.mkdtemp(prefix='weighlock-test-'))


def npy(values, **options):
    file = io.BytesIO()
    np.save(file, np.asarray(values), allow_pickle=True, **options)
    return file.getvalue()


# What stands where a file of input should, which may have 100 bytes.
INPUT_FILES = (('missing', 'nowhere', 'input.read'), ('a folder', '.', 'input.read'),
               ('below a file', 'large/x', 'input.read'),
               ('a name of 300 bytes', 'n' * 300, 'input.read'),
               ('no end', '/dev/zero', 'input.size@100'),
               ('a byte too many', 'large', 'input.size@100'))


def files_below(folder):
    """Every name below a folder, with what would change if it were written to; that a
    temporary file came and went is no change of a folder."""
    found = {}
    for path in sorted(folder.rglob('*')):
        status = path.lstat()
        content = None if stat.S_ISDIR(status.st_mode) else (status.st_size, status.st_mtime_ns)
        found[str(path.relative_to(folder))] = (status.st_mode, content)
    return found


class BadInputTest(CliTest):
    """As which user is main()'s to say; the programs are those of the build."""

    def call(self, *arguments, **options):
        options.setdefault('program', PROGRAMS / 'weighlock')
        return super().call(*arguments, **options)

    def environment(self, **more):
        return super().environment(TMPDIR=str(self.folder), **more)

    def assert_nothing_left(self, before):
        self.assertEqual(files_below(self.folder), before)
        with self.assertRaises(ChildProcessError):  # not even somebody else's orphan
            os.waitpid(-1, os.WNOHANG)

    def row(self, name, want, verb, *arguments, says='', **options):
        """One call with --json, refused as `want`: RULE, or RULE@OFFSET."""
        rule, _, offset = want.partition('@')
        before = files_below(self.folder)
        with self.subTest(name):
            result = self.call(*verb.split(), '--json', *arguments, **options)
            self.assertEqual(result.stderr, b'')
            found = one_object(result.stdout)
            found = found['files'][0] if 'files' in found else found
            told = found.get('rule', 'accepted')
            if found.get('offset') is not None:
                told += f'@{found["offset"]}'
            self.assertEqual(told, want, found)
            self.assertEqual(result.returncode, RULES[rule])
            self.assertEqual(found['verdict'], VERDICTS[RULES[rule]])
            self.assertIn(says, found['detail'])
            self.assert_nothing_left(before)

    def input_files(self, limit, *call):
        """INPUT_FILES for None in the call, under a limit of that name."""
        self.put('large', b' ' * 101)
        for name, path, want in INPUT_FILES:
            words = [path if word is None else word for word in call]
            self.row(name, want, *words, '--limit', f'{limit}=100')

    def accepted(self, verb, *arguments):
        """The same call without what was wrong works: what was tried was that alone."""
        result = self.call(*verb.split(), '--json', *arguments)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


def copy_programs(folder=PROGRAMS, child=WEIGHLOCK.parent / 'weighlock-child'):
    """The program, with that child beside it, for users who may not read where it is built."""
    folder.mkdir(exist_ok=True)
    for source, name in ((WEIGHLOCK, 'weighlock'), (child, 'weighlock-child')):
        shutil.copy(source, folder / name)
        (folder / name).chmod(0o755)
    folder.chmod(0o755)


def adopt_orphans():
    """What a call leaves behind becomes our child; it is no property that is inherited."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run_as_ordinary_user():
    """The exit code of the tests in a process that has given up root."""
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    adopt_orphans()
    os.setgroups([])
    os.setresgid(*[ORDINARY_USER] * 3)
    os.setresuid(*[ORDINARY_USER] * 3)
    sys.stderr.write('as an ordinary user:\n')
    os._exit(not unittest.main(module='__main__', exit=False).result.wasSuccessful())


def main():
    """Runs the tests of the calling program, for root as an ordinary user too."""
    adopt_orphans()
    try:
        copy_programs()
        failed = not unittest.main(module='__main__', exit=False).result.wasSuccessful()
        if os.geteuid() == 0:
            failed |= run_as_ordinary_user() != 0
    finally:
        shutil.rmtree(PROGRAMS)
    sys.exit(failed)
