"""Takes ratings in: into the file of the server and, where a deployment wants that, into a dataset that is published."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ecomscript.config import Settings
from ecomscript.feedback.record import Record
from ecomscript.feedback.store import FeedbackStore

PUSH_MINUTES = 5
FOLDER_IN_REPO = "data"

logger = logging.getLogger(__name__)


class Scheduler(Protocol):
    """What is used of ``huggingface_hub.CommitScheduler``: it pushes what a folder holds from time to time."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held while the files are listed, and to be held while one is written."""


class Publisher:
    """Writes ratings where a scheduler picks them up: a file of its own for every start, to which lines are added.

    Args:
        folder: The folder that is pushed.
        scheduler: Pushes it.
        repo: The dataset repository that it goes to.
    """

    def __init__(self, folder: Path, scheduler: Scheduler, repo: str) -> None:
        self.repo = repo
        self.path = folder / f"feedback-{uuid.uuid4().hex}.jsonl"
        self._scheduler = scheduler

    def publish(self, record: Record) -> None:
        """Add a line.

        Raises:
            OSError: It cannot be written.
        """
        with self._scheduler.lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line_of(record))


@dataclass(frozen=True, slots=True)
class Collector:
    """Where ratings go; the same for every visitor.

    Attributes:
        store: The file of the server, which counts.
        version: Commit of the app, kept with every rating.
        publisher: Where they are published; None for nowhere.
    """

    store: FeedbackStore
    version: str = ""
    publisher: Publisher | None = None

    @property
    def published_in(self) -> str:
        """The dataset repository; "" when nothing is published."""
        return self.publisher.repo if self.publisher else ""

    def add(self, record: Record) -> Record:
        """Store a rating, and publish it; one that cannot be published stays stored, and the log says so.

        Raises:
            FeedbackError: It is not stored.
        """
        stored = self.store.add(record)
        if self.publisher:
            try:
                self.publisher.publish(stored)
            except OSError:
                logger.exception("a rating is stored but not published")
        return stored


def line_of(record: Record) -> str:
    """Return a rating as a line of JSONL."""
    return json.dumps(record.plain(), ensure_ascii=False) + "\n"


def open_collector(settings: Settings, version: str, schedule: Callable[..., Scheduler] | None = None) -> Collector | None:
    """Return where ratings go; None when they are switched off.

    Args:
        settings: Say where.
        version: Commit of the app.
        schedule: Makes the scheduler from the arguments of ``CommitScheduler``, which is what None means.
    """
    if not settings.feedback:
        return None
    store = FeedbackStore(settings.ratings)
    return Collector(store, version, _publisher(settings, schedule))


def _publisher(settings: Settings, schedule: Callable[..., Scheduler] | None) -> Publisher | None:
    """Return the publisher of a deployment that names a repository and a token; one that cannot be reached stops nothing."""
    if not (settings.feedback_repo and settings.hub_token):
        return None
    folder = settings.ratings.with_suffix("") / "published"
    try:
        if schedule is None:
            from huggingface_hub import CommitScheduler  # noqa: PLC0415 - only a deployment that publishes needs it

            schedule = CommitScheduler
        folder.mkdir(parents=True, exist_ok=True)
        scheduler = schedule(
            repo_id=settings.feedback_repo,
            repo_type="dataset",
            folder_path=folder,
            path_in_repo=FOLDER_IN_REPO,
            every=PUSH_MINUTES,
            token=settings.hub_token,
        )
    except Exception as error:  # the hub's errors have no common base, and the page must start without it
        logger.warning("ratings are stored here but not published in %s: %s", settings.feedback_repo, error)
        return None
    return Publisher(folder, scheduler, settings.feedback_repo)
