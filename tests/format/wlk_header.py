"""The header of a .wlk file: canonical msgpack, schema, graph rules.

Made from docs/format.md alone, sections 3 and 5; checks are called by the names
that section 5 gives them. The one entry for readers is decode(), for writers encode().
"""
import math
import msgpack

MAX_DEPTH = 16
HEADER_AT = 256

DTYPE_BITS = {
    'f64': 64, 'f32': 32, 'f16': 16, 'bf16': 16,
    'f8e4m3fn': 8, 'f8e5m2': 8, 'f8e4m3fnuz': 8, 'f8e5m2fnuz': 8, 'f8e8m0': 8,
    'f6e2m3': 6, 'f6e3m2': 6, 'f4e2m1': 4,
    'i64': 64, 'i32': 32, 'i16': 16, 'i8': 8, 'i4': 4,
    'u64': 64, 'u32': 32, 'u16': 16, 'u8': 8, 'u4': 4,
    'bool': 8, 'c64': 64, 'c128': 128, 'str': 0, 'block': 0,
}
KEY_DTYPES = {name for name in DTYPE_BITS if name[0] in 'iu'} | {'str'}


class WlkError(Exception):
    """A file that is refused: the check of section 5, what is wrong, and where."""

    def __init__(self, check, text, offset=None):
        super().__init__(f'{check}: {text}' + ('' if offset is None else f' at offset {offset}'))
        self.check, self.text, self.offset = check, text, offset


class Fault(Exception):
    """A WlkError whose place is a path of keys and indices in the header."""

    def __init__(self, check, text, path):
        super().__init__(text)
        self.check, self.text, self.path = check, text, path


# ---- canonical msgpack

def encode(value):
    """The canonical encoding of a header, or of a part of one."""
    return msgpack.packb(sorted_keys(value), use_bin_type=True, use_single_float=False)


def sorted_keys(value):
    if isinstance(value, dict):
        by_bytes = sorted(value, key=lambda key: key.encode())
        return {key: sorted_keys(value[key]) for key in by_bytes}
    return [sorted_keys(item) for item in value] if isinstance(value, list) else value


def ascending_map(pairs):
    keys = [key for key, _ in pairs]
    if not all(isinstance(key, str) for key in keys):
        raise WlkError('H3', 'a map key is not a string', HEADER_AT)
    for before, after in zip(keys, keys[1:]):
        if before.encode() >= after.encode():
            raise WlkError('H3', f'key {after!r} does not ascend', HEADER_AT)
    return dict(pairs)


def unpack(data):
    try:
        return msgpack.unpackb(data, raw=False, strict_map_key=True,
                               object_pairs_hook=ascending_map)
    except UnicodeDecodeError:
        raise WlkError('H4', 'a string is not UTF-8', HEADER_AT) from None
    except ValueError as error:
        raise WlkError('H1', f'not one msgpack object ({error})', HEADER_AT) from None


def check_values(root):
    """H2, H4, H5 as far as they can be seen on decoded values."""
    waiting = [(root, 1, ())]
    while waiting:
        value, level, path = waiting.pop()
        if isinstance(value, (dict, list)) and level > MAX_DEPTH:
            raise WlkError('H5', f'nested deeper than {MAX_DEPTH}', HEADER_AT)
        if type(value) is dict:
            if any('\0' in key for key in value):
                raise Fault('H4', 'a key holds U+0000', path)
            waiting += [(item, level + 1, path + (key,)) for key, item in value.items()]
        elif type(value) is list:
            waiting += [(item, level + 1, path + (i,)) for i, item in enumerate(value)]
        elif type(value) is str and '\0' in value:
            raise Fault('H4', 'a string holds U+0000', path)
        elif type(value) not in (type(None), bool, int, float, str):
            raise Fault('H2', f'a {type(value).__name__} is not allowed', path)


def locate(data, path):
    """The file's offset of the value that `path` leads to."""
    unpacker = msgpack.Unpacker(raw=False, max_buffer_size=len(data))
    unpacker.feed(data)
    for step in path:
        if isinstance(step, str):
            for _ in range(unpacker.read_map_header()):
                if unpacker.unpack() == step:
                    break
                unpacker.skip()
        else:
            unpacker.read_array_header()
            for _ in range(step):
                unpacker.skip()
    return HEADER_AT + unpacker.tell()


# ---- schema: a checker is a function of a value and its path

def free(value, path):
    """Any tree: check_values has looked at it."""


def string(least=0):
    def check(value, path):
        if type(value) is not str or len(value) < least:
            raise Fault('S3', 'needs a string' + (' that is not empty' if least else ''), path)
    return check


def integer(low, high):
    def check(value, path):
        if type(value) is not int or not low <= value <= high:
            raise Fault('S3', f'needs an integer from {low} to {high}', path)
    return check


def uint(low=0, high=2**64 - 1):
    return integer(low, high)


def floating(value, path):
    if type(value) is not float:
        raise Fault('S3', 'needs a float', path)


def tolerance(value, path):
    floating(value, path)
    if not math.isfinite(value) or math.copysign(1, value) < 0:
        raise Fault('S3', 'needs a finite float whose sign bit is clear', path)


def array(item, least=0, most=None):
    def check(value, path):
        if type(value) is not list or len(value) < least or (most and len(value) > most):
            raise Fault('S3', f'needs an array of {least} or more entries, at most {most}', path)
        for i, entry in enumerate(value):
            item(entry, path + (i,))
    return check


def map_of(item, least=0, empty_keys=True):
    def check(value, path):
        if type(value) is not dict or len(value) < least:
            raise Fault('S3', f'needs a map of {least} or more entries', path)
        for key, entry in value.items():
            if not key and not empty_keys:
                raise Fault('S3', 'needs a key that is not empty', path)
            item(entry, path + (key,))
    return check


def record(required, optional, extensible=False):
    known = {**required, **optional}

    def check(value, path):
        if type(value) is not dict:
            raise Fault('S3', 'needs a map', path)
        for key in required:
            if key not in value:
                raise Fault('S1', f'needs the key {key!r}', path)
        for key, entry in value.items():
            if key in known:
                known[key](entry, path + (key,))
            elif not (extensible and key.startswith('x-')):
                raise Fault('S2', f'does not know the key {key!r}', path + (key,))
    return check


def one_of(forms):
    """A map of one entry, whose key says how its value is checked."""
    def check(value, path):
        if type(value) is not dict or len(value) != 1:
            raise Fault('S3', 'needs a map of one entry', path)
        record({}, forms)(value, path)
    return check


def dtype(allowed):
    def check(value, path):
        if type(value) is not str or value not in allowed:
            raise Fault('T1', 'needs the name of a dtype', path)
    return check


def codec(value, path):
    if value not in ('raw', 'zstd'):
        raise Fault('T1', 'needs a codec', path)


def block_kind(value, path):
    allowed = set('abcdefghijklmnopqrstuvwxyz0123456789_')
    if type(value) is not str or not 1 <= len(value) <= 32 or not set(value) <= allowed:
        raise Fault('S3', 'needs 1 to 32 of a-z, 0-9, _', path)


def dimension(value, path):
    if value is not None:
        (string(1) if type(value) is str else uint(0, 2**63 - 1))(value, path)


def a_type(value, path):
    TYPE(value, path)


def attribute(value, path):
    if type(value) is int:
        INT(value, path)
    elif type(value) not in (float, str):
        ATTRIBUTE_MAP(value, path)


INT = integer(-2**63, 2**63 - 1)
NAMES = array(string())
TYPE = one_of({
    'tensor': record({'dtype': dtype(DTYPE_BITS)}, {'shape': array(dimension, most=8)}),
    'sequence': a_type,
    'optional': a_type,
    'map': record({'key': dtype(KEY_DTYPES), 'value': a_type}, {}),
})
ATTRIBUTE_MAP = one_of({
    'ints': array(INT), 'floats': array(floating), 'strings': NAMES,
    'tensor': string(), 'tensors': NAMES, 'graph': uint(), 'graphs': array(uint()),
    'dtype': dtype(DTYPE_BITS), 'type': a_type,
})
PORT = record({'name': string(1)}, {'type': a_type})
NODE = record({'in': NAMES, 'op': string(1), 'out': NAMES},
              {'attr': map_of(attribute, 1, empty_keys=False), 'domain': string(1),
               'name': string(1)})
GRAPH = record({'inputs': array(PORT), 'nodes': array(NODE), 'outputs': array(PORT)},
               {'name': string(1)})
BLOCK = record({'bytes': uint(1, 65536), 'elements': uint(1, 65536), 'kind': block_kind}, {})
TENSOR = record({'codec': codec, 'dtype': dtype(DTYPE_BITS), 'name': string(1), 'nbytes': uint(),
                 'offset': uint(), 'shape': array(uint(), most=8)}, {'block': BLOCK})
SELFTEST = record({'atol': tolerance, 'inputs': NAMES, 'outputs': NAMES, 'rtol': tolerance}, {})
METADATA = record({}, {'hyperparameters': map_of(free), 'libraries': map_of(string()),
                       'metrics': map_of(free), 'source': map_of(free),
                       'tags': array(string()), 'training': map_of(free)}, extensible=True)
TOP = record({'kind': string(), 'tensors': array(TENSOR)},
             {'created': string(), 'graphs': array(GRAPH, 1), 'metadata': METADATA,
              'name': string(), 'opset': map_of(uint(1, 2**32 - 1)), 'producer': string(),
              'selftest': array(SELFTEST, 1), 'version': string()}, extensible=True)


# ---- tensors

def element_count(shape, path=()):
    """The product of the shape; T2 bounds it also where a dimension is 0."""
    product = math.prod(size for size in shape if size)
    if product >= 2**63:
        raise Fault('T2', 'needs a shape of fewer elements', path)
    return 0 if 0 in shape else product


def check_nbytes(tensor, path, plain=None):
    """T3 and T4; of a compressed tensor its length is known when its payload is: `plain`."""
    count = element_count(tensor['shape'], path + ('shape',))
    kind, nbytes = tensor['dtype'], tensor['nbytes'] if plain is None else plain
    if (kind == 'block') != ('block' in tensor):
        raise Fault('T3', 'needs block exactly if dtype is block', path)
    if kind == 'block':
        block, shape = tensor['block'], tensor['shape']
        if not shape or shape[-1] % block['elements']:
            raise Fault('T3', 'needs a last dimension of whole blocks', path + ('shape',))
        right = nbytes == count // block['elements'] * block['bytes']
    elif kind == 'str':
        right = nbytes >= 8 * (count + 1)
    else:
        right = nbytes == (count * DTYPE_BITS[kind] + 7) // 8
    if tensor['codec'] == 'zstd' and plain is None:
        return
    if not right:
        raise Fault('T4', 'needs another number of bytes', path + ('nbytes',))


def check_plain(tensor, plain, at):
    """T4 for a compressed tensor."""
    try:
        check_nbytes(tensor, (), plain)
    except Fault as fault:
        raise WlkError(fault.check, fault.text, at) from None


def check_tensors(tensors):
    """T2 to T5; returns the end of the last tensor."""
    end = 0
    for i, tensor in enumerate(tensors):
        path = ('tensors', i)
        check_nbytes(tensor, path)
        end = -(-end // 64) * 64
        if tensor['offset'] != end:
            raise Fault('T5', f'needs offset {end}', path + ('offset',))
        end += tensor['nbytes']
        if end >= 2**64:
            raise Fault('T5', 'ends past 2^64', path + ('nbytes',))
    return end


# ---- graphs

class Names:
    """All names of tensors and values, and where each value is defined."""

    def __init__(self, tensors):
        self.tensors = set()
        self.values = {}  # name: (graph, position); an input has position -1
        for i, tensor in enumerate(tensors):
            if tensor['name'] in self.tensors:
                raise Fault('T6', 'names a tensor twice', ('tensors', i, 'name'))
            self.tensors.add(tensor['name'])

    def define(self, name, place, path):
        if name in self.values or name in self.tensors:
            raise Fault('G1', f'defines {name!r} a second time', path)
        self.values[name] = place

    def define_graph(self, g, graph):
        for i, port in enumerate(graph['inputs']):
            self.define(port['name'], (g, -1), ('graphs', g, 'inputs', i, 'name'))
        for n, node in enumerate(graph['nodes']):
            for i, name in enumerate(node['out']):
                if name:
                    self.define(name, (g, n), ('graphs', g, 'nodes', n, 'out', i))

    def visible(self, name, g, position, holders):
        """Is `name` visible before node `position` of graph g?"""
        if name in self.tensors:
            return True
        home, defined = self.values.get(name, (None, None))
        while home is not None:
            if home == g:
                return defined < position
            if g == 0:
                return False
            g, position = holders[g]
        return False


def subgraphs_of(node):
    """(path below the node, index) of each subgraph that its attributes refer to."""
    for name, value in node.get('attr', {}).items():
        if type(value) is dict and 'graph' in value:
            yield ('attr', name, 'graph'), value['graph']
        if type(value) is dict and 'graphs' in value:
            for i, index in enumerate(value['graphs']):
                yield ('attr', name, 'graphs', i), index


def find_holders(graphs):
    """G5; returns for each subgraph the (graph, node) that refers to it."""
    holders = {}
    for g, graph in enumerate(graphs):
        for n, node in enumerate(graph['nodes']):
            for below, index in subgraphs_of(node):
                if not g < index < len(graphs) or index in holders:
                    raise Fault('G5', 'refers to a wrong subgraph',
                                ('graphs', g, 'nodes', n) + below)
                holders[index] = (g, n)
    for index in range(1, len(graphs)):
        if index not in holders:
            raise Fault('G5', 'is a subgraph that nothing refers to', ('graphs', index))
    return holders


def check_types(g, graph):
    own = {name for node in graph['nodes'] for name in node['out']}
    for i, port in enumerate(graph['inputs']):
        if g == 0 and 'type' not in port:
            raise Fault('G3', 'needs a type', ('graphs', g, 'inputs', i))
    for i, port in enumerate(graph['outputs']):
        if 'type' in port:
            if port['name'] not in own:
                raise Fault('G3', 'has a type already', ('graphs', g, 'outputs', i, 'type'))
            own.remove(port['name'])


def check_attribute_tensors(node, names, path):
    for key, value in node.get('attr', {}).items():
        if type(value) is not dict:
            continue
        for form in ('tensor', 'tensors'):
            listed = value.get(form, [])
            for name in [listed] if type(listed) is str else listed:
                if name not in names.tensors:
                    raise Fault('G6', f'names no tensor: {name!r}', path + ('attr', key, form))


def check_nodes(g, graph, names, holders, opset):
    for n, node in enumerate(graph['nodes']):
        path = ('graphs', g, 'nodes', n)
        if node.get('domain', '') not in opset:
            raise Fault('G4', 'is of a domain that opset does not list', path)
        for i, name in enumerate(node['in']):
            if name and not names.visible(name, g, n, holders):
                raise Fault('G2', f'{name!r} is not visible here', path + ('in', i))
        check_attribute_tensors(node, names, path)
    for i, port in enumerate(graph['outputs']):
        if not names.visible(port['name'], g, len(graph['nodes']), holders):
            raise Fault('G2', f'{port["name"]!r} is not visible at the end',
                        ('graphs', g, 'outputs', i, 'name'))


def fits(tensor, declared):
    """Does a tensor fit the declared type of an input?"""
    wanted = declared.get('tensor')
    if wanted is None or wanted['dtype'] != tensor['dtype']:
        return False
    shape = wanted.get('shape')
    return shape is None or (len(shape) == len(tensor['shape']) and all(
        type(want) is not int or want == got for want, got in zip(shape, tensor['shape'])))


def check_golden_inputs(header, rows, path):
    tensors = {tensor['name']: tensor for tensor in header['tensors']}
    for i, (name, port) in enumerate(zip(rows['inputs'], header['graphs'][0]['inputs'])):
        if not fits(tensors[name], port['type']):
            raise Fault('G8', f'{name!r} does not fit the input {port["name"]!r}',
                        path + ('inputs', i))


def check_selftests(header, names):
    for i, rows in enumerate(header.get('selftest', [])):
        for side in ('inputs', 'outputs'):
            path = ('selftest', i, side)
            if len(rows[side]) != len(header['graphs'][0][side]):
                raise Fault('G7', 'needs as many tensors as the main graph has ' + side, path)
            for j, name in enumerate(rows[side]):
                if name not in names.tensors:
                    raise Fault('G6', f'names no tensor: {name!r}', path + (j,))
        check_golden_inputs(header, rows, ('selftest', i))


def check_graphs(header):
    names = Names(header['tensors'])
    graphs = header.get('graphs', [])
    holders = find_holders(graphs)
    for g, graph in enumerate(graphs):
        names.define_graph(g, graph)
    for g, graph in enumerate(graphs):
        check_types(g, graph)
        check_nodes(g, graph, names, holders, header['opset'])
    check_selftests(header, names)


# ---- the whole header

def check(header):
    """All checks from H2 to G8 on a decoded header; returns the end of the last tensor."""
    check_values(header)
    TOP(header, ())
    if 'graphs' in header and 'opset' not in header:
        raise Fault('S4', 'has graphs and needs opset', ())
    if 'selftest' in header and 'graphs' not in header:
        raise Fault('S4', 'has golden rows and needs graphs', ())
    end = check_tensors(header['tensors'])
    check_graphs(header)
    return end


def decode(data):
    """The checked header in `data`, and the end of the last tensor. Raises WlkError."""
    header = unpack(data)
    try:
        if type(header) is not dict:
            raise Fault('H1', 'is not a map', ())
        check_values(header)
        again = encode(header)
        if again != data:
            same = next((i for i, (a, b) in enumerate(zip(again, data)) if a != b), 0)
            raise WlkError('H2', 'not in canonical form', HEADER_AT + same)
        return header, check(header)
    except Fault as fault:
        place = '/' + '/'.join(map(str, fault.path))
        raise WlkError(fault.check, f'{place} {fault.text}', locate(data, fault.path)) from None
