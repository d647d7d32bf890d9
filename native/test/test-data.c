/* What goes in comes out: parameters, private data, requests, completions, events. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"
#include "jvm.h"
#include "session.h"

static struct posted posted[64];
static int posted_count;

void fake_posted(const struct ibv_send_wr *request) {
    if (posted_count < 64) {
        posted[posted_count].request = *request;
        for (int i = 0; i < request->num_sge && i < 4; i++) {
            posted[posted_count].pieces[i] = request->sg_list[i];
        }
        posted_count++;
    }
}

static void an_identifier_has_one_queue_pair(struct session *session) {
    CHECK(DISNI(getQpNum, session->client.queue_pair) >= 7);
    DISNI(createQP, session->client.id, session->client.domain, session->client.queue, session->client.queue, IBV_QPT_RC,
        1, 1, 0);
    expect_thrown("second queue pair", "errno 16");
    struct sockaddr_in address = loopback();
    jlong other = DISNI(createId, session->client_events, RDMA_PS_TCP);
    CHECK(DISNI(getContext, other) == -1 && !thrown()); /* no device yet: none */
    DISNI(bindAddr, other, at(&address));
    DISNI(createQP, other, session->client.domain, session->client.queue, session->client.queue, IBV_QPT_RC, 1, 1, 101);
    expect_thrown("too much inline", "101 inline bytes");
    DISNI(createQP, other, session->client.domain, session->client.queue, session->client.queue, IBV_QPT_RC, -1, 1, 0);
    expect_thrown("a negative size", "errno 22");
    CHECK(DISNI(destroyQP, other) == -1);
    expect_thrown("no queue pair", "no queue pair");
    CHECK(DISNI(destroyEp, other) == 0);
    CHECK(DISNI(destroyQP, session->server.id) == 0);
    DISNI(getQpNum, session->server.queue_pair);
    expect_thrown("destroyed queue pair", "errno 9");
}

static void sizes_parameters_and_private_data_are_handed_on(struct session *session) {
    CHECK(fake_last_queue_pair.cap.max_send_sge == 6 && fake_last_queue_pair.cap.max_recv_sge == 6);
    CHECK(fake_last_queue_pair.cap.max_send_wr == 16 && fake_last_queue_pair.cap.max_inline_data == 64);
    /* The accept's: what the request offered, within what the device can do. */
    CHECK(fake_last_parameters.initiator_depth == 255 && fake_last_parameters.responder_resources == 20);
    CHECK(fake_last_parameters.retry_count == 7 && fake_last_parameters.rnr_retry_count == 7);
    /* Each channel still tells of its last event: ESTABLISHED, with the answer for the client. */
    jbyteArray data = OURS(eventData, session->client_events);
    CHECK(length_of(data) == 7 && memcmp(bytes_of(data), "welcome", 7) == 0);
    forget(data);
    data = OURS(eventData, session->server_events);
    CHECK(length_of(data) == 0);
    forget(data);
    CHECK(OURS(eventStatus, session->client_events) == 0);
    data = array_of(NULL, 57);
    OURS(setPrivateData, session->client.id, data);
    expect_thrown("57 bytes", "56");
    forget(data);
    struct sockaddr_in target;
    CHECK(DISNI(getDstAddr, session->client.id, at(&target)) == 0 && ntohs(target.sin_port) == 1234);
}

static void a_refusal_has_a_status(struct session *session) {
    struct sockaddr_in address = loopback();
    CHECK(DISNI(destroyCmId, session->listener) == 0);
    jlong id = DISNI(createId, session->client_events, RDMA_PS_TCP);
    DISNI(resolveAddr, id, at(&address), at(&address), 10);
    event_of(session->client_events, RDMA_CM_EVENT_ADDR_RESOLVED);
    DISNI(connect, id, 99, 99, 0, 0);
    CHECK(fake_last_parameters.retry_count == 7 && fake_last_parameters.private_data_len == 0);
    event_of(session->client_events, RDMA_CM_EVENT_REJECTED);
    CHECK(OURS(eventStatus, session->client_events) == ECONNREFUSED);
    jlong none[2];
    CHECK(DISNI(getCmEvent, session->client_events, at(none), at(none + 1), 0) == -1 && !thrown());
    CHECK(DISNI(getCmEvent, session->client_events, at(none), at(none + 1), 20) == -1 && !thrown());
    DISNI(getCmEvent, session->client_events, 0, at(none), 0);
    expect_thrown("no room for the listener", "errno 14");
    CHECK(DISNI(destroyCmId, id) == 0);
}

/* As NativeVerbs documents it. */
struct flat {
    uint64_t id; uint32_t opcode, flags; uint64_t remote; uint32_t key, immediate; uint64_t compare, swap;
    uint32_t pieces, zero; struct ibv_sge piece[2];
};

static void requests_keep_all_they_say(struct session *session) {
    struct flat two[2] = {
        {.id = 1, .opcode = IBV_WR_ATOMIC_CMP_AND_SWP, .flags = IBV_SEND_SIGNALED, .remote = 100, .key = 5, .compare = 6,
            .swap = 7, .pieces = 2, .piece = {{8, 9, 10}, {11, 12, 13}}},
        {.id = 2, .opcode = IBV_WR_RDMA_WRITE_WITH_IMM, .flags = IBV_SEND_FENCE, .remote = 200, .key = 15,
            .immediate = 0x01020304, .pieces = 2, .piece = {{1, 2, 3}, {4, 5, 6}}},
    };
    posted_count = 0;
    OURS(postSend, session->client.queue_pair, at(two), 2);
    nothing_thrown("flat requests");
    CHECK(posted_count == 2);
    struct ibv_send_wr *swap = &posted[0].request, *write = &posted[1].request;
    CHECK(swap->wr_id == 1 && swap->wr.atomic.remote_addr == 100 && swap->wr.atomic.rkey == 5);
    CHECK(swap->wr.atomic.compare_add == 6 && swap->wr.atomic.swap == 7 && swap->num_sge == 2);
    CHECK(posted[0].pieces[1].addr == 11 && posted[0].pieces[1].length == 12 && posted[0].pieces[1].lkey == 13);
    CHECK(write->wr.rdma.remote_addr == 200 && write->wr.rdma.rkey == 15 && write->imm_data == 0x01020304);
    CHECK(write->send_flags == IBV_SEND_FENCE && write->next == NULL);
    OURS(postSend, session->client.queue_pair, 0, 1);
    expect_thrown("no address", "errno 22");
    OURS(postSend, session->client.queue_pair, at(two), -1);
    expect_thrown("negative count", "errno 22");
    /* Completions of failures name their queue pair. */
    struct ibv_wc done[4];
    CHECK(OURS(poll, session->client.queue, at(done), 4) == 2);
    CHECK(done[1].status == IBV_WC_REM_ACCESS_ERR && (jint)done[1].qp_num == DISNI(getQpNum, session->client.queue_pair));
    CHECK(OURS(poll, session->client.queue, at(done), 4) == 0);
    OURS(poll, session->client.queue, 0, 4);
    expect_thrown("no room", "errno 22");
    OURS(poll, session->client.queue, at(done), -1);
    expect_thrown("negative room", "errno 22");
    /* Waiting finds what is there already, what an event tells of, and the end of its time. */
    CHECK(OURS(await, session->client.queue, 10, at(done), 4) == 0);
    OURS(postSend, session->client.queue_pair, at(two), 1);
    CHECK(OURS(await, session->client.queue, 5000, at(done), 4) == 1 && done[0].wr_id == 1);
    CHECK(OURS(await, session->client.queue, 10, at(done), 4) == 0);
    nothing_thrown("waits");
    OURS(await, session->client.queue, 10, 0, 4);
    expect_thrown("no room to wait for", "errno 22");

    struct flat many[40];
    memset(many, 0, sizeof many);
    for (int i = 0; i < 40; i++) {
        many[i].id = (uint64_t)i;
        many[i].pieces = 2;
    }
    posted_count = 0;
    for (int first = 0; first < 40; first += 10) { /* the fake queue is short */
        OURS(postSend, session->client.queue_pair, at(&many[first]), 10);
        struct ibv_wc polled[16];
        CHECK(OURS(poll, session->client.queue, at(polled), 16) == 10);
    }
    nothing_thrown("many");
    CHECK(posted_count == 40 && posted[39].request.wr_id == 39);
    count_from_zero();
    fail_next("ibv_post_send", 34, ENOMEM);
    posted_count = 0;
    for (int first = 0; first < 32; first += 16) {
        OURS(postSend, session->client.queue_pair, at(&many[first]), 16);
        struct ibv_wc polled[16];
        CHECK(OURS(poll, session->client.queue, at(polled), 16) == 16);
    }
    OURS(postSend, session->client.queue_pair, at(&many[32]), 8);
    expect_thrown("a full queue", "request 1, the queue is full");
    CHECK(posted_count == 33);
    struct ibv_wc polled[16];
    CHECK(OURS(poll, session->client.queue, at(polled), 16) == 1);

    struct ibv_send_wr atomic = {.opcode = IBV_WR_ATOMIC_FETCH_AND_ADD};
    DISNI(postSend, session->client.queue_pair, at(&atomic));
    expect_thrown("DiSNI's atomics", "NativeVerbs.postSend");
    DISNI(postSend, session->client.queue_pair, 0);
    expect_thrown("nothing to send", "errno 14");
    DISNI(postRecv, session->client.queue_pair, 0);
    expect_thrown("nothing to receive", "errno 14");
}

static void the_device_tells_its_limits(struct session *session) {
    jlong values[24] = {0};
    OURS(queryDevice, session->context, 1, at(values));
    nothing_thrown("queryDevice");
    CHECK(values[1] == INT64_MAX && values[7] == 6 && values[9] == 300 && values[10] == 20 && values[11] == 1);
    CHECK(values[12] == 1 && values[14] == IBV_PORT_ACTIVE && values[15] == 4096 && values[17] == 2);
    CHECK(values[20] == FAKE_MAX_INLINE);
    OURS(queryDevice, session->context, 2, at(values));
    expect_thrown("no such port", "errno 22");
    OURS(queryDevice, session->context, 0, at(values));
    expect_thrown("port 0", "errno 22");
    jstring name = OURS(deviceName, session->context);
    CHECK(strcmp(text_of(name), "fake0") == 0);
    forget(name);
    CHECK(DISNI(queryOdpSupport, session->context) == 1 && DISNI(getContextFd, session->context) == 5);
    CHECK(DISNI(getContextNumCompVectors, session->context) == 1 && DISNI(getPdHandle, session->client.domain) == 42);
    CHECK(DISNI(getVersion) == 32 && DISNI(getIbvSendWRSize) == sizeof(struct ibv_send_wr));
    CHECK(DISNI(getIbvWCSize) == 48);
    jlong processors = Java_com_ibm_disni_util_NativeAffinity__1getAffinity(jvm(), NULL);
    CHECK(processors != 0);
    Java_com_ibm_disni_util_NativeAffinity__1setAffinity(jvm(), NULL, processors);
    nothing_thrown("affinity");
}

static void the_device_speaks_unasked(struct session *session) {
    void (*fake_async)(enum ibv_event_type, struct ibv_qp *, int);
    void *library = dlopen("libibverbs.so.1", RTLD_NOW | RTLD_NOLOAD);
    *(void **)&fake_async = dlsym(library, "fake_async");
    CHECK(fake_async != NULL && dlclose(library) == 0);
    jlong news[2];
    CHECK(!OURS(asyncEvent, session->context, 1, at(news)) && !thrown());
    fake_async(IBV_EVENT_PORT_ERR, NULL, 1);
    CHECK(OURS(asyncEvent, session->context, -1, at(news)));
    CHECK(news[0] == IBV_EVENT_PORT_ERR && news[1] == 1);
    struct ibv_qp subject = {.qp_num = 77};
    fake_async(IBV_EVENT_QP_FATAL, &subject, 0);
    CHECK(OURS(asyncEvent, session->context, 1000, at(news)) && news[0] == IBV_EVENT_QP_FATAL && news[1] == 77);
    fake_async(IBV_EVENT_DEVICE_FATAL, NULL, 0);
    CHECK(OURS(asyncEvent, session->context, 1000, at(news)) && news[1] == 0);
    OURS(asyncEvent, session->context, 0, 0);
    expect_thrown("no room for the event", "errno 14");
}

static void states_are_set_alone(struct session *session) {
    OURS(fail, session->client.queue_pair);
    CHECK(fake_last_state.qp_state == IBV_QPS_ERR && fake_last_state_mask == IBV_QP_STATE);
    CHECK(fake_last_state.port_num == 0 && fake_last_state.qkey == 0);
    jint state = IBV_QPS_SQD;
    CHECK(DISNI(modifyQP, session->client.queue_pair, at(&state)) == 0 && fake_last_state.qp_state == IBV_QPS_SQD);
    CHECK(DISNI(modifyQP, session->client.queue_pair, 0) == -1);
    expect_thrown("no attributes", "errno 22");
}

static void memory_is_checked(struct session *session) {
    jint key;
    DISNI(regMr, session->client.domain, at(session->bytes), -1, 0, at(&key), at(&key), at(&key));
    expect_thrown("length -1 is all of memory", "errno 22");
    DISNI(regMr, session->client.domain, 0, 8, 0, at(&key), at(&key), at(&key));
    expect_thrown("address 0", "errno 22");
    DISNI(regMr, session->client.domain, at(session->bytes), 8, 0, at(&key), 0, at(&key));
    expect_thrown("no room for a key", "errno 14");
    count_from_zero();
    fail_next("ibv_reg_mr", 1, ENOMEM);
    DISNI(regMr, session->client.domain, at(session->bytes), 8, 0, at(&key), at(&key), at(&key));
    expect_thrown("no more locked memory", "ulimit -l");
    DISNI(expPrefetchMr, session->client.memory, at(session->bytes), -1);
    expect_thrown("negative length", "errno 22");
    DISNI(bindAddr, session->client.id, 0);
    expect_thrown("no address to bind", "errno 14");
    DISNI(resolveAddr, session->client.id, 0, 0, 1);
    expect_thrown("no address to resolve", "errno 14");
    DISNI(getSrcAddr, session->client.id, 0);
    expect_thrown("no room for the address", "errno 14");
}

/* What is known of a device is asked anew when another one is at its address. */
static void learn_anew(const struct session *session, char digit) {
    void *library = dlopen("libibverbs.so.1", RTLD_NOW);
    CHECK(library != NULL);
    struct ibv_context *(*fake_device)(void);
    *(void **)&fake_device = dlsym(library, "fake_device");
    CHECK(fake_device != NULL && dlclose(library) == 0);
    fake_device()->device->name[4] = digit;
    CHECK(DISNI(getContext, session->client.id) == session->context);
    nothing_thrown("getContext");
}

static void a_queue_pair_that_tells_of_inline_bytes_spares_the_search(const struct session *session) {
    jlong values[24] = {0};
    fake_tells_inline = true;
    learn_anew(session, '1');
    count_from_zero();
    OURS(queryDevice, session->context, 1, at(values));
    CHECK(values[20] == 96 && calls_of("ibv_create_qp") == 1);
    OURS(queryDevice, session->context, 1, at(values));
    CHECK(values[20] == 96 && calls_of("ibv_create_qp") == 1);
    fake_tells_inline = false;
    learn_anew(session, '0');
    OURS(queryDevice, session->context, 1, at(values));
    CHECK(values[20] == FAKE_MAX_INLINE);
}

void test_data(void) {
    struct session session;
    CHECK(session_open(&session));
    sizes_parameters_and_private_data_are_handed_on(&session);
    requests_keep_all_they_say(&session);
    the_device_tells_its_limits(&session);
    a_queue_pair_that_tells_of_inline_bytes_spares_the_search(&session);
    the_device_speaks_unasked(&session);
    states_are_set_alone(&session);
    memory_is_checked(&session);
    an_identifier_has_one_queue_pair(&session);
    a_refusal_has_a_status(&session);
    session_close(&session);
    CHECK(alive() == 0);
}
