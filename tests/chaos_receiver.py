"""A receiver of callbacks that also serves a video, for ``chaos``."""

import json
import random
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from bodydouble_client import InvalidWebhook, verify_webhook

REFUSED_SHARE = 0.2
"""Share of first-time callbacks that are answered with 503."""
VIDEO = b"\0" * 50_000


class Receiver:
    """Receives callbacks, checks their signatures, and refuses some at first. Incomplete requests are no callbacks."""

    def __init__(self, draw: random.Random) -> None:
        self.calls: list[tuple[str, str]] = []  # task, webhook-id
        self.secret = ""
        self.forged: list[str] = []
        receiver, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version: ClassVar[str] = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length or self.path != receiver.path:
                    # The sender was killed between headers and body, or its own receiver had this port before.
                    self.close_connection = True
                    return
                with lock:
                    status = receiver.take(body, dict(self.headers.items()), draw)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                """A video, for tasks with a foreign address."""
                self.send_response(200)
                self.send_header("content-length", str(len(VIDEO)))
                self.end_headers()
                self.wfile.write(VIDEO)

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.path = f"/{secrets.token_hex(8)}"
        self.url = f"http://127.0.0.1:{self._server.server_port}{self.path}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, body: bytes, headers: dict[str, str], draw: random.Random) -> int:
        """The HTTP status of the answer."""
        headers = {name.lower(): value for name, value in headers.items()}
        try:
            verify_webhook(body, headers, self.secret)
        except (InvalidWebhook, ValueError) as error:
            self.forged.append(str(error))
            return 400
        task = json.loads(body)["task_id"]
        first = all(task != seen for seen, _ in self.calls)
        self.calls.append((task, headers["webhook-id"]))
        return 503 if first and draw.random() < REFUSED_SHARE else 204

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
