package io.regionfs.verbs.device;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The files below /dev/infiniband through which a process reaches a device.
 *
 * @param root what stands for / (tests give their own)
 */
public record DeviceFiles(Path root) {
  private static final String DIRECTORY = "dev/infiniband";
  private static final String CM = "rdma_cm";

  /**
   * @throws IOException that says what this user cannot open, and what to do
   */
  public void check(RdmaDevice device) throws IOException {
    check(CM, "modprobe rdma_ucm");
    check(device.node().isEmpty() ? "uverbs0" : device.node(), "modprobe ib_uverbs");
  }

  private void check(String name, String module) throws IOException {
    Path file = root.resolve(DIRECTORY).resolve(name);
    String shown = "/" + DIRECTORY + "/" + name;
    if (!Files.exists(file)) {
      throw new IOException(
          shown
              + " is not there: as root, "
              + module
              + "; in a container: start it with --device /dev/infiniband");
    }
    if (!Files.isReadable(file) || !Files.isWritable(file)) {
      throw new IOException(
          shown
              + " cannot be opened by this user: as root, chmod 666 "
              + shown
              + " (or a udev rule MODE=\"0666\"); in a container: start it with --device"
              + " /dev/infiniband");
    }
  }
}
