/* One small file that the tests of refusals, limits and mutations alter: its header in the
 * notation of support/wlk_text.h, and its data. */
#ifndef TESTS_FORMATS_WLK_TEXT_WHOLE_H
#define TESTS_FORMATS_WLK_TEXT_WHOLE_H

#include <stdint.h>
#include <string.h>

/* A file with something of everything. Tests replace a piece of it, and mark
 * with @ where the parser must find fault. */
static const char *const whole =
    "{graphs:["
    "{inputs:[{name:x, type:{tensor:{dtype:f32, shape:[n, 3]}}}], name:main, nodes:["
    "{attr:{alpha:0.5, body:{graph:1}, k:{ints:[1, 2]}}, in:[x, w], name:first, op:Gemm, out:[h]},"
    "{domain:my, in:[h, ''], op:Relu, out:[y, '']}],"
    " outputs:[{name:y, type:{tensor:{dtype:f32}}}]},"
    "{inputs:[{name:i}], nodes:[{in:[i, x], op:Add, out:[j]}], outputs:[{name:j}]}],"
    "kind:model, metadata:{libraries:{numpy:'1.24'}, tags:[a]}, opset:{'':13, my:1},"
    "selftest:[{atol:0.0, inputs:[g], outputs:[o], rtol:1e-6}],"
    "tensors:["
    "{codec:raw, dtype:f32, name:w, nbytes:12, offset:0, shape:[3]},"
    "{codec:raw, dtype:f32, name:g, nbytes:24, offset:64, shape:[2, 3]},"
    "{codec:raw, dtype:f32, name:o, nbytes:4, offset:128, shape:[1]},"
    "{block:{bytes:5, elements:2, kind:q4}, codec:raw, dtype:block, name:b, nbytes:10,"
    " offset:192, shape:[4]},"
    "{codec:raw, dtype:str, name:s, nbytes:26, offset:256, shape:[2]}]}";

#define DATA_BYTES 282

static inline void whole_data(uint8_t data[DATA_BYTES]) {
    memset(data, 0, DATA_BYTES);
    data[256 + 8] = 1; /* the offsets of two strings of a letter each */
    data[256 + 16] = 2;
    memcpy(data + 256 + 24, "ab", 2);
}

#endif
