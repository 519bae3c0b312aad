from __future__ import annotations

import pytest

from projrun.sources.changes.sensitive import holds_private_key, is_sensitive_name


@pytest.mark.parametrize(
    "path",
    [
        ".env", "a/.env", ".env.production", ".envrc", "Server.KEY", "x.pem", "x.p12", "id_rsa", "id_ed25519_work",
        ".netrc", "_netrc", ".pypirc", ".npmrc", ".pgpass", ".git-credentials", ".htpasswd", "credentials",
        "credentials.json", "client_secret_123.json", "service-account-prod.json", "secrets.toml", "secret.yaml",
        "prod.tfvars", ".aws/config", "x/.ssh/known_hosts", ".kube/config",
    ],
)  # fmt: skip
def test_names_of_secrets(path: str) -> None:
    assert is_sensitive_name(path)


@pytest.mark.parametrize(
    "path",
    [
        ".env.example", ".env.sample", ".env.template", "environment.yaml", "train.py", "keys.py", "id_mapping.csv",
        "monkey", "secretary.py", "credentials_test/a.py", "src/env/a.py", "conda.yaml", "id_rsa.py/b",
    ],
)  # fmt: skip
def test_names_of_other_files(path: str) -> None:
    assert not is_sensitive_name(path)


@pytest.mark.parametrize("kind", [b"", b"RSA ", b"EC ", b"OPENSSH ", b"ENCRYPTED ", b"PGP "])
def test_private_keys(kind: bytes) -> None:
    assert holds_private_key(b"x = '-----BEGIN " + kind + b"PRIVATE KEY-----'")
    assert not holds_private_key(b"-----BEGIN " + kind + b"PUBLIC KEY-----")
