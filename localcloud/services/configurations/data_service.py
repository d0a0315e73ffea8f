"""The API that applications poll (AppConfig Data)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.credentials import current_principal
from localcloud.front.authorizer import Authorizer
from localcloud.front.permissions import Need, Scope
from localcloud.service import Service, operation
from localcloud.services.configurations.flags import rendered
from localcloud.services.configurations.sessions import DEFAULT_INTERVAL, Session, Sessions
from localcloud.services.configurations.store import FLAGS, ConfigurationStore, Profile, missing

Params = Mapping[str, Any]


class ConfigurationDataService(Service):
    """Gives clients the versions that are deployed.

    Permissions are checked here and not in the tables: what a token, or a name in place of an id, stands for is known
    only here, and policies name the ids.

    Parameters
    ----------
    store
        What is deployed.
    sessions
        The clients' tokens.
    authorizer
        Tells whether a caller may read a configuration.
    scope
        Account and region.
    """

    name: ClassVar[str] = "appconfigdata"

    def __init__(self, store: ConfigurationStore, sessions: Sessions, authorizer: Authorizer, scope: Scope) -> None:
        self._store = store
        self._sessions = sessions
        self._authorizer = authorizer
        self._scope = scope

    @operation("StartConfigurationSession")
    def start(self, params: Params) -> dict[str, Any]:
        """Begin to poll a configuration."""
        application = self._store.application(params["ApplicationIdentifier"])
        session = Session(
            application.application_id,
            application.environment(params["EnvironmentIdentifier"]).environment_id,
            application.profile(params["ConfigurationProfileIdentifier"]).profile_id,
            params.get("RequiredMinimumPollIntervalInSeconds"),
        )
        self._check("StartConfigurationSession", session)
        return {"InitialConfigurationToken": self._sessions.start(session)}

    @operation("GetLatestConfiguration")
    def latest(self, params: Params) -> dict[str, Any]:
        """Return what is deployed, or nothing if the client has it already; the token cannot be used again."""
        token = params["ConfigurationToken"]
        session = self._sessions.look(token)
        self._check("GetLatestConfiguration", session)
        application = self._store.application(session.application)
        profile = application.profile(session.profile)
        number = application.environment(session.environment).version_for(session.profile, session.client)
        if number is None:
            raise missing(f"a deployment of configuration profile {session.profile}")
        changed = _content(profile, number) if number != session.seen else {"Configuration": b""}
        return {
            "ContentType": "application/octet-stream",
            **changed,
            "NextPollConfigurationToken": self._sessions.follow(token, number),
            "NextPollIntervalInSeconds": session.interval or DEFAULT_INTERVAL,
        }

    def _check(self, action: str, session: Session) -> None:
        principal = current_principal.get(None)
        if principal is None or principal.is_admin:
            return
        place = f"application/{session.application}/environment/{session.environment}/configuration/{session.profile}"
        self._authorizer.check(principal, Need(f"appconfig:{action}", self._scope.arn("appconfig", place)))


def _content(profile: Profile, number: int) -> dict[str, Any]:
    version = profile.version(str(number))
    content = rendered(version.content) if profile.kind == FLAGS else version.content
    label = {"VersionLabel": version.label} if version.label else {}
    return {"Configuration": content, "ContentType": version.content_type, **label}
