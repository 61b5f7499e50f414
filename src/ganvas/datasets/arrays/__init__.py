"""Files that hold many images: one file a format, and the rules that all of them share."""
