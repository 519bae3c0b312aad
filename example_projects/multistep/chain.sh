#!/usr/bin/env bash
# The chain in shell: the same steps as driver.py, through the command line.
set -euo pipefail

step() {
    projrun run . --env-manager=local --json --entry-point "$@" |
        python -c 'import json, sys; print(json.load(sys.stdin)["run_id"])'
}

generated=$(step generate -P "rows=$1" -P "noise=$2")
trained=$(step train -P "data=runs:/$generated/data.csv")
evaluated=$(step evaluate -P "data=runs:/$generated/data.csv" -P "model=runs:/$trained/model/line.json")
printf 'generate %s\ntrain %s\nevaluate %s\n' "$generated" "$trained" "$evaluated"
