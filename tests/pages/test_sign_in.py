"""Signing in to a class with a real OpenID provider: a workspace for every identity, found again anywhere."""

import httpx
import pytest

from spectra_core.store import Store, classroom
from tests.browser.conftest import served
from tests.conftest import beer_lambert_set
from tests.openid_provider import CLIENT, PASSWORD, provided
from tests.session import PATIENCE, Session

pytest.importorskip("authlib", reason="Signing in needs the extra: pip install 'latent-spectra[signin]'.")


def test_whoever_signs_in_finds_the_same_workspace_and_nobody_elses(tmp_path, monkeypatch):
    monkeypatch.setenv("SPECTRA_CLASS", "1")
    with provided() as provider:
        (tmp_path / "secrets.toml").write_text(
            f"""
            [auth]
            redirect_uri = "http://localhost:{{port}}/oauth2callback"
            cookie_secret = "{classroom.new_secret()}"
            client_id = "{CLIENT}"
            client_secret = "{PASSWORD}"
            server_metadata_url = "{provider.issuer}/.well-known/openid-configuration"
            """
        )
        monkeypatch.setenv("STREAMLIT_SECRETS_FILES", str(tmp_path / "secrets.toml"))
        with served(tmp_path / "home", tmp_path / "log") as app:
            ann, bob = (classroom.home_of_identity(app.home, provider.issuer, name) for name in ("ann", "bob"))
            key = Store(ann).save_set(beer_lambert_set(n_spectra=6).with_meta(name="Kept by Ann"))
            sees = {}
            for name in ("ann", "bob"):
                provider.person = name
                with httpx.Client(base_url=app.url, follow_redirects=True, timeout=PATIENCE) as http:
                    with Session(http) as stranger:
                        stranger.run()
                        assert "Kept by Ann" not in stranger.text
                        redirect = stranger.run(pressed="Sign in")[-1].auth_redirect.url
                    assert http.get(redirect).url == f"{app.url}/"
                    with Session(http, query=f"set={key[:12]}&workspace={classroom.new_secret()}") as visitor:
                        visitor.run()
                        assert "Sign in" not in visitor.text
                        sees[name] = "Kept by Ann" in visitor.text
                        assert f"Signed in as {name}" in visitor.text
                        left = visitor.run(pressed="Sign out")[-1].auth_redirect.url
                    http.get(left)
                    with Session(http) as gone:
                        gone.run()
                        assert "Signed in as" not in gone.text
                        assert "Kept by Ann" not in gone.text
                        assert gone.run(pressed="Sign in")[-1].auth_redirect.url
            assert sees == {"ann": True, "bob": False}
            assert not bob.exists()
        assert "Traceback" not in app.log.read_text()
