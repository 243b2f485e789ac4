"""Pickles, opcode by opcode.

    data, at = assemble(('PROTO', 4), 'EMPTY_LIST', HERE, ('GLOBAL', 'os', 'system'), 'STOP')

Items are an opcode's name, a tuple of it and its arguments, bytes that are taken as they are,
and lists of items. `at` is where HERE stood: the offset of what a reader should refuse."""
import pickletools
import struct

HERE = object()
CODES = {opcode.name: opcode.code.encode('latin1') for opcode in pickletools.opcodes}

# How what follows the opcode is written: a number of that form, or that many bytes.
NUMBERS = {'PROTO': '<B', 'BININT': '<i', 'BININT1': '<B', 'BININT2': '<H', 'BINFLOAT': '>d',
           'BINGET': '<B', 'BINPUT': '<B', 'LONG_BINGET': '<I', 'LONG_BINPUT': '<I',
           'EXT1': '<B', 'EXT2': '<H', 'EXT4': '<i', 'FRAME': '<Q'}
LENGTHS = {'BINSTRING': '<i', 'SHORT_BINSTRING': '<B', 'BINUNICODE': '<I',
           'SHORT_BINUNICODE': '<B', 'BINUNICODE8': '<Q', 'BINBYTES': '<I', 'SHORT_BINBYTES': '<B',
           'BINBYTES8': '<Q', 'BYTEARRAY8': '<Q', 'LONG1': '<B', 'LONG4': '<i'}


def as_bytes(value):
    return value if isinstance(value, bytes) else str(value).encode('utf-8', 'surrogatepass')


def opcode(name, *arguments, length=None):
    """One opcode. `length` is what is written instead of the true one."""
    code = CODES[name]
    if name in NUMBERS:
        return code + struct.pack(NUMBERS[name], *arguments)
    if name in LENGTHS:
        data = as_bytes(*arguments)
        return code + struct.pack(LENGTHS[name], len(data) if length is None else length) + data
    return code + b''.join(as_bytes(argument) + b'\n' for argument in arguments)


def flatten(items):
    for item in items:
        if isinstance(item, list):
            yield from flatten(item)
        elif isinstance(item, str):
            yield opcode(item)
        elif isinstance(item, tuple):
            yield opcode(*item)
        else:
            yield item


def assemble(*items):
    out, at = bytearray(), None
    for item in flatten(items):
        if item is HERE:
            at = len(out)
        else:
            out += item
    return bytes(out), at


def code(*items):
    """The bytes alone."""
    return assemble(*items)[0]


def text(value):
    data = as_bytes(value)
    return ('SHORT_BINUNICODE', data) if len(data) < 256 else ('BINUNICODE', data)


def number(value):
    """A whole number in its shortest form."""
    if 0 <= value < 256:
        return ('BININT1', value)
    if -2**31 <= value < 2**31:
        return ('BININT', value)
    return ('LONG1', value.to_bytes(value.bit_length() // 8 + 1, 'little', signed=True))


def named(module, name):
    return [text(module), text(name), 'STACK_GLOBAL']


def tuple_of(*items):
    return ['MARK', *items, 'TUPLE']


def dict_of(*pairs):
    return ['EMPTY_DICT', 'MARK', [[text(key), value] for key, value in pairs], 'SETITEMS']


def list_of(*items):
    return ['EMPTY_LIST', 'MARK', *items, 'APPENDS']


def framed(*items, length=None):
    """A frame around the items; of which length may be a lie."""
    body = code(*items)
    return [('FRAME', len(body) if length is None else length), body]


# ---- numpy

LATIN1 = named('_codecs', 'encode')


def dtype(name='f8', order='<', names='NONE', fields='NONE', size=-1, alignment=-1, flags=0,
          subarray='NONE', version=3, metadata=None):
    state = [number(version), text(order), subarray, names, fields, number(size),
             number(alignment), number(flags)]
    state += [] if metadata is None else [metadata]
    return [named('numpy', 'dtype'), text(name), 'NEWFALSE', 'NEWTRUE', 'TUPLE3', 'REDUCE',
            tuple_of(*state), 'BUILD']


OBJECTS = dtype('O8', '|', flags=63)


def array(shape, of=None, elements=b'', fortran='NEWFALSE', version=1):
    """By _reconstruct and BUILD. Elements are bytes, or an item that makes them."""
    elements = ('BINBYTES', elements) if isinstance(elements, bytes) else elements
    return [named('numpy.core.multiarray', '_reconstruct'), named('numpy', 'ndarray'),
            number(0), 'TUPLE1', ('SHORT_BINBYTES', b'b'), 'TUPLE3', 'REDUCE',
            tuple_of(number(version), tuple_of(*map(number, shape)), of or dtype(), fortran,
                     elements), 'BUILD']


def buffer_array(shape, of=None, elements=b'', order='C'):
    return [named('numpy.core.numeric', '_frombuffer'),
            tuple_of(('BYTEARRAY8', elements), of or dtype(), tuple_of(*map(number, shape)),
                     text(order)), 'REDUCE']


# ---- joblib

def wrapper(shape, of=None, order='C', alignment=16, subclass=None, more=(), name='NumpyArrayWrapper',
            module='joblib.numpy_pickle'):
    """All but what follows BUILD. An alignment of None is left out."""
    pairs = [('subclass', subclass or named('numpy', 'ndarray')),
             ('shape', tuple_of(*map(number, shape))), ('order', text(order)),
             ('dtype', of or dtype()), ('allow_mmap', 'NEWTRUE')]
    if alignment is not None:
        pairs.append(('numpy_array_alignment_bytes', number(alignment)))
    return [named(module, name), 'EMPTY_TUPLE', 'NEWOBJ', dict_of(*pairs, *more), 'BUILD']


def wrapped(shape, elements, pad=b'\xff\xff', **options):
    return [wrapper(shape, **options), bytes([len(pad)]), pad, elements]
