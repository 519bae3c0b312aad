"""Signing in with a browser, tokens, and what is not offered to whom may not do it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from projrun.server.access import passwords
from projrun.tracking.parts import part_of
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.users import Users
from tests.support.browser import Screen, Visitor
from tests.support.program import projrun_server
from tests.support.rest import Api

PASSWORD = "correct horse battery"
RUN = "5" * 32


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with the users admin and ann, and the model `wine`, which ann may read."""
    folder = tmp_path_factory.mktemp("with-users")
    uri = f"sqlite:///{folder / 'users.db'}"
    store = SqlStore.open(folder / "users.db")
    users = part_of(store, Users)
    for name in ("admin", "ann"):
        users.create_user(name, passwords.hashed(PASSWORD), is_admin=name == "admin")
    store.create_run("0", run_name="shared", start_time=1, origin_id=RUN)
    store.close()
    with projrun_server(folder, "--auth", "--backend-store-uri", uri) as program:
        yield Api(program.uri)


@pytest.fixture(scope="module")
def visitor(browser: Browser, shared: Api) -> Iterator[Visitor]:
    """Who looks at that server."""
    visitor = Visitor(browser, shared)
    yield visitor
    visitor.leave()


@pytest.fixture
def screen(visitor: Visitor) -> Iterator[Screen]:
    """A new page of that server."""
    with visitor.screen() as screen:
        yield screen
    assert [problem for problem in screen.problems if "401" not in problem] == []


def sign_in(screen: Screen, name: str, password: str = PASSWORD) -> None:
    """Fill the form; with the right password, wait until the bar names the user."""
    screen.page.get_by_label("User name").fill(name)
    screen.page.get_by_label("Password").fill(password)
    screen.press("Enter")
    if password == PASSWORD:
        screen.page.get_by_role("button", name=name, exact=True).wait_for()


def test_whoever_is_not_signed_in_is_sent_there_and_back(screen: Screen) -> None:
    screen.show("/models?q=wi")
    screen.expect("h1").to_have_text("Sign in")
    sign_in(screen, "ann", "wrong password")
    screen.text("Wrong user name or password.")
    sign_in(screen, "ann")
    screen.page.wait_for_url("**/models?q=wi")
    screen.expect("h1").to_have_text("Models")
    assert screen.page.evaluate("document.cookie") == ""
    screen.page.reload()
    screen.page.get_by_role("button", name="ann", exact=True).click()
    screen.page.get_by_role("menuitem", name="Sign out").click()
    screen.page.wait_for_url("**/signin")
    screen.show("/models").expect("h1").to_have_text("Sign in")


@pytest.mark.parametrize(
    "then",
    ["//evil.example.org/", "https://evil.example.org/", "/\\evil.example.org", "/%09/evil.example.org"],
)
def test_nothing_leads_elsewhere_after_signing_in(screen: Screen, then: str) -> None:
    screen.show(f"/signin?then={then}")
    sign_in(screen, "ann")
    screen.page.wait_for_url(f"{screen.api.uri}/**")
    screen.page.get_by_role("button", name="ann", exact=True).wait_for()
    assert screen.page.url.startswith(f"{screen.api.uri}/")


def test_who_is_signed_in_is_asked_again_after_a_failure(screen: Screen) -> None:
    screen.show("/signin")
    sign_in(screen, "ann")
    screen.page.route("**/api/projrun/1/session*", lambda route: route.fulfill(status=500, body="busy"))
    screen.show("/experiments").text("New experiment")
    assert screen.page.get_by_role("button", name="ann", exact=True).count() == 0
    screen.page.unroute_all()
    screen.page.get_by_role("link", name="Models").click()
    screen.page.get_by_role("button", name="ann", exact=True).wait_for()
    screen.problems = [problem for problem in screen.problems if "500" not in problem]


def test_what_is_being_written_outlives_the_sign_in(screen: Screen) -> None:
    screen.show("/signin?then=/experiments")
    sign_in(screen, "ann")
    screen.page.get_by_role("button", name="New experiment").click()
    dialog = screen.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("not lost")
    screen.page.context.clear_cookies()
    screen.page.get_by_role("button", name="Create", exact=True).click()
    screen.text("Your sign-in has ended. Sign in again in another tab, then repeat this here.")
    expect(dialog.get_by_label("Name")).to_have_value("not lost")
    dialog.get_by_role("button", name="Cancel").click()
    screen.page.reload()
    screen.expect("h1").to_have_text("Sign in")


def test_what_one_may_not_do_is_not_offered(screen: Screen) -> None:
    screen.show("/signin")
    sign_in(screen, "admin")
    screen.page.get_by_role("link", name="Models").click()
    screen.page.get_by_role("button", name="New model").click()
    screen.page.get_by_role("dialog").get_by_label("Name").fill("wine")
    screen.page.get_by_role("button", name="Create", exact=True).click()
    screen.page.get_by_role("button", name="Actions for this model").wait_for()
    screen.page.get_by_role("button", name="Add a description").wait_for()
    screen.page.context.clear_cookies()
    screen.show("/signin?then=/models/wine")
    sign_in(screen, "ann")
    screen.expect("h1").to_have_text("wine")
    screen.text("No versions yet")
    screen.page.wait_for_load_state("networkidle")
    assert screen.page.get_by_role("button", name="Actions for this model").count() == 0
    assert screen.page.get_by_role("button", name="Add a description").count() == 0
    screen.show("/experiments").text("New experiment")
    screen.page.wait_for_load_state("networkidle")
    assert screen.page.get_by_role("button", name="Actions for Default").count() == 0
    screen.show(f"/experiments/0/runs/{RUN}").expect("h1").to_have_text("shared")
    screen.page.wait_for_load_state("networkidle")
    for name in ("More", "Add a description", "Add"):
        assert screen.page.get_by_role("button", name=name, exact=True).count() == 0


def test_a_token_is_made_shown_once_and_deleted(screen: Screen) -> None:
    screen.show("/signin?then=/tokens")
    sign_in(screen, "ann")
    screen.page.get_by_role("button", name="New token").click()
    screen.page.get_by_label("Name").fill("laptop")
    screen.page.get_by_role("button", name="Create", exact=True).click()
    screen.text("MLFLOW_TRACKING_TOKEN=projrun_")
    screen.page.get_by_role("button", name="Done").click()
    screen.page.get_by_role("cell", name="laptop").first.wait_for()
    expect(screen.page.get_by_text("MLFLOW_TRACKING_TOKEN=")).to_have_count(0)
    screen.text("this browser")
    screen.page.get_by_role("button", name="Delete laptop").click()
    screen.page.get_by_role("button", name="Delete", exact=True).click()
    screen.text("No tokens")
    screen.text("projrun server tokens create ann laptop --days 90", exact=True)


def test_pictures(screen: Screen) -> None:
    screen.pictures(("signin", "/signin", "form"))
    screen.show("/signin")
    sign_in(screen, "ann")
    screen.page.get_by_role("button", name="ann", exact=True).wait_for()
    for name in ("laptop", "nightly builds"):
        screen.page.evaluate(
            "name => fetch('/api/projrun/1/tokens', {method: 'POST', headers: {'content-type': 'application/json'},"
            " body: JSON.stringify({name, days: name === 'laptop' ? 90 : null})})",
            name,
        )
    screen.pictures(("tokens", "/tokens", "tbody"))
