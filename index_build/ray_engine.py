"""The builder's shard function as Ray tasks: on the cores of this machine, or on the cluster that RAY_ADDRESS names.

Every machine needs the project at the same path and its packages, and the folder of the index must lie on a disk that all of them see.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.errors import ConfigError, EcomScriptError
from index_build.embed import embed_shard

AHEAD = 2
"""Tasks in flight for each core: one runs while the next is sent."""
CONNECT_S = 10.0


def on_ray(shards: Path, encoder: Encoder, batches: Iterable[Sequence[str]]) -> Iterator[Vectors]:
    """Embed batches as Ray tasks; see ``embed.Engine``.

    Raises:
        ConfigError: Ray is not installed, its cluster is away, or a machine of it lacks the project.
        IndexFolderError: A machine cannot write into the work folder.
    """
    ray = started()
    task, model = ray.remote(num_cpus=1)(embed_shard), ray.put(encoder)
    window = max(1, int(ray.cluster_resources().get("CPU", 1))) * AHEAD
    running: deque[Any] = deque()
    for batch in batches:
        running.append(task.remote(shards.absolute(), model, batch))
        if len(running) == window:
            yield _result(ray, running.popleft())
    while running:
        yield _result(ray, running.popleft())


def started() -> Any:
    """Return the module of Ray, connected to a cluster or to processes on this machine that end with this one.

    Raises:
        ConfigError: Ray is not installed, or the cluster does not answer.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it reports each use to its makers
    try:
        import ray  # noqa: PLC0415 - an optional requirement
    except ImportError as error:
        raise ConfigError("The engine ray is not installed", "pip install -r requirements-cluster.txt -c requirements.lock") from error
    if not ray.is_initialized():
        try:
            _knock(os.environ.get("RAY_ADDRESS", ""))
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as error:
            fix = "Start the cluster that RAY_ADDRESS names, or unset it to use the cores of this machine."
            raise ConfigError(f"Ray cannot be reached ({(str(error) or type(error).__name__).splitlines()[0]})", fix) from error
    return ray


def _knock(address: str) -> None:
    """Raise OSError where nobody listens: Ray itself would try for minutes. Words such as "auto" name no place.

    Raises:
        OSError: Nobody answers.
        ValueError: The address cannot be read.
    """
    place = urlsplit(address if "://" in address else f"//{address}")
    if place.hostname and place.port:
        socket.create_connection((place.hostname, place.port), CONNECT_S).close()


def _result(ray: Any, running: Any) -> Vectors:
    try:
        vectors: Vectors = ray.get(running)
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, EcomScriptError):
            raise cause from None
        if isinstance(cause, Exception) and not isinstance(cause, (ImportError, ray.exceptions.RayError)):
            raise cause from error  # a fault of the program, as it would be here
        said = (str(cause or error) or type(error).__name__).strip().splitlines()[-1]
        fix = "See that every machine has the project at the same path and its packages, then run it again with --resume."
        raise ConfigError(f"Ray did not finish a shard ({said[:200]})", fix) from error
    return vectors
