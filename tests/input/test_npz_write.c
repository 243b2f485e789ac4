#include "support/scratch.h"

#include <sys/mman.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "input/array.h"
#include "input/npz_write.h"

/* ---- an archive in a file, with holes */

typedef struct sparse_file {
    int fd;
    const void *zeros; /* a mapping that is put out as a hole */
} sparse_file;

static wlk_status put_sparse(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    const sparse_file *file = context;
    (void)error;
    if (bytes == file->zeros) {
        assert_true(lseek(file->fd, (off_t)length, SEEK_CUR) > 0);
    } else {
        assert_int_equal(write(file->fd, bytes, length), length);
    }
    return WLK_OK;
}

typedef struct archive {
    sparse_file file;
    npy_output output;
    npz_writer *npz;
} archive;

static void archive_open(archive *a, const char *name, const void *zeros) {
    a->file.fd = open(in_scratch(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(a->file.fd >= 0);
    a->file.zeros = zeros;
    a->output = (npy_output){&a->file, put_sparse};
    a->npz = npz_new(&a->output);
    assert_non_null(a->npz);
}

static void archive_add(archive *a, const wlk_tensor *tensor) {
    npy_layout layout;
    wlk_error error = {0};
    EXPECT_OK(npy_layout_of(tensor, UINT64_MAX, &layout, &error));
    EXPECT_OK(npz_add(a->npz, tensor, &layout, &error));
}

static void archive_close(archive *a) {
    wlk_error error = {0};
    EXPECT_OK(npz_finish(a->npz, &error));
    npz_free(a->npz);
    assert_int_equal(close(a->file.fd), 0);
}

static wlk_tensor bytes_named(const char *name, const void *data, uint64_t count) {
    return (wlk_tensor){.name = name,
                        .dtype = WLK_U8,
                        .rank = 1,
                        .shape = {count},
                        .count = count,
                        .data = data,
                        .nbytes = count};
}

/* ---- names */

static const struct {
    const char *name;
    const char *member;
} names[] = {
    {"weight", "weight"},
    {"layer.0.conv_1-a", "layer.0.conv_1-a"},
    {"a/b", "a%2Fb"},
    {"/etc/passwd", "%2Fetc%2Fpasswd"},
    {"../../x", "%2E.%2F..%2Fx"},
    {"..", "%2E."},
    {".", "%2E"},
    {".hidden", "%2Ehidden"},
    {"C:\\x", "C%3A%5Cx"},
    {"a%2Fb", "a%252Fb"},
    {"%", "%25"},
    {"x", "x"},
    {"x.npy", "x%2Enpy"},
    {"x.npy.npy", "x.npy%2Enpy"},
    {".npy", "%2Enpy"},
    {"x.npz", "x.npz"},
    {"onnx::MatMul_1", "onnx%3A%3AMatMul_1"},
    {"gr\xc3\xb6\xc3\x9f"
     "e",
     "gr%C3%B6%C3%9Fe"},
    {"\xe2\x80\xae", "%E2%80%AE"},
    {"\x1b[2J", "%1B%5B2J"},
    {"a b\tc", "a%20b%09c"},
    {"file", "file"},
};
#define NAME_COUNT (sizeof names / sizeof *names)

static void test_member_names(void **state) {
    (void)state;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        char *member = npz_member_name(names[i].name);
        assert_string_equal(member, names[i].member);
        mem_free(member);
        for (size_t j = 0; j < i; j++) assert_string_not_equal(names[i].member, names[j].member);
    }
    char *nameless = npz_member_name("");
    assert_string_equal(nameless, "%");
    mem_free(nameless);
}

/* One byte under and over what a zip archive can hold as a name. */
static void test_long_names(void **state) {
    (void)state;
    for (size_t length = 65530; length <= 65531; length++) {
        archive a;
        npy_layout layout;
        wlk_error error = {0};
        char *name = calloc(1, length + 1);
        assert_non_null(name);
        memset(name, 'n', length);
        archive_open(&a, "long.npz", NULL);
        const wlk_tensor t = bytes_named(name, "x", 1);
        EXPECT_OK(npy_layout_of(&t, 1, &layout, &error));
        const wlk_status status = npz_add(a.npz, &t, &layout, &error);
        if (length == 65530) expect_ok(status, &error);
        if (length == 65531) expect_refused("long", status, &error, "npz.name", "nnn...");
        archive_close(&a);
        free(name);
        assert_int_equal(remove(in_scratch("long.npz")), 0);
    }
}

/* ---- what Python reads (check_npz.py) */

/* The tensor as a file of its own, for comparison. */
static void write_alone(const wlk_tensor *tensor, unsigned number) {
    char name[32];
    npy_layout layout;
    wlk_error error = {0};
    (void)snprintf(name, sizeof name, "%u.npy", number);
    sparse_file file = {.fd = open(in_scratch(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    const npy_output output = {&file, put_sparse};
    EXPECT_OK(npy_layout_of(tensor, UINT64_MAX, &layout, &error));
    EXPECT_OK(npy_put(tensor, &layout, &output, &error));
    (void)close(file.fd);
}

/* Of every odd name, a tensor of another type: packed, text, empty ones too. */
static wlk_tensor tensor_number(unsigned i, const input_array *texts) {
    static const uint8_t data[64] = {1, 2, 3, 0xff, 0x7f, 0x80};
    static const wlk_dtype dtypes[] = {WLK_F32, WLK_U4, WLK_F6E2M3, WLK_C128, WLK_BF16, WLK_I4};
    wlk_tensor t = {.dtype = dtypes[i % 6], .rank = 1, .shape = {4}, .count = 4, .data = data};
    t.nbytes = (uint64_t)4 * wlk_dtype_bits(t.dtype) / 8;
    if (i % 7 == 3) t = texts->tensor;
    if (i % 7 == 5) t = (wlk_tensor){.dtype = WLK_F64, .rank = 2, .shape = {0, 3}};
    t.name = names[i].name;
    return t;
}

static void make_several(const char *file, bool alone) {
    archive a;
    input_array texts;
    wlk_error error = {0};
    const uint64_t two = 2;
    EXPECT_OK(input_array_new(WLK_STR, 1, &two, 7, UINT64_MAX, &texts, &error));
    input_array_put_string(&texts, 0, "ab", 2);
    input_array_put_string(&texts, 1, "\xe2\x82\xac!!", 5);
    archive_open(&a, file, NULL);
    for (unsigned i = 0; i < NAME_COUNT; i++) {
        const wlk_tensor t = tensor_number(i, &texts);
        archive_add(&a, &t);
        if (alone) write_alone(&t, i);
    }
    archive_close(&a);
    input_array_free(&texts);
}

static void write_names(void) {
    FILE *file = fopen(in_scratch("names"), "wbe");
    assert_non_null(file);
    for (size_t i = 0; i < NAME_COUNT; i++) assert_true(fprintf(file, "%s\n", names[i].name) > 0);
    assert_int_equal(fclose(file), 0);
}

static void make_many(uint32_t count) {
    archive a;
    char name[32];
    (void)snprintf(name, sizeof name, "many-%u.npz", count);
    archive_open(&a, name, NULL);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t byte = (uint8_t)i;
        (void)snprintf(name, sizeof name, "t%u", i);
        const wlk_tensor t = bytes_named(name, &byte, 1);
        archive_add(&a, &t);
    }
    archive_close(&a);
}

/* Before and behind 4 GiB of zeros that nobody has to store. */
static void make_large(void) {
    archive a;
    const uint64_t length = (4ull << 30) + 100;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    const void *zeros = mmap(NULL, length, PROT_READ, flags, -1, 0);
    assert_true(zeros != MAP_FAILED);
    const wlk_tensor small = bytes_named("small", "abc", 3), behind = bytes_named("end", "abc", 3);
    const wlk_tensor large = bytes_named("large", zeros, length);
    archive_open(&a, "large.npz", zeros);
    archive_add(&a, &small);
    archive_add(&a, &large);
    archive_add(&a, &behind);
    archive_close(&a);
    assert_int_equal(munmap((void *)(uintptr_t)zeros, length), 0);
}

static void test_python_reads_it(void **state) {
    (void)state;
    archive empty;
    make_several("several.npz", true);
    write_names();
    archive_open(&empty, "empty.npz", NULL);
    archive_close(&empty);
    make_many(65534);
    make_many(65535);
    make_large();
    run_python("tests/input/check_npz.py", scratch);
}

static void test_the_same_bytes(void **state) {
    (void)state;
    size_t length, again_length;
    make_several("one.npz", false);
    make_several("two.npz", false);
    uint8_t *one = read_bytes(in_scratch("one.npz"), &length);
    uint8_t *two = read_bytes(in_scratch("two.npz"), &again_length);
    assert_int_equal(length, again_length);
    assert_memory_equal(one, two, length);
    free(one);
    free(two);
}

/* ---- outputs that fail */

static wlk_status put_fails(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    uint32_t *left = context;
    (void)bytes, (void)length;
    return (*left)-- == 0 ? error_at(error, RULE_CLI_OUTPUT, WLK_NO_OFFSET) : WLK_OK;
}

static wlk_status put_some(npz_writer *npz, wlk_error *error) {
    npy_layout layout;
    const wlk_tensor t = bytes_named("t", "abc", 3);
    TRY(npy_layout_of(&t, 3, &layout, error));
    TRY(npz_add(npz, &t, &layout, error));
    return npz_finish(npz, error);
}

/* At whichever piece the output fails, the writer says so and nothing leaks. */
static void test_output_that_fails(void **state) {
    (void)state;
    uint32_t pieces = 0;
    for (bool failed = true; failed; pieces++) {
        uint32_t left = pieces;
        wlk_error error = {0};
        const npy_output output = {&left, put_fails};
        npz_writer *npz = npz_new(&output);
        const wlk_status status = put_some(npz, &error);
        failed = status != WLK_OK;
        if (failed) expect_refused("output", status, &error, "cli.output", NULL);
        npz_free(npz);
    }
    assert_true(pieces > 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_member_names),      cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_python_reads_it),   cmocka_unit_test(test_the_same_bytes),
        cmocka_unit_test(test_output_that_fails),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
