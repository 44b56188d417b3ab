"""The offline builder: catalogue files in, an index folder that the app serves out."""
