"""The OAuth roles: a request in, a response out, no sockets (RFC 6749 section 1.1)."""
