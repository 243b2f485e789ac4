"""The committed hostile files are what make_hostile.py makes, and --check would notice
if not. That they are refused is shown by the demo and by the tests of the command line."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent


def check(folder):
    return subprocess.run([sys.executable, '-B', HERE / 'make_hostile.py', '--check', folder],
                          capture_output=True, text=True, timeout=60)


class Hostile(unittest.TestCase):
    def test_committed_files(self):
        result = check(HERE / 'hostile')
        self.assertEqual((result.returncode, result.stdout), (0, ''), result.stderr)

    def test_check_notices_every_kind_of_difference(self):
        with tempfile.TemporaryDirectory() as holder:
            folder = pathlib.Path(holder, 'hostile')
            shutil.copytree(HERE / 'hostile', folder)
            file = bytearray((folder / 'cycle.wlk').read_bytes())
            file[-1] ^= 1
            (folder / 'cycle.wlk').write_bytes(file)
            (folder / 'overlap.wlk').unlink()
            (folder / 'left.over').write_text('')
            result = check(folder)
            names = [pathlib.Path(line.split(' ')[0]).name for line in result.stdout.splitlines()]
        self.assertEqual((result.returncode, names), (1, ['cycle.wlk', 'left.over',
                                                          'overlap.wlk']))

    def test_they_are_small(self):
        files = list((HERE / 'hostile').iterdir())
        self.assertGreaterEqual(len(files), 4)
        self.assertEqual([path.name for path in files if path.stat().st_size >= 5000], [])


if __name__ == '__main__':
    unittest.main()
