#!/usr/bin/python3
"""Makes hostile pickles, joblib and numpy files, and what Weighlock has to say of each.

    make_pickles.py FOLDER    writes them, in a folder for each kind, and expected.json

The same files come out each time with the same version of scikit-learn. Nothing of them runs
while they are made. Do not open them with pickle or joblib."""
import json
import pathlib
import sys

import gadgets
import rows_estimators
import rows_files
import rows_opcodes
from cases import ANYWHERE, offsets, verdicts


def tables():
    """Of each kind a table."""
    return [*rows_opcodes.tables(), *rows_files.tables(), *rows_estimators.tables(),
            gadgets.table(), gadgets.compressed()]


def expected(case, verdict_of):
    verdict = verdict_of[case.rule] if case.rule else 'ok'
    return {'verdict': verdict, 'rule': case.rule, 'offset': case.offset, 'limits': list(case.limits)}


def write(folder):
    """All rows, each with its path."""
    rows, known = [], offsets()
    for table in tables():
        for case in table:
            path = folder / case.file
            if path.exists():
                raise ValueError(f'two files {case.file}')
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(case.data)
            if case.offset is ANYWHERE:
                case.offset = known.get(case.file, ANYWHERE)
            rows.append((case, path))
    return rows


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 4
    folder = pathlib.Path(arguments[0])
    verdict_of = verdicts()
    rows = write(folder)
    table = {case.file: expected(case, verdict_of) for case, _ in rows}
    (folder / 'expected.json').write_text(json.dumps(table, indent=1, sort_keys=True) + '\n')
    hostile = sum(case.rule is not None for case, _ in rows)
    print(f'{hostile} hostile files and {len(rows) - hostile} harmless ones in {folder}')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
