"""Makes fuzz/seeds/digests: /usr/bin/python3 make_digests.py"""
import os

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'digests')
os.makedirs(folder, exist_ok=True)


def put(name, chunk_log2, size, changes=b''):
    with open(os.path.join(folder, name), 'wb') as f:
        f.write(bytes([chunk_log2]) + size.to_bytes(2, 'little') + changes)


put('good-empty', 16, 0)
put('good-one-byte', 20, 1, bytes(5))
put('good-some', 16, 600, bytes(1000))
put('hostile-first-byte', 16, 9, b'\1' + bytes(63))
put('hostile-last-byte', 24, 30, bytes(31) + b'\x80')
put('hostile-behind-the-table', 16, 30, bytes(32) + b'\1')
put('hostile-chunk-too-small', 15, 30, bytes(32))
put('hostile-chunk-too-large', 25, 30, bytes(32))
put('hostile-chunk-of-255', 255, 30, bytes(32))
# By their last bytes these are among the few that stand for three chunks, and for so many
# that threads share them (fuzz_digests.c).
put('hostile-third-chunk', 16, 65535, bytes(64) + (41).to_bytes(4, 'little'))
put('hostile-second-and-third-chunk', 16, 65535, bytes(32) + b'\1' + bytes(31) + (53).to_bytes(4, 'little'))
put('hostile-chunk-of-many', 16, 65535, bytes(64) + (9857).to_bytes(4, 'little'))
