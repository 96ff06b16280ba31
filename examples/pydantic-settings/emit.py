"""Prints the declaration: python emit.py > env.schema.json"""

import json

from settings import Settings

print(json.dumps(Settings.model_json_schema(), indent=2))
