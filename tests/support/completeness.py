"""`python tests/support/completeness.py`: fail unless pyright knows the types of 99 % of the public names."""

import json
import subprocess

SCORE_MIN = 0.99

if __name__ == "__main__":
    command = ["pyright", "--verifytypes", "trc_engage", "--ignoreexternal", "--outputjson"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    score = json.loads(ended.stdout)["typeCompleteness"]["completenessScore"]
    raise SystemExit(f"type completeness: {score:.1%}" if score < SCORE_MIN else 0)
