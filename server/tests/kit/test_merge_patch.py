"""JSON Merge Patch, with the examples of RFC 7396, appendix A."""

from typing import Any

import pytest

from hellojohn_server.kit.merge_patch import merge_patch


@pytest.mark.parametrize(
    ("stored", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_examples_of_the_standard(stored: Any, patch: Any, result: Any) -> None:
    assert merge_patch(stored, patch) == result


def test_neither_argument_is_changed() -> None:
    stored, patch = {"a": {"b": 1}, "c": 2}, {"a": {"b": None, "d": 3}, "c": None}
    assert merge_patch(stored, patch) == {"a": {"d": 3}}
    assert stored == {"a": {"b": 1}, "c": 2}
    assert patch == {"a": {"b": None, "d": 3}, "c": None}
