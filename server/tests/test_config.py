"""Settings: read once, wrong ones refused all at once, secrets never shown, and the documentation agrees."""

import base64
import ipaddress
import re
from pathlib import Path

import pytest

from hellojohn_server.config import (
    KEY_FILE,
    ConfigError,
    LogLevel,
    load_settings,
    settings_list,
    to_environ,
    with_encryption_key,
)
from hellojohn_server.kit.setting_values import EncryptionKey, MetricsToken
from hellojohn_server.wiring import http_settings

KEY = base64.b64encode(bytes(range(32))).decode()
DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


LONELY = "Without HELLOJOHN_SMTP_HOST, the server that takes mail, these mean nothing: "
IN_THE_CLEAR = (
    "HELLOJOHN_SMTP_TLS is none and would send HELLOJOHN_SMTP_PASSWORD readable over the network. Use starttls or tls, "
    "or leave out the password."
)


def problems_of(environ: dict[str, str], *, required: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ, required=required)
    return list(caught.value.problems)


def test_nothing_set_gives_the_defaults() -> None:
    of_applications = {"HELLOJOHN_API_URL": "http://localhost:3000", "HELLOJOHN_SECRET_KEY": "an application's own"}
    settings = load_settings({"PATH": "/bin", "HELLOJOHN_PORT": "", **of_applications})
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 3000, 1)
    assert settings.database_url is None
    assert settings.encryption_key is None


def test_every_setting_is_read_and_written_back() -> None:
    given = {
        "HELLOJOHN_DATA_DIR": "data",
        "HELLOJOHN_DATABASE_URL": "postgresql://someone:hidden@db.example/hellojohn",
        "HELLOJOHN_ENCRYPTION_KEY": KEY,
        "HELLOJOHN_PUBLIC_URL": "https://id.example.com/",
        "HELLOJOHN_HOST": "0.0.0.0",
        "HELLOJOHN_PORT": "8080",
        "HELLOJOHN_WORKERS": "4",
        "HELLOJOHN_LOG_LEVEL": "warning",
        "HELLOJOHN_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7",
        "HELLOJOHN_PROXY_HEADER": "forwarded",
        "HELLOJOHN_METRICS_TOKEN": "a-token.of_16~+/==",
        "HELLOJOHN_SMTP_HOST": "smtp.example.com",
        "HELLOJOHN_SMTP_PORT": "2525",
        "HELLOJOHN_SMTP_TLS": "tls",
        "HELLOJOHN_SMTP_USER": "mailer",
        "HELLOJOHN_SMTP_PASSWORD": "hush-hush",
        "HELLOJOHN_SMTP_FROM": "no-reply@id.example.com",
        "HELLOJOHN_RATE_LIMIT_ENABLED": "false",
        "HELLOJOHN_RATE_LIMIT_SIGN_IN": "20",
        "HELLOJOHN_RATE_LIMIT_SIGN_UP": "21",
        "HELLOJOHN_RATE_LIMIT_REFRESH": "22",
        "HELLOJOHN_RATE_LIMIT_FORGOT": "23",
        "HELLOJOHN_RATE_LIMIT_READS": "25",
        "HELLOJOHN_RATE_LIMIT_WRITES": "26",
        "HELLOJOHN_RATE_LIMIT_BULK": "27",
        "HELLOJOHN_RATE_LIMIT_KEY_FAILURES": "28",
        "HELLOJOHN_SIGN_IN_FLOOR_MS": "10",
        "HELLOJOHN_MAX_UPLOAD_BYTES": "29",
        "HELLOJOHN_REQUEST_SECONDS": "14",
        "HELLOJOHN_REVOCATION_STREAMS": "30",
        "HELLOJOHN_CONCURRENT_REQUESTS": "15",
        "HELLOJOHN_CONNECTIONS": "16",
        "HELLOJOHN_SHUTDOWN_SECONDS": "5",
        "HELLOJOHN_KEEP_ALIVE_SECONDS": "6",
        "HELLOJOHN_BACKLOG": "7",
        "HELLOJOHN_HOUSEKEEPING_SECONDS": "8",
        "HELLOJOHN_SQLITE_OPEN_FILES": "9",
        "HELLOJOHN_POSTGRES_CONNECTIONS": "11",
        "HELLOJOHN_POSTGRES_CONTROL_CONNECTIONS": "12",
        "HELLOJOHN_POSTGRES_LONG_CONNECTIONS": "13",
    }
    assert {setting.variable for setting in settings_list()} == set(given)
    settings = load_settings(given)
    assert settings.encryption_key is not None
    assert settings.encryption_key.value == bytes(range(32))
    assert settings.public_url == "https://id.example.com"
    assert settings.log_level is LogLevel.WARNING
    assert settings.metrics_token is not None
    assert settings.metrics_token.value == "a-token.of_16~+/=="
    assert settings.rate_limit_enabled is False
    assert settings.trusted_proxies == (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("192.0.2.7/32"))
    defaults = load_settings({})
    for setting in settings_list():
        assert getattr(settings, setting.field) != getattr(defaults, setting.field)
    for known in (settings, defaults):
        assert load_settings(to_environ(known)) == known


def test_all_problems_come_in_one_message() -> None:
    found = problems_of(
        {
            "HELLOJOHN_PROT": "1",
            "HELLOJOHN_PORT": "70000",
            "HELLOJOHN_WORKERS": "two",
            "HELLOJOHN_LOG_LEVEL": "loud",
            "HELLOJOHN_RATE_LIMIT_ENABLED": "perhaps",
            "HELLOJOHN_TRUSTED_PROXIES": "the proxy",
        },
        required=("public_url",),
    )
    assert sorted(found) == [
        "HELLOJOHN_LOG_LEVEL must be debug, info, warning, error or critical.",
        "HELLOJOHN_PORT must be a whole number from 0 to 65535.",
        "HELLOJOHN_PROT is not a setting. Did you mean HELLOJOHN_PORT?",
        "HELLOJOHN_PUBLIC_URL is required. The address that clients reach the service at. `hj serve` requires it.",
        "HELLOJOHN_RATE_LIMIT_ENABLED must be true or false.",
        "HELLOJOHN_TRUSTED_PROXIES must be addresses or networks, separated by commas, such as 10.0.0.0/8.",
        "HELLOJOHN_WORKERS must be a whole number from 1 to 256.",
    ]


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        ("HELLOJOHN_ENCRYPTION_KEY", "hush-hush!", "is not base64"),
        (
            "HELLOJOHN_ENCRYPTION_KEY",
            base64.b64encode(b"hush-hush").decode(),
            "base64 of 9 bytes and must be of exactly 32",
        ),
        (
            "HELLOJOHN_ENCRYPTION_KEY",
            base64.b64encode(bytes(33)).decode(),
            "base64 of 33 bytes and must be of exactly 32",
        ),
        ("HELLOJOHN_DATABASE_URL", "mysql://hush-hush@db.example/x", "must start with postgresql://"),
        ("HELLOJOHN_DATABASE_URL", "postgresql://hush-hush@db.example", "must name a database"),
        ("HELLOJOHN_DATABASE_URL", "postgresql://x:hush@127.0.0.1:99999999/db", "with a port of at most 65535"),
        ("HELLOJOHN_DATABASE_URL", "postgresql://x:hush@127.0.0.1:0/db", "must read as postgresql://"),
        ("HELLOJOHN_DATABASE_URL", "postgresql://x:hush@127.0.0.1/db?port=70000", "must read as postgresql://"),
        ("HELLOJOHN_DATABASE_URL", "postgresql://x:hush@/db?host=a:1,b:70000", "must read as postgresql://"),
        ("HELLOJOHN_DATABASE_URL", "postgresql://x:hush@:5432/db", "must read as postgresql://"),
        ("HELLOJOHN_DATABASE_URL", "postgresql://x:hush@a,,b/db", "must read as postgresql://"),
        ("HELLOJOHN_DATABASE_URL", "postgresql://x:hush/hush@db.example/db", "/ as %2F"),
        ("HELLOJOHN_DATABASE_URL", "postgresql://x:12/hush@db.example/db", "/ as %2F"),
        ("HELLOJOHN_DATABASE_URL", "postgresql://x:12@hush@db.example/db", "@ as %40"),
        ("HELLOJOHN_DATABASE_URL", "postgresql://x:12/db?hush@db.example/db", "? as %3F"),
        ("HELLOJOHN_DATABASE_URL", "postgresql://x:12/db#hush@db.example/db", "# as %23"),
        ("HELLOJOHN_DATABASE_URL", "postgresql://x:[hush@db.example/db", "must read as postgresql://"),
        ("HELLOJOHN_PUBLIC_URL", "id.example.com", "must be an address such as"),
        ("HELLOJOHN_PUBLIC_URL", "https://hush-hush@id.example.com", "must have no user, query or fragment"),
        ("HELLOJOHN_METRICS_TOKEN", "hush-hush-hush1", "must have at least 16 characters"),
        ("HELLOJOHN_METRICS_TOKEN", "hush-hush-hush-hush!", "may have only letters, digits and - . _ ~ + /"),
        ("HELLOJOHN_METRICS_TOKEN", "hush hush hush hush", "may have only letters"),
        ("HELLOJOHN_METRICS_TOKEN", "hush-hush-hush-hüsh", "may have only letters"),
        ("HELLOJOHN_PORT", "-1", "must be a whole number from 0 to 65535"),
        ("HELLOJOHN_POSTGRES_CONNECTIONS", "0", "must be a whole number from 1 to 1000"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_and_never_shown(variable: str, text: str, says: str) -> None:
    (problem,) = problems_of({variable: text})
    assert problem.startswith(variable)
    assert says in problem
    assert "hush" not in problem


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:a%2Fb%40c%23d@db.example:5432/hellojohn?sslmode=verify-full",
        "postgres://db.example/hellojohn",
        "postgresql://someone@[::1]:65535/hellojohn",
        "postgresql://someone@one.example:5432,two.example:5433/hellojohn?target_session_attrs=primary",
        "postgresql:///hellojohn?host=/var/run/postgresql&port=5433",
        "postgresql://someone@/?dbname=hellojohn&host=one.example,two.example&port=1,2",
    ],
)
def test_an_address_may_have_what_the_driver_takes(url: str) -> None:
    found = load_settings({"HELLOJOHN_DATABASE_URL": url}).database_url
    assert found is not None
    assert found.value == url


def test_what_kubernetes_sets_for_a_service_of_our_name_is_left_alone() -> None:
    injected = {
        "HELLOJOHN_SERVICE_HOST": "10.0.0.11",
        "HELLOJOHN_SERVICE_PORT": "3000",
        "HELLOJOHN_SERVICE_PORT_HTTP": "3000",
        "HELLOJOHN_PORT": "tcp://10.0.0.11:3000",
        "HELLOJOHN_PORT_3000_TCP": "tcp://10.0.0.11:3000",
        "HELLOJOHN_PORT_3000_TCP_PROTO": "tcp",
        "HELLOJOHN_PORT_3000_TCP_PORT": "3000",
        "HELLOJOHN_PORT_3000_TCP_ADDR": "10.0.0.11",
        "HELLOJOHN_PORT_53_UDP": "udp://10.0.0.11:53",
    }
    assert load_settings(injected) == load_settings({})
    assert load_settings({"HELLOJOHN_PORT": "udp://10.0.0.11:53"}).port == load_settings({}).port
    assert load_settings({**injected, "HELLOJOHN_PORT": "8080"}).port == 8080


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("HELLOJOHN_SERVICE", "x"),
        ("HELLOJOHN_SERVICE_HOSTS", "x"),
        ("HELLOJOHN_SERVICE_PORTS", "x"),
        ("HELLOJOHN_PORT_TCP", "tcp://10.0.0.11:3000"),
        ("HELLOJOHN_PORT_3000_TCP_HOST", "x"),
        ("HELLOJOHN_PORT", "http://10.0.0.11:3000"),
        ("HELLOJOHN_HOST_3000_TCP", "tcp://10.0.0.11:3000"),
    ],
)
def test_nothing_else_is_left_alone(variable: str, text: str) -> None:
    (problem,) = problems_of({variable: text})
    assert problem.startswith(variable)


def test_secrets_are_in_no_repr() -> None:
    settings = load_settings(
        {
            "HELLOJOHN_ENCRYPTION_KEY": KEY,
            "HELLOJOHN_DATABASE_URL": "postgresql://someone:hidden@db.example:5433/hellojohn",
            "HELLOJOHN_METRICS_TOKEN": "hidden-hidden-hidden",
        }
    )
    http = http_settings(settings)
    shown = f"{settings!r} {settings} {settings.encryption_key} {settings.database_url} {settings.metrics_token} {http}"
    assert KEY not in shown
    assert "hidden" not in shown
    assert "someone" not in shown
    assert "db.example:5433/hellojohn" in shown


def test_a_metrics_token_matches_itself_and_nothing_else() -> None:
    token = MetricsToken("0123456789abcdef")
    assert token.matches("0123456789abcdef")
    for other in ("0123456789abcdeg", "0123456789abcdef0", "0123456789abcde", "0123456789ABCDEF", ""):
        assert not token.matches(other)
    assert token == MetricsToken("0123456789abcdef")
    assert token != MetricsToken("0123456789abcdeg")
    assert token != "0123456789abcdef"


def test_the_key_file_serves_when_no_key_is_set(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text(KEY + "\n")
    settings = load_settings({"HELLOJOHN_DATA_DIR": str(tmp_path)})
    assert with_encryption_key(settings).encryption_key == EncryptionKey(KEY)
    other = base64.b64encode(bytes(32)).decode()
    settings = load_settings({"HELLOJOHN_DATA_DIR": str(tmp_path), "HELLOJOHN_ENCRYPTION_KEY": other})
    assert with_encryption_key(settings).encryption_key == EncryptionKey(other)


def test_without_a_key_anywhere_the_message_says_how_to_make_one(tmp_path: Path) -> None:
    settings = load_settings({"HELLOJOHN_DATA_DIR": str(tmp_path)})
    with pytest.raises(ConfigError, match="openssl rand -base64 32"):
        with_encryption_key(settings)
    (tmp_path / KEY_FILE).write_text("not a key")
    with pytest.raises(ConfigError, match="holds no key: it is not base64"):
        with_encryption_key(settings)


def test_the_documentation_lists_every_setting_as_it_is() -> None:
    documented = {
        match[1]: (match[2], match[3])
        for match in re.finditer(r"^\| `(HELLOJOHN_\w+)` \| (.*?) \| (.*) \|$", DOCUMENT.read_text(), re.MULTILINE)
    }
    assert documented == {
        setting.variable: (f"`{setting.default}`" if setting.default else "not set", setting.doc)
        for setting in settings_list()
    }


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({"FROM": "a@example.com"}, [f"{LONELY}HELLOJOHN_SMTP_FROM."]),
        (
            {"PORT": "25", "USER": "me", "PASSWORD": "hush-hush"},
            [f"{LONELY}HELLOJOHN_SMTP_PORT, HELLOJOHN_SMTP_USER, HELLOJOHN_SMTP_PASSWORD."],
        ),
        (
            {"HOST": "smtp.example.com"},
            ["HELLOJOHN_SMTP_FROM is required with HELLOJOHN_SMTP_HOST: the address that all mail comes from."],
        ),
        (
            {"HOST": "smtp.example.com", "FROM": "a@example.com", "USER": "me"},
            ["HELLOJOHN_SMTP_USER and HELLOJOHN_SMTP_PASSWORD belong together: set both, or neither."],
        ),
        (
            {"HOST": "smtp.example.com", "FROM": "a@example.com", "USER": "me", "PASSWORD": "hush-hush", "TLS": "none"},
            [IN_THE_CLEAR],
        ),
        (
            {"HOST": "smtp.example.com", "FROM": "HelloJohn <a@example.com>", "TLS": "ssl", "PORT": "-1"},
            [
                "HELLOJOHN_SMTP_PORT must be a whole number from 0 to 65535.",
                "HELLOJOHN_SMTP_TLS must be starttls, tls or none.",
                "HELLOJOHN_SMTP_FROM must be an address such as no-reply@id.example.com, without a name.",
            ],
        ),
    ],
)
def test_the_settings_of_mail_must_fit_together(given: dict[str, str], problems: list[str]) -> None:
    assert problems_of({f"HELLOJOHN_SMTP_{name}": text for name, text in given.items()}) == problems


def test_a_password_may_go_in_the_clear_to_this_machine() -> None:
    given = {"HOST": "localhost", "FROM": "a@example.com", "USER": "me", "PASSWORD": "hush-hush", "TLS": "none"}
    settings = load_settings({f"HELLOJOHN_SMTP_{name}": text for name, text in given.items()})
    assert settings.smtp_password is not None
    assert settings.smtp_password.value == "hush-hush"
    assert "hush-hush" not in repr(settings)
