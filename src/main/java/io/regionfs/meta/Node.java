package io.regionfs.meta;

import io.regionfs.model.NodeId;
import java.net.InetSocketAddress;

/**
 * A host's daemon as the metadata service knows it.
 *
 * @param rpc where it answers calls
 * @param data where its memory is reached one-sided
 * @param alive its lease holds
 */
public record Node(
    NodeId id,
    String name,
    InetSocketAddress rpc,
    InetSocketAddress data,
    boolean alive,
    long capacityBytes,
    long usedBytes,
    long regions,
    String fabric) {}
