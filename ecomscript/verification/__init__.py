"""The verifiers: does a script, a product for a step, a whole bundle hold together?"""
