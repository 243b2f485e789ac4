"""Two implementations of docs/format.md against each other: the C one, through the
command line, and wlk.py. What one writes the other reads, byte for byte; what one
refuses the other refuses."""
import json
import random
import unittest

import numpy as np

import mutations
import report
import samples
import wlk
import wlk_header
from command import CommandTest
from hostile import HOSTILE

KEY = samples.EXAMPLE_KEY


class PythonWrites(CommandTest):
    def inspect(self, file, *options):
        path = self.put('model.wlk', file)
        return json.loads(self.weighlock('inspect', path, '--json', *options))

    def assert_lists(self, found, model):
        wanted = report.expected(model)
        for key in report.KEYS:
            self.assertEqual(found[key], wanted[key], key)
        end = 0
        for span in found['byte_map']:  # invariant 12: every byte is explained
            self.assertEqual(span['offset'], end)
            end += span['length']
        self.assertEqual(end, found['bytes'])

    def test_models_are_accepted_and_listed(self):
        for make in samples.ALL:
            with self.subTest(make.__name__):
                model = make()
                found = self.inspect(wlk.write(model, KEY), '--trust', self.trust)
                self.assertEqual(found['signature']['state'], 'trusted')
                self.assert_lists(found, model)

    def test_each_dtype_alone(self):
        for tensor in samples.every_dtype():
            with self.subTest(tensor.name):
                model = wlk.Model({'kind': 'weights'}, [tensor])
                found = self.inspect(wlk.write(model, KEY), '--trust', self.trust)
                self.assert_lists(found, model)

    def test_unsigned_and_strangers_are_shown_but_not_vouched_for(self):
        for key in (None, samples.STRANGER_KEY):
            model = samples.rich()
            file = wlk.write(model, key)
            self.assert_lists(self.inspect(file, '--trust', self.trust), model)
            path = self.put('model.wlk', file)
            self.assertEqual(self.run_weighlock('verify', path, '--trust', self.trust).returncode,
                             7)

    def test_any_chunk_size_and_slack(self):
        model = wlk.Model({'kind': 'weights'}, [
            wlk.Tensor('big', 'u32', [50000], np.arange(50000, dtype='u4'))])
        entries, data = wlk.lay_out(model.tensors)
        header = wlk_header.encode({**model.header, 'tensors': entries})
        for chunk_log2, slack in ((16, 0), (17, 4096), (24, 61440)):
            file = wlk.assemble(header, data, KEY, chunk_log2, slack)
            self.assert_lists(self.inspect(file, '--trust', self.trust), model)

    def test_signing_gives_the_same_bytes(self):
        path = self.put('model.wlk', wlk.write(samples.rich()))
        self.weighlock('sign', path, '-s', self.secret)
        self.assertEqual(path.read_bytes(), wlk.write(samples.rich(), KEY))


class Keys(CommandTest):
    def test_new_keys_are_read_and_sign(self):
        secret, public = self.folder / 'new.key', self.folder / 'new.pub'
        self.weighlock('keygen', '-s', secret, '-p', public, '--unencrypted')
        key = wlk.secret_key(secret.read_text())
        self.assertEqual(wlk.public_key(public.read_text()), key.public())
        path = self.put('model.wlk', wlk.write(samples.example(), key))
        (self.trust / 'new.pub').write_text(public.read_text())
        self.weighlock('verify', path, '--trust', self.trust)


class WeighlockWrites(CommandTest):
    """`weighlock pack`, read by wlk.py."""

    ARRAYS = {
        'f64': np.array([[0.5, np.nan], [-0.0, np.inf]]),
        'f32': np.array([[1.5, -2.5, 3.0]], dtype='f4'),
        'f16': np.array([65504, -1], dtype='f2'),
        'i64': np.array([-2**63, 2**63 - 1]),
        'i32': np.array([-1, 1], dtype='i4'),
        'i16': np.array([-1, 1], dtype='i2'),
        'i8': np.array([[-128], [127]], dtype='i1'),
        'u64': np.array([2**64 - 1], dtype='u8'),
        'u32': np.array([2**32 - 1], dtype='u4'),
        'u16': np.array([2**16 - 1], dtype='u2'),
        'u8': np.arange(256, dtype='u1'),
        'bool': np.array([True, False, True]),
        'c64': np.array([1 + 2j], dtype='c8'),
        'c128': np.array([1e300 - 1j]),
    }
    VALUES = {'bf16': ([2], [1.0, -2.0], [0x3f80, 0xc000]),
              'i4': ([3], [-8, 7, -1], [8, 7, 15]),
              'u4': ([1, 3], [1, 2, 15], [1, 2, 15])}
    STRINGS = ['setosa', '', 'größe']

    def spec(self):
        for name, array in self.ARRAYS.items():
            np.save(self.folder / f'{name}.npy', array)
        tensors = [{'name': name, 'file': f'{name}.npy'} for name in self.ARRAYS]
        tensors += [{'name': name, 'dtype': name, 'shape': shape, 'values': values}
                    for name, (shape, values, _) in self.VALUES.items()]
        tensors += [{'name': 'str', 'strings': self.STRINGS}]
        return {
            'kind': 'classifier', 'name': 'packed', 'version': '3',
            'metadata': {'metrics': {'accuracy': 1.0, 'rows': 1}, 'libraries': {'numpy': 'x'},
                         'hyperparameters': {'C': 0.1, 'list': [None, True, -1, 'a']},
                         'tags': ['b', 'a'], 'x-note': {'ä': 'ö'}},
            'opset': {'': 13}, 'tensors': tensors,
            'graph': {'inputs': [{'name': 'X', 'type': samples.tensor_type('f64', 'n', 2)}],
                      'outputs': [{'name': 'y'}, {'name': 'str'}],
                      'nodes': [{'op': 'MatMul', 'in': ['X', 'f64'], 'out': ['p'],
                                 'name': 'product'},
                                {'op': 'Softmax', 'in': ['p'], 'out': ['y'],
                                 'attr': {'axis': -1}}]},
            'selftest': [{'inputs': ['f64'], 'outputs': ['f64', 'str'],
                          'rtol': 1e-9, 'atol': 0.0}],
        }

    def pack(self, spec):
        path = self.put('spec.json', json.dumps(spec).encode())
        out = self.folder / 'packed.wlk'
        self.weighlock('pack', path, '-o', out, '--sign', self.secret)
        return out.read_bytes()

    def test_content(self):
        spec = self.spec()
        model = wlk.read(self.pack(spec), [KEY.public()])
        self.assertTrue(model.trusted)
        for key in ('kind', 'name', 'version', 'metadata', 'opset', 'selftest'):
            self.assertEqual(wlk_header.encode(model.header[key]), wlk_header.encode(spec[key]))
        self.assertEqual(model.header['graphs'], [spec['graph']])
        self.assertEqual([t.name for t in model.tensors], [t['name'] for t in spec['tensors']])
        for name, array in self.ARRAYS.items():
            self.assertEqual(model.tensor(name).dtype, name)
            self.assertEqual(model.tensor(name).shape, list(array.shape))
            self.assertEqual(wlk.payload_of(model.tensor(name)), array.tobytes(), name)
        for name, (shape, _, codes) in self.VALUES.items():
            self.assertEqual(model.tensor(name).shape, shape)
            self.assertEqual(list(model.tensor(name).data), codes, name)
        self.assertEqual(model.tensor('str').data, self.STRINGS)

    def test_rewriting_gives_the_same_bytes(self):
        file = self.pack(self.spec())
        self.assertEqual(wlk.write(wlk.read(file), KEY), file)

    def test_compressed(self):
        """What either has compressed the other reads, and it is the same model."""
        tensors = samples.every_dtype() + [
            wlk.Tensor('long', 'f64', [3, 60000], np.arange(180000) % 1000 / 8),
            wlk.Tensor('half', 'u16', [1, 700000], np.arange(700000, dtype='u2') // 9),
            wlk.Tensor('odd', 'c128', [99], np.arange(99) * 1j),
            wlk.Tensor('text', 'str', [300], ['größe'] * 300),
            wlk.Tensor('codes', 'u4', [2001], np.ones(2001, 'u1')),
            wlk.Tensor('noise', 'u8', [600], np.frombuffer(random.Random(1).randbytes(600), 'u1'))]
        model = wlk.Model({'kind': 'weights'}, tensors)
        plain = self.put('plain.wlk', wlk.write(model, KEY))
        small, large = self.folder / 'small.wlk', self.folder / 'large.wlk'
        self.weighlock('convert', plain, '--trust', self.trust, '--compress', '-o', small,
                       '--sign', self.secret)
        self.assertEqual(small.read_bytes()[13], 1)
        self.assertLess(small.stat().st_size, plain.stat().st_size // 4)
        self.assertEqual(wlk.write(wlk.read(small.read_bytes(), [KEY.public()]), KEY),
                         plain.read_bytes())
        theirs = self.put('theirs.wlk', wlk.write(model, KEY, compress=True))
        for file in (small, theirs):
            self.weighlock('convert', file, '--trust', self.trust, '-o', large, '--sign',
                           self.secret)
            self.assertEqual(large.read_bytes(), plain.read_bytes())
            self.weighlock('extract', file, '--trust', self.trust, '--tensor', 'long', '-o',
                           self.folder / 'long.npy')
            self.assertTrue((np.load(self.folder / 'long.npy').ravel() == tensors[-6].data).all())
        codecs = [t['codec'] for t in wlk_header.decode(wlk.split(small.read_bytes()).header)[0][
            'tensors']]
        self.assertEqual(codecs[-6:], ['zstd'] * 5 + ['raw'])

    def test_packing_twice_gives_the_same_bytes(self):
        first = self.pack(self.spec())
        (self.folder / 'packed.wlk').unlink()
        self.assertEqual(self.pack(self.spec()), first)


class Hostile(CommandTest):
    def test_both_refuse(self):
        for name, check, verdict, file in HOSTILE:
            with self.subTest(name, check=check):
                path = self.put('hostile.wlk', file)
                result = self.run_weighlock('inspect', path, '--trust', self.trust)
                self.assertEqual(result.returncode, verdict, result.stderr)
                self.assertIn(b'at offset', result.stderr)
                with self.assertRaises(wlk.WlkError):
                    wlk.read(file, [KEY.public()])

    def test_both_decide_alike_on_random_changes(self):
        accepted = 0
        for i, file in enumerate(mutations.files(random.Random(1), 400, KEY)):
            path = self.put('changed.wlk', file)
            result = self.run_weighlock('inspect', path, '--trust', self.trust)
            try:
                wlk.read(file, [KEY.public()])
                self.assertEqual(result.returncode, 0, (i, result.stderr))
                accepted += 1
            except wlk.WlkError as error:
                self.assertIn(result.returncode, (1, 3), (i, error, result.stderr))
        self.assertGreater(accepted, 50)  # it asks both kinds of question
        self.assertLess(accepted, 350)


if __name__ == '__main__':
    unittest.main()
