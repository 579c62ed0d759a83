"""Makes the small pictures of demos/README.md from the results of a full run.

    python demos/run_all.py && python tests/syllabus.py
"""

import re
import sys
from pathlib import Path

from PIL import Image

DEMOS = Path(__file__).parents[1] / "demos"
WIDTH = 480             # pixels


def make(output):
    """For each row of the table the picture that its description names."""
    rows = re.findall(r"^\| \[(\w+)\].*!\[([^\]]+)\]", (DEMOS / "README.md").read_text("utf-8"), re.MULTILINE)
    (DEMOS / "pictures").mkdir(exist_ok=True)
    for name, file in rows:
        with Image.open(output / name / file) as picture:
            height = round(picture.height * WIDTH / picture.width)
            small = picture.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
            small.quantize(64).save(DEMOS / "pictures" / f"{name}.png", optimize=True)


if __name__ == "__main__":
    make(Path(sys.argv[1] if len(sys.argv) > 1 else "output"))
