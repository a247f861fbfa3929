#!/usr/bin/env python3
"""Make videos with a bodydouble service. Needs Python 3.10 and nothing else; prints one JSON object."""

import argparse
import base64
import json
import mimetypes
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

REPLACE, MOVE = "wan/2-2-animate-replace", "wan/2-2-animate-move"
CALL_SECONDS_MAX = 120
POLL_SECONDS = 2.0
OUTAGE_SECONDS_MAX = 300
"""A wait survives an outage of so long."""
TYPES = {".heic": "image/heic", ".avif": "image/avif", ".webp": "image/webp", ".mkv": "video/x-matroska"}


class Refused(Exception):
    """The service refused a request, or a file is wrong; the message is for people."""


class Unreachable(Exception):
    """The service did not answer; a later try may succeed."""


def call(method: str, path: str, query: "dict[str, str] | None" = None, body: object = None) -> dict:
    """The ``data`` of the service's answer. Raises Refused, Unreachable."""
    address = os.environ.get("BODYDOUBLE_BASE_URL") or "http://127.0.0.1:8000"
    key = os.environ.get("BODYDOUBLE_API_KEY", "")
    if not key:
        raise Refused("BODYDOUBLE_API_KEY is not set: ask the operator for a key (`bodydouble keys create`).")
    url = f"{address.rstrip('/')}/api/v1/client/{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
    headers = {"x-api-key": key, "idempotency-key": uuid.uuid4().hex}
    data = None
    if body is not None:
        headers["content-type"], data = "application/json", json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=CALL_SECONDS_MAX) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        if error.code in (502, 503, 504):
            raise Unreachable(f"{address} answers {error.code}") from None
        try:
            told = json.load(error)
        except ValueError:
            raise Refused(f"{address} answers {error.code}") from None
        raise Refused("; ".join([told["message"], *(told.get("errors") or [])])) from None
    except (OSError, ValueError) as error:
        raise Unreachable(f"{address} cannot be reached: {error}") from None


def upload(text: str) -> str:
    """The address of a file at the service; addresses stay as they are. Raises Refused, Unreachable."""
    if text.startswith(("http://", "https://", "data:")):
        return text
    path = Path(text).expanduser()
    if not path.is_file():
        raise Refused(f"there is no file {path}")
    kind = TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    place = call("GET", "files/upload-url", {"content_type": kind, "ext": path.suffix.lower()})
    with path.open("rb") as stream:
        headers = {"content-type": kind, "content-length": str(path.stat().st_size)}
        request = urllib.request.Request(place["presigned_url"], stream, headers, method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=CALL_SECONDS_MAX):
                return place["file_url"]
        except urllib.error.HTTPError as error:
            raise Refused(f"the upload of {path.name} was refused with {error.code}") from None
        except OSError as error:
            raise Unreachable(f"the upload of {path.name} broke off: {error}") from None


def task_body(arguments: argparse.Namespace, model: str) -> dict:
    """The body of CreateTask and of the estimate; uploads both files."""
    inputs: dict = {
        "img_urls": [upload(arguments.picture)],
        "video_urls": [upload(arguments.video)],
        "resolution": arguments.resolution,
    }
    person = getattr(arguments, "person", None)
    if person:
        parts = person.split(",")
        inputs["person"] = int(person) if len(parts) == 1 else [float(part) for part in parts]
    return {"model": model, "input": inputs}


def wait(task_id: str, output: str, seconds_max: float) -> dict:
    """Wait for a task and save its video. The task continues if the wait ends first."""
    until = time.monotonic() + seconds_max
    reached = time.monotonic()
    while True:
        try:
            task = call("GET", "job/TaskInfo", {"task_id": task_id})
            reached = time.monotonic()
        except Unreachable:
            if time.monotonic() - reached > OUTAGE_SECONDS_MAX:
                raise
        else:
            if task["status"] in ("success", "failed") or time.monotonic() > until:
                return ended(task, output)
        time.sleep(POLL_SECONDS)


def ended(task: dict, output: str) -> dict:
    """What is printed about a task."""
    result = task.get("result") or {}
    said = {"task_id": task["task_id"], "status": task["status"], "progress": task.get("progress")}
    if task["status"] == "failed":
        return {**said, "error": result.get("message")}
    if task["status"] != "success":
        return {**said, "next": f"wait {task['task_id']}"}
    said |= {"credits": task["credits"], "warnings": [w["message"] for w in result["media_info"].get("warnings", [])]}
    if not output:
        return {**said, "url": result["media_urls"][0]}
    part = Path(output + ".part")
    with urllib.request.urlopen(result["media_urls"][0], timeout=CALL_SECONDS_MAX) as answer, part.open("wb") as file:
        while piece := answer.read(1 << 20):
            file.write(piece)
    part.replace(output)
    return {**said, "file": output}


def run(arguments: argparse.Namespace) -> dict:
    """Do what the command line asks."""
    model = MOVE if arguments.command == "move" else REPLACE
    match arguments.command:
        case "replace" | "move":
            task_id = call("POST", "job/CreateTask", body=task_body(arguments, model))["task_id"]
            print(f"task {task_id}", file=sys.stderr, flush=True)
            return wait(task_id, arguments.output, arguments.seconds)
        case "wait":
            return wait(arguments.task_id, arguments.output, arguments.seconds)
        case "cancel":
            return call("POST", "job/CancelTask", {"task_id": arguments.task_id})
        case "estimate":
            return call("POST", "job/EstimateTask", body=task_body(arguments, model))
        case _:
            found = call("GET", "job/People", {"video_url": upload(arguments.video)})
            if arguments.picture and found["picture"]:
                Path(arguments.picture).write_bytes(base64.b64decode(found["picture"].partition(",")[2]))
            return {"people": found["people"], "picture": arguments.picture if found["picture"] else ""}


def parse(words: "list[str] | None" = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("replace", "move", "estimate"):
        command = commands.add_parser(name)
        command.add_argument("picture")
        command.add_argument("video")
        command.add_argument("--resolution", default="720P", choices=("480P", "580P", "720P"))
        if name != "move":
            command.add_argument("--person", help="an index by size, 0 is the largest, or a point X,Y")
    for name in ("wait", "cancel"):
        commands.add_parser(name).add_argument("task_id")
    for name in ("replace", "move", "wait"):
        commands.choices[name].add_argument("--output", default="", help="file to write")
        commands.choices[name].add_argument("--seconds", type=float, default=1800, help="how long to wait")
    people = commands.add_parser("people")
    people.add_argument("video")
    people.add_argument("--picture", default="", help="JPEG to write, with a number on each person")
    return parser.parse_args(words)


def main() -> int:
    """Print the answer; the exit status is 1 if it is an error."""
    try:
        said = run(parse())
    except (Refused, Unreachable, OSError, ValueError) as error:
        said = {"error": str(error)}
    print(json.dumps(said, indent=1))
    return 1 if said.get("error") else 0


if __name__ == "__main__":
    sys.exit(main())
