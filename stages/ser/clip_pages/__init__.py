"""The page of one clip: its sound, what is measured of it frame by frame, and what each
model says of it over time."""
