"""Which branches seeds, corpora and regressions reach: llvm-cov over the replay programs."""
import glob
import json
import os
import shutil
import subprocess

from runner import campaign, engine, figures, tree

SHOWN = ('branches', 'lines', 'functions')


def tool(name):
    """llvm-cov and llvm-profdata; some systems know them by their version alone."""
    found = shutil.which(name) or max(glob.glob(f'/usr/bin/{name}-*'), default=None)
    if not found:
        raise SystemExit(f'{name} is missing: make deps-ci')
    return found


def llvm(name, *words):
    """What an LLVM tool prints. Its warnings are that each target has a function of the same
    name: nobody wants to see them."""
    done = subprocess.run([tool(name), *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f'{name}: {done.stderr}')
    return done.stdout


def replay(folders, target):
    """The target over all its inputs; the profile that it wrote. An input that ends it
    (a regression that is none any more) would leave no profile: that is a finding."""
    profile = tree.made(folders.root / 'coverage-build' / 'profile') / f'{target}.profraw'
    command = [str(word) for word in [folders.root / 'coverage-build' / f'fuzz_{target}',
                                      *campaign.starts(folders, target)]]
    log = folders.log(f'{target}.coverage')
    code, _, _ = engine.execute(command, log, 600,
                                {**os.environ, 'LLVM_PROFILE_FILE': str(profile)})
    if code:
        raise SystemExit(f'{" ".join(command)}\n{log.read_text(errors="replace")}')
    return profile


def by_file(export):
    """What is covered of each file of src/ that has code."""
    for file in export['data'][0]['files']:
        name = os.path.relpath(file['filename'], tree.TOP)
        if name.startswith('src/') and file['summary']['lines']['count']:
            yield name, [file['summary'][kind] for kind in SHOWN]


def row(name, summaries):
    cells = [name]
    for summary in summaries:
        share = 100 * summary['covered'] / summary['count'] if summary['count'] else 100
        cells += [f'{summary["covered"]}/{summary["count"]}', f'{share:.1f} %']
    return cells


def summed(rows):
    return [{key: sum(row[i][key] for row in rows) for key in ('covered', 'count')}
            for i in range(len(SHOWN))]


def coverage(folders, targets, args):
    """make fuzz-coverage: a table of branches a file, and HTML."""
    profiles = list(campaign.each(targets, args.jobs, lambda target: replay(folders, target)))
    build, html = folders.root / 'coverage-build', folders.root / 'coverage'
    merged = build / 'profile' / 'all.profdata'
    llvm('llvm-profdata', 'merge', '-sparse', '-o', merged, *profiles)
    programs = [build / f'fuzz_{target}' for target in targets]
    common = [f'-instr-profile={merged}', programs[0],
              *(f'-object={program}' for program in programs[1:])]
    export = llvm('llvm-cov', 'export', '-summary-only', *common)
    shutil.rmtree(html, ignore_errors=True)
    llvm('llvm-cov', 'show', '-format=html', '-show-branches=count', f'-output-dir={html}',
         '-ignore-filename-regex=/fuzz/', *common)
    found = sorted(by_file(json.loads(export)))
    figures.table(['file', 'branches', '', 'lines', '', 'functions', ''],
                  [row(name, summaries) for name, summaries in found]
                  + [row('all', summed([summaries for _, summaries in found]))])
    print(f'by seeds, corpora and regressions alone; every line: {html}/index.html')
    return 0
