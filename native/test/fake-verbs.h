/* What the two halves of the fake libibverbs share. */
#ifndef FAKE_VERBS_H
#define FAKE_VERBS_H

#include <pthread.h>

#include "fake.h"

struct fake_pd { struct ibv_pd pd; int users; };
struct fake_channel { struct ibv_comp_channel channel; int write_end; int queues; };
struct fake_cq {
    struct ibv_cq cq;
    struct ibv_wc done[FAKE_QUEUE];
    unsigned first, last;
    bool wanted;
    int unacknowledged, users;
};
struct fake_qp { struct ibv_qp qp; enum ibv_qp_state state; };

extern pthread_mutex_t fake_lock; /* of queues and channels */

#endif
