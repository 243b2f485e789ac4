"""What the hostile pickles of public corpora call (CVEs and advisories of picklescan, fickling,
modelscan, joblib, numpy, torch), by name, and the ways in which a pickle can come to a name."""
import zlib

from assembler import (HERE, OBJECTS, array, assemble, code, list_of, named, number, text,
                        wrapped, wrapper)
from cases import Table
from containers import CODECS

# One module a line, and what of it is called.
NAMES = """
os system popen execv spawnl remove
posix system popen
nt system
subprocess Popen call check_output run getoutput
builtins eval exec compile open setattr __import__ globals breakpoint input map type vars
__builtin__ eval execfile apply file
pip main
pip._internal main
timeit timeit repeat
cProfile run runctx
profile run Profile.run
doctest debug_script
pdb run
bdb Bdb.run
idlelib.autocomplete AutoComplete.get_entity AutoComplete.fetch_completions
idlelib.calltip get_entity Calltip.fetch_tip
idlelib.debugobj ObjectTreeItem.SetText
idlelib.pyshell ModifiedInterpreter.runcode ModifiedInterpreter.runcommand
idlelib.run Executive.runcode
lib2to3.pgen2.grammar Grammar.loads
lib2to3.pgen2.pgen ParserGenerator.make_label
trace Trace.run Trace.runctx
code InteractiveInterpreter.runcode interact
codeop compile_command
ensurepip _run_pip bootstrap
venv create main
pydoc locate pipepager tempfilepager resolve
pkgutil resolve_name
uuid _get_command_stdout
_osx_support _read_output _find_build_tool
_aix_support _read_cmd_output
imaplib IMAP4_stream
test.support.script_helper assert_python_ok spawn_python
operator attrgetter methodcaller itemgetter
functools reduce partialmethod
importlib import_module
importlib.util spec_from_file_location
imp load_source
runpy run_path _run_code
types CodeType FunctionType
marshal loads
pickle loads Unpickler
_pickle load
cloudpickle.cloudpickle _make_function _builtin_type subimport
dill._dill _create_function loads
joblib load
joblib.numpy_pickle load _unpickle
sklearn.externals.joblib load
numpy load fromfile fromregex save
numpy.f2py.crackfortran getlincoef _eval_length myeval
numpy.testing._private.utils runstring
numpy.testing runstring
torch load
torch.utils.bottleneck.__main__ run_cprofile run_autograd_prof
torch.utils.collect_env run
torch._inductor.codecache compile_file
torch._dynamo.guards GuardBuilder.get
torch.jit.unsupported_tensor_ops execWrapper
torch.fx.experimental.symbolic_shapes ShapeEnv.evaluate_guards_expression
torch.utils._config_module ConfigModule.load_config
torch.utils.data.datapipes.utils.decoder basichandlers
onnx.external_data_helper save_external_data
keras.utils get_file
pandas read_pickle
logging FileHandler
logging.config _resolve
distutils.file_util write_file copy_file
shutil rmtree move
tempfile mktemp
socket create_connection socket
urllib.request urlopen urlretrieve
http.client HTTPSConnection
requests.api get
webbrowser open
ctypes CDLL
multiprocessing.util spawnv_passfds
asyncio.unix_events _UnixSubprocessTransport._start
signal signal
sys exit setprofile
site execsitecustomize
sqlite3 connect
smtplib SMTP
ssl get_server_certificate
zipimport zipimporter
_io FileIO
io open_code
string Formatter
copyreg add_extension __reduce_ex__
copy_reg _inverted_registry
collections namedtuple
sklearn.pipeline Pipeline.fit make_pipeline
sklearn.preprocessing._data StandardScaler.fit.__globals__
sklearn.utils._testing assert_run_python_script_without_output
sklearn.tree._tree Tree.__reduce__ <locals>
"""
GADGETS = [(row.split()[0], name) for row in NAMES.strip().splitlines() for name in row.split()[1:]]

CALL = [text('id'), 'TUPLE1', 'REDUCE']
PROTO2, PROTO4 = ('PROTO', 2), ('PROTO', 4)


def by_global(module, name):
    return [PROTO2, HERE, ('GLOBAL', module, name), CALL, 'STOP']


def by_protocol_0(module, name):
    return [HERE, ('GLOBAL', module, name), 'MARK', ('STRING', "'id'"), 'TUPLE', 'REDUCE', 'STOP']


def on_stack(module, name):
    return [PROTO4, text(module), text(name), HERE, 'STACK_GLOBAL', CALL, 'STOP']


def in_frame(module, name):
    body, at = assemble(text(module), text(name), HERE, 'STACK_GLOBAL', CALL, 'STOP')
    return [PROTO4, ('FRAME', len(body)), body[:at], HERE, body[at:]]


def by_inst(module, name):
    return [PROTO2, 'MARK', text('id'), HERE, ('INST', module, name), 'STOP']


def by_obj(module, name):
    return [PROTO2, 'MARK', HERE, ('GLOBAL', module, name), text('id'), 'OBJ', 'STOP']


def as_class(module, name):
    return [PROTO4, text(module), text(name), HERE, 'STACK_GLOBAL', 'EMPTY_TUPLE', 'NEWOBJ', 'STOP']


def through_memo(module, name):
    """Neither text stands beside the opcode that takes it."""
    return [PROTO4, text(name), ('BINPUT', 1), 'POP', text(module), ('LONG_BINPUT', 70000), 'POP',
            text('harmless'), 'MEMOIZE', 'POP', ('LONG_BINGET', 70000), ('BINGET', 1), HERE,
            'STACK_GLOBAL', CALL, 'STOP']


def through_dup(module, name):
    return [PROTO4, text(module), 'DUP', 'POP', text(name), 'DUP', ('BINUNICODE', 'harmless'),
            'POP', 'POP', HERE, 'STACK_GLOBAL', CALL, 'STOP']


def dropped(module, name):
    """Called, and then forgotten: what is left is a list."""
    return [PROTO2, 'EMPTY_LIST', 'MARK', HERE, ('GLOBAL', module, name), CALL, 'POP_MARK', 'STOP']


def second_stream(module, name):
    return [PROTO4, number(1), 'STOP', PROTO4, text(module), text(name), HERE, 'STACK_GLOBAL', CALL,
            'STOP']


def behind_array(module, name):
    return [PROTO4, list_of(wrapped((2,), bytes(16)), text(module), text(name), HERE,
                            'STACK_GLOBAL', CALL), 'STOP']


def in_objects(module, name):
    """In the pickle within an array of joblib's."""
    inner = [PROTO2, array((1,), OBJECTS, list_of(text(module), text(name), HERE, 'STACK_GLOBAL',
                                                  CALL)), 'STOP']
    return [PROTO4, wrapper((1,), OBJECTS, alignment=None), inner, 'STOP']


def as_option(module, name):
    """As what is only named, in an estimator's state."""
    return [PROTO4, named('sklearn.preprocessing._function_transformer', 'FunctionTransformer'),
            'EMPTY_TUPLE', 'NEWOBJ', 'EMPTY_DICT', text('func'), text(module), text(name), HERE,
            'STACK_GLOBAL', 'SETITEM', 'BUILD', 'STOP']


WAYS = [by_global, by_protocol_0, on_stack, in_frame, by_inst, by_obj, as_class, through_memo,
        through_dup, dropped, second_stream, behind_array, in_objects, as_option]


def table():
    """Each name in each way; and compressed by each codec, in one way each."""
    rows = Table('gadget')
    ways = list(CODECS.values())
    for i, (module, name) in enumerate(GADGETS):
        for way in WAYS:
            data, at = assemble(*way(module, name))
            rows.file(f'{module} {name} {way.__name__}', 'pickle.global', at, data)
        data, _ = assemble(*WAYS[i % len(WAYS)](module, name))
        rows.file(f'{module} {name} compressed', 'pickle.global', None, ways[i % len(ways)](data))
    return rows


def compressed():
    """One name, in each way and each codec."""
    rows = Table('compressed')
    for way in WAYS:
        for codec, pack in CODECS.items():
            rows.file(f'{way.__name__} {codec}', 'pickle.global', None,
                      pack(assemble(*way('os', 'system'))[0]))
    rows.file('twice', 'pickle.opcode', None, zlib.compress(zlib.compress(code(*on_stack('os', 'system')))))
    return rows
