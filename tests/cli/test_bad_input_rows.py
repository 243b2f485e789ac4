"""Bad rows to predict: tables in CSV and arrays in .npy. Each row says verdict, rule and
offset, and that nothing is left behind."""
import struct

import numpy as np

from bad_input import BadInputTest, main, npy

# ---- tables

TABLES = (
    ('nothing', b'', 'csv.empty@0'),
    ('a byte order mark alone', b'\xef\xbb\xbf', 'csv.empty@0'),
    ('only a header', b'a,b\n', 'csv.empty@4'),
    ('one line end', b'\n', 'input.columns'),
    ('one column', b'1\n2\n', 'input.columns'),
    ('three columns', b'1,2,3\n', 'input.columns'),
    ('a field too few', b'1,2\n3\n', 'csv.ragged@4'),
    ('a field too many', b'1,2\n3,4,5\n', 'csv.ragged@4'),
    ('an empty line', b'1,2\n\n3,4\n', 'csv.ragged@4'),
    ('a comma at the end', b'1,2\n3,4,\n', 'csv.ragged@4'),
    ('semicolons', b'1;2\n', 'csv.empty@4'),
    ('tabs', b'1\t2\n', 'csv.empty@4'),
    ('a bare CR', b'1,2\r3,4\n', 'csv.line-end@3'),
    ('a CR at the end', b'1,2\r', 'csv.line-end@3'),
    ('CR CR LF', b'1,2\r\r\n', 'csv.line-end@3'),
    ('a quote inside', b'1,2"\n', 'csv.quote@3'),
    ('a quote behind a blank', b'1, "2"\n', 'csv.quote@3'),
    ('text behind a quote', b'"1"x,2\n', 'csv.quote@3'),
    ('a blank behind a quote', b'"1" ,2\n', 'csv.quote@3'),
    ('an open quote', b'1,"2\n', 'csv.unterminated@2'),
    ('an open quote of 10 MB', b'1,"' + b'2' * 10000000, 'csv.unterminated@2'),
    ('a field of 10 MB', b'1,' + b'2' * 10000000 + b'\n', 'csv.number@2'),
    ('a field of 10 MB quotes', b'1,"' + b'""' * 5000000 + b'"\n', 'csv.number@2'),
    ('a NUL', b'1,2\0\n', 'csv.encoding@2'),
    ('a quoted NUL', b'1,"2\0"\n', 'csv.encoding@2'),
    ('not UTF-8', b'1,\xff\n', 'csv.encoding@2'),
    ('Latin-1 in a header', b'gr\xf6\xdfe,b\n1,2\n', 'csv.encoding@0'),
    ('UTF-16', '1,2\n'.encode('utf-16'), 'csv.encoding@0'),
    ('a surrogate', b'1,\xed\xa0\x80\n', 'csv.encoding@2'),
    ('a word', b'1,2\n3,four\n', 'csv.number@6'),
    ('a word behind CRLF', b'1,2\r\n3,four\r\n', 'csv.number@7'),
    ('a word behind both line ends', b'1,2\r\n3,4\n5,six\n', 'csv.number@11'),
    ('a decimal comma', b'"1,5",2\n', 'csv.number@0'),
    ('a hexadecimal number', b'1,0x10\n', 'csv.number@2'),
    ('a hexadecimal float', b'1,0x1p3\n', 'csv.number@2'),
    ('a number with a unit', b'1,2kg\n', 'csv.number@2'),
    ('two signs', b'1,--2\n', 'csv.number@2'),
    ('digits of another script', '1,\u0662\n'.encode(), 'csv.number@2'),
    ('a full-width minus', '1,\u22122\n'.encode(), 'csv.number@2'),
    ('an underline', b'1,1_000\n', 'csv.number@2'),
    ('1e400', b'1,1e400\n', 'csv.number@2'),
    ('a spreadsheet formula', b'1,=1+1\n', 'csv.number@2'),
    ('a second byte order mark', b'\xef\xbb\xbf\xef\xbb\xbf1,2\n', 'csv.number@3'),
    ('101 columns', b','.join([b'1'] * 101) + b'\n', 'csv.columns@200'),
    ('a million commas', b',' * 1000000 + b'\n', 'csv.columns@100'),
)


class Rows(BadInputTest):
    """Tables and arrays are told apart by their first six bytes."""

    def setUp(self):
        super().setUp()
        self.identity()

    def predict(self, name, text, want, *options):
        self.put('rows', text)
        self.row(name, want, 'predict', 'own.wlk', 'rows', '--trust', self.trust, *options)

    def predicts(self, text):
        self.put('rows', text)
        self.accepted('predict', 'own.wlk', 'rows', '--trust', self.trust)


class Tables(Rows):
    def test_text(self):
        for name, text, want in TABLES:
            self.predict(name, text, want, '--limit', 'columns=100')
        self.predicts(b'\xef\xbb\xbf"1","2"\r\n3,4')

    def test_values_that_integers_have_not(self):
        self.identity('i8')
        for name, text, want in (('missing', b'1,\n', 'csv.missing@2'),
                                 ('nan', b'1,nan\n', 'csv.missing@2'),
                                 ('128', b'1,128\n', 'csv.number@2'),
                                 ('-129', b'1,-129\n', 'csv.number@2'),
                                 ('1.5', b'1,1.5\n', 'csv.number@2'),
                                 ('inf', b'1,inf\n', 'csv.number@2')):
            self.predict(name, text, want, '--header', 'no')

    def test_the_file_itself(self):
        self.input_files('input_bytes', 'predict', 'own.wlk', None, '--trust', self.trust)
        self.row('nothing on standard input', 'csv.empty@0', 'predict', 'own.wlk', '-', '--trust',
                 self.trust)

    def test_cut_at_every_byte(self):
        """What is left of b'"1","2"\\r\\n3,4': half a row, half a quote, or half a line end
        are seen; whole rows are a table too."""
        text = b'"1","2"\r\n3,4'
        wants = ('csv.empty@0', 'csv.unterminated@0', 'csv.unterminated@0', 'input.columns', None,
                 'csv.unterminated@4', 'csv.unterminated@4', None, 'csv.line-end@7', None,
                 'csv.ragged@9', None, None)
        for cut, want in enumerate(wants):
            if want:
                self.predict(f'cut to {cut}', text[:cut], want)
            else:
                self.predicts(text[:cut])


# ---- arrays

def made(header, body=b'', version=(1, 0), length=None):
    """A .npy file of this header, which begins at offset 10 or, from version 2.0, 12."""
    header = header if isinstance(header, bytes) else header.encode()
    form = '<H' if version[0] == 1 else '<I'
    said = struct.pack(form, len(header) if length is None else length)
    return b'\x93NUMPY' + bytes(version) + said + header + body


def header_of(descr="'<f8'", order='False', shape='(1, 2)'):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


GOOD = header_of()  # 60 bytes: the body begins at 70
BODY = struct.pack('<2d', 1, 2)

ARRAYS = (
    ('only the magic', b'\x93NUMPY', 'npy.truncated@6'),
    ('half a version', b'\x93NUMPY\x01', 'npy.truncated@7'),
    ('no length', b'\x93NUMPY\x01\x00', 'npy.truncated@8'),
    ('half a length', b'\x93NUMPY\x01\x00v', 'npy.truncated@9'),
    ('version 0.0', made(GOOD, BODY, (0, 0)), 'npy.version@6'),
    ('version 1.1', made(GOOD, BODY, (1, 1)), 'npy.version@6'),
    ('version 4.0', made(GOOD, BODY, (4, 0)), 'npy.version@6'),
    ('version 9.0', made(GOOD, BODY, (9, 0)), 'npy.version@6'),
    ('version 255.255', made(GOOD, BODY, (255, 255)), 'npy.version@6'),
    ('a header beyond the end', made(GOOD, length=65535), 'npy.truncated@70'),
    ('a header of 2 GiB', made(GOOD, version=(2, 0), length=2**31), 'npy.header@12'),
    ('a header of 4 GiB', made(GOOD, version=(3, 0), length=2**32 - 1), 'npy.header@12'),
    ('an empty header', made(''), 'npy.header@10'),
    ('a header that is a list', made('[]\n'), 'npy.header@10'),
    ('code', made('__import__("os").system("id")\n'), 'npy.header@10'),
    ('an open dictionary', made("{'descr': '<f8'"), 'npy.header@25'),
    ('no line end', made(GOOD[:-1], BODY), 'npy.header@69'),
    ('two line ends', made(GOOD + '\n', BODY), 'npy.header@70'),
    ('text behind the dictionary', made(GOOD[:-1] + 'x\n', BODY), 'npy.header@69'),
    ('a NUL in the header', made(GOOD.replace(' ', '\0', 1), BODY), 'npy.header@19'),
    ('a key twice', made("{'descr': '<f8', 'descr': '<f8', }\n"), 'npy.header@27'),
    ('an unknown key', made("{'colour': 1, }\n"), 'npy.header@11'),
    ('no shape', made("{'descr': '<f8', 'fortran_order': False, }\n"), 'npy.header@52'),
    ('an escape', made(header_of("'<f\\x38'"), BODY), 'npy.header@24'),
    ('an expression', made(header_of(shape='(1, 1 + 1)'), BODY), 'npy.header@66'),
    ('a shape that is a number', made(header_of(shape='(2)'), BODY), 'npy.header@63'),
    ('a shape that is a list', made(header_of(shape='[2]'), BODY), 'npy.header@60'),
    ('a dimension below zero', made(header_of(shape='(-1, 2)'), BODY), 'npy.header@61'),
    ('a fraction', made(header_of(shape='(1.0, 2)'), BODY), 'npy.header@62'),
    ('an integer that is long twice', made(header_of(shape='(1LL, 2)'), BODY), 'npy.header@63'),
    ('a leading zero', made(header_of(shape='(01, 2)'), BODY), 'npy.header@62'),
    ('a dimension of 2^64', made(header_of(shape='(18446744073709551616,)')), 'npy.header@80'),
    ('2^64 elements', made(header_of(shape='(4294967296, 4294967296)')), 'input.shape@84'),
    ('2^64 elements, and none', made(header_of(shape='(4294967296, 4294967296, 0)')),
     'input.shape@87'),
    ('2^64 bytes', made(header_of(shape='(2305843009213693952,)')), 'input.shape@10'),
    ('2^63 bytes', made(header_of(shape='(1152921504606846976,)'), BODY), 'npy.truncated@102'),
    ('a billion rows', made(header_of(shape='(1000000000, 2)'), BODY), 'npy.truncated@95'),
    ('nine dimensions', made(header_of(shape='(1, 1, 1, 1, 1, 1, 1, 1, 1)')), 'npy.rank@86'),
    ('a thousand dimensions', made(header_of(shape='(' + '1,' * 1000 + ')')), 'npy.rank@78'),
    ('an order that is a number', made(header_of(order='0'), BODY), 'npy.header@44'),
    ('an order that is a text', made(header_of(order="'False'"), BODY), 'npy.header@44'),
    ('Python objects', npy(np.array([None, 1])), 'npy.object@21'),
    ('objects of a byte order', made(header_of("'<O8'"), BODY), 'npy.object@21'),
    ('a pickle in the place of a type', made(header_of("'|O'"), b'\x80\x04.'), 'npy.object@21'),
    ('a structured type', made(header_of("[('a', '<f8')]"), BODY), 'npy.dtype@20'),
    ('a date', made(header_of("'<M8[ns]'"), BODY), 'npy.dtype@21'),
    ('a duration', made(header_of("'<m8'"), BODY), 'npy.dtype@21'),
    ('raw bytes', made(header_of("'|V8'"), BODY), 'npy.dtype@21'),
    ('a long double', made(header_of("'<f16'"), BODY), 'npy.dtype@21'),
    ('an integer of 3 bytes', made(header_of("'<i3'"), BODY), 'npy.dtype@21'),
    ('the machine\'s byte order', made(header_of("'=f8'"), BODY), 'npy.dtype@21'),
    ('no byte order', made(header_of("'f8'"), BODY), 'npy.dtype@21'),
    ('an empty type', made(header_of("''"), BODY), 'npy.dtype@21'),
    ('text of no length', made(header_of("'<U0'")), 'npy.dtype@21'),
    ('text of 2^62 characters', made(header_of("'<U4611686018427387904'")), 'npy.dtype@21'),
    ('text of 2^61 characters', made(header_of("'<U2305843009213693951'")), 'npy.truncated@88'),
    ('a byte too few', made(GOOD, BODY[:-1]), 'npy.truncated@85'),
    ('no data', made(GOOD), 'npy.truncated@70'),
    ('a byte too many', made(GOOD, BODY + b'\0'), 'npy.trailing@86'),
    ('a second array', made(GOOD, BODY) * 2, 'npy.trailing@86'),
    ('a bool that is 2', made(header_of("'|b1'"), b'\x01\x02'), 'npy.value@71'),
    ('text beyond Unicode', made(header_of("'<U1'"), struct.pack('<2I', 65, 0x110000)),
     'npy.value@74'),
    ('a surrogate', made(header_of("'<U1'"), struct.pack('<2I', 65, 0xd800)), 'npy.value@74'),
    ('bytes that are no text', made(header_of("'|S1'"), b'a\xff'), 'npy.value@71'),
    ('numbers of another type', npy(np.array([['a', 'b']])), 'cli.rows'),
    ('one dimension', npy([1.0, 2.0]), 'run.input'),
    ('three columns', npy([[1.0, 2.0, 3.0]]), 'run.input'),
    ('three columns in Fortran\'s order', npy(np.zeros((2, 3), order='F')), 'run.input'),
)


class Arrays(Rows):
    def test_arrays(self):
        for name, content, want in ARRAYS:
            self.predict(name, content, want)
        self.predicts(made(GOOD, BODY))
        self.predicts(npy(np.ones((3, 2), dtype='>f4', order='F')))

    def test_cut_at_every_byte(self):
        content = made(GOOD, BODY)
        for cut in range(len(content)):
            want = ('csv.empty@0' if cut == 0 else
                    'csv.encoding@0' if cut < 6 else f'npy.truncated@{cut}')
            self.predict(f'cut to {cut}', content[:cut], want)

    def test_an_array_larger_than_its_limit(self):
        self.predict('input_bytes', made(GOOD, BODY), 'input.size@85', '--limit', 'input_bytes=85')


if __name__ == '__main__':
    main()
