/* What a device is and can do, what it says unasked, and moving a queue pair by hand. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "disni.h"

OURS(jint, version)(JNIEnv *env, jclass self) {
    (void)env;
    (void)self;
    return 1;
}

OURS(jstring, deviceName)(JNIEnv *env, jclass self, jlong handle) {
    (void)self;
    struct context *context = use(env, handle, CONTEXT, "ibv_get_device_name");
    if (!context) {
        return NULL;
    }
    jstring name = (*env)->NewStringUTF(env, context->verbs->device->name);
    done(handle);
    return name;
}

/* Makes a queue pair that takes so much inline and ends it: how much it says that it takes, or -1 if it is refused. */
static int try_inline(struct ibv_pd *domain, struct ibv_cq *queue, uint32_t pieces, int bytes) {
    struct ibv_qp_init_attr attributes = {
        .send_cq = queue,
        .recv_cq = queue,
        .qp_type = IBV_QPT_RC,
        .cap = {.max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = pieces, .max_recv_sge = 1,
            .max_inline_data = (uint32_t)bytes},
    };
    struct ibv_qp *made = api.ibv_create_qp(domain, &attributes);
    if (!made) {
        return -1;
    }
    api.ibv_destroy_qp(made);
    return attributes.cap.max_inline_data < INT_MAX ? (int)attributes.cap.max_inline_data : INT_MAX;
}

/* For devices whose queue pairs tell nothing: by halving. 0 if the device makes no queue pair at all. */
static int search_inline(struct ibv_pd *domain, struct ibv_cq *queue) {
    int good = 0;
    for (int bad = 4097; bad - good > 1;) {
        int middle = good + (bad - good) / 2;
        int most = try_inline(domain, queue, 1, middle);
        if (most < 0) {
            bad = middle;
        } else {
            most = most > middle ? most : middle;
            good = most < bad ? most : bad - 1;
        }
    }
    return good;
}

/*
 * There is no attribute for it. Inline bytes share their place in the send queue with the list of pieces, so a queue
 * pair for the longest list tells of the inline bytes that there is room for, without an attempt that the kernel has to
 * refuse: some drivers log each of those.
 */
static int find_max_inline(struct ibv_context *verbs, int pieces) {
    int bytes = 0;
    struct ibv_pd *domain = api.ibv_alloc_pd(verbs);
    struct ibv_cq *queue = domain ? api.ibv_create_cq(verbs, 2, NULL, NULL, 0) : NULL;
    if (queue) {
        bytes = try_inline(domain, queue, pieces > 0 ? (uint32_t)pieces : 1, 0);
        if (bytes <= 0) {
            bytes = search_inline(domain, queue);
        }
        api.ibv_destroy_cq(queue);
    }
    if (domain) {
        api.ibv_dealloc_pd(domain);
    }
    return bytes;
}

static int max_inline(struct context *context, int pieces) {
    pthread_mutex_lock(&context->lock);
    if (context->max_inline < 0) {
        context->max_inline = find_max_inline(context->verbs, pieces);
    }
    int bytes = context->max_inline;
    pthread_mutex_unlock(&context->lock);
    return bytes;
}

static int query_port(struct ibv_context *verbs, jint port, struct ibv_port_attr *out) {
    memset(out, 0, sizeof *out);
    if (port < 1 || port > UINT8_MAX) {
        return EINVAL;
    }
    struct verbs_context *extended = verbs_get_ctx_op(verbs, query_port);
    if (extended) {
        return error_of(extended->query_port(verbs, (uint8_t)port, out, sizeof *out));
    }
    /* An old library writes the first part of the structure. */
    return error_of(api.ibv_query_port(verbs, (uint8_t)port, (struct _compat_ibv_port_attr *)out));
}

/* Paging on demand, if the device tells of it. */
static struct ibv_odp_caps paging(struct ibv_context *verbs) {
    struct ibv_device_attr_ex limits;
    memset(&limits, 0, sizeof limits);
    struct verbs_context *extended = verbs_get_ctx_op(verbs, query_device_ex);
    if (!extended || extended->query_device_ex(verbs, NULL, &limits, sizeof limits) != 0) {
        memset(&limits, 0, sizeof limits);
    }
    return limits.odp_caps;
}

/* In the order of NativeVerbs' constants. */
enum attribute {
    MAX_MR, MAX_MR_SIZE, MAX_QP, MAX_QP_WR, MAX_CQ, MAX_CQE, MAX_PD, MAX_SGE, MAX_SGE_RD, MAX_INITIATED_READS,
    MAX_SERVED_READS, ATOMIC_CAP, ODP_CAPS, ODP_RC_CAPS, PORT_STATE, ACTIVE_MTU, MAX_MESSAGE, LINK_LAYER,
    TRANSPORT_TYPE, PORTS, MAX_INLINE, ATTRIBUTES = 24
};

OURS(void, queryDevice)(JNIEnv *env, jclass self, jlong handle, jint port_number, jlong out) {
    (void)self;
    const char *call = "ibv_query_port";
    struct context *context = use(env, handle, CONTEXT, call);
    if (!context) {
        return;
    }
    struct ibv_port_attr port;
    int error = out ? query_port(context->verbs, port_number, &port) : EFAULT;
    if (error) {
        throw_errno(env, call, error, NULL);
    } else {
        const struct ibv_device_attr *device = &context->limits;
        struct ibv_odp_caps odp = paging(context->verbs);
        int64_t values[ATTRIBUTES] = {
            [MAX_MR] = device->max_mr,
            [MAX_MR_SIZE] = device->max_mr_size > INT64_MAX ? INT64_MAX : (int64_t)device->max_mr_size,
            [MAX_QP] = device->max_qp,
            [MAX_QP_WR] = device->max_qp_wr,
            [MAX_CQ] = device->max_cq,
            [MAX_CQE] = device->max_cqe,
            [MAX_PD] = device->max_pd,
            [MAX_SGE] = device->max_sge,
            [MAX_SGE_RD] = device->max_sge_rd,
            [MAX_INITIATED_READS] = device->max_qp_init_rd_atom,
            [MAX_SERVED_READS] = device->max_qp_rd_atom,
            [ATOMIC_CAP] = device->atomic_cap,
            [ODP_CAPS] = (int64_t)odp.general_caps,
            [ODP_RC_CAPS] = odp.per_transport_caps.rc_odp_caps,
            [PORT_STATE] = port.state,
            [ACTIVE_MTU] = port.active_mtu > 0 ? INT64_C(128) << port.active_mtu : 0,
            [MAX_MESSAGE] = port.max_msg_sz,
            [LINK_LAYER] = port.link_layer,
            [TRANSPORT_TYPE] = context->verbs->device->transport_type,
            [PORTS] = device->phys_port_cnt,
            [MAX_INLINE] = max_inline(context, device->max_sge),
        };
        memcpy(pointer(out), values, sizeof values);
    }
    done(handle);
}

DISNI(jint, queryOdpSupport)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    struct context *context = use(env, handle, CONTEXT, "ibv_query_device_ex");
    if (!context) {
        return -1;
    }
    jint caps = (jint)paging(context->verbs).general_caps;
    done(handle);
    return caps;
}

DISNI(jint, getContextFd)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    struct context *context = use(env, handle, CONTEXT, "ibv_context.cmd_fd");
    if (!context) {
        return -1;
    }
    jint file = context->verbs->cmd_fd;
    done(handle);
    return file;
}

DISNI(jint, getContextNumCompVectors)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    struct context *context = use(env, handle, CONTEXT, "ibv_context.num_comp_vectors");
    if (!context) {
        return -1;
    }
    jint vectors = context->verbs->num_comp_vectors;
    done(handle);
    return vectors;
}

/* The number of the queue pair or of the port that the event is about; 0 if it is about the device. */
static int64_t subject_of(const struct ibv_async_event *event) {
    switch (event->event_type) {
        case IBV_EVENT_QP_FATAL:
        case IBV_EVENT_QP_REQ_ERR:
        case IBV_EVENT_QP_ACCESS_ERR:
        case IBV_EVENT_COMM_EST:
        case IBV_EVENT_SQ_DRAINED:
        case IBV_EVENT_PATH_MIG:
        case IBV_EVENT_PATH_MIG_ERR:
        case IBV_EVENT_QP_LAST_WQE_REACHED:
            return event->element.qp->qp_num;
        case IBV_EVENT_PORT_ACTIVE:
        case IBV_EVENT_PORT_ERR:
        case IBV_EVENT_LID_CHANGE:
        case IBV_EVENT_PKEY_CHANGE:
        case IBV_EVENT_SM_CHANGE:
        case IBV_EVENT_CLIENT_REREGISTER:
        case IBV_EVENT_GID_CHANGE:
            return event->element.port_num;
        default:
            return 0;
    }
}

OURS(jboolean, asyncEvent)(JNIEnv *env, jclass self, jlong handle, jint timeout_millis, jlong out) {
    (void)self;
    const char *call = "ibv_get_async_event";
    struct context *context = use(env, handle, CONTEXT, call);
    if (!context) {
        return JNI_FALSE;
    }
    struct ibv_context *verbs = context->verbs;
    jboolean found = JNI_FALSE;
    if (!out || !set_nonblocking(verbs->async_fd)) {
        throw_errno(env, call, out ? errno : EFAULT, NULL);
    } else {
        while (!found && await_readable(env, verbs->async_fd, handle, timeout_millis, call) > 0) {
            struct ibv_async_event event;
            if (api.ibv_get_async_event(verbs, &event) == 0) {
                int64_t values[] = {event.event_type, subject_of(&event)};
                api.ibv_ack_async_event(&event);
                memcpy(pointer(out), values, sizeof values);
                found = JNI_TRUE;
            } else if (errno != EAGAIN && errno != EINTR) {
                throw_errno(env, call, errno, NULL);
                break;
            }
        }
    }
    done(handle);
    return found;
}

DISNI(jint, getQpNum)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    struct ibv_qp *queue_pair = use(env, handle, QUEUE_PAIR, "ibv_qp.qp_num");
    if (!queue_pair) {
        return -1;
    }
    jint number = (jint)queue_pair->qp_num;
    done(handle);
    return number;
}

static jint set_state(JNIEnv *env, jlong handle, int state) {
    const char *call = "ibv_modify_qp";
    struct ibv_qp *queue_pair = use(env, handle, QUEUE_PAIR, call);
    if (!queue_pair) {
        return -1;
    }
    struct ibv_qp_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.qp_state = (enum ibv_qp_state)state;
    int error = error_of(api.ibv_modify_qp(queue_pair, &attributes, IBV_QP_STATE));
    if (error) {
        throw_errno(env, call, error, NULL);
    }
    done(handle);
    return error ? -1 : 0;
}

/*
 * The attributes: one int, the state. The connection manager makes all transitions but those to an
 * end, and DiSNI's own caller passes no attributes at all.
 */
DISNI(jint, modifyQP)(JNIEnv *env, jobject self, jlong handle, jlong attributes) {
    (void)self;
    if (!attributes) {
        throw_errno(env, "ibv_modify_qp", EINVAL, "no attributes: the connection manager moves queue pairs");
        return -1;
    }
    return set_state(env, handle, *(const jint *)pointer(attributes));
}

OURS(void, fail)(JNIEnv *env, jclass self, jlong handle) {
    (void)self;
    set_state(env, handle, IBV_QPS_ERR);
}
