"""The examples of the README run: needs REV_BASE_URL and REV_API_KEY, and is skipped without them."""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


@unittest.skipUnless(os.environ.get("REV_BASE_URL") and os.environ.get("REV_API_KEY"), "REV_BASE_URL and REV_API_KEY are not set")
@unittest.skipUnless(README.exists(), "there is no README here")
class Readme(unittest.TestCase):
    def test_its_examples_run(self):
        blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        self.assertGreaterEqual(len(blocks), 8)
        with tempfile.TemporaryDirectory() as folder:
            for number, block in enumerate(blocks):
                with self.subTest(block.strip().splitlines()[0]):
                    done = subprocess.run(
                        [sys.executable, "-c", block], capture_output=True, text=True, timeout=60,
                        env={**os.environ, "REV_SPOOL_DIR": folder},
                    )
                    self.assertEqual((done.returncode, done.stderr), (0, ""), number)


if __name__ == "__main__":
    unittest.main()
