"""Log lines: JSON, one each, without secrets."""

import asyncio
import io
import json
from typing import Any

import pytest
import structlog

from hellojohn_server.kit.logs import Level, configure_logs, make_logger

KEY = "sk_live_0123456789ABCDEFabcdefghijklmnopqrstuvwxyz"


def test_a_line_is_json_with_time_and_level() -> None:
    stream = io.BytesIO()
    make_logger(stream).warning("it happened", count=3, nothing=None, odd={1, 2}.__class__)
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {"event": "it happened", "level": "warning", "count": 3, "nothing": None, "odd": "<class 'set'>"}
    assert stream.getvalue().endswith(b"\n")


def test_every_way_to_write_a_line_has_its_level() -> None:
    stream = io.BytesIO()
    log = make_logger(stream)
    log.info("said")
    log.warning("said")
    log.critical("said")
    try:
        int("why")
    except ValueError:
        log.exception("said")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["level"] for line in lines] == ["info", "warning", "critical", "error"]
    assert "ValueError: invalid literal" in lines[-1]["exception"]


def test_lines_below_the_level_are_not_written() -> None:
    stream = io.BytesIO()
    log = make_logger(stream, Level.WARNING)
    log.info("quiet")
    log.error("loud")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (KEY, "sk_live_[redacted]"),
        (f"a {KEY.replace('sk', 'mk')}, b", "a mk_live_[redacted], b"),
        (f"({KEY.replace('sk_live', 'pk_test')})", "(pk_test_[redacted])"),
        ("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3IifQ.c2lnbmF0dXJl", "eyJ[redacted]"),
        ("Authorization: Bearer opaque-token-1234", "Authorization: Bearer [redacted]"),
        ("no secret_live here", "no secret_live here"),
    ],
)
def test_what_looks_like_a_secret_is_cut_out_wherever_it_stands(text: str, shown: str) -> None:
    stream = io.BytesIO()
    log = make_logger(stream)
    log.info(text, field=text, nested={"deep": [text]})
    log.error("failed", exc_info=ValueError(text))
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert first["event"] == first["field"] == first["nested"]["deep"][0] == shown
    assert f"ValueError: {shown}" in second["exception"]


def test_every_logger_of_a_process_can_be_made_to_write_so() -> None:
    stream = io.BytesIO()
    kept = structlog.get_config()
    try:
        configure_logs(stream)
        structlog.get_logger("storage").info("hello", key=KEY)
    finally:
        structlog.configure(**kept)
    assert json.loads(stream.getvalue())["key"] == "sk_live_[redacted]"


class _Writes(io.BytesIO):
    """Keeps what each write wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[list[str]] = []

    def write(self, data: Any, /) -> int:
        self.written.append([json.loads(line)["event"] for line in bytes(data).splitlines()])
        return len(data)


def test_lines_of_one_turn_of_the_loop_are_written_together_in_their_order() -> None:
    stream = _Writes()
    log = make_logger(stream, in_turns=True)

    async def main() -> None:
        log.info("first")
        log.info("second")
        assert stream.written == []
        await asyncio.sleep(0)
        assert stream.written == [["first", "second"]]
        log.info("third")
        log.warning("serious")
        log.info("last")

    asyncio.run(main())
    assert stream.written == [["first", "second"], ["third"], ["serious"], ["last"]]


def test_without_a_loop_each_line_is_written_at_once() -> None:
    stream = _Writes()
    log = make_logger(stream, in_turns=True)
    log.info("first")
    log.critical("second")
    try:
        int("why")
    except ValueError:
        log.exception("third")
    assert stream.written == [["first"], ["second"], ["third"]]
