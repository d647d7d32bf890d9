package io.regionfs.metaserver.state;

import io.regionfs.proto.Export;
import io.regionfs.proto.Exporter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The files that live only as long as a process of their home, and their names. There are few: all
 * of it is copied when a snapshot begins, but for the names, which come with their directories.
 */
final class Exports {
  private final TreeMap<Long, Exported> byInode = new TreeMap<>();

  /** A name of an exported file. */
  record Place(long directory, Entry entry) {
    private static final Comparator<Place> ORDER =
        Comparator.comparingLong(Place::directory).thenComparingLong(place -> place.entry.cookie);
  }

  /** One file. */
  static final class Exported {
    private final long inode;
    private final int home;
    private final Exporter exporter;
    private final NavigableSet<Place> names = new TreeSet<>(Place.ORDER);
    private boolean ended;

    private Exported(long inode, int home, Exporter exporter) {
      this.inode = inode;
      this.home = home;
      this.exporter = exporter;
    }

    int home() {
      return home;
    }

    boolean isEnded() {
      return ended;
    }

    void end() {
      ended = true;
    }

    /** In a fixed order. */
    List<Place> names() {
      return List.copyOf(names);
    }

    Export record() {
      return Export.newBuilder()
          .setInode(inode)
          .setHome(home)
          .setExporter(exporter)
          .setEnded(ended)
          .build();
    }
  }

  /** From now on; its names have to be {@link #entered}. */
  void add(long inode, int home, Exporter exporter) {
    byInode.put(inode, new Exported(inode, home, exporter));
  }

  void restore(Export record) {
    Exported exported = new Exported(record.getInode(), record.getHome(), record.getExporter());
    exported.ended = record.getEnded();
    byInode.put(record.getInode(), exported);
  }

  /** It lives until it is unlinked, or it is gone. */
  void remove(long inode) {
    byInode.remove(inode);
  }

  @Nullable Exported find(long inode) {
    return byInode.isEmpty() ? null : byInode.get(inode);
  }

  void entered(Directory directory, Entry entry) {
    Exported exported = find(entry.inode);
    if (exported != null) {
      exported.names.add(new Place(directory.id, entry));
    }
  }

  /** Before the entry goes or gets another inode. */
  void struck(Directory directory, Entry entry) {
    Exported exported = find(entry.inode);
    if (exported != null) {
      exported.names.remove(new Place(directory.id, entry));
    }
  }

  /** Those at this home that have not ended, in ascending order. */
  List<Long> at(int home) {
    List<Long> found = new ArrayList<>();
    for (Exported exported : byInode.values()) {
      if (exported.home == home && !exported.ended) {
        found.add(exported.inode);
      }
    }
    return found;
  }

  Collection<Export> records() {
    return byInode.values().stream().map(Exported::record).toList();
  }

  void addTo(Fingerprint print) {
    byInode.forEach(
        (inode, exported) ->
            print
                .add(inode)
                .add(exported.home)
                .add(exported.exporter.getPid())
                .add(exported.exporter.getStart())
                .add(exported.ended));
  }
}
