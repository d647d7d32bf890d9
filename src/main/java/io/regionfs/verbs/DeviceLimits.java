package io.regionfs.verbs;

/**
 * What a device can do, as far as it matters here. Source: ibv_query_device(3), ibv_query_port(3).
 *
 * @param device its name, such as mlx5_0
 * @param port from 1; 0 for a device without ports
 * @param transport of the port: "InfiniBand", "RoCE", "iWARP", or "TCP" for the software device
 * @param atomics what {@link Batch#compareAndSwap} is atomic against
 * @param registrations most memory regions at a time
 * @param registrationBytes most bytes of one of them
 * @param workRequests most in one send queue
 * @param completions most in one completion queue
 * @param readsAndAtomics most that one connection may have outstanding as initiator
 * @param inlineBytes most bytes of a send that are taken when it is posted; 0: unknown or none
 * @param mtu bytes of a packet's payload; 0 if it has no meaning
 * @param onDemandPaging memory can be registered without being pinned
 */
public record DeviceLimits(
    String device,
    int port,
    String transport,
    Atomics atomics,
    long registrations,
    long registrationBytes,
    int workRequests,
    int completions,
    int readsAndAtomics,
    int inlineBytes,
    int mtu,
    boolean onDemandPaging) {}
