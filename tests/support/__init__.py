"""What several tests need: worlds to live in, processes to start, servers to ask, text to read."""
