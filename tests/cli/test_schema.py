"""docs/schema says exactly what every verb prints with --json."""
import copy
import hashlib
import json
import pickle
import unittest

import jsonschema

from kit import (MODELS, OK, ROOT, TRUST, USAGE, VERBS, EveryVerbTest, one_object, samples, wlk)

FOLDER = ROOT / 'docs' / 'schema'
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in FOLDER.glob('*.json')}
STORE = {(FOLDER / f'{name}.json').as_uri(): schema for name, schema in SCHEMAS.items()}


def validator(name, part=''):
    """For a schema, or for what is at a JSON Pointer in it."""
    schema = {'$ref': (FOLDER / f'{name}.json').as_uri() + '#' + part}
    resolver = jsonschema.RefResolver('', schema, store=STORE)
    return jsonschema.Draft202012Validator(schema, resolver=resolver)


def file_of(verb):
    return verb.replace(' ', '-')


def objects(schema):
    """All schemas of objects with named properties in a schema."""
    if isinstance(schema, list):
        schema = dict(enumerate(schema))
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get('properties'), dict):
        yield schema
    for value in schema.values():
        yield from objects(value)


class Schemas(unittest.TestCase):
    def test_they_are_schemas(self):
        for name, schema in SCHEMAS.items():
            jsonschema.Draft202012Validator.check_schema(schema)
            self.assertIn('weighlock', schema['title'], name)

    def test_they_know_every_key(self):
        """Objects are closed where they are declared, or, where they are put together
        of parts, as a whole."""
        for name, schema in SCHEMAS.items():
            parts = [part for key, part in schema.get('$defs', {}).items()]
            whole = 'unevaluatedProperties' in json.dumps(schema)
            for found in objects(schema):
                closed = found.get('additionalProperties') is False
                self.assertTrue(closed or (whole and found in parts), (name, found))


class Output(EveryVerbTest):
    def check(self, schema, found, part=''):
        """It is as the schema says; one key more, here or one level below, is not."""
        check = validator(schema, part)
        check.validate(found)
        self.assertFalse(check.is_valid({**found, 'surprise': 1}), schema)
        for key, value in found.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                changed = copy.deepcopy(found)
                changed[key][0]['surprise'] = 1
                self.assertFalse(check.is_valid(changed), (schema, key))
            if (schema, key) != ('refusal', 'file'):  # not every refusal is about a file
                changed = {**found}
                del changed[key]
                self.assertFalse(check.is_valid(changed), (schema, f'without {key}'))

    def with_json(self):
        return [verb for verb in VERBS if ' --json' in self.help(verb)]

    def test_each_verb_has_a_schema(self):
        self.assertEqual(set(SCHEMAS), {*map(file_of, self.with_json()), 'refusal'})

    def test_success_of_each_verb(self):
        for verb in self.with_json():
            with self.subTest(verb):
                _, *arguments = self.sample(verb)
                self.check(file_of(verb), self.object(verb, *arguments))

    def test_refusal_of_each_verb(self):
        for verb in self.with_json():
            result = self.call(verb, '--bogus', '--json')
            self.assertEqual(result.returncode, USAGE)
            self.check('refusal', one_object(result.stdout))

    def test_other_ways_to_succeed(self):
        trusted = ('--trust', self.trust)
        iris = MODELS / 'iris'
        unsigned = ('pack', iris / 'spec.json', '-o', 'unsigned.wlk')
        for verb, *arguments in (unsigned,
                                 ('predict', 'model.wlk', iris / 'rows.csv', '-o', 'x', *trusted),
                                 ('predict', 'model.wlk', iris / 'rows.csv', *trusted),
                                 ('sign', 'model.wlk', '-s', self.secret, '--detached', *trusted),
                                 ('verify', 'model.wlk', 'stranger.pub', '--allow-unsigned',
                                  '--checksums', self.checksums(), *trusted),
                                 ('inspect', 'unsigned.wlk', *trusted),
                                 ('policy', '--syscalls'), ('policy', '--pfc'),
                                 ('trust list',)):
            with self.subTest((verb, *arguments)):
                self.check(file_of(verb), self.object(verb, *arguments))

    def checksums(self):
        names = ('model.wlk', 'stranger.pub')
        lines = [f'{hashlib.sha256((self.folder / name).read_bytes()).hexdigest()}  {name}\n'
                 for name in names]
        return self.put('SUMS', ''.join(lines).encode())

    def test_models_that_hold_all_there_is(self):
        for name, model in (('rich', samples.rich()), ('example', samples.example()),
                            ('types', samples.typed_inputs()),
                            ('numbers', samples.classifier(((float('nan'), float('inf')),) * 2))):
            file = self.put(f'{name}.wlk', wlk.write(model, samples.EXAMPLE_KEY))
            with self.subTest(name):
                validator('inspect').validate(self.object('inspect', file, '--trust', self.trust))

    def test_models_of_other_formats(self):
        people = MODELS / 'people'
        for file in (people / 'upload.joblib', people / 'probabilities.npy',
                     self.put('plain.pickle', pickle.dumps({'rows': [1, 2.5, None, 'text']}))):
            with self.subTest(file.name):
                self.check('inspect', self.object('inspect', file, '--trust', self.trust))

    def test_refusals_with_more_to_say(self):
        overflow = MODELS / 'hostile' / 'overflow.wlk'
        trusted = ('--trust', self.trust)
        self.check('refusal', self.object('inspect', overflow, *trusted, code=1))
        found = self.object('verify', 'nowhere', 'model.wlk', '-k', '2', *trusted, code=8)
        self.check('verify', found)
        self.assertEqual([one['rule'] for one in found['files']], ['gate.open', 'trust.threshold'])
        (self.folder / 'empty').mkdir(mode=0o755)
        self.check('trust-check', self.object('trust check', '--trust', 'empty', code=TRUST))
        result = self.call('doctor', '--json', '--limit', 'deadline_ms=0')
        self.assertNotEqual(result.returncode, OK)
        self.check('doctor', one_object(result.stdout))

    def test_lines_of_a_batch(self):
        names = b'model.wlk\0nowhere\0\0'
        for verb, line_of in (('verify', ('verify', '/$defs/file')), ('inspect', ('inspect', ''))):
            result = self.call(verb, '--stdin0', '--trust', self.trust, input=names)
            good, *bad = result.stdout.splitlines()
            self.check(line_of[0], one_object(good), line_of[1])
            self.assertEqual(len(bad), 2)
            for line in bad:
                self.check('refusal', one_object(line))


if __name__ == '__main__':
    unittest.main()
