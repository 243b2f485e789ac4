/* The inference core: a plan made once from a model, run any number of times.
 *
 * Planning infers every type and shape it can, checks each node against the
 * operator table, and refuses what cannot run. A plan is immutable and may be
 * run from several threads at once; it keeps a reference to the model, which
 * must outlive it. Running makes no system call but for memory, and to wait for the
 * plan's own threads, if it has any. A wlk_result belongs to one thread.
 */
#ifndef WEIGHLOCK_INFER_H
#define WEIGHLOCK_INFER_H

#include <weighlock/limits.h>
#include <weighlock/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wlk_plan wlk_plan;
typedef struct wlk_result wlk_result;

/* Plans the model's main graph. limits may be NULL for the defaults. On failure
 * the error names the node; verdicts: refused (a broken graph, an attribute that
 * the operator does not have), unsupported (an operator, opset or dtype without a
 * row, tensors that stay in the file), limit. */
WLK_API WLK_MUST_USE wlk_status wlk_plan_create(const wlk_model *model, const wlk_limits *limits,
                                                wlk_plan **plan, wlk_error *error);

/* The same with options; NULL for the defaults. A field that is 0 has its default.
 *  - threads: how many compute one run, the caller's among them (default 1, at most
 *    WLK_PLAN_THREADS). The others belong to the plan and sleep between runs. Results
 *    have the same bits for any number. */
#define WLK_PLAN_THREADS 64
typedef struct wlk_plan_options {
    uint32_t threads;
} wlk_plan_options;
WLK_API WLK_MUST_USE wlk_status wlk_plan_create_with(const wlk_model *model,
                                                     const wlk_limits *limits,
                                                     const wlk_plan_options *options,
                                                     wlk_plan **plan, wlk_error *error);
WLK_API void wlk_plan_free(wlk_plan *plan);

/* What a value is. What it holds are tensors, its items:
 *  - TENSOR: itself;
 *  - SEQUENCE: any number of tensors of one dtype, each of its own shape;
 *  - MAP: the keys, i64 or str [n], then the values [n];
 *  - MAPS: a sequence of maps with the same keys: the keys [n], then the values [rows, n];
 *  - OPTIONAL: nothing, or a tensor; OPTIONAL_SEQUENCE: nothing, or a sequence. These two
 *    are kinds of ports. What is given, or comes out, is the tensor or the sequence
 *    itself, or an OPTIONAL without items. */
typedef enum wlk_value_kind {
    WLK_VALUE_TENSOR = 0,
    WLK_VALUE_SEQUENCE = 1,
    WLK_VALUE_MAP = 2,
    WLK_VALUE_MAPS = 3,
    WLK_VALUE_OPTIONAL = 4,
    WLK_VALUE_OPTIONAL_SEQUENCE = 5
} wlk_value_kind;

/* A graph input or output: dims are >= 0 or WLK_UNKNOWN_DIM; rank is WLK_NONE if
 * unknown before the run. dtype, rank and dims are those of a tensor, of an optional's
 * tensor, or of a map's values; of a sequence's tensors there is only the dtype. */
typedef struct wlk_port {
    const char *name;
    wlk_dtype dtype;
    uint32_t rank;
    int64_t dims[WLK_MAX_RANK];
    wlk_value_kind kind;
    wlk_dtype key_dtype; /* of a map's keys */
} wlk_port;
WLK_API uint32_t wlk_plan_inputs(const wlk_plan *plan);
WLK_API uint32_t wlk_plan_outputs(const wlk_plan *plan);
WLK_API wlk_port wlk_plan_input(const wlk_plan *plan, uint32_t i);
WLK_API wlk_port wlk_plan_output(const wlk_plan *plan, uint32_t i);

/* Runs on `count` tensors in the order of the graph's inputs. Only dtype, rank,
 * shape, data and nbytes of each are read; dtype and shape must fit the port.
 * Memory and work are held against limits->run_bytes and limits->run_operations before
 * they are taken: of the whole graph before anything is computed, or, where a shape or
 * a branch depends on what is computed, of each stretch of it. *result is the caller's. */
WLK_API WLK_MUST_USE wlk_status wlk_run(const wlk_plan *plan, const wlk_tensor *inputs,
                                        uint32_t count, wlk_result **result, wlk_error *error);

/* The same for graphs whose inputs are not all tensors: `items` are `count` tensors, as
 * wlk_value_kind says; one for a tensor. */
typedef struct wlk_argument {
    wlk_value_kind kind;
    const wlk_tensor *items;
    uint64_t count;
} wlk_argument;
WLK_API WLK_MUST_USE wlk_status wlk_run_arguments(const wlk_plan *plan,
                                                  const wlk_argument *arguments, uint32_t count,
                                                  wlk_result **result, wlk_error *error);

WLK_API uint32_t wlk_result_count(const wlk_result *result);
/* Output i: valid until wlk_result_free. What is not a tensor has no data here. */
WLK_API wlk_tensor wlk_result_tensor(const wlk_result *result, uint32_t i);
/* What output i is: TENSOR, SEQUENCE, MAP, MAPS, or OPTIONAL for nothing; and what it
 * holds. Items have no name. */
WLK_API wlk_value_kind wlk_result_kind(const wlk_result *result, uint32_t i);
WLK_API uint64_t wlk_result_items(const wlk_result *result, uint32_t i);
WLK_API wlk_tensor wlk_result_item(const wlk_result *result, uint32_t i, uint64_t item);
WLK_API void wlk_result_free(wlk_result *result);

/* Runs the model's golden rows. WLK_OK if all agree within their tolerances (also
 * when there are none: see *ran); selftest.mismatch names set, output, element. */
WLK_API WLK_MUST_USE wlk_status wlk_selftest_run(const wlk_plan *plan, uint32_t *ran,
                                                 wlk_error *error);

#ifdef __cplusplus
}
#endif
#endif
