"""The web page: values in ``view`` and ``basket``, pure HTML in ``render*`` and ``export``, Gradio only in the other modules."""
