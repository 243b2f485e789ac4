"""Weighlock and onnxruntime as two things that load a model, run it and are timed."""
import subprocess
import time
from collections import namedtuple

import numpy
import onnxruntime

# What a port gives: the keys of its maps (None: it gives a tensor) and its numbers or strings.
Value = namedtuple('Value', 'keys array')

TENSOR, MAPS = 0, 3  # of wlk_value_kind
NAMES = {'f64': 'float64', 'f32': 'float32', 'f16': 'float16', 'i64': 'int64', 'i32': 'int32',
         'i16': 'int16', 'i8': 'int8', 'u64': 'uint64', 'u32': 'uint32', 'u16': 'uint16',
         'u8': 'uint8', 'bool': 'bool'}
DTYPES = {numpy.dtype(numpy_name): name for name, numpy_name in NAMES.items()}


class Refused(Exception):
    """Weighlock does not load or run the model; the text says why."""


# ---- value files (tool_peer.c)

def encode_strings(array):
    texts = [str(text).encode() for text in array.ravel()]
    offsets = numpy.cumsum([0] + [len(text) for text in texts]).astype('<u8')
    return offsets.tobytes() + b''.join(texts)


def decode_strings(data, count):
    offsets = numpy.frombuffer(data, '<u8', count + 1)
    text = data[8 * (count + 1):]
    return numpy.array([text[a:b].decode() for a, b in zip(offsets[:-1], offsets[1:])], object)


def write_values(path, arrays):
    with open(path, 'wb') as file:
        for array in arrays:
            name = DTYPES.get(array.dtype, 'str')
            data = encode_strings(array) if name == 'str' else array.tobytes()
            numbers = ' '.join(str(n) for n in (array.ndim, *array.shape, len(data)))
            file.write(f'{TENSOR} 1\n{name} {numbers}\n'.encode() + data)


def read_item(file):
    name, rank, *numbers = file.readline().decode().split()
    shape, size = [int(n) for n in numbers[:-1]], int(numbers[-1])
    data = file.read(size)
    assert len(shape) == int(rank) and len(data) == size
    if name == 'str':
        return decode_strings(data, int(numpy.prod(shape))).reshape(shape)
    return numpy.frombuffer(data, NAMES[name]).reshape(shape)


def read_values(path):
    values = []
    with open(path, 'rb') as file:
        while line := file.readline():
            kind, count = map(int, line.split())
            items = [read_item(file) for _ in range(count)]
            if kind not in (TENSOR, MAPS):
                raise ValueError(f'an output of kind {kind}')
            values.append(Value(*items) if kind == MAPS else Value(None, items[0]))
    return values


# ---- the two

class Weighlock:
    """A process that loads models through the cage. With a trust folder, only signed ones."""

    def __init__(self, build, trust=None):
        command = [build / 'tests/peers/tool_peer', build / 'bin/weighlock-child']
        self.process = subprocess.Popen(command + ([trust] if trust else []), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def ask(self, request, argument):
        """What `request` took in seconds."""
        self.process.stdin.write(f'{request} {argument}\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise Refused(f'tool_peer ended with {self.process.wait()} at {request} {argument}')
        verdict, rest = answer.rstrip('\n').split(' ', 1)
        if verdict != 'ok':
            raise Refused(rest)
        return float(rest)

    def load(self, path):
        return self.ask('load', path)

    def inputs(self, path):
        self.ask('inputs', path)

    def run(self, path):
        """The outputs, which are written to `path`."""
        self.ask('run', path)
        return read_values(path)

    def time(self, count, each=False):
        """Seconds of one run; with `each` on one row of the inputs after the other."""
        return self.ask('each' if each else 'time', count)


def session(path):
    """onnxruntime on one thread of the processor."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])


def feeds(peer, arrays):
    return {port.name: array for port, array in zip(peer.get_inputs(), arrays)}


def as_value(output):
    """An output of onnxruntime, which makes Python's float of the float32 in a map."""
    if not isinstance(output, list):
        return Value(None, numpy.asarray(output))
    keys = numpy.array(list(output[0]))
    rows = [[row[key] for key in keys.tolist()] for row in output]
    return Value(keys, numpy.array(rows, numpy.float32))


def run_session(peer, arrays):
    return [as_value(output) for output in peer.run(None, feeds(peer, arrays))]


def time_session(peer, fed, count):
    """Seconds of one run on each of `fed`, from the first again past the last."""
    turns = [fed[i % len(fed)] for i in range(count)]
    start = time.perf_counter()
    for inputs in turns:
        peer.run(None, inputs)
    return (time.perf_counter() - start) / count


def time_session_load(path):
    start = time.perf_counter()
    session(path)
    return time.perf_counter() - start

