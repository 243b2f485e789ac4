"""One run of one target under libFuzzer, and what came of it."""
import dataclasses
import datetime
import fcntl
import json
import os
import pathlib
import re
import shlex
import subprocess
import threading

from runner import tree

PLAIN = 'WEIGHLOCK_FUZZ_PLAIN'
# Beyond the seconds that the engine was given: it loads, and ends, on a machine under load.
GRACE = 120


@dataclasses.dataclass
class Outcome:
    """command, output: for people. finding: the input that ended the run, if one did."""
    target: str
    command: list
    output: str
    code: int
    cpu: float
    memory: int  # MiB at most
    finding: pathlib.Path | None = None

    @property
    def executions(self):
        counts = [int(n) for n in re.findall(r'^#(\d+)\s', self.output, re.M)]
        counts += [int(n) for n in re.findall(r'number_of_executed_units: (\d+)', self.output)]
        return max(counts, default=0)

    @property
    def covered(self):
        """Edges and features at the end."""
        found = re.findall(r'cov: (\d+) ft: (\d+)', self.output)
        return tuple(int(n) for n in found[-1]) if found else (0, 0)

    @property
    def hang(self):
        return 'libFuzzer: timeout' in self.output or self.code < 0

    @property
    def failed(self):
        return self.code != 0


def arguments(folders, target, given):
    """The options of an engine's run."""
    chosen = {'use_value_profile': 0, 'reload': 0, 'print_final_stats': 1,
              'artifact_prefix': f'{folders.findings(target)}/', **tree.options(target), **given}
    dictionary = folders.dictionary(target)
    if dictionary:
        chosen.setdefault('dict', dictionary)
    return [f'-{name}={value}' for name, value in chosen.items() if value is not None]


def execute(command, log, seconds, environment=None):
    """Runs a command; returns its exit code, its CPU time in seconds and its memory in MiB."""
    with open(log, 'wb') as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, env=environment)
        guard = threading.Timer(seconds, process.kill)
        guard.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            guard.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024


def what_failed(output):
    """The input that ended a run: the engine wrote it, or it ran it by name."""
    written = re.findall(r'Test unit written to (\S+)', output)
    named = re.findall(r'^Running: (.+)$', output, re.M)
    found = written[-1:] or named[-1:]
    return pathlib.Path(found[0]) if found else None


def run(folders, target, inputs, seconds=None, plain=False, name=None, **given):
    """Runs the target under the engine: for `seconds`, or as long as its options say."""
    if seconds is not None:
        given['max_total_time'] = seconds
    command = [folders.engine / f'fuzz_{target}', *arguments(folders, target, given), *inputs]
    command = [str(word) for word in command]
    log = folders.log(name or target)
    environment = {**os.environ, PLAIN: '1'} if plain else None
    code, cpu, memory = execute(command, log, (seconds or 600) + GRACE, environment)
    output = log.read_text(errors='replace')
    finding = what_failed(output) if code else None
    return Outcome(target, command, output, code, cpu, memory, finding)


def fuzz(folders, target, inputs, **given):
    """A run whose executions count."""
    outcome = run(folders, target, inputs, **given)
    add_to_totals(folders, outcome)
    return outcome


def add_to_totals(folders, outcome):
    """Appends to totals.json, of which several runs at once may want a part."""
    tree.made(folders.root)
    row = {'target': outcome.target, 'executions': outcome.executions,
           'cpu_seconds': round(outcome.cpu, 1),
           'crashes': int(outcome.failed and not outcome.hang),
           'hangs': int(outcome.failed and outcome.hang), 'memory_mib': outcome.memory,
           'date': datetime.date.today().isoformat(), 'commit': tree.commit()}
    with open(folders.totals, 'a+') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        rows = json.loads(text) if text else []
        file.truncate(0)
        json.dump([*rows, row], file, indent=1)


def explain(outcome):
    """What a person needs to go on from a finding."""
    end = outcome.output.splitlines()[-40:]
    lines = [f'fuzz_{outcome.target}: exit {outcome.code}', *(f'    {line}' for line in end)]
    if outcome.finding:
        where = shlex.quote(str(outcome.finding))
        again = shlex.join([outcome.command[0], '-timeout=10'])
        lines += [f'the input:     {where}', f'reproduce it:  {again} {where}']
        if (tree.SOURCES / 'fuzz.mk').exists():  # not in an installed kit
            rest = f'TARGET={outcome.target} FILE={where}'
            lines += [f'decode it:     make fuzz-show {rest}',
                      f'minimise it:   make fuzz-minimise {rest}']
    else:
        lines.append(f'run it again:  {shlex.join(outcome.command)}')
    return '\n'.join(lines)
