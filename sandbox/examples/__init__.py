"""Worked examples: an accountant's cases as files, played through the pipeline (docs/how-to/add-an-example.md)."""
