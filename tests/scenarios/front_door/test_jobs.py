"""Jobs through the API: taken in once, answered, and shown to nobody else."""

from typing import Any

import pytest

from tests.scenarios.front_door.door import JSON, ROW, Answer, Door, wait_for


def start(door: Door, client: str, row: list[float], **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return door.send("POST", "/jobs", {"instances": [row]}, JSON | door.key(client) | named)


def look(door: Door, client: str, identity: str) -> Answer:
    return door.send("GET", f"/jobs/{identity}", headers=door.key(client))


def ended(door: Door, client: str, identity: str) -> dict[str, Any]:
    def end() -> Any:
        answer = look(door, client, identity)
        assert answer.status == 200, answer.body
        return answer.json if answer.json["status"] in ("done", "failed") else None

    found: dict[str, Any] = wait_for(end, f"job {identity}")
    return found


def test_a_job_is_answered_as_a_prediction_is(keyed: Door) -> None:
    taken = start(keyed, "shop", ROW)
    assert taken.status == 202, taken.body
    job = taken.json["id"]
    assert taken.json == {"id": job, "status": "queued"}
    assert taken.headers["Location"] == f"jobs/{job}"
    assert int(taken.headers["Retry-After"]) > 0
    assert "Idempotency-Replayed" not in taken.headers
    done = ended(keyed, "shop", job)
    assert (done["id"], done["status"]) == (job, "done")
    assert done["predictions"] == keyed.predict(keyed.key("shop")).json["predictions"]


def test_what_is_sent_again_is_the_same_job(keyed: Door) -> None:
    first = start(keyed, "shop", ROW, Idempotency_Key="order-1")
    again = start(keyed, "shop", ROW, Idempotency_Key="order-1")
    assert (first.status, again.status) == (202, 202), again.body
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json["id"] == again.json["id"]
    ended(keyed, "shop", first.json["id"])
    late = start(keyed, "shop", ROW, Idempotency_Key="order-1")
    assert (late.json["id"], late.headers["Idempotency-Replayed"]) == (first.json["id"], "true")


def test_the_same_key_for_something_else_is_a_conflict(keyed: Door) -> None:
    job = start(keyed, "shop", ROW, Idempotency_Key="order-2").json["id"]
    others = [
        start(keyed, "shop", [*ROW[:-1], 31], Idempotency_Key="order-2"),
        start(keyed, "shop", ROW, Idempotency_Key="order-2", Tidegate_Subject="bob"),
        start(keyed, "shop", ROW, Idempotency_Key="order-2", Tidegate_Caller="bob"),
    ]
    for other in others:
        assert job in other.problem(409, "conflict")["detail"]


def test_a_key_is_the_clients_own(keyed: Door) -> None:
    mine, theirs = (start(keyed, client, ROW, Idempotency_Key="order-3") for client in ("shop", "lab"))
    assert (mine.status, theirs.status) == (202, 202)
    assert mine.json["id"] != theirs.json["id"]


def test_another_clients_job_is_no_job(keyed: Door) -> None:
    job = start(keyed, "shop", ROW).json["id"]
    refused = look(keyed, "lab", job).problem(404, "not-found")
    nothing = look(keyed, "lab", "0" * 32).problem(404, "not-found")
    assert refused["detail"] == nothing["detail"], "nobody learns which jobs there are"
    assert look(keyed, "shop", job).status == 200


@pytest.mark.parametrize("client", ["shop", "lab"])
def test_nobody_chooses_who_answers_a_job(keyed: Door, client: str) -> None:
    refused = start(keyed, client, ROW, Tidegate_Target_Variant="blue")
    status, slug = (403, "forbidden") if client == "shop" else (400, "invalid-header")
    assert "Tidegate-Target-Variant" in refused.problem(status, slug)["detail"]


def test_a_bad_row_becomes_no_job(keyed: Door) -> None:
    refused = start(keyed, "shop", [*ROW[:-1], 9999], Idempotency_Key="order-4").problem(422, "invalid-input")
    assert refused["errors"][0]["column"] == "minimum_temperature"
    mended = start(keyed, "shop", ROW, Idempotency_Key="order-4")
    assert (mended.status, "Idempotency-Replayed" in mended.headers) == (202, False), "the key was not used up"
