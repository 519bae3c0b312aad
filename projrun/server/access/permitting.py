"""What a user may do: the permission on each resource that a call is about, lists filtered, new things granted.

MLflow's rules. The best of what a user's roles grant counts, at least the default permission; DENY and NO_PERMISSIONS
veto. Runs, logged models and artifacts have the permission of their experiment.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from projrun.errors import InvalidValueError, NotFoundError
from projrun.server.api import Caller, Identity, Route
from projrun.server.errors import ForbiddenError, UnauthenticatedError
from projrun.server.permissions import Listed, Resource
from projrun.server.sources import path_below
from projrun.tracking.artifacts.paths import checked_path
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.traces import Traces
from projrun.tracking.users import User, Users

LEVELS = {"DENY": -1, "NO_PERMISSIONS": 0, "READ": 1, "USE": 2, "EDIT": 3, "MANAGE": 4}
_VETO = ("DENY", "NO_PERMISSIONS")
_REMEMBERED = 10_000


def folded(granted: Mapping[str, Sequence[str]], name: str, default: str) -> str:
    """The permission on one resource, from what is granted on it and on all (`*`)."""
    found = [*granted.get(name, ()), *granted.get("*", ())]
    for veto in _VETO:
        if veto in found:
            return veto
    return max([*found, default], key=LEVELS.__getitem__)


class Permissions:
    """An `Access`. Used by several threads."""

    def __init__(self, default_permission: str = "READ") -> None:
        self.default = default_permission
        # Runs and logged models never change their experiment.
        self._experiments: OrderedDict[Resource, str] = OrderedDict()

    def check(self, route: Route, caller: Caller, store: RunStore, message: Any) -> Caller:
        """The caller by name. Raises UnauthenticatedError, and ForbiddenError where the user may not."""
        level = route.needs.level
        if level == "PUBLIC":
            return caller
        user = signed_in(caller.identity, store)
        if any(getattr(message, field) == "*" for field in route.needs.named):
            raise InvalidValueError("Invalid model name '*'. In permissions it stands for all models.")
        if not (user.is_admin or level == "SIGNED_IN" or route.needs.own(message, user.name)):
            if level == "ADMIN":
                raise ForbiddenError("Permission denied")
            for resource in route.needs.find(message):
                self._require(user, level, resource, store)
        if not user.is_admin:
            for wanted, resource in route.needs.also(message):
                self._require(user, wanted, resource, store)
        return caller._replace(user=user.name)

    def answer(self, route: Route, caller: Caller, store: RunStore, message: Any) -> msgspec.Struct | None:
        """As the route's handler; lists are filtered, and what is made is the caller's to manage."""
        needs = route.needs
        if not (needs.lists or needs.narrows or needs.creates or needs.after):
            return route.handler(store, message, caller)
        user = part_of(store, Users).get_user(caller.user)
        if needs.narrows and not user.is_admin:
            readable = self._readable(user, store)
            wanted = getattr(message, needs.narrows)
            kept = tuple(name for name in wanted if readable(Resource("experiment", name)))
            message = msgspec.structs.replace(message, **{needs.narrows: kept})
        answer = route.handler(store, message, caller)
        if needs.lists and not user.is_admin:
            self._filter(route, needs.lists, caller, store, message, answer, self._readable(user, store))
        if needs.creates:
            kind, name = needs.creates(message, answer)
            part_of(store, Users).grant(user.name, kind, name, "MANAGE", again=True)
        if needs.after:
            _follow(needs.after, part_of(store, Users), message)
        return answer

    def permission(self, user: User, kind: str, name: str, store: RunStore) -> str:
        """What a user may do with an experiment or a registered model."""
        users = part_of(store, Users)
        granted = users.granted(user.id, kind, (name, "*"))
        if kind == "registered_model":
            # A prompt is a registered model: what was granted on it by this name counts.
            prompts = users.granted(user.id, "prompt", (name,))
            granted = {**granted, name: [*granted.get(name, ()), *prompts.get(name, ())]}
        return folded(granted, name, self.default)

    def _require(self, user: User, level: str, resource: Resource, store: RunStore) -> None:
        if resource.kind == "everything":
            raise ForbiddenError("Permission denied")
        if resource.kind == "place":
            path = _path_in(resource.name, store)
            if not path:  # not in the server's storage: nothing of others' is read with its credentials
                return
            resource = Resource("artifact", path)
        found = self._resolved(resource, store)
        permission = self.permission(user, found.kind, found.name, store) if found else self.default
        if LEVELS[permission] < LEVELS[level]:
            raise ForbiddenError("Permission denied")

    def _resolved(self, resource: Resource, store: RunStore) -> Resource | None:
        """The experiment or registered model whose permission counts; None for what is in no experiment."""
        if resource.kind in ("experiment", "registered_model"):
            return resource
        if resource.kind == "artifact":
            first = checked_path(resource.name).partition("/")[0]
            return Resource("experiment", first) if first.isdecimal() else None
        if resource.kind == "experiment_name":
            experiment = store.get_experiment_by_name(resource.name)
            if experiment is None:
                raise NotFoundError(f"Could not find experiment with name '{resource.name}'")
            return Resource("experiment", experiment.experiment_id)
        known = self._experiments.get(resource)
        if known is None:
            try:
                known = self._experiments[resource] = _experiment_of(resource, store)
            except NotFoundError:  # MLflow's answer, too: which ids there are stays unknown
                raise ForbiddenError("Permission denied") from None
            if len(self._experiments) > _REMEMBERED:
                self._experiments.popitem(last=False)
        return Resource("experiment", known)

    def _readable(self, user: User, store: RunStore) -> Callable[[Resource], bool]:
        users = part_of(store, Users)
        granted: dict[str, Mapping[str, Sequence[str]]] = {}

        def readable(resource: Resource) -> bool:
            kind = resource.kind
            if kind not in granted:
                granted[kind] = users.granted(user.id, kind)
                if kind == "registered_model":
                    granted[kind] = _joined(granted[kind], users.granted(user.id, "prompt"))
            return LEVELS[folded(granted[kind], resource.name, self.default)] >= LEVELS["READ"]

        return readable

    def _filter(
        self,
        route: Route,
        listed: Listed,
        caller: Caller,
        store: RunStore,
        message: Any,
        answer: Any,
        readable: Callable[[Resource], bool],
    ) -> None:
        """Leave what may be read in the answer, and fill the page up from those that follow."""
        found = [item for item in getattr(answer, listed.field) if readable(listed.of(item))]
        token = getattr(answer, "next_page_token", "")
        while token and len(found) < message.max_results:
            more = msgspec.structs.replace(
                message, page_token=token, max_results=message.max_results - len(found)
            )
            page: Any = route.handler(store, more, caller)
            found += [item for item in getattr(page, listed.field) if readable(listed.of(item))]
            token = page.next_page_token
        setattr(answer, listed.field, found)
        if hasattr(answer, "next_page_token"):
            answer.next_page_token = token


def signed_in(identity: Identity | None, store: RunStore) -> User:
    """The user who signed in, who is still there and has still this password. Raises UnauthenticatedError."""
    if identity is not None:
        users = part_of(store, Users)
        user = users.find_token_user(identity.token) if identity.token else users.find_user(identity.name)
        if user is not None and (identity.token or not identity.secret or user.secret == identity.secret):
            return user
    raise UnauthenticatedError


def _experiment_of(resource: Resource, store: RunStore) -> str:
    if resource.kind == "run":
        return store.get_run(resource.name).experiment_id
    if resource.kind == "trace":
        return part_of(store, Traces).get_trace(resource.name).experiment_id
    return part_of(store, LoggedModels).get_logged_model(resource.name, allow_deleted=True).experiment_id


def _path_in(uri: str, store: RunStore) -> str:
    """The path of an artifact by its URI in the object store that the server keeps artifacts in; else empty."""
    roots = (getattr(store, "destination", ""), getattr(store, "default_root", ""))
    return next((path for root in roots if root and (path := path_below(uri, root))), "")


def _joined(
    first: Mapping[str, Sequence[str]], second: Mapping[str, Sequence[str]]
) -> dict[str, Sequence[str]]:
    names: Iterable[str] = first.keys() | second.keys()
    return {name: [*first.get(name, ()), *second.get(name, ())] for name in names}


def _follow(change: str, users: Users, message: Any) -> None:
    for kind in ("registered_model", "prompt"):
        if change == "forget":
            users.forget_resource(kind, message.name)
        else:
            users.rename_resource(kind, message.name, message.new_name)
