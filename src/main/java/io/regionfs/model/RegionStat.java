package io.regionfs.model;

import java.time.Instant;

/**
 * What a region's home knows of it.
 *
 * @param size bytes, holes included
 * @param allocatedBytes memory held, holes excluded
 * @param mtime when the bytes last changed
 * @param ctime when bytes or times last changed
 */
public record RegionStat(long size, long allocatedBytes, Instant mtime, Instant ctime) {}
