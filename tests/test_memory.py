"""What is freed goes back to the system: measured in a process of its own."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys, time, psutil
from ecomscript.memory import give_back_freed_memory
if sys.argv[1] == "yes" and not give_back_freed_memory(0.05):
    print("none")
    sys.exit()
used = psutil.Process().memory_info
bytearray(24 << 20)  # freed at once: glibc now takes blocks of up to this size from its heap
before = used().rss
blocks = [bytearray(8 << 20) for _ in range(12)]
last = bytearray(200_000)  # holds the end of the heap
assert used().rss > before + (90 << 20)
del blocks
end = time.monotonic() + 1
while used().rss - before > 8 << 20 and time.monotonic() < end:
    time.sleep(0.05)
print((used().rss - before) >> 20)
"""


def left_mb(told):
    run = subprocess.run([sys.executable, "-c", PROGRAM, told], capture_output=True, text=True, check=True)
    if "none" in run.stdout:
        pytest.skip("the allocator is not glibc's")
    return int(run.stdout)


def test_what_is_freed_is_given_back():
    assert left_mb("yes") < 9 < left_mb("no")
