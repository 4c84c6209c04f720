"""Requests that the document allows and requests that it forbids, at every operation, with a valid credential.

    make contract                                         # at least 10,000 requests on each store
    python -m tests.contract.fuzz --cases 200 --seed 7    # in server/

Schemathesis makes the requests from the served document alone. Ids in them are often replaced by ids of objects that
exist, so that the requests reach more than "not found"; passwords, tokens and what stands in mails likewise. Whatever
is asked, the answer is documented (status, content type, headers, body), it is no 5xx but for a documented 503, and
nothing in it looks like a secret, but in the few answers that show one once.
"""

import argparse
import asyncio
import contextlib
import random
import re
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import httpx
import hypothesis
import msgspec
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup, ServerError
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.postgres_cluster import running_cluster
from tests.smtp_server import SmtpServer
from tests.support import EVERYTHING, run_hj, serve_environment, server_process

KNOWN_SHARE: Final = 0.6
PEOPLE: Final = 12
PASSWORD: Final = "correct-horse-battery-staple"
FRESH_SHARE: Final = 0.3
NO_LIMITS: Final[Mapping[str, str]] = {"SIGN_IN_FLOOR_MS": "0"}
BY_LINK: Final = {"accept_invitation", "reset_password", "verify_email", "verify_magic_link"}
"""Operations whose token is one that was mailed."""
LINK_TOKEN = re.compile(r"[?&]token=(act_[0-9A-Za-z]+)")
USED_UP: Final = {"current_password", "email", "refresh_token", "token"}
"""Fields of a body whose known values are good once, or until some other request: somebody signs up anew."""

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
_PREFIXES: Final = "usr|ses|org|key|fac|imp|inv|role|evt|tnt|eml|plan|job"
ID = re.compile(rf"\b((?:{_PREFIXES})_[0-9A-HJKMNP-TV-Z]{{26}}(?:_impersonate)?)\b")
SECRETS: Final = {
    "api key": re.compile(r"\b[spm]k_(?:live|test)_[0-9A-Za-z]{40,}"),
    "access token": re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}"),
    "refresh token": re.compile(r"\brft_[0-9A-Za-z]{20,}"),
    "token of a link": re.compile(r"\bact_[0-9A-Za-z]{40,}"),
    "authenticator's secret": re.compile(r"\botpauth://"),
    "password hash": re.compile(r"\$(?:argon2|2[aby]|scrypt|pbkdf2)[\w$.,=/+-]{8,}"),
    "private key": re.compile(r"PRIVATE KEY-----"),
}
SHOWN_ONCE: Final = {
    "begin_own_factor": {"authenticator's secret"},
    "begin_user_factor": {"authenticator's secret"},
    "change_password": {"access token", "refresh token"},
    "create_api_key": {"api key"},
    "create_tenant_api_key": {"api key"},
    "impersonate_user": {"access token"},
    "refresh_tokens": {"access token", "refresh token"},
    "rotate_api_key": {"api key"},
    "sign_in": {"access token", "refresh token"},
    "sign_up": {"access token", "refresh token"},
    "verify_magic_link": {"access token", "refresh token"},
    "verify_mfa": {"access token", "refresh token"},
}
"""What an answer of an operation may hold, since it is where that is shown."""

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ID_OF_PARAMETER: Final = {
    "email_id": "eml",
    "entry_id": "evt",
    "factor_id": "fac",
    "import_id": "imp",
    "invitation_id": "inv",
    "job_id": "job",
    "key_id": "key",
    "organization_id": "org",
    "plan_id": "plan",
    "role_id": "role",
    "session_id": "ses",
    "tenant_id": "tnt",
    "user_id": "usr",
}


class Finding(msgspec.Struct, frozen=True):
    """An answer that breaks the contract: which operation, what is wrong, and how to ask again."""

    operation: str
    fault: str
    call: str


class Report(msgspec.Struct):
    """What a run came to."""

    cases: int = 0
    statuses: Counter[int] = msgspec.field(default_factory=Counter)
    succeeded: set[str] = msgspec.field(default_factory=set)
    operations: set[str] = msgspec.field(default_factory=set)
    findings: list[Finding] = msgspec.field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Take what another run came to into this one."""
        self.cases += other.cases
        self.statuses += other.statuses
        self.succeeded |= other.succeeded
        self.operations |= other.operations
        self.findings += other.findings


class Target:
    """A running server with a tenant, keys, some people, and the ids that its answers have named so far."""

    def __init__(
        self,
        client: httpx.Client,
        session: requests.Session,
        keys: Mapping[str, str],
        spared: frozenset[str],
        seed: int,
        mail: SmtpServer,
    ) -> None:
        self.client = client
        self.session = session
        self.random = random.Random(seed)
        self._keys = keys
        self._spared = spared
        self._mail = mail
        self._known: dict[str, list[str]] = {}
        self._signed_up = 0
        self._access_token = ""
        self.known_texts: dict[str, str] = {"current_password": PASSWORD, "password": PASSWORD}

    def people(self) -> None:
        """Sign up some people and give an admin's objects to find."""
        for _ in range(PEOPLE):
            self._sign_up()
        for _ in range(PEOPLE):
            name = self.random.randbytes(4).hex()
            body = {"email": f"{name}@example.com", "name": name, "password": PASSWORD}
            self.learn(self._send("POST", "/v1/users", "secretKey", body).text)
        for path in ("/v1/audit-logs", "/v1/api-keys", "/v1/sessions"):
            self.learn(self._send("GET", path, "secretKey").text)

    def learn(self, text: str) -> None:
        """Keep the ids that a text names, the newest of each kind; not those that the run itself needs."""
        for found in ID.findall(text):
            ids = self._known.setdefault(found.split("_")[0], [])
            if found not in ids and found not in self._spared:
                ids.append(found)
                del ids[:-50]

    def known(self, prefix: str) -> str | None:
        """Return one of the ids of a kind, or None."""
        ids = self._known.get(prefix)
        return self.random.choice(ids) if ids else None

    def credential(self, schemes: Sequence[str]) -> str | None:
        """Return a valid credential for an operation that takes one of `schemes`."""
        if not schemes:
            return None
        if schemes[0] == "accessToken":
            if not self._access_token:
                self._sign_up()
            return self._access_token
        return self._keys[schemes[0]]

    def mailed_token(self) -> str | None:
        """Return the token in one of the newest mails, or None."""
        found = LINK_TOKEN.findall("".join(str(message) for message in self._mail.taken[-10:]))
        return self.random.choice(found) if found else None

    def freshen(self, name: str, body: Any) -> None:
        """Have values that some of a request's fields can be good for."""
        if isinstance(body, dict) and USED_UP & body.keys() and self.random.random() < FRESH_SHARE:
            self._sign_up()
            if name in BY_LINK:
                self._send("POST", "/v1/auth/password/forgot", "publishableKey", {"email": self.known_texts["email"]})

    def forget_session(self) -> None:
        """Sign up anew before the next call that needs an access token: the last one may have ended the session."""
        self._access_token = ""

    def _sign_up(self) -> None:
        self._signed_up += 1
        body = {"email": f"user{self._signed_up}.{self.random.randbytes(4).hex()}@example.com", "password": PASSWORD}
        answer = self._send("POST", "/v1/auth/sign-up", "publishableKey", body)
        session = answer.raise_for_status().json()["session"]
        self._access_token = session["access_token"]
        self.known_texts |= {
            "email": body["email"],
            "refresh_token": session["refresh_token"],
            "token": session["access_token"],
        }
        self.learn(answer.text)

    def _send(self, method: str, path: str, key: str, body: Any = None) -> httpx.Response:
        return self.client.request(method, path, json=body, headers={"Authorization": f"Bearer {self._keys[key]}"})


def with_known_values(case: Case, target: Target) -> None:
    """Replace some of a request's values by what there is: ids, an address with its password, tokens."""
    name = operation_id(case.operation)
    target.freshen(name, case.body)
    texts = target.known_texts
    if name in BY_LINK:
        texts = texts | {"token": target.mailed_token() or ""}
    for parameter in case.path_parameters or {}:
        known = target.known(ID_OF_PARAMETER[parameter])
        if known is not None and target.random.random() < KNOWN_SHARE:
            case.path_parameters[parameter] = known
    if case.headers and target.random.random() < KNOWN_SHARE:
        for header in ("X-Tenant-ID", "If-Match"):
            case.headers.pop(header, None)
    if isinstance(case.body, dict) and target.random.random() < KNOWN_SHARE:
        for field, value in case.body.items():
            prefix = ID_OF_PARAMETER.get(field.removesuffix("s"))
            known = texts.get(field) if prefix is None else target.known(prefix)
            if known is not None:
                case.body[field] = [known, *value] if isinstance(value, list) else known


def faults_of(case: Case, answer: Any) -> Iterator[str]:
    """Yield what is wrong with an answer."""
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        for failure in group.exceptions:
            if not (isinstance(failure, ServerError) and answer.status_code == httpx.codes.SERVICE_UNAVAILABLE):
                yield f"{failure.__class__.__name__}: {failure}"
    except Failure as failure:
        yield f"{failure.__class__.__name__}: {failure}"
    shown = SHOWN_ONCE.get(operation_id(case.operation), set()) if answer.status_code < 300 else set()
    for name, pattern in SECRETS.items():
        found = pattern.search(answer.text)
        if found is not None and name not in shown and not was_sent(case, found.group()):
            yield f"looks like a secret ({name}): {found.group()[:12]}..."


def was_sent(case: Case, text: str) -> bool:
    """Say whether a text came with the request: an answer may name what it refuses."""
    return any(text in str(part) for part in (case.body, case.query, case.path_parameters, case.headers))


def operation_id(operation: Operation) -> str:
    """Return the name of an operation in the document."""
    return str(operation.definition.raw["operationId"])


def try_operation(operation: Operation, target: Target, cases: int, seed: int) -> Report:
    """Send `cases` requests to one operation, as many that the document allows as it forbids."""
    report = Report()
    name = operation_id(operation)
    schemes = [next(iter(each)) for each in operation.definition.raw.get("security", [])]

    def ask(case: Case) -> None:
        with_known_values(case, target)
        credential = target.credential(schemes)
        headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
        answer = case.call(base_url=str(target.client.base_url), session=target.session, headers=headers)
        report.cases += 1
        report.operations.add(name)
        report.statuses[answer.status_code] += 1
        if answer.status_code < httpx.codes.BAD_REQUEST:
            report.succeeded.add(name)
        if "accessToken" in schemes and (answer.status_code == httpx.codes.UNAUTHORIZED or case.method != "GET"):
            target.forget_session()
        target.learn(answer.text)
        for fault in faults_of(case, answer):
            report.findings.append(Finding(name, fault, case.as_curl_command(headers=headers)))

    for mode, share in ((GenerationMode.POSITIVE, cases - cases // 2), (GenerationMode.NEGATIVE, cases // 2)):
        if share:
            _drive(ask, operation, mode, share, seed)
    return report


def _drive(ask: Any, operation: Operation, mode: GenerationMode, cases: int, seed: int) -> None:
    settings = hypothesis.settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    given = hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    with contextlib.suppress(
        hypothesis.errors.Unsatisfiable
    ):  # nothing can be wrong with a request without a parameter
        hypothesis.seed(seed)(settings(given(ask)))()


def fuzz(target: Target, cases: int, seed: int) -> Report:
    """Send at least `cases` requests in all to a server, spread evenly over the operations of its document.

    Of what has few different requests fewer are sent: the others are asked again, with other ones.
    """
    target.people()
    document = target.client.get("/openapi.json").json()
    operations = [found.ok() for found in schemathesis.openapi.from_dict(document).get_all_operations()]
    report = Report()
    while report.cases < cases:
        each = max(2, -(-(cases - report.cases) // len(operations)))
        for operation in operations:
            report.add(try_operation(operation, target, each, seed))
        seed += 1_000_000
    return report


@contextlib.contextmanager
def mail_server() -> Iterator[SmtpServer]:
    """Run a mail server in a thread until the block ends."""
    server, loop = SmtpServer(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def run(directory: Path, cases: int, seed: int, database_url: str | None = None) -> Report:
    """Start a server on a store of its own, with a mail server, and send it at least `cases` requests."""
    with mail_server() as mail:
        smtp = {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mail.port),
            "SMTP_TLS": "none",
            "SMTP_FROM": "a@id.example.com",
        }
        environ = serve_environment(directory / "data", database_url, **NO_LIMITS, **smtp)
        printed = [
            run_hj(*arguments, "--json", environ=environ)
            for arguments in (
                ("keys", "create", "--type", "master", "--name", "fuzz"),
                ("tenants", "create", "--name", "Fuzz"),
            )
        ]
        master, tenant = (msgspec.json.decode(done.stdout) for done in printed)
        with (
            server_process(directory, environ) as server,
            httpx.Client(base_url=server.url, timeout=30) as client,
            requests.Session() as session,
        ):
            keys, spared = make_keys(client, master, tenant["id"])
            return fuzz(Target(client, session, keys, spared, seed, mail), cases, seed)


def make_keys(client: httpx.Client, master: dict[str, Any], tenant_id: str) -> tuple[dict[str, str], frozenset[str]]:
    """Make a tenant's keys; return the keys by the names of the document's schemes, and the ids that are not to end."""
    keys, spared = {"masterKey": master["key"]}, {tenant_id, master["id"]}
    for name, body in {
        "secretKey": {"type": "secret", "scopes": list(EVERYTHING)},
        "publishableKey": {"type": "publishable"},
    }.items():
        answer = client.post(
            f"/v1/tenants/{tenant_id}/api-keys",
            json={"name": "fuzz", **body},
            headers={"Authorization": f"Bearer {master['key']}"},
        )
        keys[name] = answer.raise_for_status().json()["key"]
        spared.add(answer.json()["id"])
    return keys, frozenset(spared)


def main() -> int:
    """Run on both stores, print what was found, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000, help="requests on each store, at least")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    failed = False
    with running_cluster(durable=False) as cluster:
        for store, url in (("sqlite", None), ("postgres", cluster.create_database("fuzz"))):
            with tempfile.TemporaryDirectory(prefix="hj-fuzz-") as directory:
                report = run(Path(directory), options.cases, options.seed, url)
            tell(store, report)
            failed = failed or bool(report.findings)
    return int(failed)


def tell(store: str, report: Report) -> None:
    """Print what a run came to, each kind of finding once."""
    statuses = ", ".join(f"{status}: {count:,}" for status, count in sorted(report.statuses.items()))
    out = sys.stdout
    out.write(f"{store}: {report.cases:,} requests at {len(report.operations)} operations ({statuses})\n")
    out.write(f"  never succeeded: {', '.join(sorted(report.operations - report.succeeded)) or 'none'}\n")
    seen: set[tuple[str, str]] = set()
    for finding in report.findings:
        kind = (finding.operation, finding.fault[:80])
        if kind not in seen:
            seen.add(kind)
            out.write(f"  FAIL {finding.operation}: {finding.fault}\n       {finding.call}\n")
    out.write(f"  {'FAIL' if report.findings else 'pass'}: {len(report.findings)} answers break the contract\n")


if __name__ == "__main__":
    sys.exit(main())
