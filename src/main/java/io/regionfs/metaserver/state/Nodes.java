package io.regionfs.metaserver.state;

import io.regionfs.model.Errno;
import io.regionfs.proto.AddNode;
import io.regionfs.proto.SnapshotMember;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The nodes that joined. A node is known by its key, which it keeps over restarts, and keeps its
 * number with it; a name belongs to one living node at a time. A node that ended a day ago is
 * forgotten when another joins, if it is the home of nothing; its number is given to no other.
 */
public final class Nodes {
  private static final int MAX_NAME = 255;
  private static final int MAX_PORT = 65_535;
  private static final Pattern ADDRESS = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}:\\d{1,5}");

  private static final long REMEMBERED_NANOS = 86_400_000_000_000L;

  private final Inodes inodes;
  private final TreeMap<Integer, Member> byId = new TreeMap<>();
  private final Map<Long, Member> byKey = new HashMap<>();
  private int lastId;
  private long version;

  Nodes(Inodes inodes) {
    this.inodes = inodes;
  }

  /** One node. */
  public static final class Member {
    private final int id;

    private final TreeSet<Long> opens = new TreeSet<>();
    private AddNode identity;
    private boolean living = true;

    /** When it left or was expired; 0 while it lives. */
    private long ended;

    private Member(int id, AddNode identity) {
      this.id = id;
      this.identity = identity;
    }

    public int id() {
      return id;
    }

    public AddNode identity() {
      return identity;
    }

    public boolean isLiving() {
      return living;
    }
  }

  /** Takes in a new node or one that is back; EEXIST if a living one has the name. */
  Member add(AddNode identity, long now) {
    check(identity);
    forget(now, identity.getKey());
    Member known = byKey.get(identity.getKey());
    Member namesake = living(identity.getName());
    if (namesake != null && namesake != known) {
      throw new Refusal(
          Errno.EEXIST,
          "a node named "
              + identity.getName()
              + " is a member already, at "
              + namesake.identity.getRpcAddress()
              + ": give this one another name, or wait until that one's lease has run out");
    }
    version++;
    if (known != null) {
      known.identity = identity;
      known.living = true;
      known.ended = 0;
      return known;
    }
    int id = isForgotten(identity.getNode()) ? identity.getNode() : ++lastId;
    return put(new Member(id, identity));
  }

  private Member put(Member member) {
    byId.put(member.id, member);
    byKey.put(member.identity.getKey(), member);
    return member;
  }

  /**
   * What ended long ago, has nothing open and is the home of nothing, but for the one that joins.
   */
  private void forget(long now, long joining) {
    Iterator<Member> members = byId.values().iterator();
    while (members.hasNext()) {
      Member member = members.next();
      boolean old = !member.living && now - member.ended > REMEMBERED_NANOS;
      if (old && member.identity.getKey() != joining && !inodes.isHome(member.id)) {
        members.remove();
        byKey.remove(member.identity.getKey());
      }
    }
  }

  /** A number that was given to a node which is not known any more. */
  boolean isForgotten(int id) {
    return id > 0 && id <= lastId && !byId.containsKey(id);
  }

  private static void check(AddNode identity) {
    boolean named = !identity.getName().isEmpty() && identity.getName().length() <= MAX_NAME;
    if (!named || identity.getKey() == 0) {
      throw new Refusal(Errno.EINVAL, "a node needs a name of 1 to 255 characters and a key");
    }
    checkAddress(identity.getRpcAddress());
    checkAddress(identity.getDataAddress());
  }

  /** Every node reads the addresses of all, so that a bad one must not come in. */
  private static void checkAddress(String address) {
    if (!ADDRESS.matcher(address).matches()
        || Integer.parseInt(address.substring(address.lastIndexOf(':') + 1)) > MAX_PORT) {
      throw new Refusal(Errno.EINVAL, "a node needs addresses of the form IP:PORT");
    }
  }

  private @Nullable Member living(String name) {
    for (Member member : byId.values()) {
      if (member.living && member.identity.getName().equals(name)) {
        return member;
      }
    }
    return null;
  }

  void expire(int id, long now) {
    Member member = byId.get(id);
    if (member != null && member.living) {
      member.living = false;
      member.ended = now;
      version++;
    }
  }

  public boolean isLiving(int id) {
    Member member = byId.get(id);
    return member != null && member.living;
  }

  public Collection<Member> all() {
    return byId.values();
  }

  /** Changes with every change of the list. */
  public long version() {
    return version;
  }

  void opened(int id, long inode) {
    Member member = byId.get(id);
    if (member != null) {
      member.opens.add(inode);
    }
  }

  void closed(int id, long inode) {
    Member member = byId.get(id);
    if (member != null) {
      member.opens.remove(inode);
    }
  }

  /** What the node had open. */
  List<Long> forgetOpens(int id) {
    Member member = byId.get(id);
    if (member == null) {
      return List.of();
    }
    List<Long> opened = List.copyOf(member.opens);
    member.opens.clear();
    return opened;
  }

  void addTo(Fingerprint print) {
    print.add(lastId).add(version);
    for (Member member : byId.values()) {
      print.add(member.id).add(member.ended).add(member.identity.toByteString());
    }
  }

  int lastId() {
    return lastId;
  }

  List<SnapshotMember> records() {
    List<SnapshotMember> records = new ArrayList<>(byId.size());
    for (Member member : byId.values()) {
      records.add(
          SnapshotMember.newBuilder()
              .setNode(member.id)
              .setIdentity(member.identity)
              .setLiving(member.living)
              .setEnded(member.ended)
              .build());
    }
    return records;
  }

  /** What members have open follows with the inodes. */
  void restore(SnapshotMember record) {
    Member member = put(new Member(record.getNode(), record.getIdentity()));
    member.living = record.getLiving();
    member.ended = record.getEnded();
  }

  void restore(int last, long listVersion) {
    lastId = last;
    version = listVersion;
  }
}
