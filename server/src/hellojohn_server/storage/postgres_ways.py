"""The ways of a read statement on PostgreSQL where many match, and another order than theirs is asked for."""

from typing import Final

from hellojohn_server.storage.compose import stepwise

STEPS: Final = "2000"
"""Rows of the index in the order asked for that are looked at before all matches are sorted instead."""


def near_or_far(steps: str, every: str) -> tuple[str, str]:
    """Return tables, each after a comma, and a page: what a few steps find if they fill it, else the first of `every`.

    `every` is sorted and limited. Nothing of either is run when no more than the cap are `counted`.
    """
    tables = f""",
    walked AS MATERIALIZED (
        SELECT * FROM ({stepwise(steps, ":rows")}) AS steps WHERE (SELECT users FROM counted) >= :cap
    ),
    is_page AS MATERIALIZED (SELECT count(*) >= :rows AS holds FROM walked)"""
    return (
        tables,
        f"""
        SELECT * FROM (SELECT position, seq AS id FROM walked) AS near WHERE (SELECT holds FROM is_page)
        UNION ALL SELECT * FROM ({every}) AS far WHERE NOT (SELECT holds FROM is_page)
    """,
    )
