"""Reads a file with the second implementation of the format, writes it again, and
fails if the bytes differ."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'format'))
import wlk  # noqa: E402

written = pathlib.Path(sys.argv[1]).read_bytes()
if wlk.write(wlk.read(written)) != written:
    sys.exit('the second implementation writes other bytes')
