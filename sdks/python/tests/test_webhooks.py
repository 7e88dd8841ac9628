import base64
import hashlib
import hmac
import json
import time
import unittest
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from revgrid import WebhookVerificationError, verify_webhook

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret of 24 byte").decode()
MESSAGE = {
    "id": "msg_01KA9Z3Y5W7V1T0R2Q4P6N8M0K", "type": "outcome.succeeded", "timestamp": "2026-11-24T09:30:00Z",
    "sequence": 1795512600000000, "mode": "live",
    "data": {
        "outcome_id": "out_1", "event_id": "evt_1", "status": "succeeded", "outcome_bonus": "2.5", "potential_bonus": None,
        "price_charged": "2.51", "currency": "usd", "bonus": {"name": "reply", "reason": "rule 1 matched"}, "agent_id": "a",
        "action": "x", "customer_id": "c", "created_at": "2026-11-23T09:30:00Z", "expires_at": None,
        "resolved_at": "2026-11-24T09:30:00Z", "settles_at": None, "reversed_at": None, "reversed_amount": None,
    },
}
BODY = json.dumps(MESSAGE).encode()


def signature(body=BODY, secret=SECRET, identity="msg_1", stamp=None):
    key = base64.b64decode(secret[6:])
    signed = f"{identity}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(body=BODY, secret=SECRET, stamp=None, identity="msg_1"):
    stamp = int(time.time()) if stamp is None else stamp
    return {
        "webhook-id": identity, "webhook-timestamp": str(stamp), "webhook-signature": signature(body, secret, identity, stamp),
    }


class Genuine(unittest.TestCase):
    def test_the_event(self):
        event = verify_webhook(BODY, headers(), SECRET)
        self.assertEqual((event.id, event.type, event.mode, event.sequence), (MESSAGE["id"], "outcome.succeeded", "live", 1795512600000000))
        self.assertEqual(event.timestamp, datetime(2026, 11, 24, 9, 30, tzinfo=timezone.utc))
        self.assertEqual((event.data.outcome_bonus, event.data.bonus.name), (Decimal("2.5"), "reply"))
        self.assertEqual((event.data["outcome_id"], event.raw), ("out_1", MESSAGE))

    def test_the_example_of_the_specification(self):
        told = {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }
        with self.assertRaisesRegex(WebhookVerificationError, "cannot be read"):
            # It is signed, and only its body is no message of Rev's.
            verify_webhook('{"test": 2432232314}', told, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", tolerance=timedelta(days=36500))

    def test_headers_of_any_framework(self):
        plain = headers()
        for told in (
            {name.title(): value for name, value in plain.items()},
            {"HTTP_" + name.upper().replace("-", "_"): value for name, value in plain.items()},
            list(plain.items()),
            [(name.encode(), value.encode()) for name, value in plain.items()],
            {name: [value] for name, value in plain.items()},
        ):
            with self.subTest(type(told)):
                verify_webhook(BODY.decode(), told, SECRET)

    def test_while_a_secret_is_replaced(self):
        both = headers()
        both["webhook-signature"] = signature(secret=OTHER, stamp=both["webhook-timestamp"]) + " " + both["webhook-signature"] + " v2,x"
        verify_webhook(BODY, both, SECRET)
        verify_webhook(BODY, both, OTHER)
        verify_webhook(BODY, headers(), [OTHER, SECRET])

    def test_other_messages(self):
        for kind, data, check in (
            ("invoice.paid", {"id": "inv_1", "total": "12.34", "total_minor": 1234, "period_start": "2026-11-01T00:00:00Z"}, lambda data: data.total == Decimal("12.34")),
            ("stripe.sync_failed", {"subject": "invoice", "error": "x"}, lambda data: data.subject == "invoice"),
            ("webhook.test", {"any": 1}, lambda data: data == {"any": 1}),
            ("outcome.later", {"outcome_bonus": {}}, lambda data: data == {"outcome_bonus": {}}),
        ):
            body = json.dumps({**MESSAGE, "type": kind, "data": data}).encode()
            with self.subTest(kind):
                self.assertTrue(check(verify_webhook(body, headers(body), SECRET).data))


class Forged(unittest.TestCase):
    def refused(self, text, body=BODY, told=None, secret=SECRET, **options):
        with self.assertRaisesRegex(WebhookVerificationError, text):
            verify_webhook(body, headers() if told is None else told, secret, **options)

    def test_what_is_changed(self):
        self.refused("not signed", BODY + b" ")
        self.refused("not signed", told={**headers(), "webhook-id": "msg_2"})
        self.refused("not signed", told={**headers(), "webhook-timestamp": str(int(time.time()) + 1)})
        self.refused("not signed", secret=OTHER)
        for value in ("v1,", "v1", "v2," + signature(stamp=1)[3:], "v1,ünicode", signature()[:-2]):
            self.refused("not signed", told={**headers(), "webhook-signature": value})

    def test_headers_and_bodies_that_are_no_text(self):
        for name in ("webhook-id", "webhook-signature"):
            self.refused("not signed", told={**headers(), name: "v1,\udcff"})
        self.refused("not signed", "\udcff")

    def test_what_is_missing(self):
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
            told = headers()
            del told[name]
            self.refused(name, told=told)

    def test_what_is_old_or_of_the_future(self):
        for shift in (-301, 301):
            self.refused("too long ago", told=headers(stamp=int(time.time()) + shift))
        verify_webhook(BODY, headers(stamp=int(time.time()) - 295), SECRET)
        self.refused("too long ago", told=headers(stamp=int(time.time()) - 10), tolerance=timedelta(seconds=5))
        self.refused("no time", told={**headers(), "webhook-timestamp": "-5"})

    def test_wrong_use(self):
        with self.assertRaises(TypeError):
            verify_webhook(MESSAGE, headers(), SECRET)
        for secret in ("secret", "whsec_", "whsec_!", []):
            with self.subTest(secret), self.assertRaises(ValueError):
                verify_webhook(BODY, headers(), secret)
        for tolerance in (float("nan"), -1):
            with self.subTest(tolerance), self.assertRaises(ValueError):
                verify_webhook(BODY, headers(), SECRET, tolerance=tolerance)


if __name__ == "__main__":
    unittest.main()
