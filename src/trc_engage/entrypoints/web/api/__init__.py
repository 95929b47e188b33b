"""The JSON API: handlers by noun, and the description of them all."""

from .routes import router

__all__ = ["router"]
