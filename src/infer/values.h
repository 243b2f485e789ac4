/* Values that outlive the stretch of a run that makes them: each lies in a buffer, which
 * several values may share. What is not a tensor is a list of items; the list shares the
 * buffers of its items. Every buffer counts against the limit run_bytes. */
#ifndef WLK_INFER_VALUES_H
#define WLK_INFER_VALUES_H

#include "infer/tensor.h"
#include "base/error.h"

struct run;

typedef struct run_buffer run_buffer;
struct run_buffer {
    run_buffer *next; /* all of a run */
    run_buffer *previous;
    uint64_t bytes; /* with this header */
    uint64_t users;
    uint64_t items; /* of a list */
};

/* A value in somebody's hands: its share of a buffer, if it lies in one. */
typedef struct held {
    op_tensor tensor;
    run_buffer *owner; /* NULL: the memory is there anyway */
} held;

/* A buffer for so many bytes, aligned, with one user. Rules: run.memory, internal.memory. */
wlk_status buffer_take(struct run *r, uint64_t bytes, run_buffer **out);
void *buffer_data(run_buffer *buffer);
run_buffer *buffer_share(run_buffer *buffer); /* NULL is allowed, also below */
void buffer_drop(struct run *r, run_buffer *buffer);
/* Frees a list of buffers, whatever their users. */
void buffers_free(run_buffer *buffers);

/* A list for `count` items: op_tensors, and the buffer of each. All are empty. */
wlk_status items_take(struct run *r, uint64_t count, run_buffer **out);
op_tensor *items_tensors(run_buffer *list);
run_buffer **items_owners(run_buffer *list);
/* Item i becomes what is held: the list takes over its share. */
void items_set(run_buffer *list, uint64_t i, const held *item);

/* A new tensor: dtype and dims are set, memory is there. text_bytes is for str. */
wlk_status held_new(struct run *r, wlk_dtype dtype, uint32_t rank, const int64_t *dims,
                    uint64_t text_bytes, held *out);
/* A value of some other kind around a list, whose share it takes over. */
held held_list(value_kind kind, wlk_dtype dtype, run_buffer *list);
/* A second share of a value. */
held held_share(const held *value);
void held_drop(struct run *r, held *value);
/* The same elements in a buffer of their own. */
wlk_status held_copy(struct run *r, const op_tensor *from, held *out);

#endif
