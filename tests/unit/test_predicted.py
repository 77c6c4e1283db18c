"""What a thief comes to read, predicted from a plan: answers that a person wrote by hand."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from labsim.blast import first_loot, predicted
from labsim.blast.predicted import Led, Predicted
from labsim.errors import LabError
from labsim.estate import plan
from labsim.estate.plan import Plan
from tests.unit.small_plans import client, plan_of, resource, secret_of, shop

ORDERS = {"orders-1", "orders-2", "orders-3"}
MAIL = {"mail-1", "mail-2"}
PAYROLL = {"payroll-1", "payroll-2"}
VAULT = {"vault-1", "vault-2", "vault-3"}
BOUND = ("dpop", "mtls", "http_signature")
KEPT = ("file", "memory", "signer")
BOUND_PAIRS = [(binding, custody) for binding in BOUND for custody in KEPT]


def alone() -> Plan:
    """Make an estate in which no record leads on."""
    resources = (resource("orders", "a", "b", "c"), resource("mail", "d", "e"))
    clients = (
        client("web", "orders", "mail", kind="agent"),
        client("partner", "orders", "mail", grant="refresh_token"),
    )
    return plan_of(resources, clients)


def read(theft: str, binding: str, custody: str, who: str = "web") -> set[str]:
    return set(predicted.predicted(alone(), who, theft, binding, custody).records)


# One theft after the other.


@pytest.mark.parametrize("theft", ["wiretap", "log_line", "prompt_injection"])
def test_a_bearer_token_for_each_server_opens_each_and_a_bound_one_none(theft: str) -> None:
    assert read(theft, "bearer", "none") == ORDERS | MAIL
    for binding in BOUND:
        assert read(theft, binding, "file") == read(theft, binding, "memory") == set()


@pytest.mark.parametrize("theft", ["ticket", "chat", "compromised_resource"])
def test_one_token_opens_the_first_server_and_no_other(theft: str) -> None:
    assert read(theft, "bearer", "none") == ORDERS
    assert all(read(theft, *pair) == set() for pair in BOUND_PAIRS)


@pytest.mark.parametrize("theft", ["container_files", "container_code", "commit"])
@pytest.mark.parametrize(("binding", "custody"), [("bearer", "none"), *BOUND_PAIRS])
def test_the_client_s_own_credential_opens_all_whatever_the_binding(
    theft: str, binding: str, custody: str
) -> None:
    assert read(theft, binding, custody) == ORDERS | MAIL


def test_former_employees_have_no_token_any_more_but_the_credential() -> None:
    web = alone().client("web")
    loot = first_loot.first_loot(web, "former_employee", "bearer", "none")
    assert (loot.tokens, loot.kinds) == ((), {"client_credential"})
    assert read("former_employee", "bearer", "none") == ORDERS | MAIL
    assert read("former_employee", "dpop", "signer") == ORDERS | MAIL
    # Registered for refresh tokens only, and no copy of one was kept.
    assert read("former_employee", "bearer", "none", "partner") == set()


def test_a_signer_does_not_stop_an_agent_that_is_made_to_use_it() -> None:
    for binding in BOUND:
        assert read("prompt_injection", binding, "signer") == ORDERS | MAIL
        web = alone().client("web")
        loot = first_loot.first_loot(web, "prompt_injection", binding, "signer")
        assert (loot.tokens, loot.kinds) == ((), {"foothold"})


def test_a_vendor_s_store_needs_the_vendor_s_credential_unless_the_token_is_bearer() -> None:
    assert read("vendor_store", "dpop", "memory", "partner") == ORDERS | MAIL
    # An access token of each tenant, for one server; with the credential, more for each.
    assert read("vendor_store", "bearer", "none", "partner") == ORDERS | MAIL
    assert read("vendor_tokens", "bearer", "none", "partner") == ORDERS
    assert all(read("vendor_tokens", *pair, "partner") == set() for pair in BOUND_PAIRS)


def test_a_refresh_token_and_the_credential_are_worth_something_only_together() -> None:
    assert read("container_files", "dpop", "memory", "partner") == ORDERS | MAIL
    # A repository holds the credential and no refresh token; bearer's token opens all the same.
    assert read("commit", "dpop", "memory", "partner") == set()
    assert read("commit", "bearer", "none", "partner") == ORDERS | MAIL


@pytest.mark.parametrize("theft", ["vendor_store", "vendor_tokens"])
def test_a_vendor_s_theft_of_a_client_without_grant_is_refused_by_name(theft: str) -> None:
    with pytest.raises(LabError, match=rf"{theft}.* web .*refresh_token"):
        predicted.predicted(alone(), "web", theft, "bearer", "none")


def test_a_prompt_is_obeyed_by_an_agent_only() -> None:
    with pytest.raises(LabError, match=r"prompt_injection needs an agent.*partner is a workload"):
        predicted.predicted(alone(), "partner", "prompt_injection", "bearer", "none")


@pytest.mark.parametrize("theft", ["ticket", "chat"])
def test_without_tickets_nobody_pastes_into_one(theft: str) -> None:
    quiet = plan_of([resource("orders", "a")], [client("web", "orders")])
    with pytest.raises(LabError, match=rf"{theft} needs tickets or chats"):
        predicted.predicted(quiet, "web", theft, "bearer", "none")
    assert theft not in dict.fromkeys(name for _, name in predicted.footholds(quiet))
    for named in ("collab", "our-chat", "ticketing"):
        loud = plan_of([resource("orders", "a"), resource(named, "b")], [client("web", "orders")])
        found = predicted.predicted(loud, "web", theft, "bearer", "none")
        assert found.records == {"orders-1"}
        assert ("web", theft) in predicted.footholds(loud)


# Where the key that the tokens are bound to is what the client authenticates with.


@pytest.mark.parametrize(
    ("theft", "custody", "falls"),
    [
        ("container_files", "file", True),
        ("container_files", "memory", False),
        ("container_files", "signer", False),
        ("container_code", "memory", True),
        ("container_code", "signer", False),
        ("commit", "file", True),
        ("commit", "memory", False),
        ("former_employee", "signer", False),
    ],
)
def test_a_certificate_without_its_key_is_no_credential(
    theft: str, custody: str, falls: bool
) -> None:
    one = client("one", "orders", authentication="tls_client_auth")
    loot = first_loot.first_loot(one, theft, "mtls", custody)
    assert ("client_credential" in loot.kinds) is falls
    # Bound in another way, it has two keys, and its credential lies in a file.
    assert "client_credential" in first_loot.first_loot(one, theft, "dpop", custody).kinds


# What lies beside a token, where no credential hides it.


@pytest.mark.parametrize(
    ("binding", "kinds", "opens"),
    [
        ("bearer", {"token"}, True),
        ("dpop", {"token"}, False),
        ("dpop", {"token", "captured_request"}, False),
        ("dpop", {"token", "key"}, True),
        ("dpop", {"token", "proofs_ahead"}, True),
        ("http_signature", {"token", "captured_request"}, False),
        ("http_signature", {"token", "key"}, True),
        ("http_signature", {"token", "proofs_ahead"}, True),
        ("mtls", {"token", "certificate"}, False),
        ("mtls", {"token", "key"}, False),
        ("mtls", {"token", "key", "certificate"}, True),
        ("mtls", {"token", "proofs_ahead"}, False),
    ],
)
def test_a_bound_token_opens_only_with_what_the_binding_asks_for(
    binding: str, kinds: set[str], opens: bool
) -> None:
    loot = first_loot.FirstLoot(frozenset(kinds), ("orders",))
    web = alone().client("web")
    assert first_loot.opened_by_token(web, loot, binding) == (("orders",) if opens else ())
    foothold = first_loot.FirstLoot(frozenset(kinds | {"foothold"}), ("orders",))
    assert first_loot.opened(web, foothold, binding) == ("orders", "mail")


@pytest.mark.parametrize(
    ("theft", "binding", "custody", "kinds"),
    [
        ("container_files", "dpop", "file", {"token", "client_credential", "key"}),
        ("container_files", "dpop", "memory", {"token", "client_credential"}),
        ("container_files", "mtls", "memory", {"token", "client_credential", "certificate"}),
        (
            "container_code",
            "dpop",
            "memory",
            {"token", "client_credential", "key", "foothold", "proofs_ahead"},
        ),
        (
            "container_code",
            "http_signature",
            "signer",
            {"token", "client_credential", "foothold", "proofs_ahead"},
        ),
        (
            "container_code",
            "mtls",
            "signer",
            {"token", "client_credential", "certificate", "foothold"},
        ),
        ("container_code", "bearer", "none", {"token", "client_credential", "foothold"}),
        ("wiretap", "mtls", "file", {"token", "captured_request"}),
    ],
)
def test_the_key_falls_where_the_custody_lets_it(
    theft: str, binding: str, custody: str, kinds: set[str]
) -> None:
    loot = first_loot.first_loot(alone().client("web"), theft, binding, custody)
    assert loot.kinds == kinds


def test_reading_needs_the_scope_to_read() -> None:
    resources = (resource("orders", "a"), resource("mail", "b"))
    writer = client("web", "orders", "mail", scopes=("orders.write", "mail.read"))
    mine = plan_of(resources, [writer])
    for theft in ("log_line", "container_files", "container_code"):
        assert predicted.predicted(mine, "web", theft, "bearer", "none").records == {"mail-1"}
    assert predicted.predicted(mine, "web", "ticket", "bearer", "none").records == set()


# What follows.


def test_what_was_read_leads_on_until_nothing_is_new() -> None:
    assert predicted.predicted(shop(), "web", "log_line", "bearer", "none") == Predicted(
        records=frozenset(ORDERS | MAIL | PAYROLL | VAULT),
        resources=frozenset({"orders", "mail", "payroll", "vault"}),
        credentials=frozenset({"mailer", "payer", "partner"}),
        hops=3,
        path=(Led("mail-2", "mailer"), Led("payroll-1", "payer"), Led("vault-2", "partner")),
    )


def test_where_nothing_is_read_nothing_follows() -> None:
    nothing = Predicted(frozenset(), frozenset(), frozenset(), 0, ())
    assert predicted.predicted(shop(), "web", "log_line", "dpop", "file") == nothing
    # One token, for a server whose records hold no credential.
    one = predicted.predicted(shop(), "web", "ticket", "bearer", "none")
    assert (one.records, one.path, one.hops) == (ORDERS, (), 0)


def test_the_robbed_client_s_own_credential_counts_and_is_no_hop() -> None:
    found = predicted.predicted(shop(), "payer", "commit", "dpop", "signer")
    assert found.credentials == {"payer", "partner"}
    assert (found.hops, found.path) == (1, (Led("vault-2", "partner"),))
    assert found.records == VAULT  # the partner's credential opens nothing without its grant


@pytest.mark.parametrize("theft", ["vendor_tokens", "log_line"])
def test_a_stolen_refresh_token_waits_for_its_clients_credential(theft: str) -> None:
    resources = (resource("a", secret_of("partner")), resource("b", "gold"))
    mine = plan_of(resources, [client("partner", "a", "b", grant="refresh_token")])
    first = {"vendor_tokens": {"a-1"}, "log_line": {"a-1", "b-1"}}[theft]
    found = predicted.predicted(mine, "partner", theft, "bearer", "none")
    assert found.path == (Led("a-1", "partner"),)
    assert found.records == first | {"b-1"}
    # Without that record the store is worth its tokens, and no more.
    alone = plan_of((resource("a", "nothing"), resource("b", "gold")), list(mine.clients.values()))
    assert predicted.predicted(alone, "partner", theft, "bearer", "none").records == first


def test_credentials_that_lead_in_a_circle_end() -> None:
    resources = (resource("a", secret_of("two")), resource("b", secret_of("one")))
    mine = plan_of(resources, [client("one", "a"), client("two", "b")])
    found = predicted.predicted(mine, "one", "log_line", "bearer", "none")
    assert found.path == (Led("a-1", "two"), Led("b-1", "one"))
    assert found.hops == 2


@pytest.mark.parametrize(
    ("text", "leads"),
    [
        (secret_of("two"), ["two"]),
        ("{client_secret:two} of {client_id:two}", ["two"]),
        ("{client_secret:two} alone", []),
        ("{client_id:two} alone", []),
        ("{client_id:one} with {client_secret:two}", []),
        (secret_of("keyed"), []),  # it has no secret, but a key
        (secret_of("nobody"), []),
        (secret_of("two") + secret_of("three"), ["two", "three"]),
        ("client_id two, client_secret two", []),
    ],
)
def test_a_credential_is_found_only_whole_and_in_one_record(text: str, leads: list[str]) -> None:
    clients = [client(name, "a") for name in ("one", "two", "three")]
    keyed = client("keyed", "a", authentication="private_key_jwt")
    mine = plan_of([resource("a", text)], [*clients, keyed])
    found = predicted.predicted(mine, "one", "log_line", "bearer", "none")
    assert [led.client for led in found.path] == leads
    halves = plan_of([resource("a", "{client_id:two}", "{client_secret:two}")], clients)
    assert not predicted.predicted(halves, "one", "log_line", "bearer", "none").path


# Names, and the table.


def test_what_does_not_exist_is_answered_with_what_does() -> None:
    for arguments, said in (
        (("nobody", "wiretap", "bearer", "none"), "no client called 'nobody'.*web"),
        (("web", "magic", "bearer", "none"), "no theft called 'magic'.*wiretap"),
        (("web", "wiretap", "magic", "none"), "no binding called 'magic'.*dpop"),
        (("web", "wiretap", "bearer", "file"), "custody for bearer called 'file'.*none"),
        (("web", "wiretap", "dpop", "none"), "custody for dpop called 'none'.*file, memory"),
    ):
        with pytest.raises(LabError, match=said):
            predicted.predicted(alone(), *arguments)


def test_the_table_has_every_foothold_binding_and_custody_once() -> None:
    frame = predicted.predictions(shop())
    types = frame.dtypes.astype(str).to_dict()
    texts = ("client", "theft", "binding", "custody")
    assert types == dict.fromkeys(texts, "string") | dict.fromkeys(
        ("records", "of", "resources", "credentials", "hops"), "int64"
    )
    # Nine thefts of each client, one more of each agent and two more of the one with a grant;
    # bearer, and three by three.
    assert len(frame) == (5 * 9 + 2 + 2) * 10
    assert not frame.duplicated(list(texts)).any()
    assert set(frame["of"]) == {10}
    row = frame[(frame["client"] == "web") & (frame["theft"] == "log_line")].iloc[0]
    assert list(row[["binding", "records", "resources", "credentials", "hops"]]) == [
        "bearer", 10, 4, 3, 3,
    ]  # fmt: skip


def test_the_table_is_of_those_clients_that_are_named() -> None:
    assert set(predicted.predictions(shop(), ["payer"])["client"]) == {"payer"}
    assert predicted.predictions(shop(), []).empty


def test_in_the_lab_s_own_estate_one_token_is_enough_for_all_but_administration() -> None:
    found = predicted.predicted(plan.load(), "support-agent", "log_line", "bearer", "none")
    assert found.resources == {"crm", "collab", "deploy", "vault", "orders", "payments"}
    assert set(found.path) == {
        Led("crm-0009", "nightly-export"),
        Led("crm-0017", "storefront"),
        Led("collab-0006", "support-agent"),
        Led("collab-4127", "ci-runner"),
    }


def test_the_second_opinion_shares_no_code_with_the_first() -> None:
    for module in (first_loot, predicted):
        tree = ast.parse(Path(str(module.__file__)).read_text())
        imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        assert imported.isdisjoint({"labsim.attacker", "labsim.loot", "labsim.attempt"})
        assert not any(
            str(name).startswith(("labsim.thefts", "labsim.replays")) for name in imported
        )
        mine = {name for name in imported if str(name).startswith("labsim")}
        assert mine <= {"labsim.blast.first_loot", "labsim.errors", "labsim.estate.plan"}
