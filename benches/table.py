"""Prints the table of benches/start.sh from hyperfine's JSON files, one file a round."""

import json
import sys
from collections import defaultdict
from statistics import median

BASE = "true"
SCRYPT = "a bare scrypt call, ln=17"


def main(paths):
    figures = defaultdict(lambda: defaultdict(list))
    for path in paths:
        with open(path) as file:
            results = {result["command"]: result for result in json.load(file)["results"]}
        cpu = {name: result["user"] + result["system"] for name, result in results.items()}
        for name, result in results.items():
            row = figures[name]
            row["wall"].append(1000 * result["median"])
            row["wall over true"].append(1000 * (result["median"] - results[BASE]["median"]))
            row["CPU"].append(1000 * cpu[name])
            row["CPU over true"].append(1000 * (cpu[name] - cpu[BASE]))
            if SCRYPT in cpu:
                row["CPU / scrypt"].append(cpu[name] / cpu[SCRYPT])
    columns = ["wall", "wall over true", "CPU", "CPU over true", "CPU / scrypt"]
    print("| ms |", " | ".join(columns), "|")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in figures.items():
        is_password = len(row["CPU / scrypt"]) == len(row["wall"])
        cells = [f"{median(row[column]):.2f}" for column in columns[:-1]]
        cells.append(f"{median(row['CPU / scrypt']):.3f}" if is_password else "")
        print(f"| {name} |", " | ".join(cells), "|")


main(sys.argv[1:])
