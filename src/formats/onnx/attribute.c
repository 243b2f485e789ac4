#include "base/utf8.h"
#include "formats/onnx/numbers.h"

#define LONG_LIST 1024 /* elements from which on a list becomes a tensor of one axis */

/* ONNX's kinds of attributes. */
typedef struct kind_row {
    uint8_t number; /* AttributeProto.AttributeType */
    uint8_t field;
    uint8_t type; /* wlk_attribute_type; 0: not read */
} kind_row;

static const kind_row kinds[] = {
    {1, ATTRIBUTE_F, WLK_ATTR_FLOAT},          {2, ATTRIBUTE_I, WLK_ATTR_INT},
    {3, ATTRIBUTE_S, WLK_ATTR_STRING},         {4, ATTRIBUTE_T, WLK_ATTR_TENSOR},
    {5, ATTRIBUTE_G, WLK_ATTR_GRAPH},          {6, ATTRIBUTE_FLOATS, WLK_ATTR_FLOATS},
    {7, ATTRIBUTE_INTS, WLK_ATTR_INTS},        {8, ATTRIBUTE_STRINGS, WLK_ATTR_STRINGS},
    {9, ATTRIBUTE_TENSORS, WLK_ATTR_TENSORS},  {10, ATTRIBUTE_GRAPHS, WLK_ATTR_GRAPHS},
    {11, ATTRIBUTE_SPARSE, WLK_ATTR_TENSOR},   {12, ATTRIBUTE_SPARSES, 0},
    {13, ATTRIBUTE_TYPE_VALUE, WLK_ATTR_TYPE}, {14, ATTRIBUTE_TYPE_VALUES, 0},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* An attribute that is being built. */
typedef struct attribute {
    cursor message; /* that has the value */
    cursor name;
    uint32_t scope; /* of the message */
    bool again;     /* it may have been read before */
    const kind_row *kind;
} attribute;

/* ---- names */

static wlk_status claim(reader *r, cursor message, wlk_error *error) {
    const char *key;
    uint32_t latest;
    const cursor name = onnx_proto_bytes_of(message, ATTRIBUTE_NAME);
    if (name.size == 0) return error_at(error, RULE_ONNX_NAME_EMPTY, message.base);
    TRY(onnx_key(r, name, &key, error));
    const bool known = name_map_get(r->attributes, key, &latest);
    if (known && latest == r->nodes) {
        return error_at(error, RULE_ONNX_ATTRIBUTE_TWICE, name.base);
    }
    if (!known && r->attribute_names++ >= r->limits->attributes) {
        return error_at(error, RULE_LIMIT_ATTRIBUTES, name.base);
    }
    if (name_map_set(r->attributes, key, r->nodes)) return WLK_OK;
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

wlk_status onnx_attributes_claim(reader *r, cursor node, wlk_error *error) {
    proto_field field;
    r->nodes++; /* nodes and calls: fewer than twice the limit, which a name_map's values hold */
    while (onnx_proto_each_of(&node, NODE_ATTRIBUTE, &field)) TRY(claim(r, field.bytes, error));
    return WLK_OK;
}

/* ---- which kind it is */

/* Everything of an AttributeProto but its values, read in one pass: lists can be long. */
typedef struct outline {
    cursor reference;
    uint64_t type;
    uint32_t given;  /* bits of the fields with values that are there */
    uint64_t fields; /* how many there are */
} outline;

static outline outline_of(cursor message) {
    outline o = {0};
    proto_field field;
    uint32_t values = 0;
    for (size_t i = 0; i < KINDS; i++) values |= 1u << kinds[i].field;
    while (onnx_proto_each(&message, &field)) {
        if (field.number == ATTRIBUTE_REFERENCE) o.reference = field.bytes;
        if (field.number == ATTRIBUTE_TYPE) o.type = field.value;
        if (field.number < SCHEMA_FIELDS) o.given |= 1u << field.number & values;
        o.fields += 1 + onnx_proto_skip_alike(&message, &field);
    }
    return o;
}

/* The type says it; where there is none, as in the oldest files, the only value. A value that
 * is not there is 0 or empty: a writer may leave such fields out. */
static const kind_row *kind_of(const outline *o) {
    for (size_t i = 0; i < KINDS; i++) {
        const uint32_t bit = 1u << kinds[i].field;
        if (o->type == 0 ? o->given == bit : o->type == kinds[i].number && !(o->given & ~bit)) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* Follows a reference from within a function to the attribute of its call. */
static wlk_status follow(reader *r, outline *o, attribute *a, bool *found, wlk_error *error) {
    const outline referring = *o;
    const uint64_t offset = a->message.base;
    if (referring.given != 0) return error_at(error, RULE_ONNX_ATTRIBUTE_TYPE, offset);
    a->again = true;
    TRY(onnx_function_attribute(r, referring.reference, &a->scope, &a->message, found, error));
    if (!*found) return WLK_OK;
    *o = outline_of(a->message);
    if (referring.type == 0 || o->type == 0 || referring.type == o->type) return WLK_OK;
    return error_at(error, RULE_ONNX_ATTRIBUTE_TYPE, offset);
}

/* ---- values */

static wlk_status add_value(reader *r, uint64_t value, uint64_t offset, wlk_error *error) {
    if (r->values.count >= r->limits->attribute_values) {
        return error_at(error, RULE_LIMIT_ATTRIBUTE_VALUES, offset);
    }
    return onnx_add(&r->values, &value, sizeof value, error);
}

/* The bits of the same number as a float of 64 bits. */
static uint64_t widened(uint64_t bits) {
    const uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return f64_bits((double)value);
}

static wlk_status add_numbers(reader *r, const number_list *list, wlk_error *error) {
    number_walk walk = onnx_numbers_walk(list);
    for (uint64_t i = 0; i < list->count; i++) {
        uint64_t value;
        const wlk_rule rule = onnx_numbers_next(&walk, &value);
        if (rule != RULE_NONE) return error_at(error, rule, walk.offset);
        TRY(add_value(r, list->kind == FIELD_FLOAT ? widened(value) : value, walk.offset, error));
    }
    return WLK_OK;
}

static wlk_status add_text(reader *r, cursor text, wlk_error *error) {
    const uint32_t string = image_string(r->builder, (const char *)text.data, text.size, text.base);
    TRY(onnx_built(r, error));
    return add_value(r, string, text.base, error);
}

static wlk_status add_message(reader *r, const attribute *a, cursor message, wlk_error *error) {
    uint32_t index;
    switch (a->kind->field) {
        case ATTRIBUTE_T:
        case ATTRIBUTE_TENSORS:
            TRY(onnx_tensor_once(r, message, &index, error));
            break;
        case ATTRIBUTE_G:
        case ATTRIBUTE_GRAPHS:
            TRY(onnx_graph_queue(r, message, a->scope, &index, error));
            break;
        case ATTRIBUTE_SPARSE:
            index = onnx_tensor_shared(r, message);
            if (index != IMAGE_NONE) break;
            TRY(onnx_sparse_read(r, message, 0, &index, error));
            TRY(onnx_tensor_share(r, message, index, error));
            break;
        default:
            TRY(onnx_type_read(r, message, &index, error));
            if (index == IMAGE_NONE) return error_at(error, RULE_ONNX_TYPE_KIND, message.base);
    }
    return add_value(r, index, message.base, error);
}

/* Texts, messages: everything that is no number. */
static wlk_status add_all(reader *r, const attribute *a, wlk_error *error) {
    const bool texts = a->kind->field == ATTRIBUTE_S || a->kind->field == ATTRIBUTE_STRINGS;
    cursor rest = a->message;
    proto_field field;
    while (onnx_proto_each_of(&rest, a->kind->field, &field)) {
        TRY(texts ? add_text(r, field.bytes, error) : add_message(r, a, field.bytes, error));
    }
    if (a->kind->field == ATTRIBUTE_S && r->values.count == 0)
        return add_value(r, 0, a->message.base, error);
    return WLK_OK;
}

/* ---- lists */

/* Attributes are read as NUL-terminated texts. */
static wlk_status check_texts(const number_list *list, wlk_error *error) {
    cursor rest = list->message;
    proto_field field;
    while (onnx_proto_each_of(&rest, list->field, &field)) {
        if (!utf8_valid(field.bytes.data, field.bytes.size)) {
            return error_at(error, RULE_STRING_UTF8, field.bytes.base);
        }
    }
    return WLK_OK;
}

static wlk_status build_tensor(reader *r, const number_list *list, uint32_t *tensor,
                               wlk_error *error) {
    static const wlk_dtype dtypes[] = {
        [FIELD_INT] = WLK_I64, [FIELD_FLOAT] = WLK_F32, [FIELD_TEXT] = WLK_STR};
    const uint64_t width = list->kind == FIELD_FLOAT ? 4 : 8;
    image_tensor_spec spec = {.name = 0,
                              .dtype = dtypes[list->kind],
                              .rank = 1,
                              .shape = &list->count,
                              .block = IMAGE_NONE,
                              .nbytes = list->count * width, /* a few times the file */
                              .offset = list->message.base};
    if (list->kind == FIELD_TEXT) TRY(check_texts(list, error));
    TRY(onnx_numbers_build(r, list, &spec, tensor, error));
    return onnx_tensor_share(r, list->message, *tensor, error);
}

static wlk_status build_long_list(reader *r, const attribute *a, const number_list *list,
                                  wlk_error *error) {
    uint32_t tensor = onnx_tensor_shared(r, a->message);
    if (tensor == IMAGE_NONE) TRY(build_tensor(r, list, &tensor, error));
    const uint64_t value = tensor;
    (void)image_attribute(r->builder, onnx_name(r, a->name), WLK_ATTR_TENSOR, &value, 1,
                          a->name.base);
    return onnx_built(r, error);
}

/* The list's own fields; a kind that is no list of numbers or texts has none. */
static field_kind list_kind(const kind_row *kind) {
    switch (kind->field) {
        case ATTRIBUTE_INTS:
            return FIELD_INT;
        case ATTRIBUTE_FLOATS:
            return FIELD_FLOAT;
        case ATTRIBUTE_STRINGS:
            return FIELD_TEXT;
        default:
            return FIELD_UNKNOWN;
    }
}

/* ---- attributes */

/* What is referred to may be referred to again and again. Its tensors are read once. */
static wlk_status charge(reader *r, const attribute *a, const outline *o, wlk_error *error) {
    const bool tensors = a->kind->field == ATTRIBUTE_T || a->kind->field == ATTRIBUTE_TENSORS ||
                         a->kind->field == ATTRIBUTE_SPARSE;
    if (!a->again) return WLK_OK;
    if (tensors) return onnx_function_charge_fields(r, o->fields, a->message.base, error);
    return onnx_function_charge(r, &a->message, error);
}

static wlk_status read_values(reader *r, const attribute *a, const number_list *list,
                              wlk_error *error) {
    switch (a->kind->field) {
        case ATTRIBUTE_I:
            return add_value(r, onnx_proto_value_of(a->message, ATTRIBUTE_I, 0), a->message.base,
                             error);
        case ATTRIBUTE_F:
            return add_value(r, widened(onnx_proto_value_of(a->message, ATTRIBUTE_F, 0)),
                             a->message.base, error);
        case ATTRIBUTE_INTS:
        case ATTRIBUTE_FLOATS:
            return add_numbers(r, list, error);
        default:
            return add_all(r, a, error);
    }
}

static wlk_status build_values(reader *r, const attribute *a, wlk_error *error) {
    const wlk_attribute_type type = (wlk_attribute_type)a->kind->type;
    const field_kind kind = list_kind(a->kind);
    number_list list = {0};
    if (kind != FIELD_UNKNOWN) {
        TRY(onnx_numbers_find(a->message, a->kind->field, kind, &list, error));
        if (list.count >= LONG_LIST) return build_long_list(r, a, &list, error);
    }
    r->values.count = 0;
    TRY(read_values(r, a, &list, error));
    if (type < WLK_ATTR_INTS && r->values.count != 1) {
        return error_at(error, RULE_ONNX_ATTRIBUTE_TYPE, a->message.base);
    }
    (void)image_attribute(r->builder, onnx_name(r, a->name), type, r->values.items, r->values.count,
                          a->message.base);
    return onnx_built(r, error);
}

wlk_status onnx_attribute_build(reader *r, cursor message, uint32_t scope, wlk_error *error) {
    attribute a = {
        .message = message, .name = onnx_proto_bytes_of(message, ATTRIBUTE_NAME), .scope = scope};
    outline o = outline_of(message);
    bool found = true;
    if (o.reference.size > 0) TRY(follow(r, &o, &a, &found, error));
    if (!found) return WLK_OK; /* an optional one that the call does not give */
    a.kind = kind_of(&o);
    if (!a.kind) return error_at(error, RULE_ONNX_ATTRIBUTE_TYPE, a.message.base);
    if (a.kind->type == 0) return error_at(error, RULE_ONNX_ATTRIBUTE_KIND, a.message.base);
    TRY(charge(r, &a, &o, error));
    return build_values(r, &a, error);
}
