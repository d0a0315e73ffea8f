"""The authority that local caches' certificates come from, made anew by each local cloud that has a cache."""

import datetime
import ipaddress
import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localcloud.services.caches.records import HOST

_DAYS = 30


class Certificates:
    """An authority and one certificate of loopback's names.

    Parameters
    ----------
    folder
        Where they are written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._making = threading.Lock()

    @property
    def made(self) -> bool:
        """Whether there is an authority, because something needed a certificate."""
        return self._bundle.exists()

    def trust(self) -> dict[str, str]:
        """Return the variables that let a process trust the authority, beside those that it trusts anyway.

        OpenSSL, and so Python's `ssl`, reads SSL_CERT_FILE in place of the system's file, so that the bundle holds that
        file's content too: connections to anything else are checked as before. botocore has a bundle of its own.
        """
        return {"SSL_CERT_FILE": str(self._bundle)} if self.made else {}

    def server_context(self) -> ssl.SSLContext:
        """Return what TLS is served with; ElastiCache takes TLS 1.2 and later."""
        with self._making:
            if not self.made:
                self._make()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._folder / "cache.pem")
        return context

    @property
    def _bundle(self) -> Path:
        return self._folder / "trusted.pem"

    def _make(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        issuer = _name("local cloud")
        authority = _authority(issuer, authority_key)
        certificate = _certificate(issuer, authority_key, key)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        served = self._folder / "cache.pem"
        served.touch(0o600)
        served.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        # The bundle comes last, in one step: it says that the rest is there.
        fresh = self._folder / "trusted.pem.new"
        fresh.write_bytes(_trusted_anyway() + authority.public_bytes(Encoding.PEM))
        fresh.rename(self._bundle)


def _trusted_anyway() -> bytes:
    system = ssl.get_default_verify_paths().cafile
    return Path(system).read_bytes() + b"\n" if system else b""


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _authority(name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = _builder(name, name, key.public_key()).add_extension(x509.BasicConstraints(True, 0), critical=True)
    return made.add_extension(usage, critical=True).sign(key, hashes.SHA256())


def _certificate(
    issuer: x509.Name, authority_key: ec.EllipticCurvePrivateKey, key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST)), x509.DNSName("localhost")])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(_name(HOST), issuer, key.public_key())
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
