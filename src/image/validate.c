#include "image/validate.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "image/checks.h"
#include "image/validate_internal.h"

wlk_status validation_fail(const validation *v, wlk_rule rule, wlk_section section,
                           uint64_t index) {
    return error_at(v->error, rule, v->offsets[section] + index * image_record_bytes[section]);
}

static wlk_status use_string(validation *v, uint64_t string, uint64_t longest, wlk_rule too_long,
                             wlk_section section, uint64_t index) {
    if (string >= v->counts[WLK_SECTION_STRINGS]) {
        return validation_fail(v, RULE_IMAGE_REFERENCE, section, index);
    }
    if (v->view.strings[string].length > longest) {
        return validation_fail(v, too_long, section, index);
    }
    v->string_used[string] = 1;
    return WLK_OK;
}

wlk_status validation_name(validation *v, uint32_t string, wlk_section section, uint64_t index) {
    return use_string(v, string, v->limits->name_bytes, RULE_LIMIT_NAME_BYTES, section, index);
}

wlk_status validation_text(validation *v, uint64_t string, wlk_section section, uint64_t index) {
    return use_string(v, string, v->limits->string_bytes, RULE_LIMIT_STRING_BYTES, section, index);
}

wlk_status validation_claim(validation *v, uint32_t string, uint32_t edge, wlk_section section,
                            uint64_t index) {
    TRY(validation_name(v, string, section, index));
    if (string == 0 || v->names[string] != IMAGE_NONE) {
        return validation_fail(v, RULE_IMAGE_NAME, section, index);
    }
    v->names[string] = edge;
    return WLK_OK;
}

/* ---- the buffer as a whole */

static wlk_status check_padding(const validation *v) {
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) {
        const uint64_t end = v->offsets[i] + (uint64_t)v->counts[i] * image_record_bytes[i];
        const uint64_t next = i + 1 < WLK_SECTION_COUNT ? v->offsets[i + 1] : v->length;
        const uint64_t zeros = zeros_before(v->image + end, next - end);
        if (zeros < next - end) return error_at(v->error, RULE_IMAGE_PADDING, end + zeros);
    }
    return WLK_OK;
}

static wlk_status check_counts(const validation *v) {
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) {
        const wlk_rule rule = image_count_limit(v->limits, (wlk_section)i, v->counts[i]);
        if (rule != RULE_NONE) return error_at(v->error, rule, WLK_NO_OFFSET);
    }
    return WLK_OK;
}

static wlk_status check_layout(validation *v) {
    uint64_t total;
    if (v->length > v->limits->image_bytes) {
        return error_at(v->error, RULE_LIMIT_IMAGE_BYTES, WLK_NO_OFFSET);
    }
    if (!v->image || v->length < sizeof(image_header)) {
        return error_at(v->error, RULE_IMAGE_LENGTH, 0);
    }
    const image_header *header = (const image_header *)v->image;
    if (header->magic != IMAGE_MAGIC || header->version != IMAGE_VERSION ||
        header->format >= WLK_FORMAT_COUNT || header->file_bytes != v->file_bytes) {
        return error_at(v->error, RULE_IMAGE_HEADER, 0);
    }
    v->counts = header->counts;
    if (!image_layout(v->counts, v->offsets, &total) || total != v->length) {
        return error_at(v->error, RULE_IMAGE_LENGTH, 0);
    }
    TRY(check_counts(v));
    v->view = image_view_of(v->image, v->offsets);
    return check_padding(v);
}

/* ---- strings */

static int compare_strings(const image_view *view, uint32_t a, uint32_t b) {
    const string_record *first = &view->strings[a];
    const string_record *second = &view->strings[b];
    const uint32_t shorter = first->length < second->length ? first->length : second->length;
    const int order = memcmp(view->text + first->offset, view->text + second->offset, shorter);
    if (order != 0) return order;
    return (first->length > second->length) - (first->length < second->length);
}

/* Does string i begin at `at`, fit, end with a NUL, and hold UTF-8? */
static bool string_valid(const validation *v, uint32_t i, uint64_t at) {
    const string_record *record = &v->view.strings[i];
    const uint64_t text_bytes = v->counts[WLK_SECTION_TEXT];
    if (record->offset != at || !range_within(at, (uint64_t)record->length + 1, text_bytes)) {
        return false;
    }
    const char *text = v->view.text + record->offset;
    return text[record->length] == 0 && utf8_valid((const uint8_t *)text, record->length);
}

static wlk_status validate_strings(validation *v) {
    const uint32_t count = v->counts[WLK_SECTION_STRINGS];
    uint64_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!string_valid(v, i, at)) {
            return validation_fail(v, RULE_IMAGE_STRING, WLK_SECTION_STRINGS, i);
        }
        if (i > 0 && compare_strings(&v->view, i - 1, i) >= 0) {
            return validation_fail(v, RULE_IMAGE_STRING_ORDER, WLK_SECTION_STRINGS, i);
        }
        at += (uint64_t)v->view.strings[i].length + 1;
    }
    if (count == 0 || v->view.strings[0].length != 0 || at != v->counts[WLK_SECTION_TEXT]) {
        return validation_fail(v, RULE_IMAGE_STRING, WLK_SECTION_STRINGS, 0);
    }
    return WLK_OK;
}

/* Comes last: nothing may hide in the image that no record refers to. */
static wlk_status validate_strings_used(validation *v) {
    for (uint32_t i = 1; i < v->counts[WLK_SECTION_STRINGS]; i++) {
        if (!v->string_used[i]) {
            return validation_fail(v, RULE_IMAGE_STRING_UNUSED, WLK_SECTION_STRINGS, i);
        }
    }
    return WLK_OK;
}

/* ---- tables */

#define ZEROS 0
#define NONES 0xff /* every entry IMAGE_NONE */

static void *table_new(uint64_t count, uint64_t size, int fill) {
    void *table = mem_zeroed(count, size);
    if (table && fill != ZEROS) memset(table, fill, count * size);
    return table;
}

/* Each table is smaller than the section it describes, so the memory is bounded
 * by the image's own length. */
static wlk_status tables_new(validation *v) {
    const uint32_t *n = v->counts;
    v->string_used = table_new(n[WLK_SECTION_STRINGS], sizeof *v->string_used, ZEROS);
    v->domain_covered = table_new(n[WLK_SECTION_STRINGS], sizeof *v->domain_covered, ZEROS);
    v->names = table_new(n[WLK_SECTION_STRINGS], sizeof *v->names, NONES);
    v->paths = table_new(n[WLK_SECTION_STRINGS], sizeof *v->paths, NONES);
    v->tensor_held = table_new(n[WLK_SECTION_TENSORS], sizeof *v->tensor_held, ZEROS);
    v->type_depths = table_new(n[WLK_SECTION_TYPES], sizeof *v->type_depths, ZEROS);
    v->definitions = table_new(n[WLK_SECTION_VALUES], sizeof *v->definitions, NONES);
    v->holders = table_new(n[WLK_SECTION_GRAPHS], sizeof *v->holders, NONES);
    v->graph_depths = table_new(n[WLK_SECTION_GRAPHS], sizeof *v->graph_depths, ZEROS);
    v->buffer_used = table_new(v->payloads->count, sizeof *v->buffer_used, ZEROS);
    const bool memory = v->string_used && v->domain_covered && v->names && v->paths &&
                        v->tensor_held && v->type_depths && v->definitions && v->holders &&
                        v->graph_depths && v->buffer_used;
    return memory ? WLK_OK : error_at(v->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

static void tables_free(validation *v) {
    mem_free(v->string_used);
    mem_free(v->domain_covered);
    mem_free(v->names);
    mem_free(v->paths);
    mem_free(v->tensor_held);
    mem_free(v->type_depths);
    mem_free(v->definitions);
    mem_free(v->holders);
    mem_free(v->graph_depths);
    mem_free(v->buffer_used);
}

/* ---- the whole */

static wlk_status (*const steps[])(validation *v) = {
    check_layout,   tables_new,        validate_strings,      validate_blocks, validate_tensors,
    validate_types, validate_values,   validate_graphs,       validate_nodes,  validate_subgraphs,
    validate_uses,  validate_metadata, validate_selftests,    validate_opsets, validate_findings,
    validate_spans, validate_buffers,  validate_strings_used,
};

/* The model takes over the image, the payloads and the two tables of names. */
static wlk_status model_new(validation *v, wlk_model **model) {
    wlk_model *made = mem_zeroed(1, sizeof *made);
    if (!made) return error_at(v->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    made->image = v->image;
    made->view = v->view;
    made->payloads = *v->payloads;
    made->names = v->names;
    made->paths = v->paths;
    v->names = NULL;
    v->paths = NULL;
    *model = made;
    return WLK_OK;
}

static wlk_status validate(validation *v, wlk_model **model) {
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) TRY(steps[i](v));
    return model_new(v, model);
}

wlk_status image_validate(uint8_t *image, uint64_t length, uint64_t file_bytes,
                          const image_payloads *payloads, const wlk_limits *limits,
                          wlk_model **model, wlk_error *error) {
    validation v = {
        .image = image,
        .length = length,
        .file_bytes = file_bytes,
        .payloads = payloads,
        .limits = limits,
        .error = error,
    };
    *model = NULL;
    const wlk_status status = validate(&v, model);
    tables_free(&v);
    if (status != WLK_OK) {
        if (payloads->release) payloads->release(payloads->owner);
        mem_free(image);
    }
    return status;
}
