/* Wrong handles are exceptions, whatever they are: never handed out, of another kind, stale, closed twice. */
#include <stdint.h>
#include <stdlib.h>

#include "jvm.h"
#include "session.h"

static jint number;
static jlong room[64];

/* Every function that takes a handle, with the handle in its first place. */
static void all_refuse(jlong handle, bool context, bool channel, bool identifier) {
#define REFUSES(call) \
    do { \
        call; \
        expect_thrown(#call, "errno 9"); \
    } while (0)
    if (!channel) {
        REFUSES(DISNI(createId, handle, 0x106));
        REFUSES(DISNI(getCmEvent, handle, at(room), at(room), 0));
        REFUSES(DISNI(destroyEventChannel, handle));
        REFUSES(OURS(eventStatus, handle));
        REFUSES(OURS(eventData, handle));
    }
    if (!identifier) {
        REFUSES(DISNI(createQP, handle, handle, handle, handle, 2, 1, 1, 0));
        REFUSES(DISNI(bindAddr, handle, at(room)));
        REFUSES(DISNI(listen, handle, 1));
        REFUSES(DISNI(resolveAddr, handle, 0, at(room), 0));
        REFUSES(DISNI(resolveRoute, handle, 0));
        REFUSES(DISNI(connect, handle, 0, 0, 0, 0));
        REFUSES(DISNI(accept, handle, 0, 0));
        REFUSES(DISNI(disconnect, handle));
        REFUSES(DISNI(destroyCmId, handle));
        REFUSES(DISNI(destroyQP, handle));
        REFUSES(DISNI(destroyEp, handle));
        REFUSES(DISNI(getSrcAddr, handle, at(room)));
        REFUSES(DISNI(getDstAddr, handle, at(room)));
        REFUSES(DISNI(getContext, handle));
        REFUSES(OURS(port, handle));
        REFUSES(OURS(setPrivateData, handle, NULL));
    }
    if (!context) {
        REFUSES(DISNI(allocPd, handle));
        REFUSES(DISNI(createCompChannel, handle));
        REFUSES(DISNI(createCQ, handle, handle, 1, 0));
        REFUSES(DISNI(queryOdpSupport, handle));
        REFUSES(DISNI(getContextFd, handle));
        REFUSES(DISNI(getContextNumCompVectors, handle));
        REFUSES(OURS(deviceName, handle));
        REFUSES(OURS(queryDevice, handle, 1, at(room)));
        REFUSES(OURS(asyncEvent, handle, 0, at(room)));
    }
    if (!context && !channel && !identifier) {
        REFUSES(DISNI(regMr, handle, at(room), 8, 0, at(&number), at(&number), at(&number)));
        REFUSES(DISNI(deallocPd, handle));
        REFUSES(DISNI(getPdHandle, handle));
        REFUSES(DISNI(modifyQP, handle, at(&number)));
        REFUSES(DISNI(getQpNum, handle));
        REFUSES(DISNI(postSend, handle, at(room)));
        REFUSES(DISNI(postRecv, handle, at(room)));
        REFUSES(OURS(postSend, handle, at(room), 1));
        REFUSES(OURS(fail, handle));
        REFUSES(DISNI(deregMr, handle));
        REFUSES(DISNI(expPrefetchMr, handle, 0, 1));
        REFUSES(DISNI(getCqEvent, handle, 0));
        REFUSES(DISNI(destroyCompChannel, handle));
        REFUSES(DISNI(pollCQ, handle, 1, at(room)));
        REFUSES(OURS(poll, handle, at(room), 1));
        REFUSES(DISNI(reqNotifyCQ, handle, 0));
        REFUSES(DISNI(ackCqEvent, handle, 1));
        REFUSES(DISNI(destroyCQ, handle));
    }
}

void test_handles(void) {
    static const jlong never[] = {0, -1, 1, 0x7fffffff, INT64_MAX, INT64_MIN, INT64_C(1) << 32, INT64_C(2) << 32 | 0xffffff,
        INT64_C(3) << 32, 0x7f0012345678};
    struct session session;
    CHECK(session_open(&session));
    for (unsigned i = 0; i < sizeof never / sizeof *never; i++) {
        all_refuse(never[i], false, false, false);
    }
    unsigned seed = 4711;
    for (int i = 0; i < 200; i++) {
        /* Indices in use, with epochs that are not. */
        jlong handle = (jlong)((uint64_t)rand_r(&seed) << 33 | UINT64_C(1) << 40 | (uint64_t)(rand_r(&seed) % 40));
        all_refuse(handle, false, false, false);
    }
    /* Of another kind. */
    all_refuse(session.context, true, false, false);
    all_refuse(session.client_events, false, true, false);
    all_refuse(session.client.id, false, false, true);
    DISNI(createCQ, session.context, session.client.queue, 1, 0);
    expect_thrown("a queue for a channel", "completion channel");
    DISNI(createQP, session.client.id, session.client.queue, session.client.queue, session.client.queue, 2, 1, 1, 0);
    expect_thrown("a queue for a domain", "protection domain");
    DISNI(createQP, session.client.id, session.client.domain, session.client.queue, session.client.id, 2, 1, 1, 0);
    expect_thrown("an identifier for a queue", "completion queue");
    /* In use by others: refused, and it stays. */
    DISNI(deallocPd, session.client.domain);
    expect_thrown("a domain in use", "errno 16");
    DISNI(destroyCQ, session.client.queue);
    expect_thrown("a queue in use", "errno 16");
    CHECK(DISNI(getPdHandle, session.client.domain) == 42);
    nothing_thrown("what was refused is still there");

    struct session gone = session;
    session_close(&session);
    jlong stale[] = {gone.client_events, gone.server_events, gone.listener, gone.client.id, gone.client.domain,
        gone.client.channel, gone.client.queue, gone.client.queue_pair, gone.client.memory, gone.server.queue_pair};
    for (unsigned i = 0; i < sizeof stale / sizeof *stale; i++) {
        all_refuse(stale[i], false, false, false);
    }
    /* The slots are used again, the handles are not. */
    CHECK(session_open(&session));
    for (unsigned i = 0; i < sizeof stale / sizeof *stale; i++) {
        all_refuse(stale[i], false, false, false);
    }
    session_close(&session);
    /* More than a block of slots at a time. */
    enum { MANY = 3000 };
    static jlong many[MANY];
    jlong events = DISNI(createEventChannel);
    for (int i = 0; i < MANY; i++) {
        many[i] = DISNI(createId, events, 0x106);
        CHECK(many[i] > 0);
    }
    CHECK(DISNI(destroyEventChannel, events) == 0);
    for (int i = 0; i < MANY; i++) {
        CHECK(DISNI(destroyCmId, many[i]) == 0);
    }
    nothing_thrown("many identifiers");
    CHECK(alive() == 0);
}
