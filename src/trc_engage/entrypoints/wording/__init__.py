"""The words that the command line and the web both say, one file for what they are about."""
