#include "kit/oracle.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "image/model.h"
#include "kit/kit.h"
#include "kit/oracle_parts.h"

/* Many tensors may name the same bytes: of what they say together, so much is read. */
#define MOST_READ (16u << 20)
#define MOST_EVIDENCE 256

static uint32_t count_of(const wlk_model *model, wlk_section section) {
    return wlk_model_count(model, section);
}

/* ---- the byte map */

/* The span that holds byte `offset`, which is in the artifact. */
static wlk_span span_at(const wlk_model *model, uint64_t offset) {
    uint32_t low = 0, high = count_of(model, WLK_SECTION_SPANS) - 1;
    while (low < high) {
        const uint32_t middle = low + (high - low + 1) / 2;
        if (wlk_model_span(model, middle).offset <= offset) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return wlk_model_span(model, low);
}

static void check_spans(const wlk_model *model, uint64_t size) {
    uint64_t at = 0;
    FUZZ_CHECK(12, wlk_model_file_bytes(model) == size);
    for (uint32_t i = 0; i < count_of(model, WLK_SECTION_SPANS); i++) {
        const wlk_span span = wlk_model_span(model, i);
        FUZZ_CHECK(12, span.offset == at && span.length > 0 && span.length <= size - at);
        FUZZ_CHECK(12, span.kind >= WLK_SPAN_ENVELOPE && span.kind < WLK_SPAN_KIND_COUNT);
        FUZZ_CHECK(5, (span.kind == WLK_SPAN_PAYLOAD) == (span.tensor != WLK_NONE));
        if (span.kind == WLK_SPAN_PAYLOAD) {
            FUZZ_CHECK(5, span.tensor < count_of(model, WLK_SECTION_TENSORS));
        }
        at += span.length;
    }
    FUZZ_CHECK(12, at == size);
}

/* Bytes that lie in the artifact as they are lie in a payload of it. */
static void check_place(const wlk_model *model, uint32_t index, const wlk_tensor *tensor) {
    const uint64_t at = model_tensor_offset(model, index);
    if (at == WLK_NO_OFFSET) return;
    FUZZ_CHECK(12, at < wlk_model_file_bytes(model));
    const wlk_span span = span_at(model, at);
    FUZZ_CHECK(12, span.kind == WLK_SPAN_PAYLOAD);
    FUZZ_CHECK(12, tensor->nbytes <= span.length - (at - span.offset));
}

/* ---- tables */

static void check_tensors(const wlk_model *model) {
    uint64_t read = 0;
    for (uint32_t i = 0; i < count_of(model, WLK_SECTION_TENSORS); i++) {
        wlk_tensor tensor = wlk_model_tensor(model, i);
        check_place(model, i, &tensor);
        if (tensor.name[0]) FUZZ_CHECK(5, wlk_model_find_tensor(model, tensor.name) == i);
        read += tensor.nbytes;
        if (read > MOST_READ) tensor.data = NULL;
        oracle_tensor(&tensor);
    }
}

static void check_tensor_type(const wlk_type *type) {
    FUZZ_CHECK(5, type->dtype > WLK_DTYPE_NONE && type->dtype < WLK_DTYPE_COUNT);
    FUZZ_CHECK(5, type->rank <= WLK_MAX_RANK && (type->has_shape || type->rank == 0));
    for (uint32_t i = 0; i < type->rank; i++) {
        FUZZ_CHECK(5, type->dims[i] >= WLK_UNKNOWN_DIM);
        if (!type->symbols[i]) continue;
        FUZZ_CHECK(5, type->dims[i] == WLK_UNKNOWN_DIM);
        oracle_text(type->symbols[i]);
    }
}

/* What a type holds comes before it: no type holds itself. */
static void check_types(const wlk_model *model) {
    for (uint32_t i = 0; i < count_of(model, WLK_SECTION_TYPES); i++) {
        const wlk_type type = wlk_model_type(model, i);
        FUZZ_CHECK(5, type.kind >= WLK_TYPE_TENSOR && type.kind <= WLK_TYPE_OPTIONAL);
        if (type.kind == WLK_TYPE_TENSOR) {
            check_tensor_type(&type);
        } else {
            FUZZ_CHECK(5, type.element < i);
        }
        if (type.kind == WLK_TYPE_MAP) {
            FUZZ_CHECK(5, type.key_dtype > WLK_DTYPE_NONE && type.key_dtype < WLK_DTYPE_COUNT);
        }
    }
}

static void check_values(const wlk_model *model) {
    for (uint32_t i = 0; i < count_of(model, WLK_SECTION_VALUES); i++) {
        const wlk_value value = wlk_model_value(model, i);
        oracle_text(value.name);
        FUZZ_CHECK(5, value.name[0] != '\0');
        FUZZ_CHECK(5, wlk_model_find_tensor(model, value.name) == WLK_NONE);
        FUZZ_CHECK(5, value.type == WLK_NONE || value.type < count_of(model, WLK_SECTION_TYPES));
    }
}

static void check_opsets(const wlk_model *model) {
    const char *before = NULL;
    for (uint32_t i = 0; i < count_of(model, WLK_SECTION_OPSETS); i++) {
        const wlk_opset opset = wlk_model_opset(model, i);
        oracle_text(opset.domain);
        FUZZ_CHECK(5, opset.version > 0);
        FUZZ_CHECK(5, !before || strcmp(before, opset.domain) < 0);
        before = opset.domain;
    }
}

static void check_selftest(const wlk_model *model, uint32_t index) {
    const uint32_t tensors = count_of(model, WLK_SECTION_TENSORS);
    const wlk_selftest rows = wlk_model_selftest(model, index);
    const wlk_graph graph = wlk_model_graph(model, 0);
    FUZZ_CHECK(11, rows.inputs == graph.inputs && rows.outputs == graph.outputs);
    FUZZ_CHECK(11, isfinite(rows.rtol) && isfinite(rows.atol) && rows.rtol >= 0 && rows.atol >= 0);
    for (uint32_t i = 0; i < rows.inputs; i++) {
        FUZZ_CHECK(5, wlk_model_selftest_input(model, index, i) < tensors);
    }
    for (uint32_t i = 0; i < rows.outputs; i++) {
        FUZZ_CHECK(5, wlk_model_selftest_output(model, index, i) < tensors);
    }
}

static void check_findings(const wlk_model *model, uint64_t size) {
    for (uint32_t i = 0; i < count_of(model, WLK_SECTION_FINDINGS); i++) {
        const wlk_finding finding = wlk_model_finding(model, i);
        oracle_text(finding.evidence);
        FUZZ_CHECK(9, finding.rule > RULE_NONE && finding.rule < RULE_COUNT);
        FUZZ_CHECK(9, finding.severity >= WLK_NOTE && finding.severity < WLK_SEVERITY_COUNT);
        FUZZ_CHECK(9, finding.offset <= size && finding.length <= size - finding.offset);
        FUZZ_CHECK(7, strlen(finding.evidence) <= MOST_EVIDENCE);
    }
}

/* One past the end of each section there is nothing, and no crash. */
static void check_ends(const wlk_model *model) {
    FUZZ_CHECK(5, wlk_model_tensor(model, count_of(model, WLK_SECTION_TENSORS)).nbytes == 0);
    FUZZ_CHECK(5, wlk_model_type(model, count_of(model, WLK_SECTION_TYPES)).rank == 0);
    FUZZ_CHECK(5, wlk_model_value(model, count_of(model, WLK_SECTION_VALUES)).name[0] == '\0');
    FUZZ_CHECK(5, wlk_model_graph(model, count_of(model, WLK_SECTION_GRAPHS)).nodes == 0);
    FUZZ_CHECK(5, wlk_model_node(model, count_of(model, WLK_SECTION_NODES)).op[0] == '\0');
    FUZZ_CHECK(5, wlk_model_meta(model, count_of(model, WLK_SECTION_METADATA)).path[0] == '\0');
    FUZZ_CHECK(5, wlk_model_span(model, count_of(model, WLK_SECTION_SPANS)).length == 0);
}

void oracle_model(const wlk_model *model, uint64_t size) {
    check_spans(model, size);
    check_tensors(model);
    check_types(model);
    check_values(model);
    oracle_graphs(model);
    oracle_metadata(model);
    check_opsets(model);
    for (uint32_t i = 0; i < count_of(model, WLK_SECTION_SELFTESTS); i++) check_selftest(model, i);
    check_findings(model, size);
    check_ends(model);
}
