/*
 * libibverbs and librdmacm are loaded when they are first needed, so that libdisni itself loads on
 * every machine and can say what is missing. What is loaded stays for the life of the process.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#include "disni.h"

struct api api;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool loaded;

static void *open_library(JNIEnv *env, const char *name, const char *package) {
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *reason = dlerror();
        char more[384];
        snprintf(more, sizeof more, "install the package %s (%s)", package, reason ? reason : "unknown reason");
        throw_errno(env, name, ENOENT, more);
    }
    return library;
}

static bool find(JNIEnv *env, void *library, const char *library_name, const char *name, void **function) {
    *function = dlsym(library, name);
    if (!*function) {
        char more[128];
        snprintf(more, sizeof more, "it has no %s: it is too old", name);
        throw_errno(env, library_name, ENOSYS, more);
    }
    return *function != NULL;
}

static bool load_all(JNIEnv *env) {
    const char *verbs_name = "libibverbs.so.1";
    const char *cm_name = "librdmacm.so.1";
    /* In this order: librdmacm needs libibverbs, and the one that is missing is to be named. */
    void *verbs = open_library(env, verbs_name, "libibverbs1");
    if (!verbs) {
        return false;
    }
    void *cm = open_library(env, cm_name, "librdmacm1");
    bool complete = cm != NULL;
    /* ISO C has no conversion from an object pointer to one of a function; POSIX promises that it works. */
#define FIND_VERBS(name) complete = complete && find(env, verbs, verbs_name, #name, (void **)&api.name);
#define FIND_CM(name) complete = complete && find(env, cm, cm_name, #name, (void **)&api.name);
    VERBS_FUNCTIONS(FIND_VERBS)
    CM_FUNCTIONS(FIND_CM)
#undef FIND_VERBS
#undef FIND_CM
    if (!complete) {
        if (cm) {
            dlclose(cm);
        }
        dlclose(verbs);
    }
    return complete;
}

bool load(JNIEnv *env) {
    if (atomic_load_explicit(&loaded, memory_order_acquire)) {
        return true;
    }
    pthread_mutex_lock(&lock);
    bool ready = atomic_load_explicit(&loaded, memory_order_relaxed) || load_all(env);
    atomic_store_explicit(&loaded, ready, memory_order_release);
    pthread_mutex_unlock(&lock);
    return ready;
}
