"""What `weighlock inspect --json` must say about a model, made from the model."""
import wlk

KEYS = ('graphs', 'metadata', 'opset', 'selftest', 'tensors')


def expected(model):
    header = model.header
    graphs = header.get('graphs', [])
    return {
        'graphs': [graph_row(graph, types_of(graphs)) for graph in graphs],
        'metadata': {path: value for key, tree in header.items()
                     if key not in ('graphs', 'opset', 'selftest')
                     for path, value in leaves(tree, '/' + escape(key))},
        'opset': header.get('opset', {}),
        'selftest': header.get('selftest', []),
        'tensors': [tensor_row(tensor) for tensor in model.tensors],
    }


def tensor_row(tensor):
    row = {'name': tensor.name, 'dtype': tensor.dtype, 'shape': list(tensor.shape),
           'nbytes': len(wlk.payload_of(tensor))}
    return {**row, 'block': tensor.block} if tensor.block else row


def types_of(graphs):
    """The declared type of each value that has one."""
    return {port['name']: port['type'] for graph in graphs
            for port in graph['inputs'] + graph['outputs'] if 'type' in port}


def graph_row(graph, types):
    def ports(side):
        return [{'name': port['name'], **({'type': types[port['name']]}
                                          if port['name'] in types else {})}
                for port in graph[side]]
    defaults = {'attr': {}, 'domain': '', 'name': ''}
    return {'name': graph.get('name', ''), 'inputs': ports('inputs'), 'outputs': ports('outputs'),
            'nodes': [{**defaults, **node} for node in graph['nodes']]}


def escape(key):
    return key.replace('~', '~0').replace('/', '~1')


def leaves(tree, path):
    """(JSON Pointer, value) of all that holds nothing further."""
    if isinstance(tree, (dict, list)) and tree:
        steps = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for step, value in steps:
            yield from leaves(value, f'{path}/{escape(str(step))}')
    else:
        yield path, tree
