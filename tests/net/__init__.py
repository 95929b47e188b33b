"""The net: everything that leaves the process for a program to read, written down as golden files.

`world` lives a month in which something of everything happens; `commands` and `requests` ask all there is to ask;
`transcripts` writes down the answers. They only use the package's public interfaces.
"""
