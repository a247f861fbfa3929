"""Messages between a task's child process and the model runner.

A message is a 4-byte length, then JSON. Its pictures are in anonymous memory, whose file descriptor is sent over the
Unix socket. So picture bytes do not pass through the socket, the kernel frees them when a process dies, and nothing is
unpickled.
"""

import json
import math
import mmap
import os
import socket
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

LENGTH = struct.Struct("!I")
"""Length of the JSON in bytes, big-endian."""
MESSAGE_BYTES_MAX = 1 << 16
"""Limit of the JSON alone; messages have a few fields and a prompt."""

Pictures = dict[str, NDArray[np.uint8]]


def send(connection: socket.socket, message: Mapping[str, Any], pictures: Mapping[str, NDArray[np.uint8]]) -> None:
    """Send ``message`` with its ``pictures`` by name. Raises OSError if the other side has closed the connection."""
    shapes = {name: picture.shape for name, picture in pictures.items()}
    content = json.dumps({**message, "pictures": shapes}).encode()
    data = LENGTH.pack(len(content)) + content
    if not pictures:
        connection.sendall(data)
        return
    with os.fdopen(os.memfd_create("bodydouble-pictures"), "wb", buffering=0) as memory:
        for picture in pictures.values():
            _write(memory.fileno(), np.ascontiguousarray(picture))
        sent = socket.send_fds(connection, [data], [memory.fileno()])
    connection.sendall(data[sent:])


def _write(descriptor: int, picture: NDArray[np.uint8]) -> None:
    rest = picture.reshape(-1).data
    while rest:  # one write() transfers at most 2 GiB on Linux
        rest = rest[os.write(descriptor, rest) :]


def receive(connection: socket.socket) -> tuple[dict[str, Any], Pictures]:
    """The next message and its pictures. The pictures are private, writable copies.

    Raises:
        EOFError: the other side closed the connection.
        OSError: the connection broke, or its timeout expired.
        ValueError: the data is not a valid message.
    """
    head, descriptors, _, _ = socket.recv_fds(connection, LENGTH.size, 1)
    try:
        (length,) = LENGTH.unpack(head + _exactly(connection, LENGTH.size - len(head)))
        if length > MESSAGE_BYTES_MAX:
            raise ValueError(f"a message of {length} bytes; at most {MESSAGE_BYTES_MAX} are allowed")
        message: dict[str, Any] = json.loads(_exactly(connection, length))
        shapes: dict[str, list[int]] = message.pop("pictures")
        return message, _map(descriptors, shapes)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts: list[bytes] = []
    while count:
        part = connection.recv(count)
        if not part:
            raise EOFError("the connection was closed")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _map(descriptors: list[int], shapes: Mapping[str, list[int]]) -> Pictures:
    sizes = [math.prod(shape) for shape in shapes.values()]
    if not shapes:
        return {}
    if len(descriptors) != 1 or os.fstat(descriptors[0]).st_size != sum(sizes) or min(sizes) <= 0:
        raise ValueError("the size of the pictures differs from the shapes in the message")
    memory = mmap.mmap(descriptors[0], sum(sizes), access=mmap.ACCESS_COPY)
    pictures: Pictures = {}
    start = 0
    for (name, shape), size in zip(shapes.items(), sizes, strict=True):
        pictures[name] = np.frombuffer(memory, np.uint8, size, start).reshape(shape)
        start += size
    return pictures
