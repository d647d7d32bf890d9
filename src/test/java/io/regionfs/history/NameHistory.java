package io.regionfs.history;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * What several clients saw of a few names through their mounts: making, removing, chmod and stat.
 * Partitioned by name: no operation is about two of them.
 */
public final class NameHistory {
  private static final int MODE_BITS = 0777;
  private static final int FIRST_MODE = 0640;

  private final Map<String, List<Event<NameState>>> byName = new ConcurrentHashMap<>();

  /** A call that failed in a way that no operation may. */
  public static final class Broken extends Exception {
    Broken(String text, IOException cause) {
      super(text + ": " + cause, cause);
    }
  }

  /** Does one random operation on a name and records it. */
  public void step(Path directory, String name, Random random) throws Broken {
    switch (random.nextInt(10)) {
      case 0, 1 -> create(directory, name);
      case 2, 3 -> remove(directory, name);
      case 4 -> changeMode(directory, name, 0600 | random.nextInt(8));
      default -> look(directory, name);
    }
  }

  private void create(Path directory, String name) throws Broken {
    Path file = directory.resolve(name);
    long start = System.nanoTime();
    boolean made;
    try {
      Files.newByteChannel(
              file,
              Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r-----")))
          .close();
      made = true;
    } catch (FileAlreadyExistsException e) {
      made = false;
    } catch (IOException e) {
      throw new Broken("create " + file, e);
    }
    boolean done = made;
    // Its number shows only later: a made file is "some inode", named by the time of its making.
    record(
        name,
        start,
        before -> done == before.exists() ? null : done ? new NameState(start, FIRST_MODE) : before,
        host(directory) + " create " + (done ? "made it" : "EEXIST"));
  }

  private void remove(Path directory, String name) throws Broken {
    long start = System.nanoTime();
    boolean removed;
    try {
      Files.delete(directory.resolve(name));
      removed = true;
    } catch (NoSuchFileException e) {
      removed = false;
    } catch (IOException e) {
      throw new Broken("remove " + directory.resolve(name), e);
    }
    boolean done = removed;
    record(
        name,
        start,
        before -> done != before.exists() ? null : NameState.ABSENT,
        host(directory) + " remove " + (done ? "done" : "ENOENT"));
  }

  private void changeMode(Path directory, String name, int mode) throws Broken {
    long start = System.nanoTime();
    boolean changed;
    try {
      Files.setPosixFilePermissions(directory.resolve(name), permissions(mode));
      changed = true;
    } catch (NoSuchFileException e) {
      changed = false;
    } catch (IOException e) {
      throw new Broken("chmod " + directory.resolve(name), e);
    }
    boolean done = changed;
    record(
        name,
        start,
        before ->
            done != before.exists() ? null : done ? new NameState(before.inode(), mode) : before,
        host(directory) + " chmod " + Integer.toOctalString(mode) + (done ? " done" : " ENOENT"));
  }

  private void look(Path directory, String name) throws Broken {
    long start = System.nanoTime();
    Optional<Integer> seen;
    try {
      Object mode = Files.getAttribute(directory.resolve(name), "unix:mode");
      seen = Optional.of((Integer) mode & MODE_BITS);
    } catch (NoSuchFileException e) {
      seen = Optional.empty();
    } catch (IOException e) {
      throw new Broken("stat " + directory.resolve(name), e);
    }
    Optional<Integer> mode = seen;
    record(
        name,
        start,
        before -> {
          boolean fits =
              mode.map(m -> before.exists() && m == before.mode()).orElse(!before.exists());
          return fits ? before : null;
        },
        host(directory) + " stat " + mode.map(Integer::toOctalString).orElse("ENOENT"));
  }

  private void record(String name, long start, Event.Step<NameState> step, String text) {
    Event<NameState> event = new Event<>(start, System.nanoTime(), step, text);
    List<Event<NameState>> events = byName.computeIfAbsent(name, n -> new ArrayList<>());
    synchronized (events) {
      events.add(event);
    }
  }

  private static String host(Path directory) {
    return directory.getName(directory.getNameCount() - 3).toString();
  }

  private static Set<PosixFilePermission> permissions(int mode) {
    StringBuilder text = new StringBuilder();
    for (int bit = 8; bit >= 0; bit--) {
      text.append((mode >> bit & 1) == 0 ? '-' : "xwr".charAt(bit % 3));
    }
    return PosixFilePermissions.fromString(text.toString());
  }

  public int size() {
    return byName.values().stream().mapToInt(List::size).sum();
  }

  /** Names with what is wrong with their histories; all names were absent at the start. */
  public Map<String, String> violations() {
    Map<String, String> found = new HashMap<>();
    byName.forEach(
        (name, events) ->
            Linearizability.violation(events, NameState.ABSENT)
                .ifPresent(text -> found.put(name, text + "\n of " + listing(events))));
    return found;
  }

  private static String listing(List<Event<NameState>> events) {
    return events.stream()
        .sorted(Comparator.comparingLong(Event::start))
        .map(e -> e.start() / 1000 + "-" + e.end() / 1000 + " us " + e.text())
        .collect(Collectors.joining("\n  "));
  }
}
