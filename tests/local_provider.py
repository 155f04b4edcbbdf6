"""A small OpenID Connect provider, for tests: a real server that signs real tokens, and on request wrong ones.

``python tests/local_provider.py PORT`` serves discovery, keys, a page to choose an account on, tokens and the end of
the session. Accounts called mallory get tokens with the fault that follows the name.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "interplay-tests", "client-secret-that-must-not-be-seen"
ACCOUNTS = (
    "alice", "bob", "mallory-forged", "mallory-expired", "mallory-audience", "mallory-issuer", "mallory-nonce",
    "mallory-unsigned",
)  # fmt: skip
KEY = RSAKey.generate_key(2048, {"kid": "current"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "current"})  # says the same of itself, and is not the same

codes: dict[str, dict] = {}  # what was asked for with each code that was handed out


def claims(account: str, issuer: str, nonce: str) -> dict:
    """What a token says, with the fault of the account."""
    now = int(time.time())
    said = {
        "iss": issuer, "sub": f"id-of-{account}", "aud": CLIENT, "nonce": nonce, "iat": now, "exp": now + 600,
        "name": account.capitalize(), "email": f"{account}@example.org",
    }  # fmt: skip
    faults = {
        "mallory-expired": {"iat": now - 7200, "exp": now - 3600},
        "mallory-audience": {"aud": "another-client"},
        "mallory-issuer": {"iss": "http://evil.example"},
        "mallory-nonce": {"nonce": "of-another-sign-in"},
    }
    return said | faults.get(account, {})


def token(account: str, issuer: str, nonce: str) -> str:
    """Return the signed token of an account."""
    said = claims(account, issuer, nonce)
    if account == "mallory-unsigned":
        parts = ({"alg": "none", "typ": "JWT"}, said)
        return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts) + "."
    return jwt.encode({"alg": "RS256", "kid": "current"}, said, OTHER_KEY if account == "mallory-forged" else KEY)


class Provider(BaseHTTPRequestHandler):
    """Answers like any provider."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        answer = {
            "/.well-known/openid-configuration": self.discovery,
            "/keys": self.keys,
            "/authorize": self.authorize,
            "/end": self.end,
        }.get(address.path)
        answer(asked) if answer else self.say(404, b"", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        user, _, password = (
            base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode().partition(":")
        )
        request = codes.pop(asked["code"], None)  # a code is good for once
        proof = base64.urlsafe_b64encode(hashlib.sha256(asked["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if (user, password) != (CLIENT, SECRET) or request is None or proof != request["code_challenge"]:
            self.tell({"error": "invalid_grant"}, 400)
            return
        signed = token(request["account"], self.issuer, request["nonce"])
        self.tell(
            {"access_token": secrets.token_hex(16), "token_type": "Bearer", "expires_in": 600, "id_token": signed}
        )

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def discovery(self, asked: dict) -> None:
        self.tell({
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/end",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        })  # fmt: skip

    def keys(self, asked: dict) -> None:
        self.tell({"keys": [KEY.as_dict(private=False, use="sig", alg="RS256")]})

    def authorize(self, asked: dict) -> None:
        """Show the accounts; the one that is clicked goes back with a code."""
        links = []
        for account in ACCOUNTS:
            code = secrets.token_hex(16)
            codes[code] = {**asked, "account": account}
            back = asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]})
            links.append(f'<p><a href="{back.replace("&", "&amp;")}">{account}</a></p>')
        self.say(200, ("<h1>Who are you?</h1>" + "".join(links)).encode(), "text/html")

    def end(self, asked: dict) -> None:
        self.send_response(302)
        self.send_header("Location", asked["post_logout_redirect_uri"])
        self.end_headers()

    def tell(self, answer: dict, status: int = 200) -> None:
        self.say(status, json.dumps(answer).encode(), "application/json")

    def say(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Provider).serve_forever()
