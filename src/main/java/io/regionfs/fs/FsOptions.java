package io.regionfs.fs;

/**
 * How a node's file system behaves.
 *
 * @param fabric what carries the bytes and why it was chosen, in one line for people; part of the
 *     value of the attribute {@code regionfs.fabric}
 * @param passThrough the kernel may use the memory of files at home here itself, if it can
 */
public record FsOptions(String fabric, boolean passThrough) {}
