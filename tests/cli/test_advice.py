"""`weighlock inspect` says what would make a model smaller, and only where it is worth
it."""
import re
import unittest

import numpy as np

from kit import CliTest, samples, wlk
import wlk_header
from wlk import Tensor

COUNT = 40000
RANDOM = np.random.default_rng(7)
NOISE = RANDOM.uniform(0.5, 1, COUNT)
BITS16 = RANDOM.integers(0x3c00, 0x7b00, COUNT).astype('<u2')  # normal float16, positive


def exact_bf16(low, high):
    """Random float32 that bfloat16 has too; the exponents are in a range."""
    codes = RANDOM.integers(0, 128, COUNT) | RANDOM.integers(low, high, COUNT) << 7
    return (codes.astype('<u4') << 16).view('<f4')


def with_value(array, value):
    array = array.copy()
    array[-1] = value
    return array


class AdviceTest(CliTest):
    def own(self, arrays):
        tensors = [Tensor(name, dtype, list(array.shape), array) for name, dtype, array in arrays]
        entries, data = wlk.lay_out(tensors)
        encoded = wlk_header.encode({'kind': 'model', 'tensors': entries})
        return self.put('own.wlk', wlk.assemble(encoded, data, samples.EXAMPLE_KEY))

    def advice(self, *arrays):
        model = self.own(arrays)
        found = self.object('inspect', model)['advice']
        said = self.succeeds('inspect', model).decode()
        self.assertEqual(bool(found), '\nadvice ' in said)
        for kind in {one['how'] for one in found}:
            self.assertIn(kind, said)
        for one in found:
            self.assertEqual(set(one), {'what', 'tensor', 'saves_bytes', 'how'})
        return found

    def narrow(self, dtype, array):
        """The type that is proposed, and how."""
        found = [one for one in self.advice(('t', dtype, array)) if one['what'] == 'narrow']
        if not found:
            return None
        self.assertEqual((len(found), found[0]['tensor']), (1, 't'))
        self.assertEqual(found[0]['saves_bytes'], array.nbytes // 2)
        return re.match(r'store as (b?f\d+: (exactly|with rounding)),', found[0]['how']).group(1)

    def test_narrower_types(self):
        f32 = NOISE.astype('<f4')
        f16 = BITS16.view('<f2').astype('<f4')
        rows = (
            ('f64', NOISE, 'f32: with rounding'),
            ('f64', f32.astype('<f8'), 'f32: exactly'),
            ('f64', np.arange(COUNT, dtype='<f8'), 'f32: exactly'),
            ('f64', with_value(f32.astype('<f8'), 1e300), None),
            ('f64', with_value(f32.astype('<f8'), -1e300), None),
            ('f64', with_value(f32.astype('<f8'), 1e-300), None),
            ('f64', with_value(f32.astype('<f8'), np.inf), 'f32: exactly'),
            ('f64', with_value(f32.astype('<f8'), np.nan), 'f32: exactly'),
            ('f64', with_value(f32.astype('<f8'), 1 / 3), 'f32: with rounding'),
            ('f64', with_value(f32.astype('<f8'), float(np.finfo('f4').max)), 'f32: exactly'),
            ('f64', with_value(f32.astype('<f8'), np.nextafter(float(np.finfo('f4').max), np.inf)),
             None),
            ('f64', with_value(f32.astype('<f8'), 2.0**-149), 'f32: exactly'),
            ('f64', with_value(f32.astype('<f8'), 2.0**-149 * 1.5), None),
            ('f32', f32, 'f16: with rounding'),
            ('f32', f16, 'f16: exactly'),
            ('f32', -f16, 'f16: exactly'),
            ('f32', with_value(f16, 65504), 'f16: exactly'),
            ('f32', with_value(f16, 65504 + 16), 'bf16: with rounding'),
            ('f32', with_value(f16, 65536), 'bf16: with rounding'),
            ('f32', with_value(f16, 2.0**-14), 'f16: exactly'),
            ('f32', with_value(f16, 2.0**-24), 'f16: exactly'),
            ('f32', with_value(f16, 3 * 2.0**-24), 'f16: exactly'),
            ('f32', with_value(f16, 2.0**-15 + 2.0**-24), 'f16: exactly'),
            ('f32', with_value(f16, 2.0**-15 + 2.0**-25), 'bf16: with rounding'),
            ('f32', with_value(f16, 2.0**-25), 'bf16: with rounding'),
            ('f32', with_value(f16, 0), 'f16: exactly'),
            ('f32', with_value(f16, -0.0), 'f16: exactly'),
            ('f32', with_value(f16, np.nan), 'f16: exactly'),
            ('f32', with_value(f16, -np.inf), 'f16: exactly'),
            ('f32', exact_bf16(1, 255), 'bf16: exactly'),
            ('f32', with_value(exact_bf16(1, 255), 1 + 2.0**-16), 'bf16: with rounding'),
            ('f32', f32 * np.float32(1e20), 'bf16: with rounding'),
            ('f32', with_value(f32 * np.float32(1e20), np.finfo('f4').max), None),
            ('f32', with_value(f32, 1e-40), None),
            ('i64', np.arange(COUNT), None),
            ('f16', BITS16.view('<f2'), None))
        for i, (dtype, array, want) in enumerate(rows):
            with self.subTest(row=i, dtype=dtype, want=want):
                self.assertEqual(self.narrow(dtype, array), want)

    def test_zeros_and_duplicates(self):
        noise = RANDOM.integers(0, 256, 100000).astype('u1')
        other = with_value(noise, (int(noise[-1]) + 1) % 256)
        found = self.advice(('a', 'u8', noise), ('zero', 'f64', np.zeros(20000)),
                            ('b', 'u8', noise), ('c', 'u8', other),
                            ('d', 'u8', noise.reshape(2, -1)), ('e', 'u8', noise))
        self.assertEqual([(one['what'], one['tensor'], one['saves_bytes']) for one in found],
                         [('zero', 'zero', 160000), ('duplicate', 'b', 100000),
                          ('duplicate', 'e', 100000)])

    def test_negative_zeros_are_no_zeros(self):
        found = self.advice(('t', 'f64', np.full(20000, -0.0)))
        self.assertEqual({one['what'] for one in found}, {'narrow', 'compress'})

    def test_compression(self):
        text = np.frombuffer(b'the same again and again ' * 8000, dtype='u1')
        noise = RANDOM.integers(0, 256, 200000).astype('u1')
        found = self.advice(('text', 'u8', text), ('noise', 'u8', noise))
        self.assertEqual([(one['what'], one['tensor']) for one in found], [('compress', 'text')])
        self.assertGreater(found[0]['saves_bytes'], 0.9 * len(text))
        self.assertLess(found[0]['saves_bytes'], len(text))

    def test_not_worth_it(self):
        """A tenth of the file is not enough where it is little; nor is little of much."""
        noise = RANDOM.integers(0, 256, 900000).astype('u1')
        for bytes_saved, many in ((65528, False), (65536, True)):
            zeros = np.zeros(bytes_saved, dtype='u1')
            self.assertEqual(bool(self.advice(('z', 'u8', zeros))), many)
            self.assertEqual(self.advice(('z', 'u8', zeros), ('n', 'u8', noise)), [])
        self.assertEqual(self.object('inspect', self.iris())['advice'], [])

    def test_large_models(self):
        """Of a large model a part is looked at, and it says so; it can be opened lazily."""
        large = RANDOM.integers(0, 2**64, 9 << 20, dtype='u8')
        found = self.advice(('large', 'u64', large), ('small', 'f64', NOISE))
        self.assertEqual([(one['what'], one['tensor'], one['saves_bytes']) for one in found],
                         [('lazy', None, large.nbytes + NOISE.nbytes)])
        found = self.advice(('large', 'u64', large), ('again', 'u64', large[:1 << 20]),
                            ('once more', 'u64', large[:1 << 20]))
        self.assertEqual([(one['what'], one['tensor']) for one in found],
                         [('duplicate', 'once more'), ('lazy', None)])
        self.assertIn('(judged by a sample)', found[0]['how'])


if __name__ == '__main__':
    unittest.main()
