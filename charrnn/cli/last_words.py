"""What is said when a training over MPI breaks off: by a process that outlives it for a moment.

Where a rank dies, mpiexec kills all others at once, rank 0 among them. A process of a session of
its own is spared. It learns of the death when the other end of a pipe is closed, and standard error
is still read then: mpiexec waits for the end of what was written there.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

PROGRAM = "import os, sys\nif not os.read(int(sys.argv[1]), 1):\n    sys.stderr.write(sys.argv[2])"
"""Says its second argument when the pipe is closed without a word."""


@contextlib.contextmanager
def last_words(message: str) -> Iterator[None]:
    """Say the message on standard error if this process is killed before the end of the context."""
    theirs, ours = os.pipe()
    with subprocess.Popen(
        # without what takes time to load, and without the current folder
        [sys.executable, "-I", "-S", "-c", PROGRAM, str(theirs), f"charrnn: {message}\n"],
        pass_fds=(theirs,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ):
        os.close(theirs)
        try:
            yield
        finally:
            with contextlib.suppress(BrokenPipeError):
                os.write(ours, b"x")
            os.close(ours)
