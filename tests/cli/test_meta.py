"""`weighlock meta get` and `meta set`: metadata change in the file itself, its data are
neither read nor moved, and at any moment the file is the old one, the new one, or one
that FILE.undo puts back."""
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import unittest

import numpy as np

from kit import (LIMIT, MODELS, OK, REFUSED, SYSTEM, TRUST, UNDECIDED, UNSUPPORTED, USAGE,
                 WEIGHLOCK, CliTest, Terminal, encrypted_text, samples, wlk)
import wlk_header
from wlk import Tensor

TENSORS = [Tensor('w', 'f64', [3], np.array([0.5, -1, 2])),
           Tensor('b', 'u8', [5], np.arange(5, dtype='u1'))]
HEADER = {'kind': 'model', 'version': '1', 'metadata': {'tags': ['a', 'b'], 'metrics': {'m': 0.5}},
          'x-note': {'a/b': 1, 'c~d': [None, True, -5]}}


class MetaTest(CliTest):
    def setUp(self):
        super().setUp()
        self.file = self.own()

    def own(self, name='m.wlk', key=samples.EXAMPLE_KEY, slack=0, tensors=TENSORS, **more):
        entries, data = wlk.lay_out(tensors)
        header = {**HEADER, **more, 'tensors': entries}
        return self.put(name, wlk.assemble(wlk_header.encode(header), data, key, 20, slack))

    def set(self, *arguments, **options):
        return self.succeeds('meta set', self.file, '--trust', 'trust', *arguments, **options)

    def signed(self, *arguments, **options):
        return self.set('-s', self.secret, *arguments, **options)

    def get(self, *arguments):
        return json.loads(self.succeeds('meta get', self.file, '--trust', 'trust', *arguments))

    def header(self, path=None):
        """What the second implementation reads, which checks every digest and the
        signature, if there is one."""
        file = (path or self.file).read_bytes()
        model = wlk.read(file, [samples.EXAMPLE_KEY.public()])
        for got, want in zip(model.tensors, TENSORS):
            self.assertEqual((got.name, bytes(got.data)), (want.name, bytes(want.data)))
        return model.header, model.trusted

    def refuses(self, code, rule, *arguments, **options):
        """Refused, and no file has come, gone, or changed."""
        before = {path: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        options.setdefault('says', '')
        line = self.refused(code, rule, 'meta set', self.file, '--trust', 'trust', *arguments,
                            **options)
        after = {path: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        self.assertEqual(before, after)
        return line


class Get(MetaTest):
    def test_all_and_parts(self):
        rows = (('', HEADER), ('/kind', 'model'), ('/metadata', HEADER['metadata']),
                ('/metadata/tags', ['a', 'b']), ('/metadata/tags/1', 'b'),
                ('/metadata/metrics/m', 0.5), ('/x-note', HEADER['x-note']),
                ('/x-note/a~1b', 1), ('/x-note/c~0d', [None, True, -5]),
                ('/x-note/c~0d/0', None))
        for path, want in rows:
            self.assertEqual(self.get(*([path] if path else [])), want, path)
            found = self.object('meta get', self.file, *([path] if path else []))
            self.assertEqual(found, {'verdict': 'ok', 'file': str(self.file), 'path': path,
                                     'value': want})

    def test_edges(self):
        tree = {'map': {}, 'list': [], 'deep': [[[{}]]], 'nan': float('nan'), 'big': 2**64 - 1,
                'small': -2**63, '': 0, 'e/~1': {'é\u202e\x1b': 'é\u202e\x1b'}}
        self.own(**{'x-edge': tree})
        out = self.succeeds('meta get', self.file)
        self.assertTrue(out.isascii())
        found = json.loads(out)['x-edge']
        self.assertEqual(found, {**tree, 'nan': 'nan'})
        self.assertEqual(self.get('/x-edge/'), 0)

    def test_unsigned_and_refused(self):
        self.own(key=None)
        self.assertEqual(self.get('/version'), '1')
        self.refused(USAGE, 'write.entry', 'meta get', self.file, '/versoin',
                     says='/versoin; did you mean /version?')
        self.refused(USAGE, 'write.entry', 'meta get', self.file, 'kind')
        self.put('x', b'x')
        self.refused(UNDECIDED, 'format.unknown', 'meta get', 'x')
        self.refused(SYSTEM, 'gate.open', 'meta get', 'missing')

    def test_damaged_data_are_not_read(self):
        content = bytearray(self.file.read_bytes())
        content[-1] ^= 1
        self.file.write_bytes(content)
        self.assertEqual(self.get('/kind'), 'model')
        content[260] ^= 1
        self.file.write_bytes(content)
        self.refused(TRUST, 'trust.header-digest', 'meta get', self.file)


class Set(MetaTest):
    def test_what_edits_do(self):
        rows = (
            (['/version=2'], {**HEADER, 'version': '2'}),
            (['/name=a=b:=c'], {**HEADER, 'name': 'a=b:=c'}),
            (['/name='], {**HEADER, 'name': ''}),
            (['/name="quoted" \\ \t\n'], {**HEADER, 'name': '"quoted" \\ \t\n'}),
            (['/name=größe \U0001f6a2'], {**HEADER, 'name': 'größe \U0001f6a2'}),
            (['/x-note:=[1, 1.0, 18446744073709551615, "t", {"k": null}]'],
             {**HEADER, 'x-note': [1, 1.0, 2**64 - 1, 't', {'k': None}]}),
            (['/x-note/a~1b:=false'], {**HEADER, 'x-note': {**HEADER['x-note'], 'a/b': False}}),
            (['--remove', '/x-note'], {k: v for k, v in HEADER.items() if k != 'x-note'}),
            (['--remove', '/metadata/tags/0', '--remove', '/version', '/metadata/tags/-=z'],
             {'kind': 'model', 'metadata': {'tags': ['b', 'z'], 'metrics': {'m': 0.5}},
              'x-note': HEADER['x-note']}),
            (['/x-note/c~0d/-:=7', '/x-note/c~0d/-:=8', '/x-note/c~0d/0=first'],
             {**HEADER, 'x-note': {'a/b': 1, 'c~d': ['first', True, -5, 7, 8]}}),
            (['/metadata/libraries/numpy=1.24'],
             {**HEADER, 'metadata': {**HEADER['metadata'], 'libraries': {'numpy': '1.24'}}}),
            (['--', '/version=-1'], {**HEADER, 'version': '-1'}))
        for arguments, want in rows:
            with self.subTest(arguments=arguments):
                self.own()
                size = self.file.stat()
                self.signed(*arguments)
                self.assertEqual(self.header(), (want, True))
                after = self.file.stat()
                self.assertEqual((after.st_size, after.st_ino), (size.st_size, size.st_ino))
                entries, data = wlk.lay_out(TENSORS)
                encoded = wlk_header.encode({**want, 'tensors': entries})
                self.assertEqual(self.file.read_bytes(),
                                 wlk.assemble(encoded, data, samples.EXAMPLE_KEY))
        self.assertEqual(sorted(os.listdir(self.folder)), ['m.wlk', 'secret.key', 'trust'])

    def test_reports(self):
        number = '0807060504030201'
        self.assertEqual(self.signed('/version=2').decode(),
                         f'{self.file}: wrote {self.file.stat().st_size} bytes, '
                         f'signed with key {number}\n')
        found = self.object('meta set', self.file, '/version=3', '--unsigned', '--trust', 'trust')
        self.assertEqual(found, {'verdict': 'ok', 'file': str(self.file), 'key': None,
                                 'bytes': self.file.stat().st_size})
        self.assertEqual(self.header(), ({**HEADER, 'version': '3'}, False))

    def test_the_data_are_neither_read_nor_moved(self):
        """A byte of the data is wrong before and after, and nobody notices in between."""
        content = bytearray(self.file.read_bytes())
        content[-1] ^= 1
        self.file.write_bytes(content)
        self.signed('/version=2')
        self.assertEqual(self.file.read_bytes()[4096:], bytes(content[4096:]))
        self.refused(TRUST, 'trust.chunk-digest', 'verify', '--trust', 'trust', self.file)

    def test_room(self):
        """To the last byte before the data; one more needs another file."""
        entries, _ = wlk.lay_out(TENSORS)
        header = wlk_header.encode({**HEADER, 'tensors': entries})
        room = 4096 - 256 - len(header) - 32 - len('x-long') - 1 - 3
        self.refuses(USAGE, 'write.room', '-s', self.secret, '/x-long=' + 'l' * (room + 1),
                     says='1 bytes are missing')
        self.signed('/x-long=' + 'l' * room)
        self.assertEqual(self.header(), ({**HEADER, 'x-long': 'l' * room}, True))
        self.refuses(USAGE, 'write.room', '-s', self.secret, '/name=n')
        self.signed('--remove', '/x-long')
        self.assertEqual(self.header(), (HEADER, True))
        self.own(slack=20000)
        self.signed('/x-long=' + 'l' * 20000)
        self.assertEqual(self.header()[0]['x-long'], 'l' * 20000)

    def test_into_a_new_file(self):
        old = self.file.read_bytes()
        self.signed('/x-long=' + 'l' * 5000, '-o', 'new.wlk')
        new = self.folder / 'new.wlk'
        self.assertEqual(self.header(new), ({**HEADER, 'x-long': 'l' * 5000}, True))
        self.assertEqual(self.file.read_bytes(), old)
        self.signed('/x-long=' + 'l' * 5000, '-o', self.file)
        self.assertEqual(self.file.read_bytes(), new.read_bytes())
        self.set('--unsigned', '/version=9', '-o', 'new.wlk')
        want = {**HEADER, 'x-long': 'l' * 5000, 'version': '9'}
        self.assertEqual(self.header(new), (want, False))

    def test_what_pack_writes(self):
        self.file = self.iris()
        self.signed('/metadata/metrics/accuracy:=0.5', '/metadata/tags/-=new')
        self.succeeds('verify', '--trust', 'trust', self.file)
        rows = MODELS / 'iris' / 'rows.csv'
        self.succeeds('predict', '--trust', 'trust', '--selftest', self.file, rows)
        self.assertEqual(self.get('/metadata/tags'), ['example', 'iris', 'new'])

    def test_password(self):
        self.secret.write_text(encrypted_text(samples.EXAMPLE_KEY, b'pass'))
        read, write = os.pipe()
        os.write(write, b'pass\n')
        self.signed('/version=2', '--password-fd', read, pass_fds=[read])
        os.close(read), os.close(write)
        self.assertEqual(self.header(), ({**HEADER, 'version': '2'}, True))
        terminal = Terminal([WEIGHLOCK, 'meta', 'set', self.file, '/version=3', '--trust',
                             self.trust, '-s', self.secret], self.environment(), self.folder)
        terminal.answer(b'Password of the secret key: ', b'pass\n')
        self.assertEqual(terminal.end()[1], OK)
        self.assertEqual(self.header(), ({**HEADER, 'version': '3'}, True))


class Refused(MetaTest):
    def test_edits(self):
        """The key is never reached: it does not exist."""
        for code, rule, *arguments in (
                (USAGE, 'write.entry', '--remove', '/name'),
                (USAGE, 'write.entry', '--remove', '/metadata/tags/7'),
                (USAGE, 'write.json', '/x-note:=tru'),
                (USAGE, 'write.json', '/x-note:='),
                (USAGE, 'write.json', '/x-note:={"a":1,}'),
                (USAGE, 'write.json', b'/name=\xff'),
                (REFUSED, 'assemble.metadata-key', '/version:=2'),
                (REFUSED, 'assemble.metadata-key', '/vresion=2'),
                (REFUSED, 'assemble.metadata-key', '/tensors:=[]'),
                (REFUSED, 'assemble.metadata-key', '/metadata/own=x'),
                (REFUSED, 'assemble.metadata-key', '/metadata/tags/-:=1'),
                (REFUSED, 'assemble.metadata-path', '/metadata/tags/9=x'),
                (REFUSED, 'assemble.metadata-path', '/kind/x=y'),
                (REFUSED, 'assemble.metadata-duplicate', '/x-a:={"a":1,"a":2}'),
                (REFUSED, 'write.kind', '--remove', '/kind'),
                (LIMIT, 'limit.name-bytes', '/x-' + 'n' * 1100 + '=1'),
                (LIMIT, 'limit.string-bytes', '/x-a=' + 'n' * 101, '--limit', 'string_bytes=100'),
                (LIMIT, 'limit.metadata-entries', '/x-a=b', '--limit', 'metadata_entries=13')):
            with self.subTest(arguments=arguments):
                self.refuses(code, rule, '-s', 'missing.key', *arguments)
                self.refuses(code, rule, '-s', 'missing.key', '-o', 'new.wlk', *arguments)
        self.refuses(SYSTEM, 'trust.key-read', '-s', 'missing.key', '/x-a=b')

    def test_what_a_reader_would_refuse(self):
        """The new head goes through the cage, with the limits in force, before the key is
        opened and before anything is written."""
        self.refuses(LIMIT, 'limit.header-bytes', '-s', 'missing.key', '/x-a=' + 'n' * 300,
                     '--limit', 'header_bytes=500')

    def test_command_lines(self):
        for says, *arguments in (
                ['one of --secret', '/version=2'],
                ['one of --secret', '/version=2', '-s', self.secret, '--unsigned'],
                ['nothing to set', '--unsigned'],
                ['/PATH=TEXT', 'version=2', '--unsigned'],
                ['/PATH=TEXT', '/version', '--unsigned'],
                ['/PATH=TEXT', '=x', '--unsigned'],
                ['--output -', '/version=2', '--unsigned', '-o', '-']):
            with self.subTest(arguments=arguments):
                self.refuses(USAGE, 'cli.usage', *arguments, says=says)
        self.refused(USAGE, 'cli.usage', 'meta set', '/version=2', '--unsigned', as_json=False)

    def test_whom_nobody_vouches_for(self):
        for key, rule in ((None, 'trust.unsigned'), (samples.STRANGER_KEY, 'trust.unknown-key')):
            for more in [], ['-o', 'new.wlk']:
                self.own(key=key)
                self.refuses(TRUST, rule, '-s', self.secret, '/version=2', *more)
                self.signed('/version=2', '--allow-unsigned', *more)
                new = self.folder / more[1] if more else self.file
                self.assertEqual(self.header(new), ({**HEADER, 'version': '2'}, True))
            (self.folder / 'new.wlk').unlink()

    def test_detached_signatures(self):
        for name in ('m.wlk.minisig', 'm.wlk.0807060504030201.minisig',
                     'm.wlk.FFFFFFFFFFFFFFFF.minisig'):
            with self.subTest(name=name):
                self.put(name, b'whatever it says')
                for more in [], ['-o', self.file]:
                    self.refuses(USAGE, 'write.signatures', '-s', self.secret, '/version=2', *more,
                                 says=name)
                (self.folder / name).unlink()
        for name in 'm.wlk.x.minisig', 'xm.wlk.minisig', 'm.wlk.0807060504030201.minisig.bak':
            self.put(name, b'')
        self.signed('/version=2')

    def test_files_of_other_kinds(self):
        (self.folder / 'link.wlk').symlink_to('m.wlk')
        os.mkfifo(self.folder / 'fifo')
        self.put('model.npy', b'\x93NUMPY')
        self.put('empty', b'')
        old = self.file
        for name, code, rule in (('link.wlk', USAGE, 'write.target'),
                                 ('fifo', USAGE, 'write.target'),
                                 ('trust', USAGE, 'write.target'),
                                 ('/dev/null', USAGE, 'write.target'),
                                 ('missing', SYSTEM, 'gate.open'),
                                 ('model.npy', UNSUPPORTED, 'load.lazy-format'),
                                 ('empty', UNDECIDED, 'format.empty')):
            result = self.call('meta set', name, '/version=2', '--unsigned', '--json')
            found = json.loads(result.stdout)
            self.assertEqual((result.returncode, found['rule']), (code, rule), name)
        self.assertEqual(old.read_bytes(), self.own('again.wlk').read_bytes())

    def test_truncated_and_altered(self):
        whole = self.file.read_bytes()
        for content, rule in ((whole[:-1], 'envelope.layout'), (whole[:100], 'envelope.truncated'),
                              (whole[:4000] + b'\1' + whole[4001:], 'envelope.slack-zero'),
                              (whole[:300] + b'\1' + whole[301:], 'trust.header-digest')):
            self.file.write_bytes(content)
            self.refuses(TRUST, rule, '--allow-unsigned', '-s', self.secret, '/version=2')


class Interrupted(MetaTest):
    """strace makes system calls fail, or ends the program as it begins one."""

    # From when the file for the old bytes is open: they are saved and get their name, all
    # of that on disk; then the new ones are written; then the saved ones go.
    STEPS = ('write', 'fsync', 'name', 'fsync', 'pwrite64', 'fsync', 'unlink', 'write')
    NAMED, CHANGED, SAID = 3, 5, 7  # what was done when these steps begin
    NAMING = ('linkat', 'renameat2')

    def traced(self, *injections, options=(), log='/dev/null'):
        # A program that is traced cannot look for leaks.
        environment = {**self.environment(), 'ASAN_OPTIONS': 'detect_leaks=0'}
        return subprocess.run(
            ['strace', '-o', log, *options, *(f'-einject={one}' for one in injections),
             WEIGHLOCK, 'meta', 'set', self.file, '--trust', self.trust, '-s', self.secret,
             '/version=2'],
            capture_output=True, env=environment, cwd=self.folder, check=False, timeout=60)

    def calls(self, *injections):
        """Each call of those that matter, and how many of its kind there were until then:
        what opens the file for the old bytes, and STEPS."""
        log = self.folder / 'log'
        found, counts = [], collections.Counter()
        self.own()
        result = self.traced(*injections, log=log)
        self.assertEqual(result.returncode, OK, result.stderr)
        for line in log.read_text().splitlines():
            call = re.match(r'[a-z0-9]+', line)
            if call and call[0] in ('openat', *self.STEPS, *self.NAMING):
                counts[call[0]] += 1
                found.append((call[0], counts[call[0]]))
        log.unlink()
        opened = max(i for i, (call, _) in enumerate(found) if call == 'openat')
        steps = found[opened + 1:]
        self.assertEqual(self.STEPS, tuple('name' if call in self.NAMING else call
                                           for call, _ in steps))
        return found[opened], steps

    def ways(self):
        """Both ways to save the old bytes: where there are files without a name, and where
        there are none. Injections that choose it, and its steps."""
        (_, opened), steps = self.calls()
        yield (), steps
        if steps[self.NAMED - 1][0] == 'linkat':
            without = f'openat:error=EOPNOTSUPP:when={opened}'
            yield (without,), self.calls(without)[1]

    def undo(self):
        return self.folder / 'm.wlk.undo'

    def hidden(self):
        return list(self.folder.glob('.weighlock-*'))

    def restore(self):
        """Runs the command that the next `meta set` shows."""
        line = self.refuses(UNDECIDED, 'write.undo', '-s', self.secret, '/version=3')
        command = re.search(r'f=.*; dd .* && rm .*undo"', line).group()
        subprocess.run(['sh', '-c', command], check=True, capture_output=True)
        self.assertFalse(self.undo().exists())
        self.assertEqual(self.header(), (HEADER, True))

    def assert_killed_well(self, way, step):
        """The model is the old one or the new one, and the old bytes are there under
        their name from before the first of them changes until after the last."""
        self.assertEqual(self.undo().exists(), self.NAMED <= step < self.SAID)
        want = {**HEADER, 'version': '2'} if step >= self.CHANGED else HEADER
        self.assertEqual(self.header(), (want, True))
        self.assertEqual(len(self.hidden()), 1 if way and step < self.NAMED else 0)

    def test_killed_at_each_step(self):
        for way, steps in self.ways():
            for step, (call, number) in enumerate(steps):
                with self.subTest(way=way, step=step, call=call):
                    self.own()
                    result = self.traced(*way, f'{call}:signal=KILL:when={number}')
                    self.assertLess(result.returncode, 0, (result.stdout, result.stderr))
                    self.assert_killed_well(way, step)
                    for left in self.hidden():
                        left.unlink()
                    if self.undo().exists():
                        self.restore()
                    self.signed('/version=3')
                    self.assertEqual(self.header(), ({**HEADER, 'version': '3'}, True))

    def test_a_failure_leaves_the_old_file(self):
        for way, steps in self.ways():
            for call, number in steps[:self.STEPS.index('unlink')]:
                with self.subTest(way=way, call=call, number=number):
                    self.own()
                    result = self.traced(*way, f'{call}:error=ENOSPC:when={number}')
                    self.assertEqual(result.returncode, SYSTEM, result.stderr)
                    self.assertIn(b'write: the file cannot be written', result.stderr)
                    self.assertIn(b'No space left on device', result.stderr)
                    self.assertEqual(self.header(), (HEADER, True))
                    self.assertEqual((self.undo().exists(), self.hidden()), (False, []))

    def test_files_that_may_not_be_written(self):
        (_, saved), _ = self.calls()
        for injection, options, rule in (
                ('openat:error=EACCES', ['-P', self.file], b'gate: the file cannot be opened'),
                (f'openat:error=EACCES:when={saved}+', (), b'write: the file cannot be written')):
            self.own()
            result = self.traced(injection, options=options)
            self.assertEqual(result.returncode, SYSTEM, result.stderr)
            self.assertIn(rule, result.stderr)
            self.assertIn(b'Permission denied', result.stderr)
            self.assertFalse(self.undo().exists())
            self.assertEqual(self.header(), (HEADER, True))

    def test_a_failure_that_cannot_be_put_right(self):
        result = self.traced('pwrite64:error=EIO')
        self.assertEqual(result.returncode, UNDECIDED, result.stderr)
        self.assertIn(b'dd conv=notrunc', result.stderr)
        self.restore()

    def test_calls_that_are_interrupted(self):
        _, ((saving, number), *_) = self.calls()
        for injection in 'pwrite64:error=EINTR:when=1..2', f'{saving}:error=EINTR:when={number}':
            self.own()
            self.assertEqual(self.traced(injection).returncode, OK)
            self.assertEqual(self.header(), ({**HEADER, 'version': '2'}, True))

    def test_somebody_else_writes(self):
        """Between reading and writing the file has changed; it waits for the disk when the
        old bytes have their name."""
        changed = bytearray(self.file.read_bytes())
        changed[200] ^= 1

        def write():
            while not self.undo().exists() and thread_may_wait.is_set():
                time.sleep(0.001)
            self.file.write_bytes(changed)

        thread_may_wait = threading.Event()
        thread_may_wait.set()
        thread = threading.Thread(target=write)
        thread.start()
        result = self.traced('fsync:delay_enter=2000000:when=2')
        thread_may_wait.clear()
        thread.join()
        self.assertEqual(result.returncode, SYSTEM, result.stderr)
        self.assertIn(b'changed since it was read', result.stderr)
        self.assertEqual(self.file.read_bytes(), changed)
        self.assertFalse(self.undo().exists())

    def test_two_at_once(self):
        """All but one of those who were there first are told so; the file is whole."""
        calls = [subprocess.Popen(
            [WEIGHLOCK, 'meta', 'set', self.file, '--trust', self.trust, '-s', self.secret,
             f'/x-{i}=set'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=self.environment()) for i in range(8)]
        done = [call.wait() for call in calls]
        for call in calls:
            call.stderr.close()
        self.assertIn(OK, done)
        self.assertLessEqual(set(done), {OK, SYSTEM, UNDECIDED, TRUST})
        header, trusted = self.header()
        self.assertTrue(trusted)
        self.assertEqual({f'x-{i}' for i in range(8) if done[i] == OK},
                         {key for key in header if re.fullmatch(r'x-\d', key)})


if __name__ == '__main__':
    if not shutil.which('strace'):
        sys.exit('strace is not installed: make deps')
    unittest.main()
