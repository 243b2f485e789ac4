/* The inference core: a plan made once from a model, run any number of times.
 *
 * Planning infers every type and shape it can, checks each node against the
 * operator table, and refuses what cannot run. A plan is immutable and may be
 * run from several threads at once; it keeps a reference to the model, which
 * must outlive it. Running makes no system call but for memory, and to wait for its
 * turn: matrix products of several threads are computed one after the other. A
 * wlk_result belongs to one thread.
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
 * row, a subgraph, tensors that stay in the file), limit. */
WLK_API WLK_MUST_USE wlk_status wlk_plan_create(const wlk_model *model, const wlk_limits *limits,
                                                wlk_plan **plan, wlk_error *error);
WLK_API void wlk_plan_free(wlk_plan *plan);

/* A graph input or output: dims are >= 0 or WLK_UNKNOWN_DIM; rank is WLK_NONE if
 * unknown before the run. */
typedef struct wlk_port {
    const char *name;
    wlk_dtype dtype;
    uint32_t rank;
    int64_t dims[WLK_MAX_RANK];
} wlk_port;
WLK_API uint32_t wlk_plan_inputs(const wlk_plan *plan);
WLK_API uint32_t wlk_plan_outputs(const wlk_plan *plan);
WLK_API wlk_port wlk_plan_input(const wlk_plan *plan, uint32_t i);
WLK_API wlk_port wlk_plan_output(const wlk_plan *plan, uint32_t i);

/* Runs on `count` tensors in the order of the graph's inputs. Only dtype, rank,
 * shape, data and nbytes of each are read; dtype and shape must fit the port.
 * The memory the run needs is computed and held against limits->run_bytes before
 * anything is computed. *result is the caller's. */
WLK_API WLK_MUST_USE wlk_status wlk_run(const wlk_plan *plan, const wlk_tensor *inputs,
                                        uint32_t count, wlk_result **result, wlk_error *error);
WLK_API uint32_t wlk_result_count(const wlk_result *result);
/* Output i: valid until wlk_result_free. */
WLK_API wlk_tensor wlk_result_tensor(const wlk_result *result, uint32_t i);
WLK_API void wlk_result_free(wlk_result *result);

/* Runs the model's golden rows. WLK_OK if all agree within their tolerances (also
 * when there are none: see *ran); selftest.mismatch names set, output, element. */
WLK_API WLK_MUST_USE wlk_status wlk_selftest_run(const wlk_plan *plan, uint32_t *ran,
                                                 wlk_error *error);

#ifdef __cplusplus
}
#endif
#endif
