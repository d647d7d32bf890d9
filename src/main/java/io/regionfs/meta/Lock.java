package io.regionfs.meta;

/**
 * A lock on bytes of a file, held or asked for: of flock(2), which covers all of it, or of
 * fcntl(2).
 *
 * @param owner who holds it, by a number that is unique within the node
 * @param flock of flock(2); the two kinds do not see each other
 * @param first first byte, from 0
 * @param last last byte; Long.MAX_VALUE is the end of any file
 * @param pid of who asks, for people; 0: of another node
 */
public record Lock(long owner, boolean flock, boolean exclusive, long first, long last, int pid) {}
