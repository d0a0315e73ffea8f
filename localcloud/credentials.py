"""Who calls: the administrator, or a role under credentials that were minted here."""

import secrets
import threading
import time
import uuid
from contextvars import ContextVar
from dataclasses import dataclass, field

from localcloud.errors import AwsError

ADMIN_ACCESS_KEY = "localadmin"
ADMIN_SECRET = "localadmin"
_ROLE_KEY_PREFIX = "ASIA"


@dataclass(frozen=True)
class Principal:
    """Who a request is made by.

    Parameters
    ----------
    arn
        Identity as `sts:GetCallerIdentity` shows it.
    account
        Account it belongs to.
    user_id
        Unique id of the identity.
    role_arn
        Role whose policies bind it; None for the administrator, whom nothing binds.
    """

    arn: str
    account: str
    user_id: str
    role_arn: str | None = None

    @property
    def is_admin(self) -> bool:
        """Whether no policy binds this caller."""
        return self.role_arn is None


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials of a role."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: float
    principal: Principal


@dataclass
class CredentialStore:
    """Mints role credentials and tells whose a request's are.

    Signatures of API calls are not verified: the front listens on loopback only. Any access key that does not look
    like a minted one is the administrator's, so that a client with credentials of its own needs nothing but
    AWS_ENDPOINT_URL.
    """

    account: str
    _minted: dict[str, Credentials] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def admin(self) -> Principal:
        """Return the administrator."""
        return Principal(f"arn:aws:iam::{self.account}:user/{ADMIN_ACCESS_KEY}", self.account, "AIDALOCALADMIN")

    def mint(self, role_arn: str, role_id: str, session: str, seconds: float = 12 * 3600) -> Credentials:
        """Return fresh credentials of a session of `role_arn`."""
        principal = Principal(session_arn(role_arn, session), self.account, f"{role_id}:{session}", role_arn)
        key = _ROLE_KEY_PREFIX + uuid.uuid4().hex[:16].upper()
        minted = Credentials(key, secrets.token_hex(20), secrets.token_hex(64), time.time() + seconds, principal)
        with self._lock:
            self._minted[key] = minted
        return minted

    def revoke(self, credentials: Credentials) -> None:
        """Forget credentials that nobody uses any more."""
        with self._lock:
            self._minted.pop(credentials.access_key_id, None)

    def secret(self, access_key: str) -> str | None:
        """Return the secret of an access key, for what does verify signatures; None if it is not known."""
        minted = self._minted.get(access_key)
        if minted is not None:
            return minted.secret_access_key
        return ADMIN_SECRET if access_key == ADMIN_ACCESS_KEY else None

    def principal(self, access_key: str | None, token: str | None) -> Principal:
        """Return who owns `access_key`; raise `AwsError` when it is nobody."""
        if access_key is None:
            raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
        if not access_key.startswith(_ROLE_KEY_PREFIX):
            return self.admin
        minted = self._minted.get(access_key)
        if minted is None or minted.session_token != token:
            raise AwsError("UnrecognizedClientException", "The security token included in the request is invalid.", 403)
        if minted.expires_at < time.time():
            raise AwsError("ExpiredTokenException", "The security token included in the request is expired", 403)
        return minted.principal


def role_name(role_arn: str) -> str:
    """Return the name of the role, without its path."""
    return role_arn.rsplit("/", 1)[-1]


def session_arn(role_arn: str, session: str) -> str:
    """Return the ARN of an assumed role's session."""
    account = role_arn.split(":")[4]
    return f"arn:aws:sts::{account}:assumed-role/{role_name(role_arn)}/{session}"


current_principal: ContextVar[Principal] = ContextVar("current_principal")
"""Who makes the request that this thread serves."""
