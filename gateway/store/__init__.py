"""What the gateway must not forget: accepted sends, undelivered callbacks, a few facts.

Each module holds the statements of one table and runs them on the connection it is given;
only `database.Store` opens and commits transactions.
"""
