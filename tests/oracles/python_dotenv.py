"""Reads dotenv texts as python-dotenv does: one base64 text a line on stdin, one JSON map a line on stdout."""

import base64
import io
import json
import sys

from dotenv import dotenv_values

for line in sys.stdin:
    text = base64.b64decode(line).decode("utf-8")
    values = dotenv_values(stream=io.StringIO(text, newline=""), interpolate=False)
    print(json.dumps(values))
