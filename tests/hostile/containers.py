"""What a pickle can be compressed with, and how such a file can lie."""
import bz2
import gzip
import lzma
import struct
import zlib

LZ4_MAGIC = b'\x04\x22\x4d\x18'
MASK = 0xffffffff


def rotated(value, bits):
    return (value << bits | value >> 32 - bits) & MASK


def xxh32(data):
    """Of fewer than 16 bytes, with seed 0 (the xxHash specification)."""
    value = 374761393 + len(data) & MASK
    words = len(data) // 4 * 4
    for at in range(0, words, 4):
        word, = struct.unpack_from('<I', data, at)
        value = rotated(value + word * 3266489917 & MASK, 17) * 668265263 & MASK
    for byte in data[words:]:
        value = rotated(value + byte * 374761393 & MASK, 11) * 2654435761 & MASK
    for shift, prime in ((15, 2246822519), (13, 3266489917)):
        value = (value ^ value >> shift) * prime & MASK
    return value ^ value >> 16


def lz4_header(flags=0x60, size=0x40):
    """Independent blocks of up to 64 KiB, no checksums."""
    descriptor = bytes([flags, size])
    return LZ4_MAGIC + descriptor + bytes([xxh32(descriptor) >> 8 & 0xff])


def lz4_block(data, stored=True):
    return struct.pack('<I', len(data) | stored << 31) + data


def lz4(data):
    """As blocks that are stored."""
    blocks = b''.join(lz4_block(data[at:at + 65536]) for at in range(0, len(data), 65536))
    return lz4_header() + blocks + bytes(4)


def lz4_run(count):
    """A block of one zero and a match that repeats it `count` times (the LZ4 block format)."""
    extra, last = divmod(count - 19, 255)
    match = b'\x1f\0' + struct.pack('<H', 1) + b'\xff' * extra + bytes([last])
    return lz4_block(match + b'\x50' + bytes(5), stored=False)


def lz4_bomb(blocks):
    """Blocks of nearly 64 KiB of zeros each."""
    return lz4_header() + lz4_run(65000) * blocks + bytes(4)


def zf(data, length=None, spaces=0):
    """joblib before 0.10: the length in hexadecimal, padded with spaces, then zlib."""
    said = length if isinstance(length, bytes) else b'%#x' % (len(data) if length is None else length)
    return b'ZF' + said.ljust(19) + b' ' * spaces + zlib.compress(data)


def xz(data, dictionary=None):
    filters = [{'id': lzma.FILTER_LZMA2, 'preset': 1}]
    if dictionary:
        filters[0]['dict_size'] = dictionary
    return lzma.compress(data, lzma.FORMAT_XZ, filters=filters)


def alone(data):
    return lzma.compress(data, lzma.FORMAT_ALONE)


CODECS = {'zlib': zlib.compress, 'gzip': lambda data: gzip.compress(data, mtime=0), 'bz2': bz2.compress,
          'xz': xz, 'lzma': alone, 'lz4': lz4, 'zf': zf}


def flipped(data, at):
    """One bit is another."""
    out = bytearray(data)
    out[at] ^= 1
    return bytes(out)


def zip_member(name, data):
    """A ZIP archive of one stored file."""
    crc = zlib.crc32(data)
    local = struct.pack('<4s5H3I2H', b'PK\3\4', 20, 0, 0, 0, 0, crc, len(data), len(data),
                        len(name), 0) + name + data
    central = struct.pack('<4s6H3I5H2I', b'PK\1\2', 20, 20, 0, 0, 0, 0, crc, len(data), len(data),
                          len(name), 0, 0, 0, 0, 0, 0) + name
    end = struct.pack('<4s4H2IH', b'PK\5\6', 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end
