/* What is said of an estimator beside its graph: its options, never what it learned from. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "formats/sklearn/sk_internal.h"
#include "image/meta_tree.h"

#define OPTIONS "/metadata/hyperparameters"
#define SOURCE "/metadata/source"

#define PATH_BYTES 1024 /* as long as a name may be */
#define MOST_DEPTH 10   /* levels below the options; the format has 16 in all */
#define MOST_ITEMS 64   /* of a list that is kept */
#define MOST_TEXT 256   /* bytes of a text that is kept */
#define MOST_ENTRIES 4096
#define MOST_CLASSES 4096

typedef struct writer {
    sk *s;
    meta_tree *tree;
    uint32_t entries;
    size_t length;
    char path[PATH_BYTES];
} writer;

static wlk_status put_text(const writer *w, const char *path, const char *text) {
    return meta_tree_set_text(w->tree, path, text, w->s->error);
}

/* ---- options */

static bool is_plain_text(const py_text *text) {
    return text->length <= MOST_TEXT && utf8_valid(text->data, (size_t)text->length);
}

/* May this stand in the metadata, and is it worth it? */
static bool is_kept(const py_value *value) {
    switch ((int)value->kind) {
        case PY_NONE:
        case PY_BOOL:
        case PY_INT:
        case PY_GLOBAL:
            return true;
        case PY_FLOAT:
            return __builtin_isfinite(value->real);
        case PY_STR:
            return is_plain_text(&value->text);
        case PY_LIST:
        case PY_TUPLE:
            return value->items.count <= MOST_ITEMS;
        case PY_DICT:
            return value->items.count <= 2 * MOST_ITEMS;
        case PY_OBJECT:
            return sk_is_estimator(value) && sk_find(sk_class(value));
        default:
            return false;
    }
}

static wlk_status put_value(writer *w, const py_value *value, uint32_t depth);

/* Goes one level down; false where the path would be too long. */
static bool descend(writer *w, const char *key) {
    return meta_path_append(w->path, &w->length, sizeof w->path, key);
}

static void ascend(writer *w, size_t length) {
    w->length = length;
    w->path[length] = '\0';
}

static wlk_status put_scalar(writer *w, wlk_meta_type type, uint64_t bits) {
    return meta_tree_set(w->tree, w->path, type, bits, w->s->error);
}

/* (name, estimator, ...), as pipelines and unions list their parts. */
static bool is_named(const py_value *part) {
    if (part->kind != PY_TUPLE || part->items.count < 2) return false;
    const py_value *name = part->items.list[0], *held = part->items.list[1];
    return name->kind == PY_STR && name->text.length > 0 && is_plain_text(&name->text) &&
           (held->kind == PY_STR || held->kind == PY_NONE || sk_is_estimator(held));
}

static bool all_named(const py_items *items) {
    for (uint32_t i = 0; i < items->count; i++) {
        if (!is_named(items->list[i])) return false;
    }
    return items->count > 0;
}

/* One entry of a map, unless it is not kept, or there already. */
static wlk_status put_entry(writer *w, const py_text *key, const py_value *value, uint32_t depth) {
    const size_t length = w->length;
    const char *name = arena_text(w->s->memory, key->data, key->length);
    if (!name) return sk_no_memory(w->s);
    if (!is_kept(value) || depth == 0 || !descend(w, name)) return WLK_OK;
    if (!meta_tree_has(w->tree, w->path)) TRY(put_value(w, value, depth - 1));
    ascend(w, length);
    return WLK_OK;
}

/* The parts by their names. */
static wlk_status put_parts(writer *w, const py_items *items, uint32_t depth) {
    TRY(put_scalar(w, WLK_META_MAP, 0));
    for (uint32_t i = 0; i < items->count; i++) {
        py_value *const *part = items->list[i]->items.list;
        TRY(put_entry(w, &part[0]->text, part[1], depth));
    }
    return WLK_OK;
}

static wlk_status put_items(writer *w, const py_items *items, uint32_t depth) {
    uint32_t kept = 0;
    TRY(put_scalar(w, WLK_META_ARRAY, 0));
    for (uint32_t i = 0; i < items->count; i++) {
        const size_t length = w->length;
        const char *key = sk_format(w->s, "%u", kept);
        if (!key) return sk_no_memory(w->s);
        if (!is_kept(items->list[i]) || depth == 0 || !descend(w, key)) continue;
        TRY(put_value(w, items->list[i], depth - 1));
        kept += meta_tree_has(w->tree, w->path);
        ascend(w, length);
    }
    return WLK_OK;
}

/* Options have no underscore at either end. */
static bool is_option(const py_value *key) {
    const py_text *text = &key->text;
    return text->data[0] != '_' && text->data[text->length - 1] != '_';
}

/* Of an option that is there twice the latest counts. */
static wlk_status put_entries(writer *w, const py_items *items, bool options, uint32_t depth) {
    for (uint32_t i = items->count; i >= 2; i -= 2) {
        const py_value *key = items->list[i - 2];
        if (key->kind != PY_STR || key->text.length == 0 || !is_plain_text(&key->text)) continue;
        if (options && !is_option(key)) continue;
        TRY(put_entry(w, &key->text, items->list[i - 1], depth));
    }
    return WLK_OK;
}

static const py_text best_key = {(const uint8_t *)"best_estimator", 14};

/* {"class": ..., and its options}; of a search also those of the best one. */
static wlk_status put_estimator(writer *w, const py_value *estimator, uint32_t depth) {
    const size_t length = w->length;
    TRY(put_scalar(w, WLK_META_MAP, 0));
    if (descend(w, "class")) TRY(put_text(w, w->path, sk_class(estimator)));
    ascend(w, length);
    const py_value *state = estimator->object->state;
    if (!state || state->kind != PY_DICT) return WLK_OK;
    TRY(put_entries(w, &state->items, true, depth));
    const py_value *best = sk_have(estimator, "best_estimator_");
    return best ? put_entry(w, &best_key, best, depth) : WLK_OK;
}

static wlk_status put_text_value(writer *w, const py_text *text) {
    const char *copy = arena_text(w->s->memory, text->data, text->length);
    return copy ? put_text(w, w->path, copy) : sk_no_memory(w->s);
}

static wlk_status put_name(writer *w, const py_global *global) {
    const char *name = sk_format(w->s, "%.100s.%.100s", global->module, global->name);
    return name ? put_text(w, w->path, name) : sk_no_memory(w->s);
}

static wlk_status put_value(writer *w, const py_value *value, uint32_t depth) {
    uint64_t bits;
    if (++w->entries > MOST_ENTRIES) return WLK_OK;
    switch ((int)value->kind) {
        case PY_BOOL:
            return put_scalar(w, WLK_META_BOOL, value->boolean);
        case PY_INT:
            return put_scalar(w, WLK_META_INT, (uint64_t)value->integer);
        case PY_FLOAT:
            memcpy(&bits, &value->real, sizeof bits);
            return put_scalar(w, WLK_META_FLOAT, bits);
        case PY_STR:
            return put_text_value(w, &value->text);
        case PY_GLOBAL:
            return put_name(w, value->global);
        case PY_LIST:
        case PY_TUPLE:
            if (all_named(&value->items)) return put_parts(w, &value->items, depth);
            return put_items(w, &value->items, depth);
        case PY_DICT:
            TRY(put_scalar(w, WLK_META_MAP, 0));
            return put_entries(w, &value->items, false, depth);
        case PY_OBJECT:
            return put_estimator(w, value, depth);
        default: /* None */
            return put_scalar(w, WLK_META_NULL, 0);
    }
}

/* ---- names of features and classes */

static wlk_status put_texts(writer *w, const char *path, const char *const *texts, uint32_t count) {
    TRY(meta_tree_set(w->tree, path, WLK_META_ARRAY, 0, w->s->error));
    for (uint32_t i = 0; i < count; i++) {
        const char *place = sk_format(w->s, "%s/%u", path, i);
        if (!place) return sk_no_memory(w->s);
        TRY(put_text(w, place, texts[i]));
    }
    return WLK_OK;
}

/* As Python prints it: enough digits to read the same number back. */
static const char *real_text(sk *s, double real) {
    const bool small = real > -1e15 && real < 1e15;
    const bool whole = small && (double)(int64_t)real == real;
    if (whole) return sk_format(s, "%.1f", real);
    for (int digits = 1; digits < 17; digits++) {
        const char *text = sk_format(s, "%.*g", digits, real);
        if (!text || strtod(text, NULL) == real) return text;
    }
    return sk_format(s, "%.17g", real);
}

static const char *class_text(sk *s, const sk_labels *classes, uint32_t i) {
    if (classes->dtype == WLK_F64) return real_text(s, classes->reals[i]);
    if (classes->dtype == WLK_BOOL) return classes->integers[i] ? "True" : "False";
    if (classes->dtype == WLK_I64) return sk_format(s, "%lld", (long long)classes->integers[i]);
    return arena_text(s->memory, classes->texts[i].data, classes->texts[i].length);
}

static wlk_status put_classes(writer *w, const sk_labels *classes) {
    if (!classes || classes->count > MOST_CLASSES) return WLK_OK;
    const char **names = sk_take(w->s, classes->count, sizeof *names);
    if (!names) return sk_no_memory(w->s);
    for (uint32_t i = 0; i < classes->count; i++) {
        names[i] = class_text(w->s, classes, i);
        if (!names[i]) return sk_no_memory(w->s);
    }
    return put_texts(w, SOURCE "/target_names", names, classes->count);
}

/* ---- the rest */

/* The version that wrote it: a short text, or "". NULL: there is no memory. */
static const char *version_of(const writer *w, const py_value *estimator) {
    const py_value *version = sk_have(estimator, "_sklearn_version");
    if (!version || version->kind != PY_STR || !is_plain_text(&version->text)) return "";
    return arena_text(w->s->memory, version->text.data, version->text.length);
}

static wlk_status put_version(writer *w, const py_value *estimator) {
    const char *version = version_of(w, estimator);
    if (!version) return sk_no_memory(w->s);
    if (version[0] == '\0') return put_text(w, "/producer", "scikit-learn");
    const char *producer = sk_format(w->s, "scikit-learn %.128s", version);
    if (!producer) return sk_no_memory(w->s);
    TRY(put_text(w, "/metadata/libraries/scikit-learn", version));
    return put_text(w, "/producer", producer);
}

static wlk_status put_source(writer *w, const sk_summary *summary) {
    const py_global *class = summary->estimator->object->class;
    const sk_source *source = summary->source;
    const char *name = sk_format(w->s, "%.100s.%.100s", class->module, class->name);
    if (!name) return sk_no_memory(w->s);
    TRY(put_text(w, SOURCE "/format", "pickle"));
    TRY(put_text(w, SOURCE "/serializer", source->serializer));
    if (source->compression) TRY(put_text(w, SOURCE "/compression", source->compression));
    TRY(put_text(w, SOURCE "/estimator", name));
    TRY(meta_tree_set(w->tree, SOURCE "/protocol", WLK_META_INT, source->protocol, w->s->error));
    const sk_inputs *inputs = w->s->inputs;
    if (inputs->named) {
        TRY(put_texts(w, SOURCE "/feature_names", inputs->names, inputs->count));
    }
    return put_classes(w, summary->classes);
}

static wlk_status put_all(writer *w, const sk_summary *summary) {
    TRY(put_text(w, "/kind", summary->kind));
    TRY(put_version(w, summary->estimator));
    TRY(put_source(w, summary));
    memcpy(w->path, OPTIONS, sizeof OPTIONS);
    w->length = sizeof OPTIONS - 1;
    TRY(put_estimator(w, summary->estimator, MOST_DEPTH));
    return meta_tree_finish(w->tree, w->s->error);
}

wlk_status sk_metadata(sk *s, const sk_summary *summary, image_builder *builder) {
    writer w = {.s = s, .tree = meta_tree_new(builder, s->limits)};
    const wlk_status status = w.tree ? put_all(&w, summary) : sk_no_memory(s);
    meta_tree_free(w.tree);
    return status;
}
