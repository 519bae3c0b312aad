"""A model at its addresses: its workers, and the requests for its predictions."""

from __future__ import annotations

from starlette.types import Receive, Scope

from projrun.models.serving.answers import Answer, refusal
from projrun.models.serving.pool import Pool
from projrun.models.serving.requests import Requests
from projrun.models.serving.served import ServedModel, ServingOptions
from projrun.reporting import Reporter


class Endpoint:
    """One of the models of a server."""

    def __init__(self, model: ServedModel, options: ServingOptions, reporter: Reporter) -> None:
        self.name = model.name
        self.pool = Pool(model, options, reporter)
        self.requests = Requests()
        self._max_body = options.max_body

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
        content_type = size = ""
        for name, value in scope["headers"]:
            if name == b"content-type":
                content_type = value.decode("latin-1")
            elif name == b"content-length":
                size = value.decode("latin-1")
        if self._max_body and size.isdecimal() and int(size) > self._max_body:
            return self._too_large()
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            if self._max_body and len(body) > self._max_body:
                return self._too_large()
            if not message.get("more_body"):
                return await self.pool.answer(content_type, bytes(body))

    def _too_large(self) -> Answer:
        message = f"The request's body is larger than {self._max_body} bytes, the limit of this server."
        # The rest of the body is not read: the next request cannot be found behind it.
        return refusal(413, "INVALID_PARAMETER_VALUE", message, {"connection": "close"})
