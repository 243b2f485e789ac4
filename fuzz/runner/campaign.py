"""Fuzzing: all targets for some time, corpora that grow and are minimised, the check for
continuous integration."""
import concurrent.futures
import shutil

from runner import engine, tree

MOST_NAMES = 500  # on one command line


def each(targets, jobs, work):
    """Does `work` for each target, `jobs` at a time; gives the results as they come."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(work, target) for target in targets]
        try:
            for done in concurrent.futures.as_completed(waiting):
                yield done.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def starts(folders, target):
    """What a run begins with; the first folder takes what it finds."""
    return [folders.corpus(target), *folders.seeds(target), *tree.regressions(target)]


def minimise_corpus(folders, target):
    """The fewest and smallest inputs that cover what the corpus and the seeds cover."""
    corpus = folders.corpus(target)
    fresh = corpus.with_name(f'.{target}.new')
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    outcome = engine.run(folders, target, [fresh, *starts(folders, target)], merge=1,
                         name=f'{target}.merge')
    if outcome.failed:
        shutil.rmtree(fresh)
        return outcome
    shutil.rmtree(corpus)
    fresh.rename(corpus)
    return outcome


def fuzz_one(folders, target, seconds):
    outcome = engine.fuzz(folders, target, starts(folders, target), seconds=seconds)
    if outcome.failed:
        return outcome, 0
    merged = minimise_corpus(folders, target)
    if merged.failed:
        return merged, 0
    return outcome, sum(1 for _ in folders.corpus(target).iterdir())


def report(outcome, kept):
    """One line on a run; of one that failed, all there is to know."""
    if outcome.failed:
        print(f'FAIL  {outcome.target}\n{engine.explain(outcome)}', flush=True)
        return False
    edges, features = outcome.covered
    speed = outcome.executions / max(outcome.cpu, 0.1)
    print(f'ok    {outcome.target:<12} {outcome.executions:>10,} executions {speed:>8,.0f}/s '
          f'{edges:>6} edges {features:>6} features {outcome.memory:>5} MiB '
          f'{kept:>6} inputs', flush=True)
    return True


def conclude(passed):
    """Prints the closing line; the exit code."""
    failed = passed.count(False)
    print(f'{passed.count(True)} passed, {failed} failed')
    return 1 if failed or not passed else 0


def fuzz(folders, targets, args):
    """All targets for some seconds each, corpora merged and minimised afterwards."""
    results = each(targets, args.jobs, lambda target: fuzz_one(folders, target, args.seconds))
    return conclude([report(*result) for result in results])


def files(folder):
    return sorted(path for path in folder.iterdir() if path.is_file())


def replay_one(folders, target):
    """Every regression and every seed once, under the engine's sanitizers."""
    inputs = [file for folder in [*tree.regressions(target), *folders.seeds(target)]
              for file in files(folder)]
    for start in range(0, max(len(inputs), 1), MOST_NAMES):
        part = inputs[start:start + MOST_NAMES]
        outcome = engine.run(folders, target, part or [folders.corpus(target)], dict=None,
                             max_len=None, name=f'{target}.replay', **({} if part else {'runs': 0}))
        if outcome.failed:
            break
    return outcome, len(inputs)


def check(folders, targets, args):
    """For continuous integration: replay of what is kept, then some seconds of fuzzing."""
    passed = []
    for outcome, count in each(targets, args.jobs, lambda target: replay_one(folders, target)):
        if outcome.failed or not count:
            print(f'FAIL  {outcome.target}, replayed\n'
                  + (engine.explain(outcome) if outcome.failed else '      it has no seeds'))
            passed.append(False)
    results = each(targets, args.jobs, lambda target: check_one(folders, target, args.seconds))
    return conclude(passed + [report(*result) for result in results])


def check_one(folders, target, seconds):
    """Nothing is minimised: it takes long, and the next check starts anew."""
    outcome = engine.fuzz(folders, target, starts(folders, target), seconds=seconds)
    return outcome, sum(1 for _ in folders.corpus(target).iterdir())


def minimise_finding(folders, targets, args):
    """The smallest input that still ends the target; written beside the one given."""
    target, = targets
    small = args.file.with_name(f'{args.file.name}.min')
    outcome = engine.run(folders, target, [args.file], seconds=args.seconds, minimize_crash=1,
                         exact_artifact_path=small, name=f'{target}.minimise')
    if not small.exists():
        print(engine.explain(outcome) if outcome.failed else
              f'{args.file}: fuzz_{target} does not end with it')
        return 1
    print(f'{small}: {small.stat().st_size} bytes of {args.file.stat().st_size}')
    print(f'keep it:  cp {small} {tree.SOURCES}/regressions/{target}/WHAT-WAS-WRONG')
    return 0
