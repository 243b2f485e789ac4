"""What there is to run: targets, their seeds, dictionaries and options, and the folders that
a run writes to."""
import pathlib
import re
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
SOURCES = TOP / 'fuzz'
TARGETS = sorted(path.stem.removeprefix('fuzz_') for path in SOURCES.glob('fuzz_*.c'))


class Folders:
    """Below $(BUILD)/fuzzing."""

    def __init__(self, root):
        self.root = root.resolve()
        self.engine = self.root / 'engine'
        self.totals = self.root / 'totals.json'

    def corpus(self, target):
        return made(self.root / 'corpus' / target)

    def findings(self, target):
        return made(self.root / 'findings' / target)

    def log(self, name):
        return made(self.root / 'log') / f'{name}.txt'

    def seeds(self, target):
        """Checked in and generated, where both were put together; else those checked in."""
        return present(self.engine / 'seeds' / target, SOURCES / 'seeds' / target)[:1]

    def dictionary(self, target):
        return next(iter(present(self.engine / 'dict' / f'{target}.dict',
                                 SOURCES / 'dict' / f'{target}.dict')), None)


def made(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def present(*paths):
    return [path for path in paths if path.exists()]


def regressions(target):
    return present(SOURCES / 'regressions' / target)


def structure(target):
    """The name of the structure that the target's inputs have."""
    text = (SOURCES / f'fuzz_{target}.c').read_text()
    match = re.search(r'fuzz_input = &structure_(\w+);', text)
    return match.group(1) if match else None


def options(target):
    """libFuzzer's options: those of fuzz/options/default, and over them the target's own."""
    found = {}
    for path in present(SOURCES / 'options' / 'default', SOURCES / 'options' / target):
        for line in path.read_text().splitlines():
            name, equals, value = line.partition('=')
            if equals and not line.startswith('#'):
                found[name.strip()] = value.strip()
    return found


def commit():
    """Of the sources that are fuzzed; a plus sign where they differ from it."""
    try:
        return subprocess.run(
            ['git', '-C', TOP, 'describe', '--always', '--abbrev=10', '--exclude=*', '--dirty=+'],
            capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'
