"""The Mirakl connector and the sandbox's Mirakl against the specification that Mirakl publishes."""
