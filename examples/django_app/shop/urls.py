"""The views and their paths."""

import json

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from shop.models import Benchmark, Notification
from shop.points import joined
from trc_engage import EngageError
from trc_engage.entrypoints.wire import as_json, status_of


@csrf_exempt
def benchmarks(request: HttpRequest) -> HttpResponse:
    """Save a benchmark and award its points; sending it again changes nothing."""
    run = json.loads(request.body)
    try:
        with transaction.atomic(), joined() as engage:
            key = f"benchmark:{run['id']}"
            receipt = engage.award(run["member_id"], source="benchmark", points=50, key=key, at=timezone.now())
            if receipt.changed:
                Benchmark.objects.create(**run)
                text = f"+{receipt.entry.points} points for a benchmark"
                Notification.objects.create(position=receipt.entry.position, text=text)
    except (EngageError, IntegrityError) as error:
        return problem(error)
    return JsonResponse({"outcome": receipt.outcome})


@csrf_exempt
def members(request: HttpRequest, member_id: str) -> HttpResponse:
    """Enroll a member, whose XP earns points if there is a Discord id, or return a member's standing."""
    try:
        with transaction.atomic(), joined() as engage:
            if request.method == "PUT":
                enrollment = engage.enroll(member_id, discord_id=request.GET.get("discord_id"))
                return JsonResponse({"outcome": enrollment.outcome})
            return JsonResponse(as_json(engage.standing(member_id)))
    except EngageError as error:
        return problem(error)


def problem(error: Exception) -> HttpResponse:
    """Answer an error; an `EngageError` says what to do about it, and `status_of` returns its HTTP status."""
    if isinstance(error, IntegrityError):
        return JsonResponse({"detail": "the database refuses it"}, status=422)
    return JsonResponse({"detail": str(error)}, status=status_of(error))


urlpatterns = [path("benchmarks", benchmarks), path("members/<str:member_id>", members)]
