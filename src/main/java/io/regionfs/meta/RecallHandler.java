package io.regionfs.meta;

import io.regionfs.model.Errno;
import io.regionfs.model.InodeId;
import io.regionfs.proto.Recall;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcResponder;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;

/**
 * Answers the metadata service's recalls: when it has answered, this node and whoever it told of
 * answers has forgotten them. Passes on what it says of locks that were waited for.
 */
public final class RecallHandler implements RpcHandler, AutoCloseable {
  private final NodeCache cache;
  private final LockCalls locks;
  private final ExecutorService executor =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "metadata-recalls");
            thread.setDaemon(true);
            return thread;
          });

  /** For the cache of this client, which stays the caller's to close. */
  public RecallHandler(MetadataClient metadata) {
    this.cache = metadata.cache();
    this.locks = metadata.locks();
  }

  @Override
  public void handle(Request request, RpcResponder responder) {
    if (!request.hasRecall()) {
      responder.reply(refusal(Errno.EINVAL, "not a recall"));
      return;
    }
    locks.granted(request.getRecall().getGrantedList());
    try {
      executor.execute(() -> answer(request.getRecall(), responder));
    } catch (RejectedExecutionException e) {
      responder.reply(refusal(Errno.EAGAIN, "this node ends"));
    }
  }

  private void answer(Recall recall, RpcResponder responder) {
    try {
      List<InodeId> inodes = recall.getInodesList().stream().map(InodeId::new).toList();
      cache.recalled(recall.getTerm(), inodes);
      if (recall.getAll()) {
        cache.forgetAll();
      }
    } catch (RuntimeException e) {
      responder.reply(refusal(Errno.EIO, "could not forget: " + e));
      return;
    }
    responder.reply(Reply.getDefaultInstance());
  }

  private static Reply refusal(Errno errno, String detail) {
    return Reply.newBuilder().setErrno(errno.code()).setDetail(detail).build();
  }

  /** Recalls are refused from now on: end the membership first. */
  @Override
  public void close() {
    executor.shutdownNow();
  }
}
