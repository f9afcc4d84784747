"""Who is told of what, when, and how often: one alert per root cause, routed by team (alert_routes.csv)."""
