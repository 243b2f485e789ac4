"""The committed example models are what train.py makes, and --check would notice if not."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np

HERE = pathlib.Path(__file__).parent


def check(folder):
    return subprocess.run([sys.executable, '-B', HERE / 'train.py', '--check', folder],
                          capture_output=True, text=True, timeout=300)


class Train(unittest.TestCase):
    def test_committed_files_are_what_training_gives(self):
        result = check(HERE)
        self.assertEqual((result.returncode, result.stdout), (0, 'as committed\n'), result.stderr)

    def test_check_notices_every_kind_of_difference(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ('iris', 'digits', 'forest', 'people'):
                shutil.copytree(HERE / name, pathlib.Path(folder, name))
            place = pathlib.Path(folder, 'iris')
            array = np.load(place / 'coefficients.npy')
            array[0, 0] += 1e-6
            np.save(place / 'coefficients.npy', array)
            (place / 'mean.npy').unlink()
            (place / 'left.over').write_text('')
            spec = (place / 'spec.json').read_text()
            (place / 'spec.json').write_text(spec.replace('SOFTMAX', 'NONE'))
            labels = (place / 'labels.csv').read_text()
            (place / 'labels.csv').write_text(labels.replace('setosa', 'virginica', 1))
            result = check(folder)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(sorted(result.stdout.splitlines()), [
            'iris/coefficients.npy: different', 'iris/labels.csv: different',
            'iris/left.over: not made by this script', 'iris/mean.npy: missing',
            'iris/spec.json: different'])

    def test_every_file_is_small(self):
        files = [path for path in HERE.rglob('*') if path.is_file()]
        self.assertGreater(len(files), 25)
        self.assertEqual([path.name for path in files if path.stat().st_size >= 100_000], [])


if __name__ == '__main__':
    unittest.main()
