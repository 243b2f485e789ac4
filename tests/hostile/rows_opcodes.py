"""Hostile streams of opcodes, by what they abuse."""
from assembler import (HERE, OBJECTS, array, code, dict_of, dtype, framed, list_of, named, number, opcode,
                       text, tuple_of, wrapped)
from cases import ANYWHERE, NOWHERE, Table

SYSTEM = ('GLOBAL', 'os', 'system')
CALLED = [SYSTEM, text('id'), 'TUPLE1', 'REDUCE']
SET = ('GLOBAL', 'builtins', 'set')
TREE = ('GLOBAL', 'sklearn.tree._tree', 'Tree')
UFUNC = ('GLOBAL', 'numpy.core', '_ufunc_reconstruct')
ENCODE = ('GLOBAL', '_codecs', 'encode')
DICT = ('GLOBAL', 'builtins', 'dict')
BUNCH = ('GLOBAL', 'sklearn.utils', 'Bunch')
RECONSTRUCT = ('GLOBAL', 'copyreg', '_reconstructor')
INDEX = ('GLOBAL', 'pandas.core.indexes.base', 'Index')
NEW_INDEX = ('GLOBAL', 'pandas.core.indexes.base', '_new_Index')
RECORD = [TREE, 'EMPTY_TUPLE', 'NEWOBJ']
CONTAINER = [BUNCH, 'EMPTY_TUPLE', 'NEWOBJ']
GETATTR = ('GLOBAL', 'builtins', 'getattr')
DISCRETE = [('GLOBAL', 'scipy.stats._discrete_distns', 'randint_gen'), 'EMPTY_TUPLE', 'NEWOBJ']
CONTINUOUS = [('GLOBAL', 'scipy.stats._continuous_distns', 'uniform_gen'), 'EMPTY_TUPLE', 'NEWOBJ']
RANDOM = [('GLOBAL', 'numpy.random._pickle', '__randomstate_ctor'), text('MT19937'), 'TUPLE1', 'REDUCE']
PARSER = """
def _parse_args(self, {0} {1}):
    return ({0}), {2}

def _parse_args_rvs(self, {0} {1}, size=None):
    return self._argcheck_rvs({0} {2}, size=size)

def _parse_args_stats(self, {0} {1}, moments='mv'):
    return ({0}), {2}, moments
"""


def names():
    rows = Table('names')
    for name, module, item in [
            ('dotted method', 'sklearn.pipeline', 'Pipeline.fit'),
            ('dotted to the globals', 'builtins', 'set.add.__globals__'),
            ('dotted module of an allowed class', 'sklearn', 'pipeline.Pipeline'),
            ('dunder', 'builtins', '__import__'), ('locals', 'numpy', 'f.<locals>.g'),
            ('prefix of a class', 'sklearn.pipeline', 'Pipelin'),
            ('more than a class', 'sklearn.pipeline', 'Pipelines'),
            ('module of another row', 'sklearn.svm._classes', 'Pipeline'),
            ('blank behind', 'builtins', 'set '), ('carriage return', 'builtins', 'set\r'),
            ('other case', 'Builtins', 'set'), ('empty', '', ''), ('no module', '', 'set'),
            ('fullwidth letters', '\uff42uiltins', 'set'), ('cyrillic letter', 'numpy', 'ndаrray'),
            ('zero width', 'numpy', 'nd\u200barray'), ('relative', '.', 'set'),
            ('path', '../numpy', 'dtype'), ('very long', 'a' * 200, 'b' * 200)]:
        rows.stream(f'{name} GLOBAL', 'pickle.global', HERE, ('GLOBAL', module, item), 'STOP')
        rows.stream(f'{name} STACK_GLOBAL', 'pickle.global', text(module), text(item), HERE,
                    'STACK_GLOBAL', 'STOP')
    rows.stream('NUL in a name', 'pickle.global', text('builtins'), text('set\0'), HERE,
                'STACK_GLOBAL', 'STOP')
    rows.stream('newline in a name', 'pickle.global', text('os\nsystem'), text('set'), HERE,
                'STACK_GLOBAL', 'STOP')
    rows.taken('set', SET, 'EMPTY_TUPLE', 'REDUCE', 'STOP')
    rows.taken('set of the stack', text('builtins'), text('set'), 'STACK_GLOBAL', 'EMPTY_TUPLE',
               'REDUCE', 'STOP')
    return rows


def operands():
    """What STACK_GLOBAL takes from the stack."""
    rows = Table('operands')
    rows.stream('number as a name', 'pickle.type', text('os'), number(1), HERE, 'STACK_GLOBAL', 'STOP')
    rows.stream('bytes as a name', 'pickle.type', text('os'), ('SHORT_BINBYTES', b'system'), HERE,
                'STACK_GLOBAL', 'STOP')
    rows.stream('bytes as a module', 'pickle.type', ('SHORT_BINBYTES', b'os'), text('system'), HERE,
                'STACK_GLOBAL', 'STOP')
    rows.stream('list as a module', 'pickle.type', list_of(text('os')), text('system'), HERE,
                'STACK_GLOBAL', 'STOP')
    rows.stream('None as a name', 'pickle.type', text('os'), 'NONE', HERE, 'STACK_GLOBAL', 'STOP')
    rows.stream('unknown key', 'pickle.memo', text('os'), HERE, ('BINGET', 9), 'STACK_GLOBAL', 'STOP')
    rows.stream('names of numbers', 'pickle.argument', text('os'), 'MEMOIZE', HERE, ('GET', 'os'),
                'STACK_GLOBAL', 'STOP')
    rows.stream('one operand', 'pickle.stack', text('os'), HERE, 'STACK_GLOBAL', 'STOP')
    rows.stream('beyond a mark', 'pickle.stack', text('os'), 'MARK', text('system'), HERE,
                'STACK_GLOBAL', 'STOP')
    rows.stream('text of Python 2', 'pickle.global', ('SHORT_BINSTRING', b'os'),
                ('STRING', "'sys\\x74em'"), HERE, 'STACK_GLOBAL', 'STOP')
    rows.stream('escaped text', 'pickle.global', ('UNICODE', '\\u006fs'), ('UNICODE', 'system'), HERE,
                'STACK_GLOBAL', 'STOP')
    rows.stream('many things between', 'pickle.global', text('os'), *['EMPTY_LIST', 'POP'] * 9,
                'MARK', number(1), number(2), 'POP_MARK', text('system'), 'MARK', 'POP', HERE,
                'STACK_GLOBAL', 'STOP')
    rows.taken('through the memo', text('builtins'), ('BINPUT', 3), 'POP', text('set'), ('BINPUT', 4),
               'POP', ('BINGET', 3), ('BINGET', 4), 'STACK_GLOBAL', 'EMPTY_TUPLE', 'REDUCE', 'STOP')
    return rows


def memo():
    rows = Table('memo')
    both = [text('builtins'), ('BINPUT', 1), 'POP', text('os'), 'MEMOIZE', 'POP']
    rows.stream('MEMOIZE over a key', 'pickle.global', both, ('BINGET', 1), text('system'), HERE,
                'STACK_GLOBAL', 'STOP')
    rows.stream('MEMOIZE counts keys', 'pickle.global', text('os'), ('LONG_BINPUT', 2**32 - 1), 'POP',
                text('builtins'), ('BINPUT', 0), 'POP', text('nt'), 'MEMOIZE', 'POP', ('BINGET', 2),
                text('system'), HERE, 'STACK_GLOBAL', 'STOP')
    rows.stream('a key again is not counted', 'pickle.memo', 'NONE', ('BINPUT', 0), ('BINPUT', 0),
                'MEMOIZE', HERE, ('BINGET', 2), 'STOP')
    rows.stream('huge key that is not there', 'pickle.memo', 'NONE', HERE, ('LONG_BINGET', 2**32 - 1),
                'STOP')
    rows.stream('key beyond 63 bits', 'pickle.argument', 'NONE', HERE, ('PUT', 2**63), 'STOP')
    rows.stream('negative key', 'pickle.argument', 'NONE', HERE, ('PUT', -1), 'STOP')
    rows.stream('nothing to remember', 'pickle.stack', HERE, 'MEMOIZE', 'STOP')
    rows.stream('sparse keys without end', 'limit.pickle-objects', 'NONE',
                b''.join(opcode('LONG_BINPUT', n * 40503 % 2**32) for n in range(3000)), 'STOP',
                limits=['pickle_objects=1000'])
    rows.stream('dense keys without end', 'limit.pickle-objects', 'NONE', b'\x94' * 3000, 'STOP',
                limits=['pickle_objects=1000'])
    rows.taken('huge key', 'NONE', ('LONG_BINPUT', 2**32 - 1), ('PUT', 2**63 - 1),
               ('LONG_BINGET', 2**32 - 1), 'TUPLE2', 'STOP')
    rows.taken('many sparse keys', 'NONE', b''.join(
        opcode('LONG_BINPUT', n * 40503 % 2**32) for n in range(20000)), 'STOP')
    return rows


def old():
    """Protocols 0 and 1: no magic, text, INST and OBJ."""
    rows = Table('old')
    rows.stream('GLOBAL first', 'pickle.global', HERE, CALLED, 'STOP', protocol=None)
    rows.stream('MARK first', 'pickle.global', 'MARK', ('STRING', "'rm'"), HERE, ('INST', 'os', 'system'),
                'STOP', protocol=None)
    rows.stream('text first', 'pickle.global', ('UNICODE', 'rm'), 'POP', 'MARK', HERE, SYSTEM,
                ('UNICODE', 'rm'), 'OBJ', 'STOP', protocol=None)
    rows.stream('truth value first', 'pickle.global', ('INT', '01'), 'POP', HERE, CALLED, 'STOP',
                protocol=None)
    rows.stream('behind 64 opcodes', 'pickle.global', ['NONE', 'POP'] * 40, HERE, CALLED, 'STOP',
                protocol=None)
    rows.stream('protocol 4 without its magic', 'pickle.global', text('os'), text('system'), HERE,
                'STACK_GLOBAL', 'STOP', protocol=None)
    for i, argument in enumerate(['010', '0x10', '1_0', ' 1', '+1', '1 ', '\u0661', '', '1.0', 'None']):
        rows.stream(f'INT number {i}', 'pickle.argument', HERE, ('INT', argument), 'STOP')
    for argument in '1e400', '0x1p3', 'infinity', '1_0.0', '':
        rows.stream(f'FLOAT {argument}', 'pickle.argument', HERE, ('FLOAT', argument), 'STOP')
    for i, argument in enumerate(["'a", 'a', "'a\\x4'", "'a\" "]):
        rows.stream(f'STRING number {i}', 'pickle.argument', HERE, ('STRING', argument), 'STOP')
    rows.stream('INT of 5000 digits', 'pickle.argument', HERE, ('INT', '9' * 5000), 'STOP')
    rows.stream('OBJ of nothing', 'pickle.stack', 'MARK', HERE, 'OBJ', 'STOP')
    rows.stream('OBJ of a number', 'pickle.type', 'MARK', number(1), HERE, 'OBJ', 'STOP')
    rows.stream('INST without a mark', 'pickle.stack', HERE, ('INST', 'builtins', 'set'), 'STOP')
    rows.taken('truth value', ('INT', '01'), 'STOP', protocol=None)
    rows.taken('a list', 'MARK', ('INT', '1'), ('FLOAT', '2.5'), 'LIST', 'STOP', protocol=None)
    rows.taken('an instance', 'MARK', ('INST', 'builtins', 'set'), 'STOP', protocol=None)
    return rows


def outside():
    rows = Table('outside')
    for name, argument in ('EXT1', 1), ('EXT2', 300), ('EXT4', 70000), ('EXT4', -1), ('EXT1', 0):
        rows.stream(f'{name} {argument}', 'pickle.extension', HERE, (name, argument), 'EMPTY_TUPLE',
                    'REDUCE', 'STOP')
    rows.stream('PERSID', 'pickle.persistent', HERE, ('PERSID', 'file:///etc/passwd'), 'STOP')
    rows.stream('BINPERSID', 'pickle.persistent', text('storage'), HERE, 'BINPERSID', 'STOP')
    rows.stream('NEXT_BUFFER', 'pickle.buffer', HERE, 'NEXT_BUFFER', 'STOP', protocol=5)
    rows.stream('READONLY_BUFFER', 'pickle.buffer', ('BINBYTES', b'a'), HERE, 'READONLY_BUFFER', 'STOP',
                protocol=5)
    rows.stream('pickle of a storage of torch', 'pickle.persistent', text('storage'),
                text('torch.FloatStorage'), text('0'), text('cpu'), number(4), 'MARK', 'POP',
                tuple_of('NONE'), HERE, 'BINPERSID', 'STOP')
    return rows


def targets():
    """Opcodes that change a value, on values that they are not for."""
    rows = Table('targets')
    values = {'number': number(1), 'text': text('a'), 'bytes': ('BINBYTES', b'a'), 'tuple': 'EMPTY_TUPLE',
              'None': 'NONE', 'name': SET, 'list': 'EMPTY_LIST', 'dict': 'EMPTY_DICT', 'set': 'EMPTY_SET',
              'record': RECORD, 'container': CONTAINER, 'dtype': dtype(), 'array': array((1,), elements=bytes(8))}
    changes = {'BUILD': ['EMPTY_DICT', HERE, 'BUILD'], 'APPEND': ['NONE', HERE, 'APPEND'],
               'APPENDS': ['MARK', 'NONE', HERE, 'APPENDS'],
               'SETITEM': [text('a'), 'NONE', HERE, 'SETITEM'],
               'SETITEMS': ['MARK', text('a'), 'NONE', HERE, 'SETITEMS'],
               'ADDITEMS': ['MARK', 'NONE', HERE, 'ADDITEMS']}
    right = {('list', 'APPEND'), ('list', 'APPENDS'), ('dict', 'SETITEM'), ('dict', 'SETITEMS'),
             ('set', 'ADDITEMS')}
    for what, value in values.items():
        for name, change in changes.items():
            rule, offset_items = 'pickle.type', change
            if (what, name) in right:
                rule = None
            elif (what, name) == ('record', 'BUILD') or (what == 'container' and name != 'ADDITEMS'):
                rule = 'sklearn.class'  # it is changed, but is no model
                offset_items = [item for item in change if item is not HERE]
            elif what in ('dtype', 'array') and name == 'BUILD':
                rule = f'numpy.{what}'
                offset_items = [HERE, 'EMPTY_DICT', 'BUILD']
            rows.stream(f'{name} of a {what}', rule, value, offset_items, 'STOP')
    rows.stream('key that is a list', 'pickle.type', 'EMPTY_DICT', 'EMPTY_LIST', 'NONE', HERE,
                'SETITEM', 'STOP')
    rows.stream('key without a value', 'pickle.stack', 'EMPTY_DICT', 'MARK', text('a'), HERE,
                'SETITEMS', 'STOP')
    rows.stream('array in a set', 'pickle.type', 'EMPTY_SET', 'MARK', array((1,), elements=bytes(8)),
                HERE, 'ADDITEMS', 'STOP')
    rows.stream('call of a list', 'pickle.type', 'EMPTY_LIST', 'EMPTY_TUPLE', HERE, 'REDUCE', 'STOP')
    rows.stream('arguments that are a list', 'pickle.type', SET, 'EMPTY_LIST', HERE, 'REDUCE', 'STOP')
    rows.stream('NEWOBJ of a function', 'pickle.call', ('GLOBAL', '_codecs', 'encode'), 'EMPTY_TUPLE',
                HERE, 'NEWOBJ', 'STOP')
    return rows


def calls():
    """Allowed names with arguments that nobody writes."""
    rows = Table('calls')
    for name, callee, *arguments in [
            ('check_array', ('GLOBAL', 'sklearn.utils.validation', 'check_array'), text('a')),
            ('float64', ('GLOBAL', 'numpy', 'float64'), text('1')),
            ('ndarray', ('GLOBAL', 'numpy', 'ndarray'), tuple_of(number(2**40))),
            ('memmap', ('GLOBAL', 'numpy', 'memmap'), text('/etc/passwd')),
            ('int of a text', ('GLOBAL', 'builtins', 'int'), text('9' * 100)),
            ('object', ('GLOBAL', 'builtins', 'object')),
            ('nan_to_num', ('GLOBAL', 'numpy', 'nan_to_num'), number(1)),
            ('f_classif', ('GLOBAL', 'sklearn.feature_selection._univariate_selection', 'f_classif')),
            ('set of a number', SET, number(1)), ('set of lists', SET, list_of('EMPTY_LIST')),
            ('bytes of a number', ('GLOBAL', 'builtins', 'bytes'), number(2**31 - 1)),
            ('bytearray of a number', ('GLOBAL', 'builtins', 'bytearray'), number(2**31 - 1)),
            ('list of a text', ('GLOBAL', 'builtins', 'list'), text('abc')),
            ('complex of texts', ('GLOBAL', 'builtins', 'complex'), text('1'), text('2')),
            ('dict of odd lists', ('GLOBAL', 'builtins', 'dict'), list_of(list_of('NONE'))),
            ('encode in another codec', ENCODE, text('a'), text('zlib')),
            ('encode in hex', ENCODE, text('a'), text('hex')),
            ('encode what is not Latin-1', ENCODE, text('\u0100'), text('latin1')),
            ('partial of a class', ('GLOBAL', 'functools', 'partial'), SET),
            ('partial of a partial', ('GLOBAL', 'functools', 'partial'),
             [('GLOBAL', 'functools', 'partial'),
              ('GLOBAL', 'sklearn.utils.validation', 'check_array'), 'TUPLE1', 'REDUCE']),
            ('partial with arguments', ('GLOBAL', 'functools', 'partial'),
             ('GLOBAL', 'sklearn.utils.validation', 'check_array'), number(1)),
            ('_reconstructor of a base', RECONSTRUCT, TREE,
             ('GLOBAL', 'builtins', 'list'), 'EMPTY_LIST'),
            ('ufunc of a module that is imported', UFUNC, text('antigravity'), text('log')),
            ('ufunc that is none', UFUNC, text('numpy'), text('dtype')),
            ('ufunc of bytes', UFUNC, text('numpy'), ('SHORT_BINBYTES', b'log')),
            ('ufunc of one name', UFUNC, text('log')),
            ('_reconstructor of a dict that is no class', RECONSTRUCT, SET, DICT, 'EMPTY_DICT'),
            ('_reconstructor of a dict that is a record', RECONSTRUCT, TREE, DICT, 'EMPTY_DICT'),
            ('_reconstructor of a dict by pairs', RECONSTRUCT, BUNCH, DICT, 'EMPTY_LIST'),
            ('_reconstructor of an OrderedDict', RECONSTRUCT, BUNCH,
             ('GLOBAL', 'collections', 'OrderedDict'), 'EMPTY_DICT'),
            ('index of a class that makes files', NEW_INDEX, ('GLOBAL', 'numpy', 'memmap'),
             dict_of(('filename', text('made')), ('mode', text('w+')), ('shape', number(8)))),
            ('index of an estimator', NEW_INDEX, TREE, 'EMPTY_DICT'),
            ('index of an index', NEW_INDEX, [NEW_INDEX, INDEX, 'EMPTY_DICT', 'TUPLE2', 'REDUCE'], 'EMPTY_DICT'),
            ('index of no dict', NEW_INDEX, INDEX, 'EMPTY_LIST'),
            ('__newobj__ of nothing', ('GLOBAL', 'copyreg', '__newobj__')),
            ('__newobj__ of a function', ('GLOBAL', 'copyreg', '__newobj__'), ENCODE)]:
        rows.stream(name, 'pickle.call', callee, tuple_of(*arguments), HERE, 'REDUCE', 'STOP')
    # Python's constructor would take the function, of which the state says nothing.
    rows.stream('an estimator made with arguments', 'sklearn.state',
                named('sklearn.preprocessing._function_transformer', 'FunctionTransformer'),
                named('numpy', 'log1p'), 'TUPLE1', HERE, 'REDUCE',
                dict_of(('n_features_in_', number(2))), 'BUILD', 'STOP')
    rows.stream('defaultdict of a function', 'pickle.global',
                ('GLOBAL', 'collections', 'defaultdict'), HERE, SYSTEM, 'TUPLE1', 'REDUCE', 'STOP')
    rows.stream('arguments by name', 'pickle.call', TREE, 'EMPTY_TUPLE', dict_of(('out', 'NONE')), HERE,
                'NEWOBJ_EX', 'STOP')
    rows.stream('a text encoded again and again', 'pickle.call', ENCODE, 'MEMOIZE', text('a' * 4000),
                'MEMOIZE', text('latin1'), 'MEMOIZE', 'TUPLE2', 'REDUCE',
                [('BINGET', 0), ('BINGET', 1), ('BINGET', 2), 'TUPLE2', 'REDUCE'] * 50, 'MARK', 'POP',
                'STOP')
    rows.taken('partial', ('GLOBAL', 'builtins', 'complex'), ('BINFLOAT', 1.0), ('BINFLOAT', 2.0),
               'TUPLE2', 'REDUCE', 'STOP')
    rows.taken('bytes in Latin-1', ENCODE, text('\u00ff'), text('latin1'), 'TUPLE2', 'REDUCE', 'STOP')
    return rows


def distributions():
    """scipy's distributions, of which scipy executes a text of their state, and the method that it
    leaves in them."""
    rows = Table('distributions')
    template = '_parse_arg_template'
    good = PARSER.format('low, high, ', 'loc=0', 'loc, 1')
    wide = PARSER.format('', 'loc=0, scale=1', 'loc, scale')

    def method(name, *arguments):
        rows.stream(f'getattr of {name}', 'pickle.call', GETATTR, tuple_of(*arguments), HERE, 'REDUCE',
                    'POP', 'NONE', 'STOP')
    for name, owner in [('a list', 'EMPTY_LIST'), ('a module', text('os')), ('a record', RECORD),
                        ('random numbers', RANDOM), ('a class', SET), ('a class of scipy', DISCRETE[0])]:
        method(name, owner, text('_entropy'))
    for name in 'rvs', '__class__', '_entropy.__func__', '__reduce__', '_entropy\0', '':
        method(f'a distribution and {name!r}', DISCRETE, text(name))
    method('nothing')
    method('a name alone', text('_entropy'))
    method('bytes', DISCRETE, ('SHORT_BINBYTES', b'_entropy'))
    method('three', DISCRETE, text('_entropy'), 'NONE')
    rows.stream('getattr as a class', 'pickle.call', GETATTR, tuple_of(DISCRETE, text('_entropy')), HERE,
                'NEWOBJ', 'STOP')
    rows.stream('call of the method', 'pickle.type', GETATTR, tuple_of(DISCRETE, text('_entropy')),
                'REDUCE', 'EMPTY_TUPLE', HERE, 'REDUCE', 'STOP')
    rows.stream('partial of getattr', 'pickle.call', ('GLOBAL', 'functools', 'partial'), GETATTR, 'TUPLE1',
                HERE, 'REDUCE', 'STOP')
    for module, name in [('joblib.memory', 'Memory'), ('numpy', 'vectorize'),
                         ('scipy.stats._distn_infrastructure', 'rv_frozen'),
                         ('joblib._store_backends', 'FileSystemStoreBackend')]:
        rows.stream(f'{name} of arguments', 'pickle.call', ('GLOBAL', module, name), text('a'), 'TUPLE1',
                    HERE, 'REDUCE', 'POP', 'NONE', 'STOP')
        rows.stream(f'a new {name} of arguments', 'pickle.call', ('GLOBAL', module, name), text('a'),
                    'TUPLE1', HERE, 'NEWOBJ', 'POP', 'NONE', 'STOP')
        rows.taken(f'a new {name}', ('GLOBAL', module, name), 'EMPTY_TUPLE', 'NEWOBJ', 'POP', 'NONE', 'STOP')
    for name in '__randomstate_ctor', '__generator_ctor', '__bit_generator_ctor':
        maker = ('GLOBAL', 'numpy.random._pickle', name)
        for what, argument in [('a function', ('GLOBAL', 'numpy', 'asarray')), ('a record', RECORD),
                               ('a class', SET), ('a list', 'EMPTY_LIST')]:
            rows.stream(f'{name} of {what}', 'pickle.call', maker, text('MT19937'), argument, 'TUPLE2', HERE,
                        'REDUCE', 'POP', 'NONE', 'STOP')
        rows.taken(f'{name} of a name', maker, text('MT19937'),
                   ('GLOBAL', 'numpy.random._pickle', '__bit_generator_ctor'), 'TUPLE2', 'REDUCE', 'POP',
                   'NONE', 'STOP')
    rows.stream('a distribution of arguments', 'pickle.call', DISCRETE[0], text('a'), 'TUPLE1', HERE,
                'REDUCE', 'STOP')

    def state(name, value, owner=DISCRETE):
        rows.stream(name, 'pickle.call', owner, value, HERE, 'BUILD', 'POP', 'NONE', 'STOP')
    for name, code in [
            ('a call', 'import os\nos.system("id")'), ('nothing', ''), ('a byte less', good[:-1]),
            ('a byte more', good + '\n'), ('a call behind', good + 'import os'), ('another kind', good + wide),
            ('a default', PARSER.format('low=print(1), ', 'loc=0', 'loc, 1')),
            ('a name without a comma', PARSER.format('low', 'loc=0', 'loc, 1')),
            ('a digit first', PARSER.format('1low, ', 'loc=0', 'loc, 1')),
            ('a letter that is not ASCII', PARSER.format('l\u00f8w, ', 'loc=0', 'loc, 1')),
            ('names that differ', good.replace('(low, high, )', '(low, exit, )')),
            ('two kinds at once', good.replace('loc, 1', 'loc, scale')),
            ('a call as the location', good.replace('loc=0', 'loc=exit()')), ('its first half', good[:24])]:
        state(f'parser with {name}', dict_of((template, text(code))))
    state('parser as bytes', dict_of((template, ('BINBYTES', good.encode()))))
    state('parser twice', dict_of((template, text('exit()')), (template, text(good))))
    state('parser in a list of pairs', list_of(tuple_of(text(template), text('exit()'))))
    state('parser in a tuple of pairs', tuple_of(tuple_of(text(template), text('exit()'))))
    state('parser in a dict of a tuple', tuple_of(dict_of((template, 'NONE'), ('exit()', 'NONE')), RANDOM))
    state('parser by a text of numpy', dict_of(('a', 'NONE'), (template, text('exit()'))), CONTINUOUS)
    state('state of slots', tuple_of('NONE', dict_of((template, text('exit()')))))
    state('old state with a list', tuple_of('EMPTY_DICT', 'EMPTY_LIST'))
    state('function as a method', dict_of(('_attach_methods', SET)))
    state('record as a method', dict_of(('_attach_methods', RECORD)))
    state('opaque as a method', dict_of(('_attach_methods', RANDOM)))
    state('function as random numbers', dict_of(('_random_state', SET)))
    state('key that is a number', ['EMPTY_DICT', number(1), 'NONE', 'SETITEM'])
    rows.taken('discrete', DISCRETE, dict_of((template, text(good)), ('_random_state', RANDOM), ('vecentropy', [
        ('GLOBAL', 'numpy', 'vectorize'), 'EMPTY_TUPLE', 'NEWOBJ', dict_of(
            ('pyfunc', [GETATTR, tuple_of(DISCRETE, text('_entropy')), 'REDUCE'])), 'BUILD'])),
               'BUILD', 'POP', 'NONE', 'STOP')
    rows.taken('continuous', CONTINUOUS, dict_of((template, text(wide)), ('a', ('BINFLOAT', 0.5)), (
        '_ctor_param', dict_of(('seed', 'NONE'))), ('_random_state', 'NONE')), 'BUILD', 'POP', 'NONE', 'STOP')
    rows.taken('before scipy 1.6', CONTINUOUS, tuple_of(dict_of(('name', text('uniform'))), RANDOM), 'BUILD',
               'POP', 'NONE', 'STOP')
    return rows


def hidden():
    """Calls that leave nothing behind, and opcodes that a scanner may stop at."""
    rows = Table('hidden')
    rows.stream('POP', 'pickle.global', HERE, CALLED, 'POP', 'NONE', 'STOP')
    rows.stream('POP_MARK', 'pickle.global', 'MARK', HERE, CALLED, 'POP_MARK', 'NONE', 'STOP')
    rows.stream('value of a dict that is set anew', 'pickle.global', 'EMPTY_DICT', text('a'), HERE, CALLED,
                'SETITEM', text('a'), 'NONE', 'SETITEM', 'STOP')
    rows.stream('left below', 'pickle.global', HERE, CALLED, 'NONE', 'STOP')
    rows.stream('PROTO twice', 'pickle.protocol', HERE, ('PROTO', 2), 'NONE', 'STOP')
    rows.stream('PROTO in the middle', 'pickle.protocol', 'EMPTY_LIST', HERE, ('PROTO', 4), CALLED,
                'APPEND', 'STOP')
    rows.stream('PROTO late', 'pickle.protocol', 'EMPTY_LIST', HERE, ('PROTO', 2), 'STOP', protocol=None)
    rows.stream('PROTO 6', 'format.unknown', HERE, ('PROTO', 6), CALLED, 'STOP', protocol=None)
    rows.stream('no opcode', 'pickle.opcode', 'NONE', HERE, b'\0', CALLED, 'STOP')
    rows.stream('an opcode of no version', 'pickle.opcode', 'NONE', HERE, b'\x99', 'STOP')
    rows.stream('broken behind the call', 'pickle.global', HERE, CALLED, b'\xff\xff\xff')
    rows.stream('cut off behind the call', 'pickle.global', HERE, CALLED)
    rows.stream('cut off within the call', 'pickle.truncated', HERE, b'cos\nsyst')
    rows.stream('cut off before it', 'pickle.truncated', 'EMPTY_LIST', HERE)
    rows.stream('STOP of nothing', 'pickle.stack', HERE, 'STOP')
    rows.stream('STOP of a mark', 'pickle.stack', 'MARK', HERE, 'STOP')
    rows.taken('POP of a value', 'EMPTY_LIST', 'NONE', 'POP', 'STOP')
    rows.taken('POP of a mark', 'EMPTY_LIST', 'MARK', 'POP', 'STOP')
    return rows


def frames():
    rows = Table('frames')
    rows.stream('beyond the end', 'pickle.frame', HERE, framed('NONE', 'STOP', length=99), protocol=4)
    rows.stream('2^64 - 1', 'pickle.frame', HERE, framed('NONE', 'STOP', length=2**64 - 1), protocol=4)
    rows.stream('2^63', 'pickle.frame', HERE, framed('NONE', 'STOP', length=2**63), protocol=4)
    rows.stream('ends within an opcode', 'pickle.frame', ('FRAME', 3), HERE, text('abc'), 'STOP',
                protocol=4)
    rows.stream('ends within a name', 'pickle.frame', ('FRAME', 9), HERE, SYSTEM, 'STOP', protocol=4)
    rows.stream('in another', 'pickle.frame', ('FRAME', 13), 'NONE', HERE, framed('POP', 'NONE', 'STOP'),
                protocol=4)
    rows.stream('goes on behind STOP', 'pickle.frame', ('FRAME', 3), 'NONE', HERE, 'STOP', b'.',
                protocol=4)
    rows.stream('hides a name', 'pickle.global', framed('NONE', 'POP'), HERE, CALLED, 'STOP', protocol=4)
    rows.stream('goes into an array', 'pickle.frame', ('FRAME', 300), HERE, wrapped((1,), bytes(8)),
                'STOP', protocol=4)
    rows.taken('two', framed('EMPTY_LIST', 'MARK', 'NONE'), framed('APPENDS', 'STOP'), protocol=4)
    rows.taken('empty', framed(), framed('NONE', 'STOP'), protocol=4)
    rows.taken('in protocol 2', framed('NONE', 'STOP'))
    # The offset is that of BUILD, where the array begins.
    rows[-4].offset = ANYWHERE
    return rows


def streams():
    """Several pickles in a file, and what is none behind them."""
    rows = Table('streams')
    one = code(('PROTO', 2), 'EMPTY_LIST', 'STOP')
    rows.stream('payload in the second', 'pickle.global', 'NONE', 'STOP', ('PROTO', 2), HERE, CALLED, 'STOP')
    rows.stream('payload in the sixth', 'pickle.global', 'NONE', 'STOP', one * 4, ('PROTO', 2), HERE,
                CALLED, 'STOP')
    rows.stream('payload of protocol 0', 'pickle.global', 'NONE', 'STOP', HERE, CALLED, 'STOP')
    rows.stream('payload in the hundredth', 'pickle.global', 'NONE', 'STOP', one * 99, HERE, CALLED, 'STOP')
    rows.stream('classes in the second', 'pickle.more', 'NONE', 'STOP', HERE, ('PROTO', 2), SET,
                'EMPTY_TUPLE', 'REDUCE', 'STOP')
    rows.stream('second cut off', 'pickle.truncated', 'NONE', 'STOP', ('PROTO', 2), 'EMPTY_LIST', HERE)
    rows.stream('memo of the first', 'pickle.memo', 'NONE', ('BINPUT', 0), 'STOP', ('PROTO', 2), HERE,
                ('BINGET', 0), 'STOP')
    for name, tail in [('zeros', bytes(64)), ('newline', b'\n'), ('text', b'hello world'),
                       ('ELF', b'\x7fELF\2\1\1'), ('ZIP', b'PK\3\4\x14\0'), ('NUL', b'\0'),
                       ('STOP', b'.'), ('gzip', b'\x1f\x8b\x08\0'), ('HTML', b'<html><script>')]:
        rows.stream(f'{name} behind it', 'pickle.trailing', 'EMPTY_LIST', 'STOP', HERE, tail)
    rows.stream('legacy torch', 'pickle.more', ('LONG1', b'\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19'), 'STOP',
                ('PROTO', 2), ('BININT2', 1001), 'STOP', HERE, ('PROTO', 2),
                ('GLOBAL', 'collections', 'OrderedDict'), 'EMPTY_TUPLE', 'REDUCE', 'STOP')
    rows.taken('data in the second', 'EMPTY_LIST', 'STOP', one)
    return rows


def lengths():
    """Lengths that are lies."""
    rows = Table('lengths')
    for name, lies in [('SHORT_BINUNICODE', [255]), ('BINUNICODE', [2**32 - 1, 2**31]),
                       ('BINUNICODE8', [2**63, 2**64 - 1, 2**40]), ('SHORT_BINBYTES', [200]),
                       ('BINBYTES', [2**32 - 1]), ('BINBYTES8', [2**64 - 1, 2**63 - 1]),
                       ('BYTEARRAY8', [2**64 - 1, 2**63]), ('LONG1', [255]), ('LONG4', [2**31 - 1]),
                       ('BINSTRING', [2**31 - 1]), ('SHORT_BINSTRING', [255])]:
        for lie in lies:
            rows.stream(f'{name} {lie}', 'pickle.truncated', HERE, opcode(name, b'abc', length=lie), 'STOP')
    rows.stream('BINSTRING -1', 'pickle.argument', HERE, opcode('BINSTRING', b'', length=-1), 'STOP')
    rows.stream('LONG4 -1', 'pickle.argument', HERE, opcode('LONG4', b'', length=-1), 'STOP')
    rows.stream('no newline', 'pickle.truncated', HERE, b'V' + b'a' * 10000)
    rows.stream('text that is no UTF-8', 'pickle.argument', HERE, opcode('BINUNICODE', b'\xff\xfe'), 'STOP')
    rows.stream('overlong UTF-8', 'pickle.argument', HERE, opcode('BINUNICODE', b'\xc0\xaf'), 'STOP')
    rows.stream('an integer of 200 bytes', 'pickle.value', HERE, opcode('LONG1', b'\x7f' * 200), 'STOP')
    rows.stream('an integer of a million bytes', 'pickle.value', HERE, opcode('LONG4', b'\x7f' * 10**6), 'STOP')
    rows.taken('an empty LONG1', ('LONG1', b''), 'STOP')
    rows.taken('a long text', ('BINUNICODE8', b'a' * 1000), 'STOP')
    return rows


def depth():
    rows = Table('depth')
    head = code('EMPTY_LIST')
    rows.stream('lists in each other', 'limit.header-depth', b']' * 100000, b'a' * 99999, 'STOP')
    rows.stream('tuples in each other', 'limit.header-depth', 'NONE', b'\x85' * 300000, 'STOP')
    rows.stream('dicts in each other', 'limit.header-depth', b'}' * 1, [
        text('a'), 'EMPTY_DICT'] * 2000, b's' * 2000, 'STOP')
    rows.stream('marks without end', 'pickle.truncated', b'(' * 300000)
    rows.stream('a list of itself', 'limit.header-depth', HERE, head, ('BINPUT', 0), ('BINGET', 0), 'APPEND',
                'STOP')
    rows.stream('a dict of itself', 'limit.header-depth', HERE, 'EMPTY_DICT', ('BINPUT', 0), text('a'),
                ('BINGET', 0), 'SETITEM', 'STOP')
    rows.stream('a tuple of a list of it', 'limit.header-depth', 'EMPTY_LIST', ('BINPUT', 0), 'TUPLE1',
                ('BINPUT', 1), 'POP', ('BINGET', 0), ('BINGET', 1), 'APPEND', 'STOP')
    rows.stream('an array of itself', 'limit.header-depth', 'EMPTY_LIST', ('BINPUT', 0), 'POP',
                array((1,), OBJECTS, list_of(('BINGET', 0))), ('BINPUT', 1), 'POP',
                ('BINGET', 0), ('BINGET', 1), 'APPEND', 'STOP')
    rows.stream('twice the one before, 60 times', 'limit.header-depth', 'EMPTY_LIST', [
        ['MEMOIZE', 'DUP', 'TUPLE2'] for _ in range(60)], 'STOP')
    rows.stream('ten times the one before, 8 times', 'limit.metadata-entries', number(1), [
        [('BINPUT', n), 'POP', list_of(*[('BINGET', n)] * 10)] for n in range(8)], 'STOP')
    rows[-1].offset = NOWHERE
    rows.stream('an array again and again', 'limit.tensors', array((1,), elements=bytes(8)), ('BINPUT', 9),
                'POP', list_of(*[('BINGET', 9)] * 300), 'STOP', limits=['tensors=100'])
    rows.stream('a large text again and again', 'limit.inflated-bytes', text('a' * 100000), ('BINPUT', 9),
                'POP', list_of(*[('BINGET', 9)] * 3000), 'STOP',
                limits=['inflated_bytes=1000000'])
    rows.stream('an array of a large text', 'limit.inflated-bytes', text('a' * 1000000), ('BINPUT', 9), 'POP',
                array((2000,), OBJECTS, list_of(*[('BINGET', 9)] * 2000)), 'STOP')
    rows.stream('opcodes without end', 'limit.pickle-opcodes', b'N0' * 2000, 'NONE', 'STOP',
                limits=['pickle_opcodes=1000'])
    rows.stream('values without end', 'limit.pickle-objects', b'N' * 2000, 'STOP',
                limits=['pickle_objects=1000'])
    rows.stream('a large array again and again', 'numpy.array', text('a' * 70000), ('BINPUT', 9), 'POP', [
        [array((70000,), dtype('u1', '|'), ('BINGET', 9))] * 5], 'STOP')
    rows.taken('ten lists in each other', b']' * 10, b'a' * 9, 'STOP')
    return rows


def floods():
    """Keys that are made to be slow."""
    rows = Table('floods')
    keys = b''.join(opcode('BININT', n) + b'N' for n in range(70000))
    rows.stream('70000 keys', 'limit.metadata-entries', 'EMPTY_DICT', 'MARK', keys, 'SETITEMS', 'STOP')
    rows[-1].offset = NOWHERE
    many = dict_of(('n_features_in_', number(1)), *[(f'option{n}', 'NONE') for n in range(20000)])
    rows.stream('20000 options', 'sklearn.state', named('sklearn.preprocessing._data', 'StandardScaler'),
                'EMPTY_TUPLE', 'NEWOBJ', many, 'BUILD', 'STOP')
    one = array((1,), elements=bytes(8))
    rows.stream('a key twice', 'pickle.value', 'EMPTY_DICT', 'MARK', text('1'), one, HERE, text('1'), one,
                'SETITEMS', 'STOP')
    rows.stream('a key as text and as number', 'pickle.value', 'EMPTY_DICT', 'MARK', text('1'), one, HERE,
                number(1), one, 'SETITEMS', 'STOP')
    rows.stream('a key that is None, and its text', 'pickle.value', 'EMPTY_DICT', 'MARK', 'NONE', one,
                HERE, text('None'), one, 'SETITEMS', 'STOP')
    rows.stream('a key that is 1, and True', 'pickle.value', 'EMPTY_DICT', 'MARK', number(1), one, HERE,
                'NEWTRUE', one, 'SETITEMS', 'STOP')
    rows.stream('a key that is False, and 0', 'pickle.value', 'EMPTY_DICT', 'MARK', 'NEWFALSE', one, HERE,
                number(0), one, 'SETITEMS', 'STOP')
    rows.taken('keys that are 1 and False', 'EMPTY_DICT', 'MARK', number(1), one, 'NEWFALSE', one,
               'SETITEMS', 'STOP')
    # Of 100 KB each list would become 800 KB again.
    nothing = array((100000,), OBJECTS, list_of(*['NONE'] * 100000))
    rows.stream('objects again and again', 'limit.inflated-bytes', nothing, ('BINPUT', 0),
                list_of(*[('BINGET', 0)] * 600), 'STOP')
    letters = array((100000,), dtype('S1', '|', size=1, alignment=1), b'a' * 100000)
    rows.stream('short texts again and again', 'limit.inflated-bytes', letters, ('BINPUT', 0),
                list_of(*[('BINGET', 0)] * 600), 'STOP')
    rows.taken('what looks like one path', dict_of(('a/b', one), ('a', dict_of(('b', one)))), 'STOP')
    return rows


def tables():
    return [names(), operands(), memo(), old(), outside(), targets(), calls(), distributions(), hidden(),
            frames(), streams(), lengths(), depth(), floods()]

