"""The stores: one protocol (database), two engines (sqlite, postgres), and the statements' common form (sql)."""
