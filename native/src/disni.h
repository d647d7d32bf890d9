/*
 * What the parts of libdisni share. A handle that Java holds is never a pointer: see handles.c.
 */
#ifndef REGIONFS_DISNI_H
#define REGIONFS_DISNI_H

#include <infiniband/verbs.h>
#include <jni.h>
#include <pthread.h>
#include <rdma/rdma_cma.h>
#include <stdbool.h>
#include <stdint.h>

/* The headers hide these functions behind macros that call others which we have not linked. */
#undef ibv_query_port
#undef ibv_reg_mr

#define DISNI(type, name) JNIEXPORT type JNICALL Java_com_ibm_disni_verbs_impl_NativeDispatcher__1##name
#define OURS(type, name) JNIEXPORT type JNICALL Java_io_regionfs_verbs_disni_NativeVerbs_##name

/* load.c: the functions of libibverbs and librdmacm, found when the first event channel is made. */

#define VERBS_FUNCTIONS(X) \
    X(ibv_ack_async_event) \
    X(ibv_ack_cq_events) \
    X(ibv_alloc_pd) \
    X(ibv_create_comp_channel) \
    X(ibv_create_cq) \
    X(ibv_create_qp) \
    X(ibv_dealloc_pd) \
    X(ibv_dereg_mr) \
    X(ibv_destroy_comp_channel) \
    X(ibv_destroy_cq) \
    X(ibv_destroy_qp) \
    X(ibv_get_async_event) \
    X(ibv_get_cq_event) \
    X(ibv_modify_qp) \
    X(ibv_query_device) \
    X(ibv_query_port) \
    X(ibv_reg_mr)

#define CM_FUNCTIONS(X) \
    X(rdma_accept) \
    X(rdma_ack_cm_event) \
    X(rdma_bind_addr) \
    X(rdma_connect) \
    X(rdma_create_event_channel) \
    X(rdma_create_id) \
    X(rdma_create_qp) \
    X(rdma_destroy_event_channel) \
    X(rdma_destroy_id) \
    X(rdma_destroy_qp) \
    X(rdma_disconnect) \
    X(rdma_get_cm_event) \
    X(rdma_listen) \
    X(rdma_resolve_addr) \
    X(rdma_resolve_route)

struct api {
#define FIELD(name) __typeof__(name) *name;
    VERBS_FUNCTIONS(FIELD)
    CM_FUNCTIONS(FIELD)
#undef FIELD
};

/* Filled before the first handle exists; whoever has a handle may use it without a lock. */
extern struct api api;

/* Loads the two libraries if they are not; false with an IOException pending if one is missing. */
bool load(JNIEnv *env);

/* errors.c */

/* Throws an IOException "call: text of the errno (errno N)" with more to say after it, or NULL. */
void throw_errno(JNIEnv *env, const char *call, int error, const char *more);

/* The errno of what a libibverbs function returned: a positive or negative errno, or -1 and errno. */
int error_of(int result);

/* handles.c */

enum kind { CHANNEL = 1, IDENTIFIER, CONTEXT, DOMAIN, COMPLETION_CHANNEL, COMPLETION_QUEUE, QUEUE_PAIR, MEMORY };

/* A new handle for an object; 0 if there is no memory for it. */
jlong handle_add(enum kind kind, void *object);

/* The object, which stays until done(handle); NULL with an IOException pending if there is none. */
void *use(JNIEnv *env, jlong handle, enum kind kind, const char *call);
void done(jlong handle);

/* Whether a handle in use is being closed by another thread, which waits for us. */
bool closing(jlong handle);

/*
 * Closes the handle to new users, waits for those that are there, and gives the object to the
 * caller, who then calls handle_drop, or handle_restore if the object could not be destroyed.
 */
void *take(JNIEnv *env, jlong handle, enum kind kind, const char *call);
void handle_drop(jlong handle);
void handle_restore(jlong handle);

/* Handles that are open, for tests. */
int handles_open(void);

/* objects.c: what stands behind the handles whose object is not one of libibverbs itself. */

/*
 * A channel outlives its handle until the last object that delivers to it is gone: the libraries
 * would touch freed memory (identifiers) or refuse and leak (completion queues).
 */
struct owner {
    void *object;
    void (*destroy)(void *object);
    unsigned users;
    bool closed;
};

struct owner *owner_new(void *object, void (*destroy)(void *object));
void owner_enter(struct owner *owner);
void owner_leave(struct owner *owner);

/* Ends it now or when the last user leaves. */
void owner_close(struct owner *owner);

#define MAX_EVENT_DATA 256
/* The most that every transport carries with a connect. */
#define MAX_PRIVATE_DATA 56

struct channel {
    struct rdma_event_channel *channel;
    struct owner *owner;
    pthread_mutex_t lock;   /* of the rest, and of taking an event */
    int status;
    unsigned data_length;
    jbyte data[MAX_EVENT_DATA];
};

struct identifier {
    struct rdma_cm_id *id;
    struct owner *channel;
    pthread_mutex_t lock;   /* of the rest */
    jlong queue_pair;       /* 0: none */
    bool asked;             /* made by a connect request, which offered what follows */
    uint8_t offered_initiator_depth;
    uint8_t offered_responder_resources;
    unsigned data_length;
    jbyte data[MAX_PRIVATE_DATA];
};

struct context {
    struct ibv_context *verbs;
    pthread_mutex_t lock;   /* of what follows, which changes if the address is another device's */
    struct ibv_device_attr limits;
    int max_inline;         /* -1: not tried yet */
    char name[IBV_SYSFS_NAME_MAX];
};

struct completion_queue {
    struct ibv_cq *queue;
    struct owner *channel;
};

/* Takes over a new identifier, which becomes a user of the channel; 0 if there is no memory. */
jlong identifier_add(struct rdma_cm_id *id, struct owner *channel, struct identifier **made);

/* The one handle of a device; 0 with an errno if it cannot be had. */
jlong context_handle(struct ibv_context *verbs);

/* What the device of an identifier can do; NULL with an errno. */
const struct ibv_device_attr *limits_of(struct ibv_context *verbs);

/* waits.c */

/*
 * Waits until the file can be read. 1: it can; 0: the time is over; -1: an exception is pending, or
 * the handle is being closed. A negative time-out waits for ever.
 */
int await_readable(JNIEnv *env, int file, jlong handle, jint timeout_millis, const char *call);
bool set_nonblocking(int file);

static inline void *pointer(jlong address) { return (void *)(uintptr_t)address; }

#endif
