/* Answers put into a pipe, and what the parent's own code makes of them: no child, no
 * cage, one process. Invariants 5, 7 and 11: whatever lies in the pipe, it is refused with
 * a rule and that rule's verdict, or gives a model that can be used to the end, whose
 * bytes are the file's; and nothing is left of it. */
#ifndef TESTS_GATE_HOSTILE_PIPES_H
#define TESTS_GATE_HOSTILE_PIPES_H

#include "gate/hostile_models.h"
#include "support/image_support.h"
#include "support/leftovers.h"

#include "base/envelope.h"
#include "base/memory.h"
#include "gate/hostile_mutate.h"
#include "gate/listen.h"
#include "image/model.h"

enum { PIPE_BYTES = 65536 }; /* what a pipe holds that nobody made larger */

/* A file, how it is asked for, and the honest answer. */
typedef struct pipe_source {
    const char *name;
    kit_file file;
    uint64_t data_from;
    answer_source asked;
    answer honest;
    snapshot sealed; /* its bytes; of a lazy one the parent has none */
} pipe_source;

/* Owns `file`. */
static inline void pipe_source_open(pipe_source *s, const char *name, kit_file file,
                                    wire_transport transport) {
    envelope e;
    wlk_error error;
    *s = (pipe_source){.name = name};
    s->file.size = file.size;
    s->file.data = aligned_alloc(4096, (file.size + 4095) / 4096 * 4096);
    assert_non_null(s->file.data);
    memcpy(s->file.data, file.data, file.size);
    wlk_free(file.data);
    EXPECT_OK(envelope_decode(s->file.data, s->file.size, &e, &error));
    s->data_from = e.data_off;
    const bool lazy = transport == WIRE_TRANSPORT_LAZY;
    s->asked = (answer_source){.data = s->file.data,
                               .bytes = lazy ? e.data_off : s->file.size,
                               .file_bytes = s->file.size,
                               .transport = transport,
                               .finding = true};
    s->sealed = (snapshot){.fd = -1, .data = s->file.data, .size = s->file.size};
    assert_true(answer_record(&s->honest, &s->asked));
}

static inline void pipe_source_close(pipe_source *s) {
    const unsigned image = answer_image(&s->honest);
    mem_free((void *)(uintptr_t)s->honest.frames[image].body);
    free(s->file.data);
}

/* ---- one answer */

static inline wire_hello pipe_hello(void) {
    wire_hello hello = {.protocol = WIRE_PROTOCOL, .layers = LAYER_COUNT};
    memcpy(hello.build_id, wire_build_id, sizeof hello.build_id);
    for (uint16_t i = 0; i < LAYER_COUNT; i++) hello.results[i] = (wire_layer_result){i, 1, 0};
    return hello;
}

/* A pipe that holds the bytes, and whose other end is closed. */
static inline int pipe_of(const uint8_t *bytes, uint64_t length) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) fail_msg("no pipe");
    if (length && write(ends[1], bytes, length) != (ssize_t)length) fail_msg("pipe too small");
    (void)close(ends[1]);
    return ends[0];
}

/* What the parent learns from it: src/gate/session.c without a child. */
typedef struct pipe_parent {
    listener ear;
    wire_receiver receiver;
    received result;
    bool ended; /* END came */
} pipe_parent;

static inline void pipe_release(void *owner) {
    received_drop(owner);
}

static inline wlk_status pipe_make_model(pipe_parent *p, const pipe_source *s,
                                         const wlk_limits *limits, wlk_model **model,
                                         wlk_error *error) {
    uint8_t *image = p->result.image;
    p->result.image = NULL;
    const image_payloads payloads = {.buffers = p->result.buffers,
                                     .count = p->result.count,
                                     .owner = &p->result,
                                     .release = pipe_release,
                                     .absent = s->asked.transport == WIRE_TRANSPORT_LAZY};
    return image_validate(image, p->result.image_length, s->file.size, &payloads, limits, model,
                          error);
}

static inline wlk_status pipe_hear(pipe_parent *p, const pipe_source *s, const wlk_limits *limits,
                                   wlk_model **model, wlk_error *error) {
    wire_hello hello;
    TRY(receive_hello(&p->ear.frames, &p->receiver, &hello, error));
    TRY(receive_result(&p->ear.frames, &p->receiver, &p->result, error));
    p->ended = true;
    TRY(pipe_make_model(p, s, limits, model, error));
    return receive_end(&p->ear.frames, error);
}

/* Puts HELLO and the answer into a pipe, and hears what is in it. *model is handed out
 * only if all held; *p must outlive it. */
static inline wlk_status pipe_run(pipe_parent *p, const pipe_source *s, const answer *a,
                                  const sent_frame *hello, const wlk_limits *limits,
                                  wlk_model **model, wlk_error *error) {
    static uint8_t bytes[PIPE_BYTES];
    const bool lazy = s->asked.transport == WIRE_TRANSPORT_LAZY;
    const uint64_t start = sizeof hello->header + hello->length;
    memcpy(bytes, &hello->header, sizeof hello->header);
    memcpy(bytes + sizeof hello->header, hello->body, hello->length);
    const uint64_t length = start + answer_write(a, bytes + start, sizeof bytes - start);
    child nobody = CHILD_NONE;
    nobody.result = pipe_of(bytes, length);
    listen_start(&p->ear, &nobody, clock_now() + 20000000000ull);
    p->receiver = (wire_receiver){.budget = lazy ? UINT64_MAX : limits->output_bytes,
                                  .image_limit = limits->image_bytes,
                                  .file_bytes = s->file.size,
                                  .data_from = s->data_from,
                                  .max_buffers = (uint32_t)limits->tensors,
                                  .transport = (wire_transport)s->asked.transport,
                                  .raw_only = true};
    p->result = (received){.source = lazy ? NULL : &s->sealed};
    p->ended = false;
    *model = NULL;
    const wlk_status status = pipe_hear(p, s, limits, model, error);
    (void)close(nobody.result);
    if (status == WLK_OK) return status;
    if (*model) {
        wlk_model_free(*model);
        *model = NULL;
    } else if (p->result.image) { /* the validator has not taken it all over */
        mem_free(p->result.image);
        p->result.image = NULL;
    }
    received_drop(&p->result);
    return status;
}

/* ---- what comes of it */

/* Every byte of a tensor is the file's, at a place behind the header. */
static inline void check_payloads(const wlk_model *model, const kit_file *file, uint64_t data_from,
                                  bool lazy) {
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_TENSORS); i++) {
        const wlk_tensor t = wlk_model_tensor(model, i);
        if (t.nbytes == 0) continue;
        const uint64_t at = model_tensor_offset(model, i);
        assert_true(at >= data_from && at <= file->size && t.nbytes <= file->size - at);
        if (lazy) {
            assert_null(t.data);
        } else {
            assert_memory_equal(t.data, file->data + at, t.nbytes);
        }
    }
}

/* Reads all there is of a model. */
static inline void check_usable(const wlk_model *model, const kit_file *file, uint64_t data_from,
                                bool lazy) {
    model_walk w = {model, 0};
    if (!lazy) {
        (void)model_walk_all(model);
    } else {
        walk_types(&w);
        walk_graphs(&w);
        walk_nodes(&w);
        walk_selftests(&w);
        walk_descriptions(&w);
        walk_spans(&w);
    }
    check_payloads(model, file, data_from, lazy);
}

static inline bool begins_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* May the parent refuse so for itself? */
static inline bool is_parents_own(const char *rule) {
    return begins_with(rule, "wire.") || begins_with(rule, "image.") ||
           strcmp(rule, "cage.build") == 0 || strcmp(rule, "tensor.payload") == 0 ||
           (begins_with(rule, "limit.") && strcmp(rule, "limit.deadline") != 0);
}

/* May a REFUSE say so? */
static inline bool is_childs_own(const char *rule) {
    static const char *const layers[] = {
        "data.",     "format.", "graph.",  "header.",  "inflate.",
        "internal.", "joblib.", "limit.",  "npy.",     "numpy.",
        "onnx.",     "opset.",  "pickle.", "sklearn.", "selftest.tolerance",
        "string.",   "tensor.", "type."};
    bool own = false;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) own |= begins_with(rule, layers[i]);
    return own;
}

/* What is wrong with a refusal; `told`: a REFUSE has said so. NULL: nothing. */
static inline const char *refusal_is_wrong(wlk_status status, const wlk_error *error, bool told) {
    if (error->rule == RULE_NONE || error->rule >= RULE_COUNT) return "no rule";
    if (status != error->status || status != rule_status(error->rule)) return "verdict";
    const char *rule = wlk_rule_name(error->rule);
    if (is_parents_own(rule) || (told && is_childs_own(rule))) return NULL;
    return "neither the parent's rule nor the child's";
}

typedef struct pipe_tally {
    uint64_t accepted, refused;
    uint64_t by_rule[RULE_COUNT];
    uint64_t told; /* of the refused: by a REFUSE */
    uint64_t sum;  /* over all outcomes, in order */
} pipe_tally;

static inline void tally_add(pipe_tally *t, wlk_status status, const wlk_error *error) {
    const uint64_t outcome = status == WLK_OK ? 1 : error->rule * 31 + error->offset;
    t->sum = (t->sum ^ outcome) * 0x100000001b3ull;
    t->accepted += status == WLK_OK;
    t->refused += status != WLK_OK;
    if (status != WLK_OK) t->by_rule[error->rule]++;
}

static inline uint32_t tally_rules(const pipe_tally *t) {
    uint32_t rules = 0;
    for (uint32_t i = 0; i < RULE_COUNT; i++) rules += t->by_rule[i] > 0;
    return rules;
}

static inline void tally_print(const pipe_tally *t) {
    for (uint32_t i = 0; i < RULE_COUNT; i++) {
        if (t->by_rule[i]) {
            (void)printf("  %-24s %8llu\n", wlk_rule_name(i), (unsigned long long)t->by_rule[i]);
        }
    }
}

/* Answers about `s` what the seed makes of the honest answer. */
static inline wlk_status pipe_mutated(pipe_parent *p, const pipe_source *s, uint64_t seed,
                                      const wlk_limits *limits, wlk_model **model,
                                      wlk_error *error) {
    static answer a;
    wire_hello body = pipe_hello();
    sent_frame hello = {frame_make(FRAME_HELLO, 0, sizeof body, 0, 0), (const uint8_t *)&body,
                        sizeof body};
    a = s->honest;
    if (mutates_hello(seed)) {
        hello_mutate(&hello.header, &body, seed);
    } else {
        answer_mutate(&a, seed);
    }
    *error = (wlk_error){.offset = WLK_NO_OFFSET};
    const wlk_status status = pipe_run(p, s, &a, &hello, limits, model, error);
    answer_forget(&a);
    return status;
}

/* What is done with a model that was accepted, besides reading it. */
typedef void model_use(const wlk_model *model);

/* Runs one seed and holds the outcome against all that is promised of it. */
static inline void pipe_check(const pipe_source *s, uint64_t seed, const wlk_limits *limits,
                              model_use *use, pipe_tally *t) {
    static pipe_parent p;
    wlk_model *model;
    wlk_error error;
    const long blocks = atomic_load(&leftovers_blocks);
    const wlk_status status = pipe_mutated(&p, s, seed, limits, &model, &error);
    const bool told = p.receiver.state == WIRE_DONE && !p.ended;
    tally_add(t, status, &error);
    if (status == WLK_OK) {
        const bool lazy = s->asked.transport == WIRE_TRANSPORT_LAZY;
        check_usable(model, &s->file, s->data_from, lazy);
        if (use && !lazy) use(model);
        wlk_model_free(model);
    } else {
        const char *wrong = refusal_is_wrong(status, &error, told);
        if (wrong) {
            fail_msg("%s, seed %llu: %s: %s (%s)", s->name, (unsigned long long)seed, wrong,
                     wlk_rule_name(error.rule), error.text);
        }
        t->told += !is_parents_own(wlk_rule_name(error.rule));
    }
    if (atomic_load(&leftovers_blocks) != blocks) {
        fail_msg("%s, seed %llu: memory is left", s->name, (unsigned long long)seed);
    }
}

/* ---- the models, and all of it */

enum { PIPE_SOURCES = 8, PIPE_RUNS = 7 }; /* the source that can be run */

static inline void pipe_sources_open(pipe_source sources[PIPE_SOURCES]) {
    pipe_source_open(&sources[0], "small", kit_written(kit_model(0), NULL), WIRE_TRANSPORT_PIPE);
    pipe_source_open(&sources[1], "rich", kit_written(model_rich(), NULL), WIRE_TRANSPORT_PIPE);
    pipe_source_open(&sources[2], "strings", kit_written(model_of_strings(), NULL),
                     WIRE_TRANSPORT_PIPE);
    pipe_source_open(&sources[3], "rich, mapped", kit_written(model_rich(), NULL),
                     WIRE_TRANSPORT_MAP);
    pipe_source_open(&sources[4], "strings, mapped", kit_written(model_of_strings(), NULL),
                     WIRE_TRANSPORT_MAP);
    pipe_source_open(&sources[5], "small, lazy", kit_written(kit_model(0), NULL),
                     WIRE_TRANSPORT_LAZY);
    pipe_source_open(&sources[6], "rich, lazy", kit_written(model_rich(), NULL),
                     WIRE_TRANSPORT_LAZY);
    pipe_source_open(&sources[PIPE_RUNS], "network", kit_written(model_that_runs(), NULL),
                     WIRE_TRANSPORT_PIPE);
}

static inline void pipe_sources_close(pipe_source sources[PIPE_SOURCES]) {
    for (unsigned i = 0; i < PIPE_SOURCES; i++) pipe_source_close(&sources[i]);
}

/* Limits at which the sources are accepted, and little more. */
static inline wlk_limits pipe_limits(void) {
    wlk_limits limits;
    wlk_limits_default(&limits);
    limits.output_bytes = limits.image_bytes = 1u << 20;
    limits.tensors = 64;
    return limits;
}

/* Seeds from `first` on; what the honest answers give is checked before. */
static inline void pipe_mutations(uint64_t first, uint64_t count, model_use *use, pipe_tally *t) {
    static pipe_source sources[PIPE_SOURCES];
    const wlk_limits limits = pipe_limits();
    *t = (pipe_tally){0};
    pipe_sources_open(sources);
    const unsigned descriptors = leftovers_descriptors();
    for (uint64_t i = 0; i < count; i++) {
        pipe_check(&sources[i % PIPE_SOURCES], first + i, &limits, use, t);
    }
    assert_int_equal(leftovers_descriptors(), descriptors);
    pipe_sources_close(sources);
}

#endif
