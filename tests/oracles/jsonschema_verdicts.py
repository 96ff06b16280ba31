"""Validates as Python's jsonschema does: one JSON array [schema, [instance, ...]] a line on stdin, one JSON array of
verdicts a line on stdout. Without a format checker: formats are annotations to it."""

import json
import sys

from jsonschema.validators import validator_for

for line in sys.stdin:
    schema, instances = json.loads(line)
    cls = validator_for(schema)
    cls.check_schema(schema)
    validator = cls(schema)
    print(json.dumps([validator.is_valid(instance) for instance in instances]))
