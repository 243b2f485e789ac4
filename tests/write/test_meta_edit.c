#include "support/scratch.h"

#include "write/everything.h"
#include "write/meta_edit.h"
#include "write/meta_node.h"

#define SET(path, json) \
    { path, json }
#define REMOVE(path) \
    { path, NULL }

static wlk_limits limits;

static uint32_t count_edits(const wlk_meta_edit *edits, uint32_t most) {
    uint32_t count = 0;
    while (count < most && edits[count].path) count++;
    return count;
}

/* "/a=1 /b=[2] ...": all leaves and empty containers, as the model lists them. */
static void describe(const wlk_model *model, char *text, size_t room) {
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_METADATA); i++) {
        const wlk_meta m = wlk_model_meta(model, i);
        const bool container = m.type == WLK_META_ARRAY || m.type == WLK_META_MAP;
        char value[64] = "null";
        if (container && m.i > 0) continue;
        if (m.type == WLK_META_ARRAY) (void)snprintf(value, sizeof value, "[]");
        if (m.type == WLK_META_MAP) (void)snprintf(value, sizeof value, "{}");
        if (m.type == WLK_META_STRING) (void)snprintf(value, sizeof value, "'%s'", m.s);
        if (m.type == WLK_META_INT) (void)snprintf(value, sizeof value, "%lld", (long long)m.i);
        if (m.type == WLK_META_UINT) {
            (void)snprintf(value, sizeof value, "%lluu", (unsigned long long)m.u);
        }
        if (m.type == WLK_META_FLOAT) (void)snprintf(value, sizeof value, "%gf", m.f);
        if (m.type == WLK_META_BOOL) (void)snprintf(value, sizeof value, m.i ? "true" : "false");
        used +=
            (size_t)snprintf(text + used, room - used, "%s%s=%s", used ? " " : "", m.path, value);
        assert_true(used < room);
    }
}

/* kind, a list of tags, and a map with odd keys. */
static wlk_model *small_model(void) {
    wlk_writer *w = writer_new();
    wlk_writer_meta_string(w, "/kind", "k");
    wlk_writer_meta_strings(w, "/metadata/tags", LIST("a", "b", "c"), 3);
    wlk_writer_meta_int(w, "/x-m/p~1q", 1);
    wlk_writer_meta_int(w, "/x-m/r~0s", 2);
    return writer_end(w);
}

#define TAGS "/metadata/tags/0='a' /metadata/tags/1='b' /metadata/tags/2='c'"
#define MAP "/x-m/p~1q=1 /x-m/r~0s=2"

static void test_edits(void **state) {
    (void)state;
    static const struct {
        wlk_meta_edit edits[4];
        const char *want;
    } rows[] = {
        {{{0}}, "/kind='k' " TAGS " " MAP},
        {{SET("/kind", "\"z\"")}, "/kind='z' " TAGS " " MAP},
        {{SET("/name", "\"n\""), SET("/created", "\"c\"")},
         "/created='c' /kind='k' " TAGS " /name='n' " MAP},
        {{SET("/metadata/tags/-", "\"d\"")}, "/kind='k' " TAGS " /metadata/tags/3='d' " MAP},
        {{SET("/metadata/tags/3", "\"d\"")}, "/kind='k' " TAGS " /metadata/tags/3='d' " MAP},
        {{SET("/metadata/tags/1", "\"B\"")},
         "/kind='k' /metadata/tags/0='a' /metadata/tags/1='B' /metadata/tags/2='c' " MAP},
        {{REMOVE("/metadata/tags/0")}, "/kind='k' /metadata/tags/0='b' /metadata/tags/1='c' " MAP},
        {{REMOVE("/metadata/tags/2"), SET("/metadata/tags/-", "\"z\"")},
         "/kind='k' /metadata/tags/0='a' /metadata/tags/1='b' /metadata/tags/2='z' " MAP},
        {{REMOVE("/metadata/tags/0"), REMOVE("/metadata/tags/0"), REMOVE("/metadata/tags/0")},
         "/kind='k' /metadata/tags=[] " MAP},
        {{SET("/metadata/tags", "[\"x\"]")}, "/kind='k' /metadata/tags/0='x' " MAP},
        {{REMOVE("/metadata")}, "/kind='k' " MAP},
        {{REMOVE("/x-m/p~1q")}, "/kind='k' " TAGS " /x-m/r~0s=2"},
        {{SET("/x-m/r~0s", "{\"t/u~\":[1.5,null,true]}")},
         "/kind='k' " TAGS
         " /x-m/p~1q=1 /x-m/r~0s/t~1u~0/0=1.5f /x-m/r~0s/t~1u~0/1=null /x-m/r~0s/t~1u~0/2=true"},
        {{SET("/metadata/metrics/a/b", "0.5")},
         "/kind='k' /metadata/metrics/a/b=0.5f " TAGS " " MAP},
        {{REMOVE("/x-m"), SET("/x-m/0", "18446744073709551615")},
         "/kind='k' " TAGS " /x-m/0=18446744073709551615u"},
        {{SET("/x-m", "null"), SET("/x-m", "{}")}, "/kind='k' " TAGS " /x-m={}"},
        {{SET("/x-", "[[]]"), SET("/x-/0/0", "1"), SET("/x-/1", "2")},
         "/kind='k' " TAGS " /x-/0/0=1 /x-/1=2 " MAP},
    };
    wlk_model *model = small_model();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        wlk_model *metadata;
        wlk_error error = {0};
        EXPECT_OK(meta_edited(model, rows[i].edits, count_edits(rows[i].edits, 4), &limits,
                              &metadata, &error));
        describe(metadata, text, sizeof text);
        assert_string_equal(text, rows[i].want);
        wlk_model_free(metadata);
    }
    wlk_model_free(model);
}

#define DEEP "/x-/1/2/3/4/5/6/7/8/9/10/11/12/13/14"

static void test_edits_that_are_refused(void **state) {
    (void)state;
    static const struct {
        wlk_meta_edit edit;
        const char *rule;
        const char *says;
    } rows[] = {
        {SET("", "1"), "assemble.metadata-path", NULL},
        {SET("kind", "\"x\""), "assemble.metadata-path", "kind"},
        {SET("/x-~2", "1"), "assemble.metadata-path", "/x-~2"},
        {SET("/x-~", "1"), "assemble.metadata-path", NULL},
        {REMOVE(""), "assemble.metadata-path", NULL},
        {REMOVE("x"), "assemble.metadata-path", NULL},
        {REMOVE("/name"), "write.entry", "/name"},
        {REMOVE("/tensors"), "write.entry", "/tensors"},
        {REMOVE("/kind/x"), "write.entry", NULL},
        {REMOVE("/metadata/tags/3"), "write.entry", NULL},
        {REMOVE("/metadata/tags/-"), "write.entry", NULL},
        {REMOVE("/metadata/tags/00"), "write.entry", NULL},
        {REMOVE("/metadata/tags/+1"), "write.entry", NULL},
        {SET("/metadata/tags/4", "\"x\""), "assemble.metadata-path", NULL},
        {SET("/metadata/tags/01", "\"x\""), "assemble.metadata-path", NULL},
        {SET("/metadata/tags/x/y", "1"), "assemble.metadata-path", NULL},
        {SET("/kind/x", "1"), "assemble.metadata-path", "/kind/x"},
        {SET("/x-m/p~1q/z", "1"), "assemble.metadata-path", NULL},
        {SET("/kind", "1"), "assemble.metadata-key", "/kind"},
        {SET("/kind", "null"), "assemble.metadata-key", "/kind"},
        {SET("/tensors", "[]"), "assemble.metadata-key", "/tensors"},
        {SET("/graphs", "[]"), "assemble.metadata-key", "/graphs"},
        {SET("/opset", "{}"), "assemble.metadata-key", "/opset"},
        {SET("/own", "1"), "assemble.metadata-key", "/own"},
        {SET("/metadata", "{\"own\":1}"), "assemble.metadata-key", "/metadata/own"},
        {SET("/metadata/tags/-", "1"), "assemble.metadata-key", "/metadata/tags/3"},
        {SET("/metadata/libraries/numpy", "1.24"), "assemble.metadata-key", NULL},
        {SET("/x-m", "{\"a\":1,\"a\":2}"), "assemble.metadata-duplicate", "/x-m/a"},
        {SET("/x-m", "tru"), "write.json", "/x-m: no value"},
        {SET("/x-m", "\"\\u0000\""), "write.json", NULL},
        {SET(DEEP "/15/16", "1"), "write.depth", NULL},
        {SET(DEEP "/15", "{}"), "limit.header-depth", NULL},
        {SET(DEEP, "{\"15\":{}}"), "limit.header-depth", NULL},
    };
    wlk_model *model = small_model();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_model *metadata;
        wlk_error error = {0};
        const wlk_status status = meta_edited(model, &rows[i].edit, 1, &limits, &metadata, &error);
        expect_refused(rows[i].edit.path, status, &error, rows[i].rule, rows[i].says);
        assert_null(metadata);
    }
    wlk_model_free(model);
}

/* One under, one over. */
static void test_limits(void **state) {
    (void)state;
    static const struct {
        wlk_meta_edit edit;
        uint64_t entries, name, string;
        const char *rule; /* of the limits less one */
    } rows[] = {
        {SET("/x-a", "[1,2]"), 12, 1024, 1024, "limit.metadata-entries"},
        {SET("/x-abcdefghijklmnop", "1"), 100, 19, 1024, "limit.name-bytes"},
        {SET("/x-a", "\"0123456789abcdefghij\""), 100, 1024, 20, "limit.string-bytes"},
    };
    wlk_model *model = small_model();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (uint64_t less = 0; less <= 1; less++) {
            wlk_model *metadata;
            wlk_error error = {0};
            wlk_limits own = limits;
            own.metadata_entries = rows[i].entries - (i == 0 ? less : 0);
            own.name_bytes = rows[i].name - (i == 1 ? less : 0);
            own.string_bytes = rows[i].string - (i == 2 ? less : 0);
            const wlk_status status = meta_edited(model, &rows[i].edit, 1, &own, &metadata, &error);
            if (!less) expect_ok(status, &error);
            if (less) expect_refused("limit", status, &error, rows[i].rule, NULL);
            wlk_model_free(metadata);
        }
    }
    wlk_model_free(model);
}

/* ---- heads */

static uint8_t *written(const wlk_model *model, const wlk_write_options *options, uint64_t *size) {
    uint8_t *bytes;
    wlk_error error = {0};
    EXPECT_OK(wlk_write_memory(model, options, &bytes, size, &error));
    return bytes;
}

static uint64_t head_bytes_of(const uint8_t *bytes, uint64_t size) {
    envelope e;
    wlk_error error = {0};
    EXPECT_OK(envelope_decode(bytes, size, &e, &error));
    return e.data_off;
}

static void verify_file(const uint8_t *bytes, uint64_t size) {
    wlk_verification found;
    wlk_error error = {0};
    const wlk_verify_options options = {.threads = 1};
    EXPECT_OK(wlk_verify_memory(bytes, size, &options, &found, &error));
}

/* The edited file is, byte for byte, what a writer makes of the edited model: everything
 * but metadata, lengths, digest and signature is the old one's. */
static void test_rewritten_as_written_anew(void **state) {
    (void)state;
    static const wlk_meta_edit edits[] = {
        SET("/version", "\"2.0\""), SET("/metadata/tags/-", "\"new\""),
        REMOVE("/metadata/hyperparameters/y"), SET("/x-more", "{\"a\":[1,2,{}]}")};
    const wlk_write_options edited = {.edits = edits, .edit_count = 4};
    uint64_t size, want_size;
    wlk_error error = {0};
    wlk_model *model = everything();
    uint8_t *bytes = written(model, NULL, &size);
    uint8_t *want = written(model, &edited, &want_size);
    wlk_model *loaded = read_back(bytes, size);
    const uint64_t head = head_bytes_of(bytes, size);
    assert_int_equal(head_bytes_of(want, want_size), head);
    uint8_t *now = exact_copy(bytes, head);
    EXPECT_OK(wlk_meta_rewrite(bytes, head, loaded, edits, 4, NULL, now, &error));
    assert_memory_equal(now, want, head);
    assert_memory_equal(bytes + head, want + head, size - head);
    memcpy(bytes, now, head);
    verify_file(bytes, size);
    free(now);
    free(want);
    free(bytes);
    wlk_model_free(loaded);
    wlk_model_free(model);
}

/* Nothing changed: the old bytes, but for the signature, which is taken off. */
static void test_no_edits(void **state) {
    (void)state;
    uint64_t size;
    wlk_error error = {0};
    wlk_model *model = everything();
    uint8_t *bytes = written(model, NULL, &size);
    const uint64_t head = head_bytes_of(bytes, size);
    wlk_model *loaded = read_back(bytes, size);
    uint8_t *now = exact_copy(bytes, head);
    memset(now, 0xff, head);
    EXPECT_OK(wlk_meta_rewrite(bytes, head, loaded, NULL, 0, NULL, now, &error));
    assert_memory_equal(now, bytes, head);
    free(now);
    free(bytes);
    wlk_model_free(loaded);
    wlk_model_free(model);
}

static void test_signed(void **state) {
    (void)state;
    static const wlk_meta_edit edit = SET("/version", "\"2\"");
    uint64_t size;
    wlk_error error = {0};
    wlk_public_key public;
    wlk_secret_key *key;
    wlk_trust *trust;
    wlk_verification found;
    EXPECT_OK(wlk_keygen(in_scratch("k"), in_scratch("k.pub"), NULL, &public, &error));
    EXPECT_OK(wlk_secret_key_load(in_scratch("k"), NULL, &key, &error));
    EXPECT_OK(wlk_trust_new(&trust, &error));
    EXPECT_OK(wlk_trust_add(trust, &public, "k", &error));
    const wlk_write_options sign = {.key = key}, plain = {.edits = &edit, .edit_count = 1};
    wlk_model *model = everything();
    uint8_t *bytes = written(model, &sign, &size);
    wlk_model *loaded = read_back(bytes, size);
    const uint64_t head = head_bytes_of(bytes, size);
    uint8_t *now = exact_copy(bytes, head);
    EXPECT_OK(wlk_meta_rewrite(bytes, head, loaded, &edit, 1, key, now, &error));
    memcpy(bytes, now, head);
    const wlk_verify_options options = {.trust = trust, .threads = 1};
    EXPECT_OK(wlk_verify_memory(bytes, size, &options, &found, &error));
    assert_int_equal(found.state, WLK_SIGNED_TRUSTED);
    /* without a key nothing of the old signature stays */
    uint64_t want_size;
    uint8_t *want = written(model, &plain, &want_size);
    wlk_model *again = read_back(bytes, size);
    EXPECT_OK(wlk_meta_rewrite(bytes, head, again, NULL, 0, NULL, now, &error));
    assert_memory_equal(now, want, head);
    wlk_model_free(again);
    free(want);
    free(now);
    free(bytes);
    wlk_model_free(loaded);
    wlk_model_free(model);
    wlk_trust_free(trust);
    wlk_secret_key_free(key);
    assert_int_equal(remove(in_scratch("k")), 0);
    assert_int_equal(remove(in_scratch("k.pub")), 0);
}

/* A text that fills the room before the data to the last byte, and one byte more. */
static void test_room(void **state) {
    (void)state;
    uint64_t size;
    envelope e;
    wlk_error error = {0};
    wlk_model *model = small_model();
    uint8_t *bytes = written(model, NULL, &size);
    EXPECT_OK(envelope_decode(bytes, size, &e, &error));
    wlk_model *loaded = read_back(bytes, size);
    /* "x-n" and a str 16: 4 + 3 bytes */
    const uint64_t room = e.data_off - ENVELOPE_BYTES - e.header_len - e.table_len - 7;
    for (uint64_t more = 0; more <= 1; more++) {
        char *json = calloc(1, room + 4);
        uint8_t *now = exact_copy(bytes, e.data_off);
        assert_non_null(json);
        memset(json, '"', room + more + 2);
        memset(json + 1, 'n', room + more);
        const wlk_meta_edit edit = SET("/x-n", json);
        const wlk_status status =
            wlk_meta_rewrite(bytes, e.data_off, loaded, &edit, 1, NULL, now, &error);
        if (more) expect_refused("room", status, &error, "write.room", "1 bytes are missing");
        if (!more) {
            EXPECT_OK(status);
            verify_file(now, e.data_off);
        }
        free(json);
        free(now);
    }
    free(bytes);
    wlk_model_free(loaded);
    wlk_model_free(model);
}

/* What shrinks must not leave more than 64 KiB free. */
static void test_too_much_room(void **state) {
    (void)state;
    uint64_t size;
    wlk_error error = {0};
    char *text = calloc(1, 70001);
    assert_non_null(text);
    memset(text, 't', 70000);
    wlk_writer *w = writer_new();
    wlk_writer_meta_string(w, "/x-long", text);
    wlk_model *model = writer_end(w);
    uint8_t *bytes = written(model, NULL, &size);
    wlk_model *loaded = read_back(bytes, size);
    const uint64_t head = head_bytes_of(bytes, size);
    uint8_t *now = exact_copy(bytes, head);
    const wlk_meta_edit away = REMOVE("/x-long"), shorter = SET("/x-long", text + 60000);
    expect_refused("slack", wlk_meta_rewrite(bytes, head, loaded, &away, 1, NULL, now, &error),
                   &error, "write.slack", NULL);
    text[60000] = '"';
    text[69999] = '"';
    EXPECT_OK(wlk_meta_rewrite(bytes, head, loaded, &shorter, 1, NULL, now, &error));
    verify_file(now, head);
    free(now);
    free(bytes);
    free(text);
    wlk_model_free(loaded);
    wlk_model_free(model);
}

/* A model of another file, a head that is none, a length that is not its own. */
static void test_head_and_model_of_two_files(void **state) {
    (void)state;
    uint64_t size, other_size;
    wlk_error error = {0};
    wlk_model *model = everything(), *other = small_model();
    uint8_t *bytes = written(model, NULL, &size), *other_bytes = written(other, NULL, &other_size);
    wlk_model *loaded = read_back(bytes, size), *other_loaded = read_back(other_bytes, other_size);
    const uint64_t head = head_bytes_of(bytes, size);
    uint8_t *now = exact_copy(bytes, head);
    const struct {
        const uint8_t *head;
        uint64_t bytes;
        const wlk_model *model;
        const char *rule;
    } rows[] = {
        {bytes, head, other_loaded, "envelope.layout"},
        {bytes, head, model, "envelope.truncated"}, /* built in memory: of no file */
        {bytes, head - 1, loaded, "write.head"},
        {bytes, head + 4096, loaded, "write.head"},
        {bytes, 255, loaded, "write.head"},
        {bytes, 0, loaded, "write.head"},
        {other_bytes, 4096, loaded, "envelope.layout"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const wlk_status status = wlk_meta_rewrite(rows[i].head, rows[i].bytes, rows[i].model, NULL,
                                                   0, NULL, now, &error);
        expect_refused("head", status, &error, rows[i].rule, NULL);
    }
    bytes[ENVELOPE_BYTES + 20] ^= 1;
    expect_refused("changed", wlk_meta_rewrite(bytes, head, loaded, NULL, 0, NULL, now, &error),
                   &error, "write.head", NULL);
    free(now);
    free(bytes);
    free(other_bytes);
    wlk_model_free(loaded);
    wlk_model_free(other_loaded);
    wlk_model_free(model);
    wlk_model_free(other);
}

/* ---- memory that runs out */

typedef struct short_memory {
    uint32_t left; /* allocations that succeed */
    int64_t live;
} short_memory;

static void *short_allocate(void *context, size_t size, size_t alignment) {
    short_memory *m = context;
    if (m->left == 0) return NULL;
    m->left--;
    m->live++;
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void *short_resize(void *context, void *memory, size_t size) {
    short_memory *m = context;
    if (m->left == 0) return NULL;
    m->left--;
    m->live += memory == NULL;
    return realloc(memory, size);
}

static void short_release(void *context, void *memory) {
    ((short_memory *)context)->live--;
    free(memory);
}

/* Whichever allocation fails, the error says so and nothing is left. */
static void test_without_memory(void **state) {
    (void)state;
    static const wlk_meta_edit edits[] = {SET("/x-a", "{\"k\":[1,\"t\"]}"),
                                          SET("/x-m/new/er", "null"), REMOVE("/metadata/tags/0"),
                                          SET("/metadata/tags/-", "\"z\"")};
    uint64_t size;
    wlk_status status = WLK_SYSTEM;
    wlk_model *model = small_model();
    uint8_t *bytes = written(model, NULL, &size);
    wlk_model *loaded = read_back(bytes, size);
    const uint64_t head = head_bytes_of(bytes, size);
    uint8_t *now = exact_copy(bytes, head);
    uint32_t steps = 0;
    for (; status != WLK_OK && steps < 10000; steps++) {
        wlk_error error = {0};
        short_memory memory = {.left = steps};
        const wlk_allocator allocator = {&memory, short_allocate, short_resize, short_release};
        wlk_allocator_set(&allocator);
        status = wlk_meta_rewrite(bytes, head, loaded, edits, 4, NULL, now, &error);
        wlk_allocator_set(NULL);
        if (status != WLK_OK) expect_refused("short", status, &error, "internal.memory", NULL);
        assert_int_equal(memory.live, 0);
    }
    assert_int_equal(status, WLK_OK);
    assert_true(steps > 50);
    free(now);
    free(bytes);
    wlk_model_free(loaded);
    wlk_model_free(model);
}

/* Edits are part of writing a whole file too; without "/kind" there is none. */
static void test_written_with_edits(void **state) {
    (void)state;
    static const wlk_meta_edit edit = SET("/name", "\"n\""), none = REMOVE("/kind");
    const wlk_write_options options = {.edits = &edit, .edit_count = 1, .slack = 5000};
    const wlk_write_options kindless = {.edits = &none, .edit_count = 1};
    uint64_t size;
    uint8_t *unwritten;
    wlk_error error = {0};
    wlk_model *model = small_model();
    uint8_t *bytes = written(model, &options, &size);
    wlk_model *back = read_back(bytes, size);
    assert_int_equal(size, 8192);
    assert_int_not_equal(wlk_model_find_meta(back, "/name"), WLK_NONE);
    assert_int_equal(wlk_model_find_meta(model, "/name"), WLK_NONE);
    expect_refused("kind", wlk_write_memory(model, &kindless, &unwritten, &size, &error), &error,
                   "write.kind", NULL);
    free(bytes);
    wlk_model_free(back);
    wlk_model_free(model);
}

static int setup(void **state) {
    wlk_limits_default(&limits);
    return scratch_make(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edits),
        cmocka_unit_test(test_edits_that_are_refused),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_rewritten_as_written_anew),
        cmocka_unit_test(test_no_edits),
        cmocka_unit_test(test_signed),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_too_much_room),
        cmocka_unit_test(test_head_and_model_of_two_files),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_written_with_edits),
    };
    return cmocka_run_group_tests(tests, setup, scratch_remove);
}
