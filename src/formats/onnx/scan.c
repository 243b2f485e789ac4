#include "base/memory.h"
#include "formats/onnx/reader.h"

/* A message that has been entered. */
typedef struct scan_frame {
    cursor rest;
    uint32_t seen; /* bit n: field n was there */
    uint8_t message;
    uint8_t chosen; /* one of the choices was there */
} scan_frame;

typedef struct scan {
    reader *r;
    onnx_list stack; /* scan_frame */
    uint64_t graphs; /* of the messages that have been entered */
    uint64_t types;
} scan;

static void scan_close(scan *s) {
    mem_free(s->stack.items);
}

static scan_frame *top(const scan *s) {
    return (scan_frame *)s->stack.items + s->stack.count - 1;
}

static const uint8_t wire_of[] = {
    [FIELD_UNKNOWN] = PROTO_BYTES,  [FIELD_INT] = PROTO_VARINT, [FIELD_FLOAT] = PROTO_FIXED32,
    [FIELD_DOUBLE] = PROTO_FIXED64, [FIELD_TEXT] = PROTO_BYTES, [FIELD_MESSAGE] = PROTO_BYTES,
    [FIELD_IGNORED] = PROTO_BYTES,
};

/* Numbers of a list may come one by one or packed, and in several pieces. */
static bool wire_fits(const field_schema *schema, uint32_t wire) {
    if (wire == wire_of[schema->kind]) return true;
    const bool number = schema->kind >= FIELD_INT && schema->kind <= FIELD_DOUBLE;
    return number && schema->many && wire == PROTO_BYTES;
}

/* Of what may be there once, most readers take the last and some the first: two readers,
 * two models. */
static wlk_status check_once(scan_frame *frame, const field_schema *schema,
                             const proto_field *field, wlk_error *error) {
    const uint32_t bit = 1u << field->number;
    const bool again = (frame->seen & bit) && !schema->many;
    if (again || (schema->choice && frame->chosen)) {
        return error_at(error, RULE_ONNX_FIELD_TWICE, field->offset);
    }
    frame->seen |= bit;
    frame->chosen |= schema->choice;
    return WLK_OK;
}

static wlk_status check_depth(const scan *s, const proto_field *field, wlk_error *error) {
    if (s->graphs > s->r->limits->graph_depth) {
        return error_at(error, RULE_LIMIT_GRAPH_DEPTH, field->offset);
    }
    if (s->types > s->r->limits->header_depth) {
        return error_at(error, RULE_LIMIT_HEADER_DEPTH, field->offset);
    }
    return WLK_OK;
}

static wlk_status enter(scan *s, uint8_t message, const proto_field *field, wlk_error *error) {
    const scan_frame frame = {.rest = field->bytes, .message = message};
    s->graphs += message == MESSAGE_GRAPH;
    s->types += message == MESSAGE_TYPE;
    TRY(check_depth(s, field, error));
    return onnx_add(&s->stack, &frame, sizeof frame, error);
}

static void leave(scan *s) {
    s->graphs -= top(s)->message == MESSAGE_GRAPH;
    s->types -= top(s)->message == MESSAGE_TYPE;
    s->stack.count--;
}

static wlk_status skip_field(scan *s, wlk_rule rule, const proto_field *field, wlk_error *error) {
    const scan_frame *frame = top(s);
    const uint64_t length = cursor_offset(&frame->rest) - field->offset;
    return onnx_byte_map_skip(s->r, rule, onnx_schema_name(frame->message), field->number,
                              field->offset, length, error);
}

static wlk_status scan_field(scan *s, const proto_field *field, wlk_error *error) {
    scan_frame *frame = top(s);
    const field_schema *schema = onnx_schema_field(frame->message, field->number);
    if (schema->kind == FIELD_UNKNOWN) return skip_field(s, RULE_ONNX_UNKNOWN_FIELD, field, error);
    if (!wire_fits(schema, field->wire)) return error_at(error, RULE_ONNX_WIRE_TYPE, field->offset);
    TRY(check_once(frame, schema, field, error));
    if (schema->kind == FIELD_MESSAGE) return enter(s, schema->message, field, error);
    if (schema->many && schema->kind != FIELD_IGNORED && field->wire == wire_of[schema->kind]) {
        (void)onnx_proto_skip_alike(&frame->rest, field);
    }
    if (schema->kind == FIELD_IGNORED) return skip_field(s, RULE_ONNX_NOT_READ, field, error);
    return WLK_OK;
}

static wlk_status scan_all(scan *s, wlk_error *error) {
    while (s->stack.count > 0) {
        proto_field field = {0};
        cursor *rest = &top(s)->rest;
        if (cursor_left(rest) == 0) {
            leave(s);
            continue;
        }
        const wlk_rule rule = onnx_proto_next(rest, &field);
        if (rule != RULE_NONE) return error_at(error, rule, field.offset);
        TRY(scan_field(s, &field, error));
    }
    return WLK_OK;
}

wlk_status onnx_scan_model(reader *r, wlk_error *error) {
    __attribute__((cleanup(scan_close))) scan s = {.r = r};
    const proto_field model = {.bytes = r->file};
    TRY(enter(&s, MESSAGE_MODEL, &model, error));
    return scan_all(&s, error);
}
