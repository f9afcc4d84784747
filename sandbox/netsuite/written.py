"""What clients wrote into an account, in a form that tests and the demo can compare."""

from typing import Any

from sandbox import jsonio
from sandbox.netsuite.database import Database


def written(database: Database, newest_of_world: int) -> list[dict[str, Any]]:
    """The transactions beyond the id `newest_of_world`, each with its lines, without ids, numbers and times.

    Amounts are in the transaction's currency, debits positive, as NetSuite keeps them. Equal work gives equal lists.
    """
    names, rows = database.fetch(_HEADERS, [newest_of_world])
    found = {row[0]: dict(zip(names[1:], row[1:], strict=True)) | {"lines": []} for row in rows}
    names, rows = database.fetch(_LINES, [newest_of_world])
    for row in rows:
        line = {name: value for name, value in zip(names[1:], row[1:], strict=True) if value is not None}
        found[row[0]]["lines"].append(line)
    for transaction in found.values():
        transaction["lines"].sort(key=jsonio.encode_stable)
    return sorted(found.values(), key=jsonio.encode_stable)


_HEADERS = """
    SELECT
        t.id, t.type, t.externalid AS external_id, CAST(t.trandate AS VARCHAR) AS day, p.periodname AS period,
        c.symbol AS currency, t.foreigntotal AS total, t.posting = 'T' AS is_posted, t.status,
        t.otherrefnum AS reference
    FROM "transaction" AS t
    LEFT JOIN currency AS c ON c.id = t.currency
    LEFT JOIN accountingperiod AS p ON p.id = t.postingperiod
    WHERE t.id > ?
"""
_LINES = """
    SELECT
        l."transaction", a.acctnumber AS account, i.itemid AS item, e.entityid AS customer, l.quantity,
        l.foreignamount AS amount, l.memo
    FROM transactionline AS l
    LEFT JOIN (
        SELECT DISTINCT "transaction", transactionline, account FROM transactionaccountingline
    ) AS g ON g."transaction" = l."transaction" AND g.transactionline = l.id
    LEFT JOIN account AS a ON a.id = g.account
    LEFT JOIN item AS i ON i.id = l.item
    LEFT JOIN customer AS e ON e.id = l.entity
    WHERE l."transaction" > ?
"""
