import hashlib
import itertools
import json
import tracemalloc

import pytest

from hellojohn_server.kit.user_files.formats import UserFormat
from hellojohn_server.kit.user_files.rows import MAX_ROW_BYTES, FileShape, MalformedFile, cutter_of
from tests.kit.user_files.files import NAMES, SAMPLES, cut, kind_of

_STEPS = (1, 2, 3, 7, 64, 1000)


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_the_same_however_the_file_comes_in(name: str) -> None:
    kind, shape = kind_of(name)
    data = (SAMPLES / name).read_bytes()
    has_header = kind is not UserFormat.FIREBASE
    whole = [(row.number, row.line, row.text, row.end) for row in cut(shape, data, len(data), has_header=has_header)]
    assert whole
    for step in _STEPS:
        rows = cut(shape, data, step, has_header=has_header)
        assert [(row.number, row.line, row.text, row.end) for row in rows] == whole
        for row in rows:
            assert row.digest == hashlib.sha256(data[: row.end]).hexdigest()


def test_lines_are_rows_and_blank_ones_are_none() -> None:
    data = b'\xef\xbb\xbf{"a":1}\r\n\r\n  \n{"b":2}\n{"c":3}'
    rows = cut(FileShape.NDJSON, data, 5)
    assert [(row.number, row.line, row.text.strip()) for row in rows] == [
        (1, 1, b'{"a":1}'),
        (2, 4, b'{"b":2}'),
        (3, 5, b'{"c":3}'),
    ]
    assert rows[-1].end == len(data)


def test_a_record_goes_over_several_lines_where_a_quotation_mark_says_so() -> None:
    data = b'h1,h2\r\n"one\r\ntwo ""quoted"", three\n\n",x\n1,2\n"a","b\n"\n'
    rows = cut(FileShape.CSV, data, 3, has_header=True)
    assert [(row.line, row.text) for row in rows] == [
        (2, b'"one\r\ntwo ""quoted"", three\n\n",x\n'),
        (6, b"1,2\n"),
        (7, b'"a","b\n"\n'),
    ]


def test_a_quotation_mark_within_a_field_opens_none() -> None:
    rows = cut(FileShape.CSV, b'a 5" disc,x\nb,"Smith, "Bob"",y\nc,d\n')
    assert [row.text for row in rows] == [b'a 5" disc,x\n', b'b,"Smith, "Bob"",y\n', b"c,d\n"]


def test_the_array_is_found_in_an_object_and_nothing_else_is_taken_for_it() -> None:
    text = {
        "name": 'x "users": [',
        "nested": {"users": [{"id": "wrong"}]},
        "list": [{"users": [{"id": "wrong"}]}],
        'odd\\"users': [{"id": "wrong"}],
        "users": [{"id": "1", "deep": [[{"a": "}]"}]]}, {"id": "2"}],
        "after": [{"id": "wrong"}],
    }
    for data in (json.dumps(text).encode(), json.dumps(text, indent=3).encode()):
        for step in _STEPS:
            assert [json.loads(row.text)["id"] for row in cut(FileShape.JSON, data, step)] == ["1", "2"]


def test_empty_files_have_no_rows() -> None:
    assert cut(FileShape.NDJSON, b"") == []
    assert cut(FileShape.CSV, b"a,b\n", has_header=True) == []
    assert cut(FileShape.JSON, b" [ ] ") == []
    assert cut(FileShape.JSON, b'{"users": []}') == []


@pytest.mark.parametrize(
    ("shape", "data", "line"),
    [
        (FileShape.NDJSON, b"\xff\xfe{\x00", 1),
        (FileShape.CSV, b'a,b\n1,2\n"x\ny\n', 3),
        (FileShape.JSON, b"", 1),
        (FileShape.JSON, b"[", 1),
        (FileShape.JSON, b'[{"a": 1},\n', 1),
        (FileShape.JSON, b'[{"a": 1}\n{"b": 2}]', 2),
        (FileShape.JSON, b'[{"a": 1},\n,{"b": 2}]', 1),
        (FileShape.JSON, b'[{"a": 1},\n5, {"b": 2}]', 1),
        (FileShape.JSON, b'[{"a": 1},\n[2]]', 1),
        (FileShape.JSON, b'[{"a": 1}]\n[', 2),
        (FileShape.JSON, b'[{"a": 1}] x', 1),
        (FileShape.JSON, b'x [{"a": 1}]', 1),
        (FileShape.JSON, b'{"user": [{"a": 1}]}', 1),
        (FileShape.JSON, b'{"a": {"users": [{"a": 1}]}}', 1),
        (FileShape.JSON, b'\n\n{"a": 1}\n', 3),
    ],
)
def test_what_cannot_be_cut_is_said_with_its_line(shape: FileShape, data: bytes, line: int) -> None:
    for step in _STEPS:
        with pytest.raises(MalformedFile) as refused:
            cut(shape, data, step)
        assert refused.value.line == line


@pytest.mark.parametrize(
    ("shape", "data"),
    [
        (FileShape.NDJSON, b'{"a": "%b"}\n'),
        (FileShape.CSV, b'"%b",b\n'),
        (FileShape.CSV, b"%b,b\n"),
        (FileShape.JSON, b'[{"a": "%b"}]'),
    ],
)
def test_a_row_of_more_than_a_mebibyte_is_refused_and_not_kept(shape: FileShape, data: bytes) -> None:
    long = data % (b"x" * (MAX_ROW_BYTES + 1))
    with pytest.raises(MalformedFile):
        cut(shape, long, len(long))
    with pytest.raises(MalformedFile):
        cut(shape, long[: MAX_ROW_BYTES + 100_000], 65_536)
    fits = data % (b"x" * (MAX_ROW_BYTES - 100))
    assert len(cut(shape, fits)) == 1


@pytest.mark.parametrize("shape", FileShape)
def test_nothing_is_kept_of_rows_that_are_cut_off(shape: FileShape) -> None:
    lines = {
        FileShape.NDJSON: b'{"email": "somebody@example.com", "metadata": {"a": [1, 2, {"b": "c"}]}}\n',
        FileShape.CSV: b'somebody@example.com,"two\nlines",3\n',
        FileShape.JSON: b'{"email": "somebody@example.com", "metadata": {"a": [1, 2, {"b": "c"}]}},\n',
    }
    chunk = lines[shape] * 200
    cutter = cutter_of(shape, has_header=False)
    list(cutter.feed(b"[" if shape is FileShape.JSON else b""))
    tracemalloc.start()
    try:
        rows = sum(1 for _ in itertools.chain.from_iterable(cutter.feed(chunk) for _ in range(10)))
        before, _ = tracemalloc.get_traced_memory()
        rows += sum(1 for _ in itertools.chain.from_iterable(cutter.feed(chunk) for _ in range(90)))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rows == 20_000
    assert after - before < 65_536
