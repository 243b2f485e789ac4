"""Completion: the scripts, and what bash makes of them."""
import re
import subprocess
import unittest

from kit import USAGE, VERBS, WEIGHLOCK, CliTest

GROUPS = {verb.split()[0] for verb in VERBS if ' ' in verb}

# Completes the line that is given as words, the last of which is unfinished.
HARNESS = '''
source "$1" || exit 1; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_weighlock
printf '%s\\n' "${COMPREPLY[@]}"
'''


class Bash(CliTest):
    def setUp(self):
        super().setUp()
        self.script = self.put('script', self.succeeds('completion', 'bash'))
        (self.folder / 'models').mkdir()
        for name in ('a model.wlk', 'a*.wlk', 'rows.csv'):
            self.put(name, b'')

    def complete(self, *words):
        result = subprocess.run(['bash', '--norc', '-c', HARNESS, 'bash', self.script, 'weighlock',
                                 *words], cwd=self.folder, capture_output=True, timeout=60)
        self.assertEqual((result.returncode, result.stderr), (0, b''))
        return result.stdout.decode().splitlines() if result.stdout != b'\n' else []

    def options(self, verb):
        """As its help has them."""
        text = self.succeeds(verb, '--help').decode()
        return set(re.findall(r'(?m)^  (?:(-[A-Za-z]), )?(--[a-z0-9-]+)', text))

    def test_verbs(self):
        first = {verb.split()[0] for verb in VERBS}
        self.assertEqual(set(self.complete('')), {*first, 'help', '--help', '--version'})
        self.assertEqual(set(self.complete('help', '')), {*first, 'help', 'limits'})
        for group in GROUPS:
            self.assertEqual([f'{group} {word}' for word in self.complete(group, '')],
                             [verb for verb in VERBS if verb.startswith(f'{group} ')])
        self.assertEqual(self.complete('ver'), ['verify'])
        self.assertEqual(self.complete('trust', 'rev'), ['revoke'])
        self.assertEqual(self.complete('nonsense', ''), [])

    def test_options_of_each_verb(self):
        for verb in VERBS:
            known = {one for pair in self.options(verb) for one in pair if one}
            self.assertGreater(len(known), 1)
            self.assertEqual(set(self.complete(*verb.split(), '-')), known, verb)
        self.assertEqual(self.complete('verify', '--allow'), ['--allow-unsigned'])

    def test_values(self):
        for line, found in ((('--transport', ''), ['pipe', 'map', 'auto']),
                            (('--transport', '=', 'm'), ['map']),
                            (('--transport', '='), ['pipe', 'map', 'auto']),
                            (('--limit', 'graph'), ['graphs=', 'graph_depth=']),
                            (('--require', 'sec'), ['seccomp']),
                            (('--trust', ''), ['models', 'trust']),
                            (('--policy', 'ro'), ['rows.csv']),
                            (('--sha256', 'a'), []),
                            (('--sha256', '-'), [])):
            self.assertEqual(sorted(self.complete('inspect', *line)), sorted(found), line)
        self.assertEqual(self.complete('predict', '-f', 'n'), ['npy'])
        self.assertEqual(self.complete('predict', '--na', 'r'), [])
        self.assertEqual(self.complete('completion', ''), ['bash', 'zsh', 'fish'])

    def test_files(self):
        for words in (('inspect',), ('inspect', '--json'), ('verify', 'rows.csv'), ('trust', 'add'),
                      ('verify', '--'), ('verify', '--', '--trust'), ('predict', 'a model.wlk')):
            self.assertEqual(sorted(self.complete(*words, 'a')), ['a model.wlk', 'a*.wlk'], words)
        for words in (('doctor',), ('trust', 'list'), ('trust', 'revoke')):
            self.assertEqual(self.complete(*words, 'a'), [], words)
        self.assertEqual(self.complete('verify', '--', '--'), [])


class Scripts(CliTest):
    def test_each_names_everything(self):
        for shell in ('bash', 'zsh', 'fish'):
            script = self.succeeds('completion', shell).decode()
            for verb in VERBS:
                self.assertIn(verb, script)
                for option in re.findall(r'--([a-z0-9-]+)',
                                         self.succeeds(verb, '--help').decode().split('\n\n')[2]):
                    spelled = f'-l {option} ' if shell == 'fish' else f'--{option}'
                    self.assertIn(spelled, script)
            self.assertIn(f'weighlock completion {shell}\n', script)

    def test_bash_finds_no_fault(self):
        for options in (['-n'], ['-eu']):
            result = subprocess.run(['bash', '--norc', *options], capture_output=True, timeout=60,
                                    input=self.succeeds('completion', 'bash'))
            self.assertEqual((result.returncode, result.stderr), (0, b''))

    def test_quotes_are_balanced(self):
        """The shells zsh and fish need not be here. In neither script a quoted text goes
        beyond its line, but for two backslashes' worth of continued lines."""
        for shell in ('zsh', 'fish'):
            for line in self.succeeds('completion', shell).decode().splitlines():
                bare = re.sub(r"'\\''" if shell == 'zsh' else r"\\'", '', line)
                self.assertEqual(bare.count("'") % 2, 0, line)
                self.assertEqual(bare.count('"') % 2, 0, line)

    def test_other_shells(self):
        line = self.call('completion', 'csh').stderr.decode()
        self.assertIn('completion csh: it is one of bash|zsh|fish', line)
        self.assertEqual(self.call('completion').returncode, USAGE)

    def test_the_build_makes_them(self):
        for shell in ('bash', 'zsh', 'fish'):
            made = WEIGHLOCK.parents[1] / 'completion' / shell
            self.assertEqual(made.read_bytes(), self.succeeds('completion', shell))


if __name__ == '__main__':
    unittest.main()
