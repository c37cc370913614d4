"""django-q2's cluster, made crash-only: when its shared queues may be broken, it ends as a whole.

A process of it that dies by surprise may have held a lock of the queues they all share; django-q2
would then look alive for ever and do nothing. So: kill the children, exit 70, be restarted.
Nothing is lost by it: tickets are doorbells, executions are leases.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import time
import uuid
from queue import Empty, Full
from typing import Any

from django.db import close_old_connections
from django_q import cluster as stock
from django_q.conf import logger
from django_q.status import Stat

from executions.engine import birth, drain
from executions.engine.broker import CLUSTER_ID

BROKEN = 70  # exit status: restart me
STALE_GUARD_S = 30.0
STOP_WITHIN_S = 50.0  # a drain takes 35 s at most; docs/operating.md has supervisors wait 60
GARBAGE_THRESHOLD = 20_000
TICK_S = 0.2
PR_SET_PDEATHSIG = 1
RECYCLED, TIMED_OUT = -2, 0  # what django-q2 leaves in a worker's timer


class BeatingStat(Stat):  # type: ignore[misc]
    """Saved by the guard loop on every turn, so saving it shows that the loop turns."""

    def save(self) -> None:
        drain.beat()
        close_old_connections()  # a database that was restarted would stay away for ever
        super().save()


class CrashOnlySentinel(stock.Sentinel):  # type: ignore[misc]
    def reincarnate(self, process: Any) -> None:
        """Replace an expected loss; end everything after an unexpected one."""
        if self._was_expected(process):
            super().reincarnate(process)
            return
        logger.critical(
            "process %s died (%s): the shared queue may be locked for ever, so the whole cluster"
            " ends and is to be restarted", process.pid, process.exitcode,
        )  # fmt: skip
        for child in (*self.pool, self.monitor, self.pusher):
            if child.is_alive():
                child.kill()
        os._exit(BROKEN)

    def stop(self) -> None:
        """Stop as django-q2 does, but never wait for room in a queue that nobody empties.

        Workers may end by themselves at this very moment, with a ticket left in the queue and
        another in the pusher's hand. Those are doorbells: they are taken out and forgotten.
        """
        self.event_out.set()
        while self.pusher.is_alive():
            with contextlib.suppress(Empty):
                self.task_queue.get(timeout=TICK_S)
            stock.Stat(self).save()
        while any(worker.is_alive() for worker in self.pool):
            with contextlib.suppress(Full):
                self.task_queue.put("STOP", timeout=TICK_S)
            stock.Stat(self).save()
        self.pool.clear()
        super().stop()

    def _was_expected(self, process: Any) -> bool:
        """Test if it ended, or is to end, as its own code means it to."""
        if process not in self.pool:  # the monitor or the pusher: they end when a query fails
            return process.exitcode is None or process.exitcode >= 0
        return process.is_alive() or int(process.timer.value) in (RECYCLED, TIMED_OUT)


def run() -> int:
    """Run a cluster until it is told to stop; return the exit status (70: restart it).

    SIGTERM and SIGINT drain: runners yield what they drive, then the cluster stops.
    """
    os.environ[CLUSTER_ID] = uuid.uuid4().hex
    birth.listen()
    _children_die_with_their_parent()
    _collect_less_garbage()
    stock.Sentinel, stock.Stat = CrashOnlySentinel, BeatingStat
    drain.beat()
    cluster = stock.Cluster()
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # only noted here: django-q2's own handler joins processes inside the signal and can hang
        signal.signal(number, lambda got, _: asked.append(got))
    cluster.start()
    while cluster.sentinel.is_alive() and not asked:
        if drain.beat_age_s() > STALE_GUARD_S:
            logger.critical("the guard loop stands still: killing the cluster")
            cluster.sentinel.kill()
        time.sleep(TICK_S)
    if asked:
        drain.request()
        cluster.stop_event.set()
        cluster.sentinel.join(STOP_WITHIN_S)
        if cluster.sentinel.is_alive():
            logger.critical("the cluster does not stop: killing it; what it holds goes elsewhere")
            cluster.sentinel.kill()
    cluster.sentinel.join()
    return 0 if asked and cluster.sentinel.exitcode == 0 else BROKEN


def _collect_less_garbage() -> None:
    """Leave what was loaded before the fork out of every collection, and collect less often.

    It keeps those pages shared between the processes, and saves a runner a tenth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)


def _children_die_with_their_parent() -> None:
    """Let the kernel kill each forked process when the one that forked it is gone (Linux)."""
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return
    os.register_at_fork(after_in_child=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
