package io.regionfs.data;

import io.regionfs.rpc.RpcClient;
import io.regionfs.verbs.Connection;

/**
 * One connection to a home with a way to call it. What the home hands out over a link (slots,
 * exposures) is taken to be void when the link is dropped.
 */
record Link(Connection connection, RpcClient client) {}
