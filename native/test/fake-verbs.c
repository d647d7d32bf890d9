/* The fake libibverbs: objects. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake-verbs.h"

static uint32_t numbers = 7;
static void *make(size_t size) {
    void *made = calloc(1, size);
    if (!made) {
        fake_wrong("no memory");
    }
    fake_alive(1);
    return made;
}

static void end(void *object) {
    free(object);
    fake_alive(-1);
}

struct ibv_pd *ibv_alloc_pd(struct ibv_context *context) {
    FAIL(ibv_alloc_pd, NULL);
    struct fake_pd *made = make(sizeof *made);
    made->pd.context = context;
    made->pd.handle = 42;
    return &made->pd;
}

int ibv_dealloc_pd(struct ibv_pd *pd) {
    int error;
    if (fake_fails("ibv_dealloc_pd", &error)) {
        return error;
    }
    if (((struct fake_pd *)pd)->users) {
        return EBUSY;
    }
    end(pd);
    return 0;
}

struct ibv_mr *ibv_reg_mr(struct ibv_pd *pd, void *address, size_t length, int access) {
    (void)access;
    FAIL(ibv_reg_mr, NULL);
    struct ibv_mr *made = make(sizeof *made);
    *made = (struct ibv_mr){.context = pd->context, .pd = pd, .addr = address, .length = length, .lkey = 11, .rkey = 12,
        .handle = 13};
    ((struct fake_pd *)pd)->users++;
    return made;
}

int ibv_dereg_mr(struct ibv_mr *mr) {
    int error;
    if (fake_fails("ibv_dereg_mr", &error)) {
        return error;
    }
    ((struct fake_pd *)mr->pd)->users--;
    end(mr);
    return 0;
}

struct ibv_comp_channel *ibv_create_comp_channel(struct ibv_context *context) {
    FAIL(ibv_create_comp_channel, NULL);
    struct fake_channel *made = make(sizeof *made);
    int ends[2];
    if (pipe(ends) != 0) {
        fake_wrong("pipe");
    }
    made->channel.context = context;
    made->channel.fd = ends[0];
    made->write_end = ends[1];
    return &made->channel;
}

int ibv_destroy_comp_channel(struct ibv_comp_channel *channel) {
    struct fake_channel *fake = (struct fake_channel *)channel;
    if (fake->queues) {
        fake_wrong("a completion channel with queues: the real one would leak");
    }
    close(channel->fd);
    close(fake->write_end);
    end(fake);
    return 0;
}

struct ibv_cq *ibv_create_cq(struct ibv_context *context, int entries, void *cookie, struct ibv_comp_channel *channel,
    int vector) {
    (void)vector;
    FAIL(ibv_create_cq, NULL);
    struct fake_cq *made = make(sizeof *made);
    made->cq.context = context;
    made->cq.channel = channel;
    made->cq.cq_context = cookie;
    made->cq.cqe = entries;
    if (channel) {
        ((struct fake_channel *)channel)->queues++;
    }
    return &made->cq;
}

/* Events that were not taken vanish with their queue, as the kernel does it. */
static void drop_events(struct ibv_cq *cq) {
    struct fake_channel *channel = (struct fake_channel *)cq->channel;
    struct ibv_cq *kept[64], *of;
    unsigned count = 0;
    pthread_mutex_lock(&fake_lock);
    while (read(channel->channel.fd, &of, sizeof of) == sizeof of) { /* libdisni has made it non-blocking */
        if (of != cq) {
            kept[count++] = of;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (write(channel->write_end, &kept[i], sizeof kept[i]) != sizeof kept[i]) {
            fake_wrong("pipe");
        }
    }
    pthread_mutex_unlock(&fake_lock);
}

int ibv_destroy_cq(struct ibv_cq *cq) {
    int error;
    if (fake_fails("ibv_destroy_cq", &error)) {
        return error;
    }
    struct fake_cq *fake = (struct fake_cq *)cq;
    if (fake->users) {
        return EBUSY;
    }
    if (fake->unacknowledged) {
        fake_wrong("a queue with unacknowledged events: the real one would hang");
    }
    if (cq->channel) {
        drop_events(cq);
        ((struct fake_channel *)cq->channel)->queues--;
    }
    end(fake);
    return 0;
}

int ibv_get_cq_event(struct ibv_comp_channel *channel, struct ibv_cq **cq, void **cookie) {
    FAIL(ibv_get_cq_event, -1);
    if (read(channel->fd, cq, sizeof *cq) != sizeof *cq) {
        return -1;
    }
    pthread_mutex_lock(&fake_lock);
    ((struct fake_cq *)*cq)->unacknowledged++;
    pthread_mutex_unlock(&fake_lock);
    *cookie = (*cq)->cq_context;
    return 0;
}

void ibv_ack_cq_events(struct ibv_cq *cq, unsigned int count) {
    pthread_mutex_lock(&fake_lock);
    ((struct fake_cq *)cq)->unacknowledged -= (int)count;
    pthread_mutex_unlock(&fake_lock);
}

struct ibv_qp *ibv_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attributes) {
    fake_last_queue_pair = *attributes;
    FAIL(ibv_create_qp, NULL);
    if (attributes->cap.max_inline_data > FAKE_MAX_INLINE) {
        errno = EINVAL;
        return NULL;
    }
    if (fake_tells_inline && attributes->cap.max_inline_data < 16 * attributes->cap.max_send_sge) {
        attributes->cap.max_inline_data = 16 * attributes->cap.max_send_sge;
    }
    struct fake_qp *made = make(sizeof *made);
    made->qp = (struct ibv_qp){.context = pd->context, .pd = pd, .send_cq = attributes->send_cq,
        .recv_cq = attributes->recv_cq, .qp_num = numbers++};
    ((struct fake_pd *)pd)->users++;
    ((struct fake_cq *)attributes->send_cq)->users++;
    ((struct fake_cq *)attributes->recv_cq)->users++;
    return &made->qp;
}

int ibv_destroy_qp(struct ibv_qp *qp) {
    ((struct fake_pd *)qp->pd)->users--;
    ((struct fake_cq *)qp->send_cq)->users--;
    ((struct fake_cq *)qp->recv_cq)->users--;
    end(qp);
    return 0;
}

#ifndef WITHOUT_MODIFY_QP
int ibv_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attributes, int mask) {
    (void)qp;
    int error;
    if (fake_fails("ibv_modify_qp", &error)) {
        return error;
    }
    fake_last_state = *attributes;
    fake_last_state_mask = mask;
    return 0;
}
#endif
