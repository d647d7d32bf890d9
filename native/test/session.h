/* A connection between two ends on the fake device, made and used as Java would. */
#ifndef SESSION_H
#define SESSION_H

#include <jni.h>
#include <netinet/in.h>
#include <stdbool.h>

#define BYTES 4096

struct end { jlong id, domain, channel, queue, queue_pair, memory; };

struct session {
    jlong client_events, server_events, listener;
    struct end client, server;
    jlong context; /* of the device; stays */
    char bytes[BYTES];
};

/* Every step until one throws; false if one did, and the exception is pending. */
bool session_open(struct session *session);

/* Uses all that an open session has; false if a step threw. */
bool session_use(struct session *session);

/* Destroys what there is, again and again until all is gone; exceptions are dropped. */
void session_close(struct session *session);

/* The next event of a channel, which must be this one; 0 with an exception pending. The identifier or 0. */
jlong event_of(jlong channel, jint type);

struct sockaddr_in loopback(void);

/* test-*.c */
void test_handles(void);
void test_data(void);
void test_faults(int errors);
void test_threads(void);

/* main.c: the call of a function, counted from 1, that fails once; NULL: none. And whether it has. */
void fail_next(const char *function, int call, int error);
bool has_failed(void);
int calls_of(const char *function);
void count_from_zero(void);
int alive(void);
int handles_open(void);

#endif
