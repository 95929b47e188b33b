"""How much the quick tests notice: one small change at a time is made in the package, and some test must fail.

`python -m mutation` changes every function of the core and of the use cases, and the posting of the SQL ledger with its
statements. A process is forked for each mutant, in which only the tests run that pass the changed line. Whoever
survives is listed in `survivors.txt` with the reason, or the run fails; so it does if somebody listed is gone.
"""
