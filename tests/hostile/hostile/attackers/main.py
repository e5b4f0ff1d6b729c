"""One attacker: main.py NAME PORT NUMBER. On SIGTERM it prints what it did, and ends."""

import json
import os
import resource
import signal
import sys
from pathlib import Path

import doors
import memory
import talk
from wire import Target

sys.path.append(str(Path(__file__).resolve().parents[3]))
from support.process_lifetime import die_with_parent  # noqa: E402

# They may take what the node, its honest clients and the judge leave of the machine.
NICENESS = 10
HONEST = {"bystanders"}

PROGRAMS = {
    program.__name__: program
    for program in (
        memory.unread_histories,
        memory.pinned_buffers,
        memory.unfinished_messages,
        memory.endless_rooms,
        doors.silent_connections,
        doors.garbage,
        doors.storm,
        doors.colliding_names,
        doors.made_up_positions,
        doors.made_up_sessions,
        talk.flood,
        talk.bystanders,
        talk.trickle,
    )
}


def main() -> None:
    name, port, number = sys.argv[1:]
    die_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if name not in HONEST:
        os.nice(NICENESS)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    target = Target(int(port), int(number))
    try:
        print("begins", flush=True)
        PROGRAMS[name](target)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(json.dumps(target.tally), flush=True)


if __name__ == "__main__":
    main()
