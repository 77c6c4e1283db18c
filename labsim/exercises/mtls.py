"""Notebook 03: a stolen mTLS token needs its certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.exercises import claims
from labsim.exercises.exercise import Choice, Matching, Wrong
from labsim.exercises.victims_call import own_calls

if TYPE_CHECKING:
    from labsim.lab import Lab

__all__ = [
    "claim",
    "how_the_call_ended",
    "own_calls",
    "what_the_folder_opens",
    "where_the_header_works",
    "who_says_no",
]

how_the_call_ended = Choice(
    "mtls.how_the_call_ended",
    "How did the runner's own call end while you listened? Options: served, refused_by_tls, "
    "certificate_is_shown, certificate_is_the_bound_one.",
    reference="certificate_is_shown",
    solved=(
        "Your proxy opens its own connection to the server, and has no key with which to show the "
        "runner's certificate. So the runner's own call fails with 401, and you have not read one "
        "record."
    ),
    wrong=(
        Wrong(
            "served",
            "So it was in 02, where the proof was a line of the request and passed through you "
            "with it. Here the proof is the connection. Whose connection reaches the server?",
        ),
        Wrong(
            "refused_by_tls",
            "The runner trusts your proxy, and the server asks for a certificate without needing "
            "one: most tokens here have none. Both connections come about.",
        ),
        Wrong(
            "certificate_is_the_bound_one",
            "This check compares a certificate that was shown. Which one could your proxy show?",
        ),
    ),
    hints=(
        "Count the connections: from the runner to your proxy, and from there to the server.",
        "A certificate is shown by who has its key, on a connection of its own making.",
        "On your proxy's connection to the server there is no certificate. Which check asks?",
    ),
)

_WHO = {
    "token_as_is": "certificate_is_shown",
    "own_certificate": "certificate_is_the_bound_one",
    "unknown_certificate": "refused_by_tls",
}
_NO_KEY = "to show it you would need its key, and it never left the runner."

who_says_no = Matching(
    "mtls.who_says_no",
    "Who refuses each of the three? Answer as a mapping from replay to check or ending.",
    options=(
        "served",
        "refused_by_tls",
        "certificate_is_shown",
        "certificate_is_the_bound_one",
        "certificate_is_in_its_time",
        "token_is_not_expired",
    ),
    reference=_WHO,
    solved=(
        "Three refusals by three: TLS trusts no such authority, the server finds no certificate, "
        "and the binding finds another than the token's."
    ),
    why={
        ("token_as_is", "refused_by_tls"): (
            "the server asks for a certificate and needs none. The connection comes about."
        ),
        ("token_as_is", "certificate_is_the_bound_one"): (
            "you show no certificate, so that there is nothing to compare yet."
        ),
        ("own_certificate", "served"): (
            "the same authority issued both, and TLS is content. But the token names one "
            "certificate, by its thumbprint. Compare `cnf`."
        ),
        ("own_certificate", "refused_by_tls"): (
            "TLS asks whether it trusts the authority that issued the certificate. It does."
        ),
        ("unknown_certificate", "certificate_is_the_bound_one"): (
            "to compare it with the token, the server must see the token first. Does it come "
            "that far?"
        ),
        ("unknown_certificate", "served"): (
            "the server trusts one authority for its clients, and you made up another."
        ),
    },
    look={
        "token_as_is": "TLS needs no certificate here. What does the server miss?",
        "own_certificate": "TLS accepts this one. What does the token say of a certificate?",
        "unknown_certificate": "nobody here knows who issued it. Who asks that, and when?",
    },
    wrong=(
        Wrong(
            _WHO | {"own_certificate": "served"},
            "own_certificate: the same authority issued both, and TLS is content. But the token "
            "names one certificate, by its thumbprint. Compare `cnf`.",
        ),
        Wrong(
            _WHO | {"own_certificate": "refused_by_tls"},
            "own_certificate: TLS asks whether it trusts the authority that issued the "
            "certificate. It does.",
        ),
        Wrong(
            _WHO | {"unknown_certificate": "certificate_is_the_bound_one"},
            "unknown_certificate: to compare it with the token, the server must see the token "
            "first. Does it come that far?",
        ),
        Wrong(
            _WHO | {"token_as_is": "refused_by_tls"},
            "token_as_is: the server asks for a certificate and needs none. The connection comes "
            "about.",
        ),
    ),
    hints=(
        "Look at `cnf` in the token, and at what each replay has instead.",
        "TLS comes first and knows no token. The binding comes last and knows no authority.",
        "One of the three never sends a request. Of the other two, one has nothing to compare.",
    ),
)

_FOLDER = {
    "stolen_key": "not_possible",
    "forged_certificate_header": "certificate_is_shown",
    "new_token_for_own_key": "served",
}

what_the_folder_opens = Matching(
    "mtls.what_the_folder_opens",
    "You have the runner's folder, without its key. How does each replay end?",
    options=(
        "served",
        "not_possible",
        "refused_by_tls",
        "certificate_is_shown",
        "certificate_is_the_bound_one",
    ),
    reference=_FOLDER,
    solved=(
        "A certificate is no secret: without its key it shows nothing. But the client's secret "
        "gets a new token, bound to a certificate of your own, as it did in 02."
    ),
    why={
        ("stolen_key", "certificate_is_the_bound_one"): (
            f"you have the bound certificate, but {_NO_KEY}"
        ),
        ("stolen_key", "served"): f"you have the right certificate, but {_NO_KEY}",
        ("forged_certificate_header", "served"): (
            "a header is a text that anybody can write. This server looks at the connection."
        ),
        ("forged_certificate_header", "certificate_is_the_bound_one"): (
            "it would hold, if the server read the header. It looks at the connection."
        ),
        ("new_token_for_own_key", "not_possible"): (
            "go back to the end of 02: which of the loot got you a token after all else was dead?"
        ),
        ("new_token_for_own_key", "certificate_is_the_bound_one"): (
            "the new token is bound to the certificate that you show when you ask for it: yours."
        ),
    },
    look={
        "stolen_key": "read what was taken. Is there a key in it?",
        "forged_certificate_header": "you show no certificate on the connection. Who asks?",
        "new_token_for_own_key": "02 ended with this. What was it bound to?",
    },
    wrong=(
        Wrong(
            _FOLDER | {"new_token_for_own_key": "not_possible"},
            "new_token_for_own_key: go back to the end of 02: which of the loot got you a token "
            "after all else was dead?",
        ),
        Wrong(
            _FOLDER | {"new_token_for_own_key": "certificate_is_the_bound_one"},
            "new_token_for_own_key: the new token is bound to the certificate that you show when "
            "you ask for it: yours.",
        ),
        Wrong(
            _FOLDER | {"forged_certificate_header": "served"},
            "forged_certificate_header: a header is a text that anybody can write. This server "
            "looks at the connection.",
        ),
        Wrong(
            _FOLDER | {"stolen_key": "served"},
            f"stolen_key: you have the right certificate, but {_NO_KEY}",
        ),
    ),
    recalls="02",
    hints=(
        "Read what was taken: three kinds of loot, and one is missing that 02 had.",
        "Ask of each: what does it need, and does the runner's new binding change that?",
        "The client credential needs nothing of the runner's. Whose certificate does it bind to?",
    ),
)

where_the_header_works = Choice(
    "mtls.where_the_header_works",
    "What must the proxy do, or leave undone, so that your header gets you in? Options: "
    "it_ends_tls, it_keeps_the_header, it_checks_no_certificate, it_shows_no_certificate.",
    reference="it_keeps_the_header",
    solved=(
        "The server believes the proxy, and the proxy passed on what you wrote. Where TLS ends, "
        "the binding is as good as that machine's care."
    ),
    wrong=(
        Wrong(
            "it_ends_tls",
            "Every proxy of this kind ends TLS, and a careful one is safe: it removes a header "
            "that a client wrote and sets its own.",
        ),
        Wrong(
            "it_checks_no_certificate",
            "You show it none, so that there is nothing to check. Your certificate is in the "
            "header, where TLS does not look.",
        ),
        Wrong(
            "it_shows_no_certificate",
            "Then the server would not know it for its proxy, and would not read the header at "
            "all. That is what happened above, where you came directly.",
        ),
    ),
    hints=(
        "Compare with your try above: same header, no proxy. Why did the server not read it?",
        "The server believes this header from one sender only. How can yours come from there?",
        "Both proxies are believed. One of them removes something before it sends the request on.",
    ),
)


def claim(lab: Lab) -> None:
    """Hold the notebook's claim against this run; silent while it is true, LabError if not."""
    endings = _WHO | _FOLDER | {"stolen_key": "served"}  # where it could be built at all
    claims.hold(lab, [("mtls", name, "same_resource", said) for name, said in endings.items()])
    header = ("mtls", "forged_certificate_header", "same_resource")
    claims.hold(lab, [(*header, "certificate_is_shown")], variant="proxy_strips")
    claims.hold(lab, [(*header, "served")], variant="proxy_passes")
