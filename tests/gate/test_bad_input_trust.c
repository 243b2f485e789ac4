/* What stands where an operator's file should, in a trust folder, or beside an artifact:
 * what cannot be read for certain widens no trust (invariant 10), and nothing is left
 * behind. */
#include "gate/bad_files.h"

#include <sodium.h>

#define SIGNATURE_TEXT "trust.signature-text"

/* ---- what stands where a file should: the same for every kind */

typedef enum stand_in {
    NOTHING,
    FOLDER,
    PIPE,
    SOCKET,
    DEVICE,
    LOOP,
    EMPTY,
    ENDLESS,
    CLOSED,
    WRITABLE,
    STAND_INS
} stand_in;

static const char *const stand_in_names[STAND_INS] = {"nothing", "folder",  "fifo",  "socket",
                                                      "device",  "loop",    "empty", "endless",
                                                      "closed",  "writable"};

static void make_stand_ins(void) {
    assert_int_equal(mkdir(in_scratch("folder"), 0700), 0);
    assert_int_equal(mkfifo(in_scratch("fifo"), 0600), 0);
    make_socket(in_scratch("socket"));
    assert_int_equal(symlink("/dev/zero", in_scratch("device")), 0);
    assert_int_equal(symlink("loop", in_scratch("loop")), 0);
    make_file(in_scratch("empty"), 0, 0600);
    make_file(in_scratch("endless"), (off_t)1 << 40, 0600);
    make_file(in_scratch("closed"), 10, 0);
    make_file(in_scratch("writable"), 0, 0666);
}

typedef struct kind_row {
    const char *name;
    load_file load;
    const char *want[STAND_INS];
} kind_row;

#define UNREADABLE(rule) rule, rule, rule, rule, rule, rule

static const kind_row kinds[] = {
    {"public key",
     load_public_key,
     {UNREADABLE("trust.key-read"), "trust.key-text@0", "trust.key-text@4096", "trust.key-read",
      "trust.key-text@0"}},
    {"trusted key",
     load_trusted_key,
     {UNREADABLE("trust.key-read"), "trust.key-text@0", "trust.key-text@4096", "trust.key-read",
      "trust.key-text@0"}},
    {"secret key",
     load_secret_key,
     {UNREADABLE("trust.key-read"), "trust.key-text@0", "trust.key-text@4096", "trust.key-read",
      "trust.key-mode"}},
    {"signature",
     load_signature,
     {UNREADABLE("trust.signature-read"), "trust.signature-text@0", "trust.signature-text@4096",
      "trust.signature-read", "trust.signature-text@0"}},
    {"list of digests",
     load_digests,
     {UNREADABLE("trust.digest-read"), "trust.digest-missing", "trust.digest-text@1048576",
      "trust.digest-read", "trust.digest-missing"}},
    /* A policy is no link, whoever reads it. */
    {"policy",
     load_policy,
     {"policy.read", "policy.read", "policy.read", "policy.read", "policy.mode", "policy.mode",
      ACCEPTED, "policy.text@65536", "policy.read", "policy.mode"}},
    {"trust folder",
     load_folder,
     {"trust.folder-read", ACCEPTED, "trust.folder-read", "trust.folder-read", "trust.folder-read",
      "trust.folder-read", "trust.folder-read", "trust.folder-read", "trust.folder-read",
      "trust.folder-read"}},
};

static bool kind_passes(const kind_row *row) {
    bool all = true;
    for (stand_in what = NOTHING; what < STAND_INS; what++) {
        char name[64];
        if (what == CLOSED && geteuid() == 0) continue; /* nothing is closed to root */
        (void)snprintf(name, sizeof name, "%s: %s", row->name, stand_in_names[what]);
        all &= file_row(name, row->load, in_scratch(stand_in_names[what]), row->want[what]);
    }
    return all;
}

static void test_what_stands_where_a_file_should(void **state) {
    (void)state;
    bool all = true;
    make_stand_ins();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) all &= kind_passes(&kinds[i]);
    assert_true(all);
}

/* ---- trust folders */

static const char *keys_folder(void) {
    return in_scratch("keys");
}

static void put_key(const char *name, const char *text, mode_t mode) {
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", keys_folder(), name);
    write_bytes(path, text, strlen(text));
    assert_int_equal(chmod(path, mode), 0);
}

static void put_garbage(const char *good) {
    put_key("b.pub", "garbage", 0644);
    (void)good;
}

static void put_writable(const char *good) {
    put_key("b.pub", good, 0666);
}

static void put_link(const char *good) {
    char path[PATH_MAX];
    (void)good;
    (void)snprintf(path, sizeof path, "%s/b.pub", keys_folder());
    assert_int_equal(symlink("a.pub", path), 0);
}

static void put_folder(const char *good) {
    char path[PATH_MAX];
    (void)good;
    (void)snprintf(path, sizeof path, "%s/b.pub", keys_folder());
    assert_int_equal(mkdir(path, 0700), 0);
}

static void put_fifo(const char *good) {
    char path[PATH_MAX];
    (void)good;
    (void)snprintf(path, sizeof path, "%s/b.pub", keys_folder());
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void put_socket(const char *good) {
    char path[PATH_MAX];
    (void)good;
    (void)snprintf(path, sizeof path, "%s/b.pub", keys_folder());
    make_socket(path);
}

static void put_name_with_escape(const char *good) {
    put_key("\x1b[2J.pub", good, 0644);
}

static void put_name_of_64_bytes(const char *good) {
    put_key("name-of-sixty-four-bytes-that-are-one-more-than-a-key-may-have-x.pub", good, 0644);
}

/* The number of the good key, with the stranger's point. */
static void put_conflict(const char *good) {
    uint8_t a[42], b[42];
    char line[128], text[256];
    char *other = text_of("stranger.pub");
    (void)sodium_base642bin(a, sizeof a, good + line_start(good, 1), 56, NULL, NULL, NULL,
                            sodium_base64_VARIANT_ORIGINAL);
    (void)sodium_base642bin(b, sizeof b, other + line_start(other, 1), 56, NULL, NULL, NULL,
                            sodium_base64_VARIANT_ORIGINAL);
    memcpy(a + 10, b + 10, 32);
    (void)sodium_bin2base64(line, sizeof line, a, sizeof a, sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(text, sizeof text, "untrusted comment: x\n%s\n", line);
    put_key("b.pub", text, 0644);
    free(other);
}

static void put_secret_key(const char *good) {
    (void)good;
    char *secret = text_of("author.key");
    put_key("b.pub", secret, 0644);
    free(secret);
}

static void put_nothing_wrong(const char *good) {
    put_key("README", "garbage", 0666);
    put_key(".b.pub", "garbage", 0666);
    put_key("b.pub.old", good, 0666);
}

static void make_writable(const char *good) {
    (void)good;
    assert_int_equal(chmod(keys_folder(), 0777), 0);
}

static void put_4097_keys(const char *good) {
    char first[PATH_MAX], path[PATH_MAX];
    (void)good;
    (void)snprintf(first, sizeof first, "%s/a.pub", keys_folder());
    for (int i = 0; i < 4096; i++) {
        (void)snprintf(path, sizeof path, "%s/%d.pub", keys_folder(), i);
        assert_int_equal(link(first, path), 0);
    }
}

static const struct {
    const char *name;
    void (*make)(const char *good); /* beside a.pub, which is good */
    const char *want;
} folders[] = {
    {"other files beside the key", put_nothing_wrong, ACCEPTED},
    {"garbage", put_garbage, "trust.key-text@0"},
    {"a secret key", put_secret_key, "trust.key-text@39"},
    {"a key that others may change", put_writable, "trust.key-mode"},
    {"a folder that others may change", make_writable, "trust.folder-mode"},
    {"a link", put_link, "trust.key-mode"},
    {"a folder", put_folder, "trust.key-read"},
    {"a FIFO", put_fifo, "trust.key-read"},
    {"a socket", put_socket, "trust.key-read"},
    {"a name that plays with the terminal", put_name_with_escape, "trust.key-name"},
    {"a name of 64 bytes", put_name_of_64_bytes, "trust.key-name"},
    {"two keys of one number", put_conflict, "trust.key-conflict"},
    {"4097 keys", put_4097_keys, "trust.key-limit"},
};

static void test_trust_folders(void **state) {
    (void)state;
    bool all = true;
    char *good = text_of("author.pub");
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        assert_int_equal(mkdir(keys_folder(), 0755), 0);
        put_key("a.pub", good, 0644);
        folders[i].make(good);
        all &= file_row(folders[i].name, load_folder, keys_folder(), folders[i].want);
        assert_int_equal(nftw(keys_folder(), scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    }
    free(good);
    assert_true(all);
}

/* ---- what lies beside a good file, in the place of its signature */

static char beside[PATH_MAX]; /* model.wlk.minisig, or with the author's key number */

static void sign_beside(const void *bytes, size_t size, const wlk_secret_key *key) {
    wlk_signature signature;
    wlk_error error;
    EXPECT_OK(wlk_sign_detached(bytes, size, key, "a file", &signature, &error));
    EXPECT_OK(wlk_signature_write(&signature, beside, &error));
}

static void garbage_beside(void) {
    write_bytes(beside, "garbage", 7);
}

static void nothing_beside(void) {
    make_file(beside, 0, 0644);
}

static void endless_beside(void) {
    make_file(beside, (off_t)1 << 40, 0644);
}

static void folder_beside(void) {
    assert_int_equal(mkdir(beside, 0755), 0);
}

static void fifo_beside(void) {
    assert_int_equal(mkfifo(beside, 0644), 0);
}

static void socket_beside(void) {
    make_socket(beside);
}

static void loop_beside(void) {
    assert_int_equal(symlink(beside, beside), 0);
}

static void dangling_beside(void) {
    assert_int_equal(symlink("nowhere", beside), 0);
}

static void signature_of_another_beside(void) {
    sign_beside("another", 7, kit.key);
}

static void strangers_signature_of_another_beside(void) {
    sign_beside("another", 7, kit.stranger);
}

static void other_comment_beside(void) {
    size_t length, size;
    uint8_t *model = read_bytes(in_scratch("model.wlk"), &size);
    sign_beside(model, size, kit.key);
    uint8_t *text = read_bytes(beside, &length);
    uint8_t *comment = memmem(text, length, "a file", 6);
    assert_non_null(comment);
    comment[0] = 'b';
    write_bytes(beside, text, length);
    free(text);
    free(model);
}

static const struct {
    const char *name;
    void (*put)(void);
    const char *want;
} besides[] = {
    {"garbage", garbage_beside, SIGNATURE_TEXT "@0"},
    {"an empty file", nothing_beside, SIGNATURE_TEXT "@0"},
    {"a file of 1 TiB", endless_beside, SIGNATURE_TEXT "@4096"},
    {"a folder", folder_beside, "trust.signature-read"},
    {"a FIFO", fifo_beside, "trust.signature-read"},
    {"a socket", socket_beside, "trust.signature-read"},
    {"a link to itself", loop_beside, "trust.signature-read"},
    {"a link to nothing", dangling_beside, "trust.signature-read"},
    {"the author's signature of another file", signature_of_another_beside, "trust.signature"},
    {"another comment", other_comment_beside, "trust.signature"},
    {"a stranger's signature of another file", strangers_signature_of_another_beside, ACCEPTED},
};

/* Nobody's permission to take unsigned files makes a bad signature a missing one. */
static bool beside_passes(size_t i) {
    wlk_load_options options = kit_options(REAL_CHILD);
    const wlk_artifact artifact = {.path = in_scratch("model.wlk")};
    wlk_gate *gate;
    wlk_error error = {.offset = 0};
    options.allow_unsigned = 1;
    besides[i].put();
    const leftovers before = leftovers_before(scratch);
    EXPECT_OK(wlk_gate_open(&options, &gate, &error));
    const wlk_status status = wlk_gate_verify(gate, &artifact, NULL, &error);
    wlk_gate_close(gate);
    const bool passes = row_passes(besides[i].name, besides[i].want, NULL, status, &error, &before);
    (void)rmdir(beside);
    (void)unlink(beside);
    return passes;
}

static void test_what_lies_beside_a_file(void **state) {
    (void)state;
    wlk_public_key author;
    char id[WLK_KEY_ID_TEXT_BYTES];
    kit_file file = kit_signed(0);
    bool all = true;
    write_bytes(in_scratch("model.wlk"), file.data, file.size);
    wlk_free(file.data);
    wlk_secret_key_public(kit.key, &author);
    wlk_key_id_text(author.id, id);
    for (int numbered = 0; numbered < 2; numbered++) {
        (void)snprintf(beside, sizeof beside, "%s%s%s.minisig", in_scratch("model.wlk"),
                       numbered ? "." : "", numbered ? id : "");
        for (size_t i = 0; i < sizeof besides / sizeof *besides; i++) all &= beside_passes(i);
    }
    assert_true(all);
}

/* ---- whose files they are: root makes them before there is an ordinary user */

static char somebodys[64];

static int somebodys_files_make(void) {
    static const char *const names[] = {"policy", "keys/a.pub"};
    char path[128];
    if (geteuid() != 0) return 0;
    (void)snprintf(somebodys, sizeof somebodys, "/tmp/weighlock-test-XXXXXX");
    if (!mkdtemp(somebodys) || chmod(somebodys, 0755) != 0) return 1;
    (void)snprintf(path, sizeof path, "%s/keys", somebodys);
    if (mkdir(path, 0755) != 0) return 1;
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", somebodys, names[i]);
        write_bytes(path, "", 0);
        if (chmod(path, 0644) != 0 || chown(path, ORDINARY_USER + 1, ORDINARY_USER) != 0) return 1;
    }
    (void)snprintf(path, sizeof path, "%s/folder", somebodys);
    return mkdir(path, 0755) != 0 || chown(path, ORDINARY_USER + 1, ORDINARY_USER) != 0;
}

static const struct {
    const char *name;
    load_file load;
    const char *want;
} somebodys_rows[] = {
    {"policy", load_policy, "policy.mode"},
    {"keys", load_folder, "trust.key-mode"},
    {"folder", load_folder, "trust.folder-mode"},
};

/* Who was never root has only own files to try. */
static void test_files_of_somebody_else(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < 3 && somebodys[0]; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", somebodys, somebodys_rows[i].name);
        all &=
            file_row(somebodys_rows[i].name, somebodys_rows[i].load, path, somebodys_rows[i].want);
    }
    all &= text_row("own policy", load_policy, "", 0, ACCEPTED);
    assert_true(all);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_stands_where_a_file_should),
        cmocka_unit_test(test_trust_folders),
        cmocka_unit_test(test_what_lies_beside_a_file),
        cmocka_unit_test(test_files_of_somebody_else),
    };
    return cmocka_run_group_tests(tests, bad_files_setup, kit_teardown);
}

int main(void) {
    if (somebodys_files_make() != 0) return 99;
    const int failed = kit_run(group, (const char *const[]){REAL_CHILD, NULL});
    if (somebodys[0]) (void)nftw(somebodys, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return failed;
}
