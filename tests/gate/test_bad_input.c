/* Bad bytes of a .wlk file: each row is one thing that can be wrong, and says the rule,
 * the offset, and that nothing is left behind (invariants 2 and 9). */
#include "gate/bad_artifact.h"

#include "base/bytes.h"
#include "base/envelope.h"

static kit_file by_author, by_nobody; /* the same model, signed and unsigned */

static bool bytes_row(const char *name, const kit_file *file, bool allow_unsigned,
                      const char *want) {
    wlk_load_options options = kit_options(REAL_CHILD);
    options.allow_unsigned = allow_unsigned;
    const int fd = kit_memfd(file, ALL_SEALS);
    const bool passes = artifact_row(name, &options, NULL, fd, want, NULL);
    (void)close(fd);
    return passes;
}

static kit_file copy_of(const kit_file *file) {
    return (kit_file){exact_copy(file->data, file->size), file->size};
}

/* ---- every field of the envelope, wrong alone */

enum change { LESS, MORE, ZERO, ONES, SIGN, CHANGES };
static const char *const change_names[CHANGES] = {"one less", "one more", "zero", "all ones",
                                                  "sign bit"};

/* What a change of the field gives, in a signed and in an unsigned file; NULL: the same
 * as signed; "": nothing was changed, or it is as good as before. Offsets by name:
 * `table`: of the digest table; `last`: its last byte; `signature`: its first byte that
 * is not zero. */
typedef struct field_row {
    const char *name;
    unsigned at, bytes;
    const char *with_key[CHANGES], *without[CHANGES];
} field_row;

#define ALL(want) \
    { want, want, want, want, want }
#define BAD_SIGNATURE "trust.signature@118"
#define UNKNOWN_KEY "trust.unknown-key@110"
#define BAD_HEADER "trust.header-digest@256"
#define BAD_TABLE "trust.table-digest@table"

static const field_row fields[] = {
    {"version", 10, 2, ALL("envelope.version@10"), ALL(NULL)},
    /* With less data than one chunk its size means nothing, but it is signed. */
    {"chunk_log2",
     12,
     1,
     {BAD_SIGNATURE, BAD_SIGNATURE, "envelope.chunk@12", "envelope.chunk@12", "envelope.chunk@12"},
     {"", "", NULL, NULL, NULL}},
    /* That nothing is compressed where the envelope says so, the child finds out. */
    {"codecs",
     13,
     1,
     {"envelope.codecs@13", BAD_SIGNATURE, "", "envelope.codecs@13", "envelope.codecs@13"},
     {NULL, "", NULL, NULL, NULL}},
    {"header_len",
     14,
     8,
     {"envelope.slack-zero@last", BAD_SIGNATURE, "envelope.layout@14", "envelope.layout@14",
      "envelope.layout@30"},
     {NULL, BAD_HEADER, NULL, NULL, NULL}},
    {"table_len", 22, 8, ALL("envelope.layout@22"), ALL(NULL)},
    {"data_off",
     30,
     8,
     {"envelope.layout@30", "envelope.layout@30", "envelope.layout@30", "envelope.layout@30",
      "envelope.layout@38"},
     ALL(NULL)},
    {"data_len",
     38,
     8,
     {"envelope.layout@38", "envelope.layout@38", "envelope.layout@22", "envelope.layout@22",
      "envelope.layout@22"},
     ALL(NULL)},
    {"header_digest", 46, 32, ALL(BAD_SIGNATURE), ALL(BAD_HEADER)},
    {"table_digest", 78, 32, ALL(BAD_SIGNATURE), ALL(BAD_TABLE)},
    {"key_id",
     110,
     8,
     {UNKNOWN_KEY, UNKNOWN_KEY, "envelope.key@signature", UNKNOWN_KEY, UNKNOWN_KEY},
     ALL("")}, /* a stranger's key is as good as none */
    {"signature",
     118,
     64,
     ALL(BAD_SIGNATURE),
     {"envelope.key@118", "envelope.key@118", "", "envelope.key@118", "envelope.key@181"}},
    {"reserved",
     182,
     74,
     {"envelope.zero@182", "envelope.zero@182", "", "envelope.zero@182", "envelope.zero@255"},
     ALL(NULL)},
};

/* The field as a little-endian number of any length. */
static void change_field(uint8_t *at, unsigned bytes, enum change change) {
    if (change == ZERO || change == ONES) memset(at, change == ZERO ? 0 : 0xff, bytes);
    if (change == SIGN) at[bytes - 1] ^= 0x80;
    if (change == LESS || change == MORE) {
        const uint8_t wraps_from = change == LESS ? 0x00 : 0xff;
        unsigned i = 0;
        while (i + 1 < bytes && at[i] == wraps_from) i++;
        for (unsigned j = 0; j <= i; j++) at[j] = (uint8_t)(at[j] + (change == LESS ? -1 : 1));
    }
}

/* `want` with the names of offsets replaced. */
static refusal_text resolved(const char *want, const kit_file *file) {
    envelope e;
    refusal_text text;
    const size_t rule = strcspn(want, "@");
    assert_int_equal(envelope_decode(file->data, file->size, &e, NULL), WLK_OK);
    const uint64_t table = ENVELOPE_BYTES + e.header_len;
    uint64_t signature = ENVELOPE_SIGNATURE_AT;
    while (file->data[signature] == 0 && signature < 182) signature++;
    const struct {
        const char *name;
        uint64_t offset;
    } names[] = {{"@table", table}, {"@last", table + e.table_len - 1}, {"@signature", signature}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(want + rule, names[i].name) != 0) continue;
        char name[64];
        (void)snprintf(name, sizeof name, "%.*s", (int)rule, want);
        return refusal_of(name, names[i].offset);
    }
    (void)snprintf(text.said, sizeof text.said, "%s", want);
    return text;
}

static bool field_passes(const field_row *row, enum change change, bool is_signed) {
    const kit_file *good = is_signed ? &by_author : &by_nobody;
    const char *want = row->with_key[change];
    if (!is_signed && row->without[change]) want = row->without[change];
    if (!*want) return true;
    const refusal_text text = resolved(want, good);
    char name[64];
    kit_file bad = copy_of(good);
    change_field(bad.data + row->at, row->bytes, change);
    (void)snprintf(name, sizeof name, "%s file, %s %s", is_signed ? "signed" : "unsigned",
                   row->name, change_names[change]);
    const bool passes =
        memcmp(bad.data, good->data, good->size) != 0 && bytes_row(name, &bad, true, text.said);
    free(bad.data);
    return passes;
}

/* What an operator who takes unsigned files in does not take in: only a key that nobody
 * knows is then no reason. */
static bool signed_field_passes(const field_row *row, enum change change) {
    if (strcmp(row->with_key[change], UNKNOWN_KEY) != 0) return field_passes(row, change, true);
    char name[64];
    kit_file bad = copy_of(&by_author);
    change_field(bad.data + row->at, row->bytes, change);
    (void)snprintf(name, sizeof name, "%s %s", row->name, change_names[change]);
    const bool passes = bytes_row(name, &bad, false, UNKNOWN_KEY);
    free(bad.data);
    return passes;
}

static void test_every_field_of_the_envelope_wrong_alone(void **state) {
    (void)state;
    bool all = bytes_row("signed", &by_author, false, ACCEPTED) &&
               bytes_row("unsigned", &by_nobody, true, ACCEPTED);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        for (enum change change = LESS; change < CHANGES; change++) {
            all &= signed_field_passes(&fields[i], change);
            all &= field_passes(&fields[i], change, false);
        }
    }
    assert_true(all);
}

/* ---- single bytes, each in every place of its region */

typedef struct region {
    const char *name;
    uint64_t from, to, step;
    const char *rule;
    int64_t offset; /* OWN: of the byte itself */
} region;

#define OWN (-1)

static bool region_passes(const region *r) {
    bool all = true;
    for (uint64_t at = r->from; at < r->to; at += r->step) {
        char name[64];
        kit_file bad = copy_of(&by_author);
        bad.data[at] ^= 1;
        const refusal_text want = refusal_of(r->rule, r->offset == OWN ? at : (uint64_t)r->offset);
        (void)snprintf(name, sizeof name, "%s, byte %llu", r->name, (unsigned long long)at);
        all &= bytes_row(name, &bad, true, want.said);
        free(bad.data);
    }
    return all;
}

static void test_a_byte_of_each_region(void **state) {
    (void)state;
    envelope e;
    bool all = true;
    assert_int_equal(envelope_decode(by_author.data, by_author.size, &e, NULL), WLK_OK);
    const uint64_t table = ENVELOPE_BYTES + e.header_len, slack = table + e.table_len;
    const region regions[] = {
        {"constant", 0, 10, 1, "envelope.magic", OWN},
        {"reserved", 182, 256, 1, "envelope.zero", OWN},
        {"header", 256, table, 61, "trust.header-digest", 256},
        {"digest table", table, slack, 7, "trust.table-digest", (int64_t)table},
        {"slack", slack, 4096, 509, "envelope.slack-zero", OWN},
        {"end of slack", 4095, 4096, 1, "envelope.slack-zero", OWN},
        {"data", 4096, by_author.size, 13, "trust.chunk-digest", 4096},
    };
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
        all &= region_passes(&regions[i]);
    }
    assert_true(all);
}

/* ---- files that are cut, and files that are put together from good pieces */

static void test_cut_at_every_byte(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate = kit_gate(&options);
    const int fd = kit_memfd(&by_author, 0);
    const leftovers before = leftovers_before(scratch);
    bool all = true;
    for (uint64_t size = by_author.size; size-- > 0;) {
        char name[32];
        wlk_model *model;
        wlk_error error;
        const refusal_text want = size == 0    ? refusal_of("format.empty", 0)
                                  : size < 10  ? refusal_of("trust.unsigned", WLK_NO_OFFSET)
                                  : size < 256 ? refusal_of("envelope.truncated", size)
                                               : refusal_of("envelope.layout", 38);
        (void)snprintf(name, sizeof name, "cut to %llu", (unsigned long long)size);
        assert_int_equal(ftruncate(fd, (off_t)size), 0);
        const wlk_status status = wlk_gate_load_fd(gate, fd, &model, NULL, &error);
        /* Looking for what is left takes longer than the load. */
        if (size % 64 == 0)
            all &= row_passes(name, want.said, NULL, status, &error, &before);
        else if (refusal_fault(want.said, NULL, status, &error))
            fail_msg("%s", name);
    }
    (void)close(fd);
    wlk_gate_close(gate);
    assert_true(all);
}

/* Lazily only a .wlk file can be read. */
#define NO_WLK "format.unknown@0|load.lazy-format@0"

static kit_file joined(const void *first, uint64_t first_size, const void *second,
                       uint64_t second_size) {
    kit_file file = {malloc(first_size + second_size), first_size + second_size};
    assert_non_null(file.data);
    memcpy(file.data, first, first_size);
    memcpy(file.data + first_size, second, second_size);
    return file;
}

/* As a transfer in text mode leaves it. */
static kit_file without_carriage_returns(void) {
    kit_file file = copy_of(&by_author);
    uint64_t kept = 0;
    for (uint64_t i = 0; i < by_author.size; i++) {
        if (by_author.data[i] == '\r' && by_author.data[i + 1] == '\n') continue;
        file.data[kept++] = by_author.data[i];
    }
    file.size = kept;
    return file;
}

/* Zeros before the data, a page more than there may be. */
static kit_file with_much_slack(void) {
    static const uint8_t more[17 * 4096] = {0};
    kit_file file = joined(by_nobody.data, 4096, more, sizeof more);
    file = (kit_file){realloc(file.data, file.size + by_nobody.size - 4096),
                      file.size + by_nobody.size - 4096};
    assert_non_null(file.data);
    memcpy(file.data + 18 * 4096, by_nobody.data + 4096, by_nobody.size - 4096);
    store_u64(file.data + 30, 18 * 4096);
    return file;
}

static void test_files_made_of_good_pieces(void **state) {
    (void)state;
    static const uint8_t zeros[4096] = {0};
    kit_file large = kit_signed(3 << 20), altered = copy_of(&large);
    altered.data[4096 + (2u << 20) + 5] ^= 1;
    kit_file swapped = copy_of(&large);
    memcpy(swapped.data + 4096 + (1u << 20), large.data + 4096 + (1u << 19), 1u << 19);
    const struct {
        const char *name, *want;
        kit_file file;
    } rows[] = {
        {"a byte behind it", "envelope.layout@38", joined(by_author.data, by_author.size, "", 1)},
        {"a page behind it", "envelope.layout@38",
         joined(by_author.data, by_author.size, zeros, 4096)},
        {"itself behind it", "envelope.layout@38",
         joined(by_author.data, by_author.size, by_author.data, by_author.size)},
        {"a byte before it", NO_WLK, joined("", 1, by_author.data, by_author.size)},
        {"a shell script before it", NO_WLK,
         joined("#!/bin/sh\n", 10, by_author.data, by_author.size)},
        {"only the envelope", "envelope.layout@38", joined(by_author.data, 256, "", 0)},
        {"only zeros", NO_WLK, joined(zeros, 4096, "", 0)},
        {"only zeros behind the constants", "envelope.version@10",
         joined(by_author.data, 10, zeros, 300)},
        {"sent as text", "envelope.magic@6", without_carriage_returns()},
        {"the envelope of another", "envelope.layout@38",
         joined(large.data, 256, by_author.data + 256, by_author.size - 256)},
        {"the signed envelope on unsigned data of other length", "envelope.layout@38",
         joined(by_author.data, 256, large.data + 256, large.size - 256)},
        {"a byte of the third chunk", "trust.chunk-digest@2101248", copy_of(&altered)},
        {"half a chunk in another's place", "trust.chunk-digest@1052672", copy_of(&swapped)},
    };
    bool all = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        all &= bytes_row(rows[i].name, &rows[i].file, true, rows[i].want);
        free(rows[i].file.data);
    }
    kit_file slack = with_much_slack();
    all &= bytes_row("a page of slack too much", &slack, true, "envelope.slack@30");
    free(slack.data);
    wlk_free(large.data);
    free(altered.data);
    free(swapped.data);
    assert_true(all);
}

static int setup(void **state) {
    leftovers_count_memory();
    if (kit_setup(state) != 0) return 1;
    by_author = kit_signed(0);
    by_nobody = kit_written(kit_model(0), NULL);
    return 0;
}

static int teardown(void **state) {
    wlk_free(by_author.data);
    wlk_free(by_nobody.data);
    return kit_teardown(state);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_of_the_envelope_wrong_alone),
        cmocka_unit_test(test_a_byte_of_each_region),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_files_made_of_good_pieces),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, NULL});
}
