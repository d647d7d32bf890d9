/*
 * The table of handles. A handle is the number of a slot and the slot's epoch when it was handed
 * out, so a stale one is told from its successor, and one of the wrong kind is refused.
 *
 * A slot's state is one word: the epoch in its upper half, odd while the slot is closed, and below
 * it the number of calls inside. Using an object is one atomic addition and a comparison; no lock,
 * for posting and polling are frequent. Closing raises the epoch, so that nobody new gets in, and
 * waits until nobody is inside: an object is never destroyed under a call. A call with a stale
 * handle shows up in the count for a moment, which delays a close and harms nothing.
 *
 * Slots live in blocks that are never freed, so a look-up needs no protection of the table itself.
 */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "disni.h"

#define BLOCK_SLOTS 1024u
#define BLOCKS 4096u
#define EPOCH_STEP (UINT64_C(1) << 32)
/* A handle is positive in Java; a slot that has been through so many epochs is not used again. */
#define LAST_EPOCH UINT32_C(0x7ffffff0)

struct slot {
    _Atomic uint64_t state;
    _Atomic uint32_t kind;
    uint32_t next_free; /* index + 1 */
    void *object;       /* written while the slot is closed */
};

static struct slot *_Atomic blocks[BLOCKS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t first_free; /* index + 1; 0: none */
static uint32_t used_slots;
static atomic_int open_handles;

static const char *const NAMES[] = {
    [CHANNEL] = "event channel",
    [IDENTIFIER] = "connection identifier",
    [CONTEXT] = "device context",
    [DOMAIN] = "protection domain",
    [COMPLETION_CHANNEL] = "completion channel",
    [COMPLETION_QUEUE] = "completion queue",
    [QUEUE_PAIR] = "queue pair",
    [MEMORY] = "memory region",
};

static uint32_t epoch_of(uint64_t word) { return (uint32_t)(word >> 32); }

static struct slot *slot_at(uint32_t index) {
    if (index >= BLOCK_SLOTS * BLOCKS) {
        return NULL;
    }
    struct slot *block = atomic_load_explicit(&blocks[index / BLOCK_SLOTS], memory_order_acquire);
    return block ? &block[index % BLOCK_SLOTS] : NULL;
}

static struct slot *slot_of(jlong handle) { return slot_at((uint32_t)handle); }

/* Under the lock: the index of a closed slot, or BLOCK_SLOTS * BLOCKS. */
static uint32_t free_slot(void) {
    if (first_free) {
        uint32_t index = first_free - 1;
        first_free = slot_at(index)->next_free;
        return index;
    }
    if (used_slots == BLOCK_SLOTS * BLOCKS) {
        return used_slots;
    }
    if (used_slots % BLOCK_SLOTS == 0) {
        struct slot *block = calloc(BLOCK_SLOTS, sizeof *block);
        if (!block) {
            return BLOCK_SLOTS * BLOCKS;
        }
        for (uint32_t i = 0; i < BLOCK_SLOTS; i++) {
            atomic_init(&block[i].state, EPOCH_STEP); /* closed */
        }
        atomic_store_explicit(&blocks[used_slots / BLOCK_SLOTS], block, memory_order_release);
    }
    return used_slots++;
}

jlong handle_add(enum kind kind, void *object) {
    pthread_mutex_lock(&lock);
    uint32_t index = free_slot();
    pthread_mutex_unlock(&lock);
    struct slot *slot = slot_at(index);
    if (!slot) {
        errno = ENOMEM;
        return 0;
    }
    slot->object = object;
    atomic_store_explicit(&slot->kind, kind, memory_order_relaxed);
    uint64_t before = atomic_fetch_add_explicit(&slot->state, EPOCH_STEP, memory_order_release);
    atomic_fetch_add_explicit(&open_handles, 1, memory_order_relaxed);
    return (jlong)(((uint64_t)(epoch_of(before) + 1) << 32) | index);
}

static void refuse(JNIEnv *env, jlong handle, enum kind kind, const char *call) {
    char more[96];
    snprintf(more, sizeof more, "%s %llx is unknown or closed", NAMES[kind], (unsigned long long)handle);
    throw_errno(env, call, EBADF, more);
}

static bool is_open(jlong handle, uint64_t state) {
    uint32_t epoch = epoch_of((uint64_t)handle);
    return epoch_of(state) == epoch && epoch % 2 == 0;
}

void *use(JNIEnv *env, jlong handle, enum kind kind, const char *call) {
    struct slot *slot = slot_of(handle);
    if (slot) {
        uint64_t before = atomic_fetch_add_explicit(&slot->state, 1, memory_order_acquire);
        if (is_open(handle, before) && atomic_load_explicit(&slot->kind, memory_order_relaxed) == kind) {
            return slot->object;
        }
        atomic_fetch_sub_explicit(&slot->state, 1, memory_order_release);
    }
    refuse(env, handle, kind, call);
    return NULL;
}

void done(jlong handle) { atomic_fetch_sub_explicit(&slot_of(handle)->state, 1, memory_order_release); }

bool closing(jlong handle) {
    return !is_open(handle, atomic_load_explicit(&slot_of(handle)->state, memory_order_relaxed));
}

void *take(JNIEnv *env, jlong handle, enum kind kind, const char *call) {
    struct slot *slot = slot_of(handle);
    uint64_t state = slot ? atomic_load_explicit(&slot->state, memory_order_acquire) : 0;
    do {
        if (!slot || !is_open(handle, state) || atomic_load_explicit(&slot->kind, memory_order_relaxed) != kind) {
            refuse(env, handle, kind, call);
            return NULL;
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &slot->state, &state, state + EPOCH_STEP, memory_order_acquire, memory_order_acquire));
    /* Calls are short, but for waits, which look every now and then whether somebody wants to close. */
    for (unsigned round = 0; (uint32_t)atomic_load_explicit(&slot->state, memory_order_acquire) != 0; round++) {
        if (round < 64) {
            sched_yield();
        } else {
            nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
        }
    }
    return slot->object;
}

void handle_drop(jlong handle) {
    uint32_t index = (uint32_t)handle;
    struct slot *slot = slot_at(index);
    slot->object = NULL;
    atomic_fetch_sub_explicit(&open_handles, 1, memory_order_relaxed);
    if (epoch_of((uint64_t)handle) >= LAST_EPOCH) {
        return;
    }
    pthread_mutex_lock(&lock);
    slot->next_free = first_free;
    first_free = index + 1;
    pthread_mutex_unlock(&lock);
}

void handle_restore(jlong handle) {
    atomic_fetch_sub_explicit(&slot_of(handle)->state, EPOCH_STEP, memory_order_release);
}

int handles_open(void) { return atomic_load_explicit(&open_handles, memory_order_relaxed); }
