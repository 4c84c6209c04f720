"""The verifiers and their feed over HTTP: what is told is refused, what is not known is asked, nothing is lost."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import msgspec
import pytest

from hellojohn import AsyncHelloJohn
from hellojohn.verify import InvalidToken, VerificationUnavailable
from tests.sdk.python.feeds import Mode, ScriptedFeed, scripted
from tests.sdk.python.verifiers import KINDS, Judge, impersonated, judge, options_of, signed_up
from tests.sdk.typescript.recorder import Recorder, Site
from tests.support import PUBLIC_URL
from tests.walk.world import World

FORKING: Final = """
import os, sys
from hellojohn.verify import InvalidToken, Verifier

base_url, issuer, tenant_id, token = sys.argv[1:]
verifier = Verifier(base_url=base_url, issuer=issuer, tenant_id=tenant_id)
assert verifier.wait_until_fresh()
verifier.verify(token)
if os.fork() == 0:
    assert verifier.wait_until_fresh()
    verifier.verify(token)
    print("good", flush=True)
    try:
        while True:
            verifier.verify(token)
    except InvalidToken as refusal:
        print(refusal.code, verifier.is_stale, flush=True)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""
REMOTE: Final = "/v1/sessions/verify"
STALE: Final = 0.5
PATIENCE_SECONDS: Final = 20


class Stage(msgspec.Struct, frozen=True):
    """A verifier that follows a scripted feed, and a user's token."""

    verifier: Judge
    feed: ScriptedFeed
    recorder: Recorder
    world: World
    token: str
    session_id: str
    user_id: str

    async def is_good(self) -> bool:
        """Whether the token is accepted."""
        with contextlib.suppress(InvalidToken):
            return (await self.verifier.verify(self.token)).user_id == self.user_id
        return False

    @property
    def remote(self) -> int:
        """How often the API was asked about a token."""
        return sum(seen.path == REMOTE for seen in self.recorder.seen)


async def until(holds: Callable[[], Awaitable[bool] | bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def stage_of(site: Site, kind: str, **options: Any) -> AsyncIterator[Stage]:
    answer = await signed_up(site.world)
    token, session_id = answer["session"]["access_token"], answer["session"]["id"]
    async with scripted(site) as (feed, url, recorder):
        told = options_of(site, **{"base_url": url, "stale_after": STALE, **options})
        async with judge(kind, **told) as verifier:
            yield Stage(verifier, feed, recorder, site.world, token, session_id, answer["user"]["id"])


@pytest.fixture(params=KINDS)
async def stage(site: Site, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    async with stage_of(site, request.param) as furnished:
        yield furnished


async def refused(stage: Stage) -> bool:
    return not await stage.is_good()


@pytest.mark.parametrize("mode", [Mode.STREAM, Mode.PAGES])
async def test_what_the_feed_tells_is_refused_without_asking(stage: Stage, mode: Mode) -> None:
    stage.feed.mode = mode
    for number in range(5):
        stage.feed.tell("session", session_id=f"ses_{number}")
    assert await stage.verifier.wait_until_fresh()
    assert await stage.is_good()
    stage.feed.tell("session", session_id=stage.session_id)
    await until(lambda: refused(stage))
    with pytest.raises(InvalidToken) as told:
        await stage.verifier.verify(stage.token)
    assert (told.value.code, stage.remote) == ("token_revoked", 0)


async def test_before_the_feed_was_read_the_api_is_asked(site: Site) -> None:
    for kind in KINDS:
        async with stage_of(site, kind) as stage:
            stage.feed.mode = Mode.BROKEN
            assert await stage.is_good()
            assert (stage.verifier.is_stale, stage.remote) == (True, 1)
            await stage.world.send("DELETE", f"/v1/sessions/{stage.session_id}")
            with pytest.raises(InvalidToken) as told:
                await stage.verifier.verify(stage.token)
            assert told.value.code == "session_revoked"
            await stage.world.send("DELETE", f"/v1/users/{stage.user_id}?permanent=true")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_feed_that_stalls_is_noticed_and_treated_as_set(site: Site, kind: str) -> None:
    async with stage_of(site, kind) as stage:
        assert await stage.verifier.wait_until_fresh()
        stage.feed.mode = Mode.STALLED
        await until(lambda: stage.verifier.is_stale)
        assert await stage.is_good()
        assert stage.remote == 1
        stage.feed.mode = Mode.STREAM
        assert await stage.verifier.wait_until_fresh()
        assert await stage.is_good()
        assert stage.remote == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_it_can_fail_closed_or_open(site: Site, kind: str) -> None:
    async with stage_of(site, kind, on_stale="fail_closed") as stage:
        assert await stage.verifier.wait_until_fresh()
        assert await stage.is_good()
        stage.feed.mode = Mode.STALLED
        await until(lambda: stage.verifier.is_stale)
        with pytest.raises(VerificationUnavailable):
            await stage.verifier.verify(stage.token)
        token = stage.token
        told = options_of(site, base_url="http://127.0.0.1:1")
    async with judge(kind, **told) as unreachable:
        with pytest.raises(VerificationUnavailable):
            await unreachable.verify(token)
    await site.world.send("DELETE", f"/v1/users/{stage.user_id}?permanent=true")
    async with stage_of(site, kind, on_stale="fail_open") as stage:
        stage.feed.mode = Mode.BROKEN
        assert await stage.is_good()
        assert (stage.verifier.is_stale, stage.remote) == (True, 0)


async def test_it_goes_on_from_the_last_cursor_and_loses_nothing(stage: Stage) -> None:
    stage.feed.tell("session", session_id="ses_before")
    assert await stage.verifier.wait_until_fresh()
    stage.feed.mode = Mode.BROKEN
    await until(lambda: stage.verifier.is_stale)
    stage.feed.tell("user", user_id=stage.user_id, gen_below=99)
    asked = len(stage.feed.asked)
    stage.feed.mode = Mode.STREAM
    await until(lambda: refused(stage))
    assert await stage.verifier.wait_until_fresh()
    assert set(stage.feed.asked[asked:]) <= {"1", "2"}


async def test_a_cursor_that_is_taken_no_more_begins_anew(stage: Stage) -> None:
    stage.feed.tell("session", session_id=stage.session_id)
    await until(lambda: refused(stage))
    asked = len(stage.feed.asked)
    stage.feed.mode = Mode.BAD_CURSOR
    await until(lambda: None in stage.feed.asked[asked:])
    assert await refused(stage)


async def test_while_the_tenant_is_suspended_everything_is_refused(stage: Stage) -> None:
    assert await stage.verifier.wait_until_fresh()
    assert await stage.is_good()
    stage.feed.mode = Mode.SUSPENDED
    await until(lambda: refused(stage))
    stage.feed.mode = Mode.STREAM
    await until(stage.is_good)


async def test_more_than_there_is_room_for_counts_as_not_known(site: Site) -> None:
    for kind in KINDS:
        async with stage_of(site, kind, max_entries=1) as stage:
            for number in range(3):
                stage.feed.tell("session", session_id=f"ses_{number}")
            assert await stage.is_good()
            await until(lambda: len(stage.feed.asked) > 1)
            assert stage.verifier.is_stale
            await stage.world.send("DELETE", f"/v1/users/{stage.user_id}?permanent=true")


async def test_a_process_that_is_forked_follows_by_itself(site: Site) -> None:
    answer = await signed_up(site.world)
    environ = {**os.environ, "HELLOJOHN_SECRET_KEY": site.world.secret_key}
    arguments = (site.url, PUBLIC_URL, site.world.tenant_id, answer["session"]["access_token"])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FORKING, *arguments, env=environ, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.stdout.readline() == b"good\n"
            await site.world.send("DELETE", f"/v1/sessions/{answer['session']['id']}")
            assert await process.stdout.readline() == b"token_revoked False\n"
            assert await process.wait() == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the process and the one that it forked


async def test_acts_on_the_real_server_reach_the_verifiers(site: Site) -> None:
    async with (
        judge(KINDS[0], **options_of(site)) as in_thread,
        judge(KINDS[1], **options_of(site)) as in_loop,
        AsyncHelloJohn(secret_key=site.world.secret_key, base_url=site.url) as hj,
    ):
        verifiers = (in_thread, in_loop)
        assert [await each.wait_until_fresh() for each in verifiers] == [True, True]
        people = [await signed_up(site.world, f"p{number}@example.com") for number in range(4)]
        ids = [person["user"]["id"] for person in people]
        tokens = [person["session"]["access_token"] for person in people]
        tokens.append(await impersonated(site.world, ids[3]))
        acts = [
            lambda: hj.users.disable(ids[0]),
            lambda: hj.users.ban(ids[1]),
            lambda: hj.sessions.revoke(people[2]["session"]["id"]),
            lambda: hj.users.update(ids[3], role="admin"),
        ]
        for number, act in enumerate(acts):
            assert [(await each.verify(tokens[number])).user_id for each in verifiers] == [ids[number]] * 2
            await act()
            for each in verifiers:
                await until(lambda: is_revoked(each, tokens[number]))  # noqa: B023 - it is awaited here
        assert site.recorder.seen
        assert not any(seen.path == REMOTE for seen in site.recorder.seen)


async def is_revoked(verifier: Judge, token: str) -> bool:
    try:
        await verifier.verify(token)
    except InvalidToken as refusal:
        return refusal.code == "token_revoked"
    return False
