"""Which records are of the same version, and which of them tell where its model is found again. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from lambdas.contract import BOOTSTRAP_SLOT
from lambdas.rollout.state import REMEMBERED_VERSIONS, UNKNOWN, Candidate, Live, Past, Source, State

BOOTSTRAP = Live.version


class Version(Protocol):
    """What has a version's name and, when it is in the registry, its package."""

    @property
    def version(self) -> str:
        """Its name."""

    @property
    def package_arn(self) -> str | None:
        """Its package; None when it is in no registry."""


def same(one: Version, other: Version) -> bool:
    """Return whether two records are of the same version: names count only for what is in no registry."""
    if one.package_arn or other.package_arn:
        return one.package_arn == other.package_arn
    return one.version == other.version


def is_unknown(version: Version) -> bool:
    """Return whether nobody knows which version it is; a package may be called so, and is known all the same."""
    return version.package_arn is None and version.version == UNKNOWN


def is_called(version: Version, name: str) -> bool:
    """Return whether a version is meant by its name, its package's number or ARN."""
    arn = version.package_arn or ""
    return name in (version.version, arn, arn.rpartition("/")[2])


def last_live(state: State, version: Version) -> Past | None:
    """Return when and with which config a version was last live."""
    return next((past for past in reversed(state.past) if same(past, version)), None)


def as_past(live: Live) -> Past:
    """Return what is live as it is remembered later."""
    return Past(live.version, live.package_arn, live.config, live.slot, 0.0, live.image, live.sha256)


def remember(state: State, now: float) -> tuple[Past, ...]:
    """Return what was live once what is live has been replaced."""
    return (*state.past, replace(as_past(state.live), until=now))[-REMEMBERED_VERSIONS:]


def remembered(state: State) -> Iterator[Past]:
    """Yield what is live, and then what was, the latest first; what the template made is never forgotten."""
    yield as_past(state.live)
    yield from reversed(state.past)
    if state.seed_config:
        yield Past(BOOTSTRAP, None, state.seed_config, BOOTSTRAP_SLOT, 0.0)


def is_kept(state: State, past: Past) -> bool:
    """Return whether the config that a version was live with still exists; others are tidied up."""
    return past.config in (state.live.config, state.previous_config, state.seed_config)


def clone_of(past: Past) -> Candidate:
    """Return a version that was live as one that can be rolled out again, from the config that it was live with."""
    # It has no approval of its own: what is approved at any time counts as newer.
    source = Source(past.config, past.slot, past.image)
    return Candidate(past.package_arn, past.version, 0.0, None, source, sha256=past.sha256)
