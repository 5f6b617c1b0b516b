"""Certificates: whose they are, what they may do, and that nothing else follows from listing one."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from node.domain.certificate import (
    LIFETIME,
    certificate_name,
    make_certificate,
    new_tls_secret,
    tls_key_pem,
    tls_public_key,
)
from node.domain.errors import DomainError
from registry.parties import PartyId

BANK = PartyId("hk-bank")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRET = bytes(31) + b"\x07"


def certificate(secret: bytes = SECRET) -> x509.Certificate:
    return x509.load_der_x509_certificate(make_certificate(BANK, secret, NOON, os.urandom))


def test_a_certificate_names_its_party_and_carries_its_key() -> None:
    made = certificate()
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == ["hk-bank.creditport"] == [certificate_name(BANK)]
    public = made.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert public == ec.derive_private_key(7, ec.SECP256R1()).public_key()
    assert ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), tls_public_key(SECRET)) == public
    made.verify_directly_issued_by(made)


def test_a_certificate_can_issue_no_other() -> None:
    constraints = certificate().extensions.get_extension_for_class(x509.BasicConstraints)
    usage = certificate().extensions.get_extension_for_class(x509.KeyUsage)

    assert constraints.critical
    assert not constraints.value.ca
    assert not usage.value.key_cert_sign


def test_a_certificate_lasts_five_years_from_an_hour_before() -> None:
    made = certificate()

    assert made.not_valid_before_utc == NOON - timedelta(hours=1)
    assert made.not_valid_after_utc == NOON - timedelta(hours=1) + LIFETIME


def test_two_certificates_of_one_party_have_different_subjects() -> None:
    first, second = certificate(), certificate()

    assert first.subject != second.subject
    assert first.subject.get_attributes_for_oid(NameOID.COMMON_NAME) == second.subject.get_attributes_for_oid(
        NameOID.COMMON_NAME
    )


def test_a_secret_is_drawn_again_until_it_is_a_key() -> None:
    draws = iter([bytes(32), b"\xff" * 32, SECRET])

    assert new_tls_secret(lambda _: next(draws)) == SECRET


@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32, b"\x07", SECRET + b"\x00"])
def test_what_is_no_key_is_refused_without_being_shown(secret: bytes) -> None:
    with pytest.raises(DomainError, match="a P-256 secret is 32 bytes below the order"):
        tls_key_pem(secret)


def test_the_key_for_tls_libraries_is_the_same_key() -> None:
    key = load_pem_private_key(tls_key_pem(SECRET), password=None)

    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.private_numbers().private_value == 7
