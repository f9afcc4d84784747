"""`tieout playbook`: who checks what and when, made of the user's own configuration."""
