"""Entry point of a Hugging Face Space, and of anyone who prefers `python app.py` to `scratchpad serve`."""

import os
import sys

from scratchpad.cli import main
from scratchpad.ui.zero import lent

if __name__ == "__main__":
    if lent():
        import spaces  # noqa: F401  which must come before torch looks for an accelerator

        os.environ.setdefault("SCRATCHPAD_DEVICE", "cuda")
    host = os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0" if "SPACE_ID" in os.environ else "127.0.0.1")
    sys.exit(main(["serve", "--host", host]))
