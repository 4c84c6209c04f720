"""What is written for Python, from a contract that has one of every shape."""

import ast
from typing import Final

from tests.sdk.typescript.test_emitter import METHODS, PATHS, SCHEMAS
from tools.sdk.python_code import emit
from tools.sdk.python_text import docstring, python_name
from tools.sdk.reading import model_of

SOURCE: Final = "sdk/python/src/hellojohn"
FILES: Final = emit(model_of({"paths": PATHS, "components": {"schemas": SCHEMAS}}, METHODS))


def test_each_twin_has_its_files_and_all_of_them_are_python() -> None:
    assert FILES.keys() == {
        f"{SOURCE}/{name}.py"
        for name in (
            "async_resources/__init__",
            "async_resources/things",
            "resources/__init__",
            "resources/things",
            "types/__init__",
            "types/things",
        )
    }
    for name, text in FILES.items():
        assert ast.parse(text, name).body


def test_types_are_open_where_they_are_read() -> None:
    assert (
        FILES[f"{SOURCE}/types/things.py"]
        .partition("\n\n\n")[0]
        .endswith('Colour: TypeAlias = Literal["blue", "red"]\n"""What it looks like."""')
    )
    assert FILES[f"{SOURCE}/types/things.py"].partition("\n\n\n")[2] == (
        "class Thing(msgspec.Struct, frozen=True, kw_only=True):\n"
        '    """A thing.\n\n    `id`: its id.\n    """\n\n'
        "    id: str\n"
        "    colours: list[str | None]\n"
        "    change: tuple[str | None, Known[Colour]] | None = None\n"
        "    notes: dict[str, int] | None = None\n"
        "    made_at: datetime | None = None\n"
    )


def test_a_method_says_what_is_sent_and_what_comes_back() -> None:
    text = FILES[f"{SOURCE}/async_resources/things.py"]
    assert (
        "    async def delete(\n"
        "        self,\n"
        "        thing_id: str,\n"
        "        *,\n"
        "        permanent: bool | UnsetType = UNSET,\n"
        "        reason: str | UnsetType | None = UNSET,\n"
        "        **options: Unpack[WriteOptions],\n"
        "    ) -> Thing | None:\n"
        '        """Lose a thing.\n\n        For good.\n        """\n'
        "        call = Call(\n"
        '            method="DELETE",\n'
        '            path=f"/v1/things/{segment(thing_id)}",\n'
        '            query={"permanent": permanent},\n'
        '            body={"reason": reason},\n'
        "            options=options,\n"
        "            repeat=Repeat.WITH_KEY,\n"
        "            credential=Credential.MASTER_KEY,\n"
        "        )\n"
        "        return await self._transport.fetch_or_none(call, Thing)\n"
    ) in text
    assert (
        "    def list(self, *, colour: Colour | UnsetType = UNSET, **options: Unpack[Options]) -> AsyncPages[Thing]:"
        in text
    )


def test_what_comes_in_two_forms_has_a_signature_for_each() -> None:
    text = FILES[f"{SOURCE}/resources/things.py"]
    assert text.count("    @overload\n    def export_all(") == 2
    assert '*, format: Literal["csv"], **options: Unpack[Options]) -> Stream[dict[str, str]]: ...' in text
    assert 'return self._transport.rows(call) if format == "csv" else self._transport.stream(call, Thing)' in text
    assert "def send(self, file: File, *, content_type: ContentType | UnsetType = UNSET, **options: " in text
    assert "self._transport.upload(call, file, content_type_of(file, content_type), Thing)" in text


def test_words_of_the_language_and_long_sentences_are_seen_to() -> None:
    assert (python_name("from"), python_name("name")) == ("from_", "name")
    long = docstring("Do this, " + "and that, " * 15 + "and rest", ["`a`: one."], indent=8)
    assert max(map(len, long)) <= 120
    assert long[0] == '        """' + long[0].strip().removeprefix('"""')
    assert long[0].endswith(".")
    assert long[1] == ""
    assert long[-2:] == ["        `a`: one.", '        """']
    assert docstring("Get it", indent=4) == ['    """Get it."""']
