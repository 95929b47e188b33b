"""A pytest plugin: after the first failure of a test in a class, skip the class's other tests."""

from collections.abc import Generator

import pytest

_failed: set[object] = set()


def pytest_runtest_setup(item: pytest.Function) -> None:
    """Skip a test whose class has already failed."""
    if item.cls in _failed:
        pytest.skip("another test of it has failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Record the class of a failed test."""
    report = yield
    if report.failed:
        _failed.add(item.cls)
    return report
