"""Makes tests/trust/ed25519_vectors.h: signatures and keys of Ed25519 at the edges of what
RFC 8032 defines, from fixed seeds, with plain integer arithmetic on edwards25519 and nothing
of libsodium.

    /usr/bin/python3 make_ed25519_vectors.py > ed25519_vectors.h

Each way of being wrong is there three times, valid but for itself: as a .minisig file's
signature, as its global signature, and inside a .wlk envelope. Cases as in "Taming the many
EdDSAs" (Chalkias, Garillot, Nikolaenko 2020) and RFC 8032, 5.1.
"""
import hashlib
import struct

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1)


def recover_x(y, sign):
    """The x of that y and parity, or None."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_M1 % P
    if (x * x - square) % P:
        return None
    return x if x % 2 == sign else (P - x) % P


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % P
    return ((x1 * y2 + x2 * y1) * pow(1 + product, P - 2, P) % P,
            (y1 * y2 + x1 * x2) * pow(1 - product, P - 2, P) % P)


def add_projective(a, b):
    """The same without a division: (X, Y, Z) is (X/Z, Y/Z)."""
    (x1, y1, z1), (x2, y2, z2) = a, b
    z, x, y = z1 * z2 % P, x1 * x2 % P, y1 * y2 % P
    product = D * x * y % P
    minus, plus = (z * z - product) % P, (z * z + product) % P
    return (z * minus * ((x1 + y1) * (x2 + y2) - x - y) % P, z * plus * (y + x) % P,
            minus * plus % P)


def multiply(scalar, point):
    result, double = (0, 1, 1), point + (1,)
    while scalar:
        if scalar & 1:
            result = add_projective(result, double)
        double = add_projective(double, double)
        scalar >>= 1
    inverse = pow(result[2], P - 2, P)
    return (result[0] * inverse % P, result[1] * inverse % P)


def encode(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, 'little')


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y)


def order_8_point():
    """A generator of the points of small order: L times a point outside the subgroup."""
    y = 2
    while True:
        x = recover_x(y, 0)
        if x is not None:
            point = multiply(L, (x, y))
            if multiply(4, point) != IDENTITY:
                return point
        y += 1


T8 = order_8_point()
SMALL = [multiply(i, T8) for i in range(8)]


def hash_int(*parts):
    return int.from_bytes(hashlib.sha512(b''.join(parts)).digest(), 'little')


class Key:
    def __init__(self, number):
        digest = hashlib.sha512(bytes([number]) * 32).digest()
        self.number = number
        self.a = (int.from_bytes(digest[:32], 'little') & ((1 << 254) - 8)) | 1 << 254
        self.prefix = digest[32:]
        self.public = encode(multiply(self.a, BASE))


KEY = Key(7)  # key_number(7) of support.h


def number(value):
    return value.to_bytes(32, 'little')


def parts(message):
    """R and S of the right signature."""
    r = hash_int(KEY.prefix, message) % L
    point = encode(multiply(r, BASE))
    return point, (r + hash_int(point, KEY.public, message) * KEY.a) % L


def good(message):
    point, s = parts(message)
    return point + number(s)


def with_s(change):
    def make(message):
        point, s = parts(message)
        return point + number(change(s))
    return make


def with_r(encoding, nonce=0):
    """Whatever stands for R, S fits the hash over it: r is `nonce`."""
    def make(message):
        s = (nonce + hash_int(encoding, KEY.public, message) * KEY.a) % L
        return encoding + number(s)
    return make


def mixed(torsion):
    """R = rB + T with T of small order: only a verifier with cofactors takes it."""
    nonce = 12345
    return with_r(encode(add(multiply(nonce, BASE), torsion)), nonce)


def flip_sign(message):
    point, s = parts(message)
    return point[:31] + bytes([point[31] ^ 0x80]) + number(s)


def constant(value):
    return lambda message: value


def non_canonical():
    """Encodings of points of small order that are not those of `encode`."""
    found = [('y is p, sign %d' % sign, number(P | sign << 255)) for sign in (0, 1)]
    found += [('y is p + 1, sign %d' % sign, number(P + 1 | sign << 255)) for sign in (0, 1)]
    found.append(('neutral with sign', number(1 | 1 << 255)))
    found.append(('y is -1 with sign', number(P - 1 | 1 << 255)))
    return found


SIGNATURES = [('the right signature', good)]
SIGNATURES += [('S + %d L' % k, with_s(lambda s, k=k: s + k * L)) for k in (1, 2, 7, 14)]
SIGNATURES += [
    ('S is L', with_s(lambda s: L)),
    ('S is L - S', with_s(lambda s: L - s)),
    ('S is 0', with_s(lambda s: 0)),
    ('S plus 1', with_s(lambda s: (s + 1) % L)),
    ('S with bit 255', with_s(lambda s: s | 1 << 255)),
    ('S with bit 253', with_s(lambda s: s | 1 << 253)),
    ('S of ones', with_s(lambda s: 2**256 - 1)),
    ('R with the other sign', flip_sign),
    ('all zero', constant(bytes(64))),
    ('all ones', constant(b'\xff' * 64)),
    ('neutral and 0', constant(number(1) + bytes(32))),
    ('R not on the curve', with_r(number(next(y for y in range(2, 99) if recover_x(y, 0) is None)))),
    ('R is the base point, S fits', with_r(encode(BASE), 2)),
]
SIGNATURES += [('R of small order %d' % i, with_r(encode(SMALL[i]))) for i in range(8)]
SIGNATURES += [('R of small order, ' + name, with_r(text)) for name, text in non_canonical()]
SIGNATURES += [('R of mixed order %d' % i, mixed(SMALL[i])) for i in range(1, 8)]

KEYS = [('the right key', KEY.public)]
KEYS += [('of small order %d' % i, encode(SMALL[i])) for i in range(8)]
KEYS += [('of small order, ' + name, text) for name, text in non_canonical()]
KEYS += [('of mixed order %d' % i, encode(add(multiply(KEY.a, BASE), SMALL[i])))
         for i in range(1, 8)]
KEYS += [
    ('all ones', b'\xff' * 32),
    ('y is p - 2', number(P - 2)),
    ('not on the curve', number(next(y for y in range(2, 99) if recover_x(y, 0) is None))),
    ('y is p + 2', number(P + 2)),
    ('y is p + 18', number(P + 18)),
]

FILE = b'weights'
COMMENT = b'vectors'


def blake2b(data, size):
    return hashlib.blake2b(data, digest_size=size).digest()


def envelope():
    """Bytes 2 to 118 of a file with the header "x" and no data, behind the domain."""
    head = b'\x89WLK\r\n\x1a\n' + struct.pack('<HBBQQQQ', 1, 16, 0, 1, 0, 4096, 0)
    head += blake2b(b'x', 32) + blake2b(b'', 32) + bytes([KEY.number]) * 8
    return b'weighlock envelope v1\0' + head


def c_text(data):
    return '"' + data.hex() + '"'


def main():
    message = blake2b(FILE, 64)
    right = good(message)
    print('/* Made by make_ed25519_vectors.py: do not edit. */')
    print('#ifndef TESTS_TRUST_ED25519_VECTORS_H')
    print('#define TESTS_TRUST_ED25519_VECTORS_H\n')
    print('/* clang-format off */')
    print('/* Over the file "weights" and the comment "vectors", by key_number(7). */')
    print('static const struct signature_vector {')
    print('    const char *what;')
    print('    const char *signature; /* with its global signature, which is right */')
    print('    const char *global_of_it;')
    print('    const char *global; /* of the right signature */')
    print('    const char *inside; /* of a .wlk file with the header "x" and no data */')
    print('} signature_vectors[] = {')
    for name, make in SIGNATURES:
        signature = make(message)
        print('    {"%s",' % name)
        print('     %s,' % c_text(signature))
        print('     %s,' % c_text(good(signature + COMMENT)))
        print('     %s,' % c_text(make(right + COMMENT)))
        print('     %s},' % c_text(make(envelope())))
    print('};\n')
    print('static const struct key_vector {\n    const char *what, *key;\n} key_vectors[] = {')
    for name, key in KEYS:
        print('    {"%s",\n     %s},' % (name, c_text(key)))
    print('};\n\n#endif')


if __name__ == '__main__':
    main()
