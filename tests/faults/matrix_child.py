"""Each call of the confined child, from its clone to its end: it is killed there, stopped,
or the call fails, does less than was asked, or only pretends. Every load ends with the
result that it has undisturbed, or with the refusal that belongs to what happened, and
leaves nothing behind (invariants 6 and 8: no model but from a child that was seen to end
well; what held before must hold)."""
import errno
import json
import os
import sys

import fault_scenarios as named
from fault_kit import Tally, run_all
from fault_scenarios import detail, left_processes, points_of, refusal, same_result, show

FINE = (None, None)

# Where calls that are not made but give 0 take a required layer away.
NO_NEW_PRIVS = 38  # PR_SET_NO_NEW_PRIVS
ALWAYS_LOWERED = (6, 7)  # RLIMIT_NPROC, RLIMIT_NOFILE
STOP_DEADLINE = ('--limit', 'deadline_ms=700')


def is_lock(call):
    if call.name == 'prctl':
        return call.arguments[0] == NO_NEW_PRIVS
    if call.name == 'prlimit64':
        return call.arguments[1] in ALWAYS_LOWERED and call.arguments[2] != 0
    return call.name in ('setresuid', 'setresgid', 'capset', 'seccomp')


class Life:
    """The calls of one child, and in which part of its life each is made."""

    def __init__(self, calls):
        self.calls = calls
        names = [call.name for call in calls]
        self.program = names.index('execveat') if 'execveat' in names else None
        self.filter = names.index('seccomp') if 'seccomp' in names else None

    def is_launch(self, index):
        """Between clone and exec, in the parent's memory."""
        return self.program is None or index < self.program

    def talks(self, call):
        """To its parent, through the two pipes."""
        return (not self.is_launch(call.index) and call.name in ('read', 'write') and
                call.arguments[0] < 2)


def lives_of(reference):
    """{process: Life}"""
    processes = sorted({call.process for call in reference.calls} - {0})
    return {process: Life([call for call in reference.calls if call.process == process])
            for process in processes}


def confined(lives):
    return [process for process, life in lives.items() if life.program is not None]


# ---- what may come of it

KILLED = ('cage.killed',)
STOPPED = ('cage.stopped', 'limit.deadline')
NOT_STARTED = ('cage.spawn', 'cage.layer-lost')
NOT_CONFINED = ('cage.layer', 'cage.layer-lost', 'cage.exit', 'limit.heap-bytes')
PRETENDED = ('cage.layer', 'cage.attest')


def wanted(life, point):
    """(rules of which one must be given, or None; may the result be as undisturbed?)"""
    call = life.calls[point.index]
    if life.program is None:  # it makes namespaces, without which the load does as well
        return None, True
    if point.action == 'stop':
        return (None, True) if call.name == 'exit_group' else (STOPPED, False)
    if point.action == 'kill':
        return KILLED, False
    if point.action == 'skip':
        return PRETENDED, False
    if life.is_launch(point.index) or call.name == 'execveat':
        # An ordinary user's child is started again without namespaces, unless the gate has
        # had them.
        return NOT_STARTED, os.geteuid() != 0
    if life.talks(call) and (point.action == 'short' or point.errno == errno.EINTR):
        return None, True
    return NOT_CONFINED, True


def judge_rule(life, point, rule, is_same):
    rules, may_be_same = wanted(life, point)
    if is_same:
        return may_be_same
    return rule in (rules or ())


class Matrix:
    def __init__(self):
        self.scenarios, self.tally, self.jobs = named.Scenarios(), Tally(), []

    def add(self, scenario, life, judge, actions, calls=None):
        for call in life.calls if calls is None else calls:
            for action in actions:
                if action == 'skip' and not is_lock(call):
                    continue
                more = STOP_DEADLINE if action == 'stop' else ()
                for point in points_of(call, [action]):
                    self.jobs.append((scenario, point, judge, more))

    def command(self, make, actions, calls_of=None):
        """The children of a command."""
        scenario = make(self.scenarios)
        reference = scenario.calls(None)
        for life in lives_of(reference).values():
            def judge(scenario, point, outcome, life=life):
                wrong = left_processes(point, outcome)
                if wrong:
                    return 'process', wrong
                is_same = same_result(scenario, outcome, reference)
                if not is_same and outcome.files != scenario.before:
                    return 'file', 'the folder is not as it was: ' + show(outcome)
                right = outcome.fired and judge_rule(life, point, refusal(outcome), is_same)
                return FINE if right else ('result', show(outcome))

            calls = calls_of(life) if calls_of else None
            self.add(scenario, life, judge, actions, calls)

    def through_gate(self, mode, actions, calls_of=None):
        """The child of the second of three loads: the gate is as good as before, and has
        nothing left of it. One that waits in a pool is replaced if it is hurt meanwhile."""
        scenario = self.scenarios.through_gate(mode)
        reference = scenario.calls(None)
        lives = lives_of(reference)
        life = lives[confined(lives)[1]]
        first, again, left, last = reference.out.splitlines()
        if not first == again == last or left != b'nothing':
            raise ValueError(f'undisturbed: {reference.out}')

        def judge(scenario, point, outcome):
            wrong = left_processes(point, outcome)
            lines = outcome.out.splitlines()
            if wrong or len(lines) != 4 or lines[2] != b'nothing':
                return 'process', wrong or show(outcome)
            words = lines[1].decode().split()
            rule = words[1] if len(words) > 1 else None
            replaced = mode == 'pool' and lines[1] == first
            right = (outcome.exit == 0 and lines[0] == lines[3] == first and outcome.fired and
                     (replaced or judge_rule(life, point, rule, lines[1] == first)))
            return FINE if right else ('result', show(outcome))

        self.add(scenario, life, judge, actions, calls_of(life) if calls_of else None)

    def layers(self):
        """Which layer a call belongs to, nobody has written down: the layers are applied in
        their order, so the one that fails with a call never stands before the one that
        failed with an earlier call. A required one is refused, an optional one is told."""
        scenario = named.doctor(self.scenarios)
        reference = scenario.calls(None)
        lives = lives_of(reference)
        life = lives[confined(lives)[0]]
        rows = json.loads(reference.out)['layers']
        order = [row['layer'] for row in rows]
        required = {row['layer'] for row in rows if row['required']}
        usual = {row['layer'] for row in rows if row['state'] == 'failed'}
        found = {}

        def failed_layer(outcome):
            """The layer that the outcome is about; None: it is about none."""
            if refusal(outcome) == 'limit.heap-bytes':
                return 'heap'
            if refusal(outcome) == 'cage.layer':
                return detail(outcome).split(':')[0]
            states = json.loads(outcome.out).get('layers', ()) if outcome.exit == 0 else ()
            new = [row['layer'] for row in states
                   if row['state'] == 'failed' and row['layer'] not in usual]
            return new[0] if new else None

        def judge(scenario, point, outcome):
            wrong = left_processes(point, outcome)
            if wrong:
                return 'process', wrong
            layer = failed_layer(outcome)
            if layer and not life.is_launch(point.index - 1):
                found[point.index, point.errno] = layer
            if layer and (layer in required) == (outcome.exit == 0):
                return 'result', f'{layer}: ' + show(outcome)
            right = outcome.exit == 0 or refusal(outcome) in NOT_CONFINED + NOT_STARTED
            return FINE if right else ('result', show(outcome))

        self.add(scenario, life, judge, ['fail'])

        def in_order():
            places = [order.index(found[key]) for key in sorted(found)]
            if places != sorted(places):
                return f'doctor: layers out of order: {found}'
            missed = required - set(found.values()) - {'regain'}  # whose calls all fail
            return f'doctor: never failed: {missed}' if missed else None

        return in_order


def behind_filter(life):
    return [] if life.filter is None else life.calls[life.filter:]


def sample(life):
    """Some of the calls before the filter, and all behind it."""
    return life.calls[:life.filter:12] + behind_filter(life)


def main():
    matrix = Matrix()
    try:
        matrix.command(named.inspect, ['kill', 'stop', 'fail', 'skip', 'short'])
        matrix.through_gate('pipe', ['kill', 'fail', 'skip', 'short'])
        matrix.through_gate('map', ['kill', 'fail', 'short'])
        matrix.through_gate('lazy', ['kill', 'fail', 'short'])
        matrix.through_gate('pool', ['kill', 'fail', 'skip', 'short'], sample)
        for make in (named.extract, named.predict, named.sign, named.meta_set):
            matrix.command(make, ['kill'])
            matrix.command(make, ['stop', 'fail', 'short'], behind_filter)
        in_order = matrix.layers()
        run_all(matrix.jobs, matrix.tally)
        out_of_order = in_order()
    finally:
        matrix.scenarios.remove()
    faults = matrix.tally.faults + ([out_of_order] if out_of_order else [])
    print('\n'.join(faults[:50]))
    print(matrix.tally.line('matrix_child'))
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
