"""The part of `make bench` beside onnxruntime, both on one thread. One line each: "name ratio
target (with the call)". A ratio is the median over rounds in which both take turns. What a call
costs in itself, which an Identity model shows, is subtracted from either side; with it, the ratio
stands in brackets. The exit code is 1 if a target is missed, 2 if something does not work.

    bench.py BUILD
"""
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections import namedtuple
from pathlib import Path
from statistics import median

import numpy
from skl2onnx import to_onnx
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import networks
import peer

QUICK = bool(os.environ.get('BENCH_QUICK'))
ROUNDS = 5 if QUICK else 15
ROUND_SECONDS = 0.02 if QUICK else 0.1  # that each takes in a round, or one run
LOAD_ROUNDS = 5 if QUICK else 11
MANY_ROWS = 20_000
FEATURES = 20

# model: its file's stem; inputs: a function; each: one row of them after the other.
Line = namedtuple('Line', 'name model inputs each target')


# ---- models

def data(rows, classes=2, seed=0):
    x, y = make_classification(rows, FEATURES, n_informative=12, n_classes=classes, flip_y=0.2,
                               random_state=seed)
    return x.astype(numpy.float32), y


def exported(estimator, rows, classes=2):
    x, y = data(rows, classes)
    estimator.fit(x, y)
    return to_onnx(estimator, x[:1], options={'zipmap': False}).SerializeToString()


def forest():
    """100 trees of 3,799 nodes that tell ten classes apart: 30 MB."""
    return exported(RandomForestClassifier(100, max_leaf_nodes=1900, bootstrap=False,
                                           random_state=0), 10_000, 10)


def boosting():
    """300 trees of depth 6."""
    return exported(GradientBoostingClassifier(n_estimators=300, max_depth=6, subsample=0.5,
                                               random_state=0), 4000)


def logistic():
    return exported(make_pipeline(StandardScaler(), LogisticRegression()), 4000)


MODELS = {'forest': forest, 'boosting': boosting, 'logistic': logistic,
          'mlp': lambda: networks.mlp()[0], 'cnn': lambda: networks.cnn()[0],
          'identity': lambda: networks.identity()[0]}


def make_models(folder):
    """Files that are there already are taken as they are."""
    for name, make in MODELS.items():
        path = folder / f'{name}.onnx'
        if not path.exists():
            new = path.with_suffix('.new')
            new.write_bytes(make())
            new.rename(path)


def of_rows(rows):
    return lambda: [data(rows, seed=1)[0]]


# file: what the forest was written to.
Load = namedtuple('Load', 'name file target')

LOADS = [
    Load('load_forest_onnx', 'forest.onnx', 1.0),
    Load('load_forest_wlk', 'forest.wlk', 1.0),
]
LINES = [
    Line('forest_1_row', 'forest', of_rows(1000), True, 1.0),
    Line('forest_20000_rows', 'forest', of_rows(MANY_ROWS), False, 0.8),
    Line('boosting_1_row', 'boosting', of_rows(1000), True, 1.0),
    Line('boosting_20000_rows', 'boosting', of_rows(MANY_ROWS), False, 0.8),
    Line('logistic_1_row', 'logistic', of_rows(1000), True, 0.5),
    Line('mlp_256_rows', 'mlp', lambda: networks.mlp()[1], False, 1.2),
    Line('cnn_1_image', 'cnn', lambda: networks.cnn()[1], False, 1.5),
]


# ---- measuring

class Pair:
    """A model on both sides with its inputs."""

    def __init__(self, build, folder, model, arrays, each=False):
        path, values = folder / f'{model}.onnx', folder / 'inputs'
        self.each = each
        self.session = peer.session(path)
        rows = range(len(arrays[0])) if each else [slice(None)]
        parts = [[array[row:row + 1] if each else array for array in arrays] for row in rows]
        self.fed = [peer.feeds(self.session, part) for part in parts]
        self.ours = peer.Weighlock(build)
        peer.write_values(values, arrays)
        self.ours.load(path)
        self.ours.inputs(values)
        self.count = 1
        self.count = max(1, int(ROUND_SECONDS / max(*self.round(), *self.round())))

    def close(self):
        self.ours.close()

    def round(self):
        """Seconds of one run: ours, theirs."""
        return (self.ours.time(self.count, self.each),
                peer.time_session(self.session, self.fed, self.count))


def show(name, figure, target, text=''):
    """Is the target held?"""
    held = figure <= target
    print(f'{name:34} {figure:6.3f}  target {target:.2f}{text}{"" if held else "  MISSED"}',
          flush=True)
    return held


def bench_line(build, folder, line, calls):
    """`calls` is a Pair that does nothing."""
    pair = Pair(build, folder, line.model, line.inputs(), line.each)
    plain, net, times = [], [], []
    for _ in range(ROUNDS):
        ours, theirs = pair.round()
        our_call, their_call = calls.round()
        plain.append(ours / theirs)
        net.append((ours - our_call) / max(theirs - their_call, 1e-9))
        times.append(theirs)
    pair.close()
    with_call = median(plain)
    return show(line.name, median(net), line.target,
                f'  (with the call {with_call:.3f}; {median(times) * 1e6:.0f} us)')


def weighlock(build, *arguments):
    subprocess.run([build / 'bin/weighlock', *arguments], check=True, stdout=subprocess.DEVNULL)


def bench_load(build, folder):
    """Loads with a signature and through the cage, and the plan, beside creating a session."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        made = Path(made)
        trust, secret = made / 'trust', made / 'bench.key'
        model, native = made / 'forest.onnx', made / 'forest.wlk'
        trust.mkdir()
        shutil.copy(folder / 'forest.onnx', model)
        weighlock(build, 'keygen', '-s', secret, '-p', made / 'bench.pub', '--unencrypted',
                  '--trust', trust)
        weighlock(build, 'sign', model, '-s', secret, '--detached')
        weighlock(build, 'convert', model, '--trust', trust, '-o', native, '--sign', secret)
        size = model.stat().st_size
        ratios = {load.name: [] for load in LOADS}
        times = []
        with peer.Weighlock(build, trust) as ours:
            for _ in range(LOAD_ROUNDS):
                times.append(peer.time_session_load(model))
                for load in LOADS:
                    ratios[load.name].append(ours.load(made / load.file) / times[-1])
    print(f'# a session of the forest ({size / 1e6:.0f} MB): {median(times) * 1e3:.0f} ms')
    return all([show(load.name, median(ratios[load.name]), load.target) for load in LOADS])


def main():
    if len(sys.argv) != 2:
        sys.exit(f'usage: {sys.argv[0]} BUILD')
    build = Path(sys.argv[1]).resolve()
    folder = build / 'peers/models'
    folder.mkdir(exist_ok=True)
    make_models(folder)
    calls = Pair(build, folder, 'identity', networks.identity()[1])
    ours, theirs = (median(times) * 1e6 for times in zip(*(calls.round() for _ in range(ROUNDS))))
    print(f'# a call that does nothing: {ours:.2f} us, onnxruntime {theirs:.2f} us')
    held = [bench_line(build, folder, line, calls) for line in LINES]
    calls.close()
    held.append(bench_load(build, folder))
    return 0 if all(held) else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except Exception:
        traceback.print_exc()
        sys.exit(2)
