"""What the built `weighlock inspect` says of files: in batches, each file in a cage of its own."""
import json
import os
import pathlib
import subprocess
import tempfile

from cases import ROOT

WEIGHLOCK = ROOT / os.environ.get('BUILD', 'build') / 'bin' / 'weighlock'
AT_ONCE = 500
SECONDS = 100


def inspect(paths, limits=(), folder=None):
    """For each path the object that is printed."""
    options = [word for limit in limits for word in ('--limit', limit)]
    environment = {**os.environ, 'HOME': str(folder or paths[0].parent), 'LC_ALL': 'C.UTF-8'}
    names = b''.join(os.fsencode(path) + b'\0' for path in paths)
    done = subprocess.run([WEIGHLOCK, 'inspect', '--json', *options, '--stdin0'], input=names,
                          capture_output=True, timeout=SECONDS, env=environment)
    lines = done.stdout.decode('ascii').splitlines()
    if len(lines) != len(paths) or done.stderr:
        raise RuntimeError(f'{len(lines)} answers for {len(paths)} files: {done.stderr[:500]}')
    return [json.loads(line) for line in lines]


def inspect_bytes(files, limits=()):
    """The same of files that are not written yet."""
    answers = []
    with tempfile.TemporaryDirectory() as holder:
        folder = pathlib.Path(holder)
        for first in range(0, len(files), AT_ONCE):
            paths = [folder / str(first + i) for i in range(len(files[first:first + AT_ONCE]))]
            for path, data in zip(paths, files[first:]):
                path.write_bytes(data)
            answers += inspect(paths, limits)
            for path in paths:
                path.unlink()
    return answers
