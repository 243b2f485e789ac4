"""Bad files and values that an operator names in options, and bad edits of metadata. Each
row says verdict, rule and offset, and that nothing is left behind."""
import hashlib
import json
import os

from bad_input import BadInputTest, main
from kit import TRUST, encrypted_text, samples, wlk

OTHER = '0' * 64  # the digest of another file


def nested(levels):
    return '[' * levels + ']' * levels


# The option, the file that it names, and what is said of it.
FILES = (
    ('--policy', 'missing', 'policy.read'), ('--policy', 'folder', 'policy.read'),
    ('--policy', 'fifo', 'policy.read'), ('--policy', 'text', 'policy.text@0'),
    ('--policy', 'open', 'policy.mode'), ('--policy', 'link', 'policy.mode'),
    ('--policy', '/dev/zero', 'policy.read'), ('--policy', 'name', 'policy.name@9'),
    ('--policy', 'large', 'policy.text@65536'),
    ('--trust', 'missing', 'trust.folder-read'), ('--trust', 'text', 'trust.folder-read'),
    ('--trust', 'fifo', 'trust.folder-read'), ('--trust', 'bad-keys', 'trust.key-text@0'),
    ('--trust', 'open-keys', 'trust.folder-mode'),
    ('--public', 'missing', 'trust.key-read'), ('--public', 'folder', 'trust.key-read'),
    ('--public', 'fifo', 'trust.key-read'), ('--public', 'text', 'trust.key-text@0'),
    ('--public', 'zeros', 'trust.key-read'), ('--public', 'secret.key', 'trust.key-text@49'),
    ('--checksums', 'missing', 'trust.digest-read'),
    ('--checksums', 'folder', 'trust.digest-read'),
    ('--checksums', 'fifo', 'trust.digest-read'),
    ('--checksums', 'text', 'trust.digest-text@0'),
    ('--checksums', 'of-others', 'trust.digest-missing'),
    ('--checksums', 'wrong', 'trust.digest'),
    ('--checksums', 'conflict', 'trust.digest-conflict@76'),
    ('--checksums', 'large', 'trust.digest-text@1048576'),
)

VALUES = (
    ('--sha256', '', 'trust.digest-form'), ('--sha256', '0' * 63, 'trust.digest-form'),
    ('--sha256', '0' * 65, 'trust.digest-form'), ('--sha256', 'g' * 64, 'trust.digest-form'),
    ('--sha256', OTHER, 'trust.digest'), ('--blake2b', OTHER, 'trust.digest'),
    ('--blake2b', OTHER * 2, 'trust.digest'), ('--blake2b', '0' * 127, 'trust.digest-form'),
    ('--threshold', '2', 'trust.threshold'), ('--threshold', '0', 'cli.usage'),
    ('--threshold', '-1', 'cli.usage'), ('--threshold', '4294967296', 'cli.usage'),
    ('--limit', 'nodes=18446744073709551616', 'cli.usage'), ('--limit', 'nodes', 'cli.usage'),
    ('--trust', '', 'cli.usage'), ('--policy', '', 'cli.usage'), ('--checksums', '', 'cli.usage'),
)

SECRETS = (
    ('missing', 'missing', 'trust.key-read'), ('a folder', 'folder', 'trust.key-read'),
    ('a FIFO', 'fifo', 'trust.key-read'), ('a device', 'zeros', 'trust.key-read'),
    ('text', 'closed-text', 'trust.key-text@0'), ('readable by all', 'text', 'trust.key-mode'),
    ('a public key', 'public', 'trust.key-text@56'),
)

# A password by a descriptor: what is in the file behind it.
PASSWORDS = (
    ('a wrong one', b'wrong\n', 'trust.password'), ('nothing', b'', 'cli.password'),
    ('an empty line', b'\n', 'cli.password'), ('a NUL', b'pass\0word\n', 'cli.password'),
    ('1024 bytes', b'p' * 1024 + b'\n', 'cli.password'),
    ('no end', b'p' * 100000, 'cli.password'),
)

EDITS = (
    ('no value', '/name', 'cli.usage'), ('no name', '=x', 'cli.usage'),
    ('no pointer', 'name=x', 'cli.usage'),
    ('a bad escape', '/x-a~2=x', 'assemble.metadata-path'),
    ('a key that there is not', '/colour=x', 'assemble.metadata-key'),
    ('the tensors', '/tensors=x', 'assemble.metadata-key'),
    ('a kind that is a number', '/kind:=1', 'assemble.metadata-key'),
    ('an element behind the end', '/metadata/tags/5=x', 'assemble.metadata-path'),
    ('below a text', '/name/first=x', 'assemble.metadata-path'),
    ('nothing', '/x-a:=', 'write.json'), ('a word', '/x-a:=word', 'write.json'),
    ('an open list', '/x-a:=[', 'write.json'), ('a comma', '/x-a:=[1,]', 'write.json'),
    ('NaN', '/x-a:=NaN', 'write.json'), ('1e999', '/x-a:=1e999', 'write.json'),
    ('2^64', '/x-a:=18446744073709551616', 'write.json'),
    ('a key twice', '/x-a:={"b":1,"b":2}', 'assemble.metadata-duplicate'),
    ('a lone surrogate', '/x-a:="\\ud800"', 'write.json'),
    ('an escaped NUL', '/x-a:="\\u0000"', 'write.json'),
    ('two values', '/x-a:=1 2', 'write.json'),
    ('a byte order mark', '/x-a:=\ufeff1', 'write.json'),
    ('not UTF-8', b'/x-a=\xff', 'write.json'),
    ('JSON that is not UTF-8', b'/x-a:="\xff"', 'write.json'),
    ('17 levels', '/x-a:=' + nested(16), 'limit.header-depth'),
    ('50000 levels', '/x-a:=' + nested(50000), 'write.json'),
    ('100000 characters', '/x-a=' + 'x' * 100000, 'write.room'),
)


class Options(BadInputTest):
    def setUp(self):
        super().setUp()
        model = self.put('model.wlk', wlk.write(wlk.Model(
            {'kind': 'm', 'metadata': {'tags': ['one']}, 'name': 'model'}, []),
            samples.EXAMPLE_KEY))
        (self.folder / 'folder').mkdir()
        os.mkfifo(self.folder / 'fifo')
        (self.folder / 'zeros').symlink_to('/dev/zero')
        self.put('good', b'[limits]\n').chmod(0o600)
        (self.folder / 'link').symlink_to('good')
        self.put('text', b'text').chmod(0o644)
        self.put('closed-text', b'text').chmod(0o600)
        self.put('open', b'[limits]\n').chmod(0o666)
        self.put('name', b'[limits]\nnodess = 1').chmod(0o600)
        self.put('large', b'').chmod(0o600)
        os.truncate(self.folder / 'large', 1 << 40)
        self.put('public', samples.EXAMPLE_KEY.public().text().encode()).chmod(0o600)
        for name, mode, key in (('bad-keys', 0o755, b'garbage'), ('open-keys', 0o777, b'')):
            (self.folder / name).mkdir()
            self.put(f'{name}/a.pub', key).chmod(0o644)
            (self.folder / name).chmod(mode)
        right = hashlib.sha256(model.read_bytes()).hexdigest()
        self.put('of-others', f'{right}  other.wlk\n'.encode())
        self.put('wrong', f'{OTHER}  model.wlk\n'.encode())
        self.put('conflict', f'{right} *model.wlk\n{OTHER}  model.wlk\n'.encode())

    def test_files(self):
        for option, file, want in FILES:
            trust = () if option in ('--trust', '--public') else ('--trust', self.trust)
            self.row(f'{option} {file}', want, 'verify', 'model.wlk', option, file, *trust)

    def test_values(self):
        for option, value, want in VALUES:
            self.row(f'{option} {value}', want, 'verify', 'model.wlk', option, value, '--trust',
                     self.trust)

    def test_secret_keys(self):
        for name, file, want in SECRETS:
            self.row(name, want, 'sign', 'model.wlk', '-s', file, '-o', 'out', '--trust',
                     self.trust)

    def test_passwords(self):
        self.put('encrypted.key', encrypted_text(samples.EXAMPLE_KEY, b'right').encode()).chmod(
            0o600)
        call = ('sign', 'model.wlk', '-s', 'encrypted.key', '-o', 'out', '--trust', self.trust)
        for name, text, want in PASSWORDS:
            with open(self.put('password', text), 'rb') as file:
                self.row(name, want, *call, '--password-fd', file.fileno(),
                         pass_fds=(file.fileno(),))
        self.row('no such descriptor', 'cli.password', *call, '--password-fd', 99)
        self.row('no terminal', 'cli.password', *call)

    def test_edits(self):
        for name, edit, want in EDITS:
            self.row(name, want, 'meta set', 'model.wlk', edit, '-s', self.secret, '--trust',
                     self.trust)

    def test_many_names_at_once(self):
        """Each name is told about, whatever the one before was; the last one was cut."""
        names = [b'missing', b'folder', b'fifo', b'zeros', b'', b'n' * 300, b'n' * 70000,
                 b'\xff\x1b[2J', b'text', b'large', b'model.wlk', b'model.wl']
        wants = ['gate.open', 'gate.not-regular', 'gate.not-regular', 'gate.not-regular',
                 'cli.batch-name', 'gate.open', 'cli.batch-name', 'gate.open', 'format.unknown',
                 'limit.snapshot-bytes', None, 'cli.batch-name']
        result = self.call('verify', '--stdin0', '--trust', self.trust, input=b'\0'.join(names))
        told = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([one.get('rule') for one in told], wants, result)
        self.assertNotIn(b'\x1b', result.stdout)
        self.assertNotEqual(result.returncode, TRUST)


if __name__ == '__main__':
    main()
