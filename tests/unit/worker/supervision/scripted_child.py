"""A child that does what its script says: ``python scripted_child.py SCRIPT FD``.

The script maps an operation to a list of what to do the first time, the second time, and so on over all processes;
the last entry counts from then on. Entries: a value to answer, ``{"die": signal}``, ``{"fail": {...}}``,
``{"full": "why"}``, ``"hang"``.
"""

import json
import os
import socket
import sys
import time
from pathlib import Path


def main() -> None:
    """Answer operations by the script; count them in a file beside it."""
    script_path = Path(sys.argv[1])
    script = json.loads(script_path.read_text())
    seen_path = script_path.with_suffix(".seen")
    connection = socket.socket(fileno=int(sys.argv[2]))

    def send(message: object) -> None:
        connection.sendall(json.dumps(message).encode() + b"\n")

    for line in connection.makefile("rb"):
        message = json.loads(line)
        operation = " ".join(str(message[k]) for k in ("op", "segment") if k in message)
        seen = seen_path.read_text().splitlines() if seen_path.exists() else []
        seen_path.write_text("\n".join([*seen, operation]))
        entries = script.get(operation, [None])
        entry = entries[min(seen.count(operation), len(entries) - 1)]
        send({"progress": {"fraction": 0.5, "stage": "render", "segment": 0, "segments": 2}})
        if isinstance(entry, dict) and "die" in entry:
            os.kill(os.getpid(), entry["die"])
        if isinstance(entry, dict) and "fail" in entry:
            send({"failed": entry["fail"], "trace": ""})
        elif isinstance(entry, dict) and "full" in entry:
            send(entry)
        elif entry == "hang":
            time.sleep(600)
        else:
            send({"done": entry})


if __name__ == "__main__":
    main()
