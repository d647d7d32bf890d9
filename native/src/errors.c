/* Exceptions: every one names the call, the errno and what it means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "disni.h"

void throw_errno(JNIEnv *env, const char *call, int error, const char *more) {
    if ((*env)->ExceptionCheck(env)) {
        return; /* the first one tells the cause */
    }
    char buffer[128];
    /* The GNU strerror_r returns the text, wherever it is. */
    const char *text = strerror_r(error, buffer, sizeof buffer);
    char message[512];
    snprintf(message, sizeof message, "%s: %s (errno %d)%s%s", call, text, error, more ? ": " : "", more ? more : "");
    jclass class = (*env)->FindClass(env, "java/io/IOException");
    if (class) {
        (*env)->ThrowNew(env, class, message);
        (*env)->DeleteLocalRef(env, class);
    }
}

int error_of(int result) {
    if (result == 0) {
        return 0;
    }
    if (result == -1) {
        return errno ? errno : EIO;
    }
    return result < 0 ? -result : result;
}
