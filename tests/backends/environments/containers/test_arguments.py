"""`-A`: what reaches `docker run`, and what does not."""

from __future__ import annotations

import pytest

from projrun.errors import RequestError
from projrun_backends.environments.containers.arguments import Arguments, parse_arguments


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["gpus=all", "t"], ["--gpus=all", "-t"]),
        (["v=/a:/b", "volume=/c:/d"], ["--volume=/a:/b", "--volume=/c:/d"]),
        (["p=80:80", "publish=81:81"], ["-p=80:80", "--publish=81:81"]),
        (["init=false", "label=a=b=c"], ["--init=false", "--label=a=b=c"]),
        (["net=host"], ["--network=host"]),
        (["hostname=", "entrypoint="], ["--hostname=", "--entrypoint="]),
        (["rm", "detach=false"], ["--detach=false"]),
    ],
)
def test_options_are_passed_on_in_order(given: list[str], words: list[str]) -> None:
    assert [option.word for option in parse_arguments(given).options] == words


@pytest.mark.parametrize("text", ["--gpus=all", "-t", "", "=x", "a b=c", "a;b", "volume=\0"])
def test_what_is_no_option_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        parse_arguments([text])


@pytest.mark.parametrize("text", ["d", "detach", "detach=true", "cidfile=/x", "restart=always", "help"])
def test_what_would_break_the_supervision_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match=f"-A {text.partition('=')[0]}: "):
        parse_arguments([text])


def test_variables_are_kept_off_the_command_line_and_out_of_sight() -> None:
    arguments = parse_arguments(["e=A=hush=1", "env=B", "env=C="])
    assert arguments.options == ()
    assert arguments.variables == (("A", "hush=1"), ("B", None), ("C", ""))
    assert "hush" not in repr(arguments)
    with pytest.raises(RequestError, match="has no variable name"):
        parse_arguments(["env"])


def test_pulling_is_projruns() -> None:
    assert parse_arguments(["pull=always"]) == Arguments(pull="always")
    with pytest.raises(RequestError, match="pull=sometimes") as raised:
        parse_arguments(["pull=sometimes"])
    assert raised.value.hint == "one of: missing, always, never"


def test_the_last_of_a_repeated_option_counts() -> None:
    arguments = parse_arguments(["user=1", "u=2"])
    assert (arguments.value("user"), arguments.values("user"), arguments.value("memory")) == (
        "2",
        ["1", "2"],
        None,
    )
