"""What is written to a Mirakl marketplace, one module per kind of action."""
