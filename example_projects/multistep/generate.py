"""Makes points of a noisy line."""

import csv
import random
import sys
import tempfile
from pathlib import Path

import recording


def main(rows: int, noise: float) -> None:
    generator = random.Random(42)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "data.csv")
        with file.open("w", newline="") as output:
            writer = csv.writer(output)
            writer.writerow(["x", "y"])
            for _ in range(rows):
                x = generator.uniform(0, 10)
                writer.writerow([x, 3 * x + 1 + generator.gauss(0, noise)])
        recording.log_artifact(file)
    print(f"generated {rows} points")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
