"""Whole networks with seeded weights: functions that give an ONNX file's bytes and its inputs."""
import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8


class Network:
    """A graph that grows by one node at a time."""

    def __init__(self, seed):
        self.random = numpy.random.RandomState(seed)
        self.nodes, self.weights = [], []

    def constant(self, array):
        name = f'w{len(self.weights)}'
        self.weights.append(numpy_helper.from_array(numpy.asarray(array), name))
        return name

    def weight(self, *shape):
        """Random numbers that keep the variance of what they are multiplied with."""
        fan = numpy.prod(shape[1:]) if len(shape) == 4 else shape[0]
        return self.constant(
            (self.random.standard_normal(shape) * numpy.sqrt(2 / fan)).astype(numpy.float32))

    def vector(self, size, around=0.0):
        values = around + 0.1 * self.random.standard_normal(size)
        return self.constant(values.astype(numpy.float32))

    def add(self, operator, *inputs, **attributes):
        output = f'v{len(self.nodes)}'
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def finish(self, output, shape, output_shape):
        """The file, whose input is `x`."""
        graph = helper.make_graph(
            self.nodes, 'network', [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, output_shape)], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', OPSET)],
                                  ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model.SerializeToString()

    def input(self, *shape):
        return self.random.standard_normal(shape).astype(numpy.float32)


# ---- the MLP

def dense(n, x, inputs, outputs):
    return n.add('Gemm', x, n.weight(inputs, outputs), n.vector(outputs))


def mlp(batch=256):
    """Three hidden layers."""
    n = Network(1)
    x = 'x'
    for inputs, outputs in ((128, 512), (512, 512), (512, 256)):
        x = n.add('Relu', dense(n, x, inputs, outputs))
    return n.finish(dense(n, x, 256, 10), ['batch', 128], ['batch', 10]), [n.input(batch, 128)]


# ---- the CNN

def convolution(n, x, inputs, outputs, size, stride):
    """Conv and BatchNormalization."""
    pad = size // 2
    x = n.add('Conv', x, n.weight(outputs, inputs, size, size), kernel_shape=[size, size],
              strides=[stride, stride], pads=[pad] * 4)
    return n.add('BatchNormalization', x, n.vector(outputs, 0.7), n.vector(outputs),
                 n.vector(outputs), n.constant(numpy.ones(outputs, numpy.float32)))


def block(n, x, inputs, outputs, stride):
    y = n.add('Relu', convolution(n, x, inputs, outputs, 3, stride))
    y = convolution(n, y, outputs, outputs, 3, 1)
    if stride != 1 or inputs != outputs:
        x = convolution(n, x, inputs, outputs, 1, stride)
    return n.add('Relu', n.add('Add', x, y))


def cnn(batch=1, size=224):
    """ResNet-18: four stages of two blocks, 11.7 million weights."""
    n = Network(2)
    x = n.add('Relu', convolution(n, 'x', 3, 64, 7, 2))
    x = n.add('MaxPool', x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    inputs = 64
    for outputs in (64, 128, 256, 512):
        x = block(n, x, inputs, outputs, 1 if outputs == 64 else 2)
        x = block(n, x, outputs, outputs, 1)
        inputs = outputs
    x = n.add('Flatten', n.add('GlobalAveragePool', x))
    x = dense(n, x, 512, 1000)
    return n.finish(x, ['batch', 3, size, size], ['batch', 1000]), [n.input(batch, 3, size, size)]


# ---- the transformer

WIDTH, HEADS, HIDDEN = 128, 4, 512


def normalise(n, x):
    return n.add('LayerNormalization', x, n.vector(WIDTH, 1.0), n.vector(WIDTH), axis=-1)


def linear(n, x, inputs, outputs):
    return n.add('Add', n.add('MatMul', x, n.weight(inputs, outputs)), n.vector(outputs))


def heads(n, x, order):
    shape = n.constant(numpy.array([0, 0, HEADS, WIDTH // HEADS]))
    return n.add('Transpose', n.add('Reshape', linear(n, x, WIDTH, WIDTH), shape), perm=order)


def attention(n, x):
    query, value = heads(n, x, [0, 2, 1, 3]), heads(n, x, [0, 2, 1, 3])
    scores = n.add('MatMul', query, heads(n, x, [0, 2, 3, 1]))
    scale = n.constant(numpy.float32(1 / numpy.sqrt(WIDTH // HEADS)))
    shares = n.add('Softmax', n.add('Mul', scores, scale), axis=-1)
    mixed = n.add('Transpose', n.add('MatMul', shares, value), perm=[0, 2, 1, 3])
    mixed = n.add('Reshape', mixed, n.constant(numpy.array([0, 0, WIDTH])))
    return linear(n, mixed, WIDTH, WIDTH)


def gelu(n, x):
    half, one = (n.constant(numpy.float32(v)) for v in (0.5, 1))
    erf = n.add('Erf', n.add('Mul', x, n.constant(numpy.float32(numpy.sqrt(0.5)))))
    return n.add('Mul', n.add('Mul', x, half), n.add('Add', erf, one))


def transformer(batch=2, tokens=64):
    """Two layers of an encoder, normalised before each part."""
    n = Network(3)
    x = 'x'
    for _ in range(2):
        x = n.add('Add', x, attention(n, normalise(n, x)))
        y = gelu(n, linear(n, normalise(n, x), WIDTH, HIDDEN))
        x = n.add('Add', x, linear(n, y, HIDDEN, WIDTH))
    shape = ['batch', 'tokens', WIDTH]
    return n.finish(normalise(n, x), shape, shape), [n.input(batch, tokens, WIDTH)]


def identity():
    """What a call costs besides the work."""
    n = Network(4)
    return n.finish(n.add('Identity', 'x'), [1, 10], [1, 10]), [n.input(1, 10)]


NETWORKS = [mlp, cnn, transformer]
