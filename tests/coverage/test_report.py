"""What the coverage report holds its lists against, without a coverage build."""
import contextlib
import io
import unittest

import report


def differs(found, always=(), sometimes=()):
    with contextlib.redirect_stdout(io.StringIO()):
        return report.compare('branch', 'list', found, (list(always), list(sometimes)))


class Lists(unittest.TestCase):
    def test_each_branch_is_on_a_line_of_its_file(self):
        always, sometimes = report.excused('unreached.txt', 4)
        self.assertTrue(always)
        for path, line, outcome in always + sometimes:
            with self.subTest(path=path, line=line):
                self.assertIn(line, [each.strip() for each in report.read(path).splitlines()])
                self.assertRegex(outcome, ' is (true|false)$')

    def test_each_rule_is_one(self):
        always, sometimes = report.excused('unreached_rules.txt', 2)
        for name, in always + sometimes:
            self.assertIn(name, report.rule_names().values())

    def test_lists_are_compared_both_ways(self):
        row, other = ('a', 'b', 'c'), ('d', 'e', 'f')
        self.assertFalse(differs([row], [row]))
        self.assertTrue(differs([row]))
        self.assertTrue(differs([], [row]))
        self.assertTrue(differs([row, row], [row]))
        self.assertTrue(differs([other], [row]))
        self.assertFalse(differs([], [], [row]))
        self.assertFalse(differs([row], [], [row]))


class Rules(unittest.TestCase):
    def test_comparisons_give_no_rule(self):
        found = list(report.producers('trust'))
        self.assertIn('RULE_TRUST_FOLDER_NONE', {symbol for *_, symbol in found})
        for path, line, column, symbol in found:
            text = report.read(path).splitlines()[line - 1]
            self.assertTrue(text[column - 1:].startswith(symbol), (path, line))
            self.assertNotRegex(text[:column - 1], '[!=]= *$')


if __name__ == '__main__':
    unittest.main()
