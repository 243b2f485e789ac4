/* Expected digests: as text, in lists of sha256sum and b2sum, and of a file. */
#include "support.h"

#include "trust/digest_list.h"
#include "trust/file_digest.h"

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B32 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define A64 A32 A32
#define B64 B32 B32
#define A128 A64 A64
#define B128 B64 B64

static void test_digests_as_text(void **state) {
    (void)state;
    static const struct {
        int kind;
        const char *hex;
        uint32_t length; /* 0: refused */
    } rows[] = {
        {WLK_SHA256, A64, 32},
        {WLK_SHA256, "0123456789abcdefABCDEF0123456789" A32, 32},
        {WLK_BLAKE2B, A64, 32},
        {WLK_BLAKE2B, A128, 64},
        {WLK_SHA256, A128, 0},
        {WLK_SHA256, "", 0},
        {WLK_SHA256, A32, 0},
        {WLK_SHA256, A64 "a", 0},
        {WLK_SHA256, A64 "\n", 0},
        {WLK_SHA256, "0x" A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0},
        {WLK_SHA256, A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaag", 0},
        {WLK_SHA256, A32 " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0},
        {WLK_BLAKE2B, A32, 0},
        {WLK_BLAKE2B, A64 A32, 0},
        {WLK_BLAKE2B, A128 "aa", 0},
        {0, A64, 0},
        {3, A64, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_digest digest = {0};
        wlk_error error;
        EXPECT_RULE(wlk_digest_parse((wlk_digest_kind)rows[i].kind, rows[i].hex, &digest, &error),
                    rows[i].length ? RULE_NONE : RULE_TRUST_DIGEST_FORM);
        assert_int_equal(digest.length, rows[i].length);
        char hex[2 * WLK_DIGEST_BYTES + 1];
        (void)sodium_bin2hex(hex, sizeof hex, digest.value, digest.length);
        if (rows[i].length) assert_int_equal(strcasecmp(hex, rows[i].hex), 0);
    }
}

/* ---- lists */

static const struct {
    const char *list, *file;
    wlk_rule rule;
    uint64_t offset;
    wlk_digest_kind kind;
    uint32_t length;
    uint8_t first;
} lists[] = {
    /* found */
    {A64 "  m.wlk\n", "m.wlk", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {A64 " *m.wlk\n", "m.wlk", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {A64 "  m.wlk", "m.wlk", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {A64 "  m.wlk\r\n", "m.wlk", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {A128 "  m.wlk\n", "m.wlk", RULE_NONE, 0, WLK_BLAKE2B, 64, 0xaa},
    {"AAAAAAAAAAAAAAAA" A32 "AAAAAAAAAAAAAAAA  m.wlk\n", "m.wlk", RULE_NONE, 0, WLK_SHA256, 32,
     0xaa},
    {"SHA256 (m.wlk) = " A64 "\n", "m.wlk", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {"BLAKE2b (m.wlk) = " A128 "\n", "m.wlk", RULE_NONE, 0, WLK_BLAKE2B, 64, 0xaa},
    {"BLAKE2b-256 (m.wlk) = " A64 "\n", "m.wlk", RULE_NONE, 0, WLK_BLAKE2B, 32, 0xaa},
    {A64 "  m.wlk\n", "/models/m.wlk", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {A64 "  /models/m.wlk\n", "/models/m.wlk", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {A64 "  ./m.wlk\n", "./m.wlk", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {B64 "  other\n" A64 "  m.wlk\n" B64 "  m.wlk2\n", "m.wlk", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {"# made by hand\n\n" A64 "  m.wlk\n", "m.wlk", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {A64 "  m.wlk\n" A64 " *m.wlk\n", "m.wlk", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {A64 "   m.wlk\n", " m.wlk", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {A64 "  a) = b\n", "a) = b", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {"SHA256 (a) = " B64 ") = " A64 "\n", "a) = " B64, RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {"SHA256 (SHA256 (x) = " A64 "\n", "SHA256 (x", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {"\\" A64 "  a\\nb\\\\c\\rd\n", "a\nb\\c\rd", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {"\\SHA256 (a\\nb) = " A64 "\n", "a\nb", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {A64 "  a\\nb\n", "a\\nb", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {A64 "  caf\xc3\xa9\n", "caf\xc3\xa9", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    {A64 "  \xff\n", "\xff", RULE_NONE, 0, WLK_SHA256, 32, 0xaa},
    /* not there */
    {"", "m.wlk", RULE_TRUST_DIGEST_MISSING, WLK_NO_OFFSET, 0, 0, 0},
    {"# nothing\n", "m.wlk", RULE_TRUST_DIGEST_MISSING, WLK_NO_OFFSET, 0, 0, 0},
    {A64 "  other\n", "m.wlk", RULE_TRUST_DIGEST_MISSING, WLK_NO_OFFSET, 0, 0, 0},
    {A64 "  /elsewhere/m.wlk\n", "m.wlk", RULE_TRUST_DIGEST_MISSING, WLK_NO_OFFSET, 0, 0, 0},
    {A64 "  /elsewhere/m.wlk\n", "/here/m.wlk", RULE_TRUST_DIGEST_MISSING, WLK_NO_OFFSET, 0, 0, 0},
    {A64 "  m.wlk.old\n" A64 "  m.wl\n" A64 "  M.wlk\n", "m.wlk", RULE_TRUST_DIGEST_MISSING,
     WLK_NO_OFFSET, 0, 0, 0},
    {"\\" A64 "  a\\\\nb\n", "a\nb", RULE_TRUST_DIGEST_MISSING, WLK_NO_OFFSET, 0, 0, 0},
    {A64 "  m\n", "folder/", RULE_TRUST_DIGEST_MISSING, WLK_NO_OFFSET, 0, 0, 0},
    /* two that differ */
    {A64 "  m\n" B64 "  m\n", "m", RULE_TRUST_DIGEST_CONFLICT, 68, 0, 0, 0},
    {A64 "  m\n" B64 "  /d/m\n", "/d/m", RULE_TRUST_DIGEST_CONFLICT, 68, 0, 0, 0},
    {A64 "  m\nBLAKE2b-256 (m) = " A64 "\n", "m", RULE_TRUST_DIGEST_CONFLICT, 68, 0, 0, 0},
    {A64 "  m\n" A128 "  m\n", "m", RULE_TRUST_DIGEST_CONFLICT, 68, 0, 0, 0},
    {A128 "  m\nBLAKE2b-256 (m) = " A64 "\n", "m", RULE_TRUST_DIGEST_CONFLICT, 132, 0, 0, 0},
    /* not a list; the file's own line is no excuse */
    {"hello\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {A64 "  m\nhello\n", "m", RULE_TRUST_DIGEST_TEXT, 68, 0, 0, 0},
    {" " A64 "  m\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {A64 " m\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {A64 "\tm\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {A64 "\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {A64 "  \n", "", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {A32 "  m\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {A64 "a  m\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {A64 A32 "  m\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {A32 "gaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  m\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {"SHA256 () = " A64 "\n", "", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {"SHA256 (m)= " A64 "\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {"SHA256 (m) = " A64 " \n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {"SHA256 (m) = " A32 "\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {A32 "0123456789abcdef0123456789abcdeg  m\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {"SHA256 (m) = " A32 "g123456789abcdef0123456789abcdef\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0,
     0},
    {"SHA256 (m) = " A128 "\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {"SHA256 (", "", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {"MD5 (m) = " A32 "\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {"BLAKE2b-256 (m) = " A128 "\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {"\\" A64 "  a\\tb\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {"\\" A64 "  a\\\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {"\\\\" A64 "  a\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {"\\", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
    {"\xef\xbb\xbf" A64 "  m\n", "m", RULE_TRUST_DIGEST_TEXT, 0, 0, 0, 0},
};

static void test_lists(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const size_t length = strlen(lists[i].list);
        uint8_t *exact = malloc(length + 1); /* without its NUL */
        wlk_digest got = {0};
        wlk_error error = {.rule = RULE_NONE};
        assert_non_null(exact);
        memcpy(exact, lists[i].list, length);
        const wlk_status status =
            digest_list_find("list", exact, length, lists[i].file, &got, &error);
        free(exact);
        if ((status == WLK_OK) != (lists[i].rule == RULE_NONE)) fail_msg("row %zu", i);
        expect_rule(status, &error, lists[i].rule, &lists[i].offset);
        assert_int_equal(got.kind, lists[i].kind);
        assert_int_equal(got.length, lists[i].length);
        assert_int_equal(got.value[0], lists[i].first);
    }
}

static void test_nul_in_a_name(void **state) {
    (void)state;
    static const uint8_t list[] = A64 "  m\0x\n";
    wlk_digest got;
    wlk_error error;
    EXPECT_AT(digest_list_find("list", list, sizeof list - 1, "m", &got, &error),
              RULE_TRUST_DIGEST_TEXT, 0);
}

/* Invariant 7: one MiB of list, and no more. */
static void test_invariant_7_length(void **state) {
    (void)state;
    const char *path = in_scratch("list");
    char *text = malloc(DIGEST_LIST_MAX + 1);
    wlk_digest got;
    wlk_error error;
    assert_non_null(text);
    memset(text, '\n', DIGEST_LIST_MAX + 1);
    memcpy(text + DIGEST_LIST_MAX - 67, A64 "  m", 67);
    write_bytes(path, text, DIGEST_LIST_MAX, 0644);
    EXPECT_OK(wlk_digest_find(path, "m", &got, &error));
    write_bytes(path, text, DIGEST_LIST_MAX + 1, 0644);
    EXPECT_AT(wlk_digest_find(path, "m", &got, &error), RULE_TRUST_DIGEST_TEXT, DIGEST_LIST_MAX);
    EXPECT_RULE(wlk_digest_find(in_scratch("none"), "m", &got, &error), RULE_TRUST_DIGEST_READ);
    EXPECT_RULE(wlk_digest_find(scratch, "m", &got, &error), RULE_TRUST_DIGEST_READ);
    free(text);
}

/* ---- what sha256sum and b2sum themselves write */

static void run_tool(const char *command, char *const *words, const char *output) {
    const pid_t pid = fork();
    int status;
    assert_true(pid >= 0);
    if (pid == 0) {
        const int out = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (out < 0 || dup2(out, 1) < 0 || chdir(scratch) != 0) _exit(98);
        (void)execv(command, words);
        _exit(99);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_the_tools(void **state) {
    (void)state;
    static const char *const names[] = {"plain",      "with space", "new\nline", "back\\slash",
                                        "car\rriage", ") = (",      "*star",     "#hash"};
    static const struct {
        const char *tool, *option;
    } tools[] = {{"/usr/bin/sha256sum", "--text"}, {"/usr/bin/sha256sum", "--binary"},
                 {"/usr/bin/sha256sum", "--tag"},  {"/usr/bin/b2sum", "--text"},
                 {"/usr/bin/b2sum", "--tag"},      {"/usr/bin/b2sum", "--tag -l256"}};
    char *words[16] = {NULL};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        write_bytes(in_scratch(names[n]), names[n], strlen(names[n]), 0644);
    }
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
        int count = 0;
        char first[16], *rest = first;
        (void)snprintf(first, sizeof first, "%s", tools[i].option);
        words[count++] = (char *)(uintptr_t)tools[i].tool;
        while (rest) words[count++] = strsep(&rest, " ");
        words[count++] = (char *)(uintptr_t) "--";
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            words[count++] = (char *)(uintptr_t)names[n];
        }
        words[count] = NULL;
        run_tool(tools[i].tool, words, in_scratch("list"));
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            wlk_digest digest;
            wlk_verification found;
            wlk_error error;
            EXPECT_OK(wlk_digest_find(in_scratch("list"), in_scratch(names[n]), &digest, &error));
            const wlk_evidence evidence = {.digests = &digest, .digest_count = 1};
            const wlk_verify_options options = {.evidence = &evidence};
            EXPECT_OK(wlk_verify_memory((const uint8_t *)names[n], strlen(names[n]), &options,
                                        &found, &error));
            assert_int_equal(found.digests, 1);
        }
    }
}

/* ---- the digests of a file */

/* All rows at once, on both ways, at lengths around a step and above a helper's worth. */
static void test_one_pass(void **state) {
    (void)state;
    static const uint64_t sizes[] = {0, 1, 65535, 65536, 65537, (1u << 20) - 1, (3u << 20) + 17};
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        const uint64_t size = sizes[i / 2];
        uint8_t *data = malloc(size + 1), want[64];
        assert_non_null(data);
        fill_noise(data, size, 9);
        file_pass pass = {.data = data, .size = size, .wanted = {true, true, true}};
        if (i % 2) file_pass_start(&pass);
        file_pass_finish(&pass);
        (void)crypto_hash_sha256(want, data, size);
        assert_memory_equal(pass.value[FILE_SHA256], want, 32);
        (void)crypto_generichash(want, 32, data, size, NULL, 0);
        assert_memory_equal(pass.value[FILE_BLAKE2B_256], want, 32);
        (void)crypto_generichash(want, 64, data, size, NULL, 0);
        assert_memory_equal(pass.value[FILE_BLAKE2B_512], want, 64);
        free(data);
    }
}

/* A pass that nobody waits for ends before its data go away. */
static void test_dropped_pass(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        const uint64_t size = 4u << 20;
        uint8_t *data = calloc(1, size);
        assert_non_null(data);
        file_pass pass = {.data = data, .size = size, .wanted = {true}};
        file_pass_start(&pass);
        file_pass_drop(&pass);
        assert_false(pass.helped);
        free(data);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digests_as_text), cmocka_unit_test(test_lists),
        cmocka_unit_test(test_nul_in_a_name),   cmocka_unit_test(test_invariant_7_length),
        cmocka_unit_test(test_the_tools),       cmocka_unit_test(test_one_pass),
        cmocka_unit_test(test_dropped_pass),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
