"""The calls of the REST API that record a run, and those that answer questions. Made by one thread."""

from __future__ import annotations

from . import state
from .entities import Experiment, Run
from .errors import AwayError, RefusedError
from .server import Server, read_artifact, send_artifact
from .values import pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .values import Json

ORIGIN = "projrun.origin.run_id"
"""The tag by which a run is found again whose creation had no answer."""


class Calls:
    """To the server that is chosen when a call is made."""

    def __init__(
        self, is_hurried: Callable[[], bool] = lambda: False, uri: Callable[[], str] = state.tracking_uri
    ) -> None:
        """`is_hurried` says whether the process ends: then nothing is tried twice. `uri` names the server."""
        self._uri = uri
        self._is_hurried = is_hurried
        self._servers: dict[str, Server] = {}
        self._experiments: dict[tuple[str, str, str], str] = {}

    def interrupt(self) -> None:
        """The call under way fails; called by another thread."""
        for server in list(self._servers.values()):
            server.interrupt()

    def close(self) -> None:
        """End the connections."""
        for server in self._servers.values():
            server.end()
        self._servers.clear()

    def record(self, run: Run, call: str, body: Json, say: Callable[[str, str], object]) -> None:
        """As `make`; what is refused is said, and takes no other values with it. Raises AwayError."""
        if run.is_silent:
            return
        try:
            self.make(run, call, body)
        except AwayError:
            raise
        except RefusedError as error:
            self._refused(run, call, body, error, say)
        except (
            Exception
        ) as error:  # a file that cannot be read, a full disk, or a bug of ours: the rest goes on
            say(call, f"not recorded: {type(error).__name__}: {error}")

    def _refused(
        self, run: Run, call: str, body: Json, error: RefusedError, say: Callable[[str, str], object]
    ) -> None:
        values = (
            [(kind, value) for kind, each in body.items() for value in each]
            if call == "runs/log-batch"
            else []
        )
        if len(values) > 1:
            half = len(values) // 2
            for part in (values[:half], values[half:]):
                smaller: Json = {}
                for kind, value in part:
                    smaller.setdefault(kind, []).append(value)
                self.record(run, call, smaller, say)
            return
        say(f"{values[0][0]} {values[0][1]['key']!r}" if values else call, f"not recorded: {error}")
        if call == "runs/create":  # nor is what follows
            run.is_silent = True
            run.is_made.set()

    def make(self, run: Run, call: str, body: Json) -> None:
        """A call for a run. Raises AwayError, RefusedError."""
        server = self.server()
        if call == "runs/create":
            self._create(server, run, body)
        elif call == "artifact":
            send_artifact(server, self._place(server, run), body)
        else:
            server.call("POST", call, {"run_id": run.run_id, **body})

    def _place(self, server: Server, run: Run) -> str:
        """Where its artifacts are."""
        if run.known is None or not run.known.artifact_uri:  # another process has started it
            run.know(server.call("GET", "runs/get", {"run_id": run.run_id})["run"]["info"])
        assert run.known is not None  # noqa: S101 - now it is
        return run.known.artifact_uri

    def artifact(self, run: Run, path: str) -> bytes | None:
        """What is in a file of its artifacts; None where there is none. Raises AwayError, RefusedError."""
        server, folder = self.server(), path.rpartition("/")[0]
        listed = server.call(
            "GET", "artifacts/list", {"run_id": run.run_id, **({"path": folder} if folder else {})}
        )
        if path not in [each["path"] for each in listed.get("files", ())]:
            return None
        return read_artifact(server, self._place(server, run), path)

    def _create(self, server: Server, run: Run, body: Json) -> None:
        """Once: a server that did not answer may have created it."""
        experiment_id, origin = self.experiment_id(body["experiment"]), {"key": ORIGIN, "value": run.origin}
        if body.get("again"):
            known = {
                "experiment_ids": [experiment_id],
                "filter": f"tags.`{ORIGIN}` = '{run.origin}'",
                "max_results": 1,
            }
            found = server.call("POST", "runs/search", known).get("runs")
            if found:
                run.know(found[0]["info"])
                return
        body["again"] = True
        tags = dict(body["tags"])
        parent = body["parent"]
        if parent is not None:
            tags["mlflow.parentRunId"] = parent.run_id if isinstance(parent, Run) else parent
        wanted = {name: body[name] for name in ("run_name", "user_id", "start_time") if body[name]}
        wanted.update(experiment_id=experiment_id, tags=[*pairs(tags), origin])
        run.know(server.call("POST", "runs/create", wanted)["run"]["info"])

    def server(self) -> Server:
        """The server that is chosen now. Raises AwayError."""
        uri = self._uri()
        if uri not in self._servers:
            self._servers[uri] = Server.open(uri, self._is_hurried)
        return self._servers[uri]

    def experiment(self, chosen: tuple[str, str]) -> Experiment:
        """The experiment of that id, or of that name, which is created if needed."""
        kind, text = chosen
        if kind == "name":
            found = self.experiment_named(text)
            if found is not None:
                return found
            try:
                text = self.server().call("POST", "experiments/create", {"name": text})["experiment_id"]
            except RefusedError as error:
                if error.code != "RESOURCE_ALREADY_EXISTS":  # another process was quicker
                    raise
                return self.experiment(chosen)
        return Experiment(self.server().call("GET", "experiments/get", {"experiment_id": text})["experiment"])

    def experiment_named(self, name: str) -> Experiment | None:
        """The experiment of that name, or None."""
        try:
            found = self.server().call("GET", "experiments/get-by-name", {"experiment_name": name})
        except RefusedError as error:
            if error.code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        return Experiment(found["experiment"])

    def experiment_id(self, chosen: Sequence[str]) -> str:
        """The id of a chosen experiment."""
        kind, text = chosen
        name = (self._uri(), kind, text)
        if name not in self._experiments:
            self._experiments[name] = text if kind == "id" else self.experiment((kind, text)).experiment_id
        return self._experiments[name]

    def tag_experiment(self, key: str, value: str) -> None:
        """A tag of the experiment that runs go to now."""
        run = state.open_runs[-1] if state.open_runs else None
        experiment_id = (run.info.experiment_id if run else "") or self.experiment_id(
            state.chosen_experiment()
        )
        body = {"experiment_id": experiment_id, "key": key, "value": value}
        self.server().call("POST", "experiments/set-experiment-tag", body)
