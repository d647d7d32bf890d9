"""Lets programs measure in turn, many short times, so that a busy machine is busy for all of them.

    paced.py TIMES NAME COMMAND [NAME COMMAND]...

Each command (one word, for the shell) measures once for every line it reads and answers with a line of JSON. Prints one
JSON object: for each name the list of answers; those at the same place were measured right after each other.
"""
import json
import subprocess
import sys

times, arguments = int(sys.argv[1]), sys.argv[2:]
commands = list(zip(arguments[::2], arguments[1::2]))
programs = {
    name: subprocess.Popen(["bash", "-c", "exec " + command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for name, command in commands}


def measured(name):
    program = programs[name]
    print(file=program.stdin, flush=True)
    answer = program.stdout.readline()
    if not answer:
        sys.exit(f"paced.py: {name} ended ({program.wait()}): {dict(commands)[name]}")
    return json.loads(answer)


try:
    for name in programs:  # the first answer comes when a program has warmed up
        measured(name)
    rounds = [{name: measured(name) for name in programs} for _ in range(times)]
finally:
    for program in programs.values():
        program.stdin.close()
    for program in programs.values():
        program.wait()
print(json.dumps({name: [answers[name] for answers in rounds] for name in programs}))
