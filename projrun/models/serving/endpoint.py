"""A model at its addresses: its workers, and the requests for its predictions."""

from __future__ import annotations

from starlette.types import Receive, Scope

from projrun.models.serving.answers import Answer
from projrun.models.serving.bodies import Bodies
from projrun.models.serving.pool import Pool
from projrun.models.serving.requests import Requests
from projrun.models.serving.served import ServedModel, ServingOptions
from projrun.reporting import Reporter


class Endpoint:
    """One of the models of a server."""

    def __init__(
        self, model: ServedModel, options: ServingOptions, bodies: Bodies, reporter: Reporter
    ) -> None:
        self.name = model.name
        self.pool = Pool(model, options, reporter)
        self.requests = Requests()
        self._bodies = bodies

    async def predict(self, scope: Scope, receive: Receive) -> Answer | None:
        """The model's answer to a request; None where the client has gone."""
        begin, status = self.requests.begin(), 0
        try:
            answer = await self._predict(scope, receive)
            status = answer.status if answer else 0
            return answer
        finally:
            self.requests.end(status, begin)

    async def _predict(self, scope: Scope, receive: Receive) -> Answer | None:
        kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        body = await self._bodies.read(scope, receive)
        if not isinstance(body, bytes):
            return body
        try:
            return await self.pool.answer(kind.decode("latin-1"), body, receive)
        finally:
            self._bodies.release(len(body))
