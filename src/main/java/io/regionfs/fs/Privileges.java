package io.regionfs.fs;

import io.regionfs.meta.Metadata;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.AttributeChange.Kill;
import io.regionfs.model.Attributes;
import io.regionfs.model.InodeId;

/**
 * What a program would get from one file that this node writes, and must not with bytes that
 * somebody else put there: set-user-id and set-group-id bits, capabilities. As on every filesystem
 * they go before the file is written; the metadata service takes them.
 *
 * <p>What is known came with the answer to the call that began the write session, and holds until
 * the session ends, since the service tells a node that writes a file when another node gives it
 * such a thing. So a write asks nobody. For any thread; writes take no lock.
 */
final class Privileges {
  private enum Known {
    UNKNOWN,
    NONE,
    SET_ID,

    /** With or without a set-id bit. */
    CAPABILITY
  }

  private record State(long time, Known known) {}

  private final InodeId id;
  private final Metadata metadata;

  /** Replaced under the monitor. */
  private volatile State state = new State(0, Known.UNKNOWN);

  Privileges(InodeId id, Metadata metadata) {
    this.id = id;
    this.metadata = metadata;
  }

  /** To be taken before the service is asked, for {@link #learn}. */
  long now() {
    return state.time;
  }

  /** The service's answer, which is of no use if it was told to forget meanwhile. */
  synchronized void learn(long asked, Attributes answer) {
    if (state.time == asked) {
      state = new State(asked, known(answer));
    }
  }

  /**
   * Somebody may have given it something, or may do so from now on without this node's knowledge.
   */
  synchronized void forget() {
    state = new State(state.time + 1, Known.UNKNOWN);
  }

  /** Certainly, while this node writes it. */
  boolean hasNoCapability() {
    Known known = state.known;
    return known == Known.NONE || known == Known.SET_ID;
  }

  /** Takes from the file what it has of these. */
  void kill(Kill kill) {
    State now = state;
    if (now.known != Known.NONE) {
      kill(now, kill);
    }
  }

  private void kill(State now, Kill kill) {
    Known known = now.known;
    if (known == Known.UNKNOWN) {
      Attributes answer = metadata.attributes(id);
      learn(now.time, answer);
      known = known(answer);
    }
    if (known == Known.CAPABILITY || (known == Known.SET_ID && kill == Kill.ALL)) {
      learn(now.time, metadata.setAttributes(id, AttributeChange.of(kill)));
    }
  }

  /** Whether there is something to be taken. */
  static boolean has(Attributes file, Kill kill) {
    return switch (known(file)) {
      case CAPABILITY -> kill != Kill.NOTHING;
      case SET_ID -> kill == Kill.ALL;
      case NONE, UNKNOWN -> false;
    };
  }

  private static Known known(Attributes file) {
    if (file.capability()) {
      return Known.CAPABILITY;
    }
    return file.setsId() ? Known.SET_ID : Known.NONE;
  }
}
