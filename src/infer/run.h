/* One run of a plan.
 *
 * A graph is run in stretches. Of a stretch every shape is worked out (bind.c), every
 * value placed (place.c), memory and work held against the limits; then it is computed
 * (run.c). A stretch ends where a shape depends on what is computed, and before every
 * node that the core itself runs (frame.c). A graph without such is one stretch: nothing
 * of it is computed, or but for the state allocated, before all of it was measured.
 *
 * What a stretch needs for itself lies in one block, which the next one uses again; what
 * lives on lies in buffers (values.h) or, where the graph is one stretch, in the result. */
#ifndef WLK_INFER_RUN_H
#define WLK_INFER_RUN_H

#include "infer/layout.h"
#include "infer/plan.h"
#include "infer/values.h"

/* Where a value lies, and for how long that is there. */
typedef enum place_kind {
    PLACE_LENT = 0, /* in memory that is there for as long as its graph is under way */
    PLACE_LASTING,  /* the model's, or the caller's: for the whole run */
    PLACE_BLOCK,    /* in the block: until its stretch ends */
    PLACE_RESULT,
    PLACE_BUFFER
} place_kind;

typedef struct run_place {
    place_kind kind;
    bool is_released; /* its range in the block */
    bool is_view;     /* it is input 0 of its node, and nothing is computed */
    uint32_t root;    /* PLACE_BLOCK: the value whose range this is */
    uint32_t range;   /* of a root, in the layout */
    uint32_t users;   /* of a root: values in the range that are still needed */
    uint64_t offset;
    run_buffer *owner; /* PLACE_BUFFER */
} run_place;

/* A first block, in the same allocation as the state: small graphs need no other. */
#define FIRST_BLOCK 2048

/* What is computed while binding lies in pieces of this size. */
#define EARLY_CHUNK 8192
typedef struct early_chunk {
    struct early_chunk *next;
    uint64_t used;
} early_chunk;

typedef struct run {
    const wlk_plan *plan;
    wlk_error *error;
    void *state; /* one allocation: what the next ones point into */
    op_tensor *values;
    run_place *places;
    uint8_t *is_done; /* of each node: computed while it was bound */
    layout_range *ranges;
    uint64_t *output_at; /* where the graph's outputs lie in the result */
    half_shadow shadow;
    layout layout;
    uint64_t scratch_bytes; /* the most that a node of the stretch needs */
    char *block;
    uint64_t block_bytes;
    bool owns_block; /* else it lies behind the state */
    char *result;    /* NULL until the main graph's last stretch, if it is the only one */
    uint64_t result_bytes;
    run_buffer *buffers; /* all there are */
    early_chunk *early;
    uint64_t held_bytes; /* state, early chunks and buffers */
    uint64_t kept_bytes; /* buffers that the stretch will take */
    uint64_t operations;
    uint64_t stretch_values; /* that nodes of the stretch make */
    bool in_one;             /* the main graph is one stretch: outputs lie in the result */
} run;

typedef struct run_stretch {
    uint32_t graph;
    uint32_t from; /* nodes [from, to) */
    uint32_t to;
} run_stretch;

/* run.memory: so many bytes would be held at once. */
wlk_status run_memory_fail(const run *r, uint64_t bytes);

/* Counts work, and holds it against the limit. */
wlk_status run_charge(run *r, uint64_t operations);

/* A call for a node in a run. */
op_call run_call(const run *r, uint32_t node);

/* The run's state, and its inputs (arguments.c). */
wlk_status run_begin(run *r);
wlk_status run_arguments(run *r, const wlk_argument *arguments, uint32_t count);

/* Works out the shapes of a stretch that begins at stretch->from, and sets its end. */
wlk_status stretch_bind(run *r, run_stretch *stretch);

/* Places the values of a stretch, and holds what it needs against the limits. */
wlk_status stretch_place(run *r, const run_stretch *stretch);

/* Takes the memory, and computes. */
wlk_status stretch_compute(run *r, const run_stretch *stretch);

/* Memory for what is computed while binding, aligned; and back to an earlier state. */
wlk_status early_take(run *r, uint64_t bytes, void **out);
typedef struct early_mark {
    early_chunk *chunk;
    uint64_t used;
} early_mark;
early_mark early_now(const run *r);
void early_back(run *r, early_mark mark);

/* The value is not needed any more: gives up its share of a buffer. */
void run_release(run *r, uint32_t value);
/* Gives up what a node was the last to read. */
void run_release_after(run *r, uint32_t node);

/* What an output of the graph is: its items lie among the result's tensors. */
typedef struct result_output {
    wlk_value_kind kind;
    uint64_t first;
    uint64_t items;
} result_output;

/* Behind this header: outputs, tensors, names; then the data, or it lies in buffers. */
struct wlk_result {
    uint32_t count;
    result_output *outputs;
    wlk_tensor *tensors; /* one for each output, then all items */
    run_buffer *buffers;
};

/* Makes the result of a run that has computed everything. The run's buffers become the
 * result's. */
wlk_status run_finish(run *r, wlk_result **result);
/* Bytes of the result's head, where only tensors come out. */
uint64_t result_head_bytes(const wlk_plan *plan);

#endif
