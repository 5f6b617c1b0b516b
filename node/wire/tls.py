"""Mutual TLS with the registry as the only certificate authority: listed certificates are the trust roots."""

import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import cast

import grpc

from node.domain.certificate import certificate_name, tls_key_pem
from registry.parties import PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a node proves itself with, as server and client: its certificate (DER) and private key (PEM)."""

    certificate: bytes
    key_pem: bytes = field(repr=False)

    @classmethod
    def of(cls, certificate: bytes, secret: bytes) -> "Identity":
        """The identity of a certificate (DER) made for a 32-byte secret."""
        return cls(certificate=certificate, key_pem=tls_key_pem(secret))


class ServerTls:
    """The serving side. `trust` replaces the roots at any time, from any thread; the next handshake obeys.

    Connections that are open already are not this class's business: every call is checked again (`guard`).
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._lock = threading.Lock()
        self._newest = self._configuration(())
        self._given: grpc.ServerCertificateConfiguration | None = None

    def trust(self, certificates: Iterable[bytes]) -> None:
        """Let in the bearers of these certificates (DER), and of no others."""
        configuration = self._configuration(certificates)
        with self._lock:
            self._newest = configuration

    def credentials(self, handshake: Callable[[], None]) -> grpc.ServerCredentials:
        """Server credentials that demand a listed certificate; `handshake` is called as each one begins."""

        def fetch() -> grpc.ServerCertificateConfiguration | None:
            handshake()
            return self._changed()

        # The stubs forget that a fetcher may give None, which means "as before".
        always = cast("Callable[[], grpc.ServerCertificateConfiguration]", fetch)
        return grpc.dynamic_ssl_server_credentials(self._newest, always, require_client_authentication=True)

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        """The newest configuration if it was not given yet: building a trust store is what costs."""
        with self._lock:
            if self._given is self._newest:
                return None
            self._given = self._newest
            return self._newest

    def _configuration(self, certificates: Iterable[bytes]) -> grpc.ServerCertificateConfiguration:
        # The node's own certificate keeps the roots from ever being empty, which may be read as "anyone".
        # It lets nobody else in, and the check on every call refuses it unless the registry lists it.
        roots = dict.fromkeys((self._identity.certificate, *certificates))
        own = certificate_pem(self._identity.certificate)
        return grpc.ssl_server_certificate_configuration(
            [(self._identity.key_pem, own)], root_certificates=b"".join(map(certificate_pem, roots))
        )


def channel_credentials(identity: Identity, peer_certificate: bytes) -> grpc.ChannelCredentials:
    """Client credentials that accept exactly one certificate (DER): the one that the registry lists."""
    return grpc.ssl_channel_credentials(
        root_certificates=certificate_pem(peer_certificate),
        private_key=identity.key_pem,
        certificate_chain=certificate_pem(identity.certificate),
    )


def target_name(peer: PartyId) -> str:
    """The name a peer's certificate must carry, whatever address it is reached at."""
    return certificate_name(peer)


def certificate_pem(certificate: bytes) -> bytes:
    """DER as PEM."""
    return ssl.DER_cert_to_PEM_cert(certificate).encode("ascii")


def certificate_der(pem: bytes) -> bytes:
    """PEM as DER; ValueError if it is none."""
    return ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))
