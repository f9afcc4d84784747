"""A simulated year (`make soak`): the vendors' clock goes on day by day, people do their work, and every lane runs."""
