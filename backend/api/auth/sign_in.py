"""The sign-in: register, log in, refresh, log out, change the password.

Between two round trips to the database, a hash is computed, and no connection is held for it. Tries to guess a password
are counted before that, so that many at once cannot pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog
from opentelemetry import metrics
from uuid_utils.compat import uuid7

from backend.database.connection_limiter import ConnectionLimiter
from backend.database.deadline import current_work
from backend.database.session import SessionFactory
from backend.errors import RateLimited, ServiceUnavailable
from backend.identity.email_address import email_key
from backend.identity.errors import EmailTaken, NoPassword, PasswordWrong, SessionEnded, SignInFailed, SignUpClosed
from backend.identity.invitations import Invitations
from backend.identity.own_issuer import ACCESS_SECONDS, OwnIssuer
from backend.identity.password_rules import judge_password
from backend.identity.passwords import Passwords
from backend.identity.refresh_token import RefreshToken, RefreshTokens
from backend.models.sign_in.calls import Login, PasswordChange, Registration, SignedIn, SignedInUser, TokenPair
from backend.rate_limits.counter import RateLimiter, network_of
from backend.rate_limits.sign_in_failures import SignInFailures
from backend.services.sign_in.rules import Outcome
from backend.services.sign_in.service import Credentials, CredentialsService, SignInService

logger = structlog.get_logger()
_ended = metrics.get_meter("task-api").create_counter(
    "task_api.sign_in.sessions_ended",
    unit="{session}",
    description="Sessions that ended because an old refresh token was sent.",
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """The sign-in of this service."""

    sessions: SessionFactory
    connection_limiter: ConnectionLimiter
    issuer: OwnIssuer
    refresh_tokens: RefreshTokens
    invitations: Invitations
    passwords: Passwords
    failures: SignInFailures
    registrations: RateLimiter | None  # by network; None: they are not limited
    is_open: bool  # to whoever has no invitation
    least_length: int  # of a password

    async def register(self, data: Registration, address: str) -> tuple[SignedIn, bool]:
        """Make an account and sign in; returns who is signed in, and whether the account is new.

        Raises SignUpClosed, ValidationFailed, RateLimited, EmailTaken and ServiceUnavailable.
        """
        self._let_register(data)
        judge_password(data.password, minimum=self.least_length, email=data.email, name=data.name)
        network = network_of(address)
        self._count_registration(network)
        try:
            signed_in, is_new = await self._registered_or_known(data, address)
        except ServiceUnavailable:
            self._take_back_registration(network)
            raise
        if not is_new:
            self._take_back_registration(network)
        return signed_in, is_new

    async def log_in(self, data: Login, address: str) -> SignedIn:
        """Sign in. Raises SignInFailed, RateLimited and ServiceUnavailable."""
        with self._counted(data.email, address):
            found = await self._find(data.email)
            session_id = await self._begun(found, data.password)
            if found is None or session_id is None:
                raise SignInFailed
        return self._signed_in(found, session_id)

    async def refresh(self, sent: str) -> TokenPair:
        """Return the next tokens of a session. Raises SessionEnded and ServiceUnavailable."""
        token = self.refresh_tokens.read(sent)
        if token is None:
            raise SessionEnded
        service = self._of(token.user_id)
        outcome, counter = await self.connection_limiter.run(service.refresh, token.session_id, token.counter)
        if outcome in {Outcome.TOO_LATE, Outcome.REUSED}:
            logger.warning("session_ended", user=token.user_id, reason=outcome.value)
            _ended.add(1, {"reason": outcome.value})
        if not outcome.is_good:
            raise SessionEnded
        return self._pair(token.user_id, token.session_id, counter)

    async def log_out(self, sent: str) -> None:
        """End the session of a refresh token, if there is one. Raises ServiceUnavailable."""
        token = self.refresh_tokens.read(sent)
        if token is not None:
            await self.connection_limiter.run(self._of(token.user_id).end, token.session_id)

    async def change_password(self, user_id: str, data: PasswordChange, address: str) -> TokenPair:
        """Change the password of a user, and end all other sessions; returns the tokens of a new one.

        Raises NoPassword, ValidationFailed, PasswordWrong, RateLimited and ServiceUnavailable.
        """
        service = self._of(user_id)
        found = await self.connection_limiter.run(service.read)
        if found is None:
            raise NoPassword
        judge_password(data.new, minimum=self.least_length, email=found.email, name=found.name, field="new")
        with self._counted(found.email, address):
            verification = await self.passwords.verified(data.current, found.password_hash)
            if not verification.matches:
                raise PasswordWrong
            hashed = await self.passwords.hashed(data.new)
            changed = service.change_password
            session_id = await self.connection_limiter.run(changed, found.password_hash, hashed)
            if session_id is None:
                raise PasswordWrong
        return self._pair(user_id, session_id, 0)

    async def _registered_or_known(self, data: Registration, address: str) -> tuple[SignedIn, bool]:
        found = await self._find(data.email)
        if found is None:
            try:
                return await self._registered(data), True
            except EmailTaken:  # by a request at the same time: perhaps this one, sent twice
                found = await self._find(data.email)
        with self._counted(data.email, address):
            session_id = await self._begun(found, data.password)
            if found is None or session_id is None:
                raise EmailTaken
        return self._signed_in(found, session_id), False

    def _let_register(self, data: Registration) -> None:
        invitation = data.invitation or ""
        if not self.is_open and not self.invitations.admits(invitation, data.email, datetime.now(UTC)):
            raise SignUpClosed

    def _count_registration(self, network: str) -> None:
        if self.registrations is not None:
            usage = self.registrations.hit(network)
            if not usage.allowed:
                raise RateLimited(usage.reset_seconds)

    def _take_back_registration(self, network: str) -> None:
        if self.registrations is not None:
            self.registrations.take_back(network)

    @contextmanager
    def _counted(self, email: str, address: str) -> Iterator[None]:
        """Count a try to guess a password before it is compared, and take it back unless it was wrong."""
        key = email_key(email)
        self.failures.admit(key, address)
        try:
            yield
        except ServiceUnavailable:
            self.failures.withdrawn(key, address)
            raise
        self.failures.succeeded(key, address)

    async def _find(self, email: str) -> Credentials | None:
        return await self.connection_limiter.run(CredentialsService(self.sessions).find, email)

    async def _registered(self, data: Registration) -> SignedIn:
        """Make the account; raises EmailTaken."""
        hashed = await self.passwords.hashed(data.password)
        user = Credentials(str(uuid7()), data.email, data.name, hashed)
        service = self._of(user.user_id)
        session_id = await self.connection_limiter.run(service.register, data.email, data.name, hashed)
        return self._signed_in(user, session_id)

    async def _begun(self, found: Credentials | None, password: str) -> UUID | None:
        """Begin a session of who has this password. Without an account, it takes as long as with a wrong password."""
        stored = found.password_hash if found else None
        verification = await self.passwords.verified(password, stored)
        if found is None or not verification.matches:
            return None
        service = self._of(found.user_id)
        return await self.connection_limiter.run(service.begin, found.password_hash, verification.renewed)

    def _of(self, user_id: str) -> SignInService:
        """Return the service for this user, whose share of the connections is used from now on."""
        current_work().user_id = user_id
        return SignInService(self.sessions, user_id)

    def _signed_in(self, who: Credentials, session_id: UUID) -> SignedIn:
        user = SignedInUser(id=who.user_id, email=who.email, name=who.name)
        return SignedIn(user=user, **dict(self._pair(who.user_id, session_id, 0)))

    def _pair(self, user_id: str, session_id: UUID, counter: int) -> TokenPair:
        return TokenPair(
            access_token=self.issuer.access_token(user_id, session_id),
            token_type="bearer",  # noqa: S106 - the type, not a token
            expires_in=ACCESS_SECONDS,
            refresh_token=self.refresh_tokens.write(RefreshToken(user_id, session_id, counter)),
        )


@dataclass(frozen=True, slots=True)
class PasswordOfUser:
    """The password of one user."""

    sign_in: SignIn
    user_id: str

    async def change(self, data: PasswordChange, address: str) -> TokenPair:
        """Change it; returns and raises what the sign-in does."""
        return await self.sign_in.change_password(self.user_id, data, address)
