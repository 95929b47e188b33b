"""The shapes of our JSON, each said once: for the command line's `--json`, the web API and its OpenAPI document."""
