"""A model at its addresses: its workers, and the requests for its predictions."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Receive, Scope

from projrun.models.serving.answers import Answer
from projrun.models.serving.bodies import Bodies
from projrun.models.serving.following import Moved, follow
from projrun.models.serving.pool import Pool
from projrun.models.serving.process import NOTHING
from projrun.models.serving.requests import Requests
from projrun.models.serving.served import ServedModel, ServingOptions
from projrun.reporting import Reporter


class Endpoint:
    """One of the models of a server."""

    def __init__(
        self,
        model: ServedModel,
        options: ServingOptions,
        bodies: Bodies,
        reporter: Reporter,
        moved: Moved | None = None,
    ) -> None:
        """`moved` gives the model that the address leads to by then, if that is another one."""
        self.name = model.name
        self.pool = Pool(model, options, reporter)
        self.requests = Requests()
        self._bodies = bodies
        self._options = options
        self._reporter = reporter
        self._moved = moved

    async def follow(self) -> None:
        """Load the versions that its address leads to, until cancelled; nothing is done where it leads to one alone."""
        if self._moved:
            await follow(self.pool, self._moved, self._options.follow, self._reporter)

    @property
    def version(self) -> str:
        """Of the registered model that is loaded, where it is known to be one."""
        return self.pool.description.version

    async def predict(
        self, scope: Scope, receive: Receive, extra: Mapping[str, object] = NOTHING
    ) -> Answer | None:
        """The model's answer to a request; None where the client has gone. `extra` is for the worker."""
        begin, status = self.requests.begin(), 0
        try:
            answer = await self._predict(scope, receive, extra)
            status = answer.status if answer else 0
            return answer
        finally:
            self.requests.end(status, begin)

    async def _predict(self, scope: Scope, receive: Receive, extra: Mapping[str, object]) -> Answer | None:
        kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        body = await self._bodies.read(scope, receive)
        if not isinstance(body, bytes):
            return body
        try:
            return await self.pool.answer(kind.decode("latin-1"), body, receive, extra)
        finally:
            self._bodies.release(len(body))
