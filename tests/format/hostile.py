"""Hostile files: each breaks one rule of docs/format.md, is otherwise whole, and is
properly signed. HOSTILE is a list of (name, check of section 5, verdict, file)."""
import struct

import msgpack
import numpy as np

import samples
import wlk
import wlk_header

TRUST, REFUSED, UNSUPPORTED = 7, 1, 3
KEY = samples.EXAMPLE_KEY


def signed_header(header, data=None):
    """A file with this header, encoded canonically, and the data of the small model."""
    encoded = header if isinstance(header, bytes) else wlk_header.encode(header)
    return wlk.assemble(encoded, small_data() if data is None else data, KEY)


def small_header():
    model = samples.classifier()
    entries, _ = wlk.lay_out(model.tensors)
    return {**model.header, 'tensors': entries}


def small_data():
    return wlk.lay_out(samples.classifier().tensors)[1]


def small_file():
    return wlk.write(samples.classifier(), KEY)


def rich_with(change):
    """The rich model's file, its header changed."""
    model = samples.rich()
    entries, data = wlk.lay_out(model.tensors)
    header = {**model.header, 'tensors': entries}
    change(header)
    return signed_header(header, data)


def with_header(change):
    header = small_header()
    change(header)
    return signed_header(header)


def with_raw_header(old, new):
    """The small header with some encoded bytes replaced."""
    encoded = wlk_header.encode(small_header())
    assert encoded.count(old) >= 1, old
    return signed_header(encoded.replace(old, new, 1))


def with_envelope(at, new, resign=True):
    file = bytearray(small_file())
    file[at:at + len(new)] = new
    return wlk.seal(file, KEY) if resign else bytes(file)


def with_data(at, new, model=None):
    """A model's file whose data is changed before it is digested and signed."""
    model = model or samples.rich()
    entries, data = wlk.lay_out(model.tensors)
    entry = next((e for e in entries if e['name'] == at[0]), None)
    place = entry['offset'] + at[1]
    data = data[:place] + new + data[place + len(new):]
    return signed_header({**model.header, 'tensors': entries}, data)


def set_in(path, value):
    """A change that puts `value` at a path of keys and indices."""
    def change(header):
        for step in path[:-1]:
            header = header[step]
        header[path[-1]] = value
    return change


def remove(path):
    def change(header):
        for step in path[:-1]:
            header = header[step]
        del header[path[-1]]
    return change


def nested(levels):
    tree = 1
    for _ in range(levels):
        tree = [tree]
    return tree


def deep_bytes(levels):
    """A header that is nothing but nested arrays behind one key."""
    return signed_header(b'\x81\xa3x-a' + b'\x91' * levels + b'\x01')


def duplicate_key():
    encoded = wlk_header.encode(small_header())
    assert encoded[0] == 0x86
    return signed_header(b'\x87' + msgpack.packb('created') + msgpack.packb('a') +
                         msgpack.packb('created') + msgpack.packb('b') + encoded[1:])


def unsorted_keys():
    header = small_header()
    backwards = dict(sorted(header.items(), reverse=True))
    return signed_header(msgpack.packb(backwards))


def swapped_graphs(header):
    graphs = header['graphs']
    graphs[1], graphs[2] = graphs[2], graphs[1]


MAIN = ('graphs', 0)
NODE = MAIN + ('nodes', 0)
T0 = ('tensors', 0)

ENVELOPE = [
    ('truncated envelope', 'E1', small_file()[:255]),
    ('truncated data', 'E7', small_file()[:-1]),
    ('trailing byte', 'E7', small_file() + b'\0'),
    ('wrapper', 'E2', with_envelope(0, b'\xc5')),
    ('magic', 'E2', with_envelope(4, b'k')),
    ('version 2', 'E3', with_envelope(10, b'\x02')),
    ('chunk too small', 'E4', with_envelope(12, b'\x0f')),
    ('chunk too large', 'E4', with_envelope(12, b'\x19')),
    ('codecs 2', 'E5', with_envelope(13, b'\x02')),
    ('reserved byte 255', 'E5', with_envelope(255, b'\x01')),
    ('signature without key', 'E6', with_envelope(110, bytes(8) + b'\x01', resign=False)),
    ('no header', 'E7', with_envelope(14, bytes(8))),
    ('header length that wraps', 'E7', with_envelope(14, b'\xff' * 8)),
    ('table length', 'E7', with_envelope(22, struct.pack('<Q', 64))),
    ('table end that wraps', 'E7', with_envelope(14, struct.pack('<Q', 2**64 - 256 - 32))),
    ('data offset not aligned', 'E7', with_envelope(30, struct.pack('<Q', 4097))),
    ('data offset in the header', 'E7', with_envelope(30, bytes(8))),
    ('data length that wraps', 'E7', with_envelope(38, b'\xff' * 8)),
    ('too much slack', 'E8', wlk.assemble(wlk_header.encode(small_header()), small_data(), KEY,
                                          slack=65536 + 4096)),
    ('signature altered', 'D0', with_envelope(118, b'\0\1', resign=False)),
    ('signed length altered', 'D0', with_envelope(46, bytes(32), resign=False)),
    ('header digest', 'D1', with_envelope(46, bytes(32))),
    ('table digest', 'D2', with_envelope(78, bytes(32))),
    ('header byte', 'D1', with_envelope(260, b'\xff', resign=False)),
    ('slack byte', 'D3', with_envelope(4095, b'\1', resign=False)),
    ('data byte', 'D4', with_envelope(4096, b'\1', resign=False)),
]

HEADER = [
    ('not a map', 'H1', signed_header(b'\x90')),
    ('two objects', 'H1', signed_header(wlk_header.encode(small_header()) + b'\xc0')),
    ('cut in the middle', 'H1', signed_header(wlk_header.encode(small_header())[:-1])),
    ('array of 2^32-1', 'H1', signed_header(b'\x81\xa3x-a\xdd\xff\xff\xff\xff')),
    ('map of 2^32-1', 'H1', signed_header(b'\xdf\xff\xff\xff\xff')),
    ('string of 2^32-1', 'H1', signed_header(b'\x81\xa3x-a\xdb\xff\xff\xff\xff')),
    ('integer not shortest', 'H2', with_raw_header(b'\xa6transB\x01', b'\xa6transB\xcc\x01')),
    ('positive as signed', 'H2', with_raw_header(b'\xa6transB\x01', b'\xa6transB\xd0\x01')),
    ('string not shortest', 'H2', with_raw_header(b'\xa5small', b'\xd9\x05small')),
    ('array not shortest', 'H2', with_raw_header(b'\xa5shape\x92', b'\xa5shape\xdc\0\x02')),
    ('map not shortest', 'H2', signed_header(b'\xde\0\x06' +
                                             wlk_header.encode(small_header())[1:])),
    ('float 32', 'H2', with_raw_header(b'\xa4rtol\xcb' + struct.pack('>d', 1e-9),
                                       b'\xa4rtol\xca' + struct.pack('>f', 1e-9))),
    ('bin', 'H2', with_raw_header(b'\xa5small', b'\xc4\x05small')),
    ('ext', 'H2', with_raw_header(b'\xa5small', b'\xd6\x05smal')),
    ('byte c1', 'H1', with_raw_header(b'\xa6transB\x01', b'\xa6transB\xc1')),
    ('duplicate key', 'H3', duplicate_key()),
    ('keys not sorted', 'H3', unsorted_keys()),
    ('integer as key', 'H1', signed_header(b'\x81\xa3x-a\x81\x01\x01')),
    ('string not UTF-8', 'H4', with_raw_header(b'\xa5small', b'\xa5sm\xc0\xaf.')),
    ('surrogate', 'H4', with_raw_header(b'\xa5small', b'\xa5sm\xed\xa0\x80')),
    ('string with NUL', 'H4', with_raw_header(b'\xa5small', b'\xa5sma\0l')),
    ('key with NUL', 'H4', with_header(set_in(('x-\0',), 1))),
    ('17 levels', 'H5', with_header(set_in(('x-deep',), nested(16)))),
    ('400 levels', 'H5', deep_bytes(400)),
    ('100000 levels', 'H1', deep_bytes(100000)),
]

SCHEMA = [
    ('no kind', 'S1', with_header(remove(('kind',)))),
    ('no tensors', 'S1', with_header(remove(('tensors',)))),
    ('node without in', 'S1', with_header(remove(NODE + ('in',)))),
    ('unknown key', 'S2', with_header(set_in(('Name',), 'a'))),
    ('unknown key of metadata', 'S2', with_header(set_in(('metadata',), {'author': 'a'}))),
    ('unknown key of a tensor', 'S2', with_header(set_in(T0 + ('x-a',), 1))),
    ('unknown key of a node', 'S2', with_header(set_in(NODE + ('x-a',), 1))),
    ('unknown attribute form', 'S2', with_header(set_in(NODE + ('attr',), {'a': {'code': 'x'}}))),
    ('kind is a number', 'S3', with_header(set_in(('kind',), 1))),
    ('tensors is a map', 'S3', with_header(set_in(('tensors',), {}))),
    ('tags of numbers', 'S3', with_header(set_in(('metadata',), {'tags': [1]}))),
    ('libraries of numbers', 'S3', with_header(set_in(('metadata',), {'libraries': {'a': 1}}))),
    ('empty graphs', 'S3', with_header(set_in(('graphs',), []))),
    ('empty selftest', 'S3', with_header(set_in(('selftest',), []))),
    ('empty attr', 'S3', with_header(set_in(NODE + ('attr',), {}))),
    ('empty domain', 'S3', with_header(set_in(NODE + ('domain',), ''))),
    ('empty node name', 'S3', with_header(set_in(NODE + ('name',), ''))),
    ('empty op', 'S3', with_header(set_in(NODE + ('op',), ''))),
    ('empty tensor name', 'S3', with_header(set_in(T0 + ('name',), ''))),
    ('empty symbol', 'S3', with_header(set_in(MAIN + ('inputs', 0, 'type', 'tensor', 'shape'),
                                              ['', 2]))),
    ('attribute nil', 'S3', with_header(set_in(NODE + ('attr',), {'a': None}))),
    ('attribute true', 'S3', with_header(set_in(NODE + ('attr',), {'a': True}))),
    ('attribute of two forms', 'S3', with_header(set_in(NODE + ('attr',),
                                                        {'a': {'ints': [], 'floats': []}}))),
    ('attribute above i64', 'S3', with_header(set_in(NODE + ('attr',), {'a': 2**63}))),
    ('ints with a float', 'S3', with_header(set_in(NODE + ('attr',), {'a': {'ints': [1.0]}}))),
    ('floats with an int', 'S3', with_header(set_in(NODE + ('attr',), {'a': {'floats': [1]}}))),
    ('rtol is an integer', 'S3', with_header(set_in(('selftest', 0, 'rtol'), 1))),
    ('rtol is NaN', 'S3', with_header(set_in(('selftest', 0, 'rtol'), float('nan')))),
    ('atol is infinite', 'S3', with_header(set_in(('selftest', 0, 'atol'), float('inf')))),
    ('atol is -0.0', 'S3', with_header(set_in(('selftest', 0, 'atol'), -0.0))),
    ('atol is negative', 'S3', with_header(set_in(('selftest', 0, 'atol'), -1.0))),
    ('opset version 0', 'S3', with_header(set_in(('opset', ''), 0))),
    ('map with float keys', 'T1', with_header(set_in(
        MAIN + ('inputs', 0, 'type'),
        {'map': {'key': 'f32', 'value': samples.tensor_type('f32')}}))),
    ('type of two kinds', 'S3', with_header(set_in(
        MAIN + ('inputs', 0, 'type'),
        {'sequence': samples.tensor_type('f32'), 'tensor': {'dtype': 'f32'}}))),
    ('block kind', 'S3', rich_with(lambda h: h['tensors'][26]['block'].update(kind='Q4'))),
    ('block of 65537 bytes', 'S3', rich_with(lambda h: h['tensors'][26]['block'].update(
        bytes=65537))),
    ('no opset', 'S4', with_header(remove(('opset',)))),
    ('selftest without graphs', 'S4', with_header(remove(('graphs',)))),
]

TENSORS = [
    ('unknown dtype', 'T1', with_header(set_in(T0 + ('dtype',), 'float64'))),
    ('dtype none', 'T1', with_header(set_in(T0 + ('dtype',), 'none'))),
    ('unknown codec', 'T1', with_header(set_in(T0 + ('codec',), 'gzip'))),
    ('rank 9', 'S3', with_header(set_in(T0 + ('shape',), [1, 1, 1, 1, 1, 1, 1, 2, 2]))),
    ('shape that wraps', 'T2', with_header(set_in(T0 + ('shape',), [2**32, 2**32, 4]))),
    ('empty shape that wraps', 'T2', with_header(set_in(T0 + ('shape',), [2**62, 4, 0]))),
    ('negative dimension', 'S3', with_header(set_in(T0 + ('shape',), [-2, -2]))),
    ('block on f64', 'T3', with_header(set_in(T0 + ('block',),
                                              {'bytes': 8, 'elements': 1, 'kind': 'a'}))),
    ('no block', 'T3', rich_with(remove(('tensors', 26, 'block')))),
    ('no whole blocks', 'T3', rich_with(set_in(('tensors', 26, 'shape'), [64, 3]))),
    ('scalar block', 'T3', rich_with(set_in(('tensors', 26, 'shape'), []))),
    ('nbytes too small', 'T4', with_header(set_in(T0 + ('nbytes',), 24))),
    ('bytes that wrap', 'T4', with_header(set_in(T0 + ('shape',), [2**61 + 4]))),
    ('str without offsets', 'T4', rich_with(set_in(('tensors', 25, 'nbytes'), 8))),
    ('overlapping tensors', 'T5', with_header(set_in(('tensors', 1, 'offset'), 0))),
    ('misaligned tensor', 'T5', with_header(set_in(('tensors', 1, 'offset'), 32))),
    ('a gap', 'T5', with_header(set_in(('tensors', 1, 'offset'), 128))),
    ('offset past the end', 'T5', with_header(set_in(('tensors', 3, 'offset'), 2**64 - 64))),
    ('data behind the last tensor', 'T5', signed_header(small_header(), small_data() + bytes(64))),
    ('data cut', 'T5', signed_header(small_header(), small_data()[:-8])),
    ('two tensors of a name', 'T6', with_header(set_in(('tensors', 1, 'name'), 'coef'))),
]

GRAPHS = [
    ('value defined twice', 'G1', with_header(set_in(MAIN + ('nodes', 1, 'out'), ['scores']))),
    ('value named like a tensor', 'G1', with_header(set_in(NODE + ('out',), ['coef']))),
    ('input named like a value of a subgraph', 'G1',
     rich_with(set_in(MAIN + ('inputs', 0, 'name'), 'else_y'))),
    ('unknown input', 'G2', with_header(set_in(NODE + ('in', 0), 'Y'))),
    ('input of itself', 'G2', with_header(set_in(NODE + ('in', 0), 'scores'))),
    ('not in topological order', 'G2', with_header(lambda h: h['graphs'][0]['nodes'].reverse())),
    ('unknown output', 'G2', with_header(set_in(MAIN + ('outputs',), [{'name': 'q'}]))),
    ('a value out of a subgraph', 'G2', rich_with(set_in(MAIN + ('nodes', 1, 'in'), ['else_y']))),
    ('a value of a sibling', 'G2', rich_with(set_in(('graphs', 3, 'nodes', 0, 'in', 0),
                                                    'else_y'))),
    ('the holder\'s own output', 'G2', rich_with(set_in(('graphs', 3, 'nodes', 0, 'in', 0),
                                                        'chosen'))),
    ('main input without type', 'G3', with_header(remove(MAIN + ('inputs', 0, 'type')))),
    ('type for an input as output', 'G3', rich_with(set_in(MAIN + ('outputs', 2, 'type'),
                                                           samples.tensor_type('f64')))),
    ('type for a tensor as output', 'G3', rich_with(set_in(MAIN + ('outputs', 3, 'type'),
                                                           samples.tensor_type('str')))),
    ('type given twice', 'G3', rich_with(set_in(MAIN + ('outputs', 4, 'type'),
                                                samples.NESTED_TYPE))),
    ('domain not in opset', 'G4', with_header(set_in(('opset',), {'ai.onnx.ml': 3}))),
    ('subgraph that is its own', 'G5', rich_with(set_in(
        ('graphs', 1, 'nodes', 1, 'attr', 'body', 'graph'), 1))),
    ('subgraph is the main graph', 'G5', rich_with(set_in(
        ('graphs', 1, 'nodes', 1, 'attr', 'body', 'graph'), 0))),
    ('subgraph below its holder', 'G5', rich_with(swapped_graphs)),
    ('subgraph used twice', 'G5', rich_with(set_in(
        MAIN + ('nodes', 2, 'attr', 'bodies', 'graphs'), [4, 5, 4]))),
    ('subgraph never used', 'G5', rich_with(set_in(
        MAIN + ('nodes', 2, 'attr', 'bodies', 'graphs'), [4]))),
    ('no such subgraph', 'G5', rich_with(set_in(
        MAIN + ('nodes', 2, 'attr', 'bodies', 'graphs'), [4, 5, 6]))),
    ('attribute of no tensor', 'G6', with_header(set_in(NODE + ('attr',),
                                                        {'a': {'tensor': 'X'}}))),
    ('golden rows of no tensor', 'G6', with_header(set_in(('selftest', 0, 'inputs'), ['X']))),
    ('golden rows too few', 'G7', with_header(set_in(('selftest', 0, 'outputs'), []))),
    ('golden input of another dtype', 'G8', with_header(set_in(
        MAIN + ('inputs', 0, 'type', 'tensor', 'dtype'), 'f32'))),
    ('golden input of another rank', 'G8', with_header(set_in(('selftest', 0, 'inputs'),
                                                              ['intercept']))),
    ('golden input of another width', 'G8', with_header(set_in(
        MAIN + ('inputs', 0, 'type', 'tensor', 'shape'), ['batch', 3]))),
    ('golden input for a sequence', 'G8', with_header(set_in(
        MAIN + ('inputs', 0, 'type'), {'sequence': samples.tensor_type('f64', None, 2)}))),
]

PAYLOADS = [
    ('bytes between tensors', 'P1', with_data(('coef', 32), b'\1', samples.classifier())),
    ('boolean 2', 'P2', with_data(('t_bool', 3), b'\2')),
    ('bits behind the last element', 'P3', with_data(('t_u4', 0), b'\x1f')),
    ('6-bit padding', 'P3', with_data(('t_f6e3m2', 3), b'\xff')),
    ('first string offset', 'P4', with_data(('t_str', 0), b'\1')),
    ('string offsets descend', 'P4', with_data(('t_str', 8), struct.pack('<Q', 7))),
    ('string offset past the end', 'P4', with_data(('t_str', 16), b'\xff' * 8)),
    ('text behind the strings', 'P4', with_data(('t_str', 32), struct.pack('<Q', 17))),
    ('string cut in a character', 'P4', with_data(('t_str', 24), struct.pack('<Q', 9))),
    ('string payload not UTF-8', 'P4', with_data(('t_str', 40), b'\xff')),
]



def packed_model():
    """A model with a payload of two blocks, and what its parts are."""
    tensors = [wlk.Tensor('w', 'u16', [600000], np.arange(600000, dtype='u2') // 7)]
    entries, data = wlk.lay_out(tensors, compress=True)
    return {'kind': 'weights'}, entries, data


def with_packed(change, codecs=1):
    """change(payload) gives another payload of that tensor."""
    header, entries, data = packed_model()
    data = bytes(change(bytearray(data)))
    entries[0]['nbytes'] = len(data)
    return wlk.assemble(wlk_header.encode({**header, 'tensors': entries}), data,
                        samples.EXAMPLE_KEY, codecs=codecs)


def put_at(at, content):
    def change(data):
        data[at:at + len(content)] = content
        return data
    return change


def with_first_frame(frame_of):
    """The first frame is what frame_of(frame) gives."""
    def change(data):
        length = int.from_bytes(data[8:12], 'little')
        frame = frame_of(bytes(data[16:16 + length]))
        return data[:8] + struct.pack('<I', len(frame)) + data[12:16] + frame + data[16 + length:]
    return change


def flagged(bits):
    return with_first_frame(lambda frame: frame[:4] + bytes([frame[4] | bits]) + frame[5:])


def of_another_size(size):
    return with_first_frame(lambda frame: frame[:5] + struct.pack('<I', size) + frame[9:])


PACKED = [
    ('the envelope says raw', 'T7', with_packed(bytes, codecs=0)),
    ('the envelope says compressed', 'T7', with_envelope(13, b'\x01')),
    ('no room for the length', 'P5', with_packed(lambda data: data[:7])),
    ('no room for the lengths of frames', 'P5', with_packed(lambda data: data[:15])),
    ('a plain length of nothing', 'P5', with_packed(put_at(0, struct.pack('<Q', 0)))),
    ('a plain length of 512', 'P5', with_packed(put_at(0, struct.pack('<Q', 512)))),
    ('a plain length of 2^64 - 1', 'P5', with_packed(put_at(0, b'\xff' * 8))),
    ('not shorter than plain', 'P5', with_packed(lambda data: data + bytes(1200000))),
    ('one element less', 'T4', with_packed(put_at(0, struct.pack('<Q', 1199998)))),
    ('one byte more', 'T4', with_packed(put_at(0, struct.pack('<Q', 1200001)))),
    ('a frame is longer', 'P5', with_packed(lambda data: put_at(8, struct.pack(
        '<I', int.from_bytes(data[8:12], 'little') + 1))(data))),
    ('a frame of 4 GiB', 'P5', with_packed(put_at(12, b'\xff' * 4))),
    ('bytes behind the frames', 'P5', with_packed(lambda data: data + b'\0')),
    ('an empty frame', 'P5', with_packed(with_first_frame(lambda frame: b''))),
    ('no frame', 'P5', with_packed(with_first_frame(lambda frame: b'\0' * len(frame)))),
    ('a frame and a byte', 'P5', with_packed(with_first_frame(lambda frame: frame + b'\0'))),
    ('two frames in one', 'P5', with_packed(with_first_frame(lambda frame: frame + frame))),
    ('a frame that is cut', 'P5', with_packed(with_first_frame(lambda frame: frame[:-1]))),
    ('a skippable frame', 'P5', with_packed(with_first_frame(
        lambda frame: b'\x50\x2a\x4d\x18\4\0\0\0abcd'))),
    ('a frame with a checksum', 'P5', with_packed(flagged(4))),
    ('a frame with a reserved bit', 'P5', with_packed(flagged(8))),
    ('a frame with a dictionary', 'P5', with_packed(flagged(1))),
    ('a frame of a smaller block', 'P5', with_packed(of_another_size(1048575))),
    ('a frame of a larger block', 'P5', with_packed(of_another_size(1048577))),
    ('a frame of 4 GiB plain', 'P5', with_packed(of_another_size(2**32 - 1))),
    ('a frame of another block', 'P5', with_packed(with_first_frame(
        lambda frame: wlk.frame_of(bytes(1048575))))),
    ('a block that is damaged', 'P5', with_packed(with_first_frame(
        lambda frame: frame[:9] + b'\xff\xff\xff' + frame[12:]))),
]

HOSTILE = ([(name, check, TRUST, file) for name, check, file in ENVELOPE] +
           [(name, check, REFUSED, file)
            for name, check, file in HEADER + SCHEMA + TENSORS + GRAPHS + PAYLOADS + PACKED] +
           [('codec zstd', 'T7', REFUSED, with_header(set_in(T0 + ('codec',), 'zstd')))])
