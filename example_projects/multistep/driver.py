"""The chain in Python: each step is a run of its own, a child of this one, and reads what others logged."""

import sys
from pathlib import Path

import projrun

PROJECT = str(Path(__file__).parent)


def step(entry_point: str, **parameters: str) -> str:
    """Run one step and return its run id; a step that fails ends the chain with its error."""
    return projrun.run(PROJECT, entry_point, parameters=parameters, env_manager="local").run_id


def main(rows: str, noise: str) -> None:
    generated = step("generate", rows=rows, noise=noise)
    data = f"runs:/{generated}/data.csv"
    trained = step("train", data=data)
    evaluated = step("evaluate", data=data, model=f"runs:/{trained}/model/line.json")
    print(f"generate {generated}\ntrain {trained}\nevaluate {evaluated}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
