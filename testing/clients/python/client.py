"""A SPIFFE client on py-spiffe; the modes are told in ../README.md."""

import json
import queue
import sys
import time

import vectors
from spiffe import JwtSvid, WorkloadApiClient

USAGE = "usage: client.py fetch AUDIENCE | validate TOKEN AUDIENCE | watch N SECONDS | vectors"
PATIENCE = 15.0
PAUSE = 0.1


class Failed(Exception):
    """What a person should read, in one line."""


def show(**line):
    print(json.dumps(line), flush=True)


def describe(context):
    svid = context.default_svid
    bundle = context.x509_bundle_set.get_bundle_for_trust_domain(svid.spiffe_id.trust_domain)
    return {
        "id": str(svid.spiffe_id),
        "not_after": int(svid.leaf.not_valid_after_utc.timestamp()),
        "serial": str(svid.leaf.serial_number),
        "authorities": len(bundle.x509_authorities),
    }


def fetch(client, audience):
    context = client.fetch_x509_context()
    token = client.fetch_jwt_svid(audience={audience})
    keys = client.fetch_jwt_bundles().get_bundle_for_trust_domain(token.spiffe_id.trust_domain)
    show(
        x509=describe(context) | {"chain": len(context.default_svid.cert_chain)},
        jwt={
            "id": str(token.spiffe_id),
            "audience": sorted(token.audience),
            "expires": int(token.expiry),
            "authorities": len(keys.jwt_authorities),
            "token": token.token,
        },
        bundles=len(context.x509_bundle_set.bundles),
    )


def validate(client, token, audience):
    by_agent = client.validate_jwt_svid(token, audience)
    bundle = client.fetch_jwt_bundles().get_bundle_for_trust_domain(by_agent.spiffe_id.trust_domain)
    by_bundle = JwtSvid.parse_and_validate(token, bundle, {audience})
    if by_agent.spiffe_id != by_bundle.spiffe_id:
        raise Failed(f"the agent says {by_agent.spiffe_id}, the token {by_bundle.spiffe_id}")
    show(id=str(by_agent.spiffe_id), audience=sorted(by_agent.audience))


def watch(client, wanted, seconds):
    """Follows one stream through the rotations and meanwhile asks for SVIDs as a busy workload would."""
    news = queue.Queue()
    stream = client.stream_x509_contexts(news.put, news.put, retry_connect=False)
    seen, serial, requests, failures = 0, None, 0, 0
    end = time.monotonic() + seconds
    while seen <= wanted:
        if time.monotonic() > end:
            raise Failed(f"no {wanted} rotations within {seconds} s")
        requests += 1
        try:
            client.fetch_x509_svid()
            client.fetch_jwt_svid(audience={"watch"})
        except Exception as error:
            failures += 1
            show(failure=str(error))
        try:
            context = news.get(timeout=PAUSE)
        except queue.Empty:
            continue
        if isinstance(context, Exception):
            raise Failed(f"the stream broke: {context}")
        line = describe(context)
        if line["serial"] != serial:
            serial = line["serial"]
            show(update=seen, **line)
            seen += 1
    stream.cancel()
    show(updates=wanted, requests=requests, failures=failures)
    if failures:
        raise Failed(f"{failures} of {requests} requests failed")


def main(arguments):
    match arguments:
        case ["fetch", audience]:
            run = lambda client: fetch(client, audience)
        case ["validate", token, audience]:
            run = lambda client: validate(client, token, audience)
        case ["watch", wanted, seconds]:
            run = lambda client: watch(client, int(wanted), int(seconds))
        case ["vectors"]:
            return vectors.judge_all(sys.stdin, show)
        case _:
            raise Failed(USAGE)
    with WorkloadApiClient(default_timeout=PATIENCE) as client:
        run(client)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
