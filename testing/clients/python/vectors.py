"""Judges the vectors that a work list names; the time is the machine's."""

import base64
import json

from cryptography.hazmat.primitives.serialization import load_der_public_key
from spiffe import JwtBundle, JwtSvid, X509Svid


def judge_all(lines, show):
    for line in lines:
        vector = json.loads(line)
        try:
            show(name=vector["name"], accepted=True, id=str(judge(vector)))
        except Exception as error:
            show(name=vector["name"], accepted=False, why=f"{type(error).__name__}: {error}")


def judge(vector):
    match vector["kind"]:
        case "jwt-svid":
            return jwt_svid(vector)
        case "x509-svid":
            return x509_svid(vector)
        case other:
            raise ValueError(f"no kind {other}")


def jwt_svid(vector):
    """By the bundle of the subject's trust domain, which the caller is to choose."""
    unverified = JwtSvid.parse_insecure(vector["token"], set(vector["audience"]))
    domain = unverified.spiffe_id.trust_domain
    authorities = vector["bundles"].get(domain.name)
    if authorities is None:
        raise ValueError(f"no bundle of {domain}")
    keys = {key["kid"]: load_der_public_key(base64.b64decode(key["spki"])) for key in authorities.get("jwt", [])}
    bundle = JwtBundle(domain, keys)
    return JwtSvid.parse_and_validate(vector["token"], bundle, set(vector["audience"])).spiffe_id


def x509_svid(vector):
    """As an SVID of one's own: the library does not verify those of peers."""
    chain = b"".join(base64.b64decode(der) for der in vector["chain"])
    return X509Svid.parse_raw(chain, base64.b64decode(vector["private_key"])).spiffe_id
