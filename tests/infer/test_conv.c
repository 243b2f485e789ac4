/* Convolutions of many shapes against sums one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "infer/conv.h"

static uint64_t seed = 88172645463325252u;

static uint64_t below(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

/* Small whole numbers, which floats sum without rounding. */
static void *filled(tile_element element, uint64_t count) {
    const bool narrow = element == TILE_F32 || element == TILE_U32;
    char *data = malloc(count * 8 + 1);
    assert_non_null(data);
    for (uint64_t i = 0; i < count; i++) {
        const int64_t x = (int64_t)below(17) - 8;
        if (element == TILE_F32) ((float *)(void *)data)[i] = (float)x;
        if (element == TILE_F64) ((double *)(void *)data)[i] = (double)x;
        if (element == TILE_U32) ((uint32_t *)(void *)data)[i] = (uint32_t)x;
        if (element == TILE_U64) ((uint64_t *)(void *)data)[i] = (uint64_t)x;
    }
    /* Nothing behind the last element may be read. */
    char *exact = malloc(count * (narrow ? 4 : 8) + (count == 0));
    assert_non_null(exact);
    memcpy(exact, data, count * (narrow ? 4 : 8));
    free(data);
    return exact;
}

static int64_t value(tile_element element, const void *data, uint64_t i) {
    switch (element) {
        case TILE_F32:
            return (int64_t)((const float *)data)[i];
        case TILE_F64:
            return (int64_t)((const double *)data)[i];
        case TILE_U32:
            return (int32_t)((const uint32_t *)data)[i];
        case TILE_U64:
        case TILE_ELEMENTS:
            break;
    }
    return (int64_t)((const uint64_t *)data)[i];
}

static uint64_t product_of(const int64_t *dims, uint32_t count) {
    uint64_t result = 1;
    for (uint32_t i = 0; i < count; i++) result *= (uint64_t)dims[i];
    return result;
}

/* Splits a position into coordinates. */
static void split(uint64_t position, const int64_t *dims, uint32_t axes, int64_t *at) {
    for (uint32_t i = axes; i-- > 0;) {
        at[i] = (int64_t)(position % (uint64_t)dims[i]);
        position /= (uint64_t)dims[i];
    }
}

static int64_t expected(const conv_shape *s, const conv_data *d, uint64_t image, uint64_t output,
                        uint64_t position) {
    const window *w = &s->w;
    const uint64_t taps = product_of(w->kernel, w->axes);
    const uint64_t plane = product_of(w->in, w->axes);
    int64_t sum = d->bias ? value(s->element, d->bias, output) : 0;
    int64_t at[WINDOW_MAX_AXES];
    split(position, w->out, w->axes, at);
    for (uint64_t c = 0; c < s->channels; c++) {
        const uint64_t channel = (image * s->groups + output / s->outputs) * s->channels + c;
        for (uint64_t tap = 0; tap < taps; tap++) {
            int64_t k[WINDOW_MAX_AXES];
            uint64_t from = 0;
            bool inside = true;
            split(tap, w->kernel, w->axes, k);
            for (uint32_t i = 0; i < w->axes; i++) {
                const int64_t x = at[i] * w->stride[i] + k[i] * w->dilation[i] - w->before[i];
                inside = inside && x >= 0 && x < w->in[i];
                from = from * (uint64_t)w->in[i] + (uint64_t)x;
            }
            if (!inside) continue;
            sum += value(s->element, d->x, channel * plane + from) *
                   value(s->element, d->w, (output * s->channels + c) * taps + tap);
        }
    }
    return sum;
}

/* Working memory as conv_need asks for it. */
static void *scratch_for(const conv_shape *shape, uint64_t *bytes) {
    op_call call = {.binding = true};
    assert_int_equal(conv_need(&call, shape, 1), WLK_OK);
    void *scratch = NULL;
    *bytes = call.scratch_bytes;
    assert_int_equal(posix_memalign(&scratch, TENSOR_ALIGN, call.scratch_bytes + 1), 0);
    memset(scratch, 0xff, call.scratch_bytes);
    return scratch;
}

static void check(const conv_shape *s, bool with_bias) {
    const window *w = &s->w;
    const uint64_t outputs = s->groups * s->outputs;
    const uint64_t plane = product_of(w->out, w->axes);
    const uint64_t inputs = s->images * s->groups * s->channels * product_of(w->in, w->axes);
    uint64_t bytes = 0;
    void *x = filled(s->element, inputs);
    void *weights = filled(s->element, outputs * s->channels * product_of(w->kernel, w->axes));
    void *bias = with_bias ? filled(s->element, outputs) : NULL;
    void *y = filled(s->element, s->images * outputs * plane);
    const conv_data d = {
        .x = x, .w = weights, .bias = bias, .y = y, .scratch = scratch_for(s, &bytes)};
    const op_call call = {.binding = true};
    conv_run(&call, s, &d);
    for (uint64_t i = 0; i < s->images * outputs * plane; i++) {
        const uint64_t channel = i / plane;
        assert_int_equal(value(s->element, y, i),
                         expected(s, &d, channel / outputs, channel % outputs, i % plane));
    }
    free(d.scratch);
    free(x);
    free(weights);
    free(bias);
    free(y);
}

static void finish_window(window *w) {
    for (uint32_t i = 0; i < w->axes; i++) {
        const int64_t room = w->in[i] + w->before[i] + w->after[i] - window_reach(w, i);
        w->out[i] = room / w->stride[i] + 1;
    }
}

static window random_window(uint32_t axes) {
    window w = {.axes = axes};
    const uint64_t largest = axes == 1 ? 200 : axes == 2 ? 24 : 7;
    for (uint32_t i = 0; i < axes; i++) {
        w.kernel[i] = 1 + (int64_t)below(4);
        w.stride[i] = 1 + (int64_t)below(3);
        w.dilation[i] = 1 + (int64_t)below(3);
        w.before[i] = (int64_t)below(4);
        w.after[i] = (int64_t)below(4);
        w.in[i] = 1 + (int64_t)below(largest);
        if (below(3) == 0) w.stride[i] = w.dilation[i] = 1;
        if (below(3) == 0) w.before[i] = w.after[i] = 0;
        while (w.in[i] + w.before[i] + w.after[i] < window_reach(&w, i)) w.in[i]++;
    }
    finish_window(&w);
    return w;
}

static void test_random_shapes(void **state) {
    (void)state;
    for (int i = 0; i < 400; i++) {
        const conv_shape shape = {.w = random_window(1 + (uint32_t)below(4) % 3),
                                  .images = 1 + below(2),
                                  .groups = 1 + below(3),
                                  .channels = 1 + below(4),
                                  .outputs = below(3) == 0 ? 1 : 1 + below(14),
                                  .element = (tile_element)below(TILE_ELEMENTS)};
        check(&shape, below(2));
    }
}

/* A depth of several panels, rows of several blocks, columns of a wide tile. */
static void test_large_shapes(void **state) {
    (void)state;
    static const struct {
        uint64_t groups, channels, outputs;
        int64_t in, kernel, stride, pad;
    } cases[] = {
        {1, 70, 3, 9, 3, 1, 1},  {1, 600, 5, 4, 1, 1, 0}, {1, 3, 200, 7, 3, 2, 1},
        {40, 1, 1, 30, 3, 1, 1}, {40, 1, 1, 30, 3, 2, 0}, {5, 1, 1, 40, 1, 1, 0},
        {2, 2, 97, 6, 2, 1, 0},  {1, 2, 3, 40, 39, 1, 0}, {1, 2, 13, 33, 1, 1, 0},
        {1, 2, 3, 9, 2, 7, 0},   {3, 4, 1, 20, 5, 1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        conv_shape s = {.w = {.axes = 2},
                        .images = 2,
                        .groups = cases[i].groups,
                        .channels = cases[i].channels,
                        .outputs = cases[i].outputs,
                        .element = TILE_F32};
        for (uint32_t axis = 0; axis < 2; axis++) {
            s.w.in[axis] = cases[i].in;
            s.w.kernel[axis] = cases[i].kernel;
            s.w.stride[axis] = cases[i].stride;
            s.w.before[axis] = s.w.after[axis] = cases[i].pad;
            s.w.dilation[axis] = 1;
        }
        finish_window(&s.w);
        check(&s, i % 2);
    }
}

static void test_nothing_to_do(void **state) {
    (void)state;
    conv_shape s = {.w = random_window(2), .images = 0, .groups = 1, .channels = 2, .outputs = 3};
    check(&s, true);
    s.images = 1;
    s.channels = 0; /* the bias is all there is */
    check(&s, true);
    check(&s, false);
    s.outputs = 0;
    check(&s, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_shapes),
        cmocka_unit_test(test_large_shapes),
        cmocka_unit_test(test_nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
