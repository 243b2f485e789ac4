"""Plants one bug at a time in a copy of the sources, and lets the kit find it.

    selftest.py TREE OUT [--seconds 60] [--jobs 2] [NAME...]

TREE is this tree, OUT a folder with fuzz targets built from it with an engine
(fuzz/Makefile), whose objects are used again. Each NAME.patch beside this file says in its
first line which target is to find it. A bug that is not found in time is a defect of the
kit; so is a target that fails without one.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
COPIED = ('src', 'include', 'policy', 'fuzz')


def field(patch, name):
    with open(patch) as f:
        for line in f:
            if line.startswith(name + ': '):
                return line[len(name) + 2:].strip()
    sys.exit('%s: no line "%s: "' % (patch, name))


def repoint(folder, made_of, made):
    """The dependencies of the objects: they name the sources, and the objects themselves,
    which lie in a folder of the tree. made_of, made: where these were and are."""
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if name.endswith('.d'):
                stamp = os.stat(path)
                with open(path) as f:
                    text = f.read()
                os.remove(path)
                with open(path, 'w') as f:
                    f.write(text.replace(made[0], '\0').replace(*made_of).replace('\0', made[1]))
                os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def copy_tree(tree, out, to):
    """The sources, and links to what was made of them."""
    shutil.rmtree(to, ignore_errors=True)
    for name in COPIED:
        shutil.copytree(os.path.join(tree, name), os.path.join(to, name))
    made = os.path.join(to, 'out')
    os.makedirs(made)
    shutil.copytree(os.path.join(out, 'gen'), os.path.join(made, 'gen'))
    # A compiler makes a new file of an object, and so the other name keeps the old one.
    shutil.copytree(os.path.join(out, 'obj'), os.path.join(made, 'obj'), copy_function=os.link)
    repoint(made, (tree + '/', to + '/'), (out + '/', made + '/'))
    return made


def options(tree, target):
    path = os.path.join(tree, 'fuzz', 'options', target)
    lines = open(path).read().split('\n') if os.path.exists(path) else []
    return ['-' + line.replace(' ', '') for line in lines if '=' in line]


def build(tree, made, target):
    command = ['make', '-s', '-C', os.path.join(tree, 'fuzz'), 'OUT=' + made,
               os.path.join(made, 'fuzz_' + target)]
    # CC and flags are the environment's; a make that started this may have others.
    environment = {k: v for k, v in os.environ.items() if k not in ('MAKEFLAGS', 'MFLAGS')}
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=environment)


def seeds_of(out, tree, target):
    folders = [os.path.join(out, 'seeds', target), os.path.join(tree, 'fuzz', 'seeds', target)]
    return [f for f in folders if os.path.isdir(f)]


def fuzz(program, tree, out, target, work, seconds):
    """The seconds it took, and what was said; None for the seconds if nothing was found."""
    corpus = os.path.join(work, 'corpus')
    os.makedirs(corpus)
    dictionary = os.path.join(out, 'dict', target + '.dict')
    command = [program, '-max_total_time=%d' % seconds, '-timeout=10', '-rss_limit_mb=2048',
               '-max_len=4096', '-seed=1', '-reload=0', '-artifact_prefix=' + work + '/']
    command += options(tree, target)
    command += ['-dict=' + dictionary] if os.path.exists(dictionary) else []
    command += [corpus] + seeds_of(out, tree, target)
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=work)
    text = done.stdout.decode('utf-8', 'replace')
    return (time.monotonic() - start if done.returncode else None), text


def reason(text):
    """The line that says what was found."""
    for sign in ('invariant', 'AddressSanitizer:', 'runtime error', 'ERROR: libFuzzer'):
        for line in text.split('\n'):
            if sign in line:
                return re.sub(' on address .*| \\(/.*', '', line[line.index(sign):])[:90]
    return text[-200:].strip()


def plant(patch, tree, out, seconds, work):
    name = os.path.basename(patch)[:-len('.patch')]
    target = field(patch, 'target')
    to = os.path.join(work, name)
    made = copy_tree(tree, out, to)
    with open(patch) as f:
        applied = subprocess.run(['patch', '-p1', '-s', '--fuzz=0', '-d', to], stdin=f,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if applied.returncode:
        return name, target, None, 'does not apply: ' + applied.stdout.decode()
    built = build(to, made, target)
    if built.returncode:
        return name, target, None, 'does not build: ' + built.stdout.decode()[-500:]
    found, text = fuzz(os.path.join(made, 'fuzz_' + target), tree, out, target, to, seconds)
    shutil.rmtree(to, ignore_errors=True)
    return name, target, found, reason(text) if found is not None else 'not found'


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('tree')
    p.add_argument('out')
    p.add_argument('names', nargs='*')
    p.add_argument('--seconds', type=int, default=60)
    p.add_argument('--jobs', type=int, default=2)
    a = p.parse_intermixed_args()
    tree, out = os.path.abspath(a.tree), os.path.abspath(a.out)
    work = os.path.join(out, 'selftest')
    patches = [os.path.join(HERE, n) for n in sorted(os.listdir(HERE)) if n.endswith('.patch')]
    if a.names:
        patches = [f for f in patches if os.path.basename(f)[:-len('.patch')] in a.names]
    missed = 0
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        jobs = [pool.submit(plant, patch, tree, out, a.seconds, work) for patch in patches]
        for job in concurrent.futures.as_completed(jobs):
            name, target, found, why = job.result()
            missed += found is None
            took = 'MISSED ' if found is None else '%5.1f s' % found
            print('%-28s %-10s %s  %s' % (name, target, took, why), flush=True)
    print('%d of %d planted bugs found' % (len(patches) - missed, len(patches)))
    return 1 if missed or not patches else 0


if __name__ == '__main__':
    sys.exit(main())
