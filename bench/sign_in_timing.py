"""Whether how long a refused sign-in takes tells anything about the address: through HTTP, on a real server.

    make sign-in-timing                               # on both stores; prints PASS or FAIL
    python -m bench.sign_in_timing --samples 3 --slow-samples 3 --cheap --floor-ms 100 --quiet-verdict

The kinds of addresses are asked for in turns, in another order each time, so that what else the machine does meets all
alike. Two kinds whose answers are the same bytes are compared by Cliff's delta: how much oftener one takes longer than
the other than the other way round, from -1 to 1, and 0 when the times tell nothing.
"""

import argparse
import asyncio
import base64
import hashlib
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import argon2
import bcrypt
import httpx
import msgspec

from bench.served.processes import serving
from hellojohn_server.app import open_database
from hellojohn_server.config import Settings
from hellojohn_server.features.keys.schemas import CreateKeyBody, TenantKeyType
from hellojohn_server.features.tenants.schemas import CreateTenantBody
from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.kit.ids import IdPrefix
from hellojohn_server.kit.principal import cli_context
from hellojohn_server.kit.setting_values import DatabaseUrl, EncryptionKey, PublicUrl
from hellojohn_server.wiring import build_services

WANTED_BELOW: Final = 0.147
"""What is called negligible (Romano et al. 2006): of two times the longer one is the same kind's in 57 of 100 cases."""
FAILURES: Final = 9
"""How often an address is tried: once more, and it is locked."""
LOCKED_BY: Final = 10
WORKERS: Final = 4
FEW_WORKERS: Final = 2
RESAMPLES: Final = 1000
WARM_UP: Final = 0.1
"""The share of rounds that is not counted. The first check of a slow hash is what raises the floor for all."""
UNKNOWN: Final = "unknown address"

Act = tuple[str, str, Any]
Times = dict[str, list[float]]


class Address(msgspec.Struct, frozen=True):
    """An address to try, and what is sent."""

    kind: str
    content: bytes


class Caller(msgspec.Struct, frozen=True):
    """The keys of the tenant that is asked."""

    secret: str
    publishable: str


class Costs(msgspec.Struct, frozen=True):
    """What the hashes of other systems cost. `slow_rounds` (of bcrypt) are to take longer than the floor."""

    argon2_kib: int = 65_536
    bcrypt_rounds: int = 12
    scrypt_log_n: int = 15
    pbkdf2_rounds: int = 600_000
    slow_rounds: int = 14


CHEAP: Final = Costs(1024, 4, 10, 1000, 6)


def imported(costs: Costs) -> dict[str, str]:
    """Return hashes of other systems by what they are called here; the last one is the slow one."""
    salt, rounds = os.urandom(16), costs.pbkdf2_rounds
    scrypt = hashlib.scrypt(b"x", salt=salt, n=2**costs.scrypt_log_n, r=8, p=1, maxmem=2**26)
    pbkdf2 = hashlib.pbkdf2_hmac("sha256", b"x", b"seasalt", rounds)
    return {
        "imported argon2i": argon2.PasswordHasher(3, costs.argon2_kib, 2, type=argon2.Type.I).hash("x"),
        "imported bcrypt of little": bcrypt.hashpw(b"x", bcrypt.gensalt(5)).decode(),
        "imported bcrypt": bcrypt.hashpw(b"x", bcrypt.gensalt(costs.bcrypt_rounds)).decode(),
        "imported scrypt": f"$scrypt$ln={costs.scrypt_log_n},r=8,p=1${_bare(salt)}${_bare(scrypt)}",
        "imported pbkdf2": f"pbkdf2_sha256${rounds}$seasalt${base64.b64encode(pbkdf2).decode()}",
        "imported bcrypt of much": bcrypt.hashpw(b"x", bcrypt.gensalt(costs.slow_rounds)).decode(),
    }


def _bare(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()


class Bench:
    """A server, and the addresses to try at it, of each kind so many that none is tried too often."""

    def __init__(self, client: httpx.AsyncClient, caller: Caller, tries: int) -> None:
        self._client = client
        self._caller = caller
        self._each = -(-tries // FAILURES)
        self.answers: dict[str, tuple[int, bytes, tuple[str, ...]]] = {}

    async def address(self, kind: str, number: int, **fields: Any) -> Address:
        """Make a user of a kind, if `fields` are given, and return what is sent to sign in as that user."""
        email = f"{hashlib.sha256(kind.encode()).hexdigest()[:12]}.{number:04}@example.com"
        acts: Sequence[Act] = fields.pop("acts", ())
        if fields:
            made = await self._admin("POST", "/v1/users", {"email": email, **fields})
            for method, path, body in acts:
                await self._admin(method, path.format(id=made["id"]), body)
        return Address(kind, msgspec.json.encode({"email": email, "password": "not the right one"}))

    async def _admin(self, method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._caller.secret}"}
        answer = await self._client.request(method, path, json=body, headers=headers)
        return answer.raise_for_status().json()

    async def keep_locked(self) -> None:
        """Have locks last for longer than any measurement."""
        await self._admin("PATCH", "/v1/admin/config", {"lockout": {"lock_time": "24h"}})

    async def kind(self, kind: str, **fields: Any) -> list[Address]:
        """Make the addresses of a kind; with no fields, of nobody."""
        return [await self.address(kind, number, **fields) for number in range(self._each)]

    async def locked(self, kind: str, **fields: Any) -> list[Address]:
        """Lock one address by failing; while it is locked it may be tried as often as one likes."""
        one = await self.address(kind, 0, **fields)
        await asyncio.gather(*(self.seconds(one) for _ in range(LOCKED_BY)))
        self.answers.pop(kind)
        return [one]

    async def seconds(self, address: Address) -> float:
        """Try to sign in and return how long the answer took. RuntimeError if a kind's answers are not all alike."""
        headers = {"Authorization": f"Bearer {self._caller.publishable}", "Content-Type": "application/json"}
        started = time.perf_counter()
        answer = await self._client.post("/v1/auth/sign-in", content=address.content, headers=headers)
        took = time.perf_counter() - started
        request_id = answer.headers["X-Request-ID"]
        kept = tuple(sorted(f"{name}: {text}" for name, text in answer.headers.items() if name not in _VARYING))
        shape = (answer.status_code, answer.content.replace(request_id.encode(), b""), kept)
        if self.answers.setdefault(address.kind, shape) != shape:
            raise RuntimeError(f"{address.kind}: {shape} after {self.answers[address.kind]}")
        return took

    async def measure(self, addresses: Mapping[str, list[Address]], rounds: int, workers: int) -> Times:
        """Try one address of each kind in every round, and return the times by kind, those of the warm-up left out."""
        skipped = int(rounds * WARM_UP)
        times: Times = {kind: [] for kind in addresses}
        turns = {kind: itertools.cycle(found) for kind, found in addresses.items()}
        queue = iter(_schedule(turns, rounds + skipped))

        async def work() -> None:
            for number, address in queue:
                took = await self.seconds(address)
                if number >= skipped:
                    times[address.kind].append(took)

        await asyncio.gather(*(work() for _ in range(workers)))
        return times


_VARYING: Final = {"date", "x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset"}


def _schedule(turns: Mapping[str, Iterator[Address]], rounds: int) -> Iterator[tuple[int, Address]]:
    shuffled = random.Random(1)  # noqa: S311 - an order, no secret
    for number in range(rounds):
        for kind in shuffled.sample(sorted(turns), len(turns)):
            yield number, next(turns[kind])


def cliffs_delta(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how much oftener a value of `one` is above one of `other` than below."""
    ordered = sorted(other)
    above = sum(bisect_left(ordered, value) for value in one)
    below = sum(len(ordered) - bisect_right(ordered, value) for value in one)
    return (above - below) / (len(one) * len(other))


def interval(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Return the delta's 95 % interval by bootstrap."""
    again = random.Random(1)  # noqa: S311 - a sample, no secret
    deltas = sorted(
        cliffs_delta(again.choices(one, k=len(one)), again.choices(other, k=len(other))) for _ in range(RESAMPLES)
    )
    return deltas[RESAMPLES // 40], deltas[-RESAMPLES // 40]


class Verdict(msgspec.Struct):
    """What was found wrong: nothing, if it passes."""

    faults: list[str] = []

    def tell(self, bench: Bench, times: Times, beside: str) -> None:
        """Print each kind's times and its delta beside a kind, and judge every pair. RuntimeError if answers differ."""
        if len({bench.answers[kind] for kind in times}) != 1:
            raise RuntimeError(f"answers differ: {[(kind, bench.answers[kind]) for kind in times]}")
        out = sys.stdout.write
        for kind, found in times.items():
            delta, (low, high) = cliffs_delta(found, times[beside]), interval(found, times[beside])
            median, tenths = statistics.median(found), statistics.quantiles(found, n=10)
            out(
                f"  {kind:26} {bench.answers[kind][0]}  median {median * 1e3:7.2f} ms  p10 {tenths[0] * 1e3:7.2f}"
                f"  p90 {tenths[-1] * 1e3:7.2f}  delta {delta:+.3f} [{low:+.3f}, {high:+.3f}]\n"
            )
        pairs = [
            (abs(cliffs_delta(times[one], times[other])), one, other) for one, other in itertools.combinations(times, 2)
        ]
        worst, one, other = max(pairs)
        low, high = interval(times[one], times[other])
        out(f"  worst pair: |delta| {worst:.3f} [{low:+.3f}, {high:+.3f}] ({one}; {other})\n")
        if worst >= WANTED_BELOW:
            self.faults.append(f"{one} and {other} differ by {worst:.3f}")


async def compare(bench: Bench, options: argparse.Namespace, verdict: Verdict) -> None:
    """Measure every kind of address, those whose hash is slower than the floor at the end."""
    *usual, (slow, slow_hash) = imported(CHEAP if options.cheap else Costs()).items()
    ours = argon2.PasswordHasher(2, 19_456, 1, 32, 16, type=argon2.Type.ID).hash("x")
    disabled: list[Act] = [("POST", "/v1/users/{id}/disable", {})]
    binned: list[Act] = [("DELETE", "/v1/users/{id}", {})]
    kinds = {
        UNKNOWN: await bench.kind(UNKNOWN),
        "wrong password": await bench.kind("wrong password", password_hash=ours),
        "no password": await bench.kind("no password", name="x"),
        "disabled": await bench.kind("disabled", password_hash=ours, acts=disabled),
        "in the recycle bin": await bench.kind("in the recycle bin", password_hash=ours, acts=binned),
    }
    for kind, password_hash in usual:
        kinds[kind] = await bench.kind(kind, password_hash=password_hash)
    await bench.keep_locked()
    locked = {
        "locked, unknown": await bench.locked("locked, unknown"),
        "locked, known": await bench.locked("locked, known", password_hash=ours),
    }
    times = await bench.measure({**kinds, **locked}, options.samples, WORKERS)
    verdict.tell(bench, {kind: times[kind] for kind in kinds}, UNKNOWN)
    verdict.tell(bench, {kind: times[kind] for kind in locked}, "locked, unknown")
    few = {f"{UNKNOWN} beside": await bench.kind(f"{UNKNOWN} beside")}
    few["wrong password beside"] = await bench.kind("wrong password beside", password_hash=ours)
    few[slow] = await bench.kind(slow, password_hash=slow_hash)
    times = await bench.measure(few, options.slow_samples, FEW_WORKERS)
    verdict.tell(bench, times, f"{UNKNOWN} beside")


async def make_tenant(settings: Settings) -> Caller:
    """Make a tenant and its keys."""
    clock = SystemClock()
    database = await open_database(settings, clock)
    try:
        services = build_services(database, settings, clock)
        context = cli_context(services.ids.new(IdPrefix.REQUEST))
        tenant = await services.tenants.create_tenant(context, CreateTenantBody(name="Bench"))
        context = cli_context(services.ids.new(IdPrefix.REQUEST), tenant.id)
        bodies = (
            CreateKeyBody(name="bench", scopes=["*", "admins:manage"]),
            CreateKeyBody(name="bench", type=TenantKeyType.PUBLISHABLE),
        )
        secret, publishable = [(await services.keys.create_key(context, tenant.id, body)).key for body in bodies]
    finally:
        await database.close()
    return Caller(secret, publishable)


async def run(store: str, url: str | None, options: argparse.Namespace) -> Verdict:
    """Measure on one store, print what came of it, and return the verdict."""
    verdict = Verdict()
    with tempfile.TemporaryDirectory(prefix="hj-timing-") as name:
        floor = {} if options.floor_ms is None else {"sign_in_floor_ms": options.floor_ms}
        settings = Settings(
            data_dir=Path(name) / "data",
            database_url=None if url is None else DatabaseUrl(url),
            encryption_key=EncryptionKey(base64.b64encode(os.urandom(32)).decode()),
            public_url=PublicUrl("http://127.0.0.1:3000"),
            rate_limit_enabled=False,
            **floor,
        )
        caller = await make_tenant(settings)
        with serving(settings, Path(name) / "log") as port:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                sys.stdout.write(f"{store}: refused sign-ins, {options.samples} of each kind\n")
                tries = max(options.samples, options.slow_samples)
                await compare(Bench(client, caller, tries + int(tries * WARM_UP)), options, verdict)
    return verdict


def main() -> int:
    """Measure on the store, or both, print the verdict, and return the exit code."""
    parser = argparse.ArgumentParser(description="Whether the time of a refused sign-in tells about the address.")
    parser.add_argument("--store", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--samples", type=int, default=400, help="sign-ins of each kind of address")
    parser.add_argument("--slow-samples", type=int, default=400, help="of each beside a hash slower than the floor")
    parser.add_argument("--cheap", action="store_true", help="import hashes that cost little, to be done sooner")
    parser.add_argument("--floor-ms", type=int, help="the server's sign_in_floor_ms, if not its own default")
    parser.add_argument("--quiet-verdict", action="store_true", help="measure and print, but do not judge")
    options = parser.parse_args()
    failed = False
    for store in ("sqlite", "postgres") if options.store == "both" else (options.store,):
        url = os.environ["HELLOJOHN_DATABASE_URL"] if store == "postgres" else None
        verdict = asyncio.run(run(store, url, options))
        if not options.quiet_verdict:
            said = "; ".join(verdict.faults) or f"no pair differs by {WANTED_BELOW} or more"
            sys.stdout.write(f"{store}: {said}: {'FAIL' if verdict.faults else 'PASS'}\n")
            failed = failed or bool(verdict.faults)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
