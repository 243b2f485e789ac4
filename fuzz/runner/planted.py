"""Planted bugs: one at a time in a copy of the sources, for the kit to find."""
import os
import re
import shutil
import subprocess
import time

from runner import campaign, engine, tree

# Each NAME.patch says in its first line which target is to find it.
PATCHES = tree.SOURCES / 'selftest'
COPIED = ('src', 'include', 'policy', 'fuzz')


def repoint(folder, made_of, made):
    """The dependencies of the objects: they name the sources, and the objects themselves,
    which lie in a folder of the tree. made_of, made: where these were and are."""
    for path in folder.rglob('*.d'):
        stamp = path.stat()
        text = path.read_text()
        path.unlink()  # another name of it keeps what it says
        path.write_text(text.replace(f'{made[0]}/', '\0').replace(f'{made_of[0]}/', f'{made_of[1]}/')
                        .replace('\0', f'{made[1]}/'))
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def copy_tree(folders, to):
    """The sources, and links to what was made of them; the folders of a run with these."""
    shutil.rmtree(to, ignore_errors=True)
    for name in COPIED:
        shutil.copytree(tree.TOP / name, to / name)
    copy = tree.Folders(to / 'fuzzing')
    shutil.copytree(folders.engine / 'gen', copy.engine / 'gen')
    # A compiler makes a new file of an object, and so the other name keeps the old one.
    shutil.copytree(folders.engine / 'obj', copy.engine / 'obj', copy_function=os.link)
    for name in ('seeds', 'dict'):
        (copy.engine / name).symlink_to(folders.engine / name)
    repoint(copy.engine / 'obj', (tree.TOP, to), (folders.engine, copy.engine))
    return copy


def said(command, **options):
    """What a command said, if it failed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    return done.stdout[-500:] or f'exit {done.returncode}' if done.returncode else None


def build(copy, to, target):
    # CC and flags are the environment's; a make that started this may have others.
    environment = {k: v for k, v in os.environ.items() if k not in ('MAKEFLAGS', 'MFLAGS')}
    return said(['make', '-s', '-C', to / 'fuzz', f'OUT={copy.engine}',
                 copy.engine / f'fuzz_{target}'], env=environment)


def reason(text):
    """The line that says what was found."""
    for sign in ('invariant', 'AddressSanitizer:', 'runtime error', 'ERROR: libFuzzer'):
        for line in text.splitlines():
            if sign in line:
                return re.sub(r' on address .*| \(/.*', '', line[line.index(sign):])[:90]
    return text[-200:].strip()


def plant(folders, patch, seconds):
    """The bug's name and target, the seconds until it was found or None, and why. It is found
    when an input ends the target: that the target ends is not enough."""
    target = re.match(r'target: (\w+)\n', patch.read_text()).group(1)
    to = folders.engine / 'selftest' / patch.stem
    copy = copy_tree(folders, to)
    wrong = (said(['patch', '-p1', '-s', '--fuzz=0', '-d', to, '-i', patch])
             or build(copy, to, target))
    if wrong:
        return patch.stem, target, None, wrong
    start = time.monotonic()
    outcome = engine.run(copy, target, campaign.starts(copy, target), seconds=seconds, seed=1)
    took = time.monotonic() - start
    shutil.rmtree(to)
    if not outcome.failed or not outcome.finding:
        return patch.stem, target, None, f'not found: {reason(outcome.output)}'
    return patch.stem, target, took, reason(outcome.output)


def selftest(folders, targets, args):
    """make fuzz-selftest: each planted bug is found in time."""
    patches = [patch for patch in sorted(PATCHES.glob('*.patch'))
               if not args.bug or patch.stem in args.bug]
    found = []
    for name, target, took, why in campaign.each(
            patches, args.jobs, lambda patch: plant(folders, patch, args.seconds)):
        found.append(took is not None)
        print(f'{name:<28} {target:<10} {f"{took:5.1f} s" if took is not None else "MISSED "}  {why}',
              flush=True)
    print(f'{found.count(True)} of {len(found)} planted bugs found')
    return 0 if found and all(found) else 1
