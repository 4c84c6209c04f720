"""How a tenant's mail looks: set over HTTP, and seen in what goes out."""

import asyncio
from typing import Any, Final
from uuid import uuid4

import pytest

from hellojohn_server.features.emails.schemas import Email
from hellojohn_server.kit.email_templates import VALUES, EmailTemplate
from hellojohn_server.kit.template_language import read_source
from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.sql import Kind, Statement
from tests.features.emails.parts import RESET, SECRET, queue
from tests.features.tenant_settings.test_routes import PATH, entries, error_of
from tests.support import RunningApp

OWN: Final = {
    "subject": "Neues Passwort für {{ tenant_name|upper }}",
    "text": "Hier: {{ link }}\n",
    "html": '<p>{{ tenant_name }}: <a href="{{ link }}">hier</a></p>\n',
}
NO_TEMPLATES: Final = dict.fromkeys(template.value for template in EmailTemplate)
PUT_TEMPLATE: Final = Statement(
    "UPDATE tenant_settings SET document = :document WHERE tenant_id = :tenant_id AND name = 'email.password_reset'",
    kind=Kind.BOOKKEEPING,
)


@pytest.fixture
async def tenant(app: RunningApp) -> str:
    return await app.make_tenant("Acme & Co")


@pytest.fixture
async def key(app: RunningApp, tenant: str) -> str:
    return await app.make_key(tenant)


async def change(app: RunningApp, key: str, **mail: Any) -> dict[str, Any]:
    answer = await app.call(key, "PATCH", PATH, {"mail": mail})
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = (await app.call(key, "GET", PATH)).json()
    assert shown == answer.json()
    return shown


async def test_mail_goes_out_as_the_tenant_says(app: RunningApp, tenant: str, key: str) -> None:
    other_id = await app.make_tenant("Other")
    shown = await change(
        app,
        key,
        sender_name="Acme — Hilfe",
        reply_to="hilfe@example.com",
        templates={"password_reset": OWN, "email_changed": {"subject": "Changed"}},
    )
    assert shown["version"] == 2
    assert (shown["mail"]["sender_name"], shown["mail"]["reply_to"]) == ("Acme — Hilfe", "hilfe@example.com")
    assert shown["mail"]["templates"] == {
        **NO_TEMPLATES,
        "password_reset": OWN,
        "email_changed": {"subject": "Changed", "text": None, "html": None},
    }
    changed = Email(EmailTemplate.EMAIL_CHANGED, "bob@example.com", "usr_2")
    await queue(app, tenant, RESET, changed)
    await queue(app, other_id)
    mails = {(mail.to, mail.from_name): mail for mail in await app.mails()}
    own = mails["alice@example.com", "Acme — Hilfe"]
    assert (own.subject, own.text) == ("Neues Passwort für ACME & CO", f"Hier: {SECRET}\n")
    assert own.html == f'<p>Acme &amp; Co: <a href="{SECRET}">hier</a></p>\n'
    assert own.reply_to == "hilfe@example.com"
    assert own.from_address == "no-reply@localhost"
    half = mails["bob@example.com", "Acme — Hilfe"]
    assert half.subject == "Changed"
    assert "was changed" in half.text
    others = mails["alice@example.com", "Other"]
    assert (others.subject, others.reply_to) == ("Reset your password for Other", None)


async def test_null_puts_texts_back(app: RunningApp, tenant: str, key: str) -> None:
    await change(app, key, sender_name="Acme", templates={"password_reset": OWN, "invitation": OWN})
    one = await change(app, key, templates={"password_reset": {"html": None}, "invitation": {"subject": "Come"}})
    assert one["mail"]["sender_name"] == "Acme"
    assert one["mail"]["templates"]["password_reset"] == {**OWN, "html": None}
    assert one["mail"]["templates"]["invitation"] == {**OWN, "subject": "Come"}
    two = await change(app, key, templates={"password_reset": dict.fromkeys(OWN)})
    assert two["mail"]["templates"] == {**NO_TEMPLATES, "invitation": {**OWN, "subject": "Come"}}
    three = await change(app, key, templates=None)
    assert three["mail"] == {"sender_name": "Acme", "reply_to": None, "templates": NO_TEMPLATES}
    await change(app, key, templates={"invitation": OWN})
    answer = await app.call(key, "PATCH", PATH, {"mail": None})
    assert answer.json()["mail"] == {"sender_name": None, "reply_to": None, "templates": NO_TEMPLATES}
    assert answer.json()["version"] == 7
    again = await app.call(key, "PATCH", PATH, {"mail": None})
    assert again.json()["version"] == 7


async def test_the_entry_has_the_length_and_a_hash_of_a_text(app: RunningApp, key: str) -> None:
    await change(app, key, sender_name="Acme", templates={"password_reset": {"text": "Hier: {{ link }}"}})
    await change(app, key, templates={"password_reset": None})
    first, second = await entries(app, key)
    told = "16 characters, sha256 "
    text = first["changes"].pop("mail.templates.password_reset.text")
    assert first["changes"] == {"mail.sender_name": [None, "Acme"]}
    assert text[0] is None
    assert text[1].startswith(told)
    assert second["changes"] == {"mail.templates.password_reset.text": [text[1], None]}


async def test_a_change_of_mail_needs_admins_manage(app: RunningApp, tenant: str) -> None:
    key = await app.make_key(tenant, "config:*")
    for mail in ({"sender_name": "Acme"}, {"templates": {"invitation": {"subject": "x"}}}, None):
        answer = await app.call(key, "PATCH", PATH, {"mail": mail})
        assert error_of(answer) == (403, "insufficient_scope", [("scope", "missing_scope")])


async def test_everything_that_is_wrong_is_named_at_once(app: RunningApp, key: str) -> None:
    templates = {
        "password_reset": {"subject": "a\nBcc: eve@example.com", "text": "no link", "html": "{{ link * 10 }}"},
        "factor_added": {"text": "{{ link }}"},
    }
    mail = {"sender_name": "a\r\nBcc: eve@example.com", "reply_to": "Eve <eve@example.com>", "templates": templates}
    status, code, details = error_of(await app.call(key, "PATCH", PATH, {"mail": mail}))
    assert (status, code) == (422, "validation_failed")
    assert sorted(details) == [
        ("mail.reply_to", "invalid"),
        ("mail.sender_name", "invalid"),
        ("mail.templates.factor_added.text", "invalid"),
        ("mail.templates.password_reset.html", "invalid"),
        ("mail.templates.password_reset.subject", "invalid"),
        ("mail.templates.password_reset.text", "invalid"),
    ]
    unknown = {"factor_added": {"other": "x"}, "unknown": {"text": "x"}}
    assert sorted(error_of(await app.call(key, "PATCH", PATH, {"mail": {"templates": unknown}}))[2]) == [
        ("mail.templates.factor_added.other", "unknown"),
        ("mail.templates.unknown", "unknown"),
    ]
    alone = await app.call(key, "PATCH", PATH, {"mail": {"templates": {"password_reset": {"text": "{{ nobody }}"}}}})
    assert error_of(alone) == (422, "validation_failed", [("mail.templates.password_reset.text", "invalid")])
    [detail] = alone.json()["error"]["details"]
    assert detail["message"] == (
        "Line 1: there is no value 'nobody' here. There are: email, expires_in, link, tenant_name."
    )
    assert (await app.call(key, "GET", PATH)).json()["version"] == 1


async def test_faults_of_texts_stand_beside_whatever_else_is_wrong(app: RunningApp, key: str) -> None:
    templates = {"invitation": {"text": 5, "html": "{{ nobody }}"}, "factor_added": {"subject": "{% x %}"}, "other": {}}
    change = {"mail": {"templates": templates}, "sessions": {"max_per_user": 0}}
    for path in (PATH, f"{PATH}?dry=1"):
        status, code, details = error_of(await app.call(key, "PATCH", path, change))
        assert (status, code) == (422, "validation_failed")
        assert sorted(details) == sorted(
            [
                ("mail.templates.factor_added.subject", "invalid"),
                ("mail.templates.invitation.html", "invalid"),
                ("mail.templates.invitation.text", "wrong_type"),
                ("mail.templates.other", "unknown"),
                ("sessions.max_per_user", "out_of_range"),
                *([("dry", "unknown")] if "?" in path else []),
            ]
        )
    texts_and_roles = {"mail": {"templates": {"factor_added": {"text": "{{ x }}"}}}, "mfa": {"roles": ["editor"]}}
    assert sorted(error_of(await app.call(key, "PATCH", PATH, texts_and_roles))[2]) == [
        ("mail.templates.factor_added.text", "invalid"),
        ("mfa.roles[0]", "unknown"),
    ]
    assert (await app.call(key, "GET", PATH)).json()["version"] == 1


@pytest.mark.parametrize("wrong", [{}, {"sessions": {"max_per_user": 0}}])
async def test_the_loop_goes_on_while_many_texts_are_tried(app: RunningApp, key: str, wrong: dict[str, Any]) -> None:
    sources = iter(f"{{{{ email }}}}{'{% if email %}a{% endif %}' * 30}{uuid4()}" for _ in range(1000))
    links = {template.value: "{{ link }}" if "link" in VALUES[template] else "" for template in EmailTemplate}
    templates = {name: {part: f"{link}{next(sources)}" for part in ("text", "html")} for name, link in links.items()}
    before, seen = read_source.cache_info().misses, set[int]()
    call = asyncio.create_task(app.call(key, "PATCH", PATH, {"mail": {"templates": templates}, **wrong}))
    while not call.done():
        await asyncio.sleep(0)
        seen.add(read_source.cache_info().misses - before)
    assert (await call).status_code == (422 if wrong else 200)
    assert max(seen) == 2 * len(EmailTemplate)
    assert len(seen) > 2  # the loop came by while only some were read


@pytest.mark.parametrize("name", ["support@bank.example", "<b>", "a\u2028b", "   ", "x" * 101])
async def test_a_name_that_could_be_taken_for_something_else_is_refused(app: RunningApp, key: str, name: str) -> None:
    answer = await app.call(key, "PATCH", PATH, {"mail": {"sender_name": name}})
    assert answer.status_code == 422


async def test_every_mail_may_have_the_longest_texts(app: RunningApp, key: str) -> None:
    long = {"text": "{{ link }}" + "x" * 65_526, "html": "{{ link }}" + "x" * 65_526}
    links = [name for name in NO_TEMPLATES if name.startswith(("password_reset", "magic", "email_verif"))]
    shown = await change(app, key, templates=dict.fromkeys(links, long))
    assert shown["mail"]["templates"]["magic_link"]["text"] == long["text"]
    longer = {"magic_link": {"text": f"{long['text']}x"}}
    answer = await app.call(key, "PATCH", PATH, {"mail": {"templates": longer}})
    assert error_of(answer) == (422, "validation_failed", [("mail.templates.magic_link.text", "too_long")])


async def test_where_an_own_text_fails_the_built_in_one_goes_out(app: RunningApp, tenant: str, key: str) -> None:
    await change(app, key, templates={"password_reset": OWN})

    async def spoil(tx: Transaction) -> None:
        await tx.execute(PUT_TEMPLATE, document='{"text": "{{ gone }}"}')

    await app.services.database.write(tenant, spoil, type(None))
    await queue(app, tenant)
    [mail] = await app.mails()
    assert mail.subject == "Reset your password for Acme & Co"
    assert SECRET in mail.text
