"""fuzz/run.py with a program in the engine's place: what is found is reported with its path
and fails the run, everything is counted, and totals accumulate. Workflow files name actions
that cannot change under them."""
import argparse
import contextlib
import io
import json
import os
import pathlib
import re
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'fuzz'))
sys.dont_write_bytecode = True
from runner import campaign, engine, figures, tree  # noqa: E402

TARGET = 'digest_list'
GOOD = '''#!/bin/sh
echo "$@" >>"$0.calls"
echo '#2	INITED cov: 10 ft: 20 corp: 1/1b exec/s: 0 rss: 30Mb'
echo '#4096	NEW    cov: 12 ft: 25 corp: 2/2b exec/s: 0 rss: 30Mb'
echo 'stat::number_of_executed_units: 5000'
'''
CRASH = GOOD + '''echo '==1== ERROR: AddressSanitizer: heap-buffer-overflow'
echo "artifact_prefix='x'; Test unit written to $0.crash"
exit 77
'''
HANG = GOOD + '''echo '==1== ERROR: libFuzzer: timeout after 10 seconds'
echo "Test unit written to $0.timeout"
exit 70
'''
# Fails when it is given files by name, as a replay gives them.
STALE = GOOD + '''for word; do case $word in -*) ;; *) echo "Running: $word"; [ -d "$word" ] || exit 77 ;; esac; done
'''


class Engine(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folders = tree.Folders(pathlib.Path(scratch.name))
        self.program = tree.made(self.folders.engine) / f'fuzz_{TARGET}'

    def call(self, command, script, **options):
        """What a command returns and prints with that script as the target."""
        self.program.write_text(script)
        self.program.chmod(0o755)
        args = argparse.Namespace(**{'seconds': 1, 'jobs': 1, 'empty': False, **options})
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = command(self.folders, [TARGET], args)
        return code, out.getvalue()

    def calls(self):
        return pathlib.Path(f'{self.program}.calls').read_text().splitlines()

    def totals(self):
        return json.loads(self.folders.totals.read_text())

    def test_good_run(self):
        code, out = self.call(campaign.check, GOOD)
        self.assertEqual(code, 0)
        self.assertIn('5,000 executions', out)
        self.assertIn('12 edges', out)
        self.assertTrue(out.endswith('1 passed, 0 failed\n'))
        replayed, fuzzed = self.calls()
        self.assertIn(f'seeds/{TARGET}/good-sha256', replayed)
        self.assertIn('-max_total_time=1', fuzzed)
        self.assertIn('-max_len=4096', fuzzed)

    def test_findings(self):
        for script, name, kind in ((CRASH, 'crash', 'crashes'), (HANG, 'timeout', 'hangs')):
            with self.subTest(kind=kind):
                code, out = self.call(campaign.fuzz, script)
                self.assertEqual(code, 1)
                self.assertRegex(out, rf'the input: +{self.program}\.{name}\n')
                self.assertRegex(out, rf'reproduce it: +{self.program} .*{self.program}\.{name}\n')
                self.assertEqual(self.totals()[-1][kind], 1)

    def test_replay_names_the_input(self):
        code, out = self.call(campaign.check, STALE)
        self.assertEqual(code, 1)
        self.assertRegex(out, r'the input: +\S*/(seeds|regressions)/digest_list/\S+\n')

    def test_totals_accumulate(self):
        for _ in range(3):
            self.call(campaign.check, GOOD)
        rows = self.totals()
        self.assertEqual([row['executions'] for row in rows], [5000] * 3)
        totals = {}
        for row in rows:
            name = row.pop('target')
            totals[name] = figures.added(totals[name], row) if name in totals else row
        page = figures.totals_table(totals)
        self.assertIn(f'| `{TARGET}` | 15,000 |', page)
        again = figures.recorded(page)
        self.assertEqual(again[TARGET]['executions'], 15000)
        self.assertEqual(figures.totals_table(again), page)

    def test_a_missing_program_is_no_success(self):
        with self.assertRaises(OSError):
            engine.run(self.folders, TARGET, [], seconds=1)


class Options(unittest.TestCase):
    def test_of_each_target(self):
        for target in tree.TARGETS:
            with self.subTest(target=target):
                for name, value in tree.options(target).items():
                    self.assertRegex(name, r'^[a-z_]+$')
                    self.assertRegex(value, r'^\d+$')
        for path in (ROOT / 'fuzz/options').iterdir():
            self.assertIn(path.name, ['default', *tree.TARGETS])

    def test_each_target_has_a_structure(self):
        header = (ROOT / 'fuzz/kit/structure.h').read_text()
        for target in tree.TARGETS:
            self.assertIn(f'structure_{tree.structure(target)};', header)


class Workflows(unittest.TestCase):
    def test_pinned_and_without_rights(self):
        found = list((ROOT / '.github/workflows').glob('cflite_*.yml'))
        self.assertEqual(len(found), 5)
        for path in found:
            text = path.read_text()
            with self.subTest(workflow=path.name):
                self.assertIn('\npermissions: read-all\n', text)
                for action in re.findall(r'uses: (.*)', text):
                    self.assertRegex(action, r'@[0-9a-f]{40} # v\d')


if __name__ == '__main__':
    os.environ.pop(engine.PLAIN, None)
    unittest.main()
