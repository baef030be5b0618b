"""Shared secrets: which are refused, tokens made with one, and the development secret kept in a file."""

from __future__ import annotations

import stat
import subprocess
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from backend.errors import ConfigurationError
from backend.identity.claims import Expectations
from backend.identity.jwt import issue_token, verifier_from_secret
from backend.identity.shared_secret import development_secret
from tests.fixtures.identity.tokens import SECRET, USER, KeyPair, ec_pair, ed25519_pair, key_set, rsa_pair
from tests.fixtures.identity.verifying import NOW, Clock, refusal_of, secret_verifier, user_of

PAIRS = [rsa_pair, ec_pair, ed25519_pair]


def refused(secret: str) -> str:
    """Return why a secret is refused, after checking that the message omits it and that signing refuses it too."""
    with pytest.raises(ConfigurationError) as caught:
        verifier_from_secret(secret, Expectations())
    with pytest.raises(ConfigurationError):
        issue_token(secret, USER, ttl_seconds=60)
    assert not secret or secret not in str(caught.value)
    return str(caught.value)


@pytest.mark.requirement("FR-067", "FR-078")
@pytest.mark.parametrize("secret", ["", "secret", "x" * 31, "é" * 15])
def test_a_secret_of_less_than_32_bytes_is_refused(secret: str) -> None:
    assert "at least 32 bytes" in refused(secret)


@pytest.mark.requirement("FR-183")
@pytest.mark.parametrize("secret", ["", "x" * 31, "ssh-rsa " + "A" * 372, "\udcff" * 40])
def test_a_secret_that_is_being_replaced_is_judged_like_the_new_one(secret: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        verifier_from_secret(SECRET, Expectations(), previous_secret=secret)

    assert str(caught.value) == refused(secret).replace("JWT_SECRET: ", "JWT_PREVIOUS_SECRET: ")


@pytest.mark.parametrize("secret", ["x" * 32, "é" * 16, '["a", "b", "c", "d", "e", "f", "g", "h"]', "{" * 40, "a" * 33])
def test_any_other_text_of_32_bytes_is_a_secret(secret: str) -> None:
    token = issue_token(secret, USER, ttl_seconds=60)
    assert user_of(verifier_from_secret(secret, Expectations()), token) == USER


@pytest.mark.requirement("FR-067")
def test_a_key_behind_options_is_no_secret_either() -> None:
    assert "JWT_JWKS_URL" in refused("no-pty ssh-rsa " + "A" * 372)


def test_a_secret_that_is_no_text_is_refused() -> None:
    assert "UTF-8" in refused("\udcff" * 40)


@pytest.mark.requirement("FR-067", "FR-078")
@pytest.mark.parametrize("pair", PAIRS)
def test_a_public_key_is_no_secret_in_any_of_its_forms(pair: Callable[[], KeyPair]) -> None:
    public = pair().private_key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ssh = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    forms = [
        pem,
        pem.replace("\n", "\\n"),
        b64encode(pem.encode()).decode(),
        "".join(pem.splitlines()[1:-1]),
        "\n".join(pem.splitlines()[1:-1]),
        urlsafe_b64encode(der).decode().rstrip("="),
        der.decode("latin-1"),
        ssh,
        ssh.split()[1],
        b64encode(ssh.encode()).decode(),
        key_set(pair()).decode(),
        b64encode(key_set(pair())).decode(),
    ]
    for form in forms:
        assert "JWT_JWKS_URL" in refused(form)


@pytest.mark.requirement("FR-078")
def test_a_certificate_and_a_private_key_are_no_secrets() -> None:
    private_key = rsa_pair().private_key
    assert isinstance(private_key, rsa.RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer.example")])
    builder = x509.CertificateBuilder(name, name, private_key.public_key(), x509.random_serial_number())
    today = datetime.now(UTC)
    certificate = builder.not_valid_before(today).not_valid_after(today + timedelta(days=1)).sign(private_key, SHA256())
    for form in (
        certificate.public_bytes(Encoding.PEM).decode(),
        b64encode(certificate.public_bytes(Encoding.DER)).decode(),
        private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    ):
        assert "JWT_JWKS_URL" in refused(form)


@pytest.mark.requirement("FR-078")
@pytest.mark.parametrize("pair", PAIRS)
def test_a_private_key_is_no_secret_in_any_of_its_forms(pair: Callable[[], KeyPair]) -> None:
    private = pair().private_key
    locked = BestAvailableEncryption(b"password")
    ways: list[tuple[Encoding, PrivateFormat, KeySerializationEncryption]] = [
        (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        (Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        (Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        (Encoding.DER, PrivateFormat.PKCS8, locked),
    ]
    if not isinstance(private, Ed25519PrivateKey):
        ways.append((Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    for way in ways:
        form = private.private_bytes(*way)
        assert "JWT_JWKS_URL" in refused(b64encode(form).decode())
        body = b"".join(form.splitlines()[1:-1]) if way[0] is Encoding.PEM else urlsafe_b64encode(form).rstrip(b"=")
        assert "JWT_JWKS_URL" in refused(body.decode())
        assert "JWT_JWKS_URL" in refused(form.decode("latin-1"))


@pytest.mark.requirement("FR-065")
def test_an_issued_token_is_accepted_until_it_expires() -> None:
    clock = Clock(NOW + 0.75)
    token = issue_token(SECRET, USER, ttl_seconds=60, issuer="https://i", audience="tasks", now=clock)
    verifier = secret_verifier(issuer="https://i", audiences=("tasks",), clock=clock)
    assert user_of(verifier, token) == USER
    clock.now = NOW + 59.5
    assert user_of(verifier, token) == USER
    clock.now = NOW + 60
    assert refusal_of(verifier, token) == "The token has expired."


@pytest.mark.requirement("FR-065", "FR-076")
def test_an_issued_token_names_an_authorized_party_when_asked() -> None:
    verifier = secret_verifier(authorized_parties=("app",))
    assert user_of(verifier, issue_token(SECRET, USER, ttl_seconds=60, authorized_party="app", now=Clock())) == USER
    assert "azp" in refusal_of(verifier, issue_token(SECRET, USER, ttl_seconds=60, now=Clock()))


@pytest.mark.requirement("FR-065")
def test_an_issued_token_names_issuer_and_audience_only_when_asked() -> None:
    token = issue_token(SECRET, USER, ttl_seconds=60, now=Clock())
    assert user_of(secret_verifier(), token) == USER
    assert "issuer" in refusal_of(secret_verifier(issuer="https://i"), token)
    assert "audience" in refusal_of(secret_verifier(audiences=("tasks",)), token)


@pytest.mark.requirement("FR-065")
@pytest.mark.parametrize("user_id", ["", "x" * 256, "a\x00", "\ud800"])
def test_no_token_is_issued_for_what_cannot_be_a_user_id(user_id: str) -> None:
    with pytest.raises(ConfigurationError, match="1 to 255 characters"):
        issue_token(SECRET, user_id, ttl_seconds=60)


@pytest.mark.requirement("FR-068")
def test_the_development_secret_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "jwt-secret"
    secret = development_secret(path)
    assert len(secret) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert development_secret(path) == secret
    assert development_secret(tmp_path / "other") != secret
    assert [entry.name for entry in path.parent.iterdir()] == ["jwt-secret"]
    token = issue_token(secret, USER, ttl_seconds=60)
    assert user_of(verifier_from_secret(secret, Expectations()), token) == USER


@pytest.mark.requirement("FR-068")
def test_processes_that_start_at_once_get_the_same_secret(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from backend.identity.shared_secret import development_secret\n"
        "print('ready', flush=True); sys.stdin.readline(); print(development_secret(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "secret")]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own code
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    answers = {process.communicate()[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0] * 4
    assert answers == {development_secret(tmp_path / "secret")}
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


@pytest.mark.requirement("FR-068")
def test_the_process_that_comes_second_uses_the_secret_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    first = "f" * 64

    def overtaken(_size: int) -> str:
        """Let another process create the file after this one found none."""
        development_secret(path, random=lambda _: first)
        return "s" * 64

    assert development_secret(path, random=overtaken) == first
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


@pytest.mark.requirement("FR-067", "FR-068")
@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [
        (b"short", 0o600, "shorter than 32 bytes"),
        (b"", 0o600, "shorter than 32 bytes"),
        (b" " * 64, 0o600, "shorter than 32 bytes"),
        (b"\xff" * 64, 0o600, "not text"),
        (b"x" * 64, 0o640, "chmod 600"),
        (b"x" * 64, 0o604, "chmod 600"),
    ],
)
def test_an_unfit_secret_file_is_refused_with_advice(tmp_path: Path, content: bytes, mode: int, expected: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        development_secret(path)
    message = str(caught.value)
    assert expected in message
    assert f"delete {path}" in message
    assert "JWT_SECRET" in message
    assert path.read_bytes() == content


@pytest.mark.requirement("FR-067", "FR-068")
def test_a_secret_file_that_cannot_be_made_or_read_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "secret")
    for path in (tmp_path, tmp_path / "file" / "secret", tmp_path / "dangling"):
        with pytest.raises(ConfigurationError, match="JWT_SECRET"):
            development_secret(path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["dangling", "file"]


@pytest.mark.requirement("FR-068")
def test_a_secret_file_written_by_hand_may_end_with_a_line_break(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    path.write_text(SECRET + "\n")
    assert development_secret(path) == SECRET
