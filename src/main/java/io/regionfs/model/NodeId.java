package io.regionfs.model;

/** The number of a node, given by the metadata service when it first joins; 0 is no node. */
public record NodeId(int value) {
  public static final NodeId NONE = new NodeId(0);

  @Override
  public String toString() {
    return Integer.toString(value);
  }
}
