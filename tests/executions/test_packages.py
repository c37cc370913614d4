"""Nothing but our own functions with plain arguments comes out of the queue."""

from __future__ import annotations

import os
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from django_q import core_signing
from django_q.conf import Conf
from django_q.signing import BadSignature, PickleSerializer, SignedPackage


def signed(package: Any) -> str:
    """Sign as somebody would who has the key."""
    return core_signing.dumps(
        package, key=Conf.SECRET_KEY, salt=Conf.PREFIX, serializer=PickleSerializer
    )


def task(**changes: Any) -> dict[str, Any]:
    ours = {"id": "1", "name": "x", "func": "executions.engine.tickets.drive", "args": (None,)}
    return {**ours, "kwargs": {}, "started": datetime.now(UTC), **changes}


class Payload:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


def test_our_own_messages_pass() -> None:
    package = task()

    assert SignedPackage.loads(signed(package)) == package


def test_a_pickle_that_would_run_a_command_is_refused_although_signed(tmp_path: Any) -> None:
    proof = tmp_path / "ran"

    with pytest.raises(BadSignature, match="not allowed"):
        SignedPackage.loads(signed(task(args=(Payload(str(proof)),))))

    assert not proof.exists()
    pickle.loads(pickle.dumps(Payload(str(proof))))  # the payload itself works
    assert proof.exists()


@pytest.mark.parametrize("function", ["os.system", "subprocess.run", None, print])
def test_a_function_that_is_not_ours_is_refused_although_signed(function: Any) -> None:
    with pytest.raises(BadSignature):
        SignedPackage.loads(signed(task(func=function)))


@pytest.mark.parametrize(
    "package",
    [
        ["executions.engine.tickets.drive"],
        "executions.engine.tickets.drive",
        None,
        {"func": "executions.engine.tickets.drive"},
        task(id=7),
        task(args="all"),
        task(hook="os.system"),
        task(chain=[("os.system", ("true",))]),
        task(timeout="never"),
    ],
)
def test_whatever_is_not_shaped_like_ours_is_refused_although_signed(package: Any) -> None:
    """Q5: a pusher survives nothing but BadSignature, and a hook is code of the sender's choice."""
    with pytest.raises(BadSignature):
        SignedPackage.loads(signed(package))


@pytest.mark.parametrize("data", [b"", b"not a pickle", b"\x80\x05K\x01t.", b"(" * 10_000])
def test_what_is_no_pickle_is_refused_although_signed(data: bytes) -> None:
    """Q5: signed bytes that unpickling breaks on."""

    class Raw:
        def dumps(self, _: Any) -> bytes:
            return data

    with pytest.raises(BadSignature):
        SignedPackage.loads(
            core_signing.dumps({}, key=Conf.SECRET_KEY, salt=Conf.PREFIX, serializer=Raw)
        )


def test_garbage_is_refused() -> None:
    with pytest.raises(BadSignature):
        SignedPackage.loads("not a message")


def test_another_key_is_refused() -> None:
    message = core_signing.dumps(
        task(), key="another key", salt=Conf.PREFIX, serializer=PickleSerializer
    )

    with pytest.raises(BadSignature):
        SignedPackage.loads(message)
