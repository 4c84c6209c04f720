"""What texts of mails may be written in, and how little anything else costs."""

import pytest

from hellojohn_server.kit.email_templates import SAMPLES, EmailTemplate, Part, source_fault
from hellojohn_server.kit.template_language import MAX_OUTPUT, MAX_SOURCE, TemplateFault, read_source

NAMES = frozenset({"link", "tenant_name"})
USELESS = "It must show {{ link }}: without it the mail is of no use."
VALUES = {"link": "https://example.com/?a=1&b=2", "tenant_name": "A & B <i>"}


def rendered(text: str, *, html: bool = False) -> str:
    return read_source(text, NAMES, html=html).render(VALUES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\n", "plain\n"),
        ("{{ tenant_name }}: {{link}}", "A & B <i>: https://example.com/?a=1&b=2"),
        ("{{ tenant_name|upper|trim }}", "A & B <I>"),
        ("{{ tenant_name|lower }} {{ tenant_name|capitalize }}", "a & b <i> A & b <i>"),
        ("{{ link|urlencode }}", "https%3A//example.com/%3Fa%3D1%26b%3D2"),
        ("{% if tenant_name == 'A & B <i>' and not link == '' %}yes{% else %}no{% endif %}", "yes"),
        ("{% if tenant_name == 'x' %}x{% elif link %}y{% endif %}", "y"),
        ("{{ 'a' if link else 'b' }}{# nothing #}", "a"),
        ("{% raw %}{{ link }}{% endraw %}", "{{ link }}"),
    ],
)
def test_values_filters_and_conditions_are_there(text: str, expected: str) -> None:
    assert rendered(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>{{ tenant_name }}</p>", "<p>A &amp; B &lt;i&gt;</p>"),
        ("{{ tenant_name|upper }}", "A &amp; B &lt;I&gt;"),
        ('<a href="{{ link }}">', '<a href="https://example.com/?a=1&amp;b=2">'),
        ("{{ tenant_name if link else link }}", "A &amp; B &lt;i&gt;"),
    ],
)
def test_values_are_escaped_in_html(text: str, expected: str) -> None:
    assert rendered(text, html=True) == expected


HOSTILE = [
    "{% for a in link %}{% for b in link %}{{ link }}{% endfor %}{% endfor %}",
    "{{ 'x' * 1000000000 }}",
    "{{ link * 10 }}",
    "{{ 10 ** 1000000 }}",
    "{{ link|center(1000000000) }}",
    "{{ link|format(1) }}",
    "{{ link|replace('h', link) }}",
    "{{ link|safe }}",
    "{{ link|join(link) }}",
    "{{ link|attr('__class__') }}",
    "{{ link.__class__.__mro__ }}",
    "{{ link['__class__'] }}",
    "{{ link[0] }}",
    "{{ link[:5] }}",
    "{{ link.upper() }}",
    "{{ range(1000000000) }}",
    "{{ lipsum(1000) }}",
    "{{ cycler }}",
    "{{ self }}",
    "{{ link ~ link }}",
    "{{ link + link }}",
    "{{ -1 }}",
    "{{ [link] }}",
    "{{ (link, link) }}",
    "{{ {'a': link} }}",
    "{{ link is defined }}",
    "{% set x = link %}{{ x }}",
    "{% set x %}{{ link }}{% endset %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% call m() %}{% endcall %}",
    "{% include 'x' %}",
    "{% import 'x' as x %}",
    "{% extends 'x' %}",
    "{% block x %}{% endblock %}",
    "{% filter upper %}{{ link }}{% endfilter %}",
    "{% with x = link %}{{ x }}{% endwith %}",
    "{% autoescape false %}{{ link }}{% endautoescape %}",
    "{% do link %}",
    "{{ other }}",
    "{{ link",
    "{% if link %}",
    "{% endif %}",
    "{{ 'a }}",
    "{{",
    "{{ }}",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("html", [False, True])
def test_everything_else_is_refused_with_the_reason(text: str, *, html: bool) -> None:
    with pytest.raises(TemplateFault, match=r"^(Line 1: .+\.|It .+\.)$"):
        read_source(text, NAMES, html=html)


@pytest.mark.parametrize(
    "text",
    [
        "x" * (MAX_SOURCE + 1),
        "{{ link }}" * 65,
        "{# x #}" * 65,
        "{% if link %}x{% endif %}" * 33,
        "{{ link" + " and link" * 2_000 + " }}",
        "{{ '}}'" + " and link" * 7_000 + " }}",
        "{{ " + "(" * 1_900 + " }}",
        "{{ " + "not " * 480 + "link }}",
        "{{" * 30_000,
        "{" * 60_000,
        "{%-" * 20_000,
        "{{ " + "9" * 60_000 + " }}",
        "{{ link" + "|upper" * 320 + " }}",
        "{{ '" + "x" * 60_000 + "' }}",
    ],
    ids=[str(number) for number in range(14)],
)
def test_what_would_take_long_is_refused_before(text: str) -> None:
    with pytest.raises(TemplateFault):
        rendered(text)


def test_what_comes_out_is_limited() -> None:
    source = read_source("{{ link }}" * 60, NAMES, html=True)
    assert len(source.render({"link": "x" * 4_000})) == 240_000
    with pytest.raises(TemplateFault, match="262,144"):
        source.render({"link": "&" * 4_000})
    assert MAX_OUTPUT == 262_144


@pytest.mark.parametrize(
    ("part", "source", "fault"),
    [
        (Part.SUBJECT, "For {{ tenant_name }}", None),
        (Part.SUBJECT, "a\r\nBcc: eve@example.com", "A subject is one line without control characters."),
        (Part.SUBJECT, "{{ ' ' }}", "Nothing comes out of it."),
        (Part.SUBJECT, "{{ tenant_name }}" * 30, "What comes out is longer than 300 characters."),
        (Part.TEXT, "Go to {{ link }}", None),
        (Part.TEXT, "Go.", USELESS),
        (Part.HTML, "<a href='{{ link }}'>go</a>", None),
        (
            Part.HTML,
            "{% if not link %}{{ link }}{% endif %}x",
            "It must show {{ link }}: without it the mail is of no use.",
        ),
        (
            Part.TEXT,
            "{{ link }}\n{{ factor }}",
            "Line 2: there is no value 'factor' here. There are: email, expires_in, link, tenant_name.",
        ),
    ],
)
def test_a_text_is_tried_before_it_is_taken(part: Part, source: str, fault: str | None) -> None:
    assert source_fault(EmailTemplate.PASSWORD_RESET, part, source) == fault


def test_there_is_a_sample_for_every_value() -> None:
    for template in EmailTemplate:
        assert source_fault(template, Part.SUBJECT, "x") is None
    assert set(SAMPLES) >= NAMES
