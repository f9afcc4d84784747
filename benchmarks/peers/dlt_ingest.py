"""What a user of dlt would write to read the same two feeds into DuckDB; run by `benchmarks/ingest.py` in dlt's own
environment.

    python dlt_ingest.py URL FOLDER FILE_FORMAT WORKERS

Prints one JSON object: rows, seconds, peak memory, and the exact sum of the lines' amounts as DuckDB then holds them.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

url, folder, file_format, workers = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]
os.environ |= {
    "DLT_DATA_DIR": str(folder / "dlt"),
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "EXTRACT__WORKERS": "2",
    "NORMALIZE__WORKERS": workers,
    "LOAD__WORKERS": "2",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "20000",
    "DATA_WRITER__FILE_MAX_ITEMS": "100000",
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
}

import dlt  # noqa: E402
import duckdb  # noqa: E402
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator, OffsetPaginator  # noqa: E402
from dlt.sources.rest_api import rest_api_source  # noqa: E402


def main() -> None:
    source = rest_api_source(
        {
            "client": {"base_url": url + "/"},
            "resources": [
                {
                    "name": "orders",
                    "endpoint": {
                        "path": "api/orders",
                        "data_selector": "orders",
                        "paginator": OffsetPaginator(
                            limit=100, limit_param="max", offset_param="offset", total_path="total_count"
                        ),
                    },
                    "parallelized": True,
                },
                {
                    "name": "transaction_lines",
                    "endpoint": {
                        "path": "api/sellerpayment/transactions_logs",
                        "params": {"limit": 2000},
                        "data_selector": "data",
                        "paginator": JSONResponseCursorPaginator(
                            cursor_path="next_page_token", cursor_param="page_token"
                        ),
                    },
                    "parallelized": True,
                },
            ],
        }
    )
    database = folder / "peer.duckdb"
    began = time.monotonic()
    pipeline = dlt.pipeline("peer", destination=dlt.destinations.duckdb(str(database)), dataset_name="raw")
    pipeline.run(source, loader_file_format=file_format)
    seconds = time.monotonic() - began
    with duckdb.connect(str(database), read_only=True) as connection:
        lines, amount = connection.execute(
            "select count(*), sum(amount)::varchar from raw.transaction_lines"
        ).fetchone()
        (orders,) = connection.execute("select count(*) from raw.orders").fetchone()
        (kind,) = connection.execute(
            "select data_type from duckdb_columns() where schema_name = 'raw' and table_name = 'transaction_lines'"
            " and column_name = 'amount'"
        ).fetchone()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    result = {
        "orders": orders,
        "lines": lines,
        "seconds": seconds,
        "peak_bytes": peak,
        "peak_bytes_of_largest_child": children,
        "sum_of_amounts": amount,
        "type_of_amounts": kind,
        "version": dlt.__version__,
    }
    print(json.dumps(result))


if __name__ == "__main__":  # workers are started by importing this file again
    main()
