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


def few_or_many(columns: str, matches: str, tables: str, few: str, many: str) -> str:
    """Return the statement of a page and its total: of up to :cap `matches` the page `few`, of more the page `many`.

    `tables` are further ones, each after a comma; `few` may read `matches`. A page has a position and an id.
    """
    return f"""
    WITH matches AS MATERIALIZED ({matches} LIMIT :cap),
    counted AS MATERIALIZED (SELECT count(*) AS users FROM matches){tables}
    SELECT {columns}, counted.users, keys.position
    FROM counted
    LEFT JOIN (
        SELECT * FROM ({few}) AS few WHERE (SELECT users FROM counted) < :cap
        UNION ALL
        SELECT * FROM ({many}) AS many WHERE (SELECT users FROM counted) >= :cap
    ) AS keys ON TRUE
    LEFT JOIN users AS u ON u.tenant_id = :tenant_id AND u.id = keys.id
    """
