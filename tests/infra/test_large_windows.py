"""Large windows are counted by a state machine that may do just that, as its definition says."""

import json

from lambdas.monitoring.executions import MOST_PARTS
from lambdas.monitoring.ports import JobOrder
from lambdas.monitoring.processing import request_for
from lambdas.monitoring.settings import Job, Settings

BUCKET = "arn:aws:s3:::tidegate-loop-artefacts-123456789012-us-east-1"
WHERE = "us-east-1:123456789012"
NAME = "tidegate-loop-count-windows"
MACHINE = f"arn:aws:states:{WHERE}:stateMachine:{NAME}"
EXECUTIONS = [f"arn:aws:states:{WHERE}:execution:{NAME}{label}:*" for label in ("/Parts", "")]


def may(template, role):
    return {one["Sid"]: one for one in template.statements(role)}


def machine(template):
    return template.text(template.one("AWS::StepFunctions::StateMachine"))


def definition(template):
    return json.loads(machine(template)["DefinitionString"])


def test_there_is_one_where_endpoints_are_monitored_and_the_monitor_knows_it(each):
    machines = {name: template.of_type("AWS::StepFunctions::StateMachine") for name, template in each.templates.items()}
    # The front doors have one of their own, for answers of batches.
    found = [name for name, there in machines.items() if there and name != "Inference"]
    assert found == (["Monitoring"] if each.environment.monitored else [])
    for parameter in each.templates["Monitoring"].of_type("AWS::SSM::Parameter").values() if found else ():
        read = Settings.from_json(each.monitoring.text(parameter["Properties"]["Value"]))
        assert read.job is not None
        assert read.job.state_machine is not None
        assert read.job.state_machine.endswith(f":stateMachine:{machine(each.monitoring)['StateMachineName']}")
        (endpoint,) = each.environment.monitored
        assert read.job.large_window_bytes == endpoint.monitoring.job.large_window_megabytes * 1_000_000
        assert read.job.parallel_jobs == endpoint.monitoring.job.parallel_jobs


def test_it_is_standard_logged_traced_and_under_the_stacks_key(each):
    for template in [each.monitoring] if each.environment.monitored else []:
        made = machine(template)
        assert made["StateMachineType"] == "STANDARD"
        assert made["LoggingConfiguration"]["Level"] == "ALL"
        assert made["TracingConfiguration"] == {"Enabled": True}
        assert made["EncryptionConfiguration"]["Type"] == "CUSTOMER_MANAGED_KMS_KEY"
        assert made["EncryptionConfiguration"]["KmsKeyId"].startswith("<Key")
        (group,) = [each for name, each in template.of_type("AWS::Logs::LogGroup").items() if "LargeWindows" in name]
        assert group["Properties"]["LogGroupName"] == f"/aws/vendedlogs/states/{made['StateMachineName']}"


def test_its_role_does_what_the_definition_does_and_nothing_else(loop):
    statements = may(loop.monitoring, "LargeWindows")
    jobs = ["sagemaker:AddTags", *(f"sagemaker:{verb}ProcessingJob" for verb in ("Create", "Describe", "Stop"))]
    rule = f"arn:aws:events:{WHERE}:rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule"
    assert {sid: (each["Action"], each["Resource"]) for sid, each in statements.items() if sid in _NARROW} == {
        "ReadParts": ("s3:GetObject", f"{BUCKET}/monitoring/rain-loop/*/parts.json"),
        "CountParts": (jobs, f"arn:aws:sagemaker:{WHERE}:processing-job/drift-rain-loop-*"),
        "AwaitJobs": (["events:DescribeRule", "events:PutRule", "events:PutTargets"], rule),
        "StartParts": ("states:StartExecution", MACHINE),
        "FollowParts": (["states:DescribeExecution", "states:StopExecution"], EXECUTIONS),
    }
    assert statements["Merge"]["Resource"].startswith("<MergeFunction")
    assert statements["PassJobRoles"]["Resource"].startswith("<EndpointrainJobRole")
    assert statements["SealExecutions"]["Condition"] == {
        "StringEquals": {"kms:EncryptionContext:aws:states:stateMachineArn": MACHINE}
    }
    assert statements.keys() == _NARROW | {
        *("DeliverLogs", "Trace", "Merge", "PassJobRoles", "SealExecutions", "SealLogs", "UseArtefactKey")
    }
    assert {sid for sid, each in statements.items() if each["Resource"] == "*"} == {"DeliverLogs", "Trace"}


_NARROW = {"ReadParts", "CountParts", "AwaitJobs", "StartParts", "FollowParts"}


def test_only_step_functions_at_work_for_this_account_takes_its_role(loop):
    (role,) = [each for name, each in loop.monitoring.of_type("AWS::IAM::Role").items() if "LargeWindows" in name]
    (trust,) = loop.monitoring.text(role["Properties"]["AssumeRolePolicyDocument"]["Statement"])
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_the_merge_touches_what_was_found_and_nothing_else(loop):
    statements = may(loop.monitoring, "MergeRole")
    for sid in ("ReadObjects", "WriteObjects"):
        assert statements[sid]["Resource"] == f"{BUCKET}/monitoring/rain-loop/*"
    assert statements.keys() == {"WriteLog", "FindObjects", "ReadObjects", "WriteObjects", "UseArtefactKey"}


def test_the_monitor_starts_it_and_finds_out_why_it_failed(loop):
    statements = may(loop.monitoring, "MonitorRole")
    assert statements["CountInParts"]["Resource"] == MACHINE
    assert statements["LookAtParts"]["Resource"] == EXECUTIONS
    assert statements["FindFailedParts"]["Resource"] == f"arn:aws:states:{WHERE}:mapRun:{NAME}/*"


def test_a_part_passes_on_all_that_a_jobs_request_has(loop):
    (part,) = definition(loop.monitoring)["States"]["CountParts"]["ItemProcessor"]["States"].values()
    order = JobOrder("drift-1", ("job",), {}, frozenset(), "s3://b/out/", {})
    request = request_for(order, Job("image", "role", "ml.m5.large", 30))
    assert {name.removesuffix(".$") for name in part["Parameters"]} == request.keys()


def test_no_failed_part_is_tolerated_and_throttling_is_waited_out(loop):
    states = definition(loop.monitoring)["States"]
    parts = states["CountParts"]
    assert parts["ToleratedFailureCount"] == 0
    assert parts["MaxConcurrencyPath"] == "$.parallel_jobs"
    throttled, lost = parts["ItemProcessor"]["States"]["CountPart"]["Retry"]
    assert "SageMaker.ResourceLimitExceededException" in throttled["ErrorEquals"]
    assert (lost["ErrorEquals"], lost["MaxAttempts"]) == (["States.TaskFailed"], 1)
    # A job's name has room for one digit of attempts.
    assert throttled["MaxAttempts"] + lost["MaxAttempts"] <= 9
    # A result of each part beside the input, within 256 KiB: {"job": "<63 characters>"}.
    assert MOST_PARTS * 80 < 200_000
    assert set(states["Merge"]["Parameters"]["Payload"]) == {"bucket.$", "folder.$", "parts.$", "counts_key.$"}
