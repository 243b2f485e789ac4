"""Reads the archives that test_npz_write.c has made, with zipfile and NumPy.

    check_npz.py FOLDER
"""
import pathlib
import sys
import urllib.parse
import zipfile

import numpy

FOLDER = pathlib.Path(sys.argv[1])
GIB = 1 << 30


def check_several():
    """Each member is the .npy file that lies beside the archive, under the name that
    decodes to the tensor's."""
    names = (FOLDER / 'names').read_bytes().decode().split('\n')[:-1]
    with zipfile.ZipFile(FOLDER / 'several.npz') as archive:
        assert archive.testzip() is None
        assert len(archive.infolist()) == len(names) > 10
        for i, (info, name) in enumerate(zip(archive.infolist(), names)):
            assert info.filename.endswith('.npy') and '/' not in info.filename, info.filename
            assert urllib.parse.unquote(info.filename[:-4]) == name, (info.filename, name)
            assert archive.read(info) == (FOLDER / f'{i}.npy').read_bytes(), name
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.external_attr >> 16 == 0o100644
            assert info.flag_bits == 0 and info.create_version == 45
            keys = [info.filename[:-4] for info in archive.infolist()]
    with numpy.load(FOLDER / 'several.npz', allow_pickle=False) as arrays:
        assert arrays.files == keys
        for i, key in enumerate(keys):
            want = numpy.load(FOLDER / f'{i}.npy', allow_pickle=False)
            assert arrays[key].dtype == want.dtype and arrays[key].shape == want.shape, key
            assert arrays[key].tobytes() == want.tobytes(), key


def check_empty():
    with zipfile.ZipFile(FOLDER / 'empty.npz') as archive:
        assert archive.infolist() == []
    with numpy.load(FOLDER / 'empty.npz') as arrays:
        assert arrays.files == []


def check_many(count):
    with zipfile.ZipFile(FOLDER / f'many-{count}.npz') as archive:
        assert len(archive.infolist()) == count
        for i in (0, 1, 65533, count - 1):
            assert archive.read(f't{i}.npy')[-1] == i & 255, i
    tail = (FOLDER / f'many-{count}.npz').read_bytes()[-98:]
    assert (b'PK\x06\x06' in tail) == (count >= 65535), count


def check_large():
    """Members of more than 4 GiB, and beyond 4 GiB; holes where the zeros are."""
    with zipfile.ZipFile(FOLDER / 'large.npz') as archive:
        small, large, behind = archive.infolist()
        assert (small.file_size, small.header_offset) == (131, 0)
        assert large.file_size == large.compress_size == 4 * GIB + 100 + 128
        assert behind.header_offset > 4 * GIB
        assert archive.read(small)[-3:] == b'abc'
        assert archive.read(behind)[-3:] == b'abc'
        with archive.open(large) as member:
            assert b"'shape': (4294967396,)" in member.read(128)
            assert member.read(1000) == bytes(1000)


check_several()
check_empty()
check_many(65534)
check_many(65535)
check_large()
