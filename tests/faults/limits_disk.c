/* A full disk: every command writes into a file system that has so many free pages, from
 * none up to where it works, and to a standard output that takes nothing. What could not
 * be written whole is not there, what was there is as it was, and the verdict says so.
 *
 * The file system is a small tmpfs in a mount namespace of this program's own. */
#include "support/sanitized.h"

#include "endure_cli.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#define PAGE 4096ull
#define DISK_PAGES 1024

static struct { unsigned runs, worked, refused, failures; } told;

/* ---- the disk */

static char disk[128], filler[160];

static void write_text(const char *path, const char *text) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

static ino_t mount_namespace(void) {
    struct stat info;
    assert_int_equal(stat("/proc/self/ns/mnt", &info), 0);
    return info.st_ino;
}

/* An ordinary user mounts in a user namespace, as himself. Nothing is mounted before
 * the namespace is seen to be another one. */
static void own_mounts(void) {
    char map[64];
    const unsigned uid = geteuid(), gid = getegid();
    const ino_t before = mount_namespace();
    assert_int_equal(unshare(CLONE_NEWNS | (uid ? CLONE_NEWUSER : 0)), 0);
    if (mount_namespace() == before) fail_msg("no mount namespace of its own");
    if (uid) {
        write_text("/proc/self/setgroups", "deny");
        (void)snprintf(map, sizeof map, "%u %u 1", uid, uid);
        write_text("/proc/self/uid_map", map);
        (void)snprintf(map, sizeof map, "%u %u 1", gid, gid);
        write_text("/proc/self/gid_map", map);
    }
    assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

static void make_disk(void) {
    char size[64];
    own_mounts();
    (void)snprintf(disk, sizeof disk, "%s.disk", scratch);
    (void)snprintf(filler, sizeof filler, "%s/filler", disk);
    (void)snprintf(size, sizeof size, "mode=0755,size=%llu", DISK_PAGES * PAGE);
    assert_int_equal(mkdir(disk, 0755), 0);
    assert_int_equal(mount("none", disk, "tmpfs", 0, size), 0);
    (void)snprintf(cli_run.work, sizeof cli_run.work, "%s/work", disk);
}

static uint64_t free_pages(void) {
    struct statvfs info;
    assert_int_equal(statvfs(disk, &info), 0);
    return info.f_bfree * info.f_bsize / PAGE;
}

static void clear_disk(void) {
    (void)unlink(filler);
}

/* Leaves that many pages. */
static void fill_disk(uint64_t pages) {
    const int fd = open(filler, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    const uint64_t now = free_pages();
    assert_true(now > pages);
    assert_int_equal(posix_fallocate(fd, 0, (off_t)((now - pages) * PAGE)), 0);
    (void)close(fd);
    assert_int_equal(free_pages(), pages);
}

/* ---- runs */

static void complain(const cli_row *row, uint64_t pages, const char *wrong,
                     const cli_outcome *got) {
    told.failures++;
    (void)printf("%llu pages: %s: %s: exit %d: %.200s\n", (unsigned long long)pages, row->line,
                 wrong, got->code, got->err);
}

static void count(const cli_outcome *got) {
    told.runs++;
    told.worked += got->code == 0;
    told.refused += got->code != 0;
}

/* Returns whether it worked. */
static bool run_with(const cli_row *row, uint64_t pages, const cli_outcome *peace) {
    static cli_outcome got;
    clear_disk();
    cli_restore();
    fill_disk(pages);
    const bool alone = cli_do(row->line, NULL, NULL, &got);
    clear_disk();
    const char *wrong = cli_fault(row, peace, &got, alone);
    if (!wrong && got.code != 0 && got.code != WLK_SYSTEM) wrong = "not the system's";
    if (wrong) complain(row, pages, wrong, &got);
    count(&got);
    return got.code == 0;
}

static void give_full_output(void *unused) {
    (void)unused;
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    (void)dup2(full, 1);
}

/* What a command did is done; but who cannot be told of it gets an error. */
static void run_untold(const cli_row *row, const cli_outcome *peace) {
    static cli_outcome got;
    if (peace->out_length == 0) return;
    const bool alone = cli_do(row->line, give_full_output, NULL, &got);
    const char *wrong = alone ? NULL : "somebody is left";
    if (!wrong && got.code != WLK_SYSTEM) wrong = "nobody was told, and it is no error";
    if (!wrong && row->kind != CLI_RANDOM && got.files != peace->files &&
        got.files != cli_run.files) {
        wrong = "other files";
    }
    if (wrong) complain(row, 0, wrong, &got);
    count(&got);
}

static void run_row(const cli_row *row) {
    static const uint64_t pages[] = {0, 1, 2, 3, 4, 5, 6, 8, 12, 16, 32, 64, 80, 128, 256};
    static cli_outcome peace;
    bool worked = false;
    if (!cli_do(row->line, NULL, NULL, &peace) || peace.code != 0) {
        complain(row, DISK_PAGES, "not as expected with room", &peace);
    }
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        worked = run_with(row, pages[i], &peace);
    }
    if (!worked) complain(row, 0, "never worked", &peace);
    run_untold(row, &peace);
}

int main(void) {
    cli_prepare();
    cli_forget_work();
    make_disk();
    cli_run.now = 0;
    for (size_t i = 0; i < CLI_ROWS; i++) run_row(&cli_rows[i]);
    (void)umount2(disk, MNT_DETACH);
    (void)rmdir(disk);
    cli_clear_away();
    (void)printf("limits_disk: %u runs: %u worked, %u refused; failures %u\n", told.runs,
                 told.worked, told.refused, told.failures);
    return told.failures != 0;
}
