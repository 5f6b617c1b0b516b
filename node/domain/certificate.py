"""A node's TLS certificate: self-signed, P-256, trusted because the registry lists it, not otherwise."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from node.domain.errors import DomainError
from registry.parties import PartyId

SECRET_SIZE: Final = 32
LIFETIME: Final = timedelta(days=5 * 365)
_BACKDATED: Final = timedelta(hours=1)
_CURVE: Final = ec.SECP256R1()
_SERIAL_SIZE: Final = 16
_SIGNING_ONLY: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def new_tls_secret(random: Callable[[int], bytes]) -> bytes:
    """Draw the 32-byte secret of a P-256 key: a number from 1 to the order of the curve, exclusive."""
    secret = random(SECRET_SIZE)
    while not 0 < int.from_bytes(secret, "big") < _CURVE.group_order:
        secret = random(SECRET_SIZE)
    return secret


def tls_key_pem(secret: bytes) -> bytes:
    """The private key as unencrypted PKCS #8 PEM, which TLS libraries take; never written to a file."""
    return _private_key(secret).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def tls_public_key(secret: bytes) -> bytes:
    """The public key as an uncompressed point (65 bytes), as the party card lists it."""
    return (
        _private_key(secret)
        .public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    )


def certificate_name(party: PartyId) -> str:
    """The DNS name in a party's certificate, which says whose it is and resolves nowhere."""
    return f"{party}.creditport"


def make_certificate(party: PartyId, secret: bytes, issued_at: datetime, random: Callable[[int], bytes]) -> bytes:
    """Make a party's self-signed certificate (DER), good for five years from an hour before `issued_at`.

    It is no certificate authority's, so that listing it lets in this one certificate and no other. The
    subject holds a random serial number beside the party, because TLS libraries look trust roots up by
    subject: the old and the new certificate of one party must not stand in each other's way.
    """
    serial = int.from_bytes(random(_SERIAL_SIZE), "big") | 1
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, party),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, f"{serial:032x}"),
        ]
    )
    key = _private_key(secret)
    begins = issued_at - _BACKDATED
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), serial, begins, begins + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(certificate_name(party))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_SIGNING_ONLY, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)


def _private_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(secret, "big")
    if len(secret) != SECRET_SIZE or not 0 < number < _CURVE.group_order:
        raise DomainError(f"a P-256 secret is {SECRET_SIZE} bytes below the order of the curve")
    return ec.derive_private_key(number, _CURVE)
