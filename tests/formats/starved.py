"""The files that a test makes, parsed once more with memory failing at each place in turn
(tool_starve): keep() each, and check() at the end."""
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / os.environ.get('BUILD', 'build') / 'tests' / 'formats' / 'tool_starve'
FOLDER = tempfile.TemporaryDirectory()
NAMES = {}


def keep(data, name=''):
    """name: what complaints call it."""
    path = os.path.join(FOLDER.name, hashlib.sha256(data).hexdigest())
    if path not in NAMES:
        NAMES[path] = name or os.path.basename(path)
        Path(path).write_bytes(data)
    return data


def check(*options):
    """Lines that say what was wrong."""
    paths = sorted(NAMES, key=os.path.getsize)
    done = subprocess.run([TOOL, *options, *paths], stdout=subprocess.PIPE, check=False, text=True)
    lines = done.stdout.splitlines()
    if done.returncode == 0 and paths and not lines[-1].endswith(' 0 failures'):
        return []
    for path in paths:
        lines = [line.replace(path, NAMES[path]) for line in lines]
    return lines + [f'tool_starve: exit {done.returncode}']
