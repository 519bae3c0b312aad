"""Measures how far the points lie from the line."""

import csv
import json
import math
import sys
from pathlib import Path

import recording


def main(data: Path, model: Path) -> None:
    line = json.loads(model.read_text())
    with data.open(newline="") as file:
        errors = [
            float(r["y"]) - line["slope"] * float(r["x"]) - line["intercept"] for r in csv.DictReader(file)
        ]
    rmse = math.sqrt(sum(error**2 for error in errors) / len(errors))
    recording.log_metric("rmse", rmse)
    print(f"rmse {rmse:.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
