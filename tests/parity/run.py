"""`make check-parity`: fitted estimators of scikit-learn, each in seven files, predict through
the cage what scikit-learn predicts; and no line of any file is executed for that.

    run.py BUILD [--table] [NAME...]

Each estimator is written with pickle's protocols 2, 4 and 5, and by joblib raw and compressed
with zlib, lz4 and xz. Labels must be equal; numbers within 1e-9 (relative, and of 1 at least),
or within what the case says where scikit-learn itself computes in float32. A refusal is a miss.
The last line is "parity X/Y"; the exit code is 1 unless X is Y.
"""
import json
import pickle
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy
import pandas
import sklearn

import cases

WRITERS = {
    'pickle 2': lambda e, f: f.write(pickle.dumps(e, 2)),
    'pickle 4': lambda e, f: f.write(pickle.dumps(e, 4)),
    'pickle 5': lambda e, f: f.write(pickle.dumps(e, 5)),
    'joblib': lambda e, f: joblib.dump(e, f),
    'joblib zlib': lambda e, f: joblib.dump(e, f, compress=('zlib', 3)),
    'joblib lz4': lambda e, f: joblib.dump(e, f, compress=('lz4', 3)),
    'joblib xz': lambda e, f: joblib.dump(e, f, compress=('xz', 3)),
}


class Differs(Exception):
    """The text says what differs, and where."""


# ---- what scikit-learn gives, by the names of Weighlock's outputs

def wanted(estimator, rows):
    outputs = {}
    method = {name: getattr(estimator, name) for name in
              ('predict', 'predict_proba', 'decision_function', 'transform')
              if hasattr(estimator, name)}
    if 'predict' not in method:
        transformed = method['transform'](rows)
        return {'transformed': transformed.toarray() if hasattr(transformed, 'toarray')
                else numpy.asarray(transformed, dtype=float)}
    predicted = numpy.asarray(method['predict'](rows))
    if sklearn.base.is_regressor(estimator):
        return {'prediction': predicted}
    outputs['label'] = predicted
    if 'predict_proba' in method:
        given = method['predict_proba'](rows)
        if isinstance(given, list):
            outputs.update({f'probabilities_{i}': p for i, p in enumerate(given)})
        else:
            outputs['probabilities'] = given
    if 'decision_function' in method:
        outputs['scores'] = method['decision_function'](rows)
    if hasattr(estimator, 'cluster_centers_'):
        outputs['distances'] = method['transform'](rows)
    return outputs


# ---- comparing

def numbers(values):
    return numpy.array([[numpy.nan if v is None else float(v) for v in row] for row in values]
                       if values and isinstance(values[0], list) else
                       [numpy.nan if v is None else float(v) for v in values])


def compare_numbers(name, got, want, tolerance):
    got = numbers(got)
    if got.shape != want.shape:
        raise Differs(f'{name}: shape {got.shape}, not {want.shape}')
    with numpy.errstate(invalid='ignore'):
        error = numpy.abs(got - want) / numpy.maximum(1, numpy.abs(want))
    error[(got == want) | (numpy.isnan(got) & numpy.isnan(want))] = 0
    if not (error <= tolerance).all():
        worst = numpy.unravel_index(numpy.argmax(numpy.nan_to_num(error, nan=1e300)), error.shape)
        raise Differs(f'{name}: {numpy.sum(~(error <= tolerance))} of {error.size} differ, at '
                      f'{tuple(int(i) for i in worst)} {got[worst]!r}, not {want[worst]!r}')


def compare(got, want, tolerance):
    """tolerance: by the name of the output."""
    if set(got) != set(want):
        raise Differs(f'outputs {sorted(got)}, not {sorted(want)}')
    for name, values in want.items():
        if name == 'label':
            if got[name] != values.tolist():
                raise Differs(f'{name}: {got[name][:5]}, not {values.tolist()[:5]} ...')
        else:
            compare_numbers(name, got[name], numpy.asarray(values, dtype=float), tolerance[name])


# ---- Weighlock

def predict(program, model, rows):
    done = subprocess.run([program, 'predict', '--allow-unsigned', '--format', 'json', '--json',
                           str(model), str(rows)], capture_output=True, text=True, timeout=60)
    result = json.loads(done.stdout or '{}')
    if done.returncode != 0:
        raise Differs(f'exit {done.returncode}: {done.stdout}{done.stderr}'.replace('\n', ' '))
    return result['outputs']


def write_rows(folder, rows):
    if isinstance(rows, pandas.DataFrame):
        path = folder / 'rows.csv'
        rows.to_csv(path, index=False)
    else:
        path = folder / 'rows.npy'
        numpy.save(path, rows)
    return path


def check(program, case, estimator, rows, want):
    """The files of a case that do not give what they should: name of the writer and why."""
    misses = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        table = write_rows(folder, rows)
        for name, write in WRITERS.items():
            path = folder / 'model'
            with path.open('wb') as file:
                write(estimator, file)
            try:
                compare(predict(program, path, table), want,
                        dict.fromkeys(want, case.tolerance))
            except (Differs, ValueError, subprocess.TimeoutExpired) as error:
                misses[name] = str(error)
    return misses


def main():
    arguments = [a for a in sys.argv[1:] if a != '--table']
    program = str(Path(arguments[0]).resolve() / 'bin' / 'weighlock')
    chosen = [c for c in cases.CASES if not arguments[1:] or c.name in arguments[1:]]
    right = 0
    warnings.simplefilter('ignore')
    work = []
    for case in chosen:
        estimator, rows = case.fitted()
        work.append((case, estimator, rows, wanted(estimator, rows)))
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda w: check(program, *w), work))
    print(f'scikit-learn {sklearn.__version__}, joblib {joblib.__version__}, '
          f'numpy {numpy.__version__}')
    for case, misses in zip(chosen, results):
        right += len(WRITERS) - len(misses)
        if '--table' in sys.argv or misses:
            print(f'  {case.name:36} {len(WRITERS) - len(misses)} of {len(WRITERS)}')
        for text, names in sorted({t: [n for n in misses if misses[n] == t]
                                   for t in misses.values()}.items()):
            print(f'      {", ".join(names)}: {text[:300]}')
    total = len(WRITERS) * len(chosen)
    print(f'parity {right}/{total}')
    return 0 if right == total > 0 else 1


if __name__ == '__main__':
    sys.exit(main())
