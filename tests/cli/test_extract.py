"""`weighlock extract`: tensors for NumPy, the same however the model is opened, and
either whole or not at all."""
import hashlib
import io
import os
import resource
import signal
import unittest
import urllib.parse
import zipfile

import numpy as np

from kit import LIMIT, SYSTEM, TRUST, UNDECIDED, USAGE, CliTest, samples, wlk
import wlk_header
from wlk import Tensor

HOSTILE = ['../../outside', '/etc/passwd', '..', '.', 'a/b', 'x', 'x.npy', 'a\\b', 'C:x', 'tab\t',
           '\x1b[2J', '\u202egnp', 'a b', 'größe', '%2F', 'a%b', '-o', '*', '~', "q'q"]


def wanted(tensor):
    """What NumPy shall find of a tensor."""
    codes = np.asarray(tensor.data) if tensor.dtype not in ('str', 'block') else None
    if tensor.dtype == 'str':
        width = max([1, *map(len, tensor.data)])
        return np.array(tensor.data, dtype=f'<U{width}').reshape(tensor.shape)
    if tensor.dtype == 'block':
        *outer, last = tensor.shape
        last = last // tensor.block['elements'] * tensor.block['bytes']
        return np.frombuffer(bytes(tensor.data), dtype='u1').reshape([*outer, last])
    if tensor.dtype == 'i4':
        codes = ((codes.astype('i1') + 8) % 16 - 8).astype('i1')
    return codes.reshape(tensor.shape)


class ExtractTest(CliTest):
    def sealed(self, tensors, name='own.wlk', key=samples.EXAMPLE_KEY, chunk_log2=20, **header):
        entries, data = wlk.lay_out(tensors)
        encoded = wlk_header.encode({'kind': 'model', **header, 'tensors': entries})
        return self.put(name, wlk.assemble(encoded, data, key, chunk_log2))

    def extract(self, model, *arguments, **options):
        return self.succeeds('extract', model, '--trust', 'trust', *arguments, **options)

    def refuses(self, code, rule, *arguments, **options):
        """Refused, and no file has come or gone."""
        before = sorted(self.folder.iterdir())
        line = self.refused(code, rule, 'extract', '--trust', 'trust', *arguments, **options)
        self.assertEqual(sorted(self.folder.iterdir()), before)
        return line


class Content(ExtractTest):
    def check(self, path, tensors):
        with np.load(path, allow_pickle=False) as arrays:
            self.assertEqual(arrays.files, [tensor.name for tensor in tensors])
            for tensor in tensors:
                got, want = arrays[tensor.name], wanted(tensor)
                self.assertEqual((got.dtype, got.shape), (want.dtype, want.shape), tensor.name)
                self.assertEqual(got.tobytes(), want.tobytes(), tensor.name)
        self.assertIsNone(zipfile.ZipFile(path).testzip())

    def test_every_dtype(self):
        tensors = samples.every_dtype()
        self.assertEqual({tensor.dtype for tensor in tensors}, set(wlk.DTYPE_BITS))
        model = self.sealed(tensors)
        said = self.extract(model, '-o', 'all.npz').decode()
        self.check(self.folder / 'all.npz', tensors)
        self.assertIn('t_bf16  bf16 [3] as uint16: the bits of bfloat16\n', said)
        self.assertIn('  t_f64  f64 [2, 3]\n', said)

    def test_one_tensor_is_what_numpy_saves(self):
        for tensor in samples.every_dtype():
            model = self.sealed([tensor])
            self.extract(model, '-o', 'one.npy')
            file = io.BytesIO()
            np.save(file, wanted(tensor))
            self.assertEqual((self.folder / 'one.npy').read_bytes(), file.getvalue(), tensor.name)
            out = self.extract(model, '--tensor', tensor.name, '--output', '-')
            self.assertEqual(out, file.getvalue(), tensor.name)

    def test_json(self):
        tensors = [Tensor('a/b', 'bf16', [1, 2], np.array([1, 2], dtype='u2')),
                   Tensor('w', 'f32', [], np.array([1.5], dtype='f4'))]
        model = self.sealed(tensors)
        found = self.object('extract', model, '--trust', 'trust', '-o', 'two.npz')
        size = (self.folder / 'two.npz').stat().st_size
        self.assertEqual(found, {
            'verdict': 'ok', 'file': 'two.npz', 'bytes': size, 'tensors': [
                {'name': 'a/b', 'dtype': 'bf16', 'shape': [1, 2], 'descr': '<u2',
                 'as': 'uint16: the bits of bfloat16', 'member': 'a%2Fb'},
                {'name': 'w', 'dtype': 'f32', 'shape': [], 'descr': '<f4', 'as': None,
                 'member': 'w'}]})
        found = self.object('extract', model, '--trust', 'trust', '-o', 'w.npy', '--tensor', 'w')
        self.assertIsNone(found['tensors'][0]['member'])

    def test_selected_in_the_order_of_the_model(self):
        model = self.sealed(samples.every_dtype())
        self.extract(model, '--tensor', 't_u8', '--tensor', 't_f32', '-o', 'a.npz')
        self.extract(model, '--tensor', 't_f32', '--tensor', 't_u8', '--tensor', 't_u8', '-o',
                     'b.npz')
        self.assertEqual((self.folder / 'a.npz').read_bytes(),
                         (self.folder / 'b.npz').read_bytes())
        self.assertEqual(np.load(self.folder / 'a.npz').files, ['t_f32', 't_u8'])

    def test_no_tensors(self):
        self.extract(self.sealed([]), '-o', 'none.npz')
        self.assertEqual(np.load(self.folder / 'none.npz').files, [])

    def test_names_are_never_paths(self):
        tensors = [Tensor(name, 'u8', [1], np.array([i], dtype='u1'))
                   for i, name in enumerate(HOSTILE)]
        self.extract(self.sealed(tensors), '-o', 'names.npz')
        out = self.folder / 'deep' / 'er'
        with zipfile.ZipFile(self.folder / 'names.npz') as archive:
            members = archive.namelist()
            self.assertEqual([urllib.parse.unquote(one[:-4]) for one in members], HOSTILE)
            archive.extractall(out)
        self.assertEqual(sorted(os.listdir(out)), sorted(members))
        self.assertEqual(os.listdir(out.parent), ['er'])
        for one in members:
            self.assertRegex(one, r'\A[A-Za-z0-9_%-][A-Za-z0-9._%-]*\.npy\Z')
        with np.load(self.folder / 'names.npz') as arrays:
            self.assertEqual([int(arrays[key][0]) for key in arrays.files],
                             list(range(len(HOSTILE))))

    def test_what_is_printed_is_harmless(self):
        tensors = [Tensor('\x1b[2J\u202e', 'u8', [1], np.array([1], dtype='u1'))]
        said = self.extract(self.sealed(tensors), '-o', 'x.npz')
        self.assertNotIn(b'\x1b', said)
        self.assertNotIn('\u202e'.encode(), said)

    def test_many_tensors(self):
        tensors = [Tensor(f't{i}', 'u8', [1], np.array([1], dtype='u1')) for i in range(50)]
        said = self.extract(self.sealed(tensors), '-o', 'x.npz').decode()
        self.assertIn('and 10 more tensors', said)


class Opening(ExtractTest):
    """Only what is asked for is read, where the file's own signature is all there is."""

    def two(self):
        """A file in which each tensor has two chunks of its own."""
        return self.sealed([Tensor('first', 'u8', [131072], np.arange(131072).astype('u1')),
                            Tensor('second', 'u8', [131072], np.arange(131072).astype('u1'))],
                           chunk_log2=16)

    def test_lazy_and_whole_give_the_same_bytes(self):
        model = self.sealed(samples.every_dtype())
        digest = hashlib.sha256(model.read_bytes()).hexdigest()
        for i, more in enumerate(([], ['--sha256', digest],
                                  ['--sha256', digest, '--transport', 'map'])):
            self.extract(model, '-o', f'{i}.npz', *more)
            self.extract(model, '-o', f'{i}.npy', '--tensor', 't_f64', *more)
        for form in ('npz', 'npy'):
            first, *others = [(self.folder / f'{i}.{form}').read_bytes() for i in range(3)]
            self.assertEqual(others, [first, first])

    def test_what_is_not_asked_for_is_not_read(self):
        model = self.two()
        content = bytearray(model.read_bytes())
        content[-1] ^= 1
        model.write_bytes(content)
        self.extract(model, '--tensor', 'first', '-o', 'first.npy')
        self.assertEqual(len(np.load(self.folder / 'first.npy')), 131072)
        digest = hashlib.sha256(content).hexdigest()
        for more in (['--tensor', 'first', '--sha256', digest], ['--tensor', 'second'], []):
            line = self.refuses(TRUST, 'trust.chunk-digest', model, *more, '-o',
                                'x.npy' if len(more) == 2 else 'x.npz')
            self.assertIn(f'at offset {len(content) - 65536} ', line)

    def test_a_detached_signature_is_over_the_whole_file(self):
        """With one beside the file, all of it is verified."""
        model = self.two()
        self.extract(model, '--tensor', 'first', '-o', 'lazy.npy')
        self.succeeds('sign', model, '--detached', '-s', self.secret, '--trust', 'trust')
        self.extract(model, '--tensor', 'first', '-o', 'whole.npy')
        self.assertEqual((self.folder / 'lazy.npy').read_bytes(),
                         (self.folder / 'whole.npy').read_bytes())
        content = bytearray(model.read_bytes())
        content[-1] ^= 1
        model.write_bytes(content)
        self.assertEqual(self.call('extract', model, '--trust', 'trust', '--tensor', 'first', '-o',
                                   'x.npy').returncode, TRUST)

    def test_an_expected_digest_must_hold(self):
        self.refuses(TRUST, 'trust.digest', self.two(), '--sha256', '00' * 32, '-o', 'x.npz')


class Refused(ExtractTest):
    def test_command_lines(self):
        model = self.sealed(samples.every_dtype())
        for says, *arguments in (
                ['needs --output', model],
                ['.npy or .npz', model, '-o', 'x'],
                ['.npy or .npz', model, '-o', 'x.NPZ'],
                ['.npy or .npz', model, '-o', '.npy'],
                ['.npy or .npz', model, '-o', '/dev/full'],
                ['not 32', model, '-o', 'x.npy'],
                ['not 32', model, '-o', '-'],
                ['not 2', model, '--tensor', 't_u8', '--tensor', 't_i8', '-o', 'x.npy'],
                ['operands', '-o', 'x.npz'],
                ['operands', model, model, '-o', 'x.npz']):
            with self.subTest(arguments=arguments):
                as_json = arguments[-1] != '-'
                self.refuses(USAGE, 'cli.usage', *arguments, says=says, as_json=as_json)
        result = self.call('extract', model, '--trust', 'trust', '-o', '-', '--tensor', 't_u8',
                           '--json')
        self.assertEqual(result.returncode, USAGE)
        self.assertIn(b'both want standard output', result.stdout)

    def test_no_such_tensor(self):
        model = self.sealed(samples.every_dtype())
        self.refuses(USAGE, 'cli.tensor', model, '--tensor', 't_f23', '-o', 'x.npy',
                     says='t_f23; did you mean t_f32?')
        self.refuses(USAGE, 'cli.tensor', model, '--tensor', 'nothing like it', '-o', 'x.npz')
        self.refuses(USAGE, 'cli.tensor', model, '--tensor', '', '-o', 'x.npz')

    def test_unsigned(self):
        tensors = [Tensor('w', 'u8', [1], np.array([1], dtype='u1'))]
        model = self.sealed(tensors, key=None)
        stranger = self.sealed(tensors, key=samples.STRANGER_KEY, name='stranger.wlk')
        self.refuses(TRUST, 'trust.unsigned', model, '-o', 'w.npy')
        self.refuses(TRUST, 'trust.unknown-key', stranger, '-o', 'w.npy')
        for one in model, stranger:
            self.extract(one, '--allow-unsigned', '-o', 'w.npy')
        self.refuses(TRUST, 'trust.threshold', self.sealed(tensors), '-o', 'x.npy', '-k', '2')

    def test_what_is_no_model(self):
        self.put('x.wlk', b'PK\3\4')
        self.put('empty.wlk', b'')
        self.refuses(TRUST, 'trust.unsigned', 'x.wlk', '-o', 'w.npz')
        self.refuses(UNDECIDED, 'format.unknown', 'x.wlk', '-o', 'w.npz', '--allow-unsigned')
        self.refuses(UNDECIDED, 'format.empty', 'empty.wlk', '-o', 'w.npz')
        self.refuses(SYSTEM, 'gate.open', 'missing.wlk', '-o', 'w.npz')

    def test_strings_that_would_blow_up(self):
        texts = ['x' * 1000, *[''] * 999]
        model = self.sealed([Tensor('s', 'str', [1000], texts)])
        self.extract(model, '-o', 's.npy', '--limit', 'output_bytes=4000000')
        self.refuses(LIMIT, 'npy.width', model, '-o', 'x.npy', '--limit', 'output_bytes=3999999',
                     says='1000 strings, the longest of 1000 characters')


class Output(ExtractTest):
    def setUp(self):
        super().setUp()
        self.model = self.sealed([Tensor('w', 'u8', [100000], np.zeros(100000, dtype='u1'))])

    def test_replaced_in_one_step(self):
        for name in 'w.npz', 'w.npy':
            old = self.put(name, b'old')
            link = self.folder / ('link-' + name)
            os.link(old, link)
            self.extract(self.model, '-o', name)
            self.assertGreater(old.stat().st_size, 100000)
            self.assertEqual(link.read_bytes(), b'old')

    def test_places_that_are_no_files(self):
        (self.folder / 'folder.npz').mkdir()
        (self.folder / 'link.npz').symlink_to('elsewhere.npz')
        self.refuses(USAGE, 'write.target', self.model, '-o', 'folder.npz')
        self.refuses(USAGE, 'write.target', self.model, '-o', 'link.npz')
        self.refuses(SYSTEM, 'cli.output', self.model, '-o', 'missing/w.npz')

    def test_no_space(self):
        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))
        model = self.sealed([Tensor('w', 'u8', [70000], np.zeros(70000, dtype='u1'))],
                            name='small.wlk')
        for name in 'w.npz', 'w.npy':
            self.refuses(SYSTEM, 'cli.output', model, '-o', name, preexec_fn=small_files)

    def test_full_and_closed_standard_output(self):
        with open('/dev/full', 'wb') as full:
            result = self.call('extract', self.model, '--trust', 'trust', '-o', '-', stdout=full)
        self.assertEqual(result.returncode, SYSTEM)
        self.assertIn(b'cli: the output could not be written', result.stderr)
        self.assertEqual(result.stderr.count(b'\n'), 1)

    def test_a_device(self):
        (self.folder / 'null.npz').symlink_to('/dev/null')
        self.assertIn(b'wrote 100', self.extract(self.model, '-o', 'null.npz'))
        self.assertTrue((self.folder / 'null.npz').is_symlink())


if __name__ == '__main__':
    unittest.main()
