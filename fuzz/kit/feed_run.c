#include <string.h>

#include "base/error.h"
#include "kit/feed.h"
#include "kit/kit.h"
#include "kit/oracle_parts.h"

/* ---- ports */

static void check_port(const wlk_port *port) {
    FUZZ_CHECK(11, port->name != NULL);
    FUZZ_CHECK(11, port->dtype > WLK_DTYPE_NONE && port->dtype < WLK_DTYPE_COUNT);
    FUZZ_CHECK(11, port->dtype != WLK_BLOCK);
    FUZZ_CHECK(11, port->rank <= WLK_MAX_RANK || port->rank == WLK_NONE);
    for (uint32_t i = 0; port->rank != WLK_NONE && i < port->rank; i++) {
        FUZZ_CHECK(11, port->dims[i] >= 0 || port->dims[i] == WLK_UNKNOWN_DIM);
    }
}

void feed_check_ports(const wlk_model *model, const wlk_plan *plan) {
    const wlk_graph graph = wlk_model_graph(model, 0);
    FUZZ_CHECK(11, wlk_plan_inputs(plan) == graph.inputs);
    FUZZ_CHECK(11, wlk_plan_outputs(plan) == graph.outputs);
    for (uint32_t i = 0; i < graph.inputs; i++) {
        const wlk_port port = wlk_plan_input(plan, i);
        const uint32_t value = wlk_model_graph_input(model, 0, i);
        check_port(&port);
        FUZZ_CHECK(11, strcmp(port.name, wlk_model_value(model, value).name) == 0);
    }
    for (uint32_t i = 0; i < graph.outputs; i++) {
        const wlk_port port = wlk_plan_output(plan, i);
        check_port(&port);
    }
    FUZZ_CHECK(11, wlk_plan_input(plan, graph.inputs).dtype == WLK_DTYPE_NONE);
    FUZZ_CHECK(11, wlk_plan_output(plan, graph.outputs).dtype == WLK_DTYPE_NONE);
}

/* ---- the answer */

static bool fits_port(const wlk_port *port, const wlk_tensor *t) {
    if (t->dtype != port->dtype || strcmp(t->name, port->name) != 0) return false;
    if (port->rank == WLK_NONE) return true;
    for (uint32_t i = 0; i < port->rank && port->rank == t->rank; i++) {
        if (port->dims[i] != WLK_UNKNOWN_DIM && (uint64_t)port->dims[i] != t->shape[i]) {
            return false;
        }
    }
    return port->rank == t->rank;
}

static void check_item(const wlk_tensor *t) {
    FUZZ_CHECK(11, t->data != NULL || t->nbytes == 0);
    FUZZ_CHECK(11, t->dtype != WLK_STR || t->nbytes > 0); /* one offset at least */
    oracle_tensor(t);
}

static void check_result(const wlk_plan *plan, const wlk_result *result) {
    FUZZ_CHECK(11, wlk_result_count(result) == wlk_plan_outputs(plan));
    for (uint32_t i = 0; i < wlk_result_count(result); i++) {
        const wlk_tensor t = wlk_result_tensor(result, i);
        const wlk_port port = wlk_plan_output(plan, i);
        const wlk_value_kind kind = wlk_result_kind(result, i);
        FUZZ_CHECK(11, strcmp(t.name, port.name) == 0);
        FUZZ_CHECK(11, kind != WLK_VALUE_TENSOR || fits_port(&port, &t));
        FUZZ_CHECK(11, kind == WLK_VALUE_TENSOR || port.kind != WLK_VALUE_TENSOR);
        for (uint64_t k = 0; k < wlk_result_items(result, i); k++) {
            const wlk_tensor item = wlk_result_item(result, i, k);
            check_item(&item);
        }
    }
}

static bool same_tensor(const wlk_tensor *a, const wlk_tensor *b) {
    return a->dtype == b->dtype && a->nbytes == b->nbytes &&
           (a->nbytes == 0 || memcmp(a->data, b->data, a->nbytes) == 0);
}

static bool same_items(const wlk_result *a, const wlk_result *b, uint32_t i) {
    for (uint64_t k = 0; k < wlk_result_items(a, i); k++) {
        const wlk_tensor x = wlk_result_item(a, i, k), y = wlk_result_item(b, i, k);
        if (!same_tensor(&x, &y)) return false;
    }
    return true;
}

static bool same_result(const wlk_result *a, const wlk_result *b) {
    for (uint32_t i = 0; i < wlk_result_count(a); i++) {
        if (wlk_result_items(a, i) != wlk_result_items(b, i)) return false;
        if (!same_items(a, b, i)) return false;
    }
    return wlk_result_count(a) == wlk_result_count(b);
}

/* ---- runs */

wlk_status feed_selftest(const wlk_plan *plan, wlk_error *error) {
    uint32_t ran;
    const wlk_status status = wlk_selftest_run(plan, &ran, error);
    FUZZ_CHECK(11, status == WLK_OK || status == WLK_REFUSED || status == WLK_LIMIT ||
                       error->rule == RULE_INTERNAL_MEMORY);
    return status == WLK_SYSTEM ? status : WLK_OK;
}

static wlk_status run_again(const wlk_plan *plan, const fuzz_feed *feed, const wlk_result *first,
                            wlk_error *error) {
    wlk_result *second = NULL;
    const wlk_status status = feed_give(plan, feed, &second, error);
    FUZZ_CHECK(11, status == WLK_OK || error->rule == RULE_INTERNAL_MEMORY);
    FUZZ_CHECK(11, status != WLK_OK || same_result(first, second));
    wlk_result_free(second);
    return status;
}

static wlk_status run_rows(const wlk_plan *plan, const fuzz_feed *feed, wlk_error *error) {
    wlk_result *result = NULL;
    wlk_status status = feed_give(plan, feed, &result, error);
    FUZZ_CHECK(11, status == WLK_OK || result == NULL);
    FUZZ_CHECK(11, status != WLK_USAGE || error->rule == RULE_RUN_SHAPE);
    FUZZ_CHECK(11, status != WLK_UNSUPPORTED);
    if (status == WLK_OK) {
        check_result(plan, result);
        status = run_again(plan, feed, result, error);
    }
    wlk_result_free(result);
    return status;
}

static wlk_status run_spoilt(const wlk_plan *plan, fuzz_feed *feed, fuzz_random *random,
                             wlk_error *error) {
    wlk_result *result = NULL;
    feed_spoil(feed, random);
    const wlk_status status = wlk_run(plan, feed->inputs, feed->count, &result, error);
    FUZZ_CHECK(11, status != WLK_OK && result == NULL);
    FUZZ_CHECK(11, error->rule == RULE_RUN_INPUT || status == WLK_LIMIT || status == WLK_SYSTEM);
    return status;
}

wlk_status feed_run(const wlk_plan *plan, fuzz_random *random, wlk_error *error) {
    fuzz_feed feed;
    wlk_status status = feed_make(plan, random, &feed, error);
    if (status == WLK_OK && feed.inputs) status = run_rows(plan, &feed, error);
    if (status == WLK_OK && feed.inputs) status = run_spoilt(plan, &feed, random, error);
    feed_free(&feed);
    return status;
}
