"""The way into a view without a network: connections accepted outside are handed to a port inside.

Who starts a view opens the socket. It belongs to the machine's network whichever process accepts on it; what is inside
cannot open another one, and so reaches nobody.
"""

from __future__ import annotations

import socket
import threading

HOST = "127.0.0.1"
CHUNK_BYTES = 1 << 16


def hand_on(descriptor: int, port: int) -> None:
    """Hand every connection of a listening socket to a port of this network; ends with the process."""
    with socket.socket(fileno=descriptor) as outside:
        while True:
            accepted, _ = outside.accept()
            threading.Thread(target=_connect, args=(accepted, port), daemon=True).start()


def _connect(outer: socket.socket, port: int) -> None:
    with outer:
        try:
            inner = socket.create_connection((HOST, port))
        except OSError:
            return  # nobody listens yet, or any more: the caller sees its connection closed
        with inner:
            for one in (outer, inner):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_copy, args=(inner, outer), daemon=True)
            back.start()
            _copy(outer, inner)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(CHUNK_BYTES):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # either side broke off: so does the other
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
