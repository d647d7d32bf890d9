package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.IbvQPCap;
import com.ibm.disni.verbs.IbvQPInitAttr;
import com.ibm.disni.verbs.IbvWC.IbvWcOpcode;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.soft.ReceiveQueue.Receive;
import io.regionfs.verbs.soft.Responses.Response;
import io.regionfs.verbs.soft.SendQueue.Request;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A reliable connection's two work queues and its state. {@code transmit} guards the send queue,
 * what is sent, and every change of state; {@code touching} is held while bytes move into memory,
 * so that no byte moves any more once a failure has been reported.
 */
final class SoftQueuePair extends IbvQP {
  private static final Logger LOG = LoggerFactory.getLogger(SoftQueuePair.class);
  private static final int FOR_EVER = 7;
  private static final int RECEIVED = IbvWcOpcode.IBV_WC_RECV.getOpcode();
  private static final int RECEIVED_IMMEDIATE = IbvWcOpcode.IBV_WC_RECV_RDMA_WITH_IMM.getOpcode();

  private final SoftConnectionId id;
  private final SoftProtectionDomain softDomain;
  private final SoftCompletionQueue sendCompletions;
  private final SoftCompletionQueue receiveCompletions;
  private final SendQueue requests;
  private final ReceiveQueue receives;
  private final Posting posting;
  private final Transmitter transmitter;
  private final int maxSegments;
  private final ReentrantLock transmit = new ReentrantLock();
  private final ReentrantLock touching = new ReentrantLock();

  /** One of IBV_QPS_INIT, RTS and ERR. */
  private volatile int phase = IBV_QPS_INIT;

  private volatile @Nullable Link link;
  private int socket = -1;
  private boolean connected;
  private boolean closing;
  private boolean refusedLate;
  private int rnrRetries;
  private int rnrAttempts;

  SoftQueuePair(SoftConnectionId id, SoftProtectionDomain domain, IbvQPInitAttr attributes)
      throws IOException {
    super(id.device().nextQueuePairNumber());
    IbvQPCap caps = attributes.cap();
    SoftDeviceOptions limits = id.device().options();
    within(caps.getMax_send_wr(), limits.maxWorkRequests(), "max_send_wr");
    within(caps.getMax_recv_wr(), limits.maxWorkRequests(), "max_recv_wr");
    within(caps.getMax_send_sge(), limits.maxSegments(), "max_send_sge");
    within(caps.getMax_recv_sge(), limits.maxSegments(), "max_recv_sge");
    within(caps.getMax_inline_data(), limits.maxInlineBytes(), "max_inline_data");
    if (!(attributes.getSend_cq() instanceof SoftCompletionQueue sends)
        || !(attributes.getRecv_cq() instanceof SoftCompletionQueue receipts)
        || attributes.getSrq() != 0) {
      throw new IOException("a queue pair needs two completion queues, and no shared receives");
    }
    this.id = id;
    softDomain = domain;
    sendCompletions = sends;
    receiveCompletions = receipts;
    pd = domain;
    context = domain.getContext();
    send_cq = sends;
    recv_cq = receipts;
    qp_type = IBV_QPT_RC;
    state = phase;
    maxSegments = Math.max(1, Math.max(caps.getMax_send_sge(), caps.getMax_recv_sge()));
    requests = new SendQueue(caps.getMax_send_wr(), Math.max(1, caps.getMax_send_sge()));
    receives = new ReceiveQueue(caps.getMax_recv_wr(), Math.max(1, caps.getMax_recv_sge()));
    transmitter = new Transmitter(this, requests, limits.readDepth());
    posting = new Posting(domain, requests, receives, caps, attributes.getSq_sig_all() != 0);
    sends.attach(this);
    if (receipts != sends) {
      receipts.attach(this);
    }
  }

  private static void within(int value, int limit, String name) throws IOException {
    if (value < 0 || value > limit) {
      throw new IOException(name + " " + value + " is beyond the device's limit of " + limit);
    }
  }

  SoftDevice device() {
    return id.device();
  }

  SoftProtectionDomain domain() {
    return softDomain;
  }

  ReceiveQueue receiveQueue() {
    return receives;
  }

  int number() {
    return qp_num;
  }

  int maxSegments() {
    return maxSegments;
  }

  @Nullable Link link() {
    return link;
  }

  /** Whether it takes part in the protocol: nothing has failed. */
  boolean isAlive() {
    return phase != IBV_QPS_ERR;
  }

  boolean isConnected() {
    return phase == IBV_QPS_RTS;
  }

  boolean mayTransmit() {
    return socket >= 0;
  }

  boolean isOutputBlocked() {
    return transmitter.isBlocked();
  }

  /** Reads from the connection if nobody else does, for one who polls. */
  void progress() {
    Link current = link;
    if (current != null) {
      current.progress();
    }
  }

  private void enter(int newPhase) {
    phase = newPhase;
    state = newPhase;
  }

  // Connecting.

  void connect(int fd, InetSocketAddress peer, Handshake request) throws IOException {
    Link fresh = newLink(fd);
    link = fresh;
    fresh.startActive(peer, request);
  }

  private Link newLink(int fd) throws IOException {
    if (!isOpen() || phase != IBV_QPS_INIT || link != null) {
      LibC.INSTANCE.close(fd);
      throw new IOException("the queue pair was connected before, or is destroyed");
    }
    try {
      return new Link(this, fd);
    } catch (IOException e) {
      LibC.INSTANCE.close(fd);
      throw e;
    }
  }

  void accept(int fd, Handshake asked, Handshake answer) throws IOException {
    Link fresh = newLink(fd);
    transmit.lock();
    try {
      if (!TcpSocket.sendAll(fd, answer.encode())) {
        LOG.debug("peer is gone before its connection was accepted");
      }
      establish(fd, asked);
      link = fresh;
    } finally {
      transmit.unlock();
    }
    id.event(EventType.RDMA_CM_EVENT_ESTABLISHED, 0);
    fresh.startPassive();
  }

  private void establish(int fd, Handshake peer) {
    socket = fd;
    connected = true;
    transmitter.limitReads(peer.readDepth());
    rnrRetries = peer.rnrRetries();
    enter(IBV_QPS_RTS);
  }

  /** The peer answered. */
  void connected(int fd, Handshake answer) {
    if (answer.kind() != Handshake.ACCEPT) {
      connectFailed(111);
      return;
    }
    id.learnLocal(fd);
    transmit.lock();
    try {
      if (!isAlive()) {
        return;
      }
      establish(fd, answer);
    } finally {
      transmit.unlock();
    }
    id.event(EventType.RDMA_CM_EVENT_ESTABLISHED, null, 0, answer.privateData());
  }

  void connectFailed(int errno) {
    fail(WcStatus.WR_FLUSH_ERR, false);
    boolean rejected = errno == 111;
    id.event(
        rejected ? EventType.RDMA_CM_EVENT_REJECTED : EventType.RDMA_CM_EVENT_UNREACHABLE, -errno);
  }

  // Posting.

  void postSend(SoftPostSend.Work[] works) throws IOException {
    transmit.lock();
    try {
      if (!isOpen() || phase == IBV_QPS_INIT) {
        throw new IOException("queue pair is " + (isOpen() ? "not connected" : "destroyed"));
      }
      try {
        for (SoftPostSend.Work work : works) {
          posting.send(work, transmitter.nextStamp());
        }
      } finally {
        if (isAlive()) {
          pump();
        } else {
          flushQueues(WcStatus.WR_FLUSH_ERR);
        }
      }
    } finally {
      transmit.unlock();
    }
  }

  void postReceive(SoftPostReceive.Work[] works) throws IOException {
    if (!isOpen()) {
      throw new IOException("queue pair is destroyed");
    }
    transmit.lock();
    try {
      for (SoftPostReceive.Work work : works) {
        posting.receive(work);
      }
      if (!isAlive()) {
        flushQueues(WcStatus.WR_FLUSH_ERR);
      }
    } finally {
      transmit.unlock();
    }
  }

  /** Completions were polled: their slots are free again. */
  void polled(boolean receive, int slots) {
    if (receive) {
      receives.release(slots);
    } else {
      requests.release(slots);
    }
  }

  // Sending.

  /** Sends what waits, and fails what cannot be sent. Under the transmit lock. */
  private void pump() {
    failBadRequest();
    if (mayTransmit()) {
      transmitter.pump(socket);
    }
    Link current = link;
    if (transmitter.isBlocked() && current != null) {
      current.arm();
    }
  }

  private void failBadRequest() {
    Request oldest = requests.oldest();
    if (isConnected()
        && oldest != null
        && requests.nothingUnderWay()
        && oldest.localError != WcStatus.SUCCESS) {
      fail(oldest.localError, true);
    }
  }

  void flush() {
    transmit.lock();
    try {
      pump();
    } finally {
      transmit.unlock();
    }
    Link current = link;
    if (current != null) {
      current.arm();
    }
  }

  void flushResponses() {
    transmit.lock();
    try {
      if (transmitter.responses.oldest() != null) {
        pump();
      }
    } finally {
      transmit.unlock();
    }
  }

  /** Called by the transmitter when it has nothing left to send. */
  void outputIsEmpty() {
    if (refusedLate && isAlive()) {
      fail(WcStatus.WR_FLUSH_ERR, true);
    }
    Link current = link;
    if (closing && current != null) {
      current.endOutput();
    }
  }

  /** Memory that a READ asked for was deregistered before its bytes went out. */
  void refusedLate() {
    refusedLate = true;
  }

  void sendingMemoryIsGone() {
    fail(requests.underWay() == null ? WcStatus.WR_FLUSH_ERR : WcStatus.LOC_PROT_ERR, false);
  }

  // Serving the peer's requests. Called by the reader.

  /**
   * Begins to move bytes into memory, until {@link #untouch}; false if it isn't registered any
   * more.
   */
  @SuppressWarnings("LockNotBeforeTry") // held on return
  boolean touch(Segments into, int from, int to) {
    touching.lock();
    if (isAlive()) {
      int entered = from;
      while (entered < to) {
        SoftMemoryRegion region = into.region[entered];
        if (region != null && !region.enter()) {
          break;
        }
        entered++;
      }
      if (entered == to) {
        return true;
      }
      leave(into, from, entered);
    }
    touching.unlock();
    return false;
  }

  void untouch(Segments into, int from, int to) {
    leave(into, from, to);
    touching.unlock();
  }

  private static void leave(Segments into, int from, int to) {
    for (int i = from; i < to; i++) {
      SoftMemoryRegion region = into.region[i];
      if (region != null) {
        region.exit();
      }
    }
  }

  /** Bytes cannot go where they belong: into the peer's target, or our own. */
  void targetFails(boolean requestOfPeer) {
    if (!isAlive()) {
      return;
    }
    if (requestOfPeer) {
      refuse(WcStatus.REM_ACCESS_ERR);
    } else {
      fail(WcStatus.LOC_PROT_ERR, false);
    }
  }

  void acknowledge() {
    transmit.lock();
    try {
      transmitter.responses.acknowledge(transmitter.nextStamp());
    } finally {
      transmit.unlock();
    }
  }

  /** A message filled the oldest receive. The answer is queued before anybody can see it. */
  void received(int bytes, int immediate, int flags, boolean write) {
    transmit.lock();
    try {
      Receive receive = isAlive() ? receives.remove() : null;
      if (receive == null) {
        return;
      }
      transmitter.responses.acknowledge(transmitter.nextStamp());
      receive.immediate = immediate;
      receive.withImmediate = (flags & Wire.FLAG_IMMEDIATE) != 0;
      receive.solicited = (flags & Wire.FLAG_SOLICITED) != 0;
      receiveCompletions.completeReceive(
          this, receive, WcStatus.SUCCESS, write ? RECEIVED_IMMEDIATE : RECEIVED, bytes);
      checkOverrun();
    } finally {
      transmit.unlock();
    }
  }

  void receiveFails(int status, int statusOfPeer) {
    transmit.lock();
    try {
      Receive receive = isAlive() ? receives.remove() : null;
      if (receive != null) {
        receiveCompletions.completeReceive(this, receive, status, RECEIVED, 0);
        refuse(statusOfPeer);
      }
    } finally {
      transmit.unlock();
    }
  }

  void answerRead(@Nullable SoftMemoryRegion region, long address, int bytes) {
    Response response = answer(Wire.READ_DATA);
    if (response != null) {
      response.region = region;
      response.address = address;
      response.bytes = bytes;
    }
  }

  void answerAtomic(long old) {
    Response response = answer(Wire.ATOMIC_RESULT);
    if (response != null) {
      response.value = old;
    }
  }

  private @Nullable Response answer(int type) {
    transmit.lock();
    try {
      if (!transmitter.responses.hasRoom()) {
        refuse(WcStatus.REM_INV_REQ_ERR);
        return null;
      }
      return transmitter.responses.add(type, transmitter.nextStamp());
    } finally {
      transmit.unlock();
    }
  }

  /** The peer sent, and there is nothing to receive it. */
  void notReady() {
    transmit.lock();
    try {
      if (transmitter.responses.hasRoom()) {
        transmitter.responses.add(Wire.NOT_READY, transmitter.nextStamp());
      } else {
        violation("more requests than agreed on");
      }
    } finally {
      transmit.unlock();
    }
  }

  /** Refuses a request of the peer, and ends the connection as a NIC does. */
  void refuse(int status) {
    transmit.lock();
    try {
      if (isAlive()) {
        transmitter.responses.add(Wire.REFUSAL, transmitter.nextStamp()).status = status;
        fail(WcStatus.WR_FLUSH_ERR, true);
      }
    } finally {
      transmit.unlock();
    }
  }

  // Answers to our own requests. Called by the reader.

  void acknowledged(int count) {
    transmit.lock();
    try {
      for (int i = 0; i < count; i++) {
        Request oldest = requests.underWay();
        if (oldest == null || oldest.isRead() || transmitter.isSending(oldest)) {
          violation("unexpected acknowledgement");
          return;
        }
        complete(oldest, WcStatus.SUCCESS);
      }
      if (count < 1) {
        violation("empty acknowledgement");
        return;
      }
      pump();
    } finally {
      transmit.unlock();
    }
  }

  /** Where the bytes of the oldest READ go; null if there is none of that length. */
  @Nullable Segments readAnswered(int bytes) {
    transmit.lock();
    try {
      Request oldest = requests.underWay();
      if (oldest == null || !oldest.isRead() || oldest.isAtomic() || oldest.bytes != bytes) {
        violation("unexpected read data");
        return null;
      }
      return oldest.segments;
    } finally {
      transmit.unlock();
    }
  }

  void readComplete() {
    transmit.lock();
    try {
      Request oldest = requests.underWay();
      if (isAlive() && oldest != null) {
        complete(oldest, WcStatus.SUCCESS);
        pump();
      }
    } finally {
      transmit.unlock();
    }
  }

  void atomicAnswered(long old) {
    transmit.lock();
    try {
      Request oldest = requests.underWay();
      if (oldest == null || !oldest.isAtomic()) {
        violation("unexpected result of an atomic");
        return;
      }
      Segments into = oldest.segments;
      if (!touch(into, 0, 1)) {
        fail(WcStatus.LOC_PROT_ERR, false);
        return;
      }
      Memory.putLong(into.address[0], old);
      untouch(into, 0, 1);
      complete(oldest, WcStatus.SUCCESS);
      pump();
    } finally {
      transmit.unlock();
    }
  }

  void refusedByPeer(int status) {
    boolean known =
        status == WcStatus.REM_INV_REQ_ERR
            || status == WcStatus.REM_ACCESS_ERR
            || status == WcStatus.REM_OP_ERR;
    fail(known ? status : WcStatus.BAD_RESP_ERR, false);
  }

  void peerNotReady() {
    transmit.lock();
    try {
      Request oldest = requests.underWay();
      if (oldest == null || !oldest.needsReceive()) {
        violation("unexpected not-ready");
        return;
      }
      if (rnrRetries != FOR_EVER && rnrAttempts >= rnrRetries) {
        fail(WcStatus.RNR_RETRY_EXC_ERR, true);
        return;
      }
      long millis = 1L << Math.min(rnrAttempts, 5);
      rnrAttempts++;
      transmitter.hold();
      var unused = device().timer().schedule(this::resume, millis, TimeUnit.MILLISECONDS);
    } finally {
      transmit.unlock();
    }
  }

  private void resume() {
    transmit.lock();
    try {
      transmitter.resume();
    } finally {
      transmit.unlock();
    }
    flush();
  }

  private void complete(Request oldest, int status) {
    requests.removeOldest(oldest);
    rnrAttempts = 0;
    if (oldest.signalled || status != WcStatus.SUCCESS) {
      int slots = requests.silent;
      requests.silent = 0;
      sendCompletions.completeSend(
          this, oldest.workRequest, status, Posting.completionOpcode(oldest), oldest.bytes, slots);
      checkOverrun();
    }
  }

  private void checkOverrun() {
    if (sendCompletions.isOverrun() || receiveCompletions.isOverrun()) {
      fail(WcStatus.WR_FLUSH_ERR, false);
    }
  }

  // Ending.

  void disconnect() {
    transmit.lock();
    try {
      if (isAlive() && socket >= 0) {
        transmitter.responses.add(Wire.DISCONNECT, transmitter.nextStamp());
      }
      fail(WcStatus.WR_FLUSH_ERR, true);
    } finally {
      transmit.unlock();
    }
  }

  void disconnectedByPeer() {
    fail(WcStatus.WR_FLUSH_ERR, true);
  }

  /** The peer broke the protocol. */
  void violation(String what) {
    if (isAlive()) {
      LOG.warn("queue pair {} ends: the peer sent an {}", qp_num, what);
      fail(WcStatus.BAD_RESP_ERR, false);
    }
  }

  /** The socket ended without a word. */
  void lost(int errno) {
    fail(WcStatus.RETRY_EXC_ERR, false);
  }

  void cut() {
    Link current = link;
    if (current != null) {
      current.cut();
    }
  }

  /**
   * Ends the connection: the oldest request gets the status, all other requests and receives are
   * flushed. With {@code lastWords}, what is queued as an answer still goes out.
   */
  private void fail(int status, boolean lastWords) {
    boolean tell;
    transmit.lock();
    try {
      if (!isAlive()) {
        return;
      }
      enter(IBV_QPS_ERR);
      awaitTouching();
      flushQueues(status);
      closing = true;
      Link current = link;
      if (current != null) {
        if (lastWords && !transmitter.hasPartOfRequest()) {
          current.cutLater();
          pump();
        } else {
          current.cut();
        }
      }
      tell = connected;
    } finally {
      transmit.unlock();
    }
    if (tell) {
      id.event(EventType.RDMA_CM_EVENT_DISCONNECTED, 0);
    }
  }

  /** Waits until the bytes that are moving have moved; none will follow. */
  private void awaitTouching() {
    touching.lock();
    try {
      // Whoever comes next sees the new state.
    } finally {
      touching.unlock();
    }
  }

  private void flushQueues(int statusOfOldest) {
    int status = statusOfOldest;
    for (Request r = requests.oldest(); r != null; r = requests.oldest()) {
      complete(r, status);
      status = WcStatus.WR_FLUSH_ERR;
    }
    for (Receive r = receives.remove(); r != null; r = receives.remove()) {
      receiveCompletions.completeReceive(this, r, WcStatus.WR_FLUSH_ERR, RECEIVED, 0);
    }
  }

  /** Ends the connection if it has one; nothing may be posted any more. */
  void destroy() {
    if (!isOpen()) {
      return;
    }
    disconnect();
    close();
    sendCompletions.detach(this);
    receiveCompletions.detach(this);
  }

  /** The link's thread ends: its socket closes while nobody sends. */
  void release(Runnable closeSocket) {
    transmit.lock();
    try {
      socket = -1;
      closeSocket.run();
      transmitter.free();
      posting.free();
    } finally {
      transmit.unlock();
    }
  }
}
