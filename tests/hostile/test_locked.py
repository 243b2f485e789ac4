#!/usr/bin/python3
"""No pickle whose unpickling asks Python for anything outside of policy/pickle.allow is taken.

Thousands of streams, mutations of estimators, of data, and of hostile pickles, are unpickled by a
Python that is locked down (locked.py), and inspected. What each of the two says of them is counted."""
import collections
import io
import json
import pathlib
import pickle
import random
import struct
import subprocess
import sys
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import joblib  # noqa: E402
import numpy  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402

import gadgets  # noqa: E402
import locked  # noqa: E402
import mutations  # noqa: E402
import rows_opcodes  # noqa: E402
from assembler import code  # noqa: E402
from cases import ROOT  # noqa: E402
from weighlock import inspect_bytes  # noqa: E402

STREAMS = 4000
ALLOWED = ROOT / 'policy' / 'pickle.allow'
SECONDS = 110

X = numpy.random.RandomState(0).rand(20, 2)
Y = (X[:, 0] > 0.5).astype(int)


def written(value, protocol):
    return pickle.dumps(value, protocol)


def by_joblib(value):
    out = io.BytesIO()
    joblib.dump(value, out)
    return out.getvalue()


def seeds():
    """Harmless streams, of which Python and Weighlock say that they are."""
    words = numpy.array([['a'], ['b'], ['c']], dtype=object)
    estimators = [LogisticRegression().fit(X, Y), DecisionTreeClassifier(max_depth=2).fit(X, Y),
                  make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y), OneHotEncoder().fit(words)]
    data = {'w': numpy.arange(6.).reshape(2, 3), 'names': ['a', 'b', {'c': (1, 2.5, None)}], 'words': words}
    for value in [*estimators, data]:
        yield from (written(value, protocol) for protocol in (0, 2, 4, 5))
        yield by_joblib(value)
    yield from (written([1, 'a', {2: (True, None)}], protocol) for protocol in range(6))


def parts_of(data, allowed):
    """The opcodes, each with the array behind it; without the frames."""
    places = [*locked.places(data, allowed), len(data)]
    parts = [data[here:there] for here, there in zip(places, places[1:])]
    return [part for part in parts if part[:1] != pickle.FRAME]


def hostile():
    """Hostile streams: small ones of opcodes, and the gadgets in each way."""
    small = [case.data for table in rows_opcodes.tables() for case in table if len(case.data) < 2000]
    rng = random.Random(2)
    ways = [code(*way(*rng.choice(gadgets.GADGETS))) for way in gadgets.WAYS for _ in range(20)]
    return small + ways


def flipped(data, rng):
    out = bytearray(data)
    out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out)


def streams(allowed):
    rng = random.Random(1)
    parts = [parts_of(data, allowed) for data in seeds()]
    bad = hostile()
    made = list(bad)
    while len(made) < STREAMS:
        made.append(flipped(rng.choice(bad), rng) if rng.random() < 0.1
                    else mutations.mutate(rng.choice(parts), rng))
    return made[:STREAMS]


def python_says(made):
    """Of each stream [what was asked for outside, did it come to its end?]"""
    sent = b''.join(struct.pack('<I', len(data)) + data for data in made)
    done = subprocess.run([sys.executable, '-B', '-I', pathlib.Path(locked.__file__), ALLOWED],
                          input=sent, capture_output=True, timeout=SECONDS, env={})
    if done.returncode != 0 or done.stderr:
        raise RuntimeError(f'locked.py ended with {done.returncode}: {done.stderr[-500:]}')
    return [json.loads(line) for line in done.stdout.splitlines()]


def judge(said, answer):
    """(what Python does, what Weighlock does, may that be?)"""
    outside, ended = said
    python = 'asks for what is not allowed' if outside else 'loads' if ended else 'fails'
    weighlock = 'taken' if answer['verdict'] == 'ok' else 'refused'
    broken = answer['verdict'] in ('cage', 'system', 'usage')
    return python, weighlock, not broken and (weighlock == 'refused' or python == 'loads')


OCCUR = [('asks for what is not allowed', 'refused'), ('loads', 'taken'), ('loads', 'refused'),
         ('fails', 'refused')]
FEWEST = 100  # of each


def check_judge(allowed):
    """A name that Python were not allowed to ask for would be seen in a stream that is taken."""
    fewer = {pair for pair in allowed if pair[1] != 'LogisticRegression'}
    taken = {'verdict': 'ok'}
    data = next(seeds())
    assert judge(locked.both(data, allowed), taken)[2]
    assert not judge(locked.both(data, fewer), taken)[2]
    assert not judge(locked.both(data[:-9], allowed), taken)[2]


ACTS = ['open("/etc/passwd")', 'os.system("true")', 'import wave', '__import__("socket").socket()',
        'eval("1")', 'os.fork()', 'os.listdir("/")']


def check_lock():
    """A process that is locked ends when it does anything."""
    for act in ACTS:
        script = f'import os, sys; sys.path.insert(0, {str(HERE)!r}); import locked; locked.lock(); {act}'
        done = subprocess.run([sys.executable, '-B', '-I', '-c', script], capture_output=True, timeout=30)
        assert done.returncode == 70 and b'locked.py: ' in done.stderr, (act, done)


def main():
    allowed = locked.read_allowed(ALLOWED.read_text())
    check_judge(allowed)
    check_lock()
    made = streams(allowed)
    # Every tenth goes to Weighlock compressed, as joblib writes it.
    answers = inspect_bytes([zlib.compress(data) if i % 10 == 9 else data for i, data in enumerate(made)])
    counts, wrong = collections.Counter(), []
    for data, said, answer in zip(made, python_says(made), answers, strict=True):
        *pair, right = judge(said, answer)
        counts[tuple(pair)] += 1
        if not right:
            wrong.append(f"{data!r}\n  Python: {said}, Weighlock: {answer['verdict']} {answer.get('rule')}")
    for (python, weighlock), count in sorted(counts.items()):
        print(f'{count:6d} Python {python}, Weighlock: {weighlock}')
    print(*wrong[:5], sep='\n')
    missing = [pair for pair in OCCUR if counts[pair] < FEWEST]
    print(f'{len(made)} streams, {len(wrong)} wrong, too few of {missing}')
    sys.exit(bool(wrong) or bool(missing))


if __name__ == '__main__':
    main()
