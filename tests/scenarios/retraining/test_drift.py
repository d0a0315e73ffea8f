"""Drift in two windows ends in a new version that is rolled out, with nobody's help."""

from lambdas import contract
from tests.scenarios.retraining.watched import Watched
from tests.scenarios.retraining.weather import DRIFT, labels

YEAR = 365


def test_drift_ends_in_the_rollout_of_a_challenger_that_has_proved_itself(circle: Watched) -> None:
    """Every event comes twice, as it may on AWS; all the same there is one run, one version and one rollout."""
    circle.cloud.faults.duplicate_events = True
    calm, *drifting = circle.begin(3)
    circle.capture(calm, range(DRIFT - 2 * YEAR, DRIFT))
    for number, start in enumerate(drifting):
        circle.capture(start, range(DRIFT + 2 * YEAR * number, DRIFT + 2 * YEAR * (number + 1)))
    circle.label(drifting[-1] + 70, labels(range(DRIFT - 2 * YEAR, DRIFT + 4 * YEAR)))
    circle.look()

    assert circle.window(calm).severe == ("visibility",)
    assert all({"dew_point", "sea_level_pressure"} <= set(circle.window(start).severe) for start in drifting)
    run = circle.wait_for_runs(1)
    assert (run.outcome, run.version) == ("registered", "2.1.0"), circle.story()
    assert run.numbers["gain"] > 0.1
    (package,) = circle.packages()
    said = package["CustomerMetadataProperties"]
    assert said[contract.PACKAGE_RUN_KEY] == run.id
    assert said[contract.PACKAGE_SIGNATURE_KEY]
    rollout = circle.wait_for(lambda: next(iter(circle.rollouts()), None), "the rollout to start")
    assert rollout.version == "2.1.0"
    assert package["ModelPackageArn"] == circle.packages()[0]["ModelPackageArn"]
    assert circle.packages()[0]["ModelApprovalStatus"] == "Approved"
    assert len(circle.executions()) == len(circle.packages()) == len(circle.rollouts()) == 1
