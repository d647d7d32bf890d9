/* See jvm.h. */
#include "jvm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct thing { jsize length; jbyte bytes[512]; };

static _Thread_local char pending[1024];
static _Thread_local char last[1024];
static _Thread_local bool is_pending;

static jboolean exception_check(JNIEnv *env) {
    (void)env;
    return is_pending;
}

static jclass find_class(JNIEnv *env, const char *name) {
    (void)env;
    CHECK(strcmp(name, "java/io/IOException") == 0);
    return (jclass)pending;
}

static jint throw_new(JNIEnv *env, jclass class, const char *message) {
    (void)env;
    CHECK(class == (jclass)pending);
    CHECK(!is_pending);
    snprintf(pending, sizeof pending, "%s", message);
    is_pending = true;
    return 0;
}

static void delete_local_ref(JNIEnv *env, jobject object) {
    (void)env;
    (void)object;
}

static jbyteArray new_byte_array(JNIEnv *env, jsize length) {
    (void)env;
    return array_of(NULL, length);
}

static jstring new_string(JNIEnv *env, const char *text) {
    (void)env;
    return (jstring)array_of(text, (jsize)strlen(text) + 1);
}

static void set_region(JNIEnv *env, jbyteArray array, jsize start, jsize length, const jbyte *from) {
    (void)env;
    memcpy(((struct thing *)array)->bytes + start, from, (size_t)length);
}

static void get_region(JNIEnv *env, jbyteArray array, jsize start, jsize length, jbyte *to) {
    (void)env;
    memcpy(to, ((struct thing *)array)->bytes + start, (size_t)length);
}

static jsize array_length(JNIEnv *env, jarray array) {
    (void)env;
    return ((struct thing *)array)->length;
}

static const struct JNINativeInterface_ FUNCTIONS_OF_JVM = {
    .ExceptionCheck = exception_check,
    .FindClass = find_class,
    .ThrowNew = throw_new,
    .DeleteLocalRef = delete_local_ref,
    .NewByteArray = new_byte_array,
    .NewStringUTF = new_string,
    .SetByteArrayRegion = set_region,
    .GetByteArrayRegion = get_region,
    .GetArrayLength = array_length,
};

JNIEnv *jvm(void) {
    static const struct JNINativeInterface_ *functions = &FUNCTIONS_OF_JVM;
    return (JNIEnv *)&functions;
}

const char *thrown(void) {
    if (!is_pending) {
        return NULL;
    }
    is_pending = false;
    memcpy(last, pending, sizeof last);
    return last;
}

void nothing_thrown(const char *where) {
    const char *message = thrown();
    if (message) {
        fprintf(stderr, "%s threw: %s\n", where, message);
        exit(1);
    }
}

void expect_thrown(const char *where, const char *part) {
    const char *message = thrown();
    if (!message || !strstr(message, part)) {
        fprintf(stderr, "%s: expected an exception with '%s', got '%s'\n", where, part, message ? message : "none");
        exit(1);
    }
}

void check(bool condition, const char *text, const char *file, int line) {
    if (!condition) {
        const char *message = thrown();
        fprintf(stderr, "%s:%d: not so: %s%s%s\n", file, line, text, message ? "; pending: " : "", message ? message : "");
        exit(1);
    }
}

jbyteArray array_of(const void *bytes, jsize length) {
    struct thing *made = calloc(1, sizeof *made);
    CHECK(made != NULL && length <= (jsize)sizeof made->bytes);
    made->length = length;
    if (bytes) {
        memcpy(made->bytes, bytes, (size_t)length);
    }
    return (jbyteArray)made;
}

const char *text_of(jstring string) { return (const char *)((struct thing *)string)->bytes; }
jsize length_of(jbyteArray array) { return ((struct thing *)array)->length; }
const jbyte *bytes_of(jbyteArray array) { return ((struct thing *)array)->bytes; }
void forget(jobject object) { free(object); }
