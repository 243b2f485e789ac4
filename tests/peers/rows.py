"""The operator table beside the standard's list of operators and versions."""
import re
from pathlib import Path

import onnx.defs

PAGE = Path(__file__).resolve().parents[2] / 'docs/operators.md'
STANDARD = {'ai.onnx': '', 'ai.onnx.ml': 'ai.onnx.ml'}


class Wrong(Exception):
    """The table does not agree with the standard."""


def parts():
    """What stands below each domain's title."""
    _, *texts = re.split(r'^### (\S+)\n', PAGE.read_text().split('<!-- end')[0], flags=re.M)
    return dict(zip(texts[::2], texts[1::2]))


def versions_of_table(text):
    """{operator: versions}"""
    table = {}
    for name, since in re.findall(r'^\| (\w+) \| (\d+) \|', text, re.M):
        table.setdefault(name, []).append(int(since))
    return table


def versions_of_standard(domain, newest):
    """{operator: {version: deprecated?}}"""
    standard = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == domain and schema.since_version <= newest:
            standard.setdefault(schema.name, {})[schema.since_version] = schema.deprecated
    return standard


def faults(table, standard):
    for name, rows in table.items():
        if name not in standard:
            yield f'{name} is no operator of the standard'
            continue
        for since in set(rows) - set(standard[name]):
            yield f'{name} has no version {since}'
        for since, deprecated in standard[name].items():
            if since not in rows and not deprecated:
                yield f'{name} has no row for version {since}'
        if len(set(rows)) != len(rows):
            yield f'{name} has two rows for one version'


def check():
    wrong, rows, operators = [], 0, 0
    for title, text in parts().items():
        if title not in STANDARD:
            continue
        newest = int(re.search(r'Opset versions \d+ to (\d+)', text)[1])
        table = versions_of_table(text)
        known = versions_of_standard(STANDARD[title], newest)
        wrong += [f'{title}: {fault}' for fault in faults(table, known)]
        rows += sum(map(len, table.values()))
        operators += len(table)
    if wrong or not rows:
        raise Wrong('; '.join(wrong) or f'no table in {PAGE}')
    return f'{rows} rows of {operators} operators'
