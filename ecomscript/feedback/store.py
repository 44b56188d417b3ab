"""The file of ratings: SQLite to which rows are added, and from which none is ever changed or taken away."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ecomscript.errors import FeedbackError, InputError
from ecomscript.feedback.record import Record

WAIT_S = 1.0
"""Longest wait for another writer."""
MAX_BYTES = 256 * 2**20
"""Most bytes that the file may take; a full one takes no more ratings."""
MOST_READ = 10_000
"""How many of the latest ratings are read at once."""

_FORMAT = 1
_FIELDS = tuple(field.name for field in fields(Record))
_MAKE = (
    f"CREATE TABLE feedback (number INTEGER PRIMARY KEY AUTOINCREMENT, {', '.join(_FIELDS)})",
    "CREATE INDEX by_time ON feedback (created)",
    "CREATE TRIGGER no_change BEFORE UPDATE ON feedback BEGIN SELECT RAISE(ABORT, 'ratings are only added'); END",
    "CREATE TRIGGER no_removal BEFORE DELETE ON feedback BEGIN SELECT RAISE(ABORT, 'ratings are only added'); END",
    f"PRAGMA user_version = {_FORMAT}",
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many ratings are taken within a stretch of time, from one visitor and from all."""

    session: int = 120
    everyone: int = 600
    within: timedelta = timedelta(minutes=10)


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class FeedbackStore:
    """Adds ratings and reads them; any number of threads and processes may use the same file.

    Args:
        path: The SQLite file; made with its folder when the first rating comes.
        limits: How many ratings are taken.
        now: Tells the time.
        max_bytes: Most bytes of the file.
    """

    def __init__(self, path: Path, limits: Limits | None = None, now: Callable[[], datetime] = utc_now, max_bytes: int = MAX_BYTES) -> None:
        self.path = path
        self.limits = limits or Limits()
        self._now = now
        self._max_bytes = max_bytes

    def add(self, record: Record) -> Record:
        """Store a rating and return it with its time.

        Raises:
            FeedbackError: It is not stored: too many came, or the file is locked, full, damaged or out of reach.
        """
        now = self._now()
        stamped = replace(record, created=_written(now))
        row = stamped.plain() | {"marks": json.dumps(dict(stamped.marks))}
        with self._open() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            self._check(connection, stamped.session, _written(now - self.limits.within))
            places = ", ".join(f":{name}" for name in _FIELDS)
            connection.execute(f"INSERT INTO feedback ({', '.join(_FIELDS)}) VALUES ({places})", row)
        return stamped

    def read(self, most: int = MOST_READ) -> list[Record]:
        """Return the latest ratings in the order in which they came, those that were replaced among them; none where there is no file.

        Raises:
            FeedbackError: The file cannot be read.
        """
        if not self.path.exists():
            return []
        with self._open() as connection:
            found = connection.execute(f"SELECT {', '.join(_FIELDS)} FROM feedback ORDER BY number DESC LIMIT ?", (most,)).fetchall()
        try:
            return [_record(dict(zip(_FIELDS, row, strict=True))) for row in reversed(found)]
        except (InputError, ValueError, TypeError) as error:
            logger.error("a row of %s cannot be used: %s", self.path, error)
            raise FeedbackError("The file of ratings holds rows that are no ratings", "Move it away; a new one is made.") from error

    def last(self) -> int:
        """Return the number of the last rating; 0 when there is none.

        Raises:
            FeedbackError: The file cannot be read.
        """
        if not self.path.exists():
            return 0
        with self._open() as connection:
            return int(connection.execute("SELECT COALESCE(MAX(number), 0) FROM feedback").fetchone()[0])

    def _check(self, connection: sqlite3.Connection, session: str, since: str) -> None:
        query = "SELECT COUNT(*), COALESCE(SUM(session = ?), 0) FROM feedback WHERE created > ?"
        everyone, own = connection.execute(query, (session, since)).fetchone()
        minutes = self.limits.within.total_seconds() / 60
        if own >= self.limits.session:
            raise FeedbackError(f"You gave {own} ratings within {minutes:g} minutes, which is the most", "Go on in some minutes.")
        if everyone >= self.limits.everyone:
            raise FeedbackError("More ratings come in than are taken at the moment", "Try again in some minutes.")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file, made where it is missing; what SQLite or the system refuse is told without the server's folders."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None)) as connection:
                self._prepare(connection)
                yield connection
        except (sqlite3.Error, OSError) as error:
            logger.warning("the ratings in %s cannot be used: %s", self.path, error)
            raise FeedbackError(
                f"The file of ratings cannot be used now ({_short(error)})", "Everything else works; try again later."
            ) from error

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count = {self._max_bytes // size}")
        connection.execute("PRAGMA synchronous = NORMAL")  # with WAL a power cut may cost the last ratings, never the file
        if _format(connection) == 0:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            if _format(connection) == 0:  # unless another process has made it meanwhile
                for statement in _MAKE:
                    connection.execute(statement)
            connection.execute("COMMIT")
        if _format(connection) != _FORMAT:
            raise sqlite3.DatabaseError(f"format {_format(connection)}, expected {_FORMAT}")


def _format(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _record(row: Mapping[str, Any]) -> Record:
    return Record(**{**row, "marks": json.loads(row["marks"])})


def _written(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")


def _short(error: Exception) -> str:
    return (error.strerror or "no access") if isinstance(error, OSError) else str(error)
