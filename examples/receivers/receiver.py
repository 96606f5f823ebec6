"""A receiver of heistwatch alerts in Python 3.9 and later.

v1 needs nothing but Python; v1a (ed25519) needs the package cryptography.
"""

import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# One of the two is enough; with both, either one that fits is accepted.
SECRET = os.environ.get("WEBHOOK_SECRET", "")  # whsec_...
PUBLIC_KEY = os.environ.get("WEBHOOK_PUBLIC_KEY", "")  # whpk_...
TOLERANCE_S = 5 * 60
BODY_BYTES_MAX = 256 * 1024


def is_genuine(headers, body):
    """body: the raw bytes, before any JSON parser saw them."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not message_id or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 15):
        return False
    if abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    # Several while keys are rotated: one that fits is enough.
    for one in headers.get("webhook-signature", "").split(" "):
        version, _, text = one.partition(",")
        try:
            signature = base64.b64decode(text, validate=True)
        except ValueError:
            continue
        if version == "v1" and SECRET and is_shared_signature(signed, signature):
            return True
        if version == "v1a" and PUBLIC_KEY and is_public_signature(signed, signature):
            return True
    return False


def is_shared_signature(signed, signature):
    key = base64.b64decode(SECRET.replace("whsec_", "", 1))
    return hmac.compare_digest(hmac.new(key, signed, hashlib.sha256).digest(), signature)


def is_public_signature(signed, signature):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(PUBLIC_KEY.replace("whpk_", "", 1)))
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


seen = set()  # In production: a table with a unique column, written with the alert.


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("content-length", "0"))
        if length > BODY_BYTES_MAX:
            return self.answer(413)
        body = self.rfile.read(length)
        if not is_genuine(self.headers, body):
            return self.answer(401)
        message_id = self.headers["webhook-id"]
        # Answer only once it is stored: a 2xx is never sent again.
        if message_id not in seen:
            print(f"alert {message_id} {json.loads(body)['type']}", flush=True)
        seen.add(message_id)
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Receiver)
    print("receiver listens", flush=True)
    server.serve_forever()
