#!/usr/bin/env python3
"""What the tests reached: branches of each file, rules, and what is excused.

    report.py BUILD [--html FOLDER] [--rows]

Merges the profiles in BUILD/profile and prints a table. Exits with 1 where a file of the
modules in MODULES is below its floor, where a branch that was not taken is not in
unreached.txt, where one in it was taken, or where a rule was not reached that is not in
unreached_rules.txt, or one in it was. --rows prints the rows that are missing.

A branch is one outcome of one condition. One in a macro belongs to the line that uses the
macro. A rule is reached where a line that can give it ran; where that line is a row of a
table, which does not run, a test has to name the rule.
"""
import argparse
import bisect
import collections
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
MODULES = ('formats', 'image', 'wire', 'trust', 'base')
RULED = MODULES + ('file', 'gate', 'write', 'infer', 'input', 'cli')
FLOOR = 95.0
EXPANSION = 1  # the kind of a region that is a macro's use
FIXED = ('wall_is_down()', '!wall_is_down()')  # the build decides (src/trust/wall.h)

Branch = collections.namedtuple('Branch', 'path line column path_inside text outcome')


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as file:
        return file.read()


# ---- LLVM's data

def objects(build):
    """Every program that was instrumented; children never are."""
    found = [os.path.join(build, 'bin', 'weighlock')]
    for folder in ('tests', 'fuzz'):
        for base, _, names in os.walk(os.path.join(build, folder)):
            found += [os.path.join(base, name) for name in sorted(names)
                      if '.' not in name and not name.startswith('child_')
                      and os.access(os.path.join(base, name), os.X_OK)]
    return found


def cov(command, build, *more):
    program, *others = objects(build)
    arguments = ['llvm-cov', command, program, '-instr-profile=' + build + '/all.profdata', *more]
    for name in others:
        arguments += ['-object', name]
    arguments += [os.path.join(TOP, 'src', module) for module in RULED]
    return subprocess.run(arguments, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout


def merge(build):
    folder = os.path.join(build, 'profile')
    names = sorted(os.path.join(folder, name) for name in os.listdir(folder)
                   if name.endswith('.profraw'))
    if not names:
        sys.exit('report.py: no profile in ' + folder)
    subprocess.run(['llvm-profdata', 'merge', '-sparse', '-o', build + '/all.profdata', *names],
                   check=True)


# ---- branches

class Sources:
    """Lines of files, as the report shows them."""

    def __init__(self):
        self.lines = {}

    def line(self, path, number):
        if path not in self.lines:
            self.lines[path] = read(path).splitlines()
        return self.lines[path][number - 1]

    def span(self, path, region):
        first, start, last, end = region[:4]
        if first == last:
            return self.line(path, first)[start - 1:end - 1]
        return self.line(path, first)[start - 1:].strip() + ' ...'


def relative(path):
    return os.path.relpath(path, TOP)


def root(function, file_id):
    """The place in the function's own file that the macro's text stands for."""
    place = None
    while file_id != 0:
        for region in function['regions']:
            if region[7] == EXPANSION and region[6] == file_id and region[5] != file_id:
                place, file_id = region, region[5]
                break
        else:
            return None
    return place


def branches_of(function, sources):
    """{branch: was it taken} of one function in one program."""
    own = relative(function['filenames'][0])
    taken = {}
    for record in function['branches']:
        place = record if record[6] == 0 else root(function, record[6])
        if place is None:
            continue
        if sources.line(own, place[0])[:place[1] - 1].endswith('switch ('):
            continue  # past all cases: there is one for each value (-Wswitch-enum)
        inside = relative(function['filenames'][record[6]])
        text = sources.span(inside, record)
        if text in FIXED:
            continue
        for outcome, count in (('true', record[4]), ('false', record[5])):
            branch = Branch(own, place[0], place[1], (record[6] and tuple(record[:2])), text,
                            outcome)
            taken[branch] = taken.get(branch, False) or count > 0
    return taken


def all_branches(data, sources):
    taken = {}
    for function in data['functions']:
        path = relative(function['filenames'][0])
        if path.split('/')[0] != 'src' or path.split('/')[1] not in MODULES:
            continue
        for branch, was in branches_of(function, sources).items():
            taken[branch] = taken.get(branch, False) or was
    return taken


def row_of(branch, sources):
    """How unreached.txt names a branch: the file, the line's text, what never happens."""
    line = sources.line(branch.path, branch.line).strip()
    if branch.path_inside:
        # The macro's own condition: `TRY` fails, or never does otherwise.
        what = sources.line(branch.path, branch.line)[branch.column - 1:].split('(')[0]
        return branch.path, line, f'{what}: {branch.text} is {branch.outcome}'
    return branch.path, line, f'{branch.text} is {branch.outcome}'


# ---- rules

class Executed:
    """Did the code at a place run? None where there is no code."""

    def __init__(self, data):
        self.segments = {relative(file['filename']): file['segments'] for file in data['files']}

    def at(self, path, line, column):
        segments = self.segments.get(path, [])
        index = bisect.bisect_right(segments, [line, column, float('inf')]) - 1
        if index < 0 or not segments[index][3]:
            return None
        return segments[index][2] > 0


COMPARED = re.compile(r'(?:[!=]= *|case )(RULE_\w+)|(RULE_\w+) *[!=]=')


def producers(module):
    """(path, line, column, symbol) wherever a rule is named, but for comparisons."""
    for base, _, names in os.walk(os.path.join(TOP, 'src', module)):
        for name in sorted(names):
            path = relative(os.path.join(base, name))
            if not name.endswith(('.c', '.h')):
                continue
            for number, line in enumerate(read(path).splitlines(), 1):
                line = re.sub(r'/\*.*|//.*|^ \*.*', '', line)
                compared = {m.start(m.lastindex) for m in COMPARED.finditer(line)}
                for match in re.finditer(r'\bRULE_[A-Z0-9_]+', line):
                    if match.start() not in compared:
                        yield path, number, match.start() + 1, match.group()


def rule_names():
    """{symbol: name} of policy/rules.policy."""
    names = [line.split('|')[0].strip() for line in read('policy/rules.policy').splitlines()
             if line.strip() and not line.startswith('#')]
    return {'RULE_' + re.sub(r'[^A-Z0-9]', '_', name.upper()): name for name in names}


def tested_names():
    """What tests say in quotation marks or as words."""
    words = set()
    for base, _, names in os.walk(os.path.join(TOP, 'tests')):
        for name in names:
            if name.endswith(('.c', '.h', '.py', '.sh')) and os.path.basename(base) != 'coverage':
                words.update(re.findall(r'[a-z]+\.[a-z0-9-]+|RULE_[A-Z0-9_]+',
                                        read(relative(os.path.join(base, name)))))
    return words


def rules_reached(data):
    """{name: reached}, of every rule that code outside the child can give."""
    executed, names, tested = Executed(data), rule_names(), tested_names()
    reached = {}
    for module in RULED:
        for path, line, column, symbol in producers(module):
            if symbol not in names:
                continue
            ran = executed.at(path, line, column)
            if ran is None:
                ran = names[symbol] in tested or symbol in tested
            reached[names[symbol]] = reached.get(names[symbol], False) or ran
    return reached, [name for name in names.values() if name not in reached]


# ---- what is excused

def excused(name, columns):
    """Of a file of rows `... | reason`: [row], and [row that is reached at times]."""
    always, sometimes = [], []
    for number, line in enumerate(read(os.path.join(HERE, name)).splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        first, *rest = line.split(' | ')
        # A line of code may hold the separator itself: the columns behind it do not.
        cells = [first, *rest] if columns == 2 else \
            [first, ' | '.join(rest[:-2]), *rest[-2:]]
        if len(cells) != columns or not all(cell.strip() for cell in cells):
            sys.exit(f'{name}:{number}: {columns} columns are wanted, none empty')
        rows = sometimes if cells[-1].startswith('sometimes: ') else always
        rows.append(tuple(cell.strip() for cell in cells[:-1]))
    return always, sometimes


def compare(kind, name, found, listed):
    """Both ways. Returns whether they differ."""
    always, sometimes = map(collections.Counter, listed)
    found = collections.Counter(found) - sometimes
    missing, needless = found - always, always - found
    for row in sorted(missing.elements()):
        print(f'{kind} not reached, and not in {name}: ' + ' | '.join(row))
    for row in sorted(needless.elements()):
        print(f'{kind} reached, or gone, but in {name}: ' + ' | '.join(row))
    return bool(missing or needless)


# ---- the table

def print_table(data, taken):
    """One row a file. Returns the files that are below the floor."""
    lines = {relative(file['filename']): file['summary']['lines'] for file in data['files']}
    counts = collections.defaultdict(lambda: [0, 0])
    for branch, was in taken.items():
        counts[branch.path][0] += was
        counts[branch.path][1] += 1
    below = []
    for path in sorted(counts):
        covered, count = counts[path]
        print(f'{100.0 * covered / count:6.1f} %  {covered:5}/{count:<5} '
              f'{lines[path]["percent"]:6.1f} % of lines  {path}')
        if 100.0 * covered < FLOOR * count:
            below.append(path)
    covered, count = (sum(column) for column in zip(*counts.values()))
    print(f'{100.0 * covered / count:6.1f} %  {covered:5}/{count:<5} all {len(counts)} files')
    return below


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('build')
    parser.add_argument('--html')
    parser.add_argument('--rows', action='store_true')
    options = parser.parse_args()
    merge(options.build)
    data = json.loads(cov('export', options.build))['data'][0]
    sources = Sources()
    taken = all_branches(data, sources)
    unreached = [row_of(branch, sources) for branch in sorted(taken, key=str) if not taken[branch]]
    if options.rows:
        print('\n'.join(' | '.join(row) for row in sorted(unreached)))
        return 0
    failed = False
    for path in print_table(data, taken):
        print(f'below {FLOOR} %: {path}')
        failed = True
    failed |= compare('branch', 'unreached.txt', unreached, excused('unreached.txt', 4))
    reached, foreign = rules_reached(data)
    listed = [(name,) for name, was in reached.items() if not was] + [(name,) for name in foreign]
    failed |= compare('rule', 'unreached_rules.txt', listed, excused('unreached_rules.txt', 2))
    print(f'{sum(reached.values())} of {len(reached) + len(foreign)} rules reached; '
          f'{len(unreached)} branches and {len(listed)} rules excused')
    if options.html:
        cov('show', options.build, '-format=html', '-show-branches=count',
            '-output-dir=' + options.html)
        print('see ' + options.html + '/index.html')
    return int(failed)


if __name__ == '__main__':
    sys.exit(main())
