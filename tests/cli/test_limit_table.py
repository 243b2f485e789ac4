"""Every row of the limits' table, from both sides: what the limit just allows is
accepted, one more is refused by that limit's own rule (invariant 7). A new row without
a case here fails."""
import io
import pickle
import pickletools
import re
import shutil
import unittest
import zlib

import joblib
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kit import LIMIT, MODELS, OK, ROOT, WEIGHLOCK, CliTest, one_object, samples, type_of, wlk

import wlk_header

BUILT = WEIGHLOCK.parents[1]
HOSTILE_CASES = re.findall(r'^    X\((\w+)\)', (ROOT / 'tests' / 'gate' / 'hostile_cases.h')
                           .read_text(), re.M)
MOST_STEPS = 64


def floats(*shape):
    return np.zeros(int(np.prod(shape)), dtype='f4')


def node(op, given, out, **attributes):
    return {'in': given, 'op': op, 'out': out, **({'attr': attributes} if attributes else {})}


def graph(nodes, out, inputs=()):
    return {'inputs': [{'name': one, 'type': type_of('f32', 2)} for one in inputs],
            'nodes': nodes, 'outputs': [{'name': out}]}


def model_of(*graphs, tensors=(), **header):
    """Encoded and signed."""
    header = {'kind': 'model', **header}
    if graphs:
        header |= {'graphs': list(graphs), 'opset': {'': 13}}
    tensors = [wlk.Tensor(name, 'f32', list(shape), floats(*shape)) for name, *shape in tensors]
    return wlk.write(wlk.Model(header, tensors), samples.EXAMPLE_KEY)


def chain(length, **more):
    """x -> v0 -> v1 ..., a node each."""
    names = ['x'] + [f'v{i}' for i in range(length)]
    nodes = [node('Relu', [a], [b]) for a, b in zip(names, names[1:])]
    return graph(nodes, names[-1], inputs=['x'], **more)


def nested(depth):
    """Graphs in graphs: the main one is at depth 0."""
    graphs = [graph([node('Loop', ['w'], [f'y{i}'], **({'body': {'graph': i + 1}}
                                                       if i < depth else {}))], f'y{i}')
              for i in range(depth + 1)]
    return model_of(*graphs, tensors=[('w', 1)])


def deep(levels):
    """Maps in maps below /metadata/source."""
    tree = 1
    for _ in range(levels):
        tree = {'a': tree}
    return model_of(metadata={'source': tree})


def header_of(file):
    return int.from_bytes(file[14:22], 'little')


# A file, and how much of the limit it needs.
FILES = {
    'header_bytes': lambda: (lambda file: (file, header_of(file)))(model_of(chain(3))),
    'header_depth': lambda: (deep(5), 7),  # the header, metadata, source, and four in it
    'name_bytes': lambda: (model_of(tensors=[('n' * 77, 1)]), 77),
    'string_bytes': lambda: (model_of(metadata={'source': {'a': 's' * 99}}), 99),
    'tensors': lambda: (model_of(tensors=[(f't{i}', 1) for i in range(7)]), 7),
    'rank': lambda: (model_of(tensors=[('t', 1, 2, 1, 2, 1)]), 5),
    'values': lambda: (model_of(chain(4)), 5),
    'graphs': lambda: (nested(3), 4),
    'graph_depth': lambda: (nested(3), 3),
    'nodes': lambda: (model_of(chain(6)), 6),
    'node_edges': lambda: (model_of(graph([node('Sum', ['w'] * 9, ['y'])], 'y'),
                                    tensors=[('w', 1)]), 9),
    'attributes': lambda: (model_of(graph([node('Any', ['w'], ['y'], a=1, b=2, c=3)], 'y'),
                                    tensors=[('w', 1)]), 3),
    'attribute_values': lambda: (model_of(graph([node('Any', ['w'], ['y'], a={'ints': [1] * 8},
                                                      b='text')], 'y'), tensors=[('w', 1)]), 9),
    'metadata_entries': lambda: (model_of(metadata={'source': {'a': 1, 'b': [True, None]}}), 7),
    'selftests': lambda: (model_of(graph([], 'w'), tensors=[('w', 1)], selftest=[
        {'atol': 0.0, 'inputs': [], 'outputs': ['w'], 'rtol': 0.0}] * 3), 3),
    'output_bytes': lambda: (model_of(tensors=[('a', 5), ('b', 7)]), 48),
    'image_bytes': lambda: (model_of(chain(3)), None),
    'heap_bytes': lambda: (wlk.write(samples.rich(), samples.EXAMPLE_KEY), None),
}

RULES = {
    'deadline_ms': 'limit.deadline',
    'run_bytes': 'run.memory',
    'run_operations': 'run.operations',
    'input_bytes': 'input.size',
    'json_bytes': 'input.size',
    'columns': 'csv.columns',
}


def rule_of(limit):
    return RULES.get(limit, 'limit.' + limit.replace('_', '-'))


class LimitTable(CliTest):
    def under(self, limit, value, *command, **options):
        """The finished command under that limit."""
        return self.call(*command, '--limit', f'{limit}={value}', **options)

    def accepts(self, limit, value, *command):
        result = self.under(limit, value, *command)
        if result.returncode != OK:
            self.assertEqual(result.returncode, LIMIT, result.stderr)
        return result.returncode == OK

    def least(self, limit, *command):
        """The smallest value of the limit under which the command succeeds."""
        low, high = 0, 1 << 32  # refused, accepted
        self.assertFalse(self.accepts(limit, low, *command))
        self.assertTrue(self.accepts(limit, high, *command))
        for _ in range(MOST_STEPS):
            if high - low == 1:
                break
            middle = (low + high) // 2
            if self.accepts(limit, middle, *command):
                high = middle
            else:
                low = middle
        return high

    def both_sides(self, limit, needed, *command):
        """Accepted with what is needed, refused with one less, by the limit's own rule."""
        if needed is None:
            needed = self.least(limit, *command)
        result = self.under(limit, needed, *command)
        self.assertEqual((result.returncode, result.stderr), (OK, b''))
        self.refuses(limit, needed - 1, *command)
        return needed

    def refuses(self, limit, value, *command, **options):
        result = self.call(*command, '--json', '--limit', f'{limit}={value}', **options)
        found = one_object(result.stdout)
        found = found['files'][0] if 'files' in found else found
        self.assertEqual((result.returncode, found['verdict'], found['rule']),
                         (LIMIT, 'limit', rule_of(limit)), found)

    # ---- one method a kind of limit

    def of_files(self, limit):
        file, needed = FILES[limit]()
        model = self.put(f'{limit}.wlk', file)
        self.both_sides(limit, needed, 'inspect', model, '--trust', self.trust)

    def of_whole_files(self, limit):
        model = self.iris()
        self.both_sides(limit, model.stat().st_size, 'verify', model, '--trust', self.trust)

    def predict(self):
        model = self.iris()
        rows = shutil.copy(MODELS / 'iris' / 'rows.csv', self.folder)
        return 'predict', model, rows, '--trust', self.trust

    def of_runs(self, limit):
        self.both_sides(limit, None, *self.predict())

    def of_input(self, limit):
        command = self.predict()
        self.both_sides(limit, (MODELS / 'iris' / 'rows.csv').stat().st_size, *command)

    def of_columns(self, limit):
        self.both_sides(limit, 4, *self.predict())

    def of_specifications(self, limit):
        for file in (MODELS / 'iris').iterdir():
            shutil.copy(file, self.folder)
        spec = self.folder / 'spec.json'
        self.both_sides(limit, spec.stat().st_size, 'pack', spec, '-o', self.folder / 'out.wlk')

    def with_child(self, case):
        """The program with a child of the tests' in the place of its own."""
        own = self.folder / 'own'
        own.mkdir(exist_ok=True)
        program = own / 'weighlock'
        shutil.copy(WEIGHLOCK, program)
        shutil.copy(BUILT / 'tests' / 'gate' / 'child_hostile', own / 'weighlock-child')
        command = ('inspect', self.put('own.wlk', model_of(chain(1), tensors=[('a', 4), ('b', 4)])),
                   '--trust', self.trust, '--limit', f'columns={HOSTILE_CASES.index(case)}')
        return command, {'program': program}

    def of_time(self, limit, enough, short, case):
        """What ends in time is accepted; a child that does not end is not waited for."""
        command, options = self.with_child('good')
        result = self.call(*command, '--limit', f'{limit}={enough}', **options)
        self.assertEqual((result.returncode, result.stderr), (OK, b''))
        command, options = self.with_child(case)
        self.refuses(limit, short, *command, **options)

    def of_processor_time(self, limit):
        self.of_time(limit, 1, 1, 'burns')

    def of_the_clock(self, limit):
        self.of_time(limit, 60000, 300, 'silent')
        self.refuses(limit, 0, 'inspect', self.iris(), '--trust', self.trust)

    def of_waiting(self, limit):
        """These refuse no file: fewer children wait, or the file gets a child of its own. The
        answers are the same (tests/gate/test_pool.c: who gets the file, and what a gate
        that is asked for too many says)."""
        model = self.iris()
        size = model.stat().st_size
        names = (bytes(model) + b'\0') * 5
        batch = ('inspect', '--stdin0', '--json', '--trust', self.trust)
        expected = self.call(*batch, input=names)
        self.assertEqual((expected.returncode, expected.stdout.count(b'\n')), (OK, 5))
        for value in {'pool_children': (0, 1, 2, 3), 'pool_file_bytes': (0, size - 1, size)}[limit]:
            found = self.under(limit, value, *batch, input=names)
            self.assertEqual((found.returncode, found.stdout, found.stderr),
                             (OK, expected.stdout, b''))

    def of_packed(self, limit):
        """Compressed tensors: 2 MiB of zeros and a little noise, so that they grow a lot."""
        values = np.concatenate([np.zeros(2**20, 'u2'), np.arange(20000, dtype='u2') * 977])
        model = wlk.Model({'kind': 'weights'}, [wlk.Tensor('t', 'u16', list(values.shape),
                                                           values)])
        file = self.put(f'{limit}.wlk', wlk.write(model, samples.EXAMPLE_KEY, compress=True))
        entry = wlk_header.decode(wlk.split(file.read_bytes()).header)[0]['tensors'][0]
        ratio = -(-(values.nbytes - 2**20) // entry['nbytes'])
        needed = ratio if limit == 'inflate_ratio' else None
        self.both_sides(limit, needed, 'inspect', file, '--trust', self.trust)

    def pickled(self, limit):
        """What needs some of that limit, and how much if that is plain to see."""
        if limit == 'estimator_depth':
            pipeline = make_pipeline(make_pipeline(make_pipeline(StandardScaler())))
            return pickle.dumps(pipeline.fit([[1.0], [2.0]])), 4
        data = pickle.dumps({'a': [1, 2, 'text'], 'b': np.arange(9.0)}, 4)
        if limit == 'inflated_bytes':
            return zlib.compress(data), len(data)
        if limit == 'pickle_opcodes':
            return data, sum(1 for _ in pickletools.genops(data))
        if limit == 'pickle_depth':
            inner = np.array([np.array([1, None], dtype=object), None], dtype=object)
            whole = io.BytesIO()
            joblib.dump(inner, whole)
            return whole.getvalue(), None
        return data, None

    def of_pickles(self, limit):
        data, needed = self.pickled(limit)
        file = self.put(f'{limit}.joblib', data)
        self.both_sides(limit, needed, 'inspect', file)

    OTHERS = {
        'inflated_bytes': of_pickles,
        'inflate_ratio': of_packed,
        'inflate_memory': of_packed,
        'pickle_opcodes': of_pickles,
        'pickle_objects': of_pickles,
        'pickle_depth': of_pickles,
        'estimator_depth': of_pickles,
        'file_bytes': of_whole_files,
        'snapshot_bytes': of_whole_files,
        'cpu_seconds': of_processor_time,
        'deadline_ms': of_the_clock,
        'run_bytes': of_runs,
        'run_operations': of_runs,
        'input_bytes': of_input,
        'json_bytes': of_specifications,
        'columns': of_columns,
        'pool_children': of_waiting,
        'pool_file_bytes': of_waiting,
    }

    def test_invariant_7_every_limit_on_both_sides(self):
        rows = list(self.object('policy')['limits'])
        self.assertEqual(sorted([*FILES, *self.OTHERS]), sorted(rows), 'a case for each limit')
        for limit in rows:
            with self.subTest(limit):
                self.OTHERS.get(limit, LimitTable.of_files)(self, limit)

    def test_a_heap_that_is_too_small_to_start(self):
        """Whoever asks for too little, or more than there can be, is told which limit it is,
        not that the cage is broken."""
        model = self.iris()
        for value in (0, 100, 65535, 1 << 47, 2**64 - 1):
            self.refuses('heap_bytes', value, 'inspect', model, '--trust', self.trust)
            self.refuses('heap_bytes', value, 'doctor')

    def test_boundless_limits(self):
        """Nothing wraps around: the largest numbers are the largest limits."""
        model = self.iris()
        largest = [word for limit in self.object('policy')['limits'] if limit != 'heap_bytes'
                   for word in ('--limit', f'{limit}={2**64 - 1}')]
        self.assertIn(b'signed by example',
                      self.succeeds('inspect', model, '--trust', self.trust, *largest))
        rows = shutil.copy(MODELS / 'iris' / 'rows.csv', self.folder)
        self.succeeds('predict', model, rows, '--trust', self.trust, *largest)
        many = self.call('inspect', '--stdin0', '--json', '--trust', self.trust, *largest,
                         input=(bytes(model) + b'\0') * 3)
        self.assertEqual((many.returncode, many.stdout.count(b'\n')), (OK, 3))

    def test_no_seconds_are_a_second(self):
        """The kernel counts in whole ones."""
        command, options = self.with_child('burns')
        self.refuses('cpu_seconds', 0, *command, **options)

    def test_headers_are_measured(self):
        """What FILES says of a header's length is what the other implementation wrote."""
        file, needed = FILES['header_bytes']()
        self.assertEqual(wlk_header.decode(file[256:256 + needed])[0]['kind'], 'model')


if __name__ == '__main__':
    unittest.main()
