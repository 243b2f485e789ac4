"""Seeded mutations of pickles as lists of opcodes: what is taken out, put in, moved or renamed is
whole, so that many streams go on to be read far behind it."""
import gadgets
from assembler import HERE, code, flatten, number, opcode, text


def items(*parts):
    return [part for part in flatten(parts) if part is not HERE]


def global_of(rng):
    return rng.choice(gadgets.GADGETS)


def fragments(rng):
    """What leaves the stack as it is."""
    module, name = global_of(rng)
    return rng.choice([
        items('NONE', 'POP'), items('MARK', 'POP_MARK'), items('EMPTY_LIST', 'POP'),
        items(number(rng.randrange(300)), 'POP'), items('DUP', 'POP'),
        items(('GLOBAL', module, name), 'POP'),
        items(text(module), text(name), 'STACK_GLOBAL', 'POP'),
        items(('GLOBAL', module, name), text('id'), 'TUPLE1', 'REDUCE', 'POP'),
        items('MARK', text('id'), ('INST', module, name), 'POP'),
        items('MARK', ('GLOBAL', module, name), text('id'), 'OBJ', 'POP'),
        items('MARK', text(module), text(name), 'STACK_GLOBAL', 'EMPTY_TUPLE', 'NEWOBJ', 'POP_MARK'),
        items(('GLOBAL', 'builtins', 'set'), 'EMPTY_TUPLE', 'REDUCE', 'POP'),
        items(('GLOBAL', 'numpy', 'float64'), 'POP')])


TEXTS = [b'\x8c', b'X']  # SHORT_BINUNICODE, BINUNICODE


def renamed(part, rng):
    """A text or a GLOBAL that says something else."""
    module, name = global_of(rng)
    if part[:1] == b'c':
        return opcode('GLOBAL', module, name)
    return code(text(rng.choice([module, name, 'numpy', 'builtins', 'set', ''])))


def anywhere(parts, rng):
    """Not before PROTO, and before STOP."""
    return rng.randint(min(1, len(parts) - 1), max(1, len(parts) - 1))


def put_in(parts, rng):
    at = anywhere(parts, rng)
    parts[at:at] = fragments(rng)


def take_out(parts, rng):
    del parts[anywhere(parts, rng) - 1]


def double(parts, rng):
    at = anywhere(parts, rng) - 1
    parts.insert(at, parts[at])


def swap(parts, rng):
    at = anywhere(parts, rng) - 1
    parts[at:at + 2] = parts[at:at + 2][::-1]


def rename(parts, rng):
    where = [i for i, part in enumerate(parts) if part[:1] in TEXTS or part[:1] == b'c']
    if where:
        at = rng.choice(where)
        parts[at] = renamed(parts[at], rng)


def behind(parts, rng):
    """Another stream."""
    module, name = global_of(rng)
    parts += rng.choice([items(('PROTO', 2), ('GLOBAL', module, name), 'STOP'),
                         items(('PROTO', 4), 'EMPTY_LIST', 'STOP'), items('NONE', 'STOP')])


def flip(parts, rng):
    at = rng.randrange(len(parts))
    part = bytearray(parts[at])
    part[rng.randrange(len(part))] ^= 1 << rng.randrange(8)
    parts[at] = bytes(part)


def cut(parts, rng):
    del parts[anywhere(parts, rng):]


KINDS = [put_in, put_in, put_in, take_out, double, swap, rename, rename, behind, flip, flip, cut]


def mutate(parts, rng):
    parts = list(parts)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        if parts:
            rng.choice(KINDS)(parts, rng)
    return b''.join(parts)
