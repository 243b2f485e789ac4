"""The same targets under AFL++, each with the library of its structure."""
import os
import re
import shutil

from runner import campaign, engine, tree

ENVIRONMENT = {
    # A finding is a file. Where core dumps go, and what the governor does, is the machine's own.
    'AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES': '1',
    'AFL_SKIP_CPUFREQ': '1',
    'AFL_NO_AFFINITY': '1',
    'AFL_NO_UI': '1',
    'ASAN_OPTIONS': 'abort_on_error=1:symbolize=0:detect_leaks=0',
    'UBSAN_OPTIONS': 'abort_on_error=1:symbolize=0:halt_on_error=1',
}
# Every change is the library's, none AFL++'s own.
STRUCTURE_ONLY = 'AFL_CUSTOM_MUTATOR_ONLY'


def statistics(folder):
    text = (folder / 'default' / 'fuzzer_stats').read_text()
    return dict(re.findall(r'^(\w+)\s*: (.*)$', text, re.M))


def start(folders, target, folder):
    """One folder of inputs, without names that are taken twice."""
    inputs = tree.made(folder / 'in')
    for source in campaign.starts(folders, target)[1:]:
        for file in campaign.files(source):
            if file.stat().st_size:
                shutil.copyfile(file, inputs / f'{source.parent.name}-{file.name}')
    return inputs


def run_one(folders, target, seconds):
    """Some seconds of AFL++ in which every change is the structure's: what it found."""
    folder = folders.root / 'afl-corpus' / target
    shutil.rmtree(folder, ignore_errors=True)
    inputs = start(folders, target, folder)
    built = folders.root / 'afl'
    library = built / f'afl_mutator_{tree.structure(target)}.so'
    environment = {**os.environ, **ENVIRONMENT, STRUCTURE_ONLY: '1',
                   'AFL_CUSTOM_MUTATOR_LIBRARY': str(library)}
    dictionary = folders.dictionary(target)
    command = ['afl-fuzz', '-i', inputs, '-o', folder / 'out', '-V', seconds, '-t', 2000,
               '-G', tree.options(target)['max_len'],
               '-m', 'none', *(['-x', dictionary] if dictionary else []),
               '--', built / f'fuzz_{target}']
    log = folders.log(f'{target}.afl')
    code, _, _ = engine.execute([str(word) for word in command], log, seconds + engine.GRACE,
                                environment)
    return target, code, folder / 'out', log


def report(target, code, out, log):
    """One line; whether the library was used, and nothing was found that ends the target."""
    if code or not (out / 'default' / 'fuzzer_stats').exists():
        print(f'FAIL  {target}: exit {code}\n{log.read_text(errors="replace")[-3000:]}')
        return False
    stats = statistics(out)
    used = int(stats['execs_done']) > int(stats['corpus_count'])
    findings = [*campaign.files(out / 'default' / 'crashes'),
                *campaign.files(out / 'default' / 'hangs')]
    ended = [str(file) for file in findings if file.name != 'README.txt']
    good = used and not ended
    print(f'{"ok  " if good else "FAIL"}  {target:<12} {tree.structure(target):<8} '
          f'{int(stats["execs_done"]):>9,} executions, {stats["corpus_count"]:>5} paths, '
          f'{stats["corpus_found"]:>5} of them made by the mutator, {len(ended)} findings'
          + ''.join(f'\n      {name}' for name in ended), flush=True)
    return good


def afl(folders, targets, args):
    """make fuzz-afl: every target under AFL++ with its mutator alone."""
    if not shutil.which('afl-fuzz'):
        raise SystemExit('afl-fuzz is missing: make deps-ci')
    results = campaign.each(targets, args.jobs, lambda t: run_one(folders, t, args.seconds))
    return campaign.conclude([report(*result) for result in results])
