/* Somebody changes files while they are loaded, thousands of times: swaps them by rename,
 * swaps a symbolic link, writes over them, cuts and extends them, punches holes into them.
 * Whatever is accepted is, to the last byte, what the trusted key has signed (invariant 1);
 * everything else is refused by a rule. Both must happen, or it was no attack. */
#include "support/sanitized.h"

#define SWAP_BYTES 70000 /* of each tensor: time for the attacker */
#include "swap_files.h"

#include <linux/falloc.h>

#define ROUNDS 500 /* of each attack with each kind of load */
#define MOST_ROUNDS 4000
#define MOST_RULES 24

/* ---- attacks: one step each, over and over, in a process of its own */

static uint64_t dice = 1;

static void rest(void) {
    (void)usleep((useconds_t)(next_random(&dice) % 400));
}

static void swap_names(int fd) {
    (void)fd;
    swap_exchange(at.target, at.other);
    rest();
}

static void swap_links(int fd) {
    (void)fd;
    for (int i = 0; i < 2; i++) {
        (void)!symlink(i ? at.target : at.other, at.link_next);
        (void)rename(at.link_next, at.link);
        rest();
    }
}

static void write_over(int fd) {
    (void)!pwrite(fd, at.strange.data, at.strange.size, 0);
    rest();
    (void)!pwrite(fd, at.altered.data, at.altered.size, 0);
    rest();
    (void)!pwrite(fd, at.good.data, at.good.size, 0);
    rest();
}

static void cut_and_extend(int fd) {
    (void)!ftruncate(fd, (off_t)(next_random(&dice) % at.good.size));
    rest();
    (void)!ftruncate(fd, (off_t)at.good.size);
    rest();
    (void)!pwrite(fd, at.good.data, at.good.size, 0);
    (void)!pwrite(fd, at.good.data, 1, (off_t)at.good.size); /* and too long */
    (void)!ftruncate(fd, (off_t)at.good.size);
    rest();
}

static void punch(int fd) {
    const off_t from = (off_t)(next_random(&dice) % at.good.size);
    (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, 65536);
    rest();
    (void)!pwrite(fd, at.good.data, at.good.size, 0);
    rest();
}

/* The file and the signature beside it, each by itself. */
static void swap_signatures(int fd) {
    (void)fd;
    swap_exchange(at.beside, at.beside_other);
    rest();
    swap_exchange(at.target, at.other);
    rest();
}

typedef struct attack {
    const char *name;
    void (*step)(int fd);
    bool by_link;
    bool beside; /* the good file is unsigned, but for the signature beside it */
} attack;

static const attack attacks[] = {
    {"names are swapped", swap_names, false, false},
    {"links are swapped", swap_links, true, false},
    {"it is written over", write_over, false, false},
    {"it is cut and extended", cut_and_extend, false, false},
    {"holes are punched", punch, false, false},
    {"signatures are swapped", swap_signatures, false, true},
};

static pid_t begin(const attack *a) {
    (void)fflush(NULL);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0) return pid;
    kit_crash_as_usual();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int fd = open(at.target, O_RDWR | O_CLOEXEC);
    if (fd < 0) _exit(1);
    for (dice = (uint64_t)getpid();;) a->step(fd);
}

/* ---- loads, and what comes out */

static struct {
    unsigned rounds, good, refused, wrong;
    const char *rules[MOST_RULES];
    unsigned times[MOST_RULES];
} told;

static void tell_rule(const char *rule) {
    for (size_t i = 0; i < MOST_RULES; i++) {
        if (!told.rules[i]) told.rules[i] = rule;
        if (strcmp(told.rules[i], rule) != 0) continue;
        told.times[i]++;
        return;
    }
}

/* Rounds go on until both outcomes were seen, within reason. */
static void load_under_attack(const attack *a, const swap_way *way) {
    const unsigned rounds = SANITIZED ? ROUNDS / 10 : ROUNDS;
    unsigned accepted = 0, refused = 0;
    wlk_gate *gate = swap_gate(way);
    for (unsigned i = 0; i < rounds || (i < MOST_ROUNDS && (!accepted || !refused)); i++) {
        wlk_error error;
        bool right;
        const wlk_status status = way->load(gate, a->by_link ? at.link : at.target, &right, &error);
        told.rounds++;
        accepted += status == WLK_OK;
        refused += status != WLK_OK;
        if (status != WLK_OK) tell_rule(wlk_rule_name(error.rule));
        if (right && (status == WLK_OK || status == rule_status(error.rule))) continue;
        told.wrong++;
        (void)printf("%s, %s: another model was accepted\n", a->name, way->name);
    }
    wlk_gate_close(gate);
    told.good += accepted;
    told.refused += refused;
    if (accepted && refused) return;
    told.wrong++;
    (void)printf("%s, %s: %u good, %u refused\n", a->name, way->name, accepted, refused);
}

static void attack_all(const attack *a) {
    for (size_t i = 0; i < SWAP_WAYS; i++) {
        if (a->beside && !swap_ways[i].beside) continue;
        int status = 0;
        swap_lay_out(a->beside);
        const pid_t attacker = begin(a);
        load_under_attack(a, &swap_ways[i]);
        (void)kill(attacker, SIGKILL);
        (void)waitpid(attacker, &status, 0);
        if (WIFSIGNALED(status)) continue;
        told.wrong++;
        (void)printf("%s: the attacker gave up\n", a->name);
    }
}

int main(void) {
    void *state = NULL;
    assert_int_equal(kit_setup(&state), 0);
    swap_make();
    (void)kit_program(REAL_CHILD);
    const unsigned before = kit_descriptors();
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) attack_all(&attacks[i]);
    if (!kit_is_clean(before)) told.wrong++, (void)printf("something is left\n");
    for (size_t i = 0; i < MOST_RULES && told.rules[i]; i++) {
        (void)printf("%6u %s\n", told.times[i], told.rules[i]);
    }
    swap_clear_away();
    (void)kit_teardown(&state);
    (void)printf("swap_race: %u rounds, %u good, %u refused; failures %u\n", told.rounds, told.good,
                 told.refused, told.wrong);
    return told.wrong != 0;
}
