/* What files hold that pickle or joblib wrote, one line of JSON each: values as
 * {"kind": ...}, numbers as the hexadecimal digits of their bits, texts as those of their
 * UTF-8. For tests that compare it with what Python finds in the same files.
 *
 *   tool_values FILE... */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "formats/pickle/inflate.h"
#include "formats/pickle/machine.h"
#include "formats/pickle/numpy.h"

#define DEEPEST 64

static void put_value(const py_value *value, unsigned depth);

static void put_hex(const uint8_t *data, uint64_t length) {
    putchar('"');
    for (uint64_t i = 0; i < length; i++) printf("%02x", data[i]);
    putchar('"');
}

static void put_items(const py_items *items, unsigned depth) {
    putchar('[');
    for (uint32_t i = 0; i < items->count; i++) {
        if (i > 0) putchar(',');
        put_value(items->list[i], depth + 1);
    }
    putchar(']');
}

/* ---- arrays */

static void put_dtype(const py_dtype *dtype) {
    printf("{\"kind\":\"%c\",\"size\":%" PRIu32 ",\"big\":%s,\"fields\":[", dtype->kind,
           dtype->itemsize, dtype->big ? "true" : "false");
    for (uint32_t i = 0; i < dtype->field_count; i++) {
        const py_field *field = &dtype->fields[i];
        if (i > 0) putchar(',');
        printf("[");
        put_hex(field->name.data, field->name.length);
        printf(",%" PRIu64 ",", field->offset);
        put_dtype(field->dtype);
        putchar(']');
    }
    printf("]}");
}

/* "reals": all at once, and each alone must agree. */
static void put_reals(const py_array *array) {
    uint64_t bad = 0;
    double *reals = malloc((size_t)array->count * sizeof *reals + 1);
    if (!reals || !py_array_reals(array, reals, &bad)) {
        printf("\"reals\":null,\"bad_real\":%" PRIu64 ",", bad);
    } else {
        printf("\"reals\":[");
        for (uint64_t i = 0; i < array->count; i++) {
            const double alone = py_array_real(array, i);
            const bool same = f64_bits(alone) == f64_bits(reals[i]);
            printf("%s\"%016" PRIx64 "\"", i > 0 ? "," : "",
                   same ? f64_bits(reals[i]) : UINT64_C(0xbad));
        }
        printf("],");
    }
    free(reals);
}

static void put_ints(const py_array *array) {
    uint64_t bad = 0;
    int64_t *ints = malloc((size_t)array->count * sizeof *ints + 1);
    if (!ints || !py_array_ints(array, ints, &bad)) {
        printf("\"ints\":null,\"bad_int\":%" PRIu64 ",", bad);
    } else {
        printf("\"ints\":[");
        for (uint64_t i = 0; i < array->count; i++) {
            printf("%s%" PRId64, i > 0 ? "," : "", ints[i]);
        }
        printf("],");
    }
    free(ints);
}

static void put_text(const py_text *text) {
    if (text->data) {
        put_hex(text->data, text->length);
    } else {
        printf("null");
    }
}

static void put_texts(const py_array *array) {
    arena memory = {0};
    py_text text = {0};
    wlk_error error;
    uint64_t read = 0;
    printf("\"texts\":[");
    while (read < array->count && py_array_text(array, read, &memory, &text, &error) == WLK_OK) {
        if (read > 0) putchar(',');
        put_text(&text);
        read++;
    }
    printf("],\"all_texts\":%s,", read == array->count ? "true" : "false");
    arena_free(&memory);
}

static void put_objects(const py_array *array, unsigned depth) {
    printf("\"objects\":[");
    for (uint64_t i = 0; array->objects && i < array->count; i++) {
        if (i > 0) putchar(',');
        put_value(array->objects[py_array_place(array, i)], depth + 1);
    }
    printf("],");
}

/* Elements in row-major order, each as its own bytes. */
static void put_bytes(const py_array *array) {
    const uint32_t size = array->dtype->itemsize;
    printf("\"bytes\":\"");
    for (uint64_t i = 0; !array->objects && i < array->count; i++) {
        const uint8_t *item = array->data + py_array_place(array, i) * size;
        for (uint32_t k = 0; k < size; k++) printf("%02x", item[k]);
    }
    printf("\",\"mask\":\"");
    for (uint64_t i = 0; array->mask && i < array->count; i++) {
        printf("%d", array->mask[py_array_place(array, i)]);
    }
    printf("\"");
}

static void put_array(const py_array *array, unsigned depth) {
    printf("{\"array\":{\"dtype\":");
    put_dtype(array->dtype);
    printf(",\"shape\":[");
    for (uint32_t i = 0; i < array->rank; i++) {
        printf("%s%" PRIu64, i > 0 ? "," : "", array->shape[i]);
    }
    printf("],");
    put_reals(array);
    put_ints(array);
    put_texts(array);
    put_objects(array, depth);
    put_bytes(array);
    printf("}}");
}

/* ---- values */

static void put_named(const char *kind, const py_value *value, unsigned depth) {
    printf("{\"%s\":", kind);
    put_items(&value->items, depth);
    putchar('}');
}

static void put_bits(const char *kind, double real) {
    printf("{\"%s\":\"%016" PRIx64 "\"}", kind, f64_bits(real));
}

static void put_bytes_of(const char *kind, const py_text *text) {
    printf("{\"%s\":", kind);
    put_hex(text->data, text->length);
    putchar('}');
}

static void put_object(const py_value *value, unsigned depth) {
    printf("{\"object\":\"%s\",\"state\":", value->object->class->name);
    if (value->object->state) {
        put_value(value->object->state, depth + 1);
    } else {
        printf("null");
    }
    putchar('}');
}

static void put_value(const py_value *value, unsigned depth) {
    if (depth > DEEPEST) {
        printf("\"too deep\"");
        return;
    }
    switch (value->kind) {
        case PY_NONE:
            printf("null");
            return;
        case PY_BOOL:
            printf(value->boolean ? "true" : "false");
            return;
        case PY_INT:
            printf("%" PRId64, value->integer);
            return;
        case PY_LONG:
            put_bytes_of("long", &value->text);
            return;
        case PY_FLOAT:
            put_bits("float", value->real);
            return;
        case PY_COMPLEX:
            printf("{\"complex\":\"%016" PRIx64 "%016" PRIx64 "\"}", f64_bits(value->complex[0]),
                   f64_bits(value->complex[1]));
            return;
        case PY_STR:
            put_bytes_of("str", &value->text);
            return;
        case PY_BYTES:
            put_bytes_of("bytes", &value->text);
            return;
        case PY_BYTEARRAY:
            put_bytes_of("bytearray", &value->text);
            return;
        case PY_LIST:
            put_named("list", value, depth);
            return;
        case PY_TUPLE:
            put_named("tuple", value, depth);
            return;
        case PY_DICT:
            put_named("dict", value, depth);
            return;
        case PY_SET:
            put_named("set", value, depth);
            return;
        case PY_FROZENSET:
            put_named("frozenset", value, depth);
            return;
        case PY_GLOBAL:
            printf("{\"global\":\"%s\"}", value->global->name);
            return;
        case PY_OBJECT:
            put_object(value, depth);
            return;
        case PY_DTYPE:
            printf("{\"dtype\":");
            put_dtype(value->dtype);
            putchar('}');
            return;
        case PY_ARRAY:
            put_array(value->array, depth);
            return;
        case PY_OPAQUE:
        case PY_KIND_COUNT:
            break;
    }
    printf("\"opaque\"");
}

/* ---- files */

static void put_error(const wlk_error *error) {
    printf("{\"error\":\"%s\",\"offset\":%" PRId64 ",\"text\":", wlk_rule_name(error->rule),
           (int64_t)error->offset);
    put_hex((const uint8_t *)error->text, strlen(error->text));
    putchar('}');
}

static wlk_status read_value(const uint8_t *data, uint64_t size, const wlk_limits *limits,
                             wlk_error *error) {
    pickle p = {.limits = limits, .stream = cursor_over(data, size, 0)};
    py_value *value;
    const wlk_status status = pickle_read(&p, &value, error);
    if (status == WLK_OK) {
        printf("{\"raw\":[");
        for (uint32_t i = 0; i < 2 * p.raw_count; i++) {
            printf("%s%" PRIu64, i > 0 ? "," : "", p.raw[i]);
        }
        printf("],\"left\":%" PRIu64 ",\"value\":", cursor_left(&p.stream));
        put_value(value, 0);
        putchar('}');
    }
    pickle_close(&p);
    return status;
}

static wlk_status read_inflated(const uint8_t *data, uint64_t size, wlk_error *error) {
    const inflate_codec codec = inflate_detect(data, size);
    uint8_t *inflated;
    uint64_t length;
    wlk_limits limits;
    wlk_limits_default(&limits);
    if (codec == INFLATE_NONE) return read_value(data, size, &limits, error);
    TRY(inflate_all(codec, data, size, &limits, &inflated, &length, error));
    const wlk_status status = read_value(inflated, length, &limits, error);
    mem_free(inflated);
    return status;
}

static int read_file(const char *path) {
    wlk_error error = {.offset = WLK_NO_OFFSET};
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) return 1;
    const long size = ftell(file);
    rewind(file);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    const size_t got = data ? fread(data, 1, (size_t)size, file) : 0;
    (void)fclose(file);
    if (data && read_inflated(data, got, &error) != WLK_OK) put_error(&error);
    free(data);
    putchar('\n');
    return data ? 0 : 1;
}

int main(int count, char **arguments) {
    int failed = 0;
    for (int i = 1; i < count; i++) failed |= read_file(arguments[i]);
    return failed;
}
