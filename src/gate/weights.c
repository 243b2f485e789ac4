#include "gate/weights.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/checked.h"
#include "image/model.h"
#include "image/nonfinite.h"

/* What a thread looks at in one go: a whole number of elements of every dtype. */
#define PIECE_BYTES (1u << 20)
#define PARALLEL_FROM (4u << 20) /* bytes; below, starting a thread costs more than it saves */
#define MOST_THREADS 64
#define NO_PIECE UINT64_MAX

typedef enum kind { KIND_NAN, KIND_INFINITY, KINDS } kind;

/* Pieces are numbered through all tensors, and handed out in ascending order. */
typedef struct weights_pass {
    const wlk_model *model;
    uint64_t pieces, bytes;
    _Atomic uint64_t next;
    _Atomic uint64_t count[KINDS];
    _Atomic uint64_t first[KINDS]; /* the lowest piece that holds one, or NO_PIECE */
} weights_pass;

/* A piece of a tensor. */
typedef struct piece {
    uint32_t tensor;
    uint64_t number;  /* of its first piece */
    uint64_t element; /* its first element within the tensor */
    uint64_t count;
    const uint8_t *data;
} piece;

static uint64_t element_bytes(wlk_dtype dtype) {
    return wlk_dtype_bits(dtype) / 8;
}

/* Pieces of a tensor; 0 if it can hold no such value. */
static uint64_t pieces_of(const wlk_tensor *tensor) {
    if (!nonfinite_possible(tensor->dtype)) return 0;
    return tensor->nbytes / PIECE_BYTES + (tensor->nbytes % PIECE_BYTES != 0);
}

/* Moves *at, which stands at that piece or before it, there. */
static wlk_tensor piece_seek(const wlk_model *model, uint64_t number, piece *at) {
    wlk_tensor tensor = wlk_model_tensor(model, at->tensor);
    for (uint64_t pieces; (pieces = pieces_of(&tensor)) <= number - at->number;) {
        at->number += pieces;
        tensor = wlk_model_tensor(model, ++at->tensor);
    }
    const uint64_t bytes = element_bytes(tensor.dtype), most = PIECE_BYTES / bytes;
    at->element = (number - at->number) * most;
    const uint64_t left = tensor.count - at->element;
    at->count = left < most ? left : most;
    at->data = (const uint8_t *)tensor.data + at->element * bytes;
    return tensor;
}

static void note_first(_Atomic uint64_t *first, uint64_t number) {
    uint64_t lowest = atomic_load(first);
    while (number < lowest && !atomic_compare_exchange_weak(first, &lowest, number)) {
    }
}

static void *run_pass(void *argument) {
    weights_pass *pass = argument;
    piece at = {0};
    for (uint64_t number; (number = atomic_fetch_add(&pass->next, 1)) < pass->pieces;) {
        const wlk_tensor tensor = piece_seek(pass->model, number, &at);
        const nonfinite found = nonfinite_count(tensor.dtype, at.data, at.count);
        const uint64_t counts[KINDS] = {found.nan, found.infinity};
        for (unsigned i = 0; i < KINDS; i++) {
            if (counts[i] == 0) continue;
            (void)atomic_fetch_add(&pass->count[i], counts[i]);
            note_first(&pass->first[i], number);
        }
    }
    return NULL;
}

/* Helper threads take no signals: those are for the application's own. Where one
 * cannot be started, the others do its work. */
static void run_threads(weights_pass *pass, uint32_t threads) {
    pthread_t helpers[MOST_THREADS];
    uint32_t started = 0;
    sigset_t all, before;
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    if (pass->bytes < PARALLEL_FROM) threads = 1;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started + 1 < threads && pthread_create(&helpers[started], NULL, run_pass, pass) == 0) {
        started++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)run_pass(pass);
    for (uint32_t i = 0; i < started; i++) (void)pthread_join(helpers[i], NULL);
}

/* Many tensors may name the same bytes: looking at them once for each must not take
 * longer than looking at everything that may be sent. */
static wlk_status count_pieces(weights_pass *pass, uint64_t most_bytes, wlk_error *error) {
    for (uint32_t i = 0; i < wlk_model_count(pass->model, WLK_SECTION_TENSORS); i++) {
        const wlk_tensor tensor = wlk_model_tensor(pass->model, i);
        const uint64_t pieces = pieces_of(&tensor);
        if (pieces == 0) continue;
        if (!checked_add(pass->bytes, tensor.nbytes, &pass->bytes) || pass->bytes > most_bytes) {
            return error_at(error, RULE_LIMIT_OUTPUT_BYTES, WLK_NO_OFFSET);
        }
        pass->pieces += pieces;
    }
    return WLK_OK;
}

/* ---- where the first one is */

static uint64_t count_of(const nonfinite *found, kind which) {
    return which == KIND_NAN ? found->nan : found->infinity;
}

/* The first element of that kind; there is one among the `count` at data. */
static uint64_t find_first(wlk_dtype dtype, const uint8_t *data, uint64_t count, kind which) {
    uint64_t low = 0, high = count;
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        const nonfinite found =
            nonfinite_count(dtype, data + low * element_bytes(dtype), middle - low);
        if (count_of(&found, which) > 0) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return low;
}

/* The first element of that kind in the model, which has one. */
static piece first_of(const weights_pass *pass, kind which) {
    piece at = {0};
    const wlk_tensor tensor = piece_seek(pass->model, pass->first[which], &at);
    at.element += find_first(tensor.dtype, at.data, at.count, which);
    return at;
}

static bool stands_before(const piece *a, const wlk_nonfinite *b) {
    return a->tensor < b->tensor || (a->tensor == b->tensor && a->element < b->element);
}

/* ---- the policy */

static wlk_action action_of(const wlk_policy *policy, kind which) {
    return which == KIND_NAN ? policy->nan : policy->infinity;
}

static wlk_status refuse(const wlk_tensor *tensor, uint64_t element, uint64_t file_offset,
                         kind which, wlk_error *error) {
    uint64_t offset = WLK_NO_OFFSET;
    if (file_offset != WLK_NO_OFFSET) {
        (void)checked_add(file_offset, element * element_bytes(tensor->dtype), &offset);
    }
    return error_text(error, which == KIND_NAN ? RULE_AUDIT_NAN : RULE_AUDIT_INFINITY, offset,
                      "tensor %s, element %llu", tensor->name, (unsigned long long)element);
}

static wlk_status judge(const weights_pass *pass, const wlk_policy *policy, wlk_nonfinite *found,
                        wlk_error *error) {
    wlk_status status = WLK_OK;
    uint64_t *const counts[KINDS] = {&found->nan, &found->infinity};
    for (unsigned i = 0; i < KINDS; i++) {
        const wlk_action action = action_of(policy, (kind)i);
        if (action == WLK_IGNORE || pass->count[i] == 0) continue;
        const piece first = first_of(pass, (kind)i);
        *counts[i] = pass->count[i];
        if (stands_before(&first, found)) {
            found->tensor = first.tensor;
            found->element = first.element;
        }
        if (action != WLK_REFUSE || status != WLK_OK) continue;
        const wlk_tensor tensor = wlk_model_tensor(pass->model, first.tensor);
        status = refuse(&tensor, first.element, model_tensor_offset(pass->model, first.tensor),
                        (kind)i, error);
    }
    return status;
}

wlk_status weights_audit(const wlk_model *model, const wlk_policy *policy, uint32_t threads,
                         wlk_nonfinite *found, wlk_error *error) {
    weights_pass pass = {.model = model, .first = {NO_PIECE, NO_PIECE}};
    *found = (wlk_nonfinite){.tensor = WLK_NONE};
    if (policy->nan == WLK_IGNORE && policy->infinity == WLK_IGNORE) return WLK_OK;
    TRY(count_pieces(&pass, policy->limits.output_bytes, error));
    run_threads(&pass, threads);
    return judge(&pass, policy, found, error);
}

wlk_status weights_audit_tensor(const wlk_tensor *tensor, uint64_t file_offset,
                                const wlk_policy *policy, wlk_error *error) {
    if (policy->nan != WLK_REFUSE && policy->infinity != WLK_REFUSE) return WLK_OK;
    if (!nonfinite_possible(tensor->dtype)) return WLK_OK;
    const nonfinite found = nonfinite_count(tensor->dtype, tensor->data, tensor->count);
    for (unsigned i = 0; i < KINDS; i++) {
        if (action_of(policy, (kind)i) != WLK_REFUSE || count_of(&found, (kind)i) == 0) continue;
        const uint64_t element = find_first(tensor->dtype, tensor->data, tensor->count, (kind)i);
        return refuse(tensor, element, file_offset, (kind)i, error);
    }
    return WLK_OK;
}
