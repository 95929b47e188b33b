"""The answers of hostile and broken servers, each sent over a real socket.

In this order: wire (a server that sends what it is told), steps (what it can be told), pages (a sound
page and how to spoil it), case (an answer and what it must come to), then the families, and catalogue.
"""
