"""Instance types of a configuration are those that SageMaker has: botocore's model of the service lists them."""

import botocore.session
import pytest

from stacks.config.instances import ENDPOINT_TYPES, JOB_TYPES, TRANSFORM_TYPES, family


@pytest.fixture(scope="module")
def listed():
    model = botocore.session.get_session().get_service_model("sagemaker")
    return lambda shape: set(model.shape_for(shape).enum)


def of_families(types, known):
    families = {family(each) for each in known}
    return {each for each in types if family(each) in families}


def test_every_size_of_an_endpoints_families_can_be_chosen_and_no_other(listed):
    assert set(ENDPOINT_TYPES) == of_families(listed("ProductionVariantInstanceType"), ENDPOINT_TYPES)


def test_batches_run_on_what_batch_transform_has(listed):
    assert set(TRANSFORM_TYPES) == of_families(listed("TransformInstanceType"), TRANSFORM_TYPES)


def test_jobs_run_on_what_both_processing_and_training_have(listed):
    both = listed("ProcessingInstanceType") & listed("TrainingInstanceType")
    assert set(JOB_TYPES) == of_families(both, JOB_TYPES)
