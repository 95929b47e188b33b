"""A store in SQL, but for what its database does in a way of its own: connections, tables, staging.

Statements are written so that SQLite and PostgreSQL both run them; parameters as SQLite has them,
`?` and `:name`. Days and instants go in and come out as ISO texts, whatever type a column has.

Read in this order: `schema`, `tables`, `database`, `pool`, `queries`, `leaderboard`, `views`, `runs`, `clock`,
`posting`, `audit`.
"""
