"""Makes fuzz/seeds/envelope from a model of tests/models: /usr/bin/python3 make_envelope.py"""
import os
import struct

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, 'envelope')
os.makedirs(out, exist_ok=True)
good = open(os.path.join(here, '../../tests/models/hostile/cycle.wlk'), 'rb').read()


def put(name, at=0, value=b'', data=good):
    with open(os.path.join(out, name), 'wb') as f:
        f.write(data[:at] + value + data[at + len(value):])


unsigned = good[:110] + bytes(72) + good[182:]
put('good-signed')
put('good-unsigned', data=unsigned)
put('hostile-header-length', 14, struct.pack('<Q', 2**64 - 1))
put('hostile-data-offset', 30, struct.pack('<Q', 2**63))
put('hostile-sum-wraps', 14, struct.pack('<QQQQ', 2**63, 2**63, 4096, 2**63))
put('hostile-chunk-size', 12, b'\x3f')
put('hostile-slack', 256 + struct.unpack_from('<Q', good, 14)[0] + struct.unpack_from('<Q', good, 22)[0], b'\x01')
put('hostile-key-without-signature', 118, bytes(64))
put('hostile-text-mode', data=good.replace(b'\r\n', b'\n', 1))
put('hostile-truncated', data=good[:255])
