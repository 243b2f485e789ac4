#include "file/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

#define ATTEMPTS 16 /* at a name that nobody has; the second one is for a miracle */

/* ---- refusals */

static const char *shown(const whole_file *file) {
    return file->place.shown ? file->place.shown : file->place.path;
}

wlk_status whole_file_failed(const whole_file *file, int reason, wlk_error *error) {
    return error_errno(error, file->place.failed, reason, shown(file));
}

static wlk_status refuse(const whole_file *file, wlk_rule rule, wlk_error *error) {
    return error_text(error, rule, WLK_NO_OFFSET, "%s", shown(file));
}

/* ---- where it goes */

/* A folder that may be written to but not listed cannot be synced, and that is all that
 * is lacking: O_PATH does for the rest. */
static int open_folder(int below, const char *path) {
    const int fd = openat(below, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 || errno != EACCES) return fd;
    return openat(below, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static wlk_status find_folder(whole_file *file, wlk_error *error) {
    const char *path = file->place.path;
    const char *slash = strrchr(path, '/');
    file->name = slash ? slash + 1 : path;
    if (!file->name[0]) return whole_file_failed(file, slash ? EISDIR : ENOENT, error);
    char *folder = slash ? mem_text_of(path, (size_t)(slash - path) + 1) : mem_text(".");
    if (!folder) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    file->folder = open_folder(file->place.folder, folder);
    const int reason = errno;
    mem_free(folder);
    return file->folder >= 0 ? WLK_OK : whole_file_failed(file, reason, error);
}

/* Neither a link nor a device nor a folder decides where something is written. */
static wlk_status look(whole_file *file, wlk_error *error) {
    struct stat there;
    if (fstatat(file->folder, file->name, &there, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? WLK_OK : whole_file_failed(file, errno, error);
    }
    if (file->place.exists != RULE_NONE) return refuse(file, file->place.exists, error);
    if (!S_ISREG(there.st_mode)) return refuse(file, RULE_WRITE_TARGET, error);
    file->replaces = true;
    file->mode = there.st_mode & 0777 & ~file->place.denied;
    return WLK_OK;
}

/* ---- the file, without a name or with a hidden one */

typedef struct proc_path {
    char text[32];
} proc_path;

static proc_path proc_path_of(int fd) {
    proc_path path;
    (void)snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", fd);
    return path;
}

/* Without /proc the file could never get a name: AT_EMPTY_PATH asks for a capability. */
static bool can_be_linked(int fd) {
    struct stat own, by_path;
    return fstat(fd, &own) == 0 && stat(proc_path_of(fd).text, &by_path) == 0 &&
           own.st_dev == by_path.st_dev && own.st_ino == by_path.st_ino;
}

/* Others do not read what will replace a file that they may not read. */
static mode_t first_mode(const whole_file *file) {
    return file->replaces ? 0600 : file->place.mode;
}

static bool open_nameless(whole_file *file) {
    file->fd = openat(file->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, first_mode(file));
    if (file->fd < 0) return false;
    if (can_be_linked(file->fd)) return true;
    (void)close(file->fd);
    file->fd = -1;
    return false;
}

static int open_hidden(whole_file *file) {
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    file->fd = openat(file->folder, file->hidden, flags, first_mode(file));
    return file->fd >= 0 ? 0 : errno;
}

static int link_as(const whole_file *file, const char *name) {
    const proc_path own = proc_path_of(file->fd);
    return linkat(AT_FDCWD, own.text, file->folder, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

static int link_hidden(whole_file *file) {
    return link_as(file, file->hidden);
}

/* Gives it a name that nobody can guess; a trust folder does not look at hidden files. */
static int hide(whole_file *file, int (*make)(whole_file *file)) {
    int reason = EEXIST;
    for (int i = 0; i < ATTEMPTS && reason == EEXIST; i++) {
        unsigned long long number = 0;
        const bool drawn = getrandom(&number, sizeof number, 0) == sizeof number;
        (void)snprintf(file->hidden, sizeof file->hidden, ".weighlock-%016llx", number);
        reason = drawn ? make(file) : EAGAIN;
    }
    if (reason != 0) file->hidden[0] = '\0'; /* somebody else's, or nobody's */
    return reason;
}

/* Whatever is in the way of a file without a name (the file system, the kernel, /proc):
 * the other way works, or it says what is wrong. */
wlk_status whole_file_open(const whole_place *place, whole_file *file, wlk_error *error) {
    *file = WHOLE_FILE_NONE;
    file->place = *place;
    TRY(find_folder(file, error));
    TRY(look(file, error));
    if (!place->named && open_nameless(file)) return WLK_OK;
    const int reason = hide(file, open_hidden);
    return reason == 0 ? WLK_OK : whole_file_failed(file, reason, error);
}

/* ---- bytes */

int whole_write(int fd, const void *bytes, uint64_t length) {
    const uint8_t *at = bytes;
    while (length > 0) {
        const ssize_t put = write(fd, at, length);
        if (put < 0 && errno == EINTR) continue;
        if (put < 1) return put < 0 ? errno : EIO;
        at += put;
        length -= (uint64_t)put;
    }
    return 0;
}

wlk_status whole_file_write(const whole_file *file, const void *bytes, uint64_t length,
                            wlk_error *error) {
    const int reason = whole_write(file->fd, bytes, length);
    return reason == 0 ? WLK_OK : whole_file_failed(file, reason, error);
}

/* ---- into its place */

/* Not every file system can; those that cannot have links. */
static int rename_to_nothing(const whole_file *file) {
    if (renameat2(file->folder, file->hidden, file->folder, file->name, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) return errno;
    if (linkat(file->folder, file->hidden, file->folder, file->name, 0) != 0) return errno;
    (void)unlinkat(file->folder, file->hidden, 0);
    return 0;
}

static int put_new(const whole_file *file) {
    return file->hidden[0] ? rename_to_nothing(file) : link_as(file, file->name);
}

/* No call links a file over another: it has its hidden name for a moment. */
static int put_over(whole_file *file) {
    const int reason = file->hidden[0] ? 0 : hide(file, link_hidden);
    if (reason != 0) return reason;
    return renameat(file->folder, file->hidden, file->folder, file->name) == 0 ? 0 : errno;
}

/* Where nothing was seen there may be something by now. */
static int name_it(whole_file *file) {
    int reason = file->replaces ? EEXIST : put_new(file);
    if (reason == EEXIST && file->place.exists == RULE_NONE) {
        file->replaces = true;
        reason = put_over(file);
    }
    if (reason == 0) file->hidden[0] = '\0';
    return reason;
}

/* So that the name survives a power cut too. Not every file system can (EINVAL), and not
 * every folder may be read (EBADF). */
static int sync_folder(const whole_file *file) {
    return fsync(file->folder) == 0 || errno == EINVAL || errno == EBADF ? 0 : errno;
}

wlk_status whole_file_commit(whole_file *file, wlk_error *error) {
    TRY(look(file, error)); /* writing may have taken long */
    if (file->replaces && fchmod(file->fd, file->mode) != 0) {
        return whole_file_failed(file, errno, error);
    }
    if (fsync(file->fd) != 0) return whole_file_failed(file, errno, error);
    int reason = name_it(file);
    if (reason == EEXIST && file->place.exists != RULE_NONE) {
        return refuse(file, file->place.exists, error);
    }
    if (reason != 0) return whole_file_failed(file, reason, error);
    reason = sync_folder(file);
    if (reason == 0) return WLK_OK;
    if (!file->replaces) (void)unlinkat(file->folder, file->name, 0);
    return whole_file_failed(file, reason, error);
}

void whole_file_close(whole_file *file) {
    if (file->hidden[0]) (void)unlinkat(file->folder, file->hidden, 0);
    if (file->fd >= 0) (void)close(file->fd);
    if (file->folder >= 0) (void)close(file->folder);
    *file = WHOLE_FILE_NONE;
}

wlk_status whole_file_put(const whole_place *place, const void *bytes, uint64_t length,
                          wlk_error *error) {
    whole_file file;
    wlk_status status = whole_file_open(place, &file, error);
    if (status == WLK_OK) status = whole_file_write(&file, bytes, length, error);
    if (status == WLK_OK) status = whole_file_commit(&file, error);
    whole_file_close(&file);
    return status;
}
