"""The counters over users as a whole: folding what commands appended, counting anew, and comparing."""
