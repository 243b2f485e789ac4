"""Runs commands under inject and says what came of it: points, runs, outcomes."""
import collections
import concurrent.futures
import ctypes
import errno
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('BUILD', 'build'))
BUILD = BUILD if BUILD.is_absolute() else ROOT / BUILD
WEIGHLOCK = BUILD / 'bin' / 'weighlock'
CHILD = BUILD / 'bin' / 'weighlock-child'
INJECT = BUILD / 'tests' / 'faults' / 'inject'
LOADER = BUILD / 'tests' / 'faults' / 'loader'


# ---- tables of the system and of the project

def _call_names():
    for place in ('x86_64-linux-gnu/asm', 'asm'):
        header = pathlib.Path('/usr/include') / place / 'unistd_64.h'
        if header.exists():
            found = re.findall(r'#define __NR_(\w+) (\d+)', header.read_text())
            return {int(number): name for name, number in found}
    raise FileNotFoundError('unistd_64.h of the kernel')


CALLS = _call_names()
NUMBERS = {name: number for number, name in CALLS.items()}
VERDICTS = {name: code for code, name in enumerate(
    ('ok', 'refused', 'undecided', 'unsupported', 'usage', 'cage', 'limit', 'trust', 'system'))}
RULES = dict(re.findall(r'^([a-z]+\.[a-z0-9-]+) *\| *([a-z]+)',
                        (ROOT / 'policy' / 'rules.policy').read_text(), re.M))


def hide_mounts():
    """A call that is not made may be the one that was to hide a child's mounts from
    everybody else: whatever root mounts from here on, only we see."""
    namespace, recursive, private = 0x20000, 0x4000, 1 << 18
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0 and (libc.unshare(namespace) != 0 or
                              libc.mount(None, b'/', None, recursive | private, None) != 0):
        raise OSError(ctypes.get_errno(), 'a mount namespace')


# ---- what happens in a run

# A call that was seen when nothing was disturbed.
Call = collections.namedtuple('Call', 'process index name arguments result')


class Point(collections.namedtuple('Point', 'process index name action errno first')):
    """One call, and what is done to it."""
    __slots__ = ()

    def __str__(self):
        what = self.action + (f' {errno.errorcode[self.errno]}' if self.errno else '')
        return f'process {self.process}, call {self.index}, {self.name}: {what}'

    def options(self):
        words = ['-p', str(self.process), '-k', str(self.index), '-a', self.action]
        words += ['-n', str(NUMBERS[self.name])] if self.name in NUMBERS else []
        words += ['-e', str(self.errno)] if self.errno else []
        return words + (['-f', self.first] if self.first else [])


class Outcome:
    """How a run ended: inject's last line, what was printed, and the folder's files."""

    def __init__(self, report, out, err, files):
        words = report.rsplit(b'end ', 1)[1].split()
        numbers = dict(zip(words[::2], map(int, words[1::2])))
        self.exit, self.signal = numbers[b'exit'], numbers[b'signal']
        self.fired, self.hung = numbers[b'fired'], numbers[b'hung']
        self.zombies, self.outlived, self.left = (
            numbers[b'zombies'], numbers[b'outlived'], numbers[b'left'])
        self.calls = [_call(line) for line in report.splitlines() if line.startswith(b'call ')]
        self.out, self.err, self.files = out, err, files


def _call(line):
    process, index, number, *arguments, result = map(int, line.split()[1:])
    return Call(process, index, CALLS.get(number, str(number)), tuple(arguments), result)


def files_of(folder):
    """{path: (mode, content)}; a folder's content is None."""
    found = {}
    for place, folders, names in os.walk(folder):
        for name in folders + names:
            path = os.path.join(place, name)
            mode = os.lstat(path).st_mode
            content = None
            if name in names:
                with open(path, 'rb') as file:
                    content = file.read()
            found[os.path.relpath(path, folder)] = (mode, content)
    return found


class Streams(threading.local):
    """Three files for each thread: output, errors, report."""

    def __init__(self):
        self.files = None

    def begin(self):
        if not self.files:
            self.files = [tempfile.TemporaryFile() for _ in range(3)]
        for file in self.files:
            os.lseek(file.fileno(), 0, os.SEEK_SET)
            os.ftruncate(file.fileno(), 0)
        return [file.fileno() for file in self.files]

    def read(self):
        return [os.pread(file.fileno(), 1 << 24, 0) for file in self.files]


_streams = Streams()


def run(command, folder, options):
    """The outcome of the command in that folder under inject."""
    out, err, report = _streams.begin()
    environment = {'PATH': os.environ['PATH'], 'HOME': str(folder), 'LC_ALL': 'C',
                   'ASAN_OPTIONS': 'detect_leaks=0'}
    words = [INJECT, '-r', str(report), *options, '--', *command]
    code = subprocess.call(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                           env=environment, pass_fds=(report,))
    said, told, seen = _streams.read()
    if code != 0 or b'end ' not in seen:
        raise RuntimeError(f'inject {options}: exit {code}: {told.decode()}')
    return Outcome(seen, said, told, files_of(folder))


# ---- scenarios

class Scenario:
    """A command, in a folder that holds `template`. One that writes gets a copy of it
    for each run."""

    def __init__(self, name, command, template, work, writes=False, options=()):
        self.name, self.command, self.writes = name, [str(word) for word in command], writes
        self.template, self.work, self.options = template, work, list(options)
        self.before = files_of(template)

    def run(self, options, more=()):
        command = [*self.command, *more]
        if not self.writes:
            return run(command, self.template, self.options + options)
        folder = tempfile.mkdtemp(dir=self.work)
        try:
            shutil.copytree(self.template, folder, dirs_exist_ok=True)
            return run(command, folder, self.options + options)
        finally:
            shutil.rmtree(folder)

    def calls(self, first):
        """The undisturbed run, whose outcome has the list of calls."""
        return self.run(['-t', *(['-f', first] if first else [])])

    def at(self, point, more=()):
        return self.run(point.options(), more)


# ---- many runs

class Tally:
    """What make check-faults prints."""

    def __init__(self):
        self.points, self.actions, self.faults = set(), collections.Counter(), []
        self.kinds = collections.Counter()
        self.lock = threading.Lock()

    def add(self, scenario, point, kind, what):
        """`kind` and `what` is wrong; both None where nothing is."""
        with self.lock:
            self.points.add((scenario.name, point.process, point.index, point.first))
            self.actions[point.action] += 1
            if kind:
                self.kinds[kind] += 1
                self.faults.append(f'{scenario.name}: {point}: {what}')

    def line(self, name):
        a = self.actions
        failed = a['fail'] + a['lie'] + a['skip']
        return (f'{name}: {len(self.points):,} points, {sum(a.values()):,} runs: '
                f'{a["kill"]:,} killed, {a["stop"] + a["pause"]:,} stopped, '
                f'{failed:,} failed calls, {a["short"]:,} cut short; '
                f'wrong results {self.kinds["result"]}, left processes {self.kinds["process"]}, '
                f'left files {self.kinds["file"]}')


# A stopped process uses no processor, nor does a pool that waits before it starts another
# child: many of them can wait at once.
def waits(scenario, point):
    return point.action in ('stop', 'pause') or (scenario.name == 'library pool' and
                                                 point.process != 0)


def run_all(jobs, tally):
    """jobs: (scenario, point, judge, more words of the command)."""
    def one(job):
        scenario, point, judge, more = job
        tally.add(scenario, point, *judge(scenario, point, scenario.at(point, more)))

    busy = [job for job in jobs if not waits(job[0], job[1])]
    idle = [job for job in jobs if waits(job[0], job[1])]
    workers = os.cpu_count() or 1
    for some, threads in ((busy, workers), (idle, 8 * workers)):
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(one, job) for job in some]:
                done.result()
