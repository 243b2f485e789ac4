"""Keys and passwords at the command line."""
import os
import signal
import stat
import subprocess
import unittest

from kit import (MODELS, OK, REFUSED, SYSTEM, TRUST, USAGE, WEIGHLOCK, CliTest, Terminal,
                 encrypted_text, samples, wlk)

PASSWORD = b'correct horse battery staple'
MY_KEY = wlk.SecretKey(bytes(range(21, 29)), bytes(range(64, 96)))


class SecretsTest(CliTest):
    def with_password(self, *arguments, line=PASSWORD + b'\n', **options):
        """A call with --password-fd, which gives this line."""
        reading, writing = os.pipe()
        os.write(writing, line)
        os.close(writing)
        try:
            return self.call(*arguments, '--password-fd', reading, pass_fds=(reading,), **options)
        finally:
            os.close(reading)

    def files(self):
        return {path.relative_to(self.folder): path.read_bytes()
                for path in self.folder.rglob('*') if path.is_file()}

    def terminal(self, *arguments):
        return Terminal([str(WEIGHLOCK.resolve()), *map(str, arguments)], self.environment(),
                        self.folder)


class Keygen(SecretsTest):
    def test_writes_three_files(self):
        said = self.succeeds('keygen', '--unencrypted').decode()
        key = wlk.secret_key((self.folder / 'weighlock.key').read_text())
        public = (self.folder / 'weighlock.pub').read_text()
        trusted = self.folder / '.config' / 'weighlock' / 'trust' / 'weighlock.pub'
        self.assertEqual(public, key.public().text())
        self.assertEqual(trusted.read_text(), public)
        number = key.number[::-1].hex().upper()
        self.assertEqual(said, f'key {number}: secret in weighlock.key, public in weighlock.pub, '
                               f'trusted by {trusted}\n')
        self.assertEqual(stat.S_IMODE((self.folder / 'weighlock.key').stat().st_mode), 0o600)
        self.assertEqual(trusted.parent.stat().st_mode & 0o022, 0)
        self.iris(sign=False)
        self.succeeds('sign', 'model.wlk', '-s', 'weighlock.key')
        self.succeeds('verify', 'model.wlk')

    def test_overwrites_nothing(self):
        paths = ('-s', 'a.key', '-p', 'a.pub', '--trust', 'mine')
        made = ('a.key', 'a.pub', 'mine/a.pub')
        for existing in made:
            path = self.put(existing, b'mine') if '/' not in existing else None
            if path is None:
                (self.folder / 'mine').mkdir(mode=0o755)
                path = self.put(existing, samples.STRANGER_KEY.public().text().encode())
            before = self.files()
            # The password is not asked for: there is no terminal.
            for options in (('--unencrypted',), ()):
                self.refused(USAGE, 'trust.key-exists', 'keygen', *paths, *options, says=existing)
            self.assertEqual(self.files(), before)
            path.unlink()
        self.succeeds('keygen', *paths, '--unencrypted')

    def test_leaves_nothing_behind(self):
        before = self.files()
        cases = ((SYSTEM, 'trust.key-write', ('-s', 'no/where.key')),
                 (SYSTEM, 'trust.key-write', ('-p', 'no/where.pub')),
                 (SYSTEM, 'trust.folder-read', ('--trust', 'file/below')),
                 (SYSTEM, 'trust.key-write', ('--trust', '/proc/none/trust')),
                 (USAGE, 'trust.key-exists', ('-s', 'same', '-p', 'same')))
        for code, rule, options in cases:
            (self.folder / 'file').write_text('')
            self.refused(code, rule, 'keygen', '--unencrypted', *options)
            (self.folder / 'file').unlink()
            self.assertEqual(self.files(), before, options)

    def test_names_that_would_spoil_the_trust_folder(self):
        before = self.files()
        for name in ('evil\x1b[31m.pub', '.hidden.pub', '.pub', 'x' * 64 + '.pub', b'\xff.pub'):
            self.refused(TRUST, 'trust.key-name', 'keygen', '--unencrypted', '-p', name)
            self.assertEqual(self.files(), before)
        self.succeeds('keygen', '--unencrypted', '-p', 'x' * 63, '--trust', 'mine')
        self.assertEqual([path.name for path in (self.folder / 'mine').iterdir()],
                         ['x' * 63 + '.pub'])

    def test_unsound_trust_folder(self):
        self.trust.chmod(0o777)
        self.refused(TRUST, 'trust.folder-mode', 'keygen', '--unencrypted', '--trust', self.trust)
        self.assertFalse((self.folder / 'weighlock.key').exists())

    def test_no_terminal(self):
        self.refused(USAGE, 'cli.password', 'keygen', says='there is no terminal')

    def test_minisign_reads_them(self):
        self.succeeds('keygen', '--unencrypted')
        self.put('file', b'content')
        for words in (['-S', '-W', '-s', 'weighlock.key', '-m', 'file'],
                      ['-V', '-p', 'weighlock.pub', '-m', 'file']):
            result = subprocess.run(['minisign', *words], cwd=self.folder, capture_output=True,
                                    stdin=subprocess.DEVNULL, timeout=60)
            self.assertEqual(result.returncode, 0, result)


class Passwords(SecretsTest):
    def setUp(self):
        super().setUp()
        secret = self.put('my.key', encrypted_text(MY_KEY, PASSWORD).encode())
        secret.chmod(0o600)
        (self.trust / 'my.pub').write_text(MY_KEY.public().text())
        self.unsigned = self.iris(sign=False)
        self.sign = ('sign', self.unsigned, '-s', 'my.key', '-o', 'signed.wlk')

    def assert_signed(self):
        said = self.succeeds('verify', 'signed.wlk', '--trust', self.trust)
        self.assertIn(b'signed by my ', said)

    def test_from_a_descriptor(self):
        result = self.with_password(*self.sign)
        self.assertEqual((result.returncode, result.stderr), (OK, b''))
        self.assert_signed()

    def test_of_a_key_that_keygen_has_made(self):
        paths = ('-s', 'new.key', '-p', 'new.pub', '--trust', 'mine')
        result = self.with_password('keygen', *paths)
        self.assertEqual((result.returncode, result.stderr), (OK, b''))
        result = self.with_password('sign', self.unsigned, '-s', 'new.key', '-o', 'new.wlk')
        self.assertEqual((result.returncode, result.stderr), (OK, b''))
        self.succeeds('verify', 'new.wlk', '--trust', 'mine')

    def test_of_standard_input(self):
        result = self.call(*self.sign, '--password-fd', 0, input=PASSWORD)  # without a line end
        self.assertEqual(result.returncode, OK, result.stderr)

    def test_when_packing(self):
        result = self.with_password('pack', MODELS / 'iris' / 'spec.json', '-o', 'signed.wlk',
                                    '--sign', 'my.key')
        self.assertEqual((result.returncode, result.stderr), (OK, b''))
        self.assert_signed()

    def test_wrong(self):
        before = self.files()
        result = self.with_password(*self.sign, line=b'wrong\n')
        self.assertEqual((result.returncode, result.stdout), (TRUST, b''))
        self.assertIn(b'weighlock: trust: the password is wrong', result.stderr)
        self.assertEqual(self.files(), before)

    def test_malformed(self):
        for line in (b'', b'\n', b'x' * 1024 + b'\n', b'a\0b\n'):
            result = self.with_password(*self.sign, line=line)
            self.assertEqual(result.returncode, USAGE, line)
            self.assertIn(b'weighlock: cli: the password could not be read', result.stderr)
        self.refused(USAGE, 'cli.password', *self.sign, '--password-fd', 77,
                     says='Bad file descriptor')
        for number in ('x', '-1', '99999999999'):
            self.refused(USAGE, 'cli.usage', *self.sign, '--password-fd', number)

    def test_from_the_terminal(self):
        terminal = self.terminal(*self.sign)
        terminal.answer(b'Password of the secret key: ', PASSWORD + b'\n')
        said, code = terminal.end()
        self.assertEqual(code, OK, said)
        self.assertNotIn(PASSWORD, said)
        self.assert_signed()

    def test_no_terminal(self):
        line = self.refused(USAGE, 'cli.password', *self.sign, says='there is no terminal')
        self.assertIn('type it at the terminal, or use --password-fd', line)

    def test_only_for_a_valid_model(self):
        """Without a terminal, asking would be another error."""
        trusted = ('--trust', self.trust)
        for name, code, rule in (('overflow', REFUSED, 'tensor.shape'),
                                 ('cycle', REFUSED, 'graph.order')):
            hostile = MODELS / 'hostile' / f'{name}.wlk'
            self.refused(code, rule, 'sign', hostile, '-s', 'my.key', '-o', 'x.wlk', *trusted)
        self.put('spec.json', b'{"kind": "model", "tensors": [], "bad": 1}')
        self.refused(REFUSED, 'spec.unknown-key', 'pack', 'spec.json', '-o', 'x.wlk', '--sign',
                     'my.key')
        self.assertFalse((self.folder / 'x.wlk').exists())

    def test_keys_that_others_may_read(self):
        (self.folder / 'my.key').chmod(0o644)
        self.refused(TRUST, 'trust.key-mode', *self.sign, says='my.key has mode 0644')


class AtTheTerminal(SecretsTest):
    def ask(self):
        return self.terminal('keygen', '-s', 'n.key', '-p', 'n.pub')

    def test_two_passwords_must_agree(self):
        before = self.files()
        terminal = self.ask()
        terminal.answer(b'Password for the secret key: ', b'one\n')
        terminal.answer(b'Again: ', b'two\n')
        said, code = terminal.end()
        self.assertEqual(code, USAGE)
        self.assertIn(b'the two differ', said)
        self.assertEqual(self.files(), before)

    def test_interrupted(self):
        """Echo comes back, whatever ends the program."""
        for prompt, number in ((b'Password for the secret key: ', signal.SIGINT),
                               (b'Again: ', signal.SIGTERM)):
            terminal = self.ask()
            if prompt == b'Again: ':
                terminal.answer(b'Password for the secret key: ', b'one\n')
            if number == signal.SIGINT:
                terminal.answer(prompt, b'\x03')
            else:
                terminal.answer(prompt, b'')
                os.kill(terminal.pid, number)
            while terminal.read(60):
                pass
            self.assertTrue(terminal.echo())
            self.assertEqual(terminal.end()[1], -number)
            self.assertEqual(list(self.folder.glob('n.*')), [])


if __name__ == '__main__':
    unittest.main()
