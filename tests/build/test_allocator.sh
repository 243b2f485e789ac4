#!/bin/sh
# The host sets one allocator, and both libraries take all their memory from it and give
# all of it back, the inference core too, which has code of its own for that.
set -eu
build="${BUILD:-build}" cc="${CC:-cc}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/host.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <weighlock/infer.h>
#include <weighlock/memory.h>
#include <weighlock/write.h>

static long asked, alive;

static void *take(void *context, size_t size, size_t alignment) {
    void *memory = NULL;
    if (posix_memalign(&memory, alignment < 8 ? 8 : alignment, size) != 0) return NULL;
    asked++, alive++;
    return context == &alive ? memory : NULL;
}

static void *change(void *context, void *memory, size_t size) {
    asked++;
    if (!memory) alive++;
    return context == &alive ? realloc(memory, size) : NULL;
}

static void give_back(void *context, void *memory) {
    if (context == &alive) alive--;
    free(memory);
}

/* y = relu(x) */
static wlk_model *build(void) {
    wlk_writer *writer = NULL;
    wlk_model *model = NULL;
    const int64_t dims[] = {2};
    if (wlk_writer_new(NULL, &writer, NULL) != WLK_OK) return NULL;
    wlk_writer_opset(writer, "", 13);
    wlk_writer_graph(writer, "");
    wlk_writer_input(writer, "x", wlk_writer_tensor_type(writer, WLK_F32, 1, dims));
    wlk_writer_output(writer, "y", WLK_NONE);
    wlk_writer_node(writer, "Relu", "", "", (const char *[]){"x", NULL}, (const char *[]){"y", NULL});
    if (wlk_writer_finish(writer, &model, NULL) != WLK_OK) model = NULL;
    wlk_writer_free(writer);
    return model;
}

#define EXPECT(what)                      \
    if (!(what)) {                        \
        printf("not so: %s\n", #what);    \
        return 1;                         \
    }

int main(void) {
    static const float x[2] = {-1, 2};
    wlk_tensor input = {.dtype = WLK_F32, .rank = 1, .shape = {2}, .data = x, .nbytes = sizeof x};
    const wlk_allocator host = {&alive, take, change, give_back};
    wlk_plan *plan;
    wlk_result *result;
    wlk_error error;
    EXPECT(!wlk_allocator_get());
    wlk_allocator_set(&host);
    EXPECT(wlk_allocator_get()->context == &alive);
    wlk_model *model = build();
    EXPECT(model && alive > 0);
    const long before = alive;
    EXPECT(wlk_plan_create(model, NULL, &plan, &error) == WLK_OK && alive > before);
    const long planned = asked;
    EXPECT(wlk_run(plan, &input, 1, &result, &error) == WLK_OK && asked > planned);
    EXPECT(((const float *)wlk_result_tensor(result, 0).data)[1] == 2);
    wlk_result_free(result);
    wlk_plan_free(plan);
    EXPECT(alive == before);
    wlk_model_free(model);
    EXPECT(alive == 0);
    wlk_allocator_set(NULL);
    EXPECT(!wlk_allocator_get());
    return 0;
}
C
compile="$cc -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror ${SAN:+-fsanitize=$SAN} -Iinclude $work/host.c -L$build/lib"
$compile -o "$work/shared" -lweighlock-infer -lweighlock
LD_LIBRARY_PATH="$build/lib" "$work/shared"
$compile -o "$work/static" -Wl,-Bstatic -lweighlock-infer -lweighlock -Wl,-Bdynamic \
    -lsodium -lzstd -lm -lpthread
"$work/static"
