/* Invariant 2: nothing is parsed before signature and digests hold. Whatever byte
 * of a file is altered, and wherever it is cut, it is refused with the verdict
 * "trust" before any child exists. */
#include "support/gate_kit.h"

#include "base/envelope.h"

typedef struct tamper {
    wlk_gate *gate;
    int fd; /* the file, in place */
    uint64_t altered, accepted;
} tamper;

static void tamper_open(tamper *t, const wlk_load_options *options, const kit_file *file) {
    *t = (tamper){.gate = kit_gate(options), .fd = kit_memfd(file, 0)};
}

static void tamper_close(tamper *t) {
    (void)close(t->fd);
    wlk_gate_close(t->gate);
}

/* The file as it stands must be refused. */
static void expect_trust_refusal(const tamper *t, uint64_t offset, unsigned value) {
    wlk_model *model;
    wlk_load_report report;
    wlk_error error;
    const wlk_status status = wlk_gate_load_fd(t->gate, t->fd, &model, &report, &error);
    if (status == WLK_TRUST && error.status == WLK_TRUST && !report.child_started && !model) return;
    fail_msg("byte %llu set to %02x: %s, %s, child %d", (unsigned long long)offset, value,
             wlk_status_name(status), wlk_rule_name(error.rule), report.child_started);
}

static void try_byte(tamper *t, const kit_file *file, uint64_t offset, unsigned value) {
    const uint8_t byte = (uint8_t)value;
    if (byte == file->data[offset]) return;
    assert_int_equal(pwrite(t->fd, &byte, 1, (off_t)offset), 1);
    expect_trust_refusal(t, offset, value);
    assert_int_equal(pwrite(t->fd, file->data + offset, 1, (off_t)offset), 1);
    t->altered++;
}

/* The untouched file, before and after, is accepted: what was tried was the
 * alteration and nothing else. */
static void expect_accepted(tamper *t) {
    wlk_model *model;
    wlk_load_report report;
    wlk_error error;
    EXPECT_OK(wlk_gate_load_fd(t->gate, t->fd, &model, &report, &error));
    assert_int_equal(report.child_started, 1);
    wlk_model_free(model);
}

static void test_invariant_2_every_byte_of_a_signed_file(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    kit_file file = kit_signed(0);
    tamper t;
    tamper_open(&t, &options, &file);
    expect_accepted(&t);
    for (uint64_t offset = 0; offset < file.size; offset++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            try_byte(&t, &file, offset, file.data[offset] ^ 1u << bit);
        }
        try_byte(&t, &file, offset, 0x00);
        try_byte(&t, &file, offset, 0xff);
    }
    expect_accepted(&t);
    assert_true(t.altered >= 9 * file.size); /* 00 and ff are there in places */
    tamper_close(&t);
    free(file.data);
}

/* Digests hold an unsigned file together too, where the operator allows it. */
static void test_every_byte_of_an_unsigned_file(void **state) {
    (void)state;
    wlk_load_options options = kit_options(REAL_CHILD);
    kit_file file = kit_written(kit_model(0), NULL);
    tamper t;
    options.allow_unsigned = 1;
    tamper_open(&t, &options, &file);
    expect_accepted(&t);
    for (uint64_t offset = 0; offset < file.size; offset++) {
        /* A key id makes it a stranger's file, which is as good as unsigned. */
        const uint64_t key_id = ENVELOPE_SIGNATURE_AT - ENVELOPE_KEY_ID_BYTES;
        if (offset >= key_id && offset < ENVELOPE_SIGNATURE_AT) continue;
        try_byte(&t, &file, offset, file.data[offset] ^ 1u << offset % 8);
    }
    expect_accepted(&t);
    tamper_close(&t);
    free(file.data);
}

/* Cut at every byte behind the first ten, which say that it is a .wlk file, and
 * made longer. */
static void test_invariant_2_every_length(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    kit_file file = kit_signed(0);
    tamper t;
    tamper_open(&t, &options, &file);
    for (uint64_t size = file.size + 4097; size >= 10; size -= size > file.size + 64 ? 64 : 1) {
        if (size == file.size) continue;
        assert_int_equal(ftruncate(t.fd, (off_t)size), 0);
        expect_trust_refusal(&t, size, 0);
    }
    tamper_close(&t);
    free(file.data);
}

/* Pieces that are moved: each byte is one that was signed, in another place. */
static void test_invariant_2_pieces_change_places(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    kit_file file = kit_signed(200000), other = kit_signed(200001);
    const struct {
        uint64_t from, to, length;
    } rows[] = {
        {4096, 4096 + 64, 16},                 /* tensor a over tensor b */
        {4096 + 128, 4096 + 65536 + 128, 256}, /* within the data */
        {256, 264, 8},                         /* within the header */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tamper t;
        tamper_open(&t, &options, &file);
        assert_int_equal(pwrite(t.fd, file.data + rows[i].from, rows[i].length, (off_t)rows[i].to),
                         rows[i].length);
        expect_trust_refusal(&t, rows[i].to, 0);
        tamper_close(&t);
    }
    /* The envelope of one signed file on another. */
    tamper t;
    tamper_open(&t, &options, &file);
    assert_int_equal(pwrite(t.fd, other.data, ENVELOPE_BYTES, 0), ENVELOPE_BYTES);
    expect_trust_refusal(&t, 0, 0);
    tamper_close(&t);
    free(file.data);
    free(other.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariant_2_every_byte_of_a_signed_file),
        cmocka_unit_test(test_every_byte_of_an_unsigned_file),
        cmocka_unit_test(test_invariant_2_every_length),
        cmocka_unit_test(test_invariant_2_pieces_change_places),
    };
    return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}
