/* The system and libsodium say no: each call that trust makes fails once where the table
 * says, and the refusal is the one that names it. Files and keys stay as they were. */
#include "trust/support.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>

#include "trust/digest.h"
#include "trust/folder.h"
#include "trust/verify.h"

/* ---- what fails: this program's functions stand before those of the libraries */

static struct {
    bool sodium, locked_memory, scrypt, threads;
    int read, fstat, readdir, lstat; /* errno; once */
    int lstats;                      /* that work before lstat fails */
    int locked;                      /* that work before locked memory is out */
    bool zeros;                      /* the next random number; once */
} fails;

static int once(int *number) {
    errno = *number;
    *number = 0;
    return errno;
}

#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

#pragma GCC visibility push(default)
int sodium_init(void) {
    return fails.sodium ? -1 : REAL(sodium_init)();
}

void *sodium_malloc(const size_t size) {
    if (fails.locked > 0 && fails.locked--) return REAL(sodium_malloc)(size);
    return fails.locked_memory ? NULL : REAL(sodium_malloc)(size);
}

int crypto_pwhash_scryptsalsa208sha256(unsigned char *const out, unsigned long long outlen,
                                       const char *const passwd, unsigned long long passwdlen,
                                       const unsigned char *const salt, unsigned long long opslimit,
                                       size_t memlimit) {
    if (fails.scrypt) return -1;
    return REAL(crypto_pwhash_scryptsalsa208sha256)(out, outlen, passwd, passwdlen, salt, opslimit,
                                                    memlimit);
}

void randombytes_buf(void *const buffer, const size_t size) {
    REAL(randombytes_buf)(buffer, size);
    if (fails.zeros) memset(buffer, 0, size);
    fails.zeros = false;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument) {
    return fails.threads ? EAGAIN : REAL(pthread_create)(thread, attributes, start, argument);
}

ssize_t read(int fd, void *buffer, size_t size) {
    return fails.read && once(&fails.read) ? -1 : syscall(SYS_read, fd, buffer, size);
}

/* What read is where the compiler knows how long the buffer is. */
ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room);
ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room) {
    return size > room ? -1 : read(fd, buffer, size);
}

int fstat(int fd, struct stat *status) {
    return fails.fstat && once(&fails.fstat) ? -1 : REAL(fstat)(fd, status);
}

int lstat(const char *path, struct stat *status) {
    if (fails.lstats > 0 && fails.lstats--) return REAL(lstat)(path, status);
    return fails.lstat && once(&fails.lstat) ? -1 : REAL(lstat)(path, status);
}

struct dirent *readdir(DIR *folder) {
    return fails.readdir && once(&fails.readdir) ? NULL : REAL(readdir)(folder);
}
#pragma GCC visibility pop

/* ---- what is done meanwhile */

static struct {
    sample file;
    wlk_trust *trust;
    wlk_secret_key *key;
    wlk_trusted_key trusted;
    wlk_signature signature;
} have;

static wlk_status sign_file(wlk_error *error) {
    return wlk_sign_detached(have.file.bytes, have.file.size, have.key, "c", &have.signature,
                             error);
}
static wlk_status write_signature(wlk_error *error) {
    return wlk_signature_write(&have.signature, in_scratch("new.minisig"), error);
}
static wlk_status parse_signature(wlk_error *error) {
    wlk_signature signature;
    return wlk_signature_parse((const uint8_t *)"untrusted comment: x\n", 21, &signature, error);
}
static wlk_status digests(wlk_error *error) {
    uint8_t table[32];
    (void)error;
    return digest_table(have.file.bytes, 1, 16, 1, table);
}
static wlk_status compare_digests(wlk_error *error) {
    uint64_t bad;
    (void)error;
    return digest_table_check(have.file.bytes, 1, 16, 1, have.file.bytes, &bad);
}
static wlk_status find_digest(wlk_error *error) {
    wlk_digest digest;
    return wlk_digest_find(in_scratch("key.pub"), "model", &digest, error);
}
static wlk_status parse_digest(wlk_error *error) {
    wlk_digest digest;
    return wlk_digest_parse(WLK_SHA256, "", &digest, error);
}
static wlk_status add_to_folder(wlk_error *error) {
    return wlk_trust_folder_add(in_scratch("new"), &have.trusted, error);
}
static wlk_status add_to_set(wlk_error *error) {
    return wlk_trust_add_key(have.trust, &have.trusted, error);
}
static wlk_status open_folder(wlk_error *error) {
    wlk_trust *trust;
    const wlk_status status = wlk_trust_open(in_scratch("trust"), &trust, error);
    wlk_trust_free(trust);
    return status;
}
static wlk_status open_default(wlk_error *error) {
    wlk_trust *trust;
    const wlk_status status = wlk_trust_open(NULL, &trust, error);
    wlk_trust_free(trust);
    return status;
}
static wlk_status open_default_silently(wlk_error *error) {
    wlk_trust *trust;
    (void)error;
    return wlk_trust_open(NULL, &trust, NULL);
}
static wlk_status make_keys(wlk_error *error) {
    return wlk_keygen(in_scratch("new.key"), in_scratch("new.pub"), NULL, NULL, error);
}
static wlk_status make_sealed_keys(wlk_error *error) {
    return wlk_keygen(in_scratch("new.key"), in_scratch("new.pub"), "password", NULL, error);
}
static wlk_status load_public(wlk_error *error) {
    wlk_public_key key;
    return wlk_public_key_load(in_scratch("key.pub"), &key, error);
}
static wlk_status load_secret(wlk_error *error) {
    wlk_secret_key *key;
    const wlk_status status = wlk_secret_key_load(in_scratch("plain.key"), NULL, &key, error);
    wlk_secret_key_free(key);
    return status;
}
static wlk_status load_sealed(wlk_error *error) {
    wlk_secret_key *key;
    return wlk_secret_key_load(in_scratch("sealed.key"), "password", &key, error);
}
static wlk_status ask_whether_sealed(wlk_error *error) {
    int encrypted;
    return wlk_secret_key_is_encrypted(in_scratch("plain.key"), &encrypted, error);
}
static wlk_status verify(wlk_error *error) {
    const wlk_verify_options options = {.trust = have.trust, .threads = 4};
    wlk_verification verification;
    return wlk_verify_memory(have.file.bytes, have.file.size, &options, &verification, error);
}
static wlk_status sign_inside(wlk_error *error) {
    return wlk_sign_memory(have.file.bytes, have.file.size, have.key, error);
}
static wlk_status look_beside(wlk_error *error) {
    wlk_signature *list;
    uint32_t count;
    const wlk_status status =
        wlk_signatures_beside(in_scratch("model"), have.trust, &list, &count, error);
    wlk_free(list);
    return status;
}

static wlk_status verify_the_head(wlk_error *error) {
    const wlk_verify_options options = {.trust = have.trust};
    wlk_verification verification;
    envelope e;
    return verify_head(have.file.bytes, have.file.data_off, have.file.size, &options, &verification,
                       &e, error);
}

static wlk_status (*const need_sodium[])(wlk_error *error) = {
    sign_file,   write_signature, parse_signature, find_digest,        parse_digest,
    add_to_set,  add_to_folder,   open_folder,     make_keys,          load_public,
    load_secret, sign_inside,     verify,          ask_whether_sealed, verify_the_head};

/* Nothing is done with a libsodium that could not be prepared. */
static void test_without_libsodium(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof need_sodium / sizeof *need_sodium; i++) {
        wlk_error error = {0};
        fails.sodium = true;
        const wlk_status status = need_sodium[i](&error);
        fails.sodium = false;
        expect_rule(status, &error, RULE_INTERNAL_DEFECT, NULL);
    }
    fails.sodium = true;
    assert_int_not_equal(digests(NULL), WLK_OK);
    assert_int_not_equal(compare_digests(NULL), WLK_OK);
    fails.sodium = false;
    assert_false(exists(in_scratch("new.key")) || exists(in_scratch("new")));
}

typedef struct failure {
    void *what; /* in `fails` */
    int number; /* errno, or true */
    wlk_status (*run)(wlk_error *error);
    wlk_rule rule; /* RULE_NONE: it works nevertheless */
} failure;

static const failure failures[] = {
    {&fails.locked_memory, true, make_keys, RULE_INTERNAL_MEMORY},
    {&fails.locked_memory, true, load_secret, RULE_INTERNAL_MEMORY},
    {&fails.locked_memory, true, ask_whether_sealed, RULE_INTERNAL_MEMORY},
    {&fails.scrypt, true, make_sealed_keys, RULE_INTERNAL_MEMORY},
    {&fails.scrypt, true, load_sealed, RULE_INTERNAL_MEMORY},
    {&fails.threads, true, verify, RULE_NONE},
    {&fails.zeros, true, make_keys, RULE_NONE},
    {&fails.read, EINTR, load_public, RULE_NONE},
    {&fails.read, EIO, load_public, RULE_TRUST_KEY_READ},
    {&fails.fstat, EIO, load_public, RULE_TRUST_KEY_READ},
    {&fails.fstat, EIO, open_folder, RULE_TRUST_FOLDER_READ},
    {&fails.fstat, EIO, add_to_folder, RULE_TRUST_FOLDER_READ},
    {&fails.readdir, EIO, open_folder, RULE_TRUST_FOLDER_READ},
    {&fails.lstat, EACCES, open_default, RULE_TRUST_FOLDER_READ},
    {&fails.lstat, EACCES, look_beside, RULE_TRUST_SIGNATURE_READ},
    {&fails.lstat, ENOTDIR, look_beside, RULE_NONE},
    {&fails.lstat, ELOOP, look_beside, RULE_NONE},
    {&fails.lstat, ENAMETOOLONG, look_beside, RULE_NONE},
};

static void let_fail(const failure *row) {
    if (row->what == &fails.read || row->what == &fails.fstat || row->what == &fails.readdir ||
        row->what == &fails.lstat) {
        *(int *)row->what = row->number;
    } else {
        *(bool *)row->what = true;
    }
}

static void test_each_failure(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        wlk_error error = {0};
        let_fail(&failures[i]);
        const wlk_status status = failures[i].run(&error);
        memset(&fails, 0, sizeof fails);
        expect_rule(status, &error, failures[i].rule, NULL);
        (void)unlink(in_scratch("new.key"));
        (void)unlink(in_scratch("new.pub"));
        assert_false(exists(in_scratch("new"))); /* a folder that was made for nothing */
    }
}

/* There is room to open the key, and none to keep it. */
static void test_no_room_for_the_key(void **state) {
    (void)state;
    wlk_error error = {0};
    fails.locked = 1;
    fails.locked_memory = true;
    const wlk_status status = load_secret(&error);
    memset(&fails, 0, sizeof fails);
    expect_rule(status, &error, RULE_INTERNAL_MEMORY, NULL);
}

/* A user's folder that cannot be seen is not passed over; who wants no error gets none. */
static void test_default_folder(void **state) {
    (void)state;
    wlk_error error = {0};
    assert_int_equal(setenv("XDG_CONFIG_HOME", in_scratch("none"), 1), 0);
    EXPECT_RULE(open_default(&error), RULE_NONE);
    fails.lstat = EACCES;
    assert_int_equal(open_default_silently(NULL), WLK_SYSTEM);
    fails.lstat = EACCES;
    fails.lstats = 1;
    EXPECT_RULE(open_default(&error), RULE_TRUST_FOLDER_READ);
    assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
    assert_int_equal(unsetenv("HOME"), 0);
    EXPECT_RULE(open_default(&error), RULE_NONE);
    EXPECT_RULE(wlk_trust_folder_add(NULL, &have.trusted, &error), RULE_TRUST_FOLDER_NONE);
    EXPECT_RULE(wlk_trust_folder_revoke(NULL, "alice", 0, &error), RULE_TRUST_FOLDER_NONE);
}

/* What callers may ask that no file leads to. */
static void test_odd_requests(void **state) {
    (void)state;
    wlk_error error = {0};
    wlk_trusted_key nameless = have.trusted;
    nameless.name[0] = '\0';
    const wlk_verification of_nobody = {.native = 1, .state = WLK_SIGNED_EXPIRED};
    EXPECT_RULE(wlk_trust_add_key(have.trust, &nameless, &error), RULE_TRUST_KEY_NAME);
    EXPECT_RULE(wlk_verification_check(&of_nobody, 1, 0, &error), RULE_TRUST_KEY_EXPIRED);
}

static int setup(void **state) {
    wlk_error error;
    if (scratch_make(state) != 0) return -1;
    const test_key key = key_number(7);
    have.file = sample_make(300, 6 << 20, 16, 0); /* enough for several threads */
    have.trust = trusting(&key);
    have.trusted = (wlk_trusted_key){public_of(&key), "alice", INT64_MIN, INT64_MAX, INT64_MAX};
    write_public(in_scratch("key.pub"), &key, 0644);
    write_secret(in_scratch("plain.key"), &key, NULL, 0600);
    write_secret(in_scratch("sealed.key"), &key, "password", 0600);
    assert_int_equal(mkdir(in_scratch("trust"), 0755), 0);
    write_public(in_scratch("trust/alice.pub"), &key, 0644);
    EXPECT_OK(wlk_secret_key_load(in_scratch("plain.key"), NULL, &have.key, &error));
    return 0;
}

static int teardown(void **state) {
    wlk_secret_key_free(have.key);
    wlk_trust_free(have.trust);
    free(have.file.bytes);
    return scratch_remove(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_libsodium),   cmocka_unit_test(test_each_failure),
        cmocka_unit_test(test_no_room_for_the_key), cmocka_unit_test(test_default_folder),
        cmocka_unit_test(test_odd_requests),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
