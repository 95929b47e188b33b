"""A pytest plugin: once a test of a class has failed, the others of that class are not run."""

from collections.abc import Generator

import pytest

_failed: set[object] = set()


def pytest_runtest_setup(item: pytest.Function) -> None:
    """Skip what would prove the same once more."""
    if item.cls in _failed:
        pytest.skip("another test of it has failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note whose test failed."""
    report = yield
    if report.failed:
        _failed.add(item.cls)
    return report
