"""Makes empty files as fast as it can: creates.py SECONDS DIRECTORY...

One process for each DIRECTORY, which is made. Prints how many files all have made per second. A create that fails
ends it with exit code 1.
"""
import multiprocessing
import os
import sys
import time


def make(directory, seconds, results):
    try:
        os.mkdir(directory)
        made, start = 0, time.monotonic()
        while time.monotonic() - start < seconds:
            os.close(os.open(f"{directory}/{made}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
            made += 1
        results.put(made / (time.monotonic() - start))
    except OSError as failure:
        results.put(failure)


def main():
    seconds, directories = float(sys.argv[1]), sys.argv[2:]
    results = multiprocessing.Queue()
    makers = [multiprocessing.Process(target=make, args=(each, seconds, results)) for each in directories]
    for maker in makers:
        maker.start()
    rates = [results.get() for _ in makers]
    for maker in makers:
        maker.join()
    failures = [rate for rate in rates if isinstance(rate, OSError)]
    if failures:
        sys.exit(f"a create failed: {failures[0]}")
    print(sum(rates))


main()
