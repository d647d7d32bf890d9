package io.regionfs.history;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Is there an order of a history's operations, each somewhere between its call and its return, that
 * a single object could have gone through? A depth-first search that remembers where it has been
 * (Wing and Gong 1993, with Lowe's memory of visited configurations, 2017). Exponential at worst:
 * meant for a few hundred operations on one object.
 */
public final class Linearizability {
  private Linearizability() {}

  private record Configuration(BitSet done, Object state) {}

  private record Choice<S>(int event, S before) {}

  /** Empty if the history is linearizable; else what could not be explained. */
  public static <S> Optional<String> violation(List<Event<S>> history, S initial) {
    List<Event<S>> events = new ArrayList<>(history);
    events.sort(Comparator.comparingLong(Event::start));
    int mustEnd = (int) events.stream().filter(e -> !e.isPending()).count();
    BitSet done = new BitSet(events.size());
    Set<Configuration> seen = new HashSet<>();
    Deque<Choice<S>> path = new ArrayDeque<>();
    S state = initial;
    int ended = 0;
    int next = 0;
    int deepest = -1;
    String farthest = "";
    while (ended < mustEnd) {
      int chosen = -1;
      @Nullable S after = null;
      long horizon = horizon(events, done);
      for (int i = next; i < events.size() && events.get(i).start() <= horizon; i++) {
        if (done.get(i)) {
          continue;
        }
        S tried = events.get(i).step().after(state);
        if (tried == null) {
          continue;
        }
        done.set(i);
        if (seen.add(new Configuration((BitSet) done.clone(), tried))) {
          chosen = i;
          after = tried;
          break;
        }
        done.clear(i);
      }
      if (after != null) {
        path.push(new Choice<>(chosen, state));
        state = after;
        ended += events.get(chosen).isPending() ? 0 : 1;
        next = 0;
        continue;
      }
      if (ended > deepest) {
        deepest = ended;
        farthest = describe(events, done, state, horizon);
      }
      if (path.isEmpty()) {
        return Optional.of(farthest);
      }
      Choice<S> undone = path.pop();
      done.clear(undone.event);
      ended -= events.get(undone.event).isPending() ? 0 : 1;
      state = undone.before;
      next = undone.event + 1;
    }
    return Optional.empty();
  }

  /** What has not been placed yet must have been called before the first of them returned. */
  private static <S> long horizon(List<Event<S>> events, BitSet done) {
    long horizon = Event.NEVER;
    for (int i = done.nextClearBit(0); i < events.size(); i = done.nextClearBit(i + 1)) {
      if (events.get(i).start() > horizon) {
        break;
      }
      horizon = Math.min(horizon, events.get(i).end());
    }
    return horizon;
  }

  private static <S> String describe(List<Event<S>> events, BitSet done, S state, long horizon) {
    StringBuilder text =
        new StringBuilder("after " + done.cardinality() + " operations the state ");
    text.append(state).append(" allows none of these:");
    for (int i = done.nextClearBit(0); i < events.size(); i = done.nextClearBit(i + 1)) {
      Event<S> event = events.get(i);
      if (event.start() > horizon) {
        break;
      }
      text.append("\n  ").append(event.text()).append(" from ").append(event.start());
      text.append(event.isPending() ? ", no answer" : " to " + event.end());
    }
    return text.toString();
  }
}
