"""The control panel of 07 and 13 in a real browser: by mouse and by keyboard, light and dark."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.in_browser import PATIENCE, Open, answer_right, in_themes

SEVENTH = "07_where_binding_loses"
LAST = "13_the_blast_radius"
in_both = pytest.mark.parametrize(
    "opened",
    [(SEVENTH, "Light"), (LAST, "Dark")],
    indirect=True,
    ids=["07-light", "13-dark"],
)
TABS = 80
"""More presses of Tab than there are things in the panel to go to."""


def button(page: Page, text: str) -> Locator:
    return page.locator(".labsim-panel button", has_text=re.compile(text))


def focused(page: Page) -> str:
    """Return what a person who uses the keyboard is at: a button's text, or a field's name."""
    return str(
        page.evaluate(
            """() => {
                const at = document.activeElement;
                if (!at || !at.closest('.labsim-panel')) { return ''; }
                return at.tagName === 'BUTTON' ? at.textContent : at.tagName.toLowerCase();
            }"""
        )
    )


def tab_to(page: Page, what: str) -> list[str]:
    """Press Tab until the focus is where it says so; return everything that it came by."""
    seen: list[str] = []
    for _ in range(TABS):
        seen.append(focused(page))
        if re.search(what, seen[-1]):
            return seen
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {what!r}, only to {seen}")


def shown(opened: Open) -> Page:
    """Run the notebook untouched, and return its page once the panel is drawn."""
    opened.run_all()
    opened.assert_no_error()
    expect(opened.page.locator(".labsim-panel")).to_be_visible(timeout=PATIENCE)
    expect(button(opened.page, r"^○ DPoP$")).to_be_visible(timeout=PATIENCE)
    return opened.page


def outcome(page: Page) -> Locator:
    return page.locator(".labsim-panel [role=status]")


@in_both
def test_the_panel_by_mouse(opened: Open, request: pytest.FixtureRequest) -> None:
    page = shown(opened)
    run = button(page, "^Run$")
    run.click()
    expect(outcome(page)).to_contain_text("Predict before you run")
    button(page, r"^○ DPoP$").click()
    expect(button(page, r"^● DPoP$")).to_be_visible()
    closed = button(page, "sign with the stolen key")
    expect(closed).to_be_disabled()
    expect(page.get_by_text("this loot holds no key (sign with the stolen key)")).to_be_visible()
    button(page, "add a proof by the thief").click()
    page.get_by_label("6. Prediction").fill("proof_key_is_the_bound_one")
    # As somebody who reads: the panel takes back its reminder once it has the prediction. A click
    # before that can overtake it on its way to the kernel.
    expect(outcome(page)).not_to_contain_text("Predict before you run")
    run.click()
    expect(outcome(page)).to_contain_text("Rejected by proof_key_is", timeout=PATIENCE)
    expect(outcome(page)).to_contain_text("As you predicted: yes")
    expect(page.locator(".labsim-panel td", has_text="own_proof")).to_be_visible()
    code = page.locator(".labsim-panel textarea")
    expect(code).to_have_value(re.compile(r'by="own_proof", against="deploy", predicted='))
    opened.picture(f"panel-mouse-{request.node.callspec.id}")
    button(page, "^Stop").click()
    expect(outcome(page)).to_contain_text("stopped", timeout=PATIENCE)
    opened.assert_no_error()
    assert opened.elsewhere == []


@in_both
@pytest.mark.parametrize("press", ["Space", "Enter"])
def test_the_panel_by_keyboard(opened: Open, press: str, request: pytest.FixtureRequest) -> None:
    page = shown(opened)
    button(page, "an interceptor that the client trusts").focus()
    tab_to(page, r"^○ DPoP$")
    page.keyboard.press(press)
    expect(button(page, r"^● DPoP$")).to_be_focused()
    passed = tab_to(page, "add a proof by the thief")
    # What cannot be chosen is not stopped at, and what can be is come to in the order of reading.
    assert not any(each.startswith("⊘") for each in passed)
    assert passed.index("● key in a file") < passed.index("● present the token as it is")
    page.keyboard.press(press)
    expect(button(page, "^● add a proof by the thief")).to_be_focused()
    tab_to(page, "^input$")
    page.keyboard.type("proof_key_is_the_bound_one")
    page.keyboard.press("Tab")
    expect(button(page, "^Run$")).to_be_focused()
    page.keyboard.press(press)
    expect(outcome(page)).to_contain_text("Rejected by proof_key_is", timeout=PATIENCE)
    opened.picture(f"panel-keyboard-{request.node.callspec.id}")
    tab_to(page, "^textarea$")
    opened.assert_no_error()
    assert opened.elsewhere == []


@in_themes(SEVENTH)
def test_the_seventh_notebook_answered_right(opened: Open, request: pytest.FixtureRequest) -> None:
    answer_right(opened, SEVENTH)
    opened.run_all()
    opened.assert_no_error()
    for said in ("You predicted 3; 3 happened", "You predicted 2; 2 happened", "5 of 5 losses end"):
        expect(opened.page.get_by_text(said)).to_be_visible()
    drawn = opened.page.locator("svg[aria-roledescription='sequence'], .jp-RenderedMermaid img")
    expect(drawn).to_have_count(2, timeout=PATIENCE)
    expect(opened.page.locator("img[alt*='by replay']")).to_be_visible()
    opened.picture(f"07-right-{request.node.callspec.id}")
    assert opened.elsewhere == []
