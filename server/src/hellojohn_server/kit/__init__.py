"""Small modules that know no feature: ids, clock, times, errors, enums, the caller, routes as declarations."""
