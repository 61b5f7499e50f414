"""Which worker trains which cell, and what happens when one of them is gone.

A cell is a Dask task on one worker, which no other may take over: Dask would begin it again from what it was given.
Here it begins again from the last checkpoint that came back.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import socket
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from ganvas.errors import GanvasError, first_line
from ganvas.experiments import progress
from ganvas.experiments.cluster import cell as remote
from ganvas.experiments.cluster import packing, status
from ganvas.experiments.cluster.attempts import Attempt, Sender, create, ignore, looked, needs_gpu, started
from ganvas.experiments.cluster.images import Parcels
from ganvas.experiments.cluster.link import Link, LostError
from ganvas.experiments.cluster.places import Place, Places
from ganvas.experiments.trials import Trial
from ganvas.experiments.workers import OnUpdate, collect_signals

TICK_SECONDS = 0.2
WORKERS_SECONDS = 1.0
"""Between two looks at which workers there are."""
LOOK_SECONDS = 1.0
"""Between two questions to a worker, where there are few."""
LOOKS_A_SECOND = 50
"""Most questions to all workers together: each passes through the scheduler."""
FETCH_SECONDS = 180.0
"""Between two checkpoints of a cell that come back."""
STATUS_SECONDS = 2.0
SAVE_SECONDS = 90.0
"""How long cells may take to save and come back when the experiment is interrupted."""
LOST_SECONDS = 600.0
"""How long a scheduler may be gone."""
MOST_MOVES = 3
"""Workers that a cell may lose in a row without a newer checkpoint: then it is the cell that ends them."""
MOST_MOVES_AMONG_OTHERS = 10
"""The same, where other cells lost at least as many meanwhile: then it is rather the workers that die."""
UNANSWERED = 3
"""Questions in a row without an answer, after which a worker counts as gone."""
THREADS = 32
"""Questions that are on their way at once."""


def run_trials(
    trials: Sequence[Trial], link: Link, threads: int, on_update: OnUpdate, fetch_seconds: float | None = None
) -> bool:
    """Train and score every trial that is not done on the workers of a cluster. True if a signal interrupted it.

    GanvasError if no worker can be used, or if the scheduler is gone for long. What came back stays.
    """
    pool = ThreadPoolExecutor(THREADS)
    with collect_signals() as received:
        dispatch = Dispatch(trials, link, threads, pool, FETCH_SECONDS if fetch_seconds is None else fetch_seconds)
        try:
            while dispatch.is_left and not received:
                dispatch.tick()
                on_update(dispatch.active)
                link.wait(TICK_SECONDS)
        finally:
            dispatch.stop(lambda: len(received) > 1)
            pool.shutdown(wait=False, cancel_futures=True)
    return bool(received)


class Dispatch:
    """The cells that wait and those that run."""

    def __init__(self, trials: Sequence[Trial], link: Link, threads: int, pool: Executor, fetch_seconds: float) -> None:
        self.trials, self.link, self.threads, self.pool, self.fetch_seconds = trials, link, threads, pool, fetch_seconds
        self.queue = [trial for trial in trials if trial.state not in ("done", "failed")]
        self.attempts: list[Attempt] = []
        self.in_a_row: dict[str, tuple[int, int, int]] = {}
        """Trial -> workers lost in a row, newest checkpoint then, moves of the others before the first of them."""
        self.images: dict[str, Any] = {}
        self.parcels = Parcels()
        self.base = trials[0].path.parent
        self.experiment = hashlib.sha256(f"{socket.gethostname()}:{self.base.resolve()}".encode()).hexdigest()[:16]
        self.sender = Sender(link, self.experiment, threads)
        self.places = Places(link, self.experiment, pool, self._take_over)
        self.numbers = itertools.count()
        self.checked = self.written = -math.inf
        self.lost_since: float | None = None
        self.waiting = False

    @property
    def is_left(self) -> bool:
        """Whether anything is left to do."""
        return bool(self.queue or self.attempts)

    @property
    def active(self) -> set[str]:
        """The names of the trials that run."""
        return {attempt.trial.name for attempt in self.attempts}

    def tick(self) -> None:
        """Look once at workers and cells, and begin what can begin."""
        now = self.link.now()
        if now - self.checked >= WORKERS_SECONDS:
            self.checked = now
            self._look_at_workers(now)
        for attempt in list(self.attempts):
            if attempt.asking.done():
                self._advance(attempt, now)
        if self.lost_since is None:
            self._begin_cells()
        if now - self.written >= STATUS_SECONDS:
            self.written = now
            status.write(self.base, self.trials, self.link.address, len(self.places.all))

    # -- workers -------------------------------------------------------------------------------------------------

    def _look_at_workers(self, now: float) -> None:
        try:
            if self.lost_since is not None:
                self.link.reconnect()
                progress.print_line(f"the scheduler at {self.link.address} answers again")
                self.lost_since = None
            gone = self.places.look()
        except LostError as error:
            self._scheduler_lost(now, error)
            return
        for place in gone:
            for attempt in [each for each in self.attempts if each.place is place]:
                self._lose(attempt, f"{place.name} is gone")
        if self.queue and not self.attempts:
            gpu = any(map(needs_gpu, self.queue))
            needs = f"{self.threads} thread{'s' * (self.threads > 1)}{' and the resource gpu' if gpu else ''}"
            fits = lambda place: any(place.free(self.threads, needs_gpu(trial)) > 0 for trial in self.queue)  # noqa: E731
            if not self.places.check_any(fits, needs) and not self.waiting:
                self.waiting = True
                progress.print_line(
                    f"waiting for workers: dask worker {self.link.address} --nthreads {self.threads} --memory-limit 0"
                )

    def _take_over(self, place: Place, runs: dict[str, bytes]) -> None:
        """Keep what cells reached whose client was killed."""
        for trial in self.trials:
            if runs.get(trial.name) and trial.state not in ("done", "failed"):
                with suppress(packing.RefusedError):
                    packing.install_run(trial.path, runs[trial.name], place.name)

    def _scheduler_lost(self, now: float, error: LostError) -> None:
        if self.lost_since is None:
            self.lost_since = now
            progress.print_line(f"{error}: waiting for it; cells go on from the checkpoints that came back")
            for attempt in list(self.attempts):
                self._forget(attempt)
                self._requeue(attempt.trial)
            self.places.all.clear()
        elif now - self.lost_since > LOST_SECONDS:
            raise GanvasError(
                f"{self.link.address} does not answer for {LOST_SECONDS / 60:.0f} minutes: start the scheduler and its "
                "workers again; the same command then resumes the experiment"
            )

    # -- cells that begin ----------------------------------------------------------------------------------------

    def _begin_cells(self) -> None:
        """Give waiting cells to the workers with most room."""
        ready = [place for place in self.places.usable() if place.free(self.threads, gpu=False) > 0]
        if not ready:
            return  # nearly always: the queue may be long, and this is asked five times a second
        for trial in list(self.queue):
            gpu = needs_gpu(trial)
            place = max(ready, key=lambda each: each.free(self.threads, gpu), default=None)
            if place is None or place.free(self.threads, gpu) <= 0:
                if not any(map(needs_gpu, self.queue)):
                    return  # no other cell fits either
                continue
            self.queue.remove(trial)
            try:
                create(trial, self.images)
                self._begin(trial, place)
            except GanvasError as error:
                trial.mark_failed(str(error))

    def _begin(self, trial: Trial, place: Place) -> None:
        parcel = self.parcels.of(trial.config.data.name)
        checkpoint = packing.newest_nimg(trial.path)
        key = f"ganvas-{self.experiment}-{trial.name}-{next(self.numbers)}-{uuid.uuid4().hex[:8]}"
        asking = self.pool.submit(self.sender.send, trial, place, key, parcel)
        self.attempts.append(Attempt(trial, place, key, asking, started, checkpoint, self.link.now()))
        place.cells += 1

    # -- cells that run ------------------------------------------------------------------------------------------

    def _advance(self, attempt: Attempt, now: float) -> None:
        """Take the answer that came, then ask the next question."""
        try:
            answer = attempt.asking.result()
        except Exception as error:
            self._unanswered(attempt, error)
            return
        attempt.unanswered = 0
        on_answer, attempt.on_answer = attempt.on_answer, ignore
        on_answer(attempt, answer)
        if attempt not in self.attempts:
            return
        worker, pause = attempt.place.address, max(LOOK_SECONDS, len(self.attempts) / LOOKS_A_SECOND)
        if attempt.task.done():
            self._ask(attempt, self._ended, self.link.result, attempt.task)
        elif attempt.newest > attempt.checkpoint and now - attempt.fetched >= self.fetch_seconds:
            attempt.fetched = now
            self._ask(attempt, self._fetched, self.link.ask, worker, remote.packed, attempt.key)
        elif now - attempt.looked >= pause:
            attempt.looked = now
            self._ask(attempt, looked, self.link.ask, worker, remote.look, attempt.key)

    def _ask(self, attempt: Attempt, on_answer: Callable[[Attempt, Any], None], ask: Any, *arguments: Any) -> None:
        attempt.asking, attempt.on_answer = self.pool.submit(ask, *arguments), on_answer

    def _unanswered(self, attempt: Attempt, error: Exception) -> None:
        attempt.unanswered += 1
        if attempt.task is None:
            self._lose(attempt, f"{attempt.place.name} did not take it ({first_line(error)})")
        elif attempt.on_answer == self._ended:
            self._lose(attempt, f"{attempt.place.name} lost its result ({first_line(error)})")
        elif attempt.unanswered >= UNANSWERED:
            self._lose(attempt, f"{attempt.place.name} does not answer ({first_line(error)})")
        else:
            self._ask(attempt, ignore, lambda: None)

    def _fetched(self, attempt: Attempt, content: bytes) -> None:
        if content:
            self._install(attempt, content)

    def _install(self, attempt: Attempt, content: bytes) -> bool:
        """Put what came back in place; a worker whose run cannot be used is used no more."""
        try:
            packing.install_run(attempt.trial.path, content, attempt.place.name)
        except packing.RefusedError as error:
            self._set_aside(attempt, str(error))
            return False
        attempt.checkpoint = packing.newest_nimg(attempt.trial.path)
        return True

    def _ended(self, attempt: Attempt, answer: dict[str, Any]) -> None:
        """A task is over: done, failed, stopped, without its images, or on a worker that cannot run it."""
        trial, outcome, reason = attempt.trial, answer["outcome"], answer["reason"]
        if answer["log"]:
            trial.log.parent.mkdir(parents=True, exist_ok=True)
            trial.log.write_text(answer["log"], "utf-8")
        if answer["run"] and not self._install(attempt, answer["run"]):
            return
        if outcome == "data":
            self._send_data_next_time(attempt, reason)
        elif outcome == "worker":
            self._set_aside(attempt, reason)
        else:
            self._forget(attempt)
            if outcome == "failed":
                trial.mark_failed(reason)
            elif not attempt.stopping and trial.state not in ("done", "failed"):
                self._move(trial, f"{attempt.place.name} stopped it")

    def _send_data_next_time(self, attempt: Attempt, reason: str) -> None:
        name = attempt.trial.config.data.name
        parcel = self.parcels.of(name)
        if parcel is not None and parcel.sha256 in attempt.place.has:
            self._set_aside(attempt, f"it does not keep the images ({reason})")
            return
        self._forget(attempt)
        self.parcels.not_fetched.add(name)
        self._requeue(attempt.trial)

    def _set_aside(self, attempt: Attempt, why: str) -> None:
        """This worker cannot run the cell; it goes elsewhere."""
        self.places.refuse(attempt.place, f"cannot go on ({why})")
        self._forget(attempt)
        self._move(attempt.trial, why)

    def _lose(self, attempt: Attempt, why: str) -> None:
        """The worker is gone, and with it what did not come back."""
        self._forget(attempt)
        at = packing.newest_nimg(attempt.trial.path)
        progress.print_line(
            f"{attempt.trial.name}: {why}; it goes on {f'from image {at:,}' if at > 0 else 'from its beginning'}"
        )
        self._move(attempt.trial, why)

    def _move(self, trial: Trial, why: str) -> None:
        """Let another worker go on with it, unless it has ended too many."""
        at = packing.newest_nimg(trial.path)
        others = sum(other.moves for other in self.trials if other is not trial)
        count, before, since = self.in_a_row.get(trial.name, (0, -1, others))
        count, since = (1, others) if at > before else (count + 1, since)
        self.in_a_row[trial.name] = count, at, since
        trial.moves += 1
        if count > (MOST_MOVES_AMONG_OTHERS if others - since >= count else MOST_MOVES):
            trial.mark_failed(f"{count} workers in a row did not get it further; the last time: {why}")
        else:
            self._requeue(trial)

    def _requeue(self, trial: Trial) -> None:
        self.queue.insert(0, trial)

    def _forget(self, attempt: Attempt) -> None:
        self.attempts.remove(attempt)
        attempt.place.cells -= 1
        attempt.trial.elsewhere = None
        if attempt.task is not None:
            self.link.cancel(attempt.task)

    # -- the end -------------------------------------------------------------------------------------------------

    def stop(self, at_once: Callable[[], bool]) -> None:
        """Let every cell that runs save and end, and take what it reached."""
        deadline = self.link.now() + SAVE_SECONDS
        while self.attempts and self.link.now() < deadline and not at_once():
            for attempt in [each for each in self.attempts if each.asking.done()]:
                if attempt.task is not None and not attempt.stopping:
                    attempt.stopping = True
                    self._ask(attempt, ignore, self.link.ask, attempt.place.address, remote.stop, attempt.key)
                else:
                    self._advance(attempt, self.link.now())
            self.link.wait(TICK_SECONDS)
        status.remove(self.base)
        self.parcels.remove()
