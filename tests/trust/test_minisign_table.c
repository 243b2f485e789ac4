/* Detached signatures of the real minisign, good and spoilt, as we judge them; and ours
 * as minisign judges them. */
#include "minisign.h"

#define PASSWORD "pa ss"
#define LONG_COMMENT_BYTES 1024

/* The signing keys: minisign made all but OURS. All but STRANGER are trusted. */
enum { PLAIN, LOCKED, OURS, STRANGER, KEYS };
static const char *const key_names[KEYS] = {"plain", "locked", "ours", "stranger"};

/* The files: what lies in them, by size. */
enum { EMPTY, SMALL, OTHER, LARGE, WLK, FILES };
static const struct {
    const char *name;
    size_t size;
} files[FILES] = {
    {"empty", 0}, {"small", 7}, {"other", 7}, {"large", (6u << 20) + 13}, {"model.wlk", 0}};

static char *path_of(const char *name, const char *suffix) {
    static char paths[8][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    (void)snprintf(path, PATH_MAX, "%s/%s%s", scratch, name, suffix);
    return path;
}

static const char *key_path(int key, const char *suffix) {
    return path_of(key_names[key], suffix);
}

static wlk_trust *trust_all(void) {
    wlk_trust *trust;
    wlk_error error;
    EXPECT_OK(wlk_trust_new(&trust, &error));
    for (int i = 0; i < STRANGER; i++) {
        wlk_public_key key;
        EXPECT_OK(wlk_public_key_load(key_path(i, ".pub"), &key, &error));
        EXPECT_OK(wlk_trust_add(trust, &key, key_names[i], &error));
    }
    return trust;
}

static int make_keys(void) {
    wlk_error error;
    return MINISIGN_RUN("", "-G", "-W", "-p", key_path(PLAIN, ".pub"), "-s",
                        key_path(PLAIN, ".key")) != 0 ||
           MINISIGN_RUN(PASSWORD "\n" PASSWORD "\n", "-G", "-p", key_path(LOCKED, ".pub"), "-s",
                        key_path(LOCKED, ".key")) != 0 ||
           MINISIGN_RUN("", "-G", "-W", "-p", key_path(STRANGER, ".pub"), "-s",
                        key_path(STRANGER, ".key")) != 0 ||
           wlk_keygen(key_path(OURS, ".key"), key_path(OURS, ".pub"), NULL, NULL, &error) != WLK_OK;
}

static void make_files(void) {
    for (int i = 0; i < WLK; i++) {
        uint8_t *bytes = malloc(files[i].size + 1);
        assert_non_null(bytes);
        fill_noise(bytes, files[i].size, (uint8_t)i);
        write_bytes(path_of(files[i].name, ""), bytes, files[i].size, 0644);
        free(bytes);
    }
    sample s = sample_make(40, 100000, 16, 0);
    write_bytes(path_of(files[WLK].name, ""), s.bytes, s.size, 0644);
    free(s.bytes);
}

static int set_up(void **state) {
    if (scratch_make(state) != 0 || make_keys() != 0) return 1;
    make_files();
    return 0;
}

/* ---- spoiling a signature, or the file */

typedef enum spoil {
    LEFT_ALONE,
    CRLF,             /* the same lines with other ends */
    OTHER_UNTRUSTED,  /* another untrusted comment: it is not signed */
    NO_LAST_END,      /* the last line ends with the file */
    FILE_BIT,         /* the file: one bit, */
    FILE_LONGER,      /* one byte more, */
    FILE_SHORTER,     /* one byte less */
    OF_OTHER_FILE,    /* the signature lines: those of another file, */
    OF_OTHER_COMMENT, /* the comment line of another signature, */
    OF_OTHER_GLOBAL,  /* its last line */
    COMMENT_LETTER,   /* one letter of the comment */
    COMMENT_LONGER,
    COMMENT_EMPTY,
    ID_OF_PLAIN, /* the key number of a key that did not sign */
    ID_OF_OURS,
    ID_UNKNOWN,
    ALGORITHM_SWAPPED, /* legacy says prehashed and the other way round */
    ALGORITHM_NONE,
    R_BIT,
    S_BIT,
    ALL_ZERO,
    GLOBAL_BIT,
    SIGNATURE_TWICE, /* the signature stands for the global one */
    NO_COMMENT_LINE,
    NO_GLOBAL_LINE,
    LINES_SWAPPED,
    CUT_IN_SIGNATURE,
    CUT_IN_GLOBAL,
    LINE_BEHIND,
    SECOND_SIGNATURE, /* a whole one behind it */
    SPACE_BEHIND,
    NUL_IN_COMMENT,
    EMPTIED
} spoil;

typedef struct lines {
    char text[4][2048];
} lines;

static lines read_lines(const char *path) {
    size_t length;
    char *text = read_text(path, &length), *rest = text;
    lines l;
    for (int i = 0; i < 4; i++) {
        (void)snprintf(l.text[i], sizeof l.text[i], "%s", strsep(&rest, "\n"));
    }
    free(text);
    return l;
}

/* Applies a change to the bytes of a base64 line. */
static void change_bytes(char *line, size_t at, const uint8_t *bytes, size_t length, int flip) {
    uint8_t payload[128];
    size_t size = 0;
    assert_int_equal(sodium_base642bin(payload, sizeof payload, line, strlen(line), NULL, &size,
                                       NULL, sodium_base64_VARIANT_ORIGINAL),
                     0);
    for (size_t i = 0; i < length; i++) {
        payload[at + i] = flip ? payload[at + i] ^ bytes[i] : bytes[i];
    }
    (void)base64_of(payload, size, line);
}

static void set_id(char *line, int key) {
    wlk_public_key other = {.id = {9, 8, 7, 6, 5, 4, 3, 2}};
    wlk_error error;
    if (key < KEYS) EXPECT_OK(wlk_public_key_load(key_path(key, ".pub"), &other, &error));
    change_bytes(line, 2, other.id, 8, 0);
}

static void spoil_payload(spoil how, lines *l) {
    static const uint8_t one = 1, swap[2] = {0, 'D' ^ 'd'}, none[2] = {'E', 'e'}, zeros[64];
    char *signature = l->text[1], *global = l->text[3];
    if (how == ID_OF_PLAIN) set_id(signature, PLAIN);
    if (how == ID_OF_OURS) set_id(signature, OURS);
    if (how == ID_UNKNOWN) set_id(signature, KEYS);
    if (how == ALGORITHM_SWAPPED) change_bytes(signature, 0, swap, 2, 1);
    if (how == ALGORITHM_NONE) change_bytes(signature, 0, none, 2, 0);
    if (how == R_BIT) change_bytes(signature, 10, &one, 1, 1);
    if (how == S_BIT) change_bytes(signature, 42, &one, 1, 1);
    if (how == ALL_ZERO) change_bytes(signature, 10, zeros, 64, 0);
    if (how == GLOBAL_BIT) change_bytes(global, 0, &one, 1, 1);
    if (how == SIGNATURE_TWICE) (void)snprintf(global, sizeof l->text[3], "%s", signature);
}

static void spoil_lines(spoil how, lines *l, const lines *other) {
    char *comment = l->text[2];
    const size_t size = sizeof l->text[0];
    if (how == OTHER_UNTRUSTED) (void)snprintf(l->text[0], size, "untrusted comment: hello");
    if (how == OF_OTHER_FILE) *l = *other;
    if (how == OF_OTHER_COMMENT) (void)snprintf(comment, size, "%s", other->text[2]);
    if (how == OF_OTHER_GLOBAL) (void)snprintf(l->text[3], size, "%s", other->text[3]);
    if (how == COMMENT_LETTER) comment[strlen(comment) - 1] ^= 1;
    if (how == COMMENT_LONGER) (void)snprintf(comment + strlen(comment), 2, " ");
    if (how == COMMENT_EMPTY) (void)snprintf(comment, size, "trusted comment: ");
    if (how == CUT_IN_SIGNATURE) l->text[1][strlen(l->text[1]) - 4] = '\0';
    if (how == LINES_SWAPPED) {
        const lines was = *l;
        memcpy(l->text[1], was.text[3], size);
        memcpy(l->text[3], was.text[1], size);
    }
    spoil_payload(how, l);
}

/* The text again; returns its length. */
static size_t join(spoil how, const lines *l, char *text, size_t size) {
    const char *end = how == CRLF ? "\r\n" : "\n";
    size_t used = 0;
    for (int i = 0; i < 4; i++) {
        if ((how == NO_COMMENT_LINE && i == 2) || (how == NO_GLOBAL_LINE && i == 3)) continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s", l->text[i], end);
    }
    if (how == NO_LAST_END) used--;
    if (how == CUT_IN_GLOBAL) used -= 6;
    if (how == LINE_BEHIND) used += (size_t)snprintf(text + used, size - used, "\n");
    if (how == SPACE_BEHIND) used += (size_t)snprintf(text + used, size - used, " ");
    if (how == SECOND_SIGNATURE) {
        memcpy(text + used, text, used);
        used *= 2;
    }
    if (how == NUL_IN_COMMENT) text[20] = '\0';
    return how == EMPTIED ? 0 : used;
}

static void spoil_signature(spoil how, const char *path, const char *other) {
    lines l = read_lines(path), of_other = read_lines(other);
    char text[16384];
    spoil_lines(how, &l, &of_other);
    write_bytes(path, text, join(how, &l, text, sizeof text), 0644);
}

static void spoil_file(spoil how, uint8_t *bytes, uint64_t *size) {
    if (how == FILE_BIT) bytes[*size / 2] ^= 1;
    if (how == FILE_LONGER) bytes[(*size)++] = 0;
    if (how == FILE_SHORTER) (*size)--;
}

/* ---- the table */

typedef struct table_row {
    const char *what;
    int key, file;
    int old;             /* minisign -l */
    const char *comment; /* minisign -t; NULL: its own */
    spoil how;
    int legacy; /* we are asked to take legacy signatures */
    wlk_rule rule;
    uint32_t trusted;
} table_row;

#define OK RULE_NONE
#define SIG RULE_TRUST_SIGNATURE
#define TEXT RULE_TRUST_SIGNATURE_TEXT
#define LEG RULE_TRUST_LEGACY

static const table_row table[] = {
    /* what minisign makes */
    {"a small file", PLAIN, SMALL, 0, NULL, LEFT_ALONE, 0, OK, 1},
    {"an empty file", PLAIN, EMPTY, 0, NULL, LEFT_ALONE, 0, OK, 1},
    {"a large file", PLAIN, LARGE, 0, NULL, LEFT_ALONE, 0, OK, 1},
    {"a .wlk file", PLAIN, WLK, 0, NULL, LEFT_ALONE, 0, OK, 1},
    {"with a password", LOCKED, SMALL, 0, NULL, LEFT_ALONE, 0, OK, 1},
    {"with our key", OURS, SMALL, 0, NULL, LEFT_ALONE, 0, OK, 1},
    {"with our key, large", OURS, LARGE, 0, NULL, LEFT_ALONE, 0, OK, 1},
    {"a comment", PLAIN, SMALL, 0, "release 7", LEFT_ALONE, 0, OK, 1},
    {"a comment in UTF-8", PLAIN, SMALL, 0, "caf\xc3\xa9", LEFT_ALONE, 0, OK, 1},
    {"a comment with tabs", PLAIN, SMALL, 0, "a\tb\t", LEFT_ALONE, 0, OK, 1},
    {"an empty comment", PLAIN, SMALL, 0, "", LEFT_ALONE, 0, OK, 1},
    {"the longest comment", PLAIN, SMALL, 0, "longest", LEFT_ALONE, 0, OK, 1},
    {"a longer comment", PLAIN, SMALL, 0, "longer", LEFT_ALONE, 0, TEXT, 0},
    {"a comment with an escape", PLAIN, SMALL, 0, "\x1b[2J", LEFT_ALONE, 0, TEXT, 0},
    {"a comment that is not UTF-8", PLAIN, SMALL, 0, "\xff", LEFT_ALONE, 0, TEXT, 0},
    {"by a stranger", STRANGER, SMALL, 0, NULL, LEFT_ALONE, 0, OK, 0},
    /* what says the same in other bytes */
    {"CRLF", PLAIN, SMALL, 0, NULL, CRLF, 0, OK, 1},
    {"another untrusted comment", PLAIN, SMALL, 0, NULL, OTHER_UNTRUSTED, 0, OK, 1},
    {"no last line end", PLAIN, SMALL, 0, NULL, NO_LAST_END, 0, OK, 1},
    /* legacy */
    {"legacy", PLAIN, SMALL, 1, NULL, LEFT_ALONE, 0, LEG, 0},
    {"legacy, asked for", PLAIN, SMALL, 1, NULL, LEFT_ALONE, 1, OK, 1},
    {"legacy, empty file", PLAIN, EMPTY, 1, NULL, LEFT_ALONE, 1, OK, 1},
    {"legacy, large file", OURS, LARGE, 1, NULL, LEFT_ALONE, 1, OK, 1},
    {"legacy by a stranger", STRANGER, SMALL, 1, NULL, LEFT_ALONE, 0, OK, 0},
    {"legacy, file altered", PLAIN, SMALL, 1, NULL, FILE_BIT, 1, SIG, 0},
    {"legacy says prehashed", PLAIN, SMALL, 1, NULL, ALGORITHM_SWAPPED, 1, SIG, 0},
    {"prehashed says legacy", PLAIN, SMALL, 0, NULL, ALGORITHM_SWAPPED, 1, SIG, 0},
    {"prehashed says legacy, refused", PLAIN, SMALL, 0, NULL, ALGORITHM_SWAPPED, 0, LEG, 0},
    /* the file altered */
    {"a bit of the file", PLAIN, SMALL, 0, NULL, FILE_BIT, 0, SIG, 0},
    {"a bit of a large file", PLAIN, LARGE, 0, NULL, FILE_BIT, 0, SIG, 0},
    {"file one byte longer", PLAIN, SMALL, 0, NULL, FILE_LONGER, 0, SIG, 0},
    {"file one byte shorter", PLAIN, LARGE, 0, NULL, FILE_SHORTER, 0, SIG, 0},
    {"empty file one byte longer", PLAIN, EMPTY, 0, NULL, FILE_LONGER, 0, SIG, 0},
    {"by a stranger, file altered", STRANGER, SMALL, 0, NULL, FILE_BIT, 0, OK, 0},
    /* parts of others */
    {"signature of another file", PLAIN, SMALL, 0, NULL, OF_OTHER_FILE, 0, SIG, 0},
    {"comment of another signature", PLAIN, SMALL, 0, "mine", OF_OTHER_COMMENT, 0, SIG, 0},
    {"global signature of another", PLAIN, SMALL, 0, NULL, OF_OTHER_GLOBAL, 0, SIG, 0},
    {"comment altered", PLAIN, SMALL, 0, NULL, COMMENT_LETTER, 0, SIG, 0},
    {"comment longer by a space", PLAIN, SMALL, 0, NULL, COMMENT_LONGER, 0, SIG, 0},
    {"comment emptied", PLAIN, SMALL, 0, NULL, COMMENT_EMPTY, 0, SIG, 0},
    {"stranger with a trusted number", STRANGER, SMALL, 0, NULL, ID_OF_PLAIN, 0, SIG, 0},
    {"number of another trusted key", PLAIN, SMALL, 0, NULL, ID_OF_OURS, 0, SIG, 0},
    {"an unknown number", PLAIN, SMALL, 0, NULL, ID_UNKNOWN, 0, OK, 0},
    {"signature as global signature", PLAIN, SMALL, 0, NULL, SIGNATURE_TWICE, 0, TEXT, 0},
    /* bytes altered */
    {"a bit of R", PLAIN, SMALL, 0, NULL, R_BIT, 0, SIG, 0},
    {"a bit of S", PLAIN, SMALL, 0, NULL, S_BIT, 0, SIG, 0},
    {"a bit of the global signature", PLAIN, SMALL, 0, NULL, GLOBAL_BIT, 0, SIG, 0},
    {"all zero", PLAIN, SMALL, 0, NULL, ALL_ZERO, 0, SIG, 0},
    {"an algorithm that is none", PLAIN, SMALL, 0, NULL, ALGORITHM_NONE, 0, TEXT, 0},
    /* not the four lines */
    {"no comment line", PLAIN, SMALL, 0, NULL, NO_COMMENT_LINE, 0, TEXT, 0},
    {"no global signature", PLAIN, SMALL, 0, NULL, NO_GLOBAL_LINE, 0, TEXT, 0},
    {"lines swapped", PLAIN, SMALL, 0, NULL, LINES_SWAPPED, 0, TEXT, 0},
    {"signature cut", PLAIN, SMALL, 0, NULL, CUT_IN_SIGNATURE, 0, TEXT, 0},
    {"global signature cut", PLAIN, SMALL, 0, NULL, CUT_IN_GLOBAL, 0, TEXT, 0},
    {"an empty line behind", PLAIN, SMALL, 0, NULL, LINE_BEHIND, 0, TEXT, 0},
    {"a space behind", PLAIN, SMALL, 0, NULL, SPACE_BEHIND, 0, TEXT, 0},
    {"a second signature behind", PLAIN, SMALL, 0, NULL, SECOND_SIGNATURE, 0, TEXT, 0},
    {"NUL in the comment", PLAIN, SMALL, 0, NULL, NUL_IN_COMMENT, 0, TEXT, 0},
    {"an empty signature file", PLAIN, SMALL, 0, NULL, EMPTIED, 0, TEXT, 0},
    {"a stranger's that is cut", STRANGER, SMALL, 0, NULL, CUT_IN_SIGNATURE, 0, TEXT, 0},
};

/* As in the table, or one of the two that are long. */
static const char *comment_of(const table_row *row) {
    static char text[LONG_COMMENT_BYTES + 2];
    if (!row->comment || strncmp(row->comment, "longe", 5) != 0) return row->comment;
    memset(text, 'c', sizeof text);
    text[LONG_COMMENT_BYTES + (strcmp(row->comment, "longer") == 0)] = '\0';
    return text;
}

static void sign_with_minisign(const table_row *row, const char *path, const char *signature) {
    const char *words[16] = {"-S", "-s", key_path(row->key, ".key"), "-x", signature, "-m", path};
    int count = 7;
    if (row->old) words[count++] = "-l";
    if (row->comment) {
        words[count++] = "-t";
        words[count++] = comment_of(row);
    }
    words[count] = NULL;
    assert_int_equal(minisign(row->key == LOCKED ? PASSWORD "\n" : "", words), 0);
}

static uint8_t *read_file(const char *path, uint64_t *size) {
    struct stat status;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    *size = (uint64_t)status.st_size;
    uint8_t *bytes = malloc(*size + 1); /* room to make it longer */
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, *size), (ssize_t)*size);
    assert_int_equal(close(fd), 0);
    return bytes;
}

static wlk_status judge(const table_row *row, const wlk_trust *trust, const char *signature_path,
                        wlk_verification *found, wlk_error *error) {
    wlk_signature signature;
    uint64_t size;
    *found = (wlk_verification){0};
    TRY(wlk_signature_load(signature_path, &signature, error));
    uint8_t *bytes = read_file(path_of(files[row->file].name, ""), &size);
    spoil_file(row->how, bytes, &size);
    const wlk_evidence evidence = {.signatures = &signature, .signature_count = 1};
    const wlk_verify_options options = {
        .trust = trust, .evidence = &evidence, .threads = 2, .legacy = row->legacy};
    const wlk_status status = wlk_verify_memory(bytes, size, &options, found, error);
    free(bytes);
    if (status == WLK_OK && found->trusted) {
        assert_string_equal(found->trusted_comment, signature.trusted_comment);
    }
    return status;
}

static void test_what_minisign_signs(void **state) {
    (void)state;
    wlk_trust *trust = trust_all();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const table_row *row = &table[i];
        const char *signature = in_scratch("row.minisig"), *other = in_scratch("other.minisig");
        const table_row of_other = {.key = PLAIN, .file = OTHER, .comment = "of another file"};
        wlk_verification found;
        wlk_error error = {.rule = RULE_NONE};
        sign_with_minisign(row, path_of(files[row->file].name, ""), signature);
        sign_with_minisign(&of_other, path_of(files[OTHER].name, ""), other);
        if (row->how != LEFT_ALONE) spoil_signature(row->how, signature, other);
        const wlk_status status = judge(row, trust, signature, &found, &error);
        if ((status == WLK_OK ? RULE_NONE : (wlk_rule)error.rule) != row->rule) {
            fail_msg("%s: %s", row->what, status == WLK_OK ? "ok" : wlk_rule_name(error.rule));
        }
        assert_int_equal(status, row->rule == RULE_NONE ? WLK_OK : WLK_TRUST);
        assert_int_equal(found.trusted, row->trusted);
    }
    wlk_trust_free(trust);
}

/* ---- what we sign */

/* minisign's answer to each of them: 0 is yes. */
static void test_minisign_accepts_ours(void **state) {
    (void)state;
    static const char *const comments[] = {"timestamp:1700000000\tfile:m", "caf\xc3\xa9", "",
                                           "a comment of several words", "longest"};
    for (int key = 0; key < STRANGER; key++) {
        wlk_secret_key *secret;
        wlk_error error;
        EXPECT_OK(wlk_secret_key_load(key_path(key, ".key"), key == LOCKED ? PASSWORD : NULL,
                                      &secret, &error));
        for (int file = 0; file < FILES; file++) {
            const char *path = path_of(files[file].name, ""), *out = in_scratch("ours.minisig");
            const char *comment =
                comment_of(&(const table_row){.comment = comments[(key + file) % 5]});
            wlk_signature signature, again;
            uint64_t size;
            uint8_t *bytes = read_file(path, &size);
            EXPECT_OK(wlk_sign_detached(bytes, size, secret, comment, &signature, &error));
            free(bytes);
            EXPECT_OK(wlk_signature_write(&signature, out, &error));
            EXPECT_OK(wlk_signature_load(out, &again, &error));
            assert_memory_equal(&again, &signature, sizeof again);
            const char *public_path = key_path(key, ".pub");
            assert_int_equal(MINISIGN_RUN("", "-V", "-H", "-p", public_path, "-x", out, "-m", path),
                             0);
            const char *wrong = path_of(files[file == SMALL ? OTHER : SMALL].name, "");
            assert_int_not_equal(MINISIGN_RUN("", "-V", "-p", public_path, "-x", out, "-m", wrong),
                                 0);
            const char *stranger = key_path(STRANGER, ".pub");
            assert_int_not_equal(MINISIGN_RUN("", "-V", "-p", stranger, "-x", out, "-m", path), 0);
        }
        wlk_secret_key_free(secret);
    }
}

/* minisign and we sign the same bytes with the same key: Ed25519 leaves no choice. */
static void test_the_same_signature(void **state) {
    (void)state;
    const char *path = path_of("small", ""), *its = in_scratch("its.minisig");
    const table_row row = {.key = OURS, .file = SMALL, .comment = "same"};
    wlk_secret_key *secret;
    wlk_signature ours, read;
    wlk_error error;
    uint64_t size;
    uint8_t *bytes = read_file(path, &size);
    EXPECT_OK(wlk_secret_key_load(key_path(OURS, ".key"), NULL, &secret, &error));
    EXPECT_OK(wlk_sign_detached(bytes, size, secret, "same", &ours, &error));
    EXPECT_OK(wlk_signature_write(&ours, in_scratch("same.minisig"), &error));
    sign_with_minisign(&row, path, its);
    EXPECT_OK(wlk_signature_load(its, &read, &error));
    assert_memory_equal(&read, &ours, sizeof ours);
    lines a = read_lines(its), b = read_lines(in_scratch("same.minisig"));
    for (int i = 0; i < 4; i++) assert_string_equal(a.text[i], b.text[i]);
    wlk_secret_key_free(secret);
    free(bytes);
}

/* Where minisign puts a signature unless told, we find it. */
static void test_the_name_that_minisign_gives(void **state) {
    (void)state;
    const char *path = path_of("small", "");
    wlk_trust *trust = trust_all();
    wlk_signature *list;
    wlk_error error;
    uint32_t count;
    assert_int_equal(MINISIGN_RUN("", "-S", "-s", key_path(PLAIN, ".key"), "-m", path), 0);
    EXPECT_OK(wlk_signatures_beside(path, trust, &list, &count, &error));
    assert_int_equal(count, 1);
    const wlk_evidence evidence = {.signatures = list, .signature_count = count};
    const wlk_verify_options options = {.trust = trust, .evidence = &evidence};
    wlk_verification found;
    uint64_t size;
    uint8_t *bytes = read_file(path, &size);
    EXPECT_OK(wlk_verify_memory(bytes, size, &options, &found, &error));
    assert_string_equal(found.key_name, "plain");
    EXPECT_OK(wlk_verification_check(&found, 1, 0, &error));
    free(bytes);
    wlk_free(list);
    wlk_trust_free(trust);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_minisign_signs),
        cmocka_unit_test(test_minisign_accepts_ours),
        cmocka_unit_test(test_the_same_signature),
        cmocka_unit_test(test_the_name_that_minisign_gives),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_remove);
}
