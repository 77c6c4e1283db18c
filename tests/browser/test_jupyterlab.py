"""The notebooks in JupyterLab, in a real browser, answered, with their pictures and words."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from labsim.exercises import eight_ideas
from tests.browser.in_browser import PATIENCE, Open, answer_right, in_themes

INDEX = "index"
PRIMER = "primer"
THEFT = "00_the_first_theft"
FIRST = "01_a_stolen_bearer_token_works"
SECOND = "02_a_stolen_dpop_token_needs_its_key"
THIRD = "03_a_stolen_mtls_token_needs_its_certificate"
FOURTH = "04_a_signature_covers_what_it_lists"
FIFTH = "05_a_key_at_the_client_is_not_enforcement"
SIXTH = "06_where_keys_live"
LAST = "13_the_blast_radius"
ANSWERS = {
    "prediction = {": (
        'prediction = {"token_as_is": "proof_is_there", "request_as_is": "jti_is_new",\n'
        '    "redirected_proof": "htu_is_the_target_uri",\n'
        '    "own_proof": "proof_key_is_the_bound_one"}\n'
        "ex.which_check_refuses.check(prediction)"
    ),
    "later = {": (
        'later = {"stolen_key": "served", "new_token_for_own_key": "served"}\n'
        "ex.after_the_new_key.check(later)"
    ),
}


@in_themes(INDEX)
def test_the_index_asks_the_eight_ideas_and_tells_nothing(
    opened: Open, request: pytest.FixtureRequest
) -> None:
    opened.run_all()
    opened.assert_no_error()
    for said in ("Eight ideas", "You have passed 0 of"):
        expect(opened.page.locator(".jp-OutputArea").get_by_text(said)).to_be_visible()
    opened.picture(f"index-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(PRIMER)
def test_the_primer_answered_right(opened: Open, request: pytest.FixtureRequest) -> None:
    answer_right(opened, PRIMER)
    opened.run_all()
    opened.assert_no_error()
    expect(opened.page.locator(".jp-OutputArea").get_by_text("● Right")).to_have_count(4)
    opened.picture(f"primer-right-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(THEFT)
def test_the_first_theft_from_the_ticket_to_the_bars(
    opened: Open, request: pytest.FixtureRequest
) -> None:
    answer_right(opened, THEFT)
    opened.run_all()
    opened.assert_no_error()
    expect(opened.page.get_by_text("You predicted 1; 1 happened as you said.")).to_have_count(2)
    drawn = opened.page.locator("svg[aria-roledescription], .jp-RenderedMermaid img").first
    expect(drawn).to_be_visible(timeout=PATIENCE)
    bars = opened.page.locator("img[alt*='12 of 24 with bearer and 0 of 24 with DPoP']")
    expect(bars).to_be_visible()
    expect(opened.page.locator("img[alt*='the holder itself: served']")).to_be_visible()
    opened.picture(f"00-right-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(FIRST)
def test_the_first_notebook_runs_untouched_and_shows_its_pictures(
    opened: Open, request: pytest.FixtureRequest
) -> None:
    opened.run_all()
    opened.assert_no_error()
    chart = opened.page.locator("img[alt*='12 of 24']")
    expect(chart).to_be_visible()
    drawn = opened.page.locator("svg[aria-roledescription], .jp-RenderedMermaid img").first
    expect(drawn).to_be_visible(timeout=PATIENCE)
    opened.picture(f"01-untouched-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(SECOND)
def test_the_second_notebook_answered_wrong_and_then_right(
    opened: Open, request: pytest.FixtureRequest
) -> None:
    for beginning, source in ANSWERS.items():
        opened.put(beginning, source)
    wrong = "def proof_key_is_the_bound_one(proof, evidence):\n    return True\n\n\n"
    check = "ex.proof_key_is_the_bound_one.check(proof_key_is_the_bound_one)"
    place = opened.put("def proof_key_is_the_bound_one", wrong + check)
    opened.run_all()
    opened.assert_no_error()
    assert "said yes to every proof" in opened.outputs(place)
    opened.picture(f"02-wrong-{request.node.callspec.id}")
    right = wrong.replace("True", 'proof.key.thumbprint == evidence.confirmation.get("jkt")')
    opened.put("def proof_key_is_the_bound_one", right + check)
    assert "The holder was served" in opened.run_cell(place)
    expect(opened.page.get_by_text("Four proofs ran through")).to_be_visible()
    expect(opened.page.get_by_text("You predicted 4; 4 happened as you said.")).to_be_visible()
    expect(opened.page.locator("img[alt*='by replay']").first).to_be_visible()
    opened.picture(f"02-right-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(THIRD)
def test_the_third_notebook_answered_right(opened: Open, request: pytest.FixtureRequest) -> None:
    answer_right(opened, THIRD)
    opened.run_all()
    opened.assert_no_error()
    for said in (
        "You predicted 2; 2 happened as you said.",
        "It showed a certificate, but not the one the token names.",
        "The certificate in Client-Cert",
    ):
        expect(opened.page.get_by_text(said)).to_be_visible()
    expect(opened.page.get_by_text("You predicted 3; 3 happened as you said.")).to_have_count(2)
    expect(opened.page.locator("img[alt*='by replay']").first).to_be_visible()
    opened.picture(f"03-right-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(FOURTH)
def test_the_fourth_notebook_answered_right(opened: Open, request: pytest.FixtureRequest) -> None:
    answer_right(opened, FOURTH)
    opened.run_all()
    opened.assert_no_error()
    for said in ("You predicted 4; 4 happened", "You predicted 5; 5 happened"):
        expect(opened.page.get_by_text(said)).to_be_visible()
    expect(opened.page.get_by_text("The signature base of this request")).to_have_count(2)
    expect(opened.page.locator("img[alt*='by replay']").first).to_be_visible()
    opened.picture(f"04-right-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(FIFTH)
def test_the_fifth_notebook_answered_wrong_and_then_right(
    opened: Open, request: pytest.FixtureRequest
) -> None:
    answer_right(opened, FIFTH)
    wrong = (
        'def binding_of(cnf, scheme):\n    return "dpop" if scheme == "dpop" else "bearer"\n\n\n'
    )
    check = "ex.binding_of.check(binding_of)"
    place = opened.put("ex:binding_of", wrong + check)
    opened.run_all()
    opened.assert_no_error()
    expect(opened.page.get_by_text("Not yet")).to_be_visible()
    opened.picture(f"05-wrong-{request.node.callspec.id}")
    answer_right(opened, FIFTH)
    assert "three thieves refused" in opened.run_cell(place)
    expect(opened.page.get_by_text("Not yet")).to_have_count(0)
    for said in ("You predicted 5; 5 happened", "You predicted 3; 3 happened"):
        expect(opened.page.get_by_text(said)).to_be_visible()
    for drawn in ("case A", "up to 24 where servers differ", "the holder itself: served"):
        expect(opened.page.locator(f"img[alt*='{drawn}']").first).to_be_visible()
    opened.picture(f"05-right-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(SIXTH)
def test_the_sixth_notebook_answered_right(opened: Open, request: pytest.FixtureRequest) -> None:
    answer_right(opened, SIXTH)
    opened.run_all()
    opened.assert_no_error()
    for said in ("You predicted 1; 1 happened", "After 3 steps the thief has nothing left."):
        expect(opened.page.get_by_text(said)).to_be_visible()
    expect(opened.page.get_by_text("You predicted 3; 3 happened as you said.")).to_have_count(2)
    expect(opened.page.locator("img[alt*='0 to 12 of 24 with mTLS']")).to_be_visible()
    opened.picture(f"06-right-{request.node.callspec.id}")
    assert opened.elsewhere == []


@in_themes(LAST)
def test_the_last_notebook_answered_right(opened: Open, request: pytest.FixtureRequest) -> None:
    answer_right(opened, LAST)
    ideas = {name: idea.options[0] for name, idea in eight_ideas.IDEAS.items()}
    opened.put("answers = {", f"answers = {ideas!r}\neight_ideas.after(answers)")
    opened.run_all()
    opened.assert_no_error()
    for said in (
        "You predicted 4; 4 happened as you said.",
        "With collab and vault enforcing, 88 of 120 records were sent.",
        "You predicted 5; 5 happened as you said.",
    ):
        expect(opened.page.get_by_text(said)).to_be_visible()
    for drawn in ("110 of 120 records, at 6 of 7", "each as computed", "your two first", "Marked:"):
        expect(opened.page.locator(f"img[alt*='{drawn}']")).to_be_visible()
    for said in ("Right before: 0 of 8. Right after: 8.", "Your page was written"):
        expect(opened.page.get_by_text(said)).to_be_visible()
    opened.picture(f"13-right-{request.node.callspec.id}")
    assert opened.elsewhere == []
