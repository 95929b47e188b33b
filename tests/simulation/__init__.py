"""Years of trouble: the real system lives in a world that is decided by one seed.

Read in this order: clock (time, which only the run moves), world (who chats, and what MEE6 counts),
boards, wire, troubles and server (whose board is where, as bytes of HTTP, with MEE6's troubles), episodes, weather
and stories (which faults strike, and when), stores (where the ledger is kept), process (the real `Engage`, killed or
held up at any call of a port), oracle and verdict (what the rules say must hold), forecast, failures, watch and hand
(every run and every decision, forecast and checked), audit, digest, pager and notices (the ledger and the webhook,
read as others read them), deeds (what members, the web app and the admin do), life (all of it, slot by slot), living
and pool (many lives), mutants (bugs that the simulation must find).
"""
