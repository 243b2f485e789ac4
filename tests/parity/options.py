"""`make check-options`: every constructor option of every supported estimator is honoured or
refused, and none gives a wrong prediction.

    options.py BUILD [--table] [--write] [--seconds] [CLASS...]

The classes are those of Weighlock's own table. Each is fitted as tests/parity/estimators.py
says, then again with one option changed at a time, to each of the values that scikit-learn's
own constraints name and to those of the table there; then with some pairs of options; then
with data of other kinds. What was fitted is pickled, and predicted by Weighlock: the same as
scikit-learn's own, or a refusal that names the class and the option, and that stands in
tests/parity/refused.txt (which --write writes). Anything else is wrong, and so is an option
for which no value could be tried. The last line counts options.
"""
import contextlib
import inspect
import json
import os
import pickle
import random
import re
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# One thread: fits are too small for more, and their results are the same whenever this runs.
for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'):
    os.environ[name] = '1'

import numpy  # noqa: E402
import sklearn  # noqa: E402

import estimators  # noqa: E402
import run  # noqa: E402

HERE = Path(__file__).resolve().parent
REFUSED = HERE / 'refused.txt'
SOME = 'in some versions'
PAIRS = 3


# ---- which values

def within(interval, candidates, most):
    kind = interval.type if isinstance(interval.type, type) else float
    real = 'Real' in kind.__name__
    return [c for c in candidates if isinstance(c, float) == real and c in interval][:most]


def constrained(constraint):
    """Values that one of scikit-learn's constraints names."""
    name = type(constraint).__name__
    if isinstance(constraint, str):
        return [False, True] if constraint == 'boolean' else []
    if constraint is None:
        return [None]
    if name in ('StrOptions', 'Options'):
        return sorted(constraint.options, key=str)
    if name == 'Interval':
        return within(constraint, [1, 2, 3, 5, 0, -1, 0.1, 0.5, 0.9, 1.0, 2.0, 0.0, 10.0, -1.0], 3)
    return []


def values_of(base, option):
    """Values to try for an option: written ones alone where there are any for this class."""
    kind = base.kind
    own = {**estimators.VALUES.get(kind.__name__, {}), **base.values}
    if option in own:
        return list(own[option])
    common = list(estimators.VALUES['*'].get(option, []))
    if common and option in estimators.ONLY:
        return common
    constraints = getattr(kind, '_parameter_constraints', {}).get(option, [])
    for constraint in constraints if isinstance(constraints, list) else []:
        common += constrained(constraint)
    return common or near(inspect.signature(kind).parameters[option].default)


def near(default):
    """The default of an option and its like, where a version has no constraints."""
    if isinstance(default, bool):
        return [False, True]
    return [default, default * 2] if isinstance(default, float) else [default]


def show(value):
    """A value, in a word that is the same whenever this runs."""
    if callable(value) and hasattr(value, '__name__'):
        return value.__name__
    if isinstance(value, numpy.ndarray):
        return f'array{value.shape}'.replace(' ', '')
    if isinstance(value, numpy.random.RandomState):
        return 'RandomState'
    text = re.sub(r' at 0x[0-9a-f]+', '', repr(value))
    return re.sub(r'\s+', ' ', text)[:60]


# ---- what is to be shown

class Trial:
    """One fitted estimator: class, how it was set, and what shall come of it."""

    def __init__(self, base, options, setting, kind=None):
        self.base, self.options, self.setting, self.kind = base, options, setting, kind
        self.unfit = self.want = self.bytes = self.rows = self.outcome = None
        self.detail, self.parts = '', ()
        self.tolerance = {}  # by output

    def name(self):
        return f'{self.base.label} {self.setting}'

    def tolerance_of(self, output, least):
        return max([least, *(tolerance for pattern, tolerance in estimators.NOT_DOUBLE.items()
                             if re.fullmatch(pattern, f'{self.name()}: {output}'))])

    def fit(self):
        """Fits; what scikit-learn itself will not do is nobody's fault."""
        try:
            numpy.random.seed(0)  # for random_state=None
            with silence():
                case = self.base.fit(self.options, self.kind)
            self.bytes = pickle.dumps(case.estimator, 4)
            self.rows = case.rows
            self.tolerance = {output: self.tolerance_of(output, case.tolerance)
                              for output in case.want}
            self.want = {name: numpy.char.decode(v) if numpy.asarray(v).dtype.kind == 'S' else v
                         for name, v in case.want.items()}  # bytes are given as texts
        except Exception as error:  # whatever an estimator raises
            self.unfit = f'{type(error).__name__}: {error}'[:200].replace('\n', ' ')


@contextlib.contextmanager
def silence():
    """What verbose estimators say, also those of C."""
    kept = [os.dup(1), os.dup(2)]
    sys.stdout.flush()
    with open(os.devnull, 'w') as nothing:
        for descriptor in (1, 2):
            os.dup2(nothing.fileno(), descriptor)
        try:
            yield
        finally:
            sys.stdout.flush()
            for descriptor in (1, 2):
                os.dup2(kept[descriptor - 1], descriptor)
                os.close(kept[descriptor - 1])


def walked(base):
    """Options of a class's constructor, each with the trials of it."""
    parameters = inspect.signature(base.kind).parameters.values()
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        option, seen, trials = parameter.name, set(), []
        for value in values_of(base, option):
            setting = f'{option}={show(value)}'
            if setting not in seen:
                trials.append(Trial(base, {option: value}, setting))
            seen.add(setting)
        yield option, trials


def paired(base, by_option):
    """Some pairs of options, always the same ones."""
    rng = random.Random(base.label)
    names = [name for name, trials in by_option if any(not t.unfit for t in trials)]
    for _ in range(PAIRS if len(names) > 1 else 0):
        two = [rng.choice([t for t in dict(by_option)[name] if not t.unfit])
               for name in rng.sample(names, 2)]
        options = {**two[0].options, **two[1].options}
        pair = Trial(base, options, ' '.join(sorted(t.setting for t in two)))
        pair.parts = [t.name() for t in two]
        yield pair


# ---- Weighlock

class Program:
    def __init__(self, build, folder):
        self.path, self.folder = str(Path(build).resolve() / 'bin' / 'weighlock'), Path(folder)
        self.tables = {}

    def table(self, rows):
        """The file of these rows, written once."""
        if id(rows) not in self.tables:
            place = self.folder / f'rows-{len(self.tables)}'
            place.mkdir()
            self.tables[id(rows)] = (run.write_rows(place, rows), rows)
        return self.tables[id(rows)][0]

    def judge(self, number, trial):
        model = self.folder / f'model-{number}'
        model.write_bytes(trial.bytes)
        done = subprocess.run([self.path, 'predict', '--allow-unsigned', '--format', 'json',
                               '--json', str(model), str(trial.table)],
                              capture_output=True, text=True, timeout=60)
        model.unlink()
        trial.outcome, trial.detail = verdict(trial, done)


def verdict(trial, done):
    try:
        result = json.loads(done.stdout)
    except ValueError:
        return 'wrong', f'exit {done.returncode}: {done.stdout} {done.stderr}'
    if done.returncode == 0:
        try:
            run.compare(result['outputs'], trial.want, trial.tolerance)
        except (run.Differs, ValueError, TypeError) as error:
            return 'wrong', str(error)
        return 'same', ''
    rule, detail = result.get('rule', ''), result.get('detail') or ''
    if not names(trial, rule, detail):
        return 'wrong', f'refused without a name: {done.stdout}'.replace('\n', ' ')
    return rule, detail


def names(trial, rule, detail):
    """Does the refusal say what it does not like: class and option, or the class that the option
    is? A function of one's own is named by pickle's own rule, before anybody knows in which
    class it stands; a number that is none, by the attribute of the fitted class."""
    if rule == 'pickle.global':
        return True
    if not rule.startswith('sklearn.'):
        return False
    if rule == 'sklearn.class' and trial.kind:
        return 'a class of sklearn.' in detail
    if any(f'{name}(' in repr(trial.options) and name in detail for name in estimators.CLASSES):
        return True
    return trial.base.kind.__name__ in detail and (
        trial.kind is not None or rule in ('sklearn.method', 'sklearn.value', 'sklearn.shape') or
        any(option in detail for option in trial.options))


# ---- the whole walk

def supported(build):
    """Weighlock's classes, of its own table."""
    tool = Path(build).resolve() / 'tests' / 'formats' / 'tool_sklearn_rows'
    text = subprocess.run([tool], check=True, capture_output=True, text=True).stdout
    return [line.split('|')[1].strip(' `') for line in text.splitlines()[2:]]


def judge_all(program, trials):
    fitted = [t for t in trials if not t.unfit]
    for trial in fitted:
        trial.table = program.table(trial.rows)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: program.judge(*pair), enumerate(fitted)))


def walk(program, base):
    """Trials by option, and the rest; how long it took."""
    started = time.time()
    by_option = list(walked(base))
    for _, trials in by_option:
        for trial in trials:
            trial.fit()
    more = [*paired(base, by_option),
            *(Trial(base, {}, f'({kind})', kind) for kind in base.kinds)]
    for trial in more:
        trial.fit()
    judge_all(program, [t for _, trials in by_option for t in trials] + more)
    return by_option, more, time.time() - started


def listed():
    lines = REFUSED.read_text().splitlines() if REFUSED.exists() else []
    return [line.split(' | ') for line in lines if line and not line.startswith('#')]


def write_refused(report):
    """What another version than Debian's says is told apart from what that one says."""
    head = [line for line in REFUSED.read_text().splitlines() if line.startswith('#')]
    kept = {row[0]: row for row in listed()}
    here = [SOME] if estimators.VERSION != (1, 2) else []
    for name, outcome in report.outcomes.items():
        row = kept.get(name)
        if outcome in ('same', 'wrong') or follows(report, kept, name):
            if row and outcome == 'same':
                kept[name] = [name, row[1], SOME] if here else None
        elif row is None or row[1] != outcome:
            kept[name] = [name, outcome, *here]
    rows = sorted(' | '.join(row) for row in kept.values() if row)
    REFUSED.write_text('\n'.join(head + rows) + '\n')


def follows(report, rows, name):
    """Is it a pair of options, one of which alone is refused in the same way?"""
    return any(rows.get(part) and rows[part][1] == report.outcomes[name]
               for part in report.parts.get(name, ()))


class Report:
    def __init__(self):
        self.honoured = self.refused = 0
        self.wrong, self.outcomes, self.parts = [], {}, {}

    def take(self, trials):
        for trial in trials:
            if trial.unfit:
                continue
            self.outcomes[trial.name()] = trial.outcome
            self.parts[trial.name()] = trial.parts
            if trial.outcome == 'wrong':
                self.wrong.append(f'{trial.name()}: {trial.detail[:400]}')

    def option(self, base, option, trials):
        """Is the option honoured? None where nothing could be tried."""
        self.take(trials)
        tried = [t for t in trials if not t.unfit]
        if not tried:
            why = trials[0].unfit if trials else 'no value'
            self.wrong.append(f'{base.label} {option}: nothing tried ({why})')
            return None
        honoured = all(t.outcome == 'same' for t in tried)
        self.honoured += honoured
        self.refused += not honoured
        return honoured


def compare_lists(report):
    """refused.txt against what was refused: both ways, for what was tried."""
    expected = {row[0]: row for row in listed()}
    for name, outcome in report.outcomes.items():
        _, was, *some = expected.get(name, (name, 'same'))
        agrees = outcome == was or some and outcome == 'same' or follows(report, expected, name)
        if outcome != 'wrong' and not agrees:
            yield f'{name}: {outcome}, but tests/parity/refused.txt says {was}'


def main():
    flags = [a for a in sys.argv[1:] if a.startswith('--')]
    build, *chosen = [a for a in sys.argv[1:] if not a.startswith('--')]
    warnings.simplefilter('ignore')
    numpy.seterr(all='ignore')
    report = Report()
    rows = supported(build)
    for name in rows:
        if name in estimators.CLASSES and not any(b.kind.__name__ == name
                                                  for b in estimators.BASES):
            report.wrong.append(f'{name}: no example of it in tests/parity/estimators.py')
    with tempfile.TemporaryDirectory() as folder:
        program = Program(build, folder)
        for base in estimators.BASES:
            if chosen and base.kind.__name__ not in chosen and base.label not in chosen:
                continue
            if base.kind.__name__ not in rows:
                report.wrong.append(f'{base.label}: not in the table of classes')
            by_option, more, seconds = walk(program, base)
            marks = [(option, report.option(base, option, trials)) for option, trials in by_option]
            report.take(more)
            no = [option for option, mark in marks if mark is False]
            if '--table' in flags:
                print(f'{base.label:36} honoured {sum(m is True for _, m in marks):2}, '
                      f'refused {len(no)}' + (f' ({", ".join(no)})' if no else '') +
                      (f'   {seconds:.1f} s' if '--seconds' in flags else ''), flush=True)
            if '--unfit' in flags:
                for trial in [t for _, ts in by_option for t in ts] + more:
                    if trial.unfit:
                        print(f'    unfit {trial.setting}: {trial.unfit}')
    if '--write' in flags:
        write_refused(report)
    else:
        report.wrong += compare_lists(report)
    for line in report.wrong:
        print(f'WRONG {line}')
    print(f'scikit-learn {sklearn.__version__}: options {report.honoured} honoured, '
          f'{report.refused} refused, {len(report.wrong)} wrong')
    return 1 if report.wrong or not report.honoured else 0


if __name__ == '__main__':
    sys.exit(main())
