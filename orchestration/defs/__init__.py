"""The Dagster definitions, one module per step of the pipeline. They call `orchestration.lib` and hold no logic of
their own.

These modules do without `from __future__ import annotations`: Dagster compares the annotation of `context` with its
own classes and does not resolve text.
"""
