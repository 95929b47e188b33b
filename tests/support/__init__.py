"""Helpers that several tests share: communities, processes, servers and readers of their output."""
