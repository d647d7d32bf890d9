/*
 * Tests of libdisni on a fake device, without a JVM.
 *   test [ERRORS]                 all of them; each function fails with errnos up to ERRORS (default 133)
 *   test missing FILE PACKAGE     loading fails: FILE is not there, and PACKAGE is named
 *   test old FUNCTION             loading fails: a library lacks this function
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "jvm.h"
#include "session.h"

#define MOST 128

struct rdma_conn_param fake_last_parameters;
struct ibv_qp_init_attr fake_last_queue_pair;
bool fake_tells_inline;
struct ibv_qp_attr fake_last_state;
int fake_last_state_mask;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int living;
static const char *failing;
static int failing_call, failing_error;
static bool failed;
static struct { const char *function; int calls; } counts[MOST];

/* Under the lock. */
static int *calls(const char *function) {
    for (int i = 0; i < MOST; i++) {
        if (!counts[i].function) {
            counts[i].function = function;
        }
        if (strcmp(counts[i].function, function) == 0) {
            return &counts[i].calls;
        }
    }
    abort();
}

bool fake_fails(const char *function, int *error) {
    pthread_mutex_lock(&lock);
    int call = ++*calls(function);
    bool now = failing && !failed && call == failing_call && strcmp(failing, function) == 0;
    if (now) {
        *error = failing_error;
        failed = true;
    }
    pthread_mutex_unlock(&lock);
    return now;
}

void fail_next(const char *function, int call, int error) {
    failing = function;
    failing_call = call;
    failing_error = error;
    failed = false;
}

bool has_failed(void) { return failed; }

int calls_of(const char *function) { return *calls(function); }

void count_from_zero(void) {
    for (int i = 0; i < MOST; i++) {
        counts[i].calls = 0;
    }
}

void fake_alive(int change) { atomic_fetch_add(&living, change); }
int alive(void) { return atomic_load(&living); }

void fake_wrong(const char *what) {
    fprintf(stderr, "fake device: %s\n", what);
    abort();
}

static int refused(const char *first, const char *second) {
    CHECK(DISNI(createEventChannel) == 0);
    const char *message = thrown();
    if (!message || !strstr(message, first) || !strstr(message, second)) {
        fprintf(stderr, "'%s' and '%s' are not in: %s\n", first, second, message ? message : "nothing thrown");
        return 1;
    }
    /* Nothing stays half loaded. */
    CHECK(DISNI(createEventChannel) == 0);
    CHECK(thrown());
    return 0;
}

int main(int count, char **arguments) {
    if (count == 4 && strcmp(arguments[1], "missing") == 0) {
        return refused(arguments[2], arguments[3]);
    }
    if (count == 3 && strcmp(arguments[1], "old") == 0) {
        return refused(arguments[2], "too old");
    }
    test_data();
    test_handles();
    test_faults(count > 1 ? atoi(arguments[1]) : 133);
    test_threads();
    CHECK(alive() == 0);
    CHECK(handles_open() == 1); /* the device */
    return 0;
}
