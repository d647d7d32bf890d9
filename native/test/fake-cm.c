/* The fake librdmacm: one listener, whose requests come from whoever connects. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"

struct fake_events { struct rdma_event_channel channel; int write_end; int ids; };
struct fake_id { struct rdma_cm_id id; struct fake_id *peer; int unacknowledged; };
struct fake_event { struct rdma_cm_event event; char data[64]; };

static struct fake_id *listener;

static void *make(size_t size) {
    void *made = calloc(1, size);
    if (!made) {
        fake_wrong("no memory");
    }
    fake_alive(1);
    return made;
}

static struct fake_id *of(struct rdma_cm_id *id) { return (struct fake_id *)id; }

/* As in the real one, an event counts for its identifier, or for the listener of a new one. */
static struct fake_id *counted(struct rdma_cm_event *event) {
    return of(event->event == RDMA_CM_EVENT_CONNECT_REQUEST ? event->listen_id : event->id);
}

static void tell(struct rdma_cm_id *id, struct rdma_cm_id *listen_id, enum rdma_cm_event_type type, int status,
    const struct rdma_conn_param *parameters) {
    struct fake_event *made = make(sizeof *made);
    made->event.event = type;
    made->event.id = id;
    made->event.listen_id = listen_id;
    made->event.status = status;
    if (parameters) {
        made->event.param.conn = *parameters;
        if (parameters->private_data_len) {
            memcpy(made->data, parameters->private_data, parameters->private_data_len);
        }
        made->event.param.conn.private_data = made->data;
    }
    struct fake_events *channel = (struct fake_events *)(listen_id ? listen_id : id)->channel;
    if (write(channel->write_end, &made, sizeof made) != sizeof made) {
        fake_wrong("pipe");
    }
}

struct rdma_event_channel *rdma_create_event_channel(void) {
    FAIL(rdma_create_event_channel, NULL);
    struct fake_events *made = make(sizeof *made);
    int ends[2];
    if (pipe(ends) != 0) {
        fake_wrong("pipe");
    }
    made->channel.fd = ends[0];
    made->write_end = ends[1];
    return &made->channel;
}

void rdma_destroy_event_channel(struct rdma_event_channel *channel) {
    struct fake_events *fake = (struct fake_events *)channel;
    if (fake->ids) {
        fake_wrong("a channel with identifiers: the real ones would touch freed memory");
    }
    fcntl(channel->fd, F_SETFL, O_NONBLOCK);
    struct fake_event *left;
    while (read(channel->fd, &left, sizeof left) == sizeof left) {
        free(left);
        fake_alive(-1);
    }
    close(channel->fd);
    close(fake->write_end);
    free(fake);
    fake_alive(-1);
}

static struct fake_id *new_id(struct rdma_event_channel *channel, void *context) {
    struct fake_id *made = make(sizeof *made);
    made->id.channel = channel;
    made->id.context = context;
    ((struct fake_events *)channel)->ids++;
    return made;
}

int rdma_create_id(struct rdma_event_channel *channel, struct rdma_cm_id **id, void *context, enum rdma_port_space ps) {
    (void)ps;
    FAIL(rdma_create_id, -1);
    *id = &new_id(channel, context)->id;
    return 0;
}

/* Events that were not taken vanish with their identifier, as the kernel does it. */
static void drop_events(struct fake_id *id) {
    struct fake_events *channel = (struct fake_events *)id->id.channel;
    struct fake_event *kept[64];
    unsigned count = 0;
    struct fake_event *event;
    int flags = fcntl(channel->channel.fd, F_GETFL);
    fcntl(channel->channel.fd, F_SETFL, O_NONBLOCK);
    while (read(channel->channel.fd, &event, sizeof event) == sizeof event) {
        if (event->event.id != &id->id && event->event.listen_id != &id->id) {
            kept[count++] = event;
            continue;
        }
        if (event->event.event == RDMA_CM_EVENT_CONNECT_REQUEST) {
            channel->ids--;
            if (of(event->event.id)->peer) {
                of(event->event.id)->peer->peer = NULL;
            }
            free(event->event.id);
            fake_alive(-1);
        }
        free(event);
        fake_alive(-1);
    }
    fcntl(channel->channel.fd, F_SETFL, flags);
    for (unsigned i = 0; i < count; i++) {
        if (write(channel->write_end, &kept[i], sizeof kept[i]) != sizeof kept[i]) {
            fake_wrong("pipe");
        }
    }
}

int rdma_destroy_id(struct rdma_cm_id *id) {
    struct fake_id *fake = of(id);
    if (fake->unacknowledged) {
        fake_wrong("an identifier with unacknowledged events: the real one would hang");
    }
    if (id->qp) {
        fake_wrong("an identifier with a queue pair: the real one would leak it");
    }
    drop_events(fake);
    ((struct fake_events *)id->channel)->ids--;
    if (fake->peer) {
        fake->peer->peer = NULL;
    }
    if (listener == fake) {
        listener = NULL;
    }
    free(fake);
    fake_alive(-1);
    FAIL(rdma_destroy_id, -1); /* gone all the same */
    return 0;
}

int rdma_bind_addr(struct rdma_cm_id *id, struct sockaddr *address) {
    FAIL(rdma_bind_addr, -1);
    memcpy(&id->route.addr.src_addr, address, sizeof(struct sockaddr_in));
    if (((struct sockaddr_in *)address)->sin_addr.s_addr != INADDR_ANY) {
        id->verbs = fake_device();
        id->port_num = 1;
    }
    return 0;
}

int rdma_listen(struct rdma_cm_id *id, int backlog) {
    (void)backlog;
    FAIL(rdma_listen, -1);
    listener = of(id);
    return 0;
}

int rdma_resolve_addr(struct rdma_cm_id *id, struct sockaddr *source, struct sockaddr *target, int timeout) {
    (void)source;
    (void)timeout;
    FAIL(rdma_resolve_addr, -1);
    memcpy(&id->route.addr.dst_addr, target, sizeof(struct sockaddr_in));
    id->verbs = fake_device();
    id->port_num = 1;
    tell(id, NULL, RDMA_CM_EVENT_ADDR_RESOLVED, 0, NULL);
    return 0;
}

int rdma_resolve_route(struct rdma_cm_id *id, int timeout) {
    (void)timeout;
    FAIL(rdma_resolve_route, -1);
    tell(id, NULL, RDMA_CM_EVENT_ROUTE_RESOLVED, 0, NULL);
    return 0;
}

int rdma_create_qp(struct rdma_cm_id *id, struct ibv_pd *pd, struct ibv_qp_init_attr *attributes) {
    FAIL(rdma_create_qp, -1);
    id->qp = ibv_create_qp(pd, attributes);
    return id->qp ? 0 : -1;
}

void rdma_destroy_qp(struct rdma_cm_id *id) {
    ibv_destroy_qp(id->qp);
    id->qp = NULL;
}

int rdma_connect(struct rdma_cm_id *id, struct rdma_conn_param *parameters) {
    fake_last_parameters = *parameters;
    FAIL(rdma_connect, -1);
    if (!listener) {
        tell(id, NULL, RDMA_CM_EVENT_REJECTED, -ECONNREFUSED, NULL);
        return 0;
    }
    /* The context of a new identifier is its listener's, which must not be taken for its own. */
    struct fake_id *child = new_id(listener->id.channel, listener->id.context);
    child->id.verbs = fake_device();
    child->id.port_num = 1;
    child->peer = of(id);
    of(id)->peer = child;
    tell(&child->id, &listener->id, RDMA_CM_EVENT_CONNECT_REQUEST, 0, parameters);
    return 0;
}

int rdma_accept(struct rdma_cm_id *id, struct rdma_conn_param *parameters) {
    fake_last_parameters = *parameters;
    FAIL(rdma_accept, -1);
    tell(id, NULL, RDMA_CM_EVENT_ESTABLISHED, 0, NULL);
    if (of(id)->peer) {
        tell(&of(id)->peer->id, NULL, RDMA_CM_EVENT_ESTABLISHED, 0, parameters);
    }
    return 0;
}

int rdma_disconnect(struct rdma_cm_id *id) {
    FAIL(rdma_disconnect, -1);
    tell(id, NULL, RDMA_CM_EVENT_DISCONNECTED, 0, NULL);
    return 0;
}

int rdma_get_cm_event(struct rdma_event_channel *channel, struct rdma_cm_event **out) {
    FAIL(rdma_get_cm_event, -1);
    struct fake_event *event;
    if (read(channel->fd, &event, sizeof event) != sizeof event) {
        return -1;
    }
    *out = &event->event;
    counted(*out)->unacknowledged++;
    return 0;
}

int rdma_ack_cm_event(struct rdma_cm_event *event) {
    counted(event)->unacknowledged--;
    free(event);
    fake_alive(-1);
    return 0;
}
