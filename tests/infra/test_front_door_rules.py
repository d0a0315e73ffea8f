"""A front door that its endpoint cannot have is refused, under the name of the field that asks too much."""

from typing import Any

import pytest
import yaml

from stacks.config import ENVIRONMENTS, ConfigError, load_environment

KEYED: dict[str, Any] = {"auth": "api_key", "clients": [{"name": "shop"}]}
ROLE = "arn:aws:iam::123456789012:role/shop"
BY_IAM: dict[str, Any] = {"auth": "iam", "clients": [{"name": "shop", "identity": ROLE}]}
TOKENS: dict[str, Any] = {"issuer": "https://login.example.com", "audience": "rain"}
BY_TOKEN: dict[str, Any] = {
    "auth": "jwt",
    "tokens": TOKENS,
    "clients": [{"name": "shop", "identity": "shop-backend"}],
}
NETWORK: dict[str, Any] = {"vpc": "vpc-01234567", "subnets": ["subnet-01234567", "subnet-0123456789abcdef0"]}
IN_MEMORY = KEYED | {"cache": {"seconds": 9, "store": "valkey"}, "network": NETWORK}
READY = {"least": 2, "most": 10}
HOURS = {"begin": "08:00", "end": "18:00", "least": 5}


def load(folder, door: dict[str, Any]):
    """Read dev's file with a front door."""
    body = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    body["endpoints"][0]["front_door"] = {name: value for name, value in door.items() if value is not ...}
    (folder / "dev.yaml").write_text(yaml.safe_dump(body))
    return load_environment("dev", folder)


def problems(folder, door: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, door)
    return [str(problem) for problem in caught.value.problems]


def clients(*changes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": "shop", **change} for change in changes]


def hours(**changes: Any) -> dict[str, Any]:
    return {"provisioned": {**READY, "working_hours": {**HOURS, **changes}}}


RULES: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    (
        BY_TOKEN,
        {"tokens": ...},
        "tokens: nothing",
        "callers bring tokens. Way out: add tokens: with issuer and audience",
    ),
    (KEYED, {"tokens": TOKENS}, "tokens: 'https://login.example.com'", "nobody brings one. Way out: remove tokens:"),
    (BY_IAM, {"tokens": TOKENS}, "tokens: 'https://login.example.com'", "with auth: iam nobody brings one"),
    (KEYED, {"clients": clients({}, {})}, "clients[1].name: 'shop'", "another client has that name. Way out: choose"),
    (KEYED, {"clients": clients({"identity": "x"})}, "clients[0].identity: 'x'", "Way out: remove identity:"),
    (BY_IAM, {"clients": clients({})}, "clients[0].identity: nothing", "Way out: add the ARN of its role or user"),
    (BY_TOKEN, {"clients": clients({})}, "clients[0].identity: nothing", "Way out: add the value of the client claim"),
    (
        BY_TOKEN,
        {"clients": [*clients({"identity": "x"}), {"name": "other", "identity": "x"}]},
        "clients[1].identity: 'x'",
        "another client is known by it. Way out: choose another",
    ),
    (
        BY_IAM,
        {"clients": clients({"identity": ROLE, "monthly_requests": 9})},
        "clients[0].monthly_requests: 9",
        "nothing counts their requests. Way out: remove it, or use api_key",
    ),
    (KEYED, {"provisioned": READY, "keep_warm": True}, "keep_warm: True", "Way out: remove keep_warm:"),
    (KEYED, {"provisioned": {"least": 3, "most": 2}}, "provisioned.least: 3", "at most 2 are kept ready"),
    (KEYED, hours(least=1), "provisioned.working_hours.least: 1", "from 2 (least) to 10 (most). Way out: change it"),
    (KEYED, hours(least=11), "provisioned.working_hours.least: 11", "from 2 (least) to 10 (most)"),
    (KEYED, hours(end="08:00"), "provisioned.working_hours.end: '08:00'", "Way out: write a time after 08:00"),
    (
        KEYED,
        hours(time_zone="Europe/Entenhausen"),
        "provisioned.working_hours.time_zone: 'Europe/Entenhausen'",
        "Way out: write one such as Europe/Berlin, or UTC",
    ),
    (
        KEYED,
        {"cache": {"seconds": 60, "stale_seconds": 59}},
        "cache.stale_seconds: 59",
        "fresh for 60 s (cache.seconds), and no shorter kept. Way out: raise it to 60",
    ),
    (
        KEYED,
        {"cache": {"seconds": 9, "store": "valkey"}},
        "network: nothing",
        "reached from within a VPC only. Way out: add network: with vpc and subnets",
    ),
    (KEYED, {"network": NETWORK}, "network: 'vpc-01234567'", "only a cache in memory"),
    (KEYED, {"network": NETWORK, "cache": {"seconds": 9}}, "network: 'vpc-01234567'", "Way out: remove network:"),
    (
        KEYED,
        {"cache": {"seconds": 9, "valkey_gigabytes": 2}},
        "cache.valkey_gigabytes: 2",
        "answers are kept in dynamodb. Way out: remove it, or write store: valkey",
    ),
    (
        KEYED,
        {"cache": {"seconds": 9, "valkey_units_per_second": 2000}},
        "cache.valkey_units_per_second: 2000",
        "limits",
    ),
    (IN_MEMORY, {"network": NETWORK | {"subnets": ["subnet-01234567"]}}, "network.subnets: [", "2 subnets or more"),
    (
        IN_MEMORY,
        {"network": NETWORK | {"subnets": ["subnet-01234567"] * 2}},
        "network.subnets[1]: 'subnet-01234567'",
        "twice. Way out: write another",
    ),
    (KEYED, {"default_answer": "[0]"}, "default_answer: '[0]'", "it must be a JSON object"),
    (KEYED, {"default_answer": "{rain: 0}"}, "default_answer: '{rain: 0}'", "Way out: write it like '{\"rain\": 0}'"),
    (
        KEYED,
        {"segments": [{"attribute": "tenant", "values": ["a"], "send": "live"}]},
        "segments[0].attribute: 'tenant'",
        "attributes client, caller. Way out: name one of them, or add it to tokens.attributes",
    ),
    (
        KEYED,
        {"jobs": {"attempts": 37, "keep_days": 1, "asynchronous": {}}},
        "jobs.attempts: 37",
        "wait 15 minutes each for an instance. Way out: lower it to 36, or raise jobs.keep_days",
    ),
    (
        KEYED,
        {"batch": {"payload_megabytes": 25, "concurrent": 5}},
        "batch.concurrent: 5",
        "must not exceed 100, says SageMaker. Way out: lower it, or payload_megabytes",
    ),
    (
        KEYED,
        {"batch": {"accept": "application/jsonlines", "serve": {}}},
        "batch.accept: 'application/jsonlines'",
        "joined to answers of the same kind only. Way out: write text/csv, or remove serve:",
    ),
    (
        KEYED,
        {"clients": clients({"name": "shop"}, {"name": "lab"}), "batch": {"serve": {}}},
        "batch.serve.clients: []",
        "gets the answer under any key, and there are several clients. Way out: name those that may: shop, lab",
    ),
    (
        KEYED,
        {"batch": {"serve": {"clients": ["nobody"]}}},
        "batch.serve.clients[0]: 'nobody'",
        "it is none of the clients. Way out: write one of",
    ),
    (
        BY_TOKEN,
        {
            "clients": clients(
                {"identity": "x"}, *({"name": f"c{n}", "identity": "y" * 240 + str(n)} for n in range(10))
            )
        },
        "clients: '",
        "may have 2500 bytes in all. Way out: make them fewer or shorter",
    ),
]


@pytest.mark.parametrize(("base", "change", "field", "said"), RULES, ids=lambda each: each if "[" in each else None)
def test_what_cannot_be_had_is_named_with_its_reason(tmp_path, base, change, field, said):
    (found,) = problems(tmp_path, base | change)
    assert found.startswith(f"endpoints[0].front_door.{field}"), found
    assert said in found
    assert ". Way out: " in found


FIELDS: list[tuple[str, Any, str]] = [
    ("auth", "basic", "one of api_key, iam, jwt"),
    ("auth", None, "choose one"),
    ("clients", [], "at least one entry"),
    ("clients", [{"name": "Shop"}], "write it like shop"),
    ("clients", [{"name": "a--b"}], "single hyphens"),
    ("clients", clients({"requests_per_second": 0}), "raise it to 1"),
    ("clients", clients({"burst": 5001}), "lower it to 5000"),
    ("clients", clients({"monthly_requests": 0}), "raise it to 1"),
    ("clients", clients({"identity": "a b"}), "an identity without spaces"),
    ("clients", clients({"tester": "yes"}), "true or false"),
    ("tokens", TOKENS | {"issuer": "http://login.example.com"}, "an https:// address"),
    ("tokens", TOKENS | {"jwks_url": "login.example.com"}, "an https:// address"),
    ("tokens", TOKENS | {"audience": "a b"}, "an audience without spaces"),
    ("tokens", TOKENS | {"client_claim": "1"}, "the name of an attribute"),
    ("tokens", TOKENS | {"tester_scope": ""}, "a scope"),
    ("tokens", {"issuer": "https://login.example.com"}, "it is required. Way out: add audience:"),
    ("requests_per_second", 10_001, "lower it to 10000"),
    ("burst", 0, "raise it to 1"),
    ("firewall_requests", 9, "raise it to 10"),
    ("timeout_seconds", 21, "lower it to 20"),
    ("largest_body_kilobytes", 4097, "lower it to 4096"),
    ("most_rows", 0, "raise it to 1"),
    ("memory_megabytes", 128, "raise it to 256"),
    ("provisioned", {"least": 0, "most": 1}, "raise it to 1"),
    ("provisioned", READY | {"utilisation_percent": 95}, "lower it to 90"),
    ("provisioned", hours(begin="8:00")["provisioned"], 'write it like "08:00"'),
    ("provisioned", hours(days=["Monday"])["provisioned"], "one of MON, TUE"),
    ("provisioned", hours(time_zone="CET 1")["provisioned"], "write it like Europe/Berlin"),
    ("cache", {"seconds": 0}, "raise it to 1"),
    ("cache", {"seconds": 9, "store": "redis"}, "one of dynamodb, valkey"),
    ("cache", {"seconds": 9, "store": "valkey", "valkey_gigabytes": 0}, "raise it to 1"),
    ("cache", {"seconds": 9, "store": "valkey", "valkey_units_per_second": 999}, "raise it to 1000"),
    ("network", NETWORK | {"vpc": "my-vpc"}, "write it like vpc-0123456789abcdef0"),
    ("network", NETWORK | {"subnets": ["subnet-1"]}, "write it like subnet-0123456789abcdef0"),
    ("network", NETWORK | {"subnets": []}, "at least one entry"),
    ("network", {"vpc": "vpc-01234567"}, "add subnets:"),
    ("breaker", {"failures": 0}, "raise it to 1"),
    ("breaker", {"open_seconds": 301}, "lower it to 300"),
    ("sticky", "no", "true or false"),
    ("segments", [{"attribute": "client", "values": [], "send": "live"}], "at least one entry"),
    ("segments", [{"attribute": "client", "values": ["shop"], "send": "canary"}], "one of live, candidate"),
    ("cors_origins", ["*"], "an origin: https:// and a host"),
    ("cors_origins", ["http://shop.example.com"], "an origin: https:// and a host"),
    ("cors_origins", ["https://shop.example.com/pages"], "an origin: https:// and a host"),
    ("jobs", {"attempts": 51}, "lower it to 50"),
    ("jobs", {"keep_days": 15}, "lower it to 14"),
    ("jobs", {"at_once": 1}, "raise it to 2"),
    ("stream", {"shards": 201}, "lower it to 200"),
    ("stream", {"batch_records": 10_001}, "lower it to 10000"),
    ("stream", {"window_seconds": 301}, "lower it to 300"),
    ("stream", {"keep_days": 366}, "lower it to 365"),
    ("batch", {"instance_type": "m5"}, "write it like ml.m5.large"),
    ("batch", {"instance_type": "ml.c5.large"}, "choose another: ml.c5 has xlarge, 2xlarge"),
    (
        "batch",
        {"instance_type": "ml.r5.large"},
        "a SageMaker instance type for Batch Transform, of one of the families",
    ),
    ("jobs", {"asynchronous": {"instance_type": "ml.c5.3xlarge"}}, "ml.c5 has large, xlarge, 2xlarge"),
    ("batch", {"schedule_hours": 0}, "raise it to 1"),
    ("batch", {"payload_megabytes": 26}, "lower it to 25"),
    ("batch", {"content_type": "text/xml"}, "one of text/csv, application/jsonlines"),
    ("batch", {"keep_days": 1}, "raise it to 2"),
    ("batch", {"serve": {"keep_days": 0}}, "raise it to 1"),
    ("audit", {"retention_days": 0}, "raise it to 1"),
    ("audit", {"redacted_columns": ["a,b"]}, "columns"),
    ("sitcky", True, "did you mean sticky?"),
]


@pytest.mark.parametrize(("field", "value", "said"), FIELDS)
def test_wrong_field_is_named_with_the_way_out(tmp_path, field, value, said):
    found = problems(tmp_path, KEYED | {field: value})
    assert any(each.startswith(f"endpoints[0].front_door.{field}") and said in each for each in found), found
    assert all(". Way out: " in each for each in found)


TAKEN: list[dict[str, Any]] = [
    KEYED,
    BY_IAM,
    BY_TOKEN,
    KEYED | {"keep_warm": True},
    KEYED | {"provisioned": {"least": 2, "most": 2}},
    KEYED | hours(least=2),
    KEYED | hours(least=10, end="08:01", time_zone="America/Argentina/Buenos_Aires"),
    KEYED | {"cache": {"seconds": 60, "stale_seconds": 60}},
    IN_MEMORY,
    KEYED | {"cache": {"seconds": 9, "store": "dynamodb"}},
    KEYED | {"default_answer": '{"rain": 0}'},
    KEYED | {"segments": [{"attribute": "client", "values": ["shop"], "send": "candidate"}]},
    BY_TOKEN
    | {
        "tokens": TOKENS | {"attributes": ["tenant"]},
        "segments": [{"attribute": "tenant", "values": ["a"], "send": "live"}],
    },
    KEYED | {"jobs": {"attempts": 36, "keep_days": 1, "asynchronous": {}}},
    KEYED | {"jobs": {"attempts": 50, "keep_days": 2, "asynchronous": {}}},
    KEYED | {"jobs": {"attempts": 50, "keep_days": 1}},
    KEYED | {"batch": {"schedule_hours": 24}},
    KEYED | {"batch": {"payload_megabytes": 25, "concurrent": 4}},
    KEYED | {"batch": {"content_type": "application/jsonlines", "accept": "application/jsonlines", "serve": {}}},
    KEYED | {"clients": [{"name": f"client-{number}", "tester": True} for number in range(20)]},
]


@pytest.mark.parametrize("door", TAKEN)
def test_what_can_be_had_is_taken(tmp_path, door):
    environment = load(tmp_path, door)
    assert environment.called == environment.endpoints


def test_settings_are_counted_in_bytes(tmp_path):
    """A text of characters that take two bytes each is twice as long in an environment variable."""

    def told(character: str) -> dict[str, Any]:
        return KEYED | {"segments": [{"attribute": "client", "values": [character * 1500], "send": "live"}]}

    assert load(tmp_path, told("u")).called
    (found,) = problems(tmp_path, told("ü"))
    assert "bytes in all" in found


def test_an_endpoint_without_a_front_door_is_called_on_sagemaker(tmp_path):
    body = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    body["endpoints"][0].pop("front_door", None)
    (tmp_path / "dev.yaml").write_text(yaml.safe_dump(body))
    assert load_environment("dev", tmp_path).called == ()
