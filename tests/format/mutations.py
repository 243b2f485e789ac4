"""Random changes to good headers, to ask two readers the same questions. Most give
something that must be refused, some give another good file."""
import copy

import samples
import wlk
import wlk_header

KEYS = ['', 'atol', 'attr', 'block', 'created', 'domain', 'dtype', 'elements', 'graphs', 'in',
        'inputs', 'ints', 'kind', 'metadata', 'name', 'nbytes', 'op', 'opset', 'out', 'outputs',
        'producer', 'selftest', 'shape', 'tags', 'tensor', 'type', 'value', 'x-', 'X-a']
VALUES = [None, True, 0, 1, -1, 13, 2**32, 2**63 - 1, 2**63, 2**64 - 1, -2**63, 0.0, -0.0, 1.5,
          float('nan'), '', 'X', 'y', 'raw', 'f32', 'str', 'block', 't_f64', 'hidden', '\0', [],
          {}, [1], ['a'], {'a': 1}, {'': 1}, {'ints': []}, {'floats': [1.0]}, {'graph': 1},
          {'tensor': 't_f64'}, {'dtype': 'f32'}, {'type': {'tensor': {'dtype': 'i8'}}},
          {'tensor': {'dtype': 'f32', 'shape': [None, 'n', 3]}}, {'name': 'X'}]


def paths(value, path=()):
    """The paths of all values in a tree."""
    yield path
    items = value.items() if isinstance(value, dict) else \
        enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from paths(item, path + (step,))


def at(tree, path):
    for step in path:
        tree = tree[step]
    return tree


def change_once(random, header):
    every = list(paths(header))
    path = random.choice(every[1:])
    holder, step, value = at(header, path[:-1]), path[-1], at(header, path)
    kind = random.randrange(6)
    if kind == 0:
        holder[step] = copy.deepcopy(random.choice(VALUES))
    elif kind == 1:
        holder[step] = copy.deepcopy(at(header, random.choice(every)))
    elif kind == 2:
        del holder[step]
    elif isinstance(value, dict):
        value[random.choice(KEYS)] = copy.deepcopy(random.choice(VALUES))
    elif isinstance(value, list):
        value.insert(random.randint(0, len(value)), copy.deepcopy(random.choice(value or VALUES)))
    elif type(value) is int:
        holder[step] = min(2**64 - 1, max(-2**63, value + random.choice([-1, 1, 64, 2**32])))


def changed_header(random, header):
    header = copy.deepcopy(header)
    change_once(random, header)
    return wlk_header.encode(header)


def changed_bytes(random, encoded):
    encoded = bytearray(encoded)
    place = random.randrange(len(encoded))
    if random.randrange(2):
        encoded[place] = random.randrange(256)
    else:
        encoded.insert(place, random.randrange(256))
    return bytes(encoded)


def files(random, count, key):
    """`count` signed files."""
    models = [make() for make in samples.ALL]
    for _ in range(count):
        model = random.choice(models)
        entries, data = wlk.lay_out(model.tensors)
        header = {**model.header, 'tensors': entries}
        if random.randrange(4):
            encoded = changed_header(random, header)
        else:
            encoded = changed_bytes(random, wlk_header.encode(header))
        yield wlk.assemble(encoded, data, key)
