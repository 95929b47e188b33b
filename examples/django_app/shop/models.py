"""The app's own tables."""

from django.db import models


class Benchmark(models.Model):
    """A benchmark that a member has run."""

    member_id = models.TextField()
    score = models.IntegerField()

    class Meta:
        """Rejects a score above 100 as a mistake."""

        constraints = [models.CheckConstraint(condition=models.Q(score__lte=100), name="score_is_at_most_100")]
        db_table = "benchmarks"


class Notification(models.Model):
    """A notification for a member, one for each entry."""

    position = models.BigIntegerField(primary_key=True)
    text = models.TextField()

    class Meta:
        """Names the table."""

        db_table = "notifications"
