/* See session.h. */
#include "session.h"

#include <arpa/inet.h>
#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "jvm.h"

/* Goes on only if nothing was thrown. What fails must throw, and what throws must have failed. */
#define STEP(call) \
    do { \
        call; \
        if ((*jvm())->ExceptionCheck(jvm())) { \
            return false; \
        } \
    } while (0)

struct sockaddr_in loopback(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(1234)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

jlong event_of(jlong channel, jint type) {
    jlong handles[2] = {-1, -1};
    jint got = DISNI(getCmEvent, channel, at(&handles[0]), at(&handles[1]), 5000);
    if ((*jvm())->ExceptionCheck(jvm())) {
        CHECK(got == -1);
        return 0;
    }
    if (got != type) {
        fprintf(stderr, "event %d instead of %d\n", got, type);
    }
    CHECK(got == type);
    CHECK((handles[0] != 0) == (type == RDMA_CM_EVENT_CONNECT_REQUEST));
    CHECK(DISNI(ackCmEvent, got) == 0);
    return handles[1];
}

static bool prepare(struct session *session, struct end *end) {
    jlong context;
    STEP(context = DISNI(getContext, end->id));
    CHECK(context > 0);
    CHECK(session->context == 0 || session->context == context);
    session->context = context;
    STEP(end->domain = DISNI(allocPd, context));
    STEP(end->channel = DISNI(createCompChannel, context));
    STEP(end->queue = DISNI(createCQ, context, end->channel, 16, 0));
    STEP(end->queue_pair = DISNI(createQP, end->id, end->domain, end->queue, end->queue, IBV_QPT_RC, 16, 16, 64));
    CHECK(end->domain > 0 && end->channel > 0 && end->queue > 0 && end->queue_pair > 0);
    jint keys[3] = {0};
    STEP(end->memory = DISNI(regMr, end->domain, at(session->bytes), BYTES, 1, at(&keys[0]), at(&keys[1]), at(&keys[2])));
    CHECK(end->memory > 0 && keys[0] == 11 && keys[1] == 12 && keys[2] == 13);
    return true;
}

bool session_open(struct session *session) {
    struct sockaddr_in address = loopback();
    memset(session, 0, sizeof *session);
    STEP(session->server_events = DISNI(createEventChannel));
    STEP(session->client_events = DISNI(createEventChannel));
    STEP(session->listener = DISNI(createId, session->server_events, RDMA_PS_TCP));
    STEP(DISNI(bindAddr, session->listener, at(&address)));
    STEP(DISNI(listen, session->listener, 8));
    struct sockaddr_in source;
    STEP(CHECK(DISNI(getSrcAddr, session->listener, at(&source)) == 0));
    CHECK(source.sin_port == address.sin_port);
    STEP(session->client.id = DISNI(createId, session->client_events, RDMA_PS_TCP));
    STEP(DISNI(resolveAddr, session->client.id, 0, at(&address), 1000));
    STEP(event_of(session->client_events, RDMA_CM_EVENT_ADDR_RESOLVED));
    STEP(DISNI(resolveRoute, session->client.id, 1000));
    STEP(event_of(session->client_events, RDMA_CM_EVENT_ROUTE_RESOLVED));
    if (!prepare(session, &session->client)) {
        return false;
    }
    STEP(DISNI(connect, session->client.id, 7, 7, at("hello"), 5));
    STEP(session->server.id = event_of(session->server_events, RDMA_CM_EVENT_CONNECT_REQUEST));
    if (!prepare(session, &session->server)) {
        return false;
    }
    jbyteArray answer = array_of("welcome", 7);
    OURS(setPrivateData, session->server.id, answer);
    forget(answer);
    STEP(DISNI(accept, session->server.id, 7, 7));
    STEP(event_of(session->client_events, RDMA_CM_EVENT_ESTABLISHED));
    STEP(event_of(session->server_events, RDMA_CM_EVENT_ESTABLISHED));
    return true;
}

bool session_use(struct session *session) {
    struct end *client = &session->client;
    struct ibv_sge piece = {.addr = (uint64_t)at(session->bytes), .length = 8, .lkey = 11};
    struct ibv_send_wr send = {.wr_id = 1, .sg_list = &piece, .num_sge = 1, .opcode = IBV_WR_RDMA_WRITE};
    struct ibv_recv_wr receive = {.wr_id = 2, .sg_list = &piece, .num_sge = 1};
    struct ibv_wc completions[4];
    STEP(DISNI(reqNotifyCQ, client->queue, 0));
    STEP(DISNI(postRecv, client->queue_pair, at(&receive)));
    STEP(DISNI(postSend, client->queue_pair, at(&send)));
    jint got;
    STEP(got = DISNI(getCqEvent, client->channel, 5000));
    CHECK(got == 0);
    STEP(CHECK(DISNI(ackCqEvent, client->queue, 1) == 0));
    STEP(got = DISNI(pollCQ, client->queue, 4, at(completions)));
    CHECK(got == 1 && completions[0].wr_id == 1);
    STEP(DISNI(postSend, client->queue_pair, at(&send)));
    STEP(got = OURS(await, client->queue, 5000, at(completions), 4));
    CHECK(got == 1 && completions[0].wr_id == 1);
    jlong attributes[24];
    jint port;
    STEP(port = OURS(port, client->id));
    STEP(OURS(queryDevice, session->context, port, at(attributes)));
    STEP(DISNI(expPrefetchMr, client->memory, at(session->bytes), 8));
    jlong news[2];
    STEP(CHECK(!OURS(asyncEvent, session->context, 0, at(news))));
    STEP(OURS(fail, client->queue_pair));
    jint ended;
    STEP(ended = DISNI(disconnect, client->id));
    if (ended == 0) {
        STEP(event_of(session->client_events, RDMA_CM_EVENT_DISCONNECTED));
    }
    return true;
}

/* Zero once it is gone; an error is dropped, and it is tried again. */
static void destroy(jlong *handle, jint (*how)(JNIEnv *, jobject, jlong)) {
    if (*handle) {
        how(jvm(), NULL, *handle);
        const char *message = thrown();
        if (!message || strstr(message, "unknown or closed") || strstr(message, "rdma_destroy_id")) {
            *handle = 0;
        }
    }
}

static jint deregister(JNIEnv *env, jobject self, jlong handle) {
    Java_com_ibm_disni_verbs_impl_NativeDispatcher__1deregMr(env, self, handle);
    return 0;
}

static bool close_end(struct end *end) {
#define END(field, name) destroy(&end->field, Java_com_ibm_disni_verbs_impl_NativeDispatcher__1##name);
    END(id, destroyCmId) /* and its queue pair */
    END(channel, destroyCompChannel) /* before its queue: it stays as long */
    END(queue, destroyCQ)
    destroy(&end->memory, deregister);
    END(domain, deallocPd)
#undef END
    return !end->id && !end->queue && !end->channel && !end->memory && !end->domain;
}

void session_close(struct session *session) {
    for (int round = 0;; round++) {
        CHECK(round < 5);
        bool gone = close_end(&session->client);
        gone = close_end(&session->server) && gone;
        destroy(&session->listener, Java_com_ibm_disni_verbs_impl_NativeDispatcher__1destroyCmId);
        destroy(&session->client_events, Java_com_ibm_disni_verbs_impl_NativeDispatcher__1destroyEventChannel);
        destroy(&session->server_events, Java_com_ibm_disni_verbs_impl_NativeDispatcher__1destroyEventChannel);
        if (gone && !session->listener && !session->client_events && !session->server_events) {
            return;
        }
    }
}
