"""What can be wrong with bytes, keys and proofs.

    CryptoError
    ├── Malformed            not the one permitted way to write it
    │   └── UnknownField     a field that the reader does not know
    ├── BadSignature         missing, by the wrong key, or not over these bytes
    ├── BadProof             a digest, path, root or proof does not lead where it claims
    ├── BadSeal              a sealed body does not open for this key and binding
    ├── BadKey               key material that must not be registered or used
    ├── WrongPassphrase      the keystore is sound, the passphrase is not its own
    └── DamagedKeystore      the keystore file is not what was written

Messages say what was expected and at which step, never the content that failed.
"""


class CryptoError(Exception):
    """Every error this room raises on purpose."""


class Malformed(CryptoError):
    """The bytes are not the one permitted encoding of the expected thing."""


class UnknownField(Malformed):
    """The bytes name a field that this version does not know, at any depth."""


class BadSignature(CryptoError):
    """A required signature is missing or does not verify."""


class BadProof(CryptoError):
    """A digest, inclusion path, consistency path or evaluation proof does not verify."""


class BadSeal(CryptoError):
    """A sealed body does not open for this key and this binding."""


class BadKey(CryptoError):
    """Key material has the wrong shape, is a weak point, or serves another purpose."""


class WrongPassphrase(CryptoError):
    """The keystore is sound, but the passphrase is not the one it was locked with."""


class DamagedKeystore(CryptoError):
    """The keystore file is not what was written, or asks for absurd work to open."""
