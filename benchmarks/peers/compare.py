"""What users of pandas, Polars, datacompy or DuckDB alone would write to compare an order's settlement lines with its
postings in the books; run by `benchmarks/reconciling.py` in an environment of its own.

    python compare.py TOOL FOLDER

FOLDER holds lines.parquet and postings.parquet: marketplace_code, order_id, pence (a whole number: floats would not do,
and decimals cost pandas more). Prints one JSON object: how many orders match, differ, or are on one side only, the sums
of both sides, and the tool's version. All tools must answer the same.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

KEYS = ["marketplace_code", "order_id"]


def with_pandas(folder: Path) -> dict[str, Any]:
    import pandas as pd

    def side(name: str) -> Any:
        rows = pd.read_parquet(folder / f"{name}.parquet")
        return rows.groupby(KEYS, as_index=False, sort=False)["pence"].sum()

    both = side("lines").merge(side("postings"), on=KEYS, how="outer", indicator=True, suffixes=("_left", "_right"))
    in_both = both["_merge"] == "both"
    equal = in_both & (both["pence_left"] == both["pence_right"])
    return {
        "matched": int(equal.sum()),
        "different": int((in_both & ~equal).sum()),
        "only_settled": int((both["_merge"] == "left_only").sum()),
        "only_posted": int((both["_merge"] == "right_only").sum()),
        "settled_pence": int(both["pence_left"].sum()),
        "posted_pence": int(both["pence_right"].sum()),
        "version": pd.__version__,
    }


def with_polars(folder: Path) -> dict[str, Any]:
    import polars as pl

    left, right = (
        pl.scan_parquet(folder / f"{name}.parquet").group_by(KEYS).agg(pl.col("pence").sum().alias(name))
        for name in ("lines", "postings")
    )
    settled, posted = pl.col("lines"), pl.col("postings")
    found = (
        left.join(right, on=KEYS, how="full", coalesce=True)
        .select(
            matched=(settled == posted).sum(),
            different=(settled != posted).sum(),
            only_settled=posted.is_null().sum(),
            only_posted=settled.is_null().sum(),
            settled_pence=settled.sum(),
            posted_pence=posted.sum(),
        )
        .collect()
        .row(0, named=True)
    )
    return {**{name: int(value) for name, value in found.items()}, "version": pl.__version__}


def with_datacompy(folder: Path) -> dict[str, Any]:
    import datacompy
    import polars as pl

    left, right = (
        pl.scan_parquet(folder / f"{name}.parquet").group_by(KEYS).agg(pl.col("pence").sum()).collect()
        for name in ("lines", "postings")
    )
    compared = datacompy.PolarsCompare(left, right, join_columns=KEYS)
    matched = int(compared.count_matching_rows())
    return {
        "matched": matched,
        "different": compared.intersect_rows.height - matched,
        "only_settled": compared.df1_unq_rows.height,
        "only_posted": compared.df2_unq_rows.height,
        "settled_pence": int(left["pence"].sum()),
        "posted_pence": int(right["pence"].sum()),
        "version": datacompy.__version__,
    }


def with_duckdb(folder: Path) -> dict[str, Any]:
    import duckdb

    row = duckdb.execute(
        """
        with
        settled as (
            select marketplace_code, order_id, sum(pence) as pence from read_parquet($lines) group by all
        ),
        posted as (
            select marketplace_code, order_id, sum(pence) as pence from read_parquet($postings) group by all
        )
        select
            count(*) filter (settled.pence = posted.pence),
            count(*) filter (settled.pence <> posted.pence),
            count(*) filter (posted.pence is null),
            count(*) filter (settled.pence is null),
            sum(settled.pence),
            sum(posted.pence)
        from settled full join posted using (marketplace_code, order_id)
        """,
        {name: str(folder / f"{name}.parquet") for name in ("lines", "postings")},
    ).fetchone()
    names = ("matched", "different", "only_settled", "only_posted", "settled_pence", "posted_pence")
    return {**dict(zip(names, map(int, row or ()), strict=True)), "version": duckdb.__version__}


TOOLS = {"pandas": with_pandas, "polars": with_polars, "datacompy": with_datacompy, "duckdb": with_duckdb}


if __name__ == "__main__":
    print(json.dumps(TOOLS[sys.argv[1]](Path(sys.argv[2]))))
