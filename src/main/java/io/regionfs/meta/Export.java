package io.regionfs.meta;

import io.regionfs.model.Exporter;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;

/**
 * A file that lives as long as a process of its home.
 *
 * @param ended the process, or its node, is gone
 */
public record Export(InodeId inode, NodeId home, Exporter exporter, boolean ended) {}
