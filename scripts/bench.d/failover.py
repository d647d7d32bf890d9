"""Measures for how long creates of files pause when the metadata service's leader fails.

    failover.py CLUSTER REGIONFS DIRECTORY META-ADDRESSES ROUNDS

A thread makes files in DIRECTORY, one after the other. Each round the leader fails and, when creates go on, comes back;
the next round begins when all replicas follow. A round's figure is the longest time between two completed creates, in
seconds. ROUNDS times the leader is killed; then it is stopped once, and cut off the network once. A create that fails
ends the measurement. Prints JSON.
"""
import json
import os
import subprocess
import sys
import threading
import time

cluster, regionfs, directory, addresses, rounds = *sys.argv[1:5], int(sys.argv[5])
LONGEST_WAIT = 60
QUIET = 1.0  # seconds of creates before a failure and after it


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Creates(threading.Thread):
    """Makes files until it is told to stop; knows when each was complete."""

    made = 0  # names are never used twice

    def __init__(self):
        super().__init__(name="creates", daemon=True)
        self.done = [time.monotonic()]
        self.failure = None
        self.stopped = False

    def run(self):
        try:
            while not self.stopped:
                Creates.made += 1
                path = f"{directory}/{Creates.made}"
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
                self.done.append(time.monotonic())
        except OSError as failure:
            self.failure = failure

    def go_on(self, since):
        """Waits until creates have gone on for a while after a moment."""
        end = time.monotonic() + LONGEST_WAIT
        while self.first_after(since) is None or time.monotonic() < self.first_after(since) + QUIET:
            if self.failure or time.monotonic() > end:
                sys.exit(f"creates do not go on: {self.failure or 'they wait'}")
            time.sleep(0.05)

    def first_after(self, since):
        # From the end: only a few creates are complete between two looks.
        first = None
        for moment in reversed(self.done[:]):
            if moment <= since:
                break
            first = moment
        return first

    def longest_gap(self):
        self.stopped = True
        self.join(LONGEST_WAIT)
        if self.failure or self.is_alive():
            sys.exit(f"a create failed: {self.failure or 'it waits'}")
        return max(b - a for a, b in zip(self.done, self.done[1:]))


def all_follow():
    status = subprocess.run(
        [cluster, "exec", "1", "--", regionfs, "meta", "status", "--json", "--meta", addresses],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if status.returncode:
        return False
    replicas = json.loads(status.stdout)["replicas"]
    roles = sorted(replica["role"] for replica in replicas)
    # What they were asked for at slightly different moments need not be equal while nodes renew their leases.
    applied = [replica.get("appliedIndex", 0) for replica in replicas]
    return roles == ["follower"] * (len(roles) - 1) + ["leader"] and max(applied) - min(applied) < 100


def settle():
    end = time.monotonic() + LONGEST_WAIT
    while not all_follow():
        if time.monotonic() > end:
            sys.exit("a replica does not follow again")
        time.sleep(0.3)


def measure(fail, heal):
    creates = Creates()
    creates.start()
    creates.go_on(time.monotonic())
    leader = fail()
    creates.go_on(time.monotonic())
    gap = creates.longest_gap()
    run(cluster, heal, leader)
    settle()
    return gap


def of_leader(command):
    leader = run(cluster, "leader")
    run(cluster, command, leader)
    return leader


settle()
figures = {"killed": [measure(lambda: run(cluster, "kill-leader"), "start") for _ in range(rounds)]}
figures["paused"] = measure(lambda: of_leader("pause"), "resume")
figures["cut"] = measure(lambda: of_leader("cut"), "heal")
print(json.dumps(figures))
