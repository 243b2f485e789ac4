"""The documents are true where a program can tell: links lead somewhere, files and
functions that are named exist, tables agree with what the programs print, and every
invariant of docs/design.md has a test that names its number.

    test_docs.py --write    writes the tables of tests by invariant and of escape attempts
"""
import importlib
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).parents[2]
BUILT = ROOT / os.environ.get('BUILD', 'build')
WEIGHLOCK = BUILT / 'bin' / 'weighlock'
DESIGN = ROOT / 'docs' / 'design.md'
CAGE = ROOT / 'docs' / 'cage.md'
IMPORTING = ROOT / 'docs' / 'importing.md'
INVARIANTS = range(1, 13)
TREES = r'(?:src|tests|docs|policy|include|fuzz)'

# `src/gate/gate.c` (`conclude`, `run_child`): a file, and names that it must hold.
PATH = re.compile(r'`(' + TREES + r'/[\w./*-]+)`(?:\s*\(((?:`\w+`(?:,\s*)?)+)\))?')
NUMBERS = re.compile(r'[Ii]nvariants?[\s*/#]+(\d+(?:(?:\s*,\s*|\s+and\s+|\s*\*?\s+)\d+)*)')


def documents():
    return sorted([ROOT / 'README.md', *(ROOT / 'docs').glob('*.md')])


def without_code(text):
    return re.sub(r'^```.*?^```', '', text, flags=re.M | re.S)


def anchors(path):
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r'^#+ (.*)$', without_code(path.read_text()), flags=re.M)
    return {re.sub(r'[^\w -]', '', title.lower()).replace(' ', '-') for title in titles}


def between(text, name):
    """What stands between the two markers of that name."""
    match = re.search(rf'<!-- begin: {name}[^>]*-->\n(.*?)<!-- end: {name}[^>]*-->', text, re.S)
    return match.group(1)


def table(text):
    """The rows of a Markdown table, without its head."""
    rows = [line.strip().strip('|').split('|') for line in text.splitlines() if line.strip()]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def of_python(name):
    """Layers are named as modules are: `numpy.save` is a function, and no rule misspelt."""
    module, _, word = name.partition('.')
    try:
        return hasattr(importlib.import_module(module), word)
    except ImportError:
        return False


def tests_by_invariant():
    found = {number: [] for number in INVARIANTS}
    for path in sorted((ROOT / 'tests').glob('*/test_*')):
        text = path.read_text()
        named = {int(n) for match in NUMBERS.findall(text) for n in re.findall(r'\d+', match)}
        for number in named & found.keys():
            found[number].append(f'`{path.relative_to(ROOT)}`')
    return found


def invariant_table():
    lines = ['| invariant | tests that name it |', '|---:|---|']
    lines += [f'| {n} | {", ".join(tests)} |' for n, tests in tests_by_invariant().items()]
    return '\n'.join(lines) + '\n'


class Names(unittest.TestCase):
    def test_links(self):
        for page in documents():
            for target in re.findall(r'\]\(([^)\s]+)\)', without_code(page.read_text())):
                if re.match(r'https?:', target):
                    continue
                name, _, anchor = target.partition('#')
                path = page.parent / name if name else page
                with self.subTest(page=page.name, target=target):
                    self.assertTrue(path.exists())
                    if anchor:
                        self.assertIn(anchor, anchors(path))

    def test_files_and_functions(self):
        for page in documents():
            for name, functions in PATH.findall(page.read_text()):
                with self.subTest(page=page.name, path=name):
                    files = list(ROOT.glob(name))
                    self.assertTrue(files)
                    for function in re.findall(r'\w+', functions):
                        self.assertRegex(files[0].read_text(), rf'\b{function}\b')

    def test_rules(self):
        rules = re.findall(r'^([a-z]+\.[a-z0-9-]+) ', (ROOT / 'policy/rules.policy').read_text(),
                           re.M)
        layers = {rule.split('.')[0] for rule in rules}
        for page in documents():
            for name in re.findall(r'`([a-z]+\.[a-z0-9-]+)`', page.read_text()):
                if name.split('.')[0] in layers and not (ROOT / name).exists():
                    with self.subTest(page=page.name, rule=name):
                        self.assertTrue(name in rules or of_python(name))

    def test_limits(self):
        limits = re.findall(r'^(\w+) +\|', (ROOT / 'policy/limits.policy').read_text(), re.M)
        for page in documents():
            for name in re.findall(r'--limit (\w+)=', page.read_text()):
                with self.subTest(page=page.name):
                    self.assertIn(name, limits)


def escapes():
    """What tests/cage/test_escape.c tries, as a table."""
    out = subprocess.run([BUILT / 'tests' / 'cage' / 'test_escape', '--list'], timeout=60, check=True,
                         capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    rows = [[cell.strip() for cell in line.split('|')] for line in out.splitlines()]
    rows.insert(1, ['---'] * len(rows[0]))
    return ''.join(f'| {" | ".join(row)} |\n' for row in rows)


def classes():
    """scikit-learn's classes that are known, as a table."""
    return subprocess.run([BUILT / 'tests' / 'formats' / 'tool_sklearn_rows'], timeout=60, check=True,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout


class Tables(unittest.TestCase):
    def test_classes(self):
        self.assertEqual(between(IMPORTING.read_text(), 'the table of classes'), classes())

    def test_escapes(self):
        self.assertEqual(between(CAGE.read_text(), 'escapes'), escapes())

    def test_layers(self):
        """docs/cage.md: name, required or not, and whether the parent can see it."""
        out = subprocess.run([WEIGHLOCK, 'doctor', '--json'], capture_output=True, timeout=60,
                             stdin=subprocess.DEVNULL).stdout
        layers = json.loads(out)['layers']
        page = CAGE.read_text()
        rows = table(between(page, 'layers'))
        self.assertEqual([row[0] for row in rows], [layer['layer'] for layer in layers])
        sights = set(re.findall(r'\{LAYER_(\w+), see_', (ROOT / 'src/gate/attest.c').read_text()))
        for (name, required, known), layer in zip(rows, layers):
            with self.subTest(layer=name):
                self.assertEqual(required == 'required', layer['required'])
                seen = name.upper().replace('-', '_') in sights
                self.assertEqual(known.startswith('attested'), seen)
                self.assertIn(f'\n### {name}\n', page)

    def test_bench(self):
        """README.md explains every line of `make bench`, and no other."""
        source = ''.join((ROOT / 'tests/bench' / name).read_text()
                         for name in ('bench.c', 'bench_warm.h'))
        printed = re.findall(r'^ +(?:report(?:_at_least)?|bench_scaling)\([^;]*?"(\w+)"',
                             source, re.M)
        rows = table(between((ROOT / 'README.md').read_text(), 'bench'))
        self.assertEqual(sorted(row[0].strip('`') for row in rows), sorted(printed))

    def test_bench_of_peers(self):
        """The same of the lines beside onnxruntime, and of their targets."""
        source = (ROOT / 'tests/peers/bench.py').read_text()
        lines = re.findall(r"^    Line\('(\w+)'.* ([\d.]+)\),$", source, re.M)
        lines += re.findall(r"^    Load\('(\w+)'.* ([\d.]+)\),$", source, re.M)
        rows = table(between((ROOT / 'README.md').read_text(), 'peers'))
        self.assertEqual([(row[0].strip('`'), row[2]) for row in rows], lines)

    def test_bench_of_joblib(self):
        """The same of the lines beside joblib and pickle."""
        source = (ROOT / 'tests/parity/bench.py').read_text()
        lines = re.findall(r"^    Line\('(\w+)'.*?, ([\d.]+|None)\),$", source, re.M | re.S)
        lines += re.findall(r"show\('(\w+)', .*?, ([\d.]+), ''\)", source)
        rows = table(between((ROOT / 'README.md').read_text(), 'joblib'))
        self.assertEqual([(row[0].strip('`'), row[2]) for row in rows],
                         [(name, target.replace('None', '')) for name, target in lines])

    def test_syscalls(self):
        policy = (ROOT / 'policy/syscalls.policy').read_text()
        rows = [line.split('|')[:2] for line in policy.splitlines() if '|' in line and line[0] != '#']
        page = (ROOT / 'docs/cage.md').read_text()
        for name, condition in rows:
            self.assertRegex(page, rf'(?m)^    {name.strip()} +\| *{condition.strip()}')


    def test_fuzz_targets(self):
        """docs/fuzzing.md names every fuzz target, and the structure of its inputs."""
        rows = table(between((ROOT / 'docs/fuzzing.md').read_text(), 'targets'))
        named = {row[0].strip('`'): row[3] for row in rows}
        targets = {path.stem.removeprefix('fuzz_'): path.read_text()
                   for path in (ROOT / 'fuzz').glob('fuzz_*.c')}
        self.assertEqual(sorted(named), sorted(targets))
        for target, text in targets.items():
            with self.subTest(target=target):
                self.assertIn(f'fuzz_input = &structure_{named[target]};', text)


class Invariants(unittest.TestCase):
    def test_each_is_promised_once(self):
        for page in ('design.md', 'threat-model.md'):
            text = (ROOT / 'docs' / page).read_text()
            numbers = [int(n) for n in re.findall(r'^(\d+)\. ', between_promises(text), re.M)]
            self.assertEqual(numbers, list(INVARIANTS), page)

    def test_each_is_kept_somewhere(self):
        text = between_promises(DESIGN.read_text())
        for number, part in enumerate(re.split(r'(?m)^\d+\. ', text)[1:], 1):
            with self.subTest(invariant=number):
                self.assertRegex(part, r'\*Kept by\* `')

    def test_each_has_a_test(self):
        """The table may be shorter than it could be, but what it says is so."""
        found = tests_by_invariant()
        rows = table(between(DESIGN.read_text(), 'tests by invariant'))
        self.assertEqual([int(row[0]) for row in rows], list(INVARIANTS))
        for number, tests in rows:
            with self.subTest(invariant=number):
                self.assertTrue(tests, f'nothing named: see {sys.argv[0]} --write')
                for test in tests.split(', '):
                    self.assertIn(test, found[int(number)])


def between_promises(text):
    """The numbered list of invariants."""
    start = re.search(r'^## .*(?:Invariants|What is promised)$', text, re.M).end()
    return text[start:re.search(r'^##', text[start:], re.M).start() + start]


def put(path, name, content):
    """Writes what stands between the two markers of that name."""
    text = path.read_text()
    start = re.search(rf'<!-- begin: {name}[^>]*-->\n', text).end()
    path.write_text(text[:start] + content + text[start + len(between(text, name)):])


def write():
    put(DESIGN, 'tests by invariant', invariant_table())
    put(CAGE, 'escapes', escapes())
    put(IMPORTING, 'the table of classes', classes())


if __name__ == '__main__':
    if sys.argv[1:] == ['--write']:
        write()
    else:
        unittest.main()
