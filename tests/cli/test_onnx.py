"""ONNX files through the command line: nobody has signed them, the cage takes them in, and
convert lets them out."""
import csv
import hashlib
import io
import json
import sys
import unittest

import numpy as np

import bad_input
from kit import (MODELS, REFUSED, SYSTEM, TRUST, UNDECIDED, UNSUPPORTED, USAGE, one_object,
                 samples)

sys.path.insert(0, str(MODELS))

import onnx_bytes as ob  # noqa: E402

UPLOAD = (MODELS / 'forest' / 'upload.onnx').read_bytes()
ROWS = MODELS / 'iris' / 'rows.csv'
CLASSES = ['setosa', 'versicolor', 'virginica']
LABELS = (MODELS / 'forest' / 'labels.csv').read_text().split()[1:]
TOLERANCE = 1e-6


def floats(name, *shape):
    return ob.value(name, ob.tensor_type(ob.FLOAT, shape))


def added():
    """Y = A + B, each of any number of elements, or B a scalar."""
    return ob.plain_model([('Add', ['A', 'B'], ['Y'], {})],
                          [floats('A', 'n', 2), ob.value('B', ob.tensor_type(ob.FLOAT, ()))],
                          [floats('Y', 'n', 2)])


class OnnxTest(bad_input.BadInputTest):
    def setUp(self):
        super().setUp()
        self.upload = self.put('upload.onnx', UPLOAD)

    def save(self, name, array):
        np.save(self.folder / name, np.asarray(array))
        return name

    def predict(self, model, *arguments):
        return self.succeeds('predict', model, '--allow-unsigned', '--trust', 'trust', *arguments)

    def outputs(self, model, *arguments):
        return one_object(self.predict(model, *arguments, '--json'))['outputs']

    def rejects(self, code, rule, *arguments, **options):
        """Refused, and no file has come, gone or changed."""
        before = bad_input.files_below(self.folder)
        line = self.refused(code, rule, *arguments, '--trust', 'trust', **options)
        self.assert_nothing_left(before)
        return line


class Inspect(OnnxTest):
    def test_text(self):
        text = self.succeeds('inspect', 'upload.onnx', '--trust', 'trust').decode()
        for line in (f'file       {len(UPLOAD)} bytes, ONNX, unsigned',
                     'opset      ai.onnx 17, ai.onnx.ml 3', 'graph      2 nodes',
                     '  input    X  f32[batch, 4]', '  node     ai.onnx.ml.ZipMap',
                     '  output   probabilities  sequence of map from str to f32[]'):
            self.assertIn(line + '\n', text)

    def test_operators_of_a_long_graph(self):
        names = [f'v{i}' for i in range(41)]
        nodes = [('Relu' if i % 4 else 'Sigmoid', [names[i]], [names[i + 1]], {})
                 for i in range(40)]
        model = ob.plain_model(nodes, [floats('v0', 2)], [floats('v40', 2)])
        self.put('long.onnx', model)
        text = self.succeeds('inspect', 'long.onnx', '--trust', 'trust').decode()
        self.assertIn('graph      40 nodes\n', text)
        self.assertIn('  operator Relu  30\n  operator Sigmoid  10\n', text)
        found = self.object('inspect', 'long.onnx', '--trust', 'trust')
        self.assertEqual(found['operators'], [{'op': 'Relu', 'domain': '', 'count': 30},
                                              {'op': 'Sigmoid', 'domain': '', 'count': 10}])

    def test_json(self):
        found = self.object('inspect', 'upload.onnx', '--trust', 'trust')
        self.assertEqual((found['format'], found['signature']['state']), ('onnx', 'unsigned'))
        self.assertEqual(found['opset'], {'': 17, 'ai.onnx.ml': 3})
        self.assertEqual(sum(span['length'] for span in found['byte_map']), len(UPLOAD))
        maps = {'sequence': {'map': {'key': 'str',
                                     'value': {'tensor': {'dtype': 'f32', 'shape': []}}}}}
        self.assertEqual(found['graphs'][0]['outputs'][1], {'name': 'probabilities', 'type': maps})
        self.assertEqual(self.object('inspect', self.iris(), '--trust', 'trust')['format'], 'wlk')


class Trust(OnnxTest):
    CALLS = (('predict', 'upload.onnx', ROWS), ('extract', 'upload.onnx', '-o', 'new.npz'),
             ('convert', 'upload.onnx', '-o', 'new.wlk'))

    def test_unsigned(self):
        for call in self.CALLS:
            self.rejects(TRUST, 'trust.unsigned', *call, says='--allow-unsigned')

    def test_a_digest_is_no_signature(self):
        digest = hashlib.sha256(UPLOAD).hexdigest()
        self.rejects(TRUST, 'trust.unsigned', *self.CALLS[0], '--sha256', digest)
        self.rejects(TRUST, 'trust.digest', *self.CALLS[0], '--allow-unsigned', '--sha256',
                     digest[:-1] + ('0' if digest[-1] != '0' else '1'))

    def test_a_detached_signature_vouches(self):
        self.succeeds('sign', 'upload.onnx', '--detached', '-s', 'secret.key', '--trust', 'trust')
        self.succeeds('predict', 'upload.onnx', ROWS, '--trust', 'trust')
        self.succeeds('convert', 'upload.onnx', '-o', 'new.wlk', '--trust', 'trust')
        self.put('upload.onnx', UPLOAD[:-1] + b'x')
        for call in self.CALLS:
            self.rejects(TRUST, 'trust.signature', *call, '--allow-unsigned')

    def test_verify_says_that_nothing_was_checked(self):
        self.rejects(UNDECIDED, 'format.unknown', 'verify', 'upload.onnx')

    def test_what_no_parser_knows(self):
        for content in (b'hello, world', UPLOAD[1:], b'PK\3\4' + UPLOAD, bytes(4096)):
            self.put('upload.onnx', content)
            for call in self.CALLS:
                self.rejects(UNDECIDED, 'format.unknown', *call, '--allow-unsigned',
                             says='at offset 0')

    def test_weights_in_another_file(self):
        """Its name is in the file, at the offset that is told, and shown; nothing opens it."""
        elsewhere = (ob.number(1, 2) + ob.number(2, ob.FLOAT) + ob.body(8, 'w') +
                     ob.body(13, ob.body(1, 'location') + ob.body(2, '/etc/passwd')) +
                     ob.number(14, 1))
        model = ob.plain_model([('Add', ['X', 'w'], ['Y'], {})], [floats('X', 2)],
                               [floats('Y', 2)], [elsewhere])
        self.put('upload.onnx', model)
        found = self.object('inspect', 'upload.onnx', '--trust', 'trust', code=REFUSED)
        self.assertEqual(found['rule'], 'onnx.external-data')
        self.assertEqual(found['detail'], '"/etc/passwd"')
        self.assertLess(found['offset'], len(model))
        self.assertLessEqual(abs(found['offset'] - model.index(b'location')), 32)


class Predict(OnnxTest):
    def test_the_forest_says_what_scikit_learn_says(self):
        wanted = np.load(MODELS / 'forest' / 'probabilities.npy')
        text = self.predict('upload.onnx', ROWS).decode()
        header, *lines = csv.reader(io.StringIO(text))
        self.assertEqual(header, ['label', *(f'probabilities[{name}]' for name in CLASSES)])
        self.assertEqual([line[0] for line in lines], LABELS)
        found = np.array([line[1:] for line in lines], dtype='f8')
        self.assertLessEqual(np.abs(found - wanted).max(), TOLERANCE)

    def test_maps_in_json_and_npy(self):
        found = self.outputs('upload.onnx', ROWS)
        self.assertEqual(found['label'], LABELS)
        self.assertEqual([list(one) for one in found['probabilities']], [CLASSES] * 150)
        values = self.predict('upload.onnx', ROWS, '--format', 'npy', '--select', 'probabilities')
        array = np.load(io.BytesIO(values))
        self.assertEqual((array.dtype, array.shape), (np.float32, (150, 3)))
        self.assertEqual(array[0].tolist(), [*found['probabilities'][0].values()])

    def test_threads_change_no_bit(self):
        wanted = self.predict('upload.onnx', ROWS)
        for threads in ('1', '2', '64'):
            self.assertEqual(self.predict('upload.onnx', ROWS, '--threads', threads), wanted)
        for threads in ('0', '65', 'x', ''):
            self.rejects(USAGE, 'cli.usage', 'predict', 'upload.onnx', ROWS, '--threads', threads,
                         says='a number from 1 to 64')

    def test_inputs_one_by_one(self):
        self.put('add.onnx', added())
        a, b = self.save('a.npy', np.arange(6, dtype='f4').reshape(3, 2)), self.save('b.npy', 10)
        wanted = {'Y': [[10.0, 11.0], [12.0, 13.0], [14.0, 15.0]]}
        self.assertEqual(self.outputs('add.onnx', '--input', f'A={a}', f'--input=B={b}'), wanted)
        self.assertEqual(self.outputs('add.onnx', '--input', f'B={b}', a), wanted)
        self.assertEqual(self.outputs('add.onnx', self.put('a.csv', b'0,1\n2,3\n4,5\n'),
                                      '--input', f'B={b}'), wanted)
        said = self.predict('add.onnx', a, '--input', f'B={b}', '-o', 'y.npy', '-f', 'npy')
        self.assertEqual(said, b'y.npy: wrote the results for 3 rows\n')

    def test_what_is_wrong_with_inputs(self):
        self.put('add.onnx', added())
        a, b = self.save('a.npy', np.zeros((3, 2))), self.save('b.npy', 10)
        call = ('predict', 'add.onnx', '--allow-unsigned')
        rows = [
            (USAGE, 'cli.rows', ['--input', f'A={a}'], 'nothing is given for input B'),
            (USAGE, 'cli.rows', [a], 'the model has 2 inputs'),
            (USAGE, 'cli.rows', [a, '--input', f'A={a}', '--input', f'B={b}'], 'no input is left'),
            (USAGE, 'cli.rows', ['--input', f'A={ROWS}'], 'no .npy file'),
            (USAGE, 'cli.usage', ['--input', f'C={a}'], 'unknown input C'),
            (USAGE, 'cli.usage', ['--input', f'A={a}', '--input', f'A={a}'], 'more than once'),
            (USAGE, 'cli.usage', ['--input', 'A'], 'NAME=FILE is wanted'),
            (USAGE, 'cli.usage', ['--input', f'={a}'], 'NAME=FILE is wanted'),
            (USAGE, 'cli.usage', ['--input', 'A='], 'NAME=FILE is wanted'),
            (SYSTEM, 'input.read', ['--input', 'A=nowhere.npy'], 'nowhere.npy: '),
        ]
        for code, rule, words, says in rows:
            with self.subTest(words):
                self.rejects(code, rule, *call, *words, says=says)

    def test_no_input_at_all(self):
        self.put('constant.onnx', ob.plain_model(
            [('Identity', ['w'], ['Y'], {})], [], [floats('Y', 2)],
            [ob.tensor('w', ob.FLOAT, (2,), np.float32([1, 2]).tobytes())]))
        self.assertEqual(self.outputs('constant.onnx'), {'Y': [1.0, 2.0]})

    def test_sequences(self):
        kind = ob.sequence_type(ob.tensor_type(ob.FLOAT, ()))
        self.put('sequence.onnx', ob.plain_model(
            [('Identity', ['S'], ['T'], {}), ('SequenceLength', ['S'], ['n'], {})],
            [ob.value('S', kind)],
            [ob.value('T', kind), ob.value('n', ob.tensor_type(ob.INT64, ()))]))
        one, two = self.save('one.npy', np.float32([1, 2])), self.save('two.npy', np.float32(3))
        words = ('sequence.onnx', '--input', f'S={one}', '--input', f'S={two}')
        self.assertEqual(self.outputs(*words), {'T': [[1.0, 2.0], 3.0], 'n': 2})
        call = ('predict', *words, '--allow-unsigned')
        self.rejects(UNSUPPORTED, 'cli.table', *call, as_json=False,
                     says='output T is a sequence')
        self.rejects(UNSUPPORTED, 'cli.table', *call, '-f', 'npy', '--select', 'T', '-o', 'x.npy',
                     says='output T is no tensor')
        self.rejects(UNSUPPORTED, 'cli.input-kind', 'predict', 'sequence.onnx', one,
                     '--allow-unsigned', says='input S is a sequence')

    def test_optionals(self):
        kind = ob.optional_type(ob.tensor_type(ob.FLOAT, ('n',)))
        self.put('optional.onnx', ob.plain_model(
            [('OptionalHasElement', ['O'], ['has'], {}), ('Identity', ['O'], ['same'], {})],
            [ob.value('O', kind)],
            [ob.value('has', ob.tensor_type(9, ())), ob.value('same', kind)], opset=16))
        one = self.save('one.npy', np.float32([1, 2]))
        self.assertEqual(self.outputs('optional.onnx', '--input', f'O={one}'),
                         {'has': 1, 'same': [1.0, 2.0]})
        self.assertEqual(self.outputs('optional.onnx'), {'has': 0, 'same': None})


class Convert(OnnxTest):
    def convert(self, *arguments):
        return self.succeeds('convert', *arguments, '--trust', 'trust')

    def test_the_same_predictions_bit_for_bit(self):
        said = self.convert('upload.onnx', '--allow-unsigned', '-o', 'out.wlk', '--sign',
                            'secret.key').decode()
        number = samples.EXAMPLE_KEY.number[::-1].hex().upper()
        self.assertRegex(said, rf'\Aout.wlk: wrote \d+ bytes, signed with key {number}\n\Z')
        for form in ('csv', 'json'):
            wanted = self.predict('upload.onnx', ROWS, '-f', form)
            got = self.succeeds('predict', 'out.wlk', ROWS, '-f', form, '--trust', 'trust')
            self.assertEqual(got, wanted)
        found, before = (self.object('inspect', name, '--trust', 'trust')
                         for name in ('out.wlk', 'upload.onnx'))
        self.assertEqual(found['operators'], before['operators'])
        self.assertEqual(found['graphs'][0]['outputs'], before['graphs'][0]['outputs'])
        digest = hashlib.sha256(UPLOAD).hexdigest()
        self.assertEqual(found['metadata'], {**before['metadata'],
                                            '/metadata/source/file': 'upload.onnx',
                                            '/metadata/source/sha256': digest})
        self.assertEqual(found['signature']['state'], 'trusted')

    def test_the_same_model_gives_the_same_bytes(self):
        for name in ('a.wlk', 'b.wlk'):
            self.convert('upload.onnx', '--allow-unsigned', '-o', name)
        self.assertEqual((self.folder / 'a.wlk').read_bytes(),
                         (self.folder / 'b.wlk').read_bytes())

    def test_json(self):
        found = self.object('convert', 'upload.onnx', '--allow-unsigned', '-o', 'out.wlk',
                            '--trust', 'trust')
        size = (self.folder / 'out.wlk').stat().st_size
        self.assertEqual(found, {'verdict': 'ok', 'file': 'out.wlk', 'bytes': size, 'key': None})

    def test_a_wlk_file_is_signed_anew(self):
        self.iris(sign=False, name='unsigned.wlk')
        self.convert('unsigned.wlk', '--allow-unsigned', '-o', 'out.wlk', '--sign', 'secret.key')
        self.iris(name='packed.wlk')
        self.assertEqual((self.folder / 'out.wlk').read_bytes(),
                         (self.folder / 'packed.wlk').read_bytes())

    def test_tensors_stay_what_they_are(self):
        tensors = [ob.tensor('weights', ob.FLOAT, (2, 3), np.arange(6, dtype='<f4').tobytes()),
                   ob.tensor('odd name/../x', ob.INT64, (1,), np.int64([-1]).tobytes())]
        self.put('w.onnx', ob.plain_model(
            [('Add', ['X', 'weights'], ['Y'], {}), ('Identity', ['odd name/../x'], ['Z'], {})],
            [floats('X', 2, 3)],
            [floats('Y', 2, 3), ob.value('Z', ob.tensor_type(ob.INT64, (1,)))], tensors))
        self.convert('w.onnx', '--allow-unsigned', '-o', 'w.wlk', '--sign', 'secret.key')
        for model, flag in (('w.onnx', ['--allow-unsigned']), ('w.wlk', [])):
            self.succeeds('extract', model, *flag, '-o', model + '.npz', '--trust', 'trust')
        first, second = ((self.folder / f'{name}.npz').read_bytes()
                         for name in ('w.onnx', 'w.wlk'))
        self.assertEqual(first, second)

    def test_what_is_wrong(self):
        call = ('convert', 'upload.onnx', '--allow-unsigned')
        (self.folder / 'folder').mkdir()
        rows = [
            (USAGE, 'cli.usage', [], '--output'),
            (USAGE, 'cli.usage', ['-o', '-'], './-'),
            (USAGE, 'write.target', ['-o', 'folder'], 'folder'),
            (SYSTEM, 'write.failed', ['-o', 'nowhere/x.wlk'], 'nowhere'),
            (SYSTEM, 'trust.key-read', ['-o', 'x.wlk', '--sign', 'nowhere.key'], 'nowhere.key'),
        ]
        for code, rule, words, says in rows:
            with self.subTest(words):
                self.rejects(code, rule, *call, *words, says=says)

    def test_the_key_is_not_looked_at_before_the_model_stands(self):
        self.put('upload.onnx', b'no model')
        self.rejects(UNDECIDED, 'format.unknown', 'convert', 'upload.onnx', '--allow-unsigned',
                     '-o', 'x.wlk', '--sign', 'nowhere.key')


if __name__ == '__main__':
    bad_input.main()
