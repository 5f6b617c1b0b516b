"""A second, independent VOPRF: ristretto255 (RFC 9496) and the protocol of RFC 9497 in plain integers.

Slow and not constant time: it checks the package that the product uses, and nothing else.
"""

from collections.abc import Sequence
from hashlib import sha512
from typing import NamedTuple

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def _negative(x: int) -> bool:
    return x % P % 2 == 1


def _absolute(x: int) -> int:
    return -x % P if _negative(x) else x % P


def _sqrt_ratio(u: int, v: int) -> tuple[bool, int]:
    """SQRT_RATIO_M1 of RFC 9496 section 4.2."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    correct, flipped, flipped_i = check == u % P, check == -u % P, check == -u * SQRT_M1 % P
    if flipped or flipped_i:
        r = r * SQRT_M1 % P
    return correct or flipped, _absolute(r)


INVSQRT_A_MINUS_D = _sqrt_ratio(1, -1 - D)[1]
SQRT_AD_MINUS_ONE = -_sqrt_ratio(-D - 1, 1)[1] % P  # the constant of RFC 9496 is the odd root


class Point(NamedTuple):
    """A point of the Edwards curve in extended coordinates, standing for its ristretto coset."""

    x: int
    y: int
    z: int
    t: int

    def add(self, other: "Point") -> "Point":
        a = (self.y - self.x) * (other.y - other.x) % P
        b = (self.y + self.x) * (other.y + other.x) % P
        c = 2 * D * self.t * other.t % P
        d = 2 * self.z * other.z % P
        e, f, g, h = b - a, d - c, d + c, b + a
        return Point(e * f % P, g * h % P, f * g % P, e * h % P)

    def times(self, scalar: int) -> "Point":
        result, base = IDENTITY, self
        for bit in range(scalar.bit_length()):
            if scalar >> bit & 1:
                result = result.add(base)
            base = base.add(base)
        return result

    def encode(self) -> bytes:
        u1 = (self.z + self.y) * (self.z - self.y) % P
        u2 = self.x * self.y % P
        inverse = _sqrt_ratio(1, u1 * u2 * u2)[1]
        den1, den2 = inverse * u1 % P, inverse * u2 % P
        z_inverse = den1 * den2 * self.t % P
        x, y, den = self.x, self.y, den2
        if _negative(self.t * z_inverse):
            x, y, den = self.y * SQRT_M1 % P, self.x * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
        if _negative(x * z_inverse):
            y = -y % P
        return _absolute(den * (self.z - y)).to_bytes(32, "little")


IDENTITY = Point(0, 1, 1, 0)


def decode(raw: bytes) -> Point:
    s = int.from_bytes(raw, "little")
    if s >= P or _negative(s):
        raise ValueError("not a canonical field element")
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    square, inverse = _sqrt_ratio(1, v * u2 * u2)
    den_x, den_y = inverse * u2 % P, inverse * inverse * u2 * v % P
    x, y = _absolute(2 * s * den_x), u1 * den_y % P
    if not square or _negative(x * y) or y == 0:
        raise ValueError("not a ristretto255 element")
    return Point(x, y, 1, x * y % P)


BASE = decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))


def _map(raw: bytes) -> Point:
    """MAP of RFC 9496 section 4.3.4."""
    t = int.from_bytes(raw, "little") % 2**255 % P
    r = SQRT_M1 * t * t % P
    u, v = (r + 1) * (1 - D * D) % P, (-1 - r * D) * (r + D) % P
    square, s = _sqrt_ratio(u, v)
    c = P - 1
    if not square:
        s, c = -_absolute(s * t) % P, r
    n = (c * (r - 1) * (D - 1) ** 2 - v) % P
    w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return Point(w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def _expand(message: bytes, tag: bytes) -> bytes:
    """expand_message_xmd of RFC 9380, SHA-512, 64 bytes: a single block."""
    suffix = tag + bytes([len(tag)])
    first = sha512(bytes(128) + message + b"\x00\x40\x00" + suffix).digest()
    return sha512(first + b"\x01" + suffix).digest()


def prefixed(*parts: bytes) -> bytes:
    """Each part behind its two-byte length."""
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


class Oracle:
    """RFC 9497 in mode 0 (OPRF) or 1 (VOPRF)."""

    def __init__(self, mode: int) -> None:
        self.context = b"OPRFV1-" + bytes([mode]) + b"-ristretto255-SHA512"

    def to_group(self, data: bytes) -> Point:
        uniform = _expand(data, b"HashToGroup-" + self.context)
        return _map(uniform[:32]).add(_map(uniform[32:]))

    def to_scalar(self, data: bytes, label: bytes = b"HashToScalar-") -> int:
        return int.from_bytes(_expand(data, label + self.context), "little") % ORDER

    def derive(self, seed: bytes, info: bytes) -> int:
        return self.to_scalar(seed + prefixed(info) + b"\x00", b"DeriveKeyPair")

    def finalize(self, data: bytes, blind: int, evaluated: bytes) -> bytes:
        unblinded = decode(evaluated).times(pow(blind, -1, ORDER)).encode()
        return sha512(prefixed(data, unblinded) + b"Finalize").digest()

    def composites(self, key: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes]) -> tuple[Point, Point]:
        seed = sha512(prefixed(key, b"Seed-" + self.context)).digest()
        m = z = IDENTITY
        for index, (c, d) in enumerate(zip(blinded, evaluated, strict=True)):
            transcript = prefixed(seed) + index.to_bytes(2, "big") + prefixed(c, d) + b"Composite"
            factor = self.to_scalar(transcript)
            m, z = m.add(decode(c).times(factor)), z.add(decode(d).times(factor))
        return m, z

    def challenge(self, key: bytes, points: Sequence[Point]) -> int:
        return self.to_scalar(prefixed(key, *(point.encode() for point in points)) + b"Challenge")

    def prove(self, secret: int, blinded: Sequence[bytes], evaluated: Sequence[bytes], nonce: int) -> bytes:
        key = BASE.times(secret).encode()
        m, z = self.composites(key, blinded, evaluated)
        c = self.challenge(key, [m, z, BASE.times(nonce), m.times(nonce)])
        return c.to_bytes(32, "little") + ((nonce - c * secret) % ORDER).to_bytes(32, "little")

    def proves(self, key: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes], proof: bytes) -> bool:
        c, s = (int.from_bytes(half, "little") for half in (proof[:32], proof[32:]))
        m, z = self.composites(key, blinded, evaluated)
        t2, t3 = BASE.times(s).add(decode(key).times(c)), m.times(s).add(z.times(c))
        return self.challenge(key, [m, z, t2, t3]) == c
