"""The completion of click for bash, zsh and fish, with scripts of our own: `=`, `:`, `@` and paths work in each."""

from __future__ import annotations

import os
from collections.abc import Sequence

from click import shell_completion
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

from projrun.cli.completing.offers import attach

_BASH = r"""
%(complete_func)s() {
    local IFS=$'\n' line
    COMPREPLY=()
    for line in $(COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" COMP_WORDBREAKS="$COMP_WORDBREAKS" \
            %(complete_var)s=bash_complete "$1"); do
        case "$line" in
            dir,*) compopt -o dirnames -o filenames ;;
            file,*) compopt -o default -o filenames ;;
            plain,*[=/:@]) compopt -o nospace; COMPREPLY+=("${line#plain,}") ;;
            plain,*) COMPREPLY+=("${line#plain,}") ;;
        esac
    done
}

complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null || complete -F %(complete_func)s %(prog_name)s
"""

_ZSH = r"""#compdef %(prog_name)s

%(complete_func)s() {
    local -a response values described continued
    local type key help
    (( ! $+commands[%(prog_name)s] )) && return 1
    response=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
        %(complete_var)s=zsh_complete %(prog_name)s)}")
    for type key help in ${response}; do
        case "$type" in
            dir) compset -P '*='; _path_files -/ ;;
            file) compset -P '*='; _path_files -f ;;
            plain)
                if [[ "$key" == *[=/:@] ]]; then continued+=("$key")
                elif [[ "$help" == "_" ]]; then values+=("$key")
                else described+=("${key//:/\\:}:$help")
                fi ;;
        esac
    done
    [[ -n "$described" ]] && _describe -V unsorted described -U
    [[ -n "$values" ]] && compadd -U -V unsorted -a values
    [[ -n "$continued" ]] && compadd -U -S '' -V unsorted -a continued
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

_FISH = r"""
function %(complete_func)s
    for line in (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp | string collect) \
            COMP_CWORD=(commandline -t | string collect) %(prog_name)s)
        set -l parts (string split -m 1 "," -- $line)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo $parts[2]
        end
    end
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class _Offering(ShellComplete):
    """With the values that commands' parameters take here."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Each plain one as the whole word that is being typed."""
        attach(self.cli, args)
        option, equals, _ = incomplete.partition("=")
        found = super().get_completions(args, incomplete)
        if not (equals and option.startswith("--")):
            return found
        return [
            CompletionItem(f"{option}={one.value}", one.type, one.help) if one.type == "plain" else one
            for one in found
        ]


class Bash(_Offering, BashComplete):
    """bash, which takes a word apart at `=`, `:` and `@`: it is given what follows the last of them."""

    source_template = _BASH
    _incomplete = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Of the line up to the cursor."""
        line, point = os.fsencode(os.environ["COMP_LINE"]), int(os.environ["COMP_POINT"])
        text = os.fsdecode(line[:point])
        words = shell_completion.split_arg_string(text)
        self._incomplete = "" if text[-1:].isspace() else words.pop()
        return words[1:], self._incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """A kind and a value."""
        if item.type != "plain":
            return f"{item.type},"
        breaks = os.environ.get("COMP_WORDBREAKS", "")
        # What begins with an `@` is a word with it.
        marks = [(self._incomplete.rfind(mark), mark) for mark in "=:@" if mark in breaks]
        place, mark = max(marks, default=(-1, ""))
        return f"plain,{str(item.value)[place + (mark != '@') if place >= 0 else 0 :]}"


class Zsh(_Offering, ZshComplete):
    """zsh."""

    source_template = _ZSH


class Fish(_Offering, FishComplete):
    """fish."""

    source_template = _FISH


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def register() -> None:
    """Let click use these."""
    for name, kind in SHELLS.items():
        shell_completion.add_completion_class(kind, name)


def names() -> Sequence[str]:
    """The shells."""
    return tuple(SHELLS)
