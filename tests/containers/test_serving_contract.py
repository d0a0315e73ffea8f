"""SageMaker's contract with a container, held by the real server process."""

import os
import threading
import time

from model_containers.training import replay

COLD_DAY, *MORE_COLD_DAYS = replay.rows(8_000, 8_060)
HOT_DAY = max(replay.rows(8_060, 8_400), key=lambda line: float(line.split(",")[6]))


def in_background(action):
    """Run an action on a thread; return what joins it and gives its result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(action()), daemon=True)
    thread.start()

    def finish():
        thread.join(120)
        return results[0]

    return finish


def busy(server, times=1):
    """Send a request that takes the bad version a good while, and wait until it is being worked on."""
    finish = in_background(lambda: server.invoke("\n".join([COLD_DAY, *MORE_COLD_DAYS] * times)))
    server.wait_until(lambda: b"requests_in_flight 1" in server.get("/metrics").body)
    return finish


def test_not_healthy_until_the_model_is_loaded(start, unpacked):
    model_dir = unpacked("1.0.0")
    signature = (model_dir / "signature.json").read_bytes()
    (model_dir / "signature.json").unlink()
    os.mkfifo(model_dir / "signature.json")  # reading it blocks until somebody writes

    server = start(model_dir)
    assert server.get("/ping").status == 503
    refused = server.invoke(COLD_DAY)
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")

    (model_dir / "signature.json").write_bytes(signature)
    assert server.ready().invoke(COLD_DAY).status == 200


def test_socket_answers_soon_after_the_start(start, unpacked):
    began = time.monotonic()
    start(unpacked("1.0.0")).get("/ping")

    # SageMaker gives the socket 250 ms; a busy test machine gets more.
    assert time.monotonic() - began < 10


def test_a_model_that_fails_is_a_500_and_the_next_request_is_answered(start, unpacked):
    server = start(unpacked("1.2.0")).ready()

    failed = server.invoke(HOT_DAY)
    assert failed.status == 500
    assert failed.json["title"] == "model failed"
    assert "Gather" in str(failed.json["detail"])
    assert server.invoke(COLD_DAY).status == 200
    assert any(line["level"] == "ERROR" and line["message"] == "model failed" for line in server.lines())


def test_ping_answers_while_the_model_computes(start, unpacked):
    server = start(unpacked("1.2.0")).ready()
    finish = busy(server)

    began = time.monotonic()
    assert server.get("/ping").status == 200
    assert time.monotonic() - began < 10
    assert finish().status == 200


def test_accepted_requests_are_answered_after_sigterm_and_new_ones_are_not(start, unpacked):
    server = start(unpacked("1.2.0"), TIDEGATE_LAME_DUCK_SECONDS="0", TIDEGATE_DRAIN_SECONDS="29").ready()
    finish = busy(server, times=5)  # longer than a server alone would wait

    server.terminate()
    server.wait_until(lambda: server.get("/ping").status == 503)
    refused = server.invoke(COLD_DAY)

    assert refused.status == 503
    assert refused.headers["connection"] == "close"
    assert len(finish().json["predictions"]) == 300
    assert server.exit_status() == 0


def test_idle_server_ends_promptly_on_sigterm(start, unpacked):
    server = start(unpacked("1.0.0")).ready()

    began = time.monotonic()
    server.terminate()

    assert server.exit_status() == 0
    assert time.monotonic() - began < 20


def test_rows_beyond_what_can_wait_are_refused(start, unpacked):
    server = start(unpacked("1.2.0"), TIDEGATE_MAX_ROWS="100", TIDEGATE_MAX_QUEUE_ROWS="100").ready()
    finish = busy(server)

    refused = server.invoke("\n".join(MORE_COLD_DAYS))

    assert refused.status == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert "60 rows are waiting already" in str(refused.json["detail"])
    assert b'shed_total{reason="queue_rows"} 1' in server.get("/metrics").body
    assert finish().status == 200


def test_requests_that_cannot_be_answered_in_time_are_refused_at_once(start, unpacked):
    server = start(unpacked("1.2.0"), TIDEGATE_DEADLINE_SECONDS="0.5").ready()
    finish = busy(server, times=5)

    refused = server.invoke("\n".join(MORE_COLD_DAYS))

    assert refused.status == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert "deadline" in str(refused.json["detail"]) or "is of no use after 0.5 s" in str(refused.json["detail"])
    assert finish().status == 503  # it could not be done in time either


def test_a_model_that_hangs_is_unhealthy(start, unpacked):
    server = start(unpacked("1.2.0"), TIDEGATE_STUCK_SECONDS="0.05").ready()
    finish = busy(server)

    server.wait_until(lambda: server.get("/ping").status == 503)

    assert server.get("/ping").body == b"stuck"
    assert finish().status == 200
    server.wait_until(lambda: server.get("/ping").status == 200)


def test_oversized_body_is_refused(start, unpacked):
    server = start(unpacked("1.0.0"), TIDEGATE_MAX_BODY_BYTES="1000").ready()

    refused = server.invoke(b"1," * 1_500)

    assert refused.status == 413
    assert "1000 bytes" in str(refused.json["detail"])
    assert server.invoke(COLD_DAY).status == 200


def test_what_is_refused_before_it_is_read_is_counted(start, unpacked):
    server = start(unpacked("1.0.0"), TIDEGATE_MAX_BODY_BYTES="1000").ready()
    before = server.get("/metrics").body.decode()
    assert "predictions_total{" not in before  # the warm-up is nobody's request

    assert server.invoke(b"1," * 1_500).status == 413

    assert 'tidegate_requests_total{status="413"} 1' in server.get("/metrics").body.decode()


def test_an_encoded_body_is_refused_by_name(bootstrap):
    refused = bootstrap.invoke(b"\x1f\x8b", Content_Encoding="gzip")

    assert refused.status == 415
    assert "Content-Encoding is gzip; send the body as it is" in str(refused.json["detail"])


def test_a_setting_that_is_none_is_warned_of(start, unpacked):
    server = start(unpacked("1.0.0"), TIDEGATE_DEADLINE="5").ready()

    assert any(line.get("variables") == ["TIDEGATE_DEADLINE"] for line in server.lines())


def test_a_port_that_is_taken_is_named(bootstrap, start, unpacked):
    server = start(unpacked("1.0.0"), SAGEMAKER_BIND_TO_PORT=str(bootstrap.port))

    assert server.exit_status() == 2
    assert f"port {bootstrap.port} cannot be listened on" in str(server.lines()[-1]["message"])


def test_custom_attributes_and_inference_id_come_back(bootstrap):
    sent = {"X_Amzn_SageMaker_Custom_Attributes": "trace=7", "X_Amzn_SageMaker_Inference_Id": "abc"}

    for body, status in ((COLD_DAY, 200), ("", 400)):
        reply = bootstrap.invoke(body, **sent)
        assert reply.status == status
        assert reply.headers["x-amzn-sagemaker-custom-attributes"] == "trace=7"
        assert reply.headers["x-amzn-sagemaker-inference-id"] == "abc"


def test_unknown_paths_and_methods_are_refused(bootstrap):
    assert bootstrap.get("/admin").status == 404
    assert bootstrap.get("/invocations").status == 405


def test_metrics_count_answers_by_status(start, unpacked):
    server = start(unpacked("1.0.0")).ready()
    server.invoke(COLD_DAY)
    server.invoke("")

    exposition = server.get("/metrics").body.decode()

    assert 'tidegate_requests_total{status="200"} 1' in exposition
    assert 'tidegate_requests_total{status="400"} 1' in exposition
    assert 'tidegate_request_seconds_count{status_class="2xx"} 1' in exposition
    assert "tidegate_requests_in_flight 0" in exposition


def test_falls_back_to_the_cpu_with_a_warning(bootstrap):
    assert any(line["level"] == "WARNING" and "no GPU" in str(line["message"]) for line in bootstrap.lines())


def test_unusable_setting_is_named(start, unpacked):
    server = start(unpacked("1.0.0"), TIDEGATE_DEVICE="tpu")

    assert server.exit_status() == 2
    assert server.lines()[-1]["message"] == "TIDEGATE_DEVICE is 'tpu'; allowed is one of auto, gpu, cpu"
