"""Makes fuzz/seeds/minisig, trusted_key and digest_list: /usr/bin/python3 make_trust.py"""
import base64
import hashlib
import os

here = os.path.dirname(os.path.abspath(__file__))


def put(folder, seeds):
    os.makedirs(os.path.join(here, folder), exist_ok=True)
    for name, data in seeds.items():
        with open(os.path.join(here, folder, name), 'wb') as f:
            f.write(data)


def b64(data):
    return base64.b64encode(data)


def minisig(algorithm=b'ED', comment=b'timestamp:1700000000\tfile:m.wlk\thashed', end=b'\n',
            first=74, second=64):
    signature = (algorithm + bytes(range(8)) + bytes(range(64)) + bytes(64))[:first]
    return end.join([b'untrusted comment: signature from minisign secret key', b64(signature),
                     b'trusted comment: ' + comment, b64(bytes(range(100, 164))[:second]), b''])


good = minisig()
put('minisig', {
    'good': good,
    'good-crlf': minisig(end=b'\r\n'),
    'good-empty-comment': minisig(comment=b''),
    'good-legacy': minisig(algorithm=b'Ed'),
    'good-longest-comment': minisig(comment=b'c' * 1024),
    'good-no-last-end': good[:-1],
    'hostile-algorithm': minisig(algorithm=b'Ee'),
    'hostile-comment-too-long': minisig(comment=b'c' * 1025),
    'hostile-escape-in-comment': minisig(comment=b'\x1b[2J\x1b[H'),
    'hostile-line-behind': good + b'\n',
    'hostile-no-global-signature': good.rsplit(b'\n', 2)[0] + b'\n',
    'hostile-not-canonical': good.replace(b'==\n', b'=\n').replace(b'=\n', b'==\n', 1),
    'hostile-nul': good.replace(b'secret', b'se\0ret'),
    'hostile-not-utf8': minisig(comment=b'\xc0\xaf\xff'),
    'hostile-right-to-left': minisig(comment='\u202egpj.exe'.encode()),
    'hostile-signature-short': minisig(first=73),
    'hostile-two-signatures': good + good,
    'hostile-truncated': good[:100],
})

# the public key of the seed of 32 bytes 01 (key_number(1) of tests/trust/support.h)
KEY = bytes.fromhex('8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c')


def key_file(behind=b'', key=KEY, number=bytes([1]) * 8, algorithm=b'Ed'):
    return b'untrusted comment: minisign public key\n' + b64(algorithm + number + key) + b'\n' + behind


dates = b'valid-from: 2026-01-01\nvalid-until: 2026-12-31\n'
put('trusted_key', {
    'good': key_file(),
    'good-dates': key_file(dates),
    'good-revoked': key_file(dates + b'revoked: 2026-08-15\n'),
    'good-revoked-crlf': key_file(b'revoked: 2026-08-15\r\n'),
    'hostile-algorithm': key_file(algorithm=b'Dd'),
    'hostile-day-that-is-none': key_file(b'valid-until: 2026-02-30\n'),
    'hostile-number-zero': key_file(number=bytes(8)),
    'hostile-order': key_file(b'revoked: 2026-01-01\nvalid-until: 2027-01-01\n'),
    'hostile-revoked-twice': key_file(b'revoked: 2026-01-01\nrevoked: 2027-01-01\n'),
    'hostile-small-order': key_file(key=bytes(32)),
    'hostile-until-before-from': key_file(b'valid-from: 2027-01-01\nvalid-until: 2026-01-01\n'),
    'hostile-unknown-line': key_file(dates + b'trust: always\n'),
    'hostile-year': key_file(b'valid-until: 99999-12-31\n'),
    'good-full': b'untrusted comment: ' + b'x' * (4096 - 20 - 57) + b'\n' + b64(
        b'Ed' + bytes([1]) * 8 + KEY) + b'\n',
})

sha, blake = hashlib.sha256(b'm').hexdigest().encode(), hashlib.blake2b(b'm').hexdigest().encode()
blake256 = hashlib.blake2b(b'm', digest_size=32).hexdigest().encode()
put('digest_list', {
    'good-sha256': b'm.wlk\n' + sha + b'  m.wlk\n' + sha + b' *other.wlk\n',
    'good-b2sum': b'/models/m.wlk\n' + blake + b'  m.wlk\n',
    'good-tagged': b'm.wlk\nSHA256 (m.wlk) = ' + sha + b'\n',
    'good-tagged-256': b'm.wlk\nBLAKE2b-256 (m.wlk) = ' + blake256 + b'\n',
    'good-escaped': b'a\\b\n\\' + sha + b'  a\\\\b\n',
    'hostile-conflict': b'm\n' + sha + b'  m\n' + blake256 + b'  m\n',
    'hostile-cut': b'm\n' + sha[:40] + b'  m\n',
    'hostile-escape-at-end': b'm\n\\' + sha + b'  m\\',
    'hostile-escape-unknown': b'm\n\\' + sha + b'  m\\x\n',
    'hostile-missing': b'm\n' + sha + b'  n\n',
    'hostile-no-name': b'm\n' + sha + b'  \n',
    'hostile-nul': b'm\n' + sha + b'  m\0n\n',
    'good-tag-in-name': b') = \nSHA256 () = ) = ' + sha + b'\n',
    'hostile-tag-without-end': b'm\nSHA256 (' + b'm' * 200 + b'\n',
    'hostile-two-lists': b'm\n' + blake + sha + b'  m\n',
})

# the secret half: the seed, then the public key. Checksum: BLAKE2b-256(algorithm, id, key).
SECRET = bytes([1]) * 32 + KEY
KDF = (1 << 20, 1 << 24)  # operations and bytes, as minisign asks for where memory is short


def secret(kdf=b'\0\0', number=bytes([1]) * 8, key=SECRET, checksum=None, algorithm=b'Ed', check=b'B2',
           limits=(0, 0), end=b'\n', behind=b'', cut=158):
    if checksum is None:
        checksum = hashlib.blake2b(algorithm + number + key, digest_size=32).digest()
    layout = (algorithm + kdf + check + bytes(32) + limits[0].to_bytes(8, 'little')
              + limits[1].to_bytes(8, 'little') + number + key + checksum)[:cut]
    return b'untrusted comment: minisign secret key' + end + b64(layout) + end + behind


put('secret_key', {
    'good': secret(),
    'good-crlf': secret(end=b'\r\n'),
    'good-without-checksum': secret(checksum=bytes(32)),
    'good-encrypted': secret(kdf=b'Sc', limits=KDF),
    'hostile-algorithm': secret(algorithm=b'ED'),
    'hostile-checksum': secret(checksum=bytes(31) + b'\1'),
    'hostile-checksum-algorithm': secret(check=b'B3'),
    'hostile-cut': secret(cut=157),
    'hostile-derivation-algorithm': secret(kdf=b'Ar', limits=KDF),
    'hostile-derivation-of-a-tebibyte': secret(kdf=b'Sc', limits=(1 << 20, 1 << 40)),
    'hostile-derivation-of-hours': secret(kdf=b'Sc', limits=(2**64 - 1, 1 << 24)),
    'hostile-derivation-of-nothing': secret(kdf=b'Sc', limits=(0, 0)),
    'hostile-line-behind': secret(behind=b'x\n'),
    'hostile-number-zero': secret(number=bytes(8)),
    'hostile-other-public-half': secret(key=bytes([1]) * 32 + bytes(32)),
})
