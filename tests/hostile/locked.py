#!/usr/bin/python3
"""What Python would do with pickles, without doing it.

    locked.py ALLOWED    reads streams from standard input, each behind its length (u32, little-
                         endian), and prints one JSON line each: the globals that were asked for
                         and are not in the file ALLOWED, and whether unpickling came to its end

Everything that a stream may make is a stand-in that takes whatever is done to it; all else is
refused when it is asked for. The process can open no file or socket, start nothing, and is ended
by a limit of memory and time. An audit hook ends it if it does anything else all the same."""
import io
import json
import os
import pickle
import re
import resource
import signal
import struct
import sys
import warnings

MEMORY = 2 << 30
SECONDS = 100  # of processor time, over all streams
LONGEST = 2.0  # of one
MOST_STREAMS = 8  # in one file
WARM = [b"S'\\x41'\n.", b'V\\u0041\n.', b'U\1a.', b'\x8c\1a.', b"cbuiltins\nset\n)R.", b"(ibuiltins\nset\n.",
        b'L1L\n.', b'F1.5\n.', b'\x82\1.', b'ccopyreg\n_reconstructor\n)R.', b'Pa\n.', b'N}b.', b'U\1\xff.',
            b'h\1.']
# Names that are refused or stood for; and errors of Python's own that nobody can catch.
QUIET = {'pickle.find_class', 'object.__getattr__', 'sys.excepthook', 'sys.unraisablehook'}


# What scipy executes of the state of a distribution, as it writes it.
PARSER = re.compile(r"""
def _parse_args\(self, ((?:[A-Za-z_][A-Za-z_0-9]*, )*) (loc=0|loc=0, scale=1)\):
    return \(\1\), (loc, 1|loc, scale)

def _parse_args_rvs\(self, \1 \2, size=None\):
    return self\._argcheck_rvs\(\1 \3, size=size\)

def _parse_args_stats\(self, \1 \2, moments='mv'\):
    return \(\1\), \3, moments
""")


class Outside(Exception):
    """A global that is not allowed, or what an allowed one would reach."""


class Stand:
    """An instance of anything."""

    def __new__(cls, *arguments, **named):
        made = object.__new__(cls)
        made.arguments = arguments
        return made

    def __init__(self, *arguments, **named):
        pass

    def __setstate__(self, state):
        self.state = state

    def __setitem__(self, key, value):
        hash(key)

    def append(self, value):
        pass

    def extend(self, values):
        pass

    add = update = extend


class Distribution(Stand):
    """scipy executes a text of the state, whatever form the state has."""

    def __setstate__(self, state):
        found = {}
        try:
            found.update(state)
        except (TypeError, ValueError):
            pass  # what came before it is there all the same
        code = found.get('_parse_arg_template', '')
        if code and not (isinstance(code, str) and PARSER.fullmatch(code)):
            raise Outside('a text that scipy executes')


class Method(Stand):
    """getattr"""

    def __new__(cls, owner, name):
        if not isinstance(owner, Distribution) or name != '_entropy':
            raise Outside(f'getattr of {name!r}')
        return super().__new__(cls)


class NewIndex(Stand):
    """pandas calls the class's __new__, which of some makes files."""

    def __new__(cls, index, values):
        if getattr(index, '__name__', None) not in ('Index', 'Int64Index'):
            raise Outside(f'an index of {index!r}')
        return super().__new__(cls)


def stand_in(module, name):
    kind = Stand
    if module.startswith('scipy.stats._') and name.endswith('_gen'):
        kind = Distribution
    elif name == 'getattr':
        kind = Method
    elif name == '_new_Index':
        kind = NewIndex
    return type(name, (kind,), {'__module__': module})


def item_bytes(dtype):
    """Of a stand-in for numpy.dtype: the size of its elements, None of objects."""
    name = dtype.arguments[0]
    name = name if isinstance(name, str) else name.decode('latin1')
    if name[0] == 'O':
        return None
    return int(name[1:]) * (4 if name[0] == 'U' else 1)


class Unpickler(pickle._Unpickler):
    """Python's own, in Python, with the arrays of joblib between opcodes. `places` are where the
    opcodes of the streams so far begin."""

    def __init__(self, file, allowed, places):
        super().__init__(file, encoding='latin1')  # of texts of Python 2
        self.file, self.allowed, self.places = file, allowed, places

    def find_class(self, module, name):
        if (module, name) not in self.allowed:
            raise Outside(f'{module}.{name}')
        return stand_in(module, name)

    def persistent_load(self, pid):
        raise Outside('a persistent id')

    def get_extension(self, code):
        raise Outside('an extension')

    def load_frame(self):
        self.read(8)  # what follows is read as it comes

    def load_build(self):
        wrapper = self.stack[-2]
        super().load_build()
        if type(wrapper).__name__ == 'NumpyArrayWrapper' and isinstance(wrapper, Stand):
            self.stack[-1] = self.array(wrapper.state)

    def array(self, state):
        count = 1
        for dim in state['shape']:
            count *= dim
        size = item_bytes(state['dtype'])
        if size is None:
            return Unpickler(self.file, self.allowed, self.places).load()
        if state.get('numpy_array_alignment_bytes') is not None:
            self.take(self.take(1)[0])
        self.take(count * size)
        return Stand()

    def take(self, count):
        data = self.file.read(count)
        if len(data) < count:
            raise EOFError
        return data

    dispatch = {}


def recorded(function):
    def run(self):
        self.places.append(self.file.tell() - 1)
        function(self)
    return run


OWN = {pickle.FRAME[0]: Unpickler.load_frame, pickle.BUILD[0]: Unpickler.load_build}
for _code, _function in pickle._Unpickler.dispatch.items():
    Unpickler.dispatch[_code] = recorded(OWN.get(_code, _function))


class Native(pickle.Unpickler):
    """Python's own in C."""

    def __init__(self, file, allowed):
        super().__init__(file, encoding='latin1')  # of texts of Python 2
        self.allowed = allowed

    find_class = Unpickler.find_class
    persistent_load = Unpickler.persistent_load


def unpickle(make, data):
    """All streams of the data: (what was asked for outside, did all end?)"""
    file = io.BytesIO(data)
    try:
        for _ in range(MOST_STREAMS):
            make(file).load()
            if file.tell() >= len(data):
                return None, True
    except Outside as outside:
        return str(outside), False
    except Exception:  # whatever a malformed stream leads to
        return None, False
    return None, False


def both(data, allowed):
    """By both unpicklers: a file of joblib only the one in Python can read."""
    first, ended = unpickle(lambda file: Unpickler(file, allowed, []), data)
    second, too = unpickle(lambda file: Native(file, allowed), data)
    return first or second, ended or too


def places(data, allowed):
    """Where each opcode of a harmless stream begins."""
    found = []
    Unpickler(io.BytesIO(data), allowed, found).load()
    return found


def read_allowed(text):
    """policy/pickle.allow as pairs of module and name."""
    rows = [row.split('|') for row in text.splitlines() if row and row[0] != '#']
    return {(module, name) for row in rows for module in row[0].split() for name in row[1].split()}


def too_long(signal_number, frame):
    raise TimeoutError


def lock():
    """From here on nothing but reading descriptor 0 and writing descriptor 1, a pipe."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))  # no file, no socket
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, too_long)
    warnings.simplefilter('ignore')
    sys.excepthook = sys.unraisablehook = lambda *_: None
    write = os.write

    def watch(event, arguments):
        if event not in QUIET:
            write(2, f'locked.py: {event} {repr(arguments)[:200]}\n'.encode())
            os._exit(70)
    sys.addaudithook(watch)


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        allowed = read_allowed(file.read())
    source, answers = sys.stdin.buffer.read(), []
    for data in WARM:  # what the decoders need is imported now
        both(data, allowed)
    lock()
    at = 0
    while at < len(source):
        length, = struct.unpack_from('<I', source, at)
        signal.setitimer(signal.ITIMER_REAL, LONGEST)
        outside, ended = both(source[at + 4:at + 4 + length], allowed)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.append(json.dumps([outside, ended]))
        at += 4 + length
    print('\n'.join(answers), flush=True)


if __name__ == '__main__':
    main()
