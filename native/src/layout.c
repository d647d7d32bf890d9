/* What DiSNI's Java asks about structures it writes itself; and on which processors a thread runs. */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>

#include "disni.h"

#define CONSTANT(name, value) \
    DISNI(jint, name)(JNIEnv *env, jobject self) { \
        (void)env; \
        (void)self; \
        return (jint)(value); \
    }

/* The version of the contract that DiSNI 2.1 insists on. */
CONSTANT(getVersion, 32)
/* The room that DiSNI reserves for an address. */
CONSTANT(getSockAddrInSize, sizeof(struct sockaddr_in6))
CONSTANT(getIbvRecvWRSize, sizeof(struct ibv_recv_wr))
CONSTANT(getIbvSendWRSize, sizeof(struct ibv_send_wr))
CONSTANT(getIbvSgeSize, sizeof(struct ibv_sge))
CONSTANT(getIbvWCSize, sizeof(struct ibv_wc))
CONSTANT(getRemoteAddressOffset, offsetof(struct ibv_send_wr, wr.rdma.remote_addr))
CONSTANT(getRKeyOffset, offsetof(struct ibv_send_wr, wr.rdma.rkey))

#define AFFINITY(type, name) JNIEXPORT type JNICALL Java_com_ibm_disni_util_NativeAffinity__1##name
#define MASK_BITS 64

/* A bit per processor, of the first 64. */
AFFINITY(void, setAffinity)(JNIEnv *env, jclass self, jlong mask) {
    (void)self;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < MASK_BITS; i++) {
        if ((uint64_t)mask >> i & 1) {
            CPU_SET(i, &set);
        }
    }
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        throw_errno(env, "sched_setaffinity", errno, NULL);
    }
}

AFFINITY(jlong, getAffinity)(JNIEnv *env, jclass self) {
    (void)self;
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        throw_errno(env, "sched_getaffinity", errno, NULL);
        return 0;
    }
    uint64_t mask = 0;
    for (int i = 0; i < MASK_BITS; i++) {
        if (CPU_ISSET(i, &set)) {
            mask |= UINT64_C(1) << i;
        }
    }
    return (jlong)mask;
}
