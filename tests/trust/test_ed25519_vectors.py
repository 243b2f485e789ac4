"""The vectors that test_ed25519.c uses are those that the script beside it makes, and the
script's arithmetic is right: its own good signature is one for an independent library."""
import pathlib
import subprocess
import sys
import unittest

import nacl.exceptions
import nacl.signing

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import make_ed25519_vectors as vectors  # noqa: E402


class Vectors(unittest.TestCase):
    def test_header_is_what_the_script_makes(self):
        made = subprocess.run([sys.executable, '-B', str(HERE / 'make_ed25519_vectors.py')],
                              capture_output=True, check=True, text=True).stdout
        self.assertEqual((HERE / 'ed25519_vectors.h').read_text(), made)

    def test_key_and_signature_are_those_of_rfc_8032(self):
        key = nacl.signing.SigningKey(bytes([7]) * 32)
        self.assertEqual(key.verify_key.encode(), vectors.KEY.public)
        self.assertEqual(key.sign(b'message').signature, vectors.good(b'message'))

    def test_small_points_are_eight_and_small(self):
        self.assertEqual(len(set(vectors.SMALL)), 8)
        for point in vectors.SMALL:
            self.assertEqual(vectors.multiply(8, point), vectors.IDENTITY)

    def test_each_vector_is_a_thing_of_its_own(self):
        signatures = [make(b'message') for _, make in vectors.SIGNATURES]
        self.assertEqual(len(set(signatures)), len(signatures))
        keys = [key for _, key in vectors.KEYS]
        self.assertEqual(len(set(keys)), len(keys))


if __name__ == '__main__':
    unittest.main()
