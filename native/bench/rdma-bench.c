/*
 * What libibverbs itself can do on a device: times one-sided reads and writes, in the way RegionFS does
 * them, so that the cost of the Java data path can be told from the device's. Waits for events of the
 * completion queue; never spins, so that a peer on the same processor gets on.
 *
 *   rdma-bench serve IP[:PORT]                    lends 64 MiB, prints a target: IP:PORT/ADDRESS/KEY/LENGTH
 *   rdma-bench read|write TARGET [--size BYTES] [--count N] [--outstanding N] [--paced] [--local-completion]
 *                                                 prints one JSON object; paced: one for each line of its input
 *
 * On iWARP a write completes when it has been sent; that it is in place, only a later read tells. So there each
 * write is followed by a read of a few bytes, posted with it, and is done when that is; elsewhere a write's own
 * completion says so. With --local-completion a write is done when it completes, on any device.
 *
 * Targets are those of `regionfs fabric serve`, and the figures those of `regionfs fabric measure --json`.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <rdma/rdma_cma.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum {
  LENT_BYTES = 64 << 20,
  DEPTH = 128,
  READ_BACK_BYTES = 8,
  RETRIES = 7,
  WAIT_MILLIS = 2000,
  WARM_UP = 20000,
  POLLED = 16,
};

static _Noreturn void die(const char *what) {
  fprintf(stderr, "rdma-bench: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void check(int failed, const char *what) {
  if (failed) {
    die(what);
  }
}

static void *checked(void *made, const char *what) {
  if (made == NULL) {
    die(what);
  }
  return made;
}

static void *anonymous(size_t bytes) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    die("mmap");
  }
  return memory;
}

/* Cuts "IP[:PORT]" apart; without a port it is 0. */
static struct sockaddr_in address_of(char *text) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  char *colon = strchr(text, ':');
  if (colon != NULL) {
    *colon = '\0';
    address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
  }
  if (inet_pton(AF_INET, text, &address.sin_addr) != 1) {
    fprintf(stderr, "rdma-bench: not an IPv4 address: %s\n", text);
    exit(2);
  }
  return address;
}

/* ------------------------------------------------------------------------------------------------ queue pairs */

struct queue {
  struct ibv_comp_channel *channel;
  struct ibv_cq *cq;
};

static struct queue make_queue_pair(struct rdma_cm_id *id, struct ibv_pd *domain) {
  struct queue made;
  made.channel = checked(ibv_create_comp_channel(id->verbs), "ibv_create_comp_channel");
  made.cq = checked(ibv_create_cq(id->verbs, 2 * DEPTH, NULL, made.channel, 0), "ibv_create_cq");
  struct ibv_qp_init_attr attributes = {
      .send_cq = made.cq,
      .recv_cq = made.cq,
      .qp_type = IBV_QPT_RC,
      .cap = {.max_send_wr = 2 * DEPTH, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1},
  };
  check(rdma_create_qp(id, domain, &attributes), "rdma_create_qp");
  return made;
}

static void destroy(struct rdma_cm_id *id, struct queue *queue) {
  rdma_destroy_qp(id);
  check(ibv_destroy_cq(queue->cq), "ibv_destroy_cq");
  check(ibv_destroy_comp_channel(queue->channel), "ibv_destroy_comp_channel");
  check(rdma_destroy_id(id), "rdma_destroy_id");
}

/* As many reads at a time as the device does, on both sides. */
static struct rdma_conn_param connection_parameters(struct ibv_context *device) {
  struct ibv_device_attr limits;
  check(ibv_query_device(device, &limits), "ibv_query_device");
  return (struct rdma_conn_param){
      .responder_resources = (uint8_t)(limits.max_qp_rd_atom < 255 ? limits.max_qp_rd_atom : 255),
      .initiator_depth = (uint8_t)(limits.max_qp_init_rd_atom < 255 ? limits.max_qp_init_rd_atom : 255),
      .retry_count = RETRIES,
      .rnr_retry_count = RETRIES,
  };
}

static void expect(struct rdma_event_channel *events, enum rdma_cm_event_type expected) {
  struct rdma_cm_event *event;
  check(rdma_get_cm_event(events, &event), "rdma_get_cm_event");
  if (event->event != expected) {
    fprintf(stderr, "rdma-bench: %s (status %d) instead of %s\n", rdma_event_str(event->event), event->status,
            rdma_event_str(expected));
    exit(1);
  }
  check(rdma_ack_cm_event(event), "rdma_ack_cm_event");
}

/* ------------------------------------------------------------------------------------------------------ server */

static void serve(char *listen_at) {
  struct sockaddr_in address = address_of(listen_at);
  struct rdma_event_channel *events = checked(rdma_create_event_channel(), "rdma_create_event_channel");
  struct rdma_cm_id *listener;
  check(rdma_create_id(events, &listener, NULL, RDMA_PS_TCP), "rdma_create_id");
  check(rdma_bind_addr(listener, (struct sockaddr *)&address), "rdma_bind_addr");
  check(rdma_listen(listener, 8), "rdma_listen");
  if (listener->verbs == NULL) {
    fprintf(stderr, "rdma-bench: no RDMA device has this address\n");
    exit(1);
  }
  struct ibv_pd *domain = checked(ibv_alloc_pd(listener->verbs), "ibv_alloc_pd");
  void *lent = anonymous(LENT_BYTES);
  struct ibv_mr *region =
      checked(ibv_reg_mr(domain, lent, LENT_BYTES,
                         IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE),
              "ibv_reg_mr (ulimit -l?)");
  printf("%s:%u/%" PRIxPTR "/%" PRIx32 "/%x\n", listen_at, ntohs(rdma_get_src_port(listener)), (uintptr_t)lent,
         region->rkey, LENT_BYTES);
  fflush(stdout);
  for (;;) {
    struct rdma_cm_event *event;
    check(rdma_get_cm_event(events, &event), "rdma_get_cm_event");
    struct rdma_cm_id *id = event->id;
    enum rdma_cm_event_type type = event->event;
    check(rdma_ack_cm_event(event), "rdma_ack_cm_event");
    if (type == RDMA_CM_EVENT_CONNECT_REQUEST) {
      struct queue *queue = checked(malloc(sizeof *queue), "malloc");
      *queue = make_queue_pair(id, domain);
      id->context = queue;
      struct rdma_conn_param parameters = connection_parameters(id->verbs);
      check(rdma_accept(id, &parameters), "rdma_accept");
    } else if (type == RDMA_CM_EVENT_DISCONNECTED && id->context != NULL) {
      struct queue *queue = id->context;
      rdma_disconnect(id); /* the peer has left: nobody to tell if it fails */
      destroy(id, queue);
      free(queue);
    }
  }
}

/* ------------------------------------------------------------------------------------------------------ client */

struct job {
  enum ibv_wr_opcode opcode;
  uint64_t remote;
  uint32_t remote_key;
  uint64_t remote_length;
  uint32_t size;
  unsigned count;
  unsigned outstanding;
  bool paced;
  bool local_completion;
};

static uint64_t now_nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int poll_queue(struct queue *queue, struct ibv_wc *out) {
  int got = ibv_poll_cq(queue->cq, POLLED, out);
  if (got < 0) {
    die("ibv_poll_cq");
  }
  return got;
}

/* Polls; if nothing is there, arms, polls once more and blocks. Returns how many completions it took, at least one. */
static int await_completions(struct queue *queue, struct ibv_wc *out) {
  for (;;) {
    int got = poll_queue(queue, out);
    if (got > 0) {
      return got;
    }
    check(ibv_req_notify_cq(queue->cq, 0), "ibv_req_notify_cq");
    got = poll_queue(queue, out);
    if (got > 0) {
      return got;
    }
    struct ibv_cq *cq;
    void *context;
    check(ibv_get_cq_event(queue->channel, &cq, &context), "ibv_get_cq_event");
    ibv_ack_cq_events(cq, 1);
  }
}

/* Whether it takes a read to know that a write is in place. */
static bool reads_back(const struct job *job, const struct ibv_context *device) {
  return job->opcode == IBV_WR_RDMA_WRITE && !job->local_completion &&
         device->device->transport_type == IBV_TRANSPORT_IWARP;
}

/* Posts an operation, and the read behind it. */
static void post(struct ibv_qp *pair, const struct job *job, struct ibv_mr *local, unsigned number, unsigned slot) {
  uint64_t places = job->remote_length / job->size;
  bool read_back = reads_back(job, pair->context);
  struct ibv_sge piece = {
      .addr = (uintptr_t)local->addr + (uint64_t)slot * job->size, .length = job->size, .lkey = local->lkey};
  struct ibv_sge piece_behind = { /* nobody looks at what is read: all go to one place */
      .addr = (uintptr_t)local->addr + local->length - READ_BACK_BYTES, .length = READ_BACK_BYTES, .lkey = local->lkey};
  struct ibv_send_wr behind = {
      .wr_id = number,
      .sg_list = &piece_behind,
      .num_sge = 1,
      .opcode = IBV_WR_RDMA_READ,
      .send_flags = IBV_SEND_SIGNALED,
      .wr.rdma = {.remote_addr = job->remote, .rkey = job->remote_key},
  };
  struct ibv_send_wr request = {
      .wr_id = number,
      .next = read_back ? &behind : NULL,
      .sg_list = &piece,
      .num_sge = 1,
      .opcode = job->opcode,
      .send_flags = read_back ? 0 : IBV_SEND_SIGNALED,
      .wr.rdma = {.remote_addr = job->remote + number * UINT64_C(2654435761) % places * job->size,
                  .rkey = job->remote_key},
  };
  struct ibv_send_wr *refused;
  errno = ibv_post_send(pair, &request, &refused);
  check(errno, "ibv_post_send");
}

/* Carries count operations out, at most job->outstanding at a time; notes how long each took, if asked to. */
static void run(struct ibv_qp *pair, struct queue *queue, const struct job *job, struct ibv_mr *local, unsigned count,
                uint64_t *nanos) {
  uint64_t *begun = checked(calloc(job->outstanding, sizeof *begun), "calloc");
  unsigned posted = 0;
  unsigned done = 0;
  while (done < count) {
    while (posted < count && posted - done < job->outstanding) {
      unsigned slot = posted % job->outstanding;
      begun[slot] = now_nanos();
      post(pair, job, local, posted, slot);
      posted++;
    }
    struct ibv_wc completions[POLLED];
    int got = await_completions(queue, completions);
    for (int i = 0; i < got; i++) {
      if (completions[i].status != IBV_WC_SUCCESS) {
        fprintf(stderr, "rdma-bench: %s\n", ibv_wc_status_str(completions[i].status));
        exit(1);
      }
      if (nanos != NULL) {
        nanos[completions[i].wr_id] = now_nanos() - begun[completions[i].wr_id % job->outstanding];
      }
      done++;
    }
  }
  free(begun);
}

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a;
  uint64_t y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static void measure_once(struct rdma_cm_id *id, struct queue *queue, const struct job *job, struct ibv_mr *local) {
  uint64_t *nanos = checked(calloc(job->count, sizeof *nanos), "calloc");
  uint64_t begin = now_nanos();
  run(id->qp, queue, job, local, job->count, nanos);
  double seconds = (double)(now_nanos() - begin) / 1e9;
  qsort(nanos, job->count, sizeof *nanos, by_value);
  printf("{\"device\":\"%s\",\"operation\":\"%s\",\"bytes\":%" PRIu32 ",\"count\":%u,\"outstanding\":%u,"
         "\"p50Micros\":%.3f,\"p99Micros\":%.3f,\"megabytesPerSecond\":%.3f,\"readBack\":%s}\n",
         ibv_get_device_name(id->verbs->device), job->opcode == IBV_WR_RDMA_READ ? "read" : "write", job->size,
         job->count, job->outstanding, (double)nanos[job->count / 2] / 1e3,
         (double)nanos[(size_t)(job->count * 0.99)] / 1e3, (double)job->size * job->count / seconds / 1e6,
         reads_back(job, id->verbs) ? "true" : "false");
  fflush(stdout);
  free(nanos);
}

static void measure(const struct job *job, struct sockaddr_in peer) {
  struct rdma_event_channel *events = checked(rdma_create_event_channel(), "rdma_create_event_channel");
  struct rdma_cm_id *id;
  check(rdma_create_id(events, &id, NULL, RDMA_PS_TCP), "rdma_create_id");
  check(rdma_resolve_addr(id, NULL, (struct sockaddr *)&peer, WAIT_MILLIS), "rdma_resolve_addr");
  expect(events, RDMA_CM_EVENT_ADDR_RESOLVED);
  check(rdma_resolve_route(id, WAIT_MILLIS), "rdma_resolve_route");
  expect(events, RDMA_CM_EVENT_ROUTE_RESOLVED);
  struct ibv_pd *domain = checked(ibv_alloc_pd(id->verbs), "ibv_alloc_pd");
  size_t bytes = (size_t)job->size * job->outstanding + READ_BACK_BYTES;
  void *memory = anonymous(bytes);
  struct ibv_mr *local =
      checked(ibv_reg_mr(domain, memory, bytes, IBV_ACCESS_LOCAL_WRITE), "ibv_reg_mr (ulimit -l?)");
  struct queue queue = make_queue_pair(id, domain);
  struct rdma_conn_param parameters = connection_parameters(id->verbs);
  check(rdma_connect(id, &parameters), "rdma_connect");
  expect(events, RDMA_CM_EVENT_ESTABLISHED);

  run(id->qp, &queue, job, local, job->count < WARM_UP ? job->count : WARM_UP, NULL);
  if (job->paced) {
    char line[64];
    while (fgets(line, sizeof line, stdin) != NULL) {
      measure_once(id, &queue, job, local);
    }
  } else {
    measure_once(id, &queue, job, local);
  }

  check(rdma_disconnect(id), "rdma_disconnect");
  expect(events, RDMA_CM_EVENT_DISCONNECTED);
  check(ibv_dereg_mr(local), "ibv_dereg_mr");
  destroy(id, &queue);
  check(ibv_dealloc_pd(domain), "ibv_dealloc_pd");
  rdma_destroy_event_channel(events);
  munmap(memory, bytes);
}

/* -------------------------------------------------------------------------------------------------------- main */

static _Noreturn void usage(void) {
  fputs("usage: rdma-bench serve IP[:PORT]\n"
        "       rdma-bench read|write TARGET [--size BYTES] [--count N] [--outstanding N] [--paced] [--local-completion]\n"
        "\n"
        "On iWARP a write is done when a small read posted behind it is answered: its own completion says only that\n"
        "it has been sent. --local-completion: a write is done when it completes, wherever its bytes are then.\n",
        stderr);
  exit(2);
}

static uint32_t number(const char *text, uint32_t least, uint32_t most) {
  char *end;
  errno = 0;
  unsigned long value = text == NULL ? 0 : strtoul(text, &end, 10);
  if (text == NULL || errno != 0 || end == text || *end != '\0' || value < least || value > most) {
    fprintf(stderr, "rdma-bench: a number from %" PRIu32 " to %" PRIu32 " is needed\n", least, most);
    usage();
  }
  return (uint32_t)value;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    usage();
  }
  if (strcmp(argv[1], "serve") == 0) {
    serve(argv[2]);
  }
  bool write = strcmp(argv[1], "write") == 0;
  struct job job = {.opcode = write ? IBV_WR_RDMA_WRITE : IBV_WR_RDMA_READ, .size = 4096, .count = 20000, .outstanding = 1};
  char *slash = strchr(argv[2], '/');
  if ((!write && strcmp(argv[1], "read") != 0) || slash == NULL ||
      sscanf(slash, "/%" SCNx64 "/%" SCNx32 "/%" SCNx64, &job.remote, &job.remote_key, &job.remote_length) != 3) {
    usage();
  }
  *slash = '\0';
  for (int i = 3; i < argc; i += 2) { /* argv ends with NULL: a missing value is none */
    if (strcmp(argv[i], "--paced") == 0) {
      job.paced = true;
      i--;
    } else if (strcmp(argv[i], "--local-completion") == 0) {
      job.local_completion = true;
      i--;
    } else if (strcmp(argv[i], "--size") == 0) {
      job.size = number(argv[i + 1], 1, LENT_BYTES);
    } else if (strcmp(argv[i], "--count") == 0) {
      job.count = number(argv[i + 1], 1, 100000000);
    } else if (strcmp(argv[i], "--outstanding") == 0) {
      job.outstanding = number(argv[i + 1], 1, DEPTH);
    } else {
      usage();
    }
  }
  if (job.size > job.remote_length || job.remote_length < READ_BACK_BYTES) {
    fprintf(stderr, "rdma-bench: the peer lends only %" PRIu64 " bytes\n", job.remote_length);
    return 2;
  }
  measure(&job, address_of(argv[2]));
  return 0;
}
