"""What vouches for a file: signatures inside it and beside it, expected digests,
thresholds, one key instead of a folder; and many files in one go."""
import hashlib
import json
import shutil
import subprocess
import unittest

from kit import (LIMIT, MODELS, OK, REFUSED, SYSTEM, TRUST, UNDECIDED, USAGE, WEIGHLOCK, CliTest,
                 one_object, samples, wlk)

SECOND = wlk.SecretKey(bytes(range(21, 29)), bytes(range(64, 96)))
NUMBER = {'example': '0807060504030201', 'second': SECOND.number[::-1].hex().upper(),
          'stranger': samples.STRANGER_KEY.number[::-1].hex().upper()}


class EvidenceTest(CliTest):
    """Besides: `second.key`, trusted too; `stranger.key`, which is not; `weights.onnx`."""

    def setUp(self):
        super().setUp()
        self.trusted = ('--trust', self.trust)
        self.iris()
        for name, key in (('second', SECOND), ('stranger', samples.STRANGER_KEY)):
            self.put(f'{name}.key', key.text().encode()).chmod(0o600)
            self.put(f'{name}.pub', key.public().text().encode())
        shutil.copy(self.folder / 'second.pub', self.trust)
        self.put('weights.onnx', b'these bytes are not looked into')

    def key(self, name):
        return self.secret if name == 'example' else self.folder / f'{name}.key'

    def sign(self, file, name, *more):
        return self.succeeds('sign', file, '-s', self.key(name), '--detached', *more,
                             *self.trusted).decode()

    def digest(self, file, kind='sha256', **options):
        return hashlib.new(kind, (self.folder / file).read_bytes(), **options).hexdigest()

    def verify(self, *arguments, code=OK):
        """The one file's entry in what verify --json says."""
        found = self.object('verify', *arguments, *self.trusted, code=code)
        self.assertEqual(len(found['files']), 1)
        return found['files'][0]


class Detached(EvidenceTest):
    def test_places(self):
        second = NUMBER['second']
        for file, path in (('model.wlk', f'model.wlk.{second}.minisig'),
                           ('weights.onnx', 'weights.onnx.minisig')):
            said = self.sign(file, 'second')
            self.assertEqual(said, f'{path}: wrote the signature of {file} with key {second}\n')
            self.assertTrue((self.folder / path).is_file())
        self.sign('weights.onnx', 'second', '-o', 'elsewhere.minisig')
        self.assertEqual(len(list(self.folder.glob('*.minisig'))), 3)

    def test_minisign_reads_them(self):
        for options, comment in ((('-t', 'release 1.2'), 'release 1.2'), ((), None)):
            self.sign('weights.onnx', 'second', *options)
            result = subprocess.run(['minisign', '-V', '-p', 'second.pub', '-m', 'weights.onnx'],
                                    cwd=self.folder, capture_output=True, timeout=60)
            self.assertEqual(result.returncode, 0, result)
            if comment:
                self.assertIn(f'Trusted comment: {comment}\n'.encode(), result.stdout)
            else:
                self.assertRegex(result.stdout, rb'comment: timestamp:\d+\tfile:weights.onnx\thashed')

    def test_those_of_minisign_are_read(self):
        subprocess.run(['minisign', '-S', '-W', '-s', 'second.key', '-m', 'weights.onnx', '-t', 'hi'],
                       cwd=self.folder, check=True, capture_output=True, timeout=60,
                       stdin=subprocess.DEVNULL)
        found = self.verify('weights.onnx')
        self.assertEqual((found['signature'], found['key_name'], found['trusted_comment'],
                          found['native'], found['trusted']), ('trusted', 'second', 'hi', False, 1))

    def test_of_an_artifact(self):
        self.refused(UNDECIDED, 'format.unknown', 'verify', 'weights.onnx', *self.trusted)
        self.sign('weights.onnx', 'stranger')
        self.refused(TRUST, 'trust.unknown-key', 'verify', 'weights.onnx', *self.trusted)
        self.sign('weights.onnx', 'second')  # in the place of the stranger's
        said = self.succeeds('verify', 'weights.onnx', *self.trusted).decode()
        self.assertTrue(said.startswith('weights.onnx: ok: signed by second (key '), said)
        self.assertNotIn('\t', said)
        self.put('weights.onnx', b'other bytes')
        self.refused(TRUST, 'trust.signature', 'verify', 'weights.onnx', *self.trusted,
                     '--allow-unsigned')

    def test_signers_of_a_model(self):
        self.sign('model.wlk', 'second', '-t', 'second look')
        found = self.verify('model.wlk', '-k', '2')
        self.assertEqual(found['signers'], [
            {'state': 'trusted', 'key': NUMBER['example'], 'key_name': 'example',
             'detached': False},
            {'state': 'trusted', 'key': NUMBER['second'], 'key_name': 'second',
             'detached': True}])
        self.assertEqual((found['trusted'], found['threshold'], found['trusted_comment']),
                         (2, 2, 'second look'))
        said = self.succeeds('verify', 'model.wlk', '-k', '2', *self.trusted).decode()
        self.assertEqual(said.splitlines()[1:], [
            f'  trusted     embedded {NUMBER["example"]} example',
            f'  trusted     detached {NUMBER["second"]} second',
            '  2 trusted, 2 wanted', '  trusted comment: second look'])

    def test_threshold(self):
        trusted = self.trusted
        line = self.refused(TRUST, 'trust.threshold', 'verify', 'model.wlk', '-k', '2', *trusted)
        self.assertIn('1 of 2', line)
        found = self.verify('model.wlk', '-k', '2', code=TRUST)
        self.assertEqual((found['trusted'], [one['key_name'] for one in found['signers']]),
                         (1, ['example']))
        rows = MODELS / 'iris' / 'rows.csv'
        loads = (('verify', 'model.wlk'), ('inspect', 'model.wlk'), ('predict', 'model.wlk', rows),
                 ('sign', 'model.wlk', '-s', self.secret, '-o', 'x.wlk'),
                 ('sign', 'weights.onnx', '-s', self.secret, '--detached', '-o', 'x.minisig'))
        for call in loads[:-1]:
            self.refused(TRUST, 'trust.threshold', *call, '-k', '2', *trusted)
        self.refused(TRUST, 'trust.unsigned', *loads[-1], '-k', '1', *trusted)
        self.sign('model.wlk', 'second')
        self.sign('weights.onnx', 'second')
        self.sign('weights.onnx', 'example', '-k', '1', '-o', 'counter.minisig')
        for call in loads[:-1]:
            self.succeeds(*call, '-k', '2', *trusted)
        self.put('policy', b'[trust]\nthreshold = 3\n').chmod(0o644)
        self.refused(TRUST, 'trust.threshold', 'verify', 'model.wlk', '--policy', 'policy',
                     *trusted)
        self.succeeds('verify', 'model.wlk', '--policy', 'policy', '-k', '2', *trusted)
        self.succeeds('inspect', 'model.wlk', '--policy', 'policy', *trusted)  # it only shows

    def test_only_a_valid_model_is_signed(self):
        """Invariant 1: what was validated is what is signed. No key is opened before: this
        one is not there."""
        cycle = MODELS / 'hostile' / 'cycle.wlk'
        self.refused(REFUSED, 'graph.order', 'sign', cycle, '-s', 'none', '--detached', '-o', 'x',
                     *self.trusted)
        self.refused(REFUSED, 'graph.order', 'sign', cycle, '-s', 'none', '-o', 'x', *self.trusted)
        self.refused(UNDECIDED, 'format.unknown', 'sign', 'weights.onnx', '-s', 'none',
                     *self.trusted)
        self.refused(TRUST, 'trust.digest', 'sign', 'weights.onnx', '-s', 'none', '--detached',
                     '--sha256', '00' * 32, *self.trusted)
        self.assertEqual(list(self.folder.glob('x*')), [])

    def test_nothing_is_spoiled(self):
        trusted, key = self.trusted, ('-s', self.secret)
        self.sign('model.wlk', 'second')
        before = (self.folder / 'model.wlk').read_bytes()
        self.refused(USAGE, 'write.signatures', 'sign', 'model.wlk', *key, *trusted)
        self.succeeds('sign', 'model.wlk', *key, '-o', 'other.wlk', *trusted)
        (self.folder / 'link').symlink_to('weights.onnx')
        for out in ('weights.onnx', './weights.onnx', 'link'):
            self.refused(USAGE, 'cli.usage', 'sign', 'weights.onnx', *key, '--detached', '-o', out,
                         *trusted, says='is the file that is signed')
        for comment in ('two\nlines', '\x1b[31m', 'x' * 1025):
            self.refused(USAGE, 'trust.comment', 'sign', 'weights.onnx', *key, '--detached', '-t',
                         comment, *trusted)
        self.refused(USAGE, 'cli.usage', 'sign', 'model.wlk', *key, '-t', 'x', *trusted,
                     says='--comment goes with --detached')
        self.assertEqual((self.folder / 'model.wlk').read_bytes(), before)
        self.assertEqual([path.name for path in self.folder.glob('*.minisig')],
                         [f'model.wlk.{NUMBER["second"]}.minisig'])

    def test_one_key_instead_of_a_folder(self):
        self.refused(TRUST, 'trust.unknown-key', 'verify', 'model.wlk', '-p', 'second.pub')
        self.succeeds('verify', 'model.wlk', '-p', self.trust / 'example.pub')
        self.sign('weights.onnx', 'stranger')
        self.succeeds('verify', 'weights.onnx', '-p', 'stranger.pub')
        self.refused(USAGE, 'cli.usage', 'verify', 'weights.onnx', '-p', 'stranger.pub',
                     *self.trusted, says='leave --trust out')
        self.refused(SYSTEM, 'trust.key-read', 'verify', 'weights.onnx', '-p', 'none.pub')
        old = samples.STRANGER_KEY.public().text() + 'valid-until: 2020-01-01\n'
        self.put('old.pub', old.encode())
        self.refused(TRUST, 'trust.key-expired', 'verify', 'weights.onnx', '-p', 'old.pub')


class Digests(EvidenceTest):
    def test_kinds(self):
        for file in ('model.wlk', 'weights.onnx'):
            for option, digest in (('--sha256', self.digest(file)),
                                   ('--sha256', self.digest(file).upper()),
                                   ('--blake2b', self.digest(file, 'blake2b')),
                                   ('--blake2b', self.digest(file, 'blake2b', digest_size=32))):
                found = self.verify(file, option, digest, '--allow-unsigned')
                self.assertEqual((found['digests'], found['native']), (1, file == 'model.wlk'))
                wrong = digest[:-1] + ('0' if digest[-1] != '0' else '1')
                self.refused(TRUST, 'trust.digest', 'verify', file, option, wrong, *self.trusted,
                             '--allow-unsigned')
        both = ('--sha256', self.digest('model.wlk'), '--blake2b',
                self.digest('model.wlk', 'blake2b'))
        self.assertEqual(self.verify('model.wlk', *both)['digests'], 2)
        self.assertIn(', expected digests hold\n',
                      self.succeeds('verify', 'model.wlk', *both, *self.trusted).decode())

    def test_a_digest_says_nothing_about_who(self):
        digest = ('--sha256', self.digest('weights.onnx'))
        self.refused(TRUST, 'trust.unsigned', 'verify', 'weights.onnx', *digest, *self.trusted)
        unsigned = self.iris(sign=False, name='unsigned.wlk')
        digest = ('--sha256', self.digest('unsigned.wlk'))
        rows = MODELS / 'iris' / 'rows.csv'
        self.refused(TRUST, 'trust.unsigned', 'predict', unsigned, rows, *digest, *self.trusted)
        self.succeeds('predict', unsigned, rows, *digest, '--allow-unsigned', *self.trusted)

    def test_every_load_takes_them(self):
        wrong = ('--blake2b', '00' * 64, *self.trusted)
        rows = MODELS / 'iris' / 'rows.csv'
        right = ('--sha256', self.digest('model.wlk'), *self.trusted)
        for call in (('inspect', 'model.wlk'), ('predict', 'model.wlk', rows),
                     ('extract', 'model.wlk', '-o', 'x.npz'),
                     ('sign', 'model.wlk', '-s', self.secret, '-o', 'x.wlk')):
            self.refused(TRUST, 'trust.digest', *call, *wrong)
            self.assertEqual(list(self.folder.glob('x.*')), [], call)
            self.succeeds(*call, *right)
            for made in self.folder.glob('x.*'):
                made.unlink()

    def test_lists(self):
        files = ('model.wlk', 'weights.onnx')
        lines = ''.join(f'{self.digest(file)}  {file}\n' for file in files)
        self.put('SUMS', lines.encode())
        self.put('B2SUMS', ''.join(f'{self.digest(file, "blake2b")} *{file}\n'
                                   for file in files).encode())
        for name in ('SUMS', 'B2SUMS'):
            said = self.succeeds('verify', '--checksums', name, *files, '--allow-unsigned',
                                 *self.trusted).decode()
            self.assertEqual(said.count('expected digest holds'), 2)
        self.refused(TRUST, 'trust.digest-missing', 'verify', '--checksums', 'SUMS', self.secret,
                     *self.trusted)
        self.put('SUMS', lines.replace(self.digest('model.wlk'), '0' * 64).encode())
        self.refused(TRUST, 'trust.digest', 'inspect', '--checksums', 'SUMS', 'model.wlk',
                     *self.trusted)
        self.refused(SYSTEM, 'trust.digest-read', 'inspect', '--checksums', 'none', 'model.wlk',
                     *self.trusted)

    def test_usage(self):
        for option in ('--sha256', '--blake2b'):
            for digest in ('', 'x' * 64, '0' * 63, '0' * 65):
                self.refused(USAGE, 'trust.digest-form', 'inspect', 'model.wlk', option, digest,
                             *self.trusted)
            self.refused(USAGE, 'cli.usage', 'verify', 'model.wlk', 'weights.onnx', option,
                         '0' * 64, *self.trusted, says='is the digest of one file')
            for verb in ('verify', 'inspect'):
                result = self.call(verb, '--stdin0', option, '0' * 64, input=b'')
                self.assertEqual(result.returncode, USAGE)
                self.assertIn('is the digest of one file', one_object(result.stdout)['detail'])


class Batch(EvidenceTest):
    def batch(self, verb, names, *more):
        """Exit code and the objects on the lines."""
        result = self.call(verb, '--stdin0', *self.trusted, *more, input=names)
        self.assertEqual(result.stderr, b'')
        self.assertTrue(result.stdout.endswith(b'\n') or not result.stdout)
        return result.returncode, [one_object(line) for line in result.stdout.splitlines()]

    def test_lines_are_what_one_file_gives(self):
        code, lines = self.batch('verify', b'model.wlk\0nowhere\0')
        self.assertEqual(code, SYSTEM)
        whole = self.object('verify', 'model.wlk', 'nowhere', *self.trusted, code=SYSTEM)
        self.assertEqual(lines, whole['files'])
        code, lines = self.batch('inspect', b'model.wlk\0')
        self.assertEqual((code, lines), (OK, [self.object('inspect', 'model.wlk', *self.trusted)]))

    def test_worst_counts(self):
        self.put('large', bytes(100000))
        for names, code in ((b'', OK), (b'model.wlk\0', OK), (b'model.wlk\0weights.onnx\0', UNDECIDED),
                            (b'weights.onnx\0model.wlk\0', UNDECIDED),
                            (b'nowhere\0weights.onnx\0', SYSTEM), (b'large\0weights.onnx\0', LIMIT)):
            for verb in ('verify', 'inspect'):
                found, lines = self.batch(verb, names, '--limit', 'file_bytes=99999')
                self.assertEqual((found, len(lines)), (code, names.count(b'\0')), (verb, names))

    def test_any_name(self):
        names = ['line\nfeed.wlk', ' .wlk', '--json', '-', 'ä"\\.wlk', "x'y.wlk"]
        for name in names:
            shutil.copy(self.folder / 'model.wlk', self.folder / name)
        code, lines = self.batch('verify', '\0'.join([*names, '']).encode())
        self.assertEqual((code, [line['file'] for line in lines]), (OK, names))
        # Those of the signatures beside it are still paths.
        longest = './' * 2030 + 'model.wlk'
        code, lines = self.batch('verify', longest.encode() + b'\0')
        self.assertEqual((code, lines[0]['file']), (OK, longest))

    def test_what_is_no_name(self):
        """The others are looked at all the same."""
        for name, says in ((b'\0', 'it is empty'), (b'x' * 4096 + b'\0', 'over 4095 bytes'),
                           (b'x' * 10**6 + b'\0', 'over 4095 bytes')):
            code, lines = self.batch('verify', b'model.wlk\0' + name + b'model.wlk\0')
            self.assertEqual((code, [line['verdict'] for line in lines]),
                             (USAGE, ['ok', 'usage', 'ok']))
            self.assertEqual(lines[1]['rule'], 'cli.batch-name')
            self.assertIn(says, lines[1]['detail'])
        for cut in (b'model.wlk', b'x' * 5000):  # perhaps the beginning of another name
            code, lines = self.batch('inspect', b'model.wlk\0' + cut)
            self.assertEqual((code, len(lines)), (USAGE, 2))
            self.assertIn('no NUL behind it', lines[1]['detail'])

    def test_a_line_comes_before_the_next_name(self):
        """A program may ask one by one."""
        command = [str(WEIGHLOCK.resolve()), 'verify', '--stdin0', *map(str, self.trusted)]
        with subprocess.Popen(command, cwd=self.folder, env=self.environment(),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asked:
            for _ in range(3):
                asked.stdin.write(b'model.wlk\0')
                asked.stdin.flush()
                self.assertEqual(json.loads(asked.stdout.readline())['verdict'], 'ok')
            asked.stdin.close()
            self.assertEqual(asked.wait(60), OK)

    def test_usage(self):
        for verb in ('verify', 'inspect'):
            result = self.call(verb, '--stdin0', 'model.wlk', input=b'')
            self.assertEqual(result.returncode, USAGE)
            self.assertIn('from standard input alone', one_object(result.stdout)['detail'])
        result = self.call('verify', '--bogus', '--stdin0')
        self.assertEqual(one_object(result.stdout)['rule'], 'cli.usage')


if __name__ == '__main__':
    unittest.main()
