"""Start the page: ``python app.py``."""

from __future__ import annotations

import os
import sys
from functools import partial

from ecomscript.config import Settings
from ecomscript.errors import EcomScriptError
from ecomscript.memory import give_back_freed_memory


def main() -> int:
    """Run the server until it is stopped; return the exit status."""
    # Gradio reads this when it is imported; anything but "False" would report the start to a server outside.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    give_back_freed_memory()
    from ecomscript.evaluation.nearest import NearestItems  # noqa: PLC0415
    from ecomscript.evaluation.report_cards import report_cards  # noqa: PLC0415
    from ecomscript.evaluation.results import commit  # noqa: PLC0415
    from ecomscript.feedback.collect import open_collector  # noqa: PLC0415
    from ecomscript.pipeline import Pipeline  # noqa: PLC0415
    from ecomscript.ui.bench.try_it import TryIt  # noqa: PLC0415
    from ecomscript.ui.page import build_ui, launch  # noqa: PLC0415

    try:
        settings = Settings.from_env()
        pipeline = Pipeline.open(settings, progress=lambda line: print(line, flush=True))  # noqa: T201
        cards = report_cards(settings.models_dir)
        try_it = partial(TryIt, pipeline.reviewer.verifiers, NearestItems(pipeline.encode), cards)
        feedback = open_collector(settings, commit() or "unknown")
        launch(build_ui(pipeline, cards=cards, try_it=try_it, feedback=feedback), settings)
    except EcomScriptError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
