"""Five capabilities of a deployment that runs, tried out on orgs of its own that are removed again.

`command` runs them, `deployment` is how it is reached, `trial` makes and removes the orgs; then one file for
each: `claims`, `tenancy`, and of one call `redaction`, `follow_up` and `ttfb`.
"""
