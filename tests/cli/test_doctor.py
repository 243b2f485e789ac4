"""The cage under every condition, and that `weighlock doctor` tells the truth in each: what it
says of loads is what a load does, a layer that the condition takes away is never shown as
held, and there is advice for whatever does not hold (invariants 6 and 8)."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import conditions as c
from kit import CAGE, LIMIT, MODELS, OK, SYSTEM, USAGE, WEIGHLOCK, CliTest, one_object

ROOT_RUNS = os.geteuid() == 0
SANITIZED = bool(os.environ.get('SAN'))
USER = c.ORDINARY if ROOT_RUNS else os.geteuid()
SPACES = ('pid-namespace', 'namespaces', 'empty-root')
USER_SPACES = (*SPACES, 'bounding-set')
OPTIONAL = (*USER_SPACES, 'parent-death', 'landlock', 'mdwe', 'speculation')
HOLDS = 'the cage holds: models can be loaded'
BROKEN = 'the cage does not hold: no model can be loaded'
HALF = 'the cage holds, but no model can be loaded'
FILTER = 'a filter of system calls around this process'


class Row:
    """A condition, who meets it, and what doctor and a load must say of it.

    lost: the layers that do not hold besides those that never do here; None: the child
    never said which hold. rule: of the refusal. says: parts of doctor's text. load: the
    verdict of a load, if it is not doctor's. memory: whether the program itself runs so
    when it is built with a sanitizer."""

    def __init__(self, name, who, steps, code=OK, lost=(), rule=None, says=(), load=None,
                 proc=None, home=None, root=None, sanitized=True):
        self.name, self.who, self.steps, self.code, self.lost = name, who, steps, code, lost
        self.rule, self.says, self.proc = rule, (says,) if isinstance(says, str) else says, proc
        self.load = code if load is None else load
        self.home = home if home is not None else (0 if who == 'root' else USER)
        self.root = who == 'root' if root is None else root
        self.sanitized = sanitized
        self.last = {OK: HOLDS}.get(code, HALF if code == SYSTEM else BROKEN)

    def prepare(self):
        """Runs in the process that becomes the program."""
        try:
            for step in self.steps:
                step() if step is not c.ordinary or ROOT_RUNS else None
        except OSError as error:
            os.write(1, f'{self.name}: {error}'.encode())
            os._exit(77)


def user(name, *steps, **more):
    """Met by an ordinary user, whoever runs the tests."""
    return Row(f'user, {name}', 'user', (c.ordinary, *steps), **more)


def made_user(name, *steps, **more):
    """The same, made by root."""
    return Row(f'user, {name}', 'user', (*steps, c.ordinary), root=True, **more)


def root(name, *steps, **more):
    return Row(f'root, {name}', 'root', steps, **more)


def both(name, *steps, **more):
    return [root(name, *steps, **more), user(name, *steps, **more)]


NO_IDS = {'code': CAGE, 'lost': ('ids',), 'rule': 'cage.layer',
          'says': 'Weighlock as an ordinary user'}
UNSEEN = {'code': CAGE, 'rule': 'cage.unreadable', 'proc': 'hidden', 'lost': USER_SPACES,
          'says': ('hides the child', 'mount -o remount,hidepid=0 /proc')}
# Without /proc the program does not find the child that lies beside it.
NO_PROC = {'code': CAGE, 'lost': None, 'proc': 'missing', 'sanitized': False,
           'says': ('so that no child can be attested', 'mount -t proc proc /proc')}
FOREIGN = {'code': CAGE, 'rule': 'cage.unreadable', 'proc': 'foreign',
           'says': 'that of another PID namespace'}
# Root, which is not mapped there, looks like this user: the child cannot be attested.
NOBODY = {'code': CAGE, 'rule': 'cage.attest', 'says': 'run Weighlock as another user'}
KILLED = {'code': CAGE, 'lost': None, 'rule': 'cage.lock-down', 'says': FILTER}
FEW = {'code': CAGE, 'lost': None, 'rule': 'cage.spawn', 'says': 'raise ulimit -n'}

ROWS = [
    *both('nothing unusual'),
    # namespaces
    user('no more user namespaces', c.no_more_user_namespaces, lost=USER_SPACES,
         **(NOBODY if USER == 65534 else
            {'says': ('pid-namespace  optional  failed: No space left on device',
                      'namespaces     optional  failed: No space left on device',
                      'user.max_user_namespaces')})),
    user('namespaces forbidden', c.deny_namespaces, lost=USER_SPACES,
         says='user namespaces are forbidden'),
    root('namespaces forbidden', c.deny_namespaces, lost=SPACES, says='root lacks CAP_SYS_ADMIN'),
    made_user('in a chroot', c.root_folder(True, True), lost=USER_SPACES, says='or in a chroot'),
    user('root of nobody else', c.root_of_nobody_else, **NO_IDS),
    root('root of nobody else', c.root_of_nobody_else, **NO_IDS),
    root('rootless container', c.rootless_container, home=c.ROOTLESS),
    # Landlock
    *both('no Landlock', c.deny(*c.LANDLOCK, action=c.error(c.ENOSYS)), lost=('landlock',),
          says=('no Landlock', 'older than 5.13')),
    *both('Landlock not in use', c.deny(*c.LANDLOCK, action=c.error(c.EOPNOTSUPP)),
          lost=('landlock',), says='add landlock to lsm='),
    *both('killed for Landlock', c.deny(*c.LANDLOCK, action=c.KILL), code=CAGE,
          rule='cage.lock-down', lost=('landlock',), says=('landlock       optional  failed: the child is killed for it',
                                    FILTER, 'Landlock not tried')),
    *both('under Landlock', c.landlocked('/'), lost=('empty-root',), says='mounting is forbidden'),
    # /proc
    root('hidepid=2', c.proc('hidepid=2'), proc='readable'),
    root('hidepid=4', c.proc('hidepid=4'), proc='readable'),
    made_user('hidepid=2', c.proc('hidepid=2'), proc='readable'),
    made_user('hidepid=1, no namespaces', c.proc('hidepid=1'), c.deny_namespaces, **UNSEEN),
    made_user('hidepid=2, no namespaces', c.proc('hidepid=2'), c.deny_namespaces, **UNSEEN),
    made_user('hidepid=2, but a group that may look', c.proc(f'hidepid=2,gid={USER}'),
              c.deny_namespaces, lost=USER_SPACES, proc='readable'),
    root('hidepid=2 without CAP_SYS_PTRACE', c.proc('hidepid=2'), c.without(c.SYS_PTRACE)),
    root('/proc without sysctl', c.proc('subset=pid'), proc='readable'),
    root('/proc not mounted', c.no_proc, **NO_PROC),
    made_user('/proc not mounted', c.no_proc, **NO_PROC),
    root('/proc an empty folder', c.empty_proc, **NO_PROC),
    made_user('/proc an empty folder', c.empty_proc, **NO_PROC),
    root('/proc read-only', c.read_only_proc, code=CAGE, rule='cage.layer', lost=('oom-score',),
         says='the child writes its own oom_score_adj'),
    root('a PID namespace', c.new_pids_and_proc, proc='readable'),
    made_user('a PID namespace', c.new_pids_and_proc, proc='readable'),
    root("a PID namespace with another's /proc", c.new_pids, **FOREIGN),
    made_user("a PID namespace with another's /proc", c.new_pids, **FOREIGN),
    # capabilities and securebits
    root('no CAP_SYS_ADMIN', c.without(c.SYS_ADMIN), lost=SPACES),
    root('no CAP_SYS_ADMIN, hidepid=2', c.proc('hidepid=2'), c.without(c.SYS_ADMIN), lost=SPACES),
    root('no CAP_SETUID', c.without(c.SETUID), **NO_IDS),
    root('no CAP_SETGID', c.without(c.SETGID), **NO_IDS),
    root('no CAP_SETPCAP', c.without(c.SETPCAP), lost=('bounding-set',), says='lacks CAP_SETPCAP'),
    root('no capabilities', c.without(*c.ALL_CAPABILITIES), code=CAGE, rule='cage.layer',
         lost=(*USER_SPACES, 'ids')),
    root('as in Docker', c.without(*(one for one in c.ALL_CAPABILITIES if one not in c.DOCKER)),
         c.deny_namespaces, lost=SPACES),
    root('root means nothing', c.securebits(0x3), code=CAGE, rule='cage.layer',
         lost=(*USER_SPACES, 'ids')),
    root('capabilities survive setuid', c.securebits(0xc)),
    root('no ambient capabilities', c.securebits(0xc0)),
    *both('no new privileges', c.no_new_privs),
    # limits
    user('no more processes', c.limit('NPROC', 0), code=CAGE, lost=None, rule='cage.spawn',
         says='raise ulimit -u'),
    *both('8 descriptors', c.limit('NOFILE', 8), **FEW),
    *both('16 descriptors', c.limit('NOFILE', 16), **FEW),
    *both('32 descriptors', c.limit('NOFILE', 32)),
    *both('10,000 descriptors', c.many_descriptors),
    *both('no large files', c.limit('FSIZE', 16), code=SYSTEM, rule='gate.file-limit'),
    *both('little address space', c.limit('AS', 256 << 20), code=LIMIT, lost=('heap',),
          rule='limit.heap-bytes', says='ulimit -v and -d', sanitized=False),
    *both('a small stack', c.limit('STACK', 256 << 10)),
    *both('no locked memory', c.limit('MEMLOCK', 0)),
    *both('no core dumps', c.limit('CORE', 0)),
    # filters
    *both('a filter', c.deny('acct')),
    *both('two filters', c.deny('acct'), c.deny('acct')),
    *both('a filter for all threads', c.synchronized_filter),
    *both('no filters of its own', c.deny('seccomp'), code=CAGE, rule='cage.layer',
          lost=('seccomp',), says='must let seccomp through'),
    *both('killed for seccomp', c.deny('seccomp', action=c.KILL), **KILLED),
    *both('no close_range', c.deny('close_range', action=c.error(c.ENOSYS)), code=CAGE, lost=None,
          rule='cage.spawn', says='Linux 5.11 or later'),
    *both('no execveat', c.deny('execveat'), code=CAGE, lost=None, rule='cage.spawn', says=FILTER),
    *both('no clone', c.deny('clone'), code=CAGE, lost=None, rule='cage.spawn', says=FILTER),
    *both('no memfd_create', c.deny('memfd_create'), code=SYSTEM, rule='gate.memory', says=FILTER),
    # the rest of what is inherited
    *both('a deleted folder', c.deleted_folder),
    root('a chroot', c.root_folder(True, True)),
    root('a chroot without /dev/null', c.root_folder(False, True), code=CAGE, rule='cage.layer',
         lost=('descriptors',), says='mknod -m 666 /dev/null c 1 3'),
    root('a chroot without /proc', c.root_folder(True, False), **NO_PROC),
    *both('SIGCHLD ignored', c.ignored_children),
    *both('SIGCHLD ignored, silent pidfds', c.ignored_children, c.silent_pidfds),
    *both('blocked signals', c.blocked_signals),
    *both('no standard input', c.closed(0)),
    *both('readable memory can be executed', c.personality(c.READ_IMPLIES_EXEC)),
]


def homes():
    return {0, USER, c.ROOTLESS} if ROOT_RUNS else {USER}


def possible(row):
    """Without root's help a user meets what it can make; a sanitizer's runtime needs /proc
    and address space."""
    return (ROOT_RUNS or not row.root) and (row.sanitized or not SANITIZED)


class Conditions(unittest.TestCase):
    """For each user a folder with the programs, a model and a trust folder of its own."""

    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(dir='/tmp')  # which a chroot has too
        cls.addClassCleanup(holder.cleanup)
        cls.folder = pathlib.Path(holder.name)
        cls.folder.chmod(0o755)
        for uid in homes():
            cls.make_home(uid)
        usual = [user('')] + ([root('')] if ROOT_RUNS else [])
        cls.never = {row.home: cls.failed(cls.object_of(row)) for row in usual}

    @classmethod
    def make_home(cls, uid):
        home = cls.folder / str(uid)
        home.mkdir()
        for name in ('weighlock', 'weighlock-child'):
            shutil.copy(WEIGHLOCK.parent / name, home / name)
            (home / name).chmod(0o755)
        (home / 'trust').mkdir(mode=0o755)
        subprocess.run([WEIGHLOCK, 'pack', MODELS / 'iris' / 'spec.json', '-o', home / 'model.wlk'],
                       check=True, stdout=subprocess.DEVNULL)
        for path in (home, *home.rglob('*')):
            os.chown(path, uid, uid if ROOT_RUNS else -1)

    @classmethod
    def call(cls, row, *arguments):
        """Runs under the condition. The leak checker of a sanitizer could not."""
        home = cls.folder / str(row.home)
        return subprocess.run([home / 'weighlock', *arguments], preexec_fn=row.prepare, cwd='/',
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
                              env={'HOME': str(home), 'LC_ALL': 'C',
                                   'ASAN_OPTIONS': 'detect_leaks=0'})

    @classmethod
    def object_of(cls, row):
        return one_object(cls.call(row, 'doctor', '--json').stdout)

    @staticmethod
    def failed(found):
        return {layer['layer'] for layer in found['layers'] if layer['state'] == 'failed'}

    def check_layers(self, row, found):
        layers = {layer['layer']: layer for layer in found['layers']}
        for layer in layers.values():
            self.assertEqual(layer['advice'] is not None, layer['state'] == 'failed', layer)
            self.assertEqual(layer['error'] is not None, layer['state'] == 'failed', layer)
            self.assertEqual(layer['known'], layer['state']
                             if layer['state'] in ('attested', 'reported') else None)
            if row.code == OK and layer['required']:
                self.assertIn(layer['state'], ('attested', 'reported'), layer)
        if row.lost is None:
            self.assertEqual(self.failed(found) - {'landlock', *USER_SPACES}, set())
            self.assertEqual({layer['known'] for layer in layers.values()}, {None})
            return
        stopped = any(layer['state'] == 'not tried' for layer in layers.values())
        usual = set() if stopped else self.never[USER if row.who == 'user' else 0]
        self.assertEqual(self.failed(found), usual | set(row.lost))

    def check_text(self, row):
        result = self.call(row, 'doctor')
        text = result.stdout.decode()
        self.assertEqual(result.returncode, row.code, result.stderr)
        self.assertIn(f'\n{row.last}\n', text)
        for part in row.says:
            self.assertIn(part, text)

    def check(self, row):
        found = self.object_of(row)
        loaded = self.call(row, 'inspect', str(self.folder / str(row.home) / 'model.wlk'),
                           '--trust', str(self.folder / str(row.home) / 'trust'))
        self.assertEqual(found.get('exit', OK), row.code, found)
        self.assertEqual(loaded.returncode, row.load, loaded.stderr)
        self.assertEqual(found['loads'], loaded.returncode == OK)
        self.assertEqual(found['summary'], row.last)
        if row.rule:
            self.assertEqual(found['rule'], row.rule)
        if row.proc:
            self.assertEqual(found['proc'], row.proc)
        self.check_layers(row, found)
        self.check_text(row)

    def test_invariants_6_and_8_each_condition(self):
        rows = [row for row in ROWS if possible(row)]
        self.assertGreater(len(rows), 30)
        for row in rows:
            with self.subTest(row.name):
                self.check(row)


class Doctor(CliTest):
    def test_what_it_says_of_the_machine(self):
        found = self.object('doctor')
        name = os.uname()
        self.assertEqual((found['kernel'], found['architecture']), (name.release, name.machine))
        self.assertEqual(found['child'], str(WEIGHLOCK.parent.resolve() / 'weighlock-child'))
        self.assertIs(found['same_build'], True)
        self.assertEqual(found['user']['uid'], os.geteuid())
        self.assertNotEqual(found['user']['child_uid'], 0)
        self.assertEqual((found['proc'], found['loads'], found['pool']), ('readable', True, True))
        self.assertEqual((found['summary'], found['advice']), (HOLDS, None))
        text = self.succeeds('doctor').decode()
        for line in (f'kernel         Linux {name.release} on {name.machine}, ',
                     "build          the same as this program's\n",
                     'load           a small model was loaded\n',
                     'pool           a child that had waited took it too\n'):
            self.assertIn(line, text)
        self.assertNotIn('\x1b', text)

    def test_whom_the_child_becomes(self):
        if os.geteuid() == 0:
            self.assertEqual(self.object('doctor', '--uid', '4321')['user'],
                             {'uid': 0, 'child_uid': 4321})
        else:
            self.assertEqual(self.object('doctor', '--uid', '4321')['user'],
                             {'uid': os.geteuid(), 'child_uid': os.geteuid()})

    def test_require(self):
        """All layers are shown, also when one of them was asked for that does not hold."""
        plain = {layer['layer']: layer['state'] for layer in self.object('doctor')['layers']}
        for name in OPTIONAL:
            missing = plain[name] == 'failed'
            found = self.object('doctor', '--require', name, code=CAGE if missing else OK)
            shown = {layer['layer']: layer for layer in found['layers']}
            self.assertEqual({one: layer['state'] for one, layer in shown.items()}, plain)
            self.assertIs(shown[name]['required'], True)
            self.assertEqual('without --require' in found['summary'], missing)
            if missing:
                self.assertEqual((found['rule'], found['detail'][:len(name)]), ('cage.layer', name))

    def test_limits_that_are_about_models_change_nothing(self):
        self.assertEqual(self.object('doctor', '--limit', 'tensors=0')['summary'], HOLDS)
        found = self.object('doctor', '--limit', 'deadline_ms=0', code=LIMIT)
        self.assertEqual((found['rule'], found['loads']), ('limit.deadline', False))

    def test_a_child_of_another_kind(self):
        folder = self.folder / 'bin'
        folder.mkdir()
        shutil.copy(WEIGHLOCK, folder)
        child = folder / 'weighlock-child'
        for content, mode, rule in ((b'', 0o644, 'cage.program-execute'),
                                    (b'', 0o777, 'cage.program-mode'),
                                    (b'no program', 0o755, 'cage.spawn')):
            child.write_bytes(content)
            child.chmod(mode)
            found = self.object('doctor', code=CAGE, program=folder / 'weighlock')
            self.assertEqual((found['rule'], found['same_build'], found['loads']),
                             (rule, None, False))
            self.assertEqual({layer['state'] for layer in found['layers']}, {'not tried'})

    def test_a_wrong_command_line_starts_nothing(self):
        self.refused(USAGE, 'cli.usage', 'doctor', '--require', 'secomp')


if __name__ == '__main__':
    unittest.main()
