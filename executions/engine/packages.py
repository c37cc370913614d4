"""What may come out of the queue: plain values, and only the functions we put there.

django-q2's messages are pickles signed with SECRET_KEY, and its schedules name any function. Here a
message with another class or function in it is refused like one with a bad signature: whoever
reaches the database, or the key, still cannot make a worker run code of their choice.
"""

from __future__ import annotations

import io
import pickle
from datetime import datetime
from types import NoneType
from typing import Any

from django_q import core_signing
from django_q.conf import Conf
from django_q.signing import BadSignature, SignedPackage

FUNCTIONS = frozenset(
    {
        "executions.engine.tickets.drive",
        "executions.housekeeping.each_hour",
        "executions.housekeeping.each_minute",
        "executions.housekeeping.notify",
    }
)
CLASSES = frozenset(
    {
        *(("datetime", name) for name in ("date", "datetime", "time", "timedelta", "timezone")),
        ("decimal", "Decimal"),
        ("uuid", "UUID"),
        ("zoneinfo", "ZoneInfo._unpickle"),
    }
)
# What ours hold. Others django-q2 knows run further code: `hook`, `chain`.
SHAPE: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "name": str,
    "func": str,
    "args": (tuple, list),
    "kwargs": dict,
    "started": datetime,
    "cluster": (str, NoneType),
    "group": (str, NoneType),
}


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in CLASSES:
            return super().find_class(module, name)
        raise BadSignature(f"a queue message holds {module}.{name}, which is not allowed")


class PlainSerializer:
    """Reads pickles of plain values; writes them as django-q2 does."""

    @staticmethod
    def dumps(thing: Any) -> bytes:
        return pickle.dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)

    @staticmethod
    def loads(data: bytes) -> Any:
        return _Plain(io.BytesIO(data)).load()


def loads(message: str) -> Any:
    """Return the message's package, or raise BadSignature: only that does a pusher survive."""
    try:
        package = core_signing.loads(
            message, key=Conf.SECRET_KEY, salt=Conf.PREFIX, serializer=PlainSerializer
        )
    except BadSignature:
        raise
    except Exception as error:
        raise BadSignature(f"a queue message cannot be read: {error!r}") from error
    if not isinstance(package, dict) or package.get("func") not in FUNCTIONS:
        raise BadSignature(f"a queue message asks for {str(package)[:200]}, which is not ours")
    wrong = [key for key, kinds in SHAPE.items() if not isinstance(package.get(key), kinds)]
    if wrong := wrong or sorted(map(str, package.keys() - SHAPE.keys())):
        raise BadSignature(f"a queue message has a {wrong[0]!r} that ours do not have")
    return package


def install() -> None:
    """Make this process read the queue only this way."""
    SignedPackage.loads = staticmethod(loads)
