/* A disk that hangs or fails: while the file that DISK_CONTROL names is there,
 * calls that write to a store do what it says: wait, or fail with that error. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int is_store(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strstr(path, "history.db") != NULL;
}

/* The error that the disk fails with now, 0 if it is sound. */
static int fails(int fd) {
    const char *control = getenv("DISK_CONTROL");
    if (control == NULL || !is_store(fd)) return 0;
    for (;;) {
        FILE *file = fopen(control, "r");
        if (file == NULL) return 0;
        int error = 0;
        if (fscanf(file, "%d", &error) != 1) error = 0;
        fclose(file);
        if (error != 0) return error;
        usleep(10000);
    }
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

ssize_t write(int fd, const void *bytes, size_t count) {
    int error = fails(fd);
    if (error) { errno = error; return -1; }
    return REAL("write", ssize_t (*)(int, const void *, size_t))(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    int error = fails(fd);
    if (error) { errno = error; return -1; }
    return REAL("pwrite", ssize_t (*)(int, const void *, size_t, off_t))(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    int error = fails(fd);
    if (error) { errno = error; return -1; }
    return REAL("pwrite64", ssize_t (*)(int, const void *, size_t, off64_t))(fd, bytes, count, at);
}

int fsync(int fd) {
    int error = fails(fd);
    if (error) { errno = error; return -1; }
    return REAL("fsync", int (*)(int))(fd);
}

int fdatasync(int fd) {
    int error = fails(fd);
    if (error) { errno = error; return -1; }
    return REAL("fdatasync", int (*)(int))(fd);
}
