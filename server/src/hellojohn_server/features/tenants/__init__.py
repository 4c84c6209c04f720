"""Tenants: who they are and whether they are open. They live in the control store; a master key manages them."""
