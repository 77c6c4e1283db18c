"""The names that an estate's processes and files go by, for all who have to find them."""

from __future__ import annotations

AUTHORIZATION_SERVER = "authorization-server"
INTERCEPTOR = "interceptor"
ATTACKER = "attacker"
CA_FILE = "ca.pem"
CLOCK_FILE = "clock"
EVENTS_FOLDER = "events"
CAPTURED_FILE = "captured.jsonl"
LOG_FILE = "app.log"
COLLECTION = "/records"
