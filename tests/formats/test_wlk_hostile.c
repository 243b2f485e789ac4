/* Hostile headers and data, one defect a row: verdict, rule and exact offset.
 * Invariant 9: every refusal says why. */
#include "formats/wlk_whole.h"

typedef struct hostile_row {
    const char *what;
    const char *from; /* NULL: `to` is the whole header */
    const char *to;
    const char *rule;
    wlk_status status; /* 0: refused */
} hostile_row;

/* ---- structure: that which is seen before anything has a meaning */

static const hostile_row structure[] = {
    {"no map", NULL, "@[]", "header.type", 0},
    {"a number", NULL, "@7", "header.type", 0},
    {"two objects", NULL, "{kind:a, tensors:[]} @{}", "header.trailing", 0},
    {"one zero behind", NULL, "{kind:a, tensors:[]} @<00>", "header.trailing", 0},
    {"cut behind a key", NULL, "<82> kind a tensors @", "header.truncated", 0},
    {"cut in a string", NULL, "<82> kind a @<a7 74>", "header.truncated", 0},
    {"array32 bomb", "tags:[a]", "tags:@<dd ff ff ff ff>", "header.count", 0},
    {"map32 bomb", "numpy:'1.24'", "numpy:@<df ff ff ff ff>", "header.count", 0},
    {"map16 bomb", "{numpy:'1.24'}", "@<de ff ff>", "header.count", 0},
    {"tensors bomb", "{codec:raw, dtype:f32, name:w",
     "@<dd 7f ff ff ff> {codec:raw, dtype:f32, name:w", "header.count", 0},
    {"str32 beyond the end", "numpy:'1.24'", "numpy:@<db ff ff ff ff>", "header.truncated", 0},
    {"str8 beyond the end", "shape:[2]", "shape:@<d9 ff>", "header.truncated", 0},
    {"17 levels", "{numpy:'1.24'}", "{a:[[[[[[[[[[[[[@[]]]]]]]]]]]]]]}", "header.depth", 0},
    {"key twice", "kind:model", "kind:model, @kind:model", "header.key-duplicate", 0},
    {"keys descend", "kind:model, metadata", "kind:model, @created:a, metadata", "header.key-order",
     0},
    {"keys descend by length", "opset:{'':13, my:1}", "opset:{my:13, @m:1}", "header.key-order", 0},
    {"keys of a tensor descend", "{codec:raw, dtype:f32, name:w", "{dtype:f32, @codec:raw, name:w",
     "header.key-order", 0},
    {"a key is a number", "numpy:", "@12:", "header.key-type", 0},
    {"a key is nil", "numpy:", "@null:", "header.key-type", 0},
    {"uint8 for a fixint", "offset:0", "offset:@<cc 00>", "header.not-canonical", 0},
    {"uint16 for a uint8", "offset:128", "offset:@<cd 00 80>", "header.not-canonical", 0},
    {"uint64 for a fixint", "shape:[3]", "shape:[@<cf 00 00 00 00 00 00 00 03>]",
     "header.not-canonical", 0},
    {"int8 for a positive", "nbytes:12", "nbytes:@<d0 0c>", "header.not-canonical", 0},
    {"str8 for a fixstr", "name:w", "name:@<d9 01 77>", "header.not-canonical", 0},
    {"array16 for a fixarray", "shape:[3]", "shape:@<dc 00 01 03>", "header.not-canonical", 0},
    {"map16 for a fixmap", "{numpy:'1.24'}", "@<de 00 01 a1 61 a1 62>", "header.not-canonical", 0},
    {"float 32", "rtol:1e-6", "rtol:@<ca 3f 80 00 00>", "header.type-byte", 0},
    {"bin", "name:w", "name:@<c4 01 77>", "header.type-byte", 0},
    {"ext", "name:w", "name:@<c7 01 05 77>", "header.type-byte", 0},
    {"fixext", "name:w", "name:@<d4 05 77>", "header.type-byte", 0},
    {"the reserved byte", "name:w", "name:@<c1>", "header.type-byte", 0},
    {"text that is not UTF-8", "name:w", "name:@'\\xff'", "header.utf8", 0},
    {"text in overlong UTF-8", "tags:[a]", "tags:[@'\\xc0\\x80']", "header.utf8", 0},
    {"a surrogate", "kind:model", "kind:@'\\xed\\xb0\\x80'", "header.utf8", 0},
    {"NUL in a name", "name:w", "name:@'w\\x00'", "header.utf8", 0},
    {"NUL in a key", "numpy:", "@'\\x00':", "header.utf8", 0},
};

/* ---- the top level, metadata, opset */

static const hostile_row top[] = {
    {"no kind", "kind:model, ", "", "header.key-missing", 0},
    {"no tensors", NULL, "@{kind:a}", "header.key-missing", 0},
    {"graphs without opset", "opset:{'':13, my:1},", "", "header.key-missing", 0},
    {"selftest without graphs", NULL, "@{kind:a, selftest:[1], tensors:[]}", "header.key-missing",
     0},
    {"unknown key", "kind:model", "kind:model, @label:a", "header.key-unknown", 0},
    {"an extension without hyphen", NULL, "{kind:a, tensors:[], @x:1}", "header.key-unknown", 0},
    {"an empty key", NULL, "{@'':1, kind:a, tensors:[]}", "header.key-unknown", 0},
    {"kind is a number", "kind:model", "kind:@1", "header.type", 0},
    {"kind is nil", "kind:model", "kind:@null", "header.type", 0},
    {"created is a number", NULL, "{created:@1, kind:a, tensors:[]}", "header.type", 0},
    {"name is an array", NULL, "{kind:a, name:@[], tensors:[]}", "header.type", 0},
    {"producer is a map", NULL, "{kind:a, producer:@{}, tensors:[]}", "header.type", 0},
    {"version is a float", NULL, "{kind:a, tensors:[], version:@1.0}", "header.type", 0},
    {"tensors is a map", NULL, "{kind:a, tensors:@{}}", "header.type", 0},
    {"graphs is a map", NULL, "{graphs:@{}, kind:a, opset:{}, tensors:[]}", "header.type", 0},
    {"graphs is empty", NULL, "{graphs:@[], kind:a, opset:{}, tensors:[]}", "header.empty", 0},
    {"selftest is empty", NULL, "{kind:a, selftest:@[], tensors:[]}", "header.empty", 0},
    {"selftest is nil", NULL, "{kind:a, selftest:@null, tensors:[]}", "header.type", 0},
    {"metadata is an array", NULL, "{kind:a, metadata:@[], tensors:[]}", "header.type", 0},
    {"unknown metadata", "metadata:{libraries", "metadata:{@author:a, libraries",
     "header.key-unknown", 0},
    {"libraries is an array", "libraries:{numpy:'1.24'}", "libraries:@[]", "header.type", 0},
    {"a library's version is a number", "numpy:'1.24'", "numpy:@1.24", "header.type", 0},
    {"tags is a map", "tags:[a]", "tags:@{}", "header.type", 0},
    {"a tag is a number", "tags:[a]", "tags:[a, @1]", "header.type", 0},
    {"metrics is a float", "tags:[a]", "metrics:@1.0, tags:[a]", "header.type", 0},
    {"opset is an array", "opset:{'':13, my:1}", "opset:@[]", "header.type", 0},
    {"opset version 0", "opset:{'':13,", "opset:{'':@0,", "opset.version", 0},
    {"opset version -1", "opset:{'':13,", "opset:{'':@-1,", "header.type", 0},
    {"opset version 2^32", "opset:{'':13,", "opset:{'':@4294967296,", "header.value", 0},
    {"opset version is a text", "opset:{'':13,", "opset:{'':@'13',", "header.type", 0},
};

/* ---- tensors */

static const hostile_row tensors[] = {
    {"a tensor is a number", NULL, "{kind:a, tensors:[@1]}", "header.type", 0},
    {"an unknown key", "{codec:raw, dtype:f32, name:w, n",
     "{codec:raw, dtype:f32, @endian:big, name:w, n", "header.key-unknown", 0},
    {"x- is not for tensors", "shape:[3]}", "shape:[3], @x-a:1}", "header.key-unknown", 0},
    {"no name", "{codec:raw, dtype:f32, name:w, ", "@{codec:raw, dtype:f32, ", "header.key-missing",
     0},
    {"no codec", "{codec:raw, dtype:f32, name:w, ", "@{dtype:f32, name:w, ", "header.key-missing",
     0},
    {"no shape", "{codec:raw, dtype:f32, name:w, nbytes:12, offset:0, shape:[3]}",
     "@{codec:raw, dtype:f32, name:w, nbytes:12, offset:0}", "header.key-missing", 0},
    {"name is a number", "name:w", "name:@1", "header.type", 0},
    {"name is empty", "name:w", "name:@''", "header.empty", 0},
    {"name occurs twice", "name:g", "name:@w", "header.name-duplicate", 0},
    {"codec is a number", "codec:raw", "codec:@0", "header.type", 0},
    {"codec zstd", "codec:raw", "codec:@zstd", "header.codec", WLK_UNSUPPORTED},
    {"unknown codec", "codec:raw", "codec:@lzma", "header.codec-unknown", 0},
    {"codec is empty", "codec:raw", "codec:@''", "header.codec-unknown", 0},
    {"unknown dtype", "dtype:f32, name:w", "dtype:@f33, name:w", "tensor.dtype", 0},
    {"dtype none", "dtype:f32, name:w", "dtype:@none, name:w", "tensor.dtype", 0},
    {"dtype is empty", "dtype:f32, name:w", "dtype:@'', name:w", "tensor.dtype", 0},
    {"dtype is a number", "dtype:f32, name:w", "dtype:@1, name:w", "header.type", 0},
    {"rank 9", "shape:[3]", "shape:@[3,1,1,1,1,1,1,1,1]", "tensor.shape", 0},
    {"shape is a number", "shape:[3]", "shape:@3", "header.type", 0},
    {"a negative dimension", "shape:[3]", "shape:[@-3]", "header.type", 0},
    {"a dimension is a symbol", "shape:[3]", "shape:[@n]", "header.type", 0},
    {"2^64 elements", "shape:[3]", "shape:@[4294967296, 4294967296]", "tensor.shape", 0},
    {"2^63 elements", "shape:[3]", "shape:@[9223372036854775808]", "tensor.shape", 0},
    {"2^80 elements and none", "shape:[3]", "shape:@[1099511627776, 1099511627776, 0]",
     "tensor.shape", 0},
    {"2^64 bytes", "nbytes:12, offset:0, shape:[3]",
     "nbytes:@12, offset:0, shape:[4611686018427387907]", "tensor.size", 0},
    {"2^63 bytes", "nbytes:12, offset:0, shape:[3]",
     "nbytes:@9223372036854775808, offset:0, shape:[2305843009213693952]", "header.tensor-range",
     0},
    {"too many bytes", "nbytes:12", "nbytes:@13", "tensor.size", 0},
    {"too few bytes", "nbytes:12", "nbytes:@11", "tensor.size", 0},
    {"nbytes is negative", "nbytes:12", "nbytes:@-12", "header.type", 0},
    {"nbytes is a float", "nbytes:12", "nbytes:@12.0", "header.type", 0},
    {"tensors overlap", "offset:64", "offset:@0", "header.tensor-offset", 0},
    {"tensor is not aligned", "offset:64", "offset:@65", "header.tensor-offset", 0},
    {"aligned to 4 only", "offset:64", "offset:@12", "header.tensor-offset", 0},
    {"a gap between tensors", "offset:64", "offset:@128", "header.tensor-offset", 0},
    {"the first is not at 0", "offset:0", "offset:@64", "header.tensor-offset", 0},
    {"offset 2^64-64", "offset:64", "offset:@18446744073709551552", "header.tensor-offset", 0},
    {"str beyond the data", "nbytes:26", "nbytes:@27", "header.tensor-range", 0},
    {"str of 2^64-1 bytes", "nbytes:26", "nbytes:@18446744073709551615", "header.tensor-range", 0},
    {"str without its offsets", "nbytes:26, offset:256, shape:[2]",
     "nbytes:@26, offset:256, shape:[3]", "tensor.size", 0},
    {"str of 2^62 elements", "nbytes:26, offset:256, shape:[2]",
     "nbytes:@26, offset:256, shape:[4611686018427387904]", "tensor.size", 0},
    {"block is missing", "{block:{bytes:5, elements:2, kind:q4}, codec", "@{codec", "tensor.block",
     0},
    {"block of another dtype", "{codec:raw, dtype:f32, name:w",
     "{block:@{bytes:5, elements:2, kind:q4}, codec:raw, dtype:f32, name:w", "tensor.block", 0},
    {"block is a text", "{block:{bytes:5, elements:2, kind:q4}", "{block:@q4", "header.type", 0},
    {"block without kind", "{bytes:5, elements:2, kind:q4}", "@{bytes:5, elements:2}",
     "header.key-missing", 0},
    {"block kind in capitals", "kind:q4", "kind:@Q4", "tensor.block", 0},
    {"block kind is empty", "kind:q4", "kind:@''", "tensor.block", 0},
    {"block kind of 33 letters", "kind:q4", "kind:@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "tensor.block", 0},
    {"block of 0 elements", "{bytes:5, elements:2", "@{bytes:5, elements:0", "tensor.block", 0},
    {"block of 0 bytes", "{bytes:5, elements:2", "@{bytes:0, elements:2", "tensor.block", 0},
    {"block of 65537 elements", "{bytes:5, elements:2", "@{bytes:5, elements:65537", "tensor.block",
     0},
    {"block of 2^32+2 elements", "{bytes:5, elements:2", "@{bytes:5, elements:4294967298",
     "tensor.block", 0},
    {"half a block", "offset:192, shape:[4]", "offset:192, shape:@[4,1]", "tensor.block", 0},
    {"block of rank 0", "offset:192, shape:[4]", "offset:192, shape:@[]", "tensor.block", 0},
    {"block with other bytes", "nbytes:10", "nbytes:@20", "tensor.size", 0},
};

/* ---- graphs, nodes, attributes */

static const hostile_row graphs[] = {
    {"a graph is nil", NULL, "{graphs:[@null], kind:a, opset:{}, tensors:[]}", "header.type", 0},
    {"a graph without outputs", NULL,
     "{graphs:[@{inputs:[], nodes:[]}], kind:a, opset:{}, tensors:[]}", "header.key-missing", 0},
    {"a graph without inputs", NULL,
     "{graphs:[@{nodes:[], outputs:[]}], kind:a, opset:{}, tensors:[]}", "header.key-missing", 0},
    {"an unknown key of a graph", "name:main", "@layers:[], name:main", "header.key-unknown", 0},
    {"a graph's empty name", "name:main", "name:@''", "header.empty", 0},
    {"inputs is a map", "inputs:[{name:i}]", "inputs:@{}", "header.type", 0},
    {"an input is a text", "inputs:[{name:i}]", "inputs:[@i]", "header.type", 0},
    {"an input without name", "inputs:[{name:i}]", "inputs:[@{}]", "header.key-missing", 0},
    {"an input's empty name", "inputs:[{name:i}]", "inputs:[{name:@''}]", "header.empty", 0},
    {"an unknown key of an input", "inputs:[{name:i}]", "inputs:[{@kind:a, name:i}]",
     "header.key-unknown", 0},
    {"a main input without type", "[{name:x, type:{tensor:{dtype:f32, shape:[n, 3]}}}]",
     "[@{name:x}]", "header.key-missing", 0},
    {"a node is an array", "{domain:my, in:[h, ''], op:Relu, out:[y, '']}", "@[]", "header.type",
     0},
    {"an unknown key of a node", "{domain:my, in", "{@device:gpu, domain:my, in",
     "header.key-unknown", 0},
    {"a node without op", "{domain:my, in:[h, ''], op:Relu, ", "@{domain:my, in:[h, ''], ",
     "header.key-missing", 0},
    {"a node without in", "{domain:my, in:[h, ''], ", "@{domain:my, ", "header.key-missing", 0},
    {"op is empty", "op:Relu", "op:@''", "header.empty", 0},
    {"op is a number", "op:Relu", "op:@6", "header.type", 0},
    {"domain is empty", "domain:my", "domain:@''", "header.empty", 0},
    {"a node's empty name", "name:first", "name:@''", "header.empty", 0},
    {"domain is not in opset", "domain:my", "domain:@mine", "graph.opset", 0},
    {"ai.onnx is not in opset", "opset:{'':13, my:1}", "opset:{my:1}", "graph.opset", 0},
    {"in is a text", "in:[h, '']", "in:@h", "header.type", 0},
    {"an input is a number", "in:[h, '']", "in:[h, @1]", "header.type", 0},
    {"an output is nil", "out:[y, '']", "out:[y, @null]", "header.type", 0},
    {"an undefined input", "in:[h, '']", "in:[@q, '']", "graph.undefined", 0},
    {"a name that only begins alike", "in:[h, '']", "in:[@hh, '']", "graph.undefined", 0},
    {"an undefined output", "outputs:[{name:j}]", "outputs:[{name:@q}]", "graph.undefined", 0},
    {"a cycle of one node", "in:[x, w]", "in:[@h, w]", "graph.order", 0},
    {"a cycle of two nodes", "in:[x, w]", "in:[@y, w]", "graph.order", 0},
    {"a cycle in a subgraph", "in:[i, x]", "in:[i, @j]", "graph.order", 0},
    {"a subgraph uses its own node's output", "in:[i, x]", "in:[i, @h]", "graph.order", 0},
    {"a subgraph uses a later node's output", "in:[i, x]", "in:[i, @y]", "graph.order", 0},
    {"a subgraph's output is used outside", "in:[h, '']", "in:[@j, '']", "graph.scope", 0},
    {"a subgraph's input is used outside", "in:[h, '']", "in:[@i, '']", "graph.scope", 0},
    {"an output of the main graph from inside", "outputs:[{name:y, type:{tensor:{dtype:f32}}}]",
     "outputs:[{name:@j}]", "graph.scope", 0},
    {"a value is defined twice", "out:[y, '']", "out:[y, @h]", "header.name-duplicate", 0},
    {"an output is named like an input", "out:[y, '']", "out:[@x, y]", "header.name-duplicate", 0},
    {"a subgraph's input is named like a value", "inputs:[{name:i}]", "inputs:[{name:@h}]",
     "header.name-duplicate", 0},
    {"a tensor is named like a value", "name:w", "name:@j", "header.name-duplicate", 0},
    {"an output's name is empty", "outputs:[{name:j}]", "outputs:[{name:@''}]", "header.empty", 0},
    {"a type at an input that goes through", "outputs:[{name:j}]",
     "outputs:[{name:i, type:@{tensor:{dtype:f32}}}]", "graph.output-type", 0},
    {"a type at a tensor that goes through", "outputs:[{name:j}]",
     "outputs:[{name:w, type:@{tensor:{dtype:f32}}}]", "graph.output-type", 0},
    {"a type at another graph's value", "outputs:[{name:j}]",
     "outputs:[{name:x, type:@{tensor:{dtype:f32}}}]", "graph.output-type", 0},
    {"two types of one value", "outputs:[{name:y, type:{tensor:{dtype:f32}}}]",
     "outputs:[{name:y, type:{tensor:{dtype:f32}}}, {name:y, type:@{tensor:{dtype:f64}}}]",
     "graph.output-type", 0},
    {"a subgraph refers to itself", "in:[i, x]", "attr:{a:{graph:@1}}, in:[i, x]",
     "graph.subgraph-index", 0},
    {"a subgraph refers to the main graph", "in:[i, x]", "attr:{a:{graph:@0}}, in:[i, x]",
     "graph.subgraph-index", 0},
    {"a graph that is not there", "body:{graph:1}", "body:{graph:@2}", "graph.subgraph-index", 0},
    {"graph 2^64-1", "body:{graph:1}", "body:{graph:@18446744073709551615}", "graph.subgraph-index",
     0},
    {"graph 2^32+1", "body:{graph:1}", "body:{graph:@4294967297}", "graph.subgraph-index", 0},
    {"a graph is referred to twice", "body:{graph:1}", "body:{graphs:[1, @1]}",
     "graph.subgraph-twice", 0},
    {"a graph is referred to from two nodes", "{domain:my", "{attr:{b:{graph:@1}}, domain:my",
     "graph.subgraph-twice", 0},
    {"no node refers to a graph", "body:{graph:1}, ", "", "graph.subgraph-unused", 0},
    {"graph is negative", "body:{graph:1}", "body:{graph:@-1}", "header.type", 0},
    {"graph is a text", "body:{graph:1}", "body:{graph:@main}", "header.type", 0},
};

static const hostile_row attributes[] = {
    {"attr is empty", "{domain:my", "{attr:@{}, domain:my", "header.empty", 0},
    {"attr is an array", "{domain:my", "{attr:@[], domain:my", "header.type", 0},
    {"a name is empty", "alpha:0.5", "@'':0.5", "header.empty", 0},
    {"nil", "alpha:0.5", "alpha:@null", "header.type", 0},
    {"a boolean", "alpha:0.5", "alpha:@true", "header.type", 0},
    {"a bare list", "alpha:0.5", "alpha:@[1]", "header.type", 0},
    {"an empty map", "alpha:0.5", "alpha:@{}", "header.attribute", 0},
    {"two forms", "alpha:0.5", "alpha:@{floats:[], ints:[]}", "header.attribute", 0},
    {"an unknown form", "alpha:0.5", "alpha:{@code:a}", "header.attribute", 0},
    {"an extension", "alpha:0.5", "alpha:{@x-a:1}", "header.attribute", 0},
    {"2^63", "alpha:0.5", "alpha:@9223372036854775808", "header.value", 0},
    {"2^63 in a list", "{ints:[1, 2]}", "{ints:[1, @9223372036854775808]}", "header.value", 0},
    {"a float among ints", "{ints:[1, 2]}", "{ints:[1, @2.0]}", "header.type", 0},
    {"an int among floats", "{ints:[1, 2]}", "{floats:[1.0, @2]}", "header.type", 0},
    {"an int among strings", "{ints:[1, 2]}", "{strings:[a, @2]}", "header.type", 0},
    {"ints is a number", "{ints:[1, 2]}", "{ints:@1}", "header.type", 0},
    {"unknown dtype", "alpha:0.5", "alpha:{dtype:@f33}", "header.value", 0},
    {"dtype is a number", "alpha:0.5", "alpha:{dtype:@1}", "header.type", 0},
    {"an undefined tensor", "alpha:0.5", "alpha:{tensor:@q}", "graph.undefined", 0},
    {"an empty tensor name", "alpha:0.5", "alpha:{tensor:@''}", "graph.undefined", 0},
    {"a value for a tensor", "alpha:0.5", "alpha:{tensor:@x}", "graph.not-tensor", 0},
    {"an undefined tensor in a list", "alpha:0.5", "alpha:{tensors:[w, @q]}", "graph.undefined", 0},
    {"a text among graphs", "body:{graph:1}", "body:{graphs:[1, @a]}", "header.type", 0},
    {"a type that is a text", "alpha:0.5", "alpha:{type:@f32}", "header.type", 0},
};

static const hostile_row types[] = {
    {"a type is a text", "type:{tensor:{dtype:f32, shape:[n, 3]}}", "type:@f32", "header.type", 0},
    {"an empty map", "type:{tensor:{dtype:f32, shape:[n, 3]}}", "type:@{}", "type.form", 0},
    {"two entries", "type:{tensor:{dtype:f32, shape:[n, 3]}}",
     "type:@{sequence:{tensor:{dtype:f32}}, tensor:{dtype:f32}}", "type.form", 0},
    {"an unknown form", "type:{tensor:{dtype:f32, shape:[n, 3]}}", "type:{@sparse:{dtype:f32}}",
     "header.key-unknown", 0},
    {"tensor is a text", "{tensor:{dtype:f32, shape:[n, 3]}}", "{tensor:@f32}", "header.type", 0},
    {"no dtype", "{tensor:{dtype:f32, shape:[n, 3]}}", "{tensor:@{shape:[]}}", "header.key-missing",
     0},
    {"unknown dtype", "dtype:f32, shape:[n, 3]", "dtype:@f33, shape:[n, 3]", "type.form", 0},
    {"an unknown key", "dtype:f32, shape:[n, 3]", "dtype:f32, @rank:2", "header.key-unknown", 0},
    {"rank 9", "shape:[n, 3]", "shape:@[1,2,3,4,5,6,7,8,9]", "type.form", 0},
    {"a negative dimension", "shape:[n, 3]", "shape:[n, @-1]", "header.type", 0},
    {"a dimension 2^63", "shape:[n, 3]", "shape:[n, @9223372036854775808]", "type.form", 0},
    {"an empty symbol", "shape:[n, 3]", "shape:[@'', 3]", "header.empty", 0},
    {"a dimension is a float", "shape:[n, 3]", "shape:[n, @3.0]", "header.type", 0},
    {"a sequence of nothing", "{tensor:{dtype:f32, shape:[n, 3]}}", "{sequence:@{}}", "type.form",
     0},
    {"a sequence of a text", "{tensor:{dtype:f32, shape:[n, 3]}}", "{sequence:@f32}", "header.type",
     0},
    {"an optional of two", "{tensor:{dtype:f32, shape:[n, 3]}}",
     "{optional:@{optional:{tensor:{dtype:f32}}, tensor:{dtype:f32}}}", "type.form", 0},
    {"a map without key", "{tensor:{dtype:f32, shape:[n, 3]}}",
     "{map:@{value:{tensor:{dtype:f32}}}}", "header.key-missing", 0},
    {"a map without value", "{tensor:{dtype:f32, shape:[n, 3]}}", "{map:@{key:i64}}",
     "header.key-missing", 0},
    {"a map with float keys", "{tensor:{dtype:f32, shape:[n, 3]}}",
     "{map:{key:@f32, value:{tensor:{dtype:f32}}}}", "type.form", 0},
    {"a map with bool keys", "{tensor:{dtype:f32, shape:[n, 3]}}",
     "{map:{key:@bool, value:{tensor:{dtype:f32}}}}", "type.form", 0},
    {"a map with unknown keys", "{tensor:{dtype:f32, shape:[n, 3]}}",
     "{map:{key:@f33, value:{tensor:{dtype:f32}}}}", "type.form", 0},
};

static const hostile_row selftests[] = {
    {"a set is an array", "[{atol:0.0, inputs:[g], outputs:[o], rtol:1e-6}]", "[@[]]",
     "header.type", 0},
    {"no rtol", "[{atol:0.0, inputs:[g], outputs:[o], rtol:1e-6}]",
     "[@{atol:0.0, inputs:[g], outputs:[o]}]", "header.key-missing", 0},
    {"an unknown key", "rtol:1e-6", "rtol:1e-6, @seed:1", "header.key-unknown", 0},
    {"atol is an integer", "atol:0.0", "atol:@0", "header.type", 0},
    {"atol is negative", "atol:0.0", "atol:@-0.5", "selftest.tolerance", 0},
    {"atol is NaN", "atol:0.0", "atol:@nan", "selftest.tolerance", 0},
    {"rtol is infinite", "rtol:1e-6", "rtol:@inf", "selftest.tolerance", 0},
    {"inputs is a text", "inputs:[g]", "inputs:@g", "header.type", 0},
    {"an input is a number", "inputs:[g]", "inputs:[@0]", "header.type", 0},
    {"too few inputs", "inputs:[g]", "inputs:@[]", "header.selftest-count", 0},
    {"too many inputs", "inputs:[g]", "inputs:@[g, g]", "header.selftest-count", 0},
    {"too few outputs", "outputs:[o]", "outputs:@[]", "header.selftest-count", 0},
    {"too many outputs", "outputs:[o]", "outputs:@[o, o]", "header.selftest-count", 0},
    {"an undefined input", "inputs:[g]", "inputs:[@q]", "graph.undefined", 0},
    {"an empty input", "inputs:[g]", "inputs:[@'']", "graph.undefined", 0},
    {"a value as input", "inputs:[g]", "inputs:[@x]", "graph.not-tensor", 0},
    {"an undefined output", "outputs:[o]", "outputs:[@q]", "graph.undefined", 0},
    {"a value as output", "outputs:[o]", "outputs:[@y]", "graph.not-tensor", 0},
    {"another dtype", "inputs:[g]", "inputs:[@s]", "header.selftest-input", 0},
    {"another rank", "inputs:[g]", "inputs:[@w]", "header.selftest-input", 0},
    {"another dimension", "shape:[n, 3]", "shape:[n, 4]", "header.selftest-input", 0},
    {"a sequence cannot be fed", "{tensor:{dtype:f32, shape:[n, 3]}}",
     "{sequence:{tensor:{dtype:f32, shape:[n, 3]}}}", "header.selftest-input", 0},
};

/* Rows without a mark complain about the place that this text begins. */
typedef struct unmarked_row {
    const char *what;
    const char *place;
} unmarked_row;

static const unmarked_row unmarked[] = {
    {"no kind", "{graphs"},
    {"graphs without opset", "{graphs"},
    {"ai.onnx is not in opset", "{attr:{alpha"},
    {"no node refers to a graph", "{inputs:[{name:i}]"},
    {"another dimension", "g], outputs"},
    {"a sequence cannot be fed", "g], outputs"},
};

/* The header of a row, with a mark where it has none. */
static char *row_text(const hostile_row *row) {
    char *text = wlk_case_replace(row->from ? whole : row->to, row->from ? row->from : "",
                                  row->from ? row->to : "");
    for (size_t i = 0; i < sizeof unmarked / sizeof *unmarked; i++) {
        if (strcmp(unmarked[i].what, row->what) != 0 || strchr(text, '@')) continue;
        char place[64];
        (void)snprintf(place, sizeof place, "@%s", unmarked[i].place);
        char *marked = wlk_case_replace(text, unmarked[i].place, place);
        free(text);
        text = marked;
    }
    return text;
}

static void check_row(const hostile_row *row) {
    uint8_t data[DATA_BYTES];
    uint64_t mark;
    whole_data(data);
    char *text = row_text(row);
    wlk_case c = wlk_case_text(text, data, row->from ? DATA_BYTES : 0, &mark);
    assert_int_not_equal(mark, WLK_NO_OFFSET);
    wlk_case_parse(&c);
    const wlk_status status = row->status == WLK_OK ? WLK_REFUSED : row->status;
    const bool right = wlk_case_refused(&c, row->rule, status, mark) && c.refused_by_parser;
    if (!right) {
        wlk_case_show(&c, row->what);
        print_error("  wanted %s at %llu\n", row->rule, (unsigned long long)mark);
    }
    wlk_case_free(&c);
    free(text);
    assert_true(right);
}

#define CHECK_TABLE(table)                                                                   \
    static void each_of_##table##_is_refused(void **state) {                                 \
        (void)state;                                                                         \
        for (size_t i = 0; i < sizeof(table) / sizeof *(table); i++) check_row(&(table)[i]); \
    }
CHECK_TABLE(structure)
CHECK_TABLE(top)
CHECK_TABLE(tensors)
CHECK_TABLE(graphs)
CHECK_TABLE(attributes)
CHECK_TABLE(types)
CHECK_TABLE(selftests)

/* Rows are worth something only if what they alter is accepted. */
static void the_unaltered_file_is_accepted(void **state) {
    (void)state;
    uint8_t data[DATA_BYTES];
    whole_data(data);
    wlk_case c = wlk_case_text(whole, data, sizeof data, NULL);
    wlk_case_parse(&c);
    if (c.status != WLK_OK) wlk_case_show(&c, "unaltered");
    assert_int_equal(c.status, WLK_OK);
    wlk_case_free(&c);
}

/* ---- the data */

typedef struct data_row {
    const char *what;
    size_t size; /* of the data */
    size_t at;   /* of the byte that is set to 1; WLK_NONE: none is */
    const char *rule;
    uint64_t offset; /* in the data */
} data_row;

/* Invariant 12: bytes that belong to nothing are zero or refused. */
static const data_row data_rows[] = {
    {"first byte of a gap", DATA_BYTES, 12, "data.padding", 12},
    {"last byte of a gap", DATA_BYTES, 63, "data.padding", 63},
    {"a gap in the middle", DATA_BYTES, 150, "data.padding", 150},
    {"last byte of the last gap", DATA_BYTES, 255, "data.padding", 255},
    {"one byte too many", DATA_BYTES + 1, WLK_NONE, "data.trailing", DATA_BYTES},
    {"a chunk too many", DATA_BYTES + 65536, WLK_NONE, "data.trailing", DATA_BYTES},
};

static void bytes_that_belong_to_nothing_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof data_rows / sizeof *data_rows; i++) {
        const data_row *row = &data_rows[i];
        uint8_t *data = test_calloc(row->size, 1);
        whole_data(data);
        if (row->at != WLK_NONE) data[row->at] = 1;
        wlk_case c = wlk_case_text(whole, data, row->size, NULL);
        wlk_case_parse(&c);
        if (c.error.offset != 4096 + row->offset) wlk_case_show(&c, row->what);
        assert_true(wlk_case_refused(&c, row->rule, WLK_REFUSED, 4096 + row->offset));
        wlk_case_free(&c);
        test_free(data);
    }
}

/* The last tensor is of a type whose size its shape fixes, and then the file ends
 * a byte too early. */
static void data_that_end_too_early_are_refused(void **state) {
    (void)state;
    uint64_t mark;
    wlk_case c = wlk_case_text(
        "{kind:a, tensors:[{codec:raw, dtype:u8, name:w, nbytes:@5, offset:0, shape:[5]}]}", "abcd",
        4, &mark);
    wlk_case_parse(&c);
    assert_true(wlk_case_refused(&c, "header.tensor-range", WLK_REFUSED, mark));
    wlk_case_free(&c);
    c = wlk_case_text("{kind:a, tensors:[]}", "abcd", 4, NULL);
    wlk_case_parse(&c);
    assert_true(wlk_case_refused(&c, "data.trailing", WLK_REFUSED, 4096));
    wlk_case_free(&c);
}

/* The parent has checked this before: here the parser stands alone. */
static void slack_that_is_not_zero_is_refused(void **state) {
    (void)state;
    wlk_case c = wlk_case_text("{kind:a, tensors:[]}", NULL, 0, NULL);
    c.file[4000] = 1;
    wlk_case_parse(&c);
    assert_true(wlk_case_refused(&c, "envelope.slack-zero", WLK_TRUST, 4000));
    wlk_case_free(&c);
}

static void an_envelope_that_lies_is_refused(void **state) {
    (void)state;
    wlk_case c = wlk_case_text("{kind:a, tensors:[]}", NULL, 0, NULL);
    c.file[14 + 7] = 0xff; /* header_len */
    wlk_case_parse(&c);
    assert_int_equal(c.status, WLK_TRUST);
    assert_true(c.refused_by_parser);
    wlk_case_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_unaltered_file_is_accepted),
        cmocka_unit_test(each_of_structure_is_refused),
        cmocka_unit_test(each_of_top_is_refused),
        cmocka_unit_test(each_of_tensors_is_refused),
        cmocka_unit_test(each_of_graphs_is_refused),
        cmocka_unit_test(each_of_attributes_is_refused),
        cmocka_unit_test(each_of_types_is_refused),
        cmocka_unit_test(each_of_selftests_is_refused),
        cmocka_unit_test(bytes_that_belong_to_nothing_are_refused),
        cmocka_unit_test(data_that_end_too_early_are_refused),
        cmocka_unit_test(slack_that_is_not_zero_is_refused),
        cmocka_unit_test(an_envelope_that_lies_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
