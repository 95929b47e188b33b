"""The use cases: each gathers, decides and applies."""
