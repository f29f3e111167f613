"""The embedded servers: PostgreSQL and Redis from wheels that carry their binaries, owned by one process.

For the demo, the tests and a first look; a deployment brings its own servers and never imports this.
"""
