"""A model that looks at rows together, if it is asked to. It needs no MLflow."""

import os
import time
from pathlib import Path


class Rows:
    """Doubles the column `x`, in a call that waits for $GATE with 0.5, and says how many rows it has."""

    def predict(self, data, params):  # type: ignore[no-untyped-def]
        """One prediction a row, unless `how` says otherwise."""
        print(f"rows {len(data)}", flush=True)
        values, how = data["x"], params["how"]
        if values[0] == 0.5:
            gate = os.environ["GATE"]
            Path(f"{gate}.reached").touch()
            while not Path(gate).exists():
                time.sleep(0.01)
        if 666 in set(values):
            os._exit(3)
        if 13 in set(values) or (how == "single" and len(values) > 1):
            raise ValueError("not with me")
        if how == "centred":
            return list(values - values.mean())
        if how == "mean":
            return [values.mean()]
        return [value * 2 for value in values]


def _load_pyfunc(path: str) -> Rows:
    return Rows()
