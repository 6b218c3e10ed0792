"""How the threads of one process share a core."""

import os
from contextlib import suppress


def let_threads_finish() -> None:
    """Have a thread that wakes up wait for the one that runs, where Linux can be asked for that.

    The one that runs has the interpreter's lock: to take the core from it only makes two of them
    wait (half of a send's processor time). Other programs still get the core at once.
    """
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
