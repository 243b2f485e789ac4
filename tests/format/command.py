"""Runs the built `weighlock` for tests, in a folder of its own with a trusted key."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import samples

ROOT = pathlib.Path(__file__).parents[2]
WEIGHLOCK = ROOT / os.environ.get('BUILD', 'build') / 'bin' / 'weighlock'


class CommandTest(unittest.TestCase):
    """Each test has a folder with EXAMPLE_KEY: `secret`, and `trust`, which trusts it."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.trust = self.folder / 'trust'
        self.trust.mkdir(mode=0o755)
        (self.trust / 'example.pub').write_text(samples.EXAMPLE_KEY.public().text())
        self.secret = self.folder / 'secret.key'
        self.secret.write_text(samples.EXAMPLE_KEY.text())
        self.secret.chmod(0o600)

    def put(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def run_weighlock(self, *arguments):
        """The finished process; the user's own configuration is out of reach."""
        environment = {**os.environ, 'HOME': str(self.folder), 'LC_ALL': 'C.UTF-8'}
        environment.pop('XDG_CONFIG_HOME', None)
        return subprocess.run([WEIGHLOCK, *map(str, arguments)], capture_output=True,
                              env=environment, timeout=120, stdin=subprocess.DEVNULL)

    def weighlock(self, *arguments):
        """Standard output of a call that must succeed."""
        result = self.run_weighlock(*arguments)
        self.assertEqual(result.returncode, 0, (arguments, result.stdout, result.stderr))
        return result.stdout
