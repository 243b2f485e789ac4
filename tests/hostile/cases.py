"""A hostile file, and what Weighlock has to say of it."""
import dataclasses
import pathlib
import re
import zlib

from assembler import assemble

ROOT = pathlib.Path(__file__).resolve().parents[2]
ANYWHERE = 'anywhere'  # an offset that the table leaves open: offsets.txt has it, or it lies in the file
NOWHERE = None         # what is wrong has no offset in the file: it is compressed, or too large


@dataclasses.dataclass
class Case:
    name: str
    kind: str         # of hostile files: folders of the generator's output
    data: bytes
    rule: str         # None: the file is harmless, and is taken
    offset: object
    limits: tuple = ()

    @property
    def file(self):
        return f"{self.kind}/{re.sub('[^a-z0-9_]+', '-', self.name.lower()).strip('-')}"


def verdicts():
    """Each rule's verdict (policy/rules.policy)."""
    rows = (ROOT / 'policy' / 'rules.policy').read_text().splitlines()
    fields = [[field.strip() for field in row.split('|')] for row in rows if '|' in row and row[0] != '#']
    return {rule: verdict for rule, verdict, *_ in fields}


class Table(list):
    """Rows of one kind of hostile files."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def file(self, name, rule, offset, data, limits=()):
        offset = offset if rule else NOWHERE
        self.append(Case(name, self.kind, data, rule, offset, tuple(limits)))

    def stream(self, name, rule, *items, limits=(), protocol=2):
        """A pickle behind PROTO. What HERE stands before is what is refused; without it the
        offset is left open."""
        head = [('PROTO', protocol)] if protocol is not None else []
        data, at = assemble(*head, *items)
        self.file(name, rule, ANYWHERE if at is None else at, data, limits)

    def packed(self, name, rule, *items, codec=zlib.compress):
        self.file(name, rule, NOWHERE, codec(assemble(*items)[0]))

    def taken(self, name, *items, protocol=2):
        self.stream(name, None, *items, protocol=protocol)


def offsets():
    """offsets.txt: of a file its offset, or the name of the opcode that lies there."""
    rows = (pathlib.Path(__file__).parent / 'offsets.txt').read_text().splitlines()
    words = [row.split() for row in rows if row and row[0] != '#']
    return {file: int(place) if place.isdigit() else place for file, place in words}
