#!/usr/bin/python3
"""Hostile pickles, joblib and numpy files are refused with verdict, rule and offset (invariants 7
and 9), each in a cage that holds (invariant 3), and the harmless ones beside them are taken."""
import collections
import os
import pathlib
import pickletools
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import gadgets  # noqa: E402
import make_pickles  # noqa: E402
import rows_estimators  # noqa: E402
from cases import ANYWHERE, verdicts  # noqa: E402
from weighlock import AT_ONCE, WEIGHLOCK, inspect  # noqa: E402

# Of each kind there are so many files at least.
FEWEST = {'names': 30, 'operands': 10, 'memo': 8, 'old': 20, 'outside': 9, 'targets': 60, 'calls': 20, 'distributions': 45,
          'hidden': 14, 'frames': 8, 'streams': 14, 'lengths': 20, 'depth': 12, 'floods': 4, 'joblib': 30,
          'dtypes': 50, 'npy': 25, 'packed': 40, 'polyglots': 15, 'trees': 30, 'ensembles': 18,
          'linear': 30, 'preparing': 25, 'growing': 4, 'leaking': 2, 'compressed': 90, 'gadget': 2000}
MOST_MEMORY = 900 << 20  # more than the child's heap and what is decompressed into it
SANITIZED = 4  # times as much


def lies_there(case, offset):
    """Is the offset one that the row leaves open?"""
    if not isinstance(offset, int) or not 0 <= offset <= len(case.data):
        return False
    if case.offset is ANYWHERE:
        return True
    return any(at == offset and opcode.name == case.offset
               for opcode, _, at in pickletools.genops(case.data))


class Pickles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.holder.cleanup)
        cls.folder = pathlib.Path(cls.holder.name)
        cls.rows = make_pickles.write(cls.folder)
        cls.answers = cls.inspect_all()

    @classmethod
    def inspect_all(cls):
        """By file; those with limits of their own in a batch for each."""
        batches = collections.defaultdict(list)
        for case, path in cls.rows:
            batches[case.limits].append((case, path))
        answers = {}
        for limits, rows in batches.items():
            for first in range(0, len(rows), AT_ONCE):
                some = rows[first:first + AT_ONCE]
                found = inspect([path for _, path in some], limits, cls.folder)
                answers.update((case.file, answer) for (case, _), answer in zip(some, found))
        return answers

    def test_each_file(self):
        verdict_of = verdicts()
        wrong = []
        for case, path in self.rows:
            answer = self.answers[case.file]
            found = answer['verdict'], answer.get('rule'), answer.get('offset')
            wanted = verdict_of[case.rule] if case.rule else 'ok', case.rule, case.offset
            if isinstance(case.offset, str) and lies_there(case, found[2]):
                wanted = *wanted[:2], found[2]
            if found != wanted:
                wrong.append(f"{case.file}: {found} {answer.get('detail', '')[:100]!r} instead of {wanted}")
        counts = collections.Counter(answer['verdict'] for answer in self.answers.values())
        print(f'{len(self.rows)} files: {dict(counts)}')
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_what_refuses_says_what_to_do(self):
        for case, _ in self.rows:
            answer = self.answers[case.file]
            if answer['verdict'] != 'ok':
                self.assertTrue(answer['text'] and answer['hint'], case.file)

    def test_no_cage_was_broken(self):
        """A child that did what it may not, died, or was no longer believed is verdict 5."""
        broken = {file: answer.get('rule') for file, answer in self.answers.items()
                  if answer['verdict'] in ('cage', 'system', 'usage')}
        self.assertEqual(broken, {})

    def test_every_kind_is_there(self):
        hostile = collections.Counter(case.kind for case, _ in self.rows if case.rule)
        self.assertEqual([kind for kind, fewest in FEWEST.items() if hostile[kind] < fewest], [])
        self.assertEqual(set(FEWEST), set(hostile))

    def test_names_of_the_corpora(self):
        """Each gadget's refusal says its name."""
        for module, name in gadgets.GADGETS:
            file = f'{module} {name} on_stack'
            case = next(case for case, _ in self.rows if case.name == file)
            self.assertEqual(self.answers[case.file]['detail'], f'{module}.{name}')

    def test_memory_of_the_largest(self):
        """Bombs of all kinds stay within limits (invariant 7)."""
        most = MOST_MEMORY * (SANITIZED if b'__asan_init' in WEIGHLOCK.read_bytes() else 1)
        bombs = [(case, path) for case, path in self.rows
                 if case.kind in ('depth', 'packed', 'growing') and (case.rule or '').startswith('limit.')]
        self.assertGreater(len(bombs), 20)
        for case, path in bombs:
            self.assertLess(memory_of(path, case.limits), most, case.file)

    def test_secrets_stay_behind(self):
        """What a file holds beside the model is not in what it is converted to."""
        for case, path in self.rows:
            if case.kind != 'leaking' or case.rule:
                continue
            self.assertIn(rows_estimators.SECRET.encode(), case.data)
            out = self.folder / 'out.wlk'
            subprocess.run([WEIGHLOCK, 'convert', '--allow-unsigned', '-o', out, path], check=True,
                           env={**os.environ, 'HOME': str(self.folder)}, timeout=60,
                           stdout=subprocess.DEVNULL)
            written = out.read_bytes()
            out.unlink()
            self.assertNotIn(rows_estimators.SECRET.encode(), written, case.file)


def memory_of(path, limits):
    """The most bytes that the command, or its child, had in memory."""
    options = [word for limit in limits for word in ('--limit', limit)]
    pid = os.posix_spawn(WEIGHLOCK, [WEIGHLOCK, 'inspect', '--json', *options, path],
                         {**os.environ, 'HOME': str(path.parent)},
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0)])
    return os.wait4(pid, 0)[2].ru_maxrss * 1024


if __name__ == '__main__':
    unittest.main()
