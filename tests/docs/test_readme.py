"""README.md shows what really happens: its commands are run again and what they print is
compared, and its C program is compiled and run."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
BUILD = (ROOT / os.environ.get('BUILD', 'build')).resolve()
README = (ROOT / 'README.md').read_text()
SECONDS = 60


def blocks(language):
    return re.findall(rf'^```{language}\n(.*?)^```$', README, re.M | re.S)


def steps(block):
    """The commands of a console block, each with the lines that it prints."""
    found = []
    for line in block.splitlines():
        if line.startswith('$ '):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def normal(text, home):
    """Without what differs from run to run and from machine to machine."""
    text = text.replace(str(home), '/home/you')
    text = re.sub(r'\b[0-9A-F]{16}\b', 'KEYID', text)
    text = re.sub(r'\b\d+ bytes', 'N bytes', text)
    text = re.sub(r'\b\d\.\d{8,}(e-\d+)?', lambda match: f'{float(match.group()):.6g}', text)
    # doctor: what holds is the machine's; what there is, and what must hold, is not
    text = re.sub(r'^ {15}[a-zA-Z/].*\n', '', text, flags=re.M)  # what to do about it
    text = re.sub(r'^((?:kernel|child|build|user|/proc) {2,}).*$', r'\1MACHINE', text, flags=re.M)
    return re.sub(r'^([a-z-]+ +(?:required|optional) +)(?:attested|reported|failed.*)$', r'\1STATE',
                  text, flags=re.M)


def matches(wanted, got):
    """Line by line; a line `...` stands for any number of lines."""
    if not wanted:
        return not got
    if wanted[0] == '...':
        return any(matches(wanted[1:], got[i:]) for i in range(len(got) + 1))
    return bool(got) and wanted[0] == got[0] and matches(wanted[1:], got[1:])


class Readme(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name).resolve()
        self.home = self.folder / 'home'
        self.home.mkdir()
        self.environment = {**os.environ, 'HOME': str(self.home), 'LC_ALL': 'C',
                            'PATH': f'{BUILD / "bin"}:{os.environ["PATH"]}',
                            'models': str(ROOT / 'tests' / 'models'), 'tour': str(self.folder),
                            'LD_LIBRARY_PATH': str(BUILD / 'lib')}
        self.environment.pop('XDG_CONFIG_HOME', None)

    def run_shell(self, command, folder):
        """What a command prints, and the folder that it ends in."""
        after = self.folder / 'after'
        script = f'umask 022; {command}\ncode=$?; pwd > {after}; exit $code'
        done = subprocess.run(['sh', '-c', script], cwd=folder, env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS)
        return done.stdout.decode(), pathlib.Path(after.read_text().strip())

    def run_tour(self):
        folder = self.folder
        for block in blocks('console'):
            for command, wanted in steps(block):
                got, folder = self.run_shell(command, folder)
                wanted = normal('\n'.join(wanted), self.home).splitlines()
                if not matches(wanted, normal(got, self.home).splitlines()):
                    self.fail(f'{command}\n--- README.md says\n{wanted}\n--- but it prints\n{got}')

    def test_the_tour(self):
        self.assertGreater(sum(len(steps(block)) for block in blocks('console')), 10)
        self.run_tour()

    def test_the_program(self):
        """It is compiled as it stands, but for where the child lies before it is installed."""
        program, = blocks('c')
        default = 'wlk_load_options_default(&options);'
        self.assertIn(default, program)
        child = f'options.child_path = "{BUILD / "bin" / "weighlock-child"}";'
        (self.folder / 'load.c').write_text(program.replace(default, default + child))
        san = os.environ.get('SAN')
        compiled = subprocess.run(
            [os.environ.get('CC', 'cc'), '-std=c17', '-Wall', '-Wextra', '-Werror', f'-I{ROOT}/include',
             *([f'-fsanitize={san}'] if san else []), '-o', 'load', 'load.c', f'-L{BUILD}/lib',
             '-lweighlock'], cwd=self.folder, capture_output=True, text=True, timeout=SECONDS)
        self.assertEqual(compiled.returncode, 0, compiled.stderr)
        self.run_shell('weighlock keygen --unencrypted', self.folder)
        self.run_shell('weighlock pack $models/iris/spec.json -o iris.wlk --sign weighlock.key',
                       self.folder)
        printed, _ = self.run_shell('./load', self.folder)
        self.assertEqual(printed.splitlines()[:3], ['mean f64, 1 dimensions', 'scale f64, 1 dimensions',
                                                    'coefficients f64, 2 dimensions'])

    def test_it_begins_with_a_bare_machine(self):
        commands = blocks('sh')[0].splitlines()
        self.assertEqual(commands[0], 'sudo apt-get install -y git make')
        for target in re.findall(r'^make (.*?)(?: +#|$)', '\n'.join(commands), re.M):
            for name in target.split():
                self.assertRegex((ROOT / 'Makefile').read_text(), rf'(?m)^{name}:')


if __name__ == '__main__':
    unittest.main()
