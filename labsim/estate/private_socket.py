"""Sockets that no process forked by the owner itself may keep.

Somebody waits for the end of each: a caller for the refusal of a dead server's port, the parent for
its owner to hang up. A copy in a process that the owner forks, as multiprocessing does, would hide
that end.
"""

from __future__ import annotations

import os
import socket
import weakref

_private: weakref.WeakSet[socket.socket] = weakref.WeakSet()


def _forget() -> None:
    for sock in list(_private):
        sock.close()


os.register_at_fork(after_in_child=_forget)


def listening_socket() -> socket.socket:
    """Return a socket that listens on 127.0.0.1, on a port of the system's choice."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=128)
    _private.add(sock)
    return sock


def private_pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets."""
    pair = socket.socketpair()
    _private.update(pair)
    return pair
