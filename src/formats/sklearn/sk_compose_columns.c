/* ColumnTransformer and FeatureUnion: transformers side by side. */
#include "formats/sklearn/sk_compose.h"

/* ---- which columns */

static wlk_status refuse_column(sk *s, const py_value *column) {
    return sk_refuse(s, RULE_SKLEARN_COLUMN, column, "there is no column %s", sk_quote(s, column));
}

/* One column by its name or its number, which counts from the end if it is negative. */
static wlk_status find_column(sk *s, const py_value *column, const sk_table *in, uint32_t *place) {
    *place = WLK_NONE;
    if (column->kind == PY_STR) {
        *place = sk_table_find(s, in, &column->text);
    } else if (column->kind == PY_INT) {
        const int64_t index = column->integer + (column->integer < 0 ? (int64_t)in->columns : 0);
        if (index >= 0 && index < (int64_t)in->columns) *place = (uint32_t)index;
    }
    return *place == WLK_NONE ? refuse_column(s, column) : WLK_OK;
}

/* step: 1 or more. */
static wlk_status take_range(sk *s, int64_t from, int64_t to, int64_t step, sk_indices *out) {
    const uint32_t count = to > from ? (uint32_t)((to - from + step - 1) / step) : 0;
    uint32_t *list = sk_take(s, count, sizeof *list);
    if (!list) return sk_no_memory(s);
    for (uint32_t i = 0; i < count; i++) list[i] = (uint32_t)(from + (int64_t)i * step);
    *out = (sk_indices){list, count};
    return WLK_OK;
}

/* An end of a slice of numbers, as Python cuts it; a name's own column, the last one counts. */
static wlk_status slice_end(sk *s, const py_value *end, const sk_table *in, bool stop,
                            int64_t *place) {
    const int64_t count = in->columns;
    uint32_t found;
    if (end->kind == PY_NONE) {
        *place = stop ? count : 0;
    } else if (end->kind == PY_INT) {
        const int64_t from_start = end->integer < 0 ? end->integer + count : end->integer;
        *place = from_start < 0 ? 0 : from_start > count ? count : from_start;
    } else {
        TRY(find_column(s, end, in, &found));
        *place = (int64_t)found + (stop ? 1 : 0);
    }
    return WLK_OK;
}

static wlk_status take_slice(sk *s, const py_value *slice, const sk_table *in, sk_indices *out) {
    const py_value *arguments = slice->object->arguments;
    int64_t from = 0, to = 0;
    if (!arguments || arguments->items.count != 3) {
        return sk_refuse(s, RULE_SKLEARN_STATE, slice, "a slice has three arguments");
    }
    py_value *const *list = arguments->items.list;
    const bool whole = list[2]->kind == PY_NONE;
    if (!whole &&
        (list[2]->kind != PY_INT || list[2]->integer < 1 || list[2]->integer > UINT32_MAX)) {
        return sk_refuse(s, RULE_SKLEARN_COLUMN, list[2], "columns are a slice in steps of %s",
                         sk_quote(s, list[2]));
    }
    TRY(slice_end(s, list[0], in, false, &from));
    TRY(slice_end(s, list[1], in, true, &to));
    return take_range(s, from, to, whole ? 1 : list[2]->integer, out);
}

static wlk_status take_list(sk *s, const py_value *columns, const sk_table *in, sk_indices *out) {
    py_value *const *items = NULL;
    uint32_t count = 0;
    TRY(sk_list_of(s, columns, "columns", &items, &count));
    const bool mask = count > 0 && items[0]->kind == PY_BOOL;
    if (mask) return sk_indices_of(s, columns, "columns", in->columns, out);
    uint32_t *list = sk_take(s, count, sizeof *list);
    if (!list) return sk_no_memory(s);
    for (uint32_t i = 0; i < count; i++) TRY(find_column(s, items[i], in, &list[i]));
    *out = (sk_indices){list, count};
    return WLK_OK;
}

/* An array of names of fixed length. */
static wlk_status take_names(sk *s, const py_value *columns, const sk_table *in, sk_indices *out) {
    sk_labels names;
    TRY(sk_labels_of(s, columns, "columns", false, &names));
    uint32_t *list = sk_take(s, names.count, sizeof *list);
    if (!list) return sk_no_memory(s);
    for (uint32_t i = 0; i < names.count; i++) {
        list[i] = sk_table_find(s, in, &names.texts[i]);
        if (list[i] == WLK_NONE) return refuse_column(s, columns);
    }
    *out = (sk_indices){list, names.count};
    return WLK_OK;
}

/* An array of numbers, also negative ones. */
static wlk_status take_numbers(sk *s, const py_value *columns, const sk_table *in,
                               sk_indices *out) {
    sk_array numbers;
    TRY(sk_reals_of(s, columns, "columns", &numbers));
    uint32_t *list = sk_take(s, numbers.count, sizeof *list);
    if (!list) return sk_no_memory(s);
    for (uint64_t i = 0; i < numbers.count; i++) {
        const double x = numbers.data[i] + (numbers.data[i] < 0 ? in->columns : 0);
        if (!(x >= 0 && x < in->columns)) return refuse_column(s, columns);
        list[i] = (uint32_t)x;
    }
    *out = (sk_indices){list, (uint32_t)numbers.count};
    return WLK_OK;
}

/* The array in the state of pandas' own array of texts, whose other parts are types. */
static const py_value *array_of(const py_value *texts) {
    const py_value *state = texts->object->state;
    for (uint32_t i = 0; state && state->kind == PY_TUPLE && i < state->items.count; i++) {
        if (state->items.list[i]->kind == PY_ARRAY) return state->items.list[i];
    }
    return texts;
}

/* Columns of a data frame are a pandas.Index, _new_Index(Index, {"data": names, ...}): its array.
 */
static const py_value *without_index(const py_value *columns) {
    const py_value *arguments = NULL, *data = NULL;
    if (py_is_object(columns, "_new_Index")) arguments = columns->object->arguments;
    if (arguments && arguments->items.count == 2) data = py_get(arguments->items.list[1], "data");
    if (py_is_object(data, "__pyx_unpickle_NDArrayBacked")) return array_of(data);
    return data ? data : columns;
}

wlk_status sk_chosen_columns(sk *s, const py_value *columns, const sk_table *in, sk_indices *out) {
    columns = without_index(columns);
    if (py_is_object(columns, "slice")) return take_slice(s, columns, in, out);
    if (py_is_object(columns, "_RemainderColsList")) {
        const py_value *data = NULL;
        TRY(sk_need(s, columns, "data", &data));
        return take_list(s, data, in, out);
    }
    if (columns->kind == PY_STR || columns->kind == PY_INT) {
        uint32_t *place = sk_take(s, 1, sizeof *place);
        if (!place) return sk_no_memory(s);
        *out = (sk_indices){place, 1};
        return find_column(s, columns, in, place);
    }
    if (columns->kind != PY_ARRAY) return take_list(s, columns, in, out);
    const char kind = columns->array->dtype->kind;
    if (kind == 'O') return take_list(s, columns, in, out);
    if (kind == 'U' || kind == 'S') return take_names(s, columns, in, out);
    if (kind == 'b') return sk_indices_of(s, columns, "columns", in->columns, out);
    if (kind != 'i' && kind != 'u') return refuse_column(s, columns);
    return take_numbers(s, columns, in, out);
}

static bool is_name(const py_value *value) {
    return value->kind == PY_STR;
}

/* Were the columns asked for by their names? */
static bool by_names(const py_value *columns) {
    columns = without_index(columns);
    const py_value *data = py_get(columns, "data"); /* of a _RemainderColsList */
    if (columns->kind == PY_OBJECT && columns->object->arguments) {
        const py_items *ends = &columns->object->arguments->items; /* of a slice */
        for (uint32_t i = 0; i < ends->count; i++) {
            if (is_name(ends->list[i])) return true;
        }
    }
    if (data) columns = data;
    if (columns->kind == PY_LIST || columns->kind == PY_TUPLE) {
        return columns->items.count > 0 && is_name(columns->items.list[0]);
    }
    if (columns->kind != PY_ARRAY) return is_name(columns);
    const py_array *array = columns->array;
    if (array->dtype->kind == 'O') return array->count > 0 && is_name(array->objects[0]);
    return array->dtype->kind == 'U' || array->dtype->kind == 'S';
}

static bool same_indices(const sk_indices *a, const sk_indices *b) {
    bool same = a->count == b->count;
    for (uint32_t i = 0; same && i < a->count; i++) same = a->list[i] == b->list[i];
    return same;
}

/* Since 1.0 the numbers of the columns are kept beside how they were asked for, which may
 * have been by names that are not known any more here. Versions differ in which of the two
 * they go by. */
static wlk_status columns_of(sk *s, const py_value *estimator, const sk_part *part,
                             const sk_table *in, sk_indices *out) {
    const py_value *known = sk_have(estimator, "_transformer_to_input_indices");
    const py_text *name = &part->name->text;
    const char *key = arena_text(s->memory, name->data, name->length);
    if (!key) return sk_no_memory(s);
    const py_value *list = known ? sk_have(known, key) : NULL;
    if (!list) return sk_chosen_columns(s, part->columns, in, out);
    TRY(sk_indices_of(s, list, "_transformer_to_input_indices", in->columns, out));
    if (by_names(part->columns)) return WLK_OK;
    sk_indices asked = {0};
    TRY(sk_chosen_columns(s, part->columns, in, &asked));
    if (same_indices(&asked, out)) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_COLUMN, part->columns,
                     "the columns of %s are others than in _transformer_to_input_indices",
                     sk_quote(s, part->name));
}

/* ---- what a part gives */

/* What transformer_weights says of it multiplies its columns. */
static wlk_status weigh(sk *s, const py_value *estimator, const sk_part *part, sk_table *table) {
    const py_value *weights = sk_have(estimator, "transformer_weights");
    const py_text *name = &part->name->text;
    const char *key = arena_text(s->memory, name->data, name->length);
    sk_name x, by;
    double weight = 1;
    if (!key) return sk_no_memory(s);
    if (!weights || !sk_have(weights, key) || table->columns == 0) return WLK_OK;
    TRY(sk_number(s, weights, key, &weight));
    TRY(sk_f64(s, weight, &by));
    TRY(sk_table_numbers(s, table, &x));
    TRY(sk_binary(s, "Mul", x, by, &x));
    return sk_table_of(s, x, WLK_F64, table->columns, table);
}

static wlk_status apply_part(sk *s, const py_value *estimator, const sk_part *part,
                             const sk_table *in, sk_table *out) {
    *out = *in;
    if (!sk_part_is(part, "passthrough")) {
        TRY(sk_enter(s, part->estimator, "transformer %s", sk_quote(s, part->name)));
        TRY(sk_apply_transform(s, part->estimator, in, out));
        sk_leave(s);
    }
    return weigh(s, estimator, part, out);
}

wlk_status sk_column_transformer(sk *s, const py_value *estimator, const sk_table *in,
                                 sk_table *out) {
    sk_part *parts = NULL;
    uint32_t count = 0, given = 0;
    TRY(sk_parts_of(s, estimator, "transformers_", 3, &parts, &count));
    sk_table *tables = sk_take(s, count, sizeof *tables);
    if (!tables) return sk_no_memory(s);
    for (uint32_t i = 0; i < count; i++) {
        sk_indices columns = {0};
        sk_table picked;
        if (sk_part_is(&parts[i], "drop")) continue;
        TRY(columns_of(s, estimator, &parts[i], in, &columns));
        if (columns.count == 0) continue;
        TRY(sk_table_pick(s, in, columns.list, columns.count, &picked));
        TRY(apply_part(s, estimator, &parts[i], &picked, &tables[given++]));
    }
    return sk_table_join(s, tables, given, out);
}

wlk_status sk_feature_union(sk *s, const py_value *estimator, const sk_table *in, sk_table *out) {
    sk_part *parts = NULL;
    uint32_t count = 0, given = 0;
    TRY(sk_parts_of(s, estimator, "transformer_list", 2, &parts, &count));
    sk_table *tables = sk_take(s, count, sizeof *tables);
    if (!tables) return sk_no_memory(s);
    for (uint32_t i = 0; i < count; i++) {
        if (sk_part_is(&parts[i], "drop")) continue;
        TRY(apply_part(s, estimator, &parts[i], in, &tables[given++]));
    }
    return sk_table_join(s, tables, given, out);
}
