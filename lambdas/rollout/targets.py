"""Which version a rollback is to: one that was live before, or an approved one of the registry."""

from dataclasses import replace

from lambdas import signing
from lambdas.contract import PACKAGE_APPROVED
from lambdas.rollout.admission import COMPLETED, RefusedPackageError, examine
from lambdas.rollout.errors import LONGEST_TEXT, TidegateError
from lambdas.rollout.ports import Package, Ports
from lambdas.rollout.settings import SettingsError
from lambdas.rollout.state import Candidate, Command, Past, State
from lambdas.rollout.trust import why_distrusted
from lambdas.rollout.versions import clone_of, is_called, is_kept, last_live, remembered, same

MOST_LOOKED_AT = 20
"""Approved packages, the newest first, that are read to find one by its version's name."""


class NoWayBackError(ValueError):
    """A version that cannot be gone back to; the text says why and what to do."""


def find_target(ports: Ports, state: State, command: Command) -> Command:
    """Return a rollback with the version that it is to, or with the reason why that cannot be had."""
    try:
        found = _candidate(ports, state, command.to)
    except (NoWayBackError, RefusedPackageError) as error:
        return replace(command, refusal=str(error)[:LONGEST_TEXT])
    except (TidegateError, SettingsError) as error:
        return replace(command, refusal=f"the version could not be looked up ({error}); ask again"[:LONGEST_TEXT])
    was_live = found.source is not None or last_live(state, found) is not None
    # Only what has taken all the traffic before is trusted with it at once.
    straight = f"{command.by} asked to roll back" if was_live else ""
    return replace(command, candidate=replace(found, urgent=True, straight=straight))


def _candidate(ports: Ports, state: State, to: str) -> Candidate:
    past = _remembered(state, to) if to else _before(state)
    if past is not None and is_kept(state, past):
        return clone_of(past)
    if past is not None and past.package_arn is None:
        raise NoWayBackError(
            f"{past.version} was live, but is in no registry, and the config that it was live with has been removed; "
            "register its artefact as a version and approve that"
        )
    return _of_package(ports, state, to if past is None or past.package_arn is None else past.package_arn)


def _remembered(state: State, to: str) -> Past | None:
    found = [past for past in remembered(state) if is_called(past, to)]
    return next((past for past in found if is_kept(state, past)), found[0] if found else None)


def _before(state: State) -> Past:
    live, *past = remembered(state)
    if state.rollout is not None:
        return live
    # What the template made was not live just before, unless it is remembered for that.
    before = next((each for each in past if each.until and not same(each, live)), None)
    if before is None:
        raise NoWayBackError(f"no version is remembered that was live before {live.version}; name one to go back to")
    return next((each for each in past if same(each, before) and is_kept(state, each)), before)


def _of_package(ports: Ports, state: State, to: str) -> Candidate:
    package = _package(ports, state.name, to)
    if package is None or package.group != state.name:
        raise NoWayBackError(
            f"{to} is neither a version that was live and whose config still exists, nor one of the {MOST_LOOKED_AT} "
            f"newest approved packages of {state.name}; name another version, a package's number or ARN, or approve "
            "the package"
        )
    if package.approval != PACKAGE_APPROVED or package.status != COMPLETED:
        status = package.approval if package.status == COMPLETED else package.status
        raise NoWayBackError(f"{package.version} is {status} in the registry; approve it, and it is rolled out")
    settings = ports.settings.load(state.name)
    container = examine(package, settings)
    if distrust := why_distrusted(package, settings, ports.trust):
        raise NoWayBackError(f"{package.version} is refused: {distrust}")
    return Candidate(package.arn, package.version, 0.0, container, sha256=signing.digest_of(package.metadata))


def _package(ports: Ports, name: str, to: str) -> Package | None:
    if to.startswith("arn:"):
        return ports.registry.describe(to)
    approved = ports.registry.approved(name)
    numbered = next((arn for arn in approved if arn.rpartition("/")[2] == to), None)
    looks = (ports.registry.describe(arn) for arn in ([numbered] if numbered else approved[:MOST_LOOKED_AT]))
    return next((found for found in looks if found is not None and (numbered or found.version == to)), None)
