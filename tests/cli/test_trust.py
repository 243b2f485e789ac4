"""The trust folder at the command line: adding, listing, revoking and checking keys."""
import datetime
import signal
import stat
import subprocess
import unittest

from kit import (OK, SYSTEM, TRUST, USAGE, WEIGHLOCK, CliTest, samples, wlk)

EXAMPLE, STRANGER = '0807060504030201', samples.STRANGER_KEY.number[::-1].hex().upper()


def day(offset):
    """The date in so many days, as the program sees it: in UTC."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(days=offset)).date().isoformat()


class FolderTest(CliTest):
    def setUp(self):
        super().setUp()
        self.public = self.put('stranger.pub', samples.STRANGER_KEY.public().text().encode())
        self.default = self.folder / '.config' / 'weighlock' / 'trust'

    def add(self, *more, folder='mine'):
        return self.succeeds('trust add', self.public, '--trust', folder, *more).decode()

    def keys(self, verb='trust list', folder='mine', code=OK):
        return self.object(verb, '--trust', folder, code=code)['keys']


class Add(FolderTest):
    def test_makes_folder_and_file(self):
        self.assertEqual(self.add(), f'mine: added stranger (key {STRANGER})\n')
        path = self.folder / 'mine' / 'stranger.pub'
        self.assertEqual(wlk.public_key(path.read_text()), samples.STRANGER_KEY.public())
        for made in (path, path.parent):
            self.assertEqual(made.stat().st_mode & 0o022, 0)
        self.assertEqual([one.name for one in path.parent.iterdir()], ['stranger.pub'])

    def test_default_folder(self):
        self.succeeds('trust add', self.public)
        self.assertTrue((self.default / 'stranger.pub').is_file())
        self.assertEqual(self.object('trust list')['folder'], str(self.default))
        model = self.put('own.wlk', wlk.write(samples.classifier(), samples.STRANGER_KEY))
        self.succeeds('verify', model)

    def test_folder_of_the_policy(self):
        self.put('policy', f'[trust]\nfolder = {self.folder}/its\n'.encode()).chmod(0o644)
        self.succeeds('trust add', self.public, '--policy', 'policy')
        self.assertTrue((self.folder / 'its' / 'stranger.pub').is_file())
        found = self.object('trust list', '--policy', 'policy')
        self.assertEqual(found['folder'], f'{self.folder}/its')

    def test_dates(self):
        model = self.put('own.wlk', wlk.write(samples.classifier(), samples.STRANGER_KEY))
        for number, (words, state) in enumerate((
                ((), 'counts'), (('--from', day(0)), 'counts'), (('--until', day(0)), 'counts'),
                (('--from', day(1)), 'not-yet'), (('--until', day(-1)), 'expired'),
                (('--from', '1970-01-01', '--until', '9999-12-31'), 'counts'))):
            folder = f'folder{number}'
            self.add(*words, folder=folder)
            key, = self.keys(folder=folder)
            self.assertEqual(key['state'], state, words)
            options = dict(zip(words[::2], words[1::2]))
            self.assertEqual((key['valid_from'], key['valid_until']),
                             (options.get('--from'), options.get('--until')))
            code = self.call('verify', model, '--trust', folder).returncode
            self.assertEqual(code, OK if state == 'counts' else TRUST)

    def test_names(self):
        self.add('--name', 'Team Ä', folder='named')
        self.assertEqual([key['name'] for key in self.keys(folder='named')], ['Team Ä'])
        for name in ('', '.hidden', 'a/b', '../x', 'evil\x1b[31m', 'x' * 64):
            self.refused(TRUST, 'trust.key-name', 'trust add', self.public, '--trust', 'mine',
                         '--name', name)
        self.assertFalse((self.folder / 'mine').exists())

    def test_refusals_change_nothing(self):
        self.add()
        before = {path: path.read_bytes() for path in self.folder.rglob('*') if path.is_file()}
        mine = ('--trust', 'mine')
        twin = wlk.SecretKey(samples.STRANGER_KEY.number, bytes(range(64, 96))).public()
        self.put('twin.pub', twin.text().encode())
        secret = self.put('wrong.pub', samples.STRANGER_KEY.text().encode())
        cases = ((USAGE, 'trust.key-exists', (self.public, *mine)),
                 (USAGE, 'trust.key-exists', (self.public, *mine, '--name', 'other')),
                 (TRUST, 'trust.key-conflict', ('twin.pub', *mine)),
                 (TRUST, 'trust.key-text', (secret, *mine)),
                 (SYSTEM, 'trust.key-read', ('none.pub', *mine)),
                 (SYSTEM, 'trust.key-write', (self.public, '--trust', '/proc/none/trust')),
                 (SYSTEM, 'trust.folder-read', (self.public, '--trust', 'stranger.pub')),
                 (USAGE, 'trust.date', (self.public, '--trust', 'new', '--until', '2030-02-30')),
                 (USAGE, 'trust.date', (self.public, '--trust', 'new', '--from', 'tomorrow')),
                 (USAGE, 'cli.usage', (self.public, '--trust', 'new', '--from', '2030-01-02',
                                       '--until', '2030-01-01')))
        for code, rule, arguments in cases:
            with self.subTest(arguments):
                self.refused(code, rule, 'trust add', *arguments)
        (self.folder / 'twin.pub').unlink()
        secret.unlink()
        self.assertEqual(before, {path: path.read_bytes() for path in self.folder.rglob('*')
                                  if path.is_file()})
        (self.folder / 'mine').chmod(0o777)
        self.refused(TRUST, 'trust.folder-mode', 'trust add', self.public, *mine)


class List(FolderTest):
    def test_text(self):
        self.add('--until', '2030-12-31')
        self.assertEqual(self.succeeds('trust list', '--trust', 'mine').decode(), (
            'mine: 1 key\n'
            'number            state    from        until       revoked     name\n'
            f'{STRANGER}  counts   -           2030-12-31  -           stranger\n'))

    def test_folders_without_keys(self):
        self.assertEqual(self.succeeds('trust list').decode(), f'{self.default}: 0 keys\n')
        self.assertFalse(self.default.exists())
        self.refused(SYSTEM, 'trust.folder-read', 'trust list', '--trust', 'mine')

    def test_unsound_folder(self):
        self.put('trust/broken.pub', b'nonsense')
        self.refused(TRUST, 'trust.key-text', 'trust list', '--trust', self.trust)


class Revoke(FolderTest):
    def test_by_name_and_by_number(self):
        model = self.put('own.wlk', wlk.write(samples.classifier(), samples.STRANGER_KEY))
        for number, name in enumerate(('stranger', STRANGER, STRANGER.lower())):
            folder = f'mine{number}'
            self.add(folder=folder)
            self.succeeds('verify', model, '--trust', folder)
            found = self.object('trust revoke', name, '--trust', folder)
            self.assertEqual((found['name'], found['key'], found['state'], found['revoked']),
                             ('stranger', STRANGER, 'revoked', day(0)))
            self.refused(TRUST, 'trust.key-revoked', 'verify', model, '--trust', folder)
            path = self.folder / folder / 'stranger.pub'
            before = path.read_bytes()
            self.succeeds('trust revoke', name, '--trust', folder)  # it stays as it is
            self.assertEqual(path.read_bytes(), before)
            self.assertEqual([one.name for one in path.parent.iterdir()], ['stranger.pub'])

    def test_unknown(self):
        self.add()
        for name in ('Stranger', EXAMPLE, '', '../mine/stranger', 'stranger.pub'):
            self.refused(USAGE, 'trust.key-missing', 'trust revoke', name, '--trust', 'mine')
        self.assertEqual([key['state'] for key in self.keys()], ['counts'])


class Check(FolderTest):
    def test_a_sound_folder(self):
        said = self.succeeds('trust check', '--trust', self.trust).decode()
        self.assertRegex(said, rf'\n{EXAMPLE}  counts  .* example\n\Z')

    def test_keys_that_end_soon(self):
        for offset, left, soon in ((0, 1, True), (29, 30, True), (30, 31, False)):
            self.add('--until', day(offset), folder=f'ends{offset}')
            key, = self.keys('trust check', f'ends{offset}')
            self.assertEqual((key['days_left'], key['ends_soon']), (left, soon))
            said = self.succeeds('trust check', '--trust', f'ends{offset}').decode()
            warning = f'warning: stranger counts for {left} more day{"s" if left > 1 else ""}\n'
            self.assertEqual(warning in said, soon)

    def test_no_key_that_counts(self):
        """Exit code 7, after the keys were shown."""
        (self.folder / 'empty').mkdir(mode=0o755)
        self.add('--until', '2020-01-01', folder='late')
        for folder, keys in (('empty', 0), ('late', 1)):
            result = self.call('trust check', '--trust', folder)
            self.assertEqual(result.returncode, TRUST)
            self.assertTrue(result.stdout.decode().startswith(f'{folder}: {keys} key'))
            self.assertIn(b'weighlock: trust: no key of the trust folder counts', result.stderr)
            self.assertEqual(len(self.keys('trust check', folder, TRUST)), keys)

    def test_unsound_folders(self):
        self.refused(SYSTEM, 'trust.folder-read', 'trust check', '--trust', 'none')
        self.trust.chmod(0o777)
        self.refused(TRUST, 'trust.folder-mode', 'trust check', '--trust', self.trust)
        self.trust.chmod(0o755)
        (self.trust / 'link.pub').symlink_to(self.public)
        self.refused(TRUST, 'trust.key-mode', 'trust check', '--trust', self.trust)


class Interrupted(FolderTest):
    """Whenever keygen is killed, a file of a key is whole or not there."""

    def keygen(self, folder, call, step):
        """Killed when it begins its call number `step` of that kind; the exit code."""
        folder.mkdir(mode=0o755)
        result = subprocess.run(
            ['strace', '-f', '-o', '/dev/null', '-e', f'inject={call}:signal=KILL:when={step}',
             WEIGHLOCK.resolve(), 'keygen', '--unencrypted', '-s', 's.key', '-p', 's.pub',
             '--trust', 'keys'],
            cwd=folder, env=self.environment(ASAN_OPTIONS='detect_leaks=0'),
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertIn(result.returncode, (OK, -signal.SIGKILL, 128 + signal.SIGKILL), result)
        return result.returncode

    def assert_whole(self, folder):
        """The files that are there; each of them is a key."""
        found = {path for path in ('s.key', 's.pub', 'keys/s.pub') if (folder / path).exists()}
        for path in found:
            (wlk.secret_key if path == 's.key' else wlk.public_key)((folder / path).read_text())
        if 's.key' in found:
            self.assertEqual(stat.S_IMODE((folder / 's.key').stat().st_mode), 0o600)
        return found

    def test_keygen_killed(self):
        """A file gets its name by linkat, or by renameat2 where it had another."""
        seen, steps = set(), {}
        for call in ('write', 'fsync', 'linkat', 'renameat2', 'mkdir'):
            for step in range(1, 20):
                folder = self.folder / f'{call}{step}'
                if self.keygen(folder, call, step) == OK:
                    self.assertEqual(len(self.assert_whole(folder)), 3)
                    break
                seen.add(frozenset(self.assert_whole(folder)))
            self.assertLess(step, 19, call)
            steps[call] = step - 1
        self.assertGreaterEqual(min(steps['write'], steps['fsync'], steps['mkdir']), 1, steps)
        self.assertEqual(sorted((steps['linkat'], steps['renameat2'])), [0, 3])
        self.assertEqual({len(found) for found in seen}, {0, 1, 2, 3})


if __name__ == '__main__':
    unittest.main()
