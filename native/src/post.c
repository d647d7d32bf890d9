/* The data path: posting, polling, asking for events. No lock, no allocation, no exception but for errors. */
#include <errno.h>
#include <stdio.h>

#include "disni.h"

static void refuse_post(JNIEnv *env, const char *call, int error, int index) {
    char more[96];
    snprintf(more, sizeof more, "request %d%s", index, error == ENOMEM ? ", the queue is full" : "");
    throw_errno(env, call, error, more);
}

static int place_of(const struct ibv_send_wr *first, const struct ibv_send_wr *bad) {
    int place = 0;
    for (; first && first != bad; first = first->next) {
        place++;
    }
    return place;
}

/* DiSNI writes the fields of RDMA only: the operands of an atomic operation would be what was there before. */
static bool has_atomic(const struct ibv_send_wr *request) {
    for (; request; request = request->next) {
        if (request->opcode == IBV_WR_ATOMIC_CMP_AND_SWP || request->opcode == IBV_WR_ATOMIC_FETCH_AND_ADD) {
            return true;
        }
    }
    return false;
}

DISNI(void, postSend)(JNIEnv *env, jobject self, jlong handle, jlong list) {
    (void)self;
    const char *call = "ibv_post_send";
    struct ibv_qp *queue_pair = use(env, handle, QUEUE_PAIR, call);
    if (!queue_pair) {
        return;
    }
    struct ibv_send_wr *requests = pointer(list);
    if (!requests) {
        throw_errno(env, call, EFAULT, NULL);
    } else if (has_atomic(requests)) {
        throw_errno(env, call, EOPNOTSUPP, "DiSNI does not hand on the operands of atomics: use NativeVerbs.postSend");
    } else {
        struct ibv_send_wr *bad = requests;
        int error = error_of(ibv_post_send(queue_pair, requests, &bad));
        if (error) {
            refuse_post(env, call, error, place_of(requests, bad));
        }
    }
    done(handle);
}

DISNI(void, postRecv)(JNIEnv *env, jobject self, jlong handle, jlong list) {
    (void)self;
    const char *call = "ibv_post_recv";
    struct ibv_qp *queue_pair = use(env, handle, QUEUE_PAIR, call);
    if (!queue_pair) {
        return;
    }
    struct ibv_recv_wr *requests = pointer(list);
    if (!requests) {
        throw_errno(env, call, EFAULT, NULL);
    } else {
        struct ibv_recv_wr *bad = requests;
        int error = error_of(ibv_post_recv(queue_pair, requests, &bad));
        if (error) {
            int place = 0;
            for (const struct ibv_recv_wr *at = requests; at && at != bad; at = at->next) {
                place++;
            }
            refuse_post(env, call, error, place);
        }
    }
    done(handle);
}

/* A request as NativeVerbs.postSend takes it; its pieces (struct ibv_sge) follow. All in the machine's byte order. */
struct flat_request {
    uint64_t id;
    uint32_t opcode;
    uint32_t flags;
    uint64_t remote_address;
    uint32_t remote_key;
    uint32_t immediate; /* the one field that goes to the peer as it is */
    uint64_t compare_or_add;
    uint64_t swap;
    uint32_t pieces;
    uint32_t reserved;
};

_Static_assert(sizeof(struct flat_request) == 56, "as documented");
_Static_assert(sizeof(struct ibv_sge) == 16, "as documented");

/* Requests given to the device at a time. */
#define CHAIN 32

static void expand(const struct flat_request *flat, struct ibv_send_wr *out) {
    *out = (struct ibv_send_wr){
        .wr_id = flat->id,
        .sg_list = (struct ibv_sge *)(flat + 1),
        .num_sge = (int)flat->pieces,
        .opcode = (enum ibv_wr_opcode)flat->opcode,
        .send_flags = flat->flags,
        .imm_data = flat->immediate,
    };
    if (flat->opcode == IBV_WR_ATOMIC_CMP_AND_SWP || flat->opcode == IBV_WR_ATOMIC_FETCH_AND_ADD) {
        out->wr.atomic.remote_addr = flat->remote_address;
        out->wr.atomic.compare_add = flat->compare_or_add;
        out->wr.atomic.swap = flat->swap;
        out->wr.atomic.rkey = flat->remote_key;
    } else {
        out->wr.rdma.remote_addr = flat->remote_address;
        out->wr.rdma.rkey = flat->remote_key;
    }
}

OURS(void, postSend)(JNIEnv *env, jclass self, jlong handle, jlong address, jint count) {
    (void)self;
    const char *call = "ibv_post_send";
    struct ibv_qp *queue_pair = use(env, handle, QUEUE_PAIR, call);
    if (!queue_pair) {
        return;
    }
    const struct flat_request *flat = pointer(address);
    int error = !flat || count < 0 ? EINVAL : 0;
    int posted = 0;
    while (!error && posted < count) {
        struct ibv_send_wr chain[CHAIN];
        int length = 0;
        for (; length < CHAIN && posted + length < count; length++) {
            expand(flat, &chain[length]);
            chain[length].next = &chain[length + 1];
            flat = (const struct flat_request *)((const struct ibv_sge *)(flat + 1) + flat->pieces);
        }
        chain[length - 1].next = NULL;
        struct ibv_send_wr *bad = chain;
        error = error_of(ibv_post_send(queue_pair, chain, &bad));
        posted += error ? place_of(chain, bad) : length;
    }
    if (error) {
        refuse_post(env, call, error, posted);
    }
    done(handle);
}

/* How many there were, or -1 with an exception pending. */
static int take_completions(JNIEnv *env, struct completion_queue *queue, jint most, jlong out) {
    const char *call = "ibv_poll_cq";
    if (most < 0 || !out) {
        throw_errno(env, call, EINVAL, NULL);
        return -1;
    }
    int polled = ibv_poll_cq(queue->queue, most, pointer(out));
    if (polled < 0) {
        throw_errno(env, call, error_of(polled), "the completion queue is of no more use (overrun?)");
        return -1;
    }
    return polled;
}

static jint poll_queue(JNIEnv *env, jlong handle, jint most, jlong out) {
    struct completion_queue *queue = use(env, handle, COMPLETION_QUEUE, "ibv_poll_cq");
    if (!queue) {
        return -1;
    }
    int polled = take_completions(env, queue, most, out);
    done(handle);
    return polled;
}

DISNI(jint, pollCQ)(JNIEnv *env, jobject self, jlong handle, jint most, jlong out) {
    (void)self;
    return poll_queue(env, handle, most, out);
}

OURS(jint, poll)(JNIEnv *env, jclass self, jlong handle, jlong out, jint most) {
    (void)self;
    return poll_queue(env, handle, most, out);
}

DISNI(jint, reqNotifyCQ)(JNIEnv *env, jobject self, jlong handle, jint solicited_only) {
    (void)self;
    const char *call = "ibv_req_notify_cq";
    struct completion_queue *queue = use(env, handle, COMPLETION_QUEUE, call);
    if (!queue) {
        return -1;
    }
    int error = error_of(ibv_req_notify_cq(queue->queue, solicited_only));
    if (error) {
        throw_errno(env, call, error, NULL);
    }
    done(handle);
    return error ? -1 : 0;
}

/*
 * Waits for an event of a queue of this channel. 1: there was one; 0: the time is over; -1: an
 * exception is pending. The event is acknowledged here: a queue with one that is not cannot be
 * destroyed, ibv_destroy_cq would wait for ever.
 */
static int take_event(JNIEnv *env, struct ibv_comp_channel *channel, jlong handle, jint timeout_millis) {
    const char *call = "ibv_get_cq_event";
    for (;;) {
        int ready = await_readable(env, channel->fd, handle, timeout_millis, call);
        if (ready <= 0) {
            return ready;
        }
        struct ibv_cq *queue;
        void *context;
        if (api.ibv_get_cq_event(channel, &queue, &context) == 0) {
            api.ibv_ack_cq_events(queue, 1);
            return 1;
        }
        if (errno != EAGAIN && errno != EINTR) { /* else another thread was faster */
            throw_errno(env, call, errno, NULL);
            return -1;
        }
    }
}

/* 0: an event; -1: the time is over. */
DISNI(jint, getCqEvent)(JNIEnv *env, jobject self, jlong handle, jint timeout_millis) {
    (void)self;
    struct owner *channel = use(env, handle, COMPLETION_CHANNEL, "ibv_get_cq_event");
    if (!channel) {
        return -1;
    }
    int taken = take_event(env, channel->object, handle, timeout_millis);
    done(handle);
    return taken > 0 ? 0 : -1;
}

/*
 * One crossing from Java where DiSNI's calls need five. The channel stays while the queue does. An
 * event may be of an earlier arming, whose completion was found without it: then there is another.
 */
OURS(jint, await)(JNIEnv *env, jclass self, jlong handle, jint timeout_millis, jlong out, jint most) {
    (void)self;
    const char *call = "ibv_req_notify_cq";
    struct completion_queue *queue = use(env, handle, COMPLETION_QUEUE, call);
    if (!queue) {
        return -1;
    }
    int polled = -1;
    int error = error_of(ibv_req_notify_cq(queue->queue, 0));
    if (error) {
        throw_errno(env, call, error, NULL);
    } else {
        polled = take_completions(env, queue, most, out);
        while (polled == 0) {
            int taken = take_event(env, queue->channel->object, handle, timeout_millis);
            if (taken <= 0) {
                polled = taken;
                break;
            }
            polled = take_completions(env, queue, most, out);
        }
    }
    done(handle);
    return polled;
}

/* Done already. */
DISNI(jint, ackCqEvent)(JNIEnv *env, jobject self, jlong handle, jint count) {
    (void)self;
    (void)count;
    if (!use(env, handle, COMPLETION_QUEUE, "ibv_ack_cq_events")) {
        return -1;
    }
    done(handle);
    return 0;
}
