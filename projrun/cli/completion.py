"""`projrun completion SHELL`: click's own completion, as a script to source."""

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
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:  # click ships all three
        raise click.UsageError(f"no completion for {shell}")
    print_text(found(application, {}, "projrun", "_PROJRUN_COMPLETE").source())
