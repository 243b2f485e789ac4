/* ai.onnx.ml Imputer, Binarizer, ArrayFeatureExtractor, FeatureVectorizer. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "infer/number_block.h"
#include "infer/ops.h"
#include "infer/shape.h"
#include "infer/units.h"

#define FEATURE_DTYPES (DTYPES_FLOAT | DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32))

/* ---- Imputer: one value, or not-a-number, is replaced along the last axis */

enum { IMPUTER_FLOATS, IMPUTER_INTS, IMPUTER_OLD_FLOAT, IMPUTER_OLD_INT };

static wlk_status imputer_attributes_fit(const op_call *call, bool is_float) {
    const uint32_t unused[2] = {is_float ? IMPUTER_INTS : IMPUTER_FLOATS,
                                is_float ? IMPUTER_OLD_INT : IMPUTER_OLD_FLOAT};
    for (uint32_t i = 0; i < 2; i++) {
        const attribute_value value = op_attribute(call, unused[i]);
        if (!value.given || (i == 0 && value.count == 0)) continue;
        return op_fail(call, RULE_PLAN_ATTRIBUTE, "attribute '%s' is not for an input of %s",
                       call->node->row->attributes[unused[i]].name,
                       wlk_dtype_name(op_input(call, 0)->dtype));
    }
    return WLK_OK;
}

static attribute_value imputed(const op_call *call) {
    const bool is_float = number_is_float(op_input(call, 0)->dtype);
    return op_attribute(call, is_float ? IMPUTER_FLOATS : IMPUTER_INTS);
}

static wlk_status imputed_fit(const op_call *call, attribute_value values) {
    const op_tensor *in = op_input(call, 0);
    const int64_t columns = in->rank == WLK_NONE ? WLK_UNKNOWN_DIM : in->dims[in->rank - 1];
    for (uint32_t i = 0; in->dtype == WLK_I32 && i < values.count; i++) {
        if (values.ints[i] >= INT32_MIN && values.ints[i] <= INT32_MAX) continue;
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%" PRId64 " is no i32", values.ints[i]);
    }
    if (values.count == 0) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE, "there are no values to impute");
    }
    if (values.count == 1 || dim_agrees(columns, values.count)) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "%u values for %" PRId64 " columns", values.count,
                   columns);
}

static wlk_status imputer_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    TRY(imputer_attributes_fit(call, number_is_float(in->dtype)));
    TRY(imputed_fit(call, imputed(call)));
    return op_infer_same(call);
}

#define IMPUTE_ROWS(type, is_old, new_value)                  \
    do {                                                      \
        const type *from = in->data;                          \
        type *to = op_output(call, 0)->target;                \
        for (uint64_t i = 0; i < in->count; i += columns) {   \
            for (uint64_t j = 0; j < columns; j++) {          \
                const type x = from[i + j];                   \
                to[i + j] = (is_old) ? (type)(new_value) : x; \
            }                                                 \
        }                                                     \
    } while (0)

static wlk_status imputer_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const attribute_value values = imputed(call);
    const uint64_t columns = (uint64_t)in->dims[in->rank - 1];
    const uint64_t step = values.count > 1;
    const double old = op_attribute(call, IMPUTER_OLD_FLOAT).f;
    const float old_float = (float)old; /* which the attribute is */
    const bool nan = isnan(old);
    const int64_t old_int = op_attribute(call, IMPUTER_OLD_INT).i;
    if (in->dtype == WLK_F32) {
        IMPUTE_ROWS(float, x == old_float || (nan && x != x), values.floats[j * step]);
    } else if (in->dtype == WLK_F64) {
        IMPUTE_ROWS(double, x == old || (nan && x != x), values.floats[j * step]);
    } else if (in->dtype == WLK_I64) {
        IMPUTE_ROWS(int64_t, x == old_int, values.ints[j * step]);
    } else {
        IMPUTE_ROWS(int32_t, x == old_int, values.ints[j * step]);
    }
    return WLK_OK;
}

/* ---- Binarizer: 1 above the threshold, else 0 (also for what is not a number) */

enum { BINARIZER_THRESHOLD };

/* The largest integer that is not above the threshold; *always: all are above. */
static int64_t whole_threshold(double threshold, bool *always) {
    const double limit = 9223372036854775808.0;
    *always = threshold < -limit;
    return isnan(threshold) ? INT64_MAX : saturate_i64(floor(threshold));
}

#define BINARIZE(type, above)                      \
    do {                                           \
        const type *from = in->data;               \
        type *to = op_output(call, 0)->target;     \
        for (uint64_t i = 0; i < in->count; i++) { \
            const type x = from[i];                \
            to[i] = (above) ? 1 : 0;               \
        }                                          \
    } while (0)

static wlk_status binarizer_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const double threshold = op_attribute(call, BINARIZER_THRESHOLD).f;
    bool always = false;
    const int64_t whole = whole_threshold(threshold, &always);
    if (in->dtype == WLK_F32) {
        const float narrow = (float)threshold; /* which the attribute is */
        BINARIZE(float, x > narrow);
    } else if (in->dtype == WLK_F64) {
        BINARIZE(double, x > threshold);
    } else if (in->dtype == WLK_I64) {
        BINARIZE(int64_t, always || x > whole);
    } else {
        BINARIZE(int32_t, always || x > whole);
    }
    return WLK_OK;
}

/* ---- ArrayFeatureExtractor: columns of the last axis; a vector is one row */

static wlk_status extractor_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    int64_t dims[WLK_MAX_RANK];
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    if (in->rank == WLK_NONE) {
        op_set_output(call, 0, in->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    const uint32_t rank = in->rank == 1 ? 2 : in->rank;
    dims[0] = 1;
    if (in->rank > 1) memcpy(dims, in->dims, (in->rank - 1) * sizeof *dims);
    dims[rank - 1] =
        tensor_is_known(indices) ? dim_product(indices->dims, 0, indices->rank) : WLK_UNKNOWN_DIM;
    op_set_output(call, 0, in->dtype, rank, dims);
    units_set_text(call, 0, 0, call->binding ? indices->count : 1);
    TRY(units_need_input(call, 0));
    return units_need_output(call, 0);
}

static wlk_status check_columns(const op_call *call, const op_tensor *indices, int64_t columns) {
    for (uint64_t i = 0; i < indices->count; i++) {
        const int64_t at = op_int(indices, i);
        if (at >= 0 && at < columns) continue;
        return op_fail(call, RULE_RUN_INDEX, "column %" PRId64 " of %" PRId64, at, columns);
    }
    return WLK_OK;
}

/* Rows of elements of one size, picked. */
#define EXTRACT(size)                                                          \
    do {                                                                       \
        for (uint64_t r = 0; r < rows; r++) {                                  \
            for (uint64_t i = 0; i < count; i++) {                             \
                memcpy(to + (r * count + i) * (size),                          \
                       from + (r * columns + (uint64_t)at[i]) * (size), size); \
            }                                                                  \
        }                                                                      \
    } while (0)

static wlk_status extractor_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    op_tensor *out = op_output(call, 0);
    const uint64_t columns = (uint64_t)in->dims[in->rank - 1];
    const uint64_t count = indices->count;
    const int64_t *at = indices->data;
    TRY(check_columns(call, indices, (int64_t)columns));
    units u = units_begin(call, out->dtype);
    const char *from = units_read(&u, in);
    char *to = units_write(&u, out);
    const uint64_t rows = out->count > 0 ? out->count / count : 0;
    if (u.size == 4) EXTRACT(4);
    if (u.size == 8) EXTRACT(8);
    if (u.size == 16) EXTRACT(16);
    units_end(&u, out, to);
    return WLK_OK;
}

/* ---- FeatureVectorizer: columns side by side. Of an input with more columns than are
 * said the first are taken, one with fewer gets zeros. */

enum { VECTORIZER_SIZES };

static int64_t feature_columns(const op_call *call, uint32_t i) {
    const attribute_value sizes = op_attribute(call, VECTORIZER_SIZES);
    if (sizes.given) return sizes.ints[i];
    const op_tensor *in = op_input(call, i);
    if (in->rank == WLK_NONE) return WLK_UNKNOWN_DIM;
    return in->dims[in->rank - 1];
}

static wlk_status vectorizer_columns(const op_call *call, int64_t *columns) {
    const attribute_value sizes = op_attribute(call, VECTORIZER_SIZES);
    bool unknown = false;
    uint64_t total = 0;
    if (sizes.given && sizes.count != call->node->inputs) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%u sizes for %u inputs", sizes.count,
                       call->node->inputs);
    }
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        const int64_t each = feature_columns(call, i);
        unknown = unknown || each == WLK_UNKNOWN_DIM;
        if (sizes.given && each < 0) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "size %" PRId64, each);
        }
        if (unknown) continue;
        if (__builtin_add_overflow(total, (uint64_t)each, &total) || total > INT64_MAX) {
            return op_fail(call, op_shape_rule(call), "too many columns");
        }
    }
    *columns = unknown ? WLK_UNKNOWN_DIM : (int64_t)total;
    return WLK_OK;
}

static wlk_status vectorizer_infer(op_call *call) {
    int64_t dims[2] = {WLK_UNKNOWN_DIM, WLK_UNKNOWN_DIM};
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        const op_tensor *in = op_input(call, i);
        TRY(shape_need_rank(call, i, 1, 2));
        const int64_t rows = in->rank == WLK_NONE ? WLK_UNKNOWN_DIM
                             : in->rank == 1      ? 1
                                                  : in->dims[0];
        if (!dim_agrees(dims[0], rows)) return shape_mismatch(call, 0, i);
        dims[0] = dim_known(dims[0], rows);
    }
    TRY(vectorizer_columns(call, &dims[1]));
    op_set_output(call, 0, WLK_F32, 2, dims);
    return WLK_OK;
}

/* to[0..count) = elements of a row as float32. */
static void convert(const op_tensor *in, uint64_t from, uint64_t count, float *to) {
    const number_storer store = number_store(WLK_F32);
    for (uint64_t done = 0; done < count; done += NUMBER_BLOCK) {
        number_block block;
        const uint64_t left = count - done < NUMBER_BLOCK ? count - done : NUMBER_BLOCK;
        number_block_load(in->dtype, in->data, from + done, left, &block);
        number_block_store(WLK_F32, to + done, 0, left, &block, store);
    }
}

static void place_feature(const op_tensor *in, float *to, uint64_t rows, uint64_t width,
                          uint64_t wanted) {
    const uint64_t columns = (uint64_t)in->dims[in->rank - 1];
    const uint64_t taken = columns < wanted ? columns : wanted;
    for (uint64_t r = 0; r < rows; r++) {
        if (in->dtype == WLK_F32 && taken > 0) {
            memcpy(to + r * width, (const float *)in->data + r * columns, taken * sizeof *to);
        } else {
            convert(in, r * columns, taken, to + r * width);
        }
        if (wanted > taken) memset(to + r * width + taken, 0, (wanted - taken) * sizeof *to);
    }
}

static wlk_status vectorizer_kernel(const op_call *call) {
    const op_tensor *out = op_output(call, 0);
    const uint64_t width = (uint64_t)out->dims[1];
    uint64_t column = 0;
    if (out->count == 0) return WLK_OK;
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        const uint64_t wanted = (uint64_t)feature_columns(call, i);
        place_feature(op_input(call, i), (float *)out->target + column, (uint64_t)out->dims[0],
                      width, wanted);
        column += wanted;
    }
    return WLK_OK;
}

/* ---- rows */

static const attribute_row imputer_attributes[] = {
    [IMPUTER_FLOATS] = {.name = "imputed_value_floats", .type = WLK_ATTR_FLOATS},
    [IMPUTER_INTS] = {.name = "imputed_value_int64s", .type = WLK_ATTR_INTS},
    [IMPUTER_OLD_FLOAT] = {.name = "replaced_value_float", .type = WLK_ATTR_FLOAT},
    [IMPUTER_OLD_INT] = {.name = "replaced_value_int64", .type = WLK_ATTR_INT},
};
static const attribute_row binarizer_attributes[] = {
    [BINARIZER_THRESHOLD] = {.name = "threshold", .type = WLK_ATTR_FLOAT},
};
static const attribute_row vectorizer_attributes[] = {
    [VECTORIZER_SIZES] = {.name = "inputdimensions", .type = WLK_ATTR_INTS},
};

static const op_port feature_port[] = {{"X", FEATURE_DTYPES, 0}};
static const op_port extractor_ports[] = {{"X", FEATURE_DTYPES | DTYPE_BIT(WLK_STR), 0},
                                          {"Y", DTYPE_BIT(WLK_I64), 0}};

#define ROW(op_name, least, most, op_ports, known_attributes, known_count, op_shape, op_run) \
    {                                                                                        \
        .domain = "ai.onnx.ml", .name = op_name, .since = 1, .min_inputs = least,            \
        .max_inputs = most, .min_outputs = 1, .max_outputs = 1, .ports = op_ports,           \
        .attributes = known_attributes, .attribute_count = known_count, .infer = op_shape,   \
        .kernel = op_run                                                                     \
    }

static const op_row rows[] = {
    ROW("Imputer", 1, 1, feature_port, imputer_attributes, 4, imputer_infer, imputer_kernel),
    ROW("Binarizer", 1, 1, feature_port, binarizer_attributes, 1, op_infer_same, binarizer_kernel),
    ROW("ArrayFeatureExtractor", 2, 2, extractor_ports, NULL, 0, extractor_infer, extractor_kernel),
    ROW("FeatureVectorizer", 1, OP_MANY, feature_port, vectorizer_attributes, 1, vectorizer_infer,
        vectorizer_kernel),
};

const op_family ops_ml_features = {rows, sizeof rows / sizeof *rows};
