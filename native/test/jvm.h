/* The little of a JVM that libdisni calls, and the functions of libdisni that Java calls. */
#ifndef JVM_H
#define JVM_H

#include <jni.h>
#include <stdbool.h>
#include <stdint.h>

/* Of this thread. */
JNIEnv *jvm(void);

/* The message of the pending exception, which it clears; NULL if there is none. */
const char *thrown(void);

/* Ends the program unless nothing is pending. */
void nothing_thrown(const char *where);

/* Ends the program unless an IOException is pending whose message has this in it. */
void expect_thrown(const char *where, const char *part);

#define CHECK(condition) check(condition, #condition, __FILE__, __LINE__)
void check(bool condition, const char *text, const char *file, int line);

/* Strings and arrays that libdisni has made. */
const char *text_of(jstring string);
jsize length_of(jbyteArray array);
const jbyte *bytes_of(jbyteArray array);
jbyteArray array_of(const void *bytes, jsize length);
void forget(jobject object);

#define D(type, name, ...) type Java_com_ibm_disni_verbs_impl_NativeDispatcher__1##name(JNIEnv *, jobject, ##__VA_ARGS__);
#define V(type, name, ...) type Java_io_regionfs_verbs_disni_NativeVerbs_##name(JNIEnv *, jclass, ##__VA_ARGS__);
#define FUNCTIONS \
    D(jint, getCmEvent, jlong, jlong, jlong, jint) D(jlong, createId, jlong, jshort) \
    D(jlong, createQP, jlong, jlong, jlong, jlong, jint, jint, jint, jint) D(void, bindAddr, jlong, jlong) \
    D(void, listen, jlong, jint) D(void, resolveAddr, jlong, jlong, jlong, jint) D(void, resolveRoute, jlong, jint) \
    D(void, connect, jlong, jint, jint, jlong, jbyte) D(void, accept, jlong, jint, jint) D(jint, ackCmEvent, jint) \
    D(jint, disconnect, jlong) D(jint, destroyEventChannel, jlong) D(jint, destroyCmId, jlong) \
    D(jint, destroyQP, jlong) D(jint, getSrcAddr, jlong, jlong) D(jint, getDstAddr, jlong, jlong) \
    D(jint, destroyEp, jlong) D(jlong, allocPd, jlong) D(jlong, createCompChannel, jlong) \
    D(jlong, createCQ, jlong, jlong, jint, jint) D(jint, modifyQP, jlong, jlong) \
    D(jlong, regMr, jlong, jlong, jint, jint, jlong, jlong, jlong) D(jint, queryOdpSupport, jlong) \
    D(jint, expPrefetchMr, jlong, jlong, jint) D(void, deregMr, jlong) D(void, postSend, jlong, jlong) \
    D(void, postRecv, jlong, jlong) D(jint, getCqEvent, jlong, jint) D(jint, pollCQ, jlong, jint, jlong) \
    D(jint, reqNotifyCQ, jlong, jint) D(jint, ackCqEvent, jlong, jint) D(jint, destroyCompChannel, jlong) \
    D(jint, deallocPd, jlong) D(jint, destroyCQ, jlong) D(jlong, getContext, jlong) D(jint, getQpNum, jlong) \
    D(jint, getContextFd, jlong) D(jint, getContextNumCompVectors, jlong) D(jint, getPdHandle, jlong) \
    V(jstring, deviceName, jlong) V(jint, port, jlong) V(void, queryDevice, jlong, jint, jlong) \
    V(jint, eventStatus, jlong) V(jbyteArray, eventData, jlong) V(void, setPrivateData, jlong, jbyteArray) \
    V(jboolean, asyncEvent, jlong, jint, jlong) V(void, fail, jlong) V(void, postSend, jlong, jlong, jint) \
    V(jint, poll, jlong, jlong, jint) V(jint, await, jlong, jint, jlong, jint)
FUNCTIONS
#undef D
#undef V
jlong Java_com_ibm_disni_verbs_impl_NativeDispatcher__1createEventChannel(JNIEnv *, jobject);
jint Java_com_ibm_disni_verbs_impl_NativeDispatcher__1getVersion(JNIEnv *, jobject);
jint Java_com_ibm_disni_verbs_impl_NativeDispatcher__1getIbvSendWRSize(JNIEnv *, jobject);
jint Java_com_ibm_disni_verbs_impl_NativeDispatcher__1getIbvWCSize(JNIEnv *, jobject);
void Java_com_ibm_disni_util_NativeAffinity__1setAffinity(JNIEnv *, jclass, jlong);
jlong Java_com_ibm_disni_util_NativeAffinity__1getAffinity(JNIEnv *, jclass);

/* DISNI(name, ...) calls one of DiSNI's functions, OURS(name, ...) one of NativeVerbs. */
#define DISNI(name, ...) Java_com_ibm_disni_verbs_impl_NativeDispatcher__1##name(jvm(), NULL, ##__VA_ARGS__)
#define OURS(name, ...) Java_io_regionfs_verbs_disni_NativeVerbs_##name(jvm(), NULL, ##__VA_ARGS__)

static inline jlong at(const void *pointer) { return (jlong)(intptr_t)pointer; }

#endif
