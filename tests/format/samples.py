"""Models and keys that several tests use."""
import numpy as np

import wlk
from wlk import Model, Tensor

# The key of docs/format.md, section 7: anybody's.
EXAMPLE_KEY = wlk.SecretKey(bytes(range(1, 9)), bytes(range(32)))
STRANGER_KEY = wlk.SecretKey(bytes(range(11, 19)), bytes(range(32, 64)))


def tensor_type(dtype, *shape):
    return {'tensor': {'dtype': dtype, 'shape': list(shape)}}


NESTED_TYPE = {'sequence': {'map': {'key': 'i64', 'value': {
    'optional': {'tensor': {'dtype': 'f32', 'shape': [None, 'k', 0, 2**63 - 1]}}}}}}


def example():
    """The model of docs/format.md, section 7."""
    return Model({
        'graphs': [{
            'inputs': [],
            'nodes': [{'in': ['w'], 'op': 'Identity', 'out': ['y']}],
            'outputs': [{'name': 'y', 'type': tensor_type('f32', 3)}],
        }],
        'kind': 'model',
        'opset': {'': 13},
    }, [Tensor('w', 'f32', [3], np.array([0.5, -1, 2], dtype='f4'))])


def every_dtype():
    """One tensor of each dtype, with the values at which encodings go wrong."""
    codes8 = np.arange(256, dtype='u1')
    return [
        Tensor('t_f64', 'f64', [2, 3], np.array([0.0, -0.0, 1e-310, np.inf, -np.inf, np.nan])),
        Tensor('t_f32', 'f32', [4], np.array([1.5, -0.0, np.nan, 1e-42], dtype='f4')),
        Tensor('t_f16', 'f16', [1, 1, 2], np.array([65504, -0.0], dtype='f2')),
        Tensor('t_bf16', 'bf16', [3], np.array([0x3f80, 0x8000, 0x7fc1], dtype='u2')),
        Tensor('t_f8e4m3fn', 'f8e4m3fn', [16, 16], codes8),
        Tensor('t_f8e5m2', 'f8e5m2', [256], codes8),
        Tensor('t_f8e4m3fnuz', 'f8e4m3fnuz', [256], codes8),
        Tensor('t_f8e5m2fnuz', 'f8e5m2fnuz', [256], codes8),
        Tensor('t_f8e8m0', 'f8e8m0', [256], codes8),
        Tensor('t_f6e2m3', 'f6e2m3', [7, 9], np.arange(63, dtype='u1')),
        Tensor('t_f6e3m2', 'f6e3m2', [5], np.array([1, 2, 3, 63, 33], dtype='u1')),
        Tensor('t_f4e2m1', 'f4e2m1', [3, 5], np.arange(15, dtype='u1')),
        Tensor('t_i64', 'i64', [3], np.array([-2**63, -1, 2**63 - 1])),
        Tensor('t_i32', 'i32', [2], np.array([-2**31, 2**31 - 1], dtype='i4')),
        Tensor('t_i16', 'i16', [2], np.array([-2**15, 2**15 - 1], dtype='i2')),
        Tensor('t_i8', 'i8', [2], np.array([-128, 127], dtype='i1')),
        Tensor('t_i4', 'i4', [16], np.arange(16, dtype='u1')),
        Tensor('t_u64', 'u64', [2], np.array([0, 2**64 - 1], dtype='u8')),
        Tensor('t_u32', 'u32', [2], np.array([0, 2**32 - 1], dtype='u4')),
        Tensor('t_u16', 'u16', [2], np.array([0, 2**16 - 1], dtype='u2')),
        Tensor('t_u8', 'u8', [2], np.array([0, 255], dtype='u1')),
        Tensor('t_u4', 'u4', [1], np.array([15], dtype='u1')),
        Tensor('t_bool', 'bool', [2, 2], np.array([True, False, False, True])),
        Tensor('t_c64', 'c64', [2], np.array([1 + 2j, -0.0 - 1j], dtype='c8')),
        Tensor('t_c128', 'c128', [1], np.array([1e300 - 1e-300j])),
        Tensor('t_str', 'str', [2, 2], ['setosa', '', 'größe\0', '\U0001f6a2']),
        Tensor('t_block', 'block', [2, 64], bytes(range(72)),
               {'bytes': 18, 'elements': 32, 'kind': 'q4_0'}),
        Tensor('scalar', 'f64', [], np.array([2.5])),
        Tensor('empty', 'f32', [0, 4], np.array([], dtype='f4')),
        Tensor('empty_str', 'str', [0], []),
        Tensor('empty_block', 'block', [0, 32], b'', {'bytes': 4, 'elements': 8, 'kind': 'x'}),
        Tensor('empty_bits', 'u4', [3, 0], np.array([], dtype='u1')),
    ]


def free_tree():
    return {'': None, 'a/b~c': [True, False, {}], 'big': 2**64 - 1, 'deep': [[[[1]]]],
            'float': 1.0, 'int': 1, 'low': -2**63, 'negative': -33, 'text': 'x' * 300,
            'ä': [127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, -1, -32, -128, -129, -32768,
                  -32769, -2**31, -2**31 - 1, -0.0, 1e308]}


def branch(out, constant, deeper=None):
    """A subgraph that uses a name of the graph around it, and a tensor."""
    node = {'in': ['hidden', constant], 'name': 'inside ' + out, 'op': 'Add', 'out': [out]}
    nodes = [node]
    if deeper:
        nodes.append({'attr': {'body': {'graph': deeper}}, 'in': [out], 'op': 'Loop',
                      'out': ['', out + '_looped']})
    return {'inputs': [], 'nodes': nodes, 'outputs': [{'name': nodes[-1]['out'][-1]}]}


def rich_header():
    """Everything that a header can say."""
    main = {
        'inputs': [
            {'name': 'X', 'type': tensor_type('f64', 'batch', 3)},
            {'name': 'anything', 'type': {'tensor': {'dtype': 'str'}}},
        ],
        'name': 'main',
        'nodes': [
            {'attr': {'dtypes': {'dtype': 'f6e2m3'}, 'f': -0.0, 'fs': {'floats': [1.0, 2.5]},
                      'i': -2**63, 'is': {'ints': [-1, 2**63 - 1]}, 'none': {'ints': []},
                      's': '', 'ss': {'strings': ['a', '']}, 't': {'tensor': 't_f64'},
                      'ts': {'tensors': ['t_str', 'scalar']},
                      'type': {'type': {'sequence': tensor_type('u8')}}},
             'domain': 'org.example', 'in': ['X', '', 't_f64', 'scalar'], 'name': 'first',
             'op': 'Everything', 'out': ['hidden', '', 'flag']},
            {'attr': {'else_branch': {'graph': 1}, 'then_branch': {'graph': 3}},
             'in': ['flag'], 'op': 'If', 'out': ['chosen']},
            {'attr': {'bodies': {'graphs': [4, 5]}}, 'domain': 'org.example', 'in': [],
             'op': 'Many', 'out': ['y']},
        ],
        'outputs': [{'name': 'chosen', 'type': tensor_type('f64', 'batch', None)},
                    {'name': 'y', 'type': NESTED_TYPE}, {'name': 'X'}, {'name': 't_str'},
                    {'name': 'y'}],
    }
    loop = {'inputs': [{'name': 'iteration', 'type': NESTED_TYPE}, {'name': 'anything_else'},
                       {'name': 'state', 'type': tensor_type('f64', 'batch', 3)}],
            'nodes': [{'in': ['state', 'else_y', 'hidden', 'iteration'], 'op': 'Sum',
                       'out': ['next']}],
            'outputs': [{'name': 'next', 'type': tensor_type('f64')}, {'name': 'hidden'}]}
    return {
        'created': '2024-02-29T12:00:00Z',
        'graphs': [main, branch('else_y', 'scalar', deeper=2), loop, branch('then_y', 't_f64'),
                   branch('left', 'scalar'), branch('right', 'scalar')],
        'kind': 'classifier',
        'metadata': {'hyperparameters': free_tree(), 'libraries': {'numpy': '1.24.2'},
                     'metrics': {'accuracy': 0.97}, 'source': {}, 'tags': ['a', 'b'],
                     'training': {'rows': 100}, 'x-note': free_tree()},
        'name': 'rich',
        'opset': {'': 13, 'org.example': 1, 'unused': 2**31 - 1},
        'producer': 'tests',
        'selftest': [{'atol': 1e-12, 'inputs': ['t_f64', 't_str'],
                      'outputs': ['t_f64', 'scalar', 't_f64', 't_str', 'empty'], 'rtol': 0.0}],
        'version': '1.2',
        'x-example': free_tree(),
        'x-list': [1, 'two', None],
    }


def rich():
    return Model(rich_header(), every_dtype())


def typed_inputs():
    """A main graph whose inputs are of every kind of type, handed through."""
    types = [tensor_type('c64'), {'tensor': {'dtype': 'block'}}, NESTED_TYPE,
             {'optional': {'sequence': {'tensor': {'dtype': 'str', 'shape': [None] * 8}}}}]
    types += [{'map': {'key': key, 'value': tensor_type('f16', 'n')}}
              for key in ('str', 'i8', 'u64', 'i4')]
    ports = [{'name': f'input {i}', 'type': one} for i, one in enumerate(types)]
    return Model({
        'graphs': [{'inputs': ports, 'nodes': [],
                    'outputs': [{'name': port['name']} for port in reversed(ports)]}],
        'kind': 'model', 'opset': {}})


def classifier(coefficients=((1.0, -2.0), (0.5, 0.25)), intercepts=(0.0, 1.0)):
    """A small model with a graph of plain operators and golden rows."""
    coefficients = np.array(coefficients)
    rows = np.array([[1.0, 2.0], [3.0, -1.0]])
    scores = np.exp(rows @ coefficients.T + np.array(intercepts))
    return Model({
        'graphs': [{
            'inputs': [{'name': 'X', 'type': tensor_type('f64', 'batch', 2)}],
            'nodes': [
                {'attr': {'transB': 1}, 'in': ['X', 'coef', 'intercept'], 'op': 'Gemm',
                 'out': ['scores']},
                {'attr': {'axis': -1}, 'in': ['scores'], 'op': 'Softmax', 'out': ['p']}],
            'outputs': [{'name': 'p', 'type': tensor_type('f64', 'batch', 2)}]}],
        'kind': 'classifier', 'name': 'small', 'opset': {'': 13},
        'selftest': [{'atol': 1e-12, 'inputs': ['rows'], 'outputs': ['expected'], 'rtol': 1e-9}],
    }, [
        Tensor('coef', 'f64', [2, 2], coefficients.ravel()),
        Tensor('intercept', 'f64', [2], np.array(intercepts)),
        Tensor('rows', 'f64', [2, 2], rows.ravel()),
        Tensor('expected', 'f64', [2, 2],
               (scores / scores.sum(axis=1, keepdims=True)).ravel()),
    ])


ALL = (example, rich, typed_inputs, classifier)
