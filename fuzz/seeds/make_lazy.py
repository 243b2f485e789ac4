"""Makes fuzz/seeds/lazy from the samples of tests/format: /usr/bin/python3 make_lazy.py"""
import os
import re
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '../../tests/format'))

import hostile  # noqa: E402
import samples  # noqa: E402
import wlk  # noqa: E402

out = os.path.join(here, 'lazy')
os.makedirs(out, exist_ok=True)

GOOD = {'small': samples.example(), 'rich': samples.rich()}
HOSTILE = ['shape that wraps', 'overlapping tensors', 'a gap', 'offset past the end',
           'data behind the last tensor', 'data cut', 'bytes between tensors',
           'bytes that wrap', 'block of 65537 bytes', 'cut in the middle']

for name, model in GOOD.items():
    with open(os.path.join(out, f'good-{name}'), 'wb') as f:
        f.write(wlk.write(model))
for name, _, _, data in hostile.HOSTILE:
    if name in HOSTILE:
        with open(os.path.join(out, 'hostile-' + re.sub(r'\W+', '-', name)), 'wb') as f:
            f.write(data)
