#include <string.h>

#include "base/utf8.h"
#include "formats/sklearn/sk_internal.h"

bool sk_is_estimator(const py_value *value) {
    if (value->kind != PY_OBJECT) return false;
    const char *module = value->object->class->module;
    return strncmp(module, "sklearn.", 8) == 0;
}

/* ---- what holds what */

static const py_value *item(const py_value *list, uint32_t i) {
    const bool holds = list && (list->kind == PY_LIST || list->kind == PY_TUPLE);
    return holds && i < list->items.count ? list->items.list[i] : NULL;
}

/* Step i of a pipeline, or of a union: (name, estimator, ...). */
static const py_value *step(const py_value *list, uint32_t i) {
    return item(item(list, i), 1);
}

typedef enum holding { HOLDS_ONE, HOLDS_LIST, HOLDS_STEPS } holding;
typedef struct holder_row {
    const char *class; /* NULL: any */
    const char *key;
    holding holding;
} holder_row;

/* Where those that pass their rows on keep the estimator that gets them first. */
static const holder_row holders[] = {
    {"Pipeline", "steps", HOLDS_STEPS},
    {"FeatureUnion", "transformer_list", HOLDS_STEPS},
    {"SelectFromModel", "estimator_", HOLDS_ONE},
    {"SelectFromModel", "estimator", HOLDS_ONE},
    {NULL, "best_estimator_", HOLDS_ONE},
    {NULL, "regressor_", HOLDS_ONE},
    {NULL, "estimators_", HOLDS_LIST},
    {"FrozenEstimator", "estimator", HOLDS_ONE},
};
#define HOLDERS (sizeof holders / sizeof *holders)

/* The i-th estimator inside; NULL behind the last one. */
static const py_value *inside(const py_value *estimator, uint32_t i) {
    for (size_t k = 0; k < HOLDERS; k++) {
        const holder_row *row = &holders[k];
        if (row->class && !py_is_object(estimator, row->class)) continue;
        const py_value *held = sk_have(estimator, row->key);
        if (!held) continue;
        if (row->holding == HOLDS_STEPS) return step(held, i);
        if (row->holding == HOLDS_LIST) return i == 0 ? item(held, 0) : NULL;
        return i == 0 ? held : NULL;
    }
    return NULL;
}

/* The one that its results come from: the last of a pipeline. */
static const py_value *last_inside(const py_value *estimator) {
    const py_value *last = NULL;
    for (uint32_t i = 0;; i++) {
        const py_value *next = inside(estimator, i);
        if (!next) return last;
        last = next;
    }
}

wlk_status sk_roles(sk *s, const py_value *estimator, uint32_t *roles) {
    for (uint64_t depth = 0; depth <= s->limits->estimator_depth; depth++) {
        *roles = SK_TRANSFORMER; /* 'passthrough' */
        if (!estimator || !sk_is_estimator(estimator)) return WLK_OK;
        const sk_row *row = sk_find(sk_class(estimator));
        *roles = row ? row->roles & ~(uint32_t)SK_META : SK_TRANSFORMER;
        if (*roles != 0) return WLK_OK;
        estimator = last_inside(estimator);
    }
    return sk_refuse(s, RULE_LIMIT_ESTIMATOR_DEPTH, estimator, "%llu levels",
                     (unsigned long long)s->limits->estimator_depth);
}

/* ---- the model's columns */

typedef struct features {
    const py_value *count; /* n_features_in_ */
    const py_value *names;
    uint32_t looked_at; /* estimators */
    bool too_deep;
} features;

#define MOST_LOOKED_AT 1024

/* The outermost estimator that says how many columns it takes; of several in a row the first. */
static void find_features(const py_value *estimator, uint64_t depth, features *found) {
    found->too_deep = found->too_deep || depth == 0;
    if (depth == 0 || ++found->looked_at > MOST_LOOKED_AT) return;
    if (!found->names) found->names = sk_have(estimator, "feature_names_in_");
    if (!found->names) found->names = sk_have(estimator, "_feature_names_in");
    found->count = sk_have(estimator, "n_features_in_");
    for (uint32_t i = 0; !found->count && found->looked_at <= MOST_LOOKED_AT; i++) {
        const py_value *next = inside(estimator, i);
        if (!next) return;
        find_features(next, depth - 1, found);
    }
}

/* Transformers of a single column of targets do not count it. */
static bool takes_targets(const py_value *estimator) {
    return py_is_object(estimator, "LabelEncoder") || py_is_object(estimator, "LabelBinarizer");
}

/* Dummies look at no column; before version 1.3 they did not count them either. */
static bool takes_any(const py_value *estimator) {
    return py_is_object(estimator, "DummyClassifier") || py_is_object(estimator, "DummyRegressor");
}

static wlk_status count_columns(sk *s, const py_value *estimator, const features *found,
                                uint64_t *count) {
    if (found->count && found->count->kind == PY_INT && found->count->integer > 0) {
        *count = (uint64_t)found->count->integer;
    } else if (!found->count && (takes_targets(estimator) || takes_any(estimator))) {
        *count = 1;
        s->inputs->any = takes_any(estimator);
    } else if (found->too_deep) {
        return sk_refuse(s, RULE_LIMIT_ESTIMATOR_DEPTH, estimator, "%llu levels",
                         (unsigned long long)s->limits->estimator_depth);
    } else if (!sk_find(sk_class(estimator))) {
        return sk_refuse(s, RULE_SKLEARN_CLASS, estimator, "%.64s of %.64s", sk_class(estimator),
                         estimator->object->class->module);
    } else {
        return sk_refuse(s, RULE_SKLEARN_STATE, estimator,
                         "%.64s does not say how many columns it takes: is it fitted?",
                         sk_class(estimator));
    }
    if (*count <= s->limits->columns) return WLK_OK;
    return sk_refuse(s, RULE_LIMIT_COLUMNS, found->count, "%llu", (unsigned long long)*count);
}

static wlk_status take_name(sk *s, const sk_labels *labels, uint32_t i, const char **name) {
    const py_text *text = &labels->texts[i];
    if (text->length == 0 || text->length > s->limits->name_bytes ||
        !utf8_valid(text->data, (size_t)text->length)) {
        return sk_refuse(s, RULE_SKLEARN_COLUMN, labels->at,
                         "the name of column %u is empty, too long, or no text", i);
    }
    *name = arena_text(s->memory, text->data, text->length);
    return *name ? WLK_OK : sk_no_memory(s);
}

static wlk_status read_names(sk *s, const py_value *value, const char **names) {
    sk_labels labels;
    TRY(sk_labels_of(s, value, "feature_names_in_", false, &labels));
    if (labels.dtype != WLK_STR || labels.count != s->inputs->count) {
        return sk_refuse(s, RULE_SKLEARN_COLUMN, value, "%u names of type %s for %u columns",
                         labels.count, wlk_dtype_name(labels.dtype), s->inputs->count);
    }
    for (uint32_t i = 0; i < labels.count; i++) TRY(take_name(s, &labels, i, &names[i]));
    return WLK_OK;
}

static wlk_status make_names(sk *s, const char **names) {
    for (uint32_t i = 0; i < s->inputs->count; i++) {
        names[i] = sk_format(s, "x%u", i);
        if (!names[i]) return sk_no_memory(s);
    }
    return WLK_OK;
}

static wlk_status open_inputs(sk *s, const py_value *estimator) {
    features found = {0};
    uint64_t count = 0;
    find_features(estimator, s->limits->estimator_depth, &found);
    TRY(count_columns(s, estimator, &found, &count));
    sk_inputs *inputs = s->inputs;
    const char **names = sk_take(s, count, sizeof *names);
    inputs->use = sk_take(s, count, 1);
    inputs->empty = sk_take(s, count, 1);
    if (!names || !inputs->use || !inputs->empty) return sk_no_memory(s);
    inputs->count = (uint32_t)count;
    inputs->names = names;
    inputs->named = found.names != NULL;
    TRY(inputs->named ? read_names(s, found.names, names) : make_names(s, names));
    for (uint32_t i = 0; i < inputs->count; i++) {
        if (!name_map_set(inputs->places, names[i], i)) return sk_no_memory(s);
    }
    return WLK_OK;
}

/* ---- results */

#define MOST_FIXED 3 /* results that are not one for each of several outputs */

typedef struct results {
    sk_output *list;
    uint32_t count;
} results;

static void add_result(results *r, const char *name, sk_name value, wlk_dtype dtype,
                       uint64_t columns) {
    r->list[r->count++] = (sk_output){name, value, dtype, columns};
}

/* The labels themselves, [batch]. */
static wlk_status give_labels(sk *s, const sk_prediction *p, sk_name *out) {
    sk_name labels;
    TRY(sk_labels_constant(s, &p->classes, &labels));
    TRY(sk_binary(s, "Gather", labels, p->index, out));
    return sk_attribute_int(s, "axis", 0);
}

static wlk_status give_scores(sk *s, const sk_prediction *p, results *r) {
    sk_name scores = p->scores;
    if (!scores) return WLK_OK;
    const bool flat = p->score_columns == 1;
    if (flat) TRY(sk_reshape(s, scores, 0, &scores));
    add_result(r, "scores", scores, WLK_F64, flat ? 0 : p->score_columns);
    return WLK_OK;
}

static wlk_status one_classifier(sk *s, const sk_prediction *p, results *r) {
    sk_name label;
    TRY(give_labels(s, p, &label));
    add_result(r, "label", label, p->classes.dtype, 0);
    if (p->probabilities) {
        add_result(r, "probabilities", p->probabilities, WLK_F64, p->classes.count);
    }
    return give_scores(s, p, r);
}

/* What numpy makes of several columns of labels: texts stay alone. */
static wlk_status common_dtype(sk *s, const sk_prediction *p, wlk_dtype *dtype) {
    *dtype = p->parts[0].classes.dtype;
    for (uint32_t i = 1; i < p->part_count; i++) {
        const wlk_dtype next = p->parts[i].classes.dtype;
        if (next == *dtype) continue;
        if (next == WLK_STR || *dtype == WLK_STR) {
            return sk_refuse(s, RULE_SKLEARN_VALUE, p->parts[i].classes.at,
                             "the classes of some outputs are texts, of others numbers");
        }
        *dtype = next == WLK_F64 || *dtype == WLK_F64 ? WLK_F64 : WLK_I64;
    }
    return WLK_OK;
}

static wlk_status several_labels(sk *s, const sk_prediction *p, results *r) {
    sk_name *columns = sk_take(s, p->part_count, sizeof *columns);
    sk_name label;
    wlk_dtype dtype;
    if (!columns) return sk_no_memory(s);
    TRY(common_dtype(s, p, &dtype));
    for (uint32_t i = 0; i < p->part_count; i++) {
        TRY(give_labels(s, &p->parts[i], &label));
        if (p->parts[i].classes.dtype != dtype) TRY(sk_cast(s, label, dtype, &label));
        TRY(sk_reshape(s, label, 1, &columns[i]));
    }
    TRY(sk_concat(s, columns, p->part_count, &label));
    add_result(r, "label", label, dtype, p->part_count);
    return WLK_OK;
}

static wlk_status several_classifiers(sk *s, const sk_prediction *p, results *r) {
    TRY(several_labels(s, p, r));
    for (uint32_t i = 0; i < p->part_count; i++) {
        const sk_prediction *part = &p->parts[i];
        const char *name = sk_format(s, "probabilities_%u", i);
        if (!name) return sk_no_memory(s);
        if (!part->probabilities) continue;
        add_result(r, name, part->probabilities, WLK_F64, part->classes.count);
    }
    if (p->probabilities) {
        add_result(r, "probabilities", p->probabilities, WLK_F64, p->part_count);
    }
    return give_scores(s, p, r);
}

static wlk_status give_values(sk *s, const sk_prediction *p, results *r) {
    sk_name values = p->values;
    const bool flat = p->flat && p->targets == 1;
    if (flat) TRY(sk_reshape(s, values, 0, &values));
    add_result(r, "prediction", values, WLK_F64, flat ? 0 : p->targets);
    return WLK_OK;
}

static wlk_status give_clusters(sk *s, const sk_prediction *p, results *r) {
    sk_name label = NULL;
    TRY(give_labels(s, p, &label));
    add_result(r, "label", label, p->classes.dtype, 0);
    if (p->values) add_result(r, "distances", p->values, WLK_F64, p->targets);
    return give_scores(s, p, r);
}

static wlk_status give_prediction(sk *s, const sk_prediction *p, uint32_t roles, results *r) {
    r->list = sk_take(s, (uint64_t)p->part_count + MOST_FIXED, sizeof *r->list);
    if (!r->list) return sk_no_memory(s);
    if (roles & SK_CLASSIFIER) {
        return p->part_count > 0 ? several_classifiers(s, p, r) : one_classifier(s, p, r);
    }
    if (roles & SK_REGRESSOR) return give_values(s, p, r);
    return give_clusters(s, p, r);
}

/* Texts of all columns, when the first one is text. */
static wlk_status table_texts(sk *s, const sk_table *table, sk_name *out) {
    sk_name *parts = sk_take(s, table->columns, sizeof *parts);
    if (!parts) return sk_no_memory(s);
    for (uint32_t i = 0; i < table->columns; i++) TRY(sk_table_texts(s, table, i, &parts[i]));
    return sk_concat(s, parts, table->columns, out);
}

static wlk_status give_table(sk *s, const py_value *estimator, const sk_table *table, results *r) {
    sk_name value;
    if (table->columns == 0) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, estimator, "%.64s gives no columns",
                         sk_class(estimator));
    }
    r->list = sk_take(s, 1, sizeof *r->list);
    if (!r->list) return sk_no_memory(s);
    const bool texts = sk_table_dtype(s, table, 0) == WLK_STR;
    TRY(texts ? table_texts(s, table, &value) : sk_table_numbers(s, table, &value));
    add_result(r, "transformed", value, texts ? WLK_STR : WLK_F64, table->columns);
    return WLK_OK;
}

/* ---- the whole */

static const char *kind_of(uint32_t roles) {
    if (roles & SK_CLASSIFIER) return "classifier";
    if (roles & SK_REGRESSOR) return "regressor";
    if (roles & SK_CLUSTERER) return "clusterer";
    return roles & SK_OUTLIERS ? "outlier-detector" : "transformer";
}

static wlk_status build(sk *s, const py_value *estimator, const sk_source *source,
                        image_builder *builder) {
    sk_table in, table;
    sk_prediction prediction = {0};
    results r = {0};
    uint32_t roles;
    if (!s->graph->shared || !s->inputs->places) return sk_no_memory(s);
    TRY(open_inputs(s, estimator));
    TRY(sk_table_inputs(s, &in));
    TRY(sk_roles(s, estimator, &roles));
    if (roles & ~(uint32_t)SK_TRANSFORMER) {
        TRY(sk_apply_predict(s, estimator, &in, &prediction));
        TRY(give_prediction(s, &prediction, roles, &r));
    } else {
        TRY(sk_apply_transform(s, estimator, &in, &table));
        TRY(give_table(s, estimator, &table, &r));
    }
    TRY(sk_emit(s, r.list, r.count, builder));
    const bool classes = prediction.classes.count > 0 && prediction.part_count == 0;
    const sk_summary summary = {estimator, source, kind_of(roles),
                                classes ? &prediction.classes : NULL};
    return sk_metadata(s, &summary, builder);
}

wlk_status sk_build(pickle *p, const py_value *estimator, const sk_source *source,
                    image_builder *builder, wlk_error *error) {
    sk_graph graph = {.shared = name_map_new()};
    sk_inputs inputs = {.places = name_map_new()};
    sk s = {.pickle = p,
            .memory = &p->memory,
            .limits = p->limits,
            .error = error,
            .graph = &graph,
            .inputs = &inputs};
    wlk_status status = build(&s, estimator, source, builder);
    if (status == WLK_OK && s.starved) status = sk_no_memory(&s);
    name_map_free(graph.shared);
    name_map_free(inputs.places);
    return status;
}
