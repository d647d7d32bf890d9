/*
 * Every function of the libraries fails once, at each of its calls in the life of a connection, with
 * every errno. What follows: an exception that names the function and the errno, or nothing but
 * patience where the failure means "try again"; and never a crash, a leak or a hang.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "jvm.h"
#include "session.h"

static const char *const FUNCTIONS_THAT_FAIL[] = {
    "rdma_create_event_channel", "rdma_create_id", "rdma_bind_addr", "rdma_listen", "rdma_resolve_addr",
    "rdma_resolve_route", "rdma_create_qp", "rdma_connect", "rdma_accept", "rdma_disconnect", "rdma_get_cm_event",
    "rdma_destroy_id", "ibv_alloc_pd", "ibv_dealloc_pd", "ibv_create_comp_channel", "ibv_create_cq", "ibv_destroy_cq",
    "ibv_create_qp", "ibv_reg_mr", "ibv_dereg_mr", "ibv_modify_qp", "ibv_query_port", "ibv_query_device_ex",
    "ibv_advise_mr", "ibv_get_cq_event", "ibv_post_send", "ibv_post_recv", "ibv_poll_cq", "ibv_req_notify_cq",
};

static bool is(const char *function, const char *other) { return strcmp(function, other) == 0; }

/* Failures that Java doesn't hear of, and why. */
static bool quiet(const char *function, int error) {
    bool again = error == EAGAIN || error == EINTR;
    return (again && (is(function, "rdma_get_cm_event") || is(function, "ibv_get_cq_event"))) /* tried again */
        || is(function, "ibv_query_device_ex")                                               /* no paging on demand */
        || (is(function, "rdma_disconnect") && (error == EINVAL || error == ENOTCONN))       /* nothing to end */
        /* tried with fewer pieces */
        || ((is(function, "rdma_create_qp") || is(function, "ibv_create_qp")) && (error == EINVAL || error == ENOMEM));
}

static void fail_once(const char *function, int call, int error) {
    struct session session;
    count_from_zero();
    fail_next(function, call, error);
    bool whole = session_open(&session) && session_use(&session);
    if (has_failed() && !whole) {
        const char *message = thrown();
        char number[32];
        snprintf(number, sizeof number, "(errno %d)", error);
        /* rdma_create_qp hands on what ibv_create_qp said. */
        const char *name = is(function, "ibv_create_qp") ? "rdma_create_qp" : function;
        if (!message || !strstr(message, name) || !strstr(message, number)) {
            fprintf(stderr, "%s, call %d, errno %d: '%s'\n", function, call, error, message ? message : "nothing thrown");
            CHECK(false);
        }
    } else {
        nothing_thrown(function);
        CHECK(whole);
        CHECK(!has_failed() || quiet(function, error));
    }
    session_close(&session); /* where destroying may fail, and is tried again */
    CHECK(has_failed());
    CHECK(alive() == 0);
    CHECK(handles_open() == 1);
}

void test_faults(int errors) {
    struct session session;
    fail_next(NULL, 0, 0);
    count_from_zero();
    CHECK(session_open(&session) && session_use(&session));
    session_close(&session);
    enum { COUNT = sizeof FUNCTIONS_THAT_FAIL / sizeof *FUNCTIONS_THAT_FAIL };
    int calls[COUNT];
    for (int i = 0; i < COUNT; i++) {
        calls[i] = calls_of(FUNCTIONS_THAT_FAIL[i]);
        CHECK(calls[i] > 0);
    }
    for (int i = 0; i < COUNT; i++) {
        for (int call = 1; call <= calls[i]; call++) {
            for (int error = 1; error <= errors; error++) {
                fail_once(FUNCTIONS_THAT_FAIL[i], call, error);
            }
        }
    }
    fail_next(NULL, 0, 0);
}
