/* Objects are destroyed while other threads are inside calls on them. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "fake.h"
#include "jvm.h"
#include "session.h"

struct waiting { jlong handle; bool completions; atomic_int *begun; };

/* An endless wait ends with an exception when its channel is destroyed. */
static void *wait_for_ever(void *argument) {
    struct waiting *waiting = argument;
    jlong out[2];
    atomic_fetch_add(waiting->begun, 1);
    jint got = waiting->completions ? DISNI(getCqEvent, waiting->handle, -1)
                                    : DISNI(getCmEvent, waiting->handle, at(out), at(out + 1), -1);
    CHECK(got == -1);
    expect_thrown("an endless wait", "errno 9");
    return NULL;
}

static void waits_end_when_their_channel_is_destroyed(void) {
    struct session session;
    CHECK(session_open(&session));
    atomic_int begun = 0;
    struct waiting waits[] = {{session.client_events, false, &begun}, {session.client_events, false, &begun},
        {session.client.channel, true, &begun}, {session.client.channel, true, &begun}};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_create(&threads[i], NULL, wait_for_ever, &waits[i]) == 0);
    }
    while (atomic_load(&begun) < 4) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    session_close(&session);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(alive() == 0);
}

static _Atomic jlong queue_pair, queue, channel;
static atomic_bool over;

/* Uses whatever is there; it may be gone at any moment, and then it is an exception of one kind. */
static void *use_all(void *argument) {
    (void)argument;
    while (!atomic_load(&over)) {
        struct ibv_wc done[16];
        struct ibv_recv_wr receive = {.wr_id = 1};
        DISNI(postRecv, atomic_load(&queue_pair), at(&receive));
        const char *message = thrown();
        CHECK(!message || strstr(message, "errno 9"));
        DISNI(pollCQ, atomic_load(&queue), 16, at(done));
        message = thrown();
        CHECK(!message || strstr(message, "errno 9"));
        DISNI(reqNotifyCQ, atomic_load(&queue), 0);
        message = thrown();
        CHECK(!message || strstr(message, "errno 9"));
        DISNI(getCqEvent, atomic_load(&channel), 0);
        message = thrown();
        CHECK(!message || strstr(message, "errno 9"));
    }
    return NULL;
}

static void objects_outlive_the_calls_on_them(void) {
    enum { THREADS = 3, ROUNDS = 300 };
    pthread_t threads[THREADS];
    atomic_store(&over, false);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, use_all, NULL) == 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        struct session session;
        CHECK(session_open(&session));
        atomic_store(&queue_pair, session.client.queue_pair);
        atomic_store(&queue, session.client.queue);
        atomic_store(&channel, session.client.channel);
        session_close(&session);
    }
    atomic_store(&over, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(alive() == 0);
}

/* Of several threads that close one handle, one succeeds. */
static void *close_it(void *argument) {
    jint result = DISNI(destroyCmId, *(jlong *)argument);
    CHECK((thrown() != NULL) == (result != 0));
    return (void *)(intptr_t)(result == 0);
}

static void one_of_many_closes(void) {
    jlong events = DISNI(createEventChannel);
    for (int round = 0; round < 100; round++) {
        jlong id = DISNI(createId, events, RDMA_PS_TCP);
        pthread_t threads[3];
        int closed = 0;
        for (int i = 0; i < 3; i++) {
            CHECK(pthread_create(&threads[i], NULL, close_it, &id) == 0);
        }
        for (int i = 0; i < 3; i++) {
            void *result;
            pthread_join(threads[i], &result);
            closed += (int)(intptr_t)result;
        }
        CHECK(closed == 1);
    }
    CHECK(DISNI(destroyEventChannel, events) == 0);
    CHECK(alive() == 0);
}

void test_threads(void) {
    waits_end_when_their_channel_is_destroyed();
    objects_outlive_the_calls_on_them();
    one_of_many_closes();
}
