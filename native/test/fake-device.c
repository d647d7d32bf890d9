/* The fake libibverbs: the device, what it says, and its queues. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fake-verbs.h"

pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

static int async_pipe[2] = {-1, -1};
static struct ibv_device device = {.name = "fake0", .transport_type = IBV_TRANSPORT_IB};
static struct verbs_context extended;

static int query_port(struct ibv_context *context, uint8_t port, struct ibv_port_attr *out, size_t size) {
    (void)context;
    int error;
    if (fake_fails("ibv_query_port", &error) || port != 1) {
        return port == 1 ? error : EINVAL;
    }
    memset(out, 0, size);
    *out = (struct ibv_port_attr){.state = IBV_PORT_ACTIVE, .active_mtu = IBV_MTU_4096, .max_msg_sz = 1u << 30,
        .link_layer = IBV_LINK_LAYER_ETHERNET};
    return 0;
}

static int query_device_ex(struct ibv_context *context, const struct ibv_query_device_ex_input *input,
    struct ibv_device_attr_ex *out, size_t size) {
    (void)context;
    (void)input;
    (void)size;
    int error;
    if (fake_fails("ibv_query_device_ex", &error)) {
        return error;
    }
    out->odp_caps.general_caps = IBV_ODP_SUPPORT;
    out->odp_caps.per_transport_caps.rc_odp_caps = IBV_ODP_SUPPORT_READ;
    return 0;
}

static int advise_mr(struct ibv_pd *pd, enum ibv_advise_mr_advice advice, uint32_t flags, struct ibv_sge *pieces,
    uint32_t count) {
    (void)pd;
    (void)advice;
    (void)flags;
    int error;
    return fake_fails("ibv_advise_mr", &error) ? error : count == 1 && pieces->length > 0 ? 0 : EINVAL;
}

/* Under the lock. */
static void complete(struct fake_cq *cq, struct ibv_wc completion) {
    if (cq->last - cq->first == FAKE_QUEUE) {
        fake_wrong("completion queue overrun");
    }
    cq->done[cq->last++ % FAKE_QUEUE] = completion;
    if (cq->wanted && cq->cq.channel) {
        cq->wanted = false;
        struct ibv_cq *of = &cq->cq;
        if (write(((struct fake_channel *)cq->cq.channel)->write_end, &of, sizeof of) != sizeof of) {
            fake_wrong("pipe");
        }
    }
}

static int post_send(struct ibv_qp *qp, struct ibv_send_wr *request, struct ibv_send_wr **bad) {
    int error;
    for (; request; request = request->next) {
        *bad = request;
        if (fake_fails("ibv_post_send", &error)) {
            return error;
        }
        fake_posted(request);
        pthread_mutex_lock(&fake_lock);
        complete((struct fake_cq *)qp->send_cq,
            (struct ibv_wc){.wr_id = request->wr_id, .status = IBV_WC_REM_ACCESS_ERR, .qp_num = qp->qp_num});
        pthread_mutex_unlock(&fake_lock);
    }
    return 0;
}

static int post_recv(struct ibv_qp *qp, struct ibv_recv_wr *request, struct ibv_recv_wr **bad) {
    (void)qp;
    int error;
    for (; request; request = request->next) {
        *bad = request;
        if (fake_fails("ibv_post_recv", &error)) {
            errno = error;
            return -error; /* some drivers do */
        }
    }
    return 0;
}

static int poll_cq(struct ibv_cq *cq, int most, struct ibv_wc *out) {
    int error;
    if (fake_fails("ibv_poll_cq", &error)) {
        errno = error;
        return -1;
    }
    struct fake_cq *queue = (struct fake_cq *)cq;
    int polled = 0;
    pthread_mutex_lock(&fake_lock);
    while (polled < most && queue->first != queue->last) {
        out[polled++] = queue->done[queue->first++ % FAKE_QUEUE];
    }
    pthread_mutex_unlock(&fake_lock);
    return polled;
}

static int req_notify_cq(struct ibv_cq *cq, int solicited) {
    (void)solicited;
    int error;
    if (fake_fails("ibv_req_notify_cq", &error)) {
        return error;
    }
    pthread_mutex_lock(&fake_lock);
    ((struct fake_cq *)cq)->wanted = true;
    pthread_mutex_unlock(&fake_lock);
    return 0;
}

struct ibv_context *fake_device(void) {
    pthread_mutex_lock(&fake_lock);
    if (async_pipe[0] < 0) {
        if (pipe(async_pipe) != 0) {
            fake_wrong("pipe");
        }
        extended.sz = sizeof extended;
        extended.query_port = query_port;
        extended.query_device_ex = query_device_ex;
        extended.advise_mr = advise_mr;
        extended.context = (struct ibv_context){.device = &device, .cmd_fd = 5, .async_fd = async_pipe[0],
            .num_comp_vectors = 1, .abi_compat = __VERBS_ABI_IS_EXTENDED};
        extended.context.ops = (struct ibv_context_ops){
            .post_send = post_send, .post_recv = post_recv, .poll_cq = poll_cq, .req_notify_cq = req_notify_cq};
    }
    pthread_mutex_unlock(&fake_lock);
    return &extended.context;
}

void fake_async(enum ibv_event_type type, struct ibv_qp *qp, int port) {
    struct ibv_async_event event = {.event_type = type};
    if (qp) {
        event.element.qp = qp;
    } else {
        event.element.port_num = port;
    }
    if (write(async_pipe[1], &event, sizeof event) != sizeof event) {
        fake_wrong("pipe");
    }
}

int ibv_get_async_event(struct ibv_context *context, struct ibv_async_event *event) {
    FAIL(ibv_get_async_event, -1);
    return read(context->async_fd, event, sizeof *event) == sizeof *event ? 0 : -1;
}

void ibv_ack_async_event(struct ibv_async_event *event) { (void)event; }

int ibv_query_device(struct ibv_context *context, struct ibv_device_attr *out) {
    (void)context;
    int error;
    if (fake_fails("ibv_query_device", &error)) {
        return error;
    }
    memset(out, 0, sizeof *out);
    out->max_sge = 6;
    out->max_qp_init_rd_atom = 300;
    out->max_qp_rd_atom = 20;
    out->max_mr_size = UINT64_MAX;
    out->atomic_cap = IBV_ATOMIC_HCA;
    return 0;
}

int ibv_query_port(struct ibv_context *context, uint8_t port, struct _compat_ibv_port_attr *out) {
    (void)context;
    (void)port;
    (void)out;
    return ENOSYS;
}
