"""Every feed of NetSuite, in the order in which they are best read."""

from __future__ import annotations

from connectors.netsuite.list_queries import DELETED, LIST_QUERIES
from connectors.netsuite.query import Query
from connectors.netsuite.transaction_queries import TRANSACTION_QUERIES

QUERIES: dict[str, Query] = {query.entity: query for query in (*LIST_QUERIES, *TRANSACTION_QUERIES, DELETED)}
