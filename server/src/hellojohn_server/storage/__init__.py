"""The stores: one protocol (database.py), two engines (sqlite.py, postgres.py), and the statements' common form (sql.py)."""
