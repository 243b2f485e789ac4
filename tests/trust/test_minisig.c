/* The text of .minisig files, and which of them lie beside a file. */
#include "support.h"

#include "trust/minisig.h"

/* A well-formed signature of key `number`, whatever it is over. */
static wlk_signature some_signature(uint8_t number) {
    wlk_signature signature = {.prehashed = 1, .trusted_comment = "timestamp:1\tfile:m"};
    memset(signature.key_id, number, sizeof signature.key_id);
    memset(signature.signature, 0xa5, sizeof signature.signature);
    memset(signature.global_signature, 0x5a, sizeof signature.global_signature);
    return signature;
}

/* Its four lines, without ends. */
typedef struct four_lines {
    char line[4][KEY_FILE_MAX];
} four_lines;

static four_lines lines_of(const wlk_signature *signature) {
    uint8_t text[KEY_FILE_MAX + 1];
    four_lines lines;
    text[minisig_encode(signature, text)] = '\0';
    char *rest = (char *)text;
    for (int i = 0; i < 4; i++) {
        (void)snprintf(lines.line[i], sizeof lines.line[i], "%s", strsep(&rest, "\n"));
    }
    assert_string_equal(rest, "");
    return lines;
}

static void test_there_and_back(void **state) {
    (void)state;
    static const char *const comments[] = {"", " ", "timestamp:1700000000\tfile:m.wlk\thashed",
                                           "caf\xc3\xa9", "trusted comment: "};
    for (size_t i = 0; i < 2 * sizeof comments / sizeof *comments; i++) {
        wlk_signature signature = some_signature(3), again;
        wlk_error error;
        uint8_t text[KEY_FILE_MAX + 1];
        signature.prehashed = i % 2 == 0;
        memset(signature.trusted_comment, 0, sizeof signature.trusted_comment);
        (void)snprintf(signature.trusted_comment, WLK_COMMENT_BYTES, "%s", comments[i / 2]);
        const uint64_t length = minisig_encode(&signature, text);
        EXPECT_OK(wlk_signature_parse(text, length, &again, &error));
        assert_memory_equal(&again, &signature, sizeof again);
        EXPECT_OK(wlk_signature_parse(text, length - 1, &again, &error)); /* no last LF */
    }
}

/* Each row changes one line; `line` 4 stands behind the last. */
static const struct {
    const char *what;
    int line;
    const char *text; /* instead of it; NULL: an edit by name below */
    int wrong;        /* the line that is refused; -1: accepted */
} rows[] = {
    {"another comment", 0, "untrusted comment: \xc3\xa9\tx", -1},
    {"empty comment", 0, "untrusted comment: ", -1},
    {"no untrusted comment", 0, "comment: x", 0},
    {"no space behind the colon", 0, "untrusted comment:", 0},
    {"upper case", 0, "Untrusted comment: x", 0},
    {"space before it", 0, " untrusted comment: x", 0},
    {"byte order mark", 0, "\xef\xbb\xbfuntrusted comment: x", 0},
    {"escape in the comment", 0, "untrusted comment: \x1b[2J", 0},
    {"comment not UTF-8", 0, "untrusted comment: \xff", 0},
    {"direction override", 0, "untrusted comment: \xe2\x80\xae", 0},
    {"carriage return inside", 0, "untrusted comment: a\rb", 0},
    {"empty first line", 0, "", 0},
    {"empty signature", 1, "", 1},
    {"signature cut", 1, "RUQ", 1},
    {"signature with a space", 1, NULL, 1},
    {"signature without padding", 1, NULL, 1},
    {"signature not canonical", 1, NULL, 1},
    {"one byte less", 1, NULL, 1},
    {"one byte more", 1, NULL, 1},
    {"URL-safe alphabet", 1, NULL, 1},
    {"algorithm eD", 1, NULL, 1},
    {"algorithm Eb", 1, NULL, 1},
    {"no trusted comment", 2, "timestamp:1", 2},
    {"untrusted instead of trusted", 2, "untrusted comment: x", 2},
    {"trusted comment without space", 2, "trusted comment:x", 2},
    {"trusted comment empty", 2, "trusted comment: ", -1},
    {"trusted comment with an escape", 2, "trusted comment: \x1b", 2},
    {"trusted comment with a bell", 2, "trusted comment: \x07", 2},
    {"trusted comment not UTF-8", 2, "trusted comment: \xc0\x80", 2},
    {"longest trusted comment", 2, NULL, -1},
    {"trusted comment too long", 2, NULL, 2},
    {"empty global signature", 3, "", 3},
    {"signature for global signature", 3, NULL, 3},
    {"global signature not canonical", 3, NULL, 3},
    {"empty line behind", 4, "", 4},
    {"text behind", 4, "x", 4},
};

static void comment_of(char *line, int length) {
    (void)snprintf(line, KEY_FILE_MAX, "trusted comment: %0*d", length, 7);
}

/* The base64 of 74 bytes ends with one '=', that of 64 with two. */
static void edit(const char *what, four_lines *l) {
    wlk_signature signature = some_signature(1);
    char *line = l->line[1], *global = l->line[3];
    const size_t last = strlen(line) - 1;
    uint8_t bytes[80] = {'E', 'D'};
    if (strstr(what, "with a space")) line[50] = ' ';
    if (strstr(what, "without padding")) line[last] = '\0';
    if (strcmp(what, "signature not canonical") == 0) line[last - 1]++;
    if (strcmp(what, "global signature not canonical") == 0) global[strlen(global) - 3]++;
    if (strstr(what, "byte less")) (void)base64_of(bytes, 73, line);
    if (strstr(what, "byte more")) (void)base64_of(bytes, 75, line);
    if (strstr(what, "URL-safe")) line[20] = '_';
    if (strstr(what, "eD")) line[0] = 'Z';
    if (strstr(what, "Eb")) line[2] = 'J';
    if (strstr(what, "longest")) comment_of(l->line[2], 1024);
    if (strstr(what, "too long")) comment_of(l->line[2], 1025);
    if (strstr(what, "for global")) memcpy(global, lines_of(&signature).line[1], KEY_FILE_MAX);
}

static void test_lines(void **state) {
    (void)state;
    static const char *const ends[] = {"\n", "\r\n"};
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        const wlk_signature signature = some_signature(1);
        four_lines lines = lines_of(&signature);
        const int at = rows[i / 2].line;
        if (at < 4 && rows[i / 2].text) {
            (void)snprintf(lines.line[at], KEY_FILE_MAX, "%s", rows[i / 2].text);
        }
        if (!rows[i / 2].text) edit(rows[i / 2].what, &lines);
        char text[2 * KEY_FILE_MAX];
        size_t used = 0;
        uint64_t offset = 0;
        for (int k = 0; k < (at == 4 ? 5 : 4); k++) {
            if (k == rows[i / 2].wrong) offset = used;
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                     k < 4 ? lines.line[k] : rows[i / 2].text, ends[i % 2]);
        }
        wlk_signature got = some_signature(9);
        const wlk_signature before = got;
        wlk_error error = {.rule = RULE_NONE};
        const wlk_status status = wlk_signature_parse((uint8_t *)text, used, &got, &error);
        const wlk_rule rule = rows[i / 2].wrong < 0 ? RULE_NONE : RULE_TRUST_SIGNATURE_TEXT;
        if ((status == WLK_OK) != (rule == RULE_NONE)) fail_msg("%s", rows[i / 2].what);
        expect_rule(status, &error, rule, &offset);
        if (status != WLK_OK) assert_memory_equal(&got, &before, sizeof got);
    }
}

static void test_every_truncation(void **state) {
    (void)state;
    const wlk_signature signature = some_signature(1);
    uint8_t text[KEY_FILE_MAX + 1];
    const uint64_t length = minisig_encode(&signature, text);
    for (uint64_t cut = 0; cut + 1 < length; cut++) {
        uint8_t *exact = malloc(cut + 1); /* so that a sanitizer sees overreads */
        wlk_signature got;
        wlk_error error;
        assert_non_null(exact);
        memcpy(exact, text, cut);
        EXPECT_RULE(wlk_signature_parse(exact, cut, &got, &error), RULE_TRUST_SIGNATURE_TEXT);
        free(exact);
    }
}

/* Invariant 7: 4 KiB, from memory as from a file. */
static void test_invariant_7_length(void **state) {
    (void)state;
    const wlk_signature signature = some_signature(1);
    four_lines lines = lines_of(&signature);
    static char text[KEY_FILE_MAX + 64];
    wlk_signature got;
    wlk_error error;
    const size_t rest = strlen(lines.line[1]) + strlen(lines.line[2]) + strlen(lines.line[3]) + 4;
    for (size_t size = KEY_FILE_MAX; size <= KEY_FILE_MAX + 1; size++) {
        const int pad = (int)(size - rest - strlen("untrusted comment: "));
        const int length = snprintf(text, sizeof text, "untrusted comment: %0*d\n%s\n%s\n%s\n", pad,
                                    1, lines.line[1], lines.line[2], lines.line[3]);
        assert_int_equal(length, size);
        const wlk_rule rule = size == KEY_FILE_MAX ? RULE_NONE : RULE_TRUST_SIGNATURE_TEXT;
        EXPECT_RULE(wlk_signature_parse((uint8_t *)text, size, &got, &error), rule);
        write_bytes(in_scratch("long"), text, size, 0644);
        EXPECT_RULE(wlk_signature_load(in_scratch("long"), &got, &error), rule);
    }
    assert_int_equal(error.offset, KEY_FILE_MAX);
}

/* ---- comments and files */

static void test_comments_that_are_signed(void **state) {
    (void)state;
    static char longest[1025], too_long[1026];
    memset(longest, 'x', 1024);
    memset(too_long, 'x', 1025);
    const struct {
        const char *comment;
        wlk_rule rule;
    } comments[] = {
        {"", RULE_NONE},
        {"a\tb", RULE_NONE},
        {longest, RULE_NONE},
        {too_long, RULE_TRUST_COMMENT},
        {"a\nb", RULE_TRUST_COMMENT},
        {"a\r", RULE_TRUST_COMMENT},
        {"\x1b", RULE_TRUST_COMMENT},
        {"\xff", RULE_TRUST_COMMENT},
        {"\x7f", RULE_TRUST_COMMENT},
    };
    const test_key pair = key_number(1);
    wlk_secret_key *key;
    wlk_error error;
    write_secret(in_scratch("c.key"), &pair, NULL, 0600);
    EXPECT_OK(wlk_secret_key_load(in_scratch("c.key"), NULL, &key, &error));
    for (size_t i = 0; i < sizeof comments / sizeof *comments; i++) {
        wlk_signature signature = some_signature(1), again;
        EXPECT_RULE(wlk_sign_detached(NULL, 0, key, comments[i].comment, &signature, &error),
                    comments[i].rule);
        (void)snprintf(signature.trusted_comment, WLK_COMMENT_BYTES, "%s", comments[i].comment);
        if (strlen(comments[i].comment) >= WLK_COMMENT_BYTES) continue;
        EXPECT_RULE(wlk_signature_write(&signature, in_scratch("c.minisig"), &error),
                    comments[i].rule);
        if (comments[i].rule != RULE_NONE) continue;
        EXPECT_OK(wlk_signature_load(in_scratch("c.minisig"), &again, &error));
        assert_memory_equal(again.signature, signature.signature, 64);
        assert_string_equal(again.trusted_comment, comments[i].comment);
    }
    wlk_signature endless = some_signature(1);
    memset(endless.trusted_comment, 'x', WLK_COMMENT_BYTES); /* without its end */
    EXPECT_RULE(wlk_signature_write(&endless, in_scratch("c.minisig"), &error), RULE_TRUST_COMMENT);
    wlk_secret_key_free(key);
}

static void test_files_that_cannot_be_read(void **state) {
    (void)state;
    wlk_signature signature;
    wlk_error error;
    assert_int_equal(mkfifo(in_scratch("fifo"), 0600), 0);
    static const char *const names[] = {"none", "fifo", "", "no/such"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        EXPECT_RULE(wlk_signature_load(in_scratch(names[i]), &signature, &error),
                    RULE_TRUST_SIGNATURE_READ);
    }
}

/* ---- beside a file */

static wlk_trust *trusting_numbers(uint8_t count) {
    wlk_trust *trust;
    wlk_error error;
    EXPECT_OK(wlk_trust_new(&trust, &error));
    for (uint8_t number = 1; number <= count; number++) {
        const test_key pair = key_number(number);
        const wlk_public_key key = public_of(&pair);
        char name[8];
        (void)snprintf(name, sizeof name, "k%d", number);
        EXPECT_OK(wlk_trust_add(trust, &key, name, &error));
    }
    return trust;
}

static void put_signature(const char *name, uint8_t number) {
    const wlk_signature signature = some_signature(number);
    wlk_error error;
    EXPECT_OK(wlk_signature_write(&signature, in_scratch(name), &error));
}

static void test_which_lie_beside(void **state) {
    (void)state;
    wlk_trust *trust = trusting_numbers(3);
    wlk_signature *list;
    wlk_error error;
    uint32_t count = 7;
    char file[PATH_MAX]; /* need not be there */
    (void)snprintf(file, sizeof file, "%s", in_scratch("m.wlk"));
    EXPECT_OK(wlk_signatures_beside(file, trust, &list, &count, &error));
    assert_null(list);
    assert_int_equal(count, 0);
    put_signature("m.wlk.0202020202020202.minisig", 2);
    put_signature("m.wlk.0303030303030303.minisig", 9); /* the text says whose it is */
    put_signature("m.wlk.0404040404040404.minisig", 4); /* no key of the set: not looked for */
    put_signature("m.wlk.0101010101010101.MINISIG", 1);
    put_signature("m.minisig", 1);
    write_text(in_scratch("m.wlk.0404040404040404.minisig"), "broken", 0644);
    EXPECT_OK(wlk_signatures_beside(file, trust, &list, &count, &error));
    assert_int_equal(count, 2);
    assert_int_equal(list[0].key_id[0], 2);
    assert_int_equal(list[1].key_id[0], 9);
    wlk_free(list);
    put_signature("m.wlk.minisig", 8);
    EXPECT_OK(wlk_signatures_beside(file, trust, &list, &count, &error));
    assert_int_equal(count, 3);
    assert_int_equal(list[0].key_id[0], 8);
    wlk_free(list);
    put_signature("m.wlk.0101010101010101.minisig", 1);
    EXPECT_OK(wlk_signatures_beside(file, trust, &list, &count, &error));
    assert_int_equal(count, 4);
    assert_int_equal(list[1].key_id[0], 1);
    wlk_free(list);
    EXPECT_OK(wlk_signatures_beside(file, NULL, &list, &count, &error));
    assert_int_equal(count, 1);
    wlk_free(list);
    wlk_trust_free(trust);
}

/* One that is there and no signature is an error, not something to skip. */
static void test_broken_ones_beside(void **state) {
    (void)state;
    enum { TEXT, DANGLING, FOLDER, FIFO };
    static const struct {
        int kind;
        wlk_rule rule;
    } kinds[] = {{TEXT, RULE_TRUST_SIGNATURE_TEXT},
                 {DANGLING, RULE_TRUST_SIGNATURE_READ},
                 {FOLDER, RULE_TRUST_SIGNATURE_READ},
                 {FIFO, RULE_TRUST_SIGNATURE_READ}};
    static const char *const names[] = {"b.minisig", "b.0101010101010101.minisig"};
    wlk_trust *trust = trusting_numbers(1);
    for (size_t i = 0; i < 2 * sizeof kinds / sizeof *kinds; i++) {
        const char *path = in_scratch(names[i % 2]);
        wlk_signature *list;
        wlk_error error;
        uint32_t count;
        int made = 0;
        put_signature(names[1 - i % 2], 1);
        if (kinds[i / 2].kind == TEXT) write_text(path, "hello\n", 0644);
        if (kinds[i / 2].kind == DANGLING) made = symlink("elsewhere", path);
        if (kinds[i / 2].kind == FOLDER) made = mkdir(path, 0755);
        if (kinds[i / 2].kind == FIFO) made = mkfifo(path, 0644);
        assert_int_equal(made, 0);
        EXPECT_RULE(wlk_signatures_beside(in_scratch("b"), trust, &list, &count, &error),
                    kinds[i / 2].rule);
        assert_null(list);
        assert_int_equal(count, 0);
        assert_int_equal(remove(path), 0);
        assert_int_equal(remove(in_scratch(names[1 - i % 2])), 0);
    }
    wlk_trust_free(trust);
}

/* No signature can lie beside a file whose name or path has no room for what a
 * signature's has at its end: ".minisig", or a key's number too. */
static void test_long_names_beside(void **state) {
    (void)state;
    static char name[256], path[2 * PATH_MAX];
    wlk_trust *trust = trusting_numbers(1);
    wlk_signature *list;
    wlk_error error;
    uint32_t count;
    memset(name, 'n', 255);
    EXPECT_OK(wlk_signatures_beside(in_scratch(name), trust, &list, &count, &error));
    assert_int_equal(count, 0);
    for (size_t length = PATH_MAX - 40; length < PATH_MAX + 10; length++) {
        const size_t begun = (size_t)snprintf(path, sizeof path, "%s", scratch);
        memset(path + begun, '/', length - begun - 1);
        (void)snprintf(path + length - 1, 2, "f");
        EXPECT_OK(wlk_signatures_beside(path, trust, &list, &count, &error));
        assert_int_equal(count, 0);
    }
    wlk_trust_free(trust);
}

/* The longest path of a signature that there can be. */
static void test_the_longest_path_beside(void **state) {
    (void)state;
    static char path[PATH_MAX];
    wlk_signature *list;
    wlk_error error;
    uint32_t count;
    const size_t length = PATH_MAX - 1 - strlen(".minisig");
    const size_t begun = (size_t)snprintf(path, sizeof path, "%s", scratch);
    memset(path + begun, '/', length - begun - 1);
    (void)snprintf(path + length - 1, 2, "g");
    put_signature("g.minisig", 1);
    EXPECT_OK(wlk_signatures_beside(path, NULL, &list, &count, &error));
    assert_int_equal(count, 1);
    wlk_free(list);
    assert_int_equal(remove(in_scratch("g.minisig")), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_invariant_7_length),
        cmocka_unit_test(test_comments_that_are_signed),
        cmocka_unit_test(test_files_that_cannot_be_read),
        cmocka_unit_test(test_which_lie_beside),
        cmocka_unit_test(test_broken_ones_beside),
        cmocka_unit_test(test_long_names_beside),
        cmocka_unit_test(test_the_longest_path_beside),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
