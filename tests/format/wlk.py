"""A reader and a writer of .wlk files, version 1, made from docs/format.md alone.

    model = read(data, [public_key])       raises WlkError
    data = write(model, secret_key)        the canonical file

It exists to hold the C implementation against it, so it shares no code with it and
prefers plainness to speed.
"""
import base64
import ctypes
import hashlib
import struct
from dataclasses import dataclass, field

import nacl.exceptions
import nacl.signing
import numpy as np

import wlk_header
from wlk_header import DTYPE_BITS, HEADER_AT, WlkError, element_count

CONSTANT = b'\xc4\xfe\x89WLK\r\n\x1a\n'
FIELDS = struct.Struct('<10sHBBQQQQ32s32s8s64s74s')
SIGNED = slice(2, 118)
CONTEXT = b'weighlock envelope v1\0'
DIGEST_BYTES = 32
DATA_ALIGN = 4096
TENSOR_ALIGN = 64
MAX_SLACK = 65536
CHUNK_LOG2 = 20
BLOCK = 1 << 20  # of a compressed payload

NUMPY_DTYPES = {
    'f64': '<f8', 'f32': '<f4', 'f16': '<f2', 'bf16': '<u2',
    'f8e4m3fn': 'u1', 'f8e5m2': 'u1', 'f8e4m3fnuz': 'u1', 'f8e5m2fnuz': 'u1', 'f8e8m0': 'u1',
    'i64': '<i8', 'i32': '<i4', 'i16': '<i2', 'i8': 'i1',
    'u64': '<u8', 'u32': '<u4', 'u16': '<u2', 'u8': 'u1',
    'bool': 'u1', 'c64': '<c8', 'c128': '<c16',
}


@dataclass
class Tensor:
    """One array. `data` is flat: a numpy array in row-major order (the codes as
    integers where numpy has no such type), a list of str, or a block's bytes."""
    name: str
    dtype: str
    shape: list
    data: object
    block: dict = None

    def array(self):
        return np.asarray(self.data, dtype=object if self.dtype == 'str' else None
                          ).reshape(self.shape)


@dataclass
class Model:
    """A file's content: `header` is the header map without its tensors."""
    header: dict
    tensors: list = field(default_factory=list)
    key_id: bytes = bytes(8)  # who signed the file that it was read from
    trusted: bool = False     # a known key, whose signature held
    chunk_log2: int = CHUNK_LOG2

    def tensor(self, name):
        return next(tensor for tensor in self.tensors if tensor.name == name)


# ---- keys, in minisign's files

@dataclass(frozen=True)
class PublicKey:
    number: bytes
    key: bytes

    def verify(self, message, signature):
        nacl.signing.VerifyKey(self.key).verify(message, signature)

    def text(self):
        shown = self.number[::-1].hex().upper()
        packed = base64.b64encode(b'Ed' + self.number + self.key).decode()
        return f'untrusted comment: minisign public key {shown}\n{packed}\n'


@dataclass(frozen=True)
class SecretKey:
    number: bytes
    seed: bytes

    def sign(self, message):
        return nacl.signing.SigningKey(self.seed).sign(message).signature

    def public(self):
        return PublicKey(self.number, bytes(nacl.signing.SigningKey(self.seed).verify_key))

    def text(self):
        packed = base64.b64encode(b'Ed\0\0B2' + bytes(48) + self.number + self.seed +
                                  self.public().key + bytes(32)).decode()
        return f'untrusted comment: minisign encrypted secret key\n{packed}\n'


def key_file_bytes(text, length):
    lines = text.splitlines()
    if len(lines) != 2 or not lines[0].startswith('untrusted comment: '):
        raise ValueError('not a minisign key file')
    data = base64.b64decode(lines[1], validate=True)
    if len(data) != length or data[:2] != b'Ed':
        raise ValueError('not a minisign key')
    return data


def public_key(text):
    data = key_file_bytes(text, 42)
    return PublicKey(data[2:10], data[10:])


def secret_key(text):
    data = key_file_bytes(text, 158)
    if data[2:6] != b'\0\0B2':
        raise ValueError('the secret key is encrypted')
    key = SecretKey(data[54:62], data[62:94])
    checksum = hashlib.blake2b(data[:2] + data[54:126], digest_size=32).digest()
    if data[94:126] != key.public().key or data[126:] not in (bytes(32), checksum):
        raise ValueError('the secret key is damaged')
    return key


# ---- compressed payloads (section 4.6)

ZSTD = ctypes.CDLL('libzstd.so.1')
for name in ('ZSTD_compressBound', 'ZSTD_compress', 'ZSTD_decompress',
             'ZSTD_findFrameCompressedSize'):
    getattr(ZSTD, name).restype = ctypes.c_size_t


def size_t(number):
    return ctypes.c_size_t(number)


def width_of(dtype):
    bits = DTYPE_BITS[dtype]
    return bits // 8 if bits >= 8 else 1


def moved_apart(block, width):
    whole = len(block) // width * width
    planes = np.frombuffer(block[:whole], dtype='u1').reshape(-1, width).T
    return planes.tobytes() + block[whole:]


def moved_together(block, width):
    whole = len(block) // width * width
    elements = np.frombuffer(block[:whole], dtype='u1').reshape(width, -1).T
    return elements.tobytes() + block[whole:]


def frame_of(block, level=9):
    room = ctypes.create_string_buffer(ZSTD.ZSTD_compressBound(size_t(len(block))))
    length = ZSTD.ZSTD_compress(room, size_t(len(room)), block, size_t(len(block)), level)
    return room.raw[:length]


def pack(plain, dtype):
    """A payload as it is compressed, or None where it stays raw."""
    frames = [frame_of(moved_apart(plain[i:i + BLOCK], width_of(dtype)))
              for i in range(0, len(plain), BLOCK)]
    packed = struct.pack(f'<Q{len(frames)}I', len(plain), *map(len, frames)) + b''.join(frames)
    return packed if len(plain) > 512 and len(packed) < len(plain) else None


def header_of_frame(length):
    """How a frame begins: magic, descriptor, content size."""
    flag, size = ((0, struct.pack('<B', length)) if length < 256 else
                  (1, struct.pack('<H', length - 256)) if length < 65792 else
                  (2, struct.pack('<I', length)))
    return b'\x28\xb5\x2f\xfd' + bytes([flag << 6 | 0x20]) + size


def decode_frame(frame, length, at):
    out = ctypes.create_string_buffer(length)
    whole = frame.startswith(header_of_frame(length)) and ZSTD.ZSTD_findFrameCompressedSize(
        frame, size_t(len(frame))) == len(frame)
    if not whole or ZSTD.ZSTD_decompress(out, size_t(length), frame, size_t(len(frame))) != length:
        raise WlkError('P5', 'a frame does not give its block', at)
    return out.raw


def unpack(data, entry, at):
    """The plain payload of a tensor's compressed one at offset `at`."""
    dtype = entry['dtype']
    plain = int.from_bytes(data[:8], 'little')
    count = -(-plain // BLOCK)
    refuse_unless(len(data) >= 8 and plain > 512 and plain > len(data), 'P5', 'length', at)
    refuse_unless(8 + 4 * count <= len(data), 'P5', 'no room for the lengths', at)
    lengths = struct.unpack_from(f'<{count}I', data, 8)
    refuse_unless(8 + 4 * count + sum(lengths) == len(data), 'P5', 'frames do not tile', at)
    wlk_header.check_plain(entry, plain, at)
    blocks, position = [], 8 + 4 * count
    for i, length in enumerate(lengths):
        block = decode_frame(data[position:position + length], min(BLOCK, plain - i * BLOCK),
                             at + position)
        blocks.append(moved_together(block, width_of(dtype)))
        position += length
    return b''.join(blocks)


# ---- payloads

def pack_bits(codes, bits):
    """Section 4.2: element i takes bits [i*bits, (i+1)*bits), lowest first."""
    spread = (np.asarray(codes, dtype='u1')[:, None] >> np.arange(bits, dtype='u1')) & 1
    return np.packbits(spread.ravel(), bitorder='little').tobytes()


def unpack_bits(data, bits, count):
    """The codes, and whether the bits behind them are zero."""
    stream = np.unpackbits(np.frombuffer(data, dtype='u1'), bitorder='little')
    used = stream[:count * bits].reshape(count, bits)
    codes = (used << np.arange(bits, dtype='u1')).sum(axis=1, dtype='u1')
    return codes, not stream[count * bits:].any()


def pack_strings(strings):
    encoded = [text.encode() for text in strings]
    offsets = np.cumsum([0] + [len(text) for text in encoded], dtype='<u8')
    return offsets.tobytes() + b''.join(encoded)


def unpack_strings(data, count, at):
    offsets = struct.unpack_from(f'<{count + 1}Q', data)
    text = data[8 * (count + 1):]
    if offsets[0] != 0 or offsets[-1] != len(text) or list(offsets) != sorted(offsets):
        raise WlkError('P4', 'string offsets do not ascend to the end of the text', at)
    try:
        return [text[a:b].decode() for a, b in zip(offsets, offsets[1:])]
    except UnicodeDecodeError:
        raise WlkError('P4', 'a string is not UTF-8', at + 8 * (count + 1)) from None


def payload_of(tensor):
    if tensor.dtype == 'block':
        return bytes(tensor.data)
    if tensor.dtype == 'str':
        return pack_strings(tensor.data)
    if DTYPE_BITS[tensor.dtype] < 8:
        return pack_bits(tensor.data, DTYPE_BITS[tensor.dtype])
    return np.asarray(tensor.data).astype(NUMPY_DTYPES[tensor.dtype], copy=False).tobytes()


def tensor_from(entry, data, at):
    """The tensor of a header entry; `data` is its payload, at offset `at` of the file."""
    name, kind, shape = entry['name'], entry['dtype'], entry['shape']
    count, bits = element_count(shape), DTYPE_BITS[entry['dtype']]
    if kind == 'block':
        return Tensor(name, kind, shape, data, entry['block'])
    if kind == 'str':
        return Tensor(name, kind, shape, unpack_strings(data, count, at))
    if bits < 8:
        codes, padded = unpack_bits(data, bits, count)
        if not padded:
            raise WlkError('P3', 'bits behind the last element are not zero', at + len(data) - 1)
        return Tensor(name, kind, shape, codes)
    array = np.frombuffer(data, dtype=NUMPY_DTYPES[kind])
    if kind == 'bool':
        if (array > 1).any():
            raise WlkError('P2', 'a boolean is not 0 or 1', at + int(np.argmax(array > 1)))
        array = array.astype(bool)
    return Tensor(name, kind, shape, array)


# ---- envelope

def digest(data):
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()


def digest_table(data, chunk_log2):
    chunk = 1 << chunk_log2
    return b''.join(digest(data[i:i + chunk]) for i in range(0, len(data), chunk))


def refuse_unless(holds, check, text, offset):
    if not holds:
        raise WlkError(check, text, offset)


@dataclass
class Envelope:
    chunk_log2: int
    codecs: int
    header: bytes
    table: bytes
    slack: bytes
    data: bytes
    data_off: int
    header_digest: bytes
    table_digest: bytes
    key_id: bytes
    signature: bytes


def split(file):
    """E1 to E8: the parts of a file by its envelope; nothing is verified yet."""
    refuse_unless(len(file) >= FIELDS.size, 'E1', 'shorter than the envelope', len(file))
    (constant, version, chunk_log2, codecs, header_len, table_len, data_off, data_len, header_digest,
     table_digest, key_id, signature, zeros) = FIELDS.unpack_from(file)
    refuse_unless(constant == CONSTANT, 'E2', 'wrong magic', 0)
    refuse_unless(version == 1, 'E3', 'wrong version', 10)
    refuse_unless(16 <= chunk_log2 <= 24, 'E4', 'wrong chunk size', 12)
    refuse_unless(codecs <= 1, 'E5', 'codecs', 13)
    refuse_unless(not any(zeros), 'E5', 'not zero', 182)
    refuse_unless(any(key_id) or not any(signature), 'E6', 'a signature without a key', 118)
    table_at = HEADER_AT + header_len
    table_end = table_at + table_len
    refuse_unless(header_len >= 1, 'E7', 'no header', 14)
    chunks = -(-data_len // (1 << chunk_log2))
    refuse_unless(table_len == DIGEST_BYTES * chunks, 'E7', 'wrong length of the table', 22)
    refuse_unless(data_off % DATA_ALIGN == 0 and data_off >= table_end, 'E7', 'wrong place', 30)
    refuse_unless(data_off + data_len == len(file), 'E7', 'wrong end of file', 38)
    refuse_unless(data_off - table_end <= MAX_SLACK, 'E8', 'too much slack', 30)
    return Envelope(chunk_log2, codecs, file[HEADER_AT:table_at], file[table_at:table_end],
                    file[table_end:data_off], file[data_off:], data_off, header_digest,
                    table_digest, key_id, signature)


def verify(file, envelope, public_keys):
    """D0 to D4; returns whether a known key signed the file."""
    known = [key for key in public_keys if key.number == envelope.key_id and any(key.number)]
    for key in known:
        try:
            key.verify(CONTEXT + file[SIGNED], envelope.signature)
        except nacl.exceptions.BadSignatureError:
            raise WlkError('D0', 'the signature does not hold', 118) from None
    refuse_unless(digest(envelope.header) == envelope.header_digest, 'D1', 'header', 46)
    refuse_unless(digest(envelope.table) == envelope.table_digest, 'D2', 'digest table', 78)
    refuse_unless(not any(envelope.slack), 'D3', 'slack is not zero',
                  envelope.data_off - len(envelope.slack))
    refuse_unless(digest_table(envelope.data, envelope.chunk_log2) == envelope.table, 'D4',
                  'data', envelope.data_off)
    return bool(known)


def seal(file, key=None):
    """The same file signed by `key`, or unsigned. Checks nothing."""
    file = bytearray(file)
    file[110:182] = bytes(72)
    if key:
        file[110:118] = key.number
        file[118:182] = key.sign(CONTEXT + bytes(file[SIGNED]))
    return bytes(file)


def assemble(header, data, key=None, chunk_log2=CHUNK_LOG2, slack=0, codecs=0):
    """A file of these encoded parts, `slack` bytes longer than need be. Checks nothing."""
    table = digest_table(data, chunk_log2)
    table_end = HEADER_AT + len(header) + len(table)
    data_off = -(-(table_end + slack) // DATA_ALIGN) * DATA_ALIGN
    envelope = FIELDS.pack(CONSTANT, 1, chunk_log2, codecs, len(header), len(table), data_off,
                           len(data), digest(header), digest(table), bytes(8), bytes(64),
                           bytes(74))
    zeros = bytes(data_off - table_end)
    return seal(envelope + header + table + zeros + data, key)


# ---- whole files

def lay_out(tensors, compress=False):
    """The header entries and the data of some tensors."""
    entries, data = [], b''
    for tensor in tensors:
        data += bytes(-len(data) % TENSOR_ALIGN)
        payload = payload_of(tensor)
        packed = pack(payload, tensor.dtype) if compress else None
        payload = packed or payload
        entry = {'codec': 'zstd' if packed else 'raw', 'dtype': tensor.dtype, 'name': tensor.name,
                 'nbytes': len(payload), 'offset': len(data), 'shape': list(tensor.shape)}
        entries.append({**entry, **({'block': tensor.block} if tensor.block else {})})
        data += payload
    return entries, data


def write(model, secret_key=None, compress=False):
    """The canonical file of a model (section 6)."""
    entries, data = lay_out(model.tensors, compress)
    header = wlk_header.encode({**model.header, 'tensors': entries})
    file = assemble(header, data, secret_key,
                    codecs=int(any(entry['codec'] == 'zstd' for entry in entries)))
    read(file)
    return file


def read(file, public_keys=()):
    """The model in a file's bytes. A signature by one of public_keys must hold."""
    file = bytes(file)
    envelope = split(file)
    trusted = verify(file, envelope, public_keys)
    header, end = wlk_header.decode(envelope.header)
    refuse_unless(len(envelope.data) == end, 'T5', 'data does not end with the last tensor', 38)
    entries = header.pop('tensors')
    refuse_unless(any(entry['codec'] == 'zstd' for entry in entries) == bool(envelope.codecs),
                  'T7', 'the envelope says otherwise of codecs', 13)
    tensors, position = [], 0
    for entry in entries:
        at, length = entry['offset'], entry['nbytes']
        refuse_unless(not any(envelope.data[position:at]), 'P1', 'not zero between tensors',
                      envelope.data_off + position)
        position = at + length
        payload, place = envelope.data[at:position], envelope.data_off + at
        if entry['codec'] == 'zstd':
            payload = unpack(payload, entry, place)
        tensors.append(tensor_from(entry, payload, place))
    return Model(header, tensors, envelope.key_id, trusted, envelope.chunk_log2)

