"""Serverless caches with a real client: TLS, tokens of IAM, access strings, faults, the end."""

import json
import socket
import ssl
import time

import pytest
import valkey
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from localcloud.services.caches.engine import server_program
from tests.localcloud.caches import CacheBench, MadeCache, allowed, token, untrusting
from tests.localcloud.conftest import Workshop, eventually


@pytest.fixture(scope="module")
def bench(cloud: LocalCloud, workshop: Workshop) -> CacheBench:
    if server_program() is None:
        pytest.skip("this machine has no server for caches")
    return CacheBench(cloud, workshop)


@pytest.fixture(scope="module")
def cache(bench: CacheBench) -> MadeCache:
    return bench.make()


@pytest.fixture(scope="module")
def password(bench: CacheBench, cache: MadeCache) -> str:
    return bench.role_token(cache, allowed(*cache.arns))


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_cache_becomes_available_with_an_address(cloud: LocalCloud, bench: CacheBench, cache: MadeCache) -> None:
    shown = bench.cache(cache.name)
    assert shown["ARN"] == f"arn:aws:elasticache:us-east-1:{cloud.account}:serverlesscache:{cache.name}"
    assert shown["Endpoint"] == shown["ReaderEndpoint"] == {"Address": "127.0.0.1", "Port": cache.port}
    assert (shown["Engine"], shown["MajorEngineVersion"]) == ("valkey", "8")
    assert bench.group(shown["UserGroupId"])["ServerlessCaches"] == [cache.name]


@pytest.mark.parametrize("protocol", [2, 3])
def test_values_are_set_read_and_expire(bench: CacheBench, cache: MadeCache, password: str, protocol: int) -> None:
    with bench.client(cache, password, protocol=protocol) as client:
        assert client.set("p:1", b"\x00\r\nvalue", px=300)
        assert client.get("p:1") == b"\x00\r\nvalue"
        eventually(lambda: client.get("p:1") is None)
        large = b"x" * 3_000_000
        client.set("p:large", large, ex=60)
        assert client.get("p:large") == large


def test_pipelines_keep_their_order(bench: CacheBench, cache: MadeCache, password: str) -> None:
    with bench.client(cache, password) as client:
        pipeline = client.pipeline(transaction=False)
        for number in range(200):
            pipeline.set(f"p:{number}", number, ex=60).get(f"p:{number}")
        assert pipeline.execute()[1::2] == [b"%d" % number for number in range(200)]


def test_keys_of_one_command_must_share_a_slot(bench: CacheBench, cache: MadeCache, password: str) -> None:
    with bench.client(cache, password) as client:
        assert client.mget("p:{a}1", "p:{a}2") == [None, None]
        with pytest.raises(valkey.ResponseError, match=r"CROSSSLOT|slot"):
            client.mget("p:1", "p:2")


def test_commands_and_keys_beyond_the_access_string(bench: CacheBench, cache: MadeCache, password: str) -> None:
    with bench.client(cache, password) as client:
        with pytest.raises(valkey.exceptions.NoPermissionError):
            client.delete("p:1")
        with pytest.raises(valkey.exceptions.NoPermissionError):
            client.get("other")
        assert client.ping()


def test_the_administrator_may_connect(bench: CacheBench, cache: MadeCache) -> None:
    with bench.client(cache, token(cache, Credentials("localadmin", "localadmin"))) as client:
        assert client.ping()


def refused(bench: CacheBench, cache: MadeCache, password: str, **settings: str) -> bool:
    with bench.client(cache, password, **settings) as client, pytest.raises(valkey.AuthenticationError) as error:
        client.ping()
    return "invalid" in str(error.value)


def test_tokens_that_do_not_hold(bench: CacheBench, cache: MadeCache, password: str) -> None:
    may = allowed(*cache.arns)
    assert refused(bench, cache, "nonsense")
    assert refused(bench, cache, password[:-1] + ("0" if password[-1] != "0" else "1"))
    assert refused(bench, cache, password.replace("X-Amz-Expires=900", "X-Amz-Expires=800"))
    assert refused(bench, cache, bench.role_token(cache, may, seconds=901))
    assert refused(bench, cache, bench.role_token(cache, may, host="other-cache"))
    assert refused(bench, cache, bench.role_token(cache, may, user="somebody"))
    assert refused(bench, cache, token(cache, Credentials("localadmin", "guessed")))
    assert refused(bench, cache, token(cache, Credentials("AKIAUNKNOWN", "secret")))


def test_a_token_expires(bench: CacheBench, cache: MadeCache) -> None:
    brief = bench.role_token(cache, allowed(*cache.arns), seconds=2)
    with bench.client(cache, brief) as client:
        assert client.ping()
        time.sleep(2.1)
        assert client.ping()  # the connection stays
    assert refused(bench, cache, brief)


def test_a_role_must_be_allowed_both_cache_and_user(bench: CacheBench, cache: MadeCache) -> None:
    on_cache, on_user = cache.arns
    assert refused(bench, cache, bench.role_token(cache))
    assert refused(bench, cache, bench.role_token(cache, allowed(on_cache)))
    assert refused(bench, cache, bench.role_token(cache, allowed(on_user)))
    denied = {"Effect": "Deny", "Action": "elasticache:Connect", "Resource": on_user}
    assert refused(bench, cache, bench.role_token(cache, allowed("*"), denied))


def test_a_user_must_be_in_the_caches_group(bench: CacheBench, cache: MadeCache) -> None:
    outsider = bench.user()
    assert refused(bench, cache, bench.role_token(cache, allowed("*"), user=outsider), username=outsider)


def test_nothing_is_answered_without_authentication(bench: CacheBench, cache: MadeCache) -> None:
    with (
        bench.client(cache, "", username="") as client,
        pytest.raises(valkey.AuthenticationError, match="Authentication required"),
    ):
        client.get("p:1")


def test_the_certificate_is_trusted_by_what_functions_get_alone(bench: CacheBench, cache: MadeCache) -> None:
    with socket.create_connection(("127.0.0.1", cache.port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        untrusting().wrap_socket(plain, server_hostname="127.0.0.1")
    trusting = ssl.create_default_context(cafile=bench.trusted()["ssl_ca_certs"])
    for name in ("127.0.0.1", "localhost"):
        with socket.create_connection(("127.0.0.1", cache.port)) as plain:
            trusting.wrap_socket(plain, server_hostname=name).close()
    with socket.create_connection(("127.0.0.1", cache.port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        trusting.wrap_socket(plain, server_hostname="elsewhere")


def test_clients_in_cluster_mode_find_one_node(bench: CacheBench) -> None:
    made = bench.make("on ~* +@all")
    login = {"username": made.user, "password": bench.role_token(made, allowed(*made.arns))}
    with valkey.ValkeyCluster("127.0.0.1", made.port, ssl=True, **login, **bench.trusted()) as client:
        assert [(node.host, node.port) for node in client.get_nodes()] == [("127.0.0.1", made.port)]
        assert client.mset_nonatomic({"a": 1, "b": 2})
        assert client.mget_nonatomic("a", "b") == [b"1", b"2"]
    with bench.client(made, login["password"]) as one:
        for command in ("CONFIG GET *", "ACL LIST", "SHUTDOWN", "CLUSTER RESET"):
            with pytest.raises(valkey.ResponseError, match=r"(?i)unknown"):
                one.execute_command(*command.split())
        assert one.ping()


def test_a_cache_without_a_group_lets_everybody_in(cloud: LocalCloud, bench: CacheBench, workshop: Workshop) -> None:
    name = workshop.name("open")
    cloud.client("elasticache").create_serverless_cache(ServerlessCacheName=name, Engine="valkey")
    port = eventually(lambda: bench.available(name))["Endpoint"]["Port"]
    with bench.client(MadeCache(name, "", ("", ""), port), "", username=None) as client:
        assert client.set("any", 1)


def test_an_access_string_changes_for_connections_that_are_there(cloud: LocalCloud, bench: CacheBench) -> None:
    made = bench.make()
    with bench.client(made, bench.role_token(made, allowed(*made.arns))) as client:
        client.set("p:1", 1)
        cloud.client("elasticache").modify_user(UserId=made.user, AccessString="on ~p:* -@all +get +ping")
        assert client.get("p:1") == b"1"
        with pytest.raises(valkey.exceptions.NoPermissionError):
            client.set("p:1", 2)


def test_a_deleted_user_loses_its_connections(cloud: LocalCloud, bench: CacheBench) -> None:
    made = bench.make()
    right = bench.role_token(made, allowed(*made.arns))
    with bench.client(made, right) as client:
        assert client.ping()
        cloud.client("elasticache").delete_user(UserId=made.user)
        with pytest.raises((valkey.AuthenticationError, valkey.ConnectionError)):
            client.ping()
    assert refused(bench, made, right)


def test_deleting_a_cache_ends_connections(cloud: LocalCloud, bench: CacheBench) -> None:
    made, api = bench.make(), cloud.client("elasticache")
    group = bench.cache(made.name)["UserGroupId"]
    with bench.client(made, bench.role_token(made, allowed(*made.arns))) as client:
        assert client.ping()
        with pytest.raises(ClientError) as in_use:
            api.delete_user_group(UserGroupId=group)
        assert code(in_use) == "InvalidUserGroupState"
        assert api.delete_serverless_cache(ServerlessCacheName=made.name)["ServerlessCache"]["Status"] == "deleting"
        eventually(lambda: not _answers(client))
    eventually(lambda: made.name not in str(api.describe_serverless_caches()))
    with pytest.raises(ClientError) as gone:
        bench.cache(made.name)
    assert code(gone) == "ServerlessCacheNotFoundFault"
    api.delete_user_group(UserGroupId=group)


def _answers(client: valkey.Valkey) -> bool:
    try:
        return bool(client.ping())
    except valkey.ConnectionError:
        return False


def test_a_killed_cache_refuses_and_comes_back_empty(cloud: LocalCloud, bench: CacheBench) -> None:
    made = bench.make()
    with bench.client(made, bench.role_token(made, allowed(*made.arns))) as client:
        client.set("p:1", 1)
        back = cloud.faults.caches.kill(made.name)
        with pytest.raises(valkey.ConnectionError):
            client.get("p:1")
        with pytest.raises(valkey.ConnectionError, match="refused"):
            client.get("p:1")
        back()
        assert client.get("p:1") is None


def test_a_hanging_cache_connects_and_does_not_answer(cloud: LocalCloud, bench: CacheBench, cache: MadeCache) -> None:
    password = bench.role_token(cache, allowed(*cache.arns))
    with bench.client(cache, password) as client, bench.client(cache, password) as waiting:
        client.set("p:kept", 1)
        cloud.faults.caches.hang(cache.name)
        impatient = bench.client(cache, password, socket_timeout=0.3)
        with impatient as third, pytest.raises(valkey.TimeoutError):
            third.get("p:kept")
        cloud.faults.clear()
        assert waiting.get("p:kept") == b"1"


def test_what_is_wrong_is_refused_with_aws_codes(cloud: LocalCloud, bench: CacheBench, cache: MadeCache) -> None:
    api, user = cloud.client("elasticache"), bench.user()
    new = {"UserName": user, "Engine": "valkey", "AccessString": "on ~* +@all", "AuthenticationMode": {"Type": "iam"}}
    wrong = [
        ("UserAlreadyExists", api.create_user, {**new, "UserId": user}),
        ("InvalidParameterValue", api.create_user, {**new, "UserId": "another-name"}),
        ("InvalidParameterValue", api.create_user, {**new, "UserId": "u-1", "UserName": "u-1", "AccessString": "+foo"}),
        (
            "InvalidParameterValue",
            api.create_user,
            {**new, "UserId": "u", "UserName": "u", "AccessString": "on nopass"},
        ),
        ("NotSimulated", api.create_user, {**new, "AuthenticationMode": {"Type": "password", "Passwords": ["x" * 16]}}),
        ("NotSimulated", api.create_user, {**new, "Engine": "redis"}),
        ("UserNotFound", api.describe_users, {"UserId": "nobody"}),
        ("UserNotFound", api.create_user_group, {"UserGroupId": "g", "Engine": "valkey", "UserIds": ["nobody"]}),
        ("UserGroupNotFound", api.delete_user_group, {"UserGroupId": "none"}),
        ("NotSimulated", api.modify_user_group, {"UserGroupId": "none", "UserIdsToAdd": ["x"]}),
        ("InvalidParameterValue", api.create_serverless_cache, {"ServerlessCacheName": "1x", "Engine": "valkey"}),
        ("NotSimulated", api.create_serverless_cache, {"ServerlessCacheName": "x", "Engine": "memcached"}),
        (
            "ServerlessCacheAlreadyExistsFault",
            api.create_serverless_cache,
            {"ServerlessCacheName": cache.name, "Engine": "valkey"},
        ),
        ("NotSimulated", api.describe_cache_clusters, {}),
    ]
    for expected, call, params in wrong:
        with pytest.raises(ClientError) as error:
            call(**{"UserId": user, **params} if call == api.create_user else params)
        assert code(error) == expected, json.dumps(params)


def test_the_last_answer_comes_before_the_end(bench: CacheBench, cache: MadeCache) -> None:
    trusting = ssl.create_default_context(cafile=bench.trusted()["ssl_ca_certs"])
    with (
        socket.create_connection(("127.0.0.1", cache.port), timeout=5) as plain,
        trusting.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        secured.sendall(b"PING\r\n*1\r\n$4\r\nQUIT\r\n")
        received = b""
        while chunk := secured.recv(1000):
            received += chunk
    assert received == b"-NOAUTH Authentication required.\r\n+OK\r\n"


def test_a_client_that_speaks_something_else_is_cut_off(bench: CacheBench, cache: MadeCache) -> None:
    trusting = ssl.create_default_context(cafile=bench.trusted()["ssl_ca_certs"])
    for nonsense in (b"*1\r\n+PING\r\n", b"*-5\r\n", b"*1\r\n$99999999999\r\n", b"x" * 200_000):
        with (
            socket.create_connection(("127.0.0.1", cache.port), timeout=5) as plain,
            trusting.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
        ):
            assert _cuts_off(secured, nonsense), nonsense[:20]


def _cuts_off(connection: ssl.SSLSocket, said: bytes) -> bool:
    """Return whether the other side ends the connection, be it while there is more to be said."""
    try:
        connection.sendall(said)
        return not connection.recv(1000)
    except (ConnectionError, ssl.SSLError):
        return True
