"""A Django test case: each test is rolled back, and its points with it."""

from django.core.management import call_command
from django.test import TestCase

from shop.models import Benchmark
from shop.points import joined

RUN = {"id": 1, "member_id": "ada", "score": 90}


class BenchmarkTest(TestCase):
    """What a benchmark pays."""

    @classmethod
    def setUpTestData(cls) -> None:
        """Create the ledger's tables, and a member for all tests."""
        call_command("run_due")
        with joined() as engage:
            engage.enroll("ada")

    def test_it_pays_once(self) -> None:
        """A benchmark that is sent twice pays once."""
        for outcome in ("awarded", "unchanged"):
            answer = self.client.post("/benchmarks", RUN, content_type="application/json")
            self.assertEqual(answer.json(), {"outcome": outcome})
        self.assertEqual(self.client.get("/members/ada").json()["points"], 50)

    def test_one_that_fails_pays_nothing(self) -> None:
        """A benchmark that fails pays nothing, and nothing is left of the other test."""
        answer = self.client.post("/benchmarks", {**RUN, "score": 101}, content_type="application/json")
        self.assertEqual((answer.status_code, Benchmark.objects.count()), (422, 0))
        self.assertEqual(self.client.get("/members/ada").json()["points"], 0)
