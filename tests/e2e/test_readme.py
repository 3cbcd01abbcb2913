"""The README's story, pasted into a shell as a newcomer would."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.running import ROOT, city_process


def test_the_story_of_the_readme_ends_as_it_says(tmp_path: Path) -> None:
    (story,) = re.findall(r"^```bash\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    with city_process(tmp_path) as city:
        environment = {**os.environ, "GOTONG_URL": city.url}
        told = subprocess.run(["bash", "-euc", story], env=environment, capture_output=True, text=True, timeout=120)
    assert told.stderr == ""
    assert told.stdout.split() == ["fulfilled", "0", "org.gotongroyong.request.opened.v1"]
