"""Makes hostile/: files that break one rule of docs/format.md each, and are properly
signed, by the key of docs/format.md, section 7, whose secret half everybody knows.

    make_hostile.py FOLDER            writes them
    make_hostile.py --check FOLDER    compares with what is there
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'format'))

import hostile  # noqa: E402
import samples  # noqa: E402

# File name: its row in tests/format/hostile.py.
FILES = {
    'overflow.wlk': 'shape that wraps',
    'overlap.wlk': 'overlapping tensors',
    'cycle.wlk': 'input of itself',
}


def contents():
    by_name = {name: file for name, _, _, file in hostile.HOSTILE}
    made = {file: by_name[row] for file, row in FILES.items()}
    return {**made, 'example.pub': samples.EXAMPLE_KEY.public().text().encode()}


def differences(folder):
    made = contents()
    there = {path.name: path.read_bytes() for path in folder.iterdir()}
    return sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))


def main(arguments):
    check = arguments[:1] == ['--check']
    folder = pathlib.Path(arguments[-1])
    if not check:
        folder.mkdir(exist_ok=True)
        for name, content in contents().items():
            (folder / name).write_bytes(content)
        return 0
    for name in differences(folder):
        print(f'{folder / name} is not what {sys.argv[0]} makes')
    return 1 if differences(folder) else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
