"""The command line as a person or a script meets it: help, usage, exit codes, error
lines, JSON."""
import hashlib
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

from kit import (CAGE, LIMIT, MODELS, OK, REFUSED, ROOT, SYSTEM, TRUST, UNDECIDED, UNSUPPORTED,
                 USAGE, VERBS, WEIGHLOCK, CliTest, Terminal, samples, wlk)

COMMAND = re.compile(r'\bweighlock ((?:--)?[a-z]+)')
RULES = [[cell.strip() for cell in line.split('|')]
         for line in (ROOT / 'policy' / 'rules.policy').read_text().splitlines()
         if line.strip() and not line.startswith('#')]
LIMITS = [line.split('|')[0].strip()
          for line in (ROOT / 'policy' / 'limits.policy').read_text().splitlines()
          if line.strip() and not line.startswith('#')]


def examples(help_text):
    """The commands under "Examples:", continued lines joined."""
    text = help_text.split('Examples:\n')[1].replace('\\\n', '')
    return [line.strip() for line in text.splitlines()]


class Help(CliTest):
    def test_of_the_program(self):
        text = self.succeeds('--help').decode()
        for words in (('-h',), ('help',)):
            self.assertEqual(self.succeeds(*words).decode(), text)
        for verb in VERBS:
            self.assertRegex(text, rf'\n  {verb} +\w')
        self.assertEqual(text.count('\n  '), len(VERBS))
        for code, name in enumerate(('ok', 'refused', 'undecided', 'unsupported', 'usage', 'cage',
                                     'limit', 'trust', 'system')):
            self.assertRegex(text, rf'\b{code} {name}\b')

    def test_of_each_verb(self):
        for verb in VERBS:
            text = self.succeeds(verb, '--help').decode()
            self.assertTrue(text.startswith(f'usage: weighlock {verb} [OPTIONS]'))
            self.assertEqual(self.succeeds('help', *verb.split()).decode(), text)
            self.assertEqual(self.succeeds(verb, '-h').decode(), text)
            self.assertGreaterEqual(len(examples(text)), 2)
            for line in text.splitlines():
                self.assertLessEqual(len(line), 100)
                self.assertEqual(line, line.rstrip())

    def test_nothing_at_all_is_a_question_for_help(self):
        result = self.call()
        self.assertEqual((result.returncode, result.stdout), (USAGE, b''))
        self.assertEqual(result.stderr, self.succeeds('--help'))

    def test_version(self):
        version = re.search(r'^VERSION +:= (.+)$', (ROOT / 'Makefile').read_text(), re.M)[1]
        self.assertEqual(self.succeeds('--version').decode(), f'weighlock {version}\n')

    def test_limits(self):
        text = self.succeeds('help', 'limits').decode()
        self.assertEqual(re.findall(r'^  (\w+) +\d+ ', text, re.M), LIMITS)

    def test_unknown_topic(self):
        self.assertIn('did you mean verify?', self.call('help', 'verfy').stderr.decode())


class Examples(CliTest):
    """What --help shows works when it is pasted in a folder that has the files."""

    def make_files(self):
        for file in (MODELS / 'iris').iterdir():
            shutil.copy(file, self.folder)
        self.put('release.key', samples.EXAMPLE_KEY.text().encode()).chmod(0o600)
        public = self.put('release.pub', samples.EXAMPLE_KEY.public().text().encode())
        (self.trust / 'example.pub').unlink()
        shutil.copy(public, self.trust)
        shutil.copytree(self.trust, self.folder / '.config' / 'weighlock' / 'trust')
        self.iris(sign=False, name='upload.wlk')
        (self.folder / 'models').mkdir()
        for model in ('model.wlk', 'models/a.wlk', 'models/b.wlk'):
            self.iris(name=model)
        self.succeeds('meta set', 'model.wlk', '/x-draft=yes', '-s', self.secret)
        for onnx in ('upload.onnx', 'release.onnx'):
            shutil.copy(MODELS / 'forest' / 'upload.onnx', self.folder / onnx)
        self.succeeds('sign', 'release.onnx', '-s', self.secret, '--detached')
        rows = np.genfromtxt(MODELS / 'iris' / 'rows.csv', delimiter=',', skip_header=1)
        model = LogisticRegression(max_iter=1000).fit(rows[:, :4], np.arange(len(rows)) % 3)
        joblib.dump(model, self.folder / 'model.joblib')
        self.put('weights.onnx', b'not looked into')
        self.succeeds('sign', 'weights.onnx', '-s', self.secret, '--detached')
        sums = [f'{hashlib.sha256((self.folder / name).read_bytes()).hexdigest()}  {name}\n'
                for name in ('model.wlk', 'weights.onnx')]
        self.put('SHA256SUMS', ''.join(sums).encode())

    def setUp(self):
        super().setUp()
        self.make_files()
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.template = pathlib.Path(holder.name) / 'template'
        shutil.copytree(self.folder, self.template)

    def again(self):
        """From the beginning: an example may change what another one needs."""
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.template, self.folder, dirs_exist_ok=True)

    def paste(self, command):
        program = self.environment()['PATH']
        return subprocess.run(
            ['sh', '-c', command], cwd=self.folder, capture_output=True, timeout=120,
            stdin=subprocess.DEVNULL,
            env={**self.environment(), 'PATH': f'{WEIGHLOCK.parent.resolve()}:{program}'})

    def test_they_work(self):
        count = 0
        for verb in VERBS:
            if verb in ('keygen', 'doctor'):
                continue
            for example in examples(self.succeeds(verb, '--help').decode()):
                with self.subTest(example):
                    self.again()
                    if verb == 'trust add':
                        shutil.rmtree(self.folder / '.config')
                    result = self.paste(example)
                    self.assertEqual((result.returncode, result.stderr), (OK, b''))
                    into = re.search(r' > (\S+)$', example)
                    said = (self.folder / into[1]).read_bytes() if into else result.stdout
                    self.assertNotEqual(said, b'')
                    count += 1
        self.assertGreaterEqual(count, 30)

    def test_results_of_examples(self):
        example = next(one for one in examples(self.succeeds('predict', '--help').decode())
                       if '-o probabilities.npy' in one)
        self.assertEqual(self.paste(example).returncode, OK)
        probabilities = np.load(self.folder / 'probabilities.npy')
        self.assertEqual(probabilities.shape, (150, 3))

    def test_those_of_keygen_work(self):
        asks, other = examples(self.succeeds('keygen', '--help').decode())
        for name in ('release.key', 'release.pub', '.config/weighlock/trust/release.pub'):
            (self.folder / name).unlink()
        terminal = Terminal([str(WEIGHLOCK.resolve()), *shlex.split(asks)[1:]],
                            self.environment(), self.folder)
        terminal.answer(b'Password for the secret key: ', b'pass word\n')
        terminal.answer(b'Again: ', b'pass word\n')
        said, code = terminal.end()
        self.assertEqual(code, OK, said)
        self.assertNotIn(b'pass word', said)
        self.assertEqual(self.paste(other).returncode, OK)
        for name in ('release.pub', '.config/weighlock/trust/release.pub', 'trust/ci.pub'):
            wlk.public_key((self.folder / name).read_text())

    def test_those_of_doctor_work(self):
        plain, strict = examples(self.succeeds('doctor', '--help').decode())
        self.assertEqual(self.paste(plain).returncode, OK)
        layers = {row['layer']: row['state'] for row in self.object('doctor')['layers']}
        hold = all(layers[name] in ('reported', 'attested')
                   for name in strict.split()[-1].split(','))
        self.assertEqual(self.paste(strict).returncode, OK if hold else CAGE)

    def test_commands_in_hints_and_help_work(self):
        texts = [row[3] for row in RULES]
        texts += [self.succeeds(verb, '--help').decode() for verb in VERBS]
        named = {verb for text in texts for verb in COMMAND.findall(text)}
        self.assertEqual(named, {*(verb.split()[0] for verb in VERBS), 'help', '--help'})
        pasted = {match[1] for text in texts
                  for match in re.finditer(r'(?:run|see): (weighlock [^()|]+?)(?:\)|$)', text)}
        self.assertGreaterEqual(len(pasted), 3)
        for command in pasted:
            self.assertEqual(self.paste(command).returncode, OK, command)

    def test_documents_in_hints_and_help_exist(self):
        texts = [row[3] for row in RULES]
        texts += [self.succeeds(verb, '--help').decode() for verb in VERBS]
        named = {match for text in texts for match in re.findall(r'docs/[a-z0-9-]+\.md', text)}
        self.assertGreaterEqual(len(named), 3)
        self.assertEqual([name for name in named if not (ROOT / name).is_file()], [])

    def test_options_in_hints_exist(self):
        known = set(re.findall(r'--[a-z-]+', ''.join(self.succeeds(verb, '--help').decode()
                                                     for verb in VERBS)))
        for row in RULES:
            self.assertTrue(set(re.findall(r'--[a-z-]+', row[3])) <= known, row)


class Usage(CliTest):
    def test_errors(self):
        self.iris()
        for says, arguments in (
                ('unknown option --trsut; did you mean --trust?', ('verify', '--trsut', 'x')),
                ('unknown option --qqqqqqqqqqqq', ('verify', '--qqqqqqqqqqqq')),
                ('unknown option --sign', ('verify', '--sign', 'x', 'model.wlk')),
                ('unknown option -x', ('inspect', '-x', 'model.wlk')),
                ('--trust needs DIR', ('verify', 'model.wlk', '--trust')),
                ('--json takes no value', ('verify', '--json=yes', 'model.wlk')),
                ('0 operands, where this is wanted: weighlock verify [OPTIONS] FILE...',
                 ('verify',)),
                ('2 operands, where this is wanted: weighlock inspect [OPTIONS] FILE',
                 ('inspect', 'a', 'b')),
                ('1 operands', ('doctor', 'x')),
                ('unknown limit nodess=1; did you mean nodes?',
                 ('inspect', 'model.wlk', '--limit', 'nodess=1')),
                ('unknown limit =', ('inspect', 'model.wlk', '--limit', '=')),
                ('--limit nodes: nodes=NUMBER is wanted',
                 ('inspect', 'model.wlk', '--limit', 'nodes')),
                ('nodes=NUMBER is wanted', ('inspect', 'model.wlk', '--limit', 'nodes=-1')),
                ('nodes=NUMBER is wanted', ('inspect', 'model.wlk', '--limit', 'nodes=1k')),
                ('nodes=NUMBER is wanted',
                 ('inspect', 'model.wlk', '--limit', 'nodes=18446744073709551616')),
                ('--limit more than 64 times',
                 ('inspect', 'model.wlk', *('--limit', 'nodes=99') * 65)),
                ('unknown layer secomp; did you mean seccomp?', ('doctor', '--require', 'secomp')),
                ('unknown layer ', ('doctor', '--require', 'seccomp,')),
                ('unknown layer ', ('doctor', '--require', '')),
                ('--transport pip: it is one of pipe|map|auto',
                 ('inspect', 'model.wlk', '--transport', 'pip')),
                ('--uid 0: a number from 1', ('inspect', 'model.wlk', '--uid', '0')),
                ('--uid 4294967295: a number from 1', ('doctor', '--uid', '4294967295')),
                ('--uid x: a number from 1', ('doctor', '--uid', 'x')),
                ('pack needs --output FILE', ('pack', 'spec.json')),
                ('a model goes to a file', ('pack', 'spec.json', '-o', '-')),
                ('a model goes to a file', ('sign', 'model.wlk', '-s', 'k', '-o', '-')),
                ('sign needs --secret FILE', ('sign', 'model.wlk')),
                ('unknown option --password', ('sign', 'model.wlk', '--password', 'secret'))):
            with self.subTest(arguments):
                line = self.refused(USAGE, 'cli.usage', *arguments, says=says)
                self.assertTrue(line.startswith('weighlock: cli: the command line is not '))

    def test_empty_paths(self):
        """No option of any verb that names a file or folder takes an empty name: a variable
        that is not set must not mean another place."""
        seen = set()
        for verb in VERBS:
            text = self.succeeds(verb, '--help').decode()
            for option, kind in re.findall(r'(--[a-z0-9]+) (FILE|DIR|SECRET|LIST) ', text):
                says = f'{option} needs {kind}, not an empty name'
                for words in ((option, ''), (f'{option}=',)):
                    self.refused(USAGE, 'cli.usage', verb, *words, says=says, as_json=False)
                seen.add(option)
        self.assertEqual(seen, {'--output', '--secret', '--public', '--sign', '--trust', '--policy',
                                '--checksums', '--selftest'})

    def test_unknown_verb(self):
        line = self.call('predikt').stderr.decode()
        self.assertIn('unknown verb predikt; did you mean predict?', line)
        self.assertEqual(self.call('\x1b[31m').stderr.count(b'\x1b'), 0)

    def test_values_are_attached_or_follow(self):
        self.iris()
        for words in (('--trust', self.trust), (f'--trust={self.trust}',)):
            self.succeeds('verify', 'model.wlk', *words)
            self.succeeds('verify', *words, 'model.wlk')
        self.succeeds('pack', MODELS / 'iris' / 'spec.json', '-o=attached.wlk')
        self.assertTrue((self.folder / 'attached.wlk').exists())

    def test_operands_behind_two_dashes(self):
        self.iris(name='--json')
        self.iris(name='-')
        said = self.succeeds('verify', '--trust', self.trust, '--', '--json', '-').decode()
        self.assertEqual(re.findall(r'^(.*): ok: ', said, re.M), ['--json', '-'])
        self.refused(SYSTEM, 'gate.open', 'verify', '--trust', self.trust, '--', '--trust')

    def test_last_of_repeated_options_counts(self):
        self.iris()
        self.succeeds('verify', 'model.wlk', '--trust', 'nowhere', '--trust', self.trust)


class ExitCodes(CliTest):
    """One way to each verdict; the error line begins with the file's name."""

    def tampered(self):
        file = bytearray(self.iris().read_bytes())
        file[4200] ^= 1
        return self.put('tampered.wlk', bytes(file))

    def test_each(self):
        trusted = ('--trust', self.trust)
        rows = self.put('rows.csv', b'1,2\n')
        self.iris()
        self.succeeds('inspect', 'model.wlk', *trusted)
        overflow = MODELS / 'hostile' / 'overflow.wlk'
        line = self.refused(REFUSED, 'tensor.shape', 'inspect', overflow, *trusted,
                            says='at offset 648')
        self.assertTrue(line.startswith(f'weighlock: {overflow}: tensor: '))
        self.put('empty', b'')
        self.refused(UNDECIDED, 'format.empty', 'inspect', 'empty', *trusted)
        self.put('text', b'model, but not one that is known')
        self.refused(UNDECIDED, 'format.unknown', 'inspect', 'text', *trusted, says='at offset 0')
        own = self.model({'inputs': [{'name': 'X', 'type': {'tensor': {'dtype': 'f64',
                                                                       'shape': ['n', 2]}}}],
                          'nodes': [{'in': ['X'], 'op': 'Convolve', 'out': ['Y']}],
                          'outputs': [{'name': 'Y'}]})
        self.refused(UNSUPPORTED, 'plan.operator', 'predict', own, rows, *trusted)
        self.refused(LIMIT, 'limit.tensors', 'inspect', 'model.wlk', '--limit', 'tensors=2',
                     *trusted)
        self.refused(TRUST, 'trust.chunk-digest', 'inspect', self.tampered(), *trusted,
                     says='at offset 4096')
        line = self.refused(SYSTEM, 'gate.open', 'inspect', 'nowhere.wlk', *trusted)
        self.assertEqual(line, 'weighlock: nowhere.wlk: gate: the file cannot be opened: '
                               'No such file or directory (check the path and its permissions)\n')
        self.refused(SYSTEM, 'gate.not-regular', 'inspect', self.folder, *trusted)
        self.refused(SYSTEM, 'gate.not-regular', 'sign', '/dev/null', '-s', self.secret, *trusted)

    def test_cage_without_its_child(self):
        self.iris()
        alone = self.folder / 'bin' / 'weighlock'
        alone.parent.mkdir()
        shutil.copy(WEIGHLOCK, alone)
        trusted = ('--trust', self.trust)
        result = self.call('inspect', 'model.wlk', *trusted, program=alone)
        self.assertEqual((result.returncode, result.stdout), (CAGE, b''))
        self.assertTrue(result.stderr.startswith(b'weighlock: model.wlk: cage: '), result.stderr)
        self.assertEqual(self.call('doctor', program=alone).returncode, CAGE)
        self.succeeds('verify', 'model.wlk', *trusted, program=alone)  # needs none

    def test_worst_of_several_files(self):
        good, bad = self.iris(), self.tampered()
        self.put('text', b'not a model')
        self.put('large', bytes(10000))
        small = ('--limit', 'file_bytes=9999')
        for code, files in ((OK, (good, good)), (UNDECIDED, (good, 'text', good)),
                            (TRUST, (bad, 'text')), (TRUST, ('text', bad)),
                            (LIMIT, ('large', bad)), (LIMIT, (bad, 'large', 'text')),
                            (SYSTEM, ('large', 'nowhere', bad)), (SYSTEM, ('nowhere', good))):
            result = self.call('verify', *files, '--trust', self.trust, *small)
            self.assertEqual(result.returncode, code, files)
            said = result.stdout.count(b': ok: ') + result.stderr.count(b'\n')
            self.assertEqual(said, len(files))  # each file is told about

    def test_unsigned_and_strangers(self):
        trusted = ('--trust', self.trust)
        unsigned = self.iris(sign=False, name='unsigned.wlk')
        stranger = self.put('stranger.wlk', wlk.write(samples.classifier(), samples.STRANGER_KEY))
        for path, rule in ((unsigned, 'trust.unsigned'), (stranger, 'trust.unknown-key')):
            self.succeeds('inspect', path, *trusted)
            self.refused(TRUST, rule, 'verify', path, *trusted, says='at offset 110')
            self.refused(TRUST, rule, 'predict', path, 'no-rows.csv', *trusted,
                         says='at offset 110')
            self.succeeds('verify', path, *trusted, '--allow-unsigned')
        rows = MODELS / 'iris' / 'rows.csv'
        self.succeeds('predict', unsigned, rows, *trusted, '--allow-unsigned')

    def test_trust_folder_is_below_home(self):
        self.iris()
        self.refused(TRUST, 'trust.unknown-key', 'verify', 'model.wlk')
        folder = self.folder / '.config' / 'weighlock' / 'trust'
        folder.mkdir(parents=True)
        shutil.copy(self.trust / 'example.pub', folder)
        self.succeeds('verify', 'model.wlk')
        (folder / 'broken.pub').write_text('nonsense')
        line = self.refused(TRUST, 'trust.key-text', 'verify', 'model.wlk')
        self.assertTrue(line.startswith('weighlock: trust: '))  # the model is not to blame
        self.succeeds('doctor')  # nor is the cage
        self.refused(SYSTEM, 'trust.folder-read', 'inspect', 'model.wlk', '--trust', 'nowhere')

    def test_limits_on_both_sides(self):
        trusted = ('--trust', self.trust)
        model, rows = self.iris(), MODELS / 'iris' / 'rows.csv'
        size = model.stat().st_size
        for limit, rule in (('file_bytes', 'limit.file-bytes'), ('header_bytes', 'limit.header-bytes'),
                            ('nodes', 'limit.nodes'), ('name_bytes', 'limit.name-bytes'),
                            ('metadata_entries', 'limit.metadata-entries'),
                            ('output_bytes', 'limit.output-bytes')):
            self.refused(LIMIT, rule, 'inspect', model, *trusted, '--limit', f'{limit}=1')
        self.succeeds('inspect', model, *trusted, '--limit', f'file_bytes={size}')
        for limit, rule in (('run_bytes', 'plan.memory'), ('input_bytes', 'input.size'),
                            ('columns', 'csv.columns'), ('run_operations', 'run.operations')):
            self.refused(LIMIT, rule, 'predict', model, rows, *trusted, '--limit', f'{limit}=2')
        self.refused(LIMIT, 'input.size', 'pack', MODELS / 'iris' / 'spec.json', '-o', 'x.wlk',
                     '--limit', 'json_bytes=100')

    def test_options_of_the_cage(self):
        trusted = ('--trust', self.trust)
        model = self.iris()
        whole = self.succeeds('inspect', model, *trusted)
        for words in (('--transport', 'pipe'), ('--transport', 'map'), ('--transport', 'auto'),
                      ('--require', 'seccomp,no-new-privs'), ('--uid', '12345')):
            self.assertEqual(self.succeeds('inspect', model, *trusted, *words), whole)


class Json(CliTest):
    def test_success_of_every_verb(self):
        trusted = ('--trust', self.trust)
        keys = {
            'keygen': ('-s', 'n.key', '-p', 'n.pub', '--unencrypted', *trusted),
            'pack': (MODELS / 'iris' / 'spec.json', '-o', 'model.wlk', '--sign', self.secret),
            'sign': ('model.wlk', '-s', 'n.key', '-o', 'other.wlk', *trusted),
            'verify': ('model.wlk', 'other.wlk', *trusted),
            'inspect': ('model.wlk', *trusted),
            'predict': ('model.wlk', MODELS / 'iris' / 'rows.csv', *trusted),
            'doctor': (),
        }
        found = {verb: self.object(verb, *arguments) for verb, arguments in keys.items()}
        self.assertEqual({one['verdict'] for one in found.values()}, {'ok'})
        self.assertEqual(set(found['keygen']), {'verdict', 'key', 'secret', 'public', 'trusted'})
        self.assertEqual(found['pack'], {
            'verdict': 'ok', 'file': 'model.wlk', 'key': '0807060504030201',
            'bytes': (self.folder / 'model.wlk').stat().st_size})
        self.assertEqual(found['sign']['key'], found['keygen']['key'])
        self.assertEqual([(one['file'], one['verdict'], one['signature'], one['key_name'])
                          for one in found['verify']['files']],
                         [('model.wlk', 'ok', 'trusted', 'example'),
                          ('other.wlk', 'ok', 'trusted', 'n')])
        self.assertEqual(found['inspect']['signature']['state'], 'trusted')
        self.assertEqual(len(found['predict']['outputs']['label']), 150)
        self.assertEqual(found['predict']['classes'],
                         {'probabilities': ['setosa', 'versicolor', 'virginica']})
        self.assertIn({'layer': 'seccomp', 'required': True, 'state': 'attested',
                       'known': 'attested', 'errno': 0, 'error': None, 'advice': None},
                      found['doctor']['layers'])
        unsigned = self.object('pack', MODELS / 'iris' / 'spec.json', '-o', 'u.wlk')
        self.assertIsNone(unsigned['key'])

    def test_refusals(self):
        trusted = ('--trust', self.trust)
        overflow = MODELS / 'hostile' / 'overflow.wlk'
        found = self.object('inspect', overflow, *trusted, code=REFUSED)
        self.assertEqual(set(found), {'file', 'verdict', 'exit', 'rule', 'offset', 'text', 'detail',
                                      'hint'})
        self.assertEqual((found['file'], found['verdict'], found['exit'], found['rule'],
                          found['offset']), (str(overflow), 'refused', 1, 'tensor.shape', 648))
        row = next(row for row in RULES if row[0] == 'tensor.shape')
        self.assertEqual((found['text'], found['hint']), (row[2], row[3]))
        found = self.object('doctor', '--require', 'nonsense', code=USAGE)
        self.assertEqual((found['rule'], found['offset']), ('cli.usage', None))
        found = self.object('verify', 'nowhere', overflow, *trusted, code=SYSTEM)
        self.assertEqual(found['verdict'], 'system')
        self.assertEqual([one['verdict'] for one in found['files']], ['system', 'ok'])
        # Before --json was reached.
        result = self.call('verify', '--bogus', '--json')
        self.assertEqual(result.stdout[:1], b'{')


if __name__ == '__main__':
    unittest.main()
