"""`--env-manager=local`: commands run in the environment that projrun was called in."""

from __future__ import annotations

from collections.abc import Mapping

from projrun.environments.protocol import (
    ANY_KIND,
    Capabilities,
    EnvironmentRequest,
    PreparedEnvironment,
    Progress,
    ResolvedEnvironment,
)


class LocalEnvironment:
    """Builds nothing, so it accepts every project; what the project needs must be installed."""

    name = "local"
    capabilities = Capabilities(kinds=ANY_KIND, builds=False, cached=False)

    def available(self, environ: Mapping[str, str]) -> bool:
        """Always."""
        return True

    def resolve(self, request: EnvironmentRequest) -> ResolvedEnvironment:
        """Reads nothing."""
        return ResolvedEnvironment(
            manager=self.name,
            summary="local: the environment that projrun was called in",
            recorded_kind="local",
        )

    def prepare(
        self, request: EnvironmentRequest, resolved: ResolvedEnvironment, *, rebuild: bool, progress: Progress
    ) -> PreparedEnvironment:
        """Nothing to do."""
        return PreparedEnvironment(environ={})
