"""What is dear is made once for a whole run, also of several workers."""

import fcntl
from collections.abc import Callable
from pathlib import Path


def once(target: Path, make: Callable[[Path], None]) -> Path:
    """Return a file or folder that the first caller makes, under a name that is not yet its own."""
    with target.with_name(f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            partial = target.with_name(f".partial-{target.name}")
            make(partial)
            partial.rename(target)
    return target
