/* Invariant 5: what the child may say, and how much of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/frame.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

enum { FILE_BYTES = 4096, BUDGET = 1000, IMAGE_LIMIT = 500, MAX_BUFFERS = 3, SEQUENCE = 7 };

static wire_receiver receiver_in(wire_state state) {
    return (wire_receiver){.state = state,
                           .sequence = SEQUENCE,
                           .budget = BUDGET,
                           .image_limit = IMAGE_LIMIT,
                           .file_bytes = FILE_BYTES,
                           .max_buffers = MAX_BUFFERS,
                           .transport = WIRE_TRANSPORT_MAP,
                           .raw_only = true};
}

/* A frame of that type in which nothing is wrong. */
static frame_header frame_of(unsigned type) {
    static const uint64_t lengths[FRAME_TYPE_COUNT] = {[FRAME_HELLO] = sizeof(wire_hello),
                                                       [FRAME_DATA] = 100,
                                                       [FRAME_IMAGE] = 200,
                                                       [FRAME_REFUSE] = sizeof(wire_refuse)};
    const bool is_data = type == FRAME_DATA;
    return frame_make((frame_type)type, is_data ? FRAME_RAW : 0,
                      type < FRAME_TYPE_COUNT ? lengths[type] : 0, SEQUENCE, is_data ? 64 : 0);
}

/* "" if it was accepted. */
static const char *outcome(wlk_status status, const wlk_error *error) {
    if (status == WLK_OK) return "";
    assert_int_equal(error->status, status);
    assert_int_equal(rule_status(error->rule), status);
    return wlk_rule_name(error->rule);
}

/* What a frame breaks is no place in the artifact: the text names the frame. */
static const char *violation(wlk_status status, const wlk_error *error) {
    const char *rule = outcome(status, error);
    if (*rule) assert_int_equal(error->offset, WLK_NO_OFFSET);
    if (strncmp(rule, "wire.", 5) == 0) assert_non_null(strstr(error->text, "frame "));
    return rule;
}

static const char *receive(wire_receiver *receiver, const frame_header *header) {
    wlk_error error = {0};
    return violation(wire_receive(receiver, header, &error), &error);
}

/* ---- states */

static void test_every_frame_type_in_every_state(void **state) {
    (void)state;
    /* By state and frame type: where it leads, or X. */
    enum { X = 99, HELLO = WIRE_EXPECT_HELLO, RESULT, END, DONE };
    static const unsigned next[4][FRAME_TYPE_COUNT] = {
        [HELLO] = {X, X, X, RESULT, X, X, X, X},
        [RESULT] = {X, X, X, X, RESULT, END, X, DONE},
        [END] = {X, X, X, X, X, X, DONE, DONE},
        [DONE] = {X, X, X, X, X, X, X, X},
    };
    for (unsigned before = 0; before < 4; before++) {
        for (unsigned type = 0; type < FRAME_TYPE_COUNT; type++) {
            wire_receiver receiver = receiver_in((wire_state)before);
            const frame_header header = frame_of(type);
            const bool legal = next[before][type] != X;
            assert_string_equal(receive(&receiver, &header), legal ? "" : "wire.state");
            assert_int_equal(receiver.state, legal ? next[before][type] : before);
            assert_int_equal(receiver.sequence, legal ? SEQUENCE + 1 : SEQUENCE);
        }
    }
}

static void test_types_that_do_not_exist(void **state) {
    (void)state;
    static const unsigned types[] = {FRAME_TYPE_COUNT, 9, 31, 32, 255, 256 + FRAME_HELLO, 65535};
    for (unsigned before = 0; before < 4; before++) {
        for (size_t i = 0; i < COUNT(types); i++) {
            wire_receiver receiver = receiver_in((wire_state)before);
            const frame_header header = frame_of(types[i]);
            assert_string_equal(receive(&receiver, &header), "wire.header");
        }
    }
}

static void test_sequence_counts_every_frame(void **state) {
    (void)state;
    wire_receiver receiver = receiver_in(WIRE_EXPECT_HELLO);
    static const frame_type frames[] = {FRAME_HELLO, FRAME_DATA, FRAME_DATA, FRAME_IMAGE,
                                        FRAME_END};
    for (size_t i = 0; i < COUNT(frames); i++) {
        frame_header header = frame_of(frames[i]);
        static const uint64_t wrong[] = {0, SEQUENCE - 1, 1ull << 32, UINT64_MAX};
        for (size_t j = 0; j < COUNT(wrong); j++) {
            header.sequence = SEQUENCE + i + wrong[j];
            if (wrong[j] == 0) header.sequence++;
            assert_string_equal(receive(&receiver, &header), "wire.sequence");
        }
        header.sequence = SEQUENCE + i;
        assert_string_equal(receive(&receiver, &header), "");
        assert_string_equal(receive(&receiver, &header), "wire.sequence"); /* twice */
    }
}

/* ---- one thing wrong at a time */

static void test_headers(void **state) {
    (void)state;
    const uint64_t far = 1ull << 63;
    const unsigned both = FRAME_RAW | FRAME_MAPPED;
    const struct {
        frame_type type;
        unsigned flags;
        uint64_t length, argument;
        const char *rule;
    } rows[] = {
        {FRAME_HELLO, 0, sizeof(wire_hello), 0, ""},
        {FRAME_HELLO, 0, sizeof(wire_hello) - 1, 0, "wire.header"},
        {FRAME_HELLO, 0, sizeof(wire_hello) + 1, 0, "wire.header"},
        {FRAME_HELLO, 0, far, 0, "wire.header"},
        {FRAME_HELLO, 0, 0, 0, "wire.header"},
        {FRAME_HELLO, FRAME_RAW, sizeof(wire_hello), 0, "wire.header"},
        {FRAME_HELLO, 0, sizeof(wire_hello), 1, "wire.header"},
        {FRAME_REFUSE, 0, sizeof(wire_refuse), 0, ""},
        {FRAME_REFUSE, 0, sizeof(wire_refuse) - 1, 0, "wire.header"},
        {FRAME_REFUSE, 0, sizeof(wire_refuse) + 1, 0, "wire.header"},
        {FRAME_REFUSE, 0x8000, sizeof(wire_refuse), 0, "wire.header"},
        {FRAME_REFUSE, 0, sizeof(wire_refuse), UINT64_MAX, "wire.header"},
        {FRAME_END, 0, 0, 0, ""},
        {FRAME_END, 0, 1, 0, "wire.header"},
        {FRAME_END, 0, UINT64_MAX, 0, "wire.header"},
        {FRAME_END, FRAME_MAPPED, 0, 0, "wire.header"},
        {FRAME_END, 0, 0, 1, "wire.header"},
        {FRAME_IMAGE, 0, 79, 0, "wire.header"},
        {FRAME_IMAGE, 0, 80, 0, ""},
        {FRAME_IMAGE, 0, IMAGE_LIMIT, 0, ""},
        {FRAME_IMAGE, 0, IMAGE_LIMIT + 1, 0, "limit.image-bytes"},
        {FRAME_IMAGE, 0, far, 0, "limit.image-bytes"},
        {FRAME_IMAGE, FRAME_RAW, 200, 0, "wire.header"},
        {FRAME_IMAGE, 0, 200, 64, "wire.header"},
        {FRAME_DATA, FRAME_RAW, 1, 0, ""},
        {FRAME_DATA, FRAME_RAW, 0, 0, "wire.header"},
        {FRAME_DATA, FRAME_RAW, 1, FILE_BYTES - 1, ""},
        {FRAME_DATA, FRAME_RAW, 1, FILE_BYTES, "wire.range"},
        {FRAME_DATA, FRAME_RAW, 2, FILE_BYTES - 1, "wire.range"},
        {FRAME_DATA, FRAME_RAW, 1, UINT64_MAX, "wire.range"},
        {FRAME_DATA, FRAME_RAW, UINT64_MAX, 1, "wire.range"},
        {FRAME_DATA, FRAME_RAW, far, far, "wire.range"},
        {FRAME_DATA, FRAME_RAW, FILE_BYTES, 0, "limit.output-bytes"},
        {FRAME_DATA, 0, 100, 0, "wire.header"}, /* not raw in a raw-only format */
        {FRAME_DATA, FRAME_RAW | 4, 100, 0, "wire.header"},
        {FRAME_DATA, FRAME_RAW | 0x8000, 100, 0, "wire.header"},
        {FRAME_DATA, FRAME_MAPPED, 8, 0, "wire.header"},
        {FRAME_DATA, both, 8, 0, ""},
        {FRAME_DATA, both, 7, 0, "wire.header"},
        {FRAME_DATA, both, 9, 0, "wire.header"},
        {FRAME_DATA, both, 0, 0, "wire.header"},
        {FRAME_DATA, both, far, 0, "wire.header"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        wire_receiver receiver = receiver_in(rows[i].type == FRAME_HELLO ? WIRE_EXPECT_HELLO
                                             : rows[i].type == FRAME_END ? WIRE_EXPECT_END
                                                                         : WIRE_EXPECT_RESULT);
        const wire_receiver before = receiver;
        const frame_header header = frame_make(rows[i].type, (uint16_t)rows[i].flags,
                                               rows[i].length, SEQUENCE, rows[i].argument);
        const char *got = receive(&receiver, &header);
        if (strcmp(got, rows[i].rule) != 0) fail_msg("row %zu: %s, not %s", i, got, rows[i].rule);
        if (*rows[i].rule) assert_int_equal(receiver.state, before.state);
    }
}

static void test_magic(void **state) {
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        wire_receiver receiver = receiver_in(WIRE_EXPECT_RESULT);
        frame_header header = frame_of(FRAME_DATA);
        header.magic ^= 1u << bit;
        assert_string_equal(receive(&receiver, &header), "wire.header");
    }
}

/* ---- budgets */

static void test_output_budget_is_for_all_frames_together(void **state) {
    (void)state;
    wire_receiver receiver = receiver_in(WIRE_EXPECT_RESULT);
    frame_header header = frame_of(FRAME_DATA);
    header.length = BUDGET - 1;
    assert_string_equal(receive(&receiver, &header), "");
    header.sequence++;
    header.length = 2;
    assert_string_equal(receive(&receiver, &header), "limit.output-bytes");
    header.length = 1;
    wire_receiver exact = receiver_in(WIRE_EXPECT_RESULT);
    exact.budget = 1;
    header.sequence = SEQUENCE;
    assert_string_equal(receive(&exact, &header), "");
    assert_int_equal(exact.budget, 0);
}

static void test_mapped_bytes_count_too(void **state) {
    (void)state;
    wire_receiver receiver = receiver_in(WIRE_EXPECT_RESULT);
    const frame_header header = frame_make(FRAME_DATA, FRAME_RAW | FRAME_MAPPED, 8, SEQUENCE, 0);
    wlk_error error = {0};
    assert_string_equal(receive(&receiver, &header), "");
    assert_int_equal(receiver.budget, BUDGET); /* charged when the body is there */
    wlk_status status = wire_receive_mapped(&receiver, &header, BUDGET, &error);
    assert_string_equal(outcome(status, &error), "");
    status = wire_receive_mapped(&receiver, &header, 1, &error);
    assert_string_equal(outcome(status, &error), "limit.output-bytes");
}

static void test_number_of_buffers(void **state) {
    (void)state;
    wire_receiver receiver = receiver_in(WIRE_EXPECT_RESULT);
    for (unsigned i = 0; i <= MAX_BUFFERS; i++) {
        frame_header header = frame_of(FRAME_DATA);
        header.length = i % 2 ? 8 : 1;
        header.flags |= i % 2 ? FRAME_MAPPED : 0; /* either kind is one */
        header.sequence += i;
        assert_string_equal(receive(&receiver, &header), i < MAX_BUFFERS ? "" : "wire.buffers");
    }
}

/* ---- mapped ranges */

static void test_mapped_ranges(void **state) {
    (void)state;
    static const struct {
        uint64_t offset, length;
        const char *rule;
    } rows[] = {
        {0, 1, ""},
        {64, BUDGET, ""},
        {FILE_BYTES - 64, 64, ""},
        {FILE_BYTES - 64, 65, "wire.range"},
        {FILE_BYTES, 1, "wire.range"},
        {0, 0, "wire.range"},
        {1, 64, "wire.range"},
        {32, 64, "wire.range"},
        {63, 1, "wire.range"},
        {64, UINT64_MAX, "wire.range"},
        {UINT64_MAX - 63, 64, "wire.range"},
        {1ull << 63, 1ull << 63, "wire.range"},
        {0, BUDGET + 1, "limit.output-bytes"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        wire_receiver receiver = receiver_in(WIRE_EXPECT_RESULT);
        const frame_header header =
            frame_make(FRAME_DATA, FRAME_RAW | FRAME_MAPPED, 8, SEQUENCE, rows[i].offset);
        wlk_error error = {0};
        const wlk_status status = wire_receive_mapped(&receiver, &header, rows[i].length, &error);
        assert_string_equal(violation(status, &error), rows[i].rule);
    }
}

/* No payload lies before the data, whatever its way. */
static void test_the_head_is_no_payload(void **state) {
    (void)state;
    static const wire_transport ways[] = {WIRE_TRANSPORT_PIPE, WIRE_TRANSPORT_MAP,
                                          WIRE_TRANSPORT_LAZY};
    for (size_t i = 0; i < COUNT(ways); i++) {
        for (uint64_t offset = 0; offset <= 1024; offset += 64) {
            wire_receiver receiver = receiver_in(WIRE_EXPECT_RESULT);
            const char *want = offset < 512 ? "wire.range" : "";
            wlk_error error = {0};
            receiver.transport = ways[i];
            receiver.data_from = 512;
            if (ways[i] == WIRE_TRANSPORT_PIPE) {
                const frame_header raw = frame_make(FRAME_DATA, FRAME_RAW, 8, SEQUENCE, offset);
                assert_string_equal(receive(&receiver, &raw), want);
                continue;
            }
            const frame_header header =
                frame_make(FRAME_DATA, FRAME_RAW | FRAME_MAPPED, 8, SEQUENCE, offset);
            assert_string_equal(receive(&receiver, &header), "");
            const wlk_status status = wire_receive_mapped(&receiver, &header, 64, &error);
            assert_string_equal(violation(status, &error), want);
        }
    }
}

/* The child has no bytes to send. */
static void test_lazy_payloads_are_only_named(void **state) {
    (void)state;
    static const struct {
        unsigned flags;
        uint64_t length;
        const char *rule;
    } rows[] = {
        {FRAME_RAW | FRAME_MAPPED, 8, ""},
        {FRAME_RAW | FRAME_MAPPED, 7, "wire.header"},
        {FRAME_RAW | FRAME_MAPPED, 9, "wire.header"},
        {FRAME_RAW, 8, "wire.header"},
        {FRAME_RAW, 100, "wire.header"},
        {FRAME_MAPPED, 8, "wire.header"},
        {0, 8, "wire.header"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        wire_receiver receiver = receiver_in(WIRE_EXPECT_RESULT);
        const frame_header header =
            frame_make(FRAME_DATA, (uint16_t)rows[i].flags, rows[i].length, SEQUENCE, 0);
        receiver.transport = WIRE_TRANSPORT_LAZY;
        assert_string_equal(receive(&receiver, &header), rows[i].rule);
    }
}

static void test_the_frame_is_named(void **state) {
    (void)state;
    wire_receiver receiver = receiver_in(WIRE_EXPECT_RESULT);
    const frame_header header = frame_of(FRAME_END);
    wlk_error error = {0};
    assert_int_equal(wire_receive(&receiver, &header, &error), WLK_CAGE);
    assert_string_equal(error.text, "frame 7");
}

static void test_mapped_only_where_it_was_ordered(void **state) {
    (void)state;
    wire_receiver receiver = receiver_in(WIRE_EXPECT_RESULT);
    const frame_header header = frame_make(FRAME_DATA, FRAME_RAW | FRAME_MAPPED, 8, SEQUENCE, 0);
    receiver.transport = WIRE_TRANSPORT_PIPE;
    assert_string_equal(receive(&receiver, &header), "wire.header");
}

static void test_decoded_payloads_where_the_format_has_them(void **state) {
    (void)state;
    wire_receiver receiver = receiver_in(WIRE_EXPECT_RESULT);
    receiver.raw_only = false;
    frame_header header = frame_make(FRAME_DATA, 0, 100, SEQUENCE, 0);
    assert_string_equal(receive(&receiver, &header), "");
    header.sequence++;
    header.argument = 1; /* decoded bytes lie nowhere in the file */
    assert_string_equal(receive(&receiver, &header), "wire.header");
    header.argument = 0;
    header.length = BUDGET; /* 100 are gone */
    assert_string_equal(receive(&receiver, &header), "limit.output-bytes");
}

/* ---- HELLO */

static wire_hello hello_good(void) {
    wire_hello hello = {.protocol = WIRE_PROTOCOL, .layers = LAYER_COUNT};
    memcpy(hello.build_id, wire_build_id, sizeof hello.build_id);
    for (unsigned i = 0; i < LAYER_COUNT; i++) {
        hello.results[i] =
            (wire_layer_result){.layer = (uint16_t)i, .held = i % 2, .reason = i % 2 ? 0 : 13};
    }
    return hello;
}

static const char *hello_outcome(const wire_hello *hello) {
    wlk_error error = {0};
    return outcome(wire_check_hello(hello, &error), &error);
}

static void test_hello(void **state) {
    (void)state;
    wire_hello hello = hello_good();
    assert_string_equal(hello_outcome(&hello), "");
    hello.protocol++;
    assert_string_equal(hello_outcome(&hello), "cage.build");
    for (unsigned i = 0; i < WIRE_BUILD_ID_BYTES; i++) {
        hello = hello_good();
        hello.build_id[i] ^= 0x80;
        assert_string_equal(hello_outcome(&hello), "cage.build");
    }
    static const uint32_t counts[] = {0, LAYER_COUNT - 1, LAYER_COUNT + 1, WIRE_MAX_LAYERS,
                                      UINT32_MAX};
    for (size_t i = 0; i < COUNT(counts); i++) {
        hello = hello_good();
        hello.layers = counts[i];
        assert_string_equal(hello_outcome(&hello), "wire.hello");
    }
}

static void test_hello_results(void **state) {
    (void)state;
    for (unsigned i = 0; i < WIRE_MAX_LAYERS; i++) {
        const bool used = i < LAYER_COUNT;
        wire_hello hello = hello_good();
        hello.results[i].layer++;
        assert_string_equal(hello_outcome(&hello), "wire.hello");
        hello = hello_good();
        hello.results[i].held = 2;
        assert_string_equal(hello_outcome(&hello), "wire.hello");
        hello = hello_good();
        hello.results[i].held = 1;
        assert_string_equal(hello_outcome(&hello), used ? "" : "wire.hello");
        hello = hello_good();
        hello.results[i].reason = -1;
        assert_string_equal(hello_outcome(&hello), used ? "" : "wire.hello");
    }
}

static void test_layer_names(void **state) {
    (void)state;
    for (uint32_t i = 0; i < LAYER_COUNT; i++) {
        assert_non_null(wire_layer_name(i));
        for (uint32_t j = 0; j < i; j++) {
            assert_string_not_equal(wire_layer_name(i), wire_layer_name(j));
        }
    }
    assert_string_equal(wire_layer_name(LAYER_SECCOMP), "seccomp");
    assert_string_equal(wire_layer_name(LAYER_COUNT), "unknown");
    assert_string_equal(wire_layer_name(UINT32_MAX), "unknown");
}

/* ---- REFUSE: invariant 9 for what the child says */

/* What a parser may say is about the file, or a limit of its own. */
static bool is_about_the_file(const char *rule) {
    static const char *const layers[] = {
        "data.",     "format.", "graph.",   "header.", "inflate.", "joblib.",
        "internal.", "limit.",  "npy.",     "numpy.",  "onnx.",    "opset.",
        "pickle.",   "string.", "sklearn.", "tensor.", "type.",    "selftest.tolerance"};
    static const char *const parents[] = {"internal.memory",      "limit.file-bytes",
                                          "limit.snapshot-bytes", "limit.cpu-seconds",
                                          "limit.deadline",       "limit.pool-children"};
    bool about = false;
    for (size_t i = 0; i < COUNT(layers); i++) {
        about |= strncmp(rule, layers[i], strlen(layers[i])) == 0;
    }
    for (size_t i = 0; i < COUNT(parents); i++) about &= strcmp(rule, parents[i]) != 0;
    return about;
}

/* Invariant 5: nor does it pass for the parent, who alone speaks of keys, users, the
 * machine, and of the child itself. */
static void test_refuse_with_every_rule_and_verdict(void **state) {
    (void)state;
    for (uint32_t rule = 0; rule <= RULE_COUNT; rule++) {
        const bool may =
            rule != RULE_NONE && rule < RULE_COUNT && is_about_the_file(wlk_rule_name(rule));
        for (uint32_t status = 0; status <= WLK_SYSTEM + 1; status++) {
            const wire_refuse refuse = {.rule = rule, .status = status, .offset = 0x123456789a};
            wlk_error error = {0};
            const wlk_status got = wire_check_refuse(&refuse, &error);
            assert_int_not_equal(got, WLK_OK);
            if (may && status == (uint32_t)rule_status(rule)) {
                assert_int_equal(error.rule, rule);
                assert_int_equal(got, status);
                assert_int_equal(error.offset, 0x123456789a);
            } else {
                assert_string_equal(outcome(got, &error), "wire.refuse");
            }
        }
    }
    const wire_refuse far = {.rule = UINT32_MAX, .status = UINT32_MAX, .offset = UINT64_MAX};
    wlk_error error = {0};
    assert_string_equal(outcome(wire_check_refuse(&far, &error), &error), "wire.refuse");
}

/* A text of a child: what there is of it in the error; NULL if the REFUSE is a violation. */
static const char *text_told(const char *bytes, size_t length, wlk_error *error) {
    wire_refuse refuse = {.rule = RULE_FORMAT_UNKNOWN, .status = WLK_UNDECIDED};
    memcpy(refuse.text, bytes, length);
    const wlk_status status = wire_check_refuse(&refuse, error);
    if (strcmp(outcome(status, error), "wire.refuse") == 0) return NULL;
    assert_int_equal(error->rule, RULE_FORMAT_UNKNOWN);
    return error->text;
}

static void test_text_of_a_refuse(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        const char *told;
    } rows[] = {
        {"", 0, ""},
        {"step 'scale': copy", 18, "step 'scale': copy"},
        {"\xc3\xa9", 2, "\xc3\xa9"},
        {"a\x1b[2J\n\xe2\x80\xae%s", 11, "a?[2J????%s"},
        {"\xff", 1, NULL},      /* not UTF-8 */
        {"a\xe2\x80", 3, NULL}, /* cut off */
        {"a\0b", 3, NULL},      /* something behind the end */
        {"\0\0\0 ", 4, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        wlk_error error = {0};
        const char *told = text_told(rows[i].bytes, rows[i].length, &error);
        assert_int_equal(told != NULL, rows[i].told != NULL);
        if (told) assert_string_equal(told, rows[i].told);
    }
}

static void test_text_of_a_refuse_ends(void **state) {
    (void)state;
    char bytes[WLK_ERROR_TEXT_BYTES];
    wlk_error error = {0};
    memset(bytes, 'a', sizeof bytes);
    assert_null(text_told(bytes, sizeof bytes, &error));
    const char *told = text_told(bytes, sizeof bytes - 1, &error);
    assert_non_null(told);
    assert_int_equal(strlen(told), sizeof bytes - 1);
    bytes[0] = '\0';
    assert_null(text_told(bytes, sizeof bytes - 1, &error));
}

/* What the child's side makes of an error is what the parent reads. */
static void test_an_error_survives_the_way(void **state) {
    (void)state;
    wlk_error error = {0}, got = {0};
    assert_int_equal(error_text(&error, RULE_HEADER_TYPE, 77, "\"%s\"", "caf\xc3\xa9"),
                     WLK_REFUSED);
    const wire_refuse refuse = wire_make_refuse(&error);
    assert_int_equal(wire_check_refuse(&refuse, &got), WLK_REFUSED);
    assert_memory_equal(&got, &error, sizeof got);
    memset(error.text, 'x', sizeof error.text); /* no end: cut off, not read beyond */
    const wire_refuse cut = wire_make_refuse(&error);
    assert_int_equal(wire_check_refuse(&cut, &got), WLK_REFUSED);
    assert_int_equal(strlen(got.text), WLK_ERROR_TEXT_BYTES - 1);
}

/* ---- ORDER */

static void test_order(void **state) {
    (void)state;
    const wire_order good = {.protocol = WIRE_PROTOCOL,
                             .format = WIRE_FORMAT_WLK,
                             .transport = WIRE_TRANSPORT_PIPE,
                             .policy_length = WIRE_MAX_POLICY};
    const frame_header header = frame_make(FRAME_ORDER, 0, sizeof good + WIRE_MAX_POLICY, 0, 0);
    wlk_error error = {0};
    assert_int_equal(wire_check_order(&header, &good, &error), WLK_OK);
    wire_order lazy = good;
    lazy.transport = WIRE_TRANSPORT_LAZY;
    assert_int_equal(wire_check_order(&header, &lazy, &error), WLK_OK);
    lazy.file_bytes = UINT64_MAX;
    assert_int_equal(wire_check_order(&header, &lazy, &error), WLK_OK);
    wire_order waits = good;
    waits.stream_bytes = UINT64_MAX;
    waits.format = WIRE_FORMAT_NONE;
    assert_int_equal(wire_check_order(&header, &waits, &error), WLK_OK);
    wire_order other = good;
    other.format = WIRE_FORMAT_CONTENT;
    assert_int_equal(wire_check_order(&header, &other, &error), WLK_OK);
    enum { ROWS = 28 };
    for (unsigned row = 0; row < ROWS; row++) {
        wire_order order = row >= 19 && row < 22 ? waits : good;
        frame_header altered = header;
        if (row == 0) altered.magic++;
        if (row == 1) altered.type = FRAME_GO;
        if (row == 2) altered.flags = 1;
        if (row == 3) altered.sequence = 1;
        if (row == 4) altered.argument = 1;
        if (row == 5) altered.length--;
        if (row == 6) altered.length++;
        if (row == 7) altered.length = UINT64_MAX;
        if (row == 8) order.policy_length--;
        if (row == 9) order.policy_length++, altered.length++;
        if (row == 10) order.policy_length = UINT32_MAX, altered.length = sizeof order + UINT32_MAX;
        if (row == 11) order.protocol++;
        if (row == 12) order.transport = 0;
        if (row == 13) order.transport = WIRE_TRANSPORT_LAZY + 1;
        if (row == 14) order.file_bytes++; /* only a lazy order leaves a part out */
        if (row == 15) order.snapshot_bytes++;
        if (row == 16) order.transport = WIRE_TRANSPORT_LAZY, order.snapshot_bytes++;
        if (row == 17) order.transport = WIRE_TRANSPORT_MAP, order.file_bytes++;
        if (row == 18) order.spaces = 2;
        if (row >= 19 && row < 22)
            order.stream_bytes = 1; /* for who has a copy, or can only name bytes */
        if (row == 20) order.snapshot_bytes = order.file_bytes = 1;
        if (row == 21) order.transport = WIRE_TRANSPORT_LAZY, order.file_bytes = 1;
        if (row == 19) order.transport = WIRE_TRANSPORT_LAZY;
        if (row == 22) order.format = WIRE_FORMAT_NONE;
        if (row == 23) order.format = WLK_FORMAT_ONNX; /* by its content, or not at all */
        if (row == 24) order.format = UINT32_MAX;
        if (row == 25) order.format = WIRE_FORMAT_CONTENT, order.transport = WIRE_TRANSPORT_LAZY;
        if (row == 26) order.stream_bytes = 1; /* who waits learns it later */
        if (row == 27) order.stream_bytes = 1, order.format = WIRE_FORMAT_CONTENT;
        const wlk_status status = wire_check_order(&altered, &order, &error);
        assert_string_equal(outcome(status, &error), "wire.order");
    }
}

/* ---- GO */

static const char *go_outcome(frame_header go, uint64_t stream_bytes) {
    const wire_order order = {.stream_bytes = stream_bytes};
    wlk_error error = {0};
    return outcome(wire_check_go(&go, &order, &error), &error);
}

/* With the file for who waited, and for nobody else; no longer than there is room. */
static void test_go(void **state) {
    (void)state;
    static const struct {
        uint64_t length, room;
        bool good;
    } rows[] = {
        {0, 0, true},           {1, 0, false},
        {UINT64_MAX, 0, false}, {0, 1, false},
        {1, 1, true},           {2, 1, false},
        {4096, 4096, true},     {4097, 4096, false},
        {0, UINT64_MAX, false}, {UINT64_MAX, UINT64_MAX, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint64_t format = rows[i].room ? WIRE_FORMAT_CONTENT : 0;
        const frame_header go = frame_make(FRAME_GO, 0, rows[i].length, 1, format);
        assert_string_equal(go_outcome(go, rows[i].room), rows[i].good ? "" : "wire.order");
    }
    frame_header none = frame_make(FRAME_GO, 0, 0, 1, WIRE_FORMAT_WLK);
    assert_string_equal(go_outcome(none, 0), "wire.order");
    for (unsigned row = 0; row < 9; row++) {
        frame_header go = frame_make(FRAME_GO, 0, 8, 1, WIRE_FORMAT_WLK);
        if (row == 0) go.magic ^= 1;
        if (row == 1) go.type = FRAME_ORDER;
        if (row == 2) go.flags = 1;
        if (row == 3) go.sequence = 0;
        if (row == 4) go.sequence = 2;
        if (row == 5) go.argument = WIRE_FORMAT_NONE;
        if (row == 6) go.argument = WLK_FORMAT_ONNX;
        if (row == 7) go.argument = UINT32_MAX;
        if (row == 8) go.argument = (uint64_t)WIRE_FORMAT_WLK << 32 | WIRE_FORMAT_WLK;
        assert_string_equal(go_outcome(go, 8), "wire.order");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_frame_type_in_every_state),
        cmocka_unit_test(test_types_that_do_not_exist),
        cmocka_unit_test(test_sequence_counts_every_frame),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_magic),
        cmocka_unit_test(test_output_budget_is_for_all_frames_together),
        cmocka_unit_test(test_mapped_bytes_count_too),
        cmocka_unit_test(test_number_of_buffers),
        cmocka_unit_test(test_mapped_ranges),
        cmocka_unit_test(test_the_head_is_no_payload),
        cmocka_unit_test(test_lazy_payloads_are_only_named),
        cmocka_unit_test(test_the_frame_is_named),
        cmocka_unit_test(test_mapped_only_where_it_was_ordered),
        cmocka_unit_test(test_decoded_payloads_where_the_format_has_them),
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_hello_results),
        cmocka_unit_test(test_layer_names),
        cmocka_unit_test(test_refuse_with_every_rule_and_verdict),
        cmocka_unit_test(test_text_of_a_refuse),
        cmocka_unit_test(test_text_of_a_refuse_ends),
        cmocka_unit_test(test_an_error_survives_the_way),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
