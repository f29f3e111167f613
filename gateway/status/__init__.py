"""Are the promises kept? Each one's figures, asked of Postgres and Redis, and whether they are an alarm.

One file for each promise: what it asks, and what it makes of the answers. `thresholds` has all bounds,
`asked` puts the parts together, `screen` and `page` show them, `board` keeps them for the operators' page,
`watch` for Prometheus. They hold ids, counts and rates, nothing personal.
"""
