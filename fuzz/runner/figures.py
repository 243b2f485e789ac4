"""Figures: how fast targets are, what structure is worth, and the totals of all runs."""
import json
import os
import re
import shutil
import statistics
import tempfile

from runner import campaign, engine, tree

# Executions a second, under ASan and UBSan. A target that is not named is a parser. Verifying a
# signature, hashing, running a model or writing one takes its own time, and so does reading
# with a JSON library what was printed: no target there. Of a specification, half of the time
# is that library's; `lazy` parses many inputs twice. A pickle begins with room for a memo of
# 1,024 and a chunk of memory for its values, which are cleared however short it is.
PARSER_GOAL = 20_000
GOALS = {'image': 100_000, 'wire': 100_000, 'order': 100_000,
         'envelope': None, 'digests': None, 'minisig': None, 'plan': None, 'run': None, 'onnx_run': None,
         'roundtrip': None, 'pack': None, 'meta_edit': None, 'report_json': None,
         'onnx_write': None, 'sklearn': None, 'joblib': None, 'inflate': None,
         'pickle': 5_000, 'json_spec': 10_000, 'lazy': 15_000}
BENCH_RUNS = 5
BENCH_SECONDS = 2  # that each takes

TOTALS_PAGE = tree.TOP / 'docs' / 'fuzzing.md'
TOTALS_HEAD = ('| target | executions | CPU minutes | crashes | hangs | largest memory | date | commit |\n'
               '|---|---:|---:|---:|---:|---:|---|---|\n')


def table(head, rows):
    """Columns as wide as they need, numbers to the right."""
    cells = [head, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for row in cells:
        print('  '.join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())


def speed(folders, target):
    """Executions for each second of CPU time, and how many inputs they were: the corpus in
    random order, by the replay program, which has the same sanitizers and no engine."""
    command = [folders.root / 'bench-build' / f'fuzz_{target}', '-b', BENCH_SECONDS,
               *campaign.starts(folders, target)]
    log = folders.log(f'{target}.bench')
    code, _, _ = engine.execute([str(word) for word in command], log, 600)
    said = re.search(r'(\d+) executions a second, (\d+) inputs', log.read_text(errors='replace'))
    if code or not said:
        raise SystemExit(f'fuzz_{target}: exit {code}\n{log.read_text(errors="replace")}')
    return int(said.group(1)), int(said.group(2))


def bench_one(folders, target):
    runs = [speed(folders, target) for _ in range(BENCH_RUNS)]
    speeds = [executions for executions, _ in runs]
    return target, statistics.median(speeds), min(speeds), max(speeds), runs[0][1]


def bench(folders, targets, args):
    """make fuzz-bench: the table of speeds, beside what they should be."""
    rows, missed = [], []
    for target, median, least, most, inputs in map(lambda t: bench_one(folders, t), targets):
        goal = GOALS.get(target, PARSER_GOAL)
        if goal and median < goal:
            missed.append(target)
        rows.append([target, f'{median:,.0f}', f'{least:,.0f} to {most:,.0f}',
                     f'{goal:,}' if goal else '-', f'{inputs:,}',
                     'ok' if not goal else 'ok' if median >= goal else 'MISSED'])
    table(['target', 'executions/s', f'of {BENCH_RUNS} runs', 'wanted', 'inputs', ''], rows)
    print('for each second of processor time, under ASan and UBSan, inputs to 4 KiB in random '
          f'order; {os.uname().machine}')
    return 1 if missed else 0


def covered(folders, target, seconds, plain, empty):
    """Edges and features after some seconds, from the seeds or from nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        seeds = [] if empty else [*folders.seeds(target), *tree.regressions(target)]
        outcome = engine.fuzz(folders, target, [scratch, *seeds], seconds=seconds, plain=plain,
                              seed=1, name=f'{target}.{"plain" if plain else "structured"}')
    if outcome.failed:
        raise SystemExit(engine.explain(outcome))
    return outcome.covered


def effect(folders, targets, args):
    """make fuzz-effect: what is covered after some seconds, with and without structure."""
    work = [(target, plain) for target in targets for plain in (False, True)]
    found = {}
    for key, result in campaign.each(
            work, args.jobs,
            lambda key: (key, covered(folders, key[0], args.seconds, key[1], args.empty))):
        found[key] = result
    rows = []
    for target in targets:
        (edges, features), (plain_edges, plain_features) = found[target, False], found[target, True]
        rows.append([target, tree.structure(target) or '-', f'{edges:,}', f'{plain_edges:,}',
                     f'{features:,}', f'{plain_features:,}',
                     f'{100 * (features / max(plain_features, 1) - 1):+.1f} %'])
    table(['target', 'structure', 'edges', 'as bytes', 'features', 'as bytes', ''], rows)
    print(f'after {args.seconds} s each, from {"no input at all" if args.empty else "the seeds"}')
    return 0


def recorded(text):
    """What the page says so far: a dictionary from target to a row of totals."""
    found = {}
    for line in text.splitlines()[2:]:
        cells = [cell.strip().strip('`') for cell in line.strip().strip('|').split('|')]
        if len(cells) != 8 or cells[0] == 'all':
            continue
        target, executions, minutes, crashes, hangs, memory, date, commit = cells
        found[target] = {'executions': int(executions.replace(',', '')),
                         'cpu_seconds': float(minutes.replace(',', '')) * 60, 'crashes': int(crashes),
                         'hangs': int(hangs), 'memory_mib': int(memory.split()[0]),
                         'date': date, 'commit': commit}
    return found


def added(a, b):
    """Two rows of totals as one; of date and commit, the later."""
    sums = {key: a[key] + b[key] for key in ('executions', 'cpu_seconds', 'crashes', 'hangs')}
    later = b if b['date'] >= a['date'] else a
    return {**sums, 'memory_mib': max(a['memory_mib'], b['memory_mib']),
            'date': later['date'], 'commit': later['commit']}


def totals_line(name, row):
    return (f'| {name} | {row["executions"]:,} | {row["cpu_seconds"] / 60:,.1f} | {row["crashes"]} '
            f'| {row["hangs"]} | {row["memory_mib"]} MiB | {row["date"]} | {row["commit"]} |\n')


def totals_table(totals):
    """The rows of the page, and their sum."""
    lines = [totals_line(f'`{target}`', row) for target, row in sorted(totals.items())]
    whole = None
    for row in totals.values():
        whole = added(whole, row) if whole else row
    return TOTALS_HEAD + ''.join(lines) + (totals_line('all', whole) if whole else '')


def record(folders, targets, args):
    """make fuzz-record: adds the runs since the last time to the table of docs/fuzzing.md."""
    if not folders.totals.exists():
        print(f'{folders.totals}: nothing ran since the last time')
        return 1
    page = TOTALS_PAGE.read_text()
    match = re.search(r'(<!-- begin: totals[^>]*-->\n)(.*?)(<!-- end: totals -->)', page, re.S)
    totals = recorded(match.group(2))
    for row in json.loads(folders.totals.read_text()):
        name = row.pop('target')
        totals[name] = added(totals[name], row) if name in totals else row
    TOTALS_PAGE.write_text(page[:match.start(2)] + totals_table(totals) + page[match.end(2):])
    shutil.move(folders.totals, folders.totals.with_suffix('.recorded.json'))
    print(f'{TOTALS_PAGE}: {sum(row["executions"] for row in totals.values()):,} executions')
    return 0
