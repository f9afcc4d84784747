"""The pipeline's working parts. Nothing in here imports `orchestration.defs`: Dagster assets call these, not the
reverse.
"""
