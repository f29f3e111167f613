"""Signatures as planned: good, another, none; where a request really goes."""

from bench.carrier.webhooks import Route, Signed


def test_signature_as_planned() -> None:
    signed = Signed({"X-Signature": "abcdef==", "X-Nonce": "7"}, "X-Signature")
    assert signed.as_planned("good") == {"X-Signature": "abcdef==", "X-Nonce": "7"}
    assert signed.as_planned("missing") == {"X-Nonce": "7"}
    bad = signed.as_planned("bad")
    assert bad["X-Nonce"] == "7"
    assert bad["X-Signature"] != "abcdef=="
    assert len(bad["X-Signature"]) == len("abcdef==")
    assert Signed().as_planned("bad") == {}


def test_public_addresses_lead_to_where_the_gateway_listens() -> None:
    route = Route("https://gw.example.com", "http://127.0.0.1:8080")
    assert route.real_url("https://gw.example.com/a?b=c") == "http://127.0.0.1:8080/a?b=c"
    assert route.real_url("https://other.example.com/a") == "https://other.example.com/a"
