"""What leaves for spreadsheets, BI tools and notebooks: the published marts with meaning, lineage and metrics."""
