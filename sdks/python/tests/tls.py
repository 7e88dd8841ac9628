"""A server with a certificate that nobody vouches for."""

import atexit
import contextlib
import functools
import os
import shutil
import ssl
import subprocess
import tempfile

from tests.servers import RawServer, answer

ACCOUNT = {
    "id": "acc_1", "email": "a@example.com", "company": None, "currency": "usd", "created_at": "2026-11-23T12:00:00Z",
    "default_tier": "default",
}


@functools.lru_cache(maxsize=None)
def certificate():
    """The path of a file with a key and a certificate for localhost, or None."""
    if shutil.which("openssl") is None:
        return None
    folder = tempfile.mkdtemp(prefix="revgrid-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = os.path.join(folder, "both.pem")
    made = subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", path + ".key", "-out", path,
        ],
        capture_output=True,
    )
    if made.returncode != 0:
        return None
    with open(path + ".key") as key, open(path, "a") as both:
        both.write(key.read())
    return path


@contextlib.contextmanager
def tls_server(path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    class Server(RawServer):
        def _serve(self, sock):
            try:
                wrapped = context.wrap_socket(sock, server_side=True)
            except OSError:
                sock.close()
                return
            super()._serve(wrapped)

        def handle(self, sock, request):
            sock.sendall(answer(200, ACCOUNT))
            return True

    with Server() as server:
        yield f"https://localhost:{server.port}"
