"""The local cloud's InvokeEndpoint against what it is made of: the container, and boto3."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from bench import recorded_day
from bench.cloud import ENDPOINT, Cloud
from bench.comparison import Comparison
from bench.connection import Connection
from bench.rounds import Rounds, Tell, seconds_of, take_turns
from bench.servers import constant_server

ROUNDS = 7
CALLS = 50
CLOUD, DIRECT, BOTO3 = "InvokeEndpoint through the local cloud", "a POST to the container", "boto3 to a constant server"
GROUP = "InvokeEndpoint, latency"


def measure(cloud: Cloud, folder: Path, tell: Tell) -> list[Comparison]:
    """Compare latencies of one request at a time."""
    body = recorded_day.bodies()[0]
    with ExitStack() as stack:
        constant = stack.enter_context(constant_server(folder / "constant.log"))
        direct = stack.enter_context(Connection(cloud.container_port(), body.request()))
        through, bare = (cloud.client("sagemaker-runtime", url) for url in (None, f"http://127.0.0.1:{constant}"))
        actions = {
            CLOUD: lambda: _invoke(through, body),
            DIRECT: direct.post,
            BOTO3: lambda: _invoke(bare, body),
        }
        measures = {name: partial(seconds_of, action) for name, action in actions.items()}
        return _comparisons(take_turns(ROUNDS, CALLS, measures, lambda text: tell(f"InvokeEndpoint: {text}")))


def _invoke(client: Any, body: recorded_day.Body) -> None:
    answer = client.invoke_endpoint(EndpointName=ENDPOINT, ContentType=body.media, Accept=body.media, Body=body.content)
    answer["Body"].read()


def _comparisons(rounds: Rounds) -> list[Comparison]:
    details = {f"{name}, milliseconds": rounds.median(name) * 1000 for name in rounds.values}
    both = rounds.combine(lambda each: each[CLOUD] / (each[DIRECT] + each[BOTO3]))
    cases = [
        (DIRECT, rounds.ratios(CLOUD, DIRECT), "what boto3, signing and the local cloud add to the model's own answer"),
        (BOTO3, rounds.ratios(CLOUD, BOTO3), "what the local cloud and the model add to boto3's own cost"),
        ("these two together", both, "1 x would be a local cloud that costs nothing itself"),
    ]
    return [
        Comparison(
            group=GROUP,
            subject=CLOUD,
            peer=peer,
            style="multiple",
            rounds=ratios,
            meaning=f"InvokeEndpoint takes {{ratio}} as long as {peer}: {what}.",
            details=details,
        )
        for peer, ratios, what in cases
    ]
