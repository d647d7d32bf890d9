package io.regionfs.region;

import io.regionfs.verbs.Atomics;

/**
 * What the regions of a host share.
 *
 * @param atomics of its device
 * @param loopback changes size words with the device, for {@link Atomics#DEVICE}
 */
record Host(
    BackingFiles files,
    Budget budget,
    Pieces pieces,
    Exposures exposures,
    Atomics atomics,
    WordSwap loopback) {}
