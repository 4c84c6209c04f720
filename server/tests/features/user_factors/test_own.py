"""Users and their own second factors, through the app, on both stores."""

import asyncio
import base64
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest

from hellojohn_server.features.mfa.schemas import Factor, FactorType
from hellojohn_server.kit.retention import PENDING_FACTOR_MS
from hellojohn_server.storage.sql import Statement
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, make_front, said
from tests.features.mfa.parts import STEP, App, begin, challenge, confirm, enrolled, facts, rows, told, verify
from tests.support import RunningApp

LIST_SECRETS: Final = Statement("SELECT id, secret FROM mfa_factors WHERE tenant_id = :tenant_id")
LIST_CODES: Final = Statement("SELECT code_hash FROM mfa_backup_codes WHERE tenant_id = :tenant_id")


async def factors(front: Front, access: str) -> list[dict[str, Any]]:
    answer = await front.app.call(access, "GET", "/v1/auth/mfa/factors")
    assert answer.status_code == 200, answer.text
    listed: list[dict[str, Any]] = answer.json()["data"]
    return listed


async def remove(front: Front, access: str, factor_id: str, **proof: str) -> httpx.Response:
    return await front.app.call(access, "DELETE", f"/v1/auth/mfa/factors/{factor_id}", proof)


async def test_begin_shows_once_what_an_app_needs(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    answer = await front.post("mfa/factors", {"type": "totp", "name": "Phone"}, key=alice.access)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    uri = urlsplit(body["otpauth_uri"])
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", "/Acme:alice@example.com")
    assert parse_qs(uri.query) == {"secret": [body["secret"]], "issuer": ["Acme"]}
    assert len(base64.b32decode(body["secret"])) == 20
    assert body["qr_code"].startswith("data:image/svg+xml")
    assert (body["type"], body["name"]) == ("totp", "Phone")
    assert (body["created_at"], body["expires_at"]) == ("2026-09-21T14:13:20.000Z", "2026-09-21T15:13:20.000Z")
    assert await factors(front, alice.access) == [
        {
            "id": body["id"],
            "type": "totp",
            "name": "Phone",
            "created_at": "2026-09-21T14:13:20.000Z",
            "confirmed_at": None,
            "last_used_at": None,
        }
    ]
    assert (await facts(front))["users"] == []
    assert await front.try_sign_in() == (200, "")
    [(factor_id, sealed)] = await rows(front, LIST_SECRETS)
    assert body["secret"].encode() not in bytes(sealed)
    assert front.app.services.mfa.matching_step(front.tenant_id, stored(factor_id, sealed), "000000") is None


def stored(factor_id: str, sealed: bytes) -> Factor:
    """Return a factor with a secret from the store."""
    return Factor(factor_id, "usr", FactorType.TOTP, None, None, 0, bytes(sealed))


async def test_the_first_confirmation_brings_ten_backup_codes(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    app = await begin(front, alice.access, clock)
    answer = await confirm(front, alice.access, app)
    assert answer.status_code == 200, answer.text
    assert answer.json()["factor"]["confirmed_at"] == "2026-09-21T14:13:20.000Z"
    assert len(set(app.backup_codes)) == 10
    hashes = {code_hash for (code_hash,) in await rows(front, LIST_CODES)}
    assert len(hashes) == 10
    assert not hashes & set(app.backup_codes)
    assert await front.me(alice.access) == (401, "token_stale")
    fresh = await front.refresh(alice.refresh)
    listed = (await front.app.call(fresh.access, "GET", "/v1/auth/mfa/factors")).json()
    assert (listed["backup_codes_left"], listed["pagination"]["total"]) == (10, 1)
    assert await facts(front) == {"users": [alice.user_id], "total": 1}
    user = (await front.admin("GET", f"/v1/users/{alice.user_id}")).json()
    assert (user["mfa_enrolled"], user["version"]) == (True, 2)
    entries = (await front.entries())[-2:]
    assert [(entry.type, entry.changes) for entry in entries] == [
        ("user.mfa_enrollment_begun", {}),
        ("user.mfa_factor_added", {"mfa_enrolled": (False, True)}),
    ]
    assert [entry.metadata for entry in entries] == [{"factor_id": app.factor_id, "type": "totp"}] * 2
    second = await begin(front, fresh.access, clock, password=PASSWORD)
    clock.advance(STEP)
    again = await confirm(front, fresh.access, second)
    assert "backup_codes" not in again.json()
    assert (await front.entries())[-1].changes == {}


async def test_confirming_needs_the_code(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    app = await begin(front, alice.access, clock)
    assert said(await confirm(front, alice.access, app, app.wrong())) == (401, "invalid_mfa_code")
    assert said(await confirm(front, alice.access, App("fac_x", "A" * 32, clock))) == (404, "mfa_factor_not_found")
    assert (await facts(front))["users"] == []
    assert (await confirm(front, alice.access, app)).status_code == 200
    alice = await front.refresh(alice.refresh)
    assert said(await confirm(front, alice.access, app)) == (409, "mfa_already_confirmed")
    bob = await front.sign_up("bob@example.com")
    assert said(await confirm(front, bob.access, app)) == (404, "mfa_factor_not_found")
    assert await told(front, "user.mfa_failed") == [{"code": "invalid_mfa_code"}]


async def test_what_is_not_confirmed_within_the_hour_is_gone(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    app = await begin(front, alice.access, clock)
    clock.advance(PENDING_FACTOR_MS / 1000)
    alice = await front.refresh(alice.refresh)
    assert await factors(front, alice.access) == []
    assert said(await confirm(front, alice.access, app)) == (404, "mfa_factor_not_found")
    await front.app.services.mfa.purge(front.tenant_id, clock.now_ms())
    assert await rows(front, LIST_SECRETS) == []


async def test_16_confirmations_at_once_enrol_once(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    app = await begin(front, alice.access, clock)
    answers = await asyncio.gather(*(confirm(front, alice.access, app) for _ in range(16)))
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {said(answer) for answer in answers} <= {
        (200, ""),
        (401, "token_stale"),
        (409, "mfa_already_confirmed"),
    }
    assert len(await rows(front, LIST_CODES)) == 10
    assert await facts(front) == {"users": [alice.user_id], "total": 1}


async def test_no_more_than_ten_factors_of_16_at_once(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    answers = await asyncio.gather(*(front.post("mfa/factors", {"type": "totp"}, key=alice.access) for _ in range(16)))
    assert sorted(said(answer) for answer in answers) == [*[(201, "")] * 10, *[(409, "mfa_factor_limit")] * 6]


async def test_what_changes_second_factors_is_proved_again(front: Front, clock: ManualClock) -> None:
    alice, app = await enrolled(front, clock)
    alice = await front.refresh(alice.refresh)
    begin_path, codes_path = "mfa/factors", "mfa/backup-codes/generate"
    needed = (403, "reauthentication_required")
    assert said(await remove(front, alice.access, app.factor_id)) == needed
    assert said(await front.post(begin_path, {"type": "totp"}, key=alice.access)) == needed
    assert said(await front.post(codes_path, key=alice.access)) == needed
    wrong = {"password": "wrong"}
    assert said(await front.post(codes_path, wrong, key=alice.access)) == (401, "invalid_credentials")
    assert said(await front.post(codes_path, {"code": app.wrong()}, key=alice.access)) == (401, "invalid_mfa_code")
    both = {"password": PASSWORD, "code": app.code()}
    assert said(await front.post(codes_path, both, key=alice.access)) == (422, "validation_failed")
    made = await front.post(codes_path, {"code": app.code()}, key=alice.access)
    assert len(made.json()["backup_codes"]) == 10
    assert said(await front.post(codes_path, {"code": app.code()}, key=alice.access)) == (401, "invalid_mfa_code")
    assert said(await verify(front, await challenge(front), app.backup_codes[0])) == (401, "invalid_mfa_code")
    assert (await verify(front, await challenge(front), made.json()["backup_codes"][0])).status_code == 200
    by_backup = {"type": "totp", "code": made.json()["backup_codes"][1]}
    assert (await front.post(begin_path, by_backup, key=alice.access)).status_code == 201
    assert (await remove(front, alice.access, app.factor_id, password=PASSWORD)).status_code == 204
    assert await front.try_sign_in() == (200, "")


async def test_the_last_factor_takes_the_backup_codes_with_it(front: Front, clock: ManualClock) -> None:
    alice, app = await enrolled(front, clock)
    alice = await front.refresh(alice.refresh)
    second = await begin(front, alice.access, clock, code=app.code())
    assert (await confirm(front, alice.access, second)).status_code == 200
    clock.advance(STEP)
    alice = await front.refresh(alice.refresh)
    assert (await remove(front, alice.access, app.factor_id, code=second.code())).status_code == 204
    assert len(await rows(front, LIST_CODES)) == 10
    assert await facts(front) == {"users": [alice.user_id], "total": 1}
    assert await front.me(alice.access) == (401, "token_stale")
    alice = await front.refresh(alice.refresh)
    clock.advance(STEP)
    assert (await remove(front, alice.access, second.factor_id, code=second.code())).status_code == 204
    assert await rows(front, LIST_CODES) == []
    assert await facts(front) == {"users": [], "total": 0}
    removed = [entry.changes for entry in await front.entries() if entry.type == "user.mfa_factor_removed"]
    assert removed == [{}, {"mfa_enrolled": (True, False)}]


async def test_16_removals_with_one_code_at_once(front: Front, clock: ManualClock) -> None:
    alice, app = await enrolled(front, clock)
    alice = await front.refresh(alice.refresh)
    answers = await asyncio.gather(*(remove(front, alice.access, app.factor_id, code=app.code()) for _ in range(16)))
    assert [answer.status_code for answer in answers].count(204) == 1
    assert await facts(front) == {"users": [], "total": 0}


@pytest.mark.parametrize("act", ["disable", "ban", "sessions"])
async def test_whoever_loses_access_changes_nothing(front: Front, clock: ManualClock, act: str) -> None:
    alice = await front.sign_up()
    app = await begin(front, alice.access, clock)
    method = "DELETE" if act == "sessions" else "POST"
    stop = front.admin(method, f"/v1/users/{alice.user_id}/{act}", {"reason": "stolen"})
    answers = await asyncio.gather(*(confirm(front, alice.access, app) for _ in range(8)), stop)
    enrolled_now = [answer.status_code for answer in answers[:-1]].count(200)
    assert answers[-1].is_success
    assert enrolled_now <= 1
    assert len((await facts(front))["users"]) == enrolled_now
    assert (await confirm(front, alice.access, app)).status_code in {401, 403}


async def test_another_tenant_and_another_user_find_nothing(front: Front, app: RunningApp, clock: ManualClock) -> None:
    alice, authenticator = await enrolled(front, clock)
    other = await make_front(app)
    eve, theirs = await enrolled(other, clock)
    eve = await other.refresh(eve.refresh)
    gone = (404, "mfa_factor_not_found")
    assert said(await remove(other, eve.access, authenticator.factor_id, code=theirs.code())) == gone
    assert said(await verify(other, await challenge(front), authenticator.code())) == (401, "mfa_challenge_invalid")
    assert said(await verify(other, await challenge(other), authenticator.code())) == (401, "invalid_mfa_code")
    assert await facts(front) == {"users": [alice.user_id], "total": 1}
