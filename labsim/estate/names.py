"""The names that an estate's processes and files go by, for all who have to find them."""

from __future__ import annotations

AUTHORIZATION_SERVER = "authorization-server"
INTERCEPTOR = "interceptor"
ATTACKER = "attacker"
TERMINATOR = "terminator"
CONTRACTOR = "contractor"
REPOSITORIES = "repositories"
COPIES = "former-employee"
STORES = "vendor-store"
OUTSIDE_CLIENTS = "outside-clients"
CA_FILE = "ca.pem"
CLIENT_CA_FILE = "client_ca.pem"
CLIENT_TRUST_FILE = "client_trust.pem"
CLIENT_CA_KEY_FILE = "client_ca_key.pem"
CERTIFICATE_FILE = "certificate.pem"
KEY_FILE = "key.json"
CREDENTIAL_FILE = "client.json"
TOKENS_FILE = "tokens.json"
REFRESH_FILE = "refresh_token.json"
CLOCK_FILE = "clock"
EVENTS_FOLDER = "events"
CAPTURED_FILE = "captured.jsonl"
LOG_FILE = "app.log"
FOOTHOLD_FILE = "foothold.json"
SIGNER_SOCKET = "signer.sock"
STORE_FILE = "store.json"
CONTRACTOR_FILE = "contractor.json"
RESERVED = frozenset(
    {
        AUTHORIZATION_SERVER,
        INTERCEPTOR,
        ATTACKER,
        TERMINATOR,
        CONTRACTOR,
        REPOSITORIES,
        COPIES,
        STORES,
        OUTSIDE_CLIENTS,
        EVENTS_FOLDER,
        CLOCK_FILE,
    }
)
"""Names that a run has for other things than the plan's clients and resource servers."""
CLIENTS_ADDRESS = "127.0.0.2"
ATTACKERS_ADDRESS = "127.0.0.3"
"""From where they send in the variant with an allow-list; elsewhere the system chooses."""
COLLECTION = "/records"
