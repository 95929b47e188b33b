"""Which version is installed."""


def installed_version() -> str | None:
    """Return the version of the package; None if it runs without being installed."""
    from importlib import metadata  # noqa: PLC0415

    try:
        return metadata.version("trc-engage")
    except metadata.PackageNotFoundError:
        return None
