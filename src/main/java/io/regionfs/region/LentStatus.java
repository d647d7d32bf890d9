package io.regionfs.region;

/**
 * What a host lends at one moment.
 *
 * @param generation random, another one after each start
 * @param regions how many are at home here
 * @param allocatedBytes memory that they hold
 * @param budgetBytes most that they may hold
 * @param exposures pieces that other hosts may touch now
 * @param pinnedBytes memory registered for that
 * @param mappings pieces mapped now
 */
public record LentStatus(
    long generation,
    int regions,
    long allocatedBytes,
    long budgetBytes,
    int exposures,
    long pinnedBytes,
    int mappings) {}
