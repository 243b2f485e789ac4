"""The commands whose calls are disturbed, which errors a call can give, and what every
outcome must hold to."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from errno import (EACCES, EAGAIN, EBUSY, ECHILD, EINTR, EINVAL, EIO, EMFILE, ENFILE, ENOENT,
                   ENOMEM, ENOSPC, ENOSYS, EPERM, EROFS, ESPIPE, ESRCH)

from fault_kit import (CHILD, LOADER, ROOT, RULES, VERDICTS, WEIGHLOCK, Point, Scenario,
                       hide_mounts)

IRIS = ROOT / 'tests' / 'models' / 'iris'

# ---- errors, by call

ERRORS = {
    'access': (EACCES,), 'brk': (ENOMEM,), 'capget': (EPERM,), 'capset': (EPERM,),
    'chdir': (EACCES, ENOMEM), 'chroot': (EPERM,), 'clone': (EAGAIN, ENOMEM, EPERM),
    'clone3': (EAGAIN,), 'close_range': (ENOMEM,), 'dup': (EMFILE,), 'dup2': (EMFILE, EBUSY),
    'dup3': (EMFILE, EBUSY), 'execveat': (ENOMEM, EACCES), 'fchmod': (EPERM, EIO),
    'fcntl': (EMFILE, EINVAL), 'fsync': (EIO, ENOSPC), 'ftruncate': (EIO, ENOSPC),
    'getdents64': (EIO, ENOMEM), 'getgroups': (EINVAL,), 'getrandom': (EINTR,),
    'getresgid': (EPERM,), 'getresuid': (EPERM,), 'ioctl': (EPERM,),
    'landlock_create_ruleset': (ENOSYS, ENOMEM), 'landlock_restrict_self': (EPERM,),
    'linkat': (EPERM, ENOSPC), 'lseek': (ESPIPE,), 'madvise': (EINVAL,),
    'memfd_create': (EMFILE, ENOMEM), 'mlock': (ENOMEM, EPERM), 'mkdir': (EACCES, ENOSPC), 'mkdirat': (EACCES, ENOSPC),
    'mmap': (ENOMEM,), 'mount': (EPERM, ENOMEM), 'mprotect': (ENOMEM,), 'mremap': (ENOMEM,),
    'munmap': (), 'newfstatat': (ENOMEM, EACCES), 'openat': (EMFILE, EACCES, EINTR),
    'pidfd_send_signal': (EPERM, ESRCH), 'pipe2': (EMFILE, ENFILE), 'poll': (EINTR, ENOMEM),
    'ppoll': (EINTR, ENOMEM), 'prctl': (EPERM, EINVAL), 'pread64': (EINTR, EIO),
    'prlimit64': (EPERM,), 'pwrite64': (EINTR, ENOSPC, EIO), 'read': (EINTR, EIO),
    'readlink': (EACCES, ENOENT), 'renameat': (EIO, EPERM), 'renameat2': (EIO, EINVAL),
    'rseq': (ENOSYS,), 'rt_sigaction': (EINVAL,), 'rt_sigprocmask': (EINVAL,),
    'seccomp': (EINVAL, EPERM), 'sendfile': (EINTR, EIO, ENOMEM), 'set_robust_list': (ENOSYS,),
    'setgid': (EPERM,), 'setgroups': (EPERM,), 'sethostname': (EPERM,), 'setns': (EPERM,),
    'setresgid': (EPERM, EAGAIN), 'setresuid': (EPERM, EAGAIN), 'setuid': (EPERM,),
    'statx': (ENOMEM,), 'umask': (), 'unlink': (EIO, EROFS), 'unlinkat': (EIO, EROFS),
    'unshare': (EPERM, ENOSPC), 'write': (EINTR, ENOSPC, EIO),
}

# The kernel does the work all the same: a descriptor is closed, a child collected.
LIES = {'close': (EINTR, EIO), 'waitid': (ECHILD,)}

NEVER_FAIL = {'geteuid', 'getuid', 'getegid', 'getgid', 'getpid', 'getppid', 'gettid', 'umask',
              'exit', 'exit_group', 'set_tid_address', 'arch_prctl', 'close', 'waitid'}

SHORT = {'read', 'write', 'pread64', 'pwrite64', 'sendfile'}

# Whoever was interrupted tries again.
REPEATED = {'read', 'write', 'pread64', 'pwrite64', 'sendfile', 'ppoll', 'poll', 'waitid',
            'getrandom'}


def errors_of(call):
    if call.name in NEVER_FAIL:
        return ()
    return ERRORS.get(call.name, (EPERM,))


def points_of(call, actions, first=None):
    """Every point that these actions make of a call."""
    def point(action, error=0):
        return Point(call.process, call.index, call.name, action, error, first)

    for action in actions:
        if action == 'fail':
            yield from (point('fail', error) for error in errors_of(call))
            if call.name == 'waitid':
                yield point('fail', EINTR)
        elif action == 'lie':
            yield from (point('lie', error) for error in LIES.get(call.name, ()))
        elif action == 'short':
            if call.name in SHORT and call.result > 1:
                yield point('short')
        else:
            yield point(action)


# ---- scenarios

def _weighlock(folder, *words):
    subprocess.run([WEIGHLOCK, *map(str, words)], cwd=folder, check=True, capture_output=True,
                   env={**os.environ, 'HOME': str(folder)})


class Scenarios:
    """All of them, in a temporary folder."""

    def __init__(self):
        hide_mounts()
        shared = pathlib.Path('/dev/shm')
        place = shared if os.access(shared, os.W_OK) else None
        self.work = pathlib.Path(tempfile.mkdtemp(prefix='weighlock-faults-', dir=place))
        self.made = 0
        base = self._folder()
        _weighlock(base, 'keygen', '-s', 'my.key', '-p', 'my.pub', '--unencrypted',
                   '--trust', 'trust')
        _weighlock(base, 'pack', IRIS / 'spec.json', '-o', 'iris.wlk', '--sign', 'my.key')
        shutil.copy(IRIS / 'rows.csv', base)
        self.base = base

    def _folder(self):
        folder = self.work / f'template-{self.made}'
        self.made += 1
        folder.mkdir(mode=0o755)
        return folder

    def _copy(self, *without):
        folder = self._folder()
        shutil.copytree(self.base, folder, dirs_exist_ok=True)
        for name in without:
            (folder / name).unlink()
        return folder

    def command(self, name, *words, writes=False, with_file=None):
        template = self._copy()
        if with_file:
            (template / with_file).write_bytes(b'what was here before')
        return Scenario(name, [WEIGHLOCK, *words], template, self.work, writes)

    def through_gate(self, mode):
        """The second of three loads through one gate."""
        return Scenario(f'library {mode}', [LOADER, mode, CHILD, 'my.pub', 'iris.wlk'],
                        self._copy(), self.work, options=['-b', 'mark', '-s', '20'])

    def remove(self):
        shutil.rmtree(self.work)


TRUST = ('--trust', 'trust')


def inspect(s):
    return s.command('inspect', 'inspect', '--json', 'iris.wlk', *TRUST)


def doctor(s):
    return s.command('doctor', 'doctor', '--json')


def predict(s):
    return s.command('predict', 'predict', '--json', 'iris.wlk', 'rows.csv', '--selftest',
                     '-o', 'rows.json', *TRUST, writes=True)


def extract(s):
    return s.command('extract', 'extract', '--json', 'iris.wlk', '--tensor', 'coefficients',
                     '-o', 'one.npy', *TRUST, writes=True)


def sign(s):
    return s.command('sign', 'sign', '--json', 'iris.wlk', '-s', 'my.key', '-o', 'out.wlk',
                     writes=True, with_file='out.wlk')


def meta_set(s):
    return s.command('meta set', 'meta', 'set', '--json', 'iris.wlk', '/version=2', '-s', 'my.key',
                     *TRUST, writes=True)


def verify(s):
    digest = hashlib.sha256((s.base / 'iris.wlk').read_bytes()).hexdigest()
    return s.command('verify', 'verify', '--json', 'iris.wlk', '--sha256', digest, *TRUST)


def keygen(s):
    return s.command('keygen', 'keygen', '--json', '-s', 'new.key', '-p', 'new.pub',
                     '--unencrypted', *TRUST, writes=True)


def trust_add(s):
    return s.command('trust add', 'trust', 'add', '--json', 'my.pub', '--name', 'again',
                     '--trust', 'other', writes=True)


# ---- outcomes

def refusal(outcome):
    """The rule of a refusal that is told as it should be, else None."""
    if not 1 <= outcome.exit <= 8:
        return None
    try:
        said = json.loads(outcome.out)
    except ValueError:
        said = {}
    for one in (said, *said.get('files', ())):
        rule = one.get('rule')
        if rule and VERDICTS.get(RULES.get(rule)) == one.get('exit') == outcome.exit:
            return rule
    # Where standard output itself is what fails, the reason is told in words.
    if outcome.exit == VERDICTS['system'] and b'weighlock: cli: ' in outcome.err:
        return 'cli.output'
    return None


def detail(outcome):
    try:
        said = json.loads(outcome.out)
    except ValueError:
        return outcome.err.decode(errors='replace')
    said = said['files'][0] if said.get('files') else said
    return said.get('detail', '')


# What is drawn at random.
_RANDOM = re.compile(rb'[0-9A-F]{16}')


def same_result(scenario, outcome, reference):
    """Both succeeded and gave the same."""
    if (outcome.exit, outcome.err) != (reference.exit, reference.err):
        return False
    if scenario.name != 'keygen':
        return (outcome.out, outcome.files) == (reference.out, reference.files)
    if _RANDOM.sub(b'', outcome.out) != _RANDOM.sub(b'', reference.out):
        return False
    made = outcome.files
    return (made.keys() == reference.files.keys() and
            made['new.pub'] == made['trust/new.pub'] and
            all(made[name][0] == reference.files[name][0] and
                len(made[name][1] or b'') == len(reference.files[name][1] or b'')
                for name in made))


def left_processes(point, outcome):
    """What is wrong with the processes that were there when the command had ended."""
    if outcome.hung:
        return 'it did not end'
    if outcome.left:
        return 'a process did not end'
    if point.action == 'kill' and point.process == 0:
        return None  # its children end after it, and nobody but us collects them
    return 'a child was left' if outcome.zombies or outcome.outlived else None


def show(outcome):
    return (f'exit {outcome.exit}, signal {outcome.signal}: '
            f'{(outcome.err or outcome.out)[:300].decode(errors="replace")!r}')
