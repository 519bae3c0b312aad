"""Fits a line to points by least squares."""

import csv
import json
import statistics
import sys
import tempfile
from pathlib import Path

import recording


def main(data: Path) -> None:
    with data.open(newline="") as file:
        points = [(float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]
    line = statistics.linear_regression(*zip(*points, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "line.json")
        file.write_text(json.dumps(line._asdict()))
        recording.log_artifact(file, "model")
    print(f"y = {line.slope:.3f} x + {line.intercept:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
