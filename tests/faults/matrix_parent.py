"""Each call of the command itself, from its own first instruction to its end: it is killed
there, stopped for a while, or the call fails or does less than was asked. It ends with the
result that it has undisturbed or says what went wrong; its files are whole, or as they
were; and its child does not outlive it."""
import errno
import os
import re
import stat
import sys

import fault_scenarios as named
from fault_kit import RULES, Tally, run_all
from fault_scenarios import (REPEATED, detail, left_processes, points_of, refusal, same_result,
                             show)

FINE = (None, None)
ACTIONS = ['kill', 'pause', 'fail', 'lie', 'short']

# A call that the kernel does not break off, since there is nothing to wait for: pipes that
# are empty or made for it, and files of /proc, which are made whole. Standard output is
# the C library's, which does not try again.
WHOLE_CALLS = ('cage.spawn', 'cage.exit', 'cage.unreadable', 'cage.attest', 'cli.output')

# Rules that say what is wrong without the system's reason.
WITHOUT_REASON = ('cage.unreadable', 'cage.attest', 'cage.program', 'cage.layer', 'policy.read')
MEMORY = ('internal.memory', 'limit.heap-bytes')

# libsodium writes to a key's memory before it frees it, also where it could not make that
# writable again.
CRASHES = {('mprotect', 11)}


# ---- files

HIDDEN = re.compile(r'\.weighlock-[0-9a-f]{16}')


def is_random(scenario):
    return scenario.name == 'keygen'


def is_whole(scenario, name, file, reference):
    """Is it one of the files that were there before or are there behind an undisturbed run,
    or what is documented to be there meanwhile?"""
    before, after = scenario.before.get(name), reference.files.get(name)
    if file in (before, after):
        return True
    if file[1] is None:
        return stat.S_ISDIR(file[0])
    if is_random(scenario) and before is None and after is not None:
        return file[0] == after[0] and len(file[1]) == len(after[1])
    if name == 'iris.wlk.undo':  # the old bytes before the data
        return scenario.before['iris.wlk'][1].startswith(file[1]) and len(file[1]) >= 4096
    return False


def wrong_files(scenario, point, outcome, reference):
    names = set(outcome.files) | set(scenario.before)
    for name in sorted(names):
        file = outcome.files.get(name)
        if file is None:
            return f'{name} is gone'
        # Nothing can be linked over a file: what is to replace one has a name for a moment.
        if HIDDEN.fullmatch(name) and point.action == 'kill' and point.name == 'renameat':
            file, name = (stat.S_IFREG | stat.S_IMODE(file[0]), file[1]), 'out.wlk'
        if not is_whole(scenario, name, file, reference):
            return f'{name} is not whole' if name in reference.files else f'{name} is left'
    keys = outcome.files
    if is_random(scenario) and 'trust/new.pub' in keys:
        if keys['trust/new.pub'][1] != keys.get('new.pub', (0, None))[1]:
            return 'a key is trusted that nobody has'
    return None


def changed_files(scenario, outcome):
    """What a refused command has changed; a folder for keys may have come into being."""
    return sorted(name for name, file in outcome.files.items()
                  if scenario.before.get(name) != file and file[1] is not None)


# What a refused command may have changed nevertheless: it was done before the call.
def may_have_changed(scenario, point, rule, reference):
    if rule == 'cli.output' and point.name == 'write':
        return set(reference.files)  # it could not be told
    if rule == 'gate.read' and point.name == 'newfstatat':
        return set(reference.files)  # the size of what was written is not known
    if point.name == 'fsync' and scenario.name == 'sign':
        return {'out.wlk'}  # a file was replaced, and its folder cannot be synced
    if point.name == 'unlink' and scenario.name == 'meta set':
        return {'iris.wlk', 'iris.wlk.undo'}  # the file is written, what was saved is left
    return set()


# ---- what is said

def wrong_reason(point, outcome, rule):
    """A failure must surface as what it was."""
    said = detail(outcome)
    if os.strerror(point.errno) in said or rule in WITHOUT_REASON:
        return None
    if point.errno == errno.ENOMEM and rule in MEMORY:
        return None
    if point.name == 'newfstatat' and rule == 'trust.folder-read':
        return None  # whatever the reason, there is a folder then, which cannot be opened
    if point.name == 'getrandom' and RULES[rule] == 'system':
        return None
    if rule == 'cli.output' and not outcome.out.startswith(b'{"'):
        return None  # the C library has forgotten it
    return f'{rule} is not about {errno.errorcode[point.errno]}'


def judge_end(scenario, point, outcome, reference):
    """A refusal, with what it may have changed and what it must say."""
    rule = refusal(outcome)
    if rule is None:
        crash = (point.name, outcome.signal) in CRASHES and outcome.files == scenario.before
        return FINE if crash else ('result', show(outcome))
    if point.action in ('pause', 'kill'):
        return 'result', show(outcome)
    interrupted = point.errno == errno.EINTR and point.name in REPEATED - {'getrandom'}
    if (interrupted or point.action == 'short') and rule not in WHOLE_CALLS:
        return 'result', 'not tried again: ' + show(outcome)
    changed = set(changed_files(scenario, outcome))
    if not changed <= may_have_changed(scenario, point, rule, reference):
        return 'file', f'{rule}, but {changed} changed'
    wrong = wrong_reason(point, outcome, rule) if point.action == 'fail' else None
    return ('result', wrong) if wrong else FINE


class Matrix:
    def __init__(self):
        self.scenarios, self.tally, self.jobs = named.Scenarios(), Tally(), []

    def add(self, scenario, reference, judge, first, actions):
        for call in reference.calls:
            if call.process != 0:
                continue
            for point in points_of(call, actions, first):
                self.jobs.append((scenario, point, judge, ()))

    def command(self, make, first='command', actions=tuple(ACTIONS)):
        scenario = make(self.scenarios)
        reference = scenario.calls(first)

        def judge(scenario, point, outcome):
            wrong = left_processes(point, outcome)
            if wrong:
                return 'process', wrong
            wrong = wrong_files(scenario, point, outcome, reference)
            if wrong:
                return 'file', wrong
            if not outcome.fired:
                return 'result', 'the call was not there'
            if point.action == 'kill':
                return FINE if outcome.signal == 9 else ('result', show(outcome))
            if same_result(scenario, outcome, reference):
                return FINE
            return judge_end(scenario, point, outcome, reference)

        self.add(scenario, reference, judge, first, actions)

    def through_gate(self, mode, first='command'):
        """The second of three loads through one gate: whatever goes wrong in it, nothing is
        left of it, and the third succeeds."""
        scenario = self.scenarios.through_gate(mode)
        reference = scenario.calls(first)
        good = reference.out.splitlines()
        has_threads = mode == 'pool'  # whose calls are not in the same order each time

        def judge(scenario, point, outcome):
            wrong = left_processes(point, outcome)
            if wrong:
                return 'process', wrong
            if point.action == 'kill' and outcome.fired:
                return FINE if outcome.signal == 9 else ('result', show(outcome))
            lines = outcome.out.splitlines()
            if len(lines) != 4 or outcome.exit != 0 or lines[0] != good[0]:
                return 'result', show(outcome)
            if lines[2] != b'nothing' or lines[3] != good[3]:
                return 'process', show(outcome)
            words = lines[1].decode().split()
            refused = len(words) > 1 and RULES.get(words[1]) is not None
            never = point.action in ('pause', 'lie')
            right = lines[1] == good[1] or (refused and not never)
            return FINE if right and (outcome.fired or has_threads) else ('result', show(outcome))

        self.add(scenario, reference, judge, first, ACTIONS)


def main():
    matrix = Matrix()
    try:
        matrix.command(named.inspect)
        matrix.command(named.inspect, 'children', ['kill', 'fail'])
        for make in (named.extract, named.verify, named.predict, named.sign, named.meta_set,
                     named.keygen, named.trust_add):
            matrix.command(make)
        for mode in ('pipe', 'map', 'lazy'):
            matrix.through_gate(mode)
        matrix.through_gate('pool', None)  # its own thread's calls come when they come
        run_all(matrix.jobs, matrix.tally)
    finally:
        matrix.scenarios.remove()
    print('\n'.join(matrix.tally.faults[:50]))
    print(matrix.tally.line('matrix_parent'))
    return 1 if matrix.tally.faults else 0


if __name__ == '__main__':
    sys.exit(main())
