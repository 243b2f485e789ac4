#include "base/onnx_dtype.h"
#include "formats/onnx/reader.h"

#define MOST_NESTED 32  /* types within types */
#define NEWEST_DTYPE 28 /* TensorProto.DataType of the standard */

/* One level of a type: what holds the next one. */
typedef struct type_level {
    uint8_t kind;
    uint8_t key_dtype;
    uint64_t offset;
} type_level;

wlk_status onnx_type_dtype(uint64_t number, uint64_t offset, wlk_dtype *dtype, wlk_error *error) {
    *dtype = onnx_dtype((int64_t)number);
    if (*dtype != WLK_DTYPE_NONE) return WLK_OK;
    const bool standard = number > 0 && number <= NEWEST_DTYPE;
    return error_at(error, standard ? RULE_ONNX_DTYPE : RULE_TENSOR_DTYPE, offset);
}

static wlk_status read_dimension(const reader *r, cursor dimension, type_record *type,
                                 wlk_error *error) {
    const uint32_t axis = type->rank;
    proto_field field;
    if (axis >= WLK_MAX_RANK) return error_at(error, RULE_LIMIT_RANK, dimension.base);
    type->rank++;
    type->dims[axis] = WLK_UNKNOWN_DIM;
    while (onnx_proto_each(&dimension, &field)) {
        const int64_t value = (int64_t)field.value;
        if (field.number == DIMENSION_VALUE && value >= 0) type->dims[axis] = value;
        if (field.number == DIMENSION_SYMBOL) type->symbols[axis] = onnx_name(r, field.bytes);
    }
    return onnx_built(r, error);
}

static wlk_status read_shape(const reader *r, cursor shape, type_record *type, wlk_error *error) {
    proto_field field;
    type->has_shape = 1;
    while (onnx_proto_each_of(&shape, SHAPE_DIMENSION, &field)) {
        TRY(read_dimension(r, field.bytes, type, error));
    }
    return WLK_OK;
}

/* A tensor's type without an element type declares nothing. */
static wlk_status read_tensor(const reader *r, cursor message, uint32_t *type, wlk_error *error) {
    type_record record = {.kind = WLK_TYPE_TENSOR, .element = IMAGE_NONE};
    proto_field shape;
    wlk_dtype dtype;
    const uint64_t number = onnx_proto_value_of(message, TYPE_ELEMENT, 0);
    const cursor whole = message;
    *type = IMAGE_NONE;
    if (number == 0) return WLK_OK;
    TRY(onnx_type_dtype(number, whole.base, &dtype, error));
    record.dtype = (uint8_t)dtype;
    if (onnx_proto_each_of(&message, TYPE_SHAPE, &shape)) {
        TRY(read_shape(r, shape.bytes, &record, error));
    }
    *type = image_type(r->builder, &record, whole.base);
    return onnx_built(r, error);
}

/* The one of the choices that is there; number 0 if none is. */
static proto_field choice_of(cursor message) {
    proto_field field = {0};
    while (onnx_proto_each(&message, &field)) {
        if (onnx_schema_field(MESSAGE_TYPE, field.number)->choice) return field;
    }
    return (proto_field){0};
}

static wlk_status enter(const proto_field *choice, type_level *level, cursor *message,
                        wlk_error *error) {
    level->offset = choice->offset;
    level->key_dtype = 0;
    switch (choice->number) {
        case TYPE_SEQUENCE:
            level->kind = WLK_TYPE_SEQUENCE;
            break;
        case TYPE_OPTIONAL:
            level->kind = WLK_TYPE_OPTIONAL;
            break;
        case TYPE_MAP:
            level->kind = WLK_TYPE_MAP;
            level->key_dtype =
                (uint8_t)onnx_dtype((int64_t)onnx_proto_value_of(choice->bytes, TYPE_KEY, 0));
            *message = onnx_proto_bytes_of(choice->bytes, TYPE_VALUE);
            return WLK_OK;
        default:
            return error_at(error, RULE_ONNX_TYPE_KIND, choice->offset);
    }
    *message = onnx_proto_bytes_of(choice->bytes, TYPE_ELEMENT);
    return WLK_OK;
}

/* From the innermost type outwards. */
static wlk_status wrap(const reader *r, const type_level *levels, uint32_t count, uint32_t *type,
                       wlk_error *error) {
    while (count-- > 0) {
        const type_record record = {
            .kind = levels[count].kind, .key_dtype = levels[count].key_dtype, .element = *type};
        *type = image_type(r->builder, &record, levels[count].offset);
        TRY(onnx_built(r, error));
    }
    return WLK_OK;
}

wlk_status onnx_type_read(const reader *r, cursor message, uint32_t *type, wlk_error *error) {
    type_level levels[MOST_NESTED];
    uint32_t count = 0;
    proto_field choice = choice_of(message);
    *type = IMAGE_NONE;
    while (choice.number != 0 && choice.number != TYPE_TENSOR) {
        if (count == MOST_NESTED) return error_at(error, RULE_LIMIT_HEADER_DEPTH, choice.offset);
        TRY(enter(&choice, &levels[count++], &message, error));
        choice = choice_of(message);
    }
    if (choice.number == TYPE_TENSOR) TRY(read_tensor(r, choice.bytes, type, error));
    return wrap(r, levels, count, type, error);
}
