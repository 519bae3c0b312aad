"""Scripts as users have them, one for each library that reads a command line. Each prints what it got as JSON."""

ARGPARSE = """\
\"\"\"Train.\"\"\"
import argparse, json
from pathlib import Path
DEFAULT_LR = 1e-3
def main():
    p = argparse.ArgumentParser()
    p.add_argument("data", type=Path, help="the data")
    p.add_argument("--learning-rate", "-l", type=float, default=DEFAULT_LR, help="step size (default: %(default)s)")
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--momentum", default=0.9)
    p.add_argument("--optimizer", choices=["adam", "sgd"], default="adam")
    p.add_argument("--layers", nargs="+", type=int, default=[64, 32])
    p.add_argument("--ckpt")
    p.add_argument("--verbose", action="store_true")
    p.add_argument("--no-cuda", action="store_false", dest="cuda")
    p.add_argument("--shuffle", action=argparse.BooleanOptionalAction, default=True)
    p.add_argument("--tag", default="it's {a} \\"b\\" $x")
    p.add_argument("--seed", required=True, type=int)
    p.add_argument("--version", action="version", version="1")
    print(json.dumps({k: str(v) if isinstance(v, Path) else v for k, v in sorted(vars(p.parse_args()).items())}))
if __name__ == "__main__":
    main()
"""

CLICK = """\
import click, json
@click.group()
@click.option("--debug/--no-debug", default=False)
def cli(debug):
    click.echo(f"debug={debug}")
@cli.command()
@click.argument("data", type=click.Path(exists=True))
@click.option("--lr", default=0.1, show_default=True, help="Learning 'rate'")
@click.option("-n", "--num-steps", "steps", type=click.IntRange(1, 100), default=5)
@click.option("--kind", type=click.Choice(["a", "b"]), default="a")
@click.option("--tag", multiple=True)
@click.option("--size", nargs=2, type=int, default=(1, 2))
@click.option("--flag", is_flag=True)
@click.option("--token")
def fit(**kw): print(json.dumps(dict(sorted(kw.items()))))
@cli.command("score-all")
def score(): print("scored")
if __name__ == "__main__": cli()
"""

TYPER = """\
import json
from enum import Enum
from typing import Annotated, Optional
import typer
class Kind(str, Enum):
    fast = "fast"
    slow = "slow"
def main(
    data: str,
    lr: float = 0.1,
    steps: Annotated[int, typer.Option("--steps", "-s", help="n")] = 3,
    kind: Kind = Kind.fast,
    verbose: bool = False,
    name: Optional[str] = None,
    out: str = typer.Option("a b", help="where"),
    must: int = typer.Option(...),
):
    print(json.dumps(dict(locals(), kind=kind.value)))
if __name__ == "__main__": typer.run(main)
"""

FIRE = """\
import fire, json
def train(data, lr=0.1, steps=5, name="x", fast=False, seed=None):
    print(json.dumps([data, lr, steps, name, fast, seed]))
if __name__ == "__main__": fire.Fire(train)
"""
