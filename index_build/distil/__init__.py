"""What a language model knows of a catalogue, written down: purchase intentions of its products, goals and scripts for them."""
