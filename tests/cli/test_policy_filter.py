"""The filter of the confined child, as the program shows it: the rows of its policy with
their reasons, and the listing of what they were compiled to."""
import platform
import unittest

from kit import ROOT, USAGE, WEIGHLOCK, CliTest

ROWS = [[cell.strip() for cell in line.split('|')]
        for line in (ROOT / 'policy' / 'syscalls.policy').read_text().splitlines()
        if line.strip() and not line.startswith('#')]
GOLDEN = ROOT / 'tests' / 'cage' / f'filter.{platform.machine()}.pfc'


class Filter(CliTest):
    def test_every_row_with_its_reason(self):
        lines = self.succeeds('policy', '--syscalls').decode().splitlines()
        self.assertEqual(len(ROWS), 3)
        self.assertEqual([line.split(None, 1)[0] for line in lines[:-1]],
                         [name for name, _, _ in ROWS])
        for line, (_, condition, why) in zip(lines, ROWS):
            self.assertTrue(line.endswith(f' {why}') and condition in line, line)
        self.assertEqual(lines[-1], 'Every other call kills the process.')

    def test_every_row_as_json(self):
        found = self.object('policy', '--syscalls')
        self.assertEqual(found, {
            'verdict': 'ok', 'otherwise': 'kill-process',
            'syscalls': [{'name': name, 'condition': condition, 'why': why}
                         for name, condition, why in ROWS]})

    def test_the_listing_is_the_golden_one(self):
        golden = GOLDEN.read_bytes()
        self.assertEqual(self.succeeds('policy', '--pfc'), golden)
        self.assertEqual(self.object('policy', '--pfc'), {'verdict': 'ok', 'pfc': golden.decode()})
        built = WEIGHLOCK.parents[1] / 'gen' / 'filter.pfc'  # what the child was made from
        self.assertEqual(built.read_bytes(), golden)

    def test_no_policy_file_changes_it(self):
        for option in ('--syscalls', '--pfc'):
            for more in (('--policy', 'p.conf'), ('--limit', 'nodes=1'), ('--threshold', '2')):
                self.refused(USAGE, 'cli.usage', 'policy', option, *more,
                             says=f'{option} is compiled in and stands alone: leave {more[0]} out')
        self.refused(USAGE, 'cli.usage', 'policy', '--pfc', '--syscalls',
                     says='--syscalls is compiled in and stands alone: leave --pfc out')


if __name__ == '__main__':
    unittest.main()
