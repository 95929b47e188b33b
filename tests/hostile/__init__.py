"""The answers of hostile and broken servers, each sent over a real socket.

Read in this order: wire (a server that sends what a script says), steps (what a script can do), pages (a valid
page and how to spoil it), case (an answer and its expected outcome), then the families, and catalogue.
"""
