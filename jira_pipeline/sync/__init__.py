"""What to fetch for each tracked project, and getting it into landing files whatever happens on the way."""
