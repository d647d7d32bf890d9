/*
 * A device that exists only in the test program: fake-verbs.c and fake-cm.c are built into shared
 * libraries with the names of libibverbs and librdmacm. The program that loads them decides what
 * fails (fake_fails) and hears what is alive (fake_alive). Where the real libraries would hang,
 * leak or touch freed memory, these abort.
 */
#ifndef FAKE_H
#define FAKE_H

#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>
#include <stdbool.h>

#undef ibv_query_port
#undef ibv_reg_mr

#define FAKE_MAX_INLINE 100
#define FAKE_QUEUE 16

/* What the device was asked to do last. */
struct posted {
    struct ibv_send_wr request;
    struct ibv_sge pieces[4];
};

/* In the test program. */

/* Counts a call; true and *error if it is to fail. */
bool fake_fails(const char *function, int *error);
/* Counts what is made (+1) and destroyed (-1). */
void fake_alive(int change);
void fake_posted(const struct ibv_send_wr *request);
_Noreturn void fake_wrong(const char *what);
extern struct rdma_conn_param fake_last_parameters;
extern struct ibv_qp_init_attr fake_last_queue_pair;
/* Whether a queue pair that is made tells how much it takes inline. */
extern bool fake_tells_inline;
extern struct ibv_qp_attr fake_last_state;
extern int fake_last_state_mask;

/* In fake-verbs.c, for fake-cm.c and the tests. */
struct ibv_context *fake_device(void);
/* Something happened to the device that nobody asked for. */
void fake_async(enum ibv_event_type type, struct ibv_qp *qp, int port);

#define FAIL(function, failed) \
    do { \
        int injected; \
        if (fake_fails(#function, &injected)) { \
            errno = injected; \
            return failed; \
        } \
    } while (0)

#endif
