package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.fs.FileSystem;
import io.regionfs.model.AttributeChange.Kill;
import io.regionfs.model.Caller;
import io.regionfs.model.FileType;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Requests in memory against the layouts of linux/fuse.h, written down here a second time. */
class DispatcherTest {
  private static final long UNIQUE = 42;
  private static final int ENOENT = -2;
  private static final int EIO = -5;
  private static final int EBADF = -9;
  private static final int EINVAL = -22;
  private static final int ERANGE = -34;
  private static final int ENOSYS = -38;

  private final MemoryFileSystem fileSystem = new MemoryFileSystem();
  private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(1);
  private final Interrupts interrupts = new Interrupts(clock);
  private final FakeChannel channel = new FakeChannel();
  private final KernelCaches caches = new KernelCaches(fileSystem, channel, System::nanoTime);
  private final PassThrough passThrough = new PassThrough(channel, fileSystem);
  private final Dispatcher dispatcher = new Dispatcher(fileSystem, caches, passThrough, interrupts);
  private final MappedBuffer buffer = new MappedBuffer(FuseLimits.BUFFER_BYTES, () -> {});
  private final Request request = new Request(buffer);
  private final Reply reply = new Reply(channel, fileSystem::newBuffer);

  @AfterEach
  void nothingIsLeft() {
    dispatcher.close();
    caches.close();
    reply.close();
    buffer.close();
    clock.shutdownNow();
    assertThat(fileSystem.opensOut).hasValue(0);
    assertThat(fileSystem.buffersOut).hasValue(0);
  }

  private static RequestBuilder of(int opcode, long node) {
    return new RequestBuilder(opcode, UNIQUE, node);
  }

  private ByteBuffer ask(RequestBuilder builder) {
    request.received(builder.into(buffer));
    dispatcher.serve(request, reply);
    ByteBuffer answer = channel.reply();
    if (answer == null) {
      throw new AssertionError("no reply");
    }
    assertThat(answer.getInt(0)).as("length").isEqualTo(answer.capacity());
    assertThat(answer.getLong(8)).as("unique").isEqualTo(UNIQUE);
    assertThat(channel.reply()).as("second reply").isNull();
    return answer;
  }

  private int error(RequestBuilder builder) {
    ByteBuffer answer = ask(builder);
    if (answer.getInt(4) != 0) {
      assertThat(answer.capacity()).isEqualTo(16);
    }
    return answer.getInt(4);
  }

  private long newFile(String name) {
    return fileSystem
        .makeFile(InodeId.ROOT, Name.of(name), 0640, new Caller(7, 8, 9))
        .inode()
        .value();
  }

  private long open(long inode, int flags) {
    return ask(of(14, inode).int32(flags, 0)).getLong(16);
  }

  @Test
  void lookupTellsNodeAndAttributes() {
    long inode = newFile("a");
    ByteBuffer entry = ask(of(1, 1).string("a"));
    assertThat(entry.capacity()).isEqualTo(16 + 128);
    assertThat(entry.getLong(16)).isEqualTo(inode);
    assertThat(entry.getLong(32)).as("entry timeout").isZero();
    assertThat(entry.getLong(40)).as("attribute timeout").isZero();
    assertThat(entry.getLong(56)).as("ino").isEqualTo(inode);
    assertThat(entry.getInt(56 + 60)).as("mode").isEqualTo(0100640);
    assertThat(entry.getInt(56 + 64)).as("links").isEqualTo(1);
    assertThat(entry.getInt(56 + 68)).as("uid").isEqualTo(7);
    assertThat(entry.getInt(56 + 72)).as("gid").isEqualTo(8);
    assertThat(error(of(1, 1).string("b"))).isEqualTo(ENOENT);
    assertThat(error(of(1, 1).string("x".repeat(256)))).isEqualTo(-36);
  }

  @Test
  void createWritesReadsAndReleases() {
    ByteBuffer created = ask(of(35, 1).int32(2, 0100644, 0, 0).string("f"));
    assertThat(created.capacity()).isEqualTo(16 + 128 + 16);
    assertThat(created.getInt(56 + 68)).as("uid").isEqualTo(RequestBuilder.UID);
    assertThat(created.getInt(56 + 72)).as("gid").isEqualTo(RequestBuilder.GID);
    long node = created.getLong(16);
    long handle = created.getLong(144);
    assertThat(created.getInt(152)).as("open flags").isEqualTo(0x41);
    ByteBuffer written =
        ask(
            of(16, node)
                .int64(handle, 10)
                .int32(3, 0)
                .int64(0)
                .int32(2, 0)
                .data(new byte[] {1, 2, 3}));
    assertThat(written.getInt(16)).isEqualTo(3);
    ByteBuffer read = ask(of(15, node).int64(handle, 9).int32(100, 0).int64(0).int32(2, 0));
    assertThat(read.slice(16, 4)).isEqualTo(ByteBuffer.wrap(new byte[] {0, 1, 2, 3}));
    assertThat(read.capacity()).isEqualTo(20);
    assertThat(ask(of(15, node).int64(handle, 13).int32(9, 0).int64(0).int32(2, 0)).capacity())
        .isEqualTo(16);
    assertThat(error(of(18, node).int64(handle).int32(2, 0).int64(0))).isZero();
    assertThat(error(of(18, node).int64(handle).int32(2, 0).int64(0))).isEqualTo(EBADF);
    assertThat(error(of(15, node).int64(handle, 9).int32(9, 0).int64(0, 0))).isEqualTo(EBADF);
  }

  @Test
  void appendCountsFromTheFlagsOfTheRequest() {
    long node = newFile("f");
    long handle = open(node, 02002);
    for (int i = 0; i < 2; i++) {
      ask(of(16, node).int64(handle, 0).int32(1, 0).int64(0).int32(02002, 0).data((byte) i));
    }
    ask(of(16, node).int64(handle, 0).int32(1, 1).int64(0).int32(02002, 0).data((byte) 9));
    assertThat(fileSystem.attributes(new InodeId(node)).size()).isEqualTo(2);
  }

  @Test
  void anUnwantedOpenIsClosed() {
    long node = newFile("f");
    channel.wanted = false;
    open(node, 0);
    ask(of(27, 1).int32(0, 0));
    ask(of(35, 1).int32(2, 0100644, 0, 0).string("g"));
    assertThat(fileSystem.opensOut).hasValue(0);
  }

  @Test
  void aFileThatPassesThroughHasOneIdUntilItsLastRelease() {
    MemoryFileSystem backed =
        new MemoryFileSystem() {
          @Override
          FileBytes newFile() {
            return new BackedFile();
          }
        };
    PassThrough passing = new PassThrough(channel, backed);
    passing.begin();
    assertThat(backed.passThroughUsable).isTrue();
    try (Dispatcher other = new Dispatcher(backed, caches, passing, interrupts)) {
      request.received(of(35, 1).int32(2, 0100644, 0, 0).string("f").into(buffer));
      other.serve(request, reply);
      ByteBuffer created = Objects.requireNonNull(channel.reply());
      long node = created.getLong(16);
      assertThat(created.getInt(152)).as("open flags").isEqualTo(0x80);
      int id = created.getInt(156);
      assertThat(channel.backings).containsOnlyKeys(id);
      request.received(of(14, node).int32(0, 0).into(buffer));
      other.serve(request, reply);
      ByteBuffer opened = Objects.requireNonNull(channel.reply());
      assertThat(opened.getInt(24)).isEqualTo(0x80);
      assertThat(opened.getInt(28)).as("the same").isEqualTo(id);
      channel.wanted = false;
      request.received(of(14, node).int32(0, 0).into(buffer));
      other.serve(request, reply);
      channel.wanted = true;
      for (long handle : new long[] {created.getLong(144), opened.getLong(16)}) {
        assertThat(channel.backings).hasSize(1);
        request.received(of(18, node).int64(handle).int32(2, 0).int64(0).into(buffer));
        other.serve(request, reply);
      }
      assertThat(channel.backings).isEmpty();
      assertThat(passing.files()).isZero();
      request.received(of(14, node).int32(0, 0).into(buffer));
      other.serve(request, reply);
      assertThat(channel.backings).as("left open").hasSize(1);
    }
    assertThat(channel.backings).isEmpty();
    assertThat(backed.opensOut).hasValue(0);
  }

  @Test
  void setattrChangesWhatIsMarkedValid() {
    long node = newFile("f");
    RequestBuilder change =
        of(4, node)
            .int32(1 | 2 | 8 | 16 | 32, 0)
            .int64(0, 5000, 0, 11, -12, 13)
            .int32(111, 222, 333)
            .int32(0100755, 0, 55, 66, 0);
    ByteBuffer attributes = ask(change);
    assertThat(attributes.capacity()).isEqualTo(16 + 104);
    assertThat(attributes.getLong(32 + 8)).as("size").isEqualTo(5000);
    assertThat(attributes.getLong(32 + 24)).as("atime").isEqualTo(11);
    assertThat(attributes.getLong(32 + 32)).as("mtime").isEqualTo(-12);
    assertThat(attributes.getInt(32 + 48)).as("atime nanos").isEqualTo(111);
    assertThat(attributes.getInt(32 + 52)).as("mtime nanos").isEqualTo(222);
    assertThat(attributes.getInt(32 + 60)).as("mode").isEqualTo(0100755);
    assertThat(attributes.getInt(32 + 68)).as("uid").isEqualTo(55);
    assertThat(attributes.getInt(32 + 72)).as("gid").isEqualTo(8);
  }

  private Kill killed(RequestBuilder builder) {
    fileSystem.kills.clear();
    assertThat(error(builder)).isZero();
    assertThat(fileSystem.kills).hasSize(1);
    return fileSystem.kills.remove();
  }

  private static RequestBuilder setattr(long node, int valid) {
    return of(4, node).int32(valid, 0).int64(0, 0, 0, 0, 0, 0).int32(0, 0, 0, 0, 0, 0, 0, 0);
  }

  @Test
  void whatPrivilegesGoComesWithEachRequest() {
    long node = newFile("f");
    assertThat(killed(setattr(node, 1 | 16 | 32))).as("mode, times").isEqualTo(Kill.NOTHING);
    for (int one : new int[] {2, 4, 8}) {
      assertThat(killed(setattr(node, one))).isEqualTo(Kill.CAPABILITY);
      assertThat(killed(setattr(node, one | 1 << 11))).isEqualTo(Kill.ALL);
    }
    assertThat(killed(setattr(node, 0))).as("nothing to be set").isEqualTo(Kill.ALL);
    assertThat(killed(setattr(node, 1 << 6 | 1 << 9))).as("handle, owner").isEqualTo(Kill.ALL);

    long handle = open(node, 2);
    for (int flags : new int[] {0, 2, 4, 6}) {
      RequestBuilder write =
          of(16, node).int64(handle, 0).int32(1, flags).int64(0).int32(2, 0).data((byte) 1);
      assertThat(killed(write)).isEqualTo((flags & 4) == 0 ? Kill.CAPABILITY : Kill.ALL);
    }
    fileSystem.kills.clear();
    error(of(16, node).int64(handle, 0).int32(1, 1).int64(0).int32(2, 0).data((byte) 1));
    assertThat(fileSystem.kills).as("a page of a mapping").isEmpty();
    assertThat(killed(of(43, node).int64(handle, 0, 1).int32(0, 0))).isEqualTo(Kill.ALL);

    open(node, 01001);
    assertThat(fileSystem.openFlags).isEqualTo(01001);
    ask(of(14, node).int32(01001, 1));
    assertThat(fileSystem.openFlags).isEqualTo(01001 | FileSystem.OPEN_KILLS);
    ask(of(14, node).int32(01001 | FileSystem.OPEN_KILLS, 0));
    assertThat(fileSystem.openFlags).as("not the kernel's to set").isEqualTo(01001);
  }

  @Test
  void directoriesAreListedInPieces() {
    for (int i = 0; i < 10; i++) {
      newFile("file" + i);
    }
    long handle = ask(of(27, 1).int32(0, 0)).getLong(16);
    StringBuilder names = new StringBuilder();
    long cookie = 0;
    while (true) {
      ByteBuffer piece = ask(of(28, 1).int64(handle, cookie).int32(100, 0).int64(0).int32(0, 0));
      assertThat(piece.capacity()).isLessThanOrEqualTo(116);
      int at = 16;
      while (at < piece.capacity()) {
        cookie = piece.getLong(at + 8);
        byte[] name = new byte[piece.getInt(at + 16)];
        piece.get(at + 24, name);
        names
            .append(new String(name, StandardCharsets.UTF_8))
            .append(piece.getInt(at + 20))
            .append(' ');
        at += (24 + name.length + 7) & ~7;
      }
      if (at == 16) {
        break;
      }
    }
    assertThat(names.toString())
        .isEqualTo(".4 ..4 file08 file18 file28 file38 file48 file58 file68 file78 file88 file98 ");
  }

  @Test
  void attributeValuesCanBeAskedForTheirSize() {
    long node = newFile("f");
    assertThat(error(of(21, node).int32(3, 0).string("user.x").data(new byte[] {1, 2, 3})))
        .isZero();
    assertThat(ask(of(22, node).int32(0, 0).string("user.x")).getInt(16)).isEqualTo(3);
    assertThat(error(of(22, node).int32(2, 0).string("user.x"))).isEqualTo(ERANGE);
    assertThat(ask(of(22, node).int32(9, 0).string("user.x")).slice(16, 3))
        .isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3}));
    assertThat(ask(of(23, node).int32(0, 0)).getInt(16)).isEqualTo(7);
    assertThat(ask(of(23, node).int32(7, 0)).slice(16, 7))
        .isEqualTo(ByteBuffer.wrap("user.x\0".getBytes(StandardCharsets.UTF_8)));
    assertThat(error(of(24, node).string("user.x"))).isZero();
    assertThat(error(of(22, node).int32(9, 0).string("user.x"))).isEqualTo(-61);
  }

  @Test
  void attributesAreSetByKernelsWithAndWithoutTheExtension() {
    long node = newFile("f");
    assertThat(error(of(21, node).int32(2, 0, 0, 0).string("user.a").data(new byte[] {1, 2})))
        .isZero();
    assertThat(error(of(21, node).int32(0, 0, 1, 0).string("user.b"))).isZero();
    assertThat(error(of(21, node).int32(0, 0).string("user.c"))).isZero();
    assertThat(error(of(21, node).int32(0, 4, 0, 0).string("user.d"))).isEqualTo(EINVAL);
    assertThat(ask(of(22, node).int32(9, 0).string("user.a")).slice(16, 2))
        .isEqualTo(ByteBuffer.wrap(new byte[] {1, 2}));
    assertThat(fileSystem.xattrNames(new InodeId(node))).hasSize(3);
  }

  @Test
  void theUmaskComesWithWhatIsMade() {
    assertThat(ask(of(9, 1).int32(040777, 027).string("d")).getInt(56 + 60)).isEqualTo(040750);
    assertThat(ask(of(8, 1).int32(0100666, 0, 022, 0).string("m")).getInt(56 + 60))
        .isEqualTo(FileType.FILE.modeBits() | 0644);
    ByteBuffer created = ask(of(35, 1).int32(1, 0666, 077, 0).string("c"));
    assertThat(created.getInt(56 + 60)).isEqualTo(FileType.FILE.modeBits() | 0600);
    long handle = created.getLong(16 + 128);
    assertThat(error(of(18, created.getLong(16)).int64(handle).int64(0, 0))).isZero();
  }

  @Test
  void renamesLinksAndTypes() {
    long a = newFile("a");
    assertThat(error(of(12, 1).int64(1).string("a").string("b"))).isZero();
    assertThat(error(of(45, 1).int64(1).int32(2, 0).string("b").string("c"))).isEqualTo(EINVAL);
    assertThat(ask(of(13, 1).int64(a).string("l")).getInt(56 + 64)).as("links").isEqualTo(2);
    long symlink = ask(of(6, 1).string("s").string("to/where")).getLong(16);
    assertThat(ask(of(5, symlink)).slice(16, 8))
        .isEqualTo(ByteBuffer.wrap("to/where".getBytes(StandardCharsets.UTF_8)));
    assertThat(ask(of(9, 1).int32(040755, 0).string("d")).getInt(56 + 60)).isEqualTo(040755);
    assertThat(ask(of(8, 1).int32(0100600, 0, 0, 0).string("m")).getInt(56 + 60))
        .isEqualTo(FileType.FILE.modeBits() | 0600);
    assertThat(error(of(8, 1).int32(0010600, 0, 0, 0).string("fifo"))).isEqualTo(-1);
  }

  @Test
  void birthTimeComesWithStatx() {
    long node = newFile("f");
    ByteBuffer statx = ask(of(52, node).int32(0, 0).int64(0).int32(0, 0xfff));
    assertThat(statx.capacity()).isEqualTo(16 + 288);
    assertThat(statx.getShort(16 + 32 + 28)).isEqualTo((short) 0100640);
    assertThat(statx.getLong(16 + 32 + 32)).isEqualTo(node);
    assertThat(statx.getLong(16 + 32 + 80))
        .isEqualTo(fileSystem.attributes(new InodeId(node)).btime().getEpochSecond());
  }

  @Test
  void whatIsNotServedSaysSo() {
    assertThat(error(of(34, 1).int32(4, 0))).isEqualTo(ENOSYS);
    assertThat(error(of(47, 1).int64(0))).isEqualTo(ENOSYS);
    assertThat(error(of(39, 1).int64(0))).isEqualTo(-25);
    assertThat(error(of(12345, 1))).isEqualTo(ENOSYS);
    request.received(of(2, 5).int64(1).into(buffer));
    dispatcher.serve(request, reply);
    assertThat(channel.reply()).as("FORGET has no reply").isNull();
  }

  @Test
  void interruptBeforeItsRequestIsAskedAgain() {
    assertThat(error(of(36, 0).int64(77))).isEqualTo(-11);
  }

  @Test
  void anUnexpectedFailureIsEio() throws Exception {
    MemoryFileSystem broken =
        new MemoryFileSystem() {
          @Override
          public synchronized byte[] readLink(InodeId id) {
            throw new IllegalStateException("a bug, on purpose");
          }
        };
    try (Dispatcher other = new Dispatcher(broken, caches, passThrough, interrupts)) {
      request.received(of(5, 1).into(buffer));
      other.serve(request, reply);
      assertThat(channel.awaitReply().getInt(4)).isEqualTo(EIO);
    }
  }

  @Test
  void noBytesFromTheKernelBreakIt() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      byte[] body = new byte[random.nextInt(random.nextBoolean() ? 8 : 120)];
      random.nextBytes(body);
      if (random.nextBoolean()) {
        for (int j = 0; j < body.length; j++) {
          body[j] = (byte) (random.nextInt(4) == 0 ? body[j] & 3 : 0);
        }
      }
      int opcode = random.nextInt(56);
      if (opcode == 43 && body.length >= 32) {
        body[19] = body[20] = body[21] = body[22] = body[23] = 0; // memory is not what we test
      }
      request.received(of(opcode, random.nextInt(4)).data(body).into(buffer));
      dispatcher.serve(request, reply);
      ByteBuffer answer = channel.reply();
      if (opcode != 36) { // an INTERRUPT may get EAGAIN or nothing
        boolean silent = opcode == 2 || opcode == 42;
        assertThat(answer == null).as("no reply to opcode %s", opcode).isEqualTo(silent);
      }
      assertThat(channel.reply()).isNull();
      if (answer != null) {
        assertThat(answer.getInt(0)).isEqualTo(answer.capacity());
        assertThat(answer.getInt(4)).as("opcode %s", opcode).isBetween(-200, 0).isNotEqualTo(EIO);
      }
    }
    request.received(39);
    dispatcher.serve(request, reply);
    assertThat(channel.reply()).isNull();
  }
}
