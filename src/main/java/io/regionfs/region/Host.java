package io.regionfs.region;

/** What the regions of a host share. */
record Host(BackingFiles files, Budget budget, Pieces pieces, Exposures exposures) {}
