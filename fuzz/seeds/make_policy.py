"""Makes fuzz/seeds/policy: /usr/bin/python3 make_policy.py"""
import os

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, 'policy')
os.makedirs(out, exist_ok=True)

GOOD = b"""# A platform that takes uploads
[limits]
file_bytes = 16 GiB
nodes = 1000
deadline_ms = 30 s
cpu_seconds = 10

[trust]
folder = /etc/weighlock/trust
threshold = 2
legacy = refuse

[audit]
nan = refuse
infinity = report
"""

SEEDS = {
    'good': GOOD,
    'good-empty': b'',
    'good-crlf': GOOD.replace(b'\n', b'\r\n'),
    'good-no-last-line-end': b'[limits]\n\tnodes=0',
    'hostile-name-twice': GOOD.replace(b'nodes', b'file_bytes'),
    'hostile-section-twice': GOOD + b'[limits]\nnodes = 1\n',
    'hostile-before-section': b'nodes = 1\n' + GOOD,
    'hostile-unknown-name': GOOD.replace(b'threshold', b'treshold'),
    'hostile-unknown-section': b'[limit]\n',
    'hostile-number-wraps': b'[limits]\nnodes = 18446744073709551616\n',
    'hostile-unit-wraps': b'[limits]\nfile_bytes = 16777216 TiB\n',
    'hostile-threshold-zero': b'[trust]\nthreshold = 0\n',
    'hostile-relative-folder': b'[trust]\nfolder = trust\n',
    'hostile-long-folder': b'[trust]\nfolder = /' + b'x' * 4095 + b'\n',
    'hostile-escape-sequence': b'[limits]\n# \x1b[2J\nnodes = 1\n',
    'hostile-nul': b'[limits]\nnodes = 1\0\n',
    'hostile-bidi-folder': '[trust]\nfolder = /etc/\u202etsurt\n'.encode(),
    'hostile-not-utf8': b'# \xed\xa0\x80\n',
    'hostile-byte-order-mark': b'\xef\xbb\xbf' + GOOD,
    'hostile-lone-carriage-return': b'[limits]\rnodes = 1\r',
    'hostile-long-name': b'[limits]\n' + b'n' * 5000 + b' = 1\n',
}

for name, text in SEEDS.items():
    with open(os.path.join(out, name), 'wb') as f:
        f.write(text)
