#!/usr/bin/env python3
"""Runs the fuzz targets that `make -C fuzz` has built: what `make fuzz`, `make fuzz-check`
and the like call. docs/fuzzing.md says what each is for.

    run.py COMMAND --build FOLDER [--seconds N] [--jobs N] [TARGET...]
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from runner import afl, campaign, coverage, figures, planted, tree  # noqa: E402

COMMANDS = {
    'fuzz': campaign.fuzz,
    'check': campaign.check,
    'minimise': campaign.minimise_finding,
    'bench': figures.bench,
    'effect': figures.effect,
    'record': figures.record,
    'coverage': coverage.coverage,
    'afl': afl.afl,
    'selftest': planted.selftest,
}


def parsed(words):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('command', choices=COMMANDS)
    parser.add_argument('targets', nargs='*', metavar='TARGET', help='all, if none is named')
    parser.add_argument('--build', type=pathlib.Path, required=True, metavar='FOLDER',
                        help='where targets were built, and corpora, findings and figures go')
    parser.add_argument('--seconds', type=int, default=60)
    parser.add_argument('--jobs', type=int, default=1, help='targets that run at once')
    parser.add_argument('--file', type=pathlib.Path, help='minimise: the input')
    parser.add_argument('--bug', action='append', help='selftest: this planted bug alone')
    parser.add_argument('--empty', action='store_true', help='effect: start without seeds')
    args = parser.parse_intermixed_args(words)
    unknown = set(args.targets) - set(tree.TARGETS)
    if unknown:
        parser.error(f'no such target: {", ".join(sorted(unknown))}; there are '
                     f'{", ".join(tree.TARGETS)}')
    if args.command == 'minimise' and (len(args.targets) != 1 or not args.file):
        parser.error('minimise takes one TARGET and --file')
    return args


def main(words):
    args = parsed(words)
    return COMMANDS[args.command](tree.Folders(args.build), args.targets or tree.TARGETS, args)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
