#include "kit/feed.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/error.h"
#include "base/memory.h"
#include "kit/kit.h"

#define LONGEST_TEXT 24

#define PICK(list) ((list)[random_below(random, sizeof(list) / sizeof *(list))])

/* ---- elements */

static double odd_double(fuzz_random *random) {
    static const double odd[] = {(double)NAN,
                                 (double)INFINITY,
                                 -(double)INFINITY,
                                 0,
                                 -0.0,
                                 1e308,
                                 -1e308,
                                 5e-324,
                                 1e-40,
                                 3.5e38,
                                 1e19,
                                 -1e19,
                                 0.5,
                                 1,
                                 -1,
                                 2};
    if (random_below(random, 3) == 0) return PICK(odd);
    return (double)random_below(random, 2001) / 100 - 10;
}

static uint64_t odd_bits(wlk_dtype dtype, fuzz_random *random) {
    if (dtype == WLK_F64 || dtype == WLK_C128) return f64_bits(odd_double(random));
    if (dtype == WLK_F32 || dtype == WLK_C64) {
        const float single = (float)odd_double(random);
        uint32_t bits;
        memcpy(&bits, &single, sizeof bits);
        return bits;
    }
    return dtype == WLK_BOOL ? random_below(random, 2) : random_edge(random);
}

/* Complex numbers are two floats, elements below a byte are filled by the byte. */
static uint64_t unit_bytes(wlk_dtype dtype) {
    if (dtype == WLK_C128) return 8;
    if (dtype == WLK_C64) return 4;
    return wlk_dtype_bits(dtype) < 8 ? 1 : wlk_dtype_bits(dtype) / 8;
}

static void fill(wlk_tensor *t, uint8_t *data, fuzz_random *random) {
    const uint64_t unit = unit_bytes(t->dtype), used = t->count * wlk_dtype_bits(t->dtype) % 8;
    for (uint64_t at = 0; at < t->nbytes; at += unit) {
        const uint64_t bits = odd_bits(t->dtype, random);
        memcpy(data + at, &bits, unit);
    }
    if (used && t->nbytes) data[t->nbytes - 1] &= (uint8_t)((1u << used) - 1);
}

/* Returns the bytes that were used. */
static uint64_t fill_text(const wlk_tensor *t, uint8_t *data, fuzz_random *random) {
    static const char *const texts[LONGEST_TEXT] = {
        "", "1", "-2.5e3", "nan", "INF", "99999999999999999999", "0x10", "\xc3\xa9", "true", " 7"};
    uint8_t *text = data + 8 * (t->count + 1);
    uint64_t end = 0;
    store_u64(data, 0);
    for (uint64_t i = 0; i < t->count; i++) {
        const char *one = texts[random_below(random, 10)];
        memcpy(text + end, one, strlen(one));
        end += strlen(one);
        store_u64(data + 8 * (i + 1), end);
    }
    return 8 * (t->count + 1) + end;
}

/* ---- shapes */

/* Bytes that a tensor needs at most; false if that is more than `room`. */
static bool needs(const wlk_tensor *t, uint64_t room, uint64_t *bytes) {
    uint64_t count;
    if (!shape_count(t->shape, t->rank, &count) || count > room) return false;
    if (t->dtype == WLK_STR) {
        *bytes = 8 * (count + 1) + count * LONGEST_TEXT;
    } else if (!dtype_nbytes(t->dtype, count, bytes)) {
        return false;
    }
    return *bytes <= room;
}

/* Long axes are rare: they take their time. */
static uint64_t open_dim(fuzz_random *random) {
    static const uint64_t dims[] = {0, 1, 1, 2, 2, 3, 3, 4, 5, 8};
    static const uint64_t long_dims[] = {17, 64, 1000, 8192, 65535, 65536};
    return random_below(random, 16) == 0 ? PICK(long_dims) : PICK(dims);
}

/* A shape that fits the port, and within `room`; axes that are open get shorter until it
 * does. False if what the port says is too much. */
static bool pick_shape(const wlk_port *port, wlk_tensor *t, uint64_t room, fuzz_random *random,
                       uint64_t *bytes) {
    const bool any = port->rank == WLK_NONE;
    t->dtype = port->dtype;
    t->rank = any ? (uint32_t)random_below(random, 5) : port->rank;
    for (uint64_t most = UINT64_MAX; most > 0; most = most == UINT64_MAX ? 65536 : most / 16) {
        for (uint32_t i = 0; i < t->rank; i++) {
            const bool open = any || port->dims[i] == WLK_UNKNOWN_DIM;
            const uint64_t dim = open ? open_dim(random) : (uint64_t)port->dims[i];
            t->shape[i] = open && dim > most ? most : dim;
        }
        if (needs(t, room, bytes)) return shape_count(t->shape, t->rank, &t->count);
    }
    return false;
}

/* ---- the feed */

#define MOST_ARGUMENTS 16
#define MOST_ITEMS 3

static bool is_sequence(wlk_value_kind kind) {
    return kind == WLK_VALUE_SEQUENCE || kind == WLK_VALUE_OPTIONAL_SEQUENCE;
}

static wlk_status feed_one(const wlk_port *port, wlk_tensor *t, uint64_t room, fuzz_random *random,
                           bool *fits, wlk_error *error) {
    uint64_t bytes = 0;
    *fits = port->kind != WLK_VALUE_MAP && port->kind != WLK_VALUE_MAPS &&
            pick_shape(port, t, room, random, &bytes);
    if (!*fits) return WLK_OK;
    uint8_t *data = mem_alloc(bytes);
    if (!data) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    t->data = data;
    t->nbytes = bytes;
    if (t->dtype == WLK_STR) {
        t->nbytes = fill_text(t, data, random);
    } else {
        fill(t, data, random);
    }
    return WLK_OK;
}

wlk_status feed_make(const wlk_plan *plan, fuzz_random *random, fuzz_feed *feed, wlk_error *error) {
    uint64_t room = FEED_BYTES;
    bool fits = true;
    feed->count = wlk_plan_inputs(plan);
    feed->inputs = mem_zeroed((size_t)feed->count + 1, sizeof *feed->inputs);
    if (!feed->inputs) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; fits && i < feed->count; i++) {
        const wlk_port port = wlk_plan_input(plan, i);
        fits = !is_sequence(port.kind) || feed->count <= MOST_ARGUMENTS;
        if (!fits) break;
        TRY(feed_one(&port, &feed->inputs[i], room, random, &fits, error));
        room -= feed->inputs[i].nbytes;
    }
    if (!fits) feed_free(feed);
    return WLK_OK;
}

void feed_free(fuzz_feed *feed) {
    for (uint32_t i = 0; feed->inputs && i < feed->count; i++) {
        mem_free((void *)(uintptr_t)feed->inputs[i].data);
    }
    mem_free(feed->inputs);
    feed->inputs = NULL;
}

/* How many follows from what is in it. */
static uint64_t items_of(const wlk_tensor *t) {
    return fuzz_hash(t->data, t->nbytes) % (MOST_ITEMS + 1);
}

wlk_status feed_give(const wlk_plan *plan, const fuzz_feed *feed, wlk_result **result,
                     wlk_error *error) {
    wlk_argument arguments[MOST_ARGUMENTS];
    wlk_tensor items[MOST_ARGUMENTS][MOST_ITEMS];
    bool tensors = true;
    for (uint32_t i = 0; i < feed->count && i < MOST_ARGUMENTS; i++) {
        const bool many = is_sequence(wlk_plan_input(plan, i).kind);
        tensors &= !many;
        for (int k = 0; k < MOST_ITEMS; k++) items[i][k] = feed->inputs[i];
        arguments[i] = (wlk_argument){many ? WLK_VALUE_SEQUENCE : WLK_VALUE_TENSOR, items[i],
                                      many ? items_of(&feed->inputs[i]) : 1};
    }
    if (tensors || feed->count > MOST_ARGUMENTS) {
        return wlk_run(plan, feed->inputs, feed->count, result, error);
    }
    return wlk_run_arguments(plan, arguments, feed->count, result, error);
}

/* ---- what must be refused */

static void spoil_size(wlk_tensor *t, fuzz_random *random) {
    if (t->dtype == WLK_STR) { /* how much memory there is, is believed: so only less */
        t->nbytes = random_below(random, 8);
    } else { /* equal in 32 bits, or nearly */
        t->nbytes += random_below(random, 2) ? 1 : 1ull << 32;
    }
}

static void spoil_shape(wlk_tensor *t, fuzz_random *random) {
    static const struct {
        uint32_t rank;
        uint64_t dim;
    } shapes[] = {{2, 1ull << 32}, {1, 1ull << 63}, {8, UINT64_MAX}, {WLK_MAX_RANK + 1, 1}};
    const size_t which = random_below(random, sizeof shapes / sizeof *shapes);
    t->rank = shapes[which].rank;
    for (uint32_t i = 0; i < t->rank && i < WLK_MAX_RANK; i++) t->shape[i] = shapes[which].dim;
}

void feed_spoil(fuzz_feed *feed, fuzz_random *random) {
    wlk_tensor *t = &feed->inputs[random_below(random, feed->count)];
    switch (feed->count ? random_below(random, 5) : 0) {
        case 0: /* the array has room for one more */
            feed->count++;
            return;
        case 1:
            t->dtype = t->dtype == WLK_F32 ? WLK_I64 : WLK_F32;
            return;
        case 2:
            t->dtype = (wlk_dtype)(WLK_DTYPE_COUNT + random_below(random, 1000));
            return;
        case 3:
            spoil_size(t, random);
            return;
        default:
            spoil_shape(t, random);
            return;
    }
}
