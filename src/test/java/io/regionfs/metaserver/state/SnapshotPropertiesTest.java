package io.regionfs.metaserver.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.proto.Command;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** Whatever happens while a snapshot is written, it has the state in which it began. */
class SnapshotPropertiesTest {
  @Provide
  Arbitrary<List<Command>> commands() {
    return RandomCommands.lists(120);
  }

  /** Applies a command with every slice that is written. */
  private static final class Meanwhile extends OutputStream {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final Replica replica;
    private final Queue<Command> commands;

    private Meanwhile(Replica replica, List<Command> commands) {
      this.replica = replica;
      this.commands = new ArrayDeque<>(commands);
    }

    @Override
    public void write(int octet) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void write(byte[] slice, int offset, int length) {
      bytes.write(slice, offset, length);
      Command next = commands.poll();
      if (next != null) {
        replica.apply(next);
      }
    }
  }

  private static void apply(Replica replica, Iterable<Command> commands) {
    commands.forEach(replica::apply);
  }

  static long fingerprint(Replica replica) {
    return replica.read(Namespace::fingerprint);
  }

  static byte[] snapshot(Replica replica) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Replica.Snapshot snapshot = replica.snapshot()) {
      snapshot.writeTo(bytes);
    }
    return bytes.toByteArray();
  }

  @Property(tries = 600, edgeCases = EdgeCasesMode.NONE)
  void itHasTheStateInWhichItBegan(
      @ForAll("commands") List<Command> before,
      @ForAll("commands") List<Command> meanwhile,
      @ForAll @IntRange(min = 1, max = 4) int slice)
      throws IOException {
    Replica replica = new Replica();
    apply(replica, before);
    long begun = fingerprint(replica);
    byte[] still = snapshot(replica);
    Meanwhile out = new Meanwhile(replica, meanwhile);
    try (Replica.Snapshot snapshot = replica.snapshot(slice)) {
      snapshot.writeTo(out);
    }
    apply(replica, out.commands);

    Replica restored = new Replica();
    restored.restore(new ByteArrayInputStream(out.bytes.toByteArray()));
    assertThat(fingerprint(restored)).isEqualTo(begun);
    assertThat(snapshot(restored)).as("the same bytes as without commands").isEqualTo(still);
    apply(restored, meanwhile);
    assertThat(fingerprint(restored)).as("snapshot and tail").isEqualTo(fingerprint(replica));
    assertThat(snapshot(restored)).isEqualTo(snapshot(replica));
  }

  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  void damageIsRefused(
      @ForAll("commands") List<Command> commands,
      @ForAll @IntRange(min = 0, max = 1_000_000) int where,
      @ForAll @IntRange(min = 1, max = 255) int flip)
      throws IOException {
    Replica replica = new Replica();
    apply(replica, commands);
    byte[] good = snapshot(replica);
    long before = fingerprint(replica);
    int at = where % good.length;
    byte[] flipped = good.clone();
    flipped[at] ^= (byte) flip;
    assertRefused(replica, flipped);
    assertRefused(replica, Arrays.copyOf(good, at));
    assertRefused(replica, Arrays.copyOf(good, good.length + 1));
    assertThat(fingerprint(replica)).isEqualTo(before);
  }

  private static void assertRefused(Replica replica, byte[] bytes) {
    assertThatThrownBy(() -> replica.restore(new ByteArrayInputStream(bytes)))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("the snapshot ");
  }
}
