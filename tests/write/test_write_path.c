#include "support/scratch.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "write/everything.h"

static void remove_one(const char *path) {
    assert_int_equal(remove(path), 0);
}

static void expect_content(const char *path, const uint8_t *bytes, uint64_t size) {
    size_t length;
    uint8_t *content = read_bytes(path, &length);
    assert_int_equal(length, size);
    assert_memory_equal(content, bytes, size);
    free(content);
}

/* The file has the bytes that memory has, however it is named. */
static void test_same_as_in_memory(void **state) {
    (void)state;
    const char *path = in_scratch("model.wlk");
    wlk_model *model = everything();
    uint8_t *bytes;
    uint64_t size;
    wlk_error error = {0};
    EXPECT_OK(wlk_write_memory(model, NULL, &bytes, &size, &error));
    EXPECT_OK(wlk_write_path(model, NULL, path, &error));
    expect_content(path, bytes, size);
    EXPECT_OK(wlk_write_path(model, NULL, path, &error)); /* and again, over it */
    expect_content(path, bytes, size);
    assert_int_equal(entries_of(scratch), 1);
    remove_one(path);
    char here[PATH_MAX];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(scratch), 0);
    EXPECT_OK(wlk_write_path(model, NULL, "plain.wlk", &error));
    assert_int_equal(chdir(here), 0);
    expect_content(in_scratch("plain.wlk"), bytes, size);
    remove_one(in_scratch("plain.wlk"));
    free(bytes);
    wlk_model_free(model);
}

/* More runs of bytes than go into one system call. */
static void test_many_small_tensors(void **state) {
    (void)state;
    const char *path = in_scratch("many.wlk");
    uint8_t *bytes;
    uint64_t size;
    wlk_error error = {0};
    wlk_writer *w = writer_new();
    for (uint32_t i = 0; i < 1000; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "w%u", i);
        const wlk_tensor t = {.name = name,
                              .dtype = WLK_U8,
                              .rank = 1,
                              .shape = {i % 60},
                              .data = scratch,
                              .nbytes = i % 60};
        (void)wlk_writer_tensor(w, &t);
    }
    wlk_model *model = writer_end(w);
    EXPECT_OK(wlk_write_memory(model, NULL, &bytes, &size, &error));
    EXPECT_OK(wlk_write_path(model, NULL, path, &error));
    expect_content(path, bytes, size);
    wlk_model_free(read_back(bytes, size));
    remove_one(path);
    free(bytes);
    wlk_model_free(model);
}

/* Signing: the same signature in memory and on disk; it verifies, and nobody
 * else's does. */
static void test_signed(void **state) {
    (void)state;
    const char *path = in_scratch("signed.wlk");
    wlk_model *model = everything();
    wlk_secret_key *secret;
    wlk_public_key key;
    wlk_trust *trust;
    wlk_verification verification;
    uint8_t *bytes;
    uint64_t size;
    wlk_error error = {0};
    EXPECT_OK(wlk_keygen(in_scratch("k.key"), in_scratch("k.pub"), NULL, &key, &error));
    EXPECT_OK(wlk_secret_key_load(in_scratch("k.key"), NULL, &secret, &error));
    EXPECT_OK(wlk_trust_new(&trust, &error));
    EXPECT_OK(wlk_trust_add(trust, &key, "me", &error));
    const wlk_write_options options = {.key = secret};
    EXPECT_OK(wlk_write_memory(model, &options, &bytes, &size, &error));
    EXPECT_OK(wlk_write_path(model, &options, path, &error));
    expect_content(path, bytes, size);
    EXPECT_OK(wlk_verify_memory(bytes, size, &(wlk_verify_options){.trust = trust, .threads = 1},
                                &verification, &error));
    assert_int_equal(verification.state, WLK_SIGNED_TRUSTED);
    assert_string_equal(verification.key_name, "me");
    bytes[size - 1] ^= 1;
    expect_refused(
        "altered",
        wlk_verify_memory(bytes, size, &(wlk_verify_options){.trust = trust, .threads = 1},
                          &verification, &error),
        &error, "trust.chunk-digest", NULL);
    free(bytes);
    wlk_trust_free(trust);
    wlk_secret_key_free(secret);
    wlk_model_free(model);
    remove_one(path);
    remove_one(in_scratch("k.key"));
    remove_one(in_scratch("k.pub"));
}

static void test_places_where_nothing_can_be_written(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *rule;
    } rows[] = {
        {"none/model.wlk", "write.failed"}, {"", "write.failed"},     {"folder/", "write.failed"},
        {"folder", "write.target"},         {"link", "write.target"}, {"fifo", "write.target"},
        {"file/model.wlk", "write.failed"},
    };
    wlk_model *model = everything();
    assert_int_equal(mkdir(in_scratch("folder"), 0700), 0);
    assert_int_equal(symlink("file", in_scratch("link")), 0);
    assert_int_equal(mkfifo(in_scratch("fifo"), 0600), 0);
    write_bytes(in_scratch("file"), "kept", 4);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_error error = {0};
        const char *path = rows[i].name[0] ? in_scratch(rows[i].name) : "";
        expect_refused(rows[i].name, wlk_write_path(model, NULL, path, &error), &error,
                       rows[i].rule, NULL);
        assert_int_equal(entries_of(scratch), 4);
    }
    wlk_error error = {0};
    expect_refused("device", wlk_write_path(model, NULL, "/dev/null", &error), &error,
                   "write.target", "/dev/null");
    expect_content(in_scratch("file"), (const uint8_t *)"kept", 4);
    remove_one(in_scratch("folder"));
    remove_one(in_scratch("link"));
    remove_one(in_scratch("fifo"));
    remove_one(in_scratch("file"));
    wlk_model_free(model);
}

/* The disk is full after any number of bytes: the old file stays as it was, and
 * nothing else is left. */
static void test_never_partial(void **state) {
    (void)state;
    const char *path = in_scratch("model.wlk");
    wlk_model *model = everything();
    struct rlimit before, limit;
    uint8_t *bytes;
    uint64_t size;
    wlk_error error = {0};
    EXPECT_OK(wlk_write_memory(model, NULL, &bytes, &size, &error));
    write_bytes(path, "the old file", 12);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    for (uint64_t most = 0; most < size; most += size / 7) {
        limit = (struct rlimit){most, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        const wlk_status status = wlk_write_path(model, NULL, path, &error);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        expect_refused("full", status, &error, "write.failed", "File too large");
        assert_int_equal(status, WLK_SYSTEM);
        assert_int_equal(entries_of(scratch), 1);
        expect_content(path, (const uint8_t *)"the old file", 12);
    }
    EXPECT_OK(wlk_write_path(model, NULL, path, &error));
    expect_content(path, bytes, size);
    remove_one(path);
    free(bytes);
    wlk_model_free(model);
}

static void test_a_model_that_cannot_be_written_leaves_nothing(void **state) {
    (void)state;
    static const wlk_write_options options = {.chunk_log2 = 3};
    wlk_model *model = everything();
    wlk_error error = {0};
    expect_refused("options", wlk_write_path(model, &options, in_scratch("x.wlk"), &error), &error,
                   "write.options", NULL);
    assert_int_equal(entries_of(scratch), 0);
    wlk_model_free(model);
}

static void test_mode_follows_the_umask(void **state) {
    (void)state;
    struct stat info;
    wlk_error error = {0};
    wlk_model *model = everything();
    const mode_t before = umask(027);
    EXPECT_OK(wlk_write_path(model, NULL, in_scratch("x.wlk"), &error));
    (void)umask(before);
    assert_int_equal(stat(in_scratch("x.wlk"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    remove_one(in_scratch("x.wlk"));
    wlk_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_in_memory),
        cmocka_unit_test(test_many_small_tensors),
        cmocka_unit_test(test_signed),
        cmocka_unit_test(test_places_where_nothing_can_be_written),
        cmocka_unit_test(test_never_partial),
        cmocka_unit_test(test_a_model_that_cannot_be_written_leaves_nothing),
        cmocka_unit_test(test_mode_follows_the_umask),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
