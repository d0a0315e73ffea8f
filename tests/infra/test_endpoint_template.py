"""CloudFormation creates an endpoint and never finds a reason to change it; destroying it leaves nothing."""

import copy
import re
from dataclasses import replace

from lambdas import contract
from stacks.config import Environment


def depends(template, name):
    """Return everything that a resource waits for, directly or not."""
    resources = template.body["Resources"]
    seen = set()
    pending = [name]
    while pending:
        body = resources[pending.pop()]
        wanted = set(body.get("DependsOn", [])) | set(re.findall(r"<(\w+?)(?:\.\w+)?>", str(template.text(body))))
        fresh = (wanted & set(resources)) - seen
        seen |= fresh
        pending += fresh
    return seen


def only(template, kind):
    (name,) = template.of_type(kind)
    return name


def seed(template, which="Seed"):
    (properties,) = [
        resource["Properties"]
        for name, resource in template.of_type("Custom::Seed").items()
        if name.startswith(f"Serving{which}")
    ]
    return template.text(properties)


def with_fleet(environment: Environment, **changes):
    (rain,) = environment.endpoints
    return replace(environment, endpoints=(replace(rain, fleet=replace(rain.fleet, **changes)),))


def on_gpu(environment: Environment):
    image = replace(environment.endpoints[0].fleet.image, dockerfile="Dockerfile.gpu")
    version = "al2023-ami-sagemaker-inference-gpu-4-1"
    return with_fleet(environment, image=image, instance_type="ml.g5.xlarge", inference_ami_version=version)


def test_endpoint_has_nothing_but_its_name_and_the_pinned_config(each):
    endpoint = each.serving.one("AWS::SageMaker::Endpoint")
    name = each.environment.endpoints[0].full_name(each.environment.environment)
    assert set(endpoint) == {"EndpointName", "EndpointConfigName"}, "tags would let an edit touch it"
    assert endpoint["EndpointName"] == name
    pin, attribute = endpoint["EndpointConfigName"]["Fn::GetAtt"]
    assert each.serving.body["Resources"][pin]["Type"] == "Custom::Seed"
    assert attribute == "EndpointConfigName"
    config = only(each.serving, "AWS::SageMaker::EndpointConfig")
    pinned = seed(each.serving, "Pin")
    assert pinned["Key"] == contract.pin_key(name)
    assert pinned["EndpointConfigName"] == f"<{config}.EndpointConfigName>"


def test_what_varies_comes_from_the_seed(each):
    template = each.serving
    model = template.text(template.one("AWS::SageMaker::Model"))
    config = template.text(template.one("AWS::SageMaker::EndpointConfig"))
    (variant,) = config["ProductionVariants"]
    varying = [
        model["PrimaryContainer"]["Image"],
        model["PrimaryContainer"]["ModelDataUrl"],
        model["EnableNetworkIsolation"],
        variant["InstanceType"],
        variant["InitialInstanceCount"],
        variant["ContainerStartupHealthCheckTimeoutInSeconds"],
        variant["ModelDataDownloadTimeoutInSeconds"],
        config["DataCaptureConfig"]["EnableCapture"],
        config["DataCaptureConfig"]["InitialSamplingPercentage"],
        config["DataCaptureConfig"]["DestinationS3Uri"],
        config["MetricsConfig"]["MetricPublishFrequencyInSeconds"],
    ]
    assert all(re.fullmatch(r"<ServingSeed\w+\.\w+>", value) for value in varying), varying


def test_seed_records_every_attribute_that_is_read_from_it(each):
    template = each.serving
    read = set(
        re.findall(r"<ServingSeed\w+\.(\w+)>", str([template.text(r) for r in template.body["Resources"].values()]))
    )
    recorded = seed(template)
    assert read - {contract.SEED_NONCE} <= set(recorded)
    assert contract.SEED_NONCE not in recorded, "the function makes it"
    assert all(isinstance(value, str) for value in recorded.values())


def test_seed_records_the_fleet_of_the_file(each):
    endpoint = each.environment.endpoints[0]
    recorded = seed(each.serving)
    assert recorded["InstanceType"] == endpoint.fleet.instance_type
    assert recorded["InitialInstanceCount"] == str(endpoint.fleet.min_instances)
    assert recorded["CaptureEnabled"] == "true"
    assert recorded["ModelDataUrl"].endswith(".tar.gz"), "SageMaker takes no other ending"


def test_gpu_variants_name_their_driver_and_others_none(each):
    (variant,) = each.serving.one("AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    assert ("InferenceAmiVersion" in variant) is each.environment.endpoints[0].fleet.has_gpu
    assert ("InferenceAmiVersion" in seed(each.serving)) is each.environment.endpoints[0].fleet.has_gpu


def test_charged_observability_is_off(each):
    """It is on in new configs that do not mention it."""
    metrics = each.serving.one("AWS::SageMaker::EndpointConfig")["MetricsConfig"]
    assert metrics["EnableDetailedObservability"] is False


def test_variant_is_the_bootstrap_slot_with_all_the_weight(each):
    (variant,) = each.serving.one("AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    assert (variant["VariantName"], variant["InitialVariantWeight"]) == ("blue", 100)


def test_a_volume_key_is_never_given(each):
    assert "KmsKeyId" not in each.serving.one("AWS::SageMaker::EndpointConfig")


def test_what_may_be_live_is_kept_when_replaced(each):
    for kind in ("AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig"):
        (resource,) = each.serving.of_type(kind).values()
        assert resource["UpdateReplacePolicy"] == "Retain"
        assert resource["DeletionPolicy"] == "Delete"
        assert "Tags" not in resource["Properties"]


def test_bootstrap_names_lie_within_what_the_functions_may_touch_and_change_with_the_record(each):
    prefix = each.environment.endpoints[0].full_name(each.environment.environment) + "-bootstrap-"
    model = each.serving.one("AWS::SageMaker::Model")["ModelName"]
    config = each.serving.one("AWS::SageMaker::EndpointConfig")["EndpointConfigName"]
    for name in (model, config):
        assert re.fullmatch(rf"{prefix}<ServingSeed\w+\.Nonce>", each.serving.text(name)), name


def test_clean_up_comes_after_the_pin_and_before_the_endpoint(each):
    template = each.serving
    clean_up = only(template, "Custom::CleanUp")
    before = depends(template, clean_up)
    assert set(template.of_type("Custom::Seed")) <= before
    assert set(template.of_type("AWS::SageMaker::EndpointConfig")) <= before
    assert clean_up in depends(template, only(template, "AWS::SageMaker::Endpoint"))


def test_clean_up_is_told_what_the_template_makes(each):
    template = each.serving
    told = template.text(template.one("Custom::CleanUp"))
    assert told["EndpointConfigName"] == f"<{only(template, 'AWS::SageMaker::EndpointConfig')}.EndpointConfigName>"
    assert told["ModelName"] == f"<{only(template, 'AWS::SageMaker::Model')}.ModelName>"


def test_fleet_is_created_last_and_so_deleted_first(each):
    template = each.serving
    fleet = only(template, "Custom::Fleet")
    assert depends(template, fleet) == set(template.body["Resources"]) - {fleet}


def test_registry_is_emptied_before_anything_in_it_is_deleted(local):
    template = local.registry
    before = depends(template, only(template, "Custom::Empty"))
    assert set(template.of_type("AWS::S3::Bucket")) <= before
    assert set(template.of_type("AWS::SageMaker::ModelPackageGroup")) <= before
    assert set(template.of_type("AWS::IAM::Policy")) - before == {
        name for name in template.of_type("AWS::IAM::Policy") if name.startswith("Endpoint")
    }


def test_custom_resources_call_functions_of_this_environment(each):
    names = {
        f"function:{function['Properties']['FunctionName']}"
        for template in each.templates.values()
        for function in template.of_type("AWS::Lambda::Function").values()
    }
    for _, resource in each.every_resource:
        if resource["Type"] in ("Custom::Seed", "Custom::Fleet", "Custom::CleanUp"):
            token = each.serving.text(resource["Properties"]["ServiceToken"])
            assert token.partition(":function:")[2] in {name.partition(":")[2] for name in names}


def test_changed_fleet_changes_nothing_that_cloudformation_would_update(synthesise_changed, local):
    def bigger(environment: Environment):
        return with_fleet(environment, instance_type="ml.m5.xlarge", min_instances=2, capture="off")

    changed = synthesise_changed("local", bigger).serving.body["Resources"]
    before = copy.deepcopy(local.serving.body["Resources"])
    differing = {before[name]["Type"] for name in before if before[name] != changed[name]}
    assert differing == {"Custom::Seed", "Custom::Fleet", "AWS::SSM::Parameter"}
    (seed_before,) = [name for name in before if name.startswith("ServingSeed")]
    assert before[seed_before]["Properties"]["Key"] == changed[seed_before]["Properties"]["Key"]


def test_another_shape_of_the_config_records_anew_and_leaves_the_pin(synthesise_changed, local):
    changed = synthesise_changed("local", on_gpu)
    keys = [seed(each.serving)["Key"] for each in (local, changed)]
    assert keys[0] != keys[1]
    assert all(re.fullmatch(r"rain-local-[0-9a-f]{8}", key) for key in keys), keys
    assert seed(local.serving, "Pin") == seed(changed.serving, "Pin")
    assert local.serving.one("AWS::SageMaker::Endpoint") == changed.serving.one("AWS::SageMaker::Endpoint")


def test_one_more_seeded_value_records_anew(synthesise_changed, local, monkeypatch):
    from stacks.constructs import seeded_endpoint

    of_today = seeded_endpoint._seeded
    monkeypatch.setattr(seeded_endpoint, "_seeded", lambda *given: {**of_today(*given), "OneMore": "value"})
    changed = synthesise_changed("local", lambda environment: environment)
    assert seed(local.serving)["Key"] != seed(changed.serving)["Key"]
