"""What ``make bench…`` runs; none of it is deployed."""
