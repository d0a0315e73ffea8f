"""A stack holds as many front doors as the rules let it have, and hardly more."""

from dataclasses import replace

import pytest

from stacks.config.door_sizes import RESOURCES_LIMIT, resources_of, too_many


@pytest.mark.parametrize("name", ["local", "prod", "opened"])
def test_resources_are_as_many_as_the_rules_count(doors, name):
    counted = resources_of(doors[name].environment)
    assert counted == len(doors[name].inference.body["Resources"]), "count anew what the front door is made of"


def with_doors(environment, number):
    (rain,) = environment.endpoints
    return replace(environment, endpoints=tuple(replace(rain, name=f"rain-{each}") for each in range(number)))


def test_as_many_front_doors_as_may_be_fit_into_their_stack(local):
    few = next(number for number in range(1, 20) if list(too_many(with_doors(local.environment, number + 1))))
    assert resources_of(with_doors(local.environment, few)) <= RESOURCES_LIMIT
    (found,) = too_many(with_doors(local.environment, few + 1))
    assert resources_of(with_doors(local.environment, few + 1)) > RESOURCES_LIMIT
    assert str(found).startswith(f"endpoints: '{few + 1} front doors' is not allowed; a stack holds 500 resources")


def test_endpoints_without_a_front_door_do_not_count(local):
    (rain,) = local.environment.endpoints
    bare = replace(local.environment, endpoints=(replace(rain, front_door=None),) * 50)
    assert not list(too_many(bare))
