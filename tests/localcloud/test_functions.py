"""Lambda: real runtimes in processes, their limits, their ends and their logs."""

import os
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from localcloud.services.functions.code_store import CodeStore
from localcloud.services.functions.pool import UNRESERVED_CONCURRENCY
from localcloud.services.functions.runtime_api import RuntimeApi
from localcloud.services.functions.worker import Launch, Worker
from tests.localcloud.conftest import package

ECHO = """
    import os
    def handler(event, context):
        return {"event": event, "name": context.function_name, "pid": os.getpid(), "var": os.environ.get("VAR")}
"""
SLEEP = """
    import os, time
    def handler(event, context):
        print("began", flush=True)
        time.sleep(event["seconds"])
        return os.getpid()
"""


def test_worker_is_started_once_and_stays_warm(workshop):
    function = workshop.function(ECHO, Environment={"Variables": {"VAR": "value"}})
    first = workshop.invoke(function, {"n": 1})["Payload"]
    assert (first["event"], first["name"], first["var"]) == ({"n": 1}, function, "value")
    assert workshop.invoke(function, {"n": 2})["Payload"]["pid"] == first["pid"]


def test_handler_sees_its_package_and_the_runtime_only(workshop):
    """What the package forgot must be missing here as well, although the cloud's own environment has it."""
    function = workshop.function(
        """
        def handler(event, context):
            import boto3
            try:
                import moto
            except ImportError:
                return "isolated"
            return "leaking"
        """
    )
    assert workshop.invoke(function)["Payload"] == "isolated"


def test_handler_calls_the_cloud_as_its_role(cloud, workshop):
    cloud.client("ssm").put_parameter(Name="/functions/secret", Value="v", Type="String", Overwrite=True)
    function = workshop.function(
        """
        import boto3
        def handler(event, context):
            identity = boto3.client("sts").get_caller_identity()["Arn"]
            try:
                boto3.client("ssm").get_parameter(Name="/functions/secret")
            except Exception as error:
                return [identity, str(error)]
        """
    )
    identity, error = workshop.invoke(function)["Payload"]
    assert ":assumed-role/" in identity
    assert "ssm:GetParameter" in error
    assert "parameter/functions/secret" in error


def test_error_is_answered_logged_and_counted(workshop, wait_until):
    function = workshop.function("def handler(event, context):\n    raise ValueError('broken here')")
    answer = workshop.invoke(function)
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "ValueError"
    wait_until(lambda: "broken here" in workshop.log_text(function))
    assert workshop.metric("AWS/Lambda", "Errors", FunctionName=function) == 1
    assert workshop.metric("AWS/Lambda", "Invocations", FunctionName=function) == 1


def test_timeout_kills_the_worker(workshop, wait_until):
    function = workshop.function(SLEEP, Timeout=1)
    began = time.monotonic()
    answer = workshop.invoke(function, {"seconds": 30})
    assert 0.9 < time.monotonic() - began < 25
    assert answer["FunctionError"] == "Unhandled"
    assert "Task timed out after 1.00 seconds" in answer["Payload"]["errorMessage"]
    assert workshop.metric("AWS/Lambda", "Errors", FunctionName=function) == 1
    pid = workshop.invoke(function, {"seconds": 0})["Payload"]
    assert os.path.exists(f"/proc/{pid}") or os.kill(pid, 0) is None


def test_kill_in_the_middle_fails_the_invocation(cloud, workshop, wait_until):
    function = workshop.function(SLEEP, Timeout=60)
    answers = []
    caller = threading.Thread(target=lambda: answers.append(workshop.invoke(function, {"seconds": 60})))
    caller.start()
    wait_until(lambda: "began" in workshop.log_text(function))
    assert len(cloud.functions.kill(function)) == 1
    caller.join(50)
    assert "signal: kill" in answers[0]["Payload"]["errorMessage"]
    assert workshop.invoke(function, {"seconds": 0}).get("FunctionError") is None


def test_broken_import_is_answered(workshop):
    function = workshop.function("import no_such_module")
    answer = workshop.invoke(function)
    assert answer["Payload"]["errorType"] == "Runtime.ImportModuleError"


def test_more_than_this_machine_has_places_for_wait_where_nothing_is_reserved(cloud, workshop):
    function = workshop.function(SLEEP)
    more = UNRESERVED_CONCURRENCY + 4
    with ThreadPoolExecutor(more) as pool:
        calls = [pool.submit(workshop.invoke, function, {"seconds": 2}) for _ in range(more)]
    assert len({call.result()["Payload"] for call in calls}) <= UNRESERVED_CONCURRENCY
    assert workshop.metric("AWS/Lambda", "Throttles", FunctionName=function) == 0


def test_reserved_concurrency_throttles(cloud, workshop, wait_until):
    function = workshop.function(SLEEP, Timeout=60)
    cloud.client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    caller = threading.Thread(target=lambda: workshop.invoke(function, {"seconds": 60}))
    caller.start()
    wait_until(lambda: "began" in workshop.log_text(function))
    single = boto_client_without_retries(cloud)
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        single.invoke(FunctionName=function, Payload=b'{"seconds": 0}')
    cloud.functions.kill(function)
    caller.join()
    assert workshop.metric("AWS/Lambda", "Throttles", FunctionName=function) == 1


def boto_client_without_retries(cloud):
    import boto3
    from botocore.config import Config

    config = Config(retries={"total_max_attempts": 1})
    session = boto3.Session("localadmin", "x", region_name=cloud.region)
    return session.client("lambda", endpoint_url=cloud.endpoint_url, config=config)


def test_new_code_reaches_the_next_invocation(cloud, workshop):
    function = workshop.function("def handler(event, context):\n    return 1")
    assert workshop.invoke(function)["Payload"] == 1
    package = workshop.package("def handler(event, context):\n    return 2")
    cloud.client("lambda").update_function_code(FunctionName=function, ZipFile=package)
    assert workshop.invoke(function)["Payload"] == 2


def test_logs_stand_between_start_and_report(workshop, wait_until):
    function = workshop.function("def handler(event, context):\n    print('in between')")
    workshop.invoke(function)
    text = wait_until(lambda: "REPORT" in (text := workshop.log_text(function)) and text)
    assert text.index("START RequestId") < text.index("in between") < text.index("END RequestId") < text.index("REPORT")
    assert "Init Duration" in text


def test_logs_are_lost_without_permission(cloud, workshop, wait_until):
    speaking = "def handler(event, context):\n    print('heard')"
    unheard, heard = workshop.function(speaking), workshop.function(speaking)
    cloud.client("lambda").update_function_configuration(FunctionName=unheard, Role=workshop.role())
    workshop.invoke(unheard)
    workshop.invoke(heard)
    wait_until(lambda: "REPORT" in workshop.log_text(heard))  # lines go out in their order
    assert "heard" not in workshop.log_text(unheard)


def test_embedded_metrics_become_metrics(workshop, wait_until):
    function = workshop.function(
        """
        import json, time
        def handler(event, context):
            print(json.dumps({
                "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{
                    "Namespace": "Tests", "Dimensions": [["Who"]], "Metrics": [{"Name": "Things", "Unit": "Count"}]}]},
                "Who": "me", "Things": [2, 3]}))
        """
    )
    workshop.invoke(function)
    wait_until(lambda: workshop.metric("Tests", "Things", Who="me") == 5)


def test_async_event_is_retried_and_then_given_up(cloud, workshop, wait_until):
    url, arn = workshop.queue()
    function = workshop.function(
        "def handler(event, context):\n    raise RuntimeError('again')",
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn},
        DeadLetterConfig={"TargetArn": arn},
    )
    answer = workshop.invoke(function, {"n": 1}, InvocationType="Event")
    assert answer["StatusCode"] == 202
    letters = workshop.messages(url)
    assert [letter["Body"] for letter in letters] == ['{"n": 1}']
    assert "again" in letters[0]["MessageAttributes"]["ErrorMessage"]["StringValue"]
    assert workshop.metric("AWS/Lambda", "Invocations", FunctionName=function) == 3


def test_failure_destination_gets_the_record(cloud, workshop):
    import json

    url, arn = workshop.queue()
    function = workshop.function(
        "def handler(event, context):\n    raise RuntimeError('no')",
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn},
    )
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName=function, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    workshop.invoke(function, {"n": 1}, InvocationType="Event")
    record = json.loads(workshop.messages(url)[0]["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert (record["requestPayload"], record["responsePayload"]["errorMessage"]) == ({"n": 1}, "no")


def test_role_that_lambda_may_not_assume_is_refused(cloud, workshop):
    role = workshop.role(service="sagemaker.amazonaws.com")
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        cloud.client("lambda").create_function(
            FunctionName=workshop.name("f"),
            Runtime="python3.14",
            Handler="a.b",
            Role=role,
            Code={"ZipFile": b"x"},
        )


@pytest.mark.parametrize(
    "settings", [{"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:l:1"]}, {"Runtime": "nodejs22.x"}]
)
def test_what_would_have_no_effect_is_refused_by_name(cloud, workshop, settings):
    with pytest.raises(ClientError, match="not simulated"):
        cloud.client("lambda").create_function(
            **{
                "FunctionName": workshop.name("f"),
                "Runtime": "python3.14",
                "Handler": "a.b",
                "Role": workshop.role(),
                "Code": {"ZipFile": b"x"},
                **settings,
            }
        )


def test_deleted_function_leaves_no_process(cloud, workshop, wait_until):
    function = workshop.function(ECHO)
    pid = workshop.invoke(function)["Payload"]["pid"]
    cloud.client("lambda").delete_function(FunctionName=function)
    wait_until(lambda: not _runs(pid))
    with pytest.raises(ClientError, match="Function not found"):
        workshop.invoke(function)


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _writable(folder):
    return [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & stat.S_IWUSR]


def test_unpacked_code_is_read_only_until_the_store_closes(tmp_path):
    """On AWS a function may write to /tmp only; the folder is shared by all functions of the same package."""
    parameters = {"ZipFile": package(ECHO)}
    store = CodeStore(tmp_path, lambda _uri: b"")
    folder = store.unpack(parameters).folder
    assert _writable(folder) == []
    assert store.unpack(parameters).folder == folder
    store.close()
    assert _writable(folder) != []
    # A cloud that is started again in the same folder seals what it finds there.
    assert _writable(CodeStore(tmp_path, lambda _uri: b"").unpack(parameters).folder) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_function_cannot_write_beside_its_code(workshop):
    function = workshop.function("def handler(event, context):\n    open('note', 'w')")
    assert workshop.invoke(function)["Payload"]["errorType"] == "PermissionError"


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_ACCESS_KEY_ID", "_HANDLER", "LAMBDA_TASK_ROOT"])
def test_reserved_environment_variables_are_refused(cloud, workshop, name):
    function, reserved = workshop.function(ECHO), {"Variables": {name: "mine"}}
    update = cloud.client("lambda").update_function_configuration
    for attempt in (
        lambda: workshop.function(ECHO, Environment=reserved),
        lambda: update(FunctionName=function, Environment=reserved),
    ):
        with pytest.raises(ClientError, match=f"Reserved keys used in this request: {name}") as refused:
            attempt()
        assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_reserved_concurrency_leaves_a_hundred_to_the_account(cloud, workshop):
    reserve = cloud.client("lambda").put_function_concurrency
    first, second = workshop.function(ECHO), workshop.function(ECHO)
    reserve(FunctionName=first, ReservedConcurrentExecutions=700)
    with pytest.raises(ClientError, match="below its minimum value") as refused:
        reserve(FunctionName=second, ReservedConcurrentExecutions=201)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    reserve(FunctionName=second, ReservedConcurrentExecutions=100)
    reserve(FunctionName=first, ReservedConcurrentExecutions=0)


def test_a_worker_that_has_ended_is_not_killed_again(tmp_path, monkeypatch):
    """Its process id may be another process's by now."""
    api, killed = RuntimeApi(), []
    worker = Worker(Launch(("/bin/sh", "-c", "exit 3"), {}, tmp_path), api, lambda _line: None)
    worker.join(10)
    monkeypatch.setattr(os, "killpg", lambda *target: killed.append(target))
    worker.kill()
    api.stop()
    assert killed == []
