package io.regionfs.model;

/**
 * A process that lends memory as files which live as long as it does.
 *
 * @param pid of the process, not of a thread, as the node of the file's home sees it
 * @param start when it started, in clock ticks since boot, which tells it from a later one of the
 *     same number
 */
public record Exporter(int pid, long start) {}
