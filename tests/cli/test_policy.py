"""The policy in force: shown, saved, read again, and obeyed by the verbs."""
import os
import re
import shutil
import subprocess
import sys
import unittest

from kit import LIMIT, OK, ROOT, SYSTEM, TRUST, USAGE, WEIGHLOCK, CliTest, one_object

SYSTEM_FILE = '/etc/weighlock/policy.conf'

ROWS = [[cell.strip() for cell in line.split('|')]
        for line in (ROOT / 'policy' / 'limits.policy').read_text().splitlines()
        if line.strip() and not line.startswith('#')]

STRICT = """# of a platform
[limits]
nodes = 3
file_bytes = 1 GiB
deadline_ms = 20 s
[trust]
folder = {folder}
threshold = 2
legacy = accept
[audit]
nan = refuse
infinity = ignore
"""


class PolicyTest(CliTest):
    def policy(self, text, mode=0o644, name='policy.conf'):
        path = self.put(name, text.encode())
        path.chmod(mode)
        return path


class Shown(PolicyTest):
    def test_every_row_with_unit_and_reason(self):
        text = self.succeeds('policy').decode()
        found = self.object('policy')
        self.assertEqual(list(found['limits']), [row[0] for row in ROWS])
        for name, value, unit, reason in ROWS:
            self.assertIn(f'\n# {unit}: {reason}\n{name} = {value}\n', text)
            self.assertEqual(found['limits'][name], {'value': int(value), 'default': int(value),
                                                     'unit': unit, 'reason': reason})
        self.assertEqual(found['verdict'], 'ok')
        self.assertEqual(found['trust'], {'folder': None, 'threshold': 1, 'legacy': 'refuse'})
        self.assertEqual(found['audit'], {'nan': 'report', 'infinity': 'report'})

    def test_what_is_shown_is_a_policy_file(self):
        strict = self.policy(STRICT.format(folder=self.trust))
        for arguments in ((), ('--policy', strict), ('--limit', 'nodes=5', '--threshold', 3),
                          ('--policy', strict, '--limit', 'rank=2')):
            shown = self.succeeds('policy', *arguments)
            saved = self.policy(shown.decode(), name='saved.conf')
            self.assertEqual(self.succeeds('policy', '--policy', saved), shown)
            self.assertEqual(self.object('policy', '--policy', saved),
                             self.object('policy', *arguments))

    def test_every_limit_survives(self):
        changes = [word for i, row in enumerate(ROWS)
                   for word in ('--limit', f'{row[0]}={1000 + i}')]
        saved = self.policy(self.succeeds('policy', *changes).decode())
        found = self.object('policy', '--policy', saved)['limits']
        self.assertEqual({name: row['value'] for name, row in found.items()},
                         {row[0]: 1000 + i for i, row in enumerate(ROWS)})
        for name, value, _, _ in ROWS:
            self.assertEqual(found[name]['default'], int(value))

    def test_the_command_line_overrules_the_file(self):
        strict = self.policy(STRICT.format(folder=self.trust))
        found = self.object('policy', '--policy', strict)
        self.assertEqual([found['limits'][name]['value']
                          for name in ('nodes', 'file_bytes', 'deadline_ms', 'tensors')],
                         [3, 1 << 30, 20000, 65536])
        self.assertEqual(found['trust'], {'folder': str(self.trust), 'threshold': 2,
                                          'legacy': 'accept'})
        self.assertEqual(found['audit'], {'nan': 'refuse', 'infinity': 'ignore'})
        found = self.object('policy', '--policy', strict, '--limit', 'nodes=7', '-k', 1)
        self.assertEqual(found['limits']['nodes']['value'], 7)
        self.assertEqual(found['limits']['file_bytes']['value'], 1 << 30)
        self.assertEqual(found['trust']['threshold'], 1)

    def test_a_folder_of_any_letters(self):
        folder = '/srv/Schlüssel & 鍵 # = [limits]'
        strict = self.policy(f'[trust]\nfolder =   {folder}\t\n')
        self.assertEqual(self.object('policy', '--policy', strict)['trust']['folder'], folder)
        self.assertIn(f'\nfolder = {folder}\n'.encode(), self.succeeds('policy', '--policy', strict))


class Page(PolicyTest):
    def test_the_manual_lists_every_limit(self):
        """weighlock-policy(5) has the rows of the table, with their units and defaults."""
        page = (ROOT / 'docs' / 'man' / 'weighlock-policy.5').read_text()
        listed = re.findall(r'^\.It (\w+) Ta (\w+) Ta (\d+)$', page, re.M)
        self.assertEqual(listed, [(name, unit, value) for name, value, unit, _ in ROWS])

    def test_its_example_is_a_policy(self):
        page = (ROOT / 'docs' / 'man' / 'weighlock-policy.5').read_text()
        text = re.search(r'^\.Bd -literal -offset indent\n(.*?)^\.Ed', page, re.M | re.S)[1]
        found = self.object('policy', '--policy', self.policy(text))
        self.assertEqual(found['limits']['file_bytes']['value'], 4 << 30)
        self.assertEqual(found['trust']['threshold'], 2)
        self.assertEqual(found['audit'], {'nan': 'refuse', 'infinity': 'refuse'})


class Refused(PolicyTest):
    def test_what_the_file_says(self):
        for rule, says, text in (
                ('policy.name', 'policy.conf: line 2: nodess; did you mean nodes? at offset 9',
                 '[limits]\nnodess = 1\n'),
                ('policy.name', 'line 1: limit; did you mean limits? at offset 1', '[limit]\n'),
                ('policy.value', 'line 2: a number is wanted, not many at offset 17',
                 '[limits]\nnodes = many\n'),
                ('policy.text', 'line 1: a name stands before the first section at offset 0',
                 'nodes = 1\n'),
                ('policy.twice', 'line 3: again nodes at offset 19',
                 '[limits]\nnodes = 1\nnodes = 1\n')):
            path = self.policy(text)
            self.refused(USAGE, rule, 'policy', '--policy', path, says=says)
            self.refused(USAGE, rule, 'inspect', 'model.wlk', '--policy', path, says=says)

    def test_the_file_itself(self):
        self.refused(SYSTEM, 'policy.read', 'policy', '--policy', self.folder / 'none.conf')
        self.refused(SYSTEM, 'policy.read', 'policy', '--policy', self.folder)
        self.refused(SYSTEM, 'policy.read', 'policy', '--policy', '/dev/null')
        for mode in (0o664, 0o646, 0o666):
            path = self.policy('[limits]\nnodes = 1\n', mode)
            self.refused(TRUST, 'policy.mode', 'policy', '--policy', path, says=f'mode {mode:04o}')
            path.unlink()
        link = self.folder / 'link.conf'
        link.symlink_to(self.policy(''))
        self.refused(TRUST, 'policy.mode', 'policy', '--policy', link, says='symbolic link')

    def test_nothing_comes_from_the_file_name(self):
        name = '\x1b[2Jpolicy\u202e.conf'
        self.policy('[x]\n', name=name)
        line = self.refused(USAGE, 'policy.name', 'policy', '--policy', name)
        self.assertNotRegex(line.rstrip('\n'), '[\x00-\x1f\u202e]')


class Obeyed(PolicyTest):
    """Each verb that loads takes limits and trust from the file."""

    def test_limits(self):
        model = self.iris()
        path = self.policy(f'[limits]\ntensors = 1\n[trust]\nfolder = {self.trust}\n')
        self.refused(LIMIT, 'limit.tensors', 'inspect', model, '--policy', path)
        self.refused(LIMIT, 'limit.tensors', 'predict', model, 'rows.csv', '--policy', path)
        self.succeeds('inspect', model, '--policy', path, '--limit', 'tensors=100')

    def test_trust_folder(self):
        model = self.iris()
        self.assertIn(b'signed by example',
                      self.succeeds('inspect', model, '--policy',
                                    self.policy(f'[trust]\nfolder = {self.trust}\n')))
        other = self.folder / 'other'
        other.mkdir(mode=0o755)
        path = self.policy(f'[trust]\nfolder = {other}\n', name='other.conf')
        self.assertNotIn(b'signed by example', self.succeeds('inspect', model, '--policy', path))
        self.assertIn(b'signed by example',
                      self.succeeds('inspect', model, '--policy', path, '--trust', self.trust))


# Runs a command with a /etc/weighlock of its own: everything else in /etc stays.
OWN_ETC = r'''
import ctypes, os, sys
folder, machine = sys.argv[1:3]
libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUSER, BIND, PRIVATE = 0x20000, 0x10000000, 4096, 0x4000 | 1 << 18
uid, gid = os.getuid(), os.getgid()
if libc.unshare(NEWNS if uid == 0 else NEWNS | NEWUSER) != 0 and libc.unshare(NEWNS | NEWUSER) != 0:
    sys.exit(125)
if os.readlink('/proc/self/ns/user') != os.environ['USER_SPACE']:
    for name, text in (('setgroups', 'deny'), ('uid_map', f'{uid} {uid} 1'),
                       ('gid_map', f'{gid} {gid} 1')):
        with open(f'/proc/self/{name}', 'w') as f:
            f.write(text)
def mount(source, target, kind, flags):
    if libc.mount(source and source.encode(), target.encode(), kind, flags, None) != 0:
        sys.exit(125)
old = folder + '/etc'
os.mkdir(old)
mount(None, '/', None, PRIVATE)
mount('/etc', old, None, BIND | 0x4000)
mount('tmpfs', '/etc', b'tmpfs', 0)
os.chmod('/etc', 0o755)
for name in os.listdir(old):
    if name != 'weighlock':
        os.symlink(f'{old}/{name}', f'/etc/{name}')
os.symlink(machine, '/etc/weighlock')
os.execv(sys.argv[3], sys.argv[3:])
'''


class Machine(PolicyTest):
    """/etc/weighlock/policy.conf, in a mount namespace that only the test sees."""

    def setUp(self):
        super().setUp()
        self.etc = self.folder / 'machine'
        self.etc.mkdir(mode=0o755)

    def on_machine(self, *arguments):
        work = self.folder / 'work'
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        space = os.readlink('/proc/self/ns/user')
        return subprocess.run(
            [sys.executable, '-B', '-c', OWN_ETC, work, self.etc, WEIGHLOCK.resolve(),
             *map(str, arguments)], capture_output=True, timeout=120, cwd=self.folder,
            stdin=subprocess.DEVNULL, env={**self.environment(), 'USER_SPACE': space})

    def asked_for(self):
        """Without namespaces there is still the system call that looks for the file."""
        log = self.folder / 'calls'
        subprocess.run(['strace', '-f', '-o', log, '-e', 'trace=%file', WEIGHLOCK, 'policy'],
                       check=True, capture_output=True, timeout=120,
                       env=self.environment(ASAN_OPTIONS='detect_leaks=0'))  # it traces too
        return f'"{SYSTEM_FILE}"' in log.read_text()

    def shows(self, result, nodes):
        self.assertEqual((result.returncode, result.stderr), (OK, b''))
        self.assertIn(f'\nnodes = {nodes}\n'.encode(), result.stdout)

    def says_no(self, result, code, words):
        self.assertEqual((result.returncode, result.stdout), (code, b''))
        self.assertIn(words, result.stderr.decode())

    def test_it_is_the_default_of_every_verb(self):
        machine = self.policy('[limits]\nnodes = 4\nfile_bytes = 1\n', name='machine/policy.conf')
        first = self.on_machine('policy')
        if first.returncode == 125:
            self.assertTrue(self.asked_for())
            return
        self.shows(first, 4)
        self.assertTrue(self.asked_for())
        found = one_object(self.on_machine('policy', '--json', '--limit', 'nodes=5').stdout)
        self.assertEqual(found['limits']['nodes']['value'], 5)
        self.assertEqual(found['limits']['file_bytes']['value'], 1)
        model = self.iris()
        for command in (('inspect', model), ('predict', model, 'rows.csv', '--trust', self.trust),
                        ('verify', model, '--trust', self.trust)):
            self.says_no(self.on_machine(*command), LIMIT, 'the file is larger than the limit')
        # --policy overrules it as a whole
        own = self.policy('[limits]\nvalues = 9\n')
        self.shows(self.on_machine('policy', '--policy', own), 262144)
        self.assertIn(b'\nfile_bytes = 1099511627776\n', self.on_machine('policy', '--policy', own).stdout)
        # what cannot be used is not passed over
        machine.chmod(0o666)
        self.says_no(self.on_machine('policy'), TRUST, f'{SYSTEM_FILE} has mode 0666')
        self.says_no(self.on_machine('inspect', model), TRUST, f'{SYSTEM_FILE} has mode 0666')
        machine.unlink()
        machine.symlink_to(own)
        self.says_no(self.on_machine('policy'), TRUST, f'{SYSTEM_FILE} is a symbolic link')
        machine.unlink()
        self.shows(self.on_machine('policy'), 262144)
        machine.mkdir()
        self.says_no(self.on_machine('policy'), SYSTEM, f'{SYSTEM_FILE} is not a regular file')
        machine.rmdir()
        self.policy('[limits]\nnodes = x\n', name='machine/policy.conf')
        self.says_no(self.on_machine('policy'), USAGE, f'{SYSTEM_FILE}: line 2')


if __name__ == '__main__':
    unittest.main()
