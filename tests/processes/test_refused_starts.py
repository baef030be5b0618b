"""With a public key as the secret, anybody could sign: the service does not start, and says why without the key."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fixtures.identity.tokens import ec_pair, rsa_pair
from tests.fixtures.processes.process import environment, run


def pem() -> str:
    """Return a public key as people paste it."""
    return rsa_pair().private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def der() -> str:
    """Return a public key as libraries store it."""
    public = ec_pair().private_key.public_key()
    return b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.mark.requirement("FR-078")
@pytest.mark.parametrize("secret", [pem, der])
def test_the_service_does_not_start_with_a_public_key_for_a_secret(
    tmp_path: Path, database_url: str, secret: Callable[[], str]
) -> None:
    env = environment(tmp_path / "data", JWT_SECRET=secret(), DATABASE_URL=database_url)

    ended = run("serve", "--port", "0", env=env, cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("task-api: JWT_SECRET: ")
    assert "a key of a key pair" in line
    assert secret() not in ended.stderr
