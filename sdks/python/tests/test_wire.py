import json
import unittest
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

from revgrid import RevError, RevProtocolError
from revgrid._wire import duration, encode, instant, parse_duration, parse_instant, query, segment


class Times(unittest.TestCase):
    def test_instants_are_sent_in_utc(self):
        zone = timezone(timedelta(hours=2))
        self.assertEqual(instant(datetime(2026, 11, 23, 14, 0, tzinfo=zone), "x"), "2026-11-23T12:00:00Z")
        self.assertEqual(instant(datetime(2026, 1, 2, 3, 4, 5, 6, timezone.utc), "x"), "2026-01-02T03:04:05.000006Z")
        self.assertEqual(instant("2026-11-23T12:00:00+02:00", "x"), "2026-11-23T12:00:00+02:00")

    def test_a_naive_datetime_is_refused(self):
        with self.assertRaisesRegex(ValueError, "expires_at is a naive datetime"):
            instant(datetime(2026, 1, 1), "expires_at")
        with self.assertRaises(TypeError):
            instant(date(2026, 1, 1), "expires_at")

    def test_instants_are_read_whatever_their_fraction(self):
        for text, micro in (("12:00:00Z", 0), ("12:00:00.5Z", 500000), ("12:00:00.1234567Z", 123456), ("14:00:00+02:00", 0)):
            with self.subTest(text):
                expected = datetime(2026, 11, 23, 12, 0, 0, micro, timezone.utc)
                self.assertEqual(parse_instant(f"2026-11-23T{text}"), expected)
        with self.assertRaises(RevProtocolError):
            parse_instant("yesterday")

    def test_durations_both_ways(self):
        for value, text in (
            (timedelta(0), "PT0S"),
            (timedelta(days=7), "P7D"),
            (timedelta(hours=48), "P2D"),
            (timedelta(hours=1, minutes=2, seconds=3), "PT1H2M3S"),
            (timedelta(seconds=0.5), "PT0.5S"),
            (timedelta(days=1, microseconds=1), "P1DT0.000001S"),
            (-timedelta(minutes=5), "-PT5M"),
        ):
            with self.subTest(text):
                self.assertEqual(duration(value), text)
                self.assertEqual(parse_duration(text), value)
        self.assertEqual(parse_duration("P2W"), timedelta(days=14))
        self.assertEqual(parse_duration("PT48H"), timedelta(days=2))
        for bad in ("P", "PT", "P1Y", "P1M", "1D", ""):
            with self.subTest(bad), self.assertRaises(RevProtocolError):
                parse_duration(bad)


class Json(unittest.TestCase):
    def test_decimals_become_numbers_and_lose_nothing(self):
        value = {"a": Decimal("12345678901234567890.123456789"), "b": [Decimal("1E+3"), 0.1, None, True, "ü\n"], 3: Decimal(0)}
        text = encode(value).decode()
        self.assertEqual(text, '{"a":12345678901234567890.123456789,"b":[1000,0.1,null,true,"ü\\n"],"3":0}')
        json.loads(text)

    def test_other_types_find_a_word(self):
        class Kind(Enum):
            X = "x"

        value = {
            "t": datetime(2026, 1, 1, tzinfo=timezone.utc), "d": timedelta(days=1), "u": UUID(int=1), "k": Kind.X, "s": {1},
            "y": date(2026, 1, 2),
        }
        expected = {
            "t": "2026-01-01T00:00:00Z", "d": "P1D", "u": "00000000-0000-0000-0000-000000000001", "k": "x", "s": [1], "y": "2026-01-02",
        }
        self.assertEqual(json.loads(encode(value)), expected)
        self.assertEqual(json.loads(encode({**value, "m": Decimal("1.5")})), {**expected, "m": 1.5})

    def test_what_has_no_word_is_refused_here(self):
        for value in ({"x": float("nan")}, {"x": Decimal("NaN")}, {"x": "\ud800"}):
            with self.subTest(value), self.assertRaises(ValueError):
                encode(value)
        with self.assertRaises(TypeError):
            encode({"x": object()})
        deep = []
        for _ in range(100_000):
            deep = [deep]
        with self.assertRaises(ValueError):
            encode(deep)

    def test_one_line(self):
        self.assertNotIn(b"\n", encode({"x": "a\nb\r\u2028"}))


class Paths(unittest.TestCase):
    def test_keys_cannot_leave_their_place(self):
        self.assertEqual(segment("a/b?c#d é", "x"), "a%2Fb%3Fc%23d%20%C3%A9")
        for bad in ("", ".", ".."):
            with self.subTest(bad), self.assertRaises(ValueError):
                segment(bad, "x")
        with self.assertRaises(TypeError):
            segment(None, "x")

    def test_absent_parameters_are_left_out(self):
        self.assertEqual(query([("a", None), ("b", "x&y"), ("c", 3)]), "?b=x%26y&c=3")
        self.assertEqual(query([("a", None)]), "")


class Errors(unittest.TestCase):
    def test_they_can_be_pickled(self):
        import pickle

        from revgrid._errors import problem

        error = problem(429, {"detail": "Slowly", "code": "rate.limited", "errors": {"a": ["b"]}}, retry_after=3.0, request_id="r")
        copy = pickle.loads(pickle.dumps(error))
        self.assertEqual((type(copy), copy.__dict__, str(copy)), (type(error), error.__dict__, str(error)))
        self.assertIsInstance(copy, RevError)
        self.assertTrue(copy.retryable)


if __name__ == "__main__":
    unittest.main()
