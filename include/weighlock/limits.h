/* Limits: one field for each row of policy/limits.policy, which holds unit,
 * default and reason. A limit is the largest value that is still accepted. */
#ifndef WEIGHLOCK_LIMITS_H
#define WEIGHLOCK_LIMITS_H

#include <weighlock/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wlk_limits {
    uint64_t file_bytes;
    uint64_t snapshot_bytes;
    uint64_t header_bytes;
    uint64_t header_depth;
    uint64_t image_bytes;
    uint64_t output_bytes;
    uint64_t heap_bytes;
    uint64_t cpu_seconds;
    uint64_t deadline_ms;
    uint64_t name_bytes;
    uint64_t string_bytes;
    uint64_t tensors;
    uint64_t rank;
    uint64_t values;
    uint64_t graphs;
    uint64_t graph_depth;
    uint64_t nodes;
    uint64_t node_edges;
    uint64_t attributes;
    uint64_t attribute_values;
    uint64_t metadata_entries;
    uint64_t selftests;
    uint64_t run_bytes;
    uint64_t run_operations;
    uint64_t input_bytes;
    uint64_t json_bytes;
    uint64_t columns;
    uint64_t pool_children;
    uint64_t pool_file_bytes;
    uint64_t inflated_bytes;
    uint64_t inflate_ratio;
    uint64_t inflate_memory;
    uint64_t pickle_opcodes;
    uint64_t pickle_objects;
    uint64_t pickle_depth;
    uint64_t estimator_depth;
} wlk_limits;

/* Fills in the defaults. */
WLK_API void wlk_limits_default(wlk_limits *limits);

/* Row `index` of the table: name, unit and reason are constant strings. False
 * past the last row. */
typedef struct wlk_limit_row {
    const char *name;
    const char *unit;
    const char *reason;
    uint64_t standard;
} wlk_limit_row;
WLK_API int wlk_limits_row(uint32_t index, wlk_limit_row *row);

/* The value of the limit in row `index`; 0 past the last row. */
WLK_API uint64_t wlk_limits_value(const wlk_limits *limits, uint32_t index);

/* Sets a limit by its name; WLK_USAGE for a name that is not in the table. */
WLK_API WLK_MUST_USE wlk_status wlk_limits_set(wlk_limits *limits, const char *name,
                                               uint64_t value);

#ifdef __cplusplus
}
#endif
#endif
