"""Finding users: the list with its filters and sorts, and the search by words."""
