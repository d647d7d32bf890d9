/* Queue pairs of identifiers; connecting, accepting and disconnecting. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "disni.h"

/* As many pieces of memory per request as any caller of ours uses: DiSNI's call has no parameter for it. */
#define MAX_PIECES 16
/* What the fields of the connection manager's messages hold. */
#define MAX_RETRIES 7
#define MAX_DEPTH 255

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

static unsigned counted(int limit) { return limit > 0 ? (unsigned)limit : 1; }

/* Some devices cannot have the most pieces and the most requests at a time: then fewer pieces. */
static int create_queue_pair(struct rdma_cm_id *id, struct ibv_pd *domain, const struct ibv_qp_init_attr *wanted) {
    unsigned pieces = wanted->cap.max_send_sge;
    for (;;) {
        struct ibv_qp_init_attr attributes = *wanted; /* the call writes into it */
        attributes.cap.max_send_sge = attributes.cap.max_recv_sge = pieces;
        if (api.rdma_create_qp(id, domain, &attributes) == 0) {
            return 0;
        }
        int error = errno ? errno : EIO;
        if (pieces == 1 || (error != EINVAL && error != ENOMEM)) {
            return error;
        }
        pieces = pieces > 4 ? 4 : 1;
    }
}

static void create_on(JNIEnv *env, struct identifier *identifier, struct ibv_pd *domain,
    const struct ibv_qp_init_attr *wanted, const char *call) {
    int error = identifier->queue_pair ? EBUSY : create_queue_pair(identifier->id, domain, wanted);
    if (!error) {
        identifier->queue_pair = handle_add(QUEUE_PAIR, identifier->id->qp);
        if (identifier->queue_pair) {
            return;
        }
        api.rdma_destroy_qp(identifier->id);
        error = ENOMEM;
    }
    char more[160];
    snprintf(more, sizeof more, "queue pair with %u sends, %u receives and %u inline bytes", wanted->cap.max_send_wr,
        wanted->cap.max_recv_wr, wanted->cap.max_inline_data);
    throw_errno(env, call, error, more);
}

DISNI(jlong, createQP)
(JNIEnv *env, jobject self, jlong handle, jlong domain_handle, jlong send_handle, jlong receive_handle, jint type,
    jint sends, jint receives, jint inline_bytes) {
    (void)self;
    const char *call = "rdma_create_qp";
    struct identifier *identifier = use(env, handle, IDENTIFIER, call);
    struct ibv_pd *domain = identifier ? use(env, domain_handle, DOMAIN, call) : NULL;
    struct completion_queue *sent = domain ? use(env, send_handle, COMPLETION_QUEUE, call) : NULL;
    struct completion_queue *received = sent ? use(env, receive_handle, COMPLETION_QUEUE, call) : NULL;
    jlong made = 0;
    if (received) {
        struct ibv_context *verbs = identifier->id->verbs;
        const struct ibv_device_attr *limits = verbs ? limits_of(verbs) : NULL;
        if (!limits || sends < 0 || receives < 0 || inline_bytes < 0) {
            throw_errno(env, call, EINVAL, verbs ? NULL : "the identifier is bound to no device");
        } else {
            struct ibv_qp_init_attr wanted = {
                .send_cq = sent->queue,
                .recv_cq = received->queue,
                .qp_type = (enum ibv_qp_type)type,
                .cap = {.max_send_wr = (uint32_t)sends,
                    .max_recv_wr = (uint32_t)receives,
                    .max_send_sge = least(counted(limits->max_sge), MAX_PIECES),
                    .max_inline_data = (uint32_t)inline_bytes},
            };
            pthread_mutex_lock(&identifier->lock);
            create_on(env, identifier, domain, &wanted, call);
            made = identifier->queue_pair;
            pthread_mutex_unlock(&identifier->lock);
        }
        done(receive_handle);
    }
    if (sent) {
        done(send_handle);
    }
    if (domain) {
        done(domain_handle);
    }
    if (identifier) {
        done(handle);
    }
    return made;
}

/* An offer of 0 is that of a peer whose transport does not tell. */
static uint8_t depth(int device_limit, bool offered, uint8_t offer) {
    unsigned mine = least(counted(device_limit), MAX_DEPTH);
    return (uint8_t)(offered && offer ? least(mine, offer) : mine);
}

/* Under the identifier's lock. False with an exception pending. */
static bool parameters(JNIEnv *env, struct identifier *identifier, jint retries, jint receiver_retries, const char *call,
    struct rdma_conn_param *out) {
    const struct ibv_device_attr *limits = identifier->id->verbs ? limits_of(identifier->id->verbs) : NULL;
    if (!limits || retries < 0 || receiver_retries < 0) {
        throw_errno(env, call, EINVAL, limits ? NULL : "the identifier is bound to no device");
        return false;
    }
    *out = (struct rdma_conn_param){
        .initiator_depth = depth(limits->max_qp_init_rd_atom, identifier->asked, identifier->offered_initiator_depth),
        .responder_resources = depth(limits->max_qp_rd_atom, identifier->asked, identifier->offered_responder_resources),
        .flow_control = 1,
        .retry_count = (uint8_t)least((unsigned)retries, MAX_RETRIES),
        .rnr_retry_count = (uint8_t)least((unsigned)receiver_retries, MAX_RETRIES),
        .private_data = identifier->data_length ? identifier->data : NULL,
        .private_data_len = (uint8_t)identifier->data_length,
    };
    return true;
}

/* Connecting and accepting differ in the call alone. Data given here goes before what was set for the identifier. */
static void agree(JNIEnv *env, jlong handle, jint retries, jint receiver_retries, const void *data, uint8_t length,
                  const char *call, int (*carry_out)(struct rdma_cm_id *, struct rdma_conn_param *)) {
    struct identifier *identifier = use(env, handle, IDENTIFIER, call);
    if (!identifier) {
        return;
    }
    pthread_mutex_lock(&identifier->lock);
    struct rdma_conn_param wanted;
    if (parameters(env, identifier, retries, receiver_retries, call, &wanted)) {
        if (data && length != 0) {
            wanted.private_data = data;
            wanted.private_data_len = length;
        }
        if (carry_out(identifier->id, &wanted) != 0) {
            throw_errno(env, call, errno, NULL);
        }
        identifier->data_length = 0;
    }
    pthread_mutex_unlock(&identifier->lock);
    done(handle);
}

DISNI(void, connect)
(JNIEnv *env, jobject self, jlong handle, jint retries, jint receiver_retries, jlong data, jbyte data_length) {
    (void)self;
    agree(env, handle, retries, receiver_retries, pointer(data), (uint8_t)data_length, "rdma_connect", api.rdma_connect);
}

DISNI(void, accept)(JNIEnv *env, jobject self, jlong handle, jint retries, jint receiver_retries) {
    (void)self;
    agree(env, handle, retries, receiver_retries, NULL, 0, "rdma_accept", api.rdma_accept);
}

/* -1 without an exception if there is no connection (any more): nothing was to be done. */
DISNI(jint, disconnect)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    struct identifier *identifier = use(env, handle, IDENTIFIER, "rdma_disconnect");
    if (!identifier) {
        return -1;
    }
    int error = error_of(api.rdma_disconnect(identifier->id));
    if (error && error != EINVAL && error != ENOTCONN) {
        throw_errno(env, "rdma_disconnect", error, NULL);
    }
    done(handle);
    return error ? -1 : 0;
}

OURS(void, setPrivateData)(JNIEnv *env, jclass self, jlong handle, jbyteArray data) {
    (void)self;
    const char *call = "private data";
    struct identifier *identifier = use(env, handle, IDENTIFIER, call);
    if (!identifier) {
        return;
    }
    jsize length = data ? (*env)->GetArrayLength(env, data) : 0;
    if (length > MAX_PRIVATE_DATA) {
        throw_errno(env, call, EMSGSIZE, "at most 56 bytes");
    } else {
        pthread_mutex_lock(&identifier->lock);
        if (length) {
            (*env)->GetByteArrayRegion(env, data, 0, length, identifier->data);
        }
        identifier->data_length = (unsigned)length;
        pthread_mutex_unlock(&identifier->lock);
    }
    done(handle);
}
