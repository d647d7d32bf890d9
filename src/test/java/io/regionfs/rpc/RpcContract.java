package io.regionfs.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import io.regionfs.model.Errno;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Ping;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.proto.SetXattr;
import io.regionfs.rpc.RpcException.Outcome;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every transport keeps; a leaf says how one is made. */
@SuppressWarnings("MustBeClosedChecker") // the transport closes what a test leaves open
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class RpcContract {
  protected static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofMillis(200);

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private RpcTransport transport;

  protected abstract RpcTransport createTransport() throws IOException;

  protected RpcTransport transport() {
    return transport;
  }

  @BeforeEach
  void open() throws IOException {
    transport = createTransport();
  }

  @AfterEach
  void close() throws InterruptedException {
    transport.close();
    transport.close();
    threads.shutdownNow();
    assertThat(threads.awaitTermination(60, TimeUnit.SECONDS)).as("every call ended").isTrue();
  }

  /** Where the transport under test can listen. */
  protected InetAddress address() {
    return InetAddress.getLoopbackAddress();
  }

  protected final InetSocketAddress anyPort() {
    return new InetSocketAddress(address(), 0);
  }

  /** Answers with the request's sequence as the detail and the xattr value as the value. */
  protected static void echo(Request request, RpcResponder responder) {
    responder.reply(echoOf(request));
  }

  protected static Reply echoOf(Request request) {
    return Reply.newBuilder()
        .setDetail(Long.toString(request.getSequence()))
        .setValue(request.getOperation().getSetXattr().getValue())
        .build();
  }

  protected static Request request(long sequence) {
    return Request.newBuilder()
        .setClientId(7)
        .setSequence(sequence)
        .setQuery(Query.newBuilder().setService(Ping.getDefaultInstance()))
        .build();
  }

  protected static Request request(long sequence, ByteString payload) {
    return Request.newBuilder()
        .setClientId(7)
        .setSequence(sequence)
        .setOperation(Operation.newBuilder().setSetXattr(SetXattr.newBuilder().setValue(payload)))
        .build();
  }

  protected static ByteString randomBytes(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return ByteString.copyFrom(bytes);
  }

  protected static RpcException failureOf(RpcClient client, Request request, Duration deadline) {
    return catchThrowableOfType(RpcException.class, () -> client.call(request, deadline));
  }

  protected <T> Future<T> start(Callable<T> task) {
    return threads.submit(task);
  }

  protected static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + LONG.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - end).as("still waiting for: %s", what).isNegative();
      TimeUnit.MILLISECONDS.sleep(2);
    }
  }

  @Test
  void aRequestIsAnswered() throws Exception {
    try (RpcServer server = transport.serve(anyPort(), RpcContract::echo);
        RpcClient client = transport.client(server.address())) {
      assertThat(server.address().getPort()).isPositive();
      for (int i = 0; i < 100; i++) {
        Request request = request(i, randomBytes(i, i * 50));
        assertThat(client.call(request, LONG)).isEqualTo(echoOf(request));
      }
    }
  }

  @Test
  void manyThreadsShareAClientAndEachGetsItsOwnReplies() throws Exception {
    try (RpcServer server = transport.serve(anyPort(), RpcContract::echo);
        RpcClient client = transport.client(server.address())) {
      callFromManyThreads(client, i -> 1 + (i % 7) * 300);
    }
  }

  /**
   * Forty threads with 400 calls each; every reply has to be the right one.
   *
   * @param payloadBytes by the number of the call in its thread
   */
  protected final void callFromManyThreads(RpcClient client, IntUnaryOperator payloadBytes)
      throws Exception {
    List<Future<Integer>> callers = new ArrayList<>();
    for (int thread = 0; thread < 40; thread++) {
      long base = thread * 1_000_000L;
      callers.add(start(() -> callMany(client, base, payloadBytes)));
    }
    for (Future<Integer> caller : callers) {
      assertThat(caller.get()).isEqualTo(400);
    }
  }

  private static int callMany(RpcClient client, long base, IntUnaryOperator payloadBytes)
      throws Exception {
    int right = 0;
    for (int i = 0; i < 400; i++) {
      Request request = request(base + i, randomBytes(base + i, payloadBytes.applyAsInt(i)));
      right += client.call(request, LONG).equals(echoOf(request)) ? 1 : 0;
    }
    return right;
  }

  @Test
  void repliesMayComeFromOtherThreadsAndInAnyOrder() throws Exception {
    Queue<Runnable> held = new ConcurrentLinkedQueue<>();
    RpcHandler hold = (request, responder) -> held.add(() -> echo(request, responder));
    try (RpcServer server = transport.serve(anyPort(), hold);
        RpcClient client = transport.client(server.address())) {
      List<Future<Reply>> calls = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        long sequence = i;
        calls.add(start(() -> client.call(request(sequence), LONG)));
        await("request " + i, () -> held.size() == sequence + 1);
      }
      List<Runnable> replies = new ArrayList<>(held);
      for (int i = replies.size() - 1; i >= 0; i--) {
        replies.get(i).run();
        assertThat(calls.get(i).get().getDetail()).isEqualTo(Integer.toString(i));
      }
    }
  }

  @Test
  void aHandlerThatNeverAnswersCostsTheCallerItsDeadline() throws Exception {
    try (RpcServer server = transport.serve(anyPort(), (request, responder) -> {});
        RpcClient client = transport.client(server.address())) {
      RpcException failure = failureOf(client, request(1), SHORT);
      assertThat(failure.outcome()).isEqualTo(Outcome.UNKNOWN);
    }
  }

  @Test
  void moreUnansweredCallsThanAConnectionHoldsAllEndAtTheirDeadlines() throws Exception {
    RpcHandler onlyEven =
        (request, responder) -> {
          if (request.getSequence() % 2 == 0) {
            echo(request, responder);
          }
        };
    try (RpcServer server = transport.serve(anyPort(), onlyEven);
        RpcClient client = transport.client(server.address())) {
      List<Future<RpcException>> calls = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        calls.add(start(() -> failureOf(client, request(1), SHORT)));
      }
      for (Future<RpcException> call : calls) {
        assertThat(call.get()).isNotNull();
      }
      assertThat(client.call(request(2), LONG).getDetail()).isEqualTo("2");
    }
  }

  @Test
  void aReplyAfterTheDeadlineHarmsNobody() throws Exception {
    Queue<Runnable> held = new ConcurrentLinkedQueue<>();
    RpcHandler holdFirst =
        (request, responder) -> {
          if (request.getSequence() == 1) {
            held.add(() -> echo(request, responder));
          } else {
            echo(request, responder);
          }
        };
    try (RpcServer server = transport.serve(anyPort(), holdFirst);
        RpcClient client = transport.client(server.address())) {
      for (int round = 0; round < 40; round++) {
        assertThat(failureOf(client, request(1), Duration.ofMillis(20))).isNotNull();
        Runnable late = held.poll();
        if (late != null) {
          late.run();
        }
        assertThat(client.call(request(2), LONG).getDetail()).isEqualTo("2");
      }
    }
  }

  @Test
  void aServerThatClosesEndsTheCallsInFlight() throws Exception {
    AtomicInteger seen = new AtomicInteger();
    RpcServer server = transport.serve(anyPort(), (request, responder) -> seen.incrementAndGet());
    try (RpcClient client = transport.client(server.address())) {
      List<Future<RpcException>> calls = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        calls.add(start(() -> failureOf(client, request(1), Duration.ofHours(1))));
      }
      await("the requests", () -> seen.get() == 5);
      server.close();
      for (Future<RpcException> call : calls) {
        assertThat(call.get().outcome()).isEqualTo(Outcome.UNKNOWN);
      }
    }
  }

  @Test
  void aCallToNobodyWasNotSent() throws Exception {
    InetSocketAddress gone;
    try (RpcServer server = transport.serve(anyPort(), RpcContract::echo)) {
      gone = server.address();
    }
    try (RpcClient client = transport.client(gone)) {
      assertThat(failureOf(client, request(1), SHORT).outcome()).isEqualTo(Outcome.NOT_SENT);
      assertThat(failureOf(client, request(1), SHORT).outcome()).isEqualTo(Outcome.NOT_SENT);
    }
  }

  @Test
  void aClientFindsARestartedServerAgain() throws Exception {
    RpcServer first = transport.serve(anyPort(), RpcContract::echo);
    try (RpcClient client = transport.client(first.address())) {
      for (int round = 0; round < 5; round++) {
        assertThat(client.call(request(round), LONG).getErrno()).isZero();
        first.close();
        RpcException failure = failureOf(client, request(round), Duration.ofSeconds(2));
        assertThat(failure).isNotNull();
        first = transport.serve(first.address(), RpcContract::echo);
        callUntilAnswered(client, request(round));
      }
    }
    first.close();
  }

  private static void callUntilAnswered(RpcClient client, Request request) throws Exception {
    for (int attempt = 0; ; attempt++) {
      try {
        client.call(request, LONG);
        return;
      } catch (RpcException e) {
        assertThat(attempt).as("attempts; the last failed with %s", e).isLessThan(20);
      }
    }
  }

  @Test
  void anInterruptEndsTheWaitAndHarmsNoOtherCall() throws Exception {
    AtomicInteger seen = new AtomicInteger();
    Queue<Runnable> held = new ConcurrentLinkedQueue<>();
    RpcHandler hold =
        (request, responder) -> {
          seen.incrementAndGet();
          held.add(() -> echo(request, responder));
        };
    try (RpcServer server = transport.serve(anyPort(), hold);
        RpcClient client = transport.client(server.address())) {
      List<Future<Reply>> calls = new ArrayList<>();
      List<Thread> interrupted = new ArrayList<>();
      Queue<Throwable> ends = new ConcurrentLinkedQueue<>();
      for (int i = 0; i < 3; i++) {
        Thread thread =
            new Thread(
                () -> {
                  try {
                    client.call(request(9), Duration.ofHours(1));
                  } catch (InterruptedException | RpcException e) {
                    ends.add(e);
                  }
                });
        thread.start();
        interrupted.add(thread);
      }
      await("the calls to be interrupted", () -> seen.get() == 3);
      for (int i = 0; i < 3; i++) {
        long sequence = i;
        calls.add(start(() -> client.call(request(sequence), LONG)));
      }
      await("the other calls", () -> seen.get() == 6);
      for (Thread thread : interrupted) {
        thread.interrupt();
        thread.join();
      }
      assertThat(ends).hasSize(3).hasOnlyElementsOfType(InterruptedException.class);
      held.forEach(Runnable::run);
      for (int i = 0; i < 3; i++) {
        assertThat(calls.get(i).get().getDetail()).isEqualTo(Integer.toString(i));
      }
    }
  }

  @Test
  void theLargestMessagesPassAndLargerOnesAreRefused() throws Exception {
    RpcHandler handler =
        (request, responder) -> {
          int growth = (int) request.getAcknowledged();
          ByteString value = request.getOperation().getSetXattr().getValue();
          responder.reply(
              Reply.newBuilder().setValue(value.concat(randomBytes(1, growth))).build());
        };
    try (RpcServer server = transport.serve(anyPort(), handler);
        RpcClient client = transport.client(server.address())) {
      Request largest = requestOfSize(RpcTransport.MAX_MESSAGE_BYTES);
      ByteString value = largest.getOperation().getSetXattr().getValue();
      assertThat(client.call(largest, LONG).getValue()).isEqualTo(value);
      int growth = RpcTransport.MAX_MESSAGE_BYTES - 4 - 100;
      Request grows = request(1, randomBytes(2, 100)).toBuilder().setAcknowledged(growth).build();
      Reply full = client.call(grows, LONG);
      assertThat(full.getErrno()).isZero();
      assertThat(full.getSerializedSize()).isEqualTo(RpcTransport.MAX_MESSAGE_BYTES);
      Reply refused = client.call(grows.toBuilder().setAcknowledged(growth + 1).build(), LONG);
      assertThat(Errno.of(refused.getErrno())).isEqualTo(Errno.EOVERFLOW);
      Request tooLarge = requestOfSize(RpcTransport.MAX_MESSAGE_BYTES + 1);
      assertThat(failureOf(client, tooLarge, LONG).outcome()).isEqualTo(Outcome.NOT_SENT);
      assertThat(client.call(request(3), LONG).getErrno()).isZero();
    }
  }

  private static Request requestOfSize(int bytes) {
    int length = bytes;
    while (request(1, randomBytes(1, length)).getSerializedSize() > bytes) {
      length--;
    }
    Request request = request(1, randomBytes(1, length));
    assertThat(request.getSerializedSize()).isEqualTo(bytes);
    return request;
  }

  @Test
  void aHandlerThatThrowsIsAnErrorOfThePeer() throws Exception {
    RpcHandler throwing =
        (request, responder) -> {
          if (request.getSequence() == 1) {
            throw new IllegalStateException("this handler throws on purpose");
          }
          echo(request, responder);
          echo(request, responder);
        };
    try (RpcServer server = transport.serve(anyPort(), throwing);
        RpcClient client = transport.client(server.address())) {
      assertThat(client.call(request(1), LONG).getErrno()).isEqualTo(Errno.EIO.code());
      assertThat(client.call(request(2), LONG).getDetail()).isEqualTo("2");
      assertThat(client.call(request(3), LONG).getDetail()).isEqualTo("3");
    }
  }

  @Test
  void aPingIsAnsweredWithoutTheHandler() throws Exception {
    Request ping = Request.newBuilder().setPing(Ping.getDefaultInstance()).build();
    try (RpcServer server = transport.serve(anyPort(), (request, responder) -> {});
        RpcClient client = transport.client(server.address())) {
      assertThat(client.call(ping, LONG)).isEqualTo(Reply.getDefaultInstance());
    }
  }

  @Test
  void closingTheClientEndsItsCalls() throws Exception {
    AtomicInteger seen = new AtomicInteger();
    try (RpcServer server =
        transport.serve(anyPort(), (request, responder) -> seen.incrementAndGet())) {
      RpcClient client = transport.client(server.address());
      List<Future<RpcException>> calls = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        calls.add(start(() -> failureOf(client, request(1), Duration.ofHours(1))));
      }
      await("the requests", () -> seen.get() == 4);
      client.close();
      client.close();
      for (Future<RpcException> call : calls) {
        assertThat(call.get().outcome()).isEqualTo(Outcome.UNKNOWN);
      }
      assertThat(failureOf(client, request(1), LONG).outcome()).isEqualTo(Outcome.NOT_SENT);
    }
  }

  @Test
  void closingTheTransportEndsEverything() throws Exception {
    AtomicInteger seen = new AtomicInteger();
    RpcServer server = transport.serve(anyPort(), (request, responder) -> seen.incrementAndGet());
    RpcClient client = transport.client(server.address());
    Future<RpcException> call = start(() -> failureOf(client, request(1), Duration.ofHours(1)));
    await("the request", () -> seen.get() == 1);
    transport.close();
    assertThat(call.get().outcome()).isEqualTo(Outcome.UNKNOWN);
    server.close();
    client.close();
  }

  @Test
  void anAddressIsServedOnce() throws Exception {
    try (RpcServer server = transport.serve(anyPort(), RpcContract::echo)) {
      assertThat(
              catchThrowableOfType(
                  IOException.class,
                  () -> transport.serve(server.address(), RpcContract::echo).close()))
          .isNotNull();
      try (RpcClient client = transport.client(server.address())) {
        assertThat(client.call(request(1), LONG).getErrno()).isZero();
      }
    }
  }

  @Test
  void aClosedServerToleratesLateReplies() throws Exception {
    Queue<Runnable> held = new ConcurrentLinkedQueue<>();
    RpcServer server =
        transport.serve(anyPort(), (q, responder) -> held.add(() -> echo(q, responder)));
    try (RpcClient client = transport.client(server.address())) {
      Future<RpcException> call = start(() -> failureOf(client, request(1), LONG));
      await("the request", () -> !held.isEmpty());
      server.close();
      assertThat(call.get().outcome()).isEqualTo(Outcome.UNKNOWN);
      held.forEach(Runnable::run);
    }
  }

  @Test
  void clientsComeAndGo() throws Exception {
    try (RpcServer server = transport.serve(anyPort(), RpcContract::echo)) {
      for (int i = 0; i < 60; i++) {
        try (RpcClient client = transport.client(server.address())) {
          assertThat(client.call(request(i), LONG).getDetail()).isEqualTo(Integer.toString(i));
        }
      }
    }
  }
}
