"""How much the quick tests notice: the package is changed in one small place at a time, and some test must fail.

`python -m mutation` changes every function of the core and of the use cases, and the posting of the SQL ledger with
its statements. A process is forked for each mutant and runs only the tests that execute the changed line. Mutants that
survive must be listed in `survivors.txt` with the reason, or the run fails; it also fails if a listed one no longer
survives.
"""
