/*
 * Events of the connection manager. Each is copied and acknowledged before Java hears of it, for as
 * long as one is not, its identifier cannot be destroyed: rdma_destroy_id would wait for ever for an
 * acknowledgement that a failing caller never gives. What DiSNI's call cannot carry (status, private
 * data) stays with the channel until its next event.
 */
#include <errno.h>
#include <string.h>

#include "disni.h"

static jlong handle_in(const struct rdma_cm_id *id) { return id ? (jlong)(uintptr_t)id->context : 0; }

/* Which events have their private data where; the others have none. */
static bool carries_data(enum rdma_cm_event_type type) {
    switch (type) {
        case RDMA_CM_EVENT_CONNECT_REQUEST:
        case RDMA_CM_EVENT_CONNECT_RESPONSE:
        case RDMA_CM_EVENT_ESTABLISHED:
        case RDMA_CM_EVENT_REJECTED:
            return true;
        default:
            return false;
    }
}

/* Under the channel's lock. */
static void keep(struct channel *channel, const struct rdma_cm_event *event) {
    channel->status = event->status < 0 ? -event->status : event->status;
    const struct rdma_conn_param *offer = &event->param.conn;
    bool there = carries_data(event->event) && offer->private_data;
    channel->data_length = there ? offer->private_data_len : 0;
    if (channel->data_length) {
        memcpy(channel->data, offer->private_data, channel->data_length);
    }
}

/* A connect request comes with a new identifier, whose context is its listener's. 0 with an exception pending. */
static jlong add_child(JNIEnv *env, struct channel *channel, const struct rdma_cm_event *event, const char *call) {
    struct identifier *made;
    jlong handle = identifier_add(event->id, channel->owner, &made);
    if (!handle) {
        throw_errno(env, call, ENOMEM, NULL);
        return 0;
    }
    event->id->context = (void *)(uintptr_t)handle;
    made->asked = true;
    made->offered_initiator_depth = event->param.conn.initiator_depth;
    made->offered_responder_resources = event->param.conn.responder_resources;
    return handle;
}

struct news {
    jint type;
    jlong listener;
    jlong identifier;
};

/* 1: an event; 0: another thread was faster; -1: an exception is pending. */
static int next_event(JNIEnv *env, struct channel *channel, struct news *news, const char *call) {
    struct rdma_cm_event *event;
    if (api.rdma_get_cm_event(channel->channel, &event) != 0) {
        if (errno == EAGAIN || errno == EINTR) {
            return 0;
        }
        throw_errno(env, call, errno, NULL);
        return -1;
    }
    keep(channel, event);
    news->type = (jint)event->event;
    struct rdma_cm_id *orphan = NULL;
    if (event->event == RDMA_CM_EVENT_CONNECT_REQUEST) {
        news->listener = handle_in(event->listen_id);
        news->identifier = add_child(env, channel, event, call);
        orphan = news->identifier ? NULL : event->id;
    } else {
        news->listener = 0;
        news->identifier = handle_in(event->id);
    }
    api.rdma_ack_cm_event(event);
    if (orphan) {
        api.rdma_destroy_id(orphan);
        return -1;
    }
    return 1;
}

/* The type of the event, or -1 if the time is over; an error is an exception. */
DISNI(jint, getCmEvent)
(JNIEnv *env, jobject self, jlong handle, jlong listener_out, jlong identifier_out, jint timeout_millis) {
    (void)self;
    const char *call = "rdma_get_cm_event";
    struct channel *channel = use(env, handle, CHANNEL, call);
    if (!channel) {
        return -1;
    }
    struct news news = {.type = -1};
    int got = 0;
    if (!listener_out || !identifier_out) {
        throw_errno(env, call, EFAULT, NULL);
        got = -1;
    }
    while (got == 0) {
        int ready = await_readable(env, channel->channel->fd, handle, timeout_millis, call);
        if (ready <= 0) {
            break;
        }
        pthread_mutex_lock(&channel->lock);
        got = next_event(env, channel, &news, call);
        pthread_mutex_unlock(&channel->lock);
    }
    done(handle);
    if (got <= 0) {
        return -1;
    }
    memcpy(pointer(listener_out), &news.listener, sizeof news.listener);
    memcpy(pointer(identifier_out), &news.identifier, sizeof news.identifier);
    return news.type;
}

/* Done already, and the number is only the event's type. */
DISNI(jint, ackCmEvent)(JNIEnv *env, jobject self, jint type) {
    (void)env;
    (void)self;
    (void)type;
    return 0;
}

OURS(jint, eventStatus)(JNIEnv *env, jclass self, jlong handle) {
    (void)self;
    struct channel *channel = use(env, handle, CHANNEL, "event status");
    if (!channel) {
        return 0;
    }
    pthread_mutex_lock(&channel->lock);
    jint status = channel->status;
    pthread_mutex_unlock(&channel->lock);
    done(handle);
    return status;
}

OURS(jbyteArray, eventData)(JNIEnv *env, jclass self, jlong handle) {
    (void)self;
    struct channel *channel = use(env, handle, CHANNEL, "event data");
    if (!channel) {
        return NULL;
    }
    jbyte copy[MAX_EVENT_DATA];
    pthread_mutex_lock(&channel->lock);
    jsize length = (jsize)channel->data_length;
    memcpy(copy, channel->data, (size_t)length);
    pthread_mutex_unlock(&channel->lock);
    done(handle);
    jbyteArray data = (*env)->NewByteArray(env, length);
    if (data && length) {
        (*env)->SetByteArrayRegion(env, data, 0, length, copy);
    }
    return data;
}
