"""The Dagster definitions, one module per step of the pipeline. They call `orchestration.lib` and hold no logic of
their own.
"""
