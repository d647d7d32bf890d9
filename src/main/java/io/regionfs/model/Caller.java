package io.regionfs.model;

/** Who asks: effective user and group of the calling process, and its process id on this host. */
public record Caller(int uid, int gid, int pid) {}
