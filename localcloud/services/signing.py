"""KMS's signatures: keys are moto's, which signs digests as if they were messages and pads as KMS does not."""

from collections.abc import Mapping
from typing import Any, ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from moto.kms.models import kms_backends

from localcloud.errors import AwsError
from localcloud.front.moto_store import MotoStore
from localcloud.service import Service, operation

Params = Mapping[str, Any]
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "SHA_256": hashes.SHA256,
    "SHA_384": hashes.SHA384,
    "SHA_512": hashes.SHA512,
}
# Each curve has its one hash (KMS's guide, "Asymmetric key specs").
_CURVE_HASHES = {"ECC_NIST_P256": "SHA_256", "ECC_NIST_P384": "SHA_384", "ECC_NIST_P521": "SHA_512"}
_LONGEST_MESSAGE = 4096


class SigningService(Service):
    """Sign, Verify and GetPublicKey of keys with the usage SIGN_VERIFY.

    Parameters
    ----------
    store
        moto, which keeps the keys.
    account, region
        Whose keys they are.
    """

    name: ClassVar[str] = "kms"

    def __init__(self, store: MotoStore, account: str, region: str) -> None:
        self._store = store
        self._account = account
        self._region = region

    @operation("Sign")
    def sign(self, params: Params) -> dict[str, Any]:
        """Return a signature of a message, or of a digest."""
        key = self._usable(params["KeyId"])
        digest = _digest(key, params)
        private, algorithm = key.private_key.private_key, params["SigningAlgorithm"]
        prehashed = utils.Prehashed(_hash(algorithm))
        if isinstance(private, rsa.RSAPrivateKey):
            signature = private.sign(digest, _padding(algorithm), prehashed)
        else:
            signature = private.sign(digest, ec.ECDSA(prehashed))
        return {"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": algorithm}

    @operation("Verify")
    def verify(self, params: Params) -> dict[str, Any]:
        """Return that a signature is right; one that is not is an error, as KMS has it."""
        key = self._usable(params["KeyId"])
        digest = _digest(key, params)
        public, algorithm = key.private_key.private_key.public_key(), params["SigningAlgorithm"]
        prehashed = utils.Prehashed(_hash(algorithm))
        try:
            if isinstance(public, rsa.RSAPublicKey):
                public.verify(params["Signature"], digest, _padding(algorithm), prehashed)
            else:
                public.verify(params["Signature"], digest, ec.ECDSA(prehashed))
        except InvalidSignature:
            raise AwsError("KMSInvalidSignatureException", "The signature is not that of the message") from None
        return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}

    @operation("GetPublicKey")
    def get_public_key(self, params: Params) -> dict[str, Any]:
        """Return the public half of a key, as DER."""
        key = self._usable(params["KeyId"], usage=None)
        public = key.private_key.private_key.public_key()
        return {
            "KeyId": key.arn,
            "PublicKey": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            "CustomerMasterKeySpec": key.key_spec,
            "KeySpec": key.key_spec,
            "KeyUsage": key.key_usage,
            "SigningAlgorithms": _algorithms(key),
        }

    def _usable(self, key_id: str, usage: str | None = "SIGN_VERIFY") -> Any:
        with self._store.lock:
            key = self._key(key_id)
        if key is None:
            raise AwsError("NotFoundException", f"Key {key_id!r} does not exist")
        if key.key_spec == "SYMMETRIC_DEFAULT":
            raise AwsError("UnsupportedOperationException", f"{key.arn} is a symmetric key: it has no public half")
        if usage is not None and key.key_usage != usage:
            raise AwsError("InvalidKeyUsageException", f"{key.arn} key usage is {key.key_usage}, which is not {usage}.")
        if key.key_state != "Enabled":
            code = "DisabledException" if key.key_state == "Disabled" else "KMSInvalidStateException"
            raise AwsError(code, f"{key.arn} is {key.key_state}.")
        return key

    def _key(self, key_id: str) -> Any:
        keys = kms_backends[self._account][self._region].keys
        if "alias/" in key_id:
            alias = "alias/" + key_id.split("alias/", 1)[1]
            return next((key for key in keys.values() if alias in key.aliases), None)
        return keys.get(key_id.rsplit("/", 1)[-1])


def _algorithms(key: Any) -> list[str]:
    if key.key_spec in _CURVE_HASHES:
        return [f"ECDSA_{_CURVE_HASHES[key.key_spec]}"]
    return [f"{form}_{name}" for form in ("RSASSA_PKCS1_V1_5", "RSASSA_PSS") for name in _HASHES]


def _digest(key: Any, params: Params) -> bytes:
    """Return what is signed: the message's digest, or the message itself where it is one."""
    algorithm = params["SigningAlgorithm"]
    if algorithm not in _algorithms(key):
        refusal = f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}."
        raise AwsError("InvalidKeyUsageException", refusal)
    kind, message = params.get("MessageType") or "RAW", bytes(params["Message"])
    if kind == "RAW":
        if len(message) > _LONGEST_MESSAGE:
            raise AwsError("ValidationException", f"Message is longer than {_LONGEST_MESSAGE} bytes; sign its DIGEST")
        hashing = hashes.Hash(_hash(algorithm))
        hashing.update(message)
        return hashing.finalize()
    if kind != "DIGEST":
        raise AwsError("ValidationException", f"MessageType {kind} is not RAW or DIGEST")
    if len(message) != _hash(algorithm).digest_size:
        raise AwsError("ValidationException", f"Digest is invalid length for algorithm {algorithm}.")
    return message


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    return next(kind() for name, kind in _HASHES.items() if algorithm.endswith(name))


def _padding(algorithm: str) -> padding.AsymmetricPadding:
    """Return the padding; KMS's PSS has a salt as long as the digest (its guide, "RSASSA-PSS")."""
    if algorithm.startswith("RSASSA_PKCS1"):
        return padding.PKCS1v15()
    hashing = _hash(algorithm)
    return padding.PSS(padding.MGF1(hashing), hashing.digest_size)
