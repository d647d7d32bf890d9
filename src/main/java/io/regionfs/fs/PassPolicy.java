package io.regionfs.fs;

import io.regionfs.model.NodeId;

/** Whether files may be passed through to the kernel, on this node, now. For any thread. */
final class PassPolicy {
  private final NodeId self;
  private final boolean wanted;
  private volatile boolean usable;

  /**
   * @param wanted as the node's options say
   */
  PassPolicy(NodeId self, boolean wanted) {
    this.self = self;
    this.wanted = wanted;
  }

  /** What the kernel says; false until it has said anything. */
  void usable(boolean now) {
    usable = now;
  }

  /** Only memory of this host is a file of this host. */
  boolean allows(NodeId home) {
    return wanted && usable && home.equals(self);
  }
}
