/* Protection domains, completion channels and queues, memory regions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "disni.h"

DISNI(jlong, allocPd)(JNIEnv *env, jobject self, jlong context_handle) {
    (void)self;
    const char *call = "ibv_alloc_pd";
    struct context *context = use(env, context_handle, CONTEXT, call);
    if (!context) {
        return 0;
    }
    struct ibv_pd *domain = api.ibv_alloc_pd(context->verbs);
    jlong handle = domain ? handle_add(DOMAIN, domain) : 0;
    if (!handle) {
        throw_errno(env, call, error_of(-1), NULL);
        if (domain) {
            api.ibv_dealloc_pd(domain);
        }
    }
    done(context_handle);
    return handle;
}

/* What could not be destroyed stays, handle and all. */
static jint ended(JNIEnv *env, jlong handle, int error, const char *call, const char *in_use) {
    if (error) {
        handle_restore(handle);
        throw_errno(env, call, error, error == EBUSY ? in_use : NULL);
        return -1;
    }
    handle_drop(handle);
    return 0;
}

DISNI(jint, deallocPd)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    const char *call = "ibv_dealloc_pd";
    struct ibv_pd *domain = take(env, handle, DOMAIN, call);
    if (!domain) {
        return -1;
    }
    int error = error_of(api.ibv_dealloc_pd(domain));
    return ended(env, handle, error, call, "memory or queue pairs still belong to it");
}

DISNI(jint, getPdHandle)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    struct ibv_pd *domain = use(env, handle, DOMAIN, "ibv_pd.handle");
    if (!domain) {
        return -1;
    }
    jint number = (jint)domain->handle;
    done(handle);
    return number;
}

static void destroy_completion_channel(void *object) { api.ibv_destroy_comp_channel(object); }

DISNI(jlong, createCompChannel)(JNIEnv *env, jobject self, jlong context_handle) {
    (void)self;
    const char *call = "ibv_create_comp_channel";
    struct context *context = use(env, context_handle, CONTEXT, call);
    if (!context) {
        return 0;
    }
    jlong handle = 0;
    struct ibv_comp_channel *channel = api.ibv_create_comp_channel(context->verbs);
    if (!channel) {
        throw_errno(env, call, error_of(-1), NULL);
    } else {
        struct owner *owner = owner_new(channel, destroy_completion_channel);
        if (owner && set_nonblocking(channel->fd)) {
            handle = handle_add(COMPLETION_CHANNEL, owner);
        }
        if (!handle) {
            throw_errno(env, call, error_of(-1), NULL);
            api.ibv_destroy_comp_channel(channel);
            free(owner);
        }
    }
    done(context_handle);
    return handle;
}

DISNI(jint, destroyCompChannel)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    struct owner *channel = take(env, handle, COMPLETION_CHANNEL, "ibv_destroy_comp_channel");
    if (!channel) {
        return -1;
    }
    handle_drop(handle);
    owner_close(channel);
    return 0;
}

static jlong create_queue(JNIEnv *env, struct context *context, struct owner *channel, jint entries, jint vector) {
    const char *call = "ibv_create_cq";
    struct completion_queue *made = calloc(1, sizeof *made);
    if (!made) {
        throw_errno(env, call, ENOMEM, NULL);
        return 0;
    }
    made->channel = channel;
    made->queue = api.ibv_create_cq(context->verbs, entries, NULL, channel->object, vector);
    jlong handle = made->queue ? handle_add(COMPLETION_QUEUE, made) : 0;
    if (handle) {
        owner_enter(channel);
        return handle;
    }
    char more[64];
    snprintf(more, sizeof more, "completion queue of %d entries", (int)entries);
    throw_errno(env, call, error_of(-1), more);
    if (made->queue) {
        api.ibv_destroy_cq(made->queue);
    }
    free(made);
    return 0;
}

DISNI(jlong, createCQ)
(JNIEnv *env, jobject self, jlong context_handle, jlong channel_handle, jint entries, jint vector) {
    (void)self;
    const char *call = "ibv_create_cq";
    struct context *context = use(env, context_handle, CONTEXT, call);
    struct owner *channel = context ? use(env, channel_handle, COMPLETION_CHANNEL, call) : NULL;
    jlong handle = 0;
    if (channel) {
        handle = create_queue(env, context, channel, entries, vector);
        done(channel_handle);
    }
    if (context) {
        done(context_handle);
    }
    return handle;
}

DISNI(jint, destroyCQ)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    const char *call = "ibv_destroy_cq";
    struct completion_queue *queue = take(env, handle, COMPLETION_QUEUE, call);
    if (!queue) {
        return -1;
    }
    int error = error_of(api.ibv_destroy_cq(queue->queue));
    if (!error) {
        owner_leave(queue->channel);
        free(queue);
    }
    return ended(env, handle, error, call, "queue pairs still use it");
}

/* The limit that stands behind most refusals, as it is now. */
static void say_memlock(char *out, size_t size, jint length) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) {
        limit.rlim_cur = 0;
    }
    if (limit.rlim_cur == RLIM_INFINITY) {
        snprintf(out, size, "%d bytes; locked memory is unlimited (ulimit -l)", (int)length);
    } else {
        snprintf(out, size, "%d bytes; locked memory is limited to %llu bytes: raise ulimit -l", (int)length,
            (unsigned long long)limit.rlim_cur);
    }
}

DISNI(jlong, regMr)
(JNIEnv *env, jobject self, jlong domain_handle, jlong address, jint length, jint access, jlong local_key_out,
    jlong remote_key_out, jlong number_out) {
    (void)self;
    const char *call = "ibv_reg_mr";
    struct ibv_pd *domain = use(env, domain_handle, DOMAIN, call);
    if (!domain) {
        return 0;
    }
    jlong handle = 0;
    /* With on-demand paging a length of -1 would mean the whole address space. */
    if (address == 0 || length <= 0) {
        throw_errno(env, call, EINVAL, "address 0 or length below 1");
    } else if (!local_key_out || !remote_key_out || !number_out) {
        throw_errno(env, call, EFAULT, NULL);
    } else {
        errno = 0;
        struct ibv_mr *memory = api.ibv_reg_mr(domain, pointer(address), (size_t)length, access);
        int error = memory ? 0 : error_of(-1);
        handle = memory ? handle_add(MEMORY, memory) : 0;
        if (handle) {
            memcpy(pointer(local_key_out), &memory->lkey, sizeof(jint));
            memcpy(pointer(remote_key_out), &memory->rkey, sizeof(jint));
            memcpy(pointer(number_out), &memory->handle, sizeof(jint));
        } else if (memory) {
            api.ibv_dereg_mr(memory);
            throw_errno(env, call, ENOMEM, NULL);
        } else {
            char more[128];
            say_memlock(more, sizeof more, length);
            throw_errno(env, call, error, error == ENOMEM || error == EAGAIN || error == EPERM ? more : NULL);
        }
    }
    done(domain_handle);
    return handle;
}

DISNI(void, deregMr)(JNIEnv *env, jobject self, jlong handle) {
    (void)self;
    const char *call = "ibv_dereg_mr";
    struct ibv_mr *memory = take(env, handle, MEMORY, call);
    if (memory) {
        ended(env, handle, error_of(api.ibv_dereg_mr(memory)), call, "memory windows are bound to it");
    }
}

DISNI(jint, expPrefetchMr)(JNIEnv *env, jobject self, jlong handle, jlong address, jint length) {
    (void)self;
    const char *call = "ibv_advise_mr";
    struct ibv_mr *memory = use(env, handle, MEMORY, call);
    if (!memory) {
        return -1;
    }
    struct ibv_sge piece = {.addr = (uint64_t)address, .length = (uint32_t)length, .lkey = memory->lkey};
    struct verbs_context *extended = verbs_get_ctx_op(memory->context, advise_mr);
    int error = EOPNOTSUPP;
    if (length < 0) {
        error = EINVAL;
    } else if (extended) {
        error = error_of(extended->advise_mr(memory->pd, IBV_ADVISE_MR_ADVICE_PREFETCH_WRITE, 0, &piece, 1));
    }
    if (error) {
        throw_errno(env, call, error, NULL);
    }
    done(handle);
    return error ? -1 : 0;
}
