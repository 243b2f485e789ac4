"""What the tests of the command line share: a prepared folder, JSON that is one
object, and a terminal."""
import base64
import hashlib
import json
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time

HERE = pathlib.Path(__file__).parent
MODELS = HERE.parent / 'models'
sys.path.insert(0, str(HERE.parent / 'format'))

import samples  # noqa: E402, F401
import wlk  # noqa: E402, F401
from command import ROOT, WEIGHLOCK, CommandTest  # noqa: E402, F401

OK, REFUSED, UNDECIDED, UNSUPPORTED, USAGE, CAGE, LIMIT, TRUST, SYSTEM = range(9)


def verbs_of_help():
    """The verbs in the program's own list, such as "verify" and "trust add"."""
    text = subprocess.run([WEIGHLOCK, '--help'], capture_output=True, check=True).stdout.decode()
    return tuple(re.findall(r'^  ([a-z]+(?: [a-z]+)?) +[a-z]', text, re.M))


VERBS = verbs_of_help()


def no_repeated_keys(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError(f'a key occurs twice: {keys}')
    return dict(pairs)


def one_object(text):
    """The only JSON object in some bytes, all of which are ASCII."""
    found = json.loads(text.decode('ascii'), object_pairs_hook=no_repeated_keys)
    if not isinstance(found, dict):
        raise ValueError('not an object')
    return found


def encrypted_text(key, password):
    """A secret key in minisign's format, encrypted with as little work as is allowed:
    limits of 2^15 operations and 2^24 bytes are N = 1024, r = 8, p = 1."""
    secret = key.number + key.seed + key.public().key
    checksum = hashlib.blake2b(b'Ed' + secret, digest_size=32).digest()
    salt = bytes(range(32))
    stream = hashlib.scrypt(password, salt=salt, n=1024, r=8, p=1, dklen=104)
    sealed = bytes(a ^ b for a, b in zip(secret + checksum, stream))
    limits = struct.pack('<QQ', 1 << 15, 1 << 24)
    packed = base64.b64encode(b'EdScB2' + salt + limits + sealed).decode()
    return f'untrusted comment: minisign encrypted secret key\n{packed}\n'


def type_of(dtype, *shape):
    return {'tensor': {'dtype': dtype, 'shape': list(shape)}}


class CliTest(CommandTest):
    """A folder in which `model.wlk` is the iris model, signed by a trusted key."""

    def environment(self, **more):
        environment = {**os.environ, 'HOME': str(self.folder), 'LC_ALL': 'C.UTF-8', **more}
        environment.pop('XDG_CONFIG_HOME', None)
        return environment

    def call(self, *arguments, program=WEIGHLOCK, **options):
        """The finished process; it has no terminal."""
        options = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE,
                   'stderr': subprocess.PIPE, **options}
        if 'input' in options:
            del options['stdin']
        if arguments and arguments[0] in VERBS:
            arguments = (*arguments[0].split(), *arguments[1:])
        words = [one if isinstance(one, bytes) else str(one) for one in arguments]
        return subprocess.run([program, *words],
                              env=self.environment(), cwd=self.folder, timeout=120,
                              start_new_session=True, **options)

    def succeeds(self, *arguments, **options):
        result = self.call(*arguments, **options)
        self.assertEqual((result.returncode, result.stderr or b''), (OK, b''), arguments)
        return result.stdout

    def object(self, verb, *arguments, code=OK, **options):
        """What a call with --json prints."""
        result = self.call(verb, '--json', *arguments, **options)
        self.assertEqual((result.returncode, result.stderr), (code, b''), result.stdout)
        return one_object(result.stdout)

    def refused(self, code, rule, *arguments, says='', as_json=True, **options):
        """The one error line of a call that must fail by this rule, without a word on
        standard output; with --json the same is said as an object."""
        result = self.call(*arguments, **options)
        line = result.stderr.decode()
        self.assertEqual((result.returncode, result.stdout), (code, b''), (arguments, line))
        self.assertRegex(line, r'\Aweighlock: (.+: )?%s: [^\n]* \([^\n]+\)\n\Z'
                         % rule.split('.')[0])
        self.assertIn(says, line)
        if not as_json:
            return line
        found = self.object(*arguments, code=code, **options)
        found = found['files'][0] if 'files' in found else found
        self.assertEqual((found['exit'], found['rule']), (code, rule), found)
        return line

    def iris(self, sign=True, name='model.wlk'):
        out = self.folder / name
        self.succeeds('pack', MODELS / 'iris' / 'spec.json', '-o', out,
                      *(('--sign', self.secret) if sign else ()))
        return out

    def model(self, graph, tensors=(), name='own.wlk', **header):
        """A signed model of this graph."""
        tensors = list(tensors)
        header = {'graphs': [graph], 'kind': 'model', 'opset': {'': 13, 'ai.onnx.ml': 3}, **header}
        return self.put(name, wlk.write(wlk.Model(header, tensors), samples.EXAMPLE_KEY))

    def identity(self, dtype='f64', columns=2, name='own.wlk'):
        return self.model({
            'inputs': [{'name': 'X', 'type': type_of(dtype, 'n', columns)}],
            'nodes': [{'in': ['X'], 'op': 'Identity', 'out': ['Y']}],
            'outputs': [{'name': 'Y'}]}, name=name)


class EveryVerbTest(CliTest):
    """A call of each verb that succeeds and prints something, any number of times."""

    SAMPLES = {
        'keygen': '--unencrypted -s {new}.key -p {new}.pub --trust made',
        'sign': 'model.wlk -s secret.key -o {new}.wlk --trust trust',
        'verify': 'model.wlk --trust trust',
        'pack': '{iris}/spec.json -o {new}.wlk',
        'convert': 'model.wlk -o {new}.wlk --trust trust',
        'inspect': 'model.wlk --trust trust',
        'predict': 'model.wlk {iris}/rows.csv --trust trust',
        'extract': 'model.wlk -o {new}.npz --trust trust',
        'meta get': 'model.wlk --trust trust',
        'meta set': 'model.wlk /version=2 -s secret.key -o {new}.wlk --trust trust',
        'doctor': '',
        'policy': '',
        'trust add': 'stranger.pub --trust {new}',
        'trust list': '--trust trust',
        'trust revoke': 'example --trust revoking',
        'trust check': '--trust trust',
        'completion': 'bash',
    }

    def setUp(self):
        super().setUp()
        self.count = 0
        self.iris()
        shutil.copytree(self.trust, self.folder / 'revoking')
        self.put('stranger.pub', samples.STRANGER_KEY.public().text().encode())

    def sample(self, verb, *more):
        self.count += 1
        words = self.SAMPLES[verb].format(new=f'new{self.count}', iris=MODELS / 'iris')
        return (verb, *more, *words.split())

    def help(self, verb):
        return self.succeeds(verb, '--help').decode()


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, arguments, environment, folder):
        self.said = b''
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(arguments[0], list(map(str, arguments)), environment)

    def read(self, seconds):
        """More output; False at its end."""
        if not select.select([self.master], [], [], seconds)[0]:
            raise TimeoutError(self.said)
        try:
            more = os.read(self.master, 4096)
        except OSError:  # EIO: nobody holds the other side any more
            return False
        self.said += more
        return bool(more)

    def answer(self, prompt, text):
        """Waits for the prompt, at which nothing that is typed may show, and types."""
        deadline = time.monotonic() + 60
        while prompt not in self.said or self.echo():
            if time.monotonic() > deadline:
                raise TimeoutError(self.said)
            if select.select([self.master], [], [], 0.02)[0]:
                self.read(0)
        self.said = self.said.replace(prompt, b'', 1)
        os.write(self.master, text)

    def echo(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def end(self):
        """What was said, and how the program ended: an exit code, or a signal as its
        negative number."""
        while self.read(60):
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.master)
        return self.said, os.waitstatus_to_exitcode(status)
