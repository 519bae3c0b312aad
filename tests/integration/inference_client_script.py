"""Asks a scoring server by Triton's client and MLServer's codecs: `python inference_client_script.py PORT`."""

import json
import sys
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd
import tritonclient.http as triton  # type: ignore[import-not-found]
from mlserver.codecs import NumpyRequestCodec, PandasCodec  # type: ignore[import-not-found]
from mlserver.types import InferenceResponse  # type: ignore[import-not-found]

TABLE = pd.DataFrame(
    {
        "boolean": [True, False],
        "integer": np.array([1, 2], "int32"),
        "long": [3, 2**60],
        "float": np.array([0.5, 1.5], "float32"),
        "double": [0.1, 0.2],
    }
)
MATRIX = np.array([[1, 2], [3, 4]], "float32")


def by_triton(port: str) -> dict[str, object]:
    """What Triton's client finds."""
    client = triton.InferenceServerClient(f"127.0.0.1:{port}")
    inputs = []
    for name, values in (("a", [1.0, 2.0]), ("b", [3.0, 4.0])):
        tensor = triton.InferInput(name, [2, 1], "FP64")
        tensor.set_data_from_numpy(np.array(values).reshape(2, 1), binary_data=False)
        inputs.append(tensor)
    found = client.infer("sklearn", inputs, request_id="5")
    try:
        client.infer("sklearn", inputs[:1])
        refusal = ""
    except triton.InferenceServerException as error:
        refusal = str(error)
    return {
        "live": client.is_server_live(),
        "ready": [
            client.is_server_ready(),
            client.is_model_ready("sklearn"),
            client.is_model_ready("absent"),
        ],
        "inputs": [each["name"] for each in client.get_model_metadata("sklearn")["inputs"]],
        "id": found.get_response()["id"],
        "shape": found.as_numpy("output-1").shape,
        "refusal": refusal,
    }


def by_mlserver(port: str) -> dict[str, object]:
    """Whether what MLServer's codecs send comes back."""

    def ask(model: str, request: Any) -> Any:
        body = request.model_dump_json(exclude_none=True).encode()
        headers = {"Content-Type": "application/json"}
        asked = Request(f"http://127.0.0.1:{port}/v2/models/{model}/infer", body, headers)
        with urlopen(asked) as answer:
            return InferenceResponse.model_validate_json(answer.read())

    table = ask("back-numbers", PandasCodec.encode_request(TABLE, use_bytes=False))
    array = NumpyRequestCodec.decode_response(ask("back-tensor", NumpyRequestCodec.encode_request(MATRIX)))
    return {
        "table": PandasCodec.decode_response(table).equals(TABLE),
        "array": bool((array == MATRIX).all() and array.dtype == MATRIX.dtype),
    }


if __name__ == "__main__":
    print(json.dumps({**by_triton(sys.argv[1]), **by_mlserver(sys.argv[1])}))
