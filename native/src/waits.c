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
    int64_t until = 0;
    int64_t left = timeout_millis;
    for (bool first = true;; first = false) {
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
            if (ready == 0 && left <= slice) {
                return 0;
            }
            /* Who finds something at once need not ask the time, which is a system call on some machines. */
            int64_t now = now_millis();
            until = first ? now + timeout_millis - (ready == 0 ? slice : 0) : until;
            left = until > now ? until - now : 0;
        }
    }
}

bool set_nonblocking(int file) {
    int flags = fcntl(file, F_GETFL);
    return flags >= 0 && fcntl(file, F_SETFL, flags | O_NONBLOCK) == 0;
}
