/* The objects of ours behind handles: who owns what, and the one handle of each device. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disni.h"

static pthread_mutex_t owners = PTHREAD_MUTEX_INITIALIZER;

struct owner *owner_new(void *object, void (*destroy)(void *object)) {
    struct owner *owner = calloc(1, sizeof *owner);
    if (owner) {
        owner->object = object;
        owner->destroy = destroy;
    }
    return owner;
}

void owner_enter(struct owner *owner) {
    pthread_mutex_lock(&owners);
    owner->users++;
    pthread_mutex_unlock(&owners);
}

/* Ends the lock. */
static void end_if_unused(struct owner *owner) {
    bool over = owner->closed && owner->users == 0;
    pthread_mutex_unlock(&owners);
    if (over) {
        owner->destroy(owner->object);
        free(owner);
    }
}

void owner_leave(struct owner *owner) {
    pthread_mutex_lock(&owners);
    owner->users--;
    end_if_unused(owner);
}

void owner_close(struct owner *owner) {
    pthread_mutex_lock(&owners);
    owner->closed = true;
    end_if_unused(owner);
}

jlong identifier_add(struct rdma_cm_id *id, struct owner *channel, struct identifier **made) {
    struct identifier *identifier = calloc(1, sizeof *identifier);
    if (!identifier) {
        errno = ENOMEM;
        return 0;
    }
    identifier->id = id;
    identifier->channel = channel;
    pthread_mutex_init(&identifier->lock, NULL);
    jlong handle = handle_add(IDENTIFIER, identifier);
    if (!handle) {
        pthread_mutex_destroy(&identifier->lock);
        free(identifier);
        errno = ENOMEM;
        return 0;
    }
    owner_enter(channel);
    *made = identifier;
    return handle;
}

/*
 * librdmacm opens each device once and keeps it open, unless the device is taken away: then it closes
 * it with its last identifier, and another one may be opened at the same address. A handful of
 * devices at most, looked for when connections are made: a list will do.
 */
#define MAX_DEVICES 64

static pthread_mutex_t devices = PTHREAD_MUTEX_INITIALIZER;
static unsigned device_count;
static struct {
    struct context *context;
    jlong handle;
} known[MAX_DEVICES];

/* 0, or an errno. */
static int learn(struct context *context) {
    struct ibv_device_attr limits;
    int error = error_of(api.ibv_query_device(context->verbs, &limits));
    if (!error) {
        pthread_mutex_lock(&context->lock);
        context->limits = limits;
        context->max_inline = -1;
        memcpy(context->name, context->verbs->device->name, sizeof context->name);
        pthread_mutex_unlock(&context->lock);
    }
    return error;
}

/* Under the lock: its number, or -1 with an errno. */
static int device_of(struct ibv_context *verbs) {
    for (unsigned i = 0; i < device_count; i++) {
        struct context *context = known[i].context;
        if (context->verbs == verbs) {
            int error = strcmp(context->name, verbs->device->name) == 0 ? 0 : learn(context);
            errno = error;
            return error ? -1 : (int)i;
        }
    }
    if (device_count == MAX_DEVICES) {
        errno = ENOSPC;
        return -1;
    }
    struct context *context = calloc(1, sizeof *context);
    if (!context) {
        errno = ENOMEM;
        return -1;
    }
    context->verbs = verbs;
    pthread_mutex_init(&context->lock, NULL);
    int error = learn(context);
    jlong handle = error ? 0 : handle_add(CONTEXT, context);
    if (!handle) {
        pthread_mutex_destroy(&context->lock);
        free(context);
        errno = error ? error : ENOMEM;
        return -1;
    }
    known[device_count].context = context;
    known[device_count].handle = handle;
    return (int)device_count++;
}

jlong context_handle(struct ibv_context *verbs) {
    pthread_mutex_lock(&devices);
    int number = device_of(verbs);
    jlong handle = number < 0 ? 0 : known[number].handle;
    pthread_mutex_unlock(&devices);
    return handle;
}

const struct ibv_device_attr *limits_of(struct ibv_context *verbs) {
    pthread_mutex_lock(&devices);
    int number = device_of(verbs);
    const struct ibv_device_attr *limits = number < 0 ? NULL : &known[number].context->limits;
    pthread_mutex_unlock(&devices);
    return limits;
}
