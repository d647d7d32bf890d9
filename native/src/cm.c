/* Event channels, and identifiers on their way to a connection. Java's addresses are sockaddr_in. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disni.h"

static void destroy_channel(void *object) {
    struct channel *channel = object;
    api.rdma_destroy_event_channel(channel->channel);
    pthread_mutex_destroy(&channel->lock);
    free(channel);
}

DISNI(jlong, createEventChannel)(JNIEnv *env, jobject self) {
    (void)self;
    const char *call = "rdma_create_event_channel";
    if (!load(env)) {
        return 0;
    }
    struct channel *channel = calloc(1, sizeof *channel);
    struct owner *owner = owner_new(channel, destroy_channel);
    if (!channel || !owner) {
        free(channel);
        free(owner);
        throw_errno(env, call, ENOMEM, NULL);
        return 0;
    }
    channel->owner = owner;
    pthread_mutex_init(&channel->lock, NULL);
    channel->channel = api.rdma_create_event_channel();
    int error = channel->channel ? 0 : errno;
    if (!error) {
        /* So that a thread whose event was taken by another one goes on waiting as long as it wanted. */
        if (set_nonblocking(channel->channel->fd)) {
            jlong handle = handle_add(CHANNEL, channel);
            if (handle) {
                return handle;
            }
        }
        error = errno;
        api.rdma_destroy_event_channel(channel->channel);
    }
    pthread_mutex_destroy(&channel->lock);
    free(channel);
    free(owner);
    throw_errno(env, call, error,
        error == ENODEV || error == ENOENT ? "no RDMA device, or no package ibverbs-providers" : NULL);
    return 0;
}

DISNI(jint, destroyEventChannel)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    struct channel *channel = take(env, handle, CHANNEL, "rdma_destroy_event_channel");
    if (!channel) {
        return -1;
    }
    handle_drop(handle);
    owner_close(channel->owner);
    return 0;
}

DISNI(jlong, createId)(JNIEnv *env, jobject self, jlong channel_handle, jshort port_space) {
    (void)self;
    const char *call = "rdma_create_id";
    struct channel *channel = use(env, channel_handle, CHANNEL, call);
    if (!channel) {
        return 0;
    }
    struct rdma_cm_id *id;
    jlong handle = 0;
    if (api.rdma_create_id(channel->channel, &id, NULL, (enum rdma_port_space)port_space) != 0) {
        throw_errno(env, call, errno, NULL);
    } else {
        struct identifier *made;
        handle = identifier_add(id, channel->owner, &made);
        if (handle) {
            id->context = (void *)(uintptr_t)handle;
        } else {
            throw_errno(env, call, ENOMEM, NULL);
            api.rdma_destroy_id(id);
        }
    }
    done(channel_handle);
    return handle;
}

/* Under the identifier's lock. */
static void destroy_queue_pair(JNIEnv *env, struct identifier *identifier) {
    if (identifier->queue_pair && take(env, identifier->queue_pair, QUEUE_PAIR, "rdma_destroy_qp")) {
        api.rdma_destroy_qp(identifier->id);
        handle_drop(identifier->queue_pair);
        identifier->queue_pair = 0;
    }
}

static jint destroy_identifier(JNIEnv *env, jlong handle, const char *call) {
    struct identifier *identifier = take(env, handle, IDENTIFIER, call);
    if (!identifier) {
        return -1;
    }
    destroy_queue_pair(env, identifier);
    struct owner *channel = identifier->channel;
    int error = error_of(api.rdma_destroy_id(identifier->id));
    handle_drop(handle);
    pthread_mutex_destroy(&identifier->lock);
    free(identifier);
    owner_leave(channel);
    if (error) {
        throw_errno(env, call, error, NULL);
    }
    return error ? -1 : 0;
}

DISNI(jint, destroyCmId)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    return destroy_identifier(env, handle, "rdma_destroy_id");
}

DISNI(jint, destroyEp)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    return destroy_identifier(env, handle, "rdma_destroy_ep");
}

DISNI(jint, destroyQP)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    const char *call = "rdma_destroy_qp";
    struct identifier *identifier = use(env, handle, IDENTIFIER, call);
    if (!identifier) {
        return -1;
    }
    pthread_mutex_lock(&identifier->lock);
    bool there = identifier->queue_pair != 0;
    destroy_queue_pair(env, identifier);
    pthread_mutex_unlock(&identifier->lock);
    if (!there) {
        throw_errno(env, call, EINVAL, "it has no queue pair");
    }
    done(handle);
    return there ? 0 : -1;
}

/* DiSNI writes no more than family, port and address, and leaves the rest of its buffer as it was. */
static struct sockaddr_in address_at(jlong address) {
    struct sockaddr_in copy = {0};
    const struct sockaddr_in *given = pointer(address);
    copy.sin_family = given->sin_family;
    copy.sin_port = given->sin_port;
    copy.sin_addr = given->sin_addr;
    return copy;
}

DISNI(void, bindAddr)(JNIEnv *env, jobject self, jlong handle, jlong address) {
    (void)self;
    const char *call = "rdma_bind_addr";
    struct identifier *identifier = use(env, handle, IDENTIFIER, call);
    if (!identifier) {
        return;
    }
    if (!address) {
        throw_errno(env, call, EFAULT, NULL);
    } else {
        struct sockaddr_in source = address_at(address);
        if (api.rdma_bind_addr(identifier->id, (struct sockaddr *)&source) != 0) {
            throw_errno(env, call, errno, errno == ENODEV ? "no RDMA device has this address" : NULL);
        }
    }
    done(handle);
}

DISNI(void, listen)(JNIEnv *env, jobject self, jlong handle, jint backlog) {
    (void)self;
    struct identifier *identifier = use(env, handle, IDENTIFIER, "rdma_listen");
    if (!identifier) {
        return;
    }
    if (api.rdma_listen(identifier->id, backlog) != 0) {
        throw_errno(env, "rdma_listen", errno, NULL);
    }
    done(handle);
}

DISNI(void, resolveAddr)
(JNIEnv *env, jobject self, jlong handle, jlong source_address, jlong target_address, jint timeout_millis) {
    (void)self;
    const char *call = "rdma_resolve_addr";
    struct identifier *identifier = use(env, handle, IDENTIFIER, call);
    if (!identifier) {
        return;
    }
    if (!target_address) {
        throw_errno(env, call, EFAULT, NULL);
    } else {
        struct sockaddr_in source = {0};
        if (source_address) {
            source = address_at(source_address);
        }
        struct sockaddr_in target = address_at(target_address);
        struct sockaddr *from = source_address ? (struct sockaddr *)&source : NULL;
        if (api.rdma_resolve_addr(identifier->id, from, (struct sockaddr *)&target, timeout_millis) != 0) {
            throw_errno(env, call, errno, errno == ENODEV ? "no RDMA device reaches this address" : NULL);
        }
    }
    done(handle);
}

DISNI(void, resolveRoute)(JNIEnv *env, jobject self, jlong handle, jint timeout_millis) {
    (void)self;
    struct identifier *identifier = use(env, handle, IDENTIFIER, "rdma_resolve_route");
    if (!identifier) {
        return;
    }
    if (api.rdma_resolve_route(identifier->id, timeout_millis) != 0) {
        throw_errno(env, "rdma_resolve_route", errno, NULL);
    }
    done(handle);
}

static jint copy_address(JNIEnv *env, jlong handle, jlong out, bool source, const char *call) {
    struct identifier *identifier = use(env, handle, IDENTIFIER, call);
    if (!identifier) {
        return -1;
    }
    struct rdma_addr *both = &identifier->id->route.addr;
    const struct sockaddr *address = source ? &both->src_addr : &both->dst_addr;
    int error = !out ? EFAULT : address->sa_family != AF_INET ? EAFNOSUPPORT : 0;
    if (error) {
        throw_errno(env, call, error, error == EFAULT ? NULL : "it has no IPv4 address");
    } else {
        memcpy(pointer(out), address, sizeof(struct sockaddr_in));
    }
    done(handle);
    return error ? -1 : 0;
}

DISNI(jint, getSrcAddr)(JNIEnv *env, jobject self, jlong handle, jlong out) {
    (void)self;
    return copy_address(env, handle, out, true, "rdma_get_local_addr");
}

DISNI(jint, getDstAddr)(JNIEnv *env, jobject self, jlong handle, jlong out) {
    (void)self;
    return copy_address(env, handle, out, false, "rdma_get_peer_addr");
}

/* -1, which Java takes for null, as long as the identifier is bound to no device. */
DISNI(jlong, getContext)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    const char *call = "rdma_cm_id.verbs";
    struct identifier *identifier = use(env, handle, IDENTIFIER, call);
    if (!identifier) {
        return -1;
    }
    jlong context = -1;
    if (identifier->id->verbs) {
        context = context_handle(identifier->id->verbs);
        if (!context) {
            throw_errno(env, call, errno, NULL);
        }
    }
    done(handle);
    return context;
}

OURS(jint, port)(JNIEnv *env, jclass self, jlong handle) {
    (void)self;
    struct identifier *identifier = use(env, handle, IDENTIFIER, "rdma_cm_id.port_num");
    if (!identifier) {
        return 0;
    }
    jint port = identifier->id->port_num;
    done(handle);
    return port;
}
