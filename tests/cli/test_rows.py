"""`weighlock predict`: rows in as CSV or .npy, results out as CSV, JSON or .npy."""
import csv
import io
import math
import random
import struct
import unittest

import numpy as np

from kit import (LIMIT, MODELS, REFUSED, SYSTEM, TRUST, UNDECIDED, UNSUPPORTED, USAGE, CliTest,
                 one_object, samples, type_of, wlk)

IRIS_ROWS = MODELS / 'iris' / 'rows.csv'
IRIS_HEADER = 'sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)'


class RowsTest(CliTest):
    def predict(self, model, rows, *options, **more):
        """Standard output; `rows` is a path, or text that becomes rows.csv."""
        if isinstance(rows, str):
            rows = self.put('rows.csv', rows.encode())
        return self.succeeds('predict', model, rows, '--trust', self.trust, *options, **more)

    def table(self, model, rows, *options, **more):
        text = self.predict(model, rows, *options, **more).decode()
        return list(csv.reader(io.StringIO(text, newline='')))

    def rejects(self, code, rule, model, rows, *options, **more):
        if isinstance(rows, str):
            rows = self.put('rows.csv', rows.encode())
        return self.refused(code, rule, 'predict', model, rows, '--trust', self.trust, *options,
                            **more)

    def typed_inputs(self):
        """Four inputs of one column each, which are given back."""
        types = {'amount': 'f64', 'count': 'i64', 'flag': 'bool', 'name': 'str'}
        return self.model({
            'inputs': [{'name': name, 'type': type_of(dtype, 'n', *([1] if dtype == 'i64' else []))}
                       for name, dtype in types.items()],
            'nodes': [{'in': [name], 'op': 'Identity', 'out': ['same ' + name]} for name in types],
            'outputs': [{'name': 'same ' + name} for name in types]})


class Header(RowsTest):
    def test_auto(self):
        own = self.identity()
        self.assertEqual(self.table(own, '1,2\n3,4\n')[1:], [['1', '2'], ['3', '4']])
        self.assertEqual(self.table(own, 'a,b\n3,4\n')[1:], [['3', '4']])
        self.assertEqual(self.table(own, 'nan,\n3,4\n')[1:], [['nan', 'nan'], ['3', '4']])

    def test_said(self):
        own = self.identity()
        self.assertEqual(self.table(own, '1,2\n3,4\n', '--header', 'yes')[1:], [['3', '4']])
        self.assertEqual(self.table(own, '1,2\n', '--header', 'no')[1:], [['1', '2']])
        self.rejects(REFUSED, 'csv.number', own, 'a,b\n3,4\n', '--header', 'no',
                     says='at offset 0')
        self.rejects(USAGE, 'cli.usage', own, '1,2\n', '--header', 'maybe',
                     says='it is one of yes|no|auto')

    def test_columns_by_name(self):
        iris = self.iris()
        rows = IRIS_ROWS.read_text().splitlines()[:3]
        turned = '\n'.join(','.join(reversed(row.split(','))) for row in rows)
        self.assertEqual(self.predict(iris, turned), self.predict(iris, '\n'.join(rows)))

    def test_unknown_column_names_the_nearest(self):
        self.rejects(REFUSED, 'input.unknown-column', self.iris(),
                     IRIS_HEADER.replace('petal width', 'petal widht') + '\n1,2,3,4\n',
                     says='"petal widht (cm)"; the nearest that the model has is '
                          '"petal width (cm)"')

    def test_missing_and_repeated_columns(self):
        iris = self.iris()
        names = IRIS_HEADER.split(',')
        self.rejects(REFUSED, 'input.missing-column', iris, ','.join(names[:3]) + '\n1,2,3\n',
                     says='petal width (cm)')
        self.rejects(REFUSED, 'input.duplicate-column', iris,
                     ','.join(names[:3] + names[:1]) + '\n1,2,3,4\n', says='sepal length (cm)')
        self.rejects(REFUSED, 'input.columns', iris, '1,2,3\n', says='takes 4, not 3')

    def test_several_inputs(self):
        own = self.typed_inputs()
        found = self.table(own, 'name,flag,count,amount\n"a,b",1,-9007199254740993,1e300\n')
        self.assertEqual(found, [['same amount', 'same count', 'same flag', 'same name'],
                                 ['1.0000000000000001e+300', '-9007199254740993', '1', 'a,b']])
        self.rejects(REFUSED, 'input.header', own, '1,2,1,4\n')


class Values(RowsTest):
    def test_missing(self):
        own = self.identity()
        found = self.table(own, '1,\n,nan\nNaN,NAN\nNA,?\n', '--na', 'NA', '--na', '?',
                           '--header', 'no')
        self.assertEqual(found[1:], [['1', 'nan']] + [['nan', 'nan']] * 3)
        self.rejects(REFUSED, 'csv.number', own, '1,NA\n', says='at offset 2')
        outputs = one_object(self.predict(own, '1,\n', '--json'))['outputs']
        self.assertEqual(outputs, {'Y': [[1.0, 'nan']]})

    def test_missing_where_no_nan_exists(self):
        header = 'amount,count,flag,name\n'
        own = self.typed_inputs()
        self.assertEqual(self.table(own, header + ',1,0,\n')[1:], [['nan', '1', '0', '']])
        for row in ('1,,0,x', '1,2,nan,x', '1,NA,0,x'):
            self.rejects(REFUSED, 'csv.missing', own, header + row + '\n', '--na', 'NA')

    def test_what_is_no_value(self):
        own = self.identity()
        for cell in ('x', '1;2', '0x10', '1_000', '1e999', '--1'):
            self.rejects(REFUSED, 'csv.number', own, f'1,2\n3,{cell}\n', says='at offset 6')
        header = 'amount,count,flag,name\n'
        for row in ('1,1.5,0,x', '1,9223372036854775808,0,x', '1,1,2,x'):
            self.rejects(REFUSED, 'csv.number', self.typed_inputs(), header + row + '\n')

    def test_ragged_and_malformed(self):
        own = self.identity()
        self.rejects(REFUSED, 'csv.ragged', own, '1,2\n3\n', says='at offset 4')
        self.rejects(REFUSED, 'csv.ragged', own, '1,2\n3,4,5\n')
        self.rejects(REFUSED, 'csv.unterminated', own, '1,"2\n')
        self.rejects(REFUSED, 'csv.quote', own, '1,"2"3\n')
        self.rejects(REFUSED, 'csv.line-end', own, '1,2\r3,4\n')
        self.rejects(REFUSED, 'csv.empty', own, 'a,b\n')
        self.rejects(REFUSED, 'csv.empty', own, '')

    def test_line_ends_and_byte_order_mark(self):
        own = self.identity()
        wanted = [['1', '2'], ['3', '4']]
        for text in ('1,2\r\n3,4\r\n', '1,2\n3,4', '\ufeff1,2\n3,4\n', '"1","2"\n3,4\n'):
            self.assertEqual(self.table(own, text)[1:], wanted, text)


class Numpy(RowsTest):
    def save(self, array, name='rows.npy'):
        path = self.folder / name
        np.save(path, array)
        return path

    def test_in_and_out(self):
        own = self.identity()
        rows = np.array([[0.1, -0.0], [np.inf, 5e-324]])
        data = self.predict(own, self.save(rows), '--format', 'npy')
        self.assertEqual(np.load(io.BytesIO(data)).tobytes(), rows.tobytes())
        for order in ('<f4', '>f8', '<i8', '|u1', '|b1'):
            rows = np.array([[1, 0], [1, 1]], dtype=order)
            found = np.load(io.BytesIO(self.predict(own, self.save(rows), '-f', 'npy')))
            self.assertEqual((found.dtype, found.tolist()), (np.float64, rows.tolist()), order)

    def test_told_apart_by_content(self):
        path = self.save(np.array([[1.0, 2.0]]), 'table.csv.npy')
        path = path.rename(self.folder / 'table.csv')
        self.assertEqual(self.table(self.identity(), path)[1:], [['1', '2']])

    def test_conversion_loses_nothing(self):
        own = self.identity('i16')
        self.rejects(USAGE, 'cli.rows', own, self.save(np.array([[1.5, 2.0]])))
        self.rejects(USAGE, 'cli.rows', own, self.save(np.array([[1, 40000]])),
                     says='element 1 does not fit i16')
        self.rejects(USAGE, 'cli.rows', own, self.save(np.array([['a', 'b']])),
                     says='str where i16 is wanted')

    def test_shapes(self):
        own = self.identity()
        for shape in ((2,), (2, 3), (1, 2, 2), ()):
            result = self.call('predict', own, self.save(np.zeros(shape)), '--trust', self.trust)
            self.assertEqual((result.returncode, result.stdout), (USAGE, b''), shape)

    def test_hostile_files(self):
        own = self.identity()
        self.rejects(REFUSED, 'npy.object', own,
                     self.save(np.array([[None, 1]], dtype=object)))
        whole = self.save(np.zeros((3, 2))).read_bytes()
        self.rejects(UNDECIDED, 'npy.truncated', own, self.put('cut.npy', whole[:-1]))
        self.rejects(REFUSED, 'npy.trailing', own, self.put('more.npy', whole + b'x'))

    def test_one_input_alone(self):
        path = self.save(np.zeros((1, 4)))
        self.rejects(USAGE, 'cli.rows', self.typed_inputs(), path, says='the model has 4 inputs')


class Output(RowsTest):
    def test_select(self):
        iris = self.iris()
        select = ('--select', 'probabilities')
        array = np.load(io.BytesIO(self.predict(iris, IRIS_ROWS, '-f', 'npy', *select)))
        self.assertEqual(array.shape, (150, 3))
        lines = self.table(iris, IRIS_ROWS, *select)
        self.assertEqual(lines[0], [f'probabilities[{name}]'
                                    for name in ('setosa', 'versicolor', 'virginica')])
        self.assertEqual([[float(cell) for cell in line] for line in lines[1:]], array.tolist())
        outputs = one_object(self.predict(iris, IRIS_ROWS, '-f', 'json', *select))['outputs']
        self.assertEqual(outputs, {'probabilities': array.tolist()})
        labels = np.load(io.BytesIO(self.predict(iris, IRIS_ROWS, '-f', 'npy', '--select',
                                                 'label')))
        self.assertEqual(labels[[0, 149]].tolist(), ['setosa', 'virginica'])
        self.rejects(USAGE, 'cli.usage', iris, IRIS_ROWS, '--select', 'probabilites',
                     says='unknown output probabilites; did you mean probabilities?')
        result = self.call('predict', iris, IRIS_ROWS, '-f', 'npy', '--trust', self.trust)
        self.assertEqual((result.returncode, result.stdout), (USAGE, b''))
        self.assertIn(b'add --select probabilities', result.stderr)

    def test_round_trip_of_floats(self):
        chosen = random.Random(7)
        numbers = [struct.unpack('<d', chosen.randbytes(8))[0] for _ in range(400)]
        numbers = [number for number in numbers if not math.isnan(number)]
        numbers += [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 2.0**53, 1e22]
        text = '\n'.join(f'{number!r},0' for number in numbers)
        own = self.identity()
        lines = self.table(own, text)[1:]
        self.assertEqual([line[0] for line in lines], ['%.17g' % number for number in numbers])
        self.assertEqual([struct.pack('<d', float(line[0])) for line in lines],
                         [struct.pack('<d', number) for number in numbers])
        rows = one_object(self.predict(own, text, '--json'))['outputs']['Y']
        self.assertEqual([float(row[0]) for row in rows], numbers)

    def test_integers_are_exact(self):
        own = self.identity('u64')
        text = '18446744073709551615,9007199254740993\n'
        self.assertEqual(self.predict(own, text).decode().splitlines()[1], text.strip())
        self.assertEqual(one_object(self.predict(own, text, '--json'))['outputs']['Y'],
                         [[2**64 - 1, 2**53 + 1]])
        own = self.identity('i64')
        self.assertEqual(one_object(self.predict(own, f'{-2**63},-1\n', '--json'))['outputs']['Y'],
                         [[-2**63, -1]])

    def test_json_of_other_ranks(self):
        own = self.model({
            'inputs': [{'name': 'X', 'type': type_of('f64', 'n', 2)}], 'nodes': [],
            'outputs': [{'name': 'cube'}, {'name': 'scalar'}, {'name': 'X'}, {'name': 'cube'}]},
            [wlk.Tensor('cube', 'i8', [2, 1, 2], np.array([1, -2, 3, 4], dtype='i1')),
             wlk.Tensor('scalar', 'f32', [], np.array([0.5], dtype='f4'))])
        found = one_object(self.predict(own, '1,2\n', '--json'))  # no key twice
        self.assertEqual(found['outputs'], {'cube': [[[1, -2]], [[3, 4]]], 'scalar': 0.5,
                                            'X': [[1.0, 2.0]]})
        self.rejects(UNSUPPORTED, 'cli.table', own, '1,2\n', says='output scalar',
                     as_json=False)
        self.rejects(UNSUPPORTED, 'cli.table', own, '1,2\n', '--select', 'scalar',
                     as_json=False)
        self.assertEqual(self.table(own, '1,2\n', '--select', 'cube'),
                         [['cube_0', 'cube_1'], ['1', '-2'], ['3', '4']])

    def test_shapes_without_end(self):
        """A shape of no elements costs nothing to state and would never be printed."""
        own = self.model({
            'inputs': [{'name': 'X', 'type': type_of('f64', 'n', 2)}], 'nodes': [],
            'outputs': [{'name': 'endless'}]},
            [wlk.Tensor('endless', 'f32', [2**40, 0], np.array([], dtype='f4'))])
        self.rejects(UNSUPPORTED, 'cli.table', own, '1,2\n', as_json=False)
        self.assertEqual(one_object(self.predict(own, '1,2\n', '--json'))['outputs'],
                         {'endless': []})

    def test_dtypes_that_are_no_text(self):
        own = self.model({
            'inputs': [{'name': 'X', 'type': type_of('f64', 'n', 2)}], 'nodes': [],
            'outputs': [{'name': 'z'}]}, [wlk.Tensor('z', 'c64', [1], np.array([1j], dtype='c8'))])
        self.rejects(UNSUPPORTED, 'input.dtype', own, '1,2\n', says='output z is c64')
        result = self.call('predict', own, 'rows.csv', '-f', 'json', '--trust', self.trust)
        self.assertEqual((result.returncode, result.stdout), (UNSUPPORTED, b''))
        array = np.load(io.BytesIO(self.predict(own, '1,2\n', '-f', 'npy')))
        self.assertEqual(array.tolist(), [1j])

    def test_limit_of_columns(self):
        wide = self.model({
            'inputs': [{'name': 'X', 'type': type_of('f64', 'n', 1)}],
            'nodes': [{'in': ['X', 'w'], 'op': 'MatMul', 'out': ['Y']}],
            'outputs': [{'name': 'Y'}, {'name': 'X'}]},
            [wlk.Tensor('w', 'f64', [1, 8], np.arange(8.0))])
        self.assertEqual(len(self.table(wide, '1\n', '--limit', 'columns=9')[0]), 9)
        self.rejects(LIMIT, 'csv.columns', wide, '1\n', '--limit', 'columns=8',
                     says='in the results', as_json=False)

    def test_names_of_classes(self):
        def scores(labels, columns=2, **header):
            attributes = {'classlabels_strings': {'strings': labels}} if labels else {}
            return self.model({
                'inputs': [{'name': 'X', 'type': type_of('f64', 'n', 1)}],
                'nodes': [{'attr': {**attributes, 'post_transform': 'NONE'},
                           'domain': 'org.weighlock', 'in': ['X', 'w', 'b'],
                           'op': 'LinearClassifier', 'out': ['label', 's']}],
                'outputs': [{'name': 's'}]},
                [wlk.Tensor('w', 'f64', [columns, 1], np.ones(columns)),
                 wlk.Tensor('b', 'f64', [columns], np.zeros(columns))],
                opset={'org.weighlock': 1}, **header)
        self.assertEqual(self.table(scores(['a,b', 'c"']), '1\n')[0], ['s[a,b]', 's[c"]'])
        self.assertEqual(self.table(scores(['a', 'x' * 257]), '1\n')[0], ['s_0', 's_1'])

    def test_golden_rows(self):
        own = self.identity()
        self.rejects(UNDECIDED, 'cli.no-selftest', own, '1,2\n', '--selftest')
        good = self.put('good.wlk', wlk.write(samples.classifier(), samples.EXAMPLE_KEY))
        self.predict(good, '1,2\n', '--selftest')


class Files(RowsTest):
    def test_standard_input(self):
        own = self.identity()
        text = self.succeeds('predict', own, '-', '--trust', self.trust, input=b'1,2\n')
        self.assertEqual(text, self.predict(own, '1,2\n'))
        data = io.BytesIO()
        np.save(data, np.array([[3.0, 4.0]]))
        text = self.succeeds('predict', own, '-', '--trust', self.trust, input=data.getvalue())
        self.assertEqual(text.splitlines()[1], b'3,4')

    def test_file_is_told(self):
        own = self.identity()
        said = self.predict(own, '1,2\n3,4\n', '-o', 'out.csv')
        self.assertEqual(said, b'out.csv: wrote the results for 2 rows\n')
        self.assertEqual((self.folder / 'out.csv').read_bytes(), b'Y_0,Y_1\n1,2\n3,4\n')
        found = one_object(self.predict(own, '1,2\n', '-o', 'out.json', '--json'))
        self.assertEqual(found, {'verdict': 'ok', 'file': 'out.json', 'rows': 1})
        self.assertEqual(one_object((self.folder / 'out.json').read_bytes())['outputs'],
                         {'Y': [[1.0, 2.0]]})
        self.assertEqual(self.predict(own, '1,2\n', '-o', '-'), b'Y_0,Y_1\n1,2\n')

    def test_which_file_an_error_is_about(self):
        own = self.identity()
        for code, rule, subject, rows, options in (
                (SYSTEM, 'gate.open', 'nowhere.wlk', 'rows.csv', ('nowhere.wlk',)),
                (REFUSED, 'csv.number', 'rows.csv', 'rows.csv', (own,)),
                (SYSTEM, 'input.read', 'nowhere.csv', 'nowhere.csv', (own,))):
            self.put('rows.csv', b'1,x\n')
            line = self.refused(code, rule, 'predict', *options, rows, '--trust', self.trust)
            self.assertTrue(line.startswith(f'weighlock: {subject}: '), line)

    def test_contradictions(self):
        own = self.identity()
        rows = self.put('rows.csv', b'1,2\n')
        for name in ('csv', 'npy'):
            result = self.call('predict', own, rows, '--trust', self.trust, '--json', '-f', name)
            self.assertEqual(result.returncode, USAGE)
            self.assertEqual(one_object(result.stdout)['rule'], 'cli.usage')
        result = self.call('predict', own, rows, '--trust', self.trust, '-f', 'xml')
        self.assertIn(b'--format xml: it is one of csv|json|npy', result.stderr)

    def test_trust_is_asked_before_rows_are_read(self):
        own = self.put('u.wlk', wlk.write(samples.classifier()))
        self.rejects(TRUST, 'trust.unsigned', own, 'not,numbers\nat,all\n')


if __name__ == '__main__':
    unittest.main()
