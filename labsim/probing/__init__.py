"""Run the catalogue against a server over TLS: one of the user's, or the lab's own."""
