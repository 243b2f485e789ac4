"""The program is killed while its child is at work: the child ends too, and no file is
left. The child is one that says nothing."""
import os
import re
import select
import signal
import subprocess
import time

from bad_input import PROGRAMS, BadInputTest, copy_programs, files_below, main
from kit import HERE, WEIGHLOCK, samples, wlk

HOSTILE = WEIGHLOCK.parents[1] / 'tests' / 'gate' / 'child_hostile'
CASES = re.findall(r'X\((\w+)\)', (HERE.parent / 'gate' / 'hostile_cases.h').read_text())
KILLERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
SECONDS = 20  # in which everything must have come and gone


def value_of(pid, key):
    """The first word of a line of /proc/PID/status; None if there is no such process."""
    try:
        with open(f'/proc/{pid}/status') as file:
            lines = dict(line.split(':', 1) for line in file)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return (lines.get(key, '').split() or [''])[0]


def child_of(parent):
    """The process whose parent that is, once it has its filter; None."""
    for name in os.listdir('/proc'):
        if name.isdigit() and value_of(name, 'PPid') == str(parent):
            return int(name) if value_of(name, 'Seccomp') == '2' else None
    return None


def until(found):
    """What found() gives once it is not None; None if that never comes."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        result = found()
        if result is not None:
            return result
        time.sleep(0.01)
    return None


class Killed(BadInputTest):
    def start(self, verb, *arguments):
        silent = f'columns={CASES.index("silent")}'
        words = [PROGRAMS / 'silent' / 'weighlock', verb, *map(str, arguments), '--limit', silent,
                 '--trust', self.trust]
        return subprocess.Popen(words, env=self.environment(), cwd=self.folder,
                                start_new_session=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def kill(self, number, *call):
        before = files_below(self.folder)
        process = self.start(*call)
        child = until(lambda: child_of(process.pid))
        self.assertIsNotNone(child, process.poll())
        ended = os.pidfd_open(child)
        process.send_signal(number)
        said = process.communicate(timeout=SECONDS)
        self.assertEqual((process.returncode, said), (-number, (b'', b'')))
        self.assertTrue(select.select([ended], [], [], SECONDS)[0], 'the child goes on')
        os.close(ended)
        self.assertEqual(os.waitpid(-1, 0)[0], child)  # which is ours now
        self.assert_nothing_left(before)

    def test_each_signal(self):
        self.put('w.wlk', wlk.write(samples.classifier(), samples.EXAMPLE_KEY))
        for number in KILLERS:
            with self.subTest(number):
                self.kill(number, 'inspect', 'w.wlk')

    def test_each_verb(self):
        self.put('w.wlk', wlk.write(samples.classifier(), samples.EXAMPLE_KEY))
        for call in (('sign', 'w.wlk', '-s', self.secret, '-o', 'out'),
                     ('sign', 'w.wlk', '-s', self.secret),
                     ('predict', 'w.wlk', '/dev/null', '-o', 'out')):
            with self.subTest(call[0]):
                self.kill(signal.SIGTERM, *call)


if __name__ == '__main__':
    copy_programs(PROGRAMS / 'silent', HOSTILE)
    main()
