"""What MLflow's variables for S3 mean for s3fs."""

from __future__ import annotations

import pytest

from projrun.errors import RequestError, TrackingError
from projrun.http.object_stores import options_of

ALL = {
    "MLFLOW_S3_ENDPOINT_URL": "https://minio:9000",
    "MLFLOW_S3_IGNORE_TLS": "true",
    "MLFLOW_S3_UPLOAD_EXTRA_ARGS": '{"ServerSideEncryption": "aws:kms"}',
    "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "path",
}


def test_the_options() -> None:
    assert options_of("s3", ALL) == {
        "endpoint_url": "https://minio:9000",
        "client_kwargs": {"verify": False},
        "s3_additional_kwargs": {"ServerSideEncryption": "aws:kms"},
        "config_kwargs": {"s3": {"addressing_style": "path"}},
    }
    assert options_of("gs", ALL) == options_of("s3", {}) == {}
    assert options_of("s3a", {"MLFLOW_S3_IGNORE_TLS": "false"}) == {}


@pytest.mark.parametrize("text", ["[1]", "{", "x"])
def test_arguments_that_are_no_object(text: str) -> None:
    with pytest.raises(TrackingError, match="MLFLOW_S3_UPLOAD_EXTRA_ARGS is not a JSON object"):
        options_of("s3", {"MLFLOW_S3_UPLOAD_EXTRA_ARGS": text})


def test_a_boolean_that_is_none() -> None:
    with pytest.raises(RequestError, match="MLFLOW_S3_IGNORE_TLS is 'yes'"):
        options_of("s3", {"MLFLOW_S3_IGNORE_TLS": "yes"})
