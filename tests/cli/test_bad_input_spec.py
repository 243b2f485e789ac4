"""Bad specifications, and the files that they name: each row says verdict, rule and
offset, and that nothing is left behind."""
import json
import os
import socket

import numpy as np

from bad_input import BadInputTest, main, npy

SPEC = {'kind': 'model', 'tensors': [{'name': 'w', 'dtype': 'f32', 'values': [1, 2]}]}


def with_tensor(**keys):
    """A specification of one tensor."""
    return json.dumps({'kind': 'm', 'tensors': [{'name': 'w', **keys}]}).encode()


def with_values(dtype, values, **keys):
    return with_tensor(dtype=dtype, values=values, **keys)


def with_metadata(**metadata):
    return json.dumps({'kind': 'm', 'metadata': metadata}).encode()


def with_graph(nodes=(), outputs=({'name': 'y'},), inputs=(), **keys):
    graph = {'inputs': list(inputs), 'nodes': list(nodes), 'outputs': list(outputs)}
    return json.dumps({'kind': 'm', 'opset': {'': 13}, 'graph': graph, **keys}).encode()


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


X = {'name': 'x', 'type': {'tensor': {'dtype': 'f32', 'shape': [2]}}}


def node(op, inputs, outputs, **keys):
    return {'op': op, 'in': list(inputs), 'out': list(outputs), **keys}


JSON_TEXT = (
    ('nothing', b'', 'spec.syntax@0'),
    ('a blank', b' ', 'spec.syntax@1'),
    ('an open object', b'{', 'spec.syntax@1'),
    ('a number', b'1', 'spec.syntax@1'),
    ('a word', b'null', 'spec.syntax@4'),
    ('an array', b'[]', 'spec.type'),
    ('two objects', b'{"kind":"m"}{}', 'spec.syntax@13'),
    ('a byte order mark', b'\xef\xbb\xbf{"kind":"m"}', 'spec.syntax@3'),
    ('UTF-16', '{"kind":"m"}'.encode('utf-16'), 'spec.syntax@0'),
    ('a NUL', b'{"kind":"m"\0}', 'spec.syntax@12'),
    ('a NUL behind it', b'{"kind":"m"}\0', 'spec.syntax@13'),
    ('a NUL in a text', b'{"kind":"m\0"}', 'spec.syntax@10'),
    ('an escaped NUL', b'{"kind":"\\u0000"}', 'spec.syntax@16'),
    ('an escaped NUL in a key', b'{"\\u0000":1}', 'spec.syntax@9'),
    ('a lone high surrogate', b'{"kind":"\\ud800"}', 'spec.syntax@16'),
    ('a lone low surrogate', b'{"kind":"\\udc00"}', 'spec.syntax@16'),
    ('surrogates swapped', b'{"kind":"\\udc00\\ud800"}', 'spec.syntax@22'),
    ('not UTF-8', b'{"kind":"\xff"}', 'spec.syntax@9'),
    ('an overlong slash', b'{"kind":"\xc0\xaf"}', 'spec.syntax@9'),
    ('a surrogate in UTF-8', b'{"kind":"\xed\xa0\x80"}', 'spec.syntax@9'),
    ('a line end in a text', b'{"kind":"a\nb"}', 'spec.syntax@10'),
    ('an escape that is none', b'{"kind":"\\x41"}', 'spec.syntax@11'),
    ('an open text', b'{"kind":"m', 'spec.syntax@10'),
    ('single quotes', b"{'kind':'m'}", 'spec.syntax@2'),
    ('a key without quotes', b'{kind:"m"}', 'spec.syntax@5'),
    ('a comma too many', b'{"kind":"m",}', 'spec.syntax@13'),
    ('a comment', b'{"kind":"m"/* */}', 'spec.syntax@12'),
    ('a key twice', b'{"kind":"m","kind":"n"}', 'spec.syntax@18'),
    ('a key twice, deep down', b'{"x-a":{"b":1,"b":2},"kind":"m"}', 'spec.syntax@17'),
    ('NaN', b'{"kind":"m","x-a":NaN}', 'spec.syntax@21'),
    ('Infinity', b'{"kind":"m","x-a":Infinity}', 'spec.syntax@26'),
    ('1e999', b'{"kind":"m","x-a":1e999}', 'spec.syntax@23'),
    ('2^63', b'{"kind":"m","x-a":9223372036854775808}', 'spec.syntax@37'),
    ('a thousand digits', b'{"kind":"m","x-a":' + b'9' * 1000 + b'}', 'spec.syntax@1018'),
    ('a leading zero', b'{"kind":"m","x-a":01}', 'spec.syntax@19'),
    ('a plus', b'{"kind":"m","x-a":+1}', 'spec.syntax@19'),
    ('a bare point', b'{"kind":"m","x-a":1.}', 'spec.syntax@20'),
    ('3000 levels', b'{"kind":"m","x-a":' + b'[' * 3000 + b']' * 3000 + b'}', 'spec.syntax@2066'),
    ('a million open brackets', b'[' * 1000000, 'spec.syntax@2049'),
)

JSON_SCHEMA = (
    ('no kind', b'{}', 'spec.missing-key'),
    ('a kind of another type', b'{"kind":1}', 'spec.type'),
    ('an unknown key', b'{"kind":"m","colour":1}', 'spec.unknown-key'),
    ('a key of upper case', b'{"Kind":"m"}', 'spec.unknown-key'),
    ('a graph and graphs', b'{"kind":"m","opset":{},"graph":{},"graphs":[]}', 'spec.conflict'),
    ('a graph without opset', b'{"kind":"m","graph":{}}', 'spec.missing-key'),
    ('golden rows without a graph', b'{"kind":"m","selftest":[]}', 'spec.missing-key'),
    ('opset zero', with_graph(opset={'': 0}), 'opset.version'),
    ('opset below zero', with_graph(opset={'': -1}), 'spec.value'),
    ('opset 2^32', with_graph(opset={'': 2**32}), 'spec.value'),
    ('an opset that is text', with_graph(opset={'': '13'}), 'spec.type'),
    ('unknown metadata', with_metadata(colour=1), 'spec.unknown-key'),
    ('tags that are numbers', with_metadata(tags=[1]), 'assemble.metadata-key'),
    ('metadata of 17 levels', with_metadata(training={'a': nested(14)}), 'limit.header-depth'),
    ('a tensor without a name', b'{"kind":"m","tensors":[{}]}', 'spec.missing-key'),
    ('a tensor that is a number', b'{"kind":"m","tensors":[1]}', 'spec.type'),
    ('a tensor without a source', with_tensor(dtype='f32'), 'spec.missing-key'),
    ('two sources', with_tensor(dtype='f32', values=[1], file='w.npy'), 'spec.conflict'),
    ('an unknown key of a tensor', with_values('f32', [1], colour=1), 'spec.unknown-key'),
    ('an empty name', b'{"kind":"m","tensors":[{"name":"","strings":["a"]}]}',
     'assemble.empty-name'),
    ('a name of 1025 bytes', b'{"kind":"m","tensors":[{"name":"' + b'n' * 1025 +
     b'","strings":["a"]}]}', 'limit.name-bytes'),
    ('a name twice', b'{"kind":"m","tensors":[{"name":"w","strings":["a"]},'
                     b'{"name":"w","strings":["a"]}]}', 'assemble.duplicate-name'),
    ('no such dtype', with_values('float32', [1]), 'spec.value'),
    ('a dtype that JSON has not', with_values('f8e5m2', [1]), 'input.dtype'),
    ('a dimension below zero', with_values('f32', [1], shape=[-1]), 'spec.value'),
    ('a dimension that is a fraction', with_values('f32', [1], shape=[1.0]), 'spec.type'),
    ('nine dimensions', with_values('f32', [1], shape=[1] * 9), 'spec.value'),
    ('2^124 elements', with_values('f32', [1], shape=[2**62, 2**62]), 'spec.value'),
    ('too few values', with_values('f32', [1], shape=[2]), 'spec.value'),
    ('too many values', with_values('f32', [1, 2], shape=[1]), 'spec.value'),
    ('128 as i8', with_values('i8', [128]), 'spec.value'),
    ('-1 as u8', with_values('u8', [-1]), 'spec.value'),
    ('a fraction as i32', with_values('i32', [1.5]), 'spec.value'),
    ('NaN as i32', with_values('i32', ['nan']), 'spec.value'),
    ('1e300 as f32', with_values('f32', [1e300]), 'spec.value'),
    ('2 as bool', with_values('bool', [2]), 'spec.value'),
    ('a word as f32', with_values('f32', ['one']), 'spec.value'),
    ('a list as f32', with_values('f32', [[1]]), 'spec.type'),
    ('a number as a string', with_tensor(strings=[1]), 'spec.type'),
    ('a node without op', with_graph([{'in': [], 'out': ['y']}]), 'spec.missing-key'),
    ('a node of another domain', with_graph([node('A', [], ['y'], domain='d')]),
     'assemble.opset'),
    ('an input of no type', with_graph(inputs=[{'name': 'x'}]), 'assemble.untyped'),
    ('an undefined name', with_graph([node('Abs', ['z'], ['y'])]), 'assemble.undefined'),
    ('an undefined output', with_graph(), 'assemble.undefined'),
    ('a value before its node', with_graph([node('Abs', ['z'], ['y']), node('Abs', ['x'], ['z'])],
                                           inputs=[X]), 'assemble.undefined'),
    ('a value made twice', with_graph([node('Abs', ['x'], ['y'])] * 2, inputs=[X]),
     'assemble.duplicate-name'),
    ('a graph that is its own subgraph', with_graph(
        [node('If', ['x'], ['y'], attr={'then': {'graph': 0}})], inputs=[X]),
     'assemble.subgraph'),
    ('an attribute of mixed types', with_graph(
        [node('Abs', ['x'], ['y'], attr={'a': [1, 'a']})], inputs=[X]), 'spec.type'),
    ('an attribute that is null', with_graph(
        [node('Abs', ['x'], ['y'], attr={'a': None})], inputs=[X]), 'spec.type'),
    ('golden rows of too few inputs', with_graph(
        [node('Abs', ['x'], ['y'])], inputs=[X],
        tensors=[{'name': 'w', 'dtype': 'f32', 'values': [1, 2]}],
        selftest=[{'inputs': [], 'outputs': ['w'], 'rtol': 0, 'atol': 0}]), 'assemble.selftest'),
    ('a negative tolerance', with_graph(
        [node('Abs', ['x'], ['y'])], inputs=[X],
        tensors=[{'name': 'w', 'dtype': 'f32', 'values': [1, 2]}],
        selftest=[{'inputs': ['w'], 'outputs': ['w'], 'rtol': -1, 'atol': 0}]),
     'selftest.tolerance'),
)

# Files that a specification names; its folder holds what setUp of the test puts there.
JSON_FILES = (
    ('the folder above', '../secret.npy', 'input.name'),
    ('above, by a detour', 'sub/../../secret.npy', 'input.name'),
    ('an absolute path', '/etc/passwd', 'input.name'),
    ('this folder', '.', 'input.name'),
    ('an empty name', '', 'input.name'),
    ('an empty part', 'sub//w.npy', 'input.name'),
    ('a slash at the end', 'sub/', 'input.name'),
    ('a backslash', '..\\secret.npy', 'input.name'),
    ('an escape', '\x1b[2J', 'input.name'),
    ('nothing of that name', 'missing.npy', 'input.read'),
    ('a folder', 'sub', 'input.name'),
    ('a FIFO', 'fifo', 'input.name'),
    ('a socket', 'socket', 'input.name'),
    ('a link to a device', 'device', 'input.name'),
    ('a link to itself', 'loop', 'input.read'),
    ('below a file', 'empty/w.npy', 'input.read'),
    ('a name of 300 bytes', 'n' * 300, 'input.read'),
    ('an empty file', 'empty', 'npy.magic@0'),
    ('text', 'text', 'npy.magic@0'),
    ('half an array', 'half.npy', 'npy.truncated@132'),
    ('Python objects', 'objects.npy', 'npy.object@21'),
)


class Specifications(BadInputTest):
    def pack(self, name, text, want, *options):
        spec = self.put('spec.json', text)
        self.row(name, want, 'pack', spec, '-o', 'out.wlk', *options)

    def test_text(self):
        for name, text, want in JSON_TEXT:
            self.pack(name, text, want)

    def test_schema(self):
        for name, text, want in JSON_SCHEMA:
            self.pack(name, text, want)

    def test_files_that_are_named(self):
        self.put('empty', b'')
        self.put('text', b'not an array')
        self.put('half.npy', npy([1.0, 2.0])[:-12])
        self.put('objects.npy', npy(np.array([None])))
        (self.folder / 'sub').mkdir()
        os.mkfifo(self.folder / 'fifo')
        (self.folder / 'device').symlink_to('/dev/zero')
        (self.folder / 'loop').symlink_to('loop')
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(self.folder / 'socket'))
            for name, file, want in JSON_FILES:
                self.pack(name, with_tensor(file=file), want)
        self.pack('raw bytes too few', with_tensor(raw='text', dtype='f32', shape=[4]),
                  'tensor.size')
        self.pack('raw bytes of no dtype', with_tensor(raw='text'), 'spec.missing-key')
        self.pack('raw bytes that no bool has', with_tensor(raw='text', dtype='bool', shape=[12]),
                  'tensor.payload')

    def test_the_file_itself(self):
        self.input_files('json_bytes', 'pack', None, '-o', 'out.wlk')

    def test_cut_at_every_byte(self):
        text = json.dumps(SPEC, separators=(',', ':')).encode()
        self.put('whole.json', text)
        for cut in range(len(text)):
            self.pack(f'cut to {cut}', text[:cut], f'spec.syntax@{cut}')
        self.accepted('pack', 'whole.json', '-o', 'out.wlk')


if __name__ == '__main__':
    main()
