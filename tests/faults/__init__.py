"""What bad input does to a run, shown over real HTTP: the fault table."""
