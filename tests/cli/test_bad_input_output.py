"""Output that cannot be written: no room, no right, no folder, or something else in its
place. Nothing is left of it, and what was there before is as it was."""
import os
import resource
import socket

import numpy as np

from bad_input import BadInputTest, main, npy
from kit import SYSTEM, samples

SPEC = b'{"kind":"m","tensors":[{"name":"w","file":"w.npy"}]}'
WEIGHTS = 20000  # 80000 bytes, of a file that is opened as lazily as can be
ROWS = 3000

# What writes: the call with OUT for its output, what OUT ends with, and the rules when it
# cannot be created, and when there is something that is no regular file.
OUT = object()
WRITERS = (
    ('pack', ('pack', 'spec.json', '-o', OUT), '', 'write.failed', 'write.target'),
    ('pack, signed', ('pack', 'spec.json', '--sign', 'secret.key', '-o', OUT), '',
     'write.failed', 'write.target'),
    ('sign', ('sign', 'w.wlk', '-s', 'secret.key', '-o', OUT), '', 'cli.output', 'write.target'),
    ('sign, detached', ('sign', 'bytes', '-s', 'secret.key', '--detached', '-o', OUT), '',
     'trust.signature-write', 'write.target'),
    ('predict', ('predict', 'own.wlk', 'rows.csv', '-o', OUT), '', 'cli.output', 'write.target'),
    ('predict JSON', ('predict', 'own.wlk', 'rows.csv', '-f', 'json', '-o', OUT), '',
     'cli.output', 'write.target'),
    ('predict .npy', ('predict', 'own.wlk', 'rows.csv', '-f', 'npy', '-o', OUT), '',
     'cli.output', 'write.target'),
    ('extract .npy', ('extract', 'w.wlk', '--tensor', 'w', '-o', OUT), '.npy', 'cli.output',
     'write.target'),
    ('extract .npz', ('extract', 'w.wlk', '-o', OUT), '.npz', 'cli.output', 'write.target'),
    ('meta set', ('meta set', 'w.wlk', '/version=2', '-s', 'secret.key', '-o', OUT), '',
     'write.failed', 'write.target'),
    ('keygen, secret', ('keygen', '--unencrypted', '-s', OUT, '-p', 'n.pub'), '',
     'trust.key-write', 'trust.key-exists'),
    ('keygen, public', ('keygen', '--unencrypted', '-s', 'n.key', '-p', OUT), '.pub',
     'trust.key-write', 'trust.key-exists'),
)
WITHOUT_TRUST = ('pack',)

# Where nothing can be created, and why.
NOWHERE = (('nowhere/out', 'No such file or directory'), ('file/out', 'Not a directory'),
           ('/proc/self/out', ''), ('n' * 250 + '/out', ''), ('loop/out', 'symbolic links'))
IN_PLACE_OF_A_FILE = ('folder', 'link', 'dangling', 'loop', 'socket')

# What has no room in files of so many bytes: for some the snapshot is what has none.
NO_ROOM = (('pack', 4096, 'write.failed'), ('pack, signed', 4096, 'write.failed'),
           ('sign', 4096, 'gate.file-limit'), ('sign, detached', 100, 'trust.signature-write'),
           ('predict', 8192, 'cli.output'), ('predict JSON', 8192, 'cli.output'),
           ('predict .npy', 8192, 'cli.output'), ('extract .npy', 8192, 'cli.output'),
           ('extract .npz', 8192, 'cli.output'), ('meta set', 8192, 'gate.file-limit'),
           ('keygen, secret', 60, 'trust.key-write'), ('keygen, public', 60, 'trust.key-write'))

# What is said on standard output, by every verb.
SAYING = (
    ('help', '--help'), ('help of a verb', 'help predict'), ('limits', 'help limits'),
    ('version', '--version'), ('doctor', 'doctor'), ('policy', 'policy'),
    ('completion', 'completion bash'), ('inspect', 'inspect w.wlk'), ('verify', 'verify w.wlk'),
    ('predict', 'predict own.wlk rows.csv'), ('extract', 'extract w.wlk --tensor w -o -'),
    ('meta get', 'meta get w.wlk'), ('trust list', 'trust list'), ('trust check', 'trust check'),
    ('pack', 'pack spec.json -o out'), ('sign', 'sign w.wlk -s secret.key -o out'),
    ('sign, detached', 'sign rows.csv -s secret.key --detached -o out'),
    ('meta set', 'meta set w.wlk /version=2 -s secret.key -o out'),
    ('predict to a file', 'predict own.wlk rows.csv -o out'),
    ('extract to a file', 'extract w.wlk -o out.npz'),
)
NO_OPTION_TRUST = ('--help', 'help', '--version', 'doctor', 'policy', 'completion', 'pack')


class Output(BadInputTest):
    def setUp(self):
        super().setUp()
        self.identity()
        self.put('spec.json', SPEC)
        self.put('w.npy', npy(np.arange(WEIGHTS, dtype='f4')))
        self.put('rows.csv', b'1,2\n' * ROWS)
        self.put('file', b'x')
        self.put('bytes', b'x')
        self.succeeds('pack', 'spec.json', '-o', 'w.wlk', '--sign', self.secret)
        (self.folder / 'folder').mkdir()
        for name, target in (('link', 'file'), ('dangling', 'nothing'), ('loop', 'loop')):
            for suffix in ('', '.npy', '.npz', '.pub'):
                (self.folder / (name + suffix)).symlink_to(target + suffix)

    def writer(self, call, out):
        """The words of a call that writes to `out`."""
        words = [str(out) if word is OUT else word for word in call]
        return words if words[0] in WITHOUT_TRUST else [*words, '--trust', str(self.trust)]

    def test_nowhere_to_write(self):
        for name, call, suffix, rule, _ in WRITERS:
            for path, says in NOWHERE:
                self.row(f'{name} to {path}', rule, *self.writer(call, path + suffix), says=says)

    def test_something_else_in_its_place(self):
        for name, call, suffix, _, rule in WRITERS:
            for path in IN_PLACE_OF_A_FILE:
                target = self.folder / (path + suffix)
                if path == 'folder' and suffix and not target.exists():
                    target.mkdir()
                with socket.socket(socket.AF_UNIX) as one:
                    if path == 'socket':
                        one.bind(str(target))
                    self.row(f'{name} to a {path}', rule, *self.writer(call, target.name))
                if path == 'socket':
                    target.unlink()

    def test_folder_that_may_not_be_written_to(self):
        """Root may."""
        if os.geteuid() == 0:
            return
        (self.folder / 'closed').mkdir(mode=0o555)
        for name, call, suffix, rule, _ in WRITERS:
            self.row(name, rule, *self.writer(call, f'closed/out{suffix}'),
                     says='Permission denied')

    def test_no_room(self):
        calls = {name: (call, suffix) for name, call, suffix, _, _ in WRITERS}
        for name, most, rule in NO_ROOM:
            def small_files(most=most):
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
            call, suffix = calls[name]
            words = self.writer(call, f'out{suffix}')
            self.row(f'{name} in {most} bytes', rule, *words, preexec_fn=small_files)

    def test_full_device(self):
        """Results may go to a device; models, keys and signatures are files."""
        for name, call, suffix, nowhere, instead in WRITERS:
            if not suffix:  # no device's name ends so
                rule = 'cli.output' if nowhere == 'cli.output' else instead
                says = 'No space left on device' if rule == 'cli.output' else '/dev/full'
                self.row(name, rule, *self.writer(call, '/dev/full'), says=says)

    def saying(self, words, **options):
        """A call without room for what it says; what it wrote to a file is whole."""
        words = words.split()
        if words[0] not in NO_OPTION_TRUST:
            words += ['--trust', str(self.trust)]
        result = self.call(*words, **options)
        self.assertEqual(result.returncode, SYSTEM, result.stderr)
        left = [path for path in self.folder.iterdir() if path.name.startswith(('out', '.'))]
        self.assertLessEqual({path.name for path in left}, {'out', 'out.npz'})
        for path in left:
            self.assertGreater(path.stat().st_size, 0)
            path.unlink()
        return result

    def test_nobody_hears(self):
        for name, words in SAYING:
            with self.subTest(f'{name}, on a full disk'), open('/dev/full', 'wb') as full:
                result = self.saying(words, stdout=full)
                self.assertRegex(result.stderr, rb'\Aweighlock: .*No space left on device.*\n\Z')
            with self.subTest(f'{name}, standard output closed'):
                self.saying(words, stdout=None, preexec_fn=lambda: os.close(1))
            with self.subTest(f'{name}, the reader has gone'):
                reading, writing = os.pipe()
                os.close(reading)
                result = self.saying(words, stdout=writing)
                os.close(writing)
                self.assertIn(b'Broken pipe', result.stderr)

    def test_a_key_that_cannot_be_stored(self):
        """What was made for it is not left: no folder, no half of a pair."""
        trusted = ('--trust', 'file')
        self.row('a file for a trust folder', 'trust.folder-read', 'keygen', '--unencrypted',
                 '-s', 'n.key', '-p', 'n.pub', *trusted)
        self.put('own.pub', samples.STRANGER_KEY.public().text().encode())
        self.row('trust add to a file', 'trust.folder-read', 'trust add', 'own.pub', *trusted)
        self.row('trust add, a name that is there', 'trust.key-exists', 'trust add', 'own.pub',
                 '--name', 'example', '--trust', self.trust)
        self.row('trust add, a name that leaves the folder', 'trust.key-name', 'trust add',
                 'own.pub', '--name', '../example', '--trust', self.trust)
        self.row('trust revoke, no such key', 'trust.key-missing', 'trust revoke', 'nobody',
                 '--trust', self.trust)

        def no_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
        self.row('trust add without room', 'trust.key-write', 'trust add', 'own.pub', '--name',
                 'more', '--trust', self.trust, preexec_fn=no_files)
        self.row('trust revoke without room', 'trust.key-write', 'trust revoke', 'example',
                 '--trust', self.trust, preexec_fn=no_files)


if __name__ == '__main__':
    main()
