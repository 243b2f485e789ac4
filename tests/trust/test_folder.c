#include "support.h"

#include "trust/folder.h"
#include "trust/trust_set.h"

/* Makes the folder and puts its path into `path`. */
static void folder_make(char path[PATH_MAX], const char *name, mode_t mode) {
    (void)snprintf(path, PATH_MAX, "%s", in_scratch(name));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void put_key(const char *name, uint8_t number, mode_t mode) {
    const test_key pair = key_number(number);
    write_public(in_scratch(name), &pair, mode);
}

static void test_loads_every_key(void **state) {
    (void)state;
    char path[PATH_MAX];
    folder_make(path, "good", 0755);
    wlk_trust *trust;
    wlk_error error;
    EXPECT_OK(wlk_trust_open(path, &trust, &error));
    assert_int_equal(wlk_trust_count(trust), 0);
    wlk_trust_free(trust);
    put_key("good/alice.pub", 1, 0644);
    put_key("good/bob.v2.pub", 2, 0600);
    EXPECT_OK(wlk_trust_open(path, &trust, &error));
    assert_int_equal(wlk_trust_count(trust), 2);
    assert_string_equal(trust_find(trust, key_number(1).id)->name, "alice");
    assert_string_equal(trust_find(trust, key_number(2).id)->name, "bob.v2");
    wlk_trust_free(trust);
}

/* A README, an editor's backup, a hidden file, a folder: not keys, not errors. */
static void test_other_files_are_not_looked_at(void **state) {
    (void)state;
    char path[PATH_MAX];
    folder_make(path, "others", 0755);
    static const char *const names[] = {"README",     "alice.pub~", "alice.pub.bak",
                                        ".alice.pub", ".pub",       "#alice.pub#",
                                        "alice.PUB",  "pub",        "alice.key"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "others/%s", names[i]);
        write_text(in_scratch(name), "not a key", 0666);
    }
    assert_int_equal(mkdir(in_scratch("others/folder"), 0777), 0);
    wlk_trust *trust;
    wlk_error error;
    EXPECT_OK(wlk_trust_open(path, &trust, &error));
    assert_int_equal(wlk_trust_count(trust), 0);
    wlk_trust_free(trust);
}

static void test_order_is_by_name(void **state) {
    (void)state;
    char path[PATH_MAX];
    folder_make(path, "order", 0755);
    wlk_trust *trust;
    wlk_error error;
    put_key("order/zoe.pub", 1, 0644);
    put_key("order/adam.pub", 1, 0644); /* the same key: the first name counts */
    put_key("order/mia.pub", 1, 0644);
    EXPECT_OK(wlk_trust_open(path, &trust, &error));
    assert_int_equal(wlk_trust_count(trust), 1);
    assert_string_equal(trust_find(trust, key_number(1).id)->name, "adam");
    wlk_trust_free(trust);
    write_text(in_scratch("order/y.pub"), "broken", 0644);
    write_text(in_scratch("order/b.pub"), "broken", 0644);
    EXPECT_RULE(wlk_trust_open(path, &trust, &error), RULE_TRUST_KEY_TEXT);
    assert_non_null(strstr(error.text, "order/b.pub"));
    assert_null(trust);
}

/* One bad key spoils the folder: an operator finds out now, not when it matters. */
static void test_bad_keys(void **state) {
    (void)state;
    enum { TEXT, EMPTY, LONG, LOOSE, LINK, DANGLING, FOLDER, FIFO, CONFLICT, NAME, LONG_NAME };
    static const struct {
        int kind;
        const char *file;
        wlk_rule rule;
    } rows[] = {
        {TEXT, "bad.pub", RULE_TRUST_KEY_TEXT},
        {EMPTY, "bad.pub", RULE_TRUST_KEY_TEXT},
        {LONG, "bad.pub", RULE_TRUST_KEY_TEXT},
        {LOOSE, "bad.pub", RULE_TRUST_KEY_MODE},
        {LINK, "bad.pub", RULE_TRUST_KEY_MODE},
        {DANGLING, "bad.pub", RULE_TRUST_KEY_MODE},
        {FOLDER, "bad.pub", RULE_TRUST_KEY_READ},
        {FIFO, "bad.pub", RULE_TRUST_KEY_READ},
        {CONFLICT, "bad.pub", RULE_TRUST_KEY_CONFLICT},
        {NAME,
         "b\x1b"
         "d.pub",
         RULE_TRUST_KEY_NAME},
        {LONG_NAME, "1234567890123456789012345678901234567890123456789012345678901234.pub",
         RULE_TRUST_KEY_NAME},
    };
    static char long_text[4097];
    char folder[PATH_MAX];
    folder_make(folder, "bad", 0755);
    memset(long_text, 'x', sizeof long_text);
    put_key("bad/good.pub", 1, 0644);
    put_key("target", 2, 0644);
    test_key impostor = key_number(3);
    memcpy(impostor.id, key_number(1).id, 8);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "bad/%s", rows[i].file);
        const char *path = in_scratch(name);
        wlk_trust *trust;
        wlk_error error;
        switch (rows[i].kind) {
            case TEXT:
                write_text(path, "hello\n", 0644);
                break;
            case EMPTY:
                write_text(path, "", 0644);
                break;
            case LONG:
                write_bytes(path, long_text, sizeof long_text, 0644);
                break;
            case LOOSE:
                put_key(name, 2, 0664);
                break;
            case LINK:
                assert_int_equal(symlink("../target", path), 0);
                break;
            case DANGLING:
                assert_int_equal(symlink("../nothing", path), 0);
                break;
            case FOLDER:
                assert_int_equal(mkdir(path, 0755), 0);
                break;
            case FIFO:
                assert_int_equal(mkfifo(path, 0644), 0);
                break;
            case CONFLICT:
                write_public(path, &impostor, 0644);
                break;
            default:
                put_key(name, 2, 0644);
                break;
        }
        EXPECT_RULE(wlk_trust_open(folder, &trust, &error), rows[i].rule);
        assert_null(trust);
        assert_int_equal(remove(path), 0);
    }
}

static void test_folder_modes(void **state) {
    (void)state;
    static const struct {
        mode_t mode;
        int good;
    } rows[] = {{0755, 1}, {0700, 1}, {0500, 1},  {0751, 1}, {0775, 0},
                {0757, 0}, {0777, 0}, {01777, 0}, {0770, 0}, {0722, 0}};
    char path[PATH_MAX];
    folder_make(path, "modes", 0755);
    put_key("modes/alice.pub", 1, 0644);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_trust *trust;
        wlk_error error;
        assert_int_equal(chmod(path, rows[i].mode), 0);
        const wlk_status status = wlk_trust_open(path, &trust, &error);
        expect_rule(status, &error, rows[i].good ? RULE_NONE : RULE_TRUST_FOLDER_MODE, NULL);
        assert_int_equal(wlk_trust_count(trust), rows[i].good);
        wlk_trust_free(trust);
    }
    assert_int_equal(chmod(path, 0755), 0);
}

static void test_named_folder_must_be_one(void **state) {
    (void)state;
    write_text(in_scratch("file"), "x", 0644);
    const char *const paths[] = {in_scratch("missing"), in_scratch("file"), "", "/dev/null"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        wlk_trust *trust;
        wlk_error error;
        EXPECT_RULE(wlk_trust_open(paths[i], &trust, &error), RULE_TRUST_FOLDER_READ);
        assert_null(trust);
    }
}

static void test_bounded(void **state) {
    (void)state;
    char path[PATH_MAX];
    folder_make(path, "many", 0755);
    const test_key pair = key_number(1);
    wlk_trust *trust;
    wlk_error error;
    write_public(in_scratch("many/0.pub"), &pair, 0644);
    for (int i = 1; i < TRUST_MAX_KEYS; i++) { /* links to one file: it is one key */
        char name[32];
        (void)snprintf(name, sizeof name, "many/%d.pub", i);
        assert_int_equal(link(in_scratch("many/0.pub"), in_scratch(name)), 0);
    }
    EXPECT_OK(wlk_trust_open(path, &trust, &error));
    assert_int_equal(wlk_trust_count(trust), 1);
    wlk_trust_free(trust);
    assert_int_equal(link(in_scratch("many/0.pub"), in_scratch("many/x.pub")), 0);
    EXPECT_RULE(wlk_trust_open(path, &trust, &error), RULE_TRUST_KEY_LIMIT);
}

/* ---- owners: what root and an ordinary user may have given themselves */

static int open_result(const char *path, wlk_rule want) {
    wlk_trust *trust;
    wlk_error error = {.rule = RULE_NONE};
    const wlk_status status = wlk_trust_open(path, &trust, &error);
    const int keys = (int)wlk_trust_count(trust);
    wlk_trust_free(trust);
    if (want == RULE_NONE) return status == WLK_OK && keys == 1 ? 0 : 1;
    return status != WLK_OK && error.rule == want ? 0 : 2;
}

static int open_good(const void *path) {
    return open_result(path, RULE_NONE);
}
static int open_foreign_folder(const void *path) {
    return open_result(path, RULE_TRUST_FOLDER_MODE);
}
static int open_foreign_key(const void *path) {
    return open_result(path, RULE_TRUST_KEY_MODE);
}

static int make_and_open_own(const void *path) {
    const test_key pair = key_number(1);
    char file[PATH_MAX];
    if (geteuid() == 0 || mkdir(path, 0700) != 0) return 10;
    (void)snprintf(file, sizeof file, "%s/me.pub", (const char *)path);
    write_public(file, &pair, 0600);
    if (open_result(path, RULE_NONE) != 0) return 11;
    if (chmod(path, 0770) != 0 || open_result(path, RULE_TRUST_FOLDER_MODE) != 0) return 12;
    if (chmod(path, 0700) != 0 || chmod(file, 0620) != 0) return 13;
    return open_result(path, RULE_TRUST_KEY_MODE) == 0 ? 0 : 14;
}

static void test_ordinary_user_has_a_folder(void **state) {
    (void)state;
    char place[PATH_MAX];
    folder_make(place, "place", 0755);
    if (geteuid() == 0) assert_int_equal(chown(place, NOBODY, NOBODY), 0);
    assert_int_equal(run_as(NOBODY, make_and_open_own, in_scratch("place/trust")), 0);
}

/* Root's folder serves everybody; another user's serves nobody, root included.
 * Only root can give files away, so an ordinary user's run shows the first half
 * on a folder of its own. */
static void test_owners(void **state) {
    (void)state;
    char path[PATH_MAX];
    const char *key = in_scratch("owners/alice.pub");
    folder_make(path, "owners", 0755);
    put_key("owners/alice.pub", 1, 0644);
    assert_int_equal(run_as(0, open_good, path), 0);
    assert_int_equal(run_as(NOBODY, open_good, path), 0);
    if (geteuid() != 0) return;
    assert_int_equal(chown(key, 4321, 4321), 0);
    assert_int_equal(run_as(0, open_foreign_key, path), 0);
    assert_int_equal(run_as(NOBODY, open_foreign_key, path), 0);
    assert_int_equal(chown(key, NOBODY, 0), 0); /* the caller's own, in root's folder */
    assert_int_equal(run_as(NOBODY, open_good, path), 0);
    assert_int_equal(run_as(0, open_foreign_key, path), 0);
    assert_int_equal(chown(key, 0, 0), 0);
    assert_int_equal(chown(path, 4321, 4321), 0);
    assert_int_equal(run_as(0, open_foreign_folder, path), 0);
    assert_int_equal(run_as(NOBODY, open_foreign_folder, path), 0);
}

/* ---- which folder */

static void test_choice(void **state) {
    (void)state;
    char here[PATH_MAX];
    const char *missing = in_scratch("system-missing");
    folder_make(here, "system", 0755);
    const char *dangling = in_scratch("system-dangling");
    assert_int_equal(symlink("nothing", dangling), 0);
    const struct {
        const char *system, *config, *home, *want;
    } rows[] = {
        {here, "/c", "/h", here},
        {here, NULL, NULL, here},
        {dangling, "/c", "/h", dangling},
        {missing, "/c", "/h", "/c/weighlock/trust"},
        {missing, "/c", NULL, "/c/weighlock/trust"},
        {missing, NULL, "/h", "/h/.config/weighlock/trust"},
        {missing, "", "/h", "/h/.config/weighlock/trust"},
        {missing, "relative", "/h", "/h/.config/weighlock/trust"},
    };
    char path[PATH_MAX];
    wlk_error error;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        EXPECT_OK(trust_folder_choose(rows[i].system, rows[i].config, rows[i].home, path,
                                      sizeof path, &error));
        assert_string_equal(path, rows[i].want);
    }
    static const char *const useless[] = {NULL, "", "relative", "./x"};
    for (size_t i = 0; i < sizeof useless / sizeof *useless; i++) {
        EXPECT_RULE(trust_folder_choose(missing, useless[i], useless[i], path, sizeof path, &error),
                    RULE_TRUST_FOLDER_NONE);
    }
    EXPECT_RULE(trust_folder_choose(missing, "/config", NULL, path, 22, &error),
                RULE_TRUST_FOLDER_READ);
    EXPECT_OK(trust_folder_choose(missing, "/config", NULL, path, 24, &error));
}

/* Invariant 8: where it cannot be told whether the administrator has a folder, the
 * user's does not take its place. */
static int choose_behind_closed_door(const void *path) {
    char chosen[PATH_MAX];
    wlk_error error;
    return trust_folder_choose(path, "/c", "/h", chosen, sizeof chosen, &error) == WLK_SYSTEM &&
                   error.rule == RULE_TRUST_FOLDER_READ
               ? 0
               : 1;
}

static void test_invariant_8_unknown_is_not_absent(void **state) {
    (void)state;
    char closed[PATH_MAX];
    const char *inside = in_scratch("closed/trust");
    folder_make(closed, "closed", 0);
    assert_int_equal(run_as(NOBODY, choose_behind_closed_door, inside), 0);
    assert_int_equal(chmod(closed, 0700), 0);
}

/* ---- the environment, in a program of its own: this one, with an argument */

enum { FOLDER_FROM_ENVIRONMENT = 40, FOLDER_NONE = 41, FOLDER_SYSTEM = 42, FOLDER_OTHER = 43 };

static int report_folder(void) {
    char path[PATH_MAX];
    wlk_error error;
    wlk_trust *trust;
    if (wlk_trust_folder(path, sizeof path, &error) != WLK_OK) {
        const int none = error.rule == RULE_TRUST_FOLDER_NONE &&
                         wlk_trust_open(NULL, &trust, &error) == WLK_OK &&
                         wlk_trust_count(trust) == 0;
        if (none) wlk_trust_free(trust);
        return none ? FOLDER_NONE : FOLDER_OTHER;
    }
    if (strcmp(path, TRUST_SYSTEM_FOLDER) == 0) return FOLDER_SYSTEM;
    return strcmp(path, "/nowhere/weighlock/trust") == 0 &&
                   wlk_trust_open(NULL, &trust, &error) == WLK_OK && wlk_trust_count(trust) == 0
               ? (wlk_trust_free(trust), FOLDER_FROM_ENVIRONMENT)
               : FOLDER_OTHER;
}

static int run_self(const void *real_uid) {
    static const char *const arguments[] = {"test_folder", "--report-folder", NULL};
    static const char *const environment[] = {"XDG_CONFIG_HOME=/nowhere", "HOME=/nowhere/home",
                                              NULL};
    /* Another effective than real user: the kernel sets AT_SECURE for the program. */
    if (setresuid(*(const uid_t *)real_uid, (uid_t)-1, (uid_t)-1) != 0) return 1;
    (void)execve("/proc/self/exe", (char *const *)arguments, (char *const *)environment);
    return 2;
}

/* Invariant 10: with more rights than its caller, it does not let the caller choose. */
static void test_invariant_10_environment(void **state) {
    (void)state;
    const int installed = exists(TRUST_SYSTEM_FOLDER);
    const uid_t self = getuid(), other = NOBODY;
    assert_int_equal(run_as(0, run_self, &self),
                     installed ? FOLDER_SYSTEM : FOLDER_FROM_ENVIRONMENT);
    if (geteuid() != 0) return; /* nobody else to be */
    assert_int_equal(run_as(0, run_self, &other), installed ? FOLDER_SYSTEM : FOLDER_NONE);
}

int main(int count, char **arguments) {
    if (count == 2 && strcmp(arguments[1], "--report-folder") == 0) _exit(report_folder());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads_every_key),
        cmocka_unit_test(test_other_files_are_not_looked_at),
        cmocka_unit_test(test_order_is_by_name),
        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_folder_modes),
        cmocka_unit_test(test_named_folder_must_be_one),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_ordinary_user_has_a_folder),
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_invariant_8_unknown_is_not_absent),
        cmocka_unit_test(test_invariant_10_environment),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
