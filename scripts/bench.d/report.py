"""Makes a table, and JSON, of what the parts of scripts/bench have left in a directory.

    report.py DIRECTORY ROUNDS ELECTION-TIMEOUT-SECONDS JSON-FILE|""

A part that did not run has left nothing, and its rows are missing.
"""
import json
import os
import statistics
import sys

out, rounds, election, target = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
figures = {}


def path(name):
    return os.path.join(out, name)


def there(name):
    return os.path.exists(path(name)) and os.path.getsize(path(name)) > 0


def number(name):
    with open(path(name)) as file:
        return float(file.read())


def loaded(name):
    with open(path(name)) as file:
        return json.load(file)


def median_of(read):
    """The median of what a function makes of each round's number."""
    return statistics.median([read(r) for r in range(1, rounds + 1)])


def iperf(name):
    return median_of(lambda r: loaded(f"{name}.{r}")["end"]["sum_received"]["bits_per_second"] / 8e6)


def fio(name, kind):
    return median_of(lambda r: loaded(f"{name}.{r}")["jobs"][0][kind]["bw_bytes"] / 1e6)


def fio_p50(name, kind="read"):
    return median_of(lambda r: loaded(f"{name}.{r}")["jobs"][0][kind]["clat_ns"]["percentile"]["50.000000"] / 1e3)


def transfers():
    read, from_home = fio("read", "read"), iperf("iperf_from_home")
    write, to_home = fio("write", "write"), iperf("iperf_to_home")
    local, remote = fio_p50("random_local"), fio_p50("random_remote")
    fabric = median_of(lambda r: loaded(f"fabric_read.{r}")["p50Micros"])
    figures["sequential_read"] = {
        "ratio": read / from_home, "at_least": 0.5, "MB_per_s": read, "iperf3_MB_per_s": from_home}
    figures["sequential_write"] = {
        "ratio": write / to_home, "at_least": 0.5, "MB_per_s": write, "iperf3_MB_per_s": to_home}
    figures["random_read_4k"] = {
        "ratio": remote / (local + fabric), "at_most": 1.5, "p50_us": remote, "home_local_p50_us": local,
        "fabric_read_p50_us": fabric}
    figures["truncate_1TiB"] = {"ms": number("truncate_1t") * 1e3, "of_1MiB_ms": number("truncate_1m") * 1e3}


def mapping():
    for operation in ("read", "write", "load", "store"):
        for block in ("4k", "1m"):
            measured = loaded(f"mapping.{operation}_{block}")
            figures[f"home_{operation}_{block}"] = {
                "ratio": measured["ratio"], "at_least": 0.9, "per_s": measured["per_s"],
                "tmpfs_per_s": measured["baseline_per_s"], "p50_us": measured["p50_us"],
                "tmpfs_p50_us": measured["baseline_p50_us"]}
    fault, scan = loaded("mapping.fault"), loaded("mapping.scan")
    figures["mapped_fault_4k"] = {
        "ratio": fault["time_ratio"], "at_most": 1.5, "p50_us": fault["p50_us"], "read_p50_us": fault["baseline_p50_us"]}
    figures["mapped_scan"] = {
        "ratio": scan["ratio"], "at_least": 0.7, "MB_per_s": scan["per_s"] * 1.048576,
        "read_MB_per_s": scan["baseline_per_s"] * 1.048576}


def transport():
    with open(path("transport.done")) as file:
        ways = file.read().split()
    with open(path("transport.auto")) as file:
        chosen = file.read().strip()
    for operation in ("read", "write", "mixed"):
        for jobs in (1, 4):
            measured = {way: loaded(f"transport.{operation}.{jobs}.{way}") for way in ways}
            figures[f"requests_{operation}_{jobs}"] = {
                "ratio": measured[chosen]["ratio"], **({"at_least": 1.5} if jobs > 1 else {}), "auto": chosen,
                **{f"{way}_ratio": one["ratio"] for way, one in measured.items()},
                **{f"{way}_per_s": one["per_s"] for way, one in measured.items()},
                "libfuse2_per_s": statistics.median([one["baseline_per_s"] for one in measured.values()])}
        of_default = loaded(f"transport.{operation}.4.default")
        figures[f"default_{operation}_4"] = {
            "ratio": of_default["ratio"], "at_least": 1.5, "per_s": of_default["per_s"],
            "libfuse2_per_s": of_default["baseline_per_s"]}
    # As the node chooses: one and several callers count alike.
    score = {way: statistics.geometric_mean(
        [loaded(f"transport.{operation}.{jobs}.{way}")["ratio"] for operation in ("read", "write") for jobs in (1, 4)])
        for way in ways}
    figures["requests_auto"] = {
        "ratio": score[chosen] / max(score.values()), "at_least": 0.9, "auto": chosen, "best": max(score, key=score.get)}


def stat(name):
    def pair(r):
        with open(path(f"{name}.{r}")) as file:
            return [float(word) for word in file.read().split()]

    return {
        "ratio": median_of(lambda r: pair(r)[0] / pair(r)[1]), "at_most": 1.3,
        "p50_us": median_of(lambda r: pair(r)[0]), "libfuse3_p50_us": median_of(lambda r: pair(r)[1])}


def fail_over():
    measured = loaded("failover")
    killed = measured["killed"]
    figures["fail_over"] = {
        "median_s": statistics.median(killed), "at_most": 1.5 * election + 0.5, "longest_s": max(killed),
        "shortest_s": min(killed), "rounds": len(killed), "leader_paused_s": measured["paused"],
        "leader_cut_s": measured["cut"]}


def capacity():
    with open(path("capacity")) as file:
        measured = {name: float(value) for name, value in (line.strip().split("=") for line in file)}
    figures["heap"] = {
        "bytes_per_inode": measured["bytes_per_inode"], "inodes": int(measured["inodes"]),
        "heap_MiB": measured["heap_mib"]}
    figures["snapshot"] = {
        "pause_ms": measured["snapshot_pause_ms"], "at_most": 50,
        "longest_change_beside_ms": measured["beside_longest_command_ms"], "seconds": measured["snapshot_ms"] / 1e3,
        "MiB": measured["snapshot_mib"], "restore_s": measured["restore_ms"] / 1e3}


def rdma(device):
    def ratio_and_medians(name, key):
        """Of the data path by the program in C, measured right after each other; and the medians of all."""
        measured = {program: [answer[key] for answer in answers] for program, answers in loaded(name).items()}
        ratio = statistics.median([java / c for java, c in zip(measured["java"], measured["c"])])
        return ratio, {program: statistics.median(values) for program, values in measured.items()}

    for operation in ("read", "write"):
        ratio, p50 = ratio_and_medians(f"rdma/{device}/{operation}_4k", "p50Micros")
        figures[f"{device}_{operation}_4k"] = {
            "ratio": ratio, "at_most": 1.5, "p50_us": p50["java"], "c_p50_us": p50["c"], "soft_p50_us": p50["soft"],
            **({"c_as_sent_p50_us": p50["c_as_sent"]} if "c_as_sent" in p50 else {})}
        ratio, rate = ratio_and_medians(f"rdma/{device}/{operation}_1m_1", "megabytesPerSecond")
        of_four, rate_of_four = ratio_and_medians(f"rdma/{device}/{operation}_1m_4", "megabytesPerSecond")
        figures[f"{device}_{operation}_1m"] = {
            "ratio": ratio, "at_least": 0.8, "MB_per_s": rate["java"], "c_MB_per_s": rate["c"],
            "ratio_of_4_at_a_time": of_four, "MB_per_s_of_4": rate_of_four["java"], "c_MB_per_s_of_4": rate_of_four["c"]}
    if os.path.exists(path(f"rdma/{device}/mount.done")):
        for suffix, kind in (("", "verbs"), ("_soft", "soft")):
            mounted = f"rdma/{device}/mount_{kind}"
            figures[f"{device}_mount{suffix}"] = {
                "read_4k_p50_us": fio_p50(f"{mounted}.4k"), "write_4k_p50_us": fio_p50(f"{mounted}.4k", "write"),
                "read_1m_MB_per_s": fio(f"{mounted}.read", "read"), "write_1m_MB_per_s": fio(f"{mounted}.write", "write")}


if there("changes"):
    changes = loaded("changes")
    figures["changes"] = {
        "ratio": changes["ratio"], "at_least": 0.6, "per_s": changes["service_per_s"],
        "engine_per_s": changes["engine_per_s"], "entry_bytes": changes["entry_bytes"],
        "fsync_p50_ms": number("fsync") * 1e3}
if there("stat_node.%d" % rounds):
    figures["stat_in_kernel"], figures["stat_in_node"] = stat("stat_kernel"), stat("stat_node")
if there("failover"):
    fail_over()
if there("creates_remote"):
    figures["creates_replicated"] = {
        "per_s_of_8_on_2_hosts": number("creates_parallel"), "per_s_of_1": number("creates_remote")}
if there("start_again"):
    figures["creates_embedded"] = {
        "per_s_of_8": number("creates_embedded_8"), "per_s_of_1": number("creates_embedded")}
    figures["start_embedded"] = {
        "seconds": median_of(lambda r: number(f"start_fresh.{r}")), "at_most": 2,
        "with_files_s": number("start_again"), "files": int(number("start_inodes"))}
if there("mapping.scan"):
    mapping()
if there("transport.done"):
    transport()
if there("capacity"):
    capacity()
if there("random_remote.%d" % rounds):
    transfers()
for device in sorted(os.listdir(path("rdma"))) if os.path.isdir(path("rdma")) else []:
    if os.path.exists(path(f"rdma/{device}/done")):
        rdma(device)
for name, key, limit in (("node", "idle_node", 200), ("embedded", "idle_embedded", None), ("replica", "idle_replica", None)):
    if there(f"rss_{name}"):
        figures[key] = {"MiB": number(f"rss_{name}") / 1024, **({"at_most": limit} if limit else {})}

for name, row in figures.items():
    first = next(iter(row.values()))
    met = ""
    if "at_least" in row:
        met = "met" if first >= row["at_least"] else "MISSED"
    if "at_most" in row:
        met = "met" if first <= row["at_most"] else "MISSED"
    texts = (f"{k} {v:.2f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
    print(f"{name:19s}{met:7s}" + "  ".join(texts))
if target:
    with open(target, "w") as file:
        json.dump(figures, file, indent=2)
