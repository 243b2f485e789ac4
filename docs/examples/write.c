/* Builds a model that computes y = softmax(x w + b), signs it and writes it.
 *
 *   cc -Iinclude -o write docs/examples/write.c -Lbuild/lib -lweighlock
 *   LD_LIBRARY_PATH=build/lib ./write small.wlk my.key */
#include <stdio.h>
#include <weighlock/write.h>

static const float w[2][2] = {{1, -1}, {0.5f, 2}}, b[2] = {0.1f, -0.1f};
static const float golden_x[2] = {1, 2}, golden_y[2] = {0.31002545f, 0.6899745f};

static wlk_tensor tensor(const char *name, const float *data, uint64_t rows) {
    wlk_tensor t = {.name = name, .dtype = WLK_F32, .rank = 2, .shape = {rows, 2}, .data = data};
    t.nbytes = rows * 2 * sizeof *data;
    return t;
}

/* The first error sticks, so that only wlk_writer_finish has to be looked at. */
static void build(wlk_writer *writer) {
    const wlk_tensor tensors[] = {tensor("w", w[0], 2), tensor("b", b, 1),
                                  tensor("golden_x", golden_x, 1), tensor("golden_y", golden_y, 1)};
    const int64_t any_rows[] = {WLK_UNKNOWN_DIM, 2};
    wlk_writer_meta_string(writer, "/name", "small");
    wlk_writer_opset(writer, "", 13);
    for (int i = 0; i < 4; i++) wlk_writer_tensor(writer, &tensors[i]);
    wlk_writer_graph(writer, "main");
    wlk_writer_input(writer, "x", wlk_writer_tensor_type(writer, WLK_F32, 2, any_rows));
    wlk_writer_output(writer, "y", WLK_NONE);
    wlk_writer_node(writer, "Gemm", "", "", (const char *[]){"x", "w", "b", NULL},
                    (const char *[]){"scores", NULL});
    wlk_writer_node(writer, "Softmax", "", "", (const char *[]){"scores", NULL},
                    (const char *[]){"y", NULL});
    wlk_writer_selftest(writer, (const char *[]){"golden_x", NULL},
                        (const char *[]){"golden_y", NULL}, 1e-6, 1e-6);
}

int main(int argc, char **argv) {
    wlk_writer *writer = NULL;
    wlk_model *model = NULL;
    wlk_secret_key *key = NULL;
    wlk_error error;
    char text[512];
    if (argc < 3) return WLK_USAGE;
    wlk_status status = wlk_writer_new(NULL, &writer, &error);
    if (status == WLK_OK) build(writer);
    if (status == WLK_OK) status = wlk_writer_finish(writer, &model, &error);
    if (status == WLK_OK) status = wlk_secret_key_load(argv[2], NULL, &key, &error);
    const wlk_write_options options = {.key = key};
    if (status == WLK_OK) status = wlk_write_path(model, &options, argv[1], &error);
    if (status != WLK_OK) fprintf(stderr, "%s\n", wlk_error_format(&error, text, sizeof text));
    wlk_secret_key_free(key);
    wlk_model_free(model);
    wlk_writer_free(writer);
    return status;
}
