"""Pictures, a file each, in folders and archives: which files, of which split and class, and their pixels."""
