"""Hostile files of joblib and numpy, compressed ones, and those that are several formats."""
import bz2
import gzip
import io
import lzma
import struct
import zlib

import numpy

from assembler import (HERE, OBJECTS, array, assemble, buffer_array, code, dict_of, dtype, list_of,
                       named, number, text, tuple_of, wrapped, wrapper)
from cases import ANYWHERE, NOWHERE, Table
from containers import (CODECS, LZ4_MAGIC, alone, flipped, lz4, lz4_bomb, lz4_header, xz, zf,
                        zip_member)

EIGHT = bytes(8)
STRING = dtype('S5', '|', size=5, alignment=1)


def joblib():
    rows = Table('joblib')

    def file(name, rule, *items):
        rows.stream(name, rule, *items, 'STOP', protocol=4)
    tail = wrapper((1,))
    for name, shape in [('huge', (10**12,)), ('that wraps', (2**32, 2**32)), ('that wraps to 8', (2**61 + 1,
        8))]:
        if 'wraps' in name:
            file(f'shape {name}', 'numpy.array', wrapper(shape), b'\0', EIGHT)
        else:
            file(f'shape {name}', 'pickle.truncated', wrapper(shape), b'\0', HERE, EIGHT)
    for name, shape in [('negative', [-1]), ('of 40 dimensions', [1] * 40), ('beyond 63 bits', [2**63])]:
        file(f'shape {name}', 'numpy.array', wrapper(shape), b'\0', EIGHT)
    file('elements cut off', 'pickle.truncated', wrapper((2,)), b'\0', HERE, EIGHT)
    file('pad beyond the end', 'pickle.truncated', tail, HERE, b'\xff', b'\xff' * 9)
    file('pad with opcodes', 'joblib.wrapper', tail, b'\x05', b'\xff\xffcos', EIGHT)
    file('order of neither', 'joblib.wrapper', wrapped((1,), EIGHT, order='K'))
    file('alignment 0', 'joblib.wrapper', wrapped((1,), EIGHT, alignment=0))
    file('alignment beyond a byte', 'joblib.wrapper', wrapped((1,), EIGHT, alignment=4096))
    file('another class', 'joblib.wrapper', wrapped((1,), EIGHT, subclass=named('builtins', 'set')))
    file('class that is not allowed', 'pickle.global', wrapped(
        (1,), EIGHT, subclass=[text('os'), text('system'), HERE, 'STACK_GLOBAL']))
    file('another key', 'joblib.wrapper', wrapped((1,), EIGHT, more=[('filename', text('/etc/passwd'))]))
    file('a key twice', 'joblib.wrapper', wrapped((1,), EIGHT, more=[('shape', tuple_of(number(1)))]))
    file('no state', 'pickle.type', named('joblib.numpy_pickle', 'NumpyArrayWrapper'), 'EMPTY_TUPLE',
         'NEWOBJ', 'EMPTY_LIST', HERE, 'BUILD')
    file('an empty state', 'joblib.wrapper', named('joblib.numpy_pickle', 'NumpyArrayWrapper'), 'EMPTY_TUPLE',
         'NEWOBJ', 'EMPTY_DICT', 'BUILD')
    file('never built', 'pickle.value', named('joblib.numpy_pickle', 'NumpyArrayWrapper'), 'EMPTY_TUPLE', HERE,
         'NEWOBJ')
    file('made with arguments', 'pickle.call', named('joblib.numpy_pickle', 'NumpyArrayWrapper'),
         tuple_of(text('a')), HERE, 'NEWOBJ')
    file('used again', 'pickle.type', named('joblib.numpy_pickle', 'NumpyArrayWrapper'), 'EMPTY_TUPLE',
         'NEWOBJ', ('BINPUT', 9), code(wrapper((1,)))[len(code(
             named('joblib.numpy_pickle', 'NumpyArrayWrapper'), 'EMPTY_TUPLE', 'NEWOBJ')):], b'\0', EIGHT,
         HERE, ('BINGET', 9), 'TUPLE2')
    file('built before, by a copy', 'pickle.type', named('joblib.numpy_pickle', 'NumpyArrayWrapper'),
         'EMPTY_TUPLE', 'NEWOBJ', 'DUP', code(wrapper((1,)))[len(code(
             named('joblib.numpy_pickle', 'NumpyArrayWrapper'), 'EMPTY_TUPLE', 'NEWOBJ')):], b'\0', EIGHT,
         'POP', 'EMPTY_DICT', HERE, 'BUILD')
    file('elements that are times', 'numpy.dtype-unsupported', wrapped((1,), EIGHT, of=dtype('M8',
        metadata=tuple_of(
        'NONE', tuple_of(('BINBYTES', b'ns'), number(1), number(1), number(1))), version=4)))
    file('truth values that are none', 'numpy.array', wrapped((1,), b'\2', of=dtype('b1', '|')))
    nested = [array((1,), OBJECTS, list_of(number(1))), 'STOP']
    objects = wrapper((1,), OBJECTS, alignment=None)
    file('objects of another shape', 'joblib.wrapper', wrapper((2,), OBJECTS, alignment=None), nested)
    file('objects that are a number', 'joblib.wrapper', objects, number(1), 'STOP')
    file('objects that are cut off', 'pickle.stack', objects, HERE)
    file('objects with memo from without', 'pickle.memo', text('a'), ('BINPUT', 5), 'POP', objects, HERE,
         ('BINGET', 5), 'STOP')
    file('objects in which joblib goes on', 'joblib.wrapper', objects, wrapped((1,), EIGHT), 'STOP')
    file('payload behind objects', 'pickle.global', objects, nested, HERE, ('GLOBAL', 'os', 'system'))
    for name in 'NDArrayWrapper', 'ZNDArrayWrapper':
        for target in '../../etc/passwd', 'model_01.npy':
            file(f'{name} of {target}', 'joblib.companion',
                 named('joblib.numpy_pickle', name), HERE, 'EMPTY_TUPLE', 'NEWOBJ',
                 dict_of(('filename', text(target)), ('subclass', named('numpy', 'ndarray')),
                         ('allow_mmap', 'NEWTRUE')), 'BUILD')
            rows[-1].offset = rows[-1].offset + 1  # NEWOBJ
    data, at = assemble(('PROTO', 4), objects, HERE, nested, 'STOP')
    rows.file('objects, which are forbidden', 'limit.pickle-depth', at, data, ['pickle_depth=0'])
    rows.taken('array', wrapped((2, 3), bytes(48)), 'STOP', protocol=4)
    rows.taken('array without a pad byte', wrapper((1,), alignment=None), EIGHT, 'STOP', protocol=4)
    rows.taken('array behind the longest pad', wrapped((1,), EIGHT, pad=b'\xff' * 255), 'STOP', protocol=4)
    rows.taken('objects', objects, nested, 'STOP', protocol=4)
    return rows


def dtypes():
    """dtypes that lie, and states of arrays that do not fit them."""
    rows = Table('dtypes')

    def of(name, rule, item, elements=EIGHT, count=1):
        rows.stream(name, rule, array((count,), item, elements), 'STOP')
    field = ['EMPTY_DICT', text('a'), tuple_of(dtype(), number(0)), 'SETITEM']

    def record(names=('a',), fields=field, size=8, **options):
        return dtype(f'V{size}', '|', tuple_of(*map(text, names)), fields, size, 1, 16, **options)

    def at(offset, item=None):
        return ['EMPTY_DICT', text('a'), tuple_of(item or dtype(), number(offset)), 'SETITEM']
    for name, item in [
            ('objects called numbers', dtype(flags=63)), ('numbers called objects', dtype('O8', '|', flags=0)),
            ('another size', dtype(size=4)), ('a negative size', dtype(size=-8)),
            ('a letter of none', dtype('z8')), ('f7', dtype('f7')), ('f0', dtype('f0')), ('no size',
                dtype('f')),
            ('size beyond 32 bits', dtype('S99999999999')), ('a blank', dtype('f8 ')), ('a list',
                dtype('f8,f8')),
            ('order of none', dtype(order='?')), ('no order', dtype(order='|')), ('an empty name', dtype('')),
            ('version 9', dtype(version=9)), ('S5 of 4', dtype('S5', '|', size=4, alignment=1)),
            ('alignment 3', dtype('S5', '|', size=5, alignment=3)),
            ('names without fields', dtype('V8', '|', tuple_of(text('a')), 'NONE', 8, 1, 16)),
            ('fields of a number', dtype(names=tuple_of(text('a')), fields=field)),
            ('field beyond the end', record(fields=at(1))), ('field far away', record(fields=at(10**9))),
            ('negative field', record(fields=at(-8))), ('field that is no dtype', record(fields=at(0, 'NONE'))),
            ('field of another name', record(names=('b',))), ('two names of one', record(names=('a', 'a')))]:
        of(name, 'numpy.dtype', item)
    for name, item in [
            ('long double', dtype('f16')), ('U that wraps', dtype('U1073741824', size=0, alignment=4)),
                ('text of 2 GiB', dtype('S2147483647', '|', size=2147483647, alignment=1)),
            ('elements that are arrays', dtype('V8', '|', size=8, alignment=1,
                subarray=tuple_of(dtype('f4'), number(2)))),
            ('objects in a structure', record(fields=at(0, OBJECTS))),
            ('a title', record(fields=['EMPTY_DICT', text('a'), tuple_of(dtype(), number(0), text('b')),
                'SETITEM'])),
            ('a structure', record()), ('nothing known', dtype('V8', '|', size=8, alignment=1)),
            ('by a class', [named('numpy', 'dtype'), named('numpy', 'float64'), 'NEWFALSE', 'NEWTRUE',
                'TUPLE3', 'REDUCE']),
            ('days', dtype('M8', metadata=tuple_of('NONE', tuple_of(('BINBYTES', b'D'), number(1),
                number(1), number(1))), version=4))]:
        of(name, 'numpy.dtype-unsupported', item)
    of('not built', 'numpy.dtype', [named('numpy', 'dtype'), text('f8'), 'NEWFALSE', 'NEWTRUE', 'TUPLE3',
        'REDUCE'])
    of('built twice', 'numpy.dtype', [dtype(), tuple_of(*[number(3),
        text('<')] + ['NONE'] * 3 + [number(-1)] * 2 + [number(0)]), 'BUILD'])
    of('a text', 'numpy.dtype', text('f8'))
    for name, elements, count in [('too few elements', EIGHT, 2), ('too many', bytes(24), 2), ('none', b'', 1)]:
        of(name, 'numpy.size', dtype(), elements, count)
    of('S0', 'numpy.size', dtype('S0', '|', size=0, alignment=1), b'', 10**12)
    of('V0', 'numpy.size', dtype('V0', '|', size=0, alignment=1), b'', 2**62)
    of('objects in bytes', 'numpy.array', OBJECTS)
    of('numbers in a list', 'numpy.array', dtype(), list_of(number(1)))
    of('objects fewer', 'numpy.size', OBJECTS, list_of(number(1)), 2)
    of('text that is no text', 'numpy.text', dtype('U1', size=4, alignment=4), b'\xff\xff\xff\xff')
    for name, shape in [('wraps', (2**32, 2**32)), ('wraps to 8', (2**61 + 1, 8)), ('is negative', (-1,)),
                        ('with a zero wraps', (2**62, 2**62, 0))]:
        rows.stream(f'shape {name}', 'numpy.array', array(shape, elements=EIGHT), 'STOP')
        rows.stream(f'shape {name}, from a buffer', 'numpy.array', buffer_array(shape, elements=EIGHT), 'STOP')
    rows.stream('shape beyond all', 'numpy.size', array((2**40,), elements=EIGHT), 'STOP')
    rows.stream('nine dimensions', 'limit.rank', array((1,) * 9, elements=EIGHT), 'STOP')
    rows.stream('order of neither', 'numpy.array', buffer_array((1,), elements=EIGHT, order='A'), 'STOP')
    rows.stream('objects from a buffer', 'numpy.array', buffer_array((1,), OBJECTS, EIGHT), 'STOP')
    rows.stream('state of version 2', 'numpy.array', array((1,), elements=EIGHT, version=2), 'STOP')
    rows.stream('array that is not built', 'numpy.array', named('numpy.core.multiarray', '_reconstruct'),
        named('numpy', 'ndarray'),
                tuple_of(number(2**40)), ('SHORT_BINBYTES', b'b'), 'TUPLE3', HERE, 'REDUCE', 'STOP')
    rows.stream('scalar of objects', 'numpy.array', named('numpy.core.multiarray', 'scalar'), OBJECTS,
                ('BINBYTES', b'cos\nsystem\n.'), 'TUPLE2', 'REDUCE', 'STOP')
    rows.stream('scalar of other bytes', 'numpy.size', named('numpy.core.multiarray', 'scalar'), dtype(),
                ('BINBYTES', b'abc'), 'TUPLE2', 'REDUCE', 'STOP')
    chain = [dtype('V8', '|', tuple_of(text('a')), field, 8, 1, 16)]
    for _ in range(3000):
        chain = [chain[0], ('BINPUT', 7), 'POP'] if len(chain) == 1 else chain
        chain += [dtype('V8', '|', tuple_of(text('a')), at(0, ('BINGET', 7)), 8, 1, 16), ('BINPUT', 7), 'POP']
    rows.stream('structures in each other', 'numpy.dtype-unsupported', chain, array((1,), ('BINGET', 7),
        EIGHT), 'STOP')
    rows.taken('big-endian', array((1,), dtype(order='>'), EIGHT), 'STOP')
    rows.taken('empty', array((0, 2**40), elements=b''), 'STOP')
    rows.taken('texts', array((1,), STRING, b'abc\0\0'), 'STOP')
    rows.taken('from a buffer', buffer_array((1,), elements=EIGHT), 'STOP', protocol=5)
    return rows


def npy(header, body=EIGHT, version=1, length=None):
    said = header if isinstance(header, bytes) else header.encode()
    form = '<H' if version == 1 else '<I'
    return b'\x93NUMPY' + bytes([version, 0]) + struct.pack(form,
        len(said) if length is None else length) + said + body


def numpy_files():
    rows = Table('npy')

    def header(descr="'<f8'", fortran='False', shape='(1,)', more=''):
        text_of = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, {more}}}"
        return text_of.ljust(117) + '\n'
    for name, made in [
            ('an expression', "__import__('os').system('id')\n".rjust(60)),
            ('a call in the shape', header(shape="(__import__('os').system('id'),)")),
            ('a lambda', header(more="'x': lambda: 0")), ('another key', header(more="'x': 1")),
            ('a key twice', header(more="'shape': (2,)")), ('a product', header(shape='(10**9,)')),
            ('hexadecimal', header(shape='(0x1,)')), ('a negative shape', header(shape='(-1,)')),
            ('a shape that is a list', header(shape='[1]')), ('order 2', header(fortran='2')),
            ('nothing', '\n'), ('brackets in each other', '(' * 5000 + '\n'), ('no end', "{'descr': '<f8'"),
            ('digits without end', header(shape='(' + '9' * 90 + ',)')), ('zeros', '\0' * 118)]:
        rows.file(name, 'npy.header', ANYWHERE, npy(made))
    rows.file('a header of 4 GiB', 'npy.header', ANYWHERE, npy('', version=2, length=2**32 - 1))
    rows.file('version 9', 'npy.version', ANYWHERE, npy(header(), version=9))
    rows.file('elements cut off', 'npy.truncated', ANYWHERE, npy(header(shape='(2,)')))
    rows.file('elements without end', 'npy.truncated', ANYWHERE, npy(header(shape=f'({2**60},)')))
    rows.file('bytes behind them', 'npy.trailing', len(npy(header())), npy(header(), EIGHT + b'cos\nsystem\n.'))
    rows.file('a shape that wraps', 'tensor.shape', ANYWHERE, npy(header(shape=f'({2**32}, {2**32})')))
    pickled, at = assemble(('PROTO', 4), array((1,), OBJECTS, list_of(text('os'), text('system'), HERE,
        'STACK_GLOBAL')),
                           'STOP')
    start = len(npy(header("'|O'"), b''))
    rows.file('objects that call', 'pickle.global', start + at, npy(header("'|O'"), pickled))
    rows.file('objects of protocol 0 that call', 'pickle.global', start, npy(header("'|O'"),
        b"cos\nsystem\n(S'id'\ntR."))
    one = code(array((1,), OBJECTS, list_of(number(1))), 'STOP')
    rows.file('objects of another shape', 'numpy.array', ANYWHERE, npy(header("'|O'", shape='(2,)'), one))
    rows.file('a second pickle behind objects', 'npy.trailing', start + len(one), npy(header("'|O'"),
        one + b'cos\nsystem\n.'))
    for name, descr in [('structures', "[('a', '<f8')]"), ('a list of lists', "[('a', [('b', '<f8')])]"),
                        ('times', "'<M8[ns]'"), ('long double', "'<f16'"), ('bytes of nothing', "'|V8'"),
                        ('size of none', "'<f7'")]:
        rows.file(name, 'npy.dtype', ANYWHERE, npy(header(descr)))
    out = io.BytesIO()
    numpy.save(out, numpy.arange(6.).reshape(2, 3))
    rows.file('an array', None, NOWHERE, out.getvalue())
    return rows


def packed():
    """Compressed files that lie about what is in them, and bombs."""
    rows = Table('packed')
    small = code(('PROTO', 4), 'EMPTY_LIST', 'STOP')
    for name, pack in CODECS.items():
        whole = pack(small * 1)
        rows.file(f'{name} cut off', 'inflate.truncated', len(whole) - 3, whole[:-3])
        rows.file(f'{name} behind it text', 'inflate.trailing', len(whole), whole + b'hello')
        rows.file(f'{name} is taken', None, NOWHERE, whole)
    for name, pack in [('zlib', zlib.compress), ('gzip', lambda d: gzip.compress(d, mtime=0)), ('bz2',
        bz2.compress), ('xz', xz)]:
        whole = pack(small * 40)
        rows.file(f'{name} with another checksum', 'inflate.data', ANYWHERE, flipped(whole,
            len(whole) - 6 if name == 'gzip' else
                  len(whole) - 1 if name == 'zlib' else len(whole) - 4 if name == 'bz2' else len(whole) - 20))
    zeros = bytes(20 << 20)
    rows.file('zlib bomb', 'limit.inflate-ratio', ANYWHERE, zlib.compress(zeros, 9), ['inflate_ratio=100'])
    rows.file('gzip bomb', 'limit.inflate-ratio', ANYWHERE, gzip.compress(zeros, 9, mtime=0),
        ['inflate_ratio=100'])
    rows.file('bz2 bomb', 'limit.inflate-ratio', ANYWHERE, bz2.compress(zeros * 3))
    rows.file('xz bomb', 'limit.inflate-ratio', ANYWHERE, lzma.compress(zeros * 3, preset=1))
    rows.file('lzma bomb', 'limit.inflate-ratio', ANYWHERE, alone(zeros * 3))
    rows.file('lz4 bomb', 'limit.inflated-bytes', ANYWHERE, lz4_bomb(160), ['inflated_bytes=10000000'])
    rows.file('bomb of many members', 'limit.inflated-bytes', ANYWHERE, zlib.compress(bytes(1 << 20)) * 20,
        ['inflated_bytes=10000000'])
    rows.file('xz of a dictionary of 1.5 GiB', 'limit.inflate-memory', ANYWHERE, dictionary_of_xz(xz(small)))
    rows.file('lzma of a dictionary that it never writes', 'format.unknown', 0,
        alone(small)[:1] + b'\xff\xff\xff\xff' + alone(small)[5:])
    rows.file('lzma of a dictionary of 3 GiB', 'limit.inflate-memory', ANYWHERE,
        alone(small)[:1] + b'\0\0\0\xc0' + alone(small)[5:])
    rows.file('lzma that says 2^60 bytes', 'inflate.data', ANYWHERE, alone(small)[:5] + struct.pack('<Q',
        2**60) + alone(small)[13:])
    rows.file('ZF of 2^60 bytes', 'limit.inflated-bytes', 0, zf(small, 2**60))
    rows.file('ZF of other bytes', 'inflate.header', 0, zf(small, 99))
    for name, said in [('beyond 64 bits', b'0x' + b'f' * 17), ('no digits', b'0x'), ('decimal', b'12'),
        ('negative', b'-0x5'),
                       ('capitals', b'0XA'), ('other letters', b'0xzz')]:
        rows.file(f'ZF of a length {name}', 'inflate.header', 0, zf(small, said))
    rows.file('ZF of half a header', 'inflate.truncated', 10, zf(small)[:10])
    rows.file('lz4 of a bad header checksum', 'inflate.data', ANYWHERE, flipped(lz4(small), 6))
    rows.file('lz4 of a block beyond its size', 'inflate.data', ANYWHERE, lz4_header() + struct.pack('<I',
        2**31 - 1) + small)
    rows.file('lz4 of version 3', 'inflate.data', ANYWHERE, lz4_header(0xe0) + bytes(4))
    rows.file('zlib of a bad block', 'inflate.data', ANYWHERE, b'\x78\x9c\x07' + bytes(20))
    rows.file('zlib with a dictionary', 'format.unknown', 0, b'\x78\xbb' + bytes(20))
    rows.file('zlib of nothing', 'pickle.truncated', NOWHERE, zlib.compress(b''))
    rows.file('one compressed in another', 'pickle.opcode', NOWHERE, gzip.compress(zlib.compress(small),
        mtime=0))
    rows.file('only a magic', 'inflate.truncated', 4, LZ4_MAGIC)
    rows.packed('cut off inside', 'pickle.truncated', ('PROTO', 4), 'EMPTY_LIST')
    rows.packed('two pickles inside', 'pickle.global', ('PROTO', 4), 'NONE', 'STOP', ('GLOBAL', 'os',
        'system'), 'STOP')
    rows.packed('bytes behind it inside', 'pickle.trailing', ('PROTO', 4), 'NONE', 'STOP', bytes(16))
    rows.packed('array cut off inside', 'pickle.truncated', ('PROTO', 4), wrapper((10**9,)), b'\0', EIGHT)
    return rows


def dictionary_of_xz(data):
    """The same with the largest dictionary but one in its block's header."""
    at = data.index(b'\x21\x01') + 2
    header = bytearray(data[12:12 + (data[12] + 1) * 4])
    header[at - 12] = 37
    header[-4:] = struct.pack('<I', zlib.crc32(bytes(header[:-4])))
    return data[:12] + bytes(header) + data[12 + len(header):]


def polyglots():
    rows = Table('polyglots')
    payload = b"cos\nsystem\n(S'id'\ntR."
    harmless = code(('PROTO', 2), 'EMPTY_LIST', 'STOP')
    rows.file('pickle and ZIP', 'pickle.trailing', len(harmless), harmless + zip_member(b'data.pkl', payload))
    rows.file('ZIP of a pickle', 'format.unknown', 0, zip_member(b'archive/data.pkl', payload))
    rows.file('junk before a ZIP', 'format.unknown', 0, b'\n\n' + zip_member(b'data.pkl', payload))
    rows.file('ZIP in a pickle of bytes', None, NOWHERE, code(('PROTO', 4), ('BINBYTES', zip_member(b'a',
        payload)), 'STOP'))
    for name, head in [('PDF', b'%PDF-1.7\n'), ('HTML', b'<html>\n'), ('7z', b'7z\xbc\xaf\x27\x1c'), ('ELF',
        b'\x7fELF\2\1\1'),
                       ('shell', b'#!/bin/sh\n'), ('PNG', b'\x89PNG\r\n\x1a\n'), ('RAR', b'Rar!\x1a\7'),
                           ('GGUF', b'GGUF\3\0\0\0'),
                       ('HDF5', b'\x89HDF\r\n\x1a\n'), ('BOM', b'\xef\xbb\xbf'), ('NUL', b'\0')]:
        rows.file(f'{name} before a pickle', 'format.unknown', 0, head + payload)
    rows.file('npy behind a pickle', 'pickle.trailing', len(harmless), harmless + b'\x93NUMPY\1\0')
    rows.file('pickle behind npy', 'npy.truncated', ANYWHERE, b'\x93NUMPY\1\0\xff\xff' + payload)
    graph = b'\x52\xf0\xa2\x04' + b'.' * 70000
    rows.file('ONNX and pickle', 'format.ambiguous', 0, b'\x42\5\x0a\1\0\x10\x15\x3a\xf4\xa2\x04' + graph)
    rows.file('BINBYTES that begins like bz2', None, NOWHERE, b'BZ\0\0\0' + b'a' * 90 + b'.')
    rows.file('PEM', 'format.unknown', 0, b'-----BEGIN PICKLE-----\n' + payload)
    return rows


def tables():
    return [joblib(), dtypes(), numpy_files(), packed(), polyglots()]
