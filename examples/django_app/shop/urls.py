"""The views, and where they are."""

import json

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from shop.models import Benchmark, Notification
from shop.points import joined
from trc_engage import EngageError, LedgerBusy, UnknownMember
from trc_engage.entrypoints.wire.members import Member


@csrf_exempt
def benchmarks(request: HttpRequest) -> HttpResponse:
    """Keep a benchmark and pay for it; the same one again changes nothing."""
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
    """Enroll a member, or return where one stands."""
    try:
        with transaction.atomic(), joined() as engage:
            if request.method == "PUT":
                return JsonResponse({"outcome": engage.enroll(member_id).outcome})
            return JsonResponse(Member.of(engage.standing(member_id)))
    except EngageError as error:
        return problem(error)


def problem(error: Exception) -> HttpResponse:
    """Answer an error; an `EngageError` says what to do about it."""
    detail = str(error) if isinstance(error, EngageError) else "the database refuses it"
    statuses = {UnknownMember: 404, LedgerBusy: 503}
    return JsonResponse({"detail": detail}, status=statuses.get(type(error), 422))


urlpatterns = [path("benchmarks", benchmarks), path("members/<str:member_id>", members)]
