import json
import unittest
from pathlib import Path
from types import SimpleNamespace

from revgrid import Tokens, UsageError, tokens_of

FIXTURES = sorted((Path(__file__).parent / "fixtures" / "usage").glob("*.json"))


def as_object(value):
    """Attributes in the place of members, as the providers' own classes have them."""
    if isinstance(value, dict):
        return SimpleNamespace(**{name: as_object(item) for name, item in value.items()})
    if isinstance(value, list):
        return [as_object(item) for item in value]
    return value


class Shapes(unittest.TestCase):
    def test_recorded_shapes(self):
        self.assertGreaterEqual(len(FIXTURES), 33)
        for path in FIXTURES:
            fixture = json.loads(path.read_text(encoding="utf-8"))
            response, expected = fixture["response"], Tokens(**fixture["expected"])
            with self.subTest(path.name):
                self.assertEqual(tokens_of(response), expected)
                self.assertEqual(tokens_of(as_object(response)), expected)
                for usage in (response[name] for name in ("usage", "usageMetadata", "usage_metadata") if name in response):
                    bare = Tokens(expected.input, expected.output)
                    self.assertEqual(tokens_of(usage), bare)
                    self.assertEqual(tokens_of(as_object(usage)), bare)

    def test_what_details_tell_is_counted_once(self):
        with_details = {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 90}, "output_tokens": 50}
        self.assertEqual(tokens_of(with_details), Tokens(100, 50))
        # As frameworks normalise it: the total holds the cache already.
        normalised = {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150, "input_token_details": {"cache_read": 90}}
        self.assertEqual(tokens_of(normalised), Tokens(100, 50))

    def test_the_total_of_a_service_of_openais_shape_is_what_counts(self):
        for counts, output in (
            ({"prompt_tokens": 758, "completion_tokens": 102, "total_tokens": 1725}, 967),
            ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 45, "completion_tokens_details": {"reasoning_tokens": 30}}, 35),
            ({"prompt_tokens": 10, "completion_tokens": 35, "total_tokens": 45, "completion_tokens_details": {"reasoning_tokens": 30}}, 35),
            ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 60, "completion_tokens_details": {"reasoning_tokens": 30}}, 50),
            ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 3}, 5),
        ):
            with self.subTest(counts):
                self.assertEqual(tokens_of(counts), Tokens(counts["prompt_tokens"], output))

    def test_a_cache_beside_the_input_is_input_whatever_the_total(self):
        usage = {"input_tokens": 20, "output_tokens": 5, "cache_read_input_tokens": 80, "total_tokens": 105}
        self.assertEqual(tokens_of(usage), Tokens(100, 5))

    def test_what_a_cache_was_given_is_told_in_parts_too(self):
        parts = {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}
        for whole in ({}, {"cache_creation_input_tokens": 7}):
            counted = tokens_of({"input_tokens": 10, "output_tokens": 5, "cache_creation": parts} | whole)
            self.assertEqual((counted.input, counted.output), (17, 5))

    def test_nothing_is_billed_as_nothing(self):
        for value in (None, {}, {"usage": None}, {"tokens": 5}, "text", 5, [], {"usage": {"total": 5}}, {"generations": [[{"text": "x"}]]}, {"response": {}}, SimpleNamespace(usage=None)):
            with self.subTest(value), self.assertRaises(UsageError):
                tokens_of(value)

    def test_events_of_a_stream_repeat_each_other(self):
        for event in (
            {"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 1}}},
            {"type": "message_delta", "usage": {"output_tokens": 15}},
        ):
            with self.subTest(event), self.assertRaisesRegex(UsageError, "final message"):
                tokens_of(event)

    def test_counts_that_are_none(self):
        for value in (-1, 1.5, "5", True):
            with self.subTest(value), self.assertRaises(UsageError):
                tokens_of({"prompt_tokens": value, "completion_tokens": 1})


if __name__ == "__main__":
    unittest.main()
