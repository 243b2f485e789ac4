"""Makes fuzz/seeds/csv, npy, json_spec, pack, report and report_json: /usr/bin/python3 make_input.py"""
import json
import os
import struct

here = os.path.dirname(os.path.abspath(__file__))


def put(folder, seeds):
    os.makedirs(os.path.join(here, folder), exist_ok=True)
    for name, data in seeds.items():
        with open(os.path.join(here, folder, name), 'wb') as f:
            f.write(data)


put('csv', {
    'good': b'a,b,c\n1,2.5,-3e-2\n4,nan,inf\n',
    'good-numbers': b'1,2\n-0,18446744073709551615\n',
    'good-crlf': b'x,y\r\n1,2\r\n3,4\r\n',
    'good-byte-order-mark': b'\xef\xbb\xbfx\n1\n',
    'good-quoted': b'"a ""b""","c,d","e\nf"\n" 1 ",2,\n',
    'good-missing': b'a,b\nNA,?\n,NaN\n',
    'good-words': b'name,class\nfoo,true\nbar,False\n',
    'good-one-column': b'1\n2\n\n4\n',
    'good-no-last-end': b'a,b\n1,2',
    'hostile-bare-quote': b'a\nb"c\n',
    'hostile-carriage-return': b'a\r1\r',
    'hostile-column-twice': b'a,a\n1,2\n',
    'hostile-header-alone': b'a,b,c\n',
    'hostile-nul': b'a,b\n1,\x002\n',
    'hostile-not-utf8': b'a,b\n\xc0\xaf,1\n',
    'hostile-ragged': b'a,b\n1,2\n3\n',
    'hostile-behind-quote': b'"a"b,c\n1,2\n',
    'hostile-unterminated': b'a,b\n"1,2\n3,4\n',
    'hostile-mark-twice': b'\xef\xbb\xbf\xef\xbb\xbfx\n1\n',
    'hostile-mark-in-quotes': b'"\xef\xbb\xbfa"\n"\xef\xbb\xbf"\n',
    'hostile-number': b'0x10,1e999,--1,1_000\n1.2.3,infinity,.,e5\n',
    'hostile-commas': b',' * 300 + b'\n' + b',' * 300 + b'\n',
})


def npy(header, data=b'', version=(1, 0), length=None):
    if not header.endswith(b'\n'):
        header += b'\n'
    size = len(header) if length is None else length
    return (b'\x93NUMPY' + bytes(version) + struct.pack('<H' if version[0] == 1 else '<I', size)
            + header + data)


def described(descr, shape, order='False'):
    return f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}".encode()


put('npy', {
    'good': npy(described('<f8', '(3,)'), struct.pack('<3d', 1, -0.5, float('nan'))),
    'good-big-endian': npy(described('>i4', '(2,)'), struct.pack('>2i', 1, -1)),
    'good-boolean': npy(described('|b1', '(4,)'), bytes([0, 1, 1, 0])),
    'good-bytes': npy(described('|S4', '(2,)'), b'ab\0\0\xc3\xa9c\0'),
    'good-complex': npy(described('>c8', '()'), struct.pack('>2f', 1, 2)),
    'good-empty': npy(described('<f4', '(0, 3)')),
    'good-fortran': npy(described('<i2', '(2, 3, 2)', 'True'), bytes(range(24))),
    'good-text': npy(described('<U3', '(2,)'), 'abc\u20ac\0\0'.encode('utf-32-le')),
    'good-fortran-text': npy(described('>U1', '(2, 2)', 'True'), 'abc\U0001f600'.encode('utf-32-be')),
    'good-version-2': npy(described('<u8', '(1, 1)'), bytes(8), (2, 0)),
    'good-version-3': npy(described('|u1', '(2,)'), b'ab', (3, 0)),
    'hostile-boolean': npy(described('|b1', '(2,)'), bytes([0, 2])),
    'hostile-header-length': npy(described('<f8', '(1,)'), bytes(8), length=65535),
    'hostile-header-of-4-gib': npy(described('<f8', '(1,)'), bytes(8), (2, 0), 2**32 - 1),
    'hostile-item-of-4-eib': npy(described('<U4611686018427387904', '(4,)'), bytes(16)),
    'hostile-key-twice': npy(b"{'descr': '<f8', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", bytes(8)),
    'hostile-key-unknown': npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 1}", bytes(8)),
    'hostile-no-such-character': npy(described('<U1', '(2,)'), struct.pack('<2I', 0x110000, 0xd800)),
    'hostile-objects': npy(described('|O', '(1,)'), b'\x80\x04cos\nsystem\n'),
    'hostile-rank': npy(described('|u1', '(1, 1, 1, 1, 1, 1, 1, 1, 1)'), b'a'),
    'hostile-shape-that-wraps': npy(described('<f8', '(4294967296, 4294967296)'), bytes(8)),
    'hostile-shape-with-zero': npy(described('<f8', '(18446744073709551615, 0)')),
    'hostile-structured': npy(b"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", bytes(8)),
    'hostile-trailing': npy(described('|u1', '(1,)'), b'ab'),
    'hostile-truncated': npy(described('<f8', '(2,)'), bytes(15)),
})

SMALL = {'kind': 'model',
         'graph': {'inputs': [{'name': 'x', 'type': {'tensor': {'dtype': 'f32', 'shape': ['n', 2]}}}],
                   'outputs': [{'name': 'y'}],
                   'nodes': [{'op': 'Relu', 'in': ['x'], 'out': ['y']}]},
         'opset': {'': 13}}

# everything that a specification can say, once
RICH = {
    'kind': 'classifier', 'name': 'all', 'version': '1', 'created': 'today', 'producer': 'a test',
    'x-note': [None, True, -1, 0.5, {'k/~': 'v'}],
    'metadata': {'tags': ['a'], 'libraries': {'numpy': '1'}, 'x-y': {}, 'metrics': {'b': 2.0, 'a': 1}},
    'opset': {'': 13, 'ai.onnx.ml': 3},
    'tensors': [
        {'name': 'w', 'dtype': 'f32', 'values': [1, 2]},
        {'name': 'classes', 'strings': ['a', '', '\u00e9']},
        {'name': 'm', 'strings': ['a', 'b'], 'shape': [1, 2]},
        {'name': 'v', 'dtype': 'f32', 'values': [1, 2.5, 'nan', '-inf'], 'shape': [2, 2]},
        {'name': 'i', 'dtype': 'i4', 'values': [-8, 7, 0]},
        {'name': 't', 'dtype': 'bool', 'values': [True, False, 1]},
        {'name': 's', 'dtype': 'f16', 'values': [0.5], 'shape': []},
        {'name': 'b', 'dtype': 'bf16', 'values': [1e30]},
        {'name': 'u', 'dtype': 'u64', 'values': [18446744073709551615][:0]},
        {'name': 'golden', 'dtype': 'f32', 'values': [1, 2], 'shape': [1, 2]}],
    'graphs': [
        {'name': 'main',
         'inputs': [{'name': 'x', 'type': {'tensor': {'dtype': 'f32', 'shape': ['n', 2]}}}],
         'outputs': [{'name': 'y', 'type': {'sequence': {'map': {
             'key': 'i64', 'value': {'tensor': {'dtype': 'f32', 'shape': [None]}}}}}}],
         'nodes': [
             {'op': 'Two', 'domain': 'ai.onnx.ml', 'name': 'n', 'in': ['x', '', 'w'], 'out': ['a', ''],
              'attr': {'int': -3, 'float': 1.0, 'string': 's', 'ints': [1, 2], 'floats': [0.5],
                       'strings': ['p', 'q'], 'int2': {'int': 4}, 'float2': {'float': 'nan'},
                       'string2': {'string': 'r'}, 'none': {'ints': []}, 'mixed': {'floats': [1, 'inf']},
                       'tensor': {'tensor': 'v'}, 'tensors': {'tensors': ['v', 'w']},
                       'dtype': {'dtype': 'bf16'}, 'body': {'graph': 1}, 'bodies': {'graphs': [2]},
                       'type': {'type': {'optional': {'tensor': {'dtype': 'str'}}}}}},
             {'op': 'One', 'in': ['a'], 'out': ['y']}]},
        {'inputs': [{'name': 'u2'}], 'outputs': [{'name': 'x'}], 'nodes': []},
        {'inputs': [], 'outputs': [], 'nodes': []}],
    'selftest': [{'inputs': ['golden'], 'outputs': ['w'], 'rtol': 0.5, 'atol': 0}]}


def spec(model, **changes):
    return json.dumps({**model, **changes}, ensure_ascii=False).encode()


def node(**changes):
    return {**SMALL, 'graph': {**SMALL['graph'], 'nodes': [{**SMALL['graph']['nodes'][0], **changes}]}}


SPECIFICATIONS = {
    'good': spec(SMALL),
    'good-rich': spec(RICH),
    'good-tensors': json.dumps({'kind': 'model', 'opset': {'': 13}, 'graph': SMALL['graph'], 'tensors': RICH['tensors']}, indent=1).encode(),
    'good-metadata': spec(SMALL, metadata=RICH['metadata'], **{'x-note': RICH['x-note']}),
    'hostile-attribute-of-two-kinds': spec(node(attr={'a': {'int': 1, 'float': 2}})),
    'hostile-cycle': spec(node(**{'in': ['y']})),
    'hostile-graph-in-itself': spec(node(attr={'body': {'graph': 0}})),
    'hostile-deep-metadata': spec(SMALL)[:-1] + b',"x-a":' + b'[' * 300 + b']' * 300 + b'}',
    'hostile-deep-type': spec(SMALL).replace(b'{"tensor": {"dtype": "f32", "shape": ["n", 2]}}',
                                             b'{"optional":' * 60 + b'{"tensor":{"dtype":"f32"}}' + b'}' * 60),
    'hostile-file': spec(SMALL, tensors=[{'name': 'w', 'file': 'w.npy'}]),
    'hostile-file-above': spec(SMALL, tensors=[{'name': 'w', 'file': '../../etc/passwd'}]),
    'hostile-raw': spec(SMALL, tensors=[{'name': 'w', 'raw': 'w', 'dtype': 'block', 'shape': [4],
                                         'block': {'kind': 'q', 'elements': 0, 'bytes': 0}}]),
    'hostile-key-twice': spec(SMALL)[:-1] + b',"opset":{}}',
    'hostile-key-unknown': spec(SMALL, hooks=['os.system']),
    'hostile-nul': spec(SMALL, name='a\0b'),
    'hostile-not-utf8': spec(SMALL, name='a').replace(b'"a"', b'"\xed\xa0\x80"'),
    'hostile-number': spec(SMALL)[:-1] + b',"x-a":1e400}',
    'hostile-opset': spec(SMALL, opset={'': 4294967296}),
    'hostile-shape-that-wraps': spec(SMALL, tensors=[{'name': 'w', 'dtype': 'f32', 'values': [],
                                                      'shape': [4294967296, 4294967296, 0]}]),
    'hostile-tensor-twice': spec(SMALL, tensors=[{'name': 'w', 'strings': []}] * 2),
    'hostile-truncated': spec(RICH)[:700],
    'hostile-unknown-value': spec(node(**{'in': ['z']})),
    'hostile-value-too-large': spec(SMALL, tensors=[{'name': 'w', 'dtype': 'f16', 'values': [1e6]}]),
}
put('json_spec', SPECIFICATIONS)
put('pack', SPECIFICATIONS)

REPORTS = {
    'good': b'model.wlk\nweights of layer 1',
    'good-empty': b'\n',
    'good-other-alphabets': 'Gewichte/\u00e9\u4e2d\u0416.wlk\n\u05e9\u05dc\u05d5\u05dd \U0001f600'.encode(),
    'good-pointer': b'/metadata/a~1b~0c\n~ ~2 ~',
    'good-quotes': b'a "b" \\c\\.wlk\n\\u0041 {"a": [1]}',
    'hostile-bidirectional': 'a\u202egpj.exe\n\u2066x\u2069\u200e\u061c'.encode(),
    'hostile-c1': b'a\xc2\x9b2J\n\xc2\x85\x7f',
    'hostile-cut-character': b'a' * 254 + b'\xf0\x9f\x98\x80\n' + b'b' * 199 + b'\xe2\x82\xac',
    'hostile-escape': b'\x1b[2J\x1b]0;x\x07.wlk\n\x1b[31mrefused\x1b[0m',
    'hostile-format': b'%s%n%999999999d\n%*s%%',
    'hostile-line-separator': 'a\u2028b\u2029c\nd\re\x0bf'.encode(),
    'hostile-long': b'x' * 3000 + b'\n' + '\u20ac'.encode() * 1000,
    'hostile-not-utf8': b'\xff\xfe\xc0\xaf\n\xed\xa0\x80\xf4\x90\x80\x80\xf0\x9f\x98',
    'hostile-nul': b'a\0b\nc\0\0d',
    'hostile-path': b'../..//.npy\n.npy.npy/./..',
    'hostile-tags': '\ufeffa\U000e0001\U000e0041\n\U000e007f'.encode(),
}
put('report', REPORTS)
put('report_json', REPORTS)
