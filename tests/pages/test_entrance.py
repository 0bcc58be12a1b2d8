"""The sign-in of a mock with a token: what a browser gets for it, and what a stranger doesn't."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING, Any

import pytest
from freezegun import freeze_time

from mockserver import create_app
from mockserver.control.guard import PAGES
from mockserver.control.signing import SIGN_IN

if TYPE_CHECKING:
    from flask.testing import FlaskClient

TOKEN = "s3cret-of-this-test"
OURS = "http://mock.example:4010"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FAR: dict[str, Any] = {"base_url": OURS, "environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}


@pytest.fixture
def far() -> FlaskClient:
    """Return a browser on another machine, of a mock with a token."""
    return create_app(token=TOKEN).test_client()


def typed(client: FlaskClient, token: str, to: str = "/_mock/", **headers: str) -> Any:
    """Send the form as a browser does."""
    form = {"token": token, "to": to}
    return client.post(SIGN_IN, data=form, headers={"Origin": OURS} | headers, **FAR)


def reset(client: FlaskClient, **headers: str) -> int:
    """Try to change something; return the status."""
    return client.post("/_mock/reset", headers=headers, **FAR).status_code


@pytest.mark.parametrize("path", sorted(PAGES))
def test_browser_is_led_to_the_form_and_back(path: str, far: FlaskClient) -> None:
    led = far.get(path, headers=HTML, **FAR)
    form = far.get(led.location, headers=HTML, **FAR)
    back = typed(far, TOKEN, path)

    assert (303, 200, 303) == (led.status_code, form.status_code, back.status_code)
    assert f'name="to" value="{path}"' in form.text
    assert path == back.location
    assert far.get(path, headers=HTML, **FAR).status_code in {200, 501}  # without Swagger UI


def test_live_world_and_control_reference_want_it_on_this_machine_too(far: FlaskClient) -> None:
    """Where the token alone opens the control API; the other pages can be read."""
    statuses = {path: far.get(path, headers=HTML).status_code for path in PAGES}

    assert {"/_mock/", "/docs/control"} == {path for path in PAGES if statuses[path] == 303}


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
def test_clients_are_refused_in_json(accept: str, far: FlaskClient) -> None:
    for path in ("/_mock/", "/rules"):
        answer = far.get(path, headers={"Accept": accept}, **FAR)

        assert (403, ["error"]) == (answer.status_code, list(answer.get_json()))


def test_cookie_tells_nobody_the_token(far: FlaskClient) -> None:
    cookie = typed(far, TOKEN).headers["Set-Cookie"]
    value = cookie.partition("=")[2].partition(";")[0]
    decoded = base64.urlsafe_b64decode(value.partition(".")[0] + "==").decode()

    assert {"HttpOnly", "Path=/", "SameSite=Strict"} == set(cookie.split("; ")[1:])
    assert TOKEN not in cookie + decoded
    assert '{"fansmetric_mock_control":true}' == decoded


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Origin": OURS}, 200, id="own page"),
        pytest.param({}, 403, id="no origin"),
        pytest.param({"Origin": "null"}, 403, id="hidden origin"),
        pytest.param({"Origin": "http://evil.example"}, 403, id="foreign origin"),
        pytest.param({"Origin": "http://mock.example:4011"}, 403, id="other port"),
        pytest.param({"Origin": OURS, "Sec-Fetch-Site": "cross-site"}, 403, id="cross-site"),
        pytest.param({"Origin": OURS, "Sec-Fetch-Site": "same-site"}, 403, id="same-site"),
    ],
)
def test_cookie_writes_from_our_own_page_only(
    headers: dict[str, str], status: int, far: FlaskClient
) -> None:
    before = reset(far, **headers)
    typed(far, TOKEN)

    assert (403, status) == (before, reset(far, **headers))


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])  # fmt: skip
def test_cookie_reads_from_no_foreign_page(headers: dict[str, str], far: FlaskClient) -> None:
    typed(far, TOKEN)

    assert 200 == far.get("/_mock/clock", **FAR).status_code
    assert 403 == far.get("/_mock/clock", headers=headers, **FAR).status_code


@pytest.mark.parametrize("token", ["", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\u00e9\ud7ff"])
def test_wrong_token_opens_nothing(token: str, far: FlaskClient) -> None:
    answer = typed(far, token)

    assert (403, None) == (answer.status_code, answer.headers.get("Set-Cookie"))
    assert "That isn&#39;t the token." in answer.text.replace("'", "&#39;")
    assert 403 == far.get("/_mock/clock", **FAR).status_code
    assert token == "" or token not in answer.text


def test_token_is_compared_in_constant_time(
    far: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[Any] = []

    def never(*pair: bytes) -> bool:
        compared.append(pair)
        return False

    monkeypatch.setattr(hmac, "compare_digest", never)

    assert 403 == typed(far, TOKEN).status_code
    assert (TOKEN.encode(), TOKEN.encode()) in compared


def test_nothing_typed_is_no_token(far: FlaskClient) -> None:
    assert 403 == typed(far, "").status_code
    assert 403 == far.get("/_mock/clock", headers={"X-Mock-Token": ""}).status_code


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])  # fmt: skip
def test_foreign_page_cannot_sign_in(headers: dict[str, str], far: FlaskClient) -> None:
    answer = typed(far, TOKEN, **headers)

    assert (403, None) == (answer.status_code, answer.headers.get("Set-Cookie"))


@pytest.mark.parametrize("to", ["//evil.example/", "https://evil.example", "/_mock/reset", "\\"])
def test_leads_to_our_own_pages_only(to: str, far: FlaskClient) -> None:
    assert "/_mock/" == typed(far, TOKEN, to).location


def test_cookie_of_another_mock_is_worth_nothing(far: FlaskClient) -> None:
    """Where another token lets in, the key that signs is another one, and the name of the cookie too."""
    app, other = far.application, create_app(token="another")
    plain = app.test_client(use_cookies=False)
    own, stolen = (
        typed(made.test_client(), token).headers["Set-Cookie"].partition("=")[2].partition(";")[0]
        for made, token in ((app, TOKEN), (other, "another"))
    )
    name = app.config["SESSION_COOKIE_NAME"]

    assert 200 == reset(plain, Origin=OURS, Cookie=f"{name}={own}")
    assert 403 == reset(plain, Origin=OURS, Cookie=f"{name}={stolen}")
    assert name != other.config["SESSION_COOKIE_NAME"]


def test_cookie_ends_after_twelve_hours(far: FlaskClient) -> None:
    with freeze_time("2026-01-31T10:00:00Z") as time:
        typed(far, TOKEN)
        time.tick(12 * 3600 - 1)
        before = far.get("/_mock/clock", **FAR).status_code
        time.tick(2)

        assert (200, 403) == (before, far.get("/_mock/clock", **FAR).status_code)


def test_signing_out(far: FlaskClient) -> None:
    typed(far, TOKEN)
    page = far.get(SIGN_IN, headers=HTML, **FAR).text
    out = far.post(SIGN_IN, data={"out": "yes"}, headers={"Origin": OURS}, **FAR)

    assert "You are signed in" in page
    assert (303, SIGN_IN) == (out.status_code, out.location)
    assert 403 == far.get("/_mock/clock", **FAR).status_code


def test_form_sends_its_origin_and_runs_nothing_inline(far: FlaskClient) -> None:
    answer = far.get(SIGN_IN, headers=HTML, **FAR)
    policy = answer.headers["Content-Security-Policy"]

    assert "same-origin" == answer.headers["Referrer-Policy"]
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert "no-store" == answer.headers["Cache-Control"]


def test_without_a_token_there_is_no_form() -> None:
    client = create_app().test_client()

    assert 404 == client.get(SIGN_IN, headers=HTML).status_code
    assert not client.get("/rules", headers=HTML).headers.get("Set-Cookie")


def test_a_large_form_costs_little(far: FlaskClient) -> None:
    """Whoever has no token yet could else keep the mock busy with millions of fields."""
    fields = "&".join(f"a{number}=" for number in range(20_000))
    answer = typed(far, TOKEN + "&" * 20_000)
    refused = far.post(
        SIGN_IN,
        data=f"token={TOKEN}&{fields}",
        content_type="application/x-www-form-urlencoded",
        headers={"Origin": OURS},
        **FAR,
    )

    assert 413 == answer.status_code == refused.status_code
    assert ["error"] == list(refused.get_json())
    assert 403 == reset(far)


@pytest.mark.parametrize("failure", [ValueError, OSError])
def test_a_form_that_breaks_off(
    failure: type[Exception], far: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise failure("the body breaks off")

    monkeypatch.setattr("flask.Request.get_data", broken)

    assert 400 == typed(far, TOKEN).status_code
