/* Memory runs out anywhere in the parser, the builder or the validator: the refusal is
 * internal.memory, nothing is left, and the next parse is not disturbed. */
#include "formats/wlk_whole.h"
#include "support/no_memory.h"

static wlk_status no_memory(wlk_error *error) {
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

static wlk_status parse_with(const wlk_case *c, memory_sink *sink, image_builder *builder,
                             wlk_error *error) {
    const format_input input = {.data = c->file, .size = c->size, .limits = &c->limits};
    wlk_model *model = NULL;
    TRY(format_find(WLK_FORMAT_WLK)->parse(&input, builder, error));
    TRY(image_build_model(builder, sink, c->size, &c->limits, &model, error));
    wlk_model_free(model);
    return WLK_OK;
}

static wlk_status parse(const void *context, wlk_error *error) {
    const wlk_case *c = context;
    memory_sink *sink = memory_sink_new(&c->limits);
    if (!sink) return no_memory(error);
    const image_sink interface = memory_sink_interface(sink);
    image_builder *builder = image_builder_new(&c->limits, &interface);
    const wlk_status status = builder ? parse_with(c, sink, builder, error) : no_memory(error);
    image_builder_free(builder);
    memory_sink_free(sink);
    return status;
}

static void test_something_of_everything(void **state) {
    (void)state;
    uint8_t data[DATA_BYTES];
    whole_data(data);
    wlk_case c = wlk_case_text(whole, data, sizeof data, NULL);
    no_memory_everywhere("the whole file", parse, &c);
    wlk_case_free(&c);
}

/* A type in types, and a node with more outputs than there is room for at first. */
static void test_deep_and_wide(void **state) {
    (void)state;
    wlk_case c = wlk_case_text(
        "{graphs:[{inputs:[{name:x, type:{optional:{map:{key:i64, value:{sequence:{tensor:"
        "{dtype:f32}}}}}}}], nodes:[{attr:{of:{type:{sequence:{tensor:{dtype:f64}}}}}, in:[x],"
        "op:Split, out:[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t]}],"
        "outputs:[{name:a, type:{sequence:{tensor:{dtype:f16}}}}]}],"
        "kind:model, opset:{'':13}, tensors:[]}",
        NULL, 0, NULL);
    no_memory_everywhere("deep and wide", parse, &c);
    wlk_case_free(&c);
}

/* An element that msgpack-c needs more than one piece of memory for. */
static void test_large_element(void **state) {
    (void)state;
    wlk_buffer text = {0};
    wlk_buffer_print(&text, "{graphs:[{inputs:[], nodes:[{attr:{k:{ints:[");
    for (int i = 0; i < 2000; i++) wlk_buffer_print(&text, "7 ");
    wlk_buffer_print(&text,
                     "]}}, in:[], op:A, out:[a]}], outputs:[{name:a}]}],"
                     "kind:model, opset:{'':13}, tensors:[]}");
    wlk_case c = wlk_case_text((const char *)text.data, NULL, 0, NULL);
    no_memory_everywhere("a large element", parse, &c);
    wlk_case_free(&c);
    free(text.data);
}

/* Lists of names, strings and records that have to grow more than once. */
static void test_many(void **state) {
    (void)state;
    enum { MANY = 150, ROOM = 128 * MANY };
    char *text = malloc(ROOM);
    assert_non_null(text);
    size_t at = (size_t)snprintf(text, ROOM, "{kind:model, tensors:[");
    for (int i = 0; i < MANY; i++) {
        at += (size_t)snprintf(text + at, ROOM - at,
                               "%s{codec:raw, dtype:u8, name:t%03d, nbytes:0, offset:0, shape:[0]}",
                               i > 0 ? ", " : "", i);
    }
    (void)snprintf(text + at, ROOM - at, "]}");
    wlk_case c = wlk_case_text(text, NULL, 0, NULL);
    free(text);
    no_memory_everywhere("many tensors", parse, &c);
    wlk_case_free(&c);
}

int main(void) {
    points_set();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_something_of_everything),
        cmocka_unit_test(test_deep_and_wide),
        cmocka_unit_test(test_large_element),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
