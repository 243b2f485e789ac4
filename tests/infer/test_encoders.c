/* Encoders, tokenizers and distances against plain Python, and what is refused of them;
 * and maps, which tables of cases have no words for. */
#include "infer/case_file.h"

static void test_encoder_cases(void **state) {
    (void)state;
    assert_true(run_case_file("tests/infer/cases/encoders.txt") >= 200);
}

/* ---- maps become rows */

typedef struct map_case {
    const char *name;
    const char *op;
    wlk_dtype key_dtype, dtype;
    const char *attributes[3]; /* "NAME=TEXT", or of an int "NAME:NUMBER" */
    const char *words;         /* a vocabulary of them */
    const char *keys, *values; /* as a case's tensors */
    const char *want;          /* the same; or a rule, and words of the error */
} map_case;

static const map_case map_cases[] = {
    {"a key that is not there is 0, another is left out", "DictVectorizer", WLK_STR, WLK_F32,
     .words = "a,b,zz", .keys = "str [3] 'zz' 'a' 'other'", .values = "f32 [3] 1.5 2.5 3.5",
     .want = "f32 [1,3] 2.5 0 1.5"},
    {"whole numbers", "DictVectorizer", WLK_STR, WLK_I64, .words = "a,b", .keys = "str [1] 'b'",
     .values = "i64 [1] -7", .want = "i64 [1,2] 0 -7"},
    {"doubles", "DictVectorizer", WLK_STR, WLK_F64, .words = "a,b", .keys = "str [1] 'b'",
     .values = "f64 [1] 0.1", .want = "f64 [1,2] 0 0.1"},
    {"texts", "DictVectorizer", WLK_STR, WLK_STR, .words = "a,b", .keys = "str [1] 'b'",
     .values = "str [1] 'long'", .want = "str [1,2] '' 'long'"},
    {"nothing at all", "DictVectorizer", WLK_STR, WLK_F32, .words = "a", .keys = "str [0]",
     .values = "f32 [0]", .want = "f32 [1,1] 0"},
    {"of equal keys the last", "DictVectorizer", WLK_STR, WLK_F32, .words = "a",
     .keys = "str [2] 'a' 'a'", .values = "f32 [2] 1 2", .want = "f32 [1,1] 2"},
    {"a vocabulary of another type", "DictVectorizer", WLK_I64, WLK_F32, .words = "a",
     .want = "plan.mixed the vocabulary is str, the keys are i64"},
    {"no vocabulary", "DictVectorizer", WLK_STR, WLK_F32,
     .want = "plan.attribute either ints or strings"},
    {"in the order of the keys", "CastMap", WLK_I64, WLK_F32, .keys = "i64 [3] 4 -9 0",
     .values = "f32 [3] 1.5 2.5 3.5", .want = "f32 [1,3] 2.5 3.5 1.5"},
    {"at their places", "CastMap", WLK_I64, WLK_F32, .attributes = {"map_form=SPARSE", "max_map:5"},
     .keys = "i64 [2] 4 1", .values = "f32 [2] 1.5 2.5", .want = "f32 [1,5] 0 2.5 0 0 1.5"},
    {"to integers", "CastMap", WLK_I64, WLK_F32, .attributes = {"cast_to=TO_INT64"},
     .keys = "i64 [3] 0 1 2", .values = "f32 [3] -1.5 1e30 nan",
     .want = "i64 [1,3] -1 9223372036854775807 0"},
    {"to texts", "CastMap", WLK_I64, WLK_F32,
     .attributes = {"cast_to=TO_STRING", "map_form=SPARSE", "max_map:3"}, .keys = "i64 [2] 0 2",
     .values = "f32 [2] -1.5 2", .want = "str [1,3] '-1.5' '0' '2'"},
    {"texts to numbers", "CastMap", WLK_I64, WLK_STR, .keys = "i64 [2] 1 0",
     .values = "str [2] '2.5' '-1e2'", .want = "f32 [1,2] -100 2.5"},
    {"texts to integers", "CastMap", WLK_I64, WLK_STR, .attributes = {"cast_to=TO_INT64"},
     .keys = "i64 [1] 1", .values = "str [1] '9223372036854775807'",
     .want = "i64 [1,1] 9223372036854775807"},
    {"texts stay", "CastMap", WLK_I64, WLK_STR, .attributes = {"cast_to=TO_STRING"},
     .keys = "i64 [2] 3 2", .values = "str [2] 'b' 'a'", .want = "str [1,2] 'a' 'b'"},
    {"no entries", "CastMap", WLK_I64, WLK_F32, .keys = "i64 [0]", .values = "f32 [0]",
     .want = "f32 [1,0]"},
    {"a text that is no number", "CastMap", WLK_I64, WLK_STR, .keys = "i64 [1] 1",
     .values = "str [1] '2.5x'", .want = "run.text value 0 is not a number"},
    {"a key beyond the last column", "CastMap", WLK_I64, WLK_F32,
     .attributes = {"map_form=SPARSE", "max_map:2"}, .keys = "i64 [1] 2", .values = "f32 [1] 1",
     .want = "run.index key 2 of 2 columns"},
    {"a negative key", "CastMap", WLK_I64, WLK_F32, .attributes = {"map_form=SPARSE", "max_map:2"},
     .keys = "i64 [1] -1", .values = "f32 [1] 1", .want = "run.index key -1 of 2 columns"},
    {"a key twice, sparse", "CastMap", WLK_I64, WLK_F32,
     .attributes = {"map_form=SPARSE", "max_map:2"}, .keys = "i64 [2] 1 1", .values = "f32 [2] 1 2",
     .want = "run.value key 1 is there twice"},
    {"a key twice, dense", "CastMap", WLK_I64, WLK_F32, .keys = "i64 [3] 5 1 5",
     .values = "f32 [3] 1 2 3", .want = "run.value key 5 is there twice"},
    {"more columns than memory", "CastMap", WLK_I64, WLK_F32,
     .attributes = {"map_form=SPARSE", "max_map:9223372036854775807"}, .keys = "i64 [1] 1",
     .values = "f32 [1] 1", .want = "run.memory a map of 1 entries"},
    {"many columns", "CastMap", WLK_I64, WLK_F32,
     .attributes = {"map_form=SPARSE", "max_map:1099511627776"}, .keys = "i64 [1] 1",
     .values = "f32 [1] 1", .want = "run.memory"},
    {"no columns", "CastMap", WLK_I64, WLK_F32, .attributes = {"map_form=SPARSE", "max_map:0"},
     .want = "plan.attribute-value max_map 0"},
    {"another form", "CastMap", WLK_I64, WLK_F32, .attributes = {"map_form=LOOSE"},
     .want = "plan.attribute-value map_form 'LOOSE'"},
    {"another type", "CastMap", WLK_I64, WLK_F32, .attributes = {"cast_to=TO_BOOL"},
     .want = "plan.attribute-value cast_to 'TO_BOOL'"},
    {"keys that are texts", "CastMap", WLK_STR, WLK_F32, .want = "plan.dtype"},
};

static uint32_t map_type(model_kit *k, wlk_dtype key_dtype, wlk_dtype dtype) {
    const wlk_type type = {.kind = WLK_TYPE_MAP,
                           .key_dtype = key_dtype,
                           .element = kit_type(k, dtype, false, 0, NULL)};
    uint32_t index = 0;
    kit_check(k, assembler_type(k->assembler, &type, &index, &k->error));
    return index;
}

static void put_attribute(model_kit *k, const char *text) {
    char name[64];
    (void)snprintf(name, sizeof name, "%s", text);
    char *value = strpbrk(name, "=:");
    assert_non_null(value);
    const bool is_int = *value == ':';
    *value++ = 0;
    if (is_int) {
        kit_int(k, name, strtoll(value, NULL, 10));
    } else {
        kit_texts(k, name, WLK_ATTR_STRING, KIT_NAMES(value), 1);
    }
}

static void put_words(model_kit *k, const char *list) {
    char text[64];
    const char *words[8];
    uint32_t count = 0;
    (void)snprintf(text, sizeof text, "%s", list);
    for (char *word = strtok(text, ","); word; word = strtok(NULL, ",")) words[count++] = word;
    kit_texts(k, "string_vocabulary", WLK_ATTR_STRINGS, words, count);
}

static wlk_model *map_model(const map_case *m) {
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "ai.onnx.ml", 1);
    kit_graph(&k);
    kit_input(&k, "m", map_type(&k, m->key_dtype, m->dtype));
    kit_output(&k, "y", IMAGE_NONE);
    kit_node(&k, "ai.onnx.ml", m->op, KIT_NAMES("m"), 1, KIT_NAMES("y"), 1);
    for (uint32_t i = 0; i < 3 && m->attributes[i]; i++) put_attribute(&k, m->attributes[i]);
    if (m->words) put_words(&k, m->words);
    return kit_close(&k);
}

static case_tensor read_tensor(const char *text) {
    char *line = strdup(text);
    case_text t = {.at = line, .line = text};
    const case_tensor tensor = parse_tensor(&t);
    free(line);
    return tensor;
}

static bool is_refused(const map_case *m, wlk_status status, const wlk_error *error) {
    if (status == WLK_OK) return false;
    const char *rule = wlk_rule_name(error->rule);
    const size_t length = strlen(rule);
    const char *words = m->want[length] ? m->want + length + 1 : "";
    if (strncmp(m->want, rule, length) != 0 || !strstr(error->text, words)) {
        fail_msg("%s: %s %s", m->name, rule, error->text);
    }
    return true;
}

static void run_map(const map_case *m, const wlk_plan *plan) {
    case_tensor parts[2] = {read_tensor(m->keys), read_tensor(m->values)};
    const wlk_tensor items[2] = {parts[0].tensor, parts[1].tensor};
    const wlk_argument argument = {WLK_VALUE_MAP, items, 2};
    wlk_error error = {.status = WLK_OK};
    wlk_result *result = NULL;
    if (!is_refused(m, wlk_run_arguments(plan, &argument, 1, &result, &error), &error)) {
        case_run want = {.want_count = 1};
        (void)snprintf(want.name, sizeof want.name, "%s", m->name);
        want.wants[0] = read_tensor(m->want);
        const wlk_tensor got = wlk_result_tensor(result, 0);
        compare_tensor(&want, 0, &got);
        run_clear(&want);
    }
    wlk_result_free(result);
    free(parts[0].data);
    free(parts[1].data);
}

static void test_maps(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof map_cases / sizeof *map_cases; i++) {
        const map_case *m = &map_cases[i];
        wlk_error error = {.status = WLK_OK};
        wlk_plan *plan = NULL;
        wlk_model *model = map_model(m);
        if (!is_refused(m, wlk_plan_create(model, NULL, &plan, &error), &error)) run_map(m, plan);
        wlk_plan_free(plan);
        wlk_model_free(model);
    }
}

/* A pattern that looks at the rest of the text from every place: the work is counted
 * while it is done, and the limit ends it (invariant 11). */
static void test_patterns_that_search_for_long(void **state) {
    (void)state;
    enum { LENGTH = 60000 };
    static struct {
        uint64_t offsets[2];
        char text[LENGTH];
    } payload = {.offsets = {0, LENGTH}};
    static const uint64_t shape[1] = {1};
    memset(payload.text, 'a', LENGTH);
    wlk_tensor x = {.name = "x", .dtype = WLK_STR, .rank = 1, .count = 1, .data = &payload};
    x.shape[0] = shape[0];
    x.nbytes = sizeof payload.offsets + LENGTH;
    wlk_error error = {.status = WLK_OK};
    wlk_plan *plan = NULL;
    wlk_result *result = NULL;
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "com.microsoft", 1);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_STR, false, 0, NULL));
    kit_output(&k, "y", IMAGE_NONE);
    kit_node(&k, "com.microsoft", "Tokenizer", KIT_NAMES("x"), 1, KIT_NAMES("y"), 1);
    kit_int(&k, "mark", 0);
    kit_int(&k, "mincharnum", 1);
    kit_texts(&k, "pad_value", WLK_ATTR_STRING, KIT_NAMES("#"), 1);
    kit_texts(&k, "tokenexp", WLK_ATTR_STRING, KIT_NAMES("a|a*b"), 1);
    wlk_model *model = kit_close(&k);
    wlk_limits limits;
    wlk_limits_default(&limits);
    limits.run_operations = 1000000000;
    assert_int_equal(wlk_plan_create(model, &limits, &plan, &error), WLK_OK);
    assert_int_not_equal(wlk_run(plan, &x, 1, &result, &error), WLK_OK);
    assert_string_equal(wlk_rule_name(error.rule), "run.operations");
    assert_null(result);
    wlk_plan_free(plan);
    wlk_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encoder_cases),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_patterns_that_search_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
