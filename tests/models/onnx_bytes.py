"""ONNX files, byte by byte: as much of onnx.proto as the example needs. No package writes
it, so that the same bytes come out whatever is installed."""
import struct

FLOAT, STRING = 1, 8  # TensorProto.DataType
ATTRIBUTE_TYPES = {'f': 1, 'i': 2, 's': 3, 'floats': 6, 'ints': 7, 'strings': 8}


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def body(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def attribute(name, value):
    """Strings, integers and lists of floats, integers or strings."""
    if isinstance(value, str):
        kind, content = 's', body(4, value)
    elif isinstance(value, int):
        kind, content = 'i', number(3, value)
    elif isinstance(value[0], str):
        kind, content = 'strings', b''.join(body(9, text) for text in value)
    elif isinstance(value[0], float):
        kind, content = 'floats', body(7, struct.pack(f'<{len(value)}f', *value))
    else:
        kind, content = 'ints', body(8, b''.join(map(varint, value)))
    return body(1, name) + content + number(20, ATTRIBUTE_TYPES[kind])


def node(op, domain, inputs, outputs, attributes):
    return (b''.join(body(1, name) for name in inputs) +
            b''.join(body(2, name) for name in outputs) + body(4, op) +
            b''.join(body(5, attribute(*item)) for item in attributes.items()) + body(7, domain))


def tensor_type(dtype, shape):
    """A dimension is a number, or the name of one that is not known."""
    dims = b''.join(body(1, body(2, d) if isinstance(d, str) else number(1, d)) for d in shape)
    return body(1, number(1, dtype) + body(2, dims))


def maps_type(key, value):
    """A sequence of maps from `key` to scalars of the type `value`."""
    return body(4, body(1, body(5, number(1, key) + body(2, tensor_type(value, ())))))


def value(name, kind):
    return body(1, name) + body(2, kind)


def model(name, nodes, inputs, outputs, opsets, producer, properties):
    graph = (b''.join(body(1, item) for item in nodes) + body(2, name) +
             b''.join(body(11, item) for item in inputs) +
             b''.join(body(12, item) for item in outputs))
    return (number(1, 8) + body(2, producer) + body(7, graph) +
            b''.join(body(8, (body(1, domain) if domain else b'') + number(2, version))
                     for domain, version in opsets.items()) +
            b''.join(body(14, body(1, key) + body(2, text))
                     for key, text in properties.items()))


# ---- what tests put together besides

INT64 = 7


def sequence_type(element):
    return body(4, body(1, element))


def optional_type(element):
    return body(9, body(1, element))


def tensor(name, dtype, shape, content):
    """Its elements as raw bytes."""
    return (b''.join(number(1, d) for d in shape) + number(2, dtype) + body(8, name) +
            body(9, content))


def plain_model(nodes, inputs, outputs, initializers=(), opset=17):
    """Of ai.onnx alone; nodes are (operator, inputs, outputs, attributes), the others as
    `value` and `tensor` give them."""
    graph = (b''.join(body(1, node(op, '', ins, outs, attributes))
                      for op, ins, outs, attributes in nodes) + body(2, 'g') +
             b''.join(body(5, item) for item in initializers) +
             b''.join(body(11, item) for item in inputs) +
             b''.join(body(12, item) for item in outputs))
    return number(1, 8) + body(7, graph) + body(8, number(2, opset))
