"""The first day: a configuration of one's own, proposals for its maps, and what would happen if it were switched on."""
