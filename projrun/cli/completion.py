"""`projrun completion SHELL`: a script to source."""

from __future__ import annotations

import click

from projrun.cli.application import application
from projrun.cli.rendering import print_text


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a shell completion script.

    \b
    bash:  eval "$(projrun completion bash)"     in ~/.bashrc
    zsh:   eval "$(projrun completion zsh)"      in ~/.zshrc
    fish:  projrun completion fish > ~/.config/fish/completions/projrun.fish
    """
    from projrun.cli.completing.shells import SHELLS

    print_text(SHELLS[shell](application, {}, "projrun", "_PROJRUN_COMPLETE").source())
