"""The runner's side of the guard process, which ends a job whose runner was killed with -9."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from projrun.errors import EnvironmentBuildError
from projrun.execution.protocol import JobSpec

# Standard input is the pipe; $1 is tenths of a second between TERM and KILL, $2 the mark of the job's processes
# (`descendants`), what follows are the words that end what killing them does not (a container). The runner kills the
# guard when the job needs none any more, so end of file means that the runner is gone. Where it died before it had
# named the group, the job may be about to execute its command: it is looked for during a second. Standard output is
# the master of the job's terminal, if it has one: as long as it is open the job is not hung up, and it does not block
# as long as it is read.
#
# The last line says what to do to the runner's own terminal while it is raw: its path, and words for stty. A shell
# with a line editor sets it by itself, within the first moments, and never leaves it with `-opost`.
_SCRIPT = """\
trap '' HUP INT QUIT TERM
tenths=$1 mark=$2 group='' known='' stopped='' patience=0
shift 2
finish() {
    [ $# -gt 0 ] || exit 0
    "$@" >/dev/null
    sleep 2  # what the group asked a daemon for in its last moment may come only now
    "$@" >/dev/null
    exit 0
}
restore() {
    sleep 0.2
    case $(stty -a <"$tty") in *-opost*) stty $words <"$tty" ;; esac
}
marked() { # by the last of the ids, or with $1 by any; outside the group
    [ -n "$mark" ] || return
    for one in $(grep -lszE "^PROJRUN_RUN_IDS=(.*:)?$mark$1\\$" /proc/[0-9]*/environ); do
        one=${one%/environ}
        grep -qsz '^PROJRUN_KEEP=1$' "$one/environ" && continue
        read -r stat <"$one/stat"
        set -- ${stat##*) } # proc(5): state ppid pgrp
        [ "$3" = "$group" ] || echo "${one#/proc/}"
    done
}
terminate() {
    for one in $(marked "$1"); do
        kill -s TERM "$one"
        known="$known $one" stopped="$stopped $one"
    done
}
alive() {
    [ -n "$group" ] && kill -s 0 -- "-$group" && return
    for one in $known; do
        environ=''
        read -r environ <"/proc/$one/environ"
        [ -z "$environ" ] || return 0 # a zombie has none
    done
    return 1
}
read -r group || patience=10
while read -r line; do last=$line; done
tty=${last%% *}
words=${last#* }
[ -z "$tty" ] || restore >/dev/null &
[ -z "$group" ] || { kill -s TERM -- "-$group" && stopped=-$group; }
terminate ''
while [ "$tenths" -gt 0 ]; do
    if ! alive; then
        known='' && terminate '(:.*)?' # now also what nested runs left
        [ -n "$known" ] || [ "$patience" -gt 0 ] || finish "$@"
    fi
    sleep 0.1
    # A stopped process sees TERM only when it goes on. At once, CONT would hide TERM from Python: a process with
    # threads then takes the two in another one than that which waits, and its handlers run when the wait is over.
    [ -z "$stopped" ] || kill -s CONT -- $stopped
    stopped=''
    [ ! -t 1 ] || cat <&1 >/dev/null # returns when there is nothing more
    tenths=$((tenths - 1)) patience=$((patience - 1))
done
[ -z "$group" ] || kill -s KILL -- "-$group"
for again in 1 2 3 4 5 6 7 8 9 10; do # one that starts others may be quicker than a look
    known=$(marked '(:.*)?')
    [ -n "$known" ] || [ "$patience" -gt 0 ] || break
    kill -s KILL $known
    sleep 0.1
    patience=$((patience - 1))
done
finish "$@"
"""


class Guard:
    """A process that watches this one. Starting it takes 0.3 ms; nothing waits for it.

    It watches a pipe: `PR_SET_PDEATHSIG` is tied to the forking thread, misses grandchildren and exists
    on Linux only. It is a shell script: one more Python would cost 11 ms of processor time and 8 MB in
    every run, where a shell costs 1 ms and 1 MB.
    """

    def __init__(
        self,
        grace_period: float,
        end_argv: Sequence[str] = (),
        end_environ: Mapping[str, str] | None = None,
        kept_open: Sequence[int] = (),
        terminal: int | None = None,
        mark: str = "",
    ) -> None:
        """`end_argv` is run, in `end_environ`, after the group was ended; it runs twice, so it must be idempotent.

        `kept_open` are descriptors that stay open until then: locks of what the group works on. `terminal` is the
        master of the group's terminal, where it has one. By `mark` the other processes of the job are found.
        """
        self.mark = mark
        reader, self._writer = os.pipe()
        try:
            # A session of its own: no terminal signal reaches it. `/`: it keeps no file system busy.
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _SCRIPT, "projrun-guard", str(round(grace_period * 10)), mark, *end_argv],
                stdin=reader,
                stdout=subprocess.DEVNULL if terminal is None else terminal,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), **(end_environ or {})},
                start_new_session=True,
                pass_fds=tuple(kept_open),
            )
        except BaseException:
            os.close(self._writer)
            raise
        finally:
            os.close(reader)

    @property
    def pid(self) -> int:
        """The guard's own process id."""
        return self._process.pid

    def watch(self, group: int) -> None:
        """Name the process group to end, at once after its start: in between, it is found by its mark alone."""
        self._write(str(group))

    def note_terminal(self, text: str) -> None:
        """How to restore the runner's terminal, `PATH WORDS` for stty(1); empty for not at all. After `watch`."""
        self._write(text)

    def _write(self, line: str) -> None:
        try:
            os.write(self._writer, f"{line}\n".encode())
        except BrokenPipeError:
            return  # someone killed the guard: the run goes on without it

    def release(self) -> None:
        """End the guard: the group needs none any more."""
        self._process.kill()
        self._process.wait()
        os.close(self._writer)


def start_guard(grace_period: float, spec: JobSpec, terminal: int | None) -> Guard:
    """The guard of a job that is about to start; `terminal` is the master of its terminal."""
    try:
        return Guard(grace_period, spec.end_argv, spec.end_environ, spec.kept_open, terminal, spec.mark)
    except OSError as error:
        raise EnvironmentBuildError(f"the guard process cannot be started: {error.strerror}") from None
