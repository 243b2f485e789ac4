#!/usr/bin/python3
"""Every codec in the cage, whose filter kills for any system call that a library would make:
what joblib has compressed is read, and limits hold there too (invariants 3 and 7)."""
import bz2
import ctypes
import gzip
import io
import json
import lzma
import os
import pathlib
import pickle
import subprocess
import tempfile
import unittest
import zlib

import joblib
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get('BUILD', 'build') / 'bin' / 'weighlock'


def lz4(data):
    library = ctypes.CDLL('liblz4.so.1')
    library.LZ4F_compressFrameBound.restype = ctypes.c_size_t
    library.LZ4F_compressFrame.restype = ctypes.c_size_t
    room = library.LZ4F_compressFrameBound(ctypes.c_size_t(len(data)), None)
    out = ctypes.create_string_buffer(room)
    size = library.LZ4F_compressFrame(out, ctypes.c_size_t(room), data,
                                      ctypes.c_size_t(len(data)), None)
    return out.raw[:size]


def zf(data):
    return b'ZF' + hex(len(data)).encode().ljust(19) + zlib.compress(data)


COMPRESS = {
    'zlib': zlib.compress, 'gzip': gzip.compress, 'bz2': bz2.compress, 'xz': lzma.compress,
    'lzma': lambda data: lzma.compress(data, lzma.FORMAT_ALONE), 'lz4': lz4, 'zf': zf,
}


def inspected(data, *options):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / 'file'
        path.write_bytes(data)
        done = subprocess.run([PROGRAM, 'inspect', '--json', path, *options],
                              stdout=subprocess.PIPE)
    return json.loads(done.stdout)


class Cage(unittest.TestCase):
    def test_every_codec(self):
        array = np.random.default_rng(3).normal(size=(400, 500))  # 1.6 MB
        data = pickle.dumps({'array': array, 'name': 'x'}, 4)
        for name, compress in COMPRESS.items():
            packed = compress(data)
            found = inspected(packed)
            self.assertEqual(found['verdict'], 'ok', f'{name}: {found}')
            self.assertEqual(found['metadata']['/metadata/source/compression'], name)
            self.assertEqual([(t['name'], t['shape']) for t in found['tensors']],
                             [('array', [400, 500])])
            self.assertEqual(found['byte_map'],
                             [{'offset': 0, 'length': len(packed), 'kind': 'compressed'}])

    def test_every_codec_of_joblib(self):
        for name in ('zlib', 'gzip', 'bz2', 'xz', 'lzma'):
            for level in (1, 9 if name != 'xz' else 6):
                file = io.BytesIO()
                joblib.dump([np.arange(1000.)], file, compress=(name, level))
                found = inspected(file.getvalue())
                self.assertEqual(found['tensors'][0]['shape'], [1000], f'{name} {level}: {found}')

    def test_members(self):
        data = pickle.dumps(np.arange(5000), 4)
        for name, compress in COMPRESS.items():
            if name != 'zf':
                found = inspected(compress(data[:3000]) + compress(data[3000:]))
                self.assertEqual(found['verdict'], 'ok', f'{name}: {found}')

    def test_damaged(self):
        data = pickle.dumps(np.arange(5000), 4)
        for name, compress in COMPRESS.items():
            packed = compress(data)
            self.assertEqual(inspected(packed[:-1])['rule'], 'inflate.truncated', name)
            self.assertEqual(inspected(packed + b'\0')['rule'], 'inflate.trailing', name)
            middle = len(packed) // 2
            found = inspected(packed[:middle] + bytes([packed[middle] ^ 0xff]) +
                              packed[middle + 1:])
            self.assertNotEqual(found['verdict'], 'ok', name)

    def test_bombs(self):
        """64 MiB of zeros, and a limit that each codec passes."""
        data = bytes(64 << 20)
        for name, compress in COMPRESS.items():
            packed = compress(data)
            found = inspected(packed, '--limit', 'inflate_ratio=100')
            self.assertEqual((found['verdict'], found['rule']), ('limit', 'limit.inflate-ratio'),
                             name)
            found = inspected(packed, '--limit', f'inflated_bytes={len(data) - 1}',
                              '--limit', 'inflate_ratio=1000000000')
            self.assertEqual(found['rule'], 'limit.inflated-bytes', name)

    def test_memory(self):
        """A dictionary of 64 MiB, and a heap without room for it."""
        filters = [{'id': lzma.FILTER_LZMA2, 'dict_size': 64 << 20}]
        packed = lzma.compress(pickle.dumps(np.arange(9)), filters=filters)
        self.assertEqual(inspected(packed)['verdict'], 'ok')
        found = inspected(packed, '--limit', 'inflate_memory=1000000')
        self.assertEqual(found['rule'], 'limit.inflate-memory')
        found = inspected(packed, '--limit', 'heap_bytes=30000000')
        self.assertEqual(found['rule'], 'limit.heap-bytes')

    def test_place(self):
        """Invariant 9: what is wrong within is said with its place there, not in the file."""
        data = pickle.dumps('a' * 1000, 2)[:-1] + b'cos\nsystem\n.'
        found = inspected(zlib.compress(data))
        self.assertEqual(found['rule'], 'pickle.global')
        self.assertIn('of the decompressed data', found['detail'])
        self.assertNotIn('offset', {k: v for k, v in found.items() if v is not None})


if __name__ == '__main__':
    unittest.main()
