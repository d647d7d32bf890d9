/* Waiting for a file to become readable, so that whoever closes what we wait for need not wait long. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>

#include "disni.h"

/* How long a close may have to wait for a thread that waits for events. */
#define SLICE_MILLIS 100

static int64_t now_millis(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int await_readable(JNIEnv *env, int file, jlong handle, jint timeout_millis, const char *call) {
    int64_t until = timeout_millis > 0 ? now_millis() + timeout_millis : 0;
    for (int64_t left = timeout_millis;;) {
        struct pollfd wanted = {.fd = file, .events = POLLIN};
        int slice = left < 0 || left > SLICE_MILLIS ? SLICE_MILLIS : (int)left;
        int ready = poll(&wanted, 1, slice);
        if (closing(handle)) {
            throw_errno(env, call, EBADF, "it was closed while waiting");
            return -1;
        }
        if (ready > 0) {
            if (wanted.revents & POLLIN) {
                return 1;
            }
            throw_errno(env, call, EIO, "the device is gone");
            return -1;
        }
        if (ready < 0 && errno != EINTR) {
            throw_errno(env, call, errno, NULL);
            return -1;
        }
        if (timeout_millis >= 0) {
            left = timeout_millis > 0 ? until - now_millis() : 0;
            if (left <= 0) {
                return 0;
            }
        }
    }
}

bool set_nonblocking(int file) {
    int flags = fcntl(file, F_GETFL);
    return flags >= 0 && fcntl(file, F_SETFL, flags | O_NONBLOCK) == 0;
}
