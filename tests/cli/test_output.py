"""Where output goes and what it may hold: files that are whole or not there, full
disks, closed descriptors, text that must not play with a terminal."""
import os
import pathlib
import resource
import stat
import subprocess
import unittest

import numpy as np

from kit import (LIMIT, MODELS, OK, REFUSED, SYSTEM, TRUST, USAGE, VERBS, WEIGHLOCK, CliTest,
                 EveryVerbTest, Terminal, one_object, samples, type_of, wlk)

IRIS = MODELS / 'iris'
EVIL = 'red \x1b[31m bell \x07 c1 \x9b2J rtl \u202e back \u2028 tag \U000e0041 \x7f.'
HARMFUL = ('\x1b', '\x07', '\x9b', '\u202e', '\u2028', '\U000e0041', '\x7f')


def without(*closed):
    """What a child does to have these descriptors closed."""
    return lambda: [os.close(fd) for fd in closed]


class EveryVerb(EveryVerbTest):
    """Each row of the table of verbs, as text and as JSON."""

    def test_each_has_a_sample(self):
        self.assertEqual(set(self.SAMPLES), set(VERBS))

    def calls(self):
        """The calls of all verbs, and of help."""
        for verb in VERBS:
            for more in ((), ('--json',)) if ' --json' in self.help(verb) else ((),):
                yield self.sample(verb, *more)
            yield verb, '--help'
        yield from (('--help',), ('help', 'limits'), ('--version',), ('help', 'trust'))

    def assert_whole(self):
        """Nothing that was begun is left: no temporary names, no empty files."""
        for path in self.folder.rglob('*'):
            self.assertRegex(path.name, r'\A[A-Za-z0-9.]+\Z')
            self.assertNotRegex(path.name, r'\.[A-Za-z0-9]{6}\Z')
            self.assertGreater(path.stat().st_size, 0)

    def test_they_succeed(self):
        for call in self.calls():
            self.assertNotEqual(self.succeeds(*call), b'', call)

    def test_full_disk(self):
        for call in self.calls():
            with self.subTest(call), open('/dev/full', 'wb') as full:
                result = self.call(*call, stdout=full)
                self.assertEqual(result.returncode, SYSTEM)
                self.assertRegex(result.stderr, rb'\Aweighlock: cli: the output could not be '
                                 rb'written: standard output: No space left on device[^\n]*\n\Z')
        self.assert_whole()

    def test_closed_standard_output(self):
        for closed in ((1,), (0, 1), (1, 2), (0, 1, 2)):
            for call in self.calls():
                result = self.call(*call, preexec_fn=without(*closed))
                self.assertEqual(result.returncode, SYSTEM, (closed, call))
        self.assert_whole()

    def test_closed_standard_input_and_error(self):
        for call in self.calls():
            result = self.call(*call, preexec_fn=without(0, 2))
            self.assertEqual(result.returncode, OK, call)
            self.assertNotEqual(result.stdout, b'', call)

    def test_files_that_may_not_grow(self):
        """Under a limit that no file can keep to; those that write none do not notice."""
        def no_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
        before = sorted(self.folder.rglob('*'))
        for verb in VERBS:
            writes = '-o, --output' in self.help(verb) or verb in ('keygen', 'trust add')
            result = self.call(*self.sample(verb), preexec_fn=no_files)
            self.assertIn(result.returncode, (SYSTEM,) if writes else (OK, SYSTEM), verb)
            made = set(self.folder.rglob('*')) - set(before)
            self.assertEqual([path for path in made if path.is_file()], [], verb)

    def test_batches(self):
        names = b'model.wlk\0' * 3
        for verb in VERBS:
            if '--stdin0' not in self.help(verb):
                continue
            trusted = ('--stdin0', '--trust', self.trust)
            self.assertEqual(self.succeeds(verb, *trusted, input=names).count(b'\n'), 3)
            with open('/dev/full', 'wb') as full:
                result = self.call(verb, *trusted, input=names, stdout=full)
            self.assertEqual(result.returncode, SYSTEM)
            result = self.call(verb, *trusted, preexec_fn=without(0))
            self.assertEqual((result.returncode, result.stderr), (SYSTEM, b''))
            self.assertEqual(one_object(result.stdout)['rule'], 'input.read')


class Whole(CliTest):
    def setUp(self):
        super().setUp()
        self.iris()
        self.trusted = ('--trust', self.trust)
        self.predict = ('predict', 'model.wlk', IRIS / 'rows.csv', *self.trusted)

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())

    def test_what_fails_leaves_the_old_file(self):
        self.put('out', b'old')
        (self.folder / 'none').mkdir(mode=0o755)
        names = self.names()
        self.put('ragged.csv', b'1,2\n3\n')
        for code, arguments in (
                (REFUSED, ('predict', 'model.wlk', 'ragged.csv', '-o', 'out', *self.trusted)),
                (LIMIT, (*self.predict, '-o', 'out', '--limit', 'run_bytes=3000')),
                (LIMIT, (*self.predict, '-o', 'out', '--limit', 'run_operations=3000')),
                (USAGE, (*self.predict, '-o', 'out', '-f', 'npy')),
                (TRUST, ('predict', 'model.wlk', IRIS / 'rows.csv', '-o', 'out', '--trust', 'none')),
                (SYSTEM, ('pack', 'nowhere.json', '-o', 'out')),
                (SYSTEM, ('sign', 'model.wlk', '-s', 'nowhere.key', '-o', 'out', *self.trusted))):
            result = self.call(*arguments)
            self.assertEqual((result.returncode, result.stdout), (code, b''), result.stderr)
            self.assertEqual((self.folder / 'out').read_bytes(), b'old')
        self.assertEqual(self.names(), sorted([*names, 'ragged.csv']))

    def test_file_that_may_not_grow(self):
        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        names = self.names()
        rows = ('predict', 'model.wlk', IRIS / 'rows.csv', *self.trusted)
        for options in ((), ('-f', 'json')):
            result = self.call(*rows, *options, '-o', 'out', preexec_fn=small_files)
            self.assertEqual((result.returncode, result.stdout), (SYSTEM, b''))
            self.assertIn(b'weighlock: cli: the output could not be written: out: File too large',
                          result.stderr)
        result = self.call('pack', MODELS / 'digits' / 'spec.json', '-o', 'out',
                           preexec_fn=small_files)
        self.assertEqual(result.returncode, SYSTEM)
        self.assertIn(b'weighlock: write: the file cannot be written: out: ', result.stderr)
        self.assertEqual(self.names(), names)

    def test_full_disk_as_output_file(self):
        device = pathlib.Path('/dev/full')
        line = self.refused(SYSTEM, 'cli.output', *self.predict, '-o', device)
        self.assertIn('/dev/full: No space left on device', line)
        self.refused(SYSTEM, 'cli.output', 'sign', 'model.wlk', '-s', self.secret, '-o', device,
                     *self.trusted)
        self.assertTrue(stat.S_ISCHR(device.stat().st_mode))

    def test_closed_descriptors(self):
        result = self.call(*self.predict, '-o', 'out', preexec_fn=without(1))
        self.assertEqual(result.returncode, SYSTEM)  # it could not say that it was done
        result = self.call(*self.predict, preexec_fn=without(0, 2))
        self.assertEqual((result.returncode, result.stdout.count(b'\n')), (OK, 151))
        own = self.identity()
        result = self.call('predict', own, '-', *self.trusted, preexec_fn=without(0))
        self.assertEqual((result.returncode, result.stdout), (SYSTEM, b''))
        self.assertIn(b'weighlock: -: input: the file cannot be read', result.stderr)

    def test_reader_that_goes_away(self):
        reading, writing = os.pipe()
        os.close(reading)
        result = self.call(*self.predict, stdout=writing)
        os.close(writing)
        self.assertEqual(result.returncode, SYSTEM)
        self.assertIn(b'Broken pipe', result.stderr)

    def test_modes_and_links(self):
        out = self.put('out', b'')
        out.chmod(0o640)
        self.succeeds(*self.predict, '-o', 'out')
        self.assertEqual(stat.S_IMODE(out.stat().st_mode), 0o640)
        self.call(*self.predict, '-o', 'new', preexec_fn=lambda: os.umask(0o027))
        self.assertEqual(stat.S_IMODE((self.folder / 'new').stat().st_mode), 0o640)
        (self.folder / 'link').symlink_to('out')
        (self.folder / 'signed').symlink_to('model.wlk')
        before = out.read_bytes()
        for arguments in ((*self.predict, '-o', 'link'), (*self.predict, '-o', 'trust'),
                          ('sign', 'signed', '-s', self.secret, *self.trusted),
                          ('pack', IRIS / 'spec.json', '-o', 'link')):
            self.refused(USAGE, 'write.target', *arguments)
        self.assertEqual(out.read_bytes(), before)
        self.assertTrue((self.folder / 'link').is_symlink())

    def test_standard_output_by_its_name(self):
        """Many write to /dev/stdout; it is a link, and must stay one."""
        whole = self.succeeds(*self.predict)
        self.assertEqual(self.succeeds(*self.predict, '-o', '/dev/stdout'),
                         whole + b'/dev/stdout: wrote the results for 150 rows\n')
        with open(self.folder / 'taken', 'wb') as file:
            self.assertEqual(self.call(*self.predict, '-o', '/dev/stdout', stdout=file).returncode,
                             USAGE)
        self.assertTrue(pathlib.Path('/dev/stdout').is_symlink())

    def test_fifo(self):
        os.mkfifo(self.folder / 'fifo')
        reader = subprocess.Popen(['cat', 'fifo'], cwd=self.folder, stdout=subprocess.PIPE)
        self.succeeds(*self.predict, '-o', 'fifo')
        self.assertEqual(reader.communicate(timeout=60)[0], self.succeeds(*self.predict))


class Harmless(CliTest):
    """What a stranger wrote into a model is text for a person, and no more."""

    def evil(self):
        tensor = wlk.Tensor('w' + EVIL, 'f64', [1], np.array([1.0]))
        return self.model({
            'inputs': [{'name': 'X', 'type': type_of('f64', EVIL, 1)}],
            'nodes': [{'attr': {'classlabels_strings': {'strings': ['a' + EVIL, 'b' + EVIL]},
                                'post_transform': 'NONE'},
                       'domain': 'org.weighlock', 'in': ['X', 'k', 'b'], 'name': EVIL,
                       'op': 'LinearClassifier', 'out': ['l' + EVIL, 's' + EVIL]}],
            'outputs': [{'name': 'l' + EVIL}, {'name': 's' + EVIL}]},
            [tensor, wlk.Tensor('k', 'f64', [2, 1], np.array([1.0, -1.0])),
             wlk.Tensor('b', 'f64', [2], np.zeros(2))],
            name=f'{EVIL.replace("/", "")}.wlk', opset={'org.weighlock': 1},
            metadata={'tags': [EVIL], 'x-note': {EVIL: EVIL}}, version=EVIL)

    def assert_harmless(self, text):
        for character in HARMFUL:
            self.assertNotIn(character, text)

    def test_text(self):
        model = self.evil()
        rows = self.put('rows.csv', b'1\n')
        trusted = ('--trust', self.trust)
        for verb in ('inspect', 'verify'):
            result = self.call(verb, model, *trusted)
            self.assertEqual((result.returncode, result.stderr), (OK, b''))
            self.assertIn('red ?[31m bell ? c1 ', result.stdout.decode())
            self.assert_harmless(result.stdout.decode())
        for arguments in (('predict', model, rows, '--select', 'x' + EVIL),
                          ('predict', model, rows, '--select', EVIL, '--limit', EVIL),
                          ('predict', model, self.put('no.csv', b'\x1b[31m\n')),
                          ('inspect', f'nowhere{EVIL}.wlk'), ('inspect', '--' + EVIL),
                          ('verify', model, '--limit', 'file_bytes=1')):
            result = self.call(*arguments, *trusted)
            self.assertNotEqual(result.returncode, OK)
            self.assert_harmless(result.stderr.decode())
            self.assertEqual(result.stderr.count(b'\n'), 1)

    def test_json_says_it_exactly(self):
        model = self.evil()
        rows = self.put('rows.csv', b'1\n')
        trusted = ('--trust', self.trust)
        found = self.object('inspect', model, *trusted)
        self.assertEqual((found['file'], found['metadata']['/version']), (str(model), EVIL))
        self.assertEqual(found['metadata']['/metadata/x-note/' + EVIL], EVIL)
        self.assertIn('w' + EVIL, [tensor['name'] for tensor in found['tensors']])
        found = self.object('predict', model, rows, *trusted)
        self.assertEqual(found['outputs']['l' + EVIL], ['a' + EVIL])
        self.assertEqual(found['classes'], {'s' + EVIL: ['a' + EVIL, 'b' + EVIL]})
        result = self.call('inspect', model, '--json', *trusted)
        self.assertEqual([byte for byte in result.stdout if byte != 10 and not 32 <= byte < 127],
                         [])

    def test_file_names_that_are_no_text(self):
        result = self.call('inspect', b'a\xff\x80b\n\x1b.wlk')
        self.assertEqual(result.stderr.count(b'\n'), 1)
        self.assertIn(b'weighlock: a??b??.wlk: gate: ', result.stderr)
        result = self.call('inspect', b'a\xff\x80b', '--json')
        self.assertEqual(one_object(result.stdout)['file'], 'a\ufffd\ufffdb')

    def test_results_are_exact_but_on_a_terminal(self):
        model = self.evil()
        rows = self.put('rows.csv', b'1\n')
        arguments = ('predict', model, rows, '--trust', self.trust)
        self.assertIn(EVIL, self.succeeds(*arguments).decode())
        terminal = self.terminal(*arguments)
        said, code = terminal.end()
        self.assertEqual(code, OK)
        self.assertIn('a' + 'red ?[31m bell ? c1 ', said.decode())
        self.assert_harmless(said.decode())
        said, code = self.terminal(*arguments, '-f', 'npy', '--select', 'l' + EVIL).end()
        self.assertEqual(code, USAGE)
        self.assertIn(b'--format npy does not go to a terminal', said)

    def terminal(self, *arguments):
        return Terminal([WEIGHLOCK.resolve(), *arguments], self.environment(TERM='xterm-256color'),
                        self.folder)

    def test_no_colours(self):
        """So there is nothing for NO_COLOR to turn off."""
        self.iris()
        trusted = ('--trust', self.trust)
        commands = [('--help',), ('doctor',), ('inspect', 'model.wlk', *trusted),
                    ('verify', 'model.wlk', 'nowhere', *trusted),
                    ('predict', 'model.wlk', IRIS / 'rows.csv', *trusted)]
        for arguments in commands + [('help', verb) for verb in VERBS]:
            said, _ = self.terminal(*arguments).end()
            self.assertGreater(len(said), 50)
            self.assertNotIn(b'\x1b', said)

    def test_long_texts_are_cut_for_people(self):
        model = self.put('long.wlk', wlk.write(wlk.Model({
            'kind': 'model', 'name': 'ä' * 5000,
            'metadata': {'x-many': {f'{i:03}': i for i in range(100)}}}), samples.EXAMPLE_KEY))
        said = self.succeeds('inspect', model, '--trust', self.trust).decode()
        self.assertIn('ä' * 100 + '...\n', said)
        self.assertIn('... and 60 more entries (--json shows all)', said)
        self.assertEqual(self.object('inspect', model)['metadata']['/name'], 'ä' * 5000)


if __name__ == '__main__':
    unittest.main()
