package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.IbvQPCap;
import com.ibm.disni.verbs.IbvQPInitAttr;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import io.regionfs.posix.LibC;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A reliable connection's two work queues and its state. {@code transmit} guards the send queue,
 * what is sent, and every change of state; bytes move into memory within a {@link Placement}. What
 * the reader of the connection hears of the peer's requests goes to {@link Replies}, of its answers
 * to {@link Requester}.
 */
final class SoftQueuePair extends IbvQP {
  private static final Logger LOG = LoggerFactory.getLogger(SoftQueuePair.class);

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
  private final Placement placement = new Placement(this::isAlive);
  private final Replies replies;
  private final Requester requester;

  /** One of IBV_QPS_INIT, RTS and ERR. */
  private volatile int phase = IBV_QPS_INIT;

  private volatile @Nullable Link link;
  private int socket = -1;
  private boolean connected;
  private boolean closing;
  private boolean refusedLate;

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
    replies = new Replies(this, transmit, transmitter, receives, receipts);
    requester = new Requester(this, transmit, transmitter, requests, placement, sends);
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

  Placement placement() {
    return placement;
  }

  /** What the reader tells of the peer's requests. */
  Replies replies() {
    return replies;
  }

  /** What the reader tells of the peer's answers. */
  Requester requester() {
    return requester;
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
    requester.limitRetries(peer.rnrRetries());
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
  void pump() {
    requester.failBadRequest();
    if (mayTransmit()) {
      transmitter.pump(socket);
    }
    Link current = link;
    if (transmitter.isBlocked() && current != null) {
      current.arm();
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

  /** Under the transmit lock. */
  void checkOverrun() {
    if (sendCompletions.isOverrun() || receiveCompletions.isOverrun()) {
      fail(WcStatus.WR_FLUSH_ERR, false);
    }
  }

  // Ending.

  /** Bytes cannot go where they belong: into the peer's target, or our own. */
  void targetFails(boolean requestOfPeer) {
    if (!isAlive()) {
      return;
    }
    if (requestOfPeer) {
      replies.refuse(WcStatus.REM_ACCESS_ERR);
    } else {
      fail(WcStatus.LOC_PROT_ERR, false);
    }
  }

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
  void fail(int status, boolean lastWords) {
    boolean tell;
    transmit.lock();
    try {
      if (!isAlive()) {
        return;
      }
      enter(IBV_QPS_ERR);
      placement.awaitEnd();
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

  private void flushQueues(int statusOfOldest) {
    requester.flush(statusOfOldest);
    replies.flush();
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
