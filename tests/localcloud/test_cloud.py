"""The cloud's own life: control routes, one at a time, and an orderly end."""

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

from localcloud.cloud import LocalCloud, LocalCloudError
from localcloud.front.moto_pins import MotoMismatchError, _resolve


def _get(cloud, path):
    return json.loads(urllib.request.urlopen(f"{cloud.endpoint_url}/_localcloud/{path}").read())


def test_health_status_and_limits_are_shown(cloud):
    assert _get(cloud, "health") == {"status": "ok"}
    assert _get(cloud, "status")["endpoint_url"] == cloud.endpoint_url
    limits = _get(cloud, "limits")
    assert any("retries" in difference["topic"] for difference in limits["differences"])
    assert all(duration["on_aws"] for duration in limits["durations"])
    assert "UpdateEndpoint" in limits["operations"]["sagemaker"]


def test_callback_takes_one_answer(cloud):
    callback = cloud.callbacks.new()
    with pytest.raises(TimeoutError):
        callback.wait(0.01)
    request = urllib.request.Request(callback.url, data=b'{"Status": "SUCCESS"}', method="PUT")
    urllib.request.urlopen(request)
    assert callback.wait(1) == b'{"Status": "SUCCESS"}'
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(request)


def test_second_cloud_in_the_process_is_refused(cloud):
    with pytest.raises(LocalCloudError, match="another LocalCloud"):
        LocalCloud().start()


def test_missing_symbol_of_moto_is_named_with_the_pin():
    with pytest.raises(MotoMismatchError, match=r"moto\.sqs\.models\.NoSuchThing is gone .*5\.2\.5"):
        _resolve("moto.sqs.models", "NoSuchThing")


def test_failed_start_leaves_room_for_another():
    """In a process of its own: a port that is taken must not leave half a cloud behind."""
    script = """
import os, socket, sys, threading
sys.path.insert(0, os.getcwd())
from localcloud.cloud import LocalCloud
with socket.create_server(("127.0.0.1", 0)) as taken:
    try:
        LocalCloud(port=taken.getsockname()[1]).start()
    except OSError:
        pass
assert not [t.name for t in threading.enumerate() if t.name.startswith("localcloud")], threading.enumerate()
with LocalCloud() as cloud:
    print(cloud.client("sts").get_caller_identity()["Account"])
"""
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert finished.stdout.strip() == "123456789012", finished.stderr


_LIFE = """
import threading, time, os, sys, pathlib
sys.path.insert(0, os.getcwd())
from localcloud.cloud import LocalCloud
for attempt in range(2):
    with LocalCloud() as cloud:
        assert cloud.client("s3").list_buckets()["Buckets"] == [], "the last cloud's buckets are here"
        cloud.client("s3").create_bucket(Bucket="leftover")
        import io, zipfile, json
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", "import os, time\\nhandler = lambda event, _: time.sleep(event) or os.getpid()")
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                 "Principal": {"Service": "lambda.amazonaws.com"}}]}
        role = cloud.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        functions = cloud.client("lambda")
        functions.create_function(FunctionName="f", Runtime="python3.14", Handler="app.handler", Role=role, Timeout=60,
                                  Code={"ZipFile": buffer.getvalue()})
        pid = int(functions.invoke(FunctionName="f", Payload=b"0")["Payload"].read())
        functions.invoke(FunctionName="f", Payload=b"59", InvocationType="Event")
        time.sleep(0.3)
        folder, began = cloud.work_dir, time.monotonic()
    assert time.monotonic() - began < 30, "stopping took too long"
    assert not folder.exists(), "the work folder is left"
    try:
        os.kill(pid, 0)
        raise SystemExit("a worker is left")
    except ProcessLookupError:
        pass
    time.sleep(0.2)
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith(("localcloud", "waitress"))]
    assert not left, left
print("clean")
"""


def test_stopping_leaves_no_process_thread_file_or_state():
    """In a process of its own, because this one's cloud runs on."""
    finished = subprocess.run([sys.executable, "-c", _LIFE], capture_output=True, text=True, timeout=300, check=False)
    assert finished.stdout.strip() == "clean", finished.stderr


def test_requests_are_answered_side_by_side(cloud):
    """More clients than processors: none waits for another's long poll."""
    url = cloud.client("sqs").create_queue(QueueName="side-by-side")["QueueUrl"]
    answered = []

    def wait():
        cloud.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1)
        answered.append(1)

    threads = [threading.Thread(target=wait) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answered) == 16
