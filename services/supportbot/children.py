"""What child processes of ours have in common: none outlives its parent, however that ends."""

import ctypes
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def make_die_with_parent(number: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """For `preexec_fn`: has the kernel signal the child when the thread that started it ends; None where no kernel can.

    Without it a SIGKILL of the parent leaves an orphan that holds ports and the store. See prctl(2), PR_SET_PDEATHSIG.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # Loaded here: between fork and exec nothing may wait for a lock.

    def die_with_parent() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number)

    return die_with_parent
