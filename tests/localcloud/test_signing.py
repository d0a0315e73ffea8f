"""KMS's signatures: right for whoever has the public key, and under key permissions."""

import hashlib

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

MESSAGE = b"model 1.2.3 is sha256:abc"
RSA, CURVE = "RSASSA_PSS_SHA_256", "ECDSA_SHA_256"


@pytest.fixture(scope="module")
def kms(cloud):
    return cloud.client("kms")


@pytest.fixture(scope="module", params=[("RSA_2048", RSA), ("ECC_NIST_P256", CURVE)], ids=["rsa", "curve"])
def key(request, kms):
    spec, algorithm = request.param
    arn = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    return arn, algorithm


def test_a_signature_holds_outside_of_kms(kms, key):
    arn, algorithm = key
    signature = kms.sign(KeyId=arn, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]
    answer = kms.get_public_key(KeyId=arn)
    assert answer["KeyId"] == arn
    assert algorithm in answer["SigningAlgorithms"]
    public = load_der_public_key(answer["PublicKey"])
    sha = hashes.SHA256()
    if algorithm == RSA:
        public.verify(signature, MESSAGE, padding.PSS(padding.MGF1(sha), sha.digest_size), sha)
    else:
        public.verify(signature, MESSAGE, ec.ECDSA(sha))


def test_a_digest_is_signed_as_its_message_is(kms, key):
    arn, algorithm = key
    digest = hashlib.sha256(MESSAGE).digest()
    signature = kms.sign(KeyId=arn, Message=digest, MessageType="DIGEST", SigningAlgorithm=algorithm)["Signature"]
    assert kms.verify(KeyId=arn, Message=MESSAGE, Signature=signature, SigningAlgorithm=algorithm)["SignatureValid"]
    with pytest.raises(ClientError, match="invalid length"):
        kms.sign(KeyId=arn, Message=digest[1:], MessageType="DIGEST", SigningAlgorithm=algorithm)


def test_a_wrong_signature_is_an_error(kms, key):
    arn, algorithm = key
    signature = kms.sign(KeyId=arn, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]
    with pytest.raises(ClientError, match="KMSInvalidSignatureException"):
        kms.verify(KeyId=arn, Message=MESSAGE + b"!", Signature=signature, SigningAlgorithm=algorithm)


def test_keys_for_something_else_do_not_sign(kms):
    symmetric = kms.create_key()["KeyMetadata"]["Arn"]
    with pytest.raises(ClientError, match="UnsupportedOperationException"):
        kms.sign(KeyId=symmetric, Message=MESSAGE, SigningAlgorithm=RSA)
    curve = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    with pytest.raises(ClientError, match="incompatible with key spec"):
        kms.sign(KeyId=curve, Message=MESSAGE, SigningAlgorithm=RSA)
    kms.disable_key(KeyId=curve.rsplit("/", 1)[-1])
    with pytest.raises(ClientError, match="DisabledException"):
        kms.sign(KeyId=curve, Message=MESSAGE, SigningAlgorithm=CURVE)


def test_a_role_signs_with_its_key_only_also_by_alias(cloud, workshop, kms):
    mine, other = (
        kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"] for _ in range(2)
    )
    alias = f"alias/{workshop.name('signing')}"
    kms.create_alias(AliasName=alias, TargetKeyId=mine.rsplit("/", 1)[-1])
    role = workshop.role({"Effect": "Allow", "Action": "kms:Sign", "Resource": mine})
    client = cloud.role_client("kms", role)
    assert client.sign(KeyId=alias, Message=MESSAGE, SigningAlgorithm=CURVE)["KeyId"] == mine
    with pytest.raises(ClientError, match="kms:Sign"):
        client.sign(KeyId=other, Message=MESSAGE, SigningAlgorithm=CURVE)
    with pytest.raises(ClientError, match="kms:Verify"):
        client.verify(KeyId=mine, Message=MESSAGE, Signature=b"x", SigningAlgorithm=CURVE)


def test_a_permission_can_be_tied_to_an_algorithm(cloud, workshop, kms):
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    condition = {"StringEquals": {"kms:SigningAlgorithm": RSA}}
    role = workshop.role({"Effect": "Allow", "Action": "kms:Sign", "Resource": key, "Condition": condition})
    with pytest.raises(ClientError, match="kms:Sign"):
        cloud.role_client("kms", role).sign(KeyId=key, Message=MESSAGE, SigningAlgorithm=CURVE)
