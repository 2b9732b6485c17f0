"""A small OpenID provider: OpenID Connect Core 1.0, authorization code flow with PKCE, over HTTP on this computer."""

import base64
import hashlib
import json
import secrets
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT, PASSWORD = "latent-spectra", secrets.token_urlsafe()


class Provider(ThreadingHTTPServer):
    """Lets in whoever `person` names, without asking."""

    def __init__(self):
        from joserfc.jwk import RSAKey

        super().__init__(("127.0.0.1", 0), _Answers)
        self.issuer = f"http://localhost:{self.server_port}"
        self.person = "ann"
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.codes = {}

    def token_for(self, asked):
        from joserfc import jwt

        now = int(time.time())
        claims = {"iss": self.issuer, "sub": self.person, "aud": CLIENT, "iat": now, "exp": now + 300}
        claims |= {"nonce": asked["nonce"]} if "nonce" in asked else {}
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)


class _Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self):
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/.well-known/openid-configuration":
            ends = {"authorization": "authorize", "token": "token"}
            self.tell(
                {
                    "issuer": self.server.issuer,
                    **{f"{name}_endpoint": f"{self.server.issuer}/{path}" for name, path in ends.items()},
                    "jwks_uri": f"{self.server.issuer}/jwks",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )
        elif address.path == "/jwks":
            self.tell({"keys": [self.server.key.as_dict(private=False)]})
        elif address.path == "/authorize" and asked["client_id"] == CLIENT and "openid" in asked["scope"].split():
            code = secrets.token_urlsafe()
            self.server.codes[code] = asked
            self.send_response(302)
            answer = urlencode({"code": code, "state": asked["state"]})
            self.send_header("Location", f"{asked['redirect_uri']}?{answer}")
            self.end_headers()
        else:
            self.send_error(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.server.codes.pop(given.get("code"), None)
        known = base64.b64encode(f"{CLIENT}:{PASSWORD}".encode()).decode()
        if asked is None or self.headers["Authorization"] != f"Basic {known}":
            self.send_error(401)
        elif given["redirect_uri"] != asked["redirect_uri"] or not _proves(given, asked):
            self.send_error(400)
        else:
            token = self.server.token_for(asked)
            self.tell({"access_token": "none", "token_type": "Bearer", "expires_in": 300, "id_token": token})

    def tell(self, document):
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words):
        pass


def _proves(given, asked):
    """RFC 7636, where it was asked for."""
    if "code_challenge" not in asked:
        return True
    digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]


@contextmanager
def provided():
    """Run a provider for the time of a with statement."""
    with Provider() as provider:
        thread = threading.Thread(target=provider.serve_forever, daemon=True)
        thread.start()
        yield provider
        provider.shutdown()
        thread.join()
