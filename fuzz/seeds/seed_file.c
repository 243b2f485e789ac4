#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "seeds/seeds.h"

#define PATH_BYTES 4096

static char root[PATH_BYTES / 2];

void seed_folder(const char *folder) {
    if (strlen(folder) >= sizeof root) seed_fail(folder, NULL);
    (void)snprintf(root, sizeof root, "%s", folder);
}

void seed_fail(const char *name, const wlk_error *error) {
    char text[512] = "";
    if (error && error->status != WLK_OK) (void)wlk_error_format(error, text, sizeof text);
    (void)fprintf(stderr, "make_seeds: %s: %s\n", name, error ? text : strerror(errno));
    exit(1);
}

/* The folders on the way to `path` come into being. */
static void make_folders(char *path) {
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = 0;
        if (mkdir(path, 0777) != 0 && errno != EEXIST) seed_fail(path, NULL);
        *at = '/';
    }
}

static void put_file(char *path, const void *data, size_t size) {
    make_folders(path);
    FILE *file = fopen(path, "wbe");
    if (!file) seed_fail(path, NULL);
    if (fwrite(data, 1, size, file) != size || fclose(file) != 0) seed_fail(path, NULL);
}

void seed_put(const char *target, const char *name, const void *data, size_t size) {
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/seeds/%s/%s", root, target, name);
    put_file(path, data, size);
}

void seed_dictionary(const char *target, const char *text, size_t size) {
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/dict/%s.dict", root, target);
    put_file(path, text, size);
}

void seed_add(seed_buffer *buffer, const void *data, size_t size) {
    if (size > buffer->room - buffer->size) {
        buffer->room = 2 * (buffer->size + size) + 256;
        buffer->data = realloc(buffer->data, buffer->room);
        if (!buffer->data) seed_fail("memory", NULL);
    }
    if (size) memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void seed_print(seed_buffer *buffer, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof text) seed_fail(format, NULL);
    seed_add(buffer, text, (size_t)length);
}
