"""Language models as writers and judges: one protocol, behind it services that speak OpenAI's protocol or a model on this machine."""
