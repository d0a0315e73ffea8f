"""State machines: what is refused by name, how states pass data on, and under whose permissions they run."""

import json
from unittest.mock import ANY

import pytest
from botocore.exceptions import ClientError

INVOKE = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
READ = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
RUN_ITEMS = {"Effect": "Allow", "Action": ["states:StartExecution", "states:DescribeExecution"], "Resource": "*"}
STOP_ITEMS = {"Effect": "Allow", "Action": "states:StopExecution", "Resource": "*"}
PROCESS = "arn:aws:states:::sagemaker:createProcessingJob.sync"
DOUBLE = "def handler(event, context):\n    assert event['n'] != 13, 'unlucky'\n    return {'twice': event['n'] * 2}"


def flow(*states, **more):
    """Return a definition of states that follow one another."""
    names = [f"S{number}" for number in range(len(states))]
    following = [{"Next": name} for name in names[1:]] + [{"End": True}]
    ended = [
        state if state["Type"] in ("Fail", "Succeed") else {**state, **after}
        for state, after in zip(states, following, strict=True)
    ]
    return {"StartAt": "S0", "States": dict(zip(names, ended, strict=True)), **more}


@pytest.fixture(scope="module")
def states(cloud):
    return cloud.client("stepfunctions")


@pytest.fixture(scope="module")
def double(workshop):
    return workshop.function(DOUBLE)


@pytest.fixture
def make(states, workshop):
    def make_machine(definition, *statements, **settings):
        role = workshop.role(*statements, service="states.amazonaws.com")
        text = json.dumps(definition)
        return states.create_state_machine(name=workshop.name("machine"), definition=text, roleArn=role, **settings)[
            "stateMachineArn"
        ]

    return make_machine


@pytest.fixture
def run(make, states, wait_until):
    def run_machine(definition, given, *statements):
        started = states.start_execution(stateMachineArn=make(definition, *statements), input=json.dumps(given))
        arn = started["executionArn"]
        wait_until(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING")
        return states.describe_execution(executionArn=arn)

    return run_machine


def call(function, **more):
    parameters = {"FunctionName": function, "Payload": {"n.$": "$.n"}}
    return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters, **more}


def over(bucket, *states, **more):
    """Return a Map over a list in S3."""
    return {
        "Type": "Map",
        "Label": "Items",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": bucket, "Key": "items"},
        },
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **flow(*states)},
        **more,
    }


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (flow({"Type": "Wait", "Seconds": 1}), "NotSimulated.*state type 'Wait'"),
        (flow({"Type": "Pass", "Assign": {}}), "NotSimulated.*the field Assign of the state S0"),
        (flow({"Type": "Pass", "Parameters": {"a.$": "$.b[0]"}}), r"NotSimulated.*'\$.b\[0\]'"),
        (flow({"Type": "Pass", "Parameters": {"a.$": "States.UUID()"}}), "NotSimulated.*States.UUID"),
        (flow({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage"}), "NotSimulated.*sqs:sendMessage"),
        (flow({"Type": "Pass"}, QueryLanguage="JSONata"), "NotSimulated.*JSONata"),
        (flow(over("b", {"Type": "Pass"}, ItemBatcher={})), "NotSimulated.*ItemBatcher"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}, "InvalidDefinition.*'B', which is no state"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass"}}}, "InvalidDefinition.*one of Next and End"),
    ],
)
def test_a_definition_that_cannot_be_run_is_refused_by_name(make, definition, said):
    with pytest.raises(ClientError, match=said):
        make(definition)


def test_data_goes_from_state_to_state(run, double):
    name = "States.Format('{}/{}', $.name, $$.State.RetryCount)"
    ended = run(
        flow(
            call(double, ResultSelector={"twice.$": "$.Payload.twice"}, ResultPath="$.found"),
            {"Type": "Pass", "Parameters": {"name.$": name, "of.$": "$.found.twice"}},
        ),
        {"n": 4, "name": "a"},
        INVOKE,
    )
    assert json.loads(ended["output"]) == {"name": "a/0", "of": 8}


def test_a_functions_failure_is_caught_by_its_name(run, double):
    caught = {"ErrorEquals": ["AssertionError"], "Next": "S1", "ResultPath": "$.why"}
    ended = run(flow(call(double, Catch=[caught]), {"Type": "Pass", "OutputPath": "$.why"}), {"n": 13}, INVOKE)
    assert json.loads(json.loads(ended["output"])["Cause"])["errorMessage"] == "unlucky"
    failed = run(flow(call(double)), {"n": 13}, INVOKE)
    assert (failed["status"], failed["error"]) == ("FAILED", "AssertionError")
    missing = run(flow({"Type": "Pass", "Parameters": {"a.$": "$.nothing"}}), {})
    assert (missing["error"], "$.nothing" in missing["cause"]) == ("States.Runtime", True)


def test_a_task_runs_under_the_machines_role(run, double):
    refused = run(flow(call(double)), {"n": 1})
    assert refused["error"] == "Lambda.AccessDeniedException"
    assert "lambda:InvokeFunction" in refused["cause"]


def test_a_map_runs_an_execution_for_each_item(run, states, jobs, double):
    bucket = jobs.bucket(items=json.dumps([{"n": number} for number in range(5)]))
    item = call(double, OutputPath="$.Payload")
    ended = run(flow(over(bucket, item, MaxConcurrency=2)), {}, INVOKE, READ, RUN_ITEMS, STOP_ITEMS)
    assert sorted(each["twice"] for each in json.loads(ended["output"])) == [0, 2, 4, 6, 8]
    [map_run] = states.list_map_runs(executionArn=ended["executionArn"])["mapRuns"]
    assert len(states.list_executions(mapRunArn=map_run["mapRunArn"])["executions"]) == 5
    refused = run(flow(over(bucket, item)), {}, INVOKE, READ, RUN_ITEMS)
    assert (refused["error"], "states:StopExecution" in refused["cause"]) == ("States.Permissions", True)


@pytest.mark.parametrize(("tolerated", "status"), [(0, "FAILED"), (1, "SUCCEEDED")])
def test_a_map_fails_with_more_items_than_are_tolerated(run, jobs, double, tolerated, status):
    bucket = jobs.bucket(items=json.dumps([{"n": number} for number in (1, 13)]))
    definition = flow(over(bucket, call(double, OutputPath="$.Payload"), ToleratedFailureCount=tolerated))
    ended = run(definition, {}, INVOKE, READ, RUN_ITEMS, STOP_ITEMS)
    assert ended["status"] == status
    assert ended.get("error") == (None if tolerated else "States.ExceedToleratedFailureThreshold")


def test_a_role_must_be_trusting_and_able_to_hear_of_jobs(make, states, workshop):
    job = {"Type": "Task", "Resource": PROCESS, "Parameters": {}}
    with pytest.raises(ClientError, match=r"not authorized to create managed-rule.*events:DescribeRule"):
        make(flow(job))
    with pytest.raises(ClientError, match="not authorized to access the Log Destination"):
        make(flow({"Type": "Pass"}), loggingConfiguration={"level": "ALL"})
    with pytest.raises(ClientError, match="is authorized to assume the provided role"):
        states.create_state_machine(name="x", definition=json.dumps(flow(job)), roleArn=workshop.role())


def test_a_start_under_a_used_name_is_refused_unless_it_is_the_same_and_runs(make, states, workshop, cloud, wait_until):
    slow = workshop.function("import time\ndef handler(event, context):\n    time.sleep(1)")
    machine, started = make(flow(call(slow)), INVOKE), {"name": "once", "input": '{"n": 1}'}
    first = states.start_execution(stateMachineArn=machine, **started)
    assert states.start_execution(stateMachineArn=machine, **started) == {**first, "ResponseMetadata": ANY}
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(stateMachineArn=machine, name="once", input='{"n": 2}')
    wait_until(lambda: not cloud.workflows.running())
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(stateMachineArn=machine, **started)
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        states.describe_execution(executionArn=first["executionArn"] + "x")
    states.delete_state_machine(stateMachineArn=machine)
    with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
        states.start_execution(stateMachineArn=machine)


def test_callers_need_permissions_and_the_key(make, cloud, workshop):
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    own = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key}
    encryption = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key}
    machine = make(flow({"Type": "Pass"}), own, encryptionConfiguration=encryption)
    start = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": machine}
    for statements, said in (((), "states:StartExecution"), ((start,), "KmsAccessDenied.*kms:Decrypt")):
        with pytest.raises(ClientError, match=said):
            cloud.role_client("stepfunctions", workshop.role(*statements)).start_execution(stateMachineArn=machine)
    cloud.role_client("stepfunctions", workshop.role(start, own)).start_execution(stateMachineArn=machine)


def test_a_choice_goes_on_by_the_first_rule_that_holds_until_it_is_done(run):
    """As whoever does a piece at a time: again until it says that it is done."""
    rules = [{"Variable": "$.done", "BooleanEquals": True, "Next": "End"}]
    states = {
        "IsDone": {"Type": "Choice", "Choices": rules, "Default": "Other"},
        "Other": {"Type": "Pass", "Result": {"done": True, "way": "other"}, "Next": "IsDone"},
        "End": {"Type": "Succeed"},
    }
    for given, wanted in (({"done": True}, {"done": True}), ({"done": False}, {"done": True, "way": "other"})):
        assert json.loads(run({"StartAt": "IsDone", "States": states}, given)["output"]) == wanted


def test_a_choice_without_a_rule_that_holds_fails(run):
    rules = [{"Variable": "$.done", "BooleanEquals": True, "Next": "End"}]
    states = {"IsDone": {"Type": "Choice", "Choices": rules}, "End": {"Type": "Succeed"}}
    found = run({"StartAt": "IsDone", "States": states}, {"done": False})
    assert found["error"] == "States.NoChoiceMatched"
