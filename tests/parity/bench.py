"""The part of `make bench` beside joblib.load and pickle.load: from a file to a model that is
ready to predict. One line each: "name ratio target". A ratio is the median over rounds in which
both take turns; what Python imports is loaded before. The exit code is 1 if a target is missed.

    bench.py BUILD
"""
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from pathlib import Path
from statistics import median

import joblib
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

ROUNDS = 5 if os.environ.get('BENCH_QUICK') else 15

# file: what Weighlock loads; theirs: what the other one loads, and with what.
Line = namedtuple('Line', 'name file theirs load target')

LINES = [
    Line('load_forest_joblib', 'forest.joblib', 'forest.joblib', joblib.load, 1.5),
    Line('load_forest_joblib_zlib', 'forest.zlib', 'forest.zlib', joblib.load, 1.0),
    Line('load_forest_joblib_as_wlk', 'forest.wlk', 'forest.joblib', joblib.load, 0.7),
    Line('load_forest_zlib_as_compressed', 'compressed.wlk', 'forest.zlib', joblib.load, 0.5),
    Line('load_forest_pickle', 'forest.pickle', 'forest.pickle',
         lambda path: pickle.loads(path.read_bytes()), None),
]


def make_forest():
    """100 trees of about 3,800 nodes that tell three classes apart: 30 MB."""
    x, y = make_classification(20_000, 20, n_informative=12, n_classes=3, flip_y=0.2,
                               random_state=0)
    return RandomForestClassifier(100, max_leaf_nodes=1900, bootstrap=False, n_jobs=2,
                                  random_state=0).fit(x, y).set_params(n_jobs=None)


class Weighlock:
    """The program of the peers' comparisons: loads through the cage, and makes the plan."""

    def __init__(self, build):
        self.program = subprocess.Popen([build / 'tests/peers/tool_peer',
                                         build / 'bin/weighlock-child'], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def load(self, path):
        """Seconds."""
        self.program.stdin.write(f'load {path}\n')
        self.program.stdin.flush()
        answer = self.program.stdout.readline()
        if not answer.startswith('ok '):
            sys.exit(f'{path}: {answer}')
        return float(answer.split()[1])


def seconds(load, path):
    begin = time.perf_counter()
    model = load(path)
    end = time.perf_counter()
    assert model.n_classes_ == 3
    return end - begin


def show(name, figure, target, text):
    held = target is None or figure <= target
    wanted = 'no target' if target is None else f'target {target:.2f}'
    print(f'{name:34} {figure:6.3f}  {wanted}{text}{"" if held else "  MISSED"}', flush=True)
    return held


def make_files(build, folder):
    forest = make_forest()
    joblib.dump(forest, folder / 'forest.joblib')
    joblib.dump(forest, folder / 'forest.zlib', compress=3)
    (folder / 'forest.pickle').write_bytes(pickle.dumps(forest, 5))
    for name, more in ('forest.wlk', []), ('compressed.wlk', ['--compress']):
        subprocess.run([build / 'bin/weighlock', 'convert', '--allow-unsigned', *more,
                        folder / 'forest.joblib', '-o', folder / name], check=True,
                       stdout=subprocess.DEVNULL)


def main():
    build = Path(sys.argv[1]).resolve()
    held = True
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make_files(build, folder)
        size = {path.name: path.stat().st_size for path in folder.iterdir()}
        print('# ' + ', '.join(f'{name} {size[name] / 1e6:.1f} MB' for name in sorted(size)))
        ours = Weighlock(build)
        for line in LINES:
            ratios, times = [], []
            for _ in range(ROUNDS):
                times.append(seconds(line.load, folder / line.theirs))
                ratios.append(ours.load(folder / line.file) / times[-1])
            held &= show(line.name, median(ratios), line.target,
                         f'  ({median(times) * 1e3:.0f} ms)')
        held &= show('size_compressed_wlk', size['compressed.wlk'] / size['forest.zlib'], 1.0, '')
    return 0 if held else 1


if __name__ == '__main__':
    sys.exit(main())
