import unittest

from revgrid import RevConfigError
from revgrid._http1 import BadResponse, Origin, ResponseParser, request_bytes


def take(*parts, end=False):
    parser = ResponseParser()
    for part in parts:
        parser.feed(part)
    if end:
        parser.eof()
    return parser


class Parser(unittest.TestCase):
    def test_by_length_however_it_is_cut(self):
        data = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nX-A: 2\r\n\r\nhello"
        for size in range(1, len(data)):
            parser = take(*(data[at : at + size] for at in range(0, len(data), size)))
            self.assertTrue(parser.done and parser.keep_alive, size)
            self.assertEqual((parser.response.status, parser.response.body), (200, b"hello"))
            self.assertEqual(parser.response.headers["x-a"], "1, 2")

    def test_chunks_however_they_are_cut(self):
        data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
        for size in range(1, len(data)):
            parser = take(*(data[at : at + size] for at in range(0, len(data), size)))
            self.assertTrue(parser.done and parser.keep_alive, size)
            self.assertEqual(parser.response.body, b"abc0123456789")

    def test_until_the_end(self):
        parser = take(b"HTTP/1.1 200 OK\r\n\r\nsome", b"thing", end=True)
        self.assertEqual(parser.response.body, b"something")
        self.assertFalse(parser.keep_alive)

    def test_a_length_that_no_answer_has(self):
        for length in (b"9" * 5000, b"9" * 16, b"-1", b"1, 2"):
            with self.subTest(length[:5]), self.assertRaises(BadResponse):
                take(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\n")

    def test_interim_answers_are_skipped(self):
        parser = take(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
        self.assertEqual(parser.response.status, 204)
        self.assertTrue(parser.done)

    def test_when_the_connection_is_not_kept(self):
        for head in (b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200 OK\r\nConnection: Close\r\n"):
            self.assertFalse(take(head + b"Content-Length: 0\r\n\r\n").keep_alive)
        self.assertFalse(take(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore").keep_alive)

    def test_what_is_not_http(self):
        for data in (
            b"SSH-2.0-x\r\n",
            b"HTTP/2 200\r\n\r\n",
            b"HTTP/1.1 20x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
            b"HTTP/1.1 101 Switching\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000,
        ):
            with self.subTest(data[:40]), self.assertRaises(BadResponse):
                take(data)

    def test_an_answer_that_ends_early(self):
        for data in (b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"):
            with self.subTest(data), self.assertRaises(BadResponse):
                take(data, end=True)


class Origins(unittest.TestCase):
    def test_addresses(self):
        for url, expected in (
            ("http://localhost:5080", (False, "localhost", 5080, "localhost:5080", "")),
            ("https://rev.example.com/", (True, "rev.example.com", 443, "rev.example.com", "")),
            ("https://rev.example.com:443/base/", (True, "rev.example.com", 443, "rev.example.com", "/base")),
            ("http://[::1]:80", (False, "::1", 80, "[::1]", "")),
        ):
            origin = Origin.parse(url)
            self.assertEqual((origin.tls, origin.host, origin.port, origin.authority, origin.prefix), expected)

    def test_what_is_none(self):
        for url in ("localhost:5080", "ftp://x", "http://", "http://u:p@x", "http://x?y", "http://x:notaport"):
            with self.subTest(url), self.assertRaises(RevConfigError):
                Origin.parse(url)

    def test_no_header_can_be_smuggled_in(self):
        origin = Origin.parse("http://x")
        for value in ("a\r\nX: y", "a\nb", "ü"):
            with self.subTest(value), self.assertRaises(ValueError):
                request_bytes(origin, "GET", "/", [("X", value)], None)
        self.assertEqual(
            request_bytes(origin, "POST", "/v1/x", [("X", "y")], b"{}"),
            b"POST /v1/x HTTP/1.1\r\nHost: x\r\nX: y\r\nContent-Length: 2\r\n\r\n{}",
        )


if __name__ == "__main__":
    unittest.main()
