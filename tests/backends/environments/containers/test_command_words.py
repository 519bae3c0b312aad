"""Which commands are plain words: those that every shell reads alike, and no other."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projrun_backends.environments.containers.command_words import container_words, plain_words
from tests.support.examples import examples

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
lines = st.text("ab=~#!.,:\\'\" \t\n-/@%^+]}$`|&;<>()*?[{é", max_size=14)


@given(st.lists(texts, max_size=5))
def test_quoted_words_are_words(words: list[str]) -> None:
    command = shlex.join(["python", *words])
    assert plain_words(command) == ("python", *words)


@settings(max_examples=examples(300))
@given(lines)
def test_words_are_those_of_bash(line: str) -> None:
    words = plain_words(f"printf_ {line}")
    if words is None:
        return
    script = f'printf_() {{ printf "%s\\0" printf_ "$@"; }}\nprintf_ {line}\n'
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    assert tuple(done.stdout.decode().split("\0")[:-1]) == words


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python train.py --alpha 0.5", ("python", "train.py", "--alpha", "0.5")),
        ("python a.py \\\n  --b 1\n", ("python", "a.py", "--b", "1")),
        ("  ./run 'a b'\"c\\\"d\"\\ e ''  ", ("./run", 'a bc"d e', "")),
        ("x a=b http://h/p#q user~1 1! %d", ("x", "a=b", "http://h/p#q", "user~1", "1!", "%d")),
    ],
)
def test_plain_commands(command: str, words: tuple[str, ...]) -> None:
    assert container_words(command) == words


@pytest.mark.parametrize(
    "command",
    [
        *(
            "a | b",
            "a && b",
            "a; b",
            "a & b",
            "a > f",
            "a < f",
            "(a)",
            "echo $HOME",
            "echo `a`",
            'echo "$x"',
            "ls *",
        ),
        *(
            "ls ?",
            "ls [a]",
            "echo {a,b}",
            "ls ~",
            "a # b",
            "! a",
            "A=1 b",
            "A+=1 b",
            "cd x",
            "export A=1",
            "exit 3",
        ),
        *("if", ". x", "source x", "a\nb", "'a", '"a', "a \\", "''", "", "[ a ]"),
    ],
)
def test_shell_syntax_is_left_to_a_shell(command: str) -> None:
    assert plain_words(command) is None
    words = container_words(command)
    assert (words[0], words[-1]) == ("sh", command)
