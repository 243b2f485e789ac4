"""Makes fuzz/seeds/onnx, onnx_run and onnx_write: /usr/bin/python3 make_onnx.py"""
import os
import struct
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '../../tests/formats'))

from onnx_wire import (attribute, f, function, functions, graph, many, model, node, opset,  # noqa: E402
                       tensor, tensor_type, value, varint)

FLOAT, INT64, STRING, BOOL = 1, 7, 8, 9


def ints(name, numbers, dims=None):
    return tensor(name, [len(numbers)] if dims is None else dims, INT64, many(7, numbers))


def floats(name, numbers, dims=None):
    return tensor(name, [len(numbers)] if dims is None else dims, FLOAT,
                  f(9, struct.pack(f'<{len(numbers)}f', *numbers)))


def flag(name, yes):
    return tensor(name, [], BOOL, f(9, bytes([yes])))


def a_int(name, number):
    return attribute(name, 2, f(3, number))


def a_float(name, number):
    return attribute(name, 1, f(2, float(number)))


def a_text(name, text):
    return attribute(name, 3, f(4, text))


def a_ints(name, numbers):
    return attribute(name, 7, many(8, numbers))


def a_floats(name, numbers):
    return attribute(name, 6, many(7, [float(n) for n in numbers]))


def a_texts(name, texts):
    return attribute(name, 8, many(9, texts))


def a_graph(name, g):
    return attribute(name, 5, f(6, g))


def a_tensor(name, t):
    return attribute(name, 4, f(5, t))


def typed(name, dtype=FLOAT, shape=None):
    return value(name, tensor_type(dtype, shape))


def bare(name):
    """A value without a type: of a subgraph's output."""
    return f(1, name)


X = typed('x', FLOAT, ['n', 3])
Y = bare('y')


def small(nodes, initializers=(), inputs=(X,), outputs=(Y,), version=17, extra=b'', **more):
    return model(graph(nodes, inputs, outputs, initializers, **more), extra, (opset(version),))


def ml(nodes, inputs=(X,), outputs=(Y,)):
    return model(graph(nodes, inputs, outputs), b'', (opset(17), opset(5, 'ai.onnx.ml')))


def sequence(element):
    return f(4, f(1, element))


# ---- well-formed

IF = node('If', ['c'], ['y'], [
    a_graph('then_branch', graph([node('Neg', ['x'], ['a'])], [], [bare('a')])),
    a_graph('else_branch', graph([node('Add', ['x', 'w'], ['a'])], [], [bare('a')]))])
BODY = graph([node('Add', ['v', 'w'], ['v2']), node('Identity', ['go'], ['go2'])],
             [typed('i', INT64, []), typed('go', BOOL, []), bare('v')],
             [bare('go2'), bare('v2'), bare('v2')])
LOOP = node('Loop', ['count', 'go0', 'x'], ['end', 'y'], [a_graph('body', BODY)])
SCAN = node('Scan', ['w', 'x'], ['end', 'y'], [a_int('num_scan_inputs', 1), a_graph('body', graph(
    [node('Add', ['s', 'row'], ['s2'])], [bare('s'), bare('row')], [bare('s2'), bare('s2')]))])
FUNCTION = function('F', [node('Mul', ['a', 'b'], ['m']),
                          node('LeakyRelu', ['m'], ['c'], [attribute('alpha', 1, f(21, 'slope'))])],
                    ['a', 'b'], ['c'], ['slope'])
FOREST = node('TreeEnsembleRegressor', ['x'], ['y'], [
    a_int('n_targets', 1), a_ints('nodes_treeids', [0, 0, 0]), a_ints('nodes_nodeids', [0, 1, 2]),
    a_ints('nodes_featureids', [1, 0, 0]), a_floats('nodes_values', [0.5, 0, 0]),
    a_texts('nodes_modes', ['BRANCH_LEQ', 'LEAF', 'LEAF']), a_ints('nodes_truenodeids', [1, 0, 0]),
    a_ints('nodes_falsenodeids', [2, 0, 0]), a_ints('target_treeids', [0, 0]),
    a_ints('target_nodeids', [1, 2]), a_ints('target_ids', [0, 0]),
    a_floats('target_weights', [-1, 1])], 'ai.onnx.ml')
CLASSES = node('TreeEnsembleClassifier', ['x'], ['label', 'scores'], [
    a_texts('classlabels_strings', ['no', 'yes']), a_text('post_transform', 'SOFTMAX'),
    a_ints('nodes_treeids', [0, 0, 0]), a_ints('nodes_nodeids', [0, 1, 2]),
    a_ints('nodes_featureids', [2, 0, 0]), a_floats('nodes_values', [0.5, 0, 0]),
    a_texts('nodes_modes', ['BRANCH_GT', 'LEAF', 'LEAF']), a_ints('nodes_truenodeids', [1, 0, 0]),
    a_ints('nodes_falsenodeids', [2, 0, 0]), a_ints('class_treeids', [0, 0]),
    a_ints('class_nodeids', [1, 2]), a_ints('class_ids', [0, 1]),
    a_floats('class_weights', [0.25, 0.75])], 'ai.onnx.ml')
ENSEMBLE = node('TreeEnsemble', ['x'], ['y'], [
    a_int('n_targets', 1), a_int('aggregate_function', 1), a_int('post_transform', 0),
    a_ints('tree_roots', [0]), a_tensor('nodes_modes', tensor('', [1], 2, f(9, b'\0'))),
    a_ints('nodes_featureids', [0]), a_tensor('nodes_splits', floats('', [0.5])),
    a_ints('nodes_truenodeids', [0]), a_ints('nodes_trueleafs', [1]),
    a_ints('nodes_falsenodeids', [1]), a_ints('nodes_falseleafs', [1]),
    a_ints('leaf_targetids', [0, 0]), a_tensor('leaf_weights', floats('', [1, 2]))], 'ai.onnx.ml')
SEQUENCE = [node('SequenceConstruct', ['x', 'x'], ['s']),
            node('SequenceInsert', ['s', 'x', 'at'], ['s2']),
            node('SequenceErase', ['s2', 'at'], ['s3']),
            node('ConcatFromSequence', ['s3'], ['y'], [a_int('axis', 0)])]
RUNTIME = [node('Shape', ['x'], ['shape']), node('Gather', ['shape', 'at'], ['rows'], [a_int('axis', 0)]),
           node('Range', ['zero', 'rows', 'one'], ['r']), node('Cast', ['r'], ['f'], [a_int('to', 1)]),
           node('ReduceSum', ['f'], ['y'])]
SPARSE = f(1, floats('sp', [1.5, -2])) + f(2, ints('', [1, 4])) + many(3, [2, 3])
SCALARS = [tensor('at', [], INT64, many(7, [0])), tensor('zero', [], INT64, many(7, [0])),
           tensor('one', [], INT64, many(7, [1]))]

GOOD = {
    'relu': small([node('Relu', ['x'], ['y'])]),
    'gemm': small([node('Gemm', ['x', 'w', 'b'], ['g'], [a_int('transB', 1), a_float('alpha', 0.5)]),
                   node('Softmax', ['g'], ['y'], [a_int('axis', 1)])],
                  [floats('w', range(6), [2, 3]), floats('b', [1, 2])]),
    'conv': small([node('Conv', ['img', 'k'], ['c'], [a_ints('pads', [1, 1, 1, 1])]),
                   node('MaxPool', ['c'], ['p'], [a_ints('kernel_shape', [2, 2])]),
                   node('GlobalAveragePool', ['p'], ['y'])], [floats('k', range(9), [1, 1, 3, 3])],
                  [typed('img', FLOAT, ['n', 1, 5, 5])]),
    'if': small([IF], [flag('c', 1), floats('w', [1, 2, 3])]),
    'if-of-an-input': small([IF], [floats('w', [1, 2, 3])], [X, typed('c', BOOL, [])]),
    'loop': small([LOOP], [tensor('count', [], INT64, many(7, [3])), flag('go0', 1), floats('w', [1, 2, 3])]),
    'scan': small([SCAN], [floats('w', [1, 2, 3])]),
    'function': model(graph([node('F', ['x', 'w'], ['h'], [a_float('slope', 0.1)], 'local'),
                             node('F', ['h', 'h'], ['y'], (), 'local')], [X], [Y], [floats('w', [2])]),
                      functions(FUNCTION), (opset(17), opset(1, 'local'))),
    'sequence': small(SEQUENCE, SCALARS),
    'sequence-map': small([node('SequenceConstruct', ['x', 'x'], ['s']), node('SequenceMap', ['s'], ['y'], [
        a_graph('body', graph([node('Neg', ['e'], ['o'])], [typed('e', FLOAT, ['n', 3])], [bare('o')]))]),
    ], outputs=[value('y', sequence(tensor_type(1)))]),
    'optional': small([node('Optional', ['x'], ['o']), node('OptionalGetElement', ['o'], ['y'])]),
    'runtime-shape': small(RUNTIME, SCALARS),
    'strings': small([node('StringNormalizer', ['t'], ['y'], [a_text('case_change_action', 'UPPER'),
                                                               a_texts('stopwords', ['b'])])],
                     inputs=[typed('t', STRING, ['n'])]),
    'string-tensor': small([node('Identity', ['s'], ['y'])], [tensor('s', [2], STRING, many(6, ['a', 'b\xe9']))]),
    'sparse-initializer': model(graph([node('MatMul', ['x', 'sp'], ['y'])], [typed('x', FLOAT, ['n', 2])],
                                      [Y], extra=f(15, SPARSE))),
    'forest': ml([FOREST]),
    'forest-classes': ml([CLASSES, node('ZipMap', ['scores'], ['y'], [
        a_texts('classlabels_strings', ['no', 'yes'])], 'ai.onnx.ml')],
        outputs=[bare('label'), value('y', f(4, f(1, f(5, f(1, 8) + f(2, tensor_type(1))))))]),
    'ensemble': ml([ENSEMBLE]),
    'linear-classes': ml([node('LinearClassifier', ['x'], ['y', 'z'], [
        a_ints('classlabels_ints', [0, 1]), a_floats('coefficients', range(6)),
        a_floats('intercepts', [0, 1]), a_text('post_transform', 'LOGISTIC')], 'ai.onnx.ml')]),
    'scaler': ml([node('Scaler', ['x'], ['y'], [a_floats('offset', [1, 2, 3]), a_floats('scale', [1])],
                       'ai.onnx.ml')]),
    'slice-pad-tile': small([node('Slice', ['x', 'at', 'to', 'ax'], ['s']), node('Pad', ['s', 'pads'], ['p']),
                             node('Tile', ['p', 'times'], ['y'])],
                            [ints('at', [0]), ints('to', [2]), ints('ax', [1]),
                             ints('pads', [0, 1, 0, 1]), ints('times', [2, 1])]),
    'indices': small([node('GatherND', ['x', 'i'], ['g']), node('ScatterElements', ['x', 'j', 'u'], ['s']),
                      node('TopK', ['s', 'k'], ['y', 'z'])],
                     [ints('i', [0], [1, 1]), ints('j', [0, 1], [1, 2]), floats('u', [9, 8], [1, 2]),
                      ints('k', [1])], [typed('x', FLOAT, [2, 3])]),
    'indices-of-an-input': small([node('Gather', ['x', 'i'], ['g'], [a_int('axis', 1)]),
                                  node('OneHot', ['i', 'depth', 'pair'], ['y'])],
                                 [tensor('depth', [], INT64, many(7, [4])), floats('pair', [0, 1])],
                                 [X, typed('i', INT64, ['m'])], [bare('g'), bare('y')]),
    'resize': small([node('Resize', ['img', '', 'scales'], ['y'], [a_text('mode', 'linear')])],
                    [floats('scales', [1, 1, 2, 0.5])], [typed('img', FLOAT, [1, 1, 4, 4])]),
    'lstm': small([node('LSTM', ['x', 'w', 'r'], ['y', 'h'], [a_int('hidden_size', 2)])],
                  [floats('w', [0.1] * 24, [1, 8, 3]), floats('r', [0.2] * 16, [1, 8, 2])],
                  [typed('x', FLOAT, ['t', 1, 3])]),
    'attention': small([node('Attention', ['x', 'x', 'x'], ['y'], [a_int('q_num_heads', 1),
                                                                    a_int('kv_num_heads', 1)])],
                       inputs=[typed('x', FLOAT, [1, 2, 4])], version=23),
    'einsum': small([node('Einsum', ['x', 'x'], ['y'], [a_text('equation', 'ij,kj->ik')])]),
    'quantize': small([node('QuantizeLinear', ['x', 's', 'z'], ['q']),
                       node('DequantizeLinear', ['q', 's', 'z'], ['y'])],
                      [tensor('s', [], FLOAT, f(4, 0.5)), tensor('z', [], 2, f(5, 128))]),
    'half': small([node('Cast', ['x'], ['h'], [a_int('to', 10)]), node('Exp', ['h'], ['y'])]),
    'non-max': small([node('NonMaxSuppression', ['boxes', 'scores', 'most'], ['y'])],
                     [ints('most', [2])], [typed('boxes', FLOAT, [1, 'b', 4]),
                                           typed('scores', FLOAT, [1, 1, 'b'])]),
    'old': model(graph([node('Add', ['x', 'w'], ['a'], [a_int('broadcast', 1), a_int('axis', 1)]),
                        node('Dropout', ['a'], ['y'], [a_int('is_test', 1)])], [X, typed('w', FLOAT, [3])],
                       [Y], [floats('w', [1, 2, 3])]), b'', (opset(6),), 3),
    'everything-else': model(
        graph([node('Identity', ['x'], ['y'], extra=f(3, 'name') + f(6, 'doc'))], [X], [typed('y')],
              extra=f(10, 'doc') + f(13, typed('z')) + f(14, b'\x0a\x01x') + f(16, f(1, 'k') + f(2, 'v'))),
        f(2, 'maker') + f(3, '1.0') + f(4, 'org.example') + f(5, 7) + f(6, 'doc') +
        f(14, f(1, 'key') + f(2, 'value')) + f(20, b'\x0a\x00') + f(99, b'unknown'), (opset(17),), 10),
}

# ---- hostile


def constant_of_shape(dims):
    return small([node('ConstantOfShape', ['d'], ['y'])], [ints('d', dims)], inputs=())


def forest(**changes):
    """The forest with other lists."""
    lists = {'nodes_treeids': [0, 0, 0], 'nodes_nodeids': [0, 1, 2], 'nodes_featureids': [1, 0, 0],
             'nodes_truenodeids': [1, 0, 0], 'nodes_falsenodeids': [2, 0, 0],
             'target_treeids': [0, 0], 'target_nodeids': [1, 2], 'target_ids': [0, 0], **changes}
    return ml([node('TreeEnsembleRegressor', ['x'], ['y'], [
        a_int('n_targets', 1), a_floats('nodes_values', [0.5, 0, 0]),
        a_texts('nodes_modes', ['BRANCH_LEQ', 'LEAF', 'LEAF']), a_floats('target_weights', [-1, 1]),
        *(a_ints(name, numbers) for name, numbers in lists.items())], 'ai.onnx.ml')])


NEST = graph([node('Neg', ['x'], ['o'])], [], [bare('o')])
for _ in range(20):
    NEST = graph([node('If', ['c'], ['o'], [a_graph('then_branch', NEST), a_graph('else_branch', NEST[:0])])],
                 [], [bare('o')])

GROWING = graph([node('Concat', ['v', 'v'], ['v2'], [a_int('axis', 0)]), node('Identity', ['go'], ['go2'])],
                [typed('i', INT64, []), typed('go', BOOL, []), bare('v')], [bare('go2'), bare('v2')])
INSERTING = graph([node('SequenceInsert', ['s', 'x'], ['s2']), node('Identity', ['go'], ['go2'])],
                  [typed('i', INT64, []), typed('go', BOOL, []), bare('s')], [bare('go2'), bare('s2')])
FOREVER = [tensor('count', [], INT64, many(7, [(1 << 63) - 1])), flag('go0', 1)]
CALLS = [function(f'F{i}', [node(f'F{i + 1}', ['a'], ['b'], domain='local'),
                            node(f'F{i + 1}', ['b'], ['c'], domain='local')], ['a'], ['c']) for i in range(12)]

HOSTILE = {
    'truncated': GOOD['loop'][:-9],
    'length-beyond-end': GOOD['relu'] + b'\x3a\xff\xff\xff\xff\x0f',
    'length-of-2-64': GOOD['relu'] + b'\x72' + b'\xff' * 9 + b'\x01',
    'varint-of-eleven-bytes': b'\x08' + b'\x80' * 10 + b'\x01' + GOOD['relu'],
    'group': GOOD['relu'] + b'\x0b\x0c',
    'graph-twice': GOOD['relu'] + f(7, graph()),
    'raw-and-typed': small([node('Identity', ['x'], ['y'])], [tensor('w', [1], 1, f(9, b'\0' * 4) + f(4, 1.0))]),
    'terabyte-without-data': small([node('Identity', ['x'], ['y'])], [tensor('w', [1 << 40], 1, b'')]),
    'external-data': small([node('Identity', ['x'], ['y'])], [
        tensor('w', [1], 1, b'') + f(13, f(1, 'location') + f(2, '../../etc/passwd')) + f(14, 1)]),
    'sparse-terabyte': model(graph([node('Identity', ['sp'], ['y'])], [], [Y], extra=f(
        15, f(1, floats('sp', [1])) + f(2, ints('', [0])) + many(3, [1 << 38])))),
    'sparse-of-512-kib': model(graph([node('Identity', ['sp'], ['y'])], [], [Y], extra=f(
        15, f(1, floats('sp', [1])) + f(2, ints('', [0])) + many(3, [1 << 17])))),
    'cycle': small([node('Neg', ['y'], ['a']), node('Neg', ['a'], ['y'])]),
    'name-twice': small([node('Neg', ['x'], ['y']), node('Neg', ['x'], ['y'])]),
    'deep-graphs': small([node('If', ['c'], ['y'], [a_graph('then_branch', NEST)])], [flag('c', 1)]),
    'deep-types': small([node('Identity', ['x'], ['y'])], inputs=[value('x', sequence(sequence(sequence(
        sequence(sequence(sequence(tensor_type())))))))]),
    'recursive-function': model(graph([node('F', ['x'], ['y'], (), 'local')], [X], [Y]), functions(
        function('F', [node('F', ['a'], ['c'], domain='local')], ['a'], ['c'])), (opset(17), opset(1, 'local'))),
    'doubling-functions': model(graph([node('F0', ['x'], ['y'], (), 'local')], [X], [Y]), functions(
        *CALLS, function('F12', [], ['a'], ['a'])), (opset(17), opset(1, 'local'))),
    'constant-of-shape': constant_of_shape([1 << 20, 1 << 20]),
    'constant-that-wraps': constant_of_shape([1 << 33, 1 << 33]),
    'negative-shape': constant_of_shape([-1]),
    'expand': small([node('Expand', ['w', 'd'], ['y'])], [floats('w', [1]), ints('d', [1 << 35])]),
    'tile': small([node('Tile', ['x', 'd'], ['y'])], [ints('d', [1 << 40, 1])]),
    'range': small([node('Range', ['a', 'b', 'c'], ['y'])], [
        tensor('a', [], INT64, many(7, [-1 << 63])), tensor('b', [], INT64, many(7, [(1 << 63) - 1])),
        tensor('c', [], INT64, many(7, [1]))]),
    'pad': small([node('Pad', ['x', 'd'], ['y'])], [ints('d', [0, (1 << 63) - 1, 0, 1])]),
    'resize': small([node('Resize', ['x', '', '', 'd'], ['y'])], [ints('d', [1 << 31, 1 << 31])]),
    'loop-forever': small([node('Loop', ['count', 'go0', 'x'], ['end', 'y'], [a_graph('body', BODY)])],
                          [*FOREVER, floats('w', [1, 2, 3])]),
    'loop-that-grows': small([node('Loop', ['count', 'go0', 'x'], ['y'], [a_graph('body', GROWING)])], FOREVER),
    'loop-that-inserts': small([node('SequenceEmpty', [], ['s0']),
                                node('Loop', ['count', 'go0', 's0'], ['y'], [a_graph('body', INSERTING)])],
                               FOREVER, outputs=[value('y', sequence(tensor_type(1)))]),
    'gather-outside': small([node('Gather', ['x', 'i'], ['y'], [a_int('axis', 1)])], [ints('i', [3])]),
    'scatter-outside': small([node('ScatterND', ['x', 'i', 'u'], ['y'])],
                             [ints('i', [1 << 40], [1, 1]), floats('u', [1, 2, 3], [1, 3])]),
    'axis-minimum': small([node('Softmax', ['x'], ['y'], [a_int('axis', -1 << 63)])]),
    'forest-cycle': forest(nodes_truenodeids=[0, 0, 0]),
    'forest-shared-child': forest(nodes_falsenodeids=[1, 0, 0]),
    'forest-child-outside': forest(nodes_truenodeids=[1 << 40, 0, 0]),
    'forest-feature-outside': forest(nodes_featureids=[1 << 31, 0, 0]),
    'forest-lists-of-other-lengths': forest(nodes_featureids=[1]),
    'attribute-of-another-type': small([node('Softmax', ['x'], ['y'], [a_text('axis', 'one')])]),
    'attribute-twice': small([node('Softmax', ['x'], ['y'], [a_int('axis', 1)] * 2)]),
    'utf8': small([node('Identity', ['x'], ['y'], extra=f(3, b'\xff\xfe'))]),
    'operator-of-nobody': small([node('ReadFile', ['x'], ['y'])]),
    'opset-2-32': small([node('Relu', ['x'], ['y'])], version=(1 << 32) - 1),
    # Who believes the dims reads past the file's last byte.
    'raw-data-too-short-at-the-end': model(
        graph([node('Identity', ['x'], ['y'])], ['x'], ['y']) +
        many(5, [tensor('t', [64], BOOL, f(9, bytes([1, 0, 1, 0])))])),
    'unknown-fields': GOOD['relu'] + b''.join(varint(n << 3) + b'\0' for n in range(100, 190)),
}


def main():
    for target in ('onnx', 'onnx_run', 'onnx_write'):
        folder = os.path.join(here, target)
        os.makedirs(folder, exist_ok=True)
        for kind, seeds in (('good', GOOD), ('hostile', HOSTILE)):
            for name, data in seeds.items():
                with open(os.path.join(folder, f'{kind}-{name}'), 'wb') as out:
                    out.write(data)


if __name__ == '__main__':
    main()
