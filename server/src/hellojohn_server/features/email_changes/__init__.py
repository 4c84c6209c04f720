"""Users who change their own address: asked for with the password, done by a link that only the new address gets."""
