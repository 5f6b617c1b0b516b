"""Who may call: exactly the bearers of listed certificates, judged at every handshake and at every call."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from agreements.refusal import Refusal, refuse
from node.operations.asked import Answered, RefusedAnswer
from node.wire.errors import CannotListen, PeerRefused, PeerUnreachable
from node.wire.methods import SERVICES, Method
from node.wire.metrics import WireMetrics
from node.wire.outgoing import (
    batch_answer_from_wire,
    batch_query_call_to_wire,
    query_call_to_wire,
    read_registry_to_wire,
)
from node.wire.peers import PeerAddress, PeerClient
from node.wire.refusals import refusal_from_error
from node.wire.server import ServerOptions, serve
from node.wire.tls import Identity, ServerTls, certificate_pem
from tests.integration.wire_network import (
    BANK,
    HOME,
    STRANGER,
    Network,
    ScriptedGateway,
    identity,
    play,
    query_call,
)

READ = read_registry_to_wire(0, 0)
HEALTH = "/grpc.health.v1.Health/"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


async def read(stream: "grpc.aio.UnaryStreamCall[bytes, bytes] | grpc.aio.StreamStreamCall[bytes, bytes]") -> bytes:
    message = await stream.read()
    assert isinstance(message, bytes)
    return message


async def reason_of(net: Network, caller: Identity) -> Refusal | None:
    """The reason with which a call of `caller` is refused; None if it is served."""
    try:
        await net.call(Method.READ_REGISTRY, READ, caller)
    except grpc.aio.AioRpcError as error:
        answer = refusal_from_error(error)
        return answer.refused.reason if answer else None
    return None


def test_a_certificate_that_is_not_listed_does_not_get_through_the_handshake() -> None:
    async def story(net: Network) -> None:
        with pytest.raises(PeerUnreachable, match="cannot be reached"):
            await net.peer_client(identity(STRANGER)).read_registry(HOME, 0)

        assert net.metrics.stopped_by_transport == 0

    play(story)


def test_another_certificate_in_a_listed_party_s_name_does_not_get_through() -> None:
    async def story(net: Network) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await net.call(Method.READ_REGISTRY, READ, identity(BANK))

        assert failure.value.code() is grpc.StatusCode.UNAVAILABLE

    play(story)


def test_a_caller_without_a_certificate_does_not_get_through() -> None:
    async def story(net: Network) -> None:
        credentials = grpc.ssl_channel_credentials(certificate_pem(net.home.certificate))
        options = (("grpc.ssl_target_name_override", f"{HOME}.creditport"),)
        async with grpc.aio.secure_channel(net.address.endpoint, credentials, options) as channel:
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(Method.READ_REGISTRY)
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await call(READ, timeout=20)

        assert failure.value.code() is grpc.StatusCode.UNAVAILABLE

    play(story)


def test_a_certificate_among_the_roots_that_the_registry_does_not_list_is_refused_at_the_call() -> None:
    async def story(net: Network) -> None:
        stranger = identity(STRANGER)
        net.trust(net.bank, stranger)

        assert await reason_of(net, stranger) is Refusal.PEER_UNKNOWN
        assert await reason_of(net, net.bank) is None

    play(story)


def test_the_server_s_own_certificate_opens_nothing() -> None:
    async def story(net: Network) -> None:
        assert await reason_of(net, net.home) is Refusal.PEER_UNKNOWN

    play(story)


def test_revocation_acts_on_a_connection_that_is_open_already() -> None:
    async def story(net: Network) -> None:
        await net.client.read_registry(HOME, 0)
        net.gateway.list_certificate(net.bank.certificate, refuse(Refusal.KEY_REVOKED, "SZ-DRAFT-82"))

        with pytest.raises(PeerRefused) as failure:
            await net.client.read_registry(HOME, 0)

        assert failure.value.answer.refused.reason is Refusal.KEY_REVOKED
        assert failure.value.answer.leaf == b""
        assert net.gateway.edge_refusals == []

    play(story)


def test_revocation_acts_within_a_stream_that_is_open_already() -> None:
    async def story(net: Network) -> None:
        calls = [batch_query_call_to_wire(query_call(n)) for n in range(2)]
        async with net.channel(net.bank) as channel:
            ask: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(Method.BATCH_QUERY)
            stream = ask(timeout=20)

            await stream.write(calls[0].raw)
            first, _ = batch_answer_from_wire(await read(stream), calls[0])
            net.gateway.list_certificate(net.bank.certificate, refuse(Refusal.KEY_REVOKED, ""))
            await stream.write(calls[1].raw)
            second, _ = batch_answer_from_wire(await read(stream), calls[1])

        assert isinstance(first, Answered)
        assert isinstance(second, RefusedAnswer)
        assert second.refused.reason is Refusal.KEY_REVOKED

    play(story)


def test_a_revoked_certificate_opens_no_new_connection() -> None:
    async def story(net: Network) -> None:
        net.trust()

        with pytest.raises(PeerUnreachable):
            await net.client.read_registry(HOME, 0)

    play(story)


def test_a_newly_listed_certificate_is_served_without_a_restart() -> None:
    async def story(net: Network) -> None:
        newcomer = identity(STRANGER)
        await net.client.read_registry(HOME, 0)

        net.gateway.list_certificate(newcomer.certificate, STRANGER)
        net.trust(net.bank, newcomer)

        assert await reason_of(net, newcomer) is None
        assert await reason_of(net, net.bank) is None

    play(story)


def test_two_certificates_of_one_party_are_served_side_by_side() -> None:
    async def story(net: Network) -> None:
        renewed = identity(BANK)
        net.gateway.list_certificate(renewed.certificate, BANK)
        net.trust(net.bank, renewed)

        assert await reason_of(net, net.bank) is None
        assert await reason_of(net, renewed) is None

    play(story)


def test_a_client_talks_to_no_server_but_the_listed_one() -> None:
    async def story(net: Network) -> None:
        impostor = PeerAddress(endpoint=net.address.endpoint, certificate=identity(HOME).certificate)
        client = PeerClient(net.bank, lambda *_: impostor, net.asker)

        with pytest.raises(PeerUnreachable):
            await client.read_registry(HOME, 0)
        await client.close()

        assert net.gateway.seen == []

    play(story)


def test_a_client_requires_the_peer_s_own_name_in_the_certificate() -> None:
    async def story(net: Network) -> None:
        client = PeerClient(net.bank, lambda *_: net.address, net.asker)

        with pytest.raises(PeerUnreachable):
            await client.read_registry(STRANGER, 0)
        await client.close()

    play(story)


def test_a_client_follows_a_changed_listing() -> None:
    async def story(net: Network) -> None:
        listed = PeerAddress(endpoint="127.0.0.1:1", certificate=net.home.certificate)
        client = PeerClient(net.bank, lambda *_: listed, net.asker)
        with pytest.raises(PeerUnreachable):
            await client.read_registry(HOME, 0)

        listed = net.address

        assert (await client.read_registry(HOME, 0)).head == b"head"
        await client.close()

    play(story)


def test_health_answers_listed_peers_only() -> None:
    async def story(net: Network) -> None:
        asked = health_pb2.HealthCheckRequest(service="creditport.v1.ExchangeService").SerializeToString()
        answer = health_pb2.HealthCheckResponse.FromString(await net.call(HEALTH + "Check", asked))
        stranger = identity(STRANGER)
        net.trust(stranger)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await net.call(HEALTH + "Check", asked, stranger)

        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert failure.value.code() is grpc.StatusCode.PERMISSION_DENIED

    play(story)


def test_whoever_watches_the_health_hears_that_the_server_stops() -> None:
    async def story(net: Network) -> None:
        async with net.channel(net.bank) as channel:
            watch: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(HEALTH + "Watch")
            stream = watch(b"", timeout=20)
            first = health_pb2.HealthCheckResponse.FromString(await read(stream))
            stopping = asyncio.create_task(net.server.stop(grace=20))
            second = health_pb2.HealthCheckResponse.FromString(await read(stream))
            stream.cancel()
        await stopping

        assert first.status == health_pb2.HealthCheckResponse.SERVING
        assert second.status == health_pb2.HealthCheckResponse.NOT_SERVING

    play(story)


def test_reflection_lists_every_service_to_listed_peers_and_is_closed_to_others() -> None:
    async def story(net: Network) -> None:
        ask = reflection_pb2.ServerReflectionRequest(list_services="*").SerializeToString()
        [raw] = await net.stream(REFLECTION, ask)
        answer = reflection_pb2.ServerReflectionResponse.FromString(raw)
        stranger = identity(STRANGER)
        net.trust(stranger)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await net.stream(REFLECTION, ask, caller=stranger)

        names = {service.name for service in answer.list_services_response.service}
        assert names >= {*SERVICES, "grpc.health.v1.Health"}
        assert failure.value.code() is grpc.StatusCode.PERMISSION_DENIED

    play(story)


def test_a_port_that_is_taken_is_not_shared() -> None:
    async def story(net: Network) -> None:
        with pytest.raises(CannotListen, match="cannot listen"):
            await serve(ScriptedGateway(), net.address.endpoint, ServerTls(net.home), ServerOptions(), WireMetrics())

    play(story)


def test_a_query_of_one_party_is_never_taken_for_another_s() -> None:
    async def story(net: Network) -> None:
        other = identity(STRANGER)
        net.gateway.list_certificate(other.certificate, STRANGER)
        net.trust(net.bank, other)
        call = query_call_to_wire(query_call())

        await net.call(Method.QUERY, call.raw, other)
        await net.call(Method.QUERY, call.raw, net.bank)

        assert [asked.peer for batch in net.gateway.queries for asked in batch] == [STRANGER, BANK]

    play(story)
