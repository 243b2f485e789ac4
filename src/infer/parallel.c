#include "infer/parallel.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include <weighlock/infer.h>

#include "base/memory.h"

/* One call of op_parallel, which every thread takes pieces from. */
typedef struct parallel_work {
    parallel_body body;
    void *context;
    uint64_t items;
    uint64_t piece;
    _Atomic uint64_t next; /* first item that nobody has taken */
} parallel_work;

struct parallel_pool {
    pthread_mutex_t busy; /* held by the run that uses the threads */
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t begun;
    pthread_cond_t done;
    parallel_work *work;
    uint64_t round;   /* counts the calls, so that each thread works once in each */
    uint32_t working; /* threads that have not finished this round */
    bool closing;
    uint32_t count;
    pthread_t threads[WLK_PLAN_THREADS];
};

static void take_pieces(parallel_work *work) {
    for (;;) {
        const uint64_t from = atomic_fetch_add(&work->next, work->piece);
        if (from >= work->items) return;
        const uint64_t left = work->items - from;
        work->body(work->context, from, left < work->piece ? work->items : from + work->piece);
    }
}

/* The next round's work; NULL when there will be none. */
static parallel_work *await_work(parallel_pool *pool, uint64_t *round) {
    pthread_mutex_lock(&pool->lock);
    while (pool->round == *round && !pool->closing) {
        pthread_cond_wait(&pool->begun, &pool->lock);
    }
    *round = pool->round;
    parallel_work *work = pool->closing ? NULL : pool->work;
    pthread_mutex_unlock(&pool->lock);
    return work;
}

static void *thread_main(void *context) {
    parallel_pool *pool = context;
    uint64_t round = 0;
    for (;;) {
        parallel_work *work = await_work(pool, &round);
        if (!work) return NULL;
        take_pieces(work);
        pthread_mutex_lock(&pool->lock);
        if (--pool->working == 0) pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->lock);
    }
}

/* Everybody has taken part before it returns: the work lies on the caller's stack. */
static void work_together(parallel_pool *pool, parallel_work *work) {
    pthread_mutex_lock(&pool->lock);
    pool->work = work;
    pool->working = pool->count;
    pool->round++;
    pthread_cond_broadcast(&pool->begun);
    pthread_mutex_unlock(&pool->lock);
    take_pieces(work);
    pthread_mutex_lock(&pool->lock);
    while (pool->working > 0) pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

/* Items that the last taker steps over must not wrap. */
static bool is_shared(const op_call *call, uint64_t items, uint64_t piece) {
    return call->pool && items > piece && items < UINT64_MAX / 2 && piece < UINT64_MAX / 256;
}

void op_parallel(const op_call *call, uint64_t items, uint64_t piece, parallel_body body,
                 void *context) {
    if (is_shared(call, items, piece) && pthread_mutex_trylock(&call->pool->busy) == 0) {
        parallel_work work = {.body = body, .context = context, .items = items, .piece = piece};
        work_together(call->pool, &work);
        pthread_mutex_unlock(&call->pool->busy);
        return;
    }
    for (uint64_t from = 0; from < items; from += piece) {
        if (items - from <= piece) {
            body(context, from, items);
            return;
        }
        body(context, from, from + piece);
    }
}

/* ---- the pool */

/* Signals are the program's own threads' to take. */
static bool start_threads(parallel_pool *pool, uint32_t count) {
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return false;
    while (pool->count < count &&
           pthread_create(&pool->threads[pool->count], NULL, thread_main, pool) == 0) {
        pool->count++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool->count == count;
}

wlk_status parallel_pool_new(uint32_t threads, parallel_pool **pool, wlk_error *error) {
    *pool = NULL;
    if (threads > WLK_PLAN_THREADS) {
        return error_text(error, RULE_PLAN_THREADS, WLK_NO_OFFSET, "%u, at most %u", threads,
                          WLK_PLAN_THREADS);
    }
    if (threads <= 1) return WLK_OK;
    parallel_pool *made = mem_zeroed(1, sizeof *made);
    if (!made) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    pthread_mutex_init(&made->busy, NULL);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->begun, NULL);
    pthread_cond_init(&made->done, NULL);
    *pool = made;
    if (start_threads(made, threads - 1)) return WLK_OK;
    return error_text(error, RULE_PLAN_THREADS, WLK_NO_OFFSET, "the system starts %u, not %u",
                      made->count + 1, threads);
}

void parallel_pool_free(parallel_pool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->begun);
    pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->count; i++) (void)pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->begun);
    pthread_mutex_destroy(&pool->lock);
    pthread_mutex_destroy(&pool->busy);
    mem_free(pool);
}
