"""What may come out of the queue: plain values, and only the functions we put there.

django-q2's messages are pickles signed with SECRET_KEY, and its schedules name any function. Here a
message with another class or function in it is refused like one with a bad signature: whoever
reaches the database, or the key, still cannot make a worker run code of their choice.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

from django_q import core_signing
from django_q.conf import Conf
from django_q.signing import BadSignature, SignedPackage

FUNCTIONS = frozenset(
    {
        "executions.engine.tickets.drive",
        "executions.housekeeping.each_hour",
        "executions.housekeeping.each_minute",
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
        try:
            return _Plain(io.BytesIO(data)).load()
        except (pickle.UnpicklingError, EOFError, ValueError, AttributeError, IndexError) as error:
            raise BadSignature(f"a queue message cannot be read: {error}") from error


def loads(message: str) -> Any:
    """Return the message's package, or raise BadSignature."""
    package = core_signing.loads(
        message, key=Conf.SECRET_KEY, salt=Conf.PREFIX, serializer=PlainSerializer
    )
    if isinstance(package, dict) and package.get("func") not in FUNCTIONS:
        raise BadSignature(f"a queue message asks for {package.get('func')!r}, which is not ours")
    return package


def install() -> None:
    """Make this process read the queue only this way."""
    SignedPackage.loads = staticmethod(loads)
