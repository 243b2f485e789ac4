"""`make check-peers`: fitted pipelines and whole networks give what onnxruntime gives, through
the cage, and the same bits as .wlk files; the operator table has a row for each version that the
standard lists.

    check.py BUILD [NAME...]
"""
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy

import networks
import peer
import pipelines
import rows

RTOL, ATOL = 1e-4, 1e-6
NETWORK_TOLERANCE = 1e-4


class Differs(Exception):
    """The two give different things; the text says where."""


# ---- comparing

def allowed(wanted):
    return ATOL + RTOL * numpy.abs(wanted)


def compare_numbers(where, got, wanted):
    """Numbers within the tolerance, NaN where NaN is wanted."""
    with numpy.errstate(invalid='ignore'):
        far = ~((got == wanted) | (numpy.isnan(got) & numpy.isnan(wanted))
                | (numpy.abs(got - wanted) <= allowed(wanted)))
    if far.any():
        first = tuple(int(i[0]) for i in numpy.nonzero(far))
        raise Differs(f'{where}: {far.sum()} of {far.size} elements, the first at {first}: '
                      f'{got[first]!r}, not {wanted[first]!r}')


def is_label(value):
    return value.keys is None and value.array.dtype.kind in 'iOUS'


def tied(scores, how):
    """Rows in which the label may go either way: the top two lie within the tolerance."""
    scores = scores.reshape(len(scores), -1).astype(float)
    if how == pipelines.SIGN:
        return numpy.abs(scores[:, 0]) <= ATOL
    if scores.shape[1] < 2:
        return numpy.zeros(len(scores), bool)
    ordered = numpy.sort(scores if how == pipelines.LARGEST else -scores, axis=1)
    return ordered[:, -1] - ordered[:, -2] <= allowed(ordered[:, -1])


def compare_labels(where, got, wanted, scores, how):
    """The number of labels that differ, all of them where the scores tie."""
    other = (got != wanted).reshape(len(got), -1).any(axis=1)
    may = tied(scores, how) if scores is not None else numpy.zeros(len(got), bool)
    if (other & ~may).any():
        row = int(numpy.nonzero(other & ~may)[0][0])
        raise Differs(f'{where}: {(other & ~may).sum()} labels, the first in row {row}: '
                      f'{got[row]!r}, not {wanted[row]!r}')
    return int(other.sum())


def compare_forms(where, got, wanted):
    same = (got.keys is None) == (wanted.keys is None)
    if not same or got.array.shape != wanted.array.shape:
        raise Differs(f'{where}: shape {got.array.shape}, not {wanted.array.shape}')
    if got.keys is not None and list(got.keys) != list(wanted.keys):
        raise Differs(f'{where}: keys {got.keys}, not {wanted.keys}')
    if got.array.dtype != wanted.array.dtype and wanted.array.dtype.kind not in 'OUS':
        raise Differs(f'{where}: {got.array.dtype}, not {wanted.array.dtype}')


def compare(got, wanted, how):
    """The number of labels that a tie decided otherwise."""
    if len(got) != len(wanted):
        raise Differs(f'{len(got)} outputs, not {len(wanted)}')
    scores = next((v.array for v in wanted if not is_label(v)), None)
    others = 0
    for i, (mine, theirs) in enumerate(zip(got, wanted)):
        where = f'output {i}'
        compare_forms(where, mine, theirs)
        if is_label(theirs):
            others += compare_labels(where, mine.array, theirs.array, scores, how)
        else:
            compare_numbers(where, mine.array, theirs.array)
    return others


# ---- one model

def convert(build, path, written):
    done = subprocess.run([build / 'bin/weighlock', 'convert', path, '--allow-unsigned',
                           '-o', written], capture_output=True, text=True)
    if done.returncode:
        raise Differs(f'convert: {done.stderr.strip()}')


def run_both(build, ours, folder, model, inputs):
    """What Weighlock gives, twice, and what onnxruntime gives."""
    path, written = folder / 'model.onnx', folder / 'model.wlk'
    path.write_bytes(model)
    peer.write_values(folder / 'inputs', inputs)
    wanted = peer.run_session(peer.session(path), inputs)
    ours.inputs(folder / 'inputs')
    ours.load(path)
    got = ours.run(folder / 'outputs')
    convert(build, path, written)
    ours.load(written)
    ours.run(folder / 'again')
    if (folder / 'outputs').read_bytes() != (folder / 'again').read_bytes():
        raise Differs('as a .wlk file the model gives other bits')
    return got, wanted


def largest_error(got, wanted):
    """The largest part of the tolerance that an element takes."""
    parts = [numpy.max(numpy.abs(mine.array - theirs.array) / allowed(theirs.array), initial=0)
             for mine, theirs in zip(got, wanted) if not is_label(theirs)]
    return max(parts, default=0)


def check_pipeline(build, ours, pipeline):
    data = pipeline.data()
    with tempfile.TemporaryDirectory(dir=build / 'peers') as folder:
        model = pipelines.export(pipeline, data)
        got, wanted = run_both(build, ours, Path(folder), model, data.inputs)
    others = compare(got, wanted, pipeline.label)
    return f'{largest_error(got, wanted):.3f} of the tolerance' + (
        f', {others} labels by ties' if others else '')


def check_network(build, ours, network):
    model, inputs = network()
    with tempfile.TemporaryDirectory(dir=build / 'peers') as folder:
        got, wanted = run_both(build, ours, Path(folder), model, inputs)
    for mine, theirs in zip(got, wanted):
        compare_forms('output', mine, theirs)
        error = float(numpy.max(numpy.abs(mine.array - theirs.array)))
        if not error <= NETWORK_TOLERANCE:
            raise Differs(f'an element is off by {error:.2g}')
    return f'largest error {error:.2g} of numbers up to {abs(wanted[0].array).max():.2g}'


def checks(build, ours):
    """(name, what to call), in order."""
    for pipeline in pipelines.PIPELINES:
        yield pipeline.name, lambda pipeline=pipeline: check_pipeline(build, ours, pipeline)
    for network in networks.NETWORKS:
        yield f'network_{network.__name__}', lambda network=network: check_network(build, ours, network)
    yield 'operator_versions', rows.check


def main():
    build, wanted = Path(sys.argv[1]).resolve(), sys.argv[2:]
    warnings.simplefilter('ignore')
    failed = count = 0
    with peer.Weighlock(build) as ours:
        for name, check in checks(build, ours):
            if wanted and name not in wanted:
                continue
            count += 1
            try:
                print(f'ok    {name}: {check()}', flush=True)
            except Exception as reason:  # the exporter and onnxruntime raise many kinds
                failed += 1
                print(f'FAIL  {name}: {type(reason).__name__}: {reason}'[:400], flush=True)
    print(f'{count - failed} of {count} as onnxruntime and the standard have it')
    return 1 if failed or not count else 0


if __name__ == '__main__':
    sys.exit(main())
