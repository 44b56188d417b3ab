"""What the memory allocator is told, so that the program gives back what a busy minute needed."""

from __future__ import annotations

import ctypes
import time
from threading import Thread

ARENAS = (-8, 2)
"""Parameter and value for mallopt(3) of glibc: most heaps beside each other. By default there are eight a core, and each keeps what its
threads once used."""
EVERY_S = 30.0
"""Seconds between two returns of free pages. Giving back each large block when it is freed makes a plan a third slower, measured."""


def give_back_freed_memory(every_s: float = EVERY_S) -> bool:
    """Return freed memory to the system from now on; False where the allocator is not glibc's, and nothing is changed.

    Tensors come and go by the megabyte in many threads: without this the program keeps the most that each of them ever needed.

    Args:
        every_s: Seconds between two returns.
    """
    try:
        libc = ctypes.CDLL(None)
        mallopt, trim = libc.mallopt, libc.malloc_trim
    except (OSError, TypeError, AttributeError):
        return False

    def keep_low() -> None:
        while True:
            time.sleep(every_s)
            trim(0)

    mallopt(*ARENAS)
    Thread(target=keep_low, name="memory", daemon=True).start()
    return True
